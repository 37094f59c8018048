/* SPDX-License-Identifier: MIT */
/* test_pool_degraded.c - how many threads may be given up on. */
#include <weir/pool.h>

#include <sched.h>

#include "deaf.h"
#include "suite.h"

/* ----------------------------------------------------------------- degraded */

/* _i: of plain tasks, too. */
static void open_degradable(bool plain)
{
    if (plain) {
        options.on_settled = NULL;
        options.on_release = NULL;
    }
    options.queue_capacity = 1;
    options.max_abandoned = 1;
    open_pool();
}

static void block_submits(struct call *submits, int count)
{
    for (int i = 0; i < count; i++) {
        submits[i] = (struct call){.job = new_job(act_answer)};
        block_call(&submits[i], act_submit);
    }
}

/* What was let in goes on; nothing else comes in, however it waits. */
START_TEST(a_degraded_pool_takes_nothing_and_runs_what_it_has)
{
    struct job *deaf, *waits, *next;
    struct call submits[2];

    open_degradable(_i);
    deaf = start_new(act_check_index);
    waits = submit_new(act_check_index);
    block_submits(submits, 2);
    ck_assert(!stats_now().degraded);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(end_call(&submits[i]), WEIR_DEGRADED);
    await_start(waits);
    ck_assert(stats_now().degraded);
    ck_assert_uint_eq(stats_now().workers, 1);
    ck_assert_int_eq(submit(submits[0].job), WEIR_DEGRADED);
    assert_error_names("max_abandoned");
    ck_assert_uint_eq(ledger_now().refused, 3);
    let_end(deaf);
    while (stats_now().degraded)
        sched_yield();
    next = submit_new(act_check_index);
    let_end(waits);
    let_end(next);
    settle_returned();
    ck_assert_uint_eq(ledger_now().done, 2);
}
END_TEST

/* With nobody to wait for room, and room. */
START_TEST(a_degraded_pool_takes_no_plain_task_either)
{
    struct job *deaf, *refused;

    open_degradable(true);
    deaf = start_abandoned();
    refused = new_job(act_check_index);
    ck_assert_int_eq(submit(refused), WEIR_DEGRADED);
    let_end(deaf);
    await_abandoned(0);
    must_submit(refused);
    let_end(refused);
    settle_returned();
    ck_assert_uint_eq(ledger_now().done, 1);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

/* No room comes that would have woken them: the worker was one too many. */
START_TEST(all_who_wait_to_submit_hear_at_once_that_it_is_degraded)
{
    struct job *deaf, *busy, *waits;
    struct call submits[3];

    options.workers = 2;
    open_degradable(_i);
    deaf = start_new(act_check_index);
    test_clock_advance(1);
    busy = start_new(act_check_index);
    must_resize(1);
    waits = submit_new(act_check_index);
    block_submits(submits, 3);
    advance_to(deaf->deadline.at_ns);
    advance_to(busy->deadline.at_ns);
    advance_to(grace_of(deaf));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&submits[i]), WEIR_DEGRADED);
    ck_assert_uint_eq(tally_read(&waits->started), 0);
    let_end(deaf);
    let_end(busy);
    let_end(waits);
    settle_returned();
}
END_TEST

START_TEST(by_default_as_many_may_be_abandoned_as_there_are_workers)
{
    struct job *deaf[3];

    options.max_abandoned = 0;
    open_pool_of(3);
    start_deaf(deaf, 2);
    await_abandoned(2);
    ck_assert(!stats_now().degraded);
    start_deaf(deaf + 2, 1);
    await_abandoned(3);
    ck_assert(stats_now().degraded);
    for (int i = 0; i < 3; i++)
        finish_job(deaf[i]);
}
END_TEST

START_TEST(nothing_more_is_replaced_until_one_returns)
{
    struct job *first, *second, *third;

    options.max_abandoned = 1;
    open_pool_of(2);
    first = start_new(act_check_index);
    test_clock_advance(1);
    second = start_new(act_check_index);
    advance_to(first->deadline.at_ns);
    assert_outcome(first, WEIR_OUTCOME_TIMED_OUT);
    advance_to(second->deadline.at_ns);
    assert_outcome(second, WEIR_OUTCOME_TIMED_OUT);
    third = submit_new(act_check_index);
    advance_to(grace_of(first));
    await_start(third);
    advance_to(grace_of(second));
    await_timekeeper(third->deadline.at_ns); /* it has looked at the second */
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert_uint_eq(ledger_now().overdue, 2);
    ck_assert_uint_eq(stats_now().workers, 2);
    ck_assert_uint_eq(stats_now().busy, 2);
    finish_job(first);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert(stats_now().degraded);
    await_count(&greeted, 4);
    ck_assert_uint_eq(stats_now().workers, 2);
    finish_job(second);
    ck_assert(!stats_now().degraded);
    finish_job(third);
}
END_TEST

static struct gate unhanded = GATE_INIT;
static struct job *held_back;

static void release_slowly(void *arg, void *item)
{
    if (item == held_back)
        gate_wait(&unhanded);
    note_released(arg, item);
}

/* The first is abandoned, the second past its grace. */
static void start_one_past_grace(struct job **deaf)
{
    uint64_t before = tally_read(&greeted);

    for (int i = 0; i < 2; i++) {
        deaf[i] = start_new(act_check_index);
        test_clock_advance(1);
    }
    for (int i = 0; i < 2; i++) {
        advance_to(deaf[i]->deadline.at_ns);
        await_settled(deaf[i]);
    }
    for (int i = 0; i < 2; i++)
        advance_to(grace_of(deaf[i]));
    await_count(&greeted, before + 1);
}

/* There is a place for another: the pool once had three workers. */
START_TEST(callbacks_of_one_that_returned_hold_up_no_replacement)
{
    struct job *deaf[2];

    options.max_abandoned = 1;
    options.on_release = release_slowly;
    open_pool_of(3);
    must_resize(2);
    await_count(&parted, 1);
    start_one_past_grace(deaf);
    held_back = deaf[0];
    gate_open(&deaf[0]->finish);
    await_count(&greeted, 5);
    gate_open(&unhanded);
    await_released(deaf[0]);
    finish_job(deaf[1]);
}
END_TEST

static struct gate unresized = GATE_INIT;
static struct tally resized = TALLY_INIT;

static void release_with_a_resize(void *arg, void *item)
{
    if (item == held_back) {
        gate_wait(&unresized);
        ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
        tally_add(&resized, 1);
    }
    note_released(arg, item);
}

/* It waits neither for its own place nor for one that is never left. */
START_TEST(a_thread_that_was_abandoned_may_resize_when_all_places_are_taken)
{
    struct job *deaf[2];

    options.max_abandoned = 1;
    options.on_release = release_with_a_resize;
    open_pool_of(2);
    must_resize(1);
    await_count(&parted, 1);
    deaf[0] = start_abandoned();
    held_back = deaf[0];
    let_end(deaf[0]);
    await_abandoned(0);
    deaf[1] = start_abandoned();
    await_count(&greeted, 4);
    gate_open(&unresized);
    await_count(&resized, 1);
    await_workers(2);
    await_released(deaf[0]);
    finish_job(deaf[1]);
}
END_TEST

START_TEST(of_several_past_their_grace_the_oldest_goes_first)
{
    struct job *deaf[4];

    open_pool_of(4);
    for (int i = 0; i < 4; i++) {
        deaf[i] = start_new(act_check_index);
        test_clock_advance(1);
    }
    for (int i = 0; i < 4; i++)
        advance_to(deaf[i]->deadline.at_ns);
    for (int i = 0; i < 4; i++)
        advance_to(grace_of(deaf[i]));
    await_count(&greeted, 6); /* for the first two */
    ck_assert_uint_eq(stats_now().busy, 2);
    finish_job(deaf[0]);
    await_count(&greeted, 7); /* for the third */
    finish_job(deaf[3]);
    ck_assert_uint_eq(ledger_now().abandoned, 2);
    finish_job(deaf[1]);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    finish_job(deaf[2]);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    settle_returned();
    await_count(&parted, 3);
    ck_assert_uint_eq(stats_now().workers, 4);
    ck_assert_uint_eq(tally_read(&greeted), 7);
}
END_TEST

/* Even if it is still in its callbacks when its turn would have come. */
START_TEST(one_that_ends_while_it_is_past_its_grace_keeps_its_worker)
{
    struct job *deaf[2];

    options.max_abandoned = 1;
    options.on_release = release_slowly;
    open_pool_of(2);
    start_one_past_grace(deaf);
    held_back = deaf[1];
    gate_open(&deaf[1]->finish);
    while (ledger_now().late < 1)
        sched_yield();
    finish_job(deaf[0]);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert(!stats_now().degraded);
    gate_open(&unhanded);
    settle_returned();
    await_count(&parted, 1);
    ck_assert_uint_eq(stats_now().workers, 2);
    ck_assert_uint_eq(tally_read(&greeted), 3);
}
END_TEST

/* The store has an entry for each thread that there can be. */
START_TEST(abandoned_attempts_take_no_room_from_tasks_that_wait)
{
    struct job *deaf[2], *busy, *queued[3];

    options.queue_capacity = 3;
    options.max_abandoned = 3;
    open_pool();
    for (int i = 0; i < 2; i++)
        deaf[i] = start_abandoned();
    busy = start_new(act_check_index);
    for (int i = 0; i < 3; i++)
        queued[i] = submit_new(act_answer);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    finish_job(busy);
    for (int i = 0; i < 3; i++)
        await_released(queued[i]);
    for (int i = 0; i < 2; i++)
        finish_job(deaf[i]);
}
END_TEST

START_TEST(a_resize_leaves_the_places_of_the_abandoned_to_them)
{
    struct job *deaf, *jobs[3];

    options.max_abandoned = 2;
    open_pool();
    deaf = start_abandoned();
    must_resize(3);
    await_workers(3);
    for (int i = 0; i < 3; i++) {
        jobs[i] = start_new(act_check_index);
        ck_assert_uint_lt(jobs[i]->worker, 5);
    }
    must_resize(1);
    for (int i = 0; i < 3; i++)
        finish_job(jobs[i]);
    await_workers(1);
    finish_job(deaf);
    await_count(&parted, 3);
    finish_job(start_new(act_check_index));
}
END_TEST

/* A worker too many that is abandoned is not replaced. */
START_TEST(a_shrunk_pool_does_not_replace_what_it_had_too_many)
{
    struct job *deaf[2];

    open_pool_of(2);
    for (int i = 0; i < 2; i++)
        deaf[i] = start_new(act_check_index);
    must_resize(1);
    advance_to(deaf[0]->deadline.at_ns);
    advance_to(grace_of(deaf[0]));
    await_abandoned(2);
    await_count(&greeted, 3);
    ck_assert_uint_eq(stats_now().workers, 1);
    for (int i = 0; i < 2; i++)
        finish_job(deaf[i]);
    await_count(&parted, 2);
    ck_assert_uint_eq(tally_read(&greeted), 3);
}
END_TEST

int main(void)
{
    const TTest *const both[] = {
        a_degraded_pool_takes_nothing_and_runs_what_it_has,
        all_who_wait_to_submit_hear_at_once_that_it_is_degraded, NULL};
    const TTest *const plain[] = {a_degraded_pool_takes_no_plain_task_either,
                                  NULL};
    const TTest *const limits[] = {
        by_default_as_many_may_be_abandoned_as_there_are_workers,
        nothing_more_is_replaced_until_one_returns,
        callbacks_of_one_that_returned_hold_up_no_replacement,
        a_thread_that_was_abandoned_may_resize_when_all_places_are_taken,
        of_several_past_their_grace_the_oldest_goes_first,
        one_that_ends_while_it_is_past_its_grace_keeps_its_worker,
        abandoned_attempts_take_no_room_from_tasks_that_wait,
        a_resize_leaves_the_places_of_the_abandoned_to_them,
        a_shrunk_pool_does_not_replace_what_it_had_too_many,
        NULL};
    const struct chapter chapters[] = {
        {"degraded", both, deaf_setup, deaf_teardown, 2, 0},
        {"plain tasks", plain, deaf_plain_setup, deaf_teardown, 0, 0},
        {"limits", limits, deaf_setup, deaf_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: degraded", chapters);
}
