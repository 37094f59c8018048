/* SPDX-License-Identifier: MIT */
/* test_queue_pills.c - poison. */
#include <weir/queue.h>

#include <stdint.h>

#include "faults.h"
#include "queue/pills.h"
#include "queues.h"
#include "suite.h"

/* That the next `count` getters are poisoned, and not the one after. */
static void assert_poisoned(int count, weir_status then)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(get_now(), WEIR_POISONED);
    ck_assert_int_eq(get_now(), then);
}

/* --------------------------------------------------------------- counted */

START_TEST(a_pill_is_behind_the_items_that_were_there)
{
    open_queue(8);
    must_put_row(1, 2);
    must_poison(1);
    must_put_row(3, 2);
    must_get_row(1, 2);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    must_get_row(3, 2);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(a_pill_is_for_exactly_as_many_getters_as_it_says)
{
    open_queue(2);
    must_poison(3);
    assert_poisoned(3, WEIR_TIMED_OUT);
    must_put(1);
    must_get_row(1, 1);
}
END_TEST

START_TEST(pills_in_one_place_add_up)
{
    open_queue(2);
    must_poison(1);
    must_poison(2);
    assert_poisoned(3, WEIR_TIMED_OUT);
}
END_TEST

START_TEST(pills_in_different_places_keep_them)
{
    open_queue(8);
    must_poison(1);
    must_put(1);
    must_poison(2);
    must_put(2);
    must_poison(1);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    must_get_row(1, 1);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    must_get_row(2, 1);
    assert_poisoned(1, WEIR_TIMED_OUT);
}
END_TEST

START_TEST(pills_take_no_room_and_count_nowhere)
{
    weir_queue_stats stats;

    open_queue(2);
    must_put_row(1, 2);
    must_poison(100);
    stats = stats_now();
    ck_assert_uint_eq(stats.put, 2);
    ck_assert_uint_eq(stats.count, 2);
    ck_assert_uint_eq(stats.most, 2);
    ck_assert_uint_eq(weir_queue_count(queue), 2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    must_get_row(1, 2);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    must_put_row(3, 2);
    ck_assert_uint_eq(stats_now().got, 2);
    must_finish(2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
}
END_TEST

START_TEST(get_many_never_crosses_a_pill)
{
    int items[8];
    size_t done;

    open_queue(8);
    must_put_row(1, 3);
    must_poison(1);
    must_put_row(4, 2);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 8, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_uint_eq(done, 3);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 8, &done, WEIR_NOW),
                     WEIR_POISONED);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 8, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_uint_eq(done, 2);
    ck_assert_int_eq(items[0], 4);
}
END_TEST

START_TEST(poison_wakes_as_many_blocked_getters_as_it_is_for)
{
    struct call gets[3] = {{.count = 0}};

    open_queue(1);
    for (int i = 0; i < 3; i++)
        block_get(&gets[i]);
    must_poison(2);
    ck_assert_int_eq(end_call(&gets[0]), WEIR_POISONED);
    ck_assert_int_eq(end_call(&gets[1]), WEIR_POISONED);
    must_put(5);
    ck_assert_int_eq(end_call(&gets[2]), WEIR_OK);
}
END_TEST

START_TEST(what_is_left_of_a_pill_meets_those_who_come_later)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    must_poison(2);
    ck_assert_int_eq(end_call(&get), WEIR_POISONED);
    assert_poisoned(1, WEIR_TIMED_OUT);
}
END_TEST

START_TEST(a_pill_beats_timed_out)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    hold_call(&get);
    test_clock_advance(weir_deadline_remaining(get.deadline));
    must_poison(1);
    release_call(&get);
    ck_assert_int_eq(end_call(&get), WEIR_POISONED);
}
END_TEST

START_TEST(poison_for_nobody_is_refused_by_name)
{
    open_queue(1);
    ck_assert_int_eq(weir_queue_poison(queue, 0), WEIR_EINVAL);
    assert_error_names("consumers is 0");
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(a_dropped_item_moves_the_pill_behind_it_forward)
{
    weir_queue_options options = noting_options(2);

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 2);
    must_poison(1);
    must_put(3); /* drops 1 */
    must_get_row(2, 1);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    must_get_row(3, 1);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
}
END_TEST

/* ------------------------------------------------------------ and closing */

START_TEST(pills_left_at_close_are_served_before_closed)
{
    open_queue(4);
    must_put(1);
    must_poison(2);
    weir_queue_close(queue);
    must_get_row(1, 1);
    assert_poisoned(2, WEIR_CLOSED);
}
END_TEST

START_TEST(a_closed_queue_takes_no_pills)
{
    open_queue(4);
    weir_queue_close(queue);
    ck_assert_int_eq(weir_queue_poison(queue, 1), WEIR_CLOSED);
    ck_assert_int_eq(weir_queue_poison(queue, WEIR_EVERY_CONSUMER),
                     WEIR_CLOSED);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(pills_vanish_at_abort)
{
    weir_queue_options options = noting_options(4);

    open_queue_as(sizeof(int), &options);
    must_poison(2);
    must_put(1);
    must_poison(2);
    weir_queue_abort(queue);
    assert_discarded(1, 1, WEIR_DISCARD_ABORT);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

/* ------------------------------------------------------- every consumer */

START_TEST(poison_for_every_consumer_is_for_ever)
{
    open_queue(4);
    must_put_row(1, 2);
    must_poison(WEIR_EVERY_CONSUMER);
    must_get_row(1, 2);
    assert_poisoned(100, WEIR_POISONED);
    weir_queue_close(queue);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
}
END_TEST

START_TEST(poison_for_every_consumer_refuses_puts)
{
    struct call put = {0};

    open_queue(1);
    must_put(1);
    block_put(&put, 2);
    must_poison(WEIR_EVERY_CONSUMER);
    ck_assert_int_eq(end_call(&put), WEIR_CLOSED);
    ck_assert(weir_queue_is_closed(queue));
    ck_assert_int_eq(put_now(3), WEIR_CLOSED);
    ck_assert_int_eq(weir_queue_poison(queue, 1), WEIR_CLOSED);
    must_get_row(1, 1);
}
END_TEST

START_TEST(poison_for_every_consumer_wakes_every_getter)
{
    struct call gets[3] = {{.count = 0}};

    open_queue(1);
    for (int i = 0; i < 3; i++)
        block_get(&gets[i]);
    must_poison(WEIR_EVERY_CONSUMER);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&gets[i]), WEIR_POISONED);
}
END_TEST

START_TEST(counted_pills_go_before_the_one_for_every_consumer)
{
    open_queue(4);
    must_poison(1);
    must_put(1);
    must_poison(WEIR_EVERY_CONSUMER);
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    must_get_row(1, 1);
    assert_poisoned(2, WEIR_POISONED);
}
END_TEST

START_TEST(an_abort_ends_the_poison_for_every_consumer)
{
    open_queue(4);
    must_put(1);
    must_poison(WEIR_EVERY_CONSUMER);
    weir_queue_abort(queue);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
    ck_assert_uint_eq(stats_now().dropped, 1);
}
END_TEST

/* ------------------------------------------------------------- the list */

static weir_status poison_once(void *arg)
{
    (void)arg;
    return weir_queue_poison(queue, 1);
}

START_TEST(poison_survives_every_failing_allocation)
{
    uint64_t points;

    open_queue(1);
    points = fault_sweep(poison_once, NULL, WEIR_ENOMEM);
    ck_assert_uint_eq(points, 1);
    assert_poisoned(1, WEIR_TIMED_OUT);
}
END_TEST

START_TEST(pills_for_more_than_can_be_counted_do_not_run_over)
{
    open_queue(1);
    must_poison(SIZE_MAX - 1);
    must_poison(2);
    must_poison(2);
    assert_poisoned(3, WEIR_POISONED);
}
END_TEST

START_TEST(the_list_of_pills_may_run_empty_and_fill_again)
{
    open_queue(1);
    for (int i = 0; i < 3; i++) {
        must_poison(1);
        assert_poisoned(1, WEIR_TIMED_OUT);
        must_put(i);
        must_poison(1);
        must_get_row(i, 1);
        assert_poisoned(1, WEIR_TIMED_OUT);
    }
}
END_TEST

START_TEST(a_pill_joins_the_last_one_if_it_can)
{
    struct weir__pills pills = {NULL, NULL};
    struct weir__pill first = {.after = 5, .left = 1};
    struct weir__pill same = {.after = 5, .left = 2};
    struct weir__pill later = {.after = 6, .left = 1};

    ck_assert_ptr_null(weir__pills_add(&pills, &first));
    ck_assert_ptr_eq(weir__pills_add(&pills, &same), &same);
    ck_assert_ptr_null(weir__pills_add(&pills, &later));
    ck_assert_uint_eq(first.left, 3);
    ck_assert_uint_eq(weir__pills_items_before(&pills, 2), 3);
    ck_assert_ptr_null(weir__pills_take(&pills));
    ck_assert_ptr_null(weir__pills_take(&pills));
    ck_assert_ptr_eq(weir__pills_take(&pills), &first);
    ck_assert_uint_eq(weir__pills_items_before(&pills, 5), 1);
}
END_TEST

START_TEST(an_empty_list_lets_everything_pass)
{
    struct weir__pills pills = {NULL, NULL};

    ck_assert(!weir__pills_are_due(&pills, UINT64_MAX));
    ck_assert_uint_eq(weir__pills_items_before(&pills, 5), UINT64_MAX);
}
END_TEST

int main(void)
{
    const TTest *const counted[] = {
        a_pill_is_behind_the_items_that_were_there,
        a_pill_is_for_exactly_as_many_getters_as_it_says,
        pills_in_one_place_add_up,
        pills_in_different_places_keep_them,
        pills_take_no_room_and_count_nowhere,
        get_many_never_crosses_a_pill,
        poison_wakes_as_many_blocked_getters_as_it_is_for,
        what_is_left_of_a_pill_meets_those_who_come_later,
        a_pill_beats_timed_out,
        poison_for_nobody_is_refused_by_name,
        a_dropped_item_moves_the_pill_behind_it_forward,
        NULL};
    const TTest *const closing[] = {
        pills_left_at_close_are_served_before_closed,
        a_closed_queue_takes_no_pills, pills_vanish_at_abort, NULL};
    const TTest *const every[] = {
        poison_for_every_consumer_is_for_ever,
        poison_for_every_consumer_refuses_puts,
        poison_for_every_consumer_wakes_every_getter,
        counted_pills_go_before_the_one_for_every_consumer,
        an_abort_ends_the_poison_for_every_consumer,
        NULL};
    const TTest *const list[] = {
        poison_survives_every_failing_allocation,
        pills_for_more_than_can_be_counted_do_not_run_over,
        the_list_of_pills_may_run_empty_and_fill_again,
        a_pill_joins_the_last_one_if_it_can,
        an_empty_list_lets_everything_pass,
        NULL};
    const struct chapter chapters[] = {
        {"counted", counted, queue_setup, queue_teardown, 0, 0},
        {"pills and closing", closing, queue_setup, queue_teardown, 0, 0},
        {"every consumer", every, queue_setup, queue_teardown, 0, 0},
        {"the list", list, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: pills", chapters);
}
