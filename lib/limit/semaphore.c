/* SPDX-License-Identifier: MIT */
/*
 * semaphore.c - permits with a lock around them, and a tray before it.
 *
 * THE IDEA
 *
 * permits.h has who gets what and when, line.h and limit.h the waiting.  While
 * nobody waits permits pass over the tray (tray.h) without the lock.  Here
 * is who owns it: an attempt's record has a place for each semaphore of which
 * it holds permits, and gives them back at its end (task/task.h).  What was
 * acquired outside any handler is counted as `loose`.
 *
 *     total = free + loose + what attempts hold + what bids were granted
 *
 * INVARIANTS (hold whenever the lock is free, and the tray has been shut)
 *
 *   1. permits.held == loose + the sum of the attempts' places + what pools
 *      have been granted for attempts that have not begun.
 *   2. Each such place has a reference, which a pool's grant brings with it.
 *
 * A place is reserved before the thread waits, and counts no permits yet: what
 * is granted always has somewhere to go.
 *
 * A handler that runs inside another's call (caller-runs) owns on its own, but
 * what both hold is its thread's: it would wait for itself.
 *
 * LOCKING: rank LIMIT, no lock is taken below it.
 */
#include <weir/semaphore.h>

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/trap.h"
#include "limit/fronts.h"
#include "limit/limit.h"
#include "limit/line.h"
#include "task/task.h"

/* I: set by create, then read-only.  L: only with the limit's lock. */
struct weir_semaphore {
    struct weir__limit limit; /* L, but permits.total, I */
};

/* ------------------------------------------------------------------ life */

weir_status weir_semaphore_create(weir_semaphore **out, size_t permits)
{
    WEIR__UNTRAPPED;
    struct weir__limit *limit;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    if (permits == 0)
        return weir__refuse(WEIR_EINVAL, "a semaphore of 0 permits lets nobody "
                                         "pass: make it 1 or more");
    status = weir__limit_create(&limit, sizeof(weir_semaphore), "a semaphore");
    if (status)
        return status;
    limit->permits.total = permits;
    limit->may_open = permits <= WEIR__MOST_ON_TRAY;
    weir__limit_lock(limit); /* the unlock opens the tray */
    weir__limit_unlock(limit);
    *out = (weir_semaphore *)limit;
    return WEIR_OK;
}

void weir_semaphore_destroy(weir_semaphore *semaphore)
{
    WEIR__UNTRAPPED;

    weir__limit_destroy(weir__semaphore_as_limit(semaphore));
}

struct weir__limit *weir__semaphore_as_limit(weir_semaphore *semaphore)
{
    return (struct weir__limit *)semaphore;
}

/* ------------------------------------------------------------ what is owned */

static weir_status check_semaphore(const weir_semaphore *semaphore)
{
    return weir__limit_check((const struct weir__limit *)semaphore,
                             "semaphore");
}

/* By the end of an attempt; and once more with 0, if it has waited in vain. */
static void return_permits(void *of, size_t permits)
{
    struct weir__limit *limit = of;

    if (weir__is_forked(limit->generation))
        return;
    if (weir__tray_give(&limit->tray, permits, false, 1))
        return; /* it may be gone by now */
    weir__limit_lock(limit);
    weir__permits_give(&limit->permits, permits);
    weir__limit_unlock_and_let_go(limit, 1);
}

void weir__semaphore_hand_to(weir_semaphore *semaphore, struct weir_task *task,
                             size_t permits)
{
    struct weir__holding *holding;
    bool is_new;
    weir_status status =
        weir__task_hold(task, semaphore, return_permits, &holding, &is_new);

    assert(status == WEIR_OK && is_new && "an attempt begins with nothing");
    (void)status;
    holding->count = permits;
}

/* Of the attempts on this thread. */
static size_t own_permits(const weir_semaphore *semaphore)
{
    const struct weir_task *task = weir_task_current();
    size_t own = 0;

    for (; task; task = task->outer)
        own += weir__task_holds(task, semaphore);
    return own;
}

static weir_status
check_request(const weir_semaphore *semaphore, size_t permits)
{
    size_t total = semaphore->limit.permits.total, own;

    if (permits == 0 || permits > total)
        return weir__refuse(WEIR_EINVAL,
                            "%zu permits of a semaphore of %zu can never be "
                            "had: ask for 1 to %zu",
                            permits, total, total);
    own = own_permits(semaphore);
    if (own > total - permits)
        return weir__refuse(WEIR_DEADLOCK,
                            "this attempt holds %zu of %zu permits, and would "
                            "wait for itself to have %zu more: release some",
                            own, total, permits);
    return WEIR_OK;
}

/* ------------------------------------------------------------------ use */

static weir_status acquire_in_line(weir_semaphore *semaphore, size_t permits,
                                   bool new_place, weir_deadline deadline)
{
    struct weir__limit *limit = &semaphore->limit;
    weir_status status;

    weir__limit_lock(limit);
    status = weir__line_wait(&limit->permits, &limit->lock, permits, deadline);
    weir__limit_shut_tray(limit); /* it may have waited */
    if (status == WEIR_OK && !weir_task_current())
        limit->loose += permits;
    limit->references += status == WEIR_OK && new_place;
    weir__limit_unlock(limit);
    return status;
}

weir_status weir_semaphore_acquire(weir_semaphore *semaphore, size_t permits,
                                   weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    struct weir_task *task = weir_task_current();
    weir_status status = check_semaphore(semaphore);
    struct weir__holding *holding = NULL;
    bool is_new = false;

    if (!status)
        status = check_request(semaphore, permits);
    if (!status && task)
        status =
            weir__task_hold(task, semaphore, return_permits, &holding, &is_new);
    if (status)
        return status;
    if (!weir__tray_take(&semaphore->limit.tray, permits, !task, is_new))
        status = acquire_in_line(semaphore, permits, is_new, deadline);
    if (task && status == WEIR_OK)
        holding->count += permits;
    else if (task && is_new)
        weir__task_let_go(task, holding);
    return status;
}

/* Of the attempts on this thread, innermost first; returns how many places
 * they have left. */
static size_t take_from_own(const weir_semaphore *semaphore, size_t permits)
{
    struct weir_task *task = weir_task_current();
    size_t left = 0;

    for (; task && permits > 0; task = task->outer) {
        struct weir__holding *holding = weir__task_holding(task, semaphore);
        size_t taken;

        if (!holding)
            continue;
        taken = holding->count < permits ? holding->count : permits;
        holding->count -= taken;
        permits -= taken;
        if (holding->count > 0)
            continue;
        weir__task_let_go(task, holding);
        left++;
    }
    return left;
}

static weir_status
release_in_line(weir_semaphore *semaphore, size_t permits, size_t own)
{
    struct weir__limit *limit = &semaphore->limit;
    size_t from_own = own < permits ? own : permits, left, loose;

    weir__limit_lock(limit);
    loose = limit->loose;
    if (permits == 0 || permits - from_own > loose) {
        weir__limit_unlock_untold(limit);
        return weir__refuse(WEIR_EINVAL,
                            "%zu permits cannot be released here: %zu belong "
                            "to this attempt, %zu to none; those of other "
                            "attempts go back by themselves",
                            permits, own, loose);
    }
    left = take_from_own(semaphore, from_own);
    limit->loose -= permits - from_own;
    weir__permits_give(&limit->permits, permits);
    weir__limit_unlock_and_let_go(limit, left);
    return WEIR_OK;
}

/* What its attempts hold: that cannot be refused. */
static void release_own(weir_semaphore *semaphore, size_t permits)
{
    struct weir__limit *limit = &semaphore->limit;
    size_t left = take_from_own(semaphore, permits);

    if (weir__tray_give(&limit->tray, permits, false, left))
        return;
    weir__limit_lock(limit);
    weir__permits_give(&limit->permits, permits);
    weir__limit_unlock_and_let_go(limit, left);
}

weir_status weir_semaphore_release(weir_semaphore *semaphore, size_t permits)
{
    WEIR__UNTRAPPED;
    weir_status status = check_semaphore(semaphore);
    size_t own;

    if (status)
        return status;
    own = own_permits(semaphore);
    if (permits > 0 && permits <= own)
        release_own(semaphore, permits);
    else if (permits == 0 || own > 0 ||
             !weir__tray_give(&semaphore->limit.tray, permits, true, 0))
        status = release_in_line(semaphore, permits, own);
    return status;
}

/* ------------------------------------------------------------- a glance */

/* Reading may take the lock; a const handle does not forbid it. */
size_t weir_semaphore_available(const weir_semaphore *semaphore)
{
    WEIR__UNTRAPPED;
    weir_semaphore *s = (weir_semaphore *)semaphore;
    struct weir__on_tray on;
    size_t available;

    if (check_semaphore(s))
        return 0;
    if (weir__tray_read(&s->limit.tray, &on))
        return on.free;
    weir__limit_lock(&s->limit);
    available = weir__permits_free(&s->limit.permits);
    weir__limit_unlock_untold(&s->limit);
    return available;
}

size_t weir_semaphore_waiting(const weir_semaphore *semaphore)
{
    WEIR__UNTRAPPED;
    weir_semaphore *s = (weir_semaphore *)semaphore;
    size_t waiting;

    if (check_semaphore(s))
        return 0;
    weir__mutex_lock(&s->limit.lock);
    waiting = s->limit.permits.waiting;
    weir__mutex_unlock(&s->limit.lock);
    return waiting;
}
