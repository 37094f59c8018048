/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what each thread did, in a column of its own.
 *
 * Off while schedules are searched; a replay switches it on.
 */
#ifndef WEIR_EXPLORE_TRACE_H
#define WEIR_EXPLORE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

enum { TRACE_NO_THREAD = WORLD_THREADS };
#define TRACE_NO_VALUE UINT64_C(0x5EED0FACADE0FF1C)

extern bool trace_is_on;

void trace_start(void);

void trace_note(unsigned thread, struct act act, uint64_t value);
/* Words of a scenario: what a call answered, what failed. */
void trace_say(unsigned thread, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An access to plain memory: the line, if it is not the same as before. */
void trace_place(unsigned thread, const void *place);

static inline void trace_act(unsigned thread, struct act act, uint64_t value)
{
    if (trace_is_on)
        trace_note(thread, act, value);
}

/* What the source calls the object at this address, or what it was seen as.
 * A name with a colon in it is a place in the source and stays what it is. */
const char *trace_name(const char *name, const void *address);

/* Prints it to standard output. */
void trace_print(unsigned threads);

#endif /* WEIR_EXPLORE_TRACE_H */
