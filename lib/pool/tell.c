/* SPDX-License-Identifier: MIT */
/*
 * tell.c - the callbacks of a task, and what runs them.
 *
 * Whoever ended the attempt runs them, on its own thread; what happens without
 * an attempt (deadline, expiry, cancel, stop), and after a crash, when the
 * thread may hold locks of malloc's, is left to the notifier.  While a thread
 * is at it the entry `is_handled`, and others leave it alone: that thread looks
 * again for what has become due meanwhile.  So whichever of "told" and "attempt
 * ended" comes last leads to the release, exactly once.
 *
 * An attempt that is retried does not start while a notice for the old one is
 * out.  So a running entry is never handled by anybody but its own worker, and
 * the message it lends from its record cannot change under a callback.
 */
#include "base/fork.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/schedule.h"
#include "pool/seen.h"

static void steps_drop_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

bool weir__entry_has_callbacks(const weir_pool *pool,
                               const struct weir__entry *entry)
{
    return pool->settings.options.on_settled ||
           pool->settings.options.on_release || entry->source;
}

/* What came while somebody was at the entry. */
static void
handled(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    unsigned notices = entry->notices;

    entry->is_handled = false;
    pool->handling--;
    weir__waitlist_wake_all(&pool->handled);
    weir__group_review(pool, entry->group);
    if (notices)
        weir__notifier_post(pool, entry, notices);
    else if (entry->state == WEIR__RETRYING)
        weir__entry_retry_if_ready(pool, entry);
}

/* A run's source may be gone by now, if the attempt was stuck. */
static void let_go_of_item(const struct weir__source *source, void *item,
                           bool is_kept, bool released)
{
    if (is_kept && source)
        source->let_go(source->arg, item, released);
}

/* The entry stays, but its future and group are not to wait for it. */
static void let_go_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    const struct weir__source *source = entry->source;
    weir_future *future = entry->future;
    weir_group *group = entry->group;
    struct weir__series *series = entry->series;

    entry->series = NULL;
    entry->source = NULL;
    entry->future = NULL;
    entry->group = NULL;
    weir__mutex_unlock(&pool->lock);
    let_go_of_item(source, entry->item, entry->is_kept, false);
    weir_future_release(future);
    weir__mutex_lock(&pool->lock);
    weir__series_leave_drops_lock(pool, series);
    weir__group_leave_drops_lock(pool, group);
}

/* A worker's own has just left it: whoever gets the entry next is another's. */
static void
give_back(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    struct weir__worker *worker = entry->worker;

    weir__store_give_back(pool, entry);
    if (worker && worker->entry == entry)
        weir__entry_detach(pool, worker);
    weir__lane_review(pool);
    weir__room_tell(pool);
}

static void free_entry_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    const struct weir__source *source = entry->source;
    void *item = entry->item;
    bool is_kept = entry->is_kept;
    weir_future *future = entry->future;
    weir_group *group = entry->group;
    struct weir__series *series = entry->series;
    struct weir__entry *callers = entry->is_callers ? entry : NULL;

    weir__seen_release_of(pool, entry);
    if (!callers)
        give_back(pool, entry);
    if (future || callers || is_kept) {
        weir__mutex_unlock(&pool->lock);
        let_go_of_item(source, item, is_kept, true);
        weir_future_release(future);
        weir__store_release_callers(callers);
        weir__mutex_lock(&pool->lock);
    }
    weir__series_leave_drops_lock(pool, series);
    pool->open--;
    weir__group_leave_drops_lock(pool, group);
}

/* False: its keeper releases the item, the pool has done with it. */
static bool call_step(const weir_pool *pool, struct weir__entry *entry,
                      enum weir__step step, bool overdue)
{
    const struct weir__source *source = entry->source;
    const weir_pool_options *o = &pool->settings.options;

    switch (step) {
    case WEIR__STEP_SOURCE_SETTLE:
        if (source && source->settle)
            source->settle(source->arg, entry->item, &entry->outcome, overdue);
        break;
    case WEIR__STEP_ON_SETTLED:
        if (o->on_settled)
            o->on_settled(o->on_settled_arg, entry->item, &entry->outcome);
        break;
    case WEIR__STEP_ON_RELEASE:
        if (source && source->may_release &&
            !source->may_release(source->arg, entry->item))
            return false;
        if (o->on_release)
            o->on_release(o->on_release_arg, entry->item);
        break;
    case WEIR__STEP_SOURCE_RELEASE:
        if (source && source->release)
            source->release(source->arg, entry->item);
        break;
    case WEIR__STEP_TOLD:
    case WEIR__STEP_FREE:
        break;
    }
    /* A submitter that drops or runs a task is on a thread of its own. */
    if (weir__is_forked(pool->generation) && weir__thread_mine())
        weir__fork_end_copy(pool->generation);
    return true;
}

/* With the entry handled by this thread. */
static void steps_drop_lock(weir_pool *pool, struct weir__entry *entry)
{
    bool calls = weir__entry_has_callbacks(pool, entry);
    bool overdue, goes_on;

    entry->notices &= ~(unsigned)WEIR__NOTICE_CALLBACKS;
    while (entry->step != WEIR__STEP_FREE && !pool->destroyed) {
        if (entry->step == WEIR__STEP_TOLD &&
            (entry->attempt_alive || entry->notices))
            break;
        if (!calls) {
            entry->step++;
            continue;
        }
        overdue = entry->is_overdue;
        weir__mutex_unlock(&pool->lock);
        weir__pool_enter(&entry->inside, pool);
        goes_on = call_step(pool, entry, entry->step++, overdue);
        weir__pool_leave(&entry->inside);
        weir__mutex_lock(&pool->lock);
        if (!goes_on) {
            entry->source = NULL;
            entry->step = WEIR__STEP_FREE;
        }
    }
    if (entry->step == WEIR__STEP_FREE) {
        free_entry_drops_lock(pool, entry);
        pool->handling--;
    } else {
        handled(pool, entry);
    }
    weir__pool_changed(pool);
}

void weir__entry_tell_drops_lock(weir_pool *pool, struct weir__entry *entry)
{
    if (entry->is_handled || entry->is_noticed)
        return;
    if (pool->destroyed) { /* it was stuck, and stays unreleased */
        let_go_drops_lock(pool, entry);
        return;
    }
    if (entry->has_crashed && (entry->future || entry->group ||
                               weir__entry_has_callbacks(pool, entry))) {
        weir__notifier_post(pool, entry, WEIR__NOTICE_CALLBACKS);
        return;
    }
    entry->is_handled = true;
    pool->handling++;
    steps_drop_lock(pool, entry);
}

static void decide(weir_pool *pool, struct weir__entry *entry, bool granted)
    WEIR_REQUIRES(pool->lock)
{
    if (entry->state != WEIR__RETRYING || !entry->is_undecided)
        return;
    entry->is_undecided = false;
    if (granted && !pool->no_retries && weir__entry_pay(pool, entry))
        return;
    if (entry->outcome.kind == WEIR_OUTCOME_CRASHED)
        weir__entry_settle_so(pool, entry);
    else
        weir__entry_settle(pool, entry, WEIR_OUTCOME_TIMED_OUT);
}

void weir__entry_notify_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                   unsigned notices, enum weir__phase *phase)
{
    uint64_t generation = entry->cancel_generation;
    weir_outcome outcome =
        entry->outcome; /* a cancel may settle it meanwhile */
    bool granted = false;

    entry->is_handled = true;
    pool->handling++;
    *phase = WEIR__DECIDING;
    weir__mutex_unlock(&pool->lock);
    weir__pool_enter(&entry->inside, pool);
    if (notices & WEIR__NOTICE_ACTIONS)
        weir__task_act(entry->task, generation);
    if (notices & WEIR__NOTICE_DECISION)
        granted =
            entry->retry->retryable(entry->retry->retryable_arg, &outcome);
    weir__pool_leave(&entry->inside);
    weir__mutex_lock(&pool->lock);
    *phase = WEIR__TELLING;
    if (notices & WEIR__NOTICE_DECISION)
        decide(pool, entry, granted);
    if (entry->state == WEIR__SETTLED)
        steps_drop_lock(pool, entry);
    else
        handled(pool, entry);
}

void weir__entry_go_on_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                  enum weir__phase *phase)
{
    if (*phase == WEIR__TELLING) {
        if (entry->is_handled)
            steps_drop_lock(pool, entry);
        return;
    }
    *phase = WEIR__TELLING;
    pool->handling--;
    entry->is_handled = false;
    /* The notifier's predicate, or the worker's. */
    if (entry->state == WEIR__RETRYING || entry->attempt_alive) {
        decide(pool, entry, false);
        if (entry->state == WEIR__SETTLED)
            weir__entry_tell_drops_lock(pool, entry);
    } else {
        weir__entry_conclude_drops_lock(pool, entry, false, phase);
    }
}
