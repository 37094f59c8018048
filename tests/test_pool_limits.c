/* SPDX-License-Identifier: MIT */
/* test_pool_limits.c - semaphores that a pool or a task is given: tasks that
 * they hold back. */
#include <weir/pool.h>
#include <weir/semaphore.h>

#include <sched.h>

#include "pools.h"
#include "suite.h"

#define SECOND WEIR_SECONDS(1)

static weir_semaphore *first, *second;

static void setup(void)
{
    pool_setup();
    ck_assert_int_eq(weir_semaphore_create(&first, 1), WEIR_OK);
    ck_assert_int_eq(weir_semaphore_create(&second, 2), WEIR_OK);
}

/* What no test has left is all there. */
static void teardown(void)
{
    pool_teardown();
    ck_assert_uint_eq(weir_semaphore_available(first), 1);
    ck_assert_uint_eq(weir_semaphore_available(second), 2);
    weir_semaphore_destroy(first);
    weir_semaphore_destroy(second);
}

static void open_limited(uint32_t workers, weir_semaphore *semaphore)
{
    options.semaphore = semaphore;
    open_pool_of(workers);
}

/* Of a host that takes one at a time. */
static weir_task_spec of(weir_semaphore *host)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.semaphore = host;
    return spec;
}

static struct job *
submit_to(weir_semaphore *host, int (*act)(weir_task *task, struct job *job))
{
    struct job *job = new_job(act);

    weir_future_release(submit_spec(job, of(host)));
    return job;
}

static struct job *
start_at(weir_semaphore *host, int (*act)(weir_task *task, struct job *job))
{
    struct job *job = submit_to(host, act);

    await_start(job);
    return job;
}

/* ------------------------------------------------------- a pool's semaphore */

START_TEST(no_more_run_than_there_are_permits)
{
    struct job *jobs[6];

    open_limited(4, second);
    for (size_t i = 0; i < 6; i++)
        jobs[i] = submit_new(act_wait);
    await_start(jobs[0]);
    await_start(jobs[1]);
    await_held(4);
    ck_assert_uint_eq(ledger_now().queued, 4);
    ck_assert_uint_eq(ledger_now().running, 2);
    ck_assert_uint_eq(stats_now().busy, 2);
    assert_balanced();
    for (size_t i = 0; i < 6; i++) {
        await_start(jobs[i]);
        if (i + 2 < 6)
            ck_assert_uint_eq(tally_read(&jobs[i + 2]->started), 0);
        finish_job(jobs[i]);
        assert_outcome(jobs[i], WEIR_OUTCOME_DONE);
    }
}
END_TEST

START_TEST(an_attempt_holds_as_many_as_the_options_say)
{
    struct job *one, *other;

    options.permits = 2;
    open_limited(2, second);
    one = start_new(act_wait);
    other = submit_new(act_answer);
    await_held(1);
    ck_assert_uint_eq(weir_semaphore_available(second), 0);
    finish_job(one);
    assert_outcome(other, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_raise(weir_task *task, struct job *job)
{
    gate_wait(&job->finish);
    weir_task_raise(task, 7, "raised");
    return 0;
}

START_TEST(they_go_back_however_the_attempt_ends)
{
    static int (*const acts[])(weir_task *, struct job *) = {act_raise,
                                                             act_wait_and_exit,
                                                             act_wait};
    struct job *job, *next;

    open_limited(2, first);
    job = start_new(acts[_i]);
    next = submit_new(act_answer);
    await_held(1);
    gate_open(&job->finish);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    await_settled(job);
}
END_TEST

START_TEST(a_task_that_timed_out_keeps_them_until_it_really_ends)
{
    struct job *job, *next;

    options.timeout_ns = SECOND;
    open_limited(2, first);
    job = start_new(act_wait);
    next = submit_new(act_answer);
    await_held(1);
    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    await_held(1);
    assert_unsettled(next);
    finish_job(job);
    assert_outcome(next, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_fail_once(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_attempt(task) == 1;
}

START_TEST(a_retry_takes_them_anew)
{
    struct job *job, *other;

    policy.max_attempts = 2;
    options.retry = &policy;
    open_limited(2, first);
    job = start_new(act_fail_once);
    other = start_new(act_wait); /* while it waits for its next attempt */
    await_timekeeper(test_clock_now() + 10 * SECOND);
    test_clock_advance(10 * SECOND);
    await_held(1);
    ck_assert_uint_eq(ledger_now().retrying, 1);
    finish_job(other);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
}
END_TEST

static int act_ask_for_more(weir_task *task, struct job *job)
{
    (void)task;
    ck_assert_int_eq(weir_semaphore_acquire(job->arg, 1, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    return 0;
}

START_TEST(what_it_holds_is_its_own)
{
    struct job *job = new_job(act_ask_for_more);

    open_limited(1, first);
    job->arg = first;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_release_early(weir_task *task, struct job *job)
{
    (void)task;
    ck_assert_int_eq(weir_semaphore_release(job->arg, 1), WEIR_OK);
    gate_wait(&job->finish);
    return 0;
}

START_TEST(and_a_handler_may_release_it_early)
{
    struct job *job = new_job(act_release_early), *next;

    open_limited(2, first);
    job->arg = first;
    must_submit(job);
    next = submit_new(act_answer);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    assert_unsettled(job);
    finish_job(job);
}
END_TEST

START_TEST(the_handle_may_go_before_the_pool)
{
    struct job *job, *next;
    weir_semaphore *semaphore;

    ck_assert_int_eq(weir_semaphore_create(&semaphore, 2), WEIR_OK);
    open_limited(2, semaphore);
    job = start_new(act_wait);
    next = submit_to(semaphore, act_answer);
    weir_semaphore_destroy(semaphore);
    finish_job(job);
    await_settled(next);
}
END_TEST

/* ---------------------------------------------------- beside threads, pools */

START_TEST(threads_and_tasks_are_served_in_the_order_of_asking)
{
    struct job *job, *next;

    open_limited(2, first);
    ck_assert_int_eq(weir_semaphore_acquire(first, 1, WEIR_NOW), WEIR_OK);
    job = submit_new(act_wait);
    await_held(1);
    ck_assert_uint_eq(weir_semaphore_waiting(first), 1);
    ck_assert_int_eq(weir_semaphore_acquire(first, 1, WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_semaphore_release(first, 1), WEIR_OK);
    await_start(job);
    next = submit_new(act_answer);
    finish_job(job);
    assert_outcome(next, WEIR_OUTCOME_DONE);
}
END_TEST

/* A second pool, whose tasks are plain. */
struct other {
    weir_pool *pool;
    struct tally ran;
};

static int run_other(weir_task *task, void *item)
{
    struct other *other = item;

    (void)task;
    tally_add(&other->ran, 1);
    return 0;
}

static void
open_other(struct other *other, weir_semaphore *semaphore, weir_semaphore *own)
{
    weir_pool_options o = WEIR_POOL_OPTIONS_INIT;
    weir_task_spec spec = of(own);

    *other = (struct other){.ran = TALLY_INIT};
    o.workers = 1;
    o.semaphore = semaphore;
    ck_assert_int_eq(weir_pool_create(&other->pool, &o), WEIR_OK);
    spec.handler = run_other;
    spec.item = other;
    ck_assert_int_eq(weir_pool_submit_task(other->pool, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
}

static uint64_t held_in(const struct other *other)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(other->pool, &stats);
    return stats.held;
}

static void end_other(struct other *other)
{
    await_count(&other->ran, 1);
    ck_assert_int_eq(weir_pool_stop(other->pool, WEIR_STOP_AFTER_DRAIN,
                                    WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(other->pool);
}

START_TEST(pools_share_it)
{
    struct other other;
    struct job *job;

    open_limited(1, first);
    job = start_new(act_wait);
    open_other(&other, first, NULL);
    while (held_in(&other) == 0)
        sched_yield();
    finish_job(job);
    end_other(&other);
}
END_TEST

START_TEST(what_is_cancelled_lets_the_other_pools_next_go_on)
{
    weir_semaphore *three;
    struct other other;
    weir_future *future;
    weir_task_spec spec;
    struct job *big;

    ck_assert_int_eq(weir_semaphore_create(&three, 3), WEIR_OK);
    ck_assert_int_eq(weir_semaphore_acquire(three, 1, WEIR_NOW), WEIR_OK);
    open_pool();
    big = new_job(act_answer);
    spec = of(three);
    spec.permits = 3;
    future = submit_spec(big, spec);
    await_held(1);
    open_other(&other, three, NULL);
    while (held_in(&other) == 0)
        sched_yield();
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    end_other(&other);
    assert_outcome(big, WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(weir_semaphore_release(three, 1), WEIR_OK);
    weir_semaphore_destroy(three);
}
END_TEST

START_TEST(two_pools_that_need_two_in_different_orders_do_not_lock_up)
{
    struct other other;
    weir_semaphore *host;
    struct job *job;

    ck_assert_int_eq(weir_semaphore_create(&host, 1), WEIR_OK);
    open_limited(1, first);
    ck_assert_int_eq(weir_semaphore_acquire(first, 1, WEIR_NOW), WEIR_OK);
    job = submit_to(host, act_answer); /* has the host's, if it kept it */
    await_held(1);
    open_other(&other, host, first); /* wants that one second */
    while (held_in(&other) == 0)
        sched_yield();
    ck_assert_uint_eq(weir_semaphore_available(host), 1);
    ck_assert_int_eq(weir_semaphore_release(first, 1), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    end_other(&other);
    weir_semaphore_destroy(host);
}
END_TEST

/* ------------------------------------------------------------- a task's own */

START_TEST(who_is_held_stands_in_nobodys_way)
{
    struct job *busy, *held, *free;

    open_pool_of(2);
    busy = start_at(first, act_wait);
    held = submit_to(first, act_answer);
    free = submit_new(act_answer);
    assert_outcome(free, WEIR_OUTCOME_DONE);
    await_held(1);
    assert_unsettled(held);
    finish_job(busy);
    assert_outcome(held, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(and_keeps_nothing_of_the_pools)
{
    struct job *busy, *held, *free;

    open_limited(2, second);
    busy = start_at(first, act_wait);
    held = submit_to(first, act_answer);
    await_held(1);
    ck_assert_uint_eq(weir_semaphore_available(second), 1);
    free = submit_new(act_answer);
    assert_outcome(free, WEIR_OUTCOME_DONE);
    assert_unsettled(held);
    finish_job(busy);
    assert_outcome(held, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(the_pools_and_its_own_may_be_the_same)
{
    struct job *job = new_job(act_wait), *refused = new_job(act_answer);
    weir_task_spec spec = of(second);

    open_limited(2, second);
    weir_future_release(submit_spec(job, spec));
    await_start(job);
    ck_assert_uint_eq(weir_semaphore_available(second), 0);
    spec.permits = 2;
    spec.handler = run_job;
    spec.item = refused;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_DEADLOCK);
    assert_error_names("semaphore");
    finish_job(job);
}
END_TEST

START_TEST(a_series_has_it_too)
{
    struct other counted = {.ran = TALLY_INIT};
    weir_task_spec spec = of(first);

    options.on_settled = NULL; /* the item is no job */
    options.on_release = NULL;
    open_pool_of(2);
    ck_assert_int_eq(weir_semaphore_acquire(first, 1, WEIR_NOW), WEIR_OK);
    spec.every_ns = SECOND;
    spec.handler = run_other;
    spec.item = &counted;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
    await_held(1);
    ck_assert_uint_eq(tally_read(&counted.ran), 0);
    ck_assert_int_eq(weir_semaphore_release(first, 1), WEIR_OK);
    await_count(&counted.ran, 1);
    end_pool();
}
END_TEST

/* ----------------------------------------------------------------- refusals */

static void assert_refused(const char *word)
{
    weir_pool *none = NULL;

    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_EINVAL);
    assert_error_names(word);
}

START_TEST(options_that_make_no_sense_are_refused)
{
    weir_task_spec spec = of(first);
    struct job *job = new_job(act_answer);

    options.permits = 1;
    assert_refused("permits");
    options.semaphore = first;
    options.permits = 2;
    assert_refused("permits");
    options.permits = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    assert_refused("semaphore");
    options.semaphore = NULL;
    options.permits = 0;
    open_pool();
    spec.handler = run_job;
    spec.item = job;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("semaphore");
}
END_TEST

int main(void)
{
    const TTest *const pools_own[] = {
        no_more_run_than_there_are_permits,
        an_attempt_holds_as_many_as_the_options_say,
        a_task_that_timed_out_keeps_them_until_it_really_ends,
        a_retry_takes_them_anew,
        what_it_holds_is_its_own,
        and_a_handler_may_release_it_early,
        the_handle_may_go_before_the_pool,
        NULL};
    const TTest *const ways[] = {they_go_back_however_the_attempt_ends, NULL};
    const TTest *const others[] = {
        threads_and_tasks_are_served_in_the_order_of_asking, pools_share_it,
        what_is_cancelled_lets_the_other_pools_next_go_on,
        two_pools_that_need_two_in_different_orders_do_not_lock_up, NULL};
    const TTest *const tasks_own[] = {who_is_held_stands_in_nobodys_way,
                                      and_keeps_nothing_of_the_pools,
                                      the_pools_and_its_own_may_be_the_same,
                                      a_series_has_it_too, NULL};
    const TTest *const refusals[] = {options_that_make_no_sense_are_refused,
                                     NULL};
    const struct chapter chapters[] = {
        {"a pool's semaphore", pools_own, setup, teardown, 0, 0},
        {"ways to end", ways, setup, teardown, 3, 0},
        {"beside threads and pools", others, setup, teardown, 0, 0},
        {"a task's own", tasks_own, setup, teardown, 0, 0},
        {"refusals", refusals, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("limits of pools", chapters);
}
