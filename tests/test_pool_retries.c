/* SPDX-License-Identifier: MIT */
/* test_pool_retries.c - tasks that are tried again. */
#include <weir/pool.h>

#include <sched.h>
#include <string.h>

#include "pools.h"
#include "suite.h"

/* Three attempts, 10 s and 20 s apart. */
static void setup(void)
{
    pool_setup();
    options.retry = &policy;
}

/* And each times out after 5 s. */
static void setup_with_timeout(void)
{
    setup();
    options.timeout_ns = WEIR_SECONDS(5);
}

static void await_retrying(uint64_t count)
{
    while (ledger_now().retrying < count)
        sched_yield();
}

/* Fails with `code` until the attempt that `arg` points to. */
static int act_succeed_at(weir_task *task, struct job *job)
{
    return weir_task_attempt(task) < *(uint32_t *)job->arg ? job->code : 0;
}

static struct job *failing_until(uint32_t *attempt)
{
    struct job *job = new_job(act_succeed_at);

    job->arg = attempt;
    job->code = 3;
    return job;
}

/* What a predicate was asked, and what it answers. */
static struct tally asked = TALLY_INIT;
static weir_outcome asked_about;
static char asked_message[256];
static pthread_t asked_on;
static bool answer;
static struct gate answer_now = GATE_INIT;

static bool note_question(void *arg, const weir_outcome *outcome)
{
    ck_assert_ptr_eq(arg, &policy);
    asked_about = *outcome;
    strncpy(asked_message, outcome->message, sizeof(asked_message) - 1);
    asked_on = pthread_self();
    tally_add(&asked, 1);
    return answer;
}

static bool ponder(void *arg, const weir_outcome *outcome)
{
    note_question(arg, outcome);
    gate_wait(&answer_now);
    ck_assert_int_eq(outcome->kind, asked_about.kind); /* lent until now */
    ck_assert_str_eq(outcome->message, asked_message);
    return answer;
}

static void open_asking(weir_retryable *predicate, bool answers)
{
    answer = answers;
    policy.retryable = predicate;
    policy.retryable_arg = &policy;
    open_pool();
}

/* --------------------------------------------------------------- when, what */

START_TEST(a_failed_task_is_tried_again_when_due_and_not_before)
{
    uint32_t third = 3;
    struct job *job = failing_until(&third);
    int64_t start_ns = test_clock_now();

    open_pool();
    must_submit(job);
    advance_to_just_before(start_ns + WEIR_SECONDS(10));
    rouse_timekeeper(start_ns + WEIR_SECONDS(10));
    ck_assert_uint_eq(ledger_now().retrying, 1);
    ck_assert_uint_eq(tally_read(&job->started), 1);
    test_clock_advance(1);
    await_attempt(job, 2);
    advance_to_just_before(start_ns + WEIR_SECONDS(30));
    ck_assert_uint_eq(tally_read(&job->started), 2);
    assert_unsettled(job);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 3);
    ck_assert_int_eq(job->started_ns, start_ns + WEIR_SECONDS(30));
    ck_assert_uint_eq(job->id, 1);
    ck_assert_uint_eq(job->attempt, 3);
    ck_assert_int_eq(job->outcome.waited_ns, 0); /* for the first start */
    settle_all();
    ck_assert_uint_eq(ledger_now().attempts, 3);
    ck_assert_uint_eq(ledger_now().late, 0);
}
END_TEST

START_TEST(the_last_attempt_decides)
{
    uint32_t never = 9;
    struct job *job = failing_until(&never);

    open_pool();
    must_submit(job);
    advance_to(test_clock_now() + WEIR_SECONDS(10));
    await_attempt(job, 2);
    advance_to(test_clock_now() + WEIR_SECONDS(20));
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(job->outcome.code, 3);
    ck_assert_uint_eq(job->outcome.attempts, 3);
}
END_TEST

START_TEST(a_task_that_is_done_is_not_tried_again)
{
    struct job *job;

    open_asking(note_question, true);
    job = submit_new(act_answer);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(tally_read(&asked), 0);
}
END_TEST

START_TEST(an_exited_attempt_is_not_tried_again_by_default)
{
    open_pool();
    assert_outcome(submit_new(act_exit), WEIR_OUTCOME_EXITED);
    settle_all();
    ck_assert_uint_eq(ledger_now().retrying, 0);
    ck_assert_uint_eq(stats_now().ledger.attempts, 1);
}
END_TEST

START_TEST(a_spec_may_have_a_policy_of_its_own)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_retry own = WEIR_RETRY_INIT;
    uint32_t second = 2;
    struct job *job = failing_until(&second);
    int64_t start_ns = test_clock_now();

    options.retry = NULL;
    open_pool();
    own.max_attempts = 2;
    own.base_ns = 7;
    own.jitter = -1;
    spec.retry = &own;
    weir_future_release(submit_spec(job, spec));
    own.max_attempts = 0; /* it was copied */
    advance_to(start_ns + 7);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(each_attempt_has_a_deadline_of_its_own)
{
    uint32_t second = 2;
    struct job *job = failing_until(&second);
    int64_t start_ns = test_clock_now();

    open_pool();
    must_submit(job);
    await_retrying(1);
    advance_to(start_ns + WEIR_SECONDS(10));
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->deadline.at_ns, start_ns + WEIR_SECONDS(15));
}
END_TEST

static int act_fail_first_and_wait(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1) {
        ck_assert_int_eq(weir_task_result(task, "old", 4), WEIR_OK);
        return weir_task_fail(task, 4, "old");
    }
    gate_wait(&job->finish);
    return 0;
}

START_TEST(the_next_attempt_starts_with_a_clean_record)
{
    struct job *job;

    open_pool();
    job = submit_new(act_fail_first_and_wait);
    advance_to(test_clock_now() + WEIR_SECONDS(10));
    await_attempt(job, 2);
    ck_assert(!weir_task_cancelled(job->task));
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_str_eq(job->message, "");
    ck_assert_uint_eq(job->outcome.result_size, 0);
}
END_TEST

START_TEST(retries_that_are_due_go_before_what_is_queued)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    uint32_t second = 2;
    struct job *retry = failing_until(&second), *queued = new_job(act_wait);
    struct job *busy;
    int64_t start_ns = test_clock_now();

    open_pool();
    must_submit(retry);
    await_retrying(1);
    busy = start_new(act_wait);
    spec.time_to_live_ns = WEIR_SECONDS(60);
    weir_future_release(submit_spec(queued, spec));
    advance_to(start_ns + WEIR_SECONDS(10));
    await_timekeeper(start_ns + WEIR_SECONDS(60)); /* it has done the other */
    finish_job(busy);
    assert_outcome(retry, WEIR_OUTCOME_DONE);
    finish_job(queued);
}
END_TEST

START_TEST(a_delay_of_nothing_is_due_at_once)
{
    uint32_t third = 3;
    struct job *job = failing_until(&third);

    policy.base_ns = 1;
    policy.jitter = 1; /* at most 0.99 ns: cut to none */
    policy.factor = 1;
    open_pool();
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->started_ns, test_clock_now());
}
END_TEST

/* ------------------------------------------------------------ the predicate */

START_TEST(the_predicate_sees_the_attempts_outcome_on_its_worker)
{
    struct job *job = new_job(act_succeed_at);
    uint32_t never = 9;

    job->arg = &never;
    job->code = 8;
    open_asking(note_question, false);
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    ck_assert_uint_eq(tally_read(&asked), 1);
    ck_assert(pthread_equal(asked_on, job->ran_on));
    ck_assert_int_eq(asked_about.kind, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(asked_about.code, 8);
    ck_assert_uint_eq(asked_about.attempts, 1);
    ck_assert_uint_eq(asked_about.task_id, 1);
    ck_assert_uint_eq(job->outcome.attempts, 1);
}
END_TEST

START_TEST(the_predicate_may_grant_what_the_default_would_not)
{
    struct job *job;
    int64_t start_ns = test_clock_now();

    open_asking(note_question, true);
    job = submit_new(act_exit);
    advance_to(start_ns + WEIR_SECONDS(10));
    await_attempt(job, 2);
    advance_to(start_ns + WEIR_SECONDS(30));
    await_attempt(job, 3);
    assert_outcome(job, WEIR_OUTCOME_EXITED);
    ck_assert_uint_eq(job->outcome.attempts, 3);
    ck_assert_uint_eq(tally_read(&asked), 2); /* not about the last */
    ck_assert_int_eq(asked_about.kind, WEIR_OUTCOME_EXITED);
}
END_TEST

START_TEST(the_predicate_is_asked_about_a_timeout_on_the_notifier)
{
    struct job *job;

    open_asking(note_question, false);
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(job->outcome.attempts, 1);
    ck_assert_int_eq(asked_about.kind, WEIR_OUTCOME_TIMED_OUT);
    ck_assert(pthread_equal(asked_on, job->settled_on));
    ck_assert(!pthread_equal(asked_on, job->ran_on));
    finish_job(job);
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

/* The old attempt has ended when it answers; there was patience for more. */
START_TEST(what_the_notifier_grants_late_begins_when_it_is_due)
{
    struct job *job;
    int64_t due_ns;

    policy.patience_ns = WEIR_SECONDS(1000);
    open_asking(ponder, true);
    job = start_new(act_listen);
    due_ns = job->deadline.at_ns + WEIR_SECONDS(10);
    advance_to(job->deadline.at_ns);
    await_count(&asked, 1);
    while (ledger_now().late < 1)
        sched_yield();
    job->act = act_answer;
    gate_open(&answer_now);
    advance_to(due_ns);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->started_ns, due_ns);
}
END_TEST

/* The worker is in the predicate when the task is cancelled. */
START_TEST(a_cancel_while_the_worker_asks_settles_the_task)
{
    struct job *job = new_job(act_answer);
    weir_future *future;

    job->code = 3;
    open_asking(ponder, true);
    future = submit_for(job);
    await_count(&asked, 1);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    ck_assert_uint_eq(ledger_now().cancelled, 1);
    weir_future_release(future);
    gate_open(&answer_now);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    await_released(job);
    ck_assert_uint_eq(ledger_now().late, 0);
}
END_TEST

START_TEST(a_cancel_while_the_notifier_asks_settles_the_task)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    open_asking(ponder, _i % 2);
    future = submit_for(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    await_count(&asked, 1);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    if (_i < 2)
        gate_open(&job->finish);
    gate_open(&answer_now);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(tally_read(&asked), 1);
}
END_TEST

/* ------------------------------------------------------------------- room */

START_TEST(a_retrying_task_takes_up_room_until_it_runs)
{
    struct job *retry = new_job(act_fail_first_and_wait);
    struct call blocked = {0};

    options.queue_capacity = 1;
    open_pool();
    must_submit(retry);
    await_timekeeper(test_clock_now() + WEIR_SECONDS(10));
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    blocked.job = new_job(act_answer);
    block_call(&blocked, act_submit);
    test_clock_advance(WEIR_SECONDS(10));
    await_attempt(retry, 2);
    ck_assert_int_eq(end_call(&blocked), WEIR_OK);
    finish_job(retry);
    assert_outcome(blocked.job, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(what_was_let_in_always_has_a_place_to_retry_from)
{
    uint32_t second = 2;
    struct job *jobs[4];

    options.queue_capacity = 1;
    open_pool_of(3);
    for (int i = 0; i < 3; i++) {
        jobs[i] = new_job(act_wait);
        jobs[i]->code = 1;
        must_submit(jobs[i]);
        await_start(jobs[i]);
    }
    jobs[3] = failing_until(&second);
    must_submit(jobs[3]);
    for (int i = 0; i < 3; i++)
        gate_open(&jobs[i]->finish);
    await_retrying(4);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    for (int i = 0; i < 3; i++)
        jobs[i]->code = 0;
    advance_to(test_clock_now() + WEIR_SECONDS(10));
    for (int i = 0; i < 4; i++)
        assert_outcome(jobs[i], WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_cancel_ends_the_retrying)
{
    uint32_t never = 9;
    struct job *job = failing_until(&never);
    weir_future *future;

    open_pool();
    future = submit_for(job);
    await_timekeeper(test_clock_now() + WEIR_SECONDS(10));
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    await_released(job);
    ck_assert_uint_eq(job->outcome.attempts, 1);
    ck_assert_int_eq(job->outcome.code, 0);
    ck_assert_str_eq(job->message, "the task was cancelled");
    test_clock_advance(WEIR_SECONDS(100));
    settle_all();
    ck_assert_uint_eq(tally_read(&job->started), 1);
}
END_TEST

int main(void)
{
    const TTest *const when[] = {
        a_failed_task_is_tried_again_when_due_and_not_before,
        the_last_attempt_decides,
        a_task_that_is_done_is_not_tried_again,
        an_exited_attempt_is_not_tried_again_by_default,
        a_spec_may_have_a_policy_of_its_own,
        the_next_attempt_starts_with_a_clean_record,
        retries_that_are_due_go_before_what_is_queued,
        a_delay_of_nothing_is_due_at_once,
        NULL};
    const TTest *const predicate[] = {
        the_predicate_sees_the_attempts_outcome_on_its_worker,
        the_predicate_may_grant_what_the_default_would_not,
        a_cancel_while_the_worker_asks_settles_the_task, NULL};
    const TTest *const races[] = {
        a_cancel_while_the_notifier_asks_settles_the_task, NULL};
    const TTest *const timeouts[] = {
        each_attempt_has_a_deadline_of_its_own,
        the_predicate_is_asked_about_a_timeout_on_the_notifier,
        what_the_notifier_grants_late_begins_when_it_is_due, NULL};
    const TTest *const room[] = {
        a_retrying_task_takes_up_room_until_it_runs,
        what_was_let_in_always_has_a_place_to_retry_from,
        a_cancel_ends_the_retrying, NULL};
    const struct chapter chapters[] = {
        {"when and what", when, setup, pool_teardown, 0, 0},
        {"predicate", predicate, setup, pool_teardown, 0, 0},
        {"predicate and cancel", races, setup_with_timeout, pool_teardown, 4,
         0},
        {"timeouts", timeouts, setup_with_timeout, pool_teardown, 0, 0},
        {"room", room, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: retries", chapters);
}
