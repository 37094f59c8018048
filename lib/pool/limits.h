/* SPDX-License-Identifier: MIT */
/*
 * limits.h - tasks that a semaphore, rate, breaker or adaptive limit holds
 * back.
 *
 * THE IDEA
 *
 * A worker that is about to take a task asks its limits.  If one says no the
 * task leaves the queue for a place where it holds nobody up, and the worker
 * takes the next.  When the limit says yes the task goes before all others.
 *
 *     queued, due ──worker asks──▶ all say yes ──▶ running
 *          │                             ▲
 *          └─▶ held: in line, for a token, by the breaker
 *                    └──granted, its time, news──▶ ready ──worker asks──┘
 *
 * It stays queued or retrying, as the ledger and the capacity have it.
 *
 * WHAT IT HOLDS WHILE IT WAITS: nothing.  If it has three limits and the third
 * says no, what the first two gave goes back, and it stands in the third's line
 * only.  So tasks that need the same limits in different orders, in different
 * pools even, never wait for each other, and a task that waits for a slow host
 * keeps nobody else's permits.  The price: what it was first in line for it may
 * have to ask for again, at the end.
 *
 * ORDER of asking: its own semaphore, the pool's, the adaptive limit, the rate,
 * the breaker; the last two are what a call uses up, so they come when it could
 * begin.
 *
 * THE RATE has no line: the pool takes one token in advance.  When its time
 * comes the timekeeper lets the first that waits go on: it is called, and takes
 * the token when it begins.  Only then is the next one called.  So while no
 * worker is free tokens are left to the rate, which keeps a burst at most, and
 * the one taken in advance counts as lying there too.  The time that a free
 * worker needs to wake up does not count: it would put off all that come after.
 *
 * THE BREAKER is watched by one bid for all.  On news, or when it has cooled
 * down, all that it held are let go on, to ask again.
 *
 * AT THE END of an attempt its permits go back as those do that a handler has
 * acquired itself (task.h); the adaptive limit and the breaker hear how it
 * went.  The breaker hears of a missed deadline at once.
 *
 * WAKING.  Permits that come free may be another pool's turn, whose lock cannot
 * be taken under this one's.  Such a limit is owed: the worker whose attempt
 * ends pays when it has nothing else to do with the lock, the timekeeper for
 * all others (limit.h).
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. What is held is in one of `at`, and in no other list; what is ready in
 *      that list only.  Each of them begins with the oldest, also where one
 *      came to be held again: so that is what drop-oldest finds.
 *   2. In line: its bid is in the line of that limit, or told.
 *   3. For a token: has_token, and one is called, or the timekeeper sleeps no
 *      longer than to token_ns.  Whoever is called is ready.
 *   4. By the breaker: the bid watches it or is told, and the timekeeper
 *      sleeps no longer than to breaker_ns.  If none is, the bid does not
 *      watch: the pool may go.
 *   5. A task that is held has no permit, no token and no pass; one that is
 *      ready has the permits that it was let go on for.
 *
 * LIMITS.  A task that needs two limits, each of which others keep busy without
 * a pause, may be put off again and again.  A task that is ready keeps what it
 * was granted until a worker is free: if others have occupied all workers
 * meanwhile, that long.  If these wait in their handlers for the very permits
 * it keeps, for ever: whoever holds a worker is waited for by whoever is ready,
 * and must not wait for it.  Nobody can tell when the tasks are submitted, as
 * handlers ask as they go; so docs/limits.md says not to mix the two.
 */
#ifndef WEIR_LIB_POOL_LIMITS_H
#define WEIR_LIB_POOL_LIMITS_H

#include "pool/pool.h"

/* A task's own semaphore, or NULL: fills in its permits, and checks.  WEIR_OK,
 * WEIR_EINVAL, WEIR_FORKED, WEIR_DEADLOCK. */
weir_status weir__limits_check_task(const weir_pool *pool,
                                    const weir_semaphore *own, size_t *permits);
/* Whether a submit is to be refused, as the breaker is open. */
bool weir__limits_refuse(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* A task that is let in is subject to limits: the pool's, and its own semaphore
 * if that is not NULL, with so many permits. */
void weir__limits_enter(weir_pool *pool, struct weir__entry *entry,
                        weir_semaphore *own, size_t permits)
    WEIR_REQUIRES(pool->lock);

/* By a worker that would take the task.  False: it is held. */
bool weir__limits_admit(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* By the attempt's thread, when it begins: what was granted is its own. */
void weir__limits_start(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* Its deadline has passed. */
void weir__limits_deadline(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* The attempt has ended; its record and the entry say how. */
void weir__limits_end(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* A task that is held or ready leaves that. */
void weir__limits_leave(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* And settles: what it has and does not use goes back. */
void weir__limits_settle(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* The first that is ready. */
static inline struct weir__entry *
weir__limits_ready(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->held.at[WEIR__HELD_READY].first;
}
/* Any that is held or ready; with a source, such a one; NULL: none. */
struct weir__entry *
weir__limits_any(const weir_pool *pool, const struct weir__source *source)
    WEIR_REQUIRES(pool->lock);
/* What has waited longest and never started, in the queue or held; or NULL. */
struct weir__entry *
weir__limits_oldest(const weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* By the timekeeper: time has come, perhaps. */
void weir__limits_look(weir_pool *pool, int64_t now_ns)
    WEIR_REQUIRES(pool->lock);
/* Pays what is owed. */
void weir__limits_pay_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* Of seen.c, which is above: a task is held, or let go on. */
void weir__seen_held(weir_pool *pool, const struct weir__entry *entry,
                     weir_held_by by) WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_LIMITS_H */
