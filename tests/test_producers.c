/* SPDX-License-Identifier: MIT */
/* test_producers.c - items from an array, a range, a function. */
#include <weir/producer.h>

#include <string.h>

#include "base/fault.h"
#include "faults.h"
#include "suite.h"

enum { MOST_ITEM_BYTES = 4096 };

static weir_producer producer;

static void setup(void)
{
    memset(&producer, 0, sizeof(producer));
}

static void teardown(void)
{
    if (producer.close)
        producer.close(producer.self);
}

static weir_status next(void *item)
{
    return producer.next(producer.self, item);
}

static void interrupt(void)
{
    producer.interrupt(producer.self);
}

static void must_refuse(weir_status status, const char *word)
{
    ck_assert_int_eq(status, WEIR_EINVAL);
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
    ck_assert_msg(!producer.self && producer.size == 0, "out was written");
}

/* What is the same for all three. */
static void assert_plain(size_t item_size)
{
    ck_assert_uint_eq(producer.size, sizeof(producer));
    ck_assert_uint_eq(producer.item_size, item_size);
    ck_assert(producer.next != NULL);
    ck_assert(producer.close != NULL);
    ck_assert(!producer.has_pointers);
}

/* ----------------------------------------------------------------- array */

static void open_array(const void *items, size_t count, size_t item_size)
{
    ck_assert_int_eq(weir_producer_array(&producer, items, count, item_size),
                     WEIR_OK);
    assert_plain(item_size);
}

START_TEST(an_array_comes_in_order_and_ends)
{
    const int items[] = {7, 8, 9};
    int item = 0;

    open_array(items, 3, sizeof(int));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(next(&item), WEIR_OK);
        ck_assert_int_eq(item, items[i]);
    }
    ck_assert_int_eq(next(&item), WEIR_END);
    ck_assert_int_eq(next(&item), WEIR_END);
    ck_assert_int_eq(item, 9);
}
END_TEST

START_TEST(what_is_written_into_an_item_is_not_seen_in_the_array)
{
    int items[] = {7, 8};
    int item;

    open_array(items, 2, sizeof(int));
    ck_assert_int_eq(next(&item), WEIR_OK);
    item = 99;
    ck_assert_int_eq(items[0], 7);
    ck_assert_int_eq(next(&item), WEIR_OK);
    ck_assert_int_eq(item, 8);
}
END_TEST

START_TEST(an_array_of_nothing_ends_at_once)
{
    int item = 5;

    open_array(NULL, 0, sizeof(int));
    ck_assert_int_eq(next(&item), WEIR_END);
    ck_assert_int_eq(item, 5);
}
END_TEST

/* Sizes that no type has, and the longest. */
START_TEST(items_of_an_array_may_have_any_size)
{
    const size_t sizes[] = {1, 3, 17, 4095, MOST_ITEM_BYTES};
    unsigned char items[2 * MOST_ITEM_BYTES], item[MOST_ITEM_BYTES + 1];
    size_t size = sizes[_i];

    for (size_t i = 0; i < sizeof(items); i++)
        items[i] = (unsigned char)(i * 7 + i / 256);
    item[size] = 0xA5;
    open_array(items, 2, size);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(next(item), WEIR_OK);
        ck_assert_mem_eq(item, items + i * size, size);
    }
    ck_assert_int_eq(next(item), WEIR_END);
    ck_assert_uint_eq(item[size], 0xA5);
}
END_TEST

START_TEST(an_array_names_what_is_wrong_with_it)
{
    int items[1] = {0};

    must_refuse(weir_producer_array(NULL, items, 1, sizeof(int)), "out");
    must_refuse(weir_producer_array(&producer, NULL, 1, sizeof(int)), "items");
    must_refuse(weir_producer_array(&producer, items, 1, 0), "item_size");
    must_refuse(weir_producer_array(&producer, items, 1, MOST_ITEM_BYTES + 1),
                "item_size");
}
END_TEST

START_TEST(an_interrupted_array_gives_nothing_more)
{
    const int items[] = {7, 8, 9};
    int item;

    open_array(items, 3, sizeof(int));
    ck_assert_int_eq(next(&item), WEIR_OK);
    interrupt();
    ck_assert_int_eq(next(&item), WEIR_CANCELLED);
    ck_assert_int_eq(next(&item), WEIR_CANCELLED);
    ck_assert_int_eq(item, 7);
}
END_TEST

/* ----------------------------------------------------------------- range */

static void open_range(uint64_t first, uint64_t count)
{
    ck_assert_int_eq(weir_producer_range(&producer, first, count), WEIR_OK);
    assert_plain(sizeof(uint64_t));
}

static void must_give(uint64_t number)
{
    uint64_t item = ~number;

    ck_assert_int_eq(next(&item), WEIR_OK);
    ck_assert(item == number);
}

static void must_end(void)
{
    uint64_t item = 5;

    ck_assert_int_eq(next(&item), WEIR_END);
    ck_assert_int_eq(next(&item), WEIR_END);
    ck_assert(item == 5);
}

START_TEST(a_range_counts_up_from_the_first)
{
    open_range(40, 3);
    must_give(40);
    must_give(41);
    must_give(42);
    must_end();
}
END_TEST

START_TEST(a_range_of_nothing_ends_at_once)
{
    open_range(UINT64_MAX, 0);
    must_end();
}
END_TEST

START_TEST(a_range_of_one_is_its_first)
{
    open_range(0, 1);
    must_give(0);
    must_end();
}
END_TEST

START_TEST(a_range_may_end_at_the_greatest_number)
{
    open_range(UINT64_MAX - 1, 2);
    must_give(UINT64_MAX - 1);
    must_give(UINT64_MAX);
    must_end();
}
END_TEST

START_TEST(a_range_that_would_not_fit_is_refused)
{
    must_refuse(weir_producer_range(NULL, 0, 1), "out");
    must_refuse(weir_producer_range(&producer, UINT64_MAX, 2), "range");
    must_refuse(weir_producer_range(&producer, UINT64_MAX - 1, 3), "range");
    must_refuse(weir_producer_range(&producer, 2, UINT64_MAX), "range");
}
END_TEST

/* Nobody could store it. */
START_TEST(a_range_is_made_when_asked_for)
{
    open_range(1, UINT64_MAX);
    must_give(1);
    must_give(2);
}
END_TEST

START_TEST(an_interrupted_range_gives_nothing_more)
{
    uint64_t item = 5;

    open_range(0, 10);
    must_give(0);
    interrupt();
    ck_assert_int_eq(next(&item), WEIR_CANCELLED);
    ck_assert_int_eq(next(&item), WEIR_CANCELLED);
    ck_assert(item == 5);
}
END_TEST

/* ------------------------------------------------------------------ call */

/* Answers in turn. */
struct answers {
    const weir_status *statuses;
    size_t count, asked;
};

static weir_status answer(void *arg, void *item)
{
    struct answers *answers = arg;
    int number = (int)answers->asked;

    ck_assert_uint_lt(answers->asked, answers->count);
    memcpy(item, &number, sizeof(number));
    return answers->statuses[answers->asked++];
}

static void open_call(struct answers *answers)
{
    ck_assert_int_eq(weir_producer_call(&producer, answer, answers,
                                        sizeof(int)),
                     WEIR_OK);
    assert_plain(sizeof(int));
}

START_TEST(a_call_passes_on_items_and_every_status)
{
    const weir_status statuses[] = {WEIR_OK,      WEIR_OK,         WEIR_END,
                                    WEIR_ESYSTEM, WEIR_CANCELLED,  WEIR_EINVAL,
                                    WEIR_CLOSED,  (weir_status)-99};
    const size_t count = sizeof(statuses) / sizeof(statuses[0]);
    struct answers answers = {statuses, count, 0};

    open_call(&answers);
    ck_assert_uint_eq(answers.asked, 0);
    for (size_t i = 0; i < count; i++) {
        int item = -1;

        ck_assert_int_eq(next(&item), statuses[i]);
        ck_assert_int_eq(item, (int)i);
    }
}
END_TEST

START_TEST(a_call_cannot_be_interrupted)
{
    struct answers answers = {NULL, 0, 0};

    open_call(&answers);
    ck_assert(producer.interrupt == NULL);
}
END_TEST

START_TEST(a_call_names_what_is_wrong_with_it)
{
    must_refuse(weir_producer_call(NULL, answer, NULL, 4), "out");
    must_refuse(weir_producer_call(&producer, NULL, NULL, 4), "next");
    must_refuse(weir_producer_call(&producer, answer, NULL, 0), "item_size");
    must_refuse(weir_producer_call(&producer, answer, NULL,
                                   MOST_ITEM_BYTES + 1),
                "item_size");
}
END_TEST

/* ---------------------------------------------------------------- memory */

static weir_status make_array(weir_producer *out)
{
    static const int items[] = {1};

    return weir_producer_array(out, items, 1, sizeof(int));
}

static weir_status make_range(weir_producer *out)
{
    return weir_producer_range(out, 1, 1);
}

static weir_status make_call(weir_producer *out)
{
    return weir_producer_call(out, answer, NULL, sizeof(int));
}

typedef weir_status make_producer(weir_producer *out);
static make_producer *const makers[] = {make_array, make_range, make_call};

static weir_status make_and_close(void *arg)
{
    make_producer *const *make = arg;
    weir_producer made = {0};
    weir_status status = (*make)(&made);

    if (status) {
        ck_assert_ptr_null(made.self);
        ck_assert(strstr(weir_last_error(), "memory") != NULL);
        return status;
    }
    made.close(made.self);
    return WEIR_OK;
}

START_TEST(without_memory_a_constructor_says_so_and_leaves_nothing)
{
    make_producer *make = makers[_i];

    fault_sweep(make_and_close, &make, WEIR_ENOMEM);
}
END_TEST

static weir_status drain_array(void *arg)
{
    static const int items[4] = {1, 2, 3, 4};
    weir_producer made;
    int item;

    (void)arg;
    ck_assert_int_eq(weir_producer_array(&made, items, 4, sizeof(int)),
                     WEIR_OK);
    weir__fault_arm(1);
    while (made.next(made.self, &item) == WEIR_OK)
        continue;
    ck_assert_uint_eq(weir__fault_points(), 0);
    made.close(made.self);
    return WEIR_OK;
}

START_TEST(the_items_of_an_array_cost_no_allocation)
{
    ck_assert_int_eq(drain_array(NULL), WEIR_OK);
}
END_TEST

int main(void)
{
    const TTest *const arrays[] = {
        an_array_comes_in_order_and_ends,
        what_is_written_into_an_item_is_not_seen_in_the_array,
        an_array_of_nothing_ends_at_once,
        an_array_names_what_is_wrong_with_it,
        an_interrupted_array_gives_nothing_more,
        NULL};
    const TTest *const sizes[] = {items_of_an_array_may_have_any_size, NULL};
    const TTest *const ranges[] = {a_range_counts_up_from_the_first,
                                   a_range_of_nothing_ends_at_once,
                                   a_range_of_one_is_its_first,
                                   a_range_may_end_at_the_greatest_number,
                                   a_range_that_would_not_fit_is_refused,
                                   a_range_is_made_when_asked_for,
                                   an_interrupted_range_gives_nothing_more,
                                   NULL};
    const TTest *const calls[] = {a_call_passes_on_items_and_every_status,
                                  a_call_cannot_be_interrupted,
                                  a_call_names_what_is_wrong_with_it, NULL};
    const TTest *const memory[] = {
        without_memory_a_constructor_says_so_and_leaves_nothing, NULL};
    const TTest *const cheap[] = {the_items_of_an_array_cost_no_allocation,
                                  NULL};
    const struct chapter chapters[] = {
        {"array", arrays, setup, teardown, 0, 0},
        {"item sizes", sizes, setup, teardown, 5, 0},
        {"range", ranges, setup, teardown, 0, 0},
        {"call", calls, setup, teardown, 0, 0},
        {"memory", memory, setup, teardown, 3, 0},
        {"no memory needed", cheap, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("producers", chapters);
}
