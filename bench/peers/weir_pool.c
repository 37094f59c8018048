/* SPDX-License-Identifier: MIT */
/* weir_pool.c - weir_pool, as anyone would call it; with -DWITH_TIMEOUTS each
 * task has a deadline, too. */
#include <weir/pool.h>
#include <weir/version.h>

#include "contender.h"
#include "pool_contender.h"

static weir_handler *handler;

static int run(weir_task *task, void *item)
{
    pool_task(weir_task_worker(task), (uintptr_t)item);
    return 0;
}

static void *create(weir_handler *of_tasks, unsigned workers, size_t capacity,
                    weir_pool_options options)
{
    weir_pool *pool;

    handler = of_tasks;
    options.workers = workers;
    options.queue_capacity = capacity;
    return weir_pool_create(&pool, &options) ? NULL : pool;
}

#ifdef WITH_TIMEOUTS
# define NAME        "weir, with timeouts"
# define TIMEOUT_NS  WEIR_SECONDS(10)
# define START_TIMED start_timed

enum { SMALL_STACK = 64 << 10 };

static int overstay(weir_task *task, void *item)
{
    pool_task(weir_task_worker(task), (uintptr_t)item);
    pool_due((uintptr_t)item, (uint64_t)weir_task_deadline(task).at_ns);
    if (weir_task_sleep(task, WEIR_SECONDS(10)) != WEIR_CANCELLED)
        contender_failed("a task is not told that its time is over");
    return 0;
}

static void on_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    if (outcome->kind != WEIR_OUTCOME_TIMED_OUT)
        contender_failed("a task that overstays is not timed out");
    pool_settled((uintptr_t)item);
}

static void *start_timed(unsigned workers, size_t capacity, uint64_t span_ns)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.timeout_ns = (int64_t)span_ns;
    options.stack_bytes = SMALL_STACK;
    options.on_settled = on_settled;
    return create(overstay, workers, capacity, options);
}
#else
# define NAME        "weir"
# define TIMEOUT_NS  0
# define START_TIMED NULL
#endif

static void *start(unsigned workers, size_t capacity)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.timeout_ns = TIMEOUT_NS;
    return create(run, workers, capacity, options);
}

static void submit(void *pool, uint64_t item)
{
    if (weir_pool_submit(pool, handler, (void *)(uintptr_t)item, WEIR_FOREVER))
        contender_failed("weir_pool_submit");
}

static void finish(void *pool)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    if (weir_pool_join(pool, WEIR_FOREVER))
        contender_failed("weir_pool_join");
    weir_pool_read_stats(pool, &stats);
    if (!weir_ledger_balances(&stats.ledger))
        contender_failed("the ledger does not balance");
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
                                              .destroy = destroy,
                                              .start_timed = START_TIMED,
                                              .outlives_exits = true};
