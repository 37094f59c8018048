/* SPDX-License-Identifier: MIT */
/* tbb_pool.cpp - oneTBB's task_group, its tasks put into a task_arena that has
 * room for the workers; unbounded.  Who waits for the end helps. */
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/version.h>

#include "contender.h"
#include "pool_contender.h"

namespace
{

using oneapi::tbb::global_control;

/* Without the limit there are no more threads than processors; the submitter
 * is counted, too. */
struct tbb_pool {
    explicit tbb_pool(unsigned workers)
        : limit(global_control::max_allowed_parallelism, workers + 1),
          arena(static_cast<int>(workers), 0)
    {
    }

    global_control limit;
    oneapi::tbb::task_arena arena;
    oneapi::tbb::task_group group;
};

void *start(unsigned workers, std::size_t)
{
    return new tbb_pool(workers);
}

void submit(void *arg, std::uint64_t item)
{
    auto pool = static_cast<tbb_pool *>(arg);

    pool->arena.enqueue(pool->group.defer([item] {
        pool_task(static_cast<unsigned>(
                      oneapi::tbb::this_task_arena::current_thread_index()),
                  item);
    }));
}

void finish(void *arg)
{
    auto pool = static_cast<tbb_pool *>(arg);

    pool->arena.execute([pool] { pool->group.wait(); });
}

void destroy(void *pool)
{
    delete static_cast<tbb_pool *>(pool);
}

} // namespace

const struct pool_contender pool_contender = {"TBB task_group",
                                              TBB_runtime_version,
                                              false,
                                              start,
                                              submit,
                                              finish,
                                              destroy,
                                              nullptr,
                                              nullptr,
                                              false};
