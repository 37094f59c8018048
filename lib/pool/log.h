/* SPDX-License-Identifier: MIT */
/*
 * log.h - a pool tells an operator what must be known.
 *
 * THE IDEA
 *
 * What is to be told is noted under the pool's lock, where it happens, in a
 * ring of fixed size; the notifier tells it, without the lock.  So nobody who
 * submits, runs or keeps time is held up by an on_log that is slow, or by what
 * it writes to.
 *
 *   happens ──▶ note ──ring──▶ notifier ──▶ on_log(record)
 *               │ of its kind too many a second, or no room
 *               └─▶ counted, and told with the next of the kind
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. If there are notes the notifier tells them, is being woken, or is
 *      wanted; but when the pool is destroyed they are dropped.
 *   2. A pool that is idle or has stopped has told all.
 *
 * A pool without on_log has none of this: one branch where something happens,
 * and nothing that happens to every task.
 */
#ifndef WEIR_LIB_POOL_LOG_H
#define WEIR_LIB_POOL_LOG_H

#include "pool/pool.h"

/* An attempt, if `entry` is not NULL: of which worker and task. */
void weir__log_note(weir_pool *pool, weir_log_kind kind,
                    const struct weir__entry *entry, int code)
    WEIR_REQUIRES(pool->lock);

/* The attempt has ended so, and the outcome says how. */
void weir__log_end(weir_pool *pool, const struct weir__entry *entry,
                   enum weir__ending how) WEIR_REQUIRES(pool->lock);
/* It has settled, by its outcome. */
void weir__log_settle(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* The number of abandoned threads has changed. */
void weir__log_abandoned(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* A call that the breaker had let in has come back. */
void weir__log_breaker(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* No child can be made any more: told once. */
void weir__log_server(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* Nothing is being told, or owed. */
bool weir__log_is_quiet(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* By the notifier.  Whether there was something to tell. */
bool weir__log_tell_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Its thread has ended, perhaps while it told. */
void weir__log_forget(weir_pool *pool) WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_LOG_H */
