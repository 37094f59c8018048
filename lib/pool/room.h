/* SPDX-License-Identifier: MIT */
/*
 * room.h - when a submitter that waits for room is woken.
 *
 * THE IDEA
 *
 * A wake-up costs more than a small task.  If each place that comes free wakes
 * a submitter, it fills that one place and sleeps again, once a task.  So it is
 * woken when there is a stretch of room, and then fills it in one go:
 *
 *     place, place, place … a stretch ──▶ wake       nothing queued ──▶ wake
 *       └──────────────── PATIENCE ─────────────────────────────────▶ wake
 *
 * The first place of a stretch sets a moment, at which the timekeeper wakes the
 * submitter if nobody has until then: tasks may be long, and the stretch never
 * come.
 *
 * A stretch is a quarter of the capacity, WEIR__ROOM_STRETCH at most.  Where it
 * is one place each place wakes, and there are no moments.  Nor are there for
 * plain tasks: who waits for a place in the lane is told by plain.c.
 *
 * INVARIANT (whenever the pool's lock is free)
 *
 *   If there is room and a submitter sleeps, then a wake-up is on its way to
 *   one, or less than a stretch is free, a task can be taken, and the
 *   timekeeper sleeps no longer than to `room_ns`, WEIR__ROOM_PATIENCE_NS after
 *   the first of those places came free.
 *
 * A submitter whose own deadline comes first looks again then.
 */
#ifndef WEIR_LIB_POOL_ROOM_H
#define WEIR_LIB_POOL_ROOM_H

#include "pool/pool.h"

/* What part of the capacity a stretch is, one in so many, which exploration
 * sets; and how many places at most. */
#ifndef WEIR__ROOM_PART
# define WEIR__ROOM_PART 4
#endif
#define WEIR__ROOM_STRETCH     32
#define WEIR__ROOM_PATIENCE_NS WEIR_MS(1)

/* There may be room. */
void weir__room_tell(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* By the timekeeper: the moment may have come. */
void weir__room_look(weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock);

/* By a submitter: whether there is a place that a worker is just leaving. */
bool weir__room_is_coming(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Whether all that is missing is an entry, that an attempt in the lane might
 * need: when it ends it does not say so. */
bool weir__room_for_entry_is_coming(weir_pool *pool) WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_ROOM_H */
