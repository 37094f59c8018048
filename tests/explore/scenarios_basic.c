/* SPDX-License-Identifier: MIT */
/* scenarios_basic.c - putting and getting. */
#include "scenarios.h"
#include "stage.h"

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

static void put_two(unsigned number)
{
    put_one(number);
    put_one(number + 1);
}

static void put_at_once(unsigned number)
{
    (void)put(number, WEIR_NOW);
}

static void get_one(unsigned number)
{
    (void)number;
    must(get(WEIR_FOREVER) == WEIR_OK);
}

static void get_two(unsigned number)
{
    get_one(number);
    get_one(number);
}

static void get_at_once(unsigned number)
{
    (void)number;
    (void)get(WEIR_NOW);
}

static void get_one_or_the_end(unsigned number)
{
    (void)number;
    (void)get(WEIR_FOREVER);
}

static void put_get(void)
{
    stage_open(4);
    start(get_two, 0);
    put_two(11);
}

static void capacity_one(void)
{
    stage_open(1);
    start(get_two, 0);
    put_two(11);
    put_one(13);
    get_one(0);
}

static void round_the_ring(void)
{
    stage_open(2);
    start(get_two, 0);
    put_two(11);
    put_two(13);
    get_two(0);
}

static void two_getters(void)
{
    stage_open(2);
    start(get_one, 0);
    start(get_one, 0);
    put_two(11);
}

static void two_putters(void)
{
    stage_open(1);
    start(put_one, 11);
    start(put_one, 21);
    get_two(0);
}

static void gets_wake_two_putters(void)
{
    stage_open(2);
    put_two(31);
    start(put_one, 11);
    start(put_one, 21);
    get_two(0);
}

static void claimed_slot(void)
{
    stage_open(2);
    start(put_one, 11);
    start(put_one, 21);
    get_one(0);
    get_one(0);
    put_one(31);
    must(get(WEIR_NOW) == WEIR_OK);
}

static void chained_wakes(void)
{
    stage_open(2);
    start(get_one, 0);
    start(get_one, 0);
    start(put_one, 11);
    put_one(21);
}

static void four_at_capacity_one(void)
{
    stage_open(1);
    start(get_one, 0);
    start(get_one, 0);
    start(put_one, 11);
    put_one(21);
}

static void many_waiters_one_item(void)
{
    stage_open(1);
    start(get_one_or_the_end, 0);
    start(get_one_or_the_end, 0);
    start(get_one_or_the_end, 0);
    put_one(11);
    close_queue();
}

static void putters_and_getters(void)
{
    stage_open(1);
    start(put_one, 11);
    start(put_one, 21);
    start(get_one, 0);
    start(get_one, 0);
}

static void at_once(void)
{
    stage_open(1);
    start(put_at_once, 11);
    start(put_at_once, 21);
    get_at_once(0);
    get_at_once(0);
}

static void at_once_behind_a_wait(void)
{
    stage_open(1);
    start(put_two, 11);
    start(get_at_once, 0);
    get_one(0);
    (void)get(WEIR_NOW);
}

static void at_once_among_getters(void)
{
    stage_open(3);
    must(put_many(11, 3, WEIR_NOW) == WEIR_OK);
    start(get_one, 0);
    start(get_one, 0);
    must(get(WEIR_NOW) == WEIR_OK);
}

static void at_once_among_putters(void)
{
    stage_open(3);
    start(put_one, 11);
    start(put_one, 21);
    must(put(31, WEIR_NOW) == WEIR_OK);
}

static void refusing(void)
{
    weir_queue_options options = stage_options(1);

    options.on_full = WEIR_ON_FULL_REFUSE;
    stage_open_as(&options);
    start(put_at_once, 11);
    start(get_at_once, 0);
    must(put(21, WEIR_FOREVER) != WEIR_TIMED_OUT);
}

static void refusing_with_room(void)
{
    weir_queue_options options = stage_options(2);

    options.on_full = WEIR_ON_FULL_REFUSE;
    stage_open_as(&options);
    start(put_one, 11);
    put_one(21);
}

static void figures(void)
{
    stage_open(1);
    start(put_two, 11);
    start(get_one, 0);
    check_stats();
    must(!is_closed());
    check_stats();
}

static void look_twice(unsigned number)
{
    (void)number;
    check_stats();
    check_stats();
}

static void figures_of_two(void)
{
    stage_open(2);
    start(put_one, 11);
    start(look_twice, 0);
    put_one(21);
    get_one(0);
}

static void full_and_empty(void)
{
    stage_open(2);
    start(put_at_once, 11);
    start(put_at_once, 21);
    put_at_once(31);
    get_one(0);
    (void)get(WEIR_NOW);
    (void)get(WEIR_NOW);
}

const struct scenario scenarios_basic[] = {
    {SCENARIO(put_get, 2, "what is put is got, in order"), .noise = 2},
    {SCENARIO(capacity_one, 2, "putter and getter take turns"), .noise = 2},
    {SCENARIO(round_the_ring, 2, "slots are used again"), .noise = 2},
    {SCENARIO(two_getters, 3,
              "two waiting getters, two items: nobody is forgotten"),
     .noise = 1},
    {SCENARIO(two_putters, 3, "two putters, room for one: nobody is forgotten"),
     .noise = 1},
    {SCENARIO(gets_wake_two_putters, 3,
              "two putters wait, and room comes for two")},
    {SCENARIO(claimed_slot, 3,
              "the second slot may be filled before the first")},
    {SCENARIO(
        chained_wakes, 4,
        "two putters, two waiting getters: one wake-up leads to the next")},
    {SCENARIO(four_at_capacity_one, 4, "two of each, room for one")},
    {SCENARIO(many_waiters_one_item, 4,
              "one of many gets it, the rest see the end"),
     .bound = 1},
    {SCENARIO(putters_and_getters, 5, "two of each, and nobody else"),
     .bound = 1},
    {SCENARIO(at_once, 3, "WEIR_NOW never waits and never lies")},
    {SCENARIO(at_once_behind_a_wait, 3, "WEIR_NOW beside those who wait")},
    {SCENARIO(at_once_among_getters, 3, "three items are enough for three")},
    {SCENARIO(at_once_among_putters, 3, "room for three is enough for three")},
    {SCENARIO(refusing, 3, "WEIR_FULL is said only of a full queue")},
    {SCENARIO(refusing_with_room, 2, "room for two is not full for two"),
     .noise = 2},
    {SCENARIO(figures, 3,
              "put == got + dropped + count while others are at it")},
    {SCENARIO(figures_of_two, 3, "figures balance while two put at once")},
    {SCENARIO(full_and_empty, 3,
              "room and items are neither invented nor lost")},
    {.name = NULL},
};
