/* SPDX-License-Identifier: MIT */
/*
 * semaphore.c - permits with a lock around them.
 *
 * THE IDEA
 *
 * permits.h has who gets what and when, line.h the waiting.  Here is who owns
 * it: an attempt's record has a place for each semaphore of which it holds
 * permits, and gives them back at its end (task/task.h).  What was acquired
 * outside any handler is counted as `loose`.
 *
 *     total = free + loose + what attempts hold
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. permits.held == loose + the sum of the attempts' places.
 *   2. references == 1 while there is a handle, and 1 for each such place; the
 *      last one frees it.
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
#include "base/fault.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/trap.h"
#include "limit/line.h"
#include "limit/permits.h"
#include "task/task.h"

/* I: set by create, then read-only.  L: only with `lock` held. */
struct weir_semaphore {
    struct weir__mutex lock;
    uint64_t generation;          /* I: see base/fork.h */
    struct weir__permits permits; /* L, but `total`, I */
    size_t loose;                 /* L: held, by no attempt */
    size_t references;            /* L */
};

/* ------------------------------------------------------------------ life */

weir_status weir_semaphore_create(weir_semaphore **out, size_t permits)
{
    WEIR__UNTRAPPED;
    weir_semaphore *semaphore;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    if (permits == 0)
        return weir__refuse(WEIR_EINVAL, "a semaphore of 0 permits lets nobody "
                                         "pass: make it 1 or more");
    status = weir__fork_watch();
    if (status)
        return status;
    semaphore = weir__allocate(sizeof(*semaphore));
    if (!semaphore)
        return weir__refuse(WEIR_ENOMEM, "no memory for a semaphore");
    status = weir__mutex_init(&semaphore->lock, WEIR__RANK_LIMIT);
    if (status) {
        weir__release(semaphore);
        return status;
    }
    semaphore->generation = weir__fork_generation();
    semaphore->permits.total = permits;
    semaphore->references = 1;
    *out = semaphore;
    return WEIR_OK;
}

static void unlock_and_let_go(weir_semaphore *semaphore, size_t references)
    WEIR_RELEASES(semaphore->lock)
{
    bool is_last = (semaphore->references -= references) == 0;

    weir__mutex_unlock(&semaphore->lock);
    if (!is_last)
        return;
    assert(!semaphore->permits.first && "destroyed while somebody waits");
    weir__mutex_dispose(&semaphore->lock);
    weir__release(semaphore);
}

void weir_semaphore_destroy(weir_semaphore *semaphore)
{
    WEIR__UNTRAPPED;

    if (!semaphore || weir__is_forked(semaphore->generation))
        return;
    weir__mutex_lock(&semaphore->lock);
    unlock_and_let_go(semaphore, 1);
}

/* ------------------------------------------------------------ what is owned */

static weir_status check_semaphore(const weir_semaphore *semaphore)
{
    if (!semaphore)
        return weir__refuse(WEIR_EINVAL, "semaphore is NULL");
    if (weir__is_forked(semaphore->generation))
        return weir__refuse_forked("semaphore");
    return WEIR_OK;
}

/* By the end of an attempt; and once more with 0, if it has waited in vain. */
static void return_permits(void *of, size_t permits)
{
    weir_semaphore *semaphore = of;

    if (weir__is_forked(semaphore->generation))
        return;
    weir__mutex_lock(&semaphore->lock);
    weir__permits_give(&semaphore->permits, permits);
    unlock_and_let_go(semaphore, 1);
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
    size_t total = semaphore->permits.total, own;

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
    weir__mutex_lock(&semaphore->lock);
    status = weir__line_wait(&semaphore->permits, &semaphore->lock, permits,
                             deadline);
    if (status == WEIR_OK && !task)
        semaphore->loose += permits;
    semaphore->references += status == WEIR_OK && is_new;
    weir__mutex_unlock(&semaphore->lock);
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

weir_status weir_semaphore_release(weir_semaphore *semaphore, size_t permits)
{
    WEIR__UNTRAPPED;
    weir_status status = check_semaphore(semaphore);
    size_t own, from_own, left = 0;

    if (status)
        return status;
    own = own_permits(semaphore);
    from_own = own < permits ? own : permits;
    weir__mutex_lock(&semaphore->lock);
    if (permits == 0 || permits - from_own > semaphore->loose) {
        size_t loose = semaphore->loose;

        weir__mutex_unlock(&semaphore->lock);
        return weir__refuse(WEIR_EINVAL,
                            "%zu permits cannot be released here: %zu belong "
                            "to this attempt, %zu to none; those of other "
                            "attempts go back by themselves",
                            permits, own, loose);
    }
    left = take_from_own(semaphore, from_own);
    semaphore->loose -= permits - from_own;
    weir__permits_give(&semaphore->permits, permits);
    unlock_and_let_go(semaphore, left);
    return WEIR_OK;
}

/* ------------------------------------------------------------- a glance */

/* Reading takes the lock; a const handle does not forbid it. */
size_t weir_semaphore_available(const weir_semaphore *semaphore)
{
    WEIR__UNTRAPPED;
    weir_semaphore *s = (weir_semaphore *)semaphore;
    size_t available;

    if (check_semaphore(s))
        return 0;
    weir__mutex_lock(&s->lock);
    available = weir__permits_free(&s->permits);
    weir__mutex_unlock(&s->lock);
    return available;
}

size_t weir_semaphore_waiting(const weir_semaphore *semaphore)
{
    WEIR__UNTRAPPED;
    weir_semaphore *s = (weir_semaphore *)semaphore;
    size_t waiting;

    if (check_semaphore(s))
        return 0;
    weir__mutex_lock(&s->lock);
    waiting = s->permits.waiting;
    weir__mutex_unlock(&s->lock);
    return waiting;
}
