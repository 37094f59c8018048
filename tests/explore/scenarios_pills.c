/* SPDX-License-Identifier: MIT */
/* scenarios_pills.c - poison, for some and for all. */
#include "scenarios.h"
#include "stage.h"

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

static void put_or_closed(unsigned number)
{
    (void)put(number, WEIR_FOREVER);
}

static void get_to_the_pill(unsigned number)
{
    (void)number;
    must(drain() == WEIR_POISONED);
}

static void get_to_the_end(unsigned number)
{
    (void)number;
    (void)drain();
}

static void poison_one(unsigned number)
{
    (void)number;
    (void)poison(1);
}

static void close_it(unsigned number)
{
    (void)number;
    close_queue();
}

static void pill_against_late_put(void)
{
    stage_open(2);
    start(get_to_the_pill, 0);
    put_one(11);
    must(poison(1) == WEIR_OK);
    put_one(12);
    join_all();
    must(get(WEIR_NOW) == WEIR_OK);
    must(get(WEIR_NOW) == WEIR_TIMED_OUT);
}

static void pill_against_put(void)
{
    stage_open(2);
    start(put_one, 11);
    start(get_to_the_pill, 0);
    must(poison(1) == WEIR_OK);
}

static void pill_for_each(void)
{
    stage_open(1);
    start(get_to_the_pill, 0);
    start(get_to_the_pill, 0);
    put_one(11);
    must(poison(2) == WEIR_OK);
}

static void two_pills(void)
{
    stage_open(1);
    start(get_to_the_pill, 0);
    start(poison_one, 0);
    must(poison(1) == WEIR_OK);
    get_to_the_pill(0);
}

static void pills_between_items(void)
{
    stage_open(2);
    start(poison_one, 0);
    put_one(11);
    must(poison(1) == WEIR_OK);
    put_one(12);
    join_all();
    must(poison(1) == WEIR_OK);
    for (unsigned i = 0; i < 5; i++)
        must(get(WEIR_NOW) != WEIR_TIMED_OUT);
    must(get(WEIR_NOW) == WEIR_TIMED_OUT);
}

static void sticky_pill(void)
{
    stage_open(1);
    start(get_to_the_pill, 0);
    start(get_to_the_pill, 0);
    put_one(11);
    must(poison(WEIR_EVERY_CONSUMER) == WEIR_OK);
    must(put(12, WEIR_NOW) == WEIR_CLOSED);
    get_to_the_pill(0);
}

static void sticky_pill_against_put(void)
{
    stage_open(1);
    start(put_or_closed, 11);
    start(get_to_the_pill, 0);
    must(poison(WEIR_EVERY_CONSUMER) == WEIR_OK);
}

static void pill_against_close(void)
{
    stage_open(1);
    start(get_to_the_end, 0);
    start(close_it, 0);
    (void)poison(1);
    (void)drain();
    (void)drain();
}

static void pills_before_closed(void)
{
    stage_open(1);
    start(get_to_the_end, 0);
    must(poison(1) == WEIR_OK);
    close_queue();
    (void)drain();
    join_all();
    must(get(WEIR_NOW) == WEIR_CLOSED);
}

static void pill_against_abort(void)
{
    stage_open(1);
    put_one(11);
    must(poison(1) == WEIR_OK);
    start(get_to_the_end, 0);
    abort_queue();
    must(get(WEIR_NOW) == WEIR_CLOSED);
}

static void sticky_pill_against_abort(void)
{
    stage_open(1);
    put_one(11);
    start(get_to_the_end, 0);
    must(poison(WEIR_EVERY_CONSUMER) == WEIR_OK);
    abort_queue();
    must(get(WEIR_NOW) == WEIR_CLOSED);
}

static void batch_stops_at_a_pill(void)
{
    stage_open(3);
    put_one(11);
    must(poison(1) == WEIR_OK);
    start(put_one, 21);
    must(get_many(3, WEIR_FOREVER) == 1);
    must(get_many(3, WEIR_FOREVER) == 0);
    must(get_many(3, WEIR_FOREVER) == 1);
}

static void batch_against_pill(void)
{
    stage_open(3);
    must(put_many(11, 2, WEIR_NOW) == WEIR_OK);
    start(poison_one, 0);
    start(put_one, 21);
    (void)get_many(3, WEIR_FOREVER);
    (void)get_many(3, WEIR_FOREVER);
}

static void pill_beside_waiting_putters(void)
{
    stage_open(1);
    put_one(11);
    start(put_one, 21);
    must(poison(1) == WEIR_OK);
    get_to_the_pill(0);
}

static void pill_and_item_for_two(void)
{
    stage_open(1);
    start(get_to_the_pill, 0);
    start(put_one, 11);
    must(poison(1) == WEIR_OK);
    if (get(WEIR_NOW) == WEIR_POISONED)
        must(poison(1) == WEIR_OK);
}

static void a_pill_without_memory(void)
{
    weir_status status;

    stage_open(1);
    start(get_to_the_pill, 0);
    do
        status = poison(1);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
}

const struct scenario scenarios_pills[] = {
    {SCENARIO(pill_against_late_put, 2,
              "a pill stands behind what was put before it"),
     .noise = 1},
    {SCENARIO(pill_against_put, 3, "before or behind, but not both"),
     .noise = 1},
    {SCENARIO(pill_for_each, 3, "two consumers, a pill each"), .noise = 1},
    {SCENARIO(two_pills, 3, "two pills at once are two")},
    {SCENARIO(pills_between_items, 2, "each pill stands in its own place")},
    {SCENARIO(sticky_pill, 3, "every consumer stops, and whoever comes later")},
    {SCENARIO(sticky_pill_against_put, 3,
              "an item that was accepted comes first"),
     .noise = 1},
    {SCENARIO(pill_against_close, 3, "a pill is served before the end")},
    {SCENARIO(pills_before_closed, 2,
              "one consumer the pill, the other the end"),
     .noise = 2},
    {SCENARIO(pill_against_abort, 2, "an abort takes pills away"), .noise = 2},
    {SCENARIO(sticky_pill_against_abort, 2,
              "an abort takes poison for every consumer away"),
     .noise = 1},
    {SCENARIO(batch_stops_at_a_pill, 2, "get_many never crosses a pill"),
     .noise = 1},
    {SCENARIO(batch_against_pill, 3,
              "get_many never crosses a pill that comes meanwhile")},
    {SCENARIO(pill_beside_waiting_putters, 2, "a pill takes no room"),
     .noise = 2},
    {SCENARIO(pill_and_item_for_two, 3,
              "one wake-up for a pill, one for an item")},
    {SCENARIO(a_pill_without_memory, 2, "it is refused, and then it is not"),
     .noise = 1, .failures = 2},
    {.name = NULL},
};
