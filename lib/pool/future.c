/* SPDX-License-Identifier: MIT */
/*
 * future.c - one task's outcome, shared by its entry and whoever waits.
 *
 * The entry and the caller hold a reference each, and the future holds one on
 * the pool, whose lock guards it: so a future may outlive its task and its
 * pool.
 *
 * WAITING FOR ANY
 *
 * Futures of different pools have no lock in common.  So a thread that waits
 * for any of them makes a bell, with a lock of its own, and hangs a string into
 * each future; whoever settles one rings.
 *
 *     future ──▶ string ──▶ bell ◀── string ◀── future       (another pool's)
 *
 * Each string is hung or taken down with its pool's lock held, and under that
 * lock the future is looked at: so either the thread sees it settled, or the
 * settle sees the string.  When all strings are down, nobody is at the bell any
 * more, and it can go: it lies on the waiting thread's stack.
 */
#include "pool/pool.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"

/* B: with the bell's own lock. */
struct bell {
    struct weir__mutex lock;
    bool rung;                     /* B: one has settled */
    struct weir__waitlist waiting; /* B: who hung it up */
};

/* L: with the lock of the future's pool. */
struct bell_string {
    struct bell_string *next;  /* L */
    struct bell_string **link; /* L: what points to this one */
    struct bell *bell;
};

/* I: set by create, then read-only.  L: with the pool's lock; what `outcome`
 * and what it points to say is read-only once it has settled. */
struct weir_future {
    weir_pool *pool;               /* I */
    struct weir__entry *entry;     /* L: NULL before and after its life */
    unsigned references;           /* L */
    bool settled;                  /* L */
    struct weir__waitlist waiters; /* L */
    struct bell_string *strings;   /* L: of who waits for any of several */
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

static void ring_bell(struct bell *bell)
{
    weir__mutex_lock(&bell->lock);
    bell->rung = true;
    weir__waitlist_wake_all(&bell->waiting);
    weir__mutex_unlock(&bell->lock);
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
    for (struct bell_string *s = future->strings; s; s = s->next)
        ring_bell(s->bell);
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
    WEIR__UNTRAPPED;
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

/* --------------------------------------------------------- waiting for any */

/* That many need no memory. */
enum { STRINGS_AT_HAND = 16 };

/* A call in progress. */
struct choice {
    weir_future *const *futures;
    size_t count;
    struct bell bell;
    struct bell_string *strings; /* one for each future */
    size_t hung;                 /* futures that have been passed */
    size_t settled;              /* one that has; or `count` */
};

static weir_status check_futures(weir_future *const *futures, size_t count)
{
    weir_status status = WEIR_OK;
    bool any = false;

    if (!futures || count == 0)
        return weir__refuse(WEIR_EINVAL, "there are no futures to wait for");
    for (size_t i = 0; i < count && !status; i++) {
        if (!futures[i])
            continue;
        any = true;
        status = check_future(futures[i]);
    }
    if (!any)
        return weir__refuse(WEIR_EINVAL,
                            "all %zu futures are NULL: there is "
                            "nothing to wait for",
                            count);
    return status;
}

/* Whether one has settled; else *own: all are of pools that this thread is in
 * a handler or callback of. */
static bool find_settled(struct choice *choice, bool *own)
{
    *own = true;
    for (size_t i = 0; i < choice->count; i++) {
        weir_future *future = choice->futures[i];
        bool settled;

        if (!future)
            continue;
        weir__mutex_lock(&future->pool->lock);
        settled = future->settled;
        weir__mutex_unlock(&future->pool->lock);
        if (settled) {
            choice->settled = i;
            return true;
        }
        *own = *own && weir__pool_is_inside(future->pool);
    }
    return false;
}

/* A string into each, up to one that has settled. */
static void hang_strings(struct choice *choice)
{
    while (choice->hung < choice->count && choice->settled == choice->count) {
        struct bell_string *string = &choice->strings[choice->hung];
        weir_future *future = choice->futures[choice->hung++];

        if (!future)
            continue;
        weir__mutex_lock(&future->pool->lock);
        if (future->settled)
            choice->settled = choice->hung - 1;
        string->bell = &choice->bell;
        string->next = future->strings;
        string->link = &future->strings;
        if (string->next)
            string->next->link = &string->next;
        future->strings = string;
        weir__mutex_unlock(&future->pool->lock);
    }
}

/* And looks at each. */
static void take_strings_down(struct choice *choice)
{
    while (choice->hung > 0) {
        struct bell_string *string = &choice->strings[--choice->hung];
        weir_future *future = choice->futures[choice->hung];

        if (!future)
            continue;
        weir__mutex_lock(&future->pool->lock);
        *string->link = string->next;
        if (string->next)
            string->next->link = string->link;
        if (future->settled)
            choice->settled = choice->hung;
        weir__mutex_unlock(&future->pool->lock);
    }
}

static void await_bell(struct bell *bell, weir_deadline deadline)
{
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    weir__mutex_lock(&bell->lock);
    while (!bell->rung && status == WEIR_OK)
        status =
            weir__waitlist_wait(&bell->waiting, &bell->lock, &turn, deadline);
    weir__mutex_unlock(&bell->lock);
}

static weir_status await_any(struct choice *choice, weir_deadline deadline)
{
    struct bell_string at_hand[STRINGS_AT_HAND];
    weir_status status;

    choice->strings = at_hand;
    if (choice->count > STRINGS_AT_HAND)
        choice->strings =
            weir__allocate_many(choice->count, sizeof(*choice->strings));
    if (!choice->strings)
        return weir__refuse(WEIR_ENOMEM, "no memory to wait for %zu futures",
                            choice->count);
    status = weir__mutex_init(&choice->bell.lock, WEIR__RANK_WATCH);
    if (!status) {
        hang_strings(choice);
        if (choice->settled == choice->count)
            await_bell(&choice->bell, deadline);
        take_strings_down(choice);
        weir__mutex_dispose(&choice->bell.lock);
    }
    if (choice->strings != at_hand)
        weir__release(choice->strings);
    return status;
}

weir_status weir_future_wait_any(weir_future *const *futures, size_t count,
                                 size_t *index, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    struct choice choice = {.futures = futures,
                            .count = count,
                            .settled = count};
    weir_status status = check_futures(futures, count);
    bool own;

    if (status)
        return status;
    if (!index)
        return weir__refuse(WEIR_EINVAL, "index is NULL");
    if (!find_settled(&choice, &own) && !weir__is_now(deadline)) {
        if (own && weir__is_forever(deadline))
            return weir__refuse(
                WEIR_DEADLOCK, "a handler or callback waits for ever for tasks "
                               "of its own pools only: give it a deadline");
        status = await_any(&choice, deadline);
    }
    if (status)
        return status;
    if (choice.settled == count)
        return WEIR_TIMED_OUT;
    *index = choice.settled;
    return WEIR_OK;
}

/* ---------------------------------------------------------- cancel, release */

weir_status weir_future_cancel(weir_future *future)
{
    WEIR__UNTRAPPED;
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
    WEIR__UNTRAPPED;
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
