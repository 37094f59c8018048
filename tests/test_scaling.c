/* SPDX-License-Identifier: MIT */
/* test_scaling.c - how many workers a load asks for. */
#include "pool/scaling.h"

#include "suite.h"

enum { START_NS = 1000 };

static struct weir__scaling scaling;
static struct weir__load load;

/* One worker, busy, of at most 100; nothing waits. */
static void setup(void)
{
    load = (struct weir__load){.workers = 1, .busy = 1, .most = 100};
    weir__scaling_begin(&scaling, &load, START_NS);
}

/* So many wait at a first look, and of these so many have begun at the next. */
static uint32_t look_after(uint64_t waited, uint64_t begun)
{
    load.waiting = waited;
    weir__scaling_begin(&scaling, &load, START_NS);
    load.begun += begun;
    return weir__scaling_look(&scaling, &load, START_NS);
}

START_TEST(looks_are_a_tick_apart)
{
    ck_assert_int_eq(scaling.look_ns, START_NS + WEIR__SCALING_TICK_NS);
    weir__scaling_look(&scaling, &load, START_NS + WEIR__SCALING_TICK_NS + 7);
    ck_assert_int_eq(scaling.look_ns, START_NS + 2 * WEIR__SCALING_TICK_NS + 7);
    weir__scaling_look(&scaling, &load, INT64_MAX - 1);
    ck_assert_int_eq(scaling.look_ns, INT64_MAX);
}
END_TEST

START_TEST(a_task_that_waited_through_asks_for_a_worker)
{
    ck_assert_uint_eq(look_after(1, 0), 1);
    ck_assert_uint_eq(look_after(5, 4), 1);
}
END_TEST

START_TEST(a_queue_that_moves_asks_for_none_however_long)
{
    ck_assert_uint_eq(look_after(1, 1), 0);
    ck_assert_uint_eq(look_after(1000, 1000), 0);
    ck_assert_uint_eq(look_after(1000, 5000), 0);
    ck_assert_uint_eq(look_after(1000, 999), 1);
}
END_TEST

START_TEST(who_came_since_the_last_look_has_not_waited)
{
    ck_assert_uint_eq(look_after(0, 0), 0);
    load.waiting = 50;
    ck_assert_uint_eq(weir__scaling_look(&scaling, &load, START_NS), 0);
    ck_assert_uint_eq(weir__scaling_look(&scaling, &load, START_NS), 1);
}
END_TEST

START_TEST(nobody_is_asked_for_when_none_waits_any_more)
{
    load.waiting = 9;
    weir__scaling_begin(&scaling, &load, START_NS);
    load.waiting = 0;
    ck_assert_uint_eq(weir__scaling_look(&scaling, &load, START_NS), 0);
}
END_TEST

START_TEST(half_as_many_come_as_there_are_up_to_the_most)
{
    static const uint32_t workers[] = {1,  2,  3,  4,  6,  9,
                                       13, 19, 28, 42, 63, 64};

    load.most = 64;
    for (size_t i = 0; i + 1 < sizeof(workers) / sizeof(workers[0]); i++) {
        ck_assert_uint_eq(load.workers, workers[i]);
        load.workers += look_after(1000, 0);
        load.busy = load.workers;
    }
    ck_assert_uint_eq(load.workers, 64);
    ck_assert_uint_eq(look_after(1000, 0), 0);
    load.most = 10; /* lowered meanwhile, or frozen */
    ck_assert_uint_eq(look_after(1000, 0), 0);
}
END_TEST

START_TEST(no_more_come_than_tasks_wait_for_whom_nobody_is_free)
{
    load.workers = load.busy = 40;
    ck_assert_uint_eq(look_after(3, 0), 3);
    load.busy = 38; /* two are on their way */
    ck_assert_uint_eq(look_after(3, 0), 1);
    ck_assert_uint_eq(look_after(2, 0), 0);
    load.busy = 45; /* some more that nobody counts on */
    ck_assert_uint_eq(look_after(2, 0), 2);
}
END_TEST

START_TEST(a_new_least_number_takes_in_those_that_the_load_has_called)
{
    ck_assert_uint_eq(weir__scaling_rebase(0, 0, 3), 3);
    ck_assert_uint_eq(weir__scaling_rebase(5, 3, 4), 5);
    ck_assert_uint_eq(weir__scaling_rebase(5, 3, 5), 5);
    ck_assert_uint_eq(weir__scaling_rebase(5, 3, 7), 7);
    ck_assert_uint_eq(weir__scaling_rebase(5, 3, 3), 5);
    ck_assert_uint_eq(weir__scaling_rebase(5, 3, 1), 3);
    ck_assert_uint_eq(weir__scaling_rebase(4, 4, 1), 1);
}
END_TEST

int main(void)
{
    const TTest *const scaling_tests[] = {
        looks_are_a_tick_apart,
        a_task_that_waited_through_asks_for_a_worker,
        a_queue_that_moves_asks_for_none_however_long,
        who_came_since_the_last_look_has_not_waited,
        nobody_is_asked_for_when_none_waits_any_more,
        half_as_many_come_as_there_are_up_to_the_most,
        no_more_come_than_tasks_wait_for_whom_nobody_is_free,
        a_new_least_number_takes_in_those_that_the_load_has_called,
        NULL};
    const struct chapter chapters[] = {{"policy", scaling_tests, setup, NULL, 0,
                                        0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("scaling", chapters);
}
