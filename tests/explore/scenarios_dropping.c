/* SPDX-License-Identifier: MIT */
/* scenarios_dropping.c - when there is no room, the oldest has to go. */
#include "scenarios.h"
#include "stage.h"

static void open_dropping(size_t capacity)
{
    weir_queue_options options = stage_options(capacity);

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    stage_open_as(&options);
}

static void put_one(unsigned number)
{
    must(put(number, WEIR_NOW) == WEIR_OK);
}

static void put_two(unsigned number)
{
    put_one(number);
    put_one(number + 1);
}

static void put_or_closed(unsigned number)
{
    (void)put(number, WEIR_NOW);
}

static void get_one(unsigned number)
{
    (void)number;
    must(get(WEIR_FOREVER) == WEIR_OK);
}

static void get_at_once(unsigned number)
{
    (void)number;
    (void)get(WEIR_NOW);
}

static void get_or_the_end(unsigned number)
{
    (void)number;
    (void)get(WEIR_FOREVER);
}

static void drop_against_get(void)
{
    open_dropping(1);
    start(get_one, 0);
    put_two(11);
    put_one(13);
}

static void drop_against_two_getters(void)
{
    open_dropping(1);
    start(get_at_once, 0);
    start(get_at_once, 0);
    put_two(11);
    put_one(13);
}

static void drop_wakes(void)
{
    open_dropping(2);
    start(get_one, 0);
    start(get_one, 0);
    put_two(11);
    put_one(13);
    join_all();
    (void)get(WEIR_NOW);
}

static void two_droppers(void)
{
    open_dropping(1);
    start(put_two, 11);
    put_two(21);
}

static void two_droppers_and_a_getter(void)
{
    open_dropping(1);
    put_one(31);
    start(put_one, 11);
    start(get_one, 0);
    put_one(21);
}

static void two_droppers_of_two(void)
{
    open_dropping(2);
    must(put_many(31, 2, WEIR_NOW) == WEIR_OK);
    start(put_one, 11);
    start(get_at_once, 0);
    put_one(21);
}

static void drop_against_close(void)
{
    open_dropping(1);
    put_one(31);
    start(put_or_closed, 11);
    start(get_or_the_end, 0);
    close_queue();
}

static void drop_against_abort(void)
{
    open_dropping(1);
    put_one(31);
    start(put_or_closed, 11);
    start(put_or_closed, 21);
    abort_queue();
}

static void drop_many(void)
{
    open_dropping(2);
    start(get_at_once, 0);
    must(put_many(11, 3, WEIR_NOW) == WEIR_OK);
    put_one(14);
}

static void drop_under_a_pill(void)
{
    open_dropping(1);
    put_one(11);
    must(poison(1) == WEIR_OK);
    start(get_or_the_end, 0);
    put_one(12);
    join_all();
    (void)get(WEIR_NOW);
    (void)get(WEIR_NOW);
}

static void drop_nothing_without_need(void)
{
    open_dropping(2);
    put_two(11);
    start(get_one, 0);
    join_all();
    put_one(13);
    must(get_many(2, WEIR_NOW) == 2);
}

const struct scenario scenarios_dropping[] = {
    {SCENARIO(drop_against_get, 2, "an item is got or dropped, not both"),
     .noise = 2},
    {SCENARIO(drop_against_two_getters, 3,
              "two getters: an item is got or dropped, not both")},
    {SCENARIO(drop_wakes, 3, "a put that dropped wakes a getter too")},
    {SCENARIO(two_droppers, 2, "each drops another's or its own"), .noise = 2},
    {SCENARIO(two_droppers_and_a_getter, 3, "the oldest is claimed by three")},
    {SCENARIO(two_droppers_of_two, 3,
              "room for two, and the oldest is claimed by three")},
    {SCENARIO(drop_against_close, 3, "closed drops nothing")},
    {SCENARIO(drop_against_abort, 3, "dropped, discarded or refused, once")},
    {SCENARIO(drop_many, 2, "put_many drops one by one"), .noise = 1},
    {SCENARIO(drop_under_a_pill, 2,
              "a pill is due when what was before it is dropped"),
     .noise = 1},
    {SCENARIO(drop_nothing_without_need, 2,
              "there is room: nothing is dropped")},
    {.name = NULL},
};
