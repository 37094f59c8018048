/* SPDX-License-Identifier: MIT */
/* test_pool_held.c - what becomes of tasks that a semaphore holds back, and of
 * permits when an attempt crashes. */
#include <weir/group.h>
#include <weir/pool.h>
#include <weir/semaphore.h>

#include <sched.h>
#include <stdlib.h>

#include "pools.h"
#include "suite.h"

#define SECOND WEIR_SECONDS(1)

/* The pool's: one at a time. */
static weir_semaphore *semaphore;

static void setup(void)
{
    pool_setup();
    ck_assert_int_eq(weir_semaphore_create(&semaphore, 1), WEIR_OK);
}

/* Whatever became of the tasks, the permit is there. */
static void teardown(void)
{
    pool_teardown();
    ck_assert_uint_eq(weir_semaphore_available(semaphore), 1);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 0);
    weir_semaphore_destroy(semaphore);
}

static void open_limited(void)
{
    options.semaphore = semaphore;
    open_pool_of(2);
}

START_TEST(it_counts_as_queued_and_against_the_capacity)
{
    struct job *busy, *held, *refused = new_job(act_answer);
    weir_pool_entry lines[4] = {WEIR_POOL_ENTRY_INIT};

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_REFUSE;
    open_limited();
    busy = start_new(act_wait);
    held = submit_new(act_answer);
    await_held(1);
    ck_assert_int_eq(submit(refused), WEIR_FULL);
    ck_assert_uint_eq(weir_pool_list(pool, lines, 4), 2);
    ck_assert(!lines[0].held);
    ck_assert_int_eq(lines[1].state, WEIR_TASK_QUEUED);
    ck_assert(lines[1].held);
    finish_job(busy);
    assert_outcome(held, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(it_expires)
{
    struct job *busy, *held;

    options.time_to_live_ns = SECOND;
    open_limited();
    busy = start_new(act_wait);
    held = submit_new(act_answer);
    await_held(1);
    advance_to(test_clock_now() + SECOND);
    assert_outcome(held, WEIR_OUTCOME_EXPIRED);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 0);
    finish_job(busy);
}
END_TEST

START_TEST(it_is_dropped_as_the_oldest)
{
    struct job *busy, *held, *next;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_limited();
    busy = start_new(act_wait);
    held = submit_new(act_answer);
    await_held(1);
    next = submit_new(act_answer);
    assert_outcome(held, WEIR_OUTCOME_DROPPED);
    finish_job(busy);
    assert_outcome(next, WEIR_OUTCOME_DONE);
}
END_TEST

/* Held again by another limit, behind one that is younger. */
START_TEST(it_is_the_oldest_still_if_it_is_held_again)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *oldest = new_job(act_answer), *younger = new_job(act_answer);
    weir_semaphore *hosts[2];

    options.queue_capacity = 2;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_limited();
    ck_assert_int_eq(weir_semaphore_acquire(semaphore, 1, WEIR_NOW), WEIR_OK);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(weir_semaphore_create(&hosts[i], 1), WEIR_OK);
        ck_assert_int_eq(weir_semaphore_acquire(hosts[i], 1, WEIR_NOW),
                         WEIR_OK);
        spec.semaphore = hosts[i];
        weir_future_release(submit_spec(i == 0 ? oldest : younger, spec));
        await_held(i + 1);
    }
    ck_assert_int_eq(weir_semaphore_release(hosts[0], 1), WEIR_OK);
    while (weir_semaphore_waiting(semaphore) == 0)
        sched_yield();
    submit_new(act_answer);
    assert_outcome(oldest, WEIR_OUTCOME_DROPPED);
    ck_assert_int_eq(weir_semaphore_release(semaphore, 1), WEIR_OK);
    ck_assert_int_eq(weir_semaphore_release(hosts[1], 1), WEIR_OK);
    assert_outcome(younger, WEIR_OUTCOME_DONE);
    settle_all();
    weir_semaphore_destroy(hosts[0]);
    weir_semaphore_destroy(hosts[1]);
}
END_TEST

static int act_acquire(weir_task *task, struct job *job)
{
    weir_deadline deadline = {*(int64_t *)job->arg};

    (void)task;
    return weir_semaphore_acquire(semaphore, 1, deadline) != WEIR_TIMED_OUT;
}

/* The permit is kept for it until then: a deadline ends that. */
START_TEST(it_waits_for_a_worker_that_waits_for_its_permit)
{
    int64_t at_ns = test_clock_now() + SECOND;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *waits = new_job(act_acquire), *held = new_job(act_answer);

    ck_assert_int_eq(weir_semaphore_acquire(semaphore, 1, WEIR_NOW), WEIR_OK);
    open_pool();
    spec.semaphore = semaphore;
    weir_future_release(submit_spec(held, spec));
    await_held(1);
    waits->arg = &at_ns;
    must_submit(waits);
    while (weir_semaphore_waiting(semaphore) < 2)
        sched_yield();
    ck_assert_int_eq(weir_semaphore_release(semaphore, 1), WEIR_OK);
    ck_assert_uint_eq(stats_now().held, 0);
    assert_unsettled(held);
    advance_to(at_ns);
    assert_outcome(waits, WEIR_OUTCOME_DONE);
    assert_outcome(held, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_stop_now_cancels_it)
{
    struct job *busy, *held[3];
    struct call call = {.how = WEIR_STOP_NOW, .deadline = WEIR_FOREVER};

    open_limited();
    busy = start_new(act_wait);
    for (size_t i = 0; i < 3; i++)
        held[i] = submit_new(act_answer);
    await_held(3);
    start_call(&call, act_stop);
    for (size_t i = 0; i < 3; i++)
        assert_outcome(held[i], WEIR_OUTCOME_CANCELLED);
    finish_job(busy);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
}
END_TEST

START_TEST(a_drain_waits_for_it)
{
    struct job *busy, *held;
    struct call call = {.how = WEIR_STOP_AFTER_DRAIN};

    open_limited();
    busy = start_new(act_wait);
    held = submit_new(act_answer);
    await_held(1);
    block_call(&call, act_stop);
    finish_job(busy);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    assert_outcome(held, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_group_cancels_it)
{
    struct job *busy, *held = new_job(act_answer);
    weir_group *group;

    open_limited();
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    busy = start_new(act_wait);
    ck_assert_int_eq(weir_group_submit(group, run_job, held, WEIR_NOW),
                     WEIR_OK);
    await_held(1);
    weir_group_cancel(group);
    assert_outcome(held, WEIR_OUTCOME_CANCELLED);
    weir_group_destroy(group);
    finish_job(busy);
}
END_TEST

/* ------------------------------------------------------------------- crashes
 */

/* Its clean-ups do not run: it has ended. */
static int act_abort(weir_task *task, struct job *job)
{
    (void)task;
    tally_add(&job->ended, 1);
    abort();
}

START_TEST(a_crash_gives_its_permit_back)
{
    struct job *crashing, *next;

    options.isolation = WEIR_ISOLATE_TRAP;
    open_limited();
    crashing = submit_new(act_abort);
    next = submit_new(act_answer);
    assert_outcome(crashing, WEIR_OUTCOME_CRASHED);
    assert_outcome(next, WEIR_OUTCOME_DONE);
}
END_TEST

int main(void)
{
    const TTest *const held[] = {
        it_counts_as_queued_and_against_the_capacity,
        it_expires,
        it_is_dropped_as_the_oldest,
        it_is_the_oldest_still_if_it_is_held_again,
        it_waits_for_a_worker_that_waits_for_its_permit,
        a_stop_now_cancels_it,
        a_drain_waits_for_it,
        a_group_cancels_it,
        NULL};
    const TTest *const crashes[] = {a_crash_gives_its_permit_back, NULL};
    const struct chapter chapters[] = {{"held", held, setup, teardown, 0, 0},
                                       {"crashes", crashes, setup, teardown, 0,
                                        0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("held tasks", chapters);
}
