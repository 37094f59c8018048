/* SPDX-License-Identifier: MIT */
/* test_pool_join.c - waiting until a pool is idle, and not for oneself. */
#include <weir/pool.h>

#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    open_pool_of(2);
}

START_TEST(joining_an_idle_pool_is_ok_at_once)
{
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_OK);
    submit_new(act_answer);
    settle_all();
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_OK);
    ck_assert_uint_eq(ledger_now().done, 1);
}
END_TEST

START_TEST(join_waits_for_queued_and_running_tasks_and_the_pool_stays_open)
{
    struct job *running = start_new(act_wait), *other = start_new(act_wait);
    struct job *queued = submit_new(act_answer);
    struct call joins[3] = {{.status = WEIR_OK}};

    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    for (int i = 0; i < 3; i++)
        block_call(&joins[i], act_join);
    finish_job(running);
    await_released(queued);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    finish_job(other);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&joins[i]), WEIR_OK);
    submit_new(act_answer);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 4);
}
END_TEST

START_TEST(a_join_times_out_at_its_deadline)
{
    struct job *job = start_new(act_wait);
    struct call join = {.status = WEIR_OK};

    block_call(&join, act_join);
    test_clock_advance(join.deadline.at_ns - test_clock_now());
    ck_assert_int_eq(end_call(&join), WEIR_TIMED_OUT);
    finish_job(job);
}
END_TEST

static struct gate callback_began = GATE_INIT, callback_may_end = GATE_INIT;

static void
settle_slowly(void *arg, const void *item, const weir_outcome *outcome)
{
    note_settled(arg, item, outcome);
    gate_open(&callback_began);
    gate_wait(&callback_may_end);
}

static void release_slowly(void *arg, void *item)
{
    note_released(arg, item);
    gate_open(&callback_began);
    gate_wait(&callback_may_end);
}

static void reopen_with_slow_callback(int which)
{
    end_pool();
    if (which)
        options.on_settled = settle_slowly;
    else
        options.on_release = release_slowly;
    open_pool();
}

START_TEST(join_waits_for_callbacks)
{
    struct call join = {.status = WEIR_OK};

    reopen_with_slow_callback(_i);
    submit_new(act_answer);
    gate_wait(&callback_began);
    ck_assert_uint_eq(ledger_now().done, 1);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    block_call(&join, act_join);
    gate_open(&callback_may_end);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

static int act_wait_for_itself(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_DEADLOCK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_DEADLOCK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW),
                     WEIR_DEADLOCK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    assert_error_names("own pool");
    return 0;
}

static void settle_and_wait_for_itself(void *arg, const void *item,
                                       const weir_outcome *outcome)
{
    act_wait_for_itself(NULL, NULL);
    note_settled(arg, item, outcome);
}

static void release_and_wait_for_itself(void *arg, void *item)
{
    act_wait_for_itself(NULL, NULL);
    note_released(arg, item);
}

static bool deny_and_wait_for_itself(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    act_wait_for_itself(NULL, NULL);
    return false;
}

START_TEST(joining_or_stopping_inside_is_a_deadlock)
{
    struct job *job = new_job(act_wait_for_itself);

    end_pool();
    options.on_settled = settle_and_wait_for_itself;
    options.on_release = release_and_wait_for_itself;
    policy.retryable = deny_and_wait_for_itself;
    options.retry = &policy;
    open_pool();
    must_submit(job);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
    job = new_job(act_answer);
    job->code = 1;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_FAILED);
}
END_TEST

int main(void)
{
    const TTest *const join[] = {
        joining_an_idle_pool_is_ok_at_once,
        join_waits_for_queued_and_running_tasks_and_the_pool_stays_open,
        a_join_times_out_at_its_deadline,
        joining_or_stopping_inside_is_a_deadlock, NULL};
    const TTest *const callbacks[] = {join_waits_for_callbacks, NULL};
    const struct chapter chapters[] = {{"join", join, setup, pool_teardown, 0,
                                        0},
                                       {"callbacks", callbacks, setup,
                                        pool_teardown, 2, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: joining", chapters);
}
