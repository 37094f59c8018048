/* SPDX-License-Identifier: MIT */
/* test_queue_wait.c - deadlines, and which answer comes first. */
#include <weir/queue.h>

#include <stdint.h>

#include "base/atomic.h"
#include "queue/queue.h"
#include "queues.h"
#include "suite.h"

/* Starts a call that may last `ns` and returns when it blocks. */
static void
block_for(struct call *call, int64_t ns, weir_status (*act)(struct call *call))
{
    call->deadline = weir_deadline_after(ns);
    start_call(call, act);
    test_clock_await_waiter(call->deadline.at_ns);
}

/* Lets a call's deadline pass. */
static void pass(const struct call *call)
{
    test_clock_advance(weir_deadline_remaining(call->deadline));
}

/* ------------------------------------------------------------- deadlines */

static weir_status (*const timed_acts[])(struct call *call) = {act_put, act_get,
                                                               act_join};

/* Makes a queue on which the _i-th act has to wait. */
static void open_for_act(int act)
{
    open_queue(1);
    if (timed_acts[act] != act_get)
        must_put(1);
}

START_TEST(a_call_waits_up_to_its_deadline_and_no_longer)
{
    struct call call = {0};

    open_for_act(_i);
    block_for(&call, WEIR_MS(50), timed_acts[_i]);
    test_clock_advance(WEIR_MS(50) - 1);
    test_clock_await_waiter(call.deadline.at_ns);
    ck_assert(!gate_is_open(&call.helper.ended));
    test_clock_advance(1);
    ck_assert_int_eq(end_call(&call), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(a_call_whose_deadline_has_passed_times_out)
{
    struct call call = {.deadline = {test_clock_now()}};

    open_for_act(_i);
    start_call(&call, timed_acts[_i]);
    ck_assert_int_eq(end_call(&call), WEIR_TIMED_OUT);
    ck_assert_int_eq(timed_acts[_i](&call), WEIR_TIMED_OUT);
    call.deadline = WEIR_NOW;
    ck_assert_int_eq(timed_acts[_i](&call), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(a_call_without_limit_waits_until_it_can_go_on)
{
    struct call call = {.deadline = WEIR_FOREVER, .items = {8}};

    open_for_act(_i);
    start_call(&call, timed_acts[_i]);
    test_clock_advance(WEIR_SECONDS(1000000));
    if (timed_acts[_i] == act_get)
        must_put(5);
    if (timed_acts[_i] == act_put)
        must_get_row(1, 1);
    if (timed_acts[_i] == act_join)
        must_finish(1);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
}
END_TEST

START_TEST(a_put_that_timed_out_has_moved_nothing)
{
    struct call put = {.items = {2}};

    open_queue(1);
    must_put(1);
    block_for(&put, WEIR_MS(1), act_put);
    pass(&put);
    ck_assert_int_eq(end_call(&put), WEIR_TIMED_OUT);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
    ck_assert_uint_eq(stats_now().refused, 1);
    must_get_row(1, 1);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
}
END_TEST

/* ------------------------------------------------- which answer comes first */

START_TEST(a_woken_getter_gets_its_item_though_its_deadline_passed)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    hold_call(&get);
    must_put(7);
    pass(&get);
    release_call(&get);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_int_eq(get.items[0], 7);
}
END_TEST

START_TEST(an_item_beats_timed_out)
{
    struct call first = {0}, late = {0};

    open_queue(2);
    block_get(&first);
    block_get(&late);
    hold_call(&first);
    hold_call(&late);
    must_put(7); /* wakes the first */
    pass(&late);
    release_call(&late);
    ck_assert_int_eq(end_call(&late), WEIR_OK);
    ck_assert_int_eq(late.items[0], 7);
    weir_queue_close(queue);
    release_call(&first);
    ck_assert_int_eq(end_call(&first), WEIR_CLOSED);
}
END_TEST

START_TEST(room_beats_timed_out)
{
    struct call first = {0}, late = {0};

    open_queue(1);
    must_put(0);
    block_put(&first, 1);
    block_put(&late, 2);
    hold_call(&first);
    hold_call(&late);
    must_get_row(0, 1); /* wakes the first */
    pass(&late);
    release_call(&late);
    ck_assert_int_eq(end_call(&late), WEIR_OK);
    weir_queue_close(queue);
    release_call(&first);
    ck_assert_int_eq(end_call(&first), WEIR_CLOSED);
    must_get_row(2, 1);
}
END_TEST

START_TEST(closed_beats_room_for_a_putter)
{
    struct call put = {0};

    open_queue(1);
    must_put(1);
    block_put(&put, 2);
    hold_call(&put);
    must_get_row(1, 1);
    weir_queue_close(queue);
    release_call(&put);
    ck_assert_int_eq(end_call(&put), WEIR_CLOSED);
    ck_assert_uint_eq(weir_queue_count(queue), 0);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
}
END_TEST

START_TEST(closed_beats_timed_out_for_a_putter)
{
    struct call put = {0};

    open_queue(1);
    must_put(1);
    block_put(&put, 2);
    hold_call(&put);
    pass(&put);
    weir_queue_close(queue);
    release_call(&put);
    ck_assert_int_eq(end_call(&put), WEIR_CLOSED);
    ck_assert_int_eq(put_now(3), WEIR_CLOSED);
}
END_TEST

START_TEST(an_item_beats_closed_for_a_getter)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    hold_call(&get);
    must_put(1);
    weir_queue_close(queue);
    release_call(&get);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(closed_beats_timed_out_for_a_getter)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    hold_call(&get);
    pass(&get);
    weir_queue_close(queue);
    release_call(&get);
    ck_assert_int_eq(end_call(&get), WEIR_CLOSED);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(a_finished_queue_beats_timed_out_for_a_joiner)
{
    struct call join = {0};

    open_queue(1);
    must_put(1);
    block_join(&join);
    hold_call(&join);
    pass(&join);
    must_finish(1);
    release_call(&join);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

/* ------------------------------------------------------------- interrupting */

static struct weir__flag interrupted;

static weir_status act_get_unless(struct call *call)
{
    return weir__queue_get_unless(queue, call->items, call->deadline,
                                  &interrupted);
}

START_TEST(an_interrupted_getter_is_cancelled)
{
    struct call get = {0};

    open_queue(1);
    block_for(&get, WEIR_SECONDS(1), act_get_unless);
    weir__flag_write(&interrupted, true);
    weir__queue_wake_getters(queue);
    ck_assert_int_eq(end_call(&get), WEIR_CANCELLED);
    ck_assert_int_eq(act_get_unless(&get), WEIR_CANCELLED);
}
END_TEST

START_TEST(an_interrupted_getter_still_takes_what_is_there)
{
    struct call get = {0};

    open_queue(1);
    weir__flag_write(&interrupted, true);
    must_put(3);
    ck_assert_int_eq(act_get_unless(&get), WEIR_OK);
    weir_queue_close(queue);
    ck_assert_int_eq(act_get_unless(&get), WEIR_CLOSED);
}
END_TEST

START_TEST(a_getter_woken_for_anothers_interrupt_waits_on)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    hold_call(&get);
    weir__queue_wake_getters(queue);
    release_call(&get);
    test_clock_await_waiter(get.deadline.at_ns);
    must_put(3);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_uint_eq(weir__queue_item_size(queue), sizeof(int));
}
END_TEST

int main(void)
{
    const TTest *const deadlines[] = {
        a_call_waits_up_to_its_deadline_and_no_longer,
        a_call_whose_deadline_has_passed_times_out,
        a_call_without_limit_waits_until_it_can_go_on, NULL};
    const TTest *const precedence[] = {
        a_put_that_timed_out_has_moved_nothing,
        a_woken_getter_gets_its_item_though_its_deadline_passed,
        an_item_beats_timed_out,
        room_beats_timed_out,
        closed_beats_room_for_a_putter,
        closed_beats_timed_out_for_a_putter,
        an_item_beats_closed_for_a_getter,
        closed_beats_timed_out_for_a_getter,
        a_finished_queue_beats_timed_out_for_a_joiner,
        NULL};
    const TTest *const interrupting[] = {
        an_interrupted_getter_is_cancelled,
        an_interrupted_getter_still_takes_what_is_there,
        a_getter_woken_for_anothers_interrupt_waits_on, NULL};
    const struct chapter chapters[] = {
        {"deadlines", deadlines, queue_setup, queue_teardown, 3, 0},
        {"precedence", precedence, queue_setup, queue_teardown, 0, 0},
        {"interrupting", interrupting, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: waiting", chapters);
}
