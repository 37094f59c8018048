/* SPDX-License-Identifier: MIT */
/* limit.c - see limit.h. */
#include "limit/limit.h"

#include <assert.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"

/* ------------------------------------------------------------------- lists */

static void append_bid(struct weir__bids *bids, struct weir__bid *bid)
{
    bid->next = NULL;
    bid->previous = bids->last;
    if (bids->last)
        bids->last->next = bid;
    else
        bids->first = bid;
    bids->last = bid;
}

static void remove_bid(struct weir__bids *bids, struct weir__bid *bid)
{
    if (bid->previous)
        bid->previous->next = bid->next;
    else
        bids->first = bid->next;
    if (bid->next)
        bid->next->previous = bid->previous;
    else
        bids->last = bid->previous;
}

static void tell_bid(struct weir__bid *bid)
{
    bid->state = WEIR__BID_TOLD;
    append_bid(&bid->limit->told, bid);
}

/* With the limit's lock, from the line. */
static void bid_is_granted(struct weir__request *request)
{
    struct weir__bid *bid = (struct weir__bid *)request;

    bid->limit->references++;
    tell_bid(bid);
}

void weir__limit_tell_watching(struct weir__limit *limit)
{
    while (limit->watching.first) {
        struct weir__bid *bid = limit->watching.first;

        remove_bid(&limit->watching, bid);
        tell_bid(bid);
    }
}

void weir__limit_watch(struct weir__limit *limit, struct weir__bid *bid)
{
    if (bid->state != WEIR__BID_IDLE)
        return;
    bid->limit = limit;
    bid->state = WEIR__BID_WATCHING;
    append_bid(&limit->watching, bid);
}

/* -------------------------------------------------------------------- life */

weir_status
weir__limit_create(struct weir__limit **out, size_t bytes, const char *what)
{
    weir_status status = weir__fork_watch();
    struct weir__limit *limit;

    if (status)
        return status;
    limit = weir__allocate(bytes);
    if (!limit)
        return weir__refuse(WEIR_ENOMEM, "no memory for %s", what);
    status = weir__mutex_init(&limit->lock, WEIR__RANK_LIMIT);
    if (status) {
        weir__release(limit);
        return status;
    }
    limit->generation = weir__fork_generation();
    limit->references = 1;
    weir__counter_write(&limit->tray.word, WEIR__TRAY_SHUT);
    *out = limit;
    return WEIR_OK;
}

weir_status weir__limit_check(const struct weir__limit *limit, const char *what)
{
    if (!limit)
        return weir__refuse(WEIR_EINVAL, "%s is NULL", what);
    if (weir__is_forked(limit->generation))
        return weir__refuse_forked(what);
    return WEIR_OK;
}

/* ---------------------------------------------------------------- the tray */

void weir__limit_shut_tray(struct weir__limit *limit)
{
    struct weir__on_tray on = weir__tray_shut(&limit->tray);

    limit->permits.held -= on.free;
    limit->loose += on.loose;
    limit->references += on.places;
}

void weir__limit_lock(struct weir__limit *limit)
{
    weir__mutex_lock(&limit->lock);
    weir__limit_shut_tray(limit);
}

/* Puts there what is free; one reference stays. */
static void
open_tray_locked(struct weir__limit *limit) WEIR_REQUIRES(limit->lock)
{
    struct weir__on_tray on = {.free = weir__permits_free(&limit->permits),
                               .loose = limit->loose};

    if (!limit->may_open || limit->permits.first)
        return;
    on.places = limit->references - 1 < WEIR__MOST_ON_TRAY
                    ? limit->references - 1
                    : WEIR__MOST_ON_TRAY;
    limit->permits.held += on.free;
    limit->loose -= on.loose;
    limit->references -= on.places;
    weir__tray_open(&limit->tray, on);
}

void weir__limit_unlock_untold(struct weir__limit *limit)
{
    open_tray_locked(limit);
    weir__mutex_unlock(&limit->lock);
}

static void
deliver_drops_lock(struct weir__limit *limit) WEIR_REQUIRES(limit->lock)
{
    while (limit->told.first) {
        struct weir__listener *listener = limit->told.first->listener;

        listener->hold(listener);
        weir__limit_unlock_untold(limit);
        listener->come(listener, limit);
        weir__limit_lock(limit);
    }
}

void weir__limit_unlock(struct weir__limit *limit)
{
    deliver_drops_lock(limit);
    weir__limit_unlock_untold(limit);
}

void weir__limit_unlock_and_let_go(struct weir__limit *limit, size_t references)
{
    bool is_last;

    deliver_drops_lock(limit);
    is_last = (limit->references -= references) == 0;
    if (!is_last) {
        weir__limit_unlock_untold(limit);
        return;
    }
    weir__mutex_unlock(&limit->lock);
    assert(!limit->permits.first && !limit->watching.first &&
           "destroyed while somebody waits");
    weir__mutex_dispose(&limit->lock);
    weir__release(limit);
}

void weir__limit_destroy(struct weir__limit *limit)
{
    if (limit && !weir__is_forked(limit->generation))
        weir__limit_let_go(limit);
}

void weir__limit_hold(struct weir__limit *limit)
{
    weir__limit_lock(limit);
    limit->references++;
    weir__limit_unlock_untold(limit);
}

void weir__limit_let_go(struct weir__limit *limit)
{
    weir__limit_lock(limit);
    weir__limit_unlock_and_let_go(limit, 1);
}

bool weir__limit_let_go_if_not_last(struct weir__limit *limit)
{
    bool is_last;

    weir__limit_lock(limit);
    is_last = limit->references == 1;
    limit->references -= !is_last;
    weir__limit_unlock_untold(limit);
    return !is_last;
}

/* ------------------------------------------------------------------ bids */

bool weir__limit_try(struct weir__limit *limit, size_t permits)
{
    bool granted;

    weir__limit_lock(limit);
    granted = weir__permits_would_grant(&limit->permits, permits);
    if (granted) {
        weir__permits_ask(&limit->permits,
                          &(struct weir__request){.wanted = permits});
        limit->references++;
    }
    weir__limit_unlock_untold(limit);
    return granted;
}

bool weir__limit_ask(struct weir__limit *limit, struct weir__bid *bid)
{
    bool granted;

    bid->limit = limit;
    bid->request.tell = bid_is_granted;
    weir__limit_lock(limit);
    granted = weir__permits_ask(&limit->permits, &bid->request);
    bid->state = granted ? WEIR__BID_IDLE : WEIR__BID_IN_LINE;
    limit->references += granted;
    weir__limit_unlock_untold(limit);
    return granted;
}

void weir__limit_withdraw(struct weir__bid *bid)
{
    struct weir__limit *limit = bid->limit;

    if (!limit)
        return;
    weir__limit_lock(limit);
    switch (bid->state) {
    case WEIR__BID_IDLE:
        break;
    case WEIR__BID_IN_LINE:
        weir__permits_withdraw(&limit->permits, &bid->request);
        break;
    case WEIR__BID_WATCHING:
        remove_bid(&limit->watching, bid);
        break;
    case WEIR__BID_TOLD:
        remove_bid(&limit->told, bid);
        weir__permits_give(&limit->permits, bid->request.wanted);
        limit->references -= bid->request.wanted > 0;
        break;
    }
    bid->state = WEIR__BID_IDLE;
    weir__limit_unlock_untold(limit);
}

/* Another reference there is: the pool's, or its task's. */
void weir__limit_give(struct weir__limit *limit, size_t permits)
{
    weir__limit_lock(limit);
    weir__permits_give(&limit->permits, permits);
    limit->references--;
    weir__limit_unlock_untold(limit);
}

struct weir__bid *weir__limit_collect(struct weir__limit *limit,
                                      const struct weir__listener *listener)
{
    struct weir__bids collected = {0};

    weir__limit_lock(limit);
    for (struct weir__bid *c = limit->told.first, *next; c; c = next) {
        next = c->next;
        if (c->listener != listener)
            continue;
        remove_bid(&limit->told, c);
        append_bid(&collected, c);
        c->state = WEIR__BID_IDLE;
    }
    weir__limit_unlock_untold(limit);
    return collected.first;
}

bool weir__limit_owes(struct weir__limit *limit)
{
    bool owes;

    weir__limit_lock(limit);
    owes = limit->told.first && !limit->is_owed;
    if (owes) {
        limit->is_owed = true;
        limit->references++;
    }
    weir__limit_unlock_untold(limit);
    return owes;
}

void weir__limit_pay(struct weir__limit *limit)
{
    weir__limit_lock(limit);
    limit->is_owed = false;
    weir__limit_unlock_and_let_go(limit, 1);
}
