/* SPDX-License-Identifier: MIT */
/*
 * views.h - what each thread must have seen of the atomics, and what it may
 * still miss.
 *
 * THE IDEA
 *
 * A processor may keep a store to itself for a while, or read early; the C
 * standard says it without processors: a load may return an older value as long
 * as nothing has told its thread of a newer one.  So each place keeps its
 * latest values, and each thread a view: the oldest value of each place that it
 * may still read.
 *
 *     place:    0 ──▶ 1 ──▶ 2 ──▶ 3          thread 0 wrote 3
 *                     └── thread 1's view: it may read 1, 2 or 3
 *
 * A write takes along its thread's view, if it releases; a read that acquires
 * joins it to its own.  Locks, the start and the end of threads do the same.
 *
 * SEQUENTIAL CONSISTENCY
 *
 * One more view, the world's: a sequentially consistent write raises it, and a
 * sequentially consistent read may not read anything older.  So "write mine,
 * then read yours" works if all four accesses are sequentially consistent, and
 * fails here if any one of them is less, whatever stands beside it.
 *
 * Read-modify-writes read the latest value, whatever their order.
 *
 * LIMITS
 *
 * Values come in the order in which they are written here, and no load takes a
 * value that is written later: with these two the standard would allow more.
 * That is so on every processor we know, but for the second.
 */
#ifndef WEIR_EXPLORE_VIEWS_H
#define WEIR_EXPLORE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atomics.h"

/* Before an execution; not kept, every read returns the latest. */
void views_reset(bool kept);

/* How many values this read may return; the latest is number 0. */
unsigned views_choices(struct atomics_place at, enum atomics_order order);

/* A value, and the event that wrote it (past.h). */
struct views_value {
    uint64_t value, event;
};

/* The current thread reads number `age`. */
struct views_value
views_see(struct atomics_place at, enum atomics_order order, unsigned age);

/* The place is about to get this value, by its thread's latest event. */
void views_write(struct atomics_place at, uint64_t value,
                 enum atomics_order order);
/* The same of a read-modify-write. */
void views_update(struct atomics_place at, uint64_t value,
                  enum atomics_order order);
void views_fence(enum atomics_order order);
/* Every thread passes a sequentially consistent fence, where it is. */
void views_fence_all(void);

/* Whether the current thread has missed what was written in a weaker order than
 * sequentially consistent, since it was last asked. */
bool views_missed(void);

void views_acquire(const void *lock);
void views_release(const void *lock);
void views_started(unsigned thread);
void views_joined(unsigned thread);

/* What lies there is something else from now on. */
void views_forget(const void *memory, size_t bytes);

#endif /* WEIR_EXPLORE_VIEWS_H */
