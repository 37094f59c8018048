/* SPDX-License-Identifier: MIT */
/* lock.h - in place of lib/base/lock.h: locks and conditions of a world. */
#ifndef WEIR_EXPLORE_SEAM_LOCK_H
#define WEIR_EXPLORE_SEAM_LOCK_H

#include <stdbool.h>

#include <weir/deadline.h>
#include <weir/status.h>

#include "base/annotate.h"
#include "world.h"

enum weir__rank {
    WEIR__RANK_RUN,
    WEIR__RANK_STREAM,
    WEIR__RANK_QUEUE,
    WEIR__RANK_POOL,
    WEIR__RANK_LIMIT,
    WEIR__RANK_TASK,
    WEIR__RANK_WATCH
};

struct WEIR_LOCKABLE weir__mutex {
    struct world_lock seam;
};

struct weir__cond {
    struct world_cond seam;
};

weir_status weir__mutex_init(struct weir__mutex *mutex, enum weir__rank rank);
void weir__mutex_dispose(struct weir__mutex *mutex);
void seam_mutex_lock(struct weir__mutex *mutex, const char *name)
    WEIR_ACQUIRES(mutex);
void seam_mutex_unlock(struct weir__mutex *mutex, const char *name)
    WEIR_RELEASES(mutex);

bool weir__mutex_try_aside(struct weir__mutex *mutex) WEIR_TRIES(mutex);
void weir__mutex_unlock_aside(struct weir__mutex *mutex) WEIR_RELEASES(mutex);

void weir__cond_init(struct weir__cond *cond);
void weir__cond_dispose(struct weir__cond *cond);
void seam_cond_wake(struct weir__cond *cond, const char *name);
weir_status
seam_cond_wait(struct weir__cond *cond, struct weir__mutex *mutex,
               weir_deadline deadline, const char *name) WEIR_REQUIRES(mutex);

#define weir__mutex_lock(mutex)   seam_mutex_lock(mutex, #mutex)
#define weir__mutex_unlock(mutex) seam_mutex_unlock(mutex, #mutex)
#define weir__cond_wake(cond)     seam_cond_wake(cond, #cond)
#define weir__cond_wait(cond, mutex, deadline)                                 \
 seam_cond_wait(cond, mutex, deadline, #cond)

/* A scenario may have little patience. */
#define WEIR__OVERTAKEN_AT_MOST (world_rules->overtaken_at_most)

/* And looks again not at all, or seldom: each is a step or several, and lets
 * others go on, so that what is coming has come. */
#define WEIR__QUEUE_POLLS (world_rules->processors > 1 ? 2u : 0u)
#define WEIR__LANE_POLLS  (world_rules->processors > 1 ? 2 : 0)

/* A stretch of room is all there is. */
#define WEIR__ROOM_PART 1

/* One task is fast, and none in a beat is slow. */
#define WEIR__BEAT_FAST_TASKS 1
#define WEIR__BEAT_SLOW_TASKS 1

/* One run makes a handler a quick one, and each second one is timed. */
#define WEIR__QUICK_RUNS  1
#define WEIR__QUICK_TIMED 2u

#endif /* WEIR_EXPLORE_SEAM_LOCK_H */
