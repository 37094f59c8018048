/* SPDX-License-Identifier: MIT */
/*
 * ticks.h - moments by a counter that has a rate of its own.
 *
 * THE IDEA
 *
 * A processor's counter is read in half the time that a look at the clock takes
 * (bench/README.md), but what it says is no time.  So every now and then
 * somebody looks at both, and draws a line through what he has seen; for a
 * while the line tells what the clock would.
 *
 *      ns │         ╱ the next line
 *         │       ╱
 *         │     ╱  ◀── here it ends, and somebody looks at both again
 *         │   ╱ a line: from (ticks, ns) on, so much a tick
 *         └──────────── ticks
 *
 * The slope is that between the last two looks.  So a clock that is slewed, or
 * a rate that was not quite known, is an error of one line and not of all.
 *
 * STATES
 *
 *   no line    ▶ a line      the second look, about WEIR__LINE_NS after the
 * first a line     ▶ too old     so many ticks have passed: who comes looks too
 * old    ▶ a line      it was looked at any        ▶ given up    two slopes
 * differ by more than a 256th: the counter has stopped, jumped, or been
 * another's
 *
 * INVARIANTS
 *
 *   1. One thread at a time draws: who has set `busy`.  Others do not wait,
 *      they look at the clock.
 *   2. A line begins nowhere below where the last one would have been: one that
 *      ran ahead is met again at its end by a flatter one.  So what comes of
 *      ticks that grow does not fall, whatever line they meet.
 *   3. A line is WEIR__LINE_NS long, and each look within WEIR__LOOK_NS of the
 *      truth; so is the slope, and a moment by it is wrong by a few of these.
 *
 * MEMORY ORDER
 *
 * `version` is odd while a line is written.  Each of its words is stored with
 * release and loaded with acquire.  So a reader that has seen one word of a
 * later line sees that line's odd version, or a later one, when it looks again;
 * and one that first saw an even version sees all that was written before it.
 * `busy` is a lock that is only tried.
 *
 * LIMITS
 *
 * A child that was forked while another thread drew finds it busy for ever, and
 * looks at the clock.
 *
 * WHY NOT
 *
 *   The rate that the processor names, once and for all: it is not the clock's,
 *   which is slewed; a minute later they are milliseconds apart.
 *   A line for each thread: a look for each, and two of them apart.
 */
#ifndef WEIR_LIB_BASE_TICKS_H
#define WEIR_LIB_BASE_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

/* How long a line is, and how long a look at both may take. */
#define WEIR__LINE_NS INT64_C(10000000)
#define WEIR__LOOK_NS INT64_C(5000)

/* Where a line begins, and how it goes on. */
struct weir__line {
    uint64_t ticks;
    uint64_t ns;
    uint64_t slope; /* nanoseconds a tick, times 2^32 */
    uint64_t span;  /* ticks; 0: there is none */
};

enum { WEIR__LINE_WORDS = sizeof(struct weir__line) / sizeof(uint64_t) };

/* All zero is one without a line.  A: atomic.  B: with `busy`. */
struct weir__ticks {
    struct weir__counter busy;                    /* A: somebody draws */
    struct weir__counter version;                 /* A: odd: it is written */
    struct weir__counter words[WEIR__LINE_WORDS]; /* A: a weir__line */
    struct weir__counter next_ns; /* A, B to write: no look before this */
    uint64_t last_ticks;          /* B: the last look */
    int64_t last_ns;              /* B: 0: none yet */
    uint64_t slope;               /* B: between the last two; 0: unknown */
    bool given_up;                /* B */
};

/* A product is nanoseconds of one line, times 2^32. */
static inline int64_t weir__ticks_along(uint64_t ticks, uint64_t slope)
{
    return (int64_t)((ticks * slope) >> 32);
}

/* What the clock would say, if there is a line that holds.  The words one by
 * one, so that they stay in registers: an array would cost as much again. */
static inline bool
weir__ticks_read(const struct weir__ticks *of, uint64_t ticks, int64_t *ns)
{
    uint64_t version = weir__counter_read(&of->version);
    struct weir__line line;

    line.ticks = weir__counter_read(&of->words[0]);
    line.ns = weir__counter_read(&of->words[1]);
    line.slope = weir__counter_read(&of->words[2]);
    line.span = weir__counter_read(&of->words[3]);
    if (version % 2 != 0 || weir__counter_read(&of->version) != version)
        return false;
    if (ticks - line.ticks >= line.span)
        return false;
    *ns = (int64_t)line.ns + weir__ticks_along(ticks - line.ticks, line.slope);
    return true;
}

/* Whether it is time to look at both, and the caller's to do it; then it calls
 * weir__ticks_look. */
bool weir__ticks_begin(struct weir__ticks *of, int64_t now_ns);
/* Both, of one moment; ns 0: the look took too long. */
void weir__ticks_look(struct weir__ticks *of, uint64_t ticks, int64_t ns);

#endif /* WEIR_LIB_BASE_TICKS_H */
