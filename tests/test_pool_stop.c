/* SPDX-License-Identifier: MIT */
/* test_pool_stop.c - stopping and destroying. */
#include <weir/pool.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    open_pool_of(2);
}

static weir_status stop(weir_stop_how how, weir_deadline deadline)
{
    return weir_pool_stop(pool, how, deadline);
}

static void start_stop(struct call *call, weir_stop_how how)
{
    call->how = how;
    block_call(call, act_stop);
}

/* Lets a blocked call's deadline pass. */
static weir_status pass_deadline(struct call *call)
{
    test_clock_advance(call->deadline.at_ns - test_clock_now());
    return end_call(call);
}

/* -------------------------------------------------------------------- stop */

START_TEST(an_idle_pool_stops_and_refuses_what_comes_after)
{
    struct job *job = new_job(act_answer);
    void *item = job;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future = NULL;
    size_t done = 9;

    submit_new(act_answer);
    ck_assert_int_eq(stop((weir_stop_how)_i, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(stats_now().workers, 0);
    ck_assert_int_eq(submit(job), WEIR_CLOSED);
    ck_assert_int_eq(weir_pool_submit_many(pool, run_job, &item, 1, &done,
                                           WEIR_FOREVER),
                     WEIR_CLOSED);
    ck_assert_uint_eq(done, 0);
    spec.handler = run_job;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER),
                     WEIR_CLOSED);
    ck_assert_ptr_null(future);
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_CLOSED);
    ck_assert_uint_eq(ledger_now().refused, 3);
    ck_assert_int_eq(stop((weir_stop_how)_i, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
}
END_TEST

START_TEST(a_drain_runs_what_was_accepted)
{
    struct job *jobs[5];
    struct call call = {.status = WEIR_OK};

    for (int i = 0; i < 5; i++)
        jobs[i] = submit_new(act_wait);
    start_stop(&call, WEIR_STOP_AFTER_DRAIN);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_CLOSED);
    ck_assert(!gate_is_open(&call.helper.ended));
    for (int i = 0; i < 5; i++)
        finish_job(jobs[i]);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

START_TEST(a_drain_runs_the_retries_too)
{
    struct job *job = new_job(act_answer);
    struct call call = {.status = WEIR_OK};
    int64_t start_ns = test_clock_now();

    end_pool();
    options.retry = &policy;
    open_pool();
    job->code = 1;
    must_submit(job);
    await_timekeeper(start_ns + WEIR_SECONDS(10));
    start_stop(&call, WEIR_STOP_AFTER_DRAIN);
    test_clock_advance(WEIR_SECONDS(10));
    await_attempt(job, 2);
    advance_to(start_ns + WEIR_SECONDS(30));
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_uint_eq(job->outcome.attempts, 3);
}
END_TEST

START_TEST(a_drain_that_timed_out_goes_on)
{
    struct job *job = start_new(act_wait);
    struct call call = {.status = WEIR_OK};

    start_stop(&call, WEIR_STOP_AFTER_DRAIN);
    ck_assert_int_eq(pass_deadline(&call), WEIR_TIMED_OUT);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert(!weir_task_cancelled(job->task));
    ck_assert_uint_eq(ledger_now().running, 1);
    gate_open(&job->finish);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(stop_now_cancels_what_waits_and_asks_what_runs)
{
    struct job *listening = start_new(act_listen), *other = start_new(act_wait);
    struct job *queued[3];
    struct call call = {.status = WEIR_OK};

    listening->code = 6;
    for (int i = 0; i < 3; i++)
        queued[i] = submit_new(act_answer);
    start_stop(&call, WEIR_STOP_NOW);
    for (int i = 0; i < 3; i++) {
        assert_outcome(queued[i], WEIR_OUTCOME_CANCELLED);
        await_released(queued[i]);
        ck_assert_uint_eq(queued[i]->outcome.attempts, 0);
    }
    assert_outcome(listening, WEIR_OUTCOME_FAILED); /* what it answers */
    ck_assert_int_eq(listening->outcome.code, 6);
    ck_assert(weir_task_cancelled(other->task));
    assert_unsettled(other);
    gate_open(&other->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_int_eq(other->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(ledger_now().late, 0);
}
END_TEST

START_TEST(stop_now_grants_no_retries)
{
    struct job *retrying = new_job(act_answer), *running;
    struct call call = {.status = WEIR_OK};

    end_pool();
    options.retry = &policy;
    open_pool();
    retrying->code = 1;
    must_submit(retrying);
    await_timekeeper(test_clock_now() + WEIR_SECONDS(10));
    running = new_job(act_wait);
    running->code = 2;
    must_submit(running);
    await_start(running);
    start_stop(&call, WEIR_STOP_NOW);
    assert_outcome(retrying, WEIR_OUTCOME_CANCELLED);
    gate_open(&running->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_int_eq(running->outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_uint_eq(running->outcome.attempts, 1);
}
END_TEST

/* Its worker is busy. */
START_TEST(stop_now_cancels_a_retry_that_is_due)
{
    struct job *retrying = new_job(act_answer), *busy;
    struct call call = {.status = WEIR_OK};
    int64_t due_ns = test_clock_now() + WEIR_SECONDS(10);

    end_pool();
    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(100);
    open_pool_of(1);
    retrying->code = 1;
    must_submit(retrying);
    await_timekeeper(due_ns);
    busy = start_new(act_wait);
    advance_to(due_ns);
    await_timekeeper(busy->deadline.at_ns); /* it has seen to the retry */
    start_stop(&call, WEIR_STOP_NOW);
    assert_outcome(retrying, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(retrying->outcome.attempts, 1);
    gate_open(&busy->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
}
END_TEST

START_TEST(deaf_handlers_are_stuck_at_the_deadline)
{
    struct job *deaf = start_new(act_wait), *other = start_new(act_wait);
    struct call call = {.status = WEIR_OK};

    start_stop(&call, WEIR_STOP_NOW);
    assert_unsettled(deaf);
    ck_assert_int_eq(pass_deadline(&call), WEIR_STUCK);
    assert_outcome(deaf, WEIR_OUTCOME_CANCELLED);
    assert_outcome(other, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(ledger_now().unreleased, 2);
    ck_assert_uint_eq(ledger_now().overdue, 2);
    ck_assert_uint_eq(tally_read(&deaf->released), 0);
    assert_balanced();
    finish_job(deaf);
    ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().unreleased, 1);
    finish_job(other);
    ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(ledger_now().late, 2);
}
END_TEST

START_TEST(stop_now_with_no_time_settles_everything)
{
    struct job *deaf = start_new(act_wait), *listening = start_new(act_listen);
    struct job *queued = submit_new(act_answer);

    ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    assert_outcome(deaf, WEIR_OUTCOME_CANCELLED);
    assert_outcome(queued, WEIR_OUTCOME_CANCELLED);
    await_released(listening);
    gate_open(&deaf->finish);
    ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_FOREVER), WEIR_OK);
}
END_TEST

START_TEST(a_drain_may_be_turned_into_stop_now)
{
    struct job *listening = start_new(act_listen);
    struct job *other = start_new(act_listen);
    struct job *queued = submit_new(act_answer);
    struct call drain = {.status = WEIR_OK};

    start_stop(&drain, WEIR_STOP_AFTER_DRAIN);
    ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(end_call(&drain), WEIR_OK);
    assert_outcome(queued, WEIR_OUTCOME_CANCELLED);
    assert_outcome(listening, WEIR_OUTCOME_DONE);
    assert_outcome(other, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(several_threads_may_stop_at_once)
{
    struct job *job = start_new(act_wait);
    struct call stops[4] = {{.status = WEIR_OK}};
    struct call join = {.status = WEIR_OK};

    block_call(&join, act_join);
    for (int i = 0; i < 4; i++)
        start_stop(&stops[i], i % 2 ? WEIR_STOP_NOW : WEIR_STOP_AFTER_DRAIN);
    gate_open(&job->finish);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(end_call(&stops[i]), WEIR_OK);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

START_TEST(a_stop_wakes_blocked_submitters)
{
    struct job *job;
    struct call submits[3] = {{.status = WEIR_OK}};

    end_pool();
    options.queue_capacity = 1;
    options.workers = 1;
    open_pool();
    job = start_new(act_wait);
    submit_new(act_answer);
    for (int i = 0; i < 3; i++) {
        submits[i].job = new_job(act_answer);
        block_call(&submits[i], act_submit);
    }
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_NOW), WEIR_TIMED_OUT);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&submits[i]), WEIR_CLOSED);
    gate_open(&job->finish);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(ledger_now().done, 2);
    ck_assert_uint_eq(ledger_now().refused, 3);
}
END_TEST

START_TEST(a_stopping_pool_replaces_workers_as_long_as_there_is_work)
{
    struct job *jobs[6];

    for (int i = 0; i < 6; i++)
        jobs[i] = submit_new(act_wait_and_exit);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_NOW), WEIR_TIMED_OUT);
    for (int i = 0; i < 6; i++)
        gate_open(&jobs[i]->finish);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(ledger_now().exited, 6);
}
END_TEST

START_TEST(a_drain_is_not_stuck_as_long_as_a_task_waits)
{
    struct job *overdue, *waits;

    end_pool();
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool_of(1);
    overdue = start_new(act_wait);
    advance_to(overdue->deadline.at_ns);
    await_settled(overdue);
    waits = submit_new(act_answer);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_NOW), WEIR_TIMED_OUT);
    gate_open(&overdue->finish);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(waits->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(overdue_attempts_hold_up_a_drain)
{
    struct job *job;

    end_pool();
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_NOW), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().unreleased, 1);
    gate_open(&job->finish);
    ck_assert_int_eq(stop(WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(ledger_now().unreleased, 0);
}
END_TEST

/* ----------------------------------------------------------------- destroy */

START_TEST(destroying_nothing_does_nothing)
{
    weir_pool_destroy(NULL);
}
END_TEST

START_TEST(destroy_without_a_stop_cancels_what_waits)
{
    struct job *listening = start_new(act_listen), *other = start_new(act_wait);
    struct job *queued = submit_new(act_answer);

    gate_open(&other->finish);
    await_released(other);
    drop_pool();
    assert_outcome(listening, WEIR_OUTCOME_CANCELLED);
    ck_assert(tally_read(&queued->settled) == 1);
    ck_assert(tally_read(&queued->released) == 1);
}
END_TEST

static struct gate callback_began = GATE_INIT;
static struct tally outlasted = TALLY_INIT;

/* Lasts until the pool is about to be destroyed, and some more. */
static void outlast_destroy(void)
{
    gate_open(&callback_began);
    while (weir_pool_resize(pool, 2) != WEIR_CLOSED)
        sched_yield();
    for (int i = 0; i < 1000; i++)
        sched_yield();
    tally_add(&outlasted, 1);
}

static void
settle_and_outlast(void *arg, const void *item, const weir_outcome *outcome)
{
    note_settled(arg, item, outcome);
    outlast_destroy();
}

static void release_and_outlast(void *arg, void *item)
{
    note_released(arg, item);
    outlast_destroy();
}

START_TEST(destroy_waits_for_callbacks)
{
    struct job *job;

    end_pool();
    if (_i)
        options.on_settled = settle_and_outlast;
    else
        options.on_release = release_and_outlast;
    open_pool();
    job = submit_new(act_answer);
    gate_wait(&callback_began);
    drop_pool();
    ck_assert_uint_eq(tally_read(&outlasted), 1);
    ck_assert_uint_eq(tally_read(&job->released), 1);
}
END_TEST

/* They end long after the pool is gone; whatever they use must be there. */
START_TEST(stuck_handlers_outlive_the_pool_and_no_callback_comes_from_them)
{
    struct job *jobs[4];

    end_pool();
    open_pool_of(4);
    jobs[0] = start_new(act_wait);
    jobs[1] = start_new(act_wait_and_exit);
    jobs[2] = start_new(act_wait);
    jobs[2]->code = 1;
    jobs[3] = start_new(act_wait);
    finish_job(jobs[3]);
    for (int i = 0; i < 3; i++)
        jobs[i]->is_stuck = true;
    if (_i)
        ck_assert_int_eq(stop(WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    drop_pool();
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(tally_read(&jobs[i]->settled), 1);
        ck_assert_int_eq(jobs[i]->outcome.kind, WEIR_OUTCOME_CANCELLED);
        gate_open(&jobs[i]->finish);
    }
    for (int i = 0; i < 3; i++) {
        await_count(&jobs[i]->ended, 1);
        ck_assert_uint_eq(tally_read(&jobs[i]->released), 0);
    }
}
END_TEST

START_TEST(destroy_does_not_wait_for_an_overdue_handler)
{
    struct job *job;

    end_pool();
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    job->is_stuck = true;
    advance_to(job->deadline.at_ns);
    await_settled(job);
    drop_pool();
    gate_open(&job->finish);
    await_count(&job->ended, 1);
}
END_TEST

static int act_destroy_own_pool(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    weir_pool_destroy(pool);
    return 0;
}

START_TEST(destroying_inside_aborts_in_debug_builds)
{
#ifdef NDEBUG
    abort();
#endif
    submit_new(act_destroy_own_pool);
    settle_all();
}
END_TEST

int main(void)
{
    const TTest *const twice[] = {
        an_idle_pool_stops_and_refuses_what_comes_after,
        destroy_waits_for_callbacks,
        stuck_handlers_outlive_the_pool_and_no_callback_comes_from_them, NULL};
    const TTest *const stop[] = {
        a_drain_runs_what_was_accepted,
        a_drain_runs_the_retries_too,
        a_drain_that_timed_out_goes_on,
        stop_now_cancels_what_waits_and_asks_what_runs,
        stop_now_grants_no_retries,
        stop_now_cancels_a_retry_that_is_due,
        deaf_handlers_are_stuck_at_the_deadline,
        stop_now_with_no_time_settles_everything,
        a_drain_may_be_turned_into_stop_now,
        several_threads_may_stop_at_once,
        a_stop_wakes_blocked_submitters,
        a_stopping_pool_replaces_workers_as_long_as_there_is_work,
        overdue_attempts_hold_up_a_drain,
        a_drain_is_not_stuck_as_long_as_a_task_waits,
        NULL};
    const TTest *const destroy[] = {
        destroying_nothing_does_nothing,
        destroy_without_a_stop_cancels_what_waits,
        destroy_does_not_wait_for_an_overdue_handler, NULL};
    const TTest *const aborts[] = {destroying_inside_aborts_in_debug_builds,
                                   NULL};
    const struct chapter chapters[] = {
        {"both ways", twice, setup, pool_teardown, 2, 0},
        {"stop", stop, setup, pool_teardown, 0, 0},
        {"destroy", destroy, setup, pool_teardown, 0, 0},
        {"aborts", aborts, setup, pool_teardown, 0, SIGABRT},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: stopping", chapters);
}
