/* SPDX-License-Identifier: MIT */
/* adopt.c - when plain tasks become entries.  The essay is in lane.h. */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fence.h"
#include "base/processors.h"
#include "base/thread.h"
#include "observe/ledger.h"
#include "pool/kept.h"
#include "pool/limits.h"
#include "pool/look.h"
#include "pool/pool.h"

/* Before it sleeps: it may be more urgent than who it waits for. */
enum { YIELDS_AT_MOST = 64 };

static bool has_plain_tasks(const struct weir__pool_settings *settings)
{
    const weir_pool_options *options = &settings->options;

    return !settings->has_children && !settings->has_limits &&
           (options->on_full == WEIR_ON_FULL_WAIT ||
            options->on_full == WEIR_ON_FULL_REFUSE) &&
           (!options->retry || options->retry->max_attempts == 1) &&
           options->time_to_live_ns == 0 && options->codel_target_ns == 0 &&
           !options->on_pressure && !options->on_settled &&
           !options->on_release;
}

weir_status weir__lane_create(weir_pool *pool)
{
    const weir_pool_options *o = &pool->settings.options;
    weir_status status;

    weir__spin_init(&pool->submit_spin, weir__processors_at_first());
    weir__spin_init(&pool->work_spin, weir__processors_at_first());
    pool->has_lane = has_plain_tasks(&pool->settings);
    if (!pool->has_lane)
        return WEIR_OK;
    weir__fence_prepare();
    status = weir__lane_init(&pool->lane, o->queue_capacity, o->item_size,
                             pool->is_seen);
    if (!status && o->item_size > 0) {
        pool->lane_copy = weir__allocate(o->item_size);
        if (!pool->lane_copy)
            status = weir__refuse(WEIR_ENOMEM, "no memory for a pool");
    }
    return status;
}

void weir__lane_release(weir_pool *pool)
{
    weir__ring_dispose(&pool->lane);
    weir__release(pool->lane_copy);
}

/* ------------------------------------------------------------ shut and open */

/* As if it had come that way. */
static struct weir__entry *
create_entry(weir_pool *pool, const struct weir__plain *plain)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__entry *entry = weir__store_take(pool);
    const struct weir__kept *kept = weir__kept_of(plain);

    assert(entry && "there is one for each task in the lane");
    entry->id = plain->id;
    entry->handler = plain->handler;
    entry->item = plain->item;
    entry->context = pool->settings.options.context;
    entry->timeout_ns = pool->settings.options.timeout_ns;
    entry->retry = &pool->settings.retry;
    entry->submitted_ns = pool->is_seen ? plain->submitted_ns : weir__now();
    entry->is_kept = kept != NULL;
    if (kept) {
        entry->handler = kept->keeper->handler;
        entry->item = kept->item;
        entry->source = &kept->keeper->source;
        entry->submitted_ns = kept->submitted_ns;
        if (kept->keeper->context)
            entry->context = kept->keeper->context;
    }
    weir__entry_count(pool, entry, WEIR__COLUMN(accepted), 1);
    pool->open++;
    return entry;
}

static uint64_t at(const struct weir__worker *worker)
{
    return weir__counter_read(&worker->lane.at);
}

/* Whoever has claimed a place is about to fill it. */
static void move_to_list(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    unsigned yields = 0;

    while (!weir__lane_is_empty(&pool->lane)) {
        struct weir__entry *entry = NULL;
        struct weir__plain plain;

        if (!weir__lane_get(&pool->lane, &plain, pool->lane_copy,
                            WEIR__RING_FLAGS, pool->is_seen)) {
            if (yields++ < YIELDS_AT_MOST)
                weir__thread_yield();
            else
                weir__thread_nap(WEIR_US(50));
            continue;
        }
        entry = create_entry(pool, &plain);
        if (plain.item == pool->lane_copy && pool->lane_copy) {
            entry->item = weir__store_copy_of(entry);
            memcpy(entry->item, plain.item, pool->settings.options.item_size);
        }
        weir__entry_queue(pool, entry);
    }
}

/* The reasons for putters to take the lock. */
static void flag_tail(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    bool flagged = weir__counter_read(&pool->lane.tail) & WEIR__RING_STAND_BACK;
    bool wanted = pool->lane_shut || pool->submitters.waiters.overtaken > 0 ||
                  weir__pool_is_degraded(pool);

    if (wanted && !flagged)
        weir__counter_or(&pool->lane.tail, WEIR__RING_STAND_BACK);
    else if (flagged && !wanted)
        weir__counter_and(&pool->lane.tail, ~(uint64_t)WEIR__RING_STAND_BACK);
}

/* While tasks move workers stand back: one of them might take the task behind
 * one that has moved, and begin it sooner. */
void weir__lane_shut(weir_pool *pool)
{
    if (pool->lane_shut)
        return;
    pool->lane_shut = true;
    flag_tail(pool);
    weir__counter_or(&pool->lane.head, WEIR__RING_STAND_BACK);
    move_to_list(pool);
    weir__counter_and(&pool->lane.head, ~(uint64_t)WEIR__RING_STAND_BACK);
}

/* Whether each task in the lane and each worker could have an entry: so it is
 * unless settled ones still wait for the notifier. */
static bool has_entries(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->free_count + pool->attached >=
           pool->settings.options.queue_capacity + pool->worker_slots;
}

void weir__entry_attach(weir_pool *pool, struct weir__worker *worker,
                        struct weir__entry *entry)
{
    worker->entry = entry;
    entry->worker = worker;
    pool->attached++;
}

/* The lane is shut while there still are entries for all that is in it. */
void weir__entry_detach(weir_pool *pool, struct weir__worker *worker)
{
    if (!worker->entry)
        return;
    worker->entry = NULL;
    weir__board_write(&worker->board, NULL);
    pool->attached--;
    if (pool->has_lane && !has_entries(pool))
        weir__lane_shut(pool);
}

void weir__lane_review(weir_pool *pool)
{
    if (!pool->has_lane)
        return;
    if (pool->lane_shut && !pool->closing && !pool->queued.first &&
        pool->schedule.delayed_count == 0 && pool->ledger.retrying == 0 &&
        !weir__limits_any(pool, NULL) && has_entries(pool))
        pool->lane_shut = false;
    flag_tail(pool);
}

void weir__lane_call_workers(weir_pool *pool)
{
    bool called = pool->alive > pool->wanted || pool->closing;
    bool flagged = weir__counter_read(&pool->lane.head) & WEIR__RING_PILLS;

    if (!pool->has_lane || called == flagged)
        return;
    if (called)
        weir__counter_or(&pool->lane.head, WEIR__RING_PILLS);
    else
        weir__counter_and(&pool->lane.head, ~(uint64_t)WEIR__RING_PILLS);
}

/* ---------------------------------------------------------------- adoption */

void weir__lane_want(struct weir__worker *worker)
{
    if (!worker->entry)
        weir__counter_write(&worker->lane.wanted, at(worker));
}

/* A plain task's attempt, that began without an entry. */
static void take_over(weir_pool *pool, struct weir__entry *entry,
                      struct weir__worker *worker) WEIR_REQUIRES(pool->lock)
{
    entry->state = WEIR__RUNNING;
    entry->task = &worker->task;
    entry->attempt_alive = true;
    entry->started_ns = weir__now();
    if (entry->timeout_ns > 0) {
        int64_t at_ns = weir__beat_deadline(pool, worker);

        entry->started_ns = at_ns - entry->timeout_ns;
        weir__timekeeper_set(pool, entry, at_ns);
    }
    if (pool->is_seen || weir__kept_of(&worker->lane.plain)) {
        entry->first_started_ns =
            (int64_t)weir__hint_read(&worker->lane.started_ns);
        if (entry->timeout_ns == 0)
            entry->started_ns = entry->first_started_ns;
    } else {
        entry->first_started_ns = entry->started_ns;
    }
    entry->since_ns = entry->started_ns;
    entry->outcome.attempts = 1;
    weir__entry_count(pool, entry, WEIR__COLUMN(running), 1);
    weir__entry_count(pool, entry, WEIR__COLUMN(attempts), 1);
}

static void make_entry(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__entry *entry = create_entry(pool, &worker->lane.plain);

    weir__entry_attach(pool, worker, entry);
    worker->phase = WEIR__IN_ATTEMPT;
    weir__figure_write(&pool->adopted, pool->adopted + 1);
    take_over(pool, entry, worker);
    weir__look_post(worker, entry);
}

void weir__lane_adopt_wanted(weir_pool *pool, struct weir__worker *worker)
{
    uint64_t id = at(worker);

    if (id && !worker->entry && id == weir__counter_read(&worker->lane.wanted))
        make_entry(pool, worker);
}

static void adopt_all(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        weir__lane_want(pool->workers[i]);
    weir__fence_heavy();
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        weir__lane_adopt_wanted(pool, pool->workers[i]);
}

bool weir__lane_adopt_own(weir_pool *pool, struct weir__worker *worker)
{
    if (at(worker) && !worker->entry)
        make_entry(pool, worker);
    weir__counter_write(&worker->lane.at, 0);
    return worker->entry != NULL;
}

/* A worker that has taken a task and not yet said so sees the flag when it
 * has: so there is nothing to adopt the next time. */
void weir__lane_close(weir_pool *pool)
{
    if (weir__flag_read(&pool->lane_closing))
        return;
    weir__lane_shut(pool);
    weir__lane_call_workers(pool);
    weir__flag_write(&pool->lane_closing, true);
    weir__fence_heavy();
    adopt_all(pool);
}

void weir__lane_reveal(weir_pool *pool)
{
    if (!pool->has_lane)
        return;
    weir__lane_shut(pool);
    adopt_all(pool);
}

bool weir__lane_turn_back_drops_lock(weir_pool *pool,
                                     struct weir__worker *worker)
{
    struct weir__entry *entry;

    if (worker->entry)
        return false;
    if (!pool->no_retries && !weir__kept_is_given_up(&worker->lane.plain)) {
        weir__lane_want(worker);
        make_entry(pool, worker);
        return false;
    }
    weir__counter_write(&worker->lane.at, 0);
    weir__lane_shut(pool); /* it may have been opened again */
    entry = create_entry(pool, &worker->lane.plain);
    weir__figure_write(&pool->adopted, pool->adopted + 1);
    weir__entry_queue(pool, entry);
    weir__entry_cancel_drops_lock(pool, entry, false);
    return true;
}
