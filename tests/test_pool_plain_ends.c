/* SPDX-License-Identifier: MIT */
/*
 * test_pool_plain_ends.c - deadlines and ends of plain tasks and their pools.
 *
 * As in test_pool_plain.c, nobody hears of the tasks but the ledger.
 */
#include <weir/pool.h>

#include <sched.h>

#include "base/atomic.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.on_settled = NULL;
    options.on_release = NULL;
    options.queue_capacity = 4;
}

/* --------------------------------------------------------------- deadlines */

START_TEST(a_plain_task_times_out_at_its_deadline_and_not_before)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    ck_assert_int_eq(job->deadline.at_ns, job->started_ns + WEIR_SECONDS(5));
    advance_to_just_before(job->deadline.at_ns);
    ck_assert(!weir_task_cancelled(job->task));
    ck_assert_uint_eq(ledger_now().running, 1);
    advance_to(job->deadline.at_ns);
    while (!weir_task_cancelled(job->task))
        sched_yield();
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(ledger_now().running, 0);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(stats_now().busy, 1);
    assert_balanced();
    gate_open(&job->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().overdue, 0);
    ck_assert_uint_eq(ledger_now().done, 0);
}
END_TEST

START_TEST(each_of_many_has_its_own_deadline)
{
    struct job *jobs[4];

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool_of(4);
    for (int i = 0; i < 4; i++) {
        jobs[i] = start_new(act_wait);
        test_clock_advance(WEIR_SECONDS(1));
    }
    for (uint64_t i = 0; i < 4; i++) {
        advance_to(jobs[i]->deadline.at_ns);
        while (!weir_task_cancelled(jobs[i]->task))
            sched_yield();
        ck_assert_uint_eq(ledger_now().timed_out, i + 1);
        ck_assert(i == 3 || !weir_task_cancelled(jobs[i + 1]->task));
    }
    for (int i = 0; i < 4; i++)
        gate_open(&jobs[i]->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 4);
}
END_TEST

static void let_time_pass(void *arg)
{
    (void)arg;
    test_clock_advance(WEIR_SECONDS(4));
}

static int act_end_slowly(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_defer(task, let_time_pass, NULL), WEIR_OK);
    if (job->code)
        pthread_exit(NULL);
    return 0;
}

/* _i: whether the thread ends, too. */
START_TEST(a_slow_end_takes_no_time_from_the_next_task)
{
    struct job *first, *slow, *next;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    first = start_new(act_wait);
    slow = new_job(act_end_slowly);
    slow->code = _i;
    must_submit(slow);
    next = submit_new(act_answer);
    gate_open(&first->finish);
    settle_all();
    ck_assert_int_eq(next->deadline.at_ns, next->started_ns + WEIR_SECONDS(5));
    ck_assert_uint_eq(ledger_now().done, _i ? 2 : 3);
}
END_TEST

START_TEST(an_answer_after_the_deadline_is_late_even_if_nobody_has_looked)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    await_timekeeper(job->deadline.at_ns);
    test_clock_hold(job->deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(5));
    gate_open(&job->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
    test_clock_release(job->deadline.at_ns);
}
END_TEST

/* -------------------------------------------------------------------- stop */

START_TEST(a_stop_now_cancels_what_waits_and_asks_what_runs)
{
    struct job *first, *waits;

    open_pool();
    first = start_new(act_listen);
    waits = submit_new(act_answer);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(tally_read(&waits->started), 0);
    ck_assert_uint_eq(tally_read(&first->ended), 1);
    ck_assert_uint_eq(ledger_now().cancelled, 1);
    assert_balanced();
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_CLOSED);
}
END_TEST

START_TEST(a_stop_after_the_drain_runs_what_waits)
{
    struct call call = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *first, *waits;

    open_pool();
    first = start_new(act_wait);
    waits = submit_new(act_answer);
    block_call(&call, act_stop);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_CLOSED);
    gate_open(&first->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(tally_read(&waits->ended), 1);
    ck_assert_uint_eq(ledger_now().done, 2);
}
END_TEST

START_TEST(a_plain_task_that_does_not_listen_is_stuck)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    job->is_stuck = true;
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().cancelled, 1);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(ledger_now().unreleased, 1);
    gate_open(&job->finish);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
}
END_TEST

/* ------------------------------------------------------------- join, resize */

START_TEST(a_join_waits_for_plain_tasks)
{
    struct call call = {.status = WEIR_OK};
    struct job *first;

    open_pool();
    first = start_new(act_wait);
    must_submit(new_job(act_answer));
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    block_call(&call, act_join);
    gate_open(&first->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(ledger_now().done, 2);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_OK);
}
END_TEST

START_TEST(several_joins_all_return)
{
    struct call calls[3] = {{.status = WEIR_OK}};
    struct job *first;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 3; i++)
        block_call(&calls[i], act_join);
    gate_open(&first->finish);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&calls[i]), WEIR_OK);
}
END_TEST

START_TEST(as_many_run_at_once_as_there_are_workers)
{
    struct job *jobs[4];

    open_pool_of(4);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 4; i++)
            jobs[i] = submit_new(act_wait);
        for (int i = 0; i < 4; i++)
            await_start(jobs[i]);
        for (int i = 0; i < 4; i++)
            gate_open(&jobs[i]->finish);
        settle_all();
    }
}
END_TEST

START_TEST(a_task_has_the_context_of_its_spec)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *job = new_job(act_answer), *plain = new_job(act_answer);
    int mine, pools;

    options.context = &pools;
    open_pool();
    spec.handler = run_job;
    spec.item = job;
    spec.context = &mine;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
    must_submit(plain);
    settle_all();
    ck_assert_ptr_eq(job->context, &mine);
    ck_assert_ptr_eq(plain->context, &pools);
}
END_TEST

static struct weir__flag flooding;

static int do_little(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static void flood(void *arg)
{
    (void)arg;
    while (weir__flag_read(&flooding))
        ck_assert(weir_pool_submit(pool, do_little, NULL, WEIR_FOREVER) ==
                  WEIR_OK);
}

START_TEST(a_busy_pool_shrinks_too)
{
    struct helper helpers[3];

    weir__flag_write(&flooding, true);
    open_pool_of(3);
    for (int i = 0; i < 3; i++)
        helper_start(&helpers[i], flood, NULL);
    must_resize(1);
    await_workers(1);
    weir__flag_write(&flooding, false);
    helpers_join(helpers, 3);
    settle_all();
}
END_TEST

START_TEST(a_pool_that_shrinks_loses_no_plain_task)
{
    struct job *first;

    open_pool_of(3);
    first = start_new(act_wait);
    must_resize(1);
    for (int i = 0; i < 4; i++)
        must_submit(new_job(act_answer));
    gate_open(&first->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 5);
    await_workers(1);
    must_resize(2);
    must_submit(new_job(act_answer));
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 6);
}
END_TEST

int main(void)
{
    const TTest *const times[] = {
        a_plain_task_times_out_at_its_deadline_and_not_before,
        each_of_many_has_its_own_deadline,
        an_answer_after_the_deadline_is_late_even_if_nobody_has_looked, NULL};
    const TTest *const slow[] = {a_slow_end_takes_no_time_from_the_next_task,
                                 NULL};
    const TTest *const ends[] = {
        a_stop_now_cancels_what_waits_and_asks_what_runs,
        a_stop_after_the_drain_runs_what_waits,
        a_plain_task_that_does_not_listen_is_stuck, NULL};
    const TTest *const others[] = {a_join_waits_for_plain_tasks,
                                   several_joins_all_return,
                                   as_many_run_at_once_as_there_are_workers,
                                   a_task_has_the_context_of_its_spec,
                                   a_busy_pool_shrinks_too,
                                   a_pool_that_shrinks_loses_no_plain_task,
                                   NULL};
    const struct chapter chapters[] = {
        {"deadlines", times, setup, pool_teardown, 0, 0},
        {"slow ends", slow, setup, pool_teardown, 2, 0},
        {"the end", ends, setup, pool_teardown, 0, 0},
        {"join and size", others, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("plain tasks: their ends", chapters);
}
