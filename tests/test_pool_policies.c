/* SPDX-License-Identifier: MIT */
/* test_pool_policies.c - what happens when there is no room. */
#include <weir/pool.h>

#include <sched.h>

#include "pools.h"
#include "suite.h"

static struct job *busy, *first, *second;

/* One worker that is busy, and two tasks that wait: no more room. */
static void fill_pool(weir_on_full on_full)
{
    options.queue_capacity = 2;
    options.on_full = on_full;
    open_pool();
    busy = start_new(act_wait);
    first = submit_new(act_answer);
    second = submit_new(act_answer);
}

/* -------------------------------------------------------------------- wait */

START_TEST(a_full_pool_makes_the_submitter_wait)
{
    struct call call = {.status = WEIR_OK};

    fill_pool(WEIR_ON_FULL_WAIT);
    call.job = new_job(act_answer);
    ck_assert_int_eq(submit(call.job), WEIR_TIMED_OUT);
    block_call(&call, act_submit);
    ck_assert_uint_eq(ledger_now().accepted, 3);
    finish_job(busy);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    assert_outcome(call.job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

START_TEST(a_submit_times_out_at_its_deadline)
{
    struct call call = {.status = WEIR_OK};

    fill_pool(WEIR_ON_FULL_WAIT);
    call.job = new_job(act_answer);
    block_call(&call, act_submit);
    test_clock_advance(call.deadline.at_ns - test_clock_now() - 1);
    disturb_waiter(call.deadline.at_ns);
    test_clock_advance(1);
    ck_assert_int_eq(end_call(&call), WEIR_TIMED_OUT);
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(tally_read(&call.job->started), 0);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

START_TEST(each_place_lets_one_waiting_submitter_in)
{
    struct call calls[4];

    fill_pool(WEIR_ON_FULL_WAIT);
    for (int i = 0; i < 4; i++) {
        calls[i] = (struct call){.job = new_job(act_wait)};
        block_call(&calls[i], act_submit);
    }
    finish_job(busy); /* `first` and `second` go too: one runs, two wait */
    while (ledger_now().accepted < 6)
        sched_yield();
    await_released(second);
    ck_assert_uint_eq(ledger_now().accepted, 6);
    for (int i = 0; i < 4; i++)
        gate_open(&calls[i].job->finish);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(end_call(&calls[i]), WEIR_OK);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 7);
    ck_assert_uint_eq(ledger_now().refused, 0);
}
END_TEST

static int act_submit_when_full(weir_task *task, struct job *job)
{
    (void)task;
    gate_wait(&job->finish);
    ck_assert_int_eq(weir_pool_submit(pool, run_job, new_job(act_answer),
                                      WEIR_FOREVER),
                     WEIR_DEADLOCK);
    assert_error_names("own pool");
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_pool_submit(pool, run_job, new_job(act_answer),
                                      weir_deadline_after(WEIR_SECONDS(9))),
                     WEIR_TIMED_OUT);
    return job->code;
}

START_TEST(waiting_for_ever_inside_is_a_deadlock_and_finitely_is_not)
{
    struct job *job = new_job(act_submit_when_full);

    options.queue_capacity = 1;
    open_pool();
    busy = start_new(act_wait);
    must_submit(job);
    gate_open(&busy->finish);
    await_start(job);
    /* Its own place is free again: somebody else takes it. */
    ck_assert_int_eq(weir_pool_submit(pool, run_job, new_job(act_answer),
                                      WEIR_FOREVER),
                     WEIR_OK);
    gate_open(&job->finish);
    advance_to(test_clock_now() + WEIR_SECONDS(9));
    assert_outcome(job, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(ledger_now().refused, 3);
}
END_TEST

/* ------------------------------------------------------------------ refuse */

START_TEST(a_refusing_pool_says_full_at_once)
{
    fill_pool(WEIR_ON_FULL_REFUSE);
    ck_assert_int_eq(weir_pool_submit(pool, run_job, new_job(act_answer),
                                      WEIR_FOREVER),
                     WEIR_FULL);
    ck_assert_uint_eq(ledger_now().refused, 1);
    finish_job(busy);
    assert_outcome(second, WEIR_OUTCOME_DONE);
    settle_all();
    submit_new(act_answer);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 4);
}
END_TEST

/* ------------------------------------------------------------- drop oldest */

START_TEST(the_oldest_that_waits_is_dropped_on_the_submitters_thread)
{
    struct job *third = new_job(act_answer);

    fill_pool(WEIR_ON_FULL_DROP_OLDEST);
    must_submit(third);
    ck_assert_uint_eq(tally_read(&first->settled), 1); /* already */
    ck_assert_uint_eq(tally_read(&first->released), 1);
    ck_assert_int_eq(first->outcome.kind, WEIR_OUTCOME_DROPPED);
    ck_assert_uint_eq(first->outcome.attempts, 0);
    ck_assert_str_eq(first->message,
                     "the task was dropped to make room for another");
    ck_assert(pthread_equal(first->settled_on, pthread_self()));
    ck_assert(pthread_equal(first->released_on, pthread_self()));
    assert_unsettled(second);
    finish_job(busy);
    assert_outcome(second, WEIR_OUTCOME_DONE);
    assert_outcome(third, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(ledger_now().dropped, 1);
    ck_assert_uint_eq(ledger_now().accepted, 4);
    ck_assert_uint_eq(ledger_now().refused, 0);
}
END_TEST

START_TEST(a_dropped_tasks_future_says_so)
{
    weir_future *future;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_pool();
    busy = start_new(act_wait);
    future = submit_for(new_job(act_answer));
    submit_new(act_answer);
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DROPPED);
    weir_future_release(future);
    finish_job(busy);
}
END_TEST

START_TEST(retries_alone_are_not_dropped)
{
    struct job *retries[2];
    weir_on_full on_full = _i ? WEIR_ON_FULL_DROP_OLDEST : WEIR_ON_FULL_REFUSE;

    options.queue_capacity = 2;
    options.on_full = on_full;
    options.retry = &policy;
    open_pool();
    for (int i = 0; i < 2; i++) {
        retries[i] = new_job(act_answer);
        retries[i]->code = 1;
        must_submit(retries[i]);
    }
    await_timekeeper(test_clock_now() + WEIR_SECONDS(10));
    while (ledger_now().retrying < 2)
        sched_yield();
    ck_assert_int_eq(weir_pool_submit(pool, run_job, new_job(act_answer),
                                      WEIR_FOREVER),
                     WEIR_FULL);
    for (int i = 0; i < 2; i++)
        assert_unsettled(retries[i]);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

/* ------------------------------------------------------------- caller runs */

/* Is run by the submitter, whose thread is this. */
static struct job *run_here(int (*act)(weir_task *task, struct job *job))
{
    struct job *job = submit_new(act);

    ck_assert_uint_eq(tally_read(&job->released), 1);
    ck_assert(pthread_equal(job->ran_on, pthread_self()));
    ck_assert(pthread_equal(job->settled_on, pthread_self()));
    ck_assert_ptr_null(weir_task_current());
    return job;
}

static int act_result(weir_task *task, struct job *job)
{
    (void)job;
    ck_assert_int_eq(weir_task_result(task, "here", 5), WEIR_OK);
    return 0;
}

static int act_raise(weir_task *task, struct job *job)
{
    (void)job;
    weir_task_raise(task, 9, "here");
}

START_TEST(the_submitter_runs_the_task_itself)
{
    struct job *job;

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    job = run_here(act_result);
    ck_assert_uint_eq(job->worker, UINT32_MAX);
    ck_assert_uint_eq(job->id, 4);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_str_eq((char *)job->result, "here");
    job = run_here(act_raise);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(job->outcome.code, 9);
    ck_assert_str_eq(job->message, "here");
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(ledger_now().accepted, 5);
    ck_assert_uint_eq(ledger_now().refused, 0);
}
END_TEST

static int act_count_one_running(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    ck_assert_uint_eq(ledger_now().running, 2);
    assert_balanced();
    return 0;
}

START_TEST(a_task_in_the_submitter_is_counted_as_running)
{
    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    run_here(act_count_one_running);
    finish_job(busy);
}
END_TEST

START_TEST(a_task_in_the_submitter_gets_no_retry)
{
    struct job *job = new_job(act_answer);

    options.retry = &policy;
    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    job->code = 3;
    must_submit(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_uint_eq(job->outcome.attempts, 1);
    finish_job(busy);
}
END_TEST

START_TEST(a_task_in_the_submitter_has_a_future_too)
{
    struct job *job = new_job(act_result);
    weir_future *future;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    future = submit_for(job);
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_NOW), WEIR_OK);
    ck_assert_str_eq(outcome.result, "here");
    weir_future_release(future);
    finish_job(busy);
}
END_TEST

START_TEST(a_task_in_the_submitter_times_out_and_is_released_at_its_end)
{
    struct call call = {.status = WEIR_OK};
    struct job *job = new_job(act_wait);

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    finish_job(busy);
    settle_all();
    end_pool();
    options.timeout_ns = WEIR_SECONDS(5);
    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    call.job = job;
    call.deadline = WEIR_FOREVER;
    start_call(&call, act_submit);
    await_start(job);
    ck_assert_uint_eq(job->worker, UINT32_MAX);
    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert(weir_task_cancelled(job->task));
    ck_assert_uint_eq(ledger_now().overdue, 2); /* busy as well */
    ck_assert_uint_eq(tally_read(&job->released), 0);
    gate_open(&job->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    await_released(job);
    finish_job(busy);
}
END_TEST

START_TEST(a_stop_asks_the_submitters_task_too)
{
    struct call call = {.status = WEIR_OK};
    struct job *job = new_job(act_listen);

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    call.job = job;
    call.deadline = WEIR_FOREVER;
    start_call(&call, act_submit);
    await_start(job);
    gate_open(&busy->finish);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_stop_is_stuck_while_the_submitters_task_is_overdue)
{
    struct call call = {.status = WEIR_OK, .deadline = WEIR_FOREVER};
    struct call stop = {.how = WEIR_STOP_NOW};

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    call.job = new_job(act_wait);
    start_call(&call, act_submit);
    await_start(call.job);
    gate_open(&busy->finish);
    await_released(busy);
    await_released(first);
    await_released(second); /* or a stop could find it running */
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    assert_outcome(call.job, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(ledger_now().unreleased, 1);
    block_call(&stop, act_stop);
    for (int i = 0; i < 1000 || stats_now().workers > 0; i++)
        sched_yield(); /* time enough for the pool's threads to end */
    test_clock_advance(stop.deadline.at_ns - test_clock_now());
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    finish_job(call.job);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
}
END_TEST

/* With a future whose address it never gets. */
static weir_status act_submit_for(struct call *call)
{
    weir_future_release(submit_for(call->job));
    return WEIR_OK;
}

static void *submit_and_end(void *arg)
{
    struct call *call = arg;

    call->status = call->act(call);
    return NULL;
}

START_TEST(ending_the_thread_in_the_submitter_is_exited)
{
    static weir_status (*const acts[])(struct call *) = {act_submit,
                                                         act_submit_for};
    struct call call = {.status = WEIR_CANCELLED};
    pthread_t thread;

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    call.job = new_job(act_exit);
    call.act = acts[_i];
    ck_assert_int_eq(pthread_create(&thread, NULL, submit_and_end, &call), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(call.status, WEIR_CANCELLED); /* it never returned */
    ck_assert_uint_eq(tally_read(&call.job->released), 1);
    ck_assert_int_eq(call.job->outcome.kind, WEIR_OUTCOME_EXITED);
    ck_assert(pthread_equal(call.job->settled_on, thread));
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(ledger_now().exited, 1);
}
END_TEST

static int act_submit_inside(weir_task *task, struct job *job)
{
    (void)task;
    gate_wait(&job->finish);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_DEADLOCK);
    assert_error_names("own pool");
    return 0;
}

START_TEST(a_handler_cannot_run_a_task_of_its_own_pool_itself)
{
    struct job *job;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    job = start_new(act_submit_inside);
    submit_new(act_answer);
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(ledger_now().refused, 1);
    busy = start_new(act_wait);
    submit_new(act_answer);
    job = new_job(act_submit_inside);
    gate_open(&job->finish);
    must_submit(job); /* runs here, and its own submit is inside too */
    ck_assert_uint_eq(ledger_now().refused, 2);
    finish_job(busy);
}
END_TEST

static weir_pool *other_pool;

/* On a worker of `pool`; ends it from within a task of the other. */
static int act_exit_in_other(weir_task *task, struct job *job)
{
    (void)task;
    ck_assert_int_eq(weir_pool_submit(other_pool, run_job, job->arg, WEIR_NOW),
                     WEIR_OK);
    ck_abort_msg("the task ended the thread");
    return 0;
}

START_TEST(ending_a_worker_of_one_pool_in_a_task_of_another_ends_both_tasks)
{
    struct job *outer = new_job(act_exit_in_other);
    struct job *inner = new_job(act_exit);

    fill_pool(WEIR_ON_FULL_CALLER_RUNS);
    other_pool = pool;
    pool = NULL;
    open_pool();
    outer->arg = inner;
    must_submit(outer);
    assert_outcome(inner, WEIR_OUTCOME_EXITED);
    assert_outcome(outer, WEIR_OUTCOME_EXITED);
    await_released(outer);
    gate_open(&busy->finish);
    settle_all();
    ck_assert_int_eq(weir_pool_join(other_pool, WEIR_FOREVER), WEIR_OK);
    weir_pool_destroy(other_pool);
}
END_TEST

int main(void)
{
    const TTest *const wait[] = {
        a_full_pool_makes_the_submitter_wait,
        a_submit_times_out_at_its_deadline,
        each_place_lets_one_waiting_submitter_in,
        waiting_for_ever_inside_is_a_deadlock_and_finitely_is_not, NULL};
    const TTest *const drop[] = {
        a_refusing_pool_says_full_at_once,
        the_oldest_that_waits_is_dropped_on_the_submitters_thread,
        a_dropped_tasks_future_says_so, NULL};
    const TTest *const twice[] = {retries_alone_are_not_dropped,
                                  ending_the_thread_in_the_submitter_is_exited,
                                  NULL};
    const TTest *const caller_runs[] = {
        the_submitter_runs_the_task_itself,
        a_task_in_the_submitter_is_counted_as_running,
        a_task_in_the_submitter_gets_no_retry,
        a_task_in_the_submitter_has_a_future_too,
        a_task_in_the_submitter_times_out_and_is_released_at_its_end,
        a_stop_asks_the_submitters_task_too,
        a_stop_is_stuck_while_the_submitters_task_is_overdue,
        a_handler_cannot_run_a_task_of_its_own_pool_itself,
        ending_a_worker_of_one_pool_in_a_task_of_another_ends_both_tasks,
        NULL};
    const struct chapter chapters[] = {
        {"wait", wait, pool_setup, pool_teardown, 0, 0},
        {"refuse and drop", drop, pool_setup, pool_teardown, 0, 0},
        {"both ways", twice, pool_setup, pool_teardown, 2, 0},
        {"caller runs", caller_runs, pool_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: policies", chapters);
}
