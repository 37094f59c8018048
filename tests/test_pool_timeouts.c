/* SPDX-License-Identifier: MIT */
/* test_pool_timeouts.c - deadlines of attempts, overdue ones, time to live. */
#include <weir/pool.h>

#include <sched.h>

#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
}

static void open_with_time_to_live(int64_t ns)
{
    end_pool();
    options.timeout_ns = 0;
    options.time_to_live_ns = ns;
    open_pool();
}

/* A job that overstays, settled and overdue. */
static struct job *start_overdue(int (*act)(weir_task *task, struct job *job))
{
    struct job *job = start_new(act);

    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    return job;
}

/* --------------------------------------------------------------- deadlines */

START_TEST(an_attempt_knows_its_deadline)
{
    struct job *job = start_new(act_wait);

    ck_assert_int_eq(job->deadline.at_ns, job->started_ns + WEIR_SECONDS(5));
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_task_times_out_at_its_deadline_and_not_before)
{
    struct job *job = start_new(act_wait);

    advance_to_just_before(job->deadline.at_ns);
    ck_assert(!weir_task_cancelled(job->task));
    assert_unsettled(job);
    ck_assert_uint_eq(ledger_now().running, 1);
    rouse_timekeeper(job->deadline.at_ns);
    ck_assert_uint_eq(ledger_now().running, 1);
    assert_unsettled(job);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(job->settled_ns, job->deadline.at_ns);
    ck_assert_str_eq(job->message, "the attempt's deadline passed");
    ck_assert_int_eq(job->outcome.code, 0);
    ck_assert_int_eq(job->outcome.ran_ns, WEIR_SECONDS(5));
    ck_assert(weir_task_cancelled(job->task));
    finish_job(job);
}
END_TEST

START_TEST(it_settles_while_the_handler_runs_and_is_released_after_its_end)
{
    struct job *job = start_overdue(act_wait);
    weir_ledger ledger = ledger_now();

    ck_assert_uint_eq(ledger.timed_out, 1);
    ck_assert_uint_eq(ledger.running, 0);
    ck_assert_uint_eq(ledger.overdue, 1);
    ck_assert_uint_eq(ledger.late, 0);
    ck_assert_uint_eq(stats_now().busy, 1);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().overdue, 0);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert(!pthread_equal(job->settled_on, job->ran_on));
}
END_TEST

static int act_answer_late(weir_task *task, struct job *job)
{
    gate_wait(&job->finish);
    ck_assert_int_eq(weir_task_result(task, "late", 5), WEIR_OK);
    ck_assert_int_eq(weir_task_fail(task, 9, "late"), 9);
    return job->code ? act_exit(task, job) : 0;
}

START_TEST(what_a_late_attempt_answers_is_dropped_and_counted)
{
    struct job *job = new_job(act_answer_late);
    weir_future *future;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    job->code = _i; /* 1: ends its thread */
    future = submit_for(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    finish_job(job);
    settle_all();
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert_uint_eq(outcome.result_size, 0);
    ck_assert_str_eq(outcome.message, "the attempt's deadline passed");
    weir_future_release(future);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().exited, 0);
}
END_TEST

START_TEST(a_handler_that_listens_ends_at_its_deadline)
{
    struct job *job = start_overdue(act_listen);

    await_released(job);
    ck_assert_uint_eq(job->outcome.attempts, 1);
}
END_TEST

START_TEST(the_next_task_of_an_overdue_worker_starts_clean)
{
    struct job *late = start_overdue(act_answer_late);
    struct job *next = submit_new(act_wait);

    gate_open(&late->finish);
    await_start(next);
    ck_assert(!weir_task_cancelled(next->task));
    ck_assert_int_eq(next->deadline.at_ns, next->started_ns + WEIR_SECONDS(5));
    finish_job(next);
    ck_assert_int_eq(next->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_str_eq(next->message, "");
    ck_assert_uint_eq(next->outcome.result_size, 0);
}
END_TEST

START_TEST(a_spec_may_have_a_timeout_of_its_own_or_none)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *soon = new_job(act_wait), *never = new_job(act_wait);

    ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
    spec.timeout_ns = 7;
    weir_future_release(submit_spec(soon, spec));
    spec.timeout_ns = -1;
    weir_future_release(submit_spec(never, spec));
    await_start(soon);
    await_start(never);
    ck_assert_int_eq(never->deadline.at_ns, INT64_MAX);
    advance_to(soon->started_ns + 7);
    assert_outcome(soon, WEIR_OUTCOME_TIMED_OUT);
    test_clock_advance(WEIR_SECONDS(1000));
    finish_job(never);
    ck_assert_int_eq(never->outcome.kind, WEIR_OUTCOME_DONE);
    finish_job(soon);
}
END_TEST

START_TEST(the_longest_timeout_is_none)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *job = new_job(act_wait);

    spec.timeout_ns = INT64_MAX;
    weir_future_release(submit_spec(job, spec));
    await_start(job);
    ck_assert_int_eq(job->deadline.at_ns, INT64_MAX);
    finish_job(job);
}
END_TEST

START_TEST(a_sooner_deadline_wakes_the_timekeeper_from_a_later_one)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *later, *sooner = new_job(act_wait);

    ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
    later = start_new(act_wait);
    await_timekeeper(later->deadline.at_ns);
    spec.timeout_ns = WEIR_SECONDS(1);
    weir_future_release(submit_spec(sooner, spec));
    await_start(sooner);
    advance_to(sooner->deadline.at_ns);
    assert_outcome(sooner, WEIR_OUTCOME_TIMED_OUT);
    assert_unsettled(later);
    advance_to(later->deadline.at_ns);
    assert_outcome(later, WEIR_OUTCOME_TIMED_OUT);
    finish_job(sooner);
    finish_job(later);
}
END_TEST

START_TEST(many_deadlines_pass_at_once)
{
    struct job *jobs[8];

    ck_assert_int_eq(weir_pool_resize(pool, 8), WEIR_OK);
    for (int i = 0; i < 8; i++)
        jobs[i] = start_new(i % 2 ? act_wait : act_listen);
    advance_to(jobs[0]->deadline.at_ns);
    for (int i = 0; i < 8; i++)
        assert_outcome(jobs[i], WEIR_OUTCOME_TIMED_OUT);
    for (int i = 0; i < 8; i++)
        finish_job(jobs[i]);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 8);
}
END_TEST

START_TEST(an_attempt_that_ended_in_time_leaves_no_deadline_behind)
{
    struct job *first = start_new(act_wait), *second;

    await_timekeeper(first->deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(3));
    finish_job(first);
    second = start_new(act_wait);
    test_clock_advance(WEIR_SECONDS(3)); /* past the first one's deadline */
    await_timekeeper(second->deadline.at_ns);
    assert_unsettled(second);
    finish_job(second);
    ck_assert_int_eq(second->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

/* The timekeeper is late; the clock is not. */
START_TEST(an_answer_after_the_deadline_is_late_however_slow_the_timekeeper)
{
    struct job *job = start_new(act_wait);

    await_timekeeper(job->deadline.at_ns);
    test_clock_hold(job->deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(5));
    gate_open(&job->finish);
    while (ledger_now().running > 0)
        sched_yield();
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().overdue, 0);
    test_clock_release(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
}
END_TEST

static void note_action(void *arg)
{
    gate_open(arg);
}

static int act_register(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_on_cancel(task, note_action, job->arg), WEIR_OK);
    gate_wait(job->arg);
    return 0;
}

START_TEST(a_deadline_runs_the_on_cancel_actions)
{
    struct job *job = new_job(act_register);
    struct gate acted = GATE_INIT;

    job->arg = &acted;
    must_submit(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_TIMED_OUT);
}
END_TEST

/* ------------------------------------------------------------ time to live */

START_TEST(a_task_that_waits_too_long_expires_at_the_moment)
{
    struct job *busy, *waits;
    int64_t expires_ns = test_clock_now() + WEIR_SECONDS(2);

    open_with_time_to_live(WEIR_SECONDS(2));
    busy = start_new(act_wait);
    waits = submit_new(act_answer);
    advance_to_just_before(expires_ns);
    rouse_timekeeper(expires_ns);
    assert_unsettled(waits);
    ck_assert_uint_eq(ledger_now().queued, 1);
    test_clock_advance(1);
    assert_outcome(waits, WEIR_OUTCOME_EXPIRED);
    await_released(waits);
    ck_assert_int_eq(waits->settled_ns, expires_ns);
    ck_assert_uint_eq(waits->outcome.attempts, 0);
    ck_assert_int_eq(waits->outcome.waited_ns, WEIR_SECONDS(2));
    ck_assert_int_eq(waits->outcome.ran_ns, 0);
    ck_assert_str_eq(waits->message, "the task waited too long to be run");
    finish_job(busy);
    ck_assert_int_eq(busy->outcome.kind, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(tally_read(&waits->started), 0);
}
END_TEST

START_TEST(a_task_that_started_in_time_does_not_expire)
{
    struct job *job;

    open_with_time_to_live(WEIR_SECONDS(2));
    job = start_new(act_wait);
    test_clock_advance(WEIR_SECONDS(100));
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

/* The worker is free at the moment of expiry and comes before the timekeeper,
 * who then tells the notifier. */
START_TEST(a_task_never_starts_when_its_time_is_over)
{
    struct job *busy, *waits;
    int64_t expires_ns = test_clock_now() + WEIR_SECONDS(2);

    open_with_time_to_live(WEIR_SECONDS(2));
    busy = start_new(act_wait);
    waits = submit_new(act_answer);
    await_timekeeper(expires_ns);
    test_clock_hold(expires_ns);
    test_clock_advance(WEIR_SECONDS(2));
    finish_job(busy);
    while (ledger_now().queued > 0)
        sched_yield();
    test_clock_release(expires_ns);
    assert_outcome(waits, WEIR_OUTCOME_EXPIRED);
    await_released(waits);
    ck_assert_uint_eq(tally_read(&waits->started), 0);
    ck_assert(!pthread_equal(waits->settled_on, busy->ran_on));
}
END_TEST

START_TEST(a_spec_may_have_a_time_to_live_of_its_own_or_none)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *busy, *soon = new_job(act_answer), *never = new_job(act_answer);
    int64_t start_ns = test_clock_now();

    open_with_time_to_live(WEIR_SECONDS(50));
    spec.time_to_live_ns = -1;
    busy = start_new(act_wait);
    weir_future_release(submit_spec(never, spec));
    spec.time_to_live_ns = 3;
    weir_future_release(submit_spec(soon, spec));
    advance_to(start_ns + 3);
    assert_outcome(soon, WEIR_OUTCOME_EXPIRED);
    test_clock_advance(WEIR_SECONDS(100));
    finish_job(busy);
    assert_outcome(never, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(an_expired_task_makes_room)
{
    struct job *busy;
    struct call blocked = {0};
    int64_t start_ns = test_clock_now();

    options.queue_capacity = 1;
    open_with_time_to_live(WEIR_SECONDS(2));
    busy = start_new(act_wait);
    submit_new(act_answer);
    blocked.job = new_job(act_answer);
    block_call(&blocked, act_submit);
    advance_to(start_ns + WEIR_SECONDS(2));
    ck_assert_int_eq(end_call(&blocked), WEIR_OK);
    finish_job(busy);
    assert_outcome(blocked.job, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(ledger_now().expired, 1);
}
END_TEST

START_TEST(many_expire_at_once)
{
    struct job *busy;
    int64_t start_ns = test_clock_now();

    open_with_time_to_live(WEIR_SECONDS(2));
    busy = start_new(act_wait);
    for (int i = 0; i < 50; i++)
        submit_new(act_answer);
    advance_to(start_ns + WEIR_SECONDS(2));
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(ledger_now().expired, 50);
    ck_assert_uint_eq(ledger_now().attempts, 1);
}
END_TEST

int main(void)
{
    const TTest *const deadlines[] = {
        an_attempt_knows_its_deadline,
        a_task_times_out_at_its_deadline_and_not_before,
        it_settles_while_the_handler_runs_and_is_released_after_its_end,
        a_handler_that_listens_ends_at_its_deadline,
        the_next_task_of_an_overdue_worker_starts_clean,
        a_spec_may_have_a_timeout_of_its_own_or_none,
        the_longest_timeout_is_none,
        a_sooner_deadline_wakes_the_timekeeper_from_a_later_one,
        many_deadlines_pass_at_once,
        an_attempt_that_ended_in_time_leaves_no_deadline_behind,
        an_answer_after_the_deadline_is_late_however_slow_the_timekeeper,
        a_deadline_runs_the_on_cancel_actions,
        NULL};
    const TTest *const late[] = {
        what_a_late_attempt_answers_is_dropped_and_counted, NULL};
    const TTest *const time_to_live[] = {
        a_task_that_waits_too_long_expires_at_the_moment,
        a_task_that_started_in_time_does_not_expire,
        a_task_never_starts_when_its_time_is_over,
        a_spec_may_have_a_time_to_live_of_its_own_or_none,
        an_expired_task_makes_room,
        many_expire_at_once,
        NULL};
    const struct chapter chapters[] = {
        {"deadlines", deadlines, setup, pool_teardown, 0, 0},
        {"late answers", late, setup, pool_teardown, 2, 0},
        {"time to live", time_to_live, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: timeouts", chapters);
}
