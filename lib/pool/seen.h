/* SPDX-License-Identifier: MIT */
/*
 * seen.h - what is told of a pool to those who look at it.
 *
 * THE IDEA
 *
 * A pool has events if it was given some, and histograms if it was asked for
 * them; with either it `is_seen`.  Where something happens, one branch asks for
 * that, and all the rest is here.
 *
 *   entries       under the pool's lock, at the transitions of entry.c; their
 *                 durations go into histograms of the pool
 *   plain tasks   without it; a place in the lane then has the moment of the
 *                 submit behind the task (lane.h), each worker has histograms
 *                 of its own, and stamps each start and end.  One attempt's
 *                 end is the next one's start, so that is a look at the clock
 *                 for each task, and one for each submit
 *
 * A plain task that is adopted has begun as a plain one and ends as an entry.
 * Its worker tells of the start, whoever adopts it, once it knows that it is to
 * run; so each attempt is told of once, and counted once.
 *
 * Figures that cost nothing where tasks pass (refusals by reason, waits,
 * scaling) are kept always.
 *
 * Sums of times that go on are kept as the ends less the beginnings: so much of
 * the moment now is to be added as go on now.
 */
#ifndef WEIR_LIB_POOL_SEEN_H
#define WEIR_LIB_POOL_SEEN_H

#include <stdint.h>
#include <sys/types.h>

#include "observe/probe.h"
#include "pool/pool.h"

/* A probe of a pool's: see observe/probe.h. */
#define WEIR__POOL_PROBE(pool, event, task, worker, attempt, value)            \
 WEIR__PROBE(event, task, worker, attempt, value, (pool)->settings.options.name)

/* Something about the pool; nothing if it has no events. */
void weir__seen_note(weir_pool *pool, weir_event_kind kind, int64_t value);

/* -------------------------------------------------------------- plain tasks */

/* On a worker's thread, before its first task and behind its last: it has a
 * lane of the events to itself, if there is one to be had. */
void weir__seen_worker(const weir_pool *pool, struct weir__worker *worker);
void weir__seen_worker_left(struct weir__worker *worker);

/* Puts one, with the moment, and tells of it. */
bool weir__seen_put(weir_pool *pool, struct weir__plain *plain,
                    const void *copied, uint64_t ignored);
static inline bool weir__put_plain(weir_pool *pool, struct weir__plain *plain,
                                   const void *copied, uint64_t ignored)
{
    uint64_t id;

    if (WEIR_RARELY(pool->is_seen))
        return weir__seen_put(pool, plain, copied, ignored);
    id = weir__lane_put(&pool->lane, &pool->listed, plain, copied, ignored,
                        false);
    if (id > 0)
        WEIR__POOL_PROBE(pool, submit, id, -1, 0, 0);
    return id > 0;
}
/* Its attempt will run, and has begun at lane.started_ns. */
void weir__seen_plain_start(weir_pool *pool, struct weir__worker *worker);
/* And has ended and settled, at lane.ended_ns. */
void weir__seen_plain_end(weir_pool *pool, struct weir__worker *worker);

/* ------------------------------------------------------------------ entries */

void weir__seen_submit(weir_pool *pool, const struct weir__entry *entry,
                       int64_t not_before_ns) WEIR_REQUIRES(pool->lock);
/* Not of those that are adopted. */
void weir__seen_start(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* The attempt has ended; before its state says what becomes of it. */
void weir__seen_end(weir_pool *pool, const struct weir__entry *entry,
                    enum weir__ending how) WEIR_REQUIRES(pool->lock);
/* `was`: its state until now. */
void weir__seen_settle(weir_pool *pool, const struct weir__entry *entry,
                       enum weir__entry_state was) WEIR_REQUIRES(pool->lock);
void weir__seen_retry(weir_pool *pool, const struct weir__entry *entry,
                      int64_t delay_ns) WEIR_REQUIRES(pool->lock);
void weir__seen_release_of(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
void weir__seen_abandon(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ----------------------------------------------------------------- the pool */

void weir__seen_refused(weir_pool *pool, weir_status status, uint64_t count)
    WEIR_REQUIRES(pool->lock);
/* A submit begins to wait for room, which gives the number of its wait; and
 * does so no more. */
uint64_t weir__seen_blocked(weir_pool *pool) WEIR_REQUIRES(pool->lock);
void weir__seen_unblocked(weir_pool *pool, uint64_t wait, weir_status status)
    WEIR_REQUIRES(pool->lock);
/* A child process has come up for a worker. */
void weir__seen_child(weir_pool *pool, uint32_t worker, pid_t pid);
/* One worker more is alive, or one less: 1, -1. */
void weir__seen_alive(weir_pool *pool, int more) WEIR_REQUIRES(pool->lock);
/* The part of the figures that is kept here. */
void weir__seen_figures(weir_pool *pool, weir_pool_stats *stats)
    WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_SEEN_H */
