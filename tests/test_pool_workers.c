/* SPDX-License-Identifier: MIT */
/* test_pool_workers.c - hooks, and workers that end. */
#include <weir/pool.h>

#include <sched.h>
#include <sys/prctl.h>

#include "base/fault.h"
#include "pools.h"
#include "suite.h"

/* ------------------------------------------------------------------- hooks */

START_TEST(every_worker_starts_before_create_returns_and_stops_at_the_end)
{
    open_pool_of(5);
    ck_assert_uint_eq(tally_read(&greeted), 5);
    ck_assert_uint_eq(stats_now().workers, 5);
    ck_assert_uint_eq(tally_read(&parted), 0);
    end_pool();
    ck_assert_uint_eq(tally_read(&greeted), 5);
    ck_assert_uint_eq(tally_read(&parted), 5);
}
END_TEST

START_TEST(indices_are_of_the_threads_that_started_with_them)
{
    struct job *jobs[5];

    open_pool_of(5);
    for (int i = 0; i < 5; i++)
        jobs[i] = start_new(act_check_index);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < i; k++)
            ck_assert_uint_ne(jobs[i]->worker, jobs[k]->worker);
    for (int i = 0; i < 5; i++)
        finish_job(jobs[i]);
}
END_TEST

START_TEST(a_worker_that_refuses_fails_the_create)
{
    static const int answers[] = {7, -1};
    weir_pool *none = NULL;

    greeting = answers[_i];
    options.workers = 3;
    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_ESYSTEM);
    assert_error_names("answered");
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(tally_read(&parted), 0);
}
END_TEST

static pthread_key_t key;

static void dawdle(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++)
        sched_yield();
}

/* And takes its time to go. */
static int refuse_later_ones(void *arg, uint32_t worker)
{
    if (worker < 2)
        return greet_worker(arg, worker);
    ck_assert_int_eq(pthread_setspecific(key, &key), 0);
    return 7;
}

START_TEST(a_worker_that_refuses_fails_the_resize_and_nothing_changes)
{
    struct job *jobs[2];

    ck_assert_int_eq(pthread_key_create(&key, dawdle), 0);
    options.worker_start = refuse_later_ones;
    open_pool_of(2);
    ck_assert_int_eq(weir_pool_resize(pool, 5), WEIR_ESYSTEM);
    assert_error_names("7");
    ck_assert_uint_eq(stats_now().workers, 2);
    for (int i = 0; i < 2; i++)
        jobs[i] = start_new(act_check_index);
    ck_assert_uint_eq(tally_read(&parted), 0); /* the first two */
    for (int i = 0; i < 2; i++)
        finish_job(jobs[i]);
    test_clock_advance(WEIR_SECONDS(1)); /* nor does anybody try again */
    assert_outcome(submit_new(act_exit), WEIR_OUTCOME_EXITED);
    await_count(&greeted, 3);
    for (int i = 0; i < 100; i++, sched_yield())
        ck_assert_uint_le(stats_now().workers, 2);
}
END_TEST

static int exit_in_later_ones(void *arg, uint32_t worker)
{
    if (worker >= 2)
        pthread_exit(NULL);
    return greet_worker(arg, worker);
}

START_TEST(a_worker_start_that_ends_its_thread_fails_the_call)
{
    weir_pool *none = NULL;

    options.worker_start = exit_in_later_ones;
    options.workers = 4;
    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_ESYSTEM);
    assert_error_names("ended its thread");
    ck_assert_ptr_null(none);
    open_pool_of(2);
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_ESYSTEM);
    assert_error_names("ended its thread");
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}
END_TEST

static int start_and_join(void *arg, uint32_t worker)
{
    if (pool) {
        ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_DEADLOCK);
        ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW),
                         WEIR_DEADLOCK);
    }
    return greet_worker(arg, worker);
}

static void stop_and_join(void *arg, uint32_t worker)
{
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_DEADLOCK);
    ck_assert_ptr_null(weir_task_current());
    part_worker(arg, worker);
}

START_TEST(worker_hooks_are_inside_the_pool)
{
    options.worker_start = start_and_join;
    options.worker_stop = stop_and_join;
    open_pool_of(1);
    must_resize(2);
    must_resize(1);
    await_count(&parted, 1);
}
END_TEST

/* --------------------------------------------------------------- endings */

START_TEST(a_worker_that_ends_is_replaced_and_keeps_its_hooks_paired)
{
    open_pool_of(2);
    for (int i = 0; i < 10; i++)
        assert_outcome(submit_new(act_exit), WEIR_OUTCOME_EXITED);
    settle_all();
    await_count(&greeted, 12);
    await_workers(2);
    ck_assert_uint_eq(tally_read(&parted), 10);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}
END_TEST

static struct tally exits = TALLY_INIT;

static int exit_at_once(weir_task *task, void *item)
{
    (void)item;
    assert_index_is_mine(task, 4);
    tally_add(&exits, 1);
    pthread_exit(NULL);
}

START_TEST(ten_thousand_exits_lose_neither_task_nor_worker)
{
    options.on_settled = NULL;
    options.on_release = NULL;
    open_pool_of(4);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(weir_pool_submit(pool, exit_at_once, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
    settle_all();
    ck_assert_uint_eq(tally_read(&exits), 10000);
    ck_assert_uint_eq(ledger_now().exited, 10000);
    ck_assert_uint_eq(stats_now().busy, 0);
    await_workers(4);
    await_count(&greeted, 10004);
}
END_TEST

/* The 4 replacements fail at first; each is tried again after a while. */
START_TEST(a_worker_that_cannot_be_replaced_at_once_is_made_good)
{
    struct job *jobs[4], *after;

    open_pool_of(4);
    for (int i = 0; i < 4; i++)
        jobs[i] = start_new(act_wait_and_exit);
    after = submit_new(act_answer);
    weir__fault_arm(1);
    for (int i = 0; i < 4; i++)
        gate_open(&jobs[i]->finish);
    for (int i = 0; i < 4; i++)
        await_released(jobs[i]);
    while (weir__fault_points() < 1)
        sched_yield();
    while (tally_read(&after->settled) == 0) {
        test_clock_advance(WEIR_MS(100));
        sched_yield();
    }
    weir__fault_arm(0);
    ck_assert_int_eq(after->outcome.kind, WEIR_OUTCOME_DONE);
    for (int i = 0; i < 50 && stats_now().workers < 4; i++)
        test_clock_advance(WEIR_MS(100));
    await_workers(4);
}
END_TEST

/* No spinning: the next try is 100 ms later and not before. */
START_TEST(a_failed_start_is_tried_again_after_a_while)
{
    struct job *job, *after;
    int64_t failed_ns = test_clock_now();

    open_pool_of(1);
    job = start_new(act_wait_and_exit);
    after = submit_new(act_answer);
    weir__fault_arm(1);
    gate_open(&job->finish);
    test_clock_await_waiter(failed_ns + WEIR_MS(100));
    ck_assert_uint_eq(weir__fault_points(), 1);
    ck_assert_uint_eq(stats_now().workers, 0);
    test_clock_advance(WEIR_MS(100) - 1);
    assert_unsettled(after);
    test_clock_advance(1);
    assert_outcome(after, WEIR_OUTCOME_DONE);
    weir__fault_arm(0);
}
END_TEST

static struct tally refusals = TALLY_INIT;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static bool refusing; /* with guard */

static int refuse_for_a_while(void *arg, uint32_t worker)
{
    bool refuses;

    pthread_mutex_lock(&guard);
    refuses = refusing;
    pthread_mutex_unlock(&guard);
    if (!refuses)
        return greet_worker(arg, worker);
    tally_add(&refusals, 1);
    return 1;
}

START_TEST(a_replacement_that_refuses_is_tried_again_after_a_while)
{
    struct job *job, *after;

    options.worker_start = refuse_for_a_while;
    open_pool_of(1);
    refusing = true;
    job = start_new(act_wait_and_exit);
    after = submit_new(act_answer);
    gate_open(&job->finish);
    test_clock_await_waiter(test_clock_now() + WEIR_MS(100));
    ck_assert_uint_eq(tally_read(&refusals), 1);
    pthread_mutex_lock(&guard);
    refusing = false;
    pthread_mutex_unlock(&guard);
    test_clock_advance(WEIR_MS(100));
    assert_outcome(after, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_worker_that_has_to_wait_does_not_hold_up_the_notifier)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *job, *expires = new_job(act_answer);

    options.worker_start = refuse_for_a_while;
    open_pool_of(1);
    refusing = true;
    job = start_new(act_wait_and_exit);
    spec.time_to_live_ns = WEIR_MS(50);
    weir_future_release(submit_spec(expires, spec));
    gate_open(&job->finish);
    await_count(&refusals, 1);
    await_workers(0);
    test_clock_await_waiter(test_clock_now() + WEIR_MS(50));
    test_clock_advance(WEIR_MS(50));
    assert_outcome(expires, WEIR_OUTCOME_EXPIRED);
    pthread_mutex_lock(&guard);
    refusing = false;
    pthread_mutex_unlock(&guard);
    test_clock_advance(WEIR_MS(50));
    await_workers(1);
}
END_TEST

static int act_note_slack(weir_task *task, struct job *job)
{
    (void)task;
    job->code = prctl(PR_GET_TIMERSLACK);
    return 0;
}

START_TEST(what_a_handler_sleeps_ends_on_time)
{
    struct job *job;

    open_pool_of(1);
    job = submit_new(act_note_slack);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->code, 1000);
}
END_TEST

/* Runs while the thread goes, before the library's own last word. */
static void use_weir_at_the_end(void *value)
{
    struct job *job = value;
    volatile unsigned char over_old_frames[4096];

    for (size_t i = 0; i < sizeof(over_old_frames); i++)
        over_old_frames[i] = 0xa5;
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_DEADLOCK);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    assert_balanced();
}

static int act_exit_with_destructor(weir_task *task, struct job *job)
{
    ck_assert_int_eq(pthread_setspecific(key, job), 0);
    return act_exit(task, job);
}

START_TEST(a_programs_own_destructors_come_before_the_release)
{
    ck_assert_int_eq(pthread_key_create(&key, use_weir_at_the_end), 0);
    open_pool_of(1);
    assert_outcome(submit_new(act_exit_with_destructor), WEIR_OUTCOME_EXITED);
    settle_all();
    end_pool();
    ck_assert_int_eq(pthread_key_delete(key), 0);
}
END_TEST

int main(void)
{
    const TTest *const hooks[] = {
        every_worker_starts_before_create_returns_and_stops_at_the_end,
        indices_are_of_the_threads_that_started_with_them,
        a_worker_that_refuses_fails_the_resize_and_nothing_changes,
        a_worker_start_that_ends_its_thread_fails_the_call,
        worker_hooks_are_inside_the_pool,
        what_a_handler_sleeps_ends_on_time,
        NULL};
    const TTest *const refusals_of_two[] = {
        a_worker_that_refuses_fails_the_create, NULL};
    const TTest *const endings[] = {
        a_worker_that_ends_is_replaced_and_keeps_its_hooks_paired,
        ten_thousand_exits_lose_neither_task_nor_worker,
        a_worker_that_cannot_be_replaced_at_once_is_made_good,
        a_failed_start_is_tried_again_after_a_while,
        a_worker_that_has_to_wait_does_not_hold_up_the_notifier,
        a_replacement_that_refuses_is_tried_again_after_a_while,
        a_programs_own_destructors_come_before_the_release,
        NULL};
    const struct chapter chapters[] = {
        {"hooks", hooks, hooked_setup, hooked_teardown, 0, 0},
        {"refusals", refusals_of_two, hooked_setup, hooked_teardown, 2, 0},
        {"endings", endings, hooked_setup, hooked_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: workers", chapters);
}
