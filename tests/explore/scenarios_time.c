/* SPDX-License-Identifier: MIT */
/* scenarios_time.c - deadlines that pass at the worst of moments. */
#include "scenarios.h"
#include "stage.h"

static weir_status first; /* what the hasty one was told */

static void get_soon(unsigned number)
{
    (void)number;
    first = get(soon());
}

static void get_soon_too(unsigned number)
{
    (void)number;
    (void)get(soon());
}

static void put_soon(unsigned number)
{
    first = put(number, soon());
}

static void put_soon_too(unsigned number)
{
    (void)put(number, soon());
}

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

static void get_one(unsigned number)
{
    (void)number;
    must(get(WEIR_FOREVER) == WEIR_OK);
}

static void close_it(unsigned number)
{
    (void)number;
    close_queue();
}

static void timed_get_against_put(void)
{
    stage_open(1);
    start(get_soon, 0);
    put_one(11);
    join_all();
    must(first == WEIR_OK || get(WEIR_NOW) == WEIR_OK);
}

/* The wake-up of the hasty one must not be lost to the patient one. */
static void hasty_and_patient_getter(void)
{
    stage_open(2);
    start(get_soon, 0);
    start(get_one, 0);
    put_one(11);
    world_join(1);
    if (first == WEIR_OK)
        put_one(12);
}

static void hasty_and_patient_putter(void)
{
    stage_open(1);
    put_one(31);
    start(put_soon, 11);
    start(put_one, 21);
    get_one(0);
    world_join(1);
    if (first == WEIR_OK)
        get_one(0);
}

static void two_hasty_getters(void)
{
    stage_open(1);
    start(get_soon, 0);
    start(get_soon_too, 0);
    put_one(11);
}

static void two_hasty_and_a_patient_getter(void)
{
    stage_open(2);
    start(get_soon_too, 0);
    start(get_soon_too, 0);
    start(get_one, 0);
    put_one(11);
    world_join(1);
    world_join(2);
    put_one(12);
}

static void two_hasty_and_a_patient_putter(void)
{
    stage_open(2);
    put_one(31);
    put_one(32);
    start(put_soon_too, 11);
    start(put_soon_too, 12);
    start(put_one, 21);
    get_one(0);
    world_join(1);
    world_join(2);
    get_one(0);
}

static void timed_put_against_get(void)
{
    stage_open(1);
    put_one(21);
    start(put_soon, 11);
    get_one(0);
    join_all();
    must((get(WEIR_NOW) == WEIR_OK) == (first == WEIR_OK));
}

static void timed_get_against_close(void)
{
    stage_open(1);
    start(get_soon, 0);
    start(close_it, 0);
    (void)put(11, WEIR_NOW);
}

static void timed_put_against_close(void)
{
    stage_open(1);
    put_one(11);
    start(put_soon, 21);
    start(close_it, 0);
    get_one(0);
}

static void deadlines_in_order(void)
{
    stage_open(1);
    start(get_soon, 0);
    (void)get(later());
    put_one(11);
    close_queue();
}

static void passed_before_it_began(void)
{
    weir_deadline deadline;

    stage_open(1);
    deadline = soon();
    start(put_soon, 11);
    (void)get(deadline);
    (void)get(deadline);
}

static void timed_on_both_sides(void)
{
    stage_open(1);
    start(get_soon, 0);
    (void)put(11, soon());
    (void)put(12, later());
}

const struct scenario scenarios_time[] = {
    {SCENARIO(timed_get_against_put, 2,
              "the item is got now or later, not lost"),
     .noise = 2},
    {SCENARIO(hasty_and_patient_getter, 3,
              "a getter's time-out passes its wake-up on"),
     .noise = 1},
    {SCENARIO(hasty_and_patient_putter, 3,
              "a putter's time-out passes its wake-up on"),
     .noise = 1},
    {SCENARIO(two_hasty_getters, 3, "two deadlines and one item"), .noise = 1},
    {SCENARIO(two_hasty_and_a_patient_getter, 4,
              "the patient one gets one of two"),
     .noise = 1, .bound = 1},
    {SCENARIO(two_hasty_and_a_patient_putter, 4, "room for one of them"),
     .noise = 1, .bound = 1},
    {SCENARIO(timed_put_against_get, 2, "a put that timed out has put nothing"),
     .noise = 2},
    {SCENARIO(timed_get_against_close, 3, "time, close and an item at once"),
     .noise = 1},
    {SCENARIO(timed_put_against_close, 3, "time, close and room at once"),
     .noise = 1},
    {SCENARIO(deadlines_in_order, 2, "a near and a far deadline"), .noise = 1},
    {SCENARIO(passed_before_it_began, 2, "a deadline that passed is WEIR_NOW"),
     .noise = 2},
    {SCENARIO(timed_on_both_sides, 2, "putter and getter both in haste"),
     .noise = 2},
    {.name = NULL},
};
