/* SPDX-License-Identifier: MIT */
/*
 * overload.h - a pool that has too much to do says so, and gives up stale work.
 *
 * THE IDEA
 *
 * What waits (queued and retrying: what the capacity bounds) is compared with
 * two marks whenever it changes.  Who finds that the last word does not hold
 * any more has the notifier tell; so nobody who submits, runs or cancels is
 * held up, and nobody but one thread ever tells.
 *
 *   waits   ──▶ changed? ──▶ notifier: changed still? ──▶ on_pressure(high)
 *           with the lock    with the lock, then without
 *
 * A worker that is about to begin a queued task asks CoDel (limit/codel.h)
 * whether it is stale: then it settles EXPIRED instead, and the next one is
 * looked at.
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. If the last word is not so, the notifier tells, is being woken, or is
 *      wanted.
 *   2. A pool that is idle or has stopped has told the truth last.
 *
 * A pool with marks or CoDel has no lane: each task takes the lock.
 *
 * WHY NOT tell where a mark is crossed, as queues do: tasks come and go by
 * the timekeeper too, which runs no user code, and by workers whose attempt has
 * just begun to use up its time.
 */
#ifndef WEIR_LIB_POOL_OVERLOAD_H
#define WEIR_LIB_POOL_OVERLOAD_H

#include <stdbool.h>

#include "pool/pool.h"

/* Has the notifier tell if the last word is not so. */
void weir__pressure_review(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* The number that waits has changed. */
static inline void
weir__pressure_look(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    if (WEIR_RARELY(pool->strain.marks.high > 0))
        weir__pressure_review(pool);
}
/* Nothing is being told, or owed. */
bool weir__pressure_is_quiet(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* By the notifier.  Whether there was something to tell. */
bool weir__pressure_tell_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Its thread has ended, perhaps while it told. */
void weir__pressure_forget(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* Whether what a worker would begin now is stale work. */
bool weir__entry_is_stale(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_OVERLOAD_H */
