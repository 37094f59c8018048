/* SPDX-License-Identifier: MIT */
/* scenarios.c - what any bounded blocking queue must come through. */
#include "own/stage.h"

#define OWN(function, how_many, text)                                          \
 SCENE(function, how_many, text), .play = own_play

static void put_one(unsigned number)
{
    must_do(put(number), "queue_put");
}

static void put_two(unsigned number)
{
    put_one(number);
    put_one(number + 1);
}

static void put_or_closed(unsigned number)
{
    (void)put(number);
}

static void get_one(unsigned number)
{
    (void)number;
    must_do(get(), "queue_get");
}

static void get_two(unsigned number)
{
    get_one(number);
    get_one(number);
}

static void get_or_closed(unsigned number)
{
    (void)number;
    (void)get();
}

static void get_all(unsigned number)
{
    (void)number;
    drain();
}

static void close_it(unsigned number)
{
    (void)number;
    close_queue();
}

static void put_get(void)
{
    stage_open(2);
    start(get_two, 0);
    put_two(11);
}

static void capacity_one(void)
{
    stage_open(1);
    start(get_two, 0);
    put_two(11);
    put_one(13);
}

static void round_and_round(void)
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

static void putter_and_getter_beside_me(void)
{
    stage_open(1);
    start(put_two, 11);
    start(get_two, 0);
    put_one(21);
    get_one(0);
}

static void two_of_each(void)
{
    stage_open(1);
    start(put_one, 11);
    start(put_one, 21);
    start(get_one, 0);
    get_one(0);
}

static void close_against_getters(void)
{
    stage_open(1);
    start(get_all, 0);
    start(get_all, 0);
    put_one(11);
    close_queue();
}

static void close_against_putters(void)
{
    stage_open(1);
    put_one(11);
    start(put_or_closed, 21);
    start(put_or_closed, 31);
    close_queue();
}

static void close_against_put_and_get(void)
{
    stage_open(1);
    start(put_or_closed, 11);
    start(get_or_closed, 0);
    close_queue();
}

static void many_waiters_one_item(void)
{
    stage_open(1);
    start(get_or_closed, 0);
    start(get_or_closed, 0);
    start(get_or_closed, 0);
    put_one(11);
    close_queue();
}

static void close_twice(void)
{
    stage_open(1);
    start(close_it, 0);
    start(get_all, 0);
    put_or_closed(11);
    close_queue();
}

static const struct scenario scenes[] = {
    {OWN(put_get, 2, "what is put is got, in order")},
    {OWN(capacity_one, 2, "putter and getter take turns")},
    {OWN(round_and_round, 2, "places are used again")},
    {OWN(two_getters, 3, "two getters, two items: nobody is forgotten")},
    {OWN(two_putters, 3, "two putters, room for one: nobody is forgotten")},
    {OWN(putter_and_getter_beside_me, 3, "both sides wait in turn"),
     .bound = 1},
    {OWN(two_of_each, 4, "two of each, room for one")},
    {OWN(close_against_getters, 3, "every getter sees the end")},
    {OWN(close_against_putters, 3, "every putter that waits is refused")},
    {OWN(close_against_put_and_get, 3, "what is accepted is got")},
    {OWN(many_waiters_one_item, 4,
         "one of many gets it, the rest see the end")},
    {OWN(close_twice, 3, "the second close is a no-op")},
    {.name = NULL},
};

const struct scenario *const scenario_themes[] = {scenes, NULL};
