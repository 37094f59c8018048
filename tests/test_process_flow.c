/* SPDX-License-Identifier: MIT */
/* test_process_flow.c - flow and time over child processes. */
#include <weir.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "sources.h"
#include "suite.h"

static weir_producer range;

/* ------------------------------------------------------------------- limits */

static int overloads(weir_task *task, void *item)
{
    if (*(uint64_t *)item == 7)
        raise(SIGKILL);
    weir_task_overloaded(task);
    return 0;
}

/* The signal crosses, and permits of a child that is killed go back. */
START_TEST(limits_hold_what_children_run)
{
    weir_adaptive_options a = WEIR_ADAPTIVE_OPTIONS_INIT;
    weir_semaphore *one;
    weir_adaptive *ten;

    a.kind = WEIR_ADAPTIVE_AIMD;
    a.start = 10;
    ck_assert_int_eq(weir_adaptive_create(&ten, &a), WEIR_OK);
    ck_assert_int_eq(weir_semaphore_create(&one, 1), WEIR_OK);
    options.workers = 2;
    options.item_size = sizeof(uint64_t);
    options.semaphore = one;
    options.adaptive = ten;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    for (uint64_t i = 0; i < 10; i++)
        ck_assert_int_eq(weir_pool_submit_copy(pool, overloads, &i,
                                               WEIR_FOREVER),
                         WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(weir_semaphore_available(one), 1);
    ck_assert_uint_eq(weir_adaptive_in_flight(ten), 0);
    ck_assert_uint_lt(weir_adaptive_limit(ten), 10);
    weir_semaphore_destroy(one);
    weir_adaptive_destroy(ten);
}
END_TEST

/* ------------------------------------------------------------------ streams */

static void open_numbers(uint64_t count)
{
    options.workers = 2;
    options.item_size = sizeof(uint64_t);
    options.max_result = sizeof(uint64_t);
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    ck_assert_int_eq(weir_producer_range(&range, 0, count), WEIR_OK);
}

static int square(weir_task *task, void *item)
{
    uint64_t number = *(uint64_t *)item;

    number *= number;
    return weir_task_result(task, &number, sizeof(number));
}

/* One in five crashes, one fails. */
static int square_or_not(weir_task *task, void *item)
{
    uint64_t number = *(uint64_t *)item;

    if (number % 5 == 1) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer may have its own */
        raise(SIGSEGV);
    }
    if (number % 5 == 2)
        return weir_task_fail(task, 3, "not %d", (int)number);
    return square(task, item);
}

START_TEST(results_cross_in_order)
{
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    weir_stream *stream;
    uint64_t number = 0;

    open_numbers(50);
    how.handler = square_or_not;
    how.window = 8;
    how.order = WEIR_IN_ORDER;
    ck_assert_int_eq(weir_stream_open(&stream, pool, &range, &how), WEIR_OK);
    for (uint64_t i = 0; i < 50; i++) {
        weir_outcome outcome = WEIR_OUTCOME_INIT;

        ck_assert_int_eq(weir_stream_next(stream, &number, &outcome,
                                          WEIR_FOREVER),
                         WEIR_OK);
        ck_assert_uint_eq(number, i);
        if (i % 5 == 1) {
            ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CRASHED);
            ck_assert_int_eq(outcome.code, SIGSEGV);
        } else if (i % 5 == 2) {
            ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_FAILED);
            ck_assert_int_eq(outcome.code, 3);
        } else {
            number *= number;
            ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
            ck_assert_mem_eq(outcome.result, &number, sizeof(number));
        }
    }
    ck_assert_int_eq(weir_stream_next(stream, NULL, NULL, WEIR_FOREVER),
                     WEIR_END);
    weir_stream_close(stream);
}
END_TEST

static int pointed_at(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

START_TEST(pointers_are_refused)
{
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    weir_stream *stream;

    open_numbers(1);
    range.has_pointers = true;
    how.handler = pointed_at;
    how.window = 1;
    ck_assert_int_eq(weir_stream_open(&stream, pool, &range, &how),
                     WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "pointers"));
    range.has_pointers = false;
    how.context = &how;
    ck_assert_int_eq(weir_stream_open(&stream, pool, &range, &how),
                     WEIR_EINVAL);
    range.close(range.self);
}
END_TEST

START_TEST(a_map_crosses)
{
    uint64_t numbers[20], squares[20];

    open_numbers(0);
    range.close(range.self);
    for (uint64_t i = 0; i < 20; i++)
        numbers[i] = i;
    ck_assert_int_eq(weir_map(pool, square, numbers, 20, squares), WEIR_OK);
    for (uint64_t i = 0; i < 20; i++)
        ck_assert_uint_eq(squares[i], i * i);
    ck_assert_int_eq(weir_map(pool, square_or_not, numbers, 20, squares),
                     WEIR_FAILED);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "item 1: crashed"));
}
END_TEST

START_TEST(a_stage_may_be_processes)
{
    weir_pool_options apart = WEIR_POOL_OPTIONS_INIT;
    weir_stage stages[2] = {WEIR_STAGE_INIT, WEIR_STAGE_INIT};
    const weir_stage *in_series[2] = {&stages[0], &stages[1]};
    weir_pipeline_options how = WEIR_PIPELINE_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    weir_pipeline *pipeline;

    open_numbers(50);
    apart.isolation = WEIR_ISOLATE_PROCESS;
    apart.workers = 2;
    stages[0].name = "square";
    stages[0].handler = square_or_not;
    stages[0].pool = &apart;
    stages[1].name = "again";
    stages[1].handler = square;
    stages[1].item_size = sizeof(uint64_t);
    how.stages = in_series;
    how.stage_count = 2;
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &range, &how), WEIR_OK);
    ck_assert_int_eq(weir_pipeline_wait(pipeline, &report, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(report.ledger.crashed, 10);
    ck_assert_uint_eq(report.ledger.failed, 10);
    ck_assert_uint_eq(report.ledger.done, 30);
    ck_assert(weir_ledger_balances(&report.ledger));
    weir_pipeline_destroy(pipeline);
}
END_TEST

START_TEST(a_fan_may_lead_to_processes)
{
    weir_fan_options how = WEIR_FAN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;

    open_numbers(30);
    how.producer = &range;
    how.pools = &pool;
    how.pool_count = 1;
    how.handler = square_or_not;
    ck_assert_int_eq(weir_fan_out(&how, &report), WEIR_OK);
    ck_assert_uint_eq(report.ledger.crashed, 6);
    ck_assert_uint_eq(report.ledger.done, 18);
}
END_TEST

/* -------------------------------------------------------- several at a time */

enum { BATCH = 7, EIGHT_BATCHES = 8 * BATCH };

/* By its first number: the second of four crashes, the third fails, and the
 * eighth never ends. */
static int sum_of_batch(weir_task *task, void *item)
{
    weir_batch *batch = item;
    int first = *(int *)weir_batch_item(batch, 0), sum = 0;

    for (size_t i = 0; i < batch->count; i++)
        sum += *(int *)weir_batch_item(batch, i);
    if (first / BATCH % 4 == 1) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    if (first / BATCH % 4 == 2)
        return weir_task_fail(task, 3, "not from %d", first);
    while (first == 7 * BATCH)
        sched_yield();
    return weir_task_result(task, &sum, sizeof(sum));
}

static int square_of_merged(weir_task *task, void *item)
{
    int number; /* 4 bytes behind it are not ours */

    memcpy(&number, item, sizeof(number));
    number *= number;
    return weir_task_result(task, &number, sizeof(number));
}

static weir_stream *
stream_into_children(const weir_producer *producer, weir_handler *handler)
{
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    weir_stream *stream;

    options.workers = 2;
    options.item_size = producer->item_size;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    how.handler = handler;
    how.window = 8;
    how.order = WEIR_IN_ORDER;
    ck_assert_int_eq(weir_stream_open(&stream, pool, producer, &how), WEIR_OK);
    return stream;
}

/* What becomes of a batch becomes of each of its items; one that is killed has
 * let go of them. */
START_TEST(batches_cross)
{
    const weir_outcome_kind kinds[] = {
        WEIR_OUTCOME_DONE,   WEIR_OUTCOME_CRASHED,  WEIR_OUTCOME_FAILED,
        WEIR_OUTCOME_DONE,   WEIR_OUTCOME_DONE,     WEIR_OUTCOME_CRASHED,
        WEIR_OUTCOME_FAILED, WEIR_OUTCOME_TIMED_OUT};
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_producer batches;
    weir_stream *stream;
    struct source *source;

    sources_reset();
    source = new_source(0, EIGHT_BATCHES);
    ck_assert_int_eq(weir_producer_batch(&batches, &source->producer, BATCH,
                                         INT64_MAX),
                     WEIR_OK);
    options.timeout_ns = WEIR_MS(500) * test_slowness();
    stream = stream_into_children(&batches, sum_of_batch);
    for (int i = 0; i < 8; i++) {
        int sum = BATCH * (BATCH * i + BATCH / 2);

        ck_assert_int_eq(weir_stream_next(stream, NULL, &outcome, WEIR_FOREVER),
                         WEIR_OK);
        ck_assert_str_eq(weir_outcome_name(outcome.kind),
                         weir_outcome_name(kinds[i]));
        if (outcome.kind == WEIR_OUTCOME_DONE)
            ck_assert_mem_eq(outcome.result, &sum, sizeof(sum));
    }
    ck_assert_int_eq(weir_stream_next(stream, NULL, NULL, WEIR_FOREVER),
                     WEIR_END);
    weir_stream_close(stream);
    end_children();
    assert_all_returned(source);
    ck_assert_int_eq(source->ended_as[WEIR_OUTCOME_DONE], 3 * BATCH);
    ck_assert_int_eq(source->ended_as[WEIR_OUTCOME_CRASHED], 2 * BATCH);
    ck_assert_int_eq(source->ended_as[WEIR_OUTCOME_FAILED], 2 * BATCH);
    ck_assert_int_eq(source->ended_as[WEIR_OUTCOME_TIMED_OUT], BATCH);
}
END_TEST

START_TEST(merged_items_cross_and_go_back_to_their_sources)
{
    const weir_producer *const both[] = {&sources[0].producer,
                                         &sources[1].producer};
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_producer merged;
    weir_stream *stream;
    int number[2];

    sources_reset();
    new_source(0, 20);
    new_source(1000, 20);
    ck_assert_int_eq(weir_producer_merge(&merged, both, 2), WEIR_OK);
    stream = stream_into_children(&merged, square_of_merged);
    while (weir_stream_next(stream, number, &outcome, WEIR_FOREVER) ==
           WEIR_OK) {
        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
        number[0] *= number[0];
        ck_assert_mem_eq(outcome.result, &number[0], sizeof(number[0]));
    }
    weir_stream_close(stream);
    end_children();
    for (int i = 0; i < 2; i++) {
        assert_all_returned(&sources[i]);
        ck_assert_int_eq(sources[i].ended_as[WEIR_OUTCOME_DONE], 20);
    }
}
END_TEST

START_TEST(batches_of_pointers_are_refused)
{
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    weir_producer batches;
    weir_stream *stream;

    sources_reset();
    new_source(0, 1)->producer.has_pointers = true;
    ck_assert_int_eq(weir_producer_batch(&batches, &sources[0].producer, BATCH,
                                         INT64_MAX),
                     WEIR_OK);
    options.item_size = batches.item_size;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    how.handler = sum_of_batch;
    how.window = 1;
    ck_assert_int_eq(weir_stream_open(&stream, pool, &batches, &how),
                     WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "pointers"));
    batches.close(batches.self);
    assert_all_returned(&sources[0]);
}
END_TEST

/* --------------------------------------------------------------------- time */

static int act_third_is_last(weir_task *task, struct deed *deed)
{
    (void)deed;
    if (atomic_fetch_add(&board->count, 1) == 2)
        weir_task_end_series(task);
    return 0;
}

START_TEST(a_child_may_end_its_series)
{
    struct deed deed = {.act = act_third_is_last};
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    open_children();
    spec.handler = do_deed;
    spec.item = &deed;
    spec.copy = true;
    spec.every_ns = WEIR_MS(2);
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
    while (stats.ledger.done < 3) {
        sched_yield();
        weir_pool_read_stats(pool, &stats);
    }
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(atomic_load(&board->count), 3);
    ck_assert_uint_eq(stats.ledger.accepted, 3);
}
END_TEST

START_TEST(a_delayed_task_crosses)
{
    struct deed deed = {.act = act_nothing};
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_future *future;

    open_children();
    spec.handler = do_deed;
    spec.item = &deed;
    spec.copy = true;
    spec.not_before = weir_deadline_after(WEIR_MS(5));
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_OK);
    outcome = outcome_of(future);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(weir_deadline_remaining(spec.not_before), 0);
}
END_TEST

/* -------------------------------------------------------------------- log */

static int act_crash_or_exit(weir_task *task, struct deed *deed)
{
    (void)task;
    if (deed->n == 0)
        abort();
    _exit((int)deed->n);
}

/* By the notifier; read when a join is back. */
static weir_log_record logged[4];
static size_t logged_count;

static void log_it(void *arg, const weir_log_record *record)
{
    (void)arg;
    ck_assert_uint_lt(logged_count, 4);
    logged[logged_count++] = *record;
}

START_TEST(what_becomes_of_children_is_logged)
{
    options.on_log = log_it;
    open_children();
    assert_kind((struct deed){.act = act_crash_or_exit}, WEIR_OUTCOME_CRASHED,
                SIGABRT);
    assert_kind((struct deed){.act = act_crash_or_exit, .n = 3},
                WEIR_OUTCOME_EXITED, 3);
    assert_serves();
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(logged_count, 2);
    ck_assert_int_eq(logged[0].kind, WEIR_LOG_CRASHED);
    ck_assert_int_eq(logged[0].code, SIGABRT);
    ck_assert_int_eq(logged[1].kind, WEIR_LOG_EXITED);
    ck_assert_int_eq(logged[1].code, 3);
}
END_TEST

START_TEST(and_that_there_will_be_none_any_more)
{
    size_t told = 0;

    options.on_log = log_it;
    open_children();
    assert_serves();
    kill(atomic_load(&board->server), SIGKILL);
    await_gone(atomic_load(&board->child));
    for (int i = 0; i < 3; i++) {
        weir_status status =
            weir_pool_submit_copy(pool, do_deed,
                                  &(struct deed){.act = act_nothing}, WEIR_NOW);

        ck_assert(status == WEIR_OK || status == WEIR_ESYSTEM);
        ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    }
    for (size_t i = 0; i < logged_count; i++)
        told += logged[i].kind == WEIR_LOG_NO_SERVER &&
                logged[i].level == WEIR_LOG_ERROR;
    ck_assert_uint_eq(told, 1);
}
END_TEST

int main(void)
{
    const TTest *const all[] = {
        results_cross_in_order,   pointers_are_refused,        a_map_crosses,
        a_stage_may_be_processes, a_fan_may_lead_to_processes, NULL};
    const TTest *const several[] = {
        batches_cross, merged_items_cross_and_go_back_to_their_sources,
        batches_of_pointers_are_refused, NULL};
    const TTest *const log[] = {what_becomes_of_children_is_logged,
                                and_that_there_will_be_none_any_more, NULL};
    const TTest *const limits[] = {limits_hold_what_children_run, NULL};
    const TTest *const time[] = {a_child_may_end_its_series,
                                 a_delayed_task_crosses, NULL};
    const struct chapter chapters[] = {
        {"time", time, children_setup, children_teardown, 0, 0},
        {"log", log, children_setup, children_teardown, 0, 0},
        {"limits", limits, children_setup, children_teardown, 0, 0},
        {"several", several, children_setup, children_teardown, 0, 0},
        {"flow", all, children_setup, children_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: flow and time", chapters);
}
