/* SPDX-License-Identifier: MIT */
/*
 * weir_flow.c - results on their way back from a pool.
 *
 * As a stream; with -DIN_ORDER in order.  Beside it what one would do without:
 * with -DCOLLECTED handlers put what they have into a queue that is read, and
 * with -DUNHEARD nobody hears of it, which is what the pool itself costs.
 */
#include <string.h>
#include <time.h>

#include <weir/pipeline.h>
#include <weir/pool.h>
#include <weir/queue.h>
#include <weir/stream.h>
#include <weir/version.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "work.h"

#if defined(COLLECTED)
# define NAME "weir_pool, results in a weir_queue"
#elif defined(UNHEARD)
# define NAME "weir_pool, no results"
#elif defined(IN_ORDER)
# define NAME "weir_stream, in order"
#else
# define NAME "weir_stream"
#endif

struct driver_about driver_about(void)
{
    return (struct driver_about){NAME, weir_version(), true, false};
}

const char *driver_why_not(const struct work *work)
{
#if defined(COLLECTED) || defined(UNHEARD) || defined(IN_ORDER)
    if (work->kind == WORK_STAGES)
        return "it has no stages";
#endif
    return work->item_size == sizeof(uint64_t) ? NULL : "its items are numbers";
}

/* Of one item in WORK_UNEVEN_ONE_IN. */
static const struct work *doing;

static void take_time(uint64_t item)
{
    struct timespec span = {0, (long)doing->span_us * 1000};

    if (doing->kind == WORK_UNEVEN && item % WORK_UNEVEN_ONE_IN == 0)
        nanosleep(&span, NULL);
}

static void check_ledger(weir_pool *pool)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    if (!weir_ledger_balances(&stats.ledger))
        contender_failed("the ledger does not balance");
}

#if defined(COLLECTED) || defined(UNHEARD)

static weir_queue *results;
static struct seen {
    uint64_t items, sum, hash;
} __attribute__((aligned(128))) seen[WORK_MOST_WORKERS];

static int handle(weir_task *task, void *item)
{
    uint64_t number = (uint64_t)(uintptr_t)item;
    struct seen *mine = &seen[weir_task_worker(task)];

    take_time(number);
# ifdef COLLECTED
    (void)mine;
    return weir_queue_put(results, &number, WEIR_FOREVER);
# else
    mine->items++;
    mine->sum += number;
    mine->hash ^= number * WORK_HASH;
    return 0;
# endif
}

static void submit_all(struct part *part)
{
    for (uint64_t i = 1; i <= part->count; i++)
        if (weir_pool_submit(part->queue, handle, (void *)(uintptr_t)i,
                             WEIR_FOREVER))
            contender_failed("weir_pool_submit");
    if (weir_pool_join(part->queue, WEIR_FOREVER))
        contender_failed("weir_pool_join");
    weir_queue_close(results);
}

static void read_all(struct part *part)
{
    uint64_t number;

    while (weir_queue_get(results, &number, WEIR_FOREVER) == WEIR_OK)
        part_take(part, &number, 1);
}

void driver_run(const struct work *work, struct result *out)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_queue_options of_queue = WEIR_QUEUE_OPTIONS_INIT;
    struct part parts[2] = {{.run = submit_all,
                             .work = work,
                             .count = work->items},
                            {.run = read_all, .work = work}};
    weir_pool *pool;

    doing = work;
    memset(seen, 0, sizeof(seen));
    options.workers = work->consumers;
    options.queue_capacity = work->capacity;
    of_queue.capacity = work->capacity;
    if (weir_queue_create(&results, sizeof(uint64_t), &of_queue) ||
        weir_pool_create(&pool, &options))
        contender_failed(weir_last_error());
    parts[0].queue = pool;
    crew_run(parts, 2, out);
    for (size_t i = 0; i < work->consumers; i++) {
        out->items += seen[i].items;
        out->sum += seen[i].sum;
        out->hash ^= seen[i].hash;
    }
    check_ledger(pool);
    weir_pool_destroy(pool);
    weir_queue_destroy(results);
}

#else

static int handle(weir_task *task, void *item)
{
    (void)task;
    take_time(*(uint64_t *)item);
    return 0;
}

static void read_all(struct part *part)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_status status;
    uint64_t number;

    while ((status = weir_stream_next(part->queue, &number, &outcome,
                                      WEIR_FOREVER)) == WEIR_OK) {
        if (outcome.kind != WEIR_OUTCOME_DONE)
            contender_failed(outcome.message);
        part_take(part, &number, 1);
    }
    if (status != WEIR_END)
        contender_failed(weir_status_text(status));
}

# ifndef IN_ORDER

/* The last stage has one worker. */
static struct part passed;

static int pass_on(weir_task *task, void *item)
{
    return weir_task_result(task, item, sizeof(uint64_t));
}

static int change(weir_task *task, void *item)
{
    uint64_t number = ~*(uint64_t *)item;

    return weir_task_result(task, &number, sizeof(number));
}

static int take(weir_task *task, void *item)
{
    uint64_t number = ~*(uint64_t *)item;

    (void)task;
    part_take(&passed, &number, 1);
    return 0;
}

static void await_pipeline(struct part *part)
{
    weir_report report = WEIR_REPORT_INIT;

    if (weir_pipeline_wait(part->queue, &report, WEIR_FOREVER) ||
        !weir_ledger_balances(&report.ledger) ||
        report.ledger.done != part->count)
        contender_failed("not all items have passed");
}

static void run_stages(const struct work *work, struct result *out)
{
    static const char *const names[3] = {"first", "middle", "last"};
    static weir_handler *const handlers[3] = {pass_on, change, take};
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pipeline_options how = WEIR_PIPELINE_OPTIONS_INIT;
    weir_pool_options one = WEIR_POOL_OPTIONS_INIT;
    const weir_stage *in_series[3];
    weir_stage stages[3];
    struct part part = {.run = await_pipeline,
                        .work = work,
                        .count = work->items};
    weir_producer numbers;
    weir_pipeline *pipeline;

    passed = (struct part){.work = work};
    one.queue_capacity = options.queue_capacity = work->capacity;
    options.workers = work->consumers;
    for (int i = 0; i < 3; i++) {
        stages[i] = (weir_stage)WEIR_STAGE_INIT;
        stages[i].name = names[i];
        stages[i].handler = handlers[i];
        stages[i].item_size = sizeof(uint64_t);
        stages[i].kind = i == 1 ? WEIR_STAGE_PARALLEL : WEIR_STAGE_SERIAL;
        stages[i].pool = i == 1 ? &options : &one;
        in_series[i] = &stages[i];
    }
    how.stages = in_series;
    how.stage_count = 3;
    if (weir_producer_range(&numbers, 1, work->items) ||
        weir_pipeline_open(&pipeline, &numbers, &how))
        contender_failed(weir_last_error());
    part.queue = pipeline;
    crew_run(&part, 1, out);
    out->items = passed.items;
    out->sum = passed.sum;
    out->hash = passed.hash;
    weir_pipeline_destroy(pipeline);
}

# else

static void run_stages(const struct work *work, struct result *out)
{
    (void)work;
    (void)out;
}

# endif

static void run_stream(const struct work *work, struct result *out)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    struct part part = {.run = read_all, .work = work};
    weir_producer numbers;
    weir_stream *stream;
    weir_pool *pool;

    doing = work;
    options.workers = work->consumers;
    options.queue_capacity = work->capacity;
    options.item_size = sizeof(uint64_t);
    how.handler = handle;
    how.window = work->capacity;
# ifdef IN_ORDER
    how.order = WEIR_IN_ORDER;
# endif
    if (weir_producer_range(&numbers, 1, work->items) ||
        weir_pool_create(&pool, &options) ||
        weir_stream_open(&stream, pool, &numbers, &how))
        contender_failed(weir_last_error());
    part.queue = stream;
    crew_run(&part, 1, out);
    weir_stream_close(stream);
    check_ledger(pool);
    weir_pool_destroy(pool);
}

void driver_run(const struct work *work, struct result *out)
{
    if (work->kind == WORK_STAGES)
        run_stages(work, out);
    else
        run_stream(work, out);
}

#endif
