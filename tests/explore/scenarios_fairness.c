/* SPDX-License-Identifier: MIT */
/*
 * scenarios_fairness.c - overtaking, and spinning before waiting.
 *
 * The patience of an overtaken thread is one overtaking here (base/park.h):
 * then newcomers stand back.
 */
#include "scenarios.h"
#include "stage.h"

static void put_fairly(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
    must(world_wakes() <= world_rules->overtaken_at_most + 1);
}

static void get_fairly(unsigned number)
{
    (void)number;
    must(get(WEIR_FOREVER) == WEIR_OK);
    must(world_wakes() <= world_rules->overtaken_at_most + 1);
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

static void put_or_closed(unsigned number)
{
    (void)put(number, WEIR_FOREVER);
}

static void get_or_closed(unsigned number)
{
    (void)number;
    (void)get(WEIR_FOREVER);
}

static void overtaken_putter(void)
{
    stage_open(1);
    put_one(11);
    start(put_fairly, 21);
    for (unsigned i = 0; i < 3; i++) {
        (void)get(WEIR_NOW);
        (void)put(12 + i, WEIR_NOW);
    }
    (void)get(WEIR_NOW);
}

static void overtaken_getter(void)
{
    stage_open(1);
    start(get_fairly, 0);
    for (unsigned i = 0; i < 3; i++) {
        (void)put(11 + i, WEIR_NOW);
        (void)get(WEIR_NOW);
    }
    (void)put(14, WEIR_NOW);
}

/* The first to wait is the first to go on, also if it was overtaken. */
static void putters_in_their_order(void)
{
    bool first_was_there = false;
    unsigned left = 2;

    stage_open(1);
    put_one(11);
    start(put_one, 21);
    world_await(1);
    start(put_one, 31);
    world_await(2);
    get_one(0);
    left += put(12, WEIR_NOW) == WEIR_OK;
    world_await(1);
    for (; left > 0; left--) {
        uint64_t item;

        must(get_item(&item, WEIR_FOREVER) == WEIR_OK);
        must(item != 31 || first_was_there);
        first_was_there |= item == 21;
    }
}

static uint64_t got_by[3];

static void get_and_tell(unsigned number)
{
    must(get_item(&got_by[number], WEIR_FOREVER) == WEIR_OK);
}

static void getters_in_their_order(void)
{
    stage_open(2);
    got_by[1] = got_by[2] = 0;
    start(get_and_tell, 1);
    world_await(1);
    start(get_and_tell, 2);
    world_await(2);
    put_one(11);
    (void)get(WEIR_NOW);
    world_await(1);
    put_one(12);
    world_join(1);
    put_one(13);
    join_all();
    must(got_by[1] < got_by[2]);
}

/* Whoever stood back looks again after the overtaken one's turn. */
static void newcoming_putter(void)
{
    unsigned inside;

    stage_open(1);
    put_one(11);
    start(put_one, 21);
    (void)get(WEIR_NOW);
    inside = put(12, WEIR_NOW) == WEIR_OK;
    start(put_one, 31);
    (void)get(WEIR_NOW);
    inside += put(13, WEIR_NOW) == WEIR_OK;
    for (; inside > 0; inside--)
        get_one(0);
    get_one(0);
}

static void newcoming_getter(void)
{
    stage_open(2);
    start(get_one, 0);
    (void)put(11, WEIR_NOW);
    (void)get(WEIR_NOW);
    start(get_one, 0);
    (void)put(12, WEIR_NOW);
    (void)get(WEIR_NOW);
    put_one(13);
    put_one(14);
}

static void newcomers_and_two_items(void)
{
    stage_open(3);
    start(get_one, 0);
    start(get_one, 0);
    (void)put(11, WEIR_NOW);
    (void)get(WEIR_NOW);
    must(put_many(12, 2, WEIR_NOW) == WEIR_OK);
    (void)get(WEIR_NOW);
    put_one(14);
    put_one(15);
}

static void overtaken_and_closed(void)
{
    stage_open(1);
    put_one(11);
    start(put_or_closed, 21);
    start(put_or_closed, 31);
    (void)get(WEIR_NOW);
    (void)put(12, WEIR_NOW);
    close_queue();
}

static void overtaken_out_of_time(void)
{
    stage_open(1);
    put_one(11);
    start(put_one, 21);
    (void)get(WEIR_NOW);
    (void)put(12, soon());
    get_one(0);
}

static void overtaken_getter_out_of_time(void)
{
    stage_open(1);
    start(get_or_closed, 0);
    (void)put(11, WEIR_NOW);
    (void)get(soon());
    (void)put(12, soon());
    close_queue();
}

static void spinner_against_put(void)
{
    stage_open(1);
    start(get_one, 0);
    put_one(11);
}

static void spinners_on_both_sides(void)
{
    stage_open(1);
    start(get_one, 0);
    start(put_one, 11);
    put_one(21);
    get_one(0);
}

static void two_spinners(void)
{
    stage_open(1);
    start(get_one, 0);
    start(get_one, 0);
    put_one(11);
    put_one(12);
}

static void spinner_against_close(void)
{
    stage_open(1);
    start(get_or_closed, 0);
    start(put_or_closed, 11);
    close_queue();
}

static void spinner_out_of_time(void)
{
    stage_open(1);
    start(get_or_closed, 0);
    (void)get(soon());
    put_one(11);
    close_queue();
}

static void get_two_at_once(unsigned number)
{
    (void)number;
    (void)get_many(2, WEIR_FOREVER);
}

/* The newcomer that stands back is woken by the next put, and is none then. */
static void overtaken_by_a_batch(void)
{
    stage_open(8);
    start(get_fairly, 0);
    world_await(1);
    put_one(11);
    (void)get(WEIR_NOW);
    world_await(1);
    put_one(12);
    start(get_two_at_once, 0);
    world_await(2);
    for (unsigned i = 0; i < 3; i++)
        put_one(13 + i);
}

static void overtaken_by_one_who_waited(void)
{
    stage_open(8);
    start(get_fairly, 0);
    world_await(1);
    put_one(11);
    (void)get(WEIR_NOW);
    world_await(1);
    put_one(12);
    for (unsigned i = 0; i < 2; i++) {
        start(get_one, 0);
        world_await(2 + i);
    }
    for (unsigned i = 0; i < 3; i++)
        put_one(13 + i);
}

const struct scenario scenarios_fairness[] = {
    {SCENARIO(overtaken_putter, 2,
              "how often a putter can be overtaken is bounded"),
     .noise = 1, .overtaken_at_most = 1},
    {SCENARIO(overtaken_getter, 2,
              "how often a getter can be overtaken is bounded"),
     .noise = 1, .overtaken_at_most = 1},
    {SCENARIO(putters_in_their_order, 3,
              "the putter that came first goes first"),
     .noise = 1},
    {SCENARIO(getters_in_their_order, 3,
              "the getter that came first goes first"),
     .noise = 1},
    {SCENARIO(newcoming_putter, 3, "a putter that stood back is not forgotten"),
     .overtaken_at_most = 1},
    {SCENARIO(newcoming_getter, 3, "a getter that stood back is not forgotten"),
     .overtaken_at_most = 1},
    {SCENARIO(newcomers_and_two_items, 3, "two items, two who were overtaken"),
     .overtaken_at_most = 1},
    {SCENARIO(overtaken_by_a_batch, 3,
              "who stood back does not go ahead of whom it stood back for"),
     .overtaken_at_most = 1},
    {SCENARIO(overtaken_by_one_who_waited, 4,
              "nor does one of two that stood back"),
     .bound = 1, .overtaken_at_most = 1},
    {SCENARIO(overtaken_and_closed, 3, "a close ends all patience"),
     .overtaken_at_most = 1},
    {SCENARIO(overtaken_out_of_time, 2,
              "the time of a putter that stands back may pass"),
     .noise = 2, .overtaken_at_most = 1},
    {SCENARIO(overtaken_getter_out_of_time, 2,
              "the time of a getter that stands back may pass"),
     .noise = 2, .overtaken_at_most = 1},
    {SCENARIO(spinner_against_put, 2, "a spinner leaves its place in time"),
     .noise = 2, .processors = 2},
    {SCENARIO(spinners_on_both_sides, 3, "nobody spins while its match sleeps"),
     .processors = 2},
    {SCENARIO(two_spinners, 3, "two spinners and two items"), .processors = 2},
    {SCENARIO(spinner_against_close, 3, "a spinner sees the end"),
     .processors = 2},
    {SCENARIO(spinner_out_of_time, 2, "a spinner sees its deadline"),
     .noise = 1, .processors = 2},
    {.name = NULL},
};
