/* SPDX-License-Identifier: MIT */
/*
 * test_pool_scaling.c - more workers when tasks wait.
 *
 * Where a test runs twice, the second time its tasks are plain ones: the pool
 * has no callbacks.
 */
#include <weir/pool.h>

#include <sched.h>

#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

static const int64_t tick_ns = WEIR_MS(10);

static void open_scaling(uint32_t workers, uint32_t max_workers, bool plain)
{
    options.max_workers = max_workers;
    if (plain) {
        options.on_settled = NULL;
        options.on_release = NULL;
    }
    open_pool_of(workers);
}

static void finish(struct job *job)
{
    gate_open(&job->finish);
    await_count(&job->ended, 1);
}

static bool is_unwatched(void)
{
    return weir__flag_read(&pool->unwatched);
}

/* A worker that is not yet asleep may have had somebody begin a watch. */
static void end_watch(void)
{
    if (!is_unwatched())
        advance_to(test_clock_now() + tick_ns);
    while (!is_unwatched())
        sched_yield();
}

/* Until a worker sleeps. */
static void await_idler(void)
{
    bool idle = false;

    for (; !idle; sched_yield()) {
        weir__mutex_lock(&pool->lock);
        idle = pool->idlers.waiters.first != NULL;
        weir__mutex_unlock(&pool->lock);
    }
}

/* So many jobs, of which the first `started` have begun. */
static void submit_jobs(struct job **jobs, int count, int started)
{
    for (int i = 0; i < started; i++)
        jobs[i] = start_new(act_check_index);
    end_watch();
    for (int i = started; i < count; i++)
        jobs[i] = submit_new(act_check_index);
}

static void finish_jobs(struct job **jobs, int count)
{
    for (int i = 0; i < count; i++)
        finish(jobs[i]);
}

static bool has_begun(struct job *job)
{
    return tally_read(&job->started) > 0;
}

/* The next look, which is due now or later; and the pool looks again. */
static void pass_tick(void)
{
    int64_t at_ns = test_clock_now() + tick_ns;

    advance_to(at_ns);
    test_clock_await_waiter(at_ns + tick_ns);
}

/* That nobody waits for a moment, whatever passes. */
static void assert_no_moments(void)
{
    uint64_t waits = test_clock_waits();

    for (int i = 0; i < 20; i++, sched_yield())
        test_clock_advance(WEIR_SECONDS(1));
    ck_assert_uint_eq(test_clock_waits(), waits);
}

/* ------------------------------------------------------------------ growth */

START_TEST(a_task_behind_sleeping_ones_starts_after_a_tick)
{
    struct job *jobs[3];

    open_scaling(2, 4, _i);
    submit_jobs(jobs, 3, 2);
    advance_to_just_before(test_clock_now() + tick_ns);
    ck_assert(!has_begun(jobs[2]));
    ck_assert_uint_eq(stats_now().workers, 2);
    test_clock_advance(1);
    await_start(jobs[2]);
    ck_assert_uint_eq(stats_now().workers, 3);
    finish_jobs(jobs, 3);
}
END_TEST

START_TEST(a_queue_that_moves_starts_nobody)
{
    struct job *jobs[8];

    open_scaling(1, 4, _i);
    submit_jobs(jobs, 2, 1);
    for (int i = 0; i < 6; i++) {
        gate_open(&jobs[i]->finish);
        await_start(jobs[i + 1]);
        jobs[i + 2] = submit_new(act_check_index);
        pass_tick();
        ck_assert_uint_eq(stats_now().workers, 1);
    }
    advance_to(test_clock_now() + tick_ns); /* and now it stands */
    await_start(jobs[7]);
    ck_assert_uint_eq(stats_now().workers, 2);
    finish_jobs(jobs, 8);
}
END_TEST

START_TEST(workers_come_by_half_of_what_there_is_and_then_no_more)
{
    static const uint32_t workers[] = {1, 2, 3, 4};
    struct job *jobs[12];

    open_scaling(1, 6, _i);
    submit_jobs(jobs, 12, 1);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(stats_now().workers, workers[i]);
        for (uint32_t k = 0; k < workers[i]; k++)
            await_start(jobs[k]);
        if (i < 3)
            pass_tick();
    }
    advance_to(test_clock_now() + tick_ns);
    await_workers(6);
    for (int k = 0; k < 6; k++)
        await_start(jobs[k]);
    assert_no_moments();
    ck_assert_uint_eq(stats_now().workers, 6);
    ck_assert_uint_eq(tally_read(&greeted), 6);
    finish_jobs(jobs, 12);
}
END_TEST

START_TEST(no_more_workers_come_than_tasks_wait)
{
    struct job *jobs[9];

    open_scaling(8, 16, _i);
    submit_jobs(jobs, 9, 8);
    advance_to(test_clock_now() + tick_ns);
    await_start(jobs[8]);
    ck_assert_uint_eq(tally_read(&greeted), 9);
    assert_no_moments(); /* nothing waits */
    finish_jobs(jobs, 9);
}
END_TEST

START_TEST(tasks_start_in_order_while_workers_come)
{
    struct job *jobs[10];

    open_scaling(1, 4, _i);
    submit_jobs(jobs, 10, 1);
    for (int i = 1; i < 4; i++) {
        advance_to(test_clock_now() + tick_ns);
        await_start(jobs[i]);
        ck_assert(!has_begun(jobs[i + 1]));
    }
    for (int i = 0; i < 6; i++) {
        gate_open(&jobs[i]->finish);
        await_start(jobs[i + 4]);
        if (i < 5)
            ck_assert(!has_begun(jobs[i + 5]));
    }
    finish_jobs(jobs, 10);
}
END_TEST

START_TEST(who_finds_an_idle_worker_begins_no_watch)
{
    struct job *jobs[2];

    open_scaling(2, 4, _i);
    submit_jobs(jobs, 1, 1);
    await_idler();
    jobs[1] = start_new(act_check_index);
    ck_assert(is_unwatched());
    assert_no_moments();
    finish_jobs(jobs, 2);
}
END_TEST

START_TEST(after_a_watch_that_ended_another_begins)
{
    struct job *jobs[4];

    open_scaling(1, 3, _i);
    submit_jobs(jobs, 2, 1);
    ck_assert(!is_unwatched());
    gate_open(&jobs[0]->finish);
    await_start(jobs[1]);
    end_watch(); /* nothing waits */
    assert_no_moments();
    for (int i = 2; i < 4; i++) {
        jobs[i] = submit_new(act_check_index);
        advance_to(test_clock_now() + tick_ns);
        await_start(jobs[i]);
        ck_assert_uint_eq(stats_now().workers, (unsigned)i);
        if (i < 3)
            end_watch();
    }
    finish_jobs(jobs + 1, 3);
}
END_TEST

/* The second submitter has waited for room, and puts its task only when the
 * watch has ended. */
START_TEST(who_had_to_wait_for_room_begins_a_watch_too)
{
    struct call call = {.job = new_job(act_check_index)};
    struct job *jobs[2];

    options.queue_capacity = 1;
    open_scaling(1, 2, _i);
    submit_jobs(jobs, 2, 1);
    block_call(&call, act_submit);
    test_clock_hold(call.deadline.at_ns);
    gate_open(&jobs[0]->finish);
    await_start(jobs[1]);
    end_watch();
    test_clock_release(call.deadline.at_ns);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    advance_to(test_clock_now() + tick_ns);
    await_start(call.job);
    finish(call.job);
    finish(jobs[1]);
}
END_TEST

START_TEST(a_pool_without_max_workers_does_not_scale)
{
    struct job *jobs[3];

    open_scaling(2, 0, _i);
    must_resize(1);
    await_workers(1);
    for (int i = 0; i < 3; i++)
        jobs[i] = submit_new(act_check_index);
    await_start(jobs[0]);
    assert_no_moments();
    ck_assert(!has_begun(jobs[1]));
    ck_assert_uint_eq(tally_read(&greeted), 2);
    finish_jobs(jobs, 3);
}
END_TEST

/* ---------------------------------------------------------- what is served */

static struct job *start_busy(void)
{
    struct job *job = start_new(act_wait);

    end_watch();
    return job;
}

START_TEST(tasks_that_are_dropped_have_not_been_served)
{
    struct job *busy, *last = NULL;

    options.queue_capacity = 2;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_scaling(1, 2, false);
    busy = start_busy();
    for (int i = 0; i < 10; i++)
        last = submit_new(act_answer);
    advance_to(test_clock_now() + tick_ns);
    assert_outcome(last, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(ledger_now().dropped, 8);
    finish_job(busy);
}
END_TEST

START_TEST(tasks_that_expire_have_not_been_served)
{
    struct job *busy, *last;

    options.time_to_live_ns = WEIR_MS(6);
    open_scaling(1, 2, false);
    busy = start_busy();
    last = submit_new(act_answer);
    advance_to(test_clock_now() + WEIR_MS(6));
    assert_outcome(last, WEIR_OUTCOME_EXPIRED);
    last = submit_new(act_answer);
    advance_to(test_clock_now() + WEIR_MS(4)); /* the look */
    assert_outcome(last, WEIR_OUTCOME_DONE);
    finish_job(busy);
}
END_TEST

START_TEST(tasks_that_their_submitter_runs_take_no_worker)
{
    struct job *busy, *queued;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_scaling(1, 2, false);
    busy = start_busy();
    queued = submit_new(act_answer);
    for (int i = 0; i < 10; i++)
        assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    advance_to(test_clock_now() + tick_ns);
    assert_outcome(queued, WEIR_OUTCOME_DONE);
    finish_job(busy);
}
END_TEST

START_TEST(a_retry_that_is_due_waits_and_one_that_is_not_does_not)
{
    struct job *fails = new_job(act_answer), *busy;
    int64_t due_ns;

    fails->code = 1;
    policy.max_attempts = 2;
    options.retry = &policy;
    open_scaling(1, 3, false);
    must_submit(fails);
    await_start(fails);
    due_ns = test_clock_now() + WEIR_SECONDS(10);
    busy = start_busy();
    advance_to(due_ns);
    test_clock_await_waiter(due_ns + tick_ns);
    ck_assert_uint_eq(stats_now().workers, 1);
    test_clock_advance(tick_ns);
    await_attempt(fails, 2);
    assert_outcome(fails, WEIR_OUTCOME_FAILED);
    ck_assert_uint_eq(stats_now().workers, 2);
    end_watch(); /* it waits no more */
    finish_job(busy);
}
END_TEST

/* ------------------------------------------------------- slow to get ready */

START_TEST(while_one_gets_ready_no_other_comes_for_the_same_task)
{
    struct job *jobs[3];

    options.worker_start = start_slowly;
    open_scaling(1, 4, _i);
    submit_jobs(jobs, 2, 1);
    pass_tick();
    await_count(&greeted, 2);
    for (int i = 0; i < 5; i++)
        pass_tick();
    ck_assert_uint_eq(tally_read(&greeted), 2);
    jobs[2] = submit_new(act_check_index);
    pass_tick();
    await_count(&greeted, 3);
    pass_tick();
    ck_assert_uint_eq(tally_read(&greeted), 3);
    gate_open(&start_may_end);
    finish_jobs(jobs, 3);
}
END_TEST

/* ------------------------------------------------------------------ resize */

START_TEST(a_higher_least_number_takes_in_who_is_there)
{
    struct job *jobs[3];

    open_scaling(1, 4, _i);
    submit_jobs(jobs, 3, 1);
    for (int i = 1; i < 3; i++) {
        advance_to(test_clock_now() + tick_ns);
        await_start(jobs[i]);
    }
    must_resize(3);
    ck_assert_uint_eq(stats_now().workers, 3);
    must_resize(5); /* and more than the most */
    ck_assert_uint_eq(stats_now().workers, 5);
    finish_jobs(jobs, 3);
    assert_no_moments(); /* they all stay */
    ck_assert_uint_eq(stats_now().workers, 5);
}
END_TEST

START_TEST(below_a_lower_least_number_the_load_may_call_them_back)
{
    struct job *jobs[3];

    open_scaling(3, 3, _i);
    must_resize(1);
    await_count(&parted, 2);
    ck_assert_uint_eq(stats_now().workers, 1);
    submit_jobs(jobs, 3, 1);
    for (int i = 1; i < 3; i++) {
        advance_to(test_clock_now() + tick_ns);
        await_start(jobs[i]);
    }
    finish_jobs(jobs, 3);
}
END_TEST

/* Nobody puts a task after that. */
START_TEST(a_lower_least_number_begins_a_watch_if_tasks_wait)
{
    struct job *jobs[5];

    open_scaling(3, 3, _i);
    for (int i = 0; i < 5; i++)
        jobs[i] = submit_new(act_check_index);
    for (int i = 0; i < 3; i++)
        await_start(jobs[i]);
    must_resize(1);
    finish_jobs(jobs, 2);
    await_count(&parted, 2);
    ck_assert(!has_begun(jobs[3]));
    for (int i = 3; i < 5; i++) {
        advance_to(test_clock_now() + tick_ns);
        await_start(jobs[i]);
    }
    finish_jobs(jobs + 2, 3);
}
END_TEST

START_TEST(while_a_resize_starts_workers_nobody_else_does)
{
    struct call resize = {.workers = 2};
    struct job *jobs[4];

    options.worker_start = start_slowly;
    open_scaling(1, 4, _i);
    submit_jobs(jobs, 4, 1);
    start_call(&resize, act_resize);
    await_count(&greeted, 2);
    for (int i = 0; i < 5; i++)
        pass_tick();
    ck_assert_uint_eq(tally_read(&greeted), 2);
    gate_open(&start_may_end);
    ck_assert_int_eq(end_call(&resize), WEIR_OK);
    await_start(jobs[1]);
    for (int i = 2; i < 4; i++) {
        advance_to(test_clock_now() + tick_ns);
        await_start(jobs[i]);
    }
    finish_jobs(jobs, 4);
}
END_TEST

int main(void)
{
    const TTest *const growth[] = {
        a_task_behind_sleeping_ones_starts_after_a_tick,
        a_queue_that_moves_starts_nobody,
        workers_come_by_half_of_what_there_is_and_then_no_more,
        no_more_workers_come_than_tasks_wait,
        tasks_start_in_order_while_workers_come,
        who_finds_an_idle_worker_begins_no_watch,
        after_a_watch_that_ended_another_begins,
        who_had_to_wait_for_room_begins_a_watch_too,
        a_pool_without_max_workers_does_not_scale,
        while_one_gets_ready_no_other_comes_for_the_same_task,
        NULL};
    const TTest *const served[] = {
        tasks_that_are_dropped_have_not_been_served,
        tasks_that_expire_have_not_been_served,
        tasks_that_their_submitter_runs_take_no_worker,
        a_retry_that_is_due_waits_and_one_that_is_not_does_not, NULL};
    const TTest *const resize[] = {
        a_higher_least_number_takes_in_who_is_there,
        below_a_lower_least_number_the_load_may_call_them_back,
        a_lower_least_number_begins_a_watch_if_tasks_wait,
        while_a_resize_starts_workers_nobody_else_does, NULL};
    const struct chapter chapters[] = {
        {"growth", growth, hooked_setup, hooked_teardown, 2, 0},
        {"served", served, hooked_setup, hooked_teardown, 0, 0},
        {"resize", resize, hooked_setup, hooked_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: scaling", chapters);
}
