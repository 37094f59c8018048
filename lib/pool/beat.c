/* SPDX-License-Identifier: MIT */
/*
 * beat.c - deadlines of plain tasks.
 *
 * THE IDEA
 *
 * A worker that stamps each start reads the clock for each task, which takes as
 * long as the rest.  So where tasks come fast nobody stamps: the timekeeper
 * looks at all workers every now and then, on the beat, and an attempt that it
 * has not seen before has its timeout from that look on.  Most are over long
 * before, and none ever read a clock.
 *
 *     stamped ──256 in a row took less than 4 ms──▶ on the beat
 *        ▲                                              │
 *        └───── fewer than 64 began in a whole beat ────┘
 *
 * So a deadline is never early, and late by a beat at most: a 64th of the
 * timeout, up to 100 ms; and where that is less than 1 ms everybody stamps.
 * Who asks for the deadline, by weir_task_deadline, fixes it there and then.
 *
 * INVARIANTS
 *
 *   1. `deadline_ns` of a worker, as long as `at` says that it is at a task, is
 *      the attempt's deadline, or 0: not known yet.
 *   2. While an attempt's deadline is not known, the timekeeper is awake, or
 *      will be by the next beat: a worker that begins one looks at the flag
 *      again once it has said what it is at, and who takes the flag away looks
 *      at all workers once more (lane.h, memory order).
 *
 * Idle costs nothing: the first beat in which little began is the last.
 */
#include "base/clock.h"
#include "base/fence.h"
#include "base/fork.h"
#include "pool/pool.h"

/* So many tasks in a row, begun in so long, begin the beat; fewer in a beat end
 * it.  Exploration sets them. */
#ifndef WEIR__BEAT_FAST_TASKS
# define WEIR__BEAT_FAST_TASKS 256
# define WEIR__BEAT_SLOW_TASKS 64
#endif
#define FAST_NS WEIR_MS(4)

/* The beat is so much shorter than the timeout, and no shorter or longer than
 * this. */
enum { BEATS_IN_TIMEOUT = 64 };
#define LEAST_BEAT_NS WEIR_MS(1)
#define MOST_BEAT_NS  WEIR_MS(100)

static int64_t beat_of(const weir_pool *pool)
{
    int64_t beat_ns = pool->settings.options.timeout_ns / BEATS_IN_TIMEOUT;

    return beat_ns < MOST_BEAT_NS ? beat_ns : MOST_BEAT_NS;
}

static void
wake_if_sooner(weir_pool *pool, int64_t at_ns) WEIR_REQUIRES(pool->lock)
{
    if (at_ns < (int64_t)weir__counter_read(&pool->keeper_until_ns))
        weir__timekeeper_wake(pool);
}

/* --------------------------------------------------------------- a deadline */

/* Known, or from when it was first seen on. */
static int64_t deadline_of(const weir_pool *pool, struct weir__worker *worker,
                           int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    struct weir__lane_work *lane = &worker->lane;
    uint64_t id = weir__counter_read(&lane->at);
    int64_t at_ns = (int64_t)weir__counter_read(&lane->deadline_ns);

    if (at_ns > 0)
        return at_ns;
    if (lane->seen != id) {
        lane->seen = id;
        lane->seen_ns = now_ns;
    }
    return weir__moment_after(lane->seen_ns, pool->settings.options.timeout_ns);
}

int64_t weir__beat_deadline(weir_pool *pool, struct weir__worker *worker)
{
    int64_t at_ns = deadline_of(pool, worker, weir__now());

    weir__counter_write_release(&worker->lane.deadline_ns, (uint64_t)at_ns);
    wake_if_sooner(pool, at_ns);
    return at_ns;
}

/* A handler's child may have the lock, that nobody gives back; but nobody else
 * is there either. */
static weir_deadline deadline_in_fork_child(struct weir__worker *worker)
{
    const weir_pool_options *o = &worker->pool->settings.options;
    struct weir__counter *at_ns = &worker->lane.deadline_ns;

    if (weir__counter_read(at_ns) == 0)
        weir__counter_write(at_ns, (uint64_t)weir__moment_after(weir__now(),
                                                                o->timeout_ns));
    return (weir_deadline){(int64_t)weir__counter_read(at_ns)};
}

weir_deadline weir__beat_find_deadline(weir_task *task)
{
    struct weir__worker *worker =
        (struct weir__worker *)(void *)((unsigned char *)task -
                                        offsetof(struct weir__worker, task));
    weir_pool *pool = worker->pool;
    weir_deadline deadline;

    if (weir__is_forked(pool->generation))
        return deadline_in_fork_child(worker);
    weir__mutex_lock(&pool->lock);
    deadline.at_ns = weir__beat_deadline(pool, worker);
    weir__mutex_unlock(&pool->lock);
    return deadline;
}

/* ---------------------------------------------------------- by the worker */

/* Tasks have come fast. */
static void begin_beat(weir_pool *pool)
{
    weir__mutex_lock(&pool->lock);
    if (!weir__flag_read(&pool->on_beat)) {
        pool->beat_taken = weir__lane_taken(pool);
        pool->beat_at_ns = weir__moment_after(weir__now(), beat_of(pool));
        weir__flag_write(&pool->on_beat, true);
        wake_if_sooner(pool, pool->beat_at_ns);
    }
    weir__mutex_unlock(&pool->lock);
}

static void
note_stamp(weir_pool *pool, struct weir__lane_work *lane, int64_t now_ns)
{
    if (lane->stamped++ == 0)
        lane->stamped_ns = now_ns;
    if (lane->stamped < WEIR__BEAT_FAST_TASKS)
        return;
    lane->stamped = 0;
    if (now_ns - lane->stamped_ns < FAST_NS && beat_of(pool) >= LEAST_BEAT_NS)
        begin_beat(pool);
}

bool weir__beat_stamp(weir_pool *pool, struct weir__lane_work *lane)
{
    int64_t now_ns, timeout_ns = pool->settings.options.timeout_ns;

    if (timeout_ns == 0)
        return true;
    if (weir__flag_read(&pool->on_beat)) {
        weir__counter_write_release(&lane->deadline_ns, 0);
        return false;
    }
    now_ns = lane->ended_ns ? lane->ended_ns : weir__now();
    weir__counter_write_release(&lane->deadline_ns,
                                (uint64_t)weir__moment_after(now_ns,
                                                             timeout_ns));
    note_stamp(pool, lane, now_ns);
    return true;
}

void weir__beat_began(weir_pool *pool, struct weir__worker *worker)
{
    int64_t at_ns = (int64_t)weir__counter_read(&worker->lane.deadline_ns);

    if (at_ns == 0
            ? weir__flag_read(&pool->on_beat)
            : at_ns >= (int64_t)weir__counter_read(&pool->keeper_until_ns))
        return;
    weir__mutex_lock(&pool->lock);
    weir__beat_deadline(pool, worker);
    weir__mutex_unlock(&pool->lock);
}

/* ------------------------------------------------------ by the timekeeper */

/* Whether it is at a task that nobody has adopted; the deadline in *at_ns. */
static bool
has_deadline(const weir_pool *pool, struct weir__worker *worker, int64_t now_ns,
             int64_t *at_ns) WEIR_REQUIRES(pool->lock)
{
    uint64_t id = weir__counter_read(&worker->lane.at);

    if (!id || worker->entry)
        return false;
    *at_ns = deadline_of(pool, worker, now_ns);
    return weir__counter_read(&worker->lane.at) == id;
}

/* Ends the beat if little has begun since the last one. */
static void beat(weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    uint64_t taken = weir__lane_taken(pool);

    if (!weir__flag_read(&pool->on_beat) || pool->beat_at_ns > now_ns)
        return;
    if (taken - pool->beat_taken < WEIR__BEAT_SLOW_TASKS) {
        weir__flag_write(&pool->on_beat, false);
        weir__fence_heavy();
    }
    pool->beat_taken = taken;
    pool->beat_at_ns = weir__moment_after(now_ns, beat_of(pool));
}

int64_t weir__beat_let_happen(weir_pool *pool, int64_t now_ns)
{
    int64_t soonest_ns = INT64_MAX, at_ns;
    bool any = false;

    if (!pool->has_lane || pool->settings.options.timeout_ns == 0)
        return soonest_ns;
    beat(pool, now_ns);
    for (uint32_t i = 0; i < pool->worker_slots; i++) {
        if (!has_deadline(pool, pool->workers[i], now_ns, &at_ns))
            continue;
        if (at_ns <= now_ns) {
            weir__lane_want(pool->workers[i]);
            any = true;
        } else if (at_ns < soonest_ns) {
            soonest_ns = at_ns;
        }
    }
    if (any) {
        weir__fence_heavy();
        for (uint32_t i = 0; i < pool->worker_slots; i++)
            weir__lane_adopt_wanted(pool, pool->workers[i]);
        return now_ns;
    }
    if (weir__flag_read(&pool->on_beat) && pool->beat_at_ns < soonest_ns)
        soonest_ns = pool->beat_at_ns;
    return soonest_ns;
}
