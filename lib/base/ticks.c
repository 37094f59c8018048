/* SPDX-License-Identifier: MIT */
/* ticks.c - see ticks.h. */
#include "base/ticks.h"

#include <string.h>

/* Two slopes that differ by more than such a part are not one counter's. */
enum { STEADY_PART = 256 };
/* Who ticks more slowly is of no use, and a product might overflow. */
enum { MOST_NS_A_TICK = 1000 };
/* A clock that is slewed may not have come so far when a line ends. */
#define LEAST_NS  (WEIR__LINE_NS - WEIR__LINE_NS / 64)
#define TWO_TO_32 4294967296.0

bool weir__ticks_begin(struct weir__ticks *of, int64_t now_ns)
{
    uint64_t idle = 0;

    return now_ns >= (int64_t)weir__counter_read(&of->next_ns) &&
           weir__counter_read(&of->busy) == 0 &&
           weir__counter_compare_swap(&of->busy, &idle, 1);
}

static void write_line(struct weir__ticks *of, const struct weir__line *line)
{
    uint64_t version = weir__counter_read(&of->version);
    uint64_t words[WEIR__LINE_WORDS];

    memcpy(words, line, sizeof(words));
    weir__counter_write_release(&of->version, version + 1);
    for (size_t i = 0; i < WEIR__LINE_WORDS; i++)
        weir__counter_write_release(&of->words[i], words[i]);
    weir__counter_write_release(&of->version, version + 2);
}

static bool is_steady(uint64_t before, uint64_t slope)
{
    uint64_t apart = before > slope ? before - slope : slope - before;

    return before == 0 || apart <= before / STEADY_PART;
}

/* The old line's end lies no higher than so far ahead of the clock. */
static int64_t
ahead_at(const struct weir__ticks *of, uint64_t ticks, int64_t ns)
{
    uint64_t since = ticks - weir__counter_read(&of->words[0]);
    int64_t old_ns = (int64_t)weir__counter_read(&of->words[1]);
    uint64_t slope = weir__counter_read(&of->words[2]);
    uint64_t span = weir__counter_read(&of->words[3]);

    if (since > span)
        since = span;
    old_ns += weir__ticks_along(since, slope);
    return old_ns > ns ? old_ns - ns : 0;
}

/* 0: it is no counter that a line could be drawn for. */
static uint64_t slope_of(uint64_t passed_ns, uint64_t ticks)
{
    double slope = ticks > 0 ? (double)passed_ns / (double)ticks : 0;

    return slope < MOST_NS_A_TICK ? (uint64_t)(slope * TWO_TO_32) : 0;
}

/* From here on, with the slope since the last look. */
static void draw_line(struct weir__ticks *of, uint64_t ticks, int64_t ns)
{
    uint64_t slope =
        slope_of((uint64_t)(ns - of->last_ns), ticks - of->last_ticks);
    struct weir__line line = {.ticks = ticks};
    int64_t ahead = ahead_at(of, ticks, ns);

    of->given_up = slope == 0 || !is_steady(of->slope, slope) ||
                   ahead >= WEIR__LINE_NS / STEADY_PART;
    if (!of->given_up) {
        of->slope = slope;
        line.ns = (uint64_t)(ns + ahead);
        line.span = ((uint64_t)WEIR__LINE_NS << 32) / slope;
        line.slope = ((uint64_t)(WEIR__LINE_NS - ahead) << 32) / line.span;
    }
    write_line(of, &line);
}

/* Another may have drawn between our look at next_ns and our getting `busy`: a
 * slope over so short a way would be none. */
static bool is_time(const struct weir__ticks *of, int64_t ns)
{
    return ns > 0 && ns >= (int64_t)weir__counter_read(&of->next_ns);
}

void weir__ticks_look(struct weir__ticks *of, uint64_t ticks, int64_t ns)
{
    if (is_time(of, ns)) {
        if (of->last_ns > 0)
            draw_line(of, ticks, ns);
        of->last_ticks = ticks;
        of->last_ns = ns;
        weir__counter_write_release(&of->next_ns, (uint64_t)(ns + LEAST_NS));
    }
    if (of->given_up)
        weir__counter_write_release(&of->next_ns, INT64_MAX);
    weir__counter_write_release(&of->busy, 0);
}
