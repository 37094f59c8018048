/* SPDX-License-Identifier: MIT */
/* test_map.c - an array in, an array out. */
#include <weir/stream.h>

#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "gate.h"
#include "suite.h"

enum { COUNT = 1000 };

static weir_pool *pool;
static weir_pool_options options;
static int items[COUNT];
static int64_t results[COUNT];

static void setup(void)
{
    options = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    options.workers = 3;
    options.item_size = sizeof(items[0]);
    options.max_result = sizeof(results[0]);
    for (int i = 0; i < COUNT; i++)
        items[i] = i;
    memset(results, 0x55, sizeof(results));
    pool = NULL;
}

static void open_pool(void)
{
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

static void teardown(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    if (!pool)
        return;
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    weir_pool_destroy(pool);
}

static int square(weir_task *task, void *item)
{
    int64_t number = *(int *)item;

    number *= number;
    return weir_task_result(task, &number, sizeof(number));
}

static int fail_odd(weir_task *task, void *item)
{
    int number = *(int *)item;

    if (number % 2)
        return weir_task_fail(task, 3, "%d is odd", number);
    return square(task, item);
}

static int say_half(weir_task *task, void *item)
{
    char byte = (char)(*(int *)item % 100);

    return weir_task_result(task, &byte, 1);
}

START_TEST(each_result_is_in_its_place)
{
    open_pool();
    ck_assert_int_eq(weir_map(pool, square, items, COUNT, results), WEIR_OK);
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(results[i], i * i);
}
END_TEST

START_TEST(what_is_not_done_is_zero_and_told_of)
{
    open_pool();
    ck_assert_int_eq(weir_map(pool, fail_odd, items, COUNT, results),
                     WEIR_FAILED);
    ck_assert_str_eq(weir_last_error(), "item 1: failed: 1 is odd");
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(results[i], i % 2 ? 0 : i * i);
}
END_TEST

START_TEST(a_short_result_has_zeros_behind_it)
{
    open_pool();
    ck_assert_int_eq(weir_map(pool, say_half, items, COUNT, results), WEIR_OK);
    for (int i = 0; i < COUNT; i++) {
        unsigned char expected[sizeof(results[0])] = {(unsigned char)(i % 100)};

        ck_assert_mem_eq(&results[i], expected, sizeof(expected));
    }
}
END_TEST

START_TEST(results_are_not_needed)
{
    open_pool();
    ck_assert_int_eq(weir_map(pool, square, items, COUNT, NULL), WEIR_OK);
    ck_assert_int_eq(weir_map(pool, fail_odd, items, 2, NULL), WEIR_FAILED);
    ck_assert_int_eq(weir_map(pool, square, NULL, 0, NULL), WEIR_OK);
}
END_TEST

static int map_inside(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return weir_map(pool, square, items, 1, results) == WEIR_DEADLOCK ? 0 : 1;
}

START_TEST(a_handler_cannot_map_in_its_own_pool)
{
    open_pool();
    ck_assert_int_eq(weir_map(pool, map_inside, items, 1, results), WEIR_OK);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    open_pool();
    ck_assert_int_eq(weir_map(NULL, square, items, 1, results), WEIR_EINVAL);
    ck_assert_int_eq(weir_map(pool, NULL, items, 1, results), WEIR_EINVAL);
    ck_assert_int_eq(weir_map(pool, NULL, items, 0, results), WEIR_EINVAL);
    ck_assert_int_eq(weir_map(pool, square, NULL, 1, results), WEIR_EINVAL);
    ck_assert_int_eq(weir_map(pool, square, items, 1, items), WEIR_EINVAL);
    weir_pool_destroy(pool);
    options.item_size = 0;
    open_pool();
    ck_assert_int_eq(weir_map(pool, square, items, 1, results), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "item_size"));
}
END_TEST

START_TEST(a_stopped_pool_takes_no_items)
{
    open_pool();
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_map(pool, square, items, 9, results), WEIR_CLOSED);
}
END_TEST

static weir_status try_to_map(void *arg)
{
    weir_status status = weir_map(pool, square, items, 9, results);

    (void)arg;
    return status == WEIR_ESYSTEM ? WEIR_ENOMEM : status; /* the thread */
}

START_TEST(each_failure_is_answered)
{
    open_pool();
    ck_assert_uint_ge(fault_sweep(try_to_map, NULL, WEIR_ENOMEM), 5);
    for (int64_t i = 0; i < 9; i++)
        ck_assert_int_eq(results[i], i * i);
}
END_TEST

int main(void)
{
    const TTest *const maps[] = {each_result_is_in_its_place,
                                 what_is_not_done_is_zero_and_told_of,
                                 a_short_result_has_zeros_behind_it,
                                 results_are_not_needed,
                                 a_handler_cannot_map_in_its_own_pool,
                                 what_makes_no_sense_is_refused,
                                 a_stopped_pool_takes_no_items,
                                 each_failure_is_answered,
                                 NULL};
    const struct chapter chapters[] = {{"maps", maps, setup, teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("map", chapters);
}
