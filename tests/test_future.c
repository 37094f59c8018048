/* SPDX-License-Identifier: MIT */
/* test_future.c - one task's outcome, waited for, cancelled, let go. */
#include <weir/future.h>

#include <string.h>

#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    open_pool();
}

static int act_result(weir_task *task, struct job *job)
{
    gate_wait(&job->finish);
    ck_assert_int_eq(weir_task_result(task, "bytes", 6), WEIR_OK);
    return weir_task_fail(task, 4, "words");
}

/* On the same worker, over what the other has left there. */
static int act_other_words(weir_task *task, struct job *job)
{
    (void)job;
    ck_assert_int_eq(weir_task_result(task, "other", 6), WEIR_OK);
    return weir_task_fail(task, 5, "other words");
}

/* That the future says what act_result answered. */
static void assert_answer(weir_future *future)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(outcome.code, 4);
    ck_assert_str_eq(outcome.message, "words");
    ck_assert_uint_eq(outcome.result_size, 6);
    ck_assert_str_eq(outcome.result, "bytes");
    ck_assert_uint_eq(outcome.task_id, 1);
    ck_assert_uint_eq(outcome.attempts, 1);
}

static weir_status wait_now(weir_future *future)
{
    return weir_future_wait(future, NULL, WEIR_NOW);
}

static void must_cancel(weir_future *future)
{
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
}

/* -------------------------------------------------------------------- wait */

START_TEST(waiting_before_and_after_the_end_gives_the_outcome_again_and_again)
{
    struct job *job = new_job(act_result);
    weir_future *future = submit_for(job);
    struct call call = {.future = future};

    ck_assert_int_eq(wait_now(future), WEIR_TIMED_OUT);
    block_call(&call, act_future_wait);
    gate_open(&job->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    assert_answer(future);
    settle_all();
    assert_answer(future);
    ck_assert_int_eq(wait_now(future), WEIR_OK);
    weir_future_release(future);
}
END_TEST

START_TEST(a_wait_times_out_at_its_deadline_and_writes_nothing)
{
    struct job *job = new_job(act_wait);
    weir_future *future = submit_for(job);
    struct call call = {.future = future};
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.code = 77;
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert_int_eq(outcome.code, 77);
    ck_assert_ptr_null(outcome.message);
    block_call(&call, act_future_wait);
    test_clock_advance(call.deadline.at_ns - test_clock_now());
    ck_assert_int_eq(end_call(&call), WEIR_TIMED_OUT);
    finish_job(job);
    weir_future_release(future);
}
END_TEST

START_TEST(several_threads_may_wait)
{
    struct job *job = new_job(act_wait);
    weir_future *future = submit_for(job);
    struct call calls[4];

    for (int i = 0; i < 4; i++) {
        calls[i] = (struct call){.future = future};
        block_call(&calls[i], act_future_wait);
    }
    finish_job(job);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(end_call(&calls[i]), WEIR_OK);
    weir_future_release(future);
}
END_TEST

START_TEST(only_the_callers_bytes_are_written)
{
    struct job *job = new_job(act_answer);
    weir_future *future = submit_for(job);
    weir_outcome outcome;

    memset(&outcome, 0x55, sizeof(outcome));
    outcome.size = offsetof(weir_outcome, attempts);
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(outcome.attempts, 0x55555555);
    weir_future_release(future);
}
END_TEST

START_TEST(an_outcome_of_no_size_is_refused)
{
    weir_future *future;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    future = submit_spec(new_job(act_answer), spec);
    outcome.size = 0;
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_FOREVER),
                     WEIR_EINVAL);
    assert_error_names("WEIR_OUTCOME_INIT");
    weir_future_release(future);
    settle_all();
}
END_TEST

START_TEST(no_future_is_refused)
{
    ck_assert_int_eq(weir_future_wait(NULL, NULL, WEIR_NOW), WEIR_EINVAL);
    assert_error_names("future");
    ck_assert_int_eq(weir_future_cancel(NULL), WEIR_EINVAL);
    weir_future_release(NULL);
}
END_TEST

START_TEST(without_a_place_for_it_there_is_no_future)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *job = new_job(act_answer);

    spec.handler = run_job;
    spec.item = job;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

/* ------------------------------------------------------------------ cancel */

START_TEST(a_task_cancelled_before_its_start_never_starts)
{
    struct job *busy = start_new(act_wait), *job = new_job(act_answer);
    weir_future *future = submit_for(job);

    must_cancel(future);
    ck_assert_int_eq(wait_now(future), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    await_released(job);
    ck_assert_str_eq(job->message, "the task was cancelled");
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(tally_read(&job->started), 0);
    weir_future_release(future);
}
END_TEST

START_TEST(a_task_cancelled_while_it_runs_settles_at_once)
{
    struct job *job = new_job(act_result);
    weir_future *future = submit_for(job);
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    await_start(job);
    must_cancel(future);
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CANCELLED);
    ck_assert(weir_task_cancelled(job->task));
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    finish_job(job);
    settle_all();
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CANCELLED); /* still */
    ck_assert_uint_eq(outcome.result_size, 0);
    ck_assert_uint_eq(ledger_now().late, 1);
    weir_future_release(future);
}
END_TEST

START_TEST(cancelling_what_has_settled_changes_nothing)
{
    struct job *job = new_job(act_result);
    weir_future *future = submit_for(job);

    finish_job(job);
    must_cancel(future);
    assert_answer(future);
    assert_outcome(submit_new(act_other_words), WEIR_OUTCOME_FAILED);
    settle_all();
    must_cancel(future);
    assert_answer(future);
    weir_future_release(future);
    ck_assert_uint_eq(ledger_now().cancelled, 0);
}
END_TEST

START_TEST(cancelling_twice_is_cancelling_once)
{
    struct job *job = new_job(act_wait);
    weir_future *future = submit_for(job);

    await_start(job);
    must_cancel(future);
    must_cancel(future);
    finish_job(job);
    must_cancel(future);
    weir_future_release(future);
    settle_all();
    ck_assert_uint_eq(ledger_now().cancelled, 1);
}
END_TEST

START_TEST(a_cancel_wakes_who_waits_and_makes_room)
{
    struct job *busy, *job;
    struct call submitter = {0}, waiter = {0};

    end_pool();
    options.queue_capacity = 1;
    open_pool();
    busy = start_new(act_wait);
    job = new_job(act_answer);
    waiter.future = submit_for(job);
    block_call(&waiter, act_future_wait);
    submitter.job = new_job(act_answer);
    block_call(&submitter, act_submit);
    must_cancel(waiter.future);
    ck_assert_int_eq(end_call(&waiter), WEIR_OK);
    ck_assert_int_eq(end_call(&submitter), WEIR_OK);
    weir_future_release(waiter.future);
    finish_job(busy);
    assert_outcome(submitter.job, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_cancel_itself(weir_task *task, struct job *job)
{
    gate_wait(&job->finish); /* the future is there */
    ck_assert(!weir_task_cancelled(task));
    must_cancel(*(weir_future **)job->arg);
    ck_assert(weir_task_cancelled(task));
    return 0;
}

START_TEST(a_handler_may_cancel_its_own_task)
{
    struct job *job = new_job(act_cancel_itself);
    weir_future *future;

    job->arg = &future;
    future = submit_for(job);
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CANCELLED);
    weir_future_release(future);
}
END_TEST

/* ----------------------------------------------------------------- release */

START_TEST(a_future_may_be_let_go_before_the_end)
{
    struct job *job = new_job(act_result);
    weir_future *future = submit_for(job);

    await_start(job);
    weir_future_release(future);
    ck_assert(!weir_task_cancelled(job->task));
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_FAILED);
}
END_TEST

START_TEST(a_future_outlives_its_pool)
{
    struct job *job = new_job(act_result);
    weir_future *future = submit_for(job);

    finish_job(job);
    end_pool();
    assert_answer(future);
    must_cancel(future);
    assert_answer(future);
    weir_future_release(future);
}
END_TEST

/* The stuck thread, the pool's memory and the future end in any order. */
START_TEST(a_future_of_a_stuck_task_outlives_its_pool)
{
    struct job *job = new_job(act_result);
    weir_future *future = submit_for(job);
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    job->is_stuck = true;
    await_start(job);
    drop_pool();
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CANCELLED);
    if (_i)
        weir_future_release(future);
    gate_open(&job->finish);
    await_count(&job->ended, 1);
    if (!_i)
        weir_future_release(future);
}
END_TEST

START_TEST(the_pools_own_figures_and_futures_agree)
{
    weir_future *futures[20];
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    struct job *jobs[20];

    for (int i = 0; i < 20; i++) {
        jobs[i] = new_job(i % 3 ? act_answer : act_exit);
        jobs[i]->code = i % 2;
        futures[i] = submit_for(jobs[i]);
    }
    settle_all();
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(weir_future_wait(futures[i], &outcome, WEIR_NOW),
                         WEIR_OK);
        ck_assert_int_eq(outcome.kind, jobs[i]->outcome.kind);
        ck_assert_int_eq(outcome.code, jobs[i]->outcome.code);
        ck_assert_str_eq(outcome.message, jobs[i]->message);
        weir_future_release(futures[i]);
    }
}
END_TEST

/* ---------------------------------------------------------------- deadlock */

static int act_wait_for_other(weir_task *task, struct job *job)
{
    weir_future *other = *(weir_future **)job->arg;

    (void)task;
    ck_assert_int_eq(weir_future_wait(other, NULL, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    assert_error_names("own pool");
    ck_assert_int_eq(wait_now(other), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_future_wait(other, NULL,
                                      weir_deadline_after(WEIR_SECONDS(9))),
                     WEIR_TIMED_OUT);
    must_cancel(other);
    ck_assert_int_eq(weir_future_wait(other, NULL, WEIR_FOREVER), WEIR_OK);
    return 0;
}

START_TEST(waiting_for_ever_inside_is_a_deadlock_and_finitely_is_not)
{
    struct job *busy = start_new(act_wait), *job = new_job(act_wait_for_other);
    weir_future *other = NULL;

    job->arg = &other;
    must_submit(job);
    other = submit_for(new_job(act_answer));
    gate_open(&busy->finish);
    advance_to(test_clock_now() + WEIR_SECONDS(9));
    assert_outcome(job, WEIR_OUTCOME_DONE);
    weir_future_release(other);
}
END_TEST

static weir_future *settled_in_callback;

static void
settle_and_wait(void *arg, const void *item, const weir_outcome *outcome)
{
    const struct job *job = item;

    if (job->arg) {
        ck_assert_int_eq(weir_future_wait(settled_in_callback, NULL, WEIR_NOW),
                         WEIR_OK);
        ck_assert_int_eq(weir_future_wait(settled_in_callback, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
    }
    note_settled(arg, item, outcome);
}

START_TEST(on_settled_sees_its_future_settled)
{
    struct job *busy, *job = new_job(act_wait);

    end_pool();
    options.on_settled = settle_and_wait;
    open_pool();
    busy = start_new(act_wait);
    job->arg = job;
    settled_in_callback = submit_for(job);
    finish_job(busy);
    finish_job(job);
    weir_future_release(settled_in_callback);
}
END_TEST

int main(void)
{
    const TTest *const wait[] = {
        waiting_before_and_after_the_end_gives_the_outcome_again_and_again,
        a_wait_times_out_at_its_deadline_and_writes_nothing,
        several_threads_may_wait,
        only_the_callers_bytes_are_written,
        an_outcome_of_no_size_is_refused,
        no_future_is_refused,
        without_a_place_for_it_there_is_no_future,
        NULL};
    const TTest *const cancel[] = {
        a_task_cancelled_before_its_start_never_starts,
        a_task_cancelled_while_it_runs_settles_at_once,
        cancelling_what_has_settled_changes_nothing,
        cancelling_twice_is_cancelling_once,
        a_cancel_wakes_who_waits_and_makes_room,
        a_handler_may_cancel_its_own_task,
        NULL};
    const TTest *const release[] = {
        a_future_may_be_let_go_before_the_end,
        a_future_outlives_its_pool,
        the_pools_own_figures_and_futures_agree,
        waiting_for_ever_inside_is_a_deadlock_and_finitely_is_not,
        on_settled_sees_its_future_settled,
        NULL};
    const TTest *const stuck[] = {a_future_of_a_stuck_task_outlives_its_pool,
                                  NULL};
    const struct chapter chapters[] = {
        {"wait", wait, setup, pool_teardown, 0, 0},
        {"cancel", cancel, setup, pool_teardown, 0, 0},
        {"release and deadlock", release, setup, pool_teardown, 0, 0},
        {"stuck", stuck, setup, pool_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("future", chapters);
}
