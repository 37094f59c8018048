/* SPDX-License-Identifier: MIT */
/*
 * notifier.c - the thread that runs callbacks no worker is there for.
 *
 * A task can settle without an attempt at hand: its deadline passes, it
 * expires, is cancelled, or the pool stops.  The timekeeper must not run user
 * code, nor should whoever cancels, nor a thread whose handler crashed; so the
 * entry is posted here.  Entries stand in a list of their own links: posting
 * cannot fail.  It also tells of water marks and what an operator must know,
 * and asks itself what is to be told.
 *
 * The timekeeper starts this thread when something is first posted, and again
 * should a callback end it.
 */
#include "base/fork.h"
#include "pool/log.h"
#include "pool/overload.h"
#include "pool/pool.h"

void weir__notifier_call(weir_pool *pool)
{
    weir__waitlist_wake_all(&pool->notified);
    if (pool->notifier_phase == WEIR__ABSENT ||
        pool->notifier_phase == WEIR__ENDED) {
        pool->notifier_wanted = true;
        weir__timekeeper_wake(pool);
    }
}

void weir__notifier_post(weir_pool *pool, struct weir__entry *entry,
                         unsigned notices)
{
    entry->notices |= notices;
    if (entry->is_noticed || entry->is_handled)
        return; /* whoever is at it looks again */
    entry->is_noticed = true;
    entry->next_notice = NULL;
    if (pool->last_notice)
        pool->last_notice->next_notice = entry;
    else
        pool->first_notice = entry;
    pool->last_notice = entry;
    weir__notifier_call(pool);
}

void weir__notifier_withdraw(weir_pool *pool, struct weir__entry *entry)
{
    struct weir__entry *before = NULL;

    if (!entry->is_noticed)
        return;
    for (struct weir__entry *e = pool->first_notice; e != entry;
         e = e->next_notice)
        before = e;
    if (before)
        before->next_notice = entry->next_notice;
    else
        pool->first_notice = entry->next_notice;
    if (pool->last_notice == entry)
        pool->last_notice = before;
    entry->is_noticed = false;
    entry->notices = 0;
}

bool weir__notifier_is_quiet(const weir_pool *pool)
{
    return !pool->first_notice && weir__pressure_is_quiet(pool) &&
           weir__log_is_quiet(pool);
}

/* It has nothing to do and never will have. */
static bool notifier_may_end(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->closing && !pool->first_notice && pool->handling == 0 &&
           weir__pool_live(pool) == 0;
}

static void notify(void *arg)
{
    weir_pool *pool = arg;

    weir__mutex_lock(&pool->lock);
    pool->notifier_phase = WEIR__IDLE;
    for (;;) {
        struct weir__turn turn = {0};
        weir_status status;

        while (weir__log_tell_drops_lock(pool) ||
               weir__pressure_tell_drops_lock(pool) || pool->first_notice) {
            struct weir__entry *entry = pool->first_notice;
            unsigned notices;

            if (!entry)
                continue;
            notices = entry->notices;
            weir__notifier_withdraw(pool, entry);
            pool->notifier_entry = entry;
            weir__entry_notify_drops_lock(pool, entry, notices,
                                          &pool->notifier_phase);
            pool->notifier_entry = NULL;
            pool->notifier_phase = WEIR__IDLE;
        }
        if (notifier_may_end(pool))
            break;
        status = weir__waitlist_wait(&pool->notified, &pool->lock, &turn,
                                     WEIR_FOREVER);
        (void)status; /* there is no deadline */
    }
    weir__mutex_unlock(&pool->lock);
}

static void notifier_left(void *arg)
{
    weir_pool *pool = arg;

    weir__fork_end_copy(pool->generation);
    weir__pool_forget_inside();
    weir__mutex_lock(&pool->lock);
    if (pool->notifier_entry) { /* a callback ended the thread */
        if (pool->notifier_phase == WEIR__DECIDING)
            weir__task_forget_actor(pool->notifier_entry->task);
        weir__entry_go_on_drops_lock(pool, pool->notifier_entry,
                                     &pool->notifier_phase);
        pool->notifier_entry = NULL;
    }
    weir__pressure_forget(pool);
    weir__log_forget(pool);
    pool->notifier_wanted = !weir__notifier_is_quiet(pool);
    pool->notifier_phase = WEIR__ENDED;
    weir__timekeeper_wake(pool);
    weir__pool_changed(pool);
    weir__pool_unlock_and_let_go(pool);
}

void weir__notifier_prepare(weir_pool *pool)
{
    pool->notifier.run = notify;
    pool->notifier.ended = notifier_left;
    pool->notifier.arg = pool;
    weir__thread_set_name(&pool->notifier, pool->settings.name, "note");
}
