/* SPDX-License-Identifier: MIT */
/* test_queue_policies.c - what a full queue does; water marks. */
#include <weir/queue.h>

#include <string.h>

#include "queue/marks.h"
#include "queues.h"
#include "suite.h"

static void open_policy(size_t capacity, weir_on_full on_full)
{
    weir_queue_options options = noting_options(capacity);

    options.on_full = on_full;
    open_queue_as(sizeof(int), &options);
}

/* ---------------------------------------------------------------- refuse */

START_TEST(a_refusing_queue_says_full_at_once)
{
    struct call put = {.deadline = WEIR_FOREVER, .items = {3}};

    open_policy(2, WEIR_ON_FULL_REFUSE);
    must_put_row(1, 2);
    ck_assert_int_eq(act_put(&put), WEIR_FULL);
    ck_assert_int_eq(put_now(3), WEIR_FULL);
    ck_assert_uint_eq(stats_now().refused, 2);
    ck_assert_uint_eq(stats_now().put_waits, 0);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    must_get_row(1, 1);
    must_put(3);
    must_get_row(2, 2);
    ck_assert_uint_eq(discards.count, 0);
}
END_TEST

START_TEST(closed_beats_full)
{
    open_policy(1, WEIR_ON_FULL_REFUSE);
    must_put(1);
    weir_queue_close(queue);
    ck_assert_int_eq(put_now(2), WEIR_CLOSED);
}
END_TEST

START_TEST(a_refusing_queue_wakes_its_getters)
{
    struct call get = {0};

    open_policy(1, WEIR_ON_FULL_REFUSE);
    block_get(&get);
    must_put(1);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
}
END_TEST

/* ----------------------------------------------------------- drop oldest */

START_TEST(a_dropping_queue_drops_the_oldest_for_the_newest)
{
    open_policy(3, WEIR_ON_FULL_DROP_OLDEST);
    must_put_row(1, 5);
    assert_discarded(1, 2, WEIR_DISCARD_OVERLOAD);
    ck_assert_uint_eq(weir_queue_count(queue), 3);
    must_get_row(3, 3);
    ck_assert_uint_eq(discards.count, 2);
}
END_TEST

START_TEST(a_dropped_item_is_counted_and_finished)
{
    weir_queue_stats stats;

    open_policy(2, WEIR_ON_FULL_DROP_OLDEST);
    must_put_row(1, 5);
    stats = stats_now();
    ck_assert_uint_eq(stats.put, 5);
    ck_assert_uint_eq(stats.dropped, 3);
    ck_assert_uint_eq(stats.refused, 0);
    ck_assert_uint_eq(stats.most, 2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    must_get_row(4, 2);
    must_finish(2);
    ck_assert_int_eq(join_now(), WEIR_OK);
}
END_TEST

/* Finishes what came in the victim's place. */
static void finish_successor(void *arg, void *item, weir_discard_reason reason)
{
    note_discard(arg, item, reason);
    must_get_row(2, 1);
    must_finish(1);
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
}

START_TEST(a_dropped_item_is_finished_once_on_discard_has_returned)
{
    weir_queue_options options = noting_options(1);
    struct call join = {0};

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    options.on_discard = finish_successor;
    open_queue_as(sizeof(int), &options);
    must_put(1);
    block_join(&join);
    must_put(2);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
    assert_discarded(1, 1, WEIR_DISCARD_OVERLOAD);
}
END_TEST

START_TEST(a_batch_into_a_dropping_queue_always_fits)
{
    const int items[] = {1, 2, 3, 4, 5};
    size_t done = 99;

    open_policy(2, WEIR_ON_FULL_DROP_OLDEST);
    ck_assert_int_eq(weir_queue_put_many(queue, items, 5, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_uint_eq(done, 5);
    assert_discarded(1, 3, WEIR_DISCARD_OVERLOAD);
    must_get_row(4, 2);
}
END_TEST

START_TEST(a_closed_dropping_queue_drops_nothing)
{
    const int items[] = {7, 8, 9};
    size_t done = 99;

    open_policy(2, WEIR_ON_FULL_DROP_OLDEST);
    must_put_row(1, 2);
    weir_queue_close(queue);
    ck_assert_int_eq(weir_queue_put_many(queue, items, 3, &done, WEIR_NOW),
                     WEIR_CLOSED);
    ck_assert_uint_eq(done, 0);
    ck_assert_uint_eq(discards.count, 0);
    ck_assert_uint_eq(stats_now().refused, 3);
    must_get_row(1, 2);
}
END_TEST

/* Puts the item back, changed; in its turn that may drop another. */
static void put_back(void *arg, void *item, weir_discard_reason reason)
{
    int again;

    note_discard(arg, item, reason);
    memcpy(&again, item, sizeof(again));
    assert_balanced();
    ck_assert_uint_eq(weir_queue_count(queue), 2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2 + discards.count);
    if (again < 100)
        must_put(again + 100);
}

START_TEST(on_discard_of_a_drop_may_put_into_the_same_queue)
{
    weir_queue_options options = noting_options(2);
    const int victims[] = {1, 2, 103};

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    options.on_discard = put_back;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 2);
    must_put(103); /* drops 1, which comes back and drops 2 ... */
    ck_assert_uint_eq(discards.count, 3);
    ck_assert_mem_eq(discards.items, victims, sizeof(victims));
    must_get_row(101, 2);
    must_finish(2);
    ck_assert_int_eq(join_now(), WEIR_OK);
}
END_TEST

static void close_here(void *arg, void *item, weir_discard_reason reason)
{
    note_discard(arg, item, reason);
    weir_queue_close(queue);
}

START_TEST(a_batch_into_a_dropping_queue_is_cut_by_close)
{
    weir_queue_options options = noting_options(1);
    const int items[] = {1, 2, 3, 4};
    size_t done = 99;

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    options.on_discard = close_here;
    open_queue_as(sizeof(int), &options);
    ck_assert_int_eq(weir_queue_put_many(queue, items, 4, &done, WEIR_NOW),
                     WEIR_CLOSED);
    ck_assert_uint_eq(done, 2);
    ck_assert_uint_eq(stats_now().refused, 2);
    assert_discarded(1, 1, WEIR_DISCARD_OVERLOAD);
}
END_TEST

START_TEST(a_dropping_queue_wakes_its_getters)
{
    struct call get = {0};

    open_policy(1, WEIR_ON_FULL_DROP_OLDEST);
    block_get(&get);
    must_put(1);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
}
END_TEST

START_TEST(without_on_discard_dropped_items_are_only_counted)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 3);
    ck_assert_uint_eq(stats_now().dropped, 2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
}
END_TEST

/* ------------------------------------------------------------ water marks */

/* What on_pressure was told, in order; '+' high, '-' low. */
static char told[64];
static int told_arg;

static void note_pressure(void *arg, bool high)
{
    size_t n = strlen(told);

    ck_assert_ptr_eq(arg, &told_arg);
    ck_assert_uint_lt(n + 1, sizeof(told));
    told[n] = high ? '+' : '-';
    assert_balanced(); /* takes the lock */
}

static weir_queue_options
marking_options(size_t capacity, size_t high, size_t low)
{
    weir_queue_options options = noting_options(capacity);

    options.high_water = high;
    options.low_water = low;
    options.on_pressure = note_pressure;
    options.on_pressure_arg = &told_arg;
    return options;
}

static void open_marked(size_t capacity, size_t high, size_t low)
{
    weir_queue_options options = marking_options(capacity, high, low);

    open_queue_as(sizeof(int), &options);
}

START_TEST(high_is_told_at_the_high_mark_and_low_at_the_low_mark)
{
    open_marked(10, 6, 3);
    must_put_row(0, 5);
    ck_assert_str_eq(told, "");
    must_put(5);
    ck_assert_str_eq(told, "+");
    must_put_row(6, 4);
    ck_assert_str_eq(told, "+");
    must_get_row(0, 6);
    ck_assert_str_eq(told, "+");
    must_get_row(6, 1);
    ck_assert_str_eq(told, "+-");
    must_get_row(7, 3);
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(between_the_marks_the_last_word_stands)
{
    open_marked(10, 6, 3);
    must_put_row(0, 6);
    for (int i = 0; i < 5; i++) {
        must_get_row(i, 1);
        must_put(i + 6);
    }
    ck_assert_str_eq(told, "+");
    must_get_row(5, 3);
    for (int i = 0; i < 2; i++) {
        must_put(i + 11);
        must_get_row(i + 8, 1);
    }
    ck_assert_str_eq(told, "+-");
    must_put_row(13, 3);
    ck_assert_str_eq(told, "+-+");
}
END_TEST

START_TEST(by_default_the_marks_are_full_and_a_quarter)
{
    open_marked(8, 0, 0);
    must_put_row(0, 7);
    ck_assert_str_eq(told, "");
    must_put(7);
    ck_assert_str_eq(told, "+");
    must_get_row(0, 5);
    ck_assert_str_eq(told, "+");
    must_get_row(5, 1);
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(a_high_mark_below_a_quarter_pulls_the_low_one_with_it)
{
    open_marked(100, 5, 0);
    must_put_row(0, 5);
    ck_assert_str_eq(told, "+");
    must_get_row(0, 1);
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(a_queue_of_capacity_1_has_marks_too)
{
    open_marked(1, 0, 0);
    must_put(1);
    must_get_row(1, 1);
    must_put(2);
    ck_assert_str_eq(told, "+-+");
}
END_TEST

START_TEST(high_is_told_before_the_putter_blocks)
{
    struct call put = {0};

    open_marked(2, 0, 0);
    block_put_many(&put, 1, 3);
    ck_assert_str_eq(told, "+");
    must_get_row(1, 2);
    ck_assert_int_eq(end_call(&put), WEIR_OK);
}
END_TEST

START_TEST(abort_tells_low)
{
    open_marked(2, 0, 0);
    must_put_row(1, 2);
    weir_queue_abort(queue);
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(a_drop_tells_nothing)
{
    weir_queue_options options = marking_options(2, 2, 1);

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 5);
    ck_assert_str_eq(told, "+");
}
END_TEST

/* Empties the queue while it is being told that it is full. */
static void get_when_high(void *arg, bool high)
{
    note_pressure(arg, high);
    if (high && strlen(told) < 5)
        must_get_row((int)(strlen(told) + 1) / 2, 1);
    else if (!high)
        must_put((int)strlen(told) / 2 + 1);
}

START_TEST(on_pressure_may_change_what_it_was_told)
{
    weir_queue_options options = marking_options(1, 0, 0);

    options.on_pressure = get_when_high;
    open_queue_as(sizeof(int), &options);
    must_put(1);
    ck_assert_str_eq(told, "+-+-+");
    ck_assert_uint_eq(weir_queue_count(queue), 1);
}
END_TEST

static struct gate teller_is_in = GATE_INIT, teller_may_go = GATE_INIT;

static void note_slowly(void *arg, bool high)
{
    note_pressure(arg, high);
    gate_open(&teller_is_in);
    gate_wait(&teller_may_go);
}

START_TEST(one_thread_tells_at_a_time_and_ends_with_the_truth)
{
    weir_queue_options options = marking_options(2, 0, 0);
    struct call put = {.deadline = WEIR_NOW, .items = {2}};

    options.on_pressure = note_slowly;
    open_queue_as(sizeof(int), &options);
    must_put(1);
    start_call(&put, act_put);
    gate_wait(&teller_is_in);
    must_get_row(1, 2); /* low: for the other thread to tell */
    ck_assert_str_eq(told, "+");
    gate_open(&teller_may_go);
    ck_assert_int_eq(end_call(&put), WEIR_OK);
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(marks_alone_decide_when_a_count_is_news)
{
    struct weir__marks marks = {.high = 6, .low = 3};
    bool told_high = false;

    ck_assert(!weir__marks_changed(&marks, told_high, 5));
    ck_assert(weir__marks_changed(&marks, told_high, 6));
    told_high = true;
    ck_assert(!weir__marks_changed(&marks, told_high, 4));
    ck_assert(weir__marks_changed(&marks, told_high, 3));
}
END_TEST

int main(void)
{
    const TTest *const refuse[] = {a_refusing_queue_says_full_at_once,
                                   closed_beats_full,
                                   a_refusing_queue_wakes_its_getters, NULL};
    const TTest *const drop[] = {
        a_dropping_queue_drops_the_oldest_for_the_newest,
        a_dropped_item_is_counted_and_finished,
        a_dropped_item_is_finished_once_on_discard_has_returned,
        a_batch_into_a_dropping_queue_always_fits,
        a_closed_dropping_queue_drops_nothing,
        on_discard_of_a_drop_may_put_into_the_same_queue,
        a_batch_into_a_dropping_queue_is_cut_by_close,
        a_dropping_queue_wakes_its_getters,
        without_on_discard_dropped_items_are_only_counted,
        NULL};
    const TTest *const water[] = {
        high_is_told_at_the_high_mark_and_low_at_the_low_mark,
        between_the_marks_the_last_word_stands,
        by_default_the_marks_are_full_and_a_quarter,
        a_high_mark_below_a_quarter_pulls_the_low_one_with_it,
        a_queue_of_capacity_1_has_marks_too,
        high_is_told_before_the_putter_blocks,
        abort_tells_low,
        a_drop_tells_nothing,
        on_pressure_may_change_what_it_was_told,
        one_thread_tells_at_a_time_and_ends_with_the_truth,
        marks_alone_decide_when_a_count_is_news,
        NULL};
    const struct chapter chapters[] = {
        {"refuse", refuse, queue_setup, queue_teardown, 0, 0},
        {"drop oldest", drop, queue_setup, queue_teardown, 0, 0},
        {"water marks", water, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: policies", chapters);
}
