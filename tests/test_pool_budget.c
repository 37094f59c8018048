/* SPDX-License-Identifier: MIT */
/* test_pool_budget.c - an outage is not met with a storm of retries. */
#include <weir/pool.h>

#include <sched.h>
#include <string.h>

#include "pools.h"
#include "suite.h"

/* Ten attempts at once, as far as one retry in four first attempts goes. */
static void setup(void)
{
    pool_setup();
    policy.max_attempts = 10;
    policy.base_ns = 1;
    policy.factor = 1;
    policy.jitter = 1; /* at most 0.99 ns: cut to none */
    policy.budget = 0.25;
    options.retry = &policy;
}

static int act_fail(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_fail(task, 5, "attempt %u", weir_task_attempt(task));
}

static void fail_some(int count)
{
    for (int i = 0; i < count; i++)
        assert_outcome(submit_new(act_fail), WEIR_OUTCOME_FAILED);
}

static void succeed_some(int count)
{
    for (int i = 0; i < count; i++)
        assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}

static uint64_t attempts_now(void)
{
    settle_all();
    return ledger_now().attempts;
}

static void
assert_failure(struct job *job, uint32_t attempts, const char *message)
{
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(job->outcome.code, 5);
    ck_assert_uint_eq(job->outcome.attempts, attempts);
    ck_assert_str_eq(job->message, message);
}

START_TEST(a_total_outage_costs_the_budgets_share_more)
{
    open_pool();
    fail_some(101);
    ck_assert_uint_eq(attempts_now(), 101 + 25);
}
END_TEST

START_TEST(a_refused_task_settles_with_its_last_outcome)
{
    struct job *job;

    open_pool();
    job = submit_new(act_fail);
    assert_failure(job, 1, "attempt 1");
    succeed_some(7);
    job = submit_new(act_fail); /* the ninth first attempt: 2 retries */
    assert_failure(job, 3, "attempt 3");
    ck_assert_uint_eq(ledger_now().retrying, 0);
}
END_TEST

START_TEST(a_task_that_gives_up_keeps_its_last_error_and_the_count)
{
    struct job *job;

    policy.max_attempts = 3;
    policy.budget = 0;
    open_pool();
    job = submit_new(act_fail);
    assert_failure(job, 3, "attempt 3");
}
END_TEST

START_TEST(retries_add_nothing_to_the_account)
{
    struct job *job;

    policy.budget = 1;
    open_pool();
    succeed_some(3);
    job = submit_new(act_fail);
    assert_failure(job, 5, "attempt 5"); /* 4 first attempts, 4 retries */
    assert_failure(submit_new(act_fail), 2, "attempt 2");
}
END_TEST

/* _i: who runs the first attempts. */
START_TEST(first_attempts_of_every_kind_add_to_the_account)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_retry own = policy;
    struct job *job = new_job(act_fail), *busy;

    options.retry = NULL;
    options.on_settled = NULL;
    options.on_release = NULL;
    options.queue_capacity = 1;
    if (_i == 1)
        options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    if (_i == 2)
        options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    busy = start_new(_i == 2 ? act_listen : act_wait);
    if (_i == 1) {
        must_submit(new_job(act_answer));
        for (int i = 0; i < 2; i++)
            must_submit(new_job(act_answer)); /* here */
    }
    if (_i == 2)
        advance_to(busy->deadline.at_ns); /* adopted when it is late */
    gate_open(&busy->finish);
    settle_all();
    while (ledger_now().accepted < 7) {
        must_submit(new_job(act_answer));
        settle_all();
    }
    spec.retry = &own;
    weir_future_release(submit_spec(job, spec));
    settle_all();
    ck_assert_uint_eq(tally_read(&job->started), 3); /* 8 first attempts */
}
END_TEST

START_TEST(an_own_policy_asks_the_account_of_the_pool)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_retry own = policy;
    struct job *job = new_job(act_fail);

    open_pool();
    succeed_some(19);
    own.budget = 0.1;
    spec.retry = &own;
    weir_future_release(submit_spec(job, spec));
    assert_failure(job, 3, "attempt 3"); /* 20 first attempts: 2 of 0.1 */
    assert_failure(submit_new(act_fail), 1, "attempt 1");
}
END_TEST

START_TEST(a_policy_without_a_budget_neither_asks_nor_pays)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_retry own = policy;
    struct job *job = new_job(act_fail);

    open_pool();
    succeed_some(6);
    own.budget = 0;
    own.max_attempts = 4;
    spec.retry = &own;
    weir_future_release(submit_spec(job, spec));
    assert_failure(job, 4, "attempt 4");
    assert_failure(submit_new(act_fail), 3, "attempt 3");
}
END_TEST

START_TEST(a_retry_that_was_granted_and_cancelled_is_paid_for)
{
    struct job *job = new_job(act_fail);
    weir_future *future;

    policy.base_ns = WEIR_SECONDS(10);
    policy.jitter = -1;
    open_pool();
    succeed_some(4);
    future = submit_for(job);
    while (ledger_now().retrying < 1)
        sched_yield();
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    fail_some(2); /* the 6th and 7th first attempt */
    ck_assert_uint_eq(ledger_now().retrying, 0);
}
END_TEST

/* --------------------------------------------------------------- timeouts */

static bool is_no_timeout(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    return outcome->kind != WEIR_OUTCOME_TIMED_OUT;
}

static bool is_anything(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    return outcome->kind != WEIR_OUTCOME_DONE;
}

static struct job *time_out_one(void)
{
    struct job *job = start_new(act_listen);

    advance_to(job->deadline.at_ns);
    return job;
}

/* _i: whether a predicate is asked. */
START_TEST(a_timeout_is_tried_again_as_far_as_the_budget_goes)
{
    struct job *job;

    policy.retryable = _i ? is_anything : NULL;
    policy.patience_ns = WEIR_SECONDS(60);
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    assert_outcome(time_out_one(), WEIR_OUTCOME_TIMED_OUT);
    succeed_some(2);
    job = time_out_one(); /* the fourth first attempt */
    await_attempt(job, 2);
    assert_unsettled(job);
    advance_to(test_clock_now() + WEIR_SECONDS(5));
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(job->outcome.attempts, 2);
    ck_assert_uint_eq(attempts_now(), 5);
}
END_TEST

START_TEST(what_a_predicate_denies_costs_nothing)
{
    struct job *job;

    policy.retryable = is_no_timeout;
    policy.patience_ns = WEIR_SECONDS(60);
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    succeed_some(3);
    job = time_out_one();
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(job->outcome.attempts, 1);
    await_released(job);
    assert_failure(submit_new(act_fail), 2, "attempt 2");
}
END_TEST

int main(void)
{
    const TTest *const budgets[] = {
        a_total_outage_costs_the_budgets_share_more,
        a_refused_task_settles_with_its_last_outcome,
        a_task_that_gives_up_keeps_its_last_error_and_the_count,
        retries_add_nothing_to_the_account,
        an_own_policy_asks_the_account_of_the_pool,
        a_policy_without_a_budget_neither_asks_nor_pays,
        a_retry_that_was_granted_and_cancelled_is_paid_for,
        what_a_predicate_denies_costs_nothing,
        NULL};
    const TTest *const kinds[] = {
        first_attempts_of_every_kind_add_to_the_account, NULL};
    const TTest *const timeouts[] = {
        a_timeout_is_tried_again_as_far_as_the_budget_goes, NULL};
    const struct chapter chapters[] = {
        {"budget", budgets, setup, pool_teardown, 0, 0},
        {"first attempts", kinds, setup, pool_teardown, 3, 0},
        {"timeouts", timeouts, setup, pool_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: budget", chapters);
}
