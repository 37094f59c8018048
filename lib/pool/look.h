/* SPDX-License-Identifier: MIT */
/*
 * look.h - a look at a pool from anywhere, a signal handler included.
 *
 * THE IDEA
 *
 * A signal handler may have interrupted a thread that has the pool's lock, or
 * is just taking it: to wait for it would be to wait for oneself.  So a look
 * tries the lock, a bounded number of times, and has two ways to see:
 *
 *   exact     the lock was had: all that is told is of one moment, each figure
 *             and each worker as weir_pool_list would say
 *   glanced   it was not: only what is atomic is read.  Figures are whole, but
 *             each of a moment of its own, so that they may not add up; workers
 *             tell what is on their boards (board.h), or what their part of the
 *             lane says
 *
 * Workers are told in parts, a few at a time, so that nothing is allocated, the
 * stack stays small and the lock is had for microseconds; each part is exact or
 * glanced by itself.  The workers hang in a chain that only grows and is freed
 * with the pool, since the array of them moves when a pool grows.
 *
 * Histograms (10 KiB each, one or two for each worker) are added up a few
 * buckets at a time, twice: once to count, once to find who has passed the
 * share that was asked for.  They never shrink, so that the second time finds
 * it.
 *
 * What a look may do: read, try the lock, look at the clock.  No words for
 * weir_last_error, no thread-local variable, no allocation, no wait.
 *
 * WHY NOT
 *
 *   A version around each hold of the lock, so that figures read without it can
 *   be known to belong together: two writes for each hold, to learn what trying
 *   the lock tells.  Only glancing: a pool that hangs, which is when people
 *   look, is one whose lock is free, and then the figures are to add up.
 */
#ifndef WEIR_LIB_POOL_LOOK_H
#define WEIR_LIB_POOL_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/pool.h>

#include "pool/pool.h"

/* The figures. */
struct weir__look {
    bool exact;
    weir_ledger ledger;
    const char *name;  /* the pool's */
    uint64_t capacity; /* of what waits */
    uint32_t workers;  /* exact only, as all that follows */
    bool closing, degraded, tainted;
    uint64_t delayed; /* queued, but not before their moment */
    uint32_t callers; /* attempts that submitters run themselves */
};

enum weir__doing {
    WEIR__DOES_NOTHING, /* idle, or no thread */
    WEIR__DOES_RUN,
    WEIR__DOES_OVERSTAY, /* settled, or to be tried again */
    WEIR__DOES_LINGER,   /* the same, and abandoned */
    WEIR__DOES_TELL,     /* callbacks */
    WEIR__DOES_DECIDE,   /* the retry predicate */
    WEIR__DOES_START,    /* worker_start, or a child's start */
    WEIR__DOES_LEAVE,    /* worker_stop */
    WEIR__DOES_SOMETHING /* just changing */
};

/* A worker. */
struct weir__look_at {
    bool exact;
    uint32_t index;
    enum weir__doing doing;
    uint64_t task_id; /* 0: none, or not known */
    uint64_t attempt; /* 0: not known */
    int64_t for_ns;   /* in this state; glanced: since the attempt began; below
                         0: not known */
    bool at_least;    /* that, or longer */
    int64_t left_ns;  /* exact: to its deadline; INT64_MAX: there is none */
    char label[32];
};

/* How long it took: what so many in a hundred did not exceed. */
struct weir__look_times {
    uint64_t count; /* 0: there are none yet, and all is 0 */
    int64_t p50_ns, p90_ns, p99_ns, max_ns;
};

void weir__look_at_pool(const weir_pool *pool, struct weir__look *out);

/* Takes no lock: what is added meanwhile may be in one figure and not in the
 * next.  Returns whether the pool has histograms. */
bool weir__look_at_times(const weir_pool *pool, weir_pool_time of,
                         struct weir__look_times *out);

/* The next `room` workers: *next is NULL before the first call and after the
 * last.  Returns how many there were. */
size_t weir__look_at_workers(const weir_pool *pool, struct weir__worker **next,
                             struct weir__look_at *out, size_t room);

/* By the worker's attempt: it is at this entry. */
void weir__look_post(struct weir__worker *worker,
                     const struct weir__entry *entry);

#endif /* WEIR_LIB_POOL_LOOK_H */
