/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - tasks that wait for their time, and tasks that come again.
 *
 * THE IDEA
 *
 * A task with `not_before` is accepted, counted and given its entry as any
 * other.  But it stands in a list of its own, where no worker looks, and its
 * moment in the timekeeper's heap is not when it expires but when its time has
 * come; then it joins the queue, behind what is there.
 *
 *     submit ──▶ delayed ──its time──▶ queued ──▶ a worker
 *
 * A series is no task.  It holds what a submit would say (an offer), with
 * copies of all that the offer points to, and a moment: when that comes the
 * timekeeper makes the offer, without waiting, and sets the next.
 *
 *     series: offer, first + n * every ──its time──▶ entry ──▶ queued
 *        ▲                                             │
 *        └──────────── busy, until it is free ◀────────┘
 *
 * STATES of a series
 *
 *   resting ──its time──▶ busy   its firing is let in
 *           ──its time──▶ resting   no room, degraded: refused
 *   busy    ──its time──▶ busy   refused: the last firing is not free yet
 *           ──free──▶ resting
 *   any     ──end──▶ ended   stop; cancel of its group; its handler says so
 *   ended   ▶ freed   at once, or with its firing
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. What is delayed is counted as queued, and is in no other list.
 *   2. While anything is delayed the lane is shut: the lane counts its own
 *      places only, and capacity is for both.
 *   3. A series in the pool's list has its moment in the heap, and the pool is
 *      not closing.  One that has ended is in neither, and has a firing.
 *   4. A series has at most one entry that is not free.
 *
 * ORDER: of two moments at once the heap gives the one of the lower id first;
 * a task whose time has passed when it comes stands behind those whose time
 * has, even if the timekeeper has not come to them yet.
 *
 * LIMITS
 *
 * A pool with a lane gives it up while a task is delayed.
 */
#ifndef WEIR_LIB_POOL_SCHEDULE_H
#define WEIR_LIB_POOL_SCHEDULE_H

#include "pool/pool.h"

/* A task that is to be let in, with the pool's defaults filled in. */
struct weir__offer {
    weir_handler *handler;
    void *item;
    bool copy;
    void *context;
    int64_t timeout_ns, time_to_live_ns; /* 0: none */
    const weir_retry *own_retry;         /* NULL: the pool's */
    const char *label;
    const struct weir__source *source;
    struct weir__kept *kept; /* NULL: none; else it waits for room */
    weir_future *future;
    weir_group *group;
    weir_semaphore *semaphore; /* NULL: none of its own */
    size_t permits;
    int64_t not_before_ns;       /* 0: at once */
    struct weir__series *series; /* NULL: it is no firing of any */
};

/* L: all, but for what is set when it begins. */
struct weir__series {
    struct weir__moment moment; /* the next firing's */
    struct weir__series *next, *previous;
    struct weir__entry *busy; /* the firing that is not free; NULL: none */
    struct weir__offer offer; /* points into this struct */
    bool ended;               /* in no list */
    int64_t next_ns;          /* the next firing: first + n * every */
    int64_t every_ns;         /* > 0 */
    weir_retry own_retry;
    char label[32];
    _Alignas(max_align_t) unsigned char item[]; /* the copy, if it is copied */
};

/* ---------------------------------------------------------------- delayed */

/* Whether a task that comes now is to be delayed. */
bool weir__schedule_is_early(const weir_pool *pool, int64_t not_before_ns)
    WEIR_REQUIRES(pool->lock);
/* In place of weir__entry_queue: it comes in and waits for its time. */
void weir__entry_delay(weir_pool *pool, struct weir__entry *entry,
                       int64_t not_before_ns) WEIR_REQUIRES(pool->lock);
/* It does so no more. */
void weir__entry_undelay(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* Its time has come. */
void weir__entry_ripen(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ----------------------------------------------------------------- series */

/* WEIR_OK, WEIR_EINVAL. */
weir_status weir__series_check(const weir_task_spec *spec, bool wants_future);
/* From an offer whose not_before_ns is the first firing's.  WEIR_OK,
 * WEIR_ENOMEM, WEIR_CLOSED. */
weir_status weir__series_begin(weir_pool *pool, const struct weir__offer *offer,
                               int64_t every_ns);
/* By the timekeeper: its moment has come. */
void weir__series_fire(weir_pool *pool, struct weir__moment *moment)
    WEIR_REQUIRES(pool->lock);
/* The entry is a firing; the series may be NULL.  With the pool's lock. */
void weir__series_enter(struct weir__series *series, struct weir__entry *entry);
/* And is free; the series may be NULL. */
void weir__series_leave_drops_lock(weir_pool *pool, struct weir__series *series)
    WEIR_REQUIRES(pool->lock);
/* No firing more. */
void weir__series_end_drops_lock(weir_pool *pool, struct weir__series *series)
    WEIR_REQUIRES(pool->lock);
/* The same for all of the group; NULL: for all. */
void weir__series_end_all_drops_lock(weir_pool *pool, const weir_group *group)
    WEIR_REQUIRES(pool->lock);

/* --------------------------------------------------------------- submit.c */

/* Lets it in without waiting.  False: no room, degraded, or no children. */
bool weir__offer_take_up(weir_pool *pool, const struct weir__offer *offer)
    WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_SCHEDULE_H */
