/* SPDX-License-Identifier: MIT */
/*
 * past.h - what has happened in an execution, but for the order of what nobody
 * could tell.
 *
 * THE IDEA
 *
 * Two steps of different threads commute if they touch different things, or
 * both only read the same.  Schedules that differ in nothing but the order of
 * such steps come to the same state, and an exhaustive search need go on from
 * it once (Mazurkiewicz; Musuvathi and Qadeer, partial-order reduction for
 * context-bounded state exploration, 2007).
 *
 * So each event is a number made of what its thread did before and of the
 * latest write to its object (a write: and of the reads since then).  The sum
 * of these numbers is the same for all orders in which the same was done to
 * each thing, and for no others.
 *
 *     thread 0:  w(x) ────▶ r(y)              x: w(x) ──▶ r(x)
 *     thread 1:        r(x) ────▶ w(z)        r(y) and w(z): in any order
 *
 * WHAT IS AN EVENT
 *
 * All by which a thread could tell, and all by which we judge it: accesses to
 * atomics and hints, locks, conditions, starts and ends of threads, the clock,
 * choices, a call's beginning after other calls' ends.  Plain memory is none:
 * who races for it is found by other means (race.h).
 *
 * LIMITS
 *
 * Two pasts could have the same number; with ten million of them the odds are
 * one in 400000.
 */
#ifndef WEIR_EXPLORE_PAST_H
#define WEIR_EXPLORE_PAST_H

#include <stdbool.h>
#include <stdint.h>

extern bool past_is_kept;

/* Before an execution; not kept, all the rest does nothing. */
void past_begin(bool kept);

/* The number of all that has happened so far. */
uint64_t past_sum(void);

void past_note_read(unsigned thread, const void *object);
void past_note_write(unsigned thread, const void *object);
void past_note_value(unsigned thread, uint64_t value);

/* The current thread's. */
void past_read(const void *object);
void past_write(const void *object);
/* It took a choice, or whatever else only it knows of. */
void past_value(uint64_t value);

void past_start(unsigned thread);

/* Its call begins or ends; a beginning is told by the ends before it. */
void past_begin_call(void);
void past_end_call(void);
/* The clock moves; past a deadline, that is told like a beginning. */
void past_advance(int64_t now_ns, bool past_a_deadline);
void past_read_clock(unsigned thread);

/* The number of the current thread's latest event. */
uint64_t past_latest(void);

#endif /* WEIR_EXPLORE_PAST_H */
