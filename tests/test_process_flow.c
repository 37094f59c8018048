/* SPDX-License-Identifier: MIT */
/* test_process_flow.c - flow and time over child processes. */
#include <weir.h>

#include <sched.h>
#include <signal.h>
#include <string.h>

#include "children.h"
#include "suite.h"

static weir_producer range;

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

/* ---------------------------------------------------------------------- time
 */

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

int main(void)
{
    const TTest *const all[] = {
        results_cross_in_order,   pointers_are_refused,        a_map_crosses,
        a_stage_may_be_processes, a_fan_may_lead_to_processes, NULL};
    const TTest *const time[] = {a_child_may_end_its_series,
                                 a_delayed_task_crosses, NULL};
    const struct chapter chapters[] = {{"time", time, children_setup,
                                        children_teardown, 0, 0},
                                       {"flow", all, children_setup,
                                        children_teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: flow and time", chapters);
}
