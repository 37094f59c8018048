/* SPDX-License-Identifier: MIT */
/*
 * entry.c - what becomes of a task.
 *
 * The states and their causes are in pool.h.  Here are the transitions, each in
 * one function; tell.c has the callbacks that go with them.
 */
#include "pool/pool.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/stamp.h"
#include "observe/ledger.h"
#include "pool/limits.h"
#include "pool/log.h"
#include "pool/overload.h"
#include "pool/room.h"
#include "pool/schedule.h"
#include "pool/seen.h"
#include "task/outcome.h"
#include "task/retry.h"

static void
deadline_passed_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ----------------------------------------------------------------- states */

/* The entry is no longer in what it was in. */
static void leave_state(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    weir__moments_remove(&pool->moments, &entry->moment);
    switch (entry->state) {
    case WEIR__QUEUED:
        if (entry->is_delayed)
            weir__entry_undelay(pool, entry);
        else if (entry->held_at != WEIR__HELD_NOWHERE)
            weir__limits_leave(pool, entry);
        else
            weir__entry_list_remove(&pool->queued, entry);
        weir__entry_count(pool, entry, WEIR__COLUMN(queued), -1);
        weir__lane_review(pool);
        weir__room_tell(pool);
        break;
    case WEIR__RETRYING:
        if (entry->held_at != WEIR__HELD_NOWHERE) {
            weir__limits_leave(pool, entry);
        } else {
            weir__entry_list_remove(entry->is_due ? &pool->due : &pool->later,
                                    entry);
            pool->due_count -= entry->is_due;
        }
        entry->is_due = false;
        entry->is_undecided = false;
        weir__entry_count(pool, entry, WEIR__COLUMN(retrying), -1);
        weir__lane_review(pool);
        weir__room_tell(pool);
        break;
    case WEIR__RUNNING:
        weir__entry_count(pool, entry, WEIR__COLUMN(running), -1);
        break;
    case WEIR__FREE: /* a submitter runs it itself */
    case WEIR__SETTLED:
        break;
    }
    weir__pressure_look(pool);
}

void weir__entry_queue(weir_pool *pool, struct weir__entry *entry)
{
    entry->state = WEIR__QUEUED;
    entry->since_ns = entry->submitted_ns;
    weir__entry_count(pool, entry, WEIR__COLUMN(queued), 1);
    weir__entry_list_append(&pool->queued, entry);
    weir__pressure_look(pool);
    if (entry->time_to_live_ns > 0)
        weir__timekeeper_set(pool, entry,
                             weir__moment_after(entry->submitted_ns,
                                                entry->time_to_live_ns));
    weir__workers_wake(pool);
}

void weir__entry_start(weir_pool *pool, struct weir__entry *entry,
                       struct weir_task *task, uint32_t worker)
{
    struct weir__attempt attempt = {.worker = worker};
    int64_t now_ns = entry->timeout_ns > 0 ? weir__now() : weir__stamp();

    leave_state(pool, entry);
    entry->state = WEIR__RUNNING;
    entry->task = task;
    entry->attempt_alive = true;
    entry->started_ns = now_ns;
    entry->since_ns = now_ns;
    entry->overstays_ns = 0;
    if (entry->outcome.attempts++ == 0) {
        entry->first_started_ns = now_ns;
        pool->first_attempts++;
    }
    weir__entry_count(pool, entry, WEIR__COLUMN(running), 1);
    weir__entry_count(pool, entry, WEIR__COLUMN(attempts), 1);

    attempt.id = entry->id;
    attempt.attempt = entry->outcome.attempts;
    attempt.context = entry->context;
    attempt.deadline = WEIR_FOREVER;
    if (entry->timeout_ns > 0) {
        attempt.deadline.at_ns = weir__moment_after(now_ns, entry->timeout_ns);
        weir__timekeeper_set(pool, entry, attempt.deadline.at_ns);
    }
    weir__task_begin(task, &attempt);
    if (entry->is_limited)
        weir__limits_start(pool, entry);
    weir__seen_start(pool, entry);
}

/* How long it waited and ran, up to now. */
static void note_times(struct weir__entry *entry)
{
    weir_outcome *o = &entry->outcome;
    int64_t now_ns = weir__stamp();

    o->size = sizeof(*o);
    o->task_id = entry->id;
    o->waited_ns =
        weir__span(entry->submitted_ns,
                   o->attempts > 0 ? entry->first_started_ns : now_ns);
    if (entry->state == WEIR__RUNNING || entry->attempt_alive)
        o->ran_ns = weir__span(entry->started_ns, now_ns);
    entry->noted_ns = now_ns;
}

void weir__entry_settle_so(weir_pool *pool, struct weir__entry *entry)
{
    enum weir__entry_state was = entry->state;

    leave_state(pool, entry);
    entry->state = WEIR__SETTLED;
    weir__seen_settle(pool, entry, was);
    weir__log_settle(pool, entry);
    weir__entry_count(pool, entry, weir__ledger_column(entry->outcome.kind), 1);
    entry->is_overdue = entry->attempt_alive;
    weir__entry_count(pool, entry, WEIR__COLUMN(overdue), entry->is_overdue);
    if (entry->is_overdue) {
        entry->since_ns = weir__now();
        weir__grace_begin(pool, entry);
    }
    if (entry->is_limited)
        weir__limits_settle(pool, entry);
    weir__group_settle(entry);
    if (entry->future)
        weir__future_settle(entry->future, entry);
    weir__eventcount_tell(&pool->joiners); /* who polls */
    weir__pool_changed(pool);
}

static void word_outcome(struct weir__entry *entry, weir_outcome_kind kind)
{
    note_times(entry);
    entry->outcome.kind = kind;
    entry->outcome.code = 0;
    entry->outcome.message = weir__outcome_message(kind);
    entry->outcome.result = NULL;
    entry->outcome.result_size = 0;
}

void weir__entry_settle(weir_pool *pool, struct weir__entry *entry,
                        weir_outcome_kind kind)
{
    word_outcome(entry, kind);
    weir__entry_settle_so(pool, entry);
}

/* Settles where no user code may run: callbacks, if there are any, are left to
 * the notifier. */
static void
settle_elsewhere_drops_lock(weir_pool *pool, struct weir__entry *entry,
                            weir_outcome_kind kind) WEIR_REQUIRES(pool->lock)
{
    weir__entry_settle(pool, entry, kind);
    if (weir__entry_has_callbacks(pool, entry))
        weir__notifier_post(pool, entry, WEIR__NOTICE_CALLBACKS);
    else
        weir__entry_tell_drops_lock(pool, entry);
}

void weir__entry_ask(weir_pool *pool, struct weir__entry *entry)
{
    if (!entry->attempt_alive)
        return;
    if (weir__task_cancel(entry->task, &entry->cancel_generation))
        weir__notifier_post(pool, entry, WEIR__NOTICE_ACTIONS);
    if (entry->worker)
        weir__interrupt_begin(pool, entry);
}

void weir__entry_cancel_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                   bool ask)
{
    if (entry->state == WEIR__SETTLED || entry->state == WEIR__FREE)
        return;
    if (ask)
        weir__entry_ask(pool, entry);
    settle_elsewhere_drops_lock(pool, entry, WEIR_OUTCOME_CANCELLED);
}

/* ------------------------------------------------------- the attempt's end */

static bool
has_attempts_left(const weir_pool *pool, const struct weir__entry *entry)
{
    return !pool->no_retries && !entry->is_callers &&
           entry->outcome.attempts < entry->retry->max_attempts;
}

/* The attempt ended, or its time did, at `from_ns`; another will follow. */
static void start_retrying(weir_pool *pool, struct weir__entry *entry,
                           int64_t from_ns) WEIR_REQUIRES(pool->lock)
{
    int64_t delay_ns = weir__entry_draw_delay(pool, entry);

    leave_state(pool, entry);
    if (pool->has_lane)
        weir__lane_shut(pool);
    entry->state = WEIR__RETRYING;
    weir__entry_count(pool, entry, WEIR__COLUMN(retrying), 1);
    weir__entry_list_append(&pool->later, entry);
    weir__pressure_look(pool);
    entry->due_ns = weir__moment_after(from_ns, delay_ns);
    entry->since_ns = from_ns;
    weir__seen_retry(pool, entry, delay_ns);
}

/* A running entry that the notifier has to do with: only to run actions, which
 * are void now that the attempt has ended. */
static void await_notifier(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__turn turn = {0};

    weir__notifier_withdraw(pool, entry);
    while (entry->is_handled) {
        weir_status status = weir__waitlist_wait(&pool->handled, &pool->lock,
                                                 &turn, WEIR_FOREVER);

        (void)status; /* there is no deadline */
        if (entry->state == WEIR__RUNNING)
            weir__notifier_withdraw(pool, entry); /* asked again meanwhile */
    }
}

static void note_answer(struct weir__entry *entry, enum weir__ending how)
{
    weir_outcome *o = &entry->outcome;

    word_outcome(entry, how == WEIR__CHILD_KILLED ? WEIR_OUTCOME_CANCELLED
                                                  : WEIR_OUTCOME_EXITED);
    if (how == WEIR__EXITED || how == WEIR__CHILD_KILLED)
        return;
    weir__task_answer(entry->task, o);
    if (how == WEIR__CHILD_EXITED)
        o->kind = WEIR_OUTCOME_EXITED;
    if (how == WEIR__CHILD_CRASHED)
        o->kind = WEIR_OUTCOME_CRASHED;
    if (how == WEIR__CRASHED) {
        snprintf(entry->crash, sizeof(entry->crash), "%.*s",
                 (int)sizeof(entry->crash) - 1, o->message);
        o->message = entry->crash;
    }
    if (o->kind == WEIR_OUTCOME_FAILED && o->message[0] == '\0')
        o->message = weir__outcome_message(WEIR_OUTCOME_FAILED);
}

/* Asks the policy, without the lock if that is user code. */
static bool grants_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    const weir_retry *retry = entry->retry;
    weir_outcome outcome =
        entry->outcome; /* a cancel may settle it meanwhile */
    bool granted;

    if (!retry->retryable)
        return weir__retry_by_default(&entry->outcome);
    if (entry->outcome.kind == WEIR_OUTCOME_DONE)
        return false;
    entry->is_handled = true;
    pool->handling++;
    weir__mutex_unlock(&pool->lock);
    weir__pool_enter(&entry->inside, pool);
    granted = retry->retryable(retry->retryable_arg, &outcome);
    weir__pool_leave(&entry->inside);
    weir__mutex_lock(&pool->lock);
    pool->handling--;
    entry->is_handled = false;
    return granted;
}

/* The thread is to run no user code any more: what is to be asked or told is
 * the notifier's affair. */
static bool asks_elsewhere(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    if (!entry->has_crashed || !entry->retry->retryable)
        return false;
    start_retrying(pool, entry, weir__now());
    entry->is_undecided = true;
    weir__notifier_post(pool, entry, WEIR__NOTICE_DECISION);
    return true;
}

static bool is_too_late(const struct weir__entry *entry)
{
    return entry->moment.is_in && entry->moment.at_ns <= weir__now();
}

void weir__entry_end_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                enum weir__ending how, enum weir__phase *phase)
{
    bool granted = false;

    if (entry->series && entry->task->ends_series)
        weir__series_end_drops_lock(pool, entry->series);
    if (entry->state == WEIR__RUNNING)
        await_notifier(pool, entry);
    if (entry->state == WEIR__RUNNING && is_too_late(entry))
        deadline_passed_drops_lock(pool, entry); /* before the timekeeper */
    if (entry->state == WEIR__RUNNING) {
        weir__moments_remove(&pool->moments, &entry->moment);
        note_answer(entry, how);
    }
    if (entry->is_limited)
        weir__limits_end(pool, entry);
    weir__seen_end(pool, entry, how);
    weir__log_end(pool, entry, how);
    entry->attempt_alive = false;
    entry->has_crashed = how == WEIR__CRASHED;
    weir__interrupt_end(pool, entry);
    weir__grace_end(pool, entry);
    if (entry->state == WEIR__RUNNING && has_attempts_left(pool, entry)) {
        if (asks_elsewhere(pool, entry))
            return;
        *phase = WEIR__DECIDING;
        granted = grants_drops_lock(pool, entry);
    }
    weir__entry_conclude_drops_lock(pool, entry, granted, phase);
}

/* The attempt has ended and the predicate has spoken, if there was need. */
void weir__entry_conclude_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                     bool granted, enum weir__phase *phase)
{
    *phase = WEIR__TELLING;
    switch (entry->state) {
    case WEIR__RUNNING:
        if (granted && has_attempts_left(pool, entry) &&
            weir__entry_pay(pool, entry)) {
            start_retrying(pool, entry, weir__now());
            weir__entry_retry_if_ready(pool, entry);
        } else {
            weir__entry_settle_so(pool, entry);
        }
        break;
    case WEIR__RETRYING: /* its deadline had passed */
        weir__entry_count(pool, entry, WEIR__COLUMN(late), 1);
        weir__entry_retry_if_ready(pool, entry);
        break;
    case WEIR__SETTLED: /* the same, or cancelled meanwhile */
        weir__entry_count(pool, entry, WEIR__COLUMN(late), entry->is_overdue);
        weir__entry_count(pool, entry, WEIR__COLUMN(overdue),
                          -entry->is_overdue);
        entry->is_overdue = false;
        break;
    case WEIR__FREE:
    case WEIR__QUEUED:
        assert(false && "an attempt ended that had not begun");
        break;
    }
    if (entry->state == WEIR__SETTLED)
        weir__entry_tell_drops_lock(pool, entry);
}

/* --------------------------------------------------------------- retrying */

/* Another attempt may start when it is granted, due, the old one has ended and
 * nobody is at the entry. */
void weir__entry_retry_if_ready(weir_pool *pool, struct weir__entry *entry)
{
    if (entry->is_undecided || entry->attempt_alive || entry->is_handled ||
        entry->is_noticed || entry->is_due)
        return;
    weir__moments_remove(&pool->moments, &entry->moment);
    if (entry->due_ns > weir__now()) {
        weir__timekeeper_set(pool, entry, entry->due_ns);
        return;
    }
    weir__entry_list_remove(&pool->later, entry);
    entry->is_due = true;
    weir__entry_list_append(&pool->due, entry);
    pool->due_count++;
    weir__workers_wake(pool);
}

static void
deadline_passed_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    int64_t deadline_ns =
        weir__moment_after(entry->started_ns, entry->timeout_ns);

    entry->overstays_ns = deadline_ns;
    if (entry->is_limited)
        weir__limits_deadline(pool, entry);
    weir__entry_ask(pool, entry);
    if (!has_attempts_left(pool, entry) ||
        (!entry->retry->retryable && !weir__entry_pay(pool, entry))) {
        settle_elsewhere_drops_lock(pool, entry, WEIR_OUTCOME_TIMED_OUT);
        return;
    }
    word_outcome(entry, WEIR_OUTCOME_TIMED_OUT);
    start_retrying(pool, entry, deadline_ns);
    if (entry->retry->retryable) {
        entry->is_undecided = true;
        weir__notifier_post(pool, entry, WEIR__NOTICE_DECISION);
    }
    weir__timekeeper_set(pool, entry, weir__grace_limit(pool, entry));
}

void weir__entry_moment_drops_lock(weir_pool *pool, struct weir__entry *entry)
{
    switch (entry->state) {
    case WEIR__QUEUED:
        if (entry->is_delayed)
            weir__entry_ripen(pool, entry);
        else
            settle_elsewhere_drops_lock(pool, entry, WEIR_OUTCOME_EXPIRED);
        break;
    case WEIR__RUNNING:
        deadline_passed_drops_lock(pool, entry);
        break;
    case WEIR__RETRYING:
        if (entry->attempt_alive) /* the patience is over */
            settle_elsewhere_drops_lock(pool, entry, WEIR_OUTCOME_TIMED_OUT);
        else
            weir__entry_retry_if_ready(pool, entry);
        break;
    case WEIR__SETTLED:
        weir__grace_pass(pool, entry);
        break;
    case WEIR__FREE:
        assert(false && "a moment for nothing");
        break;
    }
}
