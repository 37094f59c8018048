/* SPDX-License-Identifier: MIT */
/* sources.h - producers of numbers that say what becomes of each. */
#ifndef WEIR_TESTS_SOURCES_H
#define WEIR_TESTS_SOURCES_H

#include <stdatomic.h>

#include <weir/producer.h>

#include "gate.h"

enum { MOST_NUMBERS = 4096, MOST_SOURCES = 3 };

/* Gives first, first + 1, ...; each call of next waits until it is allowed. */
struct source {
    weir_producer producer;
    int first, count;
    weir_status end;      /* what follows them; OK: WEIR_END */
    int error;            /* errno then; the words are "the well is dry" */
    struct tally entered; /* calls of next */
    struct tally allowed; /* so many calls may go on */
    atomic_bool interrupted;
    atomic_int got, interrupts, closed;
    atomic_int settled[MOST_NUMBERS], released[MOST_NUMBERS];
    atomic_int cancelled;                          /* of those settled */
    atomic_int ended_as[WEIR_OUTCOME_DROPPED + 1]; /* all of those */
};
extern struct source sources[MOST_SOURCES];

/* Forgets all; then as many sources as are asked for. */
void sources_reset(void);
/* All calls of next are allowed; none is, until the test adds to `allowed`. */
struct source *new_source(int first, int count);
struct source *new_slow_source(int first, int count);

/* That each item got was settled and released once, and the source closed. */
void assert_all_returned(struct source *source);

#endif /* WEIR_TESTS_SOURCES_H */
