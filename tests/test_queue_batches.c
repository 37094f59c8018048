/* SPDX-License-Identifier: MIT */
/* test_queue_batches.c - put_many and get_many. */
#include <weir/queue.h>

#include <string.h>

#include "queues.h"
#include "suite.h"

static const int row[] = {1, 2, 3, 4, 5, 6};

static weir_status put_row(size_t count, size_t *done)
{
    return weir_queue_put_many(queue, row, count, done, WEIR_NOW);
}

/* ------------------------------------------------------------------ in */

START_TEST(a_batch_goes_in_in_order)
{
    size_t done = 99;

    open_queue(6);
    ck_assert_int_eq(put_row(6, &done), WEIR_OK);
    ck_assert_uint_eq(done, 6);
    must_get_row(1, 6);
}
END_TEST

START_TEST(a_batch_goes_round_the_end_of_the_ring)
{
    open_queue(4);
    for (int round = 0; round < 5; round++) {
        ck_assert_int_eq(put_row(3, NULL), WEIR_OK);
        must_get_row(1, 3);
    }
}
END_TEST

START_TEST(what_does_not_fit_stays_with_the_putter)
{
    size_t done = 99;

    open_queue(4);
    ck_assert_int_eq(put_row(6, &done), WEIR_TIMED_OUT);
    ck_assert_uint_eq(done, 4);
    ck_assert_uint_eq(stats_now().refused, 2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 4);
    ck_assert_int_eq(put_row(1, &done), WEIR_TIMED_OUT);
    ck_assert_uint_eq(done, 0);
    must_get_row(1, 4);
}
END_TEST

START_TEST(a_batch_may_be_put_without_done)
{
    open_queue(2);
    ck_assert_int_eq(put_row(2, NULL), WEIR_OK);
    ck_assert_int_eq(put_row(2, NULL), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(a_batch_waits_for_room_for_each_item)
{
    struct call put = {0};

    open_queue(2);
    block_put_many(&put, 1, 5);
    for (int i = 1; i <= 3; i++) {
        hold_call(&put);
        must_get_row(i, 1);
        release_call(&put);
        if (i < 3)
            test_clock_await_waiter(put.deadline.at_ns);
    }
    ck_assert_int_eq(end_call(&put), WEIR_OK);
    ck_assert_uint_eq(put.done, 5);
    must_get_row(4, 2);
}
END_TEST

START_TEST(a_deadline_may_pass_half_way_through_a_batch)
{
    struct call put = {0};

    open_queue(2);
    block_put_many(&put, 1, 5);
    hold_call(&put);
    must_get_row(1, 1);
    release_call(&put);
    test_clock_await_waiter(put.deadline.at_ns);
    test_clock_advance(weir_deadline_remaining(put.deadline));
    ck_assert_int_eq(end_call(&put), WEIR_TIMED_OUT);
    ck_assert_uint_eq(put.done, 3);
    ck_assert_uint_eq(stats_now().refused, 2);
    must_get_row(2, 2);
}
END_TEST

START_TEST(a_batch_is_cut_by_close)
{
    struct call put = {0};

    open_queue(2);
    block_put_many(&put, 1, 5);
    weir_queue_close(queue);
    ck_assert_int_eq(end_call(&put), WEIR_CLOSED);
    ck_assert_uint_eq(put.done, 2);
    ck_assert_uint_eq(stats_now().refused, 3);
    must_get_row(1, 2);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(a_batch_is_cut_by_a_refusing_queue)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    size_t done = 99;

    options.capacity = 4;
    options.on_full = WEIR_ON_FULL_REFUSE;
    open_queue_as(sizeof(int), &options);
    ck_assert_int_eq(put_row(6, &done), WEIR_FULL);
    ck_assert_uint_eq(done, 4);
    ck_assert_uint_eq(stats_now().refused, 2);
}
END_TEST

START_TEST(items_of_a_waiting_batch_are_there_to_get)
{
    struct call put = {0};

    open_queue(3);
    block_put_many(&put, 1, 4);
    must_get_row(1, 3);
    ck_assert_int_eq(end_call(&put), WEIR_OK);
    must_get_row(4, 1);
}
END_TEST

START_TEST(a_waiting_getter_gets_the_first_of_a_batch)
{
    struct call get = {0};

    open_queue(3);
    block_get(&get);
    ck_assert_int_eq(put_row(3, NULL), WEIR_OK);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_int_eq(get.items[0], 1);
    must_get_row(2, 2);
}
END_TEST

START_TEST(a_batch_of_nothing_is_ok_on_any_queue)
{
    int none;
    size_t done = 99;

    open_queue(1);
    must_put(1);
    ck_assert_int_eq(put_row(0, &done), WEIR_OK);
    ck_assert_uint_eq(done, 0);
    weir_queue_close(queue);
    done = 99;
    ck_assert_int_eq(put_row(0, &done), WEIR_OK);
    ck_assert_uint_eq(done, 0);
    must_get_row(1, 1);
    done = 99;
    ck_assert_int_eq(weir_queue_get_many(queue, &none, 0, &done, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(weir_queue_put_many(queue, NULL, 0, NULL, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_queue_get_many(queue, NULL, 0, NULL, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(stats_now().refused, 0);
}
END_TEST

/* ----------------------------------------------------------------- out */

static weir_status take(int *items, size_t count, size_t *done)
{
    memset(items, 0, sizeof(int) * count);
    *done = 99;
    return weir_queue_get_many(queue, items, count, done, WEIR_NOW);
}

START_TEST(get_many_takes_what_is_there)
{
    int items[6];
    size_t done;

    open_queue(6);
    must_put_row(1, 4);
    ck_assert_int_eq(take(items, 6, &done), WEIR_OK);
    ck_assert_uint_eq(done, 4);
    ck_assert_mem_eq(items, row, 4 * sizeof(int));
    ck_assert_int_eq(items[4], 0);
    ck_assert_uint_eq(stats_now().got, 4);
}
END_TEST

START_TEST(get_many_takes_no_more_than_asked_for)
{
    int items[3];
    size_t done;

    open_queue(6);
    must_put_row(1, 6);
    ck_assert_int_eq(take(items, 2, &done), WEIR_OK);
    ck_assert_uint_eq(done, 2);
    ck_assert_mem_eq(items, row, 2 * sizeof(int));
    must_get_row(3, 4);
}
END_TEST

START_TEST(get_many_waits_for_the_first_item_only)
{
    struct call get = {0};

    open_queue(6);
    block_get_many(&get, 4);
    must_put(1);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_uint_eq(get.done, 1);
    ck_assert_int_eq(get.items[0], 1);
}
END_TEST

START_TEST(get_many_that_gets_nothing_writes_0_to_done)
{
    int items[2];
    size_t done;

    open_queue(2);
    ck_assert_int_eq(take(items, 2, &done), WEIR_TIMED_OUT);
    ck_assert_uint_eq(done, 0);
    must_poison(1);
    ck_assert_int_eq(take(items, 2, &done), WEIR_POISONED);
    ck_assert_uint_eq(done, 0);
    weir_queue_close(queue);
    ck_assert_int_eq(take(items, 2, &done), WEIR_CLOSED);
    ck_assert_uint_eq(done, 0);
}
END_TEST

START_TEST(get_many_of_one_needs_no_done)
{
    int item = 0;

    open_queue(2);
    must_put_row(1, 2);
    ck_assert_int_eq(weir_queue_get_many(queue, &item, 1, NULL, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(item, 1);
    must_get_row(2, 1);
}
END_TEST

START_TEST(get_many_of_more_is_refused_without_done)
{
    int items[2];

    open_queue(2);
    must_put_row(1, 2);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 2, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("done is NULL");
    must_get_row(1, 2);
}
END_TEST

START_TEST(get_many_drains_a_closed_queue)
{
    int items[6];
    size_t done;

    open_queue(6);
    must_put_row(1, 3);
    weir_queue_close(queue);
    ck_assert_int_eq(take(items, 2, &done), WEIR_OK);
    ck_assert_uint_eq(done, 2);
    ck_assert_int_eq(take(items, 2, &done), WEIR_OK);
    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(items[0], 3);
    ck_assert_int_eq(take(items, 2, &done), WEIR_CLOSED);
}
END_TEST

int main(void)
{
    const TTest *const in[] = {a_batch_goes_in_in_order,
                               a_batch_goes_round_the_end_of_the_ring,
                               what_does_not_fit_stays_with_the_putter,
                               a_batch_may_be_put_without_done,
                               a_batch_waits_for_room_for_each_item,
                               a_deadline_may_pass_half_way_through_a_batch,
                               a_batch_is_cut_by_close,
                               a_batch_is_cut_by_a_refusing_queue,
                               items_of_a_waiting_batch_are_there_to_get,
                               a_waiting_getter_gets_the_first_of_a_batch,
                               a_batch_of_nothing_is_ok_on_any_queue,
                               NULL};
    const TTest *const out[] = {get_many_takes_what_is_there,
                                get_many_takes_no_more_than_asked_for,
                                get_many_waits_for_the_first_item_only,
                                get_many_that_gets_nothing_writes_0_to_done,
                                get_many_of_one_needs_no_done,
                                get_many_of_more_is_refused_without_done,
                                get_many_drains_a_closed_queue,
                                NULL};
    const struct chapter chapters[] = {{"in", in, queue_setup, queue_teardown,
                                        0, 0},
                                       {"out", out, queue_setup, queue_teardown,
                                        0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: batches", chapters);
}
