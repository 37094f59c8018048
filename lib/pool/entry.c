/* SPDX-License-Identifier: MIT */
/*
 * entry.c - what becomes of a task.
 *
 * The states and their causes are in pool.h.  Here are the transitions, each in
 * one function, and the callbacks that go with them.
 *
 * WHO RUNS THE CALLBACKS
 *
 * Whoever ended the attempt runs them, on its own thread; what happens without
 * an attempt (deadline, expiry, cancel, stop) is left to the notifier.  While a
 * thread is at it the entry `is_handled`, and others leave it alone: that
 * thread looks again for what has become due meanwhile.  So whichever of "told"
 * and "attempt ended" comes last leads to the release, exactly once.
 *
 * An attempt that is retried does not start while a notice for the old one is
 * out.  So a running entry is never handled by anybody but its own worker, and
 * the message it lends from its record cannot change under a callback.
 */
#include "pool/pool.h"

#include <assert.h>

#include "base/clock.h"
#include "observe/ledger.h"
#include "task/outcome.h"
#include "task/retry.h"

static void
conclude_drops_lock(weir_pool *pool, struct weir__entry *entry, bool granted,
                    enum weir__phase *phase) WEIR_REQUIRES(pool->lock);
static void retry_if_ready(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
static void
deadline_passed_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
static void steps_drop_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ----------------------------------------------------------------- states */

static void wake_submitter(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    if (weir__pool_has_room(pool))
        weir__eventcount_wake(&pool->submitters, 1);
}

/* The entry is no longer in what it was in. */
static void leave_state(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    weir__moments_remove(&pool->moments, &entry->moment);
    switch (entry->state) {
    case WEIR__QUEUED:
        weir__entry_list_remove(&pool->queued, entry);
        pool->ledger.queued--;
        weir__lane_review(pool);
        wake_submitter(pool);
        break;
    case WEIR__RETRYING:
        weir__entry_list_remove(entry->is_due ? &pool->due : &pool->later,
                                entry);
        entry->is_due = false;
        entry->is_undecided = false;
        pool->ledger.retrying--;
        weir__lane_review(pool);
        wake_submitter(pool);
        break;
    case WEIR__RUNNING:
        pool->ledger.running--;
        break;
    case WEIR__FREE: /* a submitter runs it itself */
    case WEIR__SETTLED:
        break;
    }
}

void weir__entry_queue(weir_pool *pool, struct weir__entry *entry)
{
    entry->state = WEIR__QUEUED;
    pool->ledger.queued++;
    weir__entry_list_append(&pool->queued, entry);
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
    int64_t now_ns = weir__now();

    leave_state(pool, entry);
    entry->state = WEIR__RUNNING;
    entry->task = task;
    entry->attempt_alive = true;
    entry->started_ns = now_ns;
    entry->overstays_ns = 0;
    if (entry->outcome.attempts++ == 0) {
        entry->first_started_ns = now_ns;
        pool->first_attempts++;
    }
    pool->ledger.running++;
    pool->ledger.attempts++;

    attempt.id = entry->id;
    attempt.attempt = entry->outcome.attempts;
    attempt.context = entry->context;
    attempt.deadline = WEIR_FOREVER;
    if (entry->timeout_ns > 0) {
        attempt.deadline.at_ns = weir__moment_after(now_ns, entry->timeout_ns);
        weir__timekeeper_set(pool, entry, attempt.deadline.at_ns);
    }
    weir__task_begin(task, &attempt);
}

/* How long it waited and ran, up to now. */
static void note_times(struct weir__entry *entry)
{
    weir_outcome *o = &entry->outcome;
    int64_t now_ns = weir__now();

    o->size = sizeof(*o);
    o->task_id = entry->id;
    o->waited_ns = (o->attempts > 0 ? entry->first_started_ns : now_ns) -
                   entry->submitted_ns;
    if (entry->state == WEIR__RUNNING || entry->attempt_alive)
        o->ran_ns = now_ns - entry->started_ns;
}

/* With entry->outcome filled in. */
static void
settle(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    leave_state(pool, entry);
    entry->state = WEIR__SETTLED;
    weir__ledger_settle(&pool->ledger, entry->outcome.kind);
    entry->is_overdue = entry->attempt_alive;
    pool->ledger.overdue += entry->is_overdue;
    if (entry->is_overdue)
        weir__grace_begin(pool, entry);
    if (entry->future)
        weir__future_settle(entry->future, entry);
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
    settle(pool, entry);
}

static bool
has_callbacks(const weir_pool *pool, const struct weir__entry *entry)
{
    return pool->settings.options.on_settled ||
           pool->settings.options.on_release || entry->source;
}

/* Settles where no user code may run: callbacks, if there are any, are left to
 * the notifier. */
static void
settle_elsewhere_drops_lock(weir_pool *pool, struct weir__entry *entry,
                            weir_outcome_kind kind) WEIR_REQUIRES(pool->lock)
{
    weir__entry_settle(pool, entry, kind);
    if (has_callbacks(pool, entry))
        weir__notifier_post(pool, entry, WEIR__NOTICE_CALLBACKS);
    else
        weir__entry_tell_drops_lock(pool, entry);
}

void weir__entry_ask(weir_pool *pool, struct weir__entry *entry)
{
    if (entry->attempt_alive &&
        weir__task_cancel(entry->task, &entry->cancel_generation))
        weir__notifier_post(pool, entry, WEIR__NOTICE_ACTIONS);
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
    pool->ledger.retrying++;
    weir__entry_list_append(&pool->later, entry);
    entry->due_ns = weir__moment_after(from_ns, delay_ns);
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

static void note_answer(struct weir__entry *entry, bool exited)
{
    weir_outcome *o = &entry->outcome;

    word_outcome(entry, WEIR_OUTCOME_EXITED);
    if (exited)
        return;
    weir__task_answer(entry->task, o);
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

static bool is_too_late(const struct weir__entry *entry)
{
    return entry->moment.is_in && entry->moment.at_ns <= weir__now();
}

void weir__entry_end_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                bool exited, enum weir__phase *phase)
{
    bool granted = false;

    if (entry->state == WEIR__RUNNING)
        await_notifier(pool, entry);
    if (entry->state == WEIR__RUNNING && is_too_late(entry))
        deadline_passed_drops_lock(pool, entry); /* before the timekeeper */
    if (entry->state == WEIR__RUNNING) {
        weir__moments_remove(&pool->moments, &entry->moment);
        note_answer(entry, exited);
    }
    entry->attempt_alive = false;
    weir__grace_end(pool, entry);
    if (entry->state == WEIR__RUNNING && has_attempts_left(pool, entry)) {
        *phase = WEIR__DECIDING;
        granted = grants_drops_lock(pool, entry);
    }
    conclude_drops_lock(pool, entry, granted, phase);
}

/* The attempt has ended and the predicate has spoken, if there was need. */
static void conclude_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                bool granted, enum weir__phase *phase)
{
    *phase = WEIR__TELLING;
    switch (entry->state) {
    case WEIR__RUNNING:
        if (granted && has_attempts_left(pool, entry) &&
            weir__entry_pay(pool, entry)) {
            start_retrying(pool, entry, weir__now());
            retry_if_ready(pool, entry);
        } else {
            settle(pool, entry);
        }
        break;
    case WEIR__RETRYING: /* its deadline had passed */
        pool->ledger.late++;
        retry_if_ready(pool, entry);
        break;
    case WEIR__SETTLED: /* the same, or cancelled meanwhile */
        pool->ledger.late += entry->is_overdue;
        pool->ledger.overdue -= entry->is_overdue;
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
static void retry_if_ready(weir_pool *pool, struct weir__entry *entry)
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
    weir__workers_wake(pool);
}

static void
deadline_passed_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    int64_t deadline_ns =
        weir__moment_after(entry->started_ns, entry->timeout_ns);

    entry->overstays_ns = deadline_ns;
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
        settle_elsewhere_drops_lock(pool, entry, WEIR_OUTCOME_EXPIRED);
        break;
    case WEIR__RUNNING:
        deadline_passed_drops_lock(pool, entry);
        break;
    case WEIR__RETRYING:
        if (entry->attempt_alive) /* the patience is over */
            settle_elsewhere_drops_lock(pool, entry, WEIR_OUTCOME_TIMED_OUT);
        else
            retry_if_ready(pool, entry);
        break;
    case WEIR__SETTLED:
        weir__grace_pass(pool, entry);
        break;
    case WEIR__FREE:
        assert(false && "a moment for nothing");
        break;
    }
}

/* -------------------------------------------------------------- callbacks */

/* What came while somebody was at the entry. */
static void
handled(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    unsigned notices = entry->notices;

    entry->is_handled = false;
    pool->handling--;
    weir__waitlist_wake_all(&pool->handled);
    if (notices)
        weir__notifier_post(pool, entry, notices);
    else if (entry->state == WEIR__RETRYING)
        retry_if_ready(pool, entry);
}

static void let_future_go_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    weir_future *future = entry->future;

    entry->future = NULL;
    weir__mutex_unlock(&pool->lock);
    weir_future_release(future);
    weir__mutex_lock(&pool->lock);
}

static void free_entry_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    weir_future *future = entry->future;
    struct weir__entry *callers = entry->is_callers ? entry : NULL;

    if (!callers) {
        weir__store_give_back(pool, entry);
        weir__lane_review(pool);
        wake_submitter(pool);
    }
    if (future || callers) {
        weir__mutex_unlock(&pool->lock);
        weir_future_release(future);
        weir__store_release_callers(callers);
        weir__mutex_lock(&pool->lock);
    }
    pool->open--;
}

static void call_step(const weir_pool *pool, struct weir__entry *entry,
                      enum weir__step step)
{
    const struct weir__source *source = entry->source;
    const weir_pool_options *o = &pool->settings.options;

    switch (step) {
    case WEIR__STEP_SOURCE_SETTLE:
        if (source && source->settle)
            source->settle(source->arg, entry->item, &entry->outcome);
        break;
    case WEIR__STEP_ON_SETTLED:
        if (o->on_settled)
            o->on_settled(o->on_settled_arg, entry->item, &entry->outcome);
        break;
    case WEIR__STEP_ON_RELEASE:
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
}

/* With the entry handled by this thread. */
static void steps_drop_lock(weir_pool *pool, struct weir__entry *entry)
{
    bool calls = has_callbacks(pool, entry);

    entry->notices &= ~(unsigned)WEIR__NOTICE_CALLBACKS;
    while (entry->step != WEIR__STEP_FREE && !pool->destroyed) {
        if (entry->step == WEIR__STEP_TOLD &&
            (entry->attempt_alive || entry->notices))
            break;
        if (!calls) {
            entry->step++;
            continue;
        }
        weir__mutex_unlock(&pool->lock);
        weir__pool_enter(&entry->inside, pool);
        call_step(pool, entry, entry->step++);
        weir__pool_leave(&entry->inside);
        weir__mutex_lock(&pool->lock);
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
        let_future_go_drops_lock(pool, entry);
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
    if (!granted || pool->no_retries || !weir__entry_pay(pool, entry))
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
        conclude_drops_lock(pool, entry, false, phase);
    }
}
