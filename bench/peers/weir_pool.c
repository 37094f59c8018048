/* SPDX-License-Identifier: MIT */
/* weir_pool.c - weir_pool, as anyone would call it; with -DTIMEOUT_NS each task
 * has a deadline, too. */
#include <weir/pool.h>
#include <weir/version.h>

#include "contender.h"
#include "pool_contender.h"

#ifdef TIMEOUT_NS
# define NAME "weir, with timeouts"
#else
# define NAME       "weir"
# define TIMEOUT_NS 0
#endif

static int run(weir_task *task, void *item)
{
    pool_task(weir_task_worker(task), (uintptr_t)item);
    return 0;
}

static void *start(unsigned workers, size_t capacity)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool *pool;

    options.workers = workers;
    options.queue_capacity = capacity;
    options.timeout_ns = TIMEOUT_NS;
    return weir_pool_create(&pool, &options) ? NULL : pool;
}

static void submit(void *pool, uint64_t item)
{
    if (weir_pool_submit(pool, run, (void *)(uintptr_t)item, WEIR_FOREVER))
        contender_failed("weir_pool_submit");
}

static void finish(void *pool)
{
    if (weir_pool_join(pool, WEIR_FOREVER))
        contender_failed("weir_pool_join");
}

static void destroy(void *pool)
{
    weir_pool_destroy(pool);
}

const struct pool_contender pool_contender = {.name = NAME,
                                              .version = weir_version,
                                              .bounded = true,
                                              .start = start,
                                              .submit = submit,
                                              .finish = finish,
                                              .destroy = destroy};
