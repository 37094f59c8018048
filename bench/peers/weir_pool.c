/* SPDX-License-Identifier: MIT */
/* weir_pool.c - weir_pool, as anyone would call it; with -DWITH_TIMEOUTS each
 * task has a deadline, too; with -DWITH_EVENTS and -DWITH_HISTOGRAMS the pool
 * has these. */
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

#ifdef WITH_EVENTS
static weir_events *events;

static void look_on(weir_pool_options *options)
{
    if (!events && weir_events_create(&events, NULL))
        contender_failed("weir_events_create");
    options->events = events;
}
#else
static void look_on(weir_pool_options *options)
{
# ifdef WITH_HISTOGRAMS
    options->histograms = true;
# else
    (void)options;
# endif
}
#endif

static void *create(weir_handler *of_tasks, unsigned workers, size_t capacity,
                    weir_pool_options options)
{
    weir_pool *pool;

    look_on(&options);
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
# if defined(WITH_EVENTS)
#  define NAME "weir, with events"
# elif defined(WITH_HISTOGRAMS)
#  define NAME "weir, with histograms"
# else
#  define NAME "weir"
# endif
# define TIMEOUT_NS  0
# define START_TIMED NULL
#endif

#if defined(WITH_EVENTS) || defined(WITH_HISTOGRAMS)
# define ONLY_EMPTY true
#else
# define ONLY_EMPTY false
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
                                              .only_empty = ONLY_EMPTY,
                                              .outlives_exits = true};
