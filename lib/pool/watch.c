/* SPDX-License-Identifier: MIT */
/*
 * watch.c - a pool that scales: workers come when tasks wait, and go when idle.
 *
 * THE IDEA
 *
 * Somebody must notice that tasks wait, and nobody may look when none does.  So
 * whoever puts a task and finds no idle worker for it begins a watch; the
 * timekeeper then looks at each tick, and adds workers as scaling.h says, until
 * no task waits or there are as many workers as there may be.
 *
 * STATES of the watch
 *
 *   off       ▶ unwatched   more workers are possible again: a resize, one left
 *   unwatched ▶ on          a task comes and no worker is idle
 *             ▶ off         a resize to as many workers as there may be
 *   on        ▶ unwatched   at a look no task waits
 *             ▶ off         there are as many workers as there may be
 *
 * A pool that does not scale is off for ever; so all that it pays is a look at
 * one flag where a task is put.
 *
 * Workers go by themselves.  While there are more than the least, one that has
 * no task for WEIR__SCALING_IDLE_NS leaves, and takes its place with it.  Idle
 * workers are woken newest first, so that light work keeps few of them awake
 * and the others' time runs out.  Once there are as many as the least, they
 * sleep without limit.
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. least <= wanted <= max_workers; without scaling wanted is least.
 *   2. If a task waits, then a worker is on its way to it, or the watch is on,
 *      or all the workers that there may be are wanted.
 *
 * MEMORY ORDER
 *
 * Plain tasks are put without the lock:
 *
 *   putter: claim a place, unwatched?     timekeeper: unwatched, any place
 *                                         claimed?
 *
 * All four are sequentially consistent: one of the two sees the other.
 *
 * LIMITS
 *
 * A worker that does not start, or whose worker_start refuses, is given up,
 * unless it is one of the least: the next look may ask for it again, but not
 * before the pool tries starts again at all.
 */
#include "base/clock.h"
#include "pool/pool.h"
#include "pool/seen.h"

/* Nobody is added while others start workers too, or starts are put off. */
static struct weir__load
load_of(const weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    uint32_t most = pool->settings.options.max_workers;

    if (pool->resizing || now_ns < pool->workers_hold_ns)
        most = pool->wanted;
    return (struct weir__load){.workers = pool->wanted,
                               .busy = weir__pool_busy(pool),
                               .most = most,
                               .waiting = weir__pool_waiting(pool),
                               .begun = weir__pool_begun(pool)};
}

static bool is_on(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->scaling.look_ns != INT64_MAX;
}

void weir__watch_begin(weir_pool *pool)
{
    int64_t now_ns;
    struct weir__load load;

    if (!weir__flag_read(&pool->unwatched))
        return;
    weir__flag_write(&pool->unwatched, false);
    now_ns = weir__now();
    load = load_of(pool, now_ns);
    weir__scaling_begin(&pool->scaling, &load, now_ns);
    if (pool->scaling.look_ns <
        (int64_t)weir__counter_read(&pool->keeper_until_ns))
        weir__timekeeper_wake(pool);
}

void weir__watch_review(weir_pool *pool)
{
    bool possible = pool->settings.scales && !is_on(pool) &&
                    pool->wanted < pool->settings.options.max_workers;

    weir__flag_write(&pool->unwatched, possible);
    if (possible && weir__pool_waiting(pool) > 0)
        weir__watch_begin(pool);
}

void weir__watch_look(weir_pool *pool, int64_t now_ns)
{
    struct weir__load load;
    uint32_t more;

    if (now_ns < pool->scaling.look_ns)
        return;
    load = load_of(pool, now_ns);
    more = weir__scaling_look(&pool->scaling, &load, now_ns);
    pool->wanted += more;
    pool->tally.scaled_up += more;
    weir__seen_scale(pool);
    if (load.waiting > 0 && pool->wanted < pool->settings.options.max_workers)
        return;
    pool->scaling.look_ns = INT64_MAX;
    weir__watch_review(pool);
}

void weir__watch_give_up(weir_pool *pool)
{
    if (pool->wanted == pool->least)
        return;
    pool->wanted--;
    weir__seen_scale(pool);
    weir__watch_review(pool);
}

int64_t weir__watch_idle_until(const weir_pool *pool, int64_t *idle_since_ns)
{
    if (pool->alive <= pool->least)
        return INT64_MAX;
    if (*idle_since_ns == 0)
        *idle_since_ns = weir__now();
    return weir__moment_after(*idle_since_ns, WEIR__SCALING_IDLE_NS);
}

void weir__watch_let_go(weir_pool *pool)
{
    if (pool->wanted >= pool->alive)
        pool->wanted = pool->alive - 1;
    pool->tally.scaled_down++;
    weir__seen_scale(pool);
    weir__watch_review(pool);
}
