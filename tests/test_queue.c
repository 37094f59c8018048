/* SPDX-License-Identifier: MIT */
/* test_queue.c - making a queue; order, room and figures. */
#include <weir/queue.h>

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "queues.h"
#include "suite.h"

/* ---------------------------------------------------------------- making */

START_TEST(without_options_there_is_room_for_1024_items)
{
    open_queue_as(sizeof(int), NULL);
    ck_assert_uint_eq(weir_queue_capacity(queue), 1024);
    must_put_row(0, 1024);
    ck_assert_int_eq(put_now(0), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(capacity_0_is_the_default)
{
    open_queue(0);
    ck_assert_uint_eq(weir_queue_capacity(queue), 1024);
}
END_TEST

START_TEST(options_of_an_older_shorter_struct_are_read)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.size = offsetof(weir_queue_options, on_full);
    options.capacity = 3;
    options.on_full = WEIR_ON_FULL_REFUSE; /* beyond what it says it has */
    open_queue_as(sizeof(int), &options);
    ck_assert_uint_eq(weir_queue_capacity(queue), 3);
    must_put_row(0, 3);
    ck_assert_int_eq(put_now(3), WEIR_TIMED_OUT);
}
END_TEST

/* That create refuses, names `word`, and leaves *out alone. */
static void assert_refused(size_t item_size, const weir_queue_options *options,
                           const char *word)
{
    weir_queue *untouched = (weir_queue *)&discards;
    weir_queue *out = untouched;

    ck_assert_int_eq(weir_queue_create(&out, item_size, options), WEIR_EINVAL);
    ck_assert_ptr_eq(out, untouched);
    assert_error_names(word);
}

START_TEST(create_without_out_is_refused_by_name)
{
    ck_assert_int_eq(weir_queue_create(NULL, 4, NULL), WEIR_EINVAL);
    assert_error_names("out");
}
END_TEST

START_TEST(an_item_size_out_of_range_is_refused_by_name)
{
    assert_refused(0, NULL, "item_size 0");
    assert_refused(4097, NULL, "item_size 4097");
    assert_refused(SIZE_MAX, NULL, "item_size");
}
END_TEST

START_TEST(a_capacity_beyond_memory_is_refused_by_name)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = SIZE_MAX;
    assert_refused(1, &options, "capacity");
    options.capacity = (size_t)PTRDIFF_MAX / 8 + 1;
    assert_refused(8, &options, "capacity");
}
END_TEST

START_TEST(options_without_a_size_are_refused_by_name)
{
    weir_queue_options options = {0};

    assert_refused(4, &options, "WEIR_QUEUE_OPTIONS_INIT");
}
END_TEST

START_TEST(an_unknown_option_is_refused_unless_zero)
{
    struct {
        weir_queue_options known;
        unsigned char newer[8];
    } options = {{.size = sizeof(options), .capacity = 2}, {0}};

    open_queue_as(4, &options.known);
    options.newer[7] = 1;
    assert_refused(4, &options.known, "weir_queue_options");
}
END_TEST

START_TEST(caller_runs_is_refused_by_name)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    assert_refused(4, &options, "on_full");
    assert_error_names("caller runs is for pools");
}
END_TEST

START_TEST(a_policy_that_is_none_is_refused_by_name)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    int none[] = {WEIR_ON_FULL_CALLER_RUNS + 1, -1};

    for (int i = 0; i < 2; i++) {
        memcpy(&options.on_full, &none[i], sizeof(none[i]));
        assert_refused(4, &options, "on_full");
    }
}
END_TEST

START_TEST(water_marks_out_of_range_are_refused_by_name)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = 10;
    options.high_water = 11;
    assert_refused(4, &options, "high_water 11");
    options.high_water = 5;
    options.low_water = 5;
    assert_refused(4, &options, "low_water 5");
    options.high_water = 0;
    options.low_water = 10;
    assert_refused(4, &options, "low_water 10");
}
END_TEST

static weir_status create_and_destroy(void *arg)
{
    weir_queue *untouched = (weir_queue *)arg;
    weir_queue *out = untouched;
    weir_status status = weir_queue_create(&out, 8, NULL);

    if (status)
        ck_assert_ptr_eq(out, untouched);
    else
        weir_queue_destroy(out);
    return status;
}

START_TEST(create_survives_every_failing_allocation)
{
    fault_sweep(create_and_destroy, &discards, WEIR_ENOMEM);
}
END_TEST

START_TEST(a_capacity_that_the_system_refuses_is_no_memory)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = (size_t)PTRDIFF_MAX / 4096;
    ck_assert_int_eq(weir_queue_create(&queue, 4096, &options), WEIR_ENOMEM);
    ck_assert_ptr_null(queue);
}
END_TEST

/* ------------------------------------------------------------ wrong calls */

START_TEST(every_call_refuses_no_queue_by_name)
{
    int item = 0;
    size_t done = 7;
    const weir_status answers[] = {
        weir_queue_put(NULL, &item, WEIR_NOW),
        weir_queue_get(NULL, &item, WEIR_NOW),
        weir_queue_put_many(NULL, &item, 1, &done, WEIR_NOW),
        weir_queue_get_many(NULL, &item, 1, &done, WEIR_NOW),
        weir_queue_task_done(NULL, 0),
        weir_queue_join(NULL, WEIR_NOW),
        weir_queue_poison(NULL, 1),
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        ck_assert_int_eq(answers[i], WEIR_EINVAL);
    ck_assert_uint_eq(done, 0);
    assert_error_names("queue is NULL");
}
END_TEST

START_TEST(no_queue_is_empty_and_ends_at_once)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    stats.put = 5;
    weir_queue_close(NULL);
    weir_queue_abort(NULL);
    weir_queue_destroy(NULL);
    weir_queue_read_stats(NULL, &stats);
    ck_assert_uint_eq(stats.put, 0);
    ck_assert_uint_eq(weir_queue_count(NULL), 0);
    ck_assert_uint_eq(weir_queue_capacity(NULL), 0);
    ck_assert_uint_eq(weir_queue_unfinished(NULL), 0);
    ck_assert(!weir_queue_is_closed(NULL));
}
END_TEST

START_TEST(no_item_is_refused_by_name)
{
    size_t done = 7;

    open_queue(2);
    must_put(1);
    ck_assert_int_eq(weir_queue_put(queue, NULL, WEIR_NOW), WEIR_EINVAL);
    assert_error_names("item is NULL");
    ck_assert_int_eq(weir_queue_get(queue, NULL, WEIR_NOW), WEIR_EINVAL);
    ck_assert_int_eq(weir_queue_put_many(queue, NULL, 2, &done, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_uint_eq(done, 0);
    done = 7;
    ck_assert_int_eq(weir_queue_get_many(queue, NULL, 2, &done, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_uint_eq(done, 0);
    ck_assert_uint_eq(weir_queue_count(queue), 1);
}
END_TEST

/* --------------------------------------------------------- order and room */

START_TEST(items_leave_in_the_order_they_came)
{
    open_queue(8);
    must_put_row(0, 8);
    must_get_row(0, 8);
}
END_TEST

START_TEST(order_outlives_many_rounds_of_the_ring)
{
    int next_in = 0, next_out = 0;

    open_queue(5);
    for (int round = 0; round < 40; round++) {
        int in = round % 5 + 1;

        must_put_row(next_in, in);
        next_in += in;
        must_get_row(next_out, in);
        next_out += in;
    }
}
END_TEST

START_TEST(a_queue_of_capacity_1_holds_one_item)
{
    open_queue(1);
    for (int i = 0; i < 3; i++) {
        must_put(i);
        ck_assert_int_eq(put_now(-1), WEIR_TIMED_OUT);
        must_get_row(i, 1);
        ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    }
}
END_TEST

static const size_t item_sizes[] = {1, 3, 8, 16, 24, 32, 64, 4095, 4096};

/* A byte that depends on its item and its place. */
static unsigned char pattern(size_t item, size_t place)
{
    return (unsigned char)(item * 131 + place * 7 + place / 256);
}

START_TEST(every_byte_of_an_item_and_no_other_is_copied)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    size_t size = item_sizes[_i];
    unsigned char bytes[4096 + 2];

    options.capacity = 3;
    open_queue_as(size, &options);
    for (size_t item = 0; item < 3; item++) {
        for (size_t place = 0; place < size; place++)
            bytes[place] = pattern(item, place);
        ck_assert_int_eq(weir_queue_put(queue, bytes, WEIR_NOW), WEIR_OK);
    }
    for (size_t item = 0; item < 3; item++) {
        memset(bytes, 0xee, sizeof(bytes));
        ck_assert_int_eq(weir_queue_get(queue, bytes + 1, WEIR_NOW), WEIR_OK);
        ck_assert_uint_eq(bytes[0], 0xee);
        ck_assert_uint_eq(bytes[size + 1], 0xee);
        for (size_t place = 0; place < size; place++)
            if (bytes[place + 1] != pattern(item, place))
                ck_abort_msg("byte %zu of item %zu", place, item);
    }
}
END_TEST

START_TEST(put_now_on_a_full_queue_times_out_and_moves_nothing)
{
    open_queue(2);
    must_put_row(1, 2);
    ck_assert_int_eq(put_now(3), WEIR_TIMED_OUT);
    must_get_row(1, 2);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(get_now_on_an_empty_queue_times_out_and_writes_nothing)
{
    int item = 77;

    open_queue(2);
    ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_int_eq(item, 77);
}
END_TEST

START_TEST(a_deadline_before_the_clock_began_is_now)
{
    weir_deadline before = {-5};
    int item = 1;

    open_queue(1);
    ck_assert_int_eq(weir_queue_get(queue, &item, before), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_queue_put(queue, &item, before), WEIR_OK);
    ck_assert_int_eq(weir_queue_put(queue, &item, before), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_queue_get(queue, &item, before), WEIR_OK);
    ck_assert_uint_eq(stats_now().put_waits + stats_now().get_waits, 0);
}
END_TEST

/* --------------------------------------------------------------- figures */

START_TEST(count_and_unfinished_follow_puts_gets_and_task_done)
{
    open_queue(4);
    must_put_row(0, 3);
    ck_assert_uint_eq(weir_queue_count(queue), 3);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 3);
    must_get_row(0, 2);
    ck_assert_uint_eq(weir_queue_count(queue), 1);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 3);
    must_finish(2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
    ck_assert(!weir_queue_is_closed(queue));
}
END_TEST

START_TEST(stats_count_what_happened)
{
    weir_queue_stats stats;

    open_queue(4);
    must_put_row(0, 4);
    ck_assert_int_eq(put_now(4), WEIR_TIMED_OUT);
    must_get_row(0, 3);
    must_put(5);
    weir_queue_close(queue);
    ck_assert_int_eq(put_now(6), WEIR_CLOSED);
    stats = stats_now();
    ck_assert_uint_eq(stats.put, 5);
    ck_assert_uint_eq(stats.got, 3);
    ck_assert_uint_eq(stats.refused, 2);
    ck_assert_uint_eq(stats.dropped, 0);
    ck_assert_uint_eq(stats.put_waits, 0);
    ck_assert_uint_eq(stats.get_waits, 0);
    ck_assert_uint_eq(stats.count, 2);
    ck_assert_uint_eq(stats.most, 4);
    weir_queue_abort(queue);
    ck_assert_uint_eq(stats_now().dropped, 2);
}
END_TEST

START_TEST(waits_are_counted_once_for_each_call_that_waited)
{
    struct call put = {0}, get = {0};

    open_queue(1);
    block_get(&get);
    must_put(1);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    must_put(2);
    block_put(&put, 3);
    must_get_row(2, 1);
    ck_assert_int_eq(end_call(&put), WEIR_OK);
    ck_assert_uint_eq(stats_now().get_waits, 1);
    ck_assert_uint_eq(stats_now().put_waits, 1);
}
END_TEST

START_TEST(a_wait_in_vain_is_counted_too)
{
    struct call get = {0};

    open_queue(1);
    block_get(&get);
    weir_queue_close(queue);
    ck_assert_int_eq(end_call(&get), WEIR_CLOSED);
    ck_assert_uint_eq(stats_now().get_waits, 1);
}
END_TEST

START_TEST(a_shorter_stats_struct_gets_what_it_has_room_for)
{
    weir_queue_stats stats;

    open_queue(4);
    must_put_row(0, 2);
    must_get_row(0, 1);
    memset(&stats, 0x55, sizeof(stats));
    stats.size = offsetof(weir_queue_stats, got);
    weir_queue_read_stats(queue, &stats);
    ck_assert_uint_eq(stats.size, offsetof(weir_queue_stats, got));
    ck_assert_uint_eq(stats.put, 2);
    ck_assert_uint_eq(stats.got, 0x5555555555555555u);
}
END_TEST

int main(void)
{
    const TTest *const making[] = {
        without_options_there_is_room_for_1024_items,
        capacity_0_is_the_default,
        options_of_an_older_shorter_struct_are_read,
        create_without_out_is_refused_by_name,
        an_item_size_out_of_range_is_refused_by_name,
        a_capacity_beyond_memory_is_refused_by_name,
        options_without_a_size_are_refused_by_name,
        an_unknown_option_is_refused_unless_zero,
        caller_runs_is_refused_by_name,
        a_policy_that_is_none_is_refused_by_name,
        water_marks_out_of_range_are_refused_by_name,
        create_survives_every_failing_allocation,
        a_capacity_that_the_system_refuses_is_no_memory,
        NULL};
    const TTest *const wrong[] = {every_call_refuses_no_queue_by_name,
                                  no_queue_is_empty_and_ends_at_once,
                                  no_item_is_refused_by_name, NULL};
    const TTest *const order[] = {
        items_leave_in_the_order_they_came,
        order_outlives_many_rounds_of_the_ring,
        a_queue_of_capacity_1_holds_one_item,
        put_now_on_a_full_queue_times_out_and_moves_nothing,
        get_now_on_an_empty_queue_times_out_and_writes_nothing,
        a_deadline_before_the_clock_began_is_now,
        NULL};
    const TTest *const sizes[] = {every_byte_of_an_item_and_no_other_is_copied,
                                  NULL};
    const TTest *const figures[] = {
        count_and_unfinished_follow_puts_gets_and_task_done,
        stats_count_what_happened,
        waits_are_counted_once_for_each_call_that_waited,
        a_wait_in_vain_is_counted_too,
        a_shorter_stats_struct_gets_what_it_has_room_for,
        NULL};
    const struct chapter chapters[] = {
        {"making", making, queue_setup, queue_teardown, 0, 0},
        {"wrong calls", wrong, queue_setup, queue_teardown, 0, 0},
        {"order and room", order, queue_setup, queue_teardown, 0, 0},
        {"item sizes", sizes, queue_setup, queue_teardown,
         sizeof(item_sizes) / sizeof(item_sizes[0]), 0},
        {"figures", figures, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue", chapters);
}
