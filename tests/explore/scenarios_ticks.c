/* SPDX-License-Identifier: MIT */
/*
 * scenarios_ticks.c - lines from a counter to the clock, drawn while they are
 * read.
 *
 * The counter ticks once a nanosecond, the clock is slewed a little from the
 * second line on: no two lines have a word in common.  What is read is by one
 * of them, or nothing.
 */
#include "base/ticks.h"

#include <string.h>

#include "cast.h"
#include "choice.h"
#include "scenario.h"
#include "scenarios.h"

enum { FIRST_NS = 1000000000, LINE = WEIR__LINE_NS, SLEWED = 1000 };

static struct weir__ticks ticks;
static unsigned looks;

/* After so many lines. */
static uint64_t ticks_at(unsigned lines)
{
    return 1000 + (uint64_t)lines * LINE;
}

static int64_t clock_at(unsigned lines)
{
    return FIRST_NS + (int64_t)lines * (LINE + SLEWED);
}

static void look_at(unsigned lines)
{
    if (!weir__ticks_begin(&ticks, clock_at(lines)))
        return;
    looks++;
    weir__ticks_look(&ticks, ticks_at(lines), clock_at(lines));
}

/* A little after it was drawn, what it says is what was looked at. */
static void read_at(unsigned lines)
{
    int64_t ns = 0;

    if (weir__ticks_read(&ticks, ticks_at(lines), &ns))
        must(ns == clock_at(lines));
}

static void read_two(unsigned lines)
{
    read_at(lines);
    read_at(lines + 1);
}

static void ticks_play(const struct scenario *scenario)
{
    int64_t ns = 0;

    cast_reset();
    memset(&ticks, 0, sizeof(ticks));
    looks = 0;
    look_at(0);
    look_at(1);
    scenario->run();
    join_all();
    choice_hush(true);
    must(weir__counter_read(&ticks.busy) == 0);
    /* The first look draws nothing, nor one that came too late. */
    must(weir__counter_read(&ticks.version) % 2 == 0);
    must(weir__counter_read(&ticks.version) <= 2 * (uint64_t)(looks - 1));
    must(weir__ticks_read(&ticks, ticks.last_ticks, &ns));
    must(ns == ticks.last_ns);
    must(!ticks.given_up);
}

#define TICKS_SCENARIO(function, how_many, text)                               \
 SCENE(function, how_many, text), .play = ticks_play

static void ticks_read_against_draw(void)
{
    start(look_at, 2);
    read_two(1);
}

static void ticks_draw_against_draw(void)
{
    start(look_at, 2);
    look_at(3);
}

static void ticks_two_draw_and_one_reads(void)
{
    start(look_at, 2);
    start(look_at, 3);
    read_at(2);
    read_at(3);
}

const struct scenario scenarios_ticks[] = {
    {TICKS_SCENARIO(ticks_read_against_draw, 2,
                    "a moment is by one line, however many are drawn")},
    {TICKS_SCENARIO(ticks_draw_against_draw, 2,
                    "one draws at a time, and the other does not wait")},
    {TICKS_SCENARIO(ticks_two_draw_and_one_reads, 3,
                    "lines are drawn in turn, and none is read half")},
    {.name = NULL},
};
