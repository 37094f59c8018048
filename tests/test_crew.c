/* SPDX-License-Identifier: MIT */
/* test_crew.c - pipelines of which nobody hears: one crew for all stages. */
#include <weir/pipeline.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "helper.h"
#include "suite.h"

enum { STAGES = 3, AT_HAND = 0, FED = 1, SOURCES = 2 };

struct parcel {
    uint64_t number;
    pthread_t first; /* who had it at the first stage */
};

static weir_stage stages[STAGES];
static const weir_stage *const in_series[STAGES] = {&stages[0], &stages[1],
                                                    &stages[2]};
static weir_pool_options pools[STAGES];
static weir_pipeline_options options;
static weir_pipeline *pipeline;
static weir_producer numbers;

/* A source that is not at hand: the same numbers. */
static struct {
    uint64_t count, got;
    weir_status end;
    bool blocks;
    struct gate interrupted;
    struct tally at_end, closed;
    atomic_bool is_inside;
    pthread_t thread;
} source;

static struct tally begun[STAGES], carried;
static atomic_uint inside[STAGES], most_inside[STAGES];
static struct gate may_finish;
static struct {
    pthread_mutex_t lock;
    uint64_t count, sum;
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ------------------------------------------------------------------- source */

static weir_status give(void *self, void *item)
{
    (void)self;
    ck_assert(!atomic_exchange(&source.is_inside, true));
    if (source.got == 0)
        source.thread = pthread_self();
    ck_assert(pthread_equal(source.thread, pthread_self()));
    atomic_store(&source.is_inside, false);
    if (gate_is_open(&source.interrupted))
        return WEIR_CANCELLED;
    if (source.got < source.count) {
        uint64_t number = ++source.got;

        memcpy(item, &number, sizeof(number));
        return WEIR_OK;
    }
    tally_add(&source.at_end, 1);
    if (source.blocks) {
        gate_wait(&source.interrupted);
        return WEIR_CANCELLED;
    }
    errno = EIO;
    return source.end ? source.end : WEIR_END;
}

static void interrupt(void *self)
{
    (void)self;
    gate_open(&source.interrupted);
}

static void close_source(void *self)
{
    (void)self;
    tally_add(&source.closed, 1);
}

/* ----------------------------------------------------------------- handlers */

static void enter(int stage)
{
    unsigned now = atomic_fetch_add(&inside[stage], 1) + 1;
    unsigned most = atomic_load(&most_inside[stage]);

    tally_add(&begun[stage], 1);
    while (now > most &&
           !atomic_compare_exchange_weak(&most_inside[stage], &most, now))
        ;
}

static void leave(int stage)
{
    atomic_fetch_sub(&inside[stage], 1);
}

static int pack(weir_task *task, void *item)
{
    struct parcel parcel = {.first = pthread_self()};
    int answer;

    enter(0);
    memcpy(&parcel.number, item, sizeof(parcel.number));
    answer = weir_task_result(task, &parcel, sizeof(parcel));
    leave(0);
    return answer;
}

static int pass(weir_task *task, void *item)
{
    int answer;

    enter(1);
    answer = weir_task_result(task, item, sizeof(struct parcel));
    leave(1);
    return answer;
}

static int (*instead)(weir_task *task, void *item); /* of pass, for some */

static int pass_or(weir_task *task, void *item)
{
    return ((struct parcel *)item)->number % 2 ? instead(task, item)
                                               : pass(task, item);
}

static int unpack(weir_task *task, void *item)
{
    const struct parcel *parcel = item;

    (void)task;
    enter(2);
    if (pthread_equal(parcel->first, pthread_self()))
        tally_add(&carried, 1);
    pthread_mutex_lock(&last.lock);
    last.count++;
    last.sum += parcel->number;
    pthread_mutex_unlock(&last.lock);
    leave(2);
    return 0;
}

static int unpack_late(weir_task *task, void *item)
{
    enter(2);
    gate_wait(&may_finish);
    leave(2);
    tally_add(&begun[2], (uint64_t)-1);
    return unpack(task, item);
}

/* ----------------------------------------------------------------- fixtures */

static void setup(void)
{
    static const struct tally none = TALLY_INIT;
    static const struct gate shut = GATE_INIT;
    static weir_handler *const handlers[STAGES] = {pack, pass, unpack};
    static const char *const names[STAGES] = {"pack", "pass", "unpack"};

    memset(&source, 0, sizeof(source));
    source.interrupted = may_finish = shut;
    source.at_end = source.closed = carried = none;
    last.count = last.sum = 0;
    for (int i = 0; i < STAGES; i++) {
        begun[i] = none;
        atomic_store(&inside[i], 0);
        atomic_store(&most_inside[i], 0);
        pools[i] = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
        pools[i].workers = i == 1 ? 3 : 1;
        stages[i] = (weir_stage)WEIR_STAGE_INIT;
        stages[i].name = names[i];
        stages[i].handler = handlers[i];
        stages[i].item_size = i ? sizeof(struct parcel) : 0;
        stages[i].pool = &pools[i];
    }
    options = (weir_pipeline_options)WEIR_PIPELINE_OPTIONS_INIT;
    options.stages = in_series;
    options.stage_count = STAGES;
    pipeline = NULL;
}

static void make_source(int kind, uint64_t count)
{
    source.count = count;
    if (kind == AT_HAND) {
        ck_assert_int_eq(weir_producer_range(&numbers, 1, count), WEIR_OK);
        return;
    }
    numbers = (weir_producer)WEIR_PRODUCER_INIT;
    numbers.item_size = sizeof(uint64_t);
    numbers.next = give;
    numbers.interrupt = interrupt;
    numbers.close = close_source;
}

static void open_pipeline(int kind, uint64_t count)
{
    make_source(kind, count);
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &numbers, &options),
                     WEIR_OK);
}

static weir_report wait_for_end(weir_status expected)
{
    weir_report report = WEIR_REPORT_INIT;
    weir_status status =
        weir_pipeline_wait(pipeline, &report,
                           weir_deadline_after((int64_t)test_slowness() *
                                               WEIR_SECONDS(20)));

    ck_assert_str_eq(weir_status_name(status), weir_status_name(expected));
    ck_assert(weir_ledger_balances(&report.ledger));
    ck_assert_uint_eq(report.ledger.queued + report.ledger.running, 0);
    return report;
}

static weir_stage_stats stats_of(size_t stage)
{
    weir_stage_stats stats = WEIR_STAGE_STATS_INIT;

    ck_assert_int_eq(weir_pipeline_read_stats(pipeline, stage, &stats),
                     WEIR_OK);
    ck_assert_uint_le(stats.held, stats.most);
    ck_assert(weir_ledger_balances(&stats.ledger));
    return stats;
}

static void teardown(void)
{
    gate_open(&may_finish);
    weir_pipeline_destroy(pipeline);
}

/* ------------------------------------------------------------------ passing */

START_TEST(every_item_passes_all_stages)
{
    enum { ITEMS = 5000 };
    weir_report report;

    open_pipeline(_i, ITEMS);
    report = wait_for_end(WEIR_OK);
    ck_assert_uint_eq(report.ledger.accepted, ITEMS);
    ck_assert_uint_eq(report.ledger.done, ITEMS);
    ck_assert_uint_eq(report.ledger.attempts, 3 * ITEMS);
    ck_assert_uint_eq(last.count, ITEMS);
    ck_assert_uint_eq(last.sum, (uint64_t)ITEMS * (ITEMS + 1) / 2);
    for (size_t i = 0; i < STAGES; i++) {
        ck_assert_uint_eq(stats_of(i).ledger.done, ITEMS);
        ck_assert_uint_eq(stats_of(i).held, 0);
    }
    ck_assert_uint_gt(tally_read(&carried), 0);
}
END_TEST

START_TEST(an_empty_source_ends_it)
{
    open_pipeline(_i, 0);
    ck_assert_uint_eq(wait_for_end(WEIR_OK).ledger.accepted, 0);
}
END_TEST

static int pass_alone(weir_task *task, void *item)
{
    enter(1);
    sched_yield();
    leave(1);
    tally_add(&begun[1], (uint64_t)-1);
    return pass(task, item);
}

START_TEST(a_serial_stage_has_one_at_a_time)
{
    stages[1].kind = WEIR_STAGE_SERIAL;
    stages[1].handler = pass_alone;
    pools[0].workers = 3;
    pools[1].workers = 0;
    open_pipeline(_i, 1000);
    wait_for_end(WEIR_OK);
    ck_assert_uint_eq(atomic_load(&most_inside[1]), 1);
}
END_TEST

static atomic_uint busy[3];

/* All three are there at once, each with a number of its own. */
static int meet(weir_task *task, void *item)
{
    uint32_t worker = weir_task_worker(task);

    ck_assert_uint_lt(worker, 3);
    ck_assert_uint_eq(atomic_fetch_add(&busy[worker], 1), 0);
    ck_assert_ptr_eq(weir_task_context(task), &busy);
    ck_assert_uint_eq(weir_task_attempt(task), 1);
    enter(1);
    await_count(&begun[1], 3);
    leave(1);
    atomic_fetch_sub(&busy[worker], 1);
    return weir_task_result(task, item, sizeof(struct parcel));
}

START_TEST(a_stage_has_all_its_workers_and_no_more)
{
    stages[1].handler = meet;
    pools[1].context = &busy;
    open_pipeline(_i, 30);
    wait_for_end(WEIR_OK);
    ck_assert_uint_eq(atomic_load(&most_inside[1]), 3);
}
END_TEST

static int pass_when_two_more_came(weir_task *task, void *item)
{
    const struct parcel *parcel = item;

    if (parcel->number == 500)
        await_count(&begun[0], 502);
    return pass(task, item);
}

/* It has come back at once so often that nobody is woken before it is called;
 * then it waits for what nobody but another thread can bring. */
START_TEST(a_quick_handler_may_block_all_the_same)
{
    stages[1].handler = pass_when_two_more_came;
    open_pipeline(_i, 1000);
    ck_assert_uint_eq(wait_for_end(WEIR_OK).ledger.done, 1000);
}
END_TEST

static void note_cleanup(void *arg)
{
    tally_add(arg, 1);
}

static int pass_with_cleanup(weir_task *task, void *item)
{
    ck_assert_int_eq(weir_task_defer(task, note_cleanup, &begun[1]), WEIR_OK);
    return weir_task_result(task, item, sizeof(struct parcel));
}

static int unpack_after_cleanup(weir_task *task, void *item)
{
    ck_assert_uint_ge(tally_read(&begun[1]),
                      ((const struct parcel *)item)->number);
    return unpack(task, item);
}

START_TEST(clean_ups_run_before_the_next_stage)
{
    stages[1].handler = pass_with_cleanup;
    stages[1].kind = WEIR_STAGE_SERIAL;
    pools[1].workers = 1;
    stages[2].handler = unpack_after_cleanup;
    open_pipeline(_i, 200);
    wait_for_end(WEIR_OK);
    ck_assert_uint_eq(tally_read(&begun[1]), 200);
}
END_TEST

/* ------------------------------------------------------------------ leaving */

static int give_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static int give_too_little(weir_task *task, void *item)
{
    return weir_task_result(task, item, 3);
}

static int give_too_much(weir_task *task, void *item)
{
    static const char much[256];
    weir_status status = weir_task_result(task, much, sizeof(much));

    (void)item;
    ck_assert_int_ne(status, WEIR_OK);
    return (int)status;
}

static int fail_odd(weir_task *task, void *item)
{
    const struct parcel *parcel = item;

    return weir_task_fail(task, 9, "%llu is odd",
                          (unsigned long long)parcel->number);
}

static int raise_odd(weir_task *task, void *item)
{
    (void)item;
    weir_task_raise(task, 8, "raised");
}

static int exit_thread(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    pthread_exit(NULL);
}

static weir_report half_leave(weir_outcome_kind kind)
{
    weir_report report;
    weir_ledger expected = {0};

    stages[1].handler = pass_or;
    open_pipeline(AT_HAND, 200);
    report = wait_for_end(WEIR_OK);
    ck_assert_uint_eq(last.count, 100);
    if (kind == WEIR_OUTCOME_FAILED)
        expected.failed = 100;
    if (kind == WEIR_OUTCOME_EXITED)
        expected.exited = 100;
    ck_assert_uint_eq(report.ledger.failed, expected.failed);
    ck_assert_uint_eq(report.ledger.exited, expected.exited);
    ck_assert_uint_eq(report.ledger.accepted, 200);
    return report;
}

static void first_is(const weir_report *report, const char *words)
{
    ck_assert_msg(strstr(report->first_failure, words), "'%s' is not in '%s'",
                  words, report->first_failure);
}

START_TEST(without_a_result_an_item_ends_there)
{
    instead = give_nothing;
    ck_assert_uint_eq(half_leave(WEIR_OUTCOME_DONE).ledger.done, 200);
}
END_TEST

START_TEST(a_result_of_the_wrong_size_has_failed)
{
    weir_report report;

    instead = give_too_little;
    report = half_leave(WEIR_OUTCOME_FAILED);
    first_is(&report, "stage pass: failed: its result has 3 bytes, but items "
                      "of stage unpack have 16");
}
END_TEST

START_TEST(a_result_that_is_too_large_is_refused)
{
    instead = give_too_much;
    half_leave(WEIR_OUTCOME_FAILED);
}
END_TEST

START_TEST(a_failure_leaves_where_it_failed)
{
    weir_report report;

    instead = _i ? raise_odd : fail_odd;
    report = half_leave(WEIR_OUTCOME_FAILED);
    first_is(&report, _i ? "stage pass: failed, code 8: raised"
                         : "stage pass: failed, code 9: ");
    ck_assert_uint_eq(stats_of(1).ledger.failed, 100);
    ck_assert_uint_eq(stats_of(2).ledger.accepted, 100);
}
END_TEST

START_TEST(a_thread_that_ends_is_replaced)
{
    weir_report report;

    instead = exit_thread;
    report = half_leave(WEIR_OUTCOME_EXITED);
    first_is(&report, "stage pass: exited");
    ck_assert_uint_eq(stats_of(1).ledger.exited, 100);
}
END_TEST

/* ----------------------------------------------------------------- pressure */

START_TEST(a_slow_last_stage_stops_the_first)
{
    static const size_t most[STAGES] = {3, 5, 6}; /* capacity and workers */

    for (int i = 0; i < STAGES; i++) {
        pools[i].queue_capacity = (size_t)i + 2;
        pools[i].workers = i == 0 ? 1 : 2;
    }
    stages[2].handler = unpack_late;
    open_pipeline(_i, 1000);
    for (size_t i = STAGES; i-- > 0;)
        while (stats_of(i).held < most[i])
            sched_yield();
    for (int again = 0; again < 1000; again++) {
        sched_yield();
        ck_assert_uint_le(stats_of(0).ledger.accepted, 3 + 5 + 6);
    }
    ck_assert_uint_eq(tally_read(&begun[2]), 2);
    ck_assert_uint_le(tally_read(&begun[1]), 5 + 6);
    gate_open(&may_finish);
    wait_for_end(WEIR_OK);
    ck_assert_uint_eq(last.count, 1000);
}
END_TEST

/* --------------------------------------------------------------- early ends */

START_TEST(a_failed_source_ends_it_and_what_it_gave_is_done)
{
    weir_report report;

    source.end = WEIR_ESYSTEM;
    open_pipeline(FED, 50);
    report = wait_for_end(WEIR_ESYSTEM);
    ck_assert_uint_eq(report.ledger.done, 50);
    ck_assert_int_eq(errno, EIO);
}
END_TEST

START_TEST(a_stop_cancels_what_waits)
{
    weir_report report;

    stages[2].handler = unpack_late;
    open_pipeline(_i, 1000);
    await_count(&begun[1], 60);
    await_count(&begun[2], 1);
    weir_pipeline_stop(pipeline);
    ck_assert_int_eq(weir_pipeline_wait(pipeline, NULL, WEIR_NOW),
                     WEIR_TIMED_OUT);
    gate_open(&may_finish);
    report = wait_for_end(WEIR_CANCELLED);
    ck_assert_uint_ge(report.ledger.cancelled, 59);
    ck_assert_uint_eq(report.ledger.done, 1);
    weir_pipeline_stop(pipeline);
}
END_TEST

static int pass_late(weir_task *task, void *item)
{
    enter(1);
    gate_wait(&may_finish);
    leave(1);
    return weir_task_result(task, item, sizeof(struct parcel));
}

START_TEST(what_runs_as_it_is_stopped_ends_before_the_next_stage)
{
    weir_report report;

    stages[1].handler = pass_late;
    pools[1].workers = 1;
    open_pipeline(_i, 100);
    await_count(&begun[1], 1);
    weir_pipeline_stop(pipeline);
    gate_open(&may_finish);
    report = wait_for_end(WEIR_CANCELLED);
    ck_assert_uint_eq(report.ledger.cancelled, report.ledger.accepted);
    ck_assert_uint_eq(last.count, 0);
    ck_assert_uint_eq(stats_of(1).ledger.done, 1);
}
END_TEST

START_TEST(a_stop_interrupts_the_source)
{
    source.blocks = true;
    open_pipeline(FED, 5);
    await_count(&begun[2], 5);
    await_count(&source.at_end, 1);
    weir_pipeline_stop(pipeline);
    wait_for_end(WEIR_CANCELLED);
    weir_pipeline_destroy(pipeline);
    pipeline = NULL;
    await_count(&source.closed, 1);
}
END_TEST

START_TEST(a_destroy_does_not_wait_for_handlers)
{
    stages[2].handler = unpack_late;
    open_pipeline(FED, 1000);
    await_count(&begun[2], 1);
    weir_pipeline_destroy(pipeline);
    pipeline = NULL;
    ck_assert_uint_eq(tally_read(&source.closed), 0); /* it is still at it */
    gate_open(&may_finish);
    await_count(&source.closed, 1);
}
END_TEST

static int sleep_for_long(weir_task *task, void *item)
{
    (void)item;
    enter(1);
    ck_assert_int_eq(weir_task_sleep(task, WEIR_SECONDS(1000)), WEIR_CANCELLED);
    leave(1);
    tally_add(&carried, 1);
    return 0;
}

START_TEST(a_destroy_asks_handlers_to_stop)
{
    stages[1].handler = sleep_for_long;
    open_pipeline(_i, 100);
    await_count(&begun[1], 3);
    weir_pipeline_destroy(pipeline);
    pipeline = NULL;
    await_count(&carried, 3);
}
END_TEST

START_TEST(a_destroy_comes_at_any_moment)
{
    open_pipeline(_i % 2, 3000);
    if (_i > 4)
        await_count(&begun[2], (uint64_t)_i * 20);
}
END_TEST

static int wait_inside(weir_task *task, void *item)
{
    gate_wait(&may_finish); /* it is open, and known */
    ck_assert_int_eq(weir_pipeline_wait(pipeline, NULL, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    return pass(task, item);
}

START_TEST(its_own_handlers_cannot_wait_for_it)
{
    stages[1].handler = wait_inside;
    open_pipeline(_i, 20);
    gate_open(&may_finish);
    wait_for_end(WEIR_OK);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

START_TEST(what_a_pool_refuses_is_refused)
{
    make_source(FED, 5);
    pools[1].queue_capacity = (size_t)1 << 25;
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &numbers, &options),
                     WEIR_EINVAL);
    ck_assert_ptr_nonnull(
        strstr(weir_last_error(), "stage pass: pool.queue_capacity"));
    pools[1].queue_capacity = 0;
    pools[1].workers = 65537;
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &numbers, &options),
                     WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "stage pass: workers"));
    pools[1].workers = 65536;
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &numbers, &options),
                     WEIR_EINVAL);
    ck_assert_ptr_nonnull(
        strstr(weir_last_error(), "stage pass: pool.workers"));
    ck_assert_ptr_null(pipeline);
    ck_assert_uint_eq(source.got + tally_read(&source.closed), 0);
}
END_TEST

static weir_status try_to_open(void *arg)
{
    weir_status status = weir_pipeline_open(&pipeline, &numbers, &options);

    (void)arg;
    if (status) {
        ck_assert_ptr_null(pipeline);
        ck_assert_uint_eq(source.got + tally_read(&source.closed), 0);
    }
    return status == WEIR_ESYSTEM ? WEIR_ENOMEM : status; /* a thread */
}

START_TEST(each_failure_of_open_is_answered)
{
    make_source(_i, 3);
    ck_assert_uint_ge(fault_sweep(try_to_open, NULL, WEIR_ENOMEM), 10);
    ck_assert_uint_eq(wait_for_end(WEIR_OK).ledger.done, 3);
}
END_TEST

int main(void)
{
    const TTest *const passing[] = {every_item_passes_all_stages,
                                    an_empty_source_ends_it,
                                    a_serial_stage_has_one_at_a_time,
                                    a_stage_has_all_its_workers_and_no_more,
                                    a_quick_handler_may_block_all_the_same,
                                    clean_ups_run_before_the_next_stage,
                                    a_slow_last_stage_stops_the_first,
                                    NULL};
    const TTest *const leaving[] = {without_a_result_an_item_ends_there,
                                    a_result_of_the_wrong_size_has_failed,
                                    a_result_that_is_too_large_is_refused,
                                    a_failure_leaves_where_it_failed,
                                    a_thread_that_ends_is_replaced,
                                    NULL};
    const TTest *const ends[] = {
        a_failed_source_ends_it_and_what_it_gave_is_done,
        a_stop_cancels_what_waits,
        what_runs_as_it_is_stopped_ends_before_the_next_stage,
        a_stop_interrupts_the_source,
        a_destroy_does_not_wait_for_handlers,
        a_destroy_asks_handlers_to_stop,
        its_own_handlers_cannot_wait_for_it,
        NULL};
    const TTest *const often[] = {a_destroy_comes_at_any_moment, NULL};
    const TTest *const refusals[] = {each_failure_of_open_is_answered, NULL};
    const TTest *const refused[] = {what_a_pool_refuses_is_refused, NULL};
    const struct chapter chapters[] = {
        {"passing", passing, setup, teardown, SOURCES, 0},
        {"leaving", leaving, setup, teardown, 2, 0},
        {"early ends", ends, setup, teardown, SOURCES, 0},
        {"destroyed at any moment", often, setup, teardown, 40, 0},
        {"failures", refusals, setup, teardown, SOURCES, 0},
        {"refusals", refused, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("crew", chapters);
}
