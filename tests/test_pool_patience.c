/* SPDX-License-Identifier: MIT */
/* test_pool_patience.c - retries while the old attempt is still at work. */
#include <weir/pool.h>

#include <sched.h>

#include "pools.h"
#include "suite.h"

/* Three attempts, 10 s and 20 s apart; each times out after 5 s. */
static void setup(void)
{
    pool_setup();
    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(5);
}

START_TEST(a_timed_out_attempt_that_ends_is_followed_by_the_next_when_due)
{
    struct job *job;
    int64_t due_ns;

    open_pool();
    job = start_new(act_listen);
    due_ns = job->deadline.at_ns + WEIR_SECONDS(10);
    advance_to(job->deadline.at_ns);
    while (ledger_now().late == 0)
        sched_yield();
    advance_to_just_before(due_ns);
    ck_assert_uint_eq(tally_read(&job->started), 1);
    assert_unsettled(job);
    ck_assert_uint_eq(ledger_now().retrying, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().overdue, 0);
    job->act = act_answer;
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->started_ns, due_ns);
    ck_assert_uint_eq(job->outcome.attempts, 2);
}
END_TEST

START_TEST(without_patience_the_old_attempt_has_until_the_next_is_due)
{
    struct job *job;
    int64_t due_ns;

    open_pool_of(2);
    job = start_new(act_wait);
    due_ns = job->deadline.at_ns + WEIR_SECONDS(10);
    advance_to(job->deadline.at_ns);
    advance_to_just_before(due_ns);
    assert_unsettled(job);
    ck_assert_uint_eq(ledger_now().retrying, 1);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(job->outcome.attempts, 1);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(tally_read(&job->started), 1);
}
END_TEST

static int act_wait_at_first(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        gate_wait(&job->finish);
    return 0;
}

/* Due at 10 s after the deadline; ends at 12; the patience is 15. */
START_TEST(with_patience_the_next_attempt_waits_for_the_old_ones_end)
{
    struct job *job;
    int64_t deadline_ns;

    policy.patience_ns = WEIR_SECONDS(15);
    open_pool_of(2);
    job = start_new(act_wait_at_first);
    deadline_ns = job->deadline.at_ns;
    advance_to(deadline_ns);
    await_timekeeper(deadline_ns + WEIR_SECONDS(15));
    test_clock_advance(WEIR_SECONDS(12));
    assert_unsettled(job);
    ck_assert_uint_eq(tally_read(&job->started), 1);
    ck_assert_uint_eq(ledger_now().retrying, 1);
    gate_open(&job->finish);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->started_ns, deadline_ns + WEIR_SECONDS(12));
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

START_TEST(the_patience_ends_and_settles_the_task_timed_out)
{
    struct job *job;
    int64_t limit_ns;

    policy.patience_ns = WEIR_SECONDS(15);
    open_pool_of(2);
    job = start_new(act_wait);
    limit_ns = job->deadline.at_ns + WEIR_SECONDS(15);
    advance_to(job->deadline.at_ns);
    advance_to_just_before(limit_ns);
    assert_unsettled(job);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(job->settled_ns, limit_ns);
    finish_job(job);
    ck_assert_uint_eq(job->outcome.attempts, 1);
}
END_TEST

/* A patience that ends before the next attempt is due changes nothing. */
START_TEST(a_short_patience_lasts_until_the_next_is_due)
{
    struct job *job;
    int64_t due_ns;

    policy.patience_ns = 1;
    open_pool();
    job = start_new(act_wait);
    due_ns = job->deadline.at_ns + WEIR_SECONDS(10);
    advance_to(job->deadline.at_ns);
    advance_to_just_before(due_ns);
    assert_unsettled(job);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    finish_job(job);
}
END_TEST

START_TEST(a_late_answer_in_vain_is_counted_and_the_task_tried_again)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_timekeeper(job->deadline.at_ns + WEIR_SECONDS(10));
    gate_open(&job->finish); /* answers 0, too late */
    while (ledger_now().late == 0)
        sched_yield();
    assert_unsettled(job);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(10));
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
    ck_assert_uint_eq(ledger_now().done, 1);
}
END_TEST

static void hold_up(void *arg)
{
    struct gate *gates = arg;

    gate_open(&gates[0]);
    gate_wait(&gates[1]);
}

static int act_hold_up_notifier(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) > 1)
        return 0;
    ck_assert_int_eq(weir_task_on_cancel(task, hold_up, job->arg), WEIR_OK);
    gate_wait(job->arg);
    return 0;
}

/* The old attempt's end waits for its action, and the next for both. */
START_TEST(no_attempt_starts_while_an_action_for_the_old_one_runs)
{
    struct job *job = new_job(act_hold_up_notifier);
    struct gate gates[2] = {GATE_INIT, GATE_INIT};
    int64_t deadline_ns;

    policy.patience_ns = WEIR_SECONDS(100);
    job->arg = gates;
    open_pool_of(2);
    must_submit(job);
    await_start(job);
    deadline_ns = job->deadline.at_ns;
    advance_to(deadline_ns);
    gate_wait(&gates[0]);
    await_timekeeper(deadline_ns + WEIR_SECONDS(100));
    test_clock_advance(WEIR_SECONDS(50));
    ck_assert_uint_eq(tally_read(&job->started), 1);
    gate_open(&gates[1]);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
}
END_TEST

START_TEST(a_cancel_ends_the_retrying_of_an_attempt_at_work)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    open_pool();
    future = submit_for(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    await_timekeeper(job->deadline.at_ns + WEIR_SECONDS(10));
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(ledger_now().late, 0);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

int main(void)
{
    const TTest *const old[] = {
        a_timed_out_attempt_that_ends_is_followed_by_the_next_when_due,
        without_patience_the_old_attempt_has_until_the_next_is_due,
        with_patience_the_next_attempt_waits_for_the_old_ones_end,
        the_patience_ends_and_settles_the_task_timed_out,
        a_short_patience_lasts_until_the_next_is_due,
        a_late_answer_in_vain_is_counted_and_the_task_tried_again,
        no_attempt_starts_while_an_action_for_the_old_one_runs,
        a_cancel_ends_the_retrying_of_an_attempt_at_work,
        NULL};
    const struct chapter chapters[] = {{"old attempts", old, setup,
                                        pool_teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: patience", chapters);
}
