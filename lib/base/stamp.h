/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - when something happened, for whoever looks at it later.
 *
 * A stamp is a moment on weir__now's clock, but read from the processor's
 * counter where that may be trusted (ticks.h): half the price, and off by some
 * dozen nanoseconds, at most by a few times WEIR__LOOK_NS.  So it is for what
 * is looked at: times that a task waited and ran, events.  A deadline, or what
 * becomes one, is the clock's.
 *
 * The counter is trusted if the processor says that it never changes its pace
 * (x86-64: the invariant time stamp counter; aarch64: always), and the kernel
 * takes its own time from it: it has looked whether those of all processors
 * agree.  Otherwise, and on any other time source, a stamp is weir__now.
 *
 * The counter is read without a fence, which would cost what it saves.  So a
 * processor may read it before what stands above it: stamps of two threads
 * that follow one from the other may be out of order by as much as an access
 * to memory takes.  Who subtracts them takes weir__span.
 */
#ifndef WEIR_LIB_BASE_STAMP_H
#define WEIR_LIB_BASE_STAMP_H

#include <stdint.h>

/* Finds out, once, whether the counter is to be trusted; before the first
 * stamp of whatever is made.  It may be called again. */
void weir__stamp_prepare(void);

int64_t weir__stamp(void);

/* From one stamp to a later one: at least 0. */
static inline int64_t weir__span(int64_t from_ns, int64_t to_ns)
{
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

#endif /* WEIR_LIB_BASE_STAMP_H */
