/* SPDX-License-Identifier: MIT */
/* scenarios_marks.c - what is said of pressure, and whether it is so. */
#include "scenarios.h"
#include "stage.h"

static void open_marked(size_t capacity, size_t high, size_t low)
{
    weir_queue_options options = stage_options(capacity);

    options.high_water = high;
    options.low_water = low;
    stage_open_as(&options);
}

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

static void put_two(unsigned number)
{
    put_one(number);
    put_one(number + 1);
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

static void get_or_closed(unsigned number)
{
    (void)number;
    (void)get(WEIR_FOREVER);
}

static void marks_up_and_down(void)
{
    open_marked(3, 2, 1);
    start(get_two, 0);
    put_two(11);
    put_one(13);
}

static void marks_and_two_putters(void)
{
    open_marked(3, 2, 1);
    start(put_one, 11);
    start(get_one, 0);
    put_one(21);
}

static void marks_and_two_getters(void)
{
    open_marked(2, 2, 1);
    put_two(11);
    start(get_one, 0);
    get_one(0);
}

static void marks_cross_both_ways(void)
{
    open_marked(2, 2, 1);
    put_one(31);
    start(put_one, 11);
    start(get_one, 0);
    get_one(0);
}

static void marks_against_abort(void)
{
    open_marked(3, 2, 1);
    put_one(11);
    start(put_one, 12);
    join_all();
    start(get_or_closed, 0);
    abort_queue();
}

static void marks_under_dropping(void)
{
    weir_queue_options options = stage_options(2);

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    options.high_water = 2;
    options.low_water = 1;
    stage_open_as(&options);
    start(put_two, 11);
    put_one(21);
    get_one(0);
}

static void marks_and_batches(void)
{
    open_marked(3, 3, 1);
    start(get_two, 0);
    must(put_many(11, 3, WEIR_FOREVER) == WEIR_OK);
    (void)get_many(1, WEIR_NOW);
}

static void put_and_get(unsigned number)
{
    for (unsigned i = 0; i < 3; i++) {
        put_one(number + i);
        get_one(0);
    }
}

static void marks_never_reached(void)
{
    open_marked(4, 3, 1);
    start(put_and_get, 11);
    put_one(21); /* so at most two are inside */
    join_all();
    must(!stage_was_told_high());
}

const struct scenario scenarios_marks[] = {
    {SCENARIO(marks_up_and_down, 2, "calls alternate, the last one is true"),
     .noise = 1},
    {SCENARIO(marks_and_two_putters, 3, "one thread tells at a time")},
    {SCENARIO(marks_and_two_getters, 2,
              "the last word stands though both are late"),
     .noise = 1},
    {SCENARIO(marks_cross_both_ways, 3, "up and down at once")},
    {SCENARIO(marks_against_abort, 2, "an abort is a fall"), .noise = 1},
    {SCENARIO(marks_under_dropping, 2, "dropping keeps the level"), .noise = 1},
    {SCENARIO(marks_and_batches, 2, "a batch crosses once"), .noise = 1},
    {SCENARIO(marks_never_reached, 2, "a mark that is not reached is not told"),
     .bound = 3},
    {.name = NULL},
};
