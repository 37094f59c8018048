/* SPDX-License-Identifier: MIT */
/* test_pool_grace_ends.c - join, stop and destroy beside attempts that do not
 * end. */
#include <weir/pool.h>

#include "base/fault.h"
#include "deaf.h"
#include "suite.h"

/* ---------------------------------------------------------- join, stop, end */

START_TEST(a_join_is_stuck_as_soon_as_only_abandoned_attempts_are_left)
{
    struct call join = {.status = WEIR_OK};
    struct job *deaf, *other;

    open_pool();
    deaf = start_abandoned();
    other = start_new(act_check_index);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    block_call(&join, act_join);
    let_end(other);
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_STUCK);
    let_end(deaf);
    settle_returned();
}
END_TEST

/* The second is overdue, in its grace: it may still return. */
START_TEST(a_join_waits_for_attempts_that_are_not_abandoned_yet)
{
    struct call join = {.status = WEIR_OK};
    struct job *deaf[2];

    open_pool_of(2);
    for (int i = 0; i < 2; i++) {
        deaf[i] = start_new(act_check_index);
        test_clock_advance(1);
    }
    for (int i = 0; i < 2; i++) {
        advance_to(deaf[i]->deadline.at_ns);
        await_settled(deaf[i]);
    }
    advance_to(grace_of(deaf[0]));
    await_count(&greeted, 3);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    block_call(&join, act_join);
    advance_to(grace_of(deaf[1]));
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    for (int i = 0; i < 2; i++)
        finish_job(deaf[i]);
}
END_TEST

/* The abandonment itself is what it has waited for. */
START_TEST(a_join_that_waits_ends_with_the_grace)
{
    struct call joins[3];
    struct job *deaf;

    open_pool();
    deaf = start_new(act_check_index);
    for (int i = 0; i < 3; i++)
        block_call(&joins[i], act_join);
    advance_to(deaf->deadline.at_ns);
    await_settled(deaf);
    advance_to_just_before(grace_of(deaf));
    for (int i = 0; i < 3; i++)
        ck_assert(!gate_is_open(&joins[i].helper.ended));
    test_clock_advance(1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&joins[i]), WEIR_STUCK);
    finish_job(deaf);
}
END_TEST

static struct gate told = GATE_INIT;

static void
settle_slowly(void *arg, const void *item, const weir_outcome *outcome)
{
    gate_wait(&told);
    note_settled(arg, item, outcome);
}

START_TEST(a_join_waits_for_the_callbacks_of_abandoned_attempts)
{
    struct call join = {.status = WEIR_OK};
    struct job *deaf;

    options.on_settled = settle_slowly;
    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    await_abandoned(1);
    block_call(&join, act_join);
    disturb_waiter(join.deadline.at_ns);
    ck_assert(!gate_is_open(&join.helper.ended));
    gate_open(&told);
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    ck_assert_uint_eq(tally_read(&deaf->settled), 1);
    finish_job(deaf);
    settle_returned();
    options.on_settled = note_settled;
}
END_TEST

START_TEST(a_stop_is_stuck_as_soon_as_only_abandoned_attempts_are_left)
{
    struct call stop = {.how = (weir_stop_how)_i};
    struct job *deaf, *other;

    open_pool();
    deaf = start_abandoned();
    other = start_new(act_check_index);
    block_call(&stop, act_stop);
    gate_open(&other->finish);
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    ck_assert_uint_eq(tally_read(&other->released), 1);
    ck_assert_uint_eq(tally_read(&parted), 1); /* all but the abandoned */
    ck_assert_uint_eq(ledger_now().unreleased, 1);
    ck_assert_uint_eq(stats_now().workers, 0);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_STUCK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_STUCK);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_CLOSED);
    finish_job(deaf);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(ledger_now().unreleased, 0);
}
END_TEST

static struct gate parting = GATE_INIT, may_part = GATE_INIT;

static void part_slowly(void *arg, uint32_t worker)
{
    gate_open(&parting);
    gate_wait(&may_part);
    part_worker(arg, worker);
}

START_TEST(a_stop_waits_for_all_threads_but_the_abandoned)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *deaf;

    options.worker_stop = part_slowly;
    open_pool();
    deaf = start_abandoned();
    await_count(&greeted, 2);
    await_workers(1);
    block_call(&stop, act_stop);
    gate_wait(&parting);
    disturb_waiter(stop.deadline.at_ns);
    ck_assert(!gate_is_open(&stop.helper.ended));
    gate_open(&may_part);
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    finish_job(deaf);
}
END_TEST

/* The thread for them does not start at first. */
START_TEST(a_join_waits_for_callbacks_that_are_owed)
{
    struct job *deaf;

    options.grace_ns = WEIR_MS(50);
    open_pool();
    deaf = start_new(act_check_index);
    await_timekeeper(deaf->deadline.at_ns);
    weir__fault_arm(1);
    advance_to(deaf->deadline.at_ns);
    advance_to(deaf->deadline.at_ns + WEIR_MS(50));
    await_abandoned(1);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_uint_eq(tally_read(&deaf->settled), 0);
    advance_to(deaf->deadline.at_ns + WEIR_MS(100));
    await_settled(deaf);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_STUCK);
    finish_job(deaf);
}
END_TEST

/* A stop that waits for the grace of what it has cancelled. */
START_TEST(what_a_stop_cancels_has_its_grace_too)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *deaf;
    int64_t at_ns;

    open_pool();
    deaf = start_new(act_check_index);
    test_clock_advance(WEIR_SECONDS(1));
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    at_ns = test_clock_now() + deaf_grace_ns;
    assert_outcome(deaf, WEIR_OUTCOME_CANCELLED);
    block_call(&stop, act_stop);
    advance_to_just_before(at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert(!gate_is_open(&stop.helper.ended));
    test_clock_advance(1);
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert_uint_eq(tally_read(&greeted), 1); /* no work for another */
    finish_job(deaf);
}
END_TEST

START_TEST(a_drain_goes_on_with_the_replacement)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *deaf, *waits;

    open_pool();
    deaf = start_new(act_check_index);
    waits = submit_new(act_answer);
    block_call(&stop, act_stop);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().done, 1);
    await_released(waits);
    finish_job(deaf);
}
END_TEST

/* It ends long after the pool is gone, with all the memory it uses. */
START_TEST(destroy_leaves_abandoned_attempts_to_themselves)
{
    struct job *deaf[2];

    options.max_abandoned = 2;
    open_pool_of(2);
    deaf[0] = start_new(act_wait);
    deaf[1] = start_new(act_wait_and_exit);
    advance_to(deaf[0]->deadline.at_ns);
    for (int i = 0; i < 2; i++) {
        deaf[i]->is_stuck = true;
        await_settled(deaf[i]);
    }
    advance_to(grace_of(deaf[0]));
    await_count(&greeted, 4);
    drop_pool();
    for (int i = 0; i < 2; i++)
        let_end(deaf[i]);
    ck_assert_uint_eq(tally_read(&parted), 2);
    ck_assert_uint_eq(tally_read(&deaf[0]->released), 0);
}
END_TEST

int main(void)
{
    const TTest *const plain[] = {
        a_join_is_stuck_as_soon_as_only_abandoned_attempts_are_left, NULL};
    const TTest *const ends[] = {
        a_join_is_stuck_as_soon_as_only_abandoned_attempts_are_left,
        a_join_that_waits_ends_with_the_grace,
        a_join_waits_for_attempts_that_are_not_abandoned_yet,
        a_stop_waits_for_all_threads_but_the_abandoned,
        a_join_waits_for_the_callbacks_of_abandoned_attempts,
        a_join_waits_for_callbacks_that_are_owed,
        what_a_stop_cancels_has_its_grace_too,
        a_drain_goes_on_with_the_replacement,
        NULL};
    const TTest *const stops[] = {
        a_stop_is_stuck_as_soon_as_only_abandoned_attempts_are_left, NULL};
    const TTest *const destroys[] = {
        destroy_leaves_abandoned_attempts_to_themselves, NULL};
    const struct chapter chapters[] = {
        {"plain tasks", plain, deaf_plain_setup, deaf_teardown, 0, 0},
        {"ends", ends, deaf_setup, deaf_teardown, 0, 0},
        {"stops", stops, deaf_setup, deaf_teardown, 2, 0},
        {"destroys", destroys, deaf_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: grace at the end", chapters);
}
