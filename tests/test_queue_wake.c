/* SPDX-License-Identifier: MIT */
/* test_queue_wake.c - who is woken, and how often a thread is overtaken. */
#include <weir/queue.h>

#include <stdint.h>

#include "base/park.h"
#include "queues.h"
#include "suite.h"

/* ------------------------------------------------------------ who is woken */

START_TEST(a_put_wakes_the_getter_that_has_waited_longest)
{
    struct call gets[3] = {{.count = 0}};

    open_queue(3);
    for (int i = 0; i < 3; i++)
        block_get(&gets[i]);
    for (int i = 0; i < 3; i++) {
        must_put(i);
        ck_assert_int_eq(end_call(&gets[i]), WEIR_OK);
        ck_assert_int_eq(gets[i].items[0], i);
    }
}
END_TEST

START_TEST(a_get_wakes_the_putter_that_has_waited_longest)
{
    struct call puts[3] = {{.count = 0}};

    open_queue(1);
    must_put(0);
    for (int i = 0; i < 3; i++)
        block_put(&puts[i], i + 1);
    for (int i = 0; i < 3; i++) {
        must_get_row(i, 1);
        ck_assert_int_eq(end_call(&puts[i]), WEIR_OK);
    }
    must_get_row(3, 1);
}
END_TEST

START_TEST(a_put_wakes_one_getter_and_leaves_the_others_alone)
{
    struct call first = {0}, second = {0};

    open_queue(2);
    block_get(&first);
    block_get(&second);
    hold_call(&second); /* stands still if anything wakes it */
    must_put(1);
    ck_assert_int_eq(end_call(&first), WEIR_OK);
    must_put(2); /* must be for the second alone */
    release_call(&second);
    ck_assert_int_eq(end_call(&second), WEIR_OK);
    ck_assert_int_eq(second.items[0], 2);
}
END_TEST

/* One act over and over until the queue is closed. */
struct worker {
    struct helper helper;
    struct call call;
    weir_status (*act)(struct call *call);
    struct tally *acts;
};

static void work(void *arg)
{
    struct worker *worker = arg;

    while (worker->act(&worker->call) == WEIR_OK)
        tally_add(worker->acts, 1);
}

/* _i: getters, or putters. */
START_TEST(nobody_is_woken_in_vain)
{
    weir_deadline far = weir_deadline_after(WEIR_SECONDS(9));
    bool getters = _i == 0;
    struct tally acts = TALLY_INIT;
    struct worker workers[3];

    open_queue(1);
    if (!getters)
        must_put(0);
    for (int i = 0; i < 3; i++) {
        workers[i] = (struct worker){.call = {.deadline = far},
                                     .act = getters ? act_get : act_put,
                                     .acts = &acts};
        helper_start(&workers[i].helper, work, &workers[i]);
    }
    for (uint64_t round = 1; round <= 50; round++) {
        test_clock_await_waiters(far.at_ns, 3);
        if (getters)
            must_put(0);
        else
            must_get_row(0, 1);
        await_count(&acts, round);
    }
    test_clock_await_waiters(far.at_ns, 3);
    ck_assert_uint_eq(test_clock_waits(), 53);
    weir_queue_close(queue);
    for (int i = 0; i < 3; i++)
        helper_join(&workers[i].helper);
}
END_TEST

START_TEST(a_getter_that_timed_out_takes_no_wake_up_with_it)
{
    struct call brief = {0}, patient = {0};

    open_queue(1);
    block_get(&brief);
    block_get(&patient);
    test_clock_advance(weir_deadline_remaining(brief.deadline));
    ck_assert_int_eq(end_call(&brief), WEIR_TIMED_OUT);
    must_put(1);
    ck_assert_int_eq(end_call(&patient), WEIR_OK);
}
END_TEST

START_TEST(a_putter_that_timed_out_takes_no_wake_up_with_it)
{
    struct call brief = {0}, patient = {0};

    open_queue(1);
    must_put(0);
    block_put(&brief, 1);
    block_put(&patient, 2);
    test_clock_advance(weir_deadline_remaining(brief.deadline));
    ck_assert_int_eq(end_call(&brief), WEIR_TIMED_OUT);
    must_get_row(0, 1);
    ck_assert_int_eq(end_call(&patient), WEIR_OK);
    must_get_row(2, 1);
}
END_TEST

START_TEST(one_batch_wakes_as_many_getters_as_it_has_items)
{
    struct call gets[3] = {{.count = 0}};
    int items[] = {1, 2, 3};

    open_queue(3);
    for (int i = 0; i < 3; i++)
        block_get(&gets[i]);
    ck_assert_int_eq(weir_queue_put_many(queue, items, 3, NULL, WEIR_NOW),
                     WEIR_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&gets[i]), WEIR_OK);
}
END_TEST

START_TEST(one_batch_wakes_as_many_putters_as_it_made_room)
{
    struct call puts[3] = {{.count = 0}};
    int items[3];
    size_t done;

    open_queue(3);
    must_put_row(0, 3);
    for (int i = 0; i < 3; i++)
        block_put(&puts[i], i);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 3, &done, WEIR_NOW),
                     WEIR_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&puts[i]), WEIR_OK);
    ck_assert_uint_eq(weir_queue_count(queue), 3);
}
END_TEST

/* --------------------------------------------------------------- fairness */

/* Overtakes a blocked getter once: it is woken, and finds nothing. */
static void overtake_getter(struct call *get, int item)
{
    hold_call(get);
    must_put(item);
    must_get_row(item, 1);
    release_call(get);
    test_clock_await_waiter(get->deadline.at_ns);
}

START_TEST(an_overtaken_getter_waits_again_in_front)
{
    struct call first = {0}, second = {0};

    open_queue(2);
    block_get(&first);
    block_get(&second);
    overtake_getter(&first, 1);
    must_put(2);
    ck_assert_int_eq(end_call(&first), WEIR_OK);
    ck_assert_int_eq(first.items[0], 2);
    must_put(3);
    ck_assert_int_eq(end_call(&second), WEIR_OK);
    ck_assert_uint_eq(stats_now().get_waits, 2);
}
END_TEST

START_TEST(a_getter_is_overtaken_a_bounded_number_of_times)
{
    struct call get = {0};

    open_queue(2);
    block_get(&get);
    for (int i = 0; i < WEIR__OVERTAKEN_AT_MOST; i++)
        overtake_getter(&get, i);
    hold_call(&get);
    must_put(99);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    release_call(&get);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_int_eq(get.items[0], 99);
    must_put(100);
    must_get_row(100, 1);
}
END_TEST

START_TEST(a_putter_is_overtaken_a_bounded_number_of_times)
{
    struct call put = {0};

    open_queue(1);
    must_put(0);
    block_put(&put, 99);
    for (int i = 0; i < WEIR__OVERTAKEN_AT_MOST; i++) {
        hold_call(&put);
        must_get_row(i, 1);
        must_put(i + 1);
        release_call(&put);
        test_clock_await_waiter(put.deadline.at_ns);
    }
    hold_call(&put);
    must_get_row(WEIR__OVERTAKEN_AT_MOST, 1);
    ck_assert_int_eq(put_now(5), WEIR_TIMED_OUT);
    release_call(&put);
    ck_assert_int_eq(end_call(&put), WEIR_OK);
    must_get_row(99, 1);
    must_put(100);
    ck_assert_uint_eq(stats_now().put_waits, 1);
}
END_TEST

START_TEST(all_getters_that_stood_back_are_woken_in_the_end)
{
    struct call overtaken = {0}, newcomers[3] = {{.count = 0}};

    open_queue(8);
    block_get(&overtaken);
    for (int i = 0; i < WEIR__OVERTAKEN_AT_MOST; i++)
        overtake_getter(&overtaken, i);
    hold_call(&overtaken);
    must_put_row(1, 4); /* one for each, and only one is there to wake */
    for (int i = 0; i < 3; i++)
        block_get(&newcomers[i]);
    release_call(&overtaken);
    ck_assert_int_eq(end_call(&overtaken), WEIR_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&newcomers[i]), WEIR_OK);
}
END_TEST

START_TEST(closing_ends_the_standing_back)
{
    struct call get = {0};

    open_queue(2);
    block_get(&get);
    for (int i = 0; i < WEIR__OVERTAKEN_AT_MOST; i++)
        overtake_getter(&get, i);
    hold_call(&get);
    must_put(7);
    weir_queue_close(queue);
    must_get_row(7, 1);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
    release_call(&get);
    ck_assert_int_eq(end_call(&get), WEIR_CLOSED);
}
END_TEST

int main(void)
{
    const TTest *const waking[] = {
        a_put_wakes_the_getter_that_has_waited_longest,
        a_get_wakes_the_putter_that_has_waited_longest,
        a_put_wakes_one_getter_and_leaves_the_others_alone,
        a_getter_that_timed_out_takes_no_wake_up_with_it,
        a_putter_that_timed_out_takes_no_wake_up_with_it,
        one_batch_wakes_as_many_getters_as_it_has_items,
        one_batch_wakes_as_many_putters_as_it_made_room,
        NULL};
    const TTest *const vain[] = {nobody_is_woken_in_vain, NULL};
    const TTest *const fairness[] = {
        an_overtaken_getter_waits_again_in_front,
        a_getter_is_overtaken_a_bounded_number_of_times,
        a_putter_is_overtaken_a_bounded_number_of_times,
        all_getters_that_stood_back_are_woken_in_the_end,
        closing_ends_the_standing_back,
        NULL};
    const struct chapter chapters[] = {
        {"waking", waking, queue_setup, queue_teardown, 0, 0},
        {"waking nobody else", vain, queue_setup, queue_teardown, 2, 0},
        {"fairness", fairness, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: waking", chapters);
}
