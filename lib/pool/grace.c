/* SPDX-License-Identifier: MIT */
/*
 * grace.c - abandoning threads whose attempts overstay.
 *
 * THE IDEA
 *
 * A task settles at its deadline, or when it is cancelled; its attempt may go
 * on, and keeps the worker from others.  It has grace_ns to end.  Then its
 * thread is abandoned: it counts as no worker any more, so that one is missing,
 * and the timekeeper starts another in a slot of its own.
 *
 *     deadline ──────── grace ────────▶ abandoned ──────────▶ returns, leaves
 *      settled                          a new worker starts   item released
 *
 * Nothing is taken from the old thread.  It has its record, its slot and its
 * index, the item stays its own; when the handler returns at last, the answer
 * is counted late, the item is released, and the thread takes no other task.
 *
 * At most max_abandoned threads are abandoned at a time.  With so many the pool
 * is degraded: it takes no more tasks, and what else overstays keeps its
 * worker, until one of them returns.
 *
 * STATES of an attempt whose task has settled
 *
 *   in grace    ▶ ended        it returned in time: its worker goes on
 *               ▶ abandoned    the moment has come
 *               ▶ past grace   the same, but there are max_abandoned already
 *   past grace  ▶ abandoned    one of those has returned
 *               ▶ ended        it returned before
 *   abandoned   ▶ ended        it returned; its thread leaves
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. ledger.abandoned is the number of workers that are `abandoned` and have
 *      a live attempt; it is at most max_abandoned.
 *   2. An attempt is past grace only if the pool is degraded.
 *   3. There are slots for max_workers and max_abandoned threads; a thread has
 *      its slot until it has been joined.
 *
 * LIMITS
 *
 * A thread that has returned has its slot until its callbacks have: as long as
 * they last, one that was abandoned in its stead may be missed, and workers
 * that a resize adds; nobody waits for that, or callbacks could for each other.
 */
#include "base/clock.h"
#include "observe/ledger.h"
#include "pool/log.h"
#include "pool/overload.h"
#include "pool/pool.h"
#include "pool/seen.h"

/* What is killed is gone at once, unless a system call holds it back. */
#define DEATH_NS WEIR_SECONDS(10)

bool weir__pool_is_degraded(const weir_pool *pool)
{
    return pool->settings.abandons_after_ns > 0 &&
           pool->ledger.abandoned >= pool->settings.options.max_abandoned;
}

bool weir__pool_is_stuck(const weir_pool *pool)
{
    return pool->ledger.abandoned > 0 && pool->open == pool->ledger.abandoned &&
           pool->handling == 0 && weir__notifier_is_quiet(pool) &&
           weir__pool_live(pool) == 0;
}

int64_t
weir__grace_limit(const weir_pool *pool, const struct weir__entry *entry)
{
    int64_t grace_ns = pool->settings.abandons_after_ns;
    int64_t patient_until_ns =
        weir__moment_after(entry->overstays_ns, entry->retry->patience_ns);

    if (pool->settings.has_children) /* only a system call can hold it up */
        return weir__moment_after(
            patient_until_ns,
            weir__moment_after(pool->settings.children.grace_ns, DEATH_NS));
    if (grace_ns > 0)
        return weir__moment_after(entry->overstays_ns, grace_ns);
    return patient_until_ns > entry->due_ns ? patient_until_ns : entry->due_ns;
}

void weir__grace_begin(weir_pool *pool, struct weir__entry *entry)
{
    int64_t grace_ns = pool->settings.abandons_after_ns;

    if (entry->overstays_ns == 0)
        entry->overstays_ns = weir__now();
    if (grace_ns > 0)
        weir__timekeeper_set(pool, entry,
                             weir__moment_after(entry->overstays_ns, grace_ns));
}

static void
abandon(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    entry->is_past_grace = false;
    entry->worker->abandoned = true;
    entry->since_ns = weir__now();
    weir__entry_count(pool, entry, WEIR__COLUMN(abandoned), 1);
    weir__seen_abandon(pool, entry);
    weir__log_note(pool, WEIR_LOG_ABANDONED, entry, 0);
    weir__log_abandoned(pool);
    weir__seen_alive(pool, -1);
    weir__lane_call_workers(pool);
    if (weir__pool_is_degraded(pool)) {
        weir__lane_review(pool);
        weir__eventcount_wake_all(&pool->submitters);
    }
    weir__timekeeper_wake(pool); /* for another in its place */
    weir__group_review(pool, entry->group);
    weir__pool_changed(pool);
}

void weir__grace_pass(weir_pool *pool, struct weir__entry *entry)
{
    if (weir__pool_is_degraded(pool))
        entry->is_past_grace = true;
    else
        abandon(pool, entry);
}

/* The one that has overstayed longest. */
static struct weir__entry *
first_past_grace(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    struct weir__entry *first = NULL;

    for (uint32_t i = 0; i < pool->worker_slots; i++) {
        struct weir__entry *entry = pool->workers[i]->entry;

        if (entry && entry->is_past_grace &&
            (!first || entry->overstays_ns < first->overstays_ns))
            first = entry;
    }
    return first;
}

void weir__grace_end(weir_pool *pool, struct weir__entry *entry)
{
    struct weir__entry *next;

    if (entry->state != WEIR__SETTLED || !entry->is_overdue)
        return;
    weir__moments_remove(&pool->moments, &entry->moment);
    entry->is_past_grace = false;
    if (!entry->worker || !entry->worker->abandoned)
        return;
    weir__entry_count(pool, entry, WEIR__COLUMN(abandoned), -1);
    next = first_past_grace(pool);
    if (next)
        abandon(pool, next);
    else
        weir__lane_review(pool);
    weir__log_abandoned(pool);
}
