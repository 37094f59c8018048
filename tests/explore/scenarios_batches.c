/* SPDX-License-Identifier: MIT */
/* scenarios_batches.c - several items in one call. */
#include "scenarios.h"
#include "stage.h"

static void put_three(unsigned number)
{
    must(put_many(number, 3, WEIR_FOREVER) == WEIR_OK);
}

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

static void put_three_or_fewer(unsigned number)
{
    (void)put_many(number, 3, WEIR_FOREVER);
}

static void get_one(unsigned number)
{
    (void)number;
    must(get(WEIR_FOREVER) == WEIR_OK);
}

/* Gets this many in all. */
static void get_in_batches(unsigned number)
{
    while (number > 0) {
        size_t done = get_many(number, WEIR_FOREVER);

        must(done > 0);
        number -= (unsigned)done;
    }
}

static void batch_against_single(void)
{
    stage_open(2);
    start(put_three, 11);
    get_one(0);
    get_one(0);
    get_one(0);
}

static void single_against_batch(void)
{
    stage_open(2);
    start(get_in_batches, 3);
    put_one(11);
    put_one(12);
    put_one(13);
}

static void batch_against_batch(void)
{
    stage_open(2);
    start(get_in_batches, 4);
    put_three(11);
    put_one(14);
}

static void two_batches(void)
{
    stage_open(2);
    start(put_three, 11);
    start(get_in_batches, 4);
    put_one(21);
}

static void batch_wakes_many_getters(void)
{
    stage_open(3);
    start(get_one, 0);
    start(get_one, 0);
    put_three(11);
}

static void batch_wakes_many_putters(void)
{
    stage_open(2);
    must(put_many(31, 2, WEIR_NOW) == WEIR_OK);
    start(put_one, 11);
    start(put_one, 21);
    must(get_many(2, WEIR_FOREVER) == 2);
    join_all();
}

static void batch_against_getter(void)
{
    stage_open(2);
    start(get_in_batches, 2);
    start(get_one, 0);
    put_three(11);
}

static void batch_cut_by_close(void)
{
    stage_open(1);
    start(put_three_or_fewer, 11);
    get_one(0);
    close_queue();
    must(drain() == WEIR_CLOSED);
}

static void batch_cut_by_time(void)
{
    size_t got;

    stage_open(2);
    (void)put_many(11, 3, soon());
    start(put_one, 21);
    got = get_many(3, WEIR_FOREVER);
    must(got >= 2);
    join_all();
    must(get_many(3, WEIR_NOW) == 3 - got);
}

static void batch_takes_all_there_is(void)
{
    stage_open(4);
    start(put_one, 21);
    put_three(11);
    join_all();
    must(get_many(4, WEIR_NOW) == 4);
    must(put_many(31, 2, WEIR_NOW) == WEIR_OK);
    must(get_many(4, WEIR_NOW) == 2);
}

const struct scenario scenarios_batches[] = {
    {SCENARIO(batch_against_single, 2,
              "put_many waits for room again and again"),
     .noise = 1},
    {SCENARIO(single_against_batch, 2, "get_many takes what is there"),
     .noise = 1},
    {SCENARIO(batch_against_batch, 2, "more items than room on either side"),
     .noise = 1},
    {SCENARIO(two_batches, 3, "another's items may come between")},
    {SCENARIO(batch_wakes_many_getters, 3,
              "one put_many, a wake-up for each getter")},
    {SCENARIO(batch_wakes_many_putters, 3,
              "one get_many, a wake-up for each putter")},
    {SCENARIO(batch_against_getter, 3,
              "get_many beside get: nobody is left behind")},
    {SCENARIO(batch_cut_by_close, 2,
              "what was accepted is got, the rest is refused"),
     .noise = 1},
    {SCENARIO(batch_cut_by_time, 2, "the deadline may pass half-way"),
     .noise = 1},
    {SCENARIO(batch_takes_all_there_is, 2, "at quiet, get_many takes all")},
    {.name = NULL},
};
