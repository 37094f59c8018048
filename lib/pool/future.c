/* SPDX-License-Identifier: MIT */
/*
 * future.c - one task's outcome, shared by its entry and whoever waits.
 *
 * The entry and the caller hold a reference each, and the future holds one on
 * the pool, whose lock guards it: so a future may outlive its task and its
 * pool.
 */
#include "pool/pool.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"

/* I: set by create, then read-only.  L: with the pool's lock; what `outcome`
 * and what it points to say is read-only once it has settled. */
struct weir_future {
    weir_pool *pool;               /* I */
    struct weir__entry *entry;     /* L: NULL before and after its life */
    unsigned references;           /* L */
    bool settled;                  /* L */
    struct weir__waitlist waiters; /* L */
    weir_outcome outcome;          /* L */
    char message[WEIR__MESSAGE_BYTES];
    unsigned char result[]; /* max_result bytes */
};

weir_status weir__future_create(weir_future **out, weir_pool *pool)
{
    size_t room = pool->settings.options.max_result;
    weir_future *future = weir__allocate(sizeof(*future) + room);

    if (!future)
        return weir__refuse(WEIR_ENOMEM, "no memory for a future");
    future->pool = pool;
    future->references = 1;
    weir__mutex_lock(&pool->lock);
    weir__pool_hold(pool);
    weir__mutex_unlock(&pool->lock);
    *out = future;
    return WEIR_OK;
}

void weir__future_attach(weir_future *future, struct weir__entry *entry)
{
    future->entry = entry;
    future->references++;
    entry->future = future;
}

void weir__future_settle(weir_future *future, const struct weir__entry *entry)
{
    const weir_outcome *o = &entry->outcome;

    future->outcome = *o;
    snprintf(future->message, sizeof(future->message), "%s", o->message);
    future->outcome.message = future->message;
    if (o->result_size > 0) {
        memcpy(future->result, o->result, o->result_size);
        future->outcome.result = future->result;
    }
    future->settled = true;
    future->entry = NULL;
    weir__waitlist_wake_all(&future->waiters);
}

static weir_status check_future(const weir_future *future)
{
    if (!future)
        return weir__refuse(WEIR_EINVAL, "future is NULL");
    if (weir__is_forked(future->pool->generation))
        return weir__refuse_forked("future");
    return WEIR_OK;
}

weir_status
weir_future_wait(weir_future *future, weir_outcome *out, weir_deadline deadline)
{
    weir_status status = check_future(future);
    struct weir__turn turn = {0};
    weir_pool *pool;

    if (!status && out)
        status = weir__snapshot_check(out, "weir_outcome");
    if (status)
        return status;
    pool = future->pool;
    weir__mutex_lock(&pool->lock);
    if (!future->settled && weir__is_forever(deadline) &&
        weir__pool_is_inside(pool))
        status = weir__refuse(WEIR_DEADLOCK,
                              "a handler or callback waits for ever for a task "
                              "of its own pool: give it a deadline");
    while (!future->settled && status == WEIR_OK)
        status =
            weir__waitlist_wait(&future->waiters, &pool->lock, &turn, deadline);
    if (future->settled)
        status = WEIR_OK;
    weir__mutex_unlock(&pool->lock);
    if (status == WEIR_OK && out)
        weir__snapshot_write(out, &future->outcome, sizeof(future->outcome));
    return status;
}

weir_status weir_future_cancel(weir_future *future)
{
    weir_status status = check_future(future);

    if (status)
        return status;
    weir__mutex_lock(&future->pool->lock);
    if (future->entry)
        weir__entry_cancel_drops_lock(future->pool, future->entry, true);
    weir__mutex_unlock(&future->pool->lock);
    return WEIR_OK;
}

void weir_future_release(weir_future *future)
{
    weir_pool *pool;
    bool last;

    if (!future || check_future(future))
        return;
    pool = future->pool;
    weir__mutex_lock(&pool->lock);
    last = --future->references == 0;
    weir__mutex_unlock(&pool->lock);
    if (!last)
        return;
    weir__release(future);
    weir__mutex_lock(&pool->lock);
    weir__pool_unlock_and_let_go(pool);
}
