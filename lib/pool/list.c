/* SPDX-License-Identifier: MIT */
/*
 * list.c - which tasks a pool has, and what they are at.
 *
 * Plain tasks have no entry to read.  So the lane is shut, which makes entries
 * of those that wait, and those that run are adopted.  When what was moved has
 * left, the lane opens again by itself.
 *
 * All is written with the lock held, into memory of the caller's: at most
 * `room` entries are looked at among those that wait, however many there are.
 */
#include "pool/pool.h"

#include <string.h>

#include "base/clock.h"
#include "base/options.h"
#include "base/stamp.h"

struct listing {
    unsigned char *at; /* the next place */
    size_t stride;     /* from one to the next */
    size_t room;       /* places left */
    size_t count;      /* tasks, with or without a place */
    int64_t now_ns;
};

/* Until what is to happen next happens to it of itself. */
static int64_t time_left(const struct weir__entry *entry, weir_task_state state,
                         int64_t now_ns)
{
    switch (state) {
    case WEIR_TASK_QUEUED:
    case WEIR_TASK_RUNNING:
        return entry->moment.is_in ? entry->moment.at_ns - now_ns : INT64_MAX;
    case WEIR_TASK_RETRYING:
        return entry->due_ns - now_ns;
    case WEIR_TASK_OVERDUE:
    case WEIR_TASK_ABANDONED:
        break;
    }
    return INT64_MAX;
}

static void list_one(struct listing *listing, const struct weir__entry *entry,
                     weir_task_state state, uint32_t worker)
{
    weir_pool_entry line = WEIR_POOL_ENTRY_INIT;

    listing->count++;
    if (listing->room == 0)
        return;
    line.task_id = entry->id;
    line.state = state;
    line.worker = worker;
    line.attempt = entry->outcome.attempts;
    line.since_ns = weir__span(entry->since_ns, listing->now_ns);
    line.left_ns = time_left(entry, state, listing->now_ns);
    line.held = entry->held_at > WEIR__HELD_READY;
    memcpy(line.label, entry->label, sizeof(line.label));
    memcpy(listing->at, &listing->stride, sizeof(listing->stride));
    weir__snapshot_write(listing->at, &line, sizeof(line));
    listing->at += listing->stride;
    listing->room--;
}

/* What the attempt that a thread is in says of its task; false: nothing. */
static bool state_of(const struct weir__entry *entry, bool abandoned,
                     weir_task_state *state)
{
    if (entry && entry->state == WEIR__RUNNING)
        *state = WEIR_TASK_RUNNING;
    else if (entry && entry->state == WEIR__SETTLED && entry->is_overdue)
        *state = abandoned ? WEIR_TASK_ABANDONED : WEIR_TASK_OVERDUE;
    else
        return false;
    return true;
}

static void list_attempts(weir_pool *pool, struct listing *listing,
                          weir_task_state wanted) WEIR_REQUIRES(pool->lock)
{
    weir_task_state state;

    for (uint32_t i = 0; i < pool->worker_slots; i++) {
        const struct weir__worker *worker = pool->workers[i];

        if (state_of(worker->entry, worker->abandoned, &state) &&
            state == wanted)
            list_one(listing, worker->entry, state, worker->index);
    }
    for (const struct weir__entry *e = pool->callers.first; e; e = e->next)
        if (state_of(e, false, &state) && state == wanted)
            list_one(listing, e, state, UINT32_MAX);
}

/* Those without a place need not be looked at. */
static void
list_waiting(struct listing *listing, const struct weir__entry_list *waiting,
             weir_task_state state)
{
    for (const struct weir__entry *e = waiting->first; e && listing->room > 0;
         e = e->next)
        list_one(listing, e, state,
                 e->attempt_alive && e->worker ? e->worker->index : UINT32_MAX);
}

/* Those that limits hold back, or have just let go on. */
static void list_held(const weir_pool *pool, struct listing *listing,
                      enum weir__entry_state wanted, weir_task_state state)
    WEIR_REQUIRES(pool->lock)
{
    for (unsigned at = WEIR__HELD_READY; at < WEIR__HELD_PLACES; at++)
        for (const struct weir__entry *e = pool->held.at[at].first;
             e && listing->room > 0; e = e->next)
            if (e->state == wanted)
                list_one(listing, e, state, UINT32_MAX);
}

static void
list_all(weir_pool *pool, struct listing *listing) WEIR_REQUIRES(pool->lock)
{
    size_t attempts;

    weir__lane_reveal(pool);
    listing->now_ns = weir__now();
    list_attempts(pool, listing, WEIR_TASK_ABANDONED);
    list_attempts(pool, listing, WEIR_TASK_OVERDUE);
    list_attempts(pool, listing, WEIR_TASK_RUNNING);
    attempts = listing->count;
    list_held(pool, listing, WEIR__RETRYING, WEIR_TASK_RETRYING);
    list_waiting(listing, &pool->due, WEIR_TASK_RETRYING);
    list_waiting(listing, &pool->later, WEIR_TASK_RETRYING);
    list_held(pool, listing, WEIR__QUEUED, WEIR_TASK_QUEUED);
    list_waiting(listing, &pool->queued, WEIR_TASK_QUEUED);
    list_waiting(listing, &pool->schedule.delayed, WEIR_TASK_QUEUED);
    listing->count =
        attempts + (size_t)pool->ledger.retrying + (size_t)pool->ledger.queued;
    weir__lane_review(pool);
}

size_t
weir_pool_list(const weir_pool *handle, weir_pool_entry *out, size_t room)
{
    WEIR__UNTRAPPED;
    weir_pool *pool = (weir_pool *)handle; /* listing takes the lock too */
    struct listing listing = {.at = (unsigned char *)out,
                              .room = out ? room : 0};

    if (weir__pool_check(pool))
        return 0;
    if (listing.room > 0) {
        if (weir__snapshot_check(out, "weir_pool_entry"))
            return 0;
        listing.stride = out->size;
    }
    weir__mutex_lock(&pool->lock);
    list_all(pool, &listing);
    weir__mutex_unlock(&pool->lock);
    return listing.count;
}
