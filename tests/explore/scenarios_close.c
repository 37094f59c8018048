/* SPDX-License-Identifier: MIT */
/* scenarios_close.c - close and abort, against everything. */
#include "scenarios.h"
#include "stage.h"

static void put_or_closed(unsigned number)
{
    weir_status status = put(number, WEIR_FOREVER);

    must(status == WEIR_OK || status == WEIR_CLOSED);
}

static void put_two_or_closed(unsigned number)
{
    put_or_closed(number);
    put_or_closed(number + 1);
}

static void get_to_the_end(unsigned number)
{
    (void)number;
    must(drain() == WEIR_CLOSED);
}

static void get_or_closed(unsigned number)
{
    weir_status status = get(WEIR_FOREVER);

    (void)number;
    must(status == WEIR_OK || status == WEIR_CLOSED);
}

static void close_it(unsigned number)
{
    (void)number;
    close_queue();
}

static void abort_it(unsigned number)
{
    (void)number;
    abort_queue();
}

static void interrupt_it(unsigned number)
{
    (void)number;
    interrupt_getters();
}

static void get_unless(unsigned number)
{
    (void)number;
    (void)get_unless_interrupted(WEIR_FOREVER);
}

static void close_against_blocked_putter(void)
{
    stage_open(1);
    put_or_closed(11);
    start(put_or_closed, 21);
    close_queue();
    must(drain() == WEIR_CLOSED);
}

static void close_against_two_putters(void)
{
    stage_open(1);
    put_or_closed(11);
    start(put_or_closed, 21);
    start(put_or_closed, 31);
    close_queue();
}

static void close_against_two_getters(void)
{
    stage_open(1);
    start(get_to_the_end, 0);
    start(get_to_the_end, 0);
    close_queue();
}

static void close_against_put(void)
{
    stage_open(2);
    start(put_two_or_closed, 11);
    start(get_to_the_end, 0);
    close_queue();
}

static void close_against_put_and_room(void)
{
    stage_open(1);
    start(put_two_or_closed, 11);
    start(get_or_closed, 0);
    close_queue();
    must(drain() == WEIR_CLOSED);
}

static void closed_not_timed_out(void)
{
    stage_open(1);
    start(close_it, 0);
    if (is_closed())
        must(get(WEIR_NOW) == WEIR_CLOSED);
    else
        (void)get(WEIR_NOW);
    (void)put(11, WEIR_NOW);
    join_all();
    must(put(12, WEIR_NOW) == WEIR_CLOSED);
}

static void close_twice(void)
{
    stage_open(1);
    put_or_closed(11);
    start(close_it, 0);
    start(put_or_closed, 21);
    close_queue();
    close_queue();
    must(drain() == WEIR_CLOSED);
}

static void abort_against_get(void)
{
    stage_open(2);
    put_or_closed(11);
    put_or_closed(12);
    start(get_to_the_end, 0);
    abort_queue();
    must(get(WEIR_NOW) == WEIR_CLOSED);
}

static void abort_against_blocked_putter(void)
{
    stage_open(1);
    put_or_closed(11);
    start(put_or_closed, 21);
    abort_queue();
    must(get(WEIR_NOW) == WEIR_CLOSED);
}

static void abort_against_put(void)
{
    stage_open(2);
    start(put_two_or_closed, 11);
    start(get_or_closed, 0);
    abort_queue();
}

static void abort_against_two_putters(void)
{
    stage_open(2);
    start(put_or_closed, 11);
    start(put_or_closed, 21);
    abort_queue();
    must(get(WEIR_NOW) == WEIR_CLOSED);
    must(put(31, WEIR_NOW) == WEIR_CLOSED);
}

static void close_against_abort(void)
{
    stage_open(2);
    put_or_closed(11);
    start(close_it, 0);
    start(get_to_the_end, 0);
    abort_queue();
}

static void two_aborts(void)
{
    stage_open(2);
    put_or_closed(11);
    put_or_closed(12);
    start(abort_it, 0);
    start(put_or_closed, 21);
    abort_queue();
}

static void interrupted_getter(void)
{
    stage_open(1);
    start(get_unless, 0);
    interrupt_getters();
}

static void interrupt_against_put(void)
{
    stage_open(1);
    start(get_unless, 0);
    start(interrupt_it, 0);
    put_or_closed(11);
}

static void interrupt_one_of_two(void)
{
    stage_open(1);
    start(get_unless, 0);
    start(get_or_closed, 0);
    interrupt_getters();
    world_join(1);
    put_or_closed(11);
    close_queue();
}

const struct scenario scenarios_close[] = {
    {SCENARIO(close_against_blocked_putter, 2,
              "it is refused and keeps its item"),
     .noise = 2},
    {SCENARIO(close_against_two_putters, 3, "every blocked putter is refused"),
     .noise = 1},
    {SCENARIO(close_against_two_getters, 3,
              "every waiting getter sees the end"),
     .noise = 1},
    {SCENARIO(close_against_put, 3,
              "closed is never said while an item is coming"),
     .noise = 1},
    {SCENARIO(close_against_put_and_room, 3,
              "a get that makes room, and a close")},
    {SCENARIO(closed_not_timed_out, 2, "of two answers the first is given"),
     .noise = 1},
    {SCENARIO(close_twice, 3, "the second close is a no-op")},
    {SCENARIO(abort_against_get, 2, "each item is got or discarded, not both"),
     .noise = 2},
    {SCENARIO(abort_against_blocked_putter, 2,
              "it is refused, the item inside is gone"),
     .noise = 2},
    {SCENARIO(abort_against_put, 3,
              "an item on its way is got, discarded or refused")},
    {SCENARIO(abort_against_two_putters, 3, "nothing is left behind an abort"),
     .noise = 1},
    {SCENARIO(close_against_abort, 3, "an abort may follow or lead")},
    {SCENARIO(two_aborts, 3, "each item is discarded by one of them")},
    {SCENARIO(interrupted_getter, 2, "an interrupt is not lost"), .noise = 2},
    {SCENARIO(interrupt_against_put, 3, "an interrupt beside a put"),
     .noise = 1},
    {SCENARIO(interrupt_one_of_two, 3, "the other goes on waiting")},
    {.name = NULL},
};
