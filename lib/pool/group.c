/* SPDX-License-Identifier: MIT */
/*
 * group.c - some tasks of a pool that belong together.
 *
 * THE IDEA
 *
 * An entry may point to a group.  Wherever a figure of the pool's ledger
 * changes on account of an entry, its group's changes with it, by the same
 * call: so both balance at the same moments.
 *
 *     group ──▶ unsettled entry ⇄ unsettled entry     (what a cancel is about)
 *       ▲            │                │
 *       └────────────┴────────────────┴── settled ones, until they are free
 *
 * A group's tasks are never plain: they need an entry to point from.
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. The group's ledger balances.
 *   2. Its list holds its unsettled entries, in the order of their ids.
 *   3. `open` is the number of its entries that are not free.  It is over when
 *      `open` is 0: nothing waits, runs or is owed a callback.
 *   4. Each open entry and the handle hold a reference; the group holds one on
 *      the pool.
 *
 * Once the pool has been destroyed no callback runs any more.  An attempt that
 * was stuck leaves the group when it ends, with its item unreleased.
 *
 * LOCKING: the pool's lock, for all of it.
 */
#include <weir/group.h>

#include <assert.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "observe/ledger.h"
#include "pool/pool.h"
#include "pool/seen.h"
#include "pool/schedule.h"

/* I: set by create, then read-only.  L: with the pool's lock. */
struct weir_group {
    weir_pool *pool;                  /* I */
    uint64_t references;              /* L */
    uint64_t open;                    /* L */
    struct weir__entry *first, *last; /* L: the unsettled ones */
    struct weir__waitlist joiners;    /* L */
    weir_ledger ledger;               /* L */
};

/* ----------------------------------------------------------------- entries */

void weir__entry_count(weir_pool *pool, const struct weir__entry *entry,
                       size_t column, int64_t more)
{
    weir__ledger_add(&pool->ledger, column, more);
    if (entry->group)
        weir__ledger_add(&entry->group->ledger, column, more);
}

void weir__count_refused(weir_pool *pool, weir_group *group, uint64_t more,
                         weir_status status)
{
    weir__seen_refused(pool, status, more);
    weir__ledger_add(&pool->ledger, WEIR__COLUMN(refused), (int64_t)more);
    if (group)
        weir__ledger_add(&group->ledger, WEIR__COLUMN(refused), (int64_t)more);
}

void weir__group_enter(weir_group *group, struct weir__entry *entry)
{
    if (!group)
        return;
    group->references++;
    group->open++;
    entry->group = group;
    entry->group_next = NULL;
    entry->group_previous = group->last;
    if (group->last)
        group->last->group_next = entry;
    else
        group->first = entry;
    group->last = entry;
}

void weir__group_settle(struct weir__entry *entry)
{
    weir_group *group = entry->group;

    if (!group)
        return;
    if (entry->group_previous)
        entry->group_previous->group_next = entry->group_next;
    else
        group->first = entry->group_next;
    if (entry->group_next)
        entry->group_next->group_previous = entry->group_previous;
    else
        group->last = entry->group_previous;
}

void weir__group_leave_drops_lock(weir_pool *pool, weir_group *group)
{
    if (!group)
        return;
    group->open--;
    weir__group_review(pool, group);
    if (--group->references > 0)
        return;
    weir__pool_drop(pool);
    weir__mutex_unlock(&pool->lock);
    weir__release(group);
    weir__mutex_lock(&pool->lock);
}

/* ----------------------------------------------------------------- joining */

/* Nothing is left but abandoned attempts, and of these all has been told. */
static bool is_stuck(const weir_pool *pool, const weir_group *group)
    WEIR_REQUIRES(pool->lock)
{
    if (group->open == 0 || group->open != group->ledger.abandoned)
        return false;
    for (uint32_t i = 0; i < pool->worker_slots; i++) {
        const struct weir__entry *entry = pool->workers[i]->entry;

        if (entry && entry->group == group &&
            (entry->is_handled || entry->is_noticed ||
             entry->step != WEIR__STEP_TOLD))
            return false;
    }
    return true;
}

void weir__group_review(weir_pool *pool, weir_group *group)
{
    if (group && group->joiners.first &&
        (group->open == 0 || is_stuck(pool, group)))
        weir__waitlist_wake_all(&group->joiners);
}

static weir_status check_group(const weir_group *group)
{
    if (!group)
        return weir__refuse(WEIR_EINVAL, "group is NULL");
    if (weir__is_forked(group->pool->generation))
        return weir__refuse_forked("group");
    return WEIR_OK;
}

weir_status weir_group_join(weir_group *group, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_group(group);
    struct weir__turn turn = {0};
    weir_pool *pool;

    if (status)
        return status;
    pool = group->pool;
    if (weir__pool_is_inside(pool))
        return weir__refuse(WEIR_DEADLOCK, "a handler or callback cannot join "
                                           "a group of its own pool");
    weir__mutex_lock(&pool->lock);
    while (group->open > 0 && !is_stuck(pool, group) && status == WEIR_OK)
        status =
            weir__waitlist_wait(&group->joiners, &pool->lock, &turn, deadline);
    if (group->open == 0)
        status = WEIR_OK;
    else if (is_stuck(pool, group))
        status = WEIR_STUCK;
    weir__mutex_unlock(&pool->lock);
    return status;
}

/* -------------------------------------------------------------------- life */

weir_status weir_group_create(weir_group **out, weir_pool *pool)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__pool_check(pool);
    weir_group *group;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    if (status)
        return status;
    group = weir__allocate(sizeof(*group));
    if (!group)
        return weir__refuse(WEIR_ENOMEM, "no memory for a group");
    group->pool = pool;
    group->references = 1;
    weir__mutex_lock(&pool->lock);
    weir__pool_hold(pool);
    weir__mutex_unlock(&pool->lock);
    *out = group;
    return WEIR_OK;
}

/* Those that are there: who submits beside it cannot keep it going. */
static void
cancel_drops_lock(weir_pool *pool, weir_group *group) WEIR_REQUIRES(pool->lock)
{
    uint64_t newest;

    weir__series_end_all_drops_lock(pool, group);
    newest = weir__pool_accepted(pool);
    while (group->first && group->first->id <= newest)
        weir__entry_cancel_drops_lock(pool, group->first, true);
}

void weir_group_cancel(weir_group *group)
{
    WEIR__UNTRAPPED;

    if (!group || check_group(group))
        return;
    weir__mutex_lock(&group->pool->lock);
    cancel_drops_lock(group->pool, group);
    weir__mutex_unlock(&group->pool->lock);
}

void weir_group_destroy(weir_group *group)
{
    WEIR__UNTRAPPED;
    weir_pool *pool;
    bool last;

    if (!group || check_group(group))
        return;
    pool = group->pool;
    weir__mutex_lock(&pool->lock);
    cancel_drops_lock(pool, group);
    last = --group->references == 0;
    weir__mutex_unlock(&pool->lock);
    if (!last)
        return;
    weir__release(group);
    weir__mutex_lock(&pool->lock);
    weir__pool_unlock_and_let_go(pool);
}

/* --------------------------------------------------------------------- use */

weir_status weir_group_submit(weir_group *group, weir_handler *handler,
                              void *item, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_group(group);

    if (status)
        return status;
    return weir__submit(group->pool, group, handler, item, deadline);
}

weir_status
weir_group_submit_task(weir_group *group, const weir_task_spec *spec,
                       weir_future **out, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_group(group);

    if (status)
        return status;
    return weir__submit_task(group->pool, group, spec, out, deadline);
}

void weir_group_read_ledger(const weir_group *group, weir_ledger *out)
{
    WEIR__UNTRAPPED;

    *out = (weir_ledger){0};
    if (check_group(group))
        return;
    weir__mutex_lock(&group->pool->lock);
    *out = group->ledger;
    if (group->pool->stopped || group->pool->destroyed)
        out->unreleased = out->overdue;
    weir__mutex_unlock(&group->pool->lock);
}
