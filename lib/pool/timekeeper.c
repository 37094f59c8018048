/* SPDX-License-Identifier: MIT */
/*
 * timekeeper.c - the thread that owns every moment in the future.
 *
 * THE IDEA
 *
 * The moments of entries (deadlines, retries, expiries, signals) lie in one
 * heap.  Those of plain tasks lie beside their workers (beat.c), and the next
 * look of the watch in the pool (watch.c).  The thread sleeps until the soonest
 * of all and lets it happen; whoever adds a sooner one wakes it.  With none to
 * come it sleeps without limit.
 *
 * It also looks after the other threads: it joins those that have ended, and
 * starts workers that are missing and the notifier when it is first needed.  If
 * a thread does not start it tries again later; nothing that was accepted is
 * lost meanwhile.
 *
 * No user code ever runs here.
 */
#include "pool/pool.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fence.h"
#include "pool/limits.h"
#include "pool/log.h"
#include "pool/room.h"
#include "pool/schedule.h"

enum { RESTART_MS = 100 };

void weir__timekeeper_wake(weir_pool *pool)
{
    weir__counter_write(&pool->keeper_until_ns, 0);
    weir__waitlist_wake_all(&pool->keeper);
}

void weir__timekeeper_set_moment(weir_pool *pool, struct weir__moment *moment,
                                 int64_t at_ns)
{
    weir__moments_remove(&pool->moments, moment);
    if (at_ns == INT64_MAX)
        return;
    weir__moments_add(&pool->moments, moment, at_ns);
    if (at_ns < (int64_t)weir__counter_read(&pool->keeper_until_ns))
        weir__timekeeper_wake(pool);
}

void weir__timekeeper_set(weir_pool *pool, struct weir__entry *entry,
                          int64_t at_ns)
{
    weir__timekeeper_set_moment(pool, &entry->moment, at_ns);
}

void weir__timekeeper_hold_off(int64_t *hold_ns)
{
    *hold_ns = weir__moment_after(weir__now(), WEIR_MS(RESTART_MS));
}

static struct weir__entry *entry_of(struct weir__moment *moment)
{
    return (struct weir__entry *)(void *)((unsigned char *)moment -
                                          offsetof(struct weir__entry, moment));
}

static void
let_happen_drops_lock(weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    while (weir__moments_next(&pool->moments) <= now_ns) {
        struct weir__moment *moment = pool->moments.soonest;

        weir__moments_remove(&pool->moments, moment);
        if (moment->is_repeat)
            weir__interrupt_again(pool, moment);
        else if (moment->is_series)
            weir__series_fire(pool, moment);
        else
            weir__entry_moment_drops_lock(pool, entry_of(moment));
    }
}

/* ----------------------------------------------------- the other threads */

static bool workers_are_missing(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return weir__worker_is_missing(pool) && !pool->resizing &&
           !(pool->closing && weir__pool_live(pool) == 0);
}

static bool notifier_is_missing(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->notifier_wanted && pool->notifier_phase == WEIR__ABSENT;
}

/* What is left of a thread that has crashed is the C library's affair, and may
 * wait there for ever for what the thread itself has locked. */
static void
join_drops_lock(weir_pool *pool, struct weir__thread *thread,
                enum weir__phase *phase, bool crashed) WEIR_REQUIRES(pool->lock)
{
    weir__mutex_unlock(&pool->lock);
    if (crashed)
        weir__thread_join_or_leave(thread);
    else
        weir__thread_join(thread);
    weir__mutex_lock(&pool->lock);
    *phase = WEIR__ABSENT;
    pool->threads--;
    weir__waitlist_wake_all(&pool->starters);
    weir__pool_changed(pool);
}

static weir_status
start_notifier_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    weir_status status;

    pool->notifier_phase = WEIR__STARTING;
    pool->threads++;
    weir__pool_hold(pool);
    weir__mutex_unlock(&pool->lock);
    status = weir__thread_start(&pool->notifier);
    weir__mutex_lock(&pool->lock);
    if (status) {
        pool->notifier_phase = WEIR__ABSENT;
        pool->threads--;
        weir__pool_drop(pool);
    }
    return status;
}

/* Does one thing that is to be done, if any. */
static bool
look_after_drops_lock(weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    struct weir__worker *worker = pool->ended;

    if (worker) {
        pool->ended = worker->next_ended;
        join_drops_lock(pool, &worker->thread, &worker->phase,
                        worker->task.crashed);
        return true;
    }
    if (pool->notifier_phase == WEIR__ENDED) {
        join_drops_lock(pool, &pool->notifier, &pool->notifier_phase, false);
        return true;
    }
    if (notifier_is_missing(pool) && now_ns >= pool->notifier_hold_ns) {
        if (start_notifier_drops_lock(pool))
            weir__timekeeper_hold_off(&pool->notifier_hold_ns);
        return true;
    }
    if (!workers_are_missing(pool) || now_ns < pool->workers_hold_ns)
        return false;
    if (weir__worker_start_drops_lock(pool, &worker)) {
        weir__log_note(pool, WEIR_LOG_NO_WORKER, NULL, errno);
        weir__timekeeper_hold_off(&pool->workers_hold_ns);
        weir__watch_give_up(pool);
    }
    return true;
}

/* ---------------------------------------------------------------- its life */

static int64_t sleep_until(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    int64_t until_ns = weir__moments_next(&pool->moments);

    if (pool->scaling.look_ns < until_ns)
        until_ns = pool->scaling.look_ns;
    if (pool->room_ns < until_ns)
        until_ns = pool->room_ns;
    if (pool->held.look_ns < until_ns)
        until_ns = pool->held.look_ns;
    if (notifier_is_missing(pool) && pool->notifier_hold_ns < until_ns)
        until_ns = pool->notifier_hold_ns;
    if (workers_are_missing(pool) && pool->workers_hold_ns < until_ns)
        until_ns = pool->workers_hold_ns;
    return until_ns;
}

static bool may_end(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->destroyed ||
           (pool->closing && pool->threads == 0 && !notifier_is_missing(pool) &&
            !pool->callers.first && weir__pool_live(pool) == 0);
}

/* What will not end by itself is left to itself. */
static void detach_stuck(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->phase != WEIR__ABSENT)
            weir__thread_detach(&pool->workers[i]->thread);
}

/* Says until when, and then looks at the lane: lane.h has the reason. */
static void
sleep_drops_lock(weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    int64_t until_ns = sleep_until(pool);
    int64_t in_lane_ns = weir__beat_let_happen(pool, now_ns);
    struct weir__turn turn = {0};
    weir_status status;

    if (in_lane_ns < until_ns)
        until_ns = in_lane_ns;
    weir__counter_write(&pool->keeper_until_ns, (uint64_t)until_ns);
    if (pool->has_lane && pool->settings.options.timeout_ns > 0)
        weir__fence_heavy();
    if (weir__beat_let_happen(pool, now_ns) < until_ns ||
        weir__moments_next(&pool->moments) < until_ns || until_ns <= now_ns ||
        may_end(pool))
        return;
    status = weir__waitlist_wait(&pool->keeper, &pool->lock, &turn,
                                 (weir_deadline){until_ns});
    (void)status; /* both mean: look again */
}

static void keep_time(void *arg)
{
    weir_pool *pool = arg;

    weir__mutex_lock(&pool->lock);
    while (!may_end(pool)) {
        int64_t now_ns = weir__now();

        let_happen_drops_lock(pool, now_ns);
        weir__watch_look(pool, now_ns);
        weir__room_look(pool, now_ns);
        weir__limits_look(pool, now_ns);
        weir__limits_pay_drops_lock(pool);
        if (!look_after_drops_lock(pool, now_ns))
            sleep_drops_lock(pool, now_ns);
    }
    weir__limits_pay_drops_lock(pool);
    if (pool->destroyed)
        detach_stuck(pool);
    weir__mutex_unlock(&pool->lock);
}

static void timekeeper_left(void *arg)
{
    weir_pool *pool = arg;

    weir__mutex_lock(&pool->lock);
    pool->timekeeper_ended = true;
    weir__waitlist_wake_all(&pool->stoppers);
    weir__pool_unlock_and_let_go(pool);
}

weir_status weir__timekeeper_start(weir_pool *pool)
{
    weir_status status;

    pool->timekeeper.run = keep_time;
    pool->timekeeper.ended = timekeeper_left;
    pool->timekeeper.arg = pool;
    weir__thread_set_name(&pool->timekeeper, pool->settings.name, "time");
    weir__mutex_lock(&pool->lock);
    weir__pool_hold(pool);
    weir__mutex_unlock(&pool->lock);
    status = weir__thread_start(&pool->timekeeper);
    if (status) {
        weir__mutex_lock(&pool->lock);
        weir__pool_drop(pool);
        pool->timekeeper_ended = pool->timekeeper_joined = true;
        weir__mutex_unlock(&pool->lock);
    }
    return status;
}
