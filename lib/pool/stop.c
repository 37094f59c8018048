/* SPDX-License-Identifier: MIT */
/*
 * stop.c - joining, and bringing a pool to its end.
 *
 * THE IDEA
 *
 * A stop marks the pool as closing and, if it is to be now, cancels what waits
 * and asks what runs.  From there the pool ends by itself: workers leave when
 * no task is live, the notifier when it has nothing to tell, and last the
 * timekeeper, when it has joined them all.  So a stop has nothing to drive and
 * can give up waiting at any moment: whoever calls next finds the pool as far
 * as it has come.
 *
 * LIMITS
 *
 * A handler that does not return keeps its worker, and so the timekeeper.  Stop
 * then answers WEIR_STUCK: at its deadline, or as soon as nothing is left but
 * threads that were abandoned.  Destroy leaves such a worker to itself: it is
 * detached, and takes the pool's memory with it when it ends.
 */
#include "pool/pool.h"

#include <assert.h>

#include "base/error.h"
#include "base/fence.h"
#include "pool/children.h"
#include "pool/limits.h"
#include "pool/overload.h"
#include "pool/schedule.h"
#include "pool/seen.h"

void weir__joiners_tell(weir_pool *pool)
{
    if (pool->joiners.waiters.first &&
        (weir__pool_is_idle(pool) || weir__pool_is_stuck(pool)))
        weir__eventcount_wake_all(&pool->joiners);
}

void weir__pool_changed(weir_pool *pool)
{
    weir__joiners_tell(pool);
    if (!pool->closing)
        return;
    weir__waitlist_wake_all(&pool->stoppers);
    weir__waitlist_wake_all(&pool->notified);
    if (weir__pool_live(pool) == 0) {
        weir__eventcount_wake_all(&pool->idlers);
        weir__timekeeper_wake(pool);
    }
}

/* ------------------------------------------------------------------- join */

weir_status weir_pool_join(weir_pool *pool, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__pool_check(pool);
    struct weir__turn turn = {0};
    bool idle, stuck;

    if (status)
        return status;
    if (weir__pool_is_inside(pool))
        return weir__refuse(WEIR_DEADLOCK,
                            "a handler or callback cannot join its own pool");
    weir__mutex_lock(&pool->lock);
    for (;;) {
        weir__eventcount_arm(&pool->joiners);
        if (pool->has_lane)
            weir__fence_heavy();
        idle = weir__pool_is_idle(pool);
        stuck = weir__pool_is_stuck(pool);
        if (idle || stuck || status != WEIR_OK)
            break;
        status = weir__waitlist_wait(&pool->joiners.waiters, &pool->lock, &turn,
                                     deadline);
    }
    if (weir__eventcount_leave(&pool->joiners) && (idle || stuck))
        weir__eventcount_wake_all(&pool->joiners);
    if (idle || stuck)
        status = stuck ? WEIR_STUCK : WEIR_OK;
    weir__mutex_unlock(&pool->lock);
    return status;
}

/* ------------------------------------------------------------------- stop */

static void
cancel_list_drops_lock(weir_pool *pool, struct weir__entry_list *list)
    WEIR_REQUIRES(pool->lock)
{
    while (list->first)
        weir__entry_cancel_drops_lock(pool, list->first, false);
}

static void cancel_waiting_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    pool->no_retries = true;
    cancel_list_drops_lock(pool, &pool->queued);
    cancel_list_drops_lock(pool, &pool->schedule.delayed);
    cancel_list_drops_lock(pool, &pool->later);
    cancel_list_drops_lock(pool, &pool->due);
    while (weir__limits_any(pool, NULL))
        weir__entry_cancel_drops_lock(pool, weir__limits_any(pool, NULL),
                                      false);
}

static void
close_drops_lock(weir_pool *pool, weir_stop_how how) WEIR_REQUIRES(pool->lock)
{
    if (!pool->closing)
        weir__seen_note(pool, WEIR_EVENT_CLOSE, how);
    pool->closing = true;
    if (pool->has_lane)
        weir__lane_close(pool);
    weir__eventcount_wake_all(&pool->submitters);
    weir__waitlist_wake_all(&pool->starters);
    weir__pool_changed(pool);
    weir__series_end_all_drops_lock(pool, NULL);
}

/* An attempt whose task is retrying was asked at its deadline; to ask it again
 * does no harm. */
static void ask_running(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->entry)
            weir__entry_ask(pool, pool->workers[i]->entry);
    for (struct weir__entry *e = pool->callers.first; e; e = e->next)
        weir__entry_ask(pool, e);
}

/* Refuses tasks; for WEIR_STOP_NOW cancels what waits and asks what runs. */
static void begin_stop_drops_lock(weir_pool *pool, weir_stop_how how)
    WEIR_REQUIRES(pool->lock)
{
    close_drops_lock(pool, how);
    if (how == WEIR_STOP_NOW) {
        cancel_waiting_drops_lock(pool);
        ask_running(pool);
        weir__children_hurry_starts(pool);
    }
}

/* Running tasks settle CANCELLED. */
static void settle_running_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->entry)
            weir__entry_cancel_drops_lock(pool, pool->workers[i]->entry, true);
    for (struct weir__entry *e = pool->callers.first, *next; e; e = next) {
        next = e->next;
        weir__entry_cancel_drops_lock(pool, e, true);
    }
}

void weir__pool_cancel_waiting(weir_pool *pool)
{
    weir__mutex_lock(&pool->lock);
    close_drops_lock(pool, WEIR_STOP_NOW);
    cancel_waiting_drops_lock(pool);
    weir__mutex_unlock(&pool->lock);
}

/* Nobody is left to wait for: those that were abandoned go in their own time.
 * Not even a worker is on its way out. */
static bool
only_abandoned_are_left(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return !pool->destroyed && weir__pool_is_stuck(pool) &&
           pool->threads == pool->ledger.abandoned;
}

/* Waits for the timekeeper, which ends last, and joins it.  WEIR_OK,
 * WEIR_TIMED_OUT, WEIR_STUCK. */
static weir_status await_end_drops_lock(weir_pool *pool, weir_deadline deadline)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    while (!pool->timekeeper_joined && status == WEIR_OK) {
        if (only_abandoned_are_left(pool)) {
            status = WEIR_STUCK;
        } else if (!pool->timekeeper_ended || pool->joining) {
            status = weir__waitlist_wait(&pool->stoppers, &pool->lock, &turn,
                                         deadline);
        } else {
            pool->joining = true;
            weir__mutex_unlock(&pool->lock);
            weir__thread_join(&pool->timekeeper);
            weir__mutex_lock(&pool->lock);
            pool->timekeeper_joined = true;
            weir__waitlist_wake_all(&pool->stoppers);
        }
    }
    return pool->timekeeper_joined ? WEIR_OK : status;
}

static weir_status
stop_drops_lock(weir_pool *pool, weir_stop_how how, weir_deadline deadline)
    WEIR_REQUIRES(pool->lock)
{
    weir_status status;

    begin_stop_drops_lock(pool, how);
    status = await_end_drops_lock(pool, deadline);
    if (status == WEIR_OK)
        return WEIR_OK;
    if (how == WEIR_STOP_NOW)
        settle_running_drops_lock(pool);
    if (weir__pool_live(pool) == 0 && pool->ledger.overdue > 0)
        return WEIR_STUCK;
    return WEIR_TIMED_OUT;
}

weir_status
weir_pool_stop(weir_pool *pool, weir_stop_how how, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__pool_check(pool);

    if (status)
        return status;
    if ((unsigned)how > WEIR_STOP_NOW)
        return weir__refuse(WEIR_EINVAL, "how %d is no way to stop", (int)how);
    if (weir__pool_is_inside(pool))
        return weir__refuse(WEIR_DEADLOCK,
                            "a handler or callback cannot stop its own pool");
    weir__mutex_lock(&pool->lock);
    status = stop_drops_lock(pool, how, deadline);
    pool->stopped = true;
    weir__mutex_unlock(&pool->lock);
    return status;
}

/* ---------------------------------------------------------------- destroy */

/* All threads have ended and been joined but those in handlers, and no
 * callback runs or is owed. */
static bool only_stuck_are_left(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    uint32_t stuck = 0;

    for (uint32_t i = 0; i < pool->worker_slots; i++)
        stuck += pool->workers[i]->phase == WEIR__IN_ATTEMPT &&
                 !pool->workers[i]->child; /* which is being killed */
    return pool->threads == stuck && pool->handling == 0 &&
           weir__notifier_is_quiet(pool);
}

void weir_pool_destroy(weir_pool *pool)
{
    WEIR__UNTRAPPED;
    struct weir__turn turn = {0};
    weir_status status;
    int fd;

    if (!pool || weir__pool_check(pool))
        return;
    assert(!weir__pool_is_inside(pool) && "a callback destroys its own pool");
    weir__mutex_lock(&pool->lock);
    begin_stop_drops_lock(pool, WEIR_STOP_NOW);
    settle_running_drops_lock(pool);
    weir__children_hurry_all(pool);
    while (!only_stuck_are_left(pool)) {
        status = weir__waitlist_wait(&pool->stoppers, &pool->lock, &turn,
                                     WEIR_FOREVER);
        (void)status; /* there is no deadline */
    }
    pool->destroyed = true;
    weir__timekeeper_wake(pool);
    status = await_end_drops_lock(pool, WEIR_FOREVER);
    (void)status; /* the timekeeper waits for nobody now */
    fd = weir__eventcount_take(&pool->joiners);
    weir__pool_unlock_and_let_go(pool);
    if (fd >= 0)
        weir__event_close(fd);
}
