/* SPDX-License-Identifier: MIT */
/* test_pool_grace.c - attempts that do not end, and threads given up on. */
#include <weir/pool.h>

#include <sched.h>

#include "base/fault.h"
#include "deaf.h"
#include "suite.h"

/* ------------------------------------------------------------ the replacing */

START_TEST(a_thread_is_abandoned_when_the_grace_is_over_and_not_before)
{
    struct job *deaf, *next;

    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    assert_outcome(deaf, WEIR_OUTCOME_TIMED_OUT);
    next = submit_new(act_check_index);
    advance_to_just_before(grace_of(deaf));
    rouse_timekeeper(grace_of(deaf));
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(tally_read(&next->started), 0);
    test_clock_advance(1);
    await_start(next);
    ck_assert_int_eq(next->started_ns, grace_of(deaf));
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(ledger_now().late, 0);
    ck_assert_uint_eq(stats_now().workers, 1);
    ck_assert_uint_eq(stats_now().busy, 1);
    ck_assert_uint_ne(next->worker, deaf->worker);
    ck_assert_uint_lt(next->worker, 1 + 2);
    ck_assert_uint_eq(tally_read(&deaf->released), 0);
    assert_balanced();
    finish_job(next);
    finish_job(deaf);
}
END_TEST

/* _i: how it ends, 1: with its thread. */
START_TEST(an_abandoned_attempt_is_released_at_its_end_and_its_thread_leaves)
{
    struct job *deaf, *after[4];

    open_pool();
    deaf = start_new(_i ? act_wait_and_exit : act_check_index);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    await_count(&greeted, 2);
    finish_job(deaf);
    ck_assert_int_eq(deaf->outcome.kind, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(ledger_now().overdue, 0);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().exited, 0);
    await_count(&parted, 1);
    for (int i = 0; i < 4; i++) {
        after[i] = start_new(act_check_index);
        finish_job(after[i]);
        ck_assert_uint_ne(after[i]->worker, deaf->worker);
        ck_assert(!pthread_equal(after[i]->ran_on, deaf->ran_on));
    }
    ck_assert_uint_eq(stats_now().workers, 1);
    ck_assert_uint_eq(tally_read(&greeted), 2);
}
END_TEST

/* Work is there for it when it comes back, and nobody else to do it. */
START_TEST(a_thread_that_was_abandoned_takes_no_task_even_if_one_waits)
{
    struct job *deaf, *busy, *waits;

    open_pool();
    deaf = start_abandoned();
    busy = start_new(act_wait);
    waits = submit_new(act_check_index);
    let_end(deaf);
    await_count(&parted, 1);
    ck_assert_uint_eq(tally_read(&waits->started), 0);
    ck_assert_uint_eq(ledger_now().queued, 1);
    let_end(busy);
    let_end(waits);
    settle_returned();
    ck_assert_uint_eq(waits->worker, busy->worker);
}
END_TEST

START_TEST(an_attempt_that_ends_in_its_grace_keeps_its_worker)
{
    struct job *late, *next;

    open_pool();
    late = start_new(act_check_index);
    advance_to(late->deadline.at_ns);
    await_timekeeper(grace_of(late));
    test_clock_advance(deaf_grace_ns - 1);
    finish_job(late);
    next = start_new(act_check_index);
    test_clock_advance(1); /* nobody is there to be abandoned */
    await_timekeeper(next->deadline.at_ns);
    finish_job(next);
    ck_assert_uint_eq(next->worker, late->worker);
    ck_assert(pthread_equal(next->ran_on, late->ran_on));
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(tally_read(&greeted), 1);
}
END_TEST

/* The worker comes to its end after the deadline, before the timekeeper. */
START_TEST(an_answer_that_is_late_by_itself_begins_no_grace)
{
    struct job *job, *next;

    open_pool();
    job = start_new(act_check_index);
    await_timekeeper(job->deadline.at_ns);
    test_clock_hold(job->deadline.at_ns);
    test_clock_advance(deaf_timeout_ns);
    gate_open(&job->finish);
    while (ledger_now().late == 0)
        sched_yield();
    test_clock_release(job->deadline.at_ns);
    await_released(job);
    next = start_new(act_check_index);
    test_clock_advance(deaf_grace_ns);
    await_timekeeper(next->deadline.at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    finish_job(next);
}
END_TEST

START_TEST(after_a_cancel_the_grace_runs_from_the_cancel)
{
    struct job *job = new_job(act_check_index), *next;
    weir_future *future;
    int64_t at_ns;

    open_pool();
    future = submit_for(job);
    await_start(job);
    await_timekeeper(job->deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(1));
    at_ns = test_clock_now() + deaf_grace_ns; /* before the deadline */
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    next = submit_new(act_answer);
    advance_to_just_before(at_ns);
    rouse_timekeeper(at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    finish_job(job);
    ck_assert_uint_eq(job->outcome.kind, WEIR_OUTCOME_CANCELLED);
    weir_future_release(future);
}
END_TEST

START_TEST(a_plain_task_is_abandoned_too)
{
    struct job *deaf, *next;

    open_pool();
    deaf = start_abandoned();
    next = start_new(act_check_index);
    ck_assert_uint_ne(next->worker, deaf->worker);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    assert_balanced();
    let_end(deaf);
    await_count(&parted, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
    let_end(next);
    settle_returned();
    for (int i = 0; i < 4; i++)
        let_end(start_new(act_check_index));
    settle_returned();
    ck_assert_uint_eq(tally_read(&greeted), 2);
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* Thread starts fail for a while. */
START_TEST(a_replacement_that_does_not_start_is_tried_again)
{
    struct job *deaf;

    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    await_settled(deaf);
    await_timekeeper(grace_of(deaf));
    weir__fault_arm(1);
    test_clock_advance(deaf_grace_ns);
    await_abandoned(1);
    await_timekeeper(grace_of(deaf) + WEIR_MS(100));
    ck_assert_uint_eq(weir__fault_points(), 1);
    ck_assert_uint_eq(stats_now().workers, 0);
    test_clock_advance(WEIR_MS(100));
    await_workers(1);
    finish_job(start_new(act_check_index));
    finish_job(deaf);
}
END_TEST

START_TEST(many_are_replaced_and_all_return)
{
    struct job *deaf[8], *next[4];

    options.max_abandoned = 8;
    open_pool_of(4);
    start_deaf(deaf, 4);
    await_abandoned(4);
    start_deaf(deaf + 4, 4);
    await_abandoned(8);
    await_count(&greeted, 12);
    ck_assert_uint_eq(stats_now().workers, 4);
    ck_assert_uint_eq(tally_read(&parted), 0);
    for (int i = 7; i >= 0; i--)
        finish_job(deaf[i]);
    await_count(&parted, 8);
    for (int i = 0; i < 4; i++)
        next[i] = start_new(act_check_index);
    for (int i = 0; i < 4; i++)
        finish_job(next[i]);
    settle_returned();
    ck_assert_uint_eq(ledger_now().late, 8);
    ck_assert_uint_eq(ledger_now().timed_out, 8);
}
END_TEST

/* Round after round, the places are used again. */
START_TEST(a_pool_of_one_outlives_many_deaf_tasks)
{
    open_pool();
    for (uint64_t i = 1; i <= 20; i++) {
        struct job *deaf = start_abandoned();

        finish_job(deaf);
        await_count(&parted, i);
        ck_assert_uint_lt(deaf->worker, 1 + 2);
    }
    await_workers(1);
}
END_TEST

/* ------------------------------------------------------------------ retries */

/* Attempts are 10 s apart; a patience would be longer than the grace. */
static void retry_setup(void)
{
    deaf_setup();
    options.retry = &policy;
    policy.base_ns = WEIR_SECONDS(1);
    policy.patience_ns = WEIR_SECONDS(100);
}

START_TEST(a_retrying_task_settles_when_the_grace_is_over_and_is_abandoned_then)
{
    struct job *deaf, *next;

    policy.base_ns = WEIR_SECONDS(10); /* due later */
    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    next = submit_new(act_answer);
    advance_to_just_before(grace_of(deaf));
    rouse_timekeeper(grace_of(deaf));
    assert_unsettled(deaf);
    ck_assert_uint_eq(ledger_now().retrying, 1);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    assert_outcome(deaf, WEIR_OUTCOME_TIMED_OUT);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(deaf->settled_ns, grace_of(deaf));
    ck_assert_uint_eq(deaf->outcome.attempts, 1);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    finish_job(deaf);
    ck_assert_uint_eq(tally_read(&deaf->started), 1);
}
END_TEST

static int act_wait_at_first(weir_task *task, struct job *job)
{
    assert_index_is_mine(task, WORKER_ROOM);
    if (weir_task_attempt(task) == 1)
        gate_wait(&job->finish);
    return 0;
}

START_TEST(an_attempt_that_ends_in_its_grace_is_followed_by_the_next)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait_at_first);
    advance_to(job->deadline.at_ns);
    await_timekeeper(grace_of(job));
    test_clock_advance(WEIR_SECONDS(2)); /* the next is overdue by 1 s */
    ck_assert_uint_eq(tally_read(&job->started), 1);
    gate_open(&job->finish);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(tally_read(&greeted), 1);
}
END_TEST

static int act_wait_at_second(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        return act_listen(task, job);
    gate_wait(&job->finish);
    return 0;
}

START_TEST(the_grace_of_one_attempt_has_nothing_to_do_with_that_of_the_next)
{
    struct job *job = new_job(act_wait_at_second);
    weir_future *future;
    int64_t at_ns;

    open_pool();
    future = submit_for(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(1));
    await_attempt(job, 2);
    await_timekeeper(job->deadline.at_ns);
    at_ns = test_clock_now() + deaf_grace_ns;
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    advance_to_just_before(at_ns);
    rouse_timekeeper(at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    await_abandoned(1);
    finish_job(job);
}
END_TEST

static bool refuse_more(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    return false;
}

START_TEST(a_retry_that_is_not_granted_leaves_the_grace_as_it_was)
{
    struct job *deaf;

    policy.retryable = refuse_more;
    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    assert_outcome(deaf, WEIR_OUTCOME_TIMED_OUT);
    advance_to_just_before(grace_of(deaf));
    rouse_timekeeper(grace_of(deaf));
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    await_abandoned(1);
    finish_job(deaf);
}
END_TEST

int main(void)
{
    const TTest *const replacing[] = {
        a_thread_is_abandoned_when_the_grace_is_over_and_not_before,
        a_thread_that_was_abandoned_takes_no_task_even_if_one_waits,
        an_attempt_that_ends_in_its_grace_keeps_its_worker,
        an_answer_that_is_late_by_itself_begins_no_grace,
        after_a_cancel_the_grace_runs_from_the_cancel,
        a_replacement_that_does_not_start_is_tried_again,
        many_are_replaced_and_all_return,
        a_pool_of_one_outlives_many_deaf_tasks,
        NULL};
    const TTest *const returning[] = {
        an_abandoned_attempt_is_released_at_its_end_and_its_thread_leaves,
        NULL};
    const TTest *const plain[] = {
        a_plain_task_is_abandoned_too,
        a_thread_that_was_abandoned_takes_no_task_even_if_one_waits, NULL};
    const TTest *const retries[] = {
        a_retrying_task_settles_when_the_grace_is_over_and_is_abandoned_then,
        an_attempt_that_ends_in_its_grace_is_followed_by_the_next,
        the_grace_of_one_attempt_has_nothing_to_do_with_that_of_the_next,
        a_retry_that_is_not_granted_leaves_the_grace_as_it_was, NULL};
    const struct chapter chapters[] = {
        {"replacing", replacing, deaf_setup, deaf_teardown, 0, 0},
        {"returning", returning, deaf_setup, deaf_teardown, 2, 0},
        {"plain tasks", plain, deaf_plain_setup, deaf_teardown, 0, 0},
        {"retries", retries, retry_setup, deaf_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: grace", chapters);
}
