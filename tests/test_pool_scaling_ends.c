/* SPDX-License-Identifier: MIT */
/*
 * test_pool_scaling_ends.c - idle workers go; starts that fail; stop and fork
 * while workers come.
 *
 * Where a test runs twice, the second time its tasks are plain ones: the pool
 * has no callbacks.
 */
#include <weir/pool.h>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

static const int64_t tick_ns = WEIR_MS(10), idle_ns = WEIR_SECONDS(5);

static void teardown(void)
{
    weir__fault_arm(0);
    hooked_teardown();
}

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

static bool has_begun(struct job *job)
{
    return tally_read(&job->started) > 0;
}

/* One job after another, each on a worker of its own. */
static void grow(struct job **jobs, int count)
{
    for (int i = 0; i < count; i++) {
        jobs[i] = submit_new(act_check_index);
        while (!has_begun(jobs[i])) {
            test_clock_advance(tick_ns);
            sched_yield();
        }
    }
    ck_assert_uint_eq(stats_now().workers, (unsigned)count);
}

/* That nobody waits for a moment, whatever passes. */
static void assert_no_moments(void)
{
    uint64_t waits = test_clock_waits();

    for (int i = 0; i < 20; i++, sched_yield())
        test_clock_advance(WEIR_SECONDS(1));
    ck_assert_uint_eq(test_clock_waits(), waits);
}

/* -------------------------------------------------------------------- idle */

START_TEST(idle_workers_above_the_least_number_go_after_a_while)
{
    struct job *jobs[4];
    int64_t until_ns;

    open_scaling(2, 4, _i);
    grow(jobs, 4);
    until_ns = test_clock_now() + idle_ns;
    for (int i = 0; i < 4; i++)
        finish(jobs[i]);
    test_clock_await_waiters(until_ns, 4);
    test_clock_advance(idle_ns - 1);
    ck_assert_uint_eq(stats_now().workers, 4);
    test_clock_advance(1);
    await_count(&parted, 2);
    await_workers(2);
    assert_no_moments();
    ck_assert_uint_eq(tally_read(&parted), 2);
    ck_assert_uint_eq(tally_read(&greeted), 4);
}
END_TEST

START_TEST(light_work_keeps_one_worker_and_lets_the_others_go)
{
    struct job *jobs[4], *job;
    uint32_t worker = UINT32_MAX;

    open_scaling(1, 4, _i);
    grow(jobs, 4);
    for (int i = 0; i < 4; i++)
        finish(jobs[i]);
    test_clock_await_waiters(test_clock_now() + idle_ns, 4);
    for (int i = 0; i < 60; i++) {
        test_clock_advance(WEIR_MS(100));
        if (i >= 49) /* 5 s */
            await_workers(1);
        job = submit_new(act_answer);
        await_count(&job->ended, 1);
        if (worker != UINT32_MAX)
            ck_assert_uint_eq(job->worker, worker);
        worker = job->worker;
        if (i < 49)
            test_clock_await_waiter(test_clock_now() + idle_ns);
    }
    await_count(&parted, 3);
}
END_TEST

START_TEST(a_worker_that_gets_a_task_in_time_stays)
{
    struct job *jobs[2];
    int64_t until_ns;

    open_scaling(1, 2, _i);
    grow(jobs, 2);
    until_ns = test_clock_now() + idle_ns;
    finish(jobs[1]);
    test_clock_await_waiter(until_ns);
    test_clock_advance(idle_ns - 1);
    jobs[1] = start_new(act_check_index);
    test_clock_advance(2 * idle_ns);
    ck_assert_uint_eq(stats_now().workers, 2);
    until_ns = test_clock_now() + idle_ns;
    finish(jobs[1]);
    test_clock_await_waiter(until_ns);
    test_clock_advance(idle_ns);
    await_workers(1);
    finish(jobs[0]);
}
END_TEST

START_TEST(whose_task_another_took_has_been_idle_all_the_time)
{
    struct job *jobs[2];
    int64_t until_ns;

    open_scaling(1, 2, _i);
    grow(jobs, 2);
    until_ns = test_clock_now() + idle_ns;
    finish(jobs[1]);
    test_clock_await_waiter(until_ns);
    test_clock_advance(idle_ns / 2);
    disturb_waiter(until_ns);
    test_clock_advance(idle_ns / 2);
    await_workers(1);
    finish(jobs[0]);
}
END_TEST

START_TEST(what_went_comes_back_when_tasks_wait)
{
    struct job *jobs[3];

    open_scaling(1, 3, _i);
    for (int round = 0; round < 3; round++) {
        int64_t until_ns;

        grow(jobs, 3);
        until_ns = test_clock_now() + idle_ns;
        for (int i = 0; i < 3; i++)
            finish(jobs[i]);
        test_clock_await_waiters(until_ns, 3);
        test_clock_advance(idle_ns);
        await_workers(1);
        await_count(&parted, 2 * ((unsigned)round + 1));
    }
}
END_TEST

START_TEST(resizing_leaves_alone_who_came_for_the_load)
{
    struct job *jobs[4];
    int64_t until_ns;

    open_scaling(3, 4, _i);
    grow(jobs, 4);
    must_resize(1);
    until_ns = test_clock_now() + idle_ns;
    for (int i = 0; i < 4; i++)
        finish(jobs[i]);
    await_count(&parted, 2);
    ck_assert_uint_eq(stats_now().workers, 2);
    test_clock_await_waiters(until_ns, 2);
    test_clock_advance(idle_ns);
    await_count(&parted, 3);
    await_workers(1);
}
END_TEST

START_TEST(a_worker_called_by_load_that_ends_its_thread_is_replaced)
{
    struct job *jobs[2], *third;

    open_scaling(1, 2, _i);
    grow(jobs, 1);
    jobs[1] = submit_new(act_wait_and_exit);
    while (!has_begun(jobs[1])) {
        test_clock_advance(tick_ns);
        sched_yield();
    }
    third = submit_new(act_check_index);
    gate_open(&jobs[1]->finish);
    await_start(third);
    await_count(&greeted, 3);
    ck_assert_uint_eq(stats_now().workers, 2);
    finish(third);
    finish(jobs[0]);
}
END_TEST

START_TEST(a_thread_that_was_given_up_is_no_worker)
{
    struct job *stuck, *jobs[2];
    int64_t until_ns;

    /* Farther than all the ticks that pass until a thread comes round. */
    options.timeout_ns = WEIR_SECONDS(10000000);
    options.grace_ns = WEIR_SECONDS(1);
    options.max_abandoned = 2;
    open_scaling(1, 2, _i);
    stuck = start_new(act_check_index);
    advance_to(stuck->deadline.at_ns);
    advance_to(stuck->deadline.at_ns + WEIR_SECONDS(1));
    await_count(&greeted, 2);
    ck_assert_uint_eq(stats_now().workers, 1);
    grow(jobs, 2); /* as ever */
    ck_assert_uint_eq(tally_read(&greeted), 3);
    ck_assert_uint_lt(jobs[1]->worker, 2 + 2);
    until_ns = test_clock_now() + idle_ns;
    for (int i = 0; i < 2; i++)
        finish(jobs[i]);
    test_clock_await_waiters(until_ns, 2);
    test_clock_advance(idle_ns);
    await_count(&parted, 1);
    ck_assert_uint_eq(stats_now().workers, 1);
    finish(stuck);
    await_count(&parted, 2);
    ck_assert_uint_eq(stats_now().workers, 1);
}
END_TEST

/* ---------------------------------------------------------- failing starts */

/* It has waited for one tick when a worker that was to come did not. */
static struct job *submit_behind(struct job **busy)
{
    struct job *job;

    *busy = start_new(act_check_index);
    test_clock_advance(2 * tick_ns); /* if there was a watch it has ended */
    while (!weir__flag_read(&pool->unwatched))
        sched_yield();
    job = submit_new(act_check_index);
    advance_to_just_before(test_clock_now() + tick_ns);
    return job;
}

/* So many looks. */
static void pass_ticks(int count)
{
    for (int i = 0; i < count; i++) {
        test_clock_advance(tick_ns);
        test_clock_await_waiter(test_clock_now() + tick_ns);
    }
}

/* Also if there can be no other: the watch had ended when it was called. */
START_TEST(a_thread_that_does_not_start_is_tried_again_after_a_while)
{
    struct job *busy, *job;

    open_scaling(1, _i ? 2 : 4, _i);
    job = submit_behind(&busy);
    weir__fault_arm(1);
    test_clock_advance(1);
    test_clock_await_waiter(test_clock_now() + tick_ns);
    ck_assert_uint_eq(weir__fault_points(), 1);
    pass_ticks(9); /* 90 ms */
    ck_assert_uint_eq(weir__fault_points(), 1);
    ck_assert_uint_eq(stats_now().workers, 1);
    test_clock_advance(tick_ns);
    await_start(job);
    ck_assert_uint_eq(stats_now().workers, 2);
    finish(job);
    finish(busy);
}
END_TEST

START_TEST(nor_is_it_tried_again_when_no_task_waits_any_more)
{
    struct job *busy, *job;

    open_scaling(1, 4, _i);
    job = submit_behind(&busy);
    weir__fault_arm(1);
    test_clock_advance(1);
    test_clock_await_waiter(test_clock_now() + tick_ns);
    pass_ticks(2);
    finish(busy);
    await_start(job);
    test_clock_advance(tick_ns);
    while (!weir__flag_read(&pool->unwatched))
        sched_yield();
    assert_no_moments();
    ck_assert_uint_eq(weir__fault_points(), 1);
    ck_assert_uint_eq(stats_now().workers, 1);
    finish(job);
}
END_TEST

static struct weir__flag refusing;
static struct tally refusals = TALLY_INIT;

static int refuse_for_a_while(void *arg, uint32_t worker)
{
    if (!weir__flag_read(&refusing))
        return greet_worker(arg, worker);
    tally_add(&refusals, 1);
    return 7;
}

START_TEST(a_worker_start_that_refuses_is_asked_again_after_a_while)
{
    struct job *busy, *job;

    options.worker_start = refuse_for_a_while;
    open_scaling(1, _i ? 4 : 2, _i);
    job = submit_behind(&busy);
    weir__flag_write(&refusing, true);
    test_clock_advance(1);
    await_count(&refusals, 1);
    await_workers(1);
    pass_ticks(9);
    ck_assert_uint_eq(tally_read(&refusals), 1);
    test_clock_advance(tick_ns);
    await_count(&refusals, 2);
    await_workers(1);
    weir__flag_write(&refusing, false);
    pass_ticks(9);
    ck_assert_uint_eq(tally_read(&refusals), 2);
    test_clock_advance(tick_ns);
    await_start(job);
    finish(job);
    finish(busy);
}
END_TEST

START_TEST(nor_is_one_that_refused_when_no_task_waits_any_more)
{
    struct job *busy, *job;

    options.worker_start = refuse_for_a_while;
    open_scaling(1, 4, _i);
    job = submit_behind(&busy);
    weir__flag_write(&refusing, true);
    test_clock_advance(1);
    await_count(&refusals, 1);
    await_workers(1);
    finish(busy);
    await_start(job);
    test_clock_advance(tick_ns);
    while (!weir__flag_read(&pool->unwatched))
        sched_yield();
    assert_no_moments();
    ck_assert_uint_eq(tally_read(&refusals), 1);
    finish(job);
}
END_TEST

START_TEST(a_resize_that_fails_changes_nothing)
{
    struct job *jobs[2];
    int64_t until_ns;

    options.worker_start = refuse_for_a_while;
    open_scaling(1, 4, _i);
    grow(jobs, 2);
    weir__flag_write(&refusing, true);
    ck_assert_int_eq(weir_pool_resize(pool, 4), WEIR_ESYSTEM);
    ck_assert_uint_eq(stats_now().workers, 2);
    weir__flag_write(&refusing, false);
    while (!weir__flag_read(&pool->unwatched)) {
        test_clock_advance(tick_ns);
        sched_yield();
    }
    assert_no_moments(); /* nobody is missing */
    ck_assert_uint_eq(tally_read(&greeted), 2);
    until_ns = test_clock_now() + idle_ns;
    for (int i = 0; i < 2; i++)
        finish(jobs[i]);
    test_clock_await_waiters(until_ns, 2);
    test_clock_advance(idle_ns);
    await_workers(1);
}
END_TEST

/* Of four workers three have ended, and the first of their successors has not
 * started: the others are still to come. */
START_TEST(a_resize_waits_for_the_least_number_and_no_more)
{
    struct job *jobs[4];

    options.worker_start = refuse_for_a_while;
    open_scaling(1, 4, _i);
    jobs[0] = start_new(act_check_index);
    for (int i = 1; i < 4; i++) {
        jobs[i] = submit_new(act_wait_and_exit);
        while (!has_begun(jobs[i])) {
            test_clock_advance(tick_ns);
            sched_yield();
        }
    }
    weir__fault_arm(1);
    for (int i = 1; i < 4; i++)
        finish(jobs[i]);
    await_count(&parted, 3);
    test_clock_await_waiter(test_clock_now() + WEIR_MS(100));
    weir__fault_arm(0);
    ck_assert_uint_eq(stats_now().workers, 1);
    must_resize(2);
    ck_assert_uint_eq(stats_now().workers, 2);
    test_clock_advance(WEIR_MS(100));
    await_workers(3);
    finish(jobs[0]);
}
END_TEST

/* ---------------------------------------------------------- stop and fork */

START_TEST(workers_come_while_a_pool_drains)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *jobs[3];

    open_scaling(1, 3, _i);
    for (int i = 0; i < 3; i++)
        jobs[i] = submit_new(act_check_index);
    await_start(jobs[0]);
    block_call(&stop, act_stop);
    for (int i = 1; i < 3; i++)
        while (!has_begun(jobs[i])) {
            test_clock_advance(tick_ns);
            sched_yield();
        }
    for (int i = 0; i < 3; i++)
        finish(jobs[i]);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    ck_assert_uint_eq(tally_read(&parted), 3);
}
END_TEST

START_TEST(a_stop_now_ends_the_watch_with_what_waits)
{
    struct job *busy = NULL, *job;

    open_scaling(1, 3, _i);
    job = submit_behind(&busy);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    ck_assert(!has_begun(job));
    ck_assert_uint_eq(ledger_now().cancelled, 2);
    test_clock_advance(tick_ns);
    for (int i = 0; i < 20; i++, sched_yield())
        test_clock_advance(WEIR_SECONDS(1));
    ck_assert_uint_eq(tally_read(&greeted), 1);
    finish(busy);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
}
END_TEST

START_TEST(a_pool_may_end_while_a_worker_comes)
{
    struct call end = {.how = WEIR_STOP_NOW, .deadline = WEIR_FOREVER};
    struct job *busy, *job;

    options.worker_start = start_slowly;
    open_scaling(1, 3, _i % 2);
    job = submit_behind(&busy);
    test_clock_advance(1);
    await_count(&greeted, 2);
    start_call(&end, act_stop);
    gate_open(&start_may_end);
    gate_open(&busy->finish);
    gate_open(&job->finish); /* it may have begun */
    ck_assert_int_eq(end_call(&end), WEIR_OK);
    ck_assert_uint_eq(tally_read(&parted), 2);
}
END_TEST

START_TEST(idle_workers_that_came_end_with_the_pool)
{
    struct job *jobs[4];

    open_scaling(1, 4, _i);
    grow(jobs, 4);
    for (int i = 0; i < 4; i++)
        finish(jobs[i]);
    test_clock_await_waiters(test_clock_now() + idle_ns, 4);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    end_pool();
    ck_assert_uint_eq(tally_read(&parted), 4);
}
END_TEST

START_TEST(a_fork_child_may_not_use_a_pool_whose_workers_come)
{
    struct job *busy, *job = NULL;
    pid_t child;
    int status;

    open_scaling(1, 3, _i);
    job = submit_behind(&busy);
    child = fork();
    if (child == 0) {
        bool right = submit(job) == WEIR_FORKED &&
                     weir_pool_resize(pool, 2) == WEIR_FORKED &&
                     stats_now().workers == 0;

        weir_pool_destroy(pool);
        _exit(!right);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    test_clock_advance(1);
    await_start(job);
    finish(job);
    finish(busy);
}
END_TEST

int main(void)
{
    const TTest *const idle[] = {
        idle_workers_above_the_least_number_go_after_a_while,
        light_work_keeps_one_worker_and_lets_the_others_go,
        a_worker_that_gets_a_task_in_time_stays,
        whose_task_another_took_has_been_idle_all_the_time,
        what_went_comes_back_when_tasks_wait,
        resizing_leaves_alone_who_came_for_the_load,
        a_worker_called_by_load_that_ends_its_thread_is_replaced,
        a_thread_that_was_given_up_is_no_worker,
        NULL};
    const TTest *const failing[] = {
        a_thread_that_does_not_start_is_tried_again_after_a_while,
        nor_is_it_tried_again_when_no_task_waits_any_more,
        a_worker_start_that_refuses_is_asked_again_after_a_while,
        nor_is_one_that_refused_when_no_task_waits_any_more,
        a_resize_that_fails_changes_nothing,
        a_resize_waits_for_the_least_number_and_no_more,
        NULL};
    const TTest *const ends[] = {
        workers_come_while_a_pool_drains,
        a_stop_now_ends_the_watch_with_what_waits,
        a_pool_may_end_while_a_worker_comes,
        idle_workers_that_came_end_with_the_pool,
        a_fork_child_may_not_use_a_pool_whose_workers_come,
        NULL};
    const struct chapter chapters[] = {
        {"idle", idle, hooked_setup, teardown, 2, 0},
        {"failing starts", failing, hooked_setup, teardown, 2, 0},
        {"stop and fork", ends, hooked_setup, teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: scaling and its ends", chapters);
}
