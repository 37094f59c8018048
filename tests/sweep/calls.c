/* SPDX-License-Identifier: MIT */
/* calls.c - the calls that can fail for want of something, and the others. */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <weir.h>

enum { ITEMS = 20, MANY = 17 };

static weir_pool *pool;
static weir_queue *queue;
static weir_queue *queues[2];
static weir_events *events;
static weir_events *attached;
static weir_group *group;
static weir_future *futures[MANY];
static weir_stream *stream;
static weir_pipeline *pipeline;
static weir_semaphore *semaphore;
static weir_rate *rate;
static weir_breaker *breaker;
static weir_adaptive *adaptive;
static weir_producer source, source_2, producer;
static weir_report report;
static int fd = -1;
static int pipe_of[2];
static _Alignas(128) unsigned char memory[1 << 17];
static uint64_t numbers[ITEMS];
static atomic_uint ran, settled, released;

static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static void
note_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    (void)outcome;
    atomic_fetch_add(&settled, 1);
}

static void note_released(void *arg, void *item)
{
    (void)arg;
    (void)item;
    atomic_fetch_add(&released, 1);
}

static weir_pool_options of_pool(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 2;
    options.queue_capacity = ITEMS + 1;
    options.item_size = sizeof(uint64_t);
    options.on_settled = note_settled;
    options.on_release = note_released;
    atomic_store(&ran, 0);
    atomic_store(&settled, 0);
    atomic_store(&released, 0);
    return options;
}

static void make_pool(void)
{
    weir_pool_options options = of_pool();

    MUST(weir_pool_create(&pool, &options) == WEIR_OK);
}

static weir_ledger ledger(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    return stats.ledger;
}

/* A pool that still does what it should; nothing of it was lost. */
static void end_pool(void)
{
    weir_ledger then;

    MUST(weir_pool_submit_copy(pool, do_nothing, numbers, WEIR_FOREVER) ==
         WEIR_OK);
    MUST(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER) == WEIR_OK);
    then = ledger();
    MUST(weir_ledger_balances(&then));
    MUST(then.accepted == then.done + then.cancelled);
    MUST(then.unreleased == 0);
    MUST(then.accepted == atomic_load(&settled));
    MUST(then.accepted == atomic_load(&released));
    weir_pool_destroy(pool);
    pool = NULL;
}

static void check_pool_is_well(weir_status status)
{
    (void)status;
    end_pool();
}

/* ------------------------------------------------------------------- making */

static weir_status create_pool(const weir_pool_options *options)
{
    pool = NULL;
    return weir_pool_create(&pool, options);
}

static void check_created(weir_status status)
{
    MUST((status == WEIR_OK) == (pool != NULL));
    if (pool)
        end_pool();
}

static weir_status create_small_pool(void)
{
    weir_pool_options options = of_pool();

    return create_pool(&options);
}

/* All that has room or a thread of its own. */
static weir_status create_large_pool(void)
{
    static const weir_retry again = {.size = sizeof(again), .max_attempts = 2};
    weir_pool_options options = of_pool();

    options.max_workers = 4;
    options.timeout_ns = WEIR_SECONDS(100);
    options.grace_ns = WEIR_SECONDS(1);
    options.time_to_live_ns = WEIR_SECONDS(100);
    options.histograms = true;
    options.retry = &again;
    return create_pool(&options);
}

static weir_status create_plain_pool(void)
{
    weir_pool_options options = of_pool();

    options.on_settled = NULL;
    options.on_release = NULL;
    return create_pool(&options);
}

static void check_plain(weir_status status)
{
    MUST((status == WEIR_OK) == (pool != NULL));
    weir_pool_destroy(pool);
}

static weir_status create_trapping_pool(void)
{
    weir_pool_options options = of_pool();

    options.isolation = WEIR_ISOLATE_TRAP;
    return create_pool(&options);
}

static weir_status create_process_pool(void)
{
    weir_pool_options options = of_pool();

    options.isolation = WEIR_ISOLATE_PROCESS;
    return create_pool(&options);
}

static weir_status create_queue(void)
{
    queue = NULL;
    return weir_queue_create(&queue, sizeof(uint64_t), NULL);
}

static void make_queue(void)
{
    MUST(create_queue() == WEIR_OK);
}

static void end_queue(void)
{
    uint64_t number = 7;

    MUST(weir_queue_put(queue, &number, WEIR_NOW) == WEIR_OK);
    number = 0;
    MUST(weir_queue_get(queue, &number, WEIR_NOW) == WEIR_OK && number == 7);
    weir_queue_destroy(queue);
    queue = NULL;
}

static void check_queue(weir_status status)
{
    MUST((status == WEIR_OK) == (queue != NULL));
    if (queue)
        end_queue();
}

static weir_status create_limits(void)
{
    weir_status status;

    semaphore = NULL;
    rate = NULL;
    breaker = NULL;
    adaptive = NULL;
    status = weir_semaphore_create(&semaphore, 1);
    if (!status)
        status = weir_rate_create(&rate, 1, 1);
    if (!status)
        status = weir_breaker_create(&breaker, NULL);
    return status ? status : weir_adaptive_create(&adaptive, NULL);
}

static void check_limits(weir_status status)
{
    MUST((status == WEIR_OK) == (adaptive != NULL));
    if (semaphore)
        MUST(weir_semaphore_acquire(semaphore, 1, WEIR_NOW) == WEIR_OK);
    weir_semaphore_destroy(semaphore);
    weir_rate_destroy(rate);
    weir_breaker_destroy(breaker);
    weir_adaptive_destroy(adaptive);
}

static weir_status create_events(void)
{
    events = NULL;
    return weir_events_create(&events, NULL);
}

static void check_events(weir_status status)
{
    MUST((status == WEIR_OK) == (events != NULL));
    weir_events_destroy(events);
}

static void make_events_in_memory(void)
{
    weir_events_options options = WEIR_EVENTS_OPTIONS_INIT;

    options.memory = memory;
    options.memory_bytes = sizeof(memory);
    options.lanes = 1;
    MUST(weir_events_create(&events, &options) == WEIR_OK);
}

static weir_status attach_events(void)
{
    attached = NULL;
    return weir_events_attach(&attached, memory, sizeof(memory));
}

static void check_attached(weir_status status)
{
    MUST((status == WEIR_OK) == (attached != NULL));
    weir_events_destroy(attached);
    weir_events_destroy(events);
}

/* ------------------------------------------------------------------ queues */

static weir_status poison(void)
{
    return weir_queue_poison(queue, 2);
}

static void check_poisoned(weir_status status)
{
    uint64_t number;

    for (int i = 0; i < 2 && !status; i++)
        MUST(weir_queue_get(queue, &number, WEIR_NOW) == WEIR_POISONED);
    end_queue();
}

static weir_status watch_items(void)
{
    return weir_queue_item_fd(queue) < 0 ? WEIR_ESYSTEM : WEIR_OK;
}

static weir_status watch_room(void)
{
    return weir_queue_room_fd(queue) < 0 ? WEIR_ESYSTEM : WEIR_OK;
}

static void check_watched(weir_status status)
{
    (void)status;
    end_queue();
}

static weir_status put_and_get(void)
{
    uint64_t items[2] = {1, 2};
    size_t done;

    MUST(weir_queue_put(queue, items, WEIR_NOW) == WEIR_OK);
    MUST(weir_queue_put_many(queue, items, 2, &done, WEIR_NOW) == WEIR_OK);
    MUST(weir_queue_get(queue, items, WEIR_NOW) == WEIR_OK);
    MUST(weir_queue_get_many(queue, items, 2, &done, WEIR_NOW) == WEIR_OK);
    MUST(weir_queue_task_done(queue, 3) == WEIR_OK);
    return weir_queue_join(queue, WEIR_NOW);
}

/* ------------------------------------------------------------------- pools */

static weir_status submit(void)
{
    size_t done;
    void *items[2] = {numbers, numbers};

    MUST(weir_pool_submit(pool, do_nothing, numbers, WEIR_FOREVER) == WEIR_OK);
    MUST(weir_pool_submit_copy(pool, do_nothing, numbers, WEIR_FOREVER) ==
         WEIR_OK);
    MUST(weir_pool_submit_many(pool, do_nothing, items, 2, &done,
                               WEIR_FOREVER) == WEIR_OK);
    return weir_pool_join(pool, WEIR_FOREVER);
}

static weir_status submit_for_future(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.handler = do_nothing;
    futures[0] = NULL;
    return weir_pool_submit_task(pool, &spec, &futures[0], WEIR_FOREVER);
}

static void check_future(weir_status status)
{
    MUST((status == WEIR_OK) == (futures[0] != NULL));
    MUST(ledger().accepted == (status == WEIR_OK));
    if (futures[0])
        MUST(weir_future_wait(futures[0], NULL, WEIR_FOREVER) == WEIR_OK);
    weir_future_release(futures[0]);
    end_pool();
}

static void make_futures(void)
{
    make_pool();
    MUST(submit_for_future() == WEIR_OK);
    futures[1] = futures[0];
    MUST(submit_for_future() == WEIR_OK);
}

/* So many that it needs memory, and none is near its end. */
static void make_far_futures(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    make_pool();
    spec.handler = do_nothing;
    spec.not_before = weir_deadline_after(WEIR_SECONDS(1000));
    for (int i = 0; i < MANY; i++)
        MUST(weir_pool_submit_task(pool, &spec, &futures[i], WEIR_FOREVER) ==
             WEIR_OK);
}

static weir_status wait_any(void)
{
    size_t index;
    weir_status status =
        weir_future_wait_any(futures, MANY, &index, weir_deadline_after(1));

    return status == WEIR_TIMED_OUT ? WEIR_OK : status;
}

static void check_far_futures(weir_status status)
{
    (void)status;
    for (int i = 0; i < MANY; i++) {
        MUST(weir_future_cancel(futures[i]) == WEIR_OK);
        weir_future_release(futures[i]);
    }
    end_pool();
}

static weir_status wait_and_cancel(void)
{
    weir_status status = weir_future_wait(futures[0], NULL, WEIR_FOREVER);

    MUST(weir_future_wait(futures[1], NULL, WEIR_FOREVER) == WEIR_OK);
    return status;
}

static void check_futures(weir_status status)
{
    (void)status;
    for (int i = 0; i < 2; i++)
        weir_future_release(futures[i]);
    end_pool();
}

static weir_status resize(void)
{
    return weir_pool_resize(pool, 5);
}

static void check_resized(weir_status status)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    while (status && stats.workers > 2) { /* they are on their way out */
        sched_yield();
        weir_pool_read_stats(pool, &stats);
    }
    MUST(stats.workers == (status ? 2 : 5));
    end_pool();
}

static weir_status watch_pool(void)
{
    return weir_pool_fd(pool) < 0 ? WEIR_ESYSTEM : WEIR_OK;
}

static weir_status stop(void)
{
    return weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER);
}

static void check_stopped(weir_status status)
{
    (void)status;
    weir_pool_destroy(pool);
}

static weir_status create_group(void)
{
    group = NULL;
    futures[0] = NULL;
    return weir_group_create(&group, pool);
}

static weir_status submit_to_group(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_status status =
        weir_group_submit(group, do_nothing, NULL, WEIR_FOREVER);

    spec.handler = do_nothing;
    return status ? status
                  : weir_group_submit_task(group, &spec, &futures[0],
                                           WEIR_FOREVER);
}

static void make_group(void)
{
    make_pool();
    futures[0] = NULL;
    MUST(create_group() == WEIR_OK);
}

static void check_group(weir_status status)
{
    MUST(group != NULL || status);
    if (group)
        MUST(weir_group_join(group, WEIR_FOREVER) == WEIR_OK);
    weir_group_destroy(group);
    weir_future_release(futures[0]);
    futures[0] = NULL;
    end_pool();
}

/* What an attempt asks of its task. */
static weir_status asked;
static int ask(weir_task *task, void *item)
{
    (void)item;
    asked = weir_task_cancel_fd(task) < 0 ? WEIR_ESYSTEM : WEIR_OK;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static weir_status ask_in_task(void)
{
    MUST(weir_pool_submit(pool, ask, NULL, WEIR_FOREVER) == WEIR_OK);
    MUST(weir_pool_join(pool, WEIR_FOREVER) == WEIR_OK);
    return asked;
}

/* --------------------------------------------------------------- producers */

static void give_numbers(weir_producer *out)
{
    MUST(weir_producer_array(out, numbers, ITEMS, sizeof(numbers[0])) ==
         WEIR_OK);
}

static void close_source(weir_producer *of)
{
    if (of->close)
        of->close(of->self);
    memset(of, 0, sizeof(*of));
}

/* Takes all there is; an item may hold memory. */
static weir_status drain(void)
{
    static _Alignas(64) unsigned char item[4096];
    weir_status status;

    while ((status = producer.next(producer.self, item)) == WEIR_OK)
        if (producer.release)
            producer.release(producer.self, item);
    return status == WEIR_END ? WEIR_OK : status;
}

static void fresh_producer(void)
{
    producer = (weir_producer)WEIR_PRODUCER_INIT;
    source = (weir_producer)WEIR_PRODUCER_INIT;
    source_2 = (weir_producer)WEIR_PRODUCER_INIT;
}

static void prepare_sources(void)
{
    fresh_producer();
    give_numbers(&source);
    give_numbers(&source_2);
}

static void check_producer(weir_status status)
{
    (void)status;
    close_source(&producer);
}

static weir_status simple_producers(void)
{
    weir_status status = weir_producer_array(&producer, numbers, ITEMS, 8);

    if (!status)
        status = drain();
    close_source(&producer);
    producer = (weir_producer)WEIR_PRODUCER_INIT;
    if (!status)
        status = weir_producer_range(&producer, 3, ITEMS);
    return status ? status : drain();
}

static weir_status end_at_once(void *arg, void *item)
{
    (void)arg;
    (void)item;
    return WEIR_END;
}

static weir_status call_producer(void)
{
    weir_status status = weir_producer_call(&producer, end_at_once, NULL, 8);

    return status ? status : drain();
}

static void prepare_files(void)
{
    fresh_producer();
}

static weir_status files(void)
{
    weir_status status = weir_producer_files(&producer, "/proc/self/attr");

    return status ? status : drain();
}

static void prepare_lines(void)
{
    fresh_producer();
    MUST(pipe(pipe_of) == 0);
    MUST(write(pipe_of[1], "one\ntwo\nthree", 13) == 13);
    close(pipe_of[1]);
}

static weir_status lines(void)
{
    weir_status status = weir_producer_lines(&producer, pipe_of[0], '\n', 100);

    return status ? status : drain();
}

static void check_lines(weir_status status)
{
    check_producer(status);
    close(pipe_of[0]);
}

static void prepare_queue_source(void)
{
    fresh_producer();
    make_queue();
    MUST(weir_queue_put(queue, numbers, WEIR_NOW) == WEIR_OK);
    weir_queue_close(queue);
}

static weir_status queue_source(void)
{
    weir_status status = weir_producer_queue(&producer, queue, 8);

    return status ? status : drain();
}

static void check_queue_source(weir_status status)
{
    check_producer(status);
    weir_queue_destroy(queue);
}

static weir_status batch(void)
{
    weir_status status = weir_producer_batch(&producer, &source, 4, WEIR_MS(1));

    if (status)
        return status;
    source.close = NULL;
    return drain();
}

static weir_status merge(void)
{
    const weir_producer *both[] = {&source, &source_2};
    weir_status status = weir_producer_merge(&producer, both, 2);

    if (status)
        return status;
    source.close = NULL;
    source_2.close = NULL;
    return drain();
}

static void check_sources(weir_status status)
{
    (void)status;
    close_source(&producer);
    close_source(&source);
    close_source(&source_2);
}

/* -------------------------------------------------------------------- flow */

static weir_status run(void)
{
    weir_run_options how = WEIR_RUN_OPTIONS_INIT;
    weir_pool_options options = of_pool();
    const weir_producer *producers[] = {&source};
    weir_status status;

    report = (weir_report)WEIR_REPORT_INIT;
    options.item_size = 0;
    how.producers = producers;
    how.producer_count = 1;
    how.handler = do_nothing;
    how.pool = &options;
    status = weir_run(&how, &report);
    MUST(weir_ledger_balances(&report.ledger));
    MUST(report.ledger.accepted == atomic_load(&settled));
    MUST(report.ledger.accepted == atomic_load(&released));
    if (!status)
        MUST(report.ledger.done == ITEMS);
    return status;
}

static void check_run(weir_status status)
{
    (void)status;
    close_source(&source_2);
}

static weir_status map(void)
{
    return weir_map(pool, do_nothing, numbers, ITEMS, NULL);
}

static void prepare_pool_and_source(void)
{
    prepare_sources();
    make_pool();
}

static weir_status fan_out(void)
{
    weir_fan_options how = WEIR_FAN_OPTIONS_INIT;
    weir_pool *const pools[] = {pool};

    report = (weir_report)WEIR_REPORT_INIT;
    how.producer = &source;
    how.pools = pools;
    how.pool_count = 1;
    how.handler = do_nothing;
    return weir_fan_out(&how, &report);
}

static weir_status open_stream(void)
{
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_status status;
    uint64_t number;

    how.handler = do_nothing;
    how.window = 4;
    how.order = WEIR_IN_ORDER;
    status = weir_stream_open(&stream, pool, &source, &how);
    if (status)
        return status;
    while ((status = weir_stream_next(stream, &number, &outcome,
                                      WEIR_FOREVER)) == WEIR_OK)
        continue;
    weir_stream_close(stream);
    return status == WEIR_END ? WEIR_OK : status;
}

static weir_status open_pipeline(void)
{
    weir_pipeline_options how = WEIR_PIPELINE_OPTIONS_INIT;
    weir_stage first = WEIR_STAGE_INIT, last = WEIR_STAGE_INIT;
    const weir_stage *stages[] = {&first, &last};
    weir_status status;

    first.name = "first";
    first.handler = do_nothing;
    first.item_size = last.item_size = sizeof(uint64_t);
    last.name = "last";
    last.kind = WEIR_STAGE_SERIAL_IN_ORDER;
    last.handler = do_nothing;
    how.stages = stages;
    how.stage_count = 2;
    report = (weir_report)WEIR_REPORT_INIT;
    status = weir_pipeline_open(&pipeline, &source, &how);
    if (status)
        return status;
    status = weir_pipeline_wait(pipeline, &report, WEIR_FOREVER);
    weir_pipeline_destroy(pipeline);
    return status == WEIR_FAILED ? WEIR_OK : status;
}

static void check_opened(weir_status status)
{
    if (status)
        close_source(&source);
    close_source(&source_2);
}

static void check_fan(weir_status status)
{
    check_run(status);
    end_pool();
}

static void check_stream(weir_status status)
{
    check_opened(status);
    end_pool();
}

/* ----------------------------------------------------------------- writing */

static void prepare_writing(void)
{
    weir_pool_options options = of_pool();

    MUST(weir_events_create(&events, NULL) == WEIR_OK);
    options.events = events;
    options.histograms = true;
    MUST(weir_pool_create(&pool, &options) == WEIR_OK);
    MUST(submit() == WEIR_OK);
    make_queue();
    queues[0] = queue;
    fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    MUST(fd >= 0);
}

static void check_written(weir_status status)
{
    (void)status;
    close(fd);
    end_queue();
    end_pool();
    weir_events_destroy(events);
}

static weir_status metrics(void)
{
    return weir_metrics_write(pool, fd);
}

static weir_status metrics_of_pools(void)
{
    const weir_pool *const pools[] = {pool, pool};

    return weir_metrics_write_pools(pools, 2, fd);
}

static weir_status metrics_of_queues(void)
{
    const weir_queue *const these[] = {queue};
    const char *const names[] = {"queue"};

    return weir_metrics_write_queues(these, names, 1, fd);
}

static weir_status trace(void)
{
    return weir_trace_write(events, fd);
}

static weir_status picture(void)
{
    return weir_picture_write(events, fd);
}

/* ---------------------------------------------------------------- the table */

const struct sweep sweep_of_process_start = {"weir_process_start", NULL,
                                             weir_process_start, NULL, false};

const struct sweep sweeps[] = {
    {"weir_pool_create", NULL, create_small_pool, check_created, false},
    {"weir_pool_create (timeouts, retries, scaling)", NULL, create_large_pool,
     check_created, false},
    {"weir_pool_create (plain tasks)", NULL, create_plain_pool, check_plain,
     false},
    {"weir_pool_create (traps)", NULL, create_trapping_pool, check_created,
     false},
    {"weir_pool_create (processes)", NULL, create_process_pool, check_created,
     false},
    {"weir_queue_create", NULL, create_queue, check_queue, false},
    {"weir_semaphore_create weir_rate_create weir_breaker_create "
     "weir_adaptive_create",
     NULL, create_limits, check_limits, false},
    {"weir_events_create", NULL, create_events, check_events, false},
    {"weir_events_attach", make_events_in_memory, attach_events, check_attached,
     false},
    {"weir_queue_poison", make_queue, poison, check_poisoned, false},
    {"weir_queue_item_fd", make_queue, watch_items, check_watched, false},
    {"weir_queue_room_fd", make_queue, watch_room, check_watched, false},
    {"weir_queue_put weir_queue_put_many weir_queue_get weir_queue_get_many "
     "weir_queue_task_done weir_queue_join",
     make_queue, put_and_get, check_watched, true},
    {"weir_pool_submit weir_pool_submit_copy weir_pool_submit_many "
     "weir_pool_join",
     make_pool, submit, check_pool_is_well, true},
    {"weir_pool_submit_task", make_pool, submit_for_future, check_future,
     false},
    {"weir_future_wait_any", make_far_futures, wait_any, check_far_futures,
     false},
    {"weir_future_wait", make_futures, wait_and_cancel, check_futures, true},
    {"weir_pool_resize", make_pool, resize, check_resized, false},
    {"weir_pool_fd", make_pool, watch_pool, check_pool_is_well, false},
    {"weir_pool_stop", make_pool, stop, check_stopped, true},
    {"weir_group_create", make_pool, create_group, check_group, false},
    {"weir_group_submit weir_group_submit_task weir_group_join", make_group,
     submit_to_group, check_group, false},
    {"weir_task_cancel_fd", make_pool, ask_in_task, check_pool_is_well, false},
    {"weir_producer_array weir_producer_range", fresh_producer,
     simple_producers, check_producer, false},
    {"weir_producer_call", fresh_producer, call_producer, check_producer,
     false},
    {"weir_producer_files", prepare_files, files, check_producer, false},
    {"weir_producer_lines", prepare_lines, lines, check_lines, false},
    {"weir_producer_queue", prepare_queue_source, queue_source,
     check_queue_source, false},
    {"weir_producer_batch", prepare_sources, batch, check_sources, false},
    {"weir_producer_merge", prepare_sources, merge, check_sources, false},
    {"weir_run", prepare_sources, run, check_run, false},
    {"weir_map", make_pool, map, check_pool_is_well, false},
    {"weir_fan_out", prepare_pool_and_source, fan_out, check_fan, false},
    {"weir_stream_open weir_stream_next", prepare_pool_and_source, open_stream,
     check_stream, false},
    {"weir_pipeline_open weir_pipeline_wait", prepare_sources, open_pipeline,
     check_opened, false},
    {"weir_metrics_write", prepare_writing, metrics, check_written, false},
    {"weir_metrics_write_pools", prepare_writing, metrics_of_pools,
     check_written, false},
    {"weir_metrics_write_queues", prepare_writing, metrics_of_queues,
     check_written, false},
    {"weir_trace_write", prepare_writing, trace, check_written, false},
    {"weir_picture_write", prepare_writing, picture, check_written, false},
    {NULL, NULL, NULL, NULL, false}};

const struct unswept unswept[] = {
    {"weir_adaptive_enter weir_adaptive_leave weir_breaker_enter "
     "weir_breaker_leave weir_rate_acquire weir_semaphore_acquire "
     "weir_semaphore_release",
     "they count in what create has made, and a waiter is on its own stack"},
    {"weir_adaptive_in_flight weir_adaptive_limit weir_breaker_read "
     "weir_deadline_after weir_deadline_remaining weir_events_read "
     "weir_events_read_source weir_events_skip weir_group_read_ledger "
     "weir_histogram_add weir_histogram_at_most weir_histogram_low_of "
     "weir_histogram_merge weir_histogram_quantile weir_last_error "
     "weir_ledger_balances weir_log_kind_name weir_log_level_name "
     "weir_outcome_name weir_pipeline_read_stats "
     "weir_pool_list weir_pool_pressure weir_pool_read_histogram "
     "weir_pool_read_stats weir_pool_settled weir_queue_capacity "
     "weir_queue_count weir_queue_is_closed weir_queue_read_stats "
     "weir_queue_unfinished weir_rate_available weir_semaphore_available "
     "weir_semaphore_waiting weir_status_name weir_status_text weir_version",
     "they read, into what is the caller's"},
    {"weir_task_attempt weir_task_cancelled weir_task_context "
     "weir_task_current weir_task_deadline weir_task_defer "
     "weir_task_end_series weir_task_fail weir_task_id weir_task_on_cancel "
     "weir_task_overloaded weir_task_raise weir_task_result weir_task_sleep "
     "weir_task_worker",
     "an attempt has its room from before it starts"},
    {"weir_future_cancel weir_group_cancel weir_pipeline_stop "
     "weir_queue_abort weir_queue_close",
     "they tell who is there already"},
    {"weir_adaptive_destroy weir_breaker_destroy weir_events_destroy "
     "weir_future_release weir_group_destroy weir_pipeline_destroy "
     "weir_pool_destroy weir_queue_destroy weir_rate_destroy "
     "weir_semaphore_destroy weir_stream_close",
     "an end has no status"},
    {"weir_log_stderr weir_pool_print", "what cannot be written is left out"},
    {"weir_set_allocator", "it copies two pointers"},
    {NULL, NULL}};
