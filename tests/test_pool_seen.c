/* SPDX-License-Identifier: MIT */
/*
 * test_pool_seen.c - what a pool tells those who look on: its events.
 *
 * Whatever a test does, at the end each task that was accepted has been told
 * of: once as submitted, settled and released, and each attempt once as begun
 * and once as ended, in this order.
 */
#include <weir/pool.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crashes.h"
#include "faults.h"
#include "observe/events.h"
#include "pools.h"
#include "suite.h"

enum { ROOM = 8192 };

static weir_events *events;
static weir_event told[ROOM];
static size_t told_count;
static weir_events_cursor cursor;

static void setup(void)
{
    weir_events_options ring = WEIR_EVENTS_OPTIONS_INIT;

    pool_setup();
    ring.records = ROOM;
    ring.lanes = 2;
    ck_assert_int_eq(weir_events_create(&events, &ring), WEIR_OK);
    cursor = (weir_events_cursor)WEIR_EVENTS_CURSOR_INIT;
    options.events = events;
}

/* Of plain tasks nobody hears but the ledger, and who looks on. */
static void plain_setup(void)
{
    setup();
    options.on_settled = NULL;
    options.on_release = NULL;
}

/* ----------------------------------------------------------------- checking */

/* What has been told of a task so far. */
struct course {
    int submits, starts, ends, settles, releases;
};

static void follow(struct course *c, const weir_event *e)
{
    c->submits += e->kind == WEIR_EVENT_SUBMIT;
    c->starts += e->kind == WEIR_EVENT_START;
    c->ends += e->kind == WEIR_EVENT_END || (e->flags & WEIR_EVENT_ENDED);
    c->settles += e->kind == WEIR_EVENT_SETTLE;
    c->releases +=
        e->kind == WEIR_EVENT_RELEASE || (e->flags & WEIR_EVENT_RELEASED);
    ck_assert_int_eq(c->submits, 1);
    ck_assert_int_le(c->ends, c->starts);
    ck_assert_int_le(c->starts, c->ends + 1);
    ck_assert_int_le(c->settles, 1);
    ck_assert_int_le(c->releases, c->settles);
    if (c->releases)
        ck_assert_int_eq(c->ends, c->starts);
    if (e->kind == WEIR_EVENT_START)
        ck_assert_uint_eq(e->attempt, (unsigned)c->starts);
}

/* Of one moment: the test clock stands still, and which of two lanes is read
 * first does not say what came first. */
static int64_t rank_of(const weir_event *e)
{
    int64_t attempt = (int64_t)e->attempt * 3;

    switch (e->kind) {
    case WEIR_EVENT_SUBMIT:
        return -1;
    case WEIR_EVENT_START:
        return attempt;
    case WEIR_EVENT_SETTLE:
    case WEIR_EVENT_RETRY:
    case WEIR_EVENT_END:
        return attempt + 2;
    case WEIR_EVENT_RELEASE:
        return INT64_MAX;
    default:
        return attempt + 1;
    }
}

static int by_course(const void *one, const void *other)
{
    const weir_event *a = one, *b = other;

    if (a->task != b->task)
        return a->task < b->task ? -1 : 1;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    return rank_of(a) < rank_of(b) ? -1 : rank_of(a) > rank_of(b);
}

static bool is_of_a_task(const weir_event *e)
{
    return e->task > 0 && e->kind != WEIR_EVENT_BLOCKED &&
           e->kind != WEIR_EVENT_UNBLOCKED;
}

static void assert_told_of_all(const weir_ledger *ledger)
{
    static struct course courses[ROOM];
    uint64_t starts = 0, tasks = 0;

    memset(courses, 0, sizeof(courses));
    for (size_t i = 0; i < told_count; i++) {
        if (i > 0)
            ck_assert_int_le(told[i - 1].at_ns, told[i].at_ns);
        starts += told[i].kind == WEIR_EVENT_START;
        tasks += told[i].kind == WEIR_EVENT_SUBMIT;
    }
    ck_assert_uint_eq(starts, ledger->attempts);
    ck_assert_uint_eq(tasks, ledger->accepted);
    qsort(told, told_count, sizeof(told[0]), by_course);
    for (size_t i = 0; i < told_count; i++)
        if (is_of_a_task(&told[i]))
            follow(&courses[told[i].task], &told[i]);
    for (uint64_t id = 1; id <= tasks; id++) {
        ck_assert_int_eq(courses[id].settles, 1);
        ck_assert_int_eq(courses[id].releases, 1);
    }
}

static void listen(void)
{
    told_count +=
        weir_events_read(events, &cursor, told + told_count, ROOM - told_count);
    ck_assert_uint_eq(cursor.lost, 0);
}

static void teardown(void)
{
    weir_ledger ledger;

    weir__fault_arm(0);
    if (pool) {
        ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                         WEIR_OK);
        ledger = ledger_now();
        listen();
        assert_told_of_all(&ledger);
    }
    pool_teardown();
    weir_events_destroy(events);
}

/* The n-th event of this kind that was told, from 0; they are read anew. */
static const weir_event *find(weir_event_kind kind, int n)
{
    listen();
    for (size_t i = 0; i < told_count; i++)
        if (told[i].kind == kind && n-- == 0)
            return &told[i];
    ck_abort_msg("no such event: kind %d", (int)kind);
}

static size_t count_of(weir_event_kind kind)
{
    size_t count = 0;

    listen();
    for (size_t i = 0; i < told_count; i++)
        count += told[i].kind == kind;
    return count;
}

/* -------------------------------------------------------------------- tasks */

/* A job's handler has clean-ups, and so ends as an entry; this one does not. */
static int pass_time(weir_task *task, void *item)
{
    (void)task;
    test_clock_advance(700);
    return item != NULL;
}

START_TEST(a_plain_task_is_told_of_three_times)
{
    int64_t began_ns = test_clock_now();
    const weir_event *e;

    open_pool();
    ck_assert_int_eq(weir_pool_submit(pool, pass_time, NULL, WEIR_NOW),
                     WEIR_OK);
    settle_all();
    listen();
    ck_assert_uint_eq(told_count, 3);
    e = find(WEIR_EVENT_SUBMIT, 0);
    ck_assert_uint_eq(e->task, 1);
    ck_assert_uint_eq(e->source, 1);
    ck_assert_uint_eq(e->worker, UINT32_MAX);
    ck_assert_int_eq(e->at_ns, began_ns);
    e = find(WEIR_EVENT_START, 0);
    ck_assert_uint_eq(e->task, 1);
    ck_assert_uint_eq(e->worker, 0);
    ck_assert_uint_eq(e->attempt, 1);
    ck_assert_int_eq(e->value, 0);
    e = find(WEIR_EVENT_SETTLE, 0);
    ck_assert_int_eq(e->value, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(e->attempt, 1);
    ck_assert_int_eq(e->at_ns, began_ns + 700);
    ck_assert_uint_eq(e->flags, WEIR_EVENT_ENDED | WEIR_EVENT_RELEASED);
}
END_TEST

START_TEST(a_worker_has_a_lane_to_itself_until_its_thread_ends)
{
    struct weir__events_lane *lane;
    struct job *job;

    open_pool();
    job = submit_new(act_exit); /* on the second thread there is another */
    await_count(&job->ended, 0);
    settle_all();
    ck_assert_int_eq(weir_pool_submit(pool, pass_time, NULL, WEIR_NOW),
                     WEIR_OK);
    settle_all();
    ck_assert_ptr_null(weir__events_bind(events, 0));
    ck_assert_uint_eq(count_of(WEIR_EVENT_START), 2);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(pool);
    pool = NULL;
    lane = weir__events_bind(events, 0);
    ck_assert_ptr_nonnull(lane);
    weir__events_unbind(lane);
}
END_TEST

START_TEST(one_that_fails_is_told_of_so)
{
    open_pool();
    ck_assert_int_eq(weir_pool_submit(pool, pass_time, &events, WEIR_NOW),
                     WEIR_OK);
    settle_all();
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 0)->value, WEIR_OUTCOME_FAILED);
}
END_TEST

/* One more comes while each runs: its end is the next one's start. */
START_TEST(plain_tasks_lie_one_behind_the_other)
{
    struct job *first;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(weir_pool_submit(pool, pass_time, NULL, WEIR_NOW),
                         WEIR_OK);
    gate_open(&first->finish);
    settle_all();
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(find(WEIR_EVENT_START, i)->value,
                         INT64_C(700) * (i - 1));
        ck_assert_int_eq(find(WEIR_EVENT_SETTLE, i)->at_ns -
                             find(WEIR_EVENT_START, i)->at_ns,
                         700);
    }
}
END_TEST

START_TEST(it_says_how_long_it_has_waited)
{
    struct job *first, *second;

    open_pool();
    first = start_new(act_wait);
    second = submit_new(act_answer);
    second->code = 3;
    test_clock_advance(500);
    gate_open(&first->finish);
    settle_all();
    ck_assert_int_eq(find(WEIR_EVENT_START, 1)->value, 500);
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 1)->value, WEIR_OUTCOME_FAILED);
}
END_TEST

START_TEST(one_with_callbacks_is_released_apart)
{
    const weir_event *e;
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    test_clock_advance(900);
    finish_job(job);
    settle_all();
    listen();
    ck_assert_uint_eq(told_count, 4);
    e = find(WEIR_EVENT_SETTLE, 0);
    ck_assert_uint_eq(e->flags, WEIR_EVENT_ENDED);
    ck_assert_uint_eq(e->worker, job->worker);
    ck_assert_uint_eq(e->attempt, 1);
    e = find(WEIR_EVENT_RELEASE, 0);
    ck_assert_uint_eq(e->task, job->id);
}
END_TEST

START_TEST(one_that_is_cancelled_in_the_queue_has_no_attempt)
{
    struct job *first, *second;
    weir_future *future;
    const weir_event *e;

    open_pool();
    first = start_new(act_wait);
    second = new_job(act_answer);
    future = submit_for(second);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    e = find(WEIR_EVENT_SETTLE, 0);
    ck_assert_int_eq(e->value, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(e->attempt, 0);
    ck_assert_uint_eq(e->worker, UINT32_MAX);
    ck_assert_uint_eq(e->flags, 0);
    finish_job(first);
    weir_future_release(future);
}
END_TEST

START_TEST(an_overdue_attempt_ends_after_its_task_has_settled)
{
    const weir_event *e;
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    e = find(WEIR_EVENT_SETTLE, 0);
    ck_assert_int_eq(e->value, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(e->worker, job->worker);
    ck_assert_uint_eq(count_of(WEIR_EVENT_END), 0);
    finish_job(job);
    e = find(WEIR_EVENT_END, 0);
    ck_assert_uint_eq(e->task, job->id);
    ck_assert_uint_eq(e->attempt, 1);
}
END_TEST

static int act_fail_twice(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_attempt(task) < 3;
}

START_TEST(each_retry_is_told_of_and_says_when_it_is_due)
{
    const weir_event *e;
    struct job *job;

    options.retry = &policy;
    open_pool();
    job = submit_new(act_fail_twice);
    await_attempt(job, 1);
    advance_to(test_clock_now() + WEIR_SECONDS(10));
    await_attempt(job, 2);
    advance_to(test_clock_now() + WEIR_SECONDS(20));
    await_released(job);
    settle_all();
    ck_assert_uint_eq(count_of(WEIR_EVENT_RETRY), 2);
    e = find(WEIR_EVENT_RETRY, 0);
    ck_assert_int_eq(e->value, WEIR_SECONDS(10));
    ck_assert_uint_eq(e->attempt, 1);
    ck_assert_uint_eq(e->flags, WEIR_EVENT_ENDED);
    ck_assert_int_eq(find(WEIR_EVENT_RETRY, 1)->value, WEIR_SECONDS(20));
    ck_assert_int_eq(find(WEIR_EVENT_START, 1)->value, 0);
    ck_assert_uint_eq(find(WEIR_EVENT_SETTLE, 0)->attempt, 3);
    ck_assert_uint_eq(stats_now().retries, 2);
}
END_TEST

START_TEST(a_handler_that_ends_its_thread_is_told_of)
{
    const weir_event *e;
    struct job *job;

    open_pool();
    job = submit_new(act_exit);
    await_count(&job->ended, 0);
    settle_all();
    e = find(WEIR_EVENT_EXIT, 0);
    ck_assert_uint_eq(e->task, 1);
    ck_assert_uint_eq(e->attempt, 1);
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 0)->value, WEIR_OUTCOME_EXITED);
}
END_TEST

static int act_crash(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    crash();
    return 0;
}

START_TEST(so_is_a_crash_with_its_signal)
{
    const weir_event *e;

    options.isolation = WEIR_ISOLATE_TRAP;
    open_pool();
    submit_new(act_crash);
    settle_all();
    e = find(WEIR_EVENT_CRASH, 0);
    ck_assert_int_eq(e->value, SIGSEGV);
    ck_assert_uint_eq(e->task, 1);
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 0)->value, WEIR_OUTCOME_CRASHED);
}
END_TEST

START_TEST(an_abandoned_thread_is_told_of)
{
    const weir_event *e;
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    options.grace_ns = WEIR_SECONDS(3);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(3));
    while (ledger_now().abandoned == 0)
        sched_yield();
    e = find(WEIR_EVENT_ABANDON, 0);
    ck_assert_uint_eq(e->task, job->id);
    ck_assert_uint_eq(e->worker, job->worker);
    ck_assert_uint_eq(stats_now().abandoned, 1);
    finish_job(job);
    while (ledger_now().abandoned > 0)
        sched_yield();
    ck_assert_uint_eq(stats_now().abandoned, 1);
}
END_TEST

/* The worker tells of the start, the list has it adopted, it ends as an
 * entry. */
START_TEST(one_that_is_adopted_is_told_of_once)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    submit_new(act_answer);
    test_clock_advance(40);
    ck_assert_uint_eq(weir_pool_list(pool, NULL, 0), 2);
    test_clock_advance(2);
    gate_open(&job->finish);
    settle_all();
    ck_assert_uint_eq(count_of(WEIR_EVENT_SUBMIT), 2);
    ck_assert_uint_eq(count_of(WEIR_EVENT_START), 2);
    ck_assert_int_eq(find(WEIR_EVENT_START, 1)->value, 42);
}
END_TEST

static int act_fails_now_and_then(weir_task *task, struct job *job)
{
    if (job->code == 1)
        pthread_exit(NULL);
    (void)task;
    return job->code;
}

static void cancel_if_unsettled(weir_future *future)
{
    weir_status status = weir_future_cancel(future);

    (void)status;
}

/* _i: whether there are callbacks, and several attempts. */
START_TEST(of_any_mix_each_is_told_of_as_it_went)
{
    static weir_future *futures[JOB_ROOM];

    if (_i & 1) {
        options.on_settled = NULL;
        options.on_release = NULL;
    }
    policy.base_ns = 1;
    if (_i & 2)
        options.retry = &policy;
    open_pool_of(3);
    for (int i = 0; i < JOB_ROOM; i++) {
        struct job *job = new_job(act_fails_now_and_then);
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        job->code = i % 9 == 0 ? 1 : i % 7;
        spec.handler = run_job;
        spec.item = job;
        ck_assert_int_eq(weir_pool_submit_task(pool, &spec,
                                               i % 3 ? NULL : &futures[i],
                                               WEIR_FOREVER),
                         WEIR_OK);
        if (options.on_settled == NULL)
            ck_assert_int_eq(weir_pool_submit(pool, pass_time,
                                              i % 2 ? &events : NULL,
                                              WEIR_FOREVER),
                             WEIR_OK);
        if (i % 11 == 0)
            weir_pool_list(pool, NULL, 0);
        if (i % 12 == 0)
            cancel_if_unsettled(futures[i]);
    }
    while (weir_pool_join(pool, WEIR_NOW) == WEIR_TIMED_OUT) {
        test_clock_advance(10); /* for the retries */
        sched_yield();
    }
    for (int i = 0; i < JOB_ROOM; i++)
        weir_future_release(futures[i]);
}
END_TEST

/* ----------------------------------------------------------------- the pool */

START_TEST(who_waits_for_room_is_told_of_and_added_up)
{
    struct job *first, *third;
    struct call call = {0};

    options.queue_capacity = 1;
    open_pool();
    first = start_new(act_wait);
    submit_new(act_answer);
    third = new_job(act_answer);
    call.job = third;
    block_call(&call, act_submit);
    ck_assert_uint_eq(stats_now().blocked_now, 1);
    ck_assert_uint_eq(find(WEIR_EVENT_BLOCKED, 0)->task, 1);
    ck_assert_uint_eq(count_of(WEIR_EVENT_UNBLOCKED), 0);
    test_clock_advance(300);
    ck_assert_int_eq(stats_now().blocked_ns, 300);
    gate_open(&first->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    settle_all();
    ck_assert_uint_eq(find(WEIR_EVENT_UNBLOCKED, 0)->task, 1);
    ck_assert_int_eq(find(WEIR_EVENT_UNBLOCKED, 0)->value, WEIR_OK);
    ck_assert_uint_eq(stats_now().blocked_now, 0);
    ck_assert_uint_eq(stats_now().blocked, 1);
    test_clock_advance(300);
    ck_assert_int_eq(stats_now().blocked_ns, 300);
}
END_TEST

START_TEST(a_wait_that_was_in_vain_says_why)
{
    struct job *first;
    struct call call = {0};

    options.queue_capacity = 1;
    open_pool();
    first = start_new(act_wait);
    submit_new(act_answer);
    call.job = new_job(act_answer);
    block_call(&call, act_submit);
    advance_to(call.deadline.at_ns);
    ck_assert_int_eq(end_call(&call), WEIR_TIMED_OUT);
    ck_assert_int_eq(find(WEIR_EVENT_UNBLOCKED, 0)->value, WEIR_TIMED_OUT);
    ck_assert_uint_eq(stats_now().refused_timed_out, 1);
    gate_open(&first->finish);
    settle_all();
}
END_TEST

START_TEST(closing_and_scaling_are_told_of_once)
{
    open_pool();
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_OK);
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_OK);
    ck_assert_uint_eq(count_of(WEIR_EVENT_SCALE), 1);
    ck_assert_int_eq(find(WEIR_EVENT_SCALE, 0)->value, 3);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(count_of(WEIR_EVENT_CLOSE), 1);
    ck_assert_int_eq(find(WEIR_EVENT_CLOSE, 0)->value, WEIR_STOP_AFTER_DRAIN);
}
END_TEST

START_TEST(the_pool_is_a_source_by_its_name)
{
    weir_event_source source;

    options.name = "crew";
    options.queue_capacity = 77;
    open_pool_of(2);
    ck_assert(weir_events_read_source(events, 1, &source));
    ck_assert_uint_eq(source.kind, WEIR_SOURCE_POOL);
    ck_assert_str_eq(source.name, "crew");
    ck_assert_uint_eq(source.workers, 2);
    ck_assert_uint_eq(source.capacity, 77);
}
END_TEST

START_TEST(a_pool_keeps_events_that_were_let_go_of)
{
    weir_events *mine = events;

    open_pool();
    weir_events_destroy(events);
    events = NULL;
    submit_new(act_answer);
    settle_all();
    end_pool();
    (void)mine;
}
END_TEST

START_TEST(events_to_be_read_are_refused)
{
    static _Alignas(128) unsigned char memory[64 << 10];
    weir_events_options ring = WEIR_EVENTS_OPTIONS_INIT;
    weir_events *writing, *reading;

    ring.memory = memory;
    ring.memory_bytes = sizeof(memory);
    ck_assert_int_eq(weir_events_create(&writing, &ring), WEIR_OK);
    ck_assert_int_eq(weir_events_attach(&reading, memory, sizeof(memory)),
                     WEIR_OK);
    options.events = reading;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_EINVAL);
    assert_error_names("events");
    ck_assert_ptr_null(pool);
    weir_events_destroy(reading);
    weir_events_destroy(writing);
}
END_TEST

static weir_status try_create_seen(void *arg)
{
    (void)arg;
    return weir_pool_create(&pool, &options);
}

/* If a reference were left the memory would be, which the sanitizer finds. */
START_TEST(a_pool_that_is_not_created_holds_no_events)
{
    options.histograms = true;
    options.workers = 2;
    ck_assert_uint_ge(fault_sweep(try_create_seen, NULL, WEIR_OK), 3);
}
END_TEST

int main(void)
{
    const TTest *const plain[] = {
        a_plain_task_is_told_of_three_times,
        a_worker_has_a_lane_to_itself_until_its_thread_ends,
        one_that_fails_is_told_of_so,
        plain_tasks_lie_one_behind_the_other,
        it_says_how_long_it_has_waited,
        one_that_is_adopted_is_told_of_once,
        a_handler_that_ends_its_thread_is_told_of,
        so_is_a_crash_with_its_signal,
        who_waits_for_room_is_told_of_and_added_up,
        a_wait_that_was_in_vain_says_why,
        closing_and_scaling_are_told_of_once,
        NULL,
    };
    const TTest *const tasks[] = {
        one_with_callbacks_is_released_apart,
        one_that_is_cancelled_in_the_queue_has_no_attempt,
        an_overdue_attempt_ends_after_its_task_has_settled,
        each_retry_is_told_of_and_says_when_it_is_due,
        a_handler_that_ends_its_thread_is_told_of,
        an_abandoned_thread_is_told_of,
        NULL,
    };
    const TTest *const mixes[] = {
        of_any_mix_each_is_told_of_as_it_went,
        NULL,
    };
    const TTest *const rings[] = {
        the_pool_is_a_source_by_its_name,
        a_pool_that_is_not_created_holds_no_events,
        NULL,
    };
    const TTest *const lives[] = {
        a_pool_keeps_events_that_were_let_go_of,
        events_to_be_read_are_refused,
        NULL,
    };
    const struct chapter chapters[] = {
        {"plain tasks", plain, plain_setup, teardown, 0, 0},
        {"tasks", tasks, setup, teardown, 0, 0},
        {"mixes", mixes, setup, teardown, 4, 0},
        {"rings", rings, setup, teardown, 0, 0},
        {"lives", lives, setup, teardown, 0, 0},
        {.name = NULL},
    };

    return report("pool_seen", chapters);
}
