/* SPDX-License-Identifier: MIT */
/*
 * limit.h - what semaphores, rates, breakers and adaptive limits have in
 * common: a lock, a life, and pools that wait.
 *
 * THE IDEA
 *
 * A thread that has to wait stands in the line with a request (line.h).  A task
 * that a pool holds back stands in the same line with a bid: a request that
 * nobody sleeps at.  When it is granted its pool has to be told, and that takes
 * the pool's lock, which ranks below this one.  So the bid goes to a list,
 * and whoever gave the permits comes to the pool when it has let go of all
 * locks:
 *
 *     give ──▶ line: bid ──▶ told ─ ─unlock─ ─▶ pool: lock, collect
 *
 * Who gives permits with a pool's lock held collects for that pool at once, and
 * leaves the others to a thread that can let go of it: it owes, and pays later.
 *
 * STATES of a bid
 *
 *   idle      ▶ in line, watching   it waits, for permits or for any news
 *             ▶ granted             there were enough at once
 *   in line   ▶ told                granted
 *   watching  ▶ told                there are news
 *   told      ▶ granted             collected; of one that watched: idle
 *   any       ▶ idle                withdrawn; what was granted goes back
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. If a bid is told, a thread is on its way to its pool: in
 *      weir__limit_unlock, or one that owes.
 *   2. references is 1 for the handle, 1 for each pool that has it in its
 *      options and each task that has, and 1 for each grant to a bid, until
 *      it has gone back.  The last one frees it.
 *
 * THE TRAY (tray.h) lets permits of a semaphore pass without the lock while
 * nobody waits.  It is shut by weir__limit_lock and opened by the unlocks; to
 * the other limits, which take the lock by itself, it is always shut.
 *
 * LIFE OF A POOL that is told: it is held by an atomic count, which may be
 * raised here since its bid is in a list: the pool withdraws its bids
 * before it goes.  Its bids are only looked at with its lock and this one.
 *
 * LOCKING: rank LIMIT; no lock is taken below it.
 */
#ifndef WEIR_LIB_LIMIT_LIMIT_H
#define WEIR_LIB_LIMIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

#include "base/annotate.h"
#include "base/lock.h"
#include "limit/permits.h"
#include "limit/tray.h"

struct weir__limit;

/* Who has bids: a pool. */
struct weir__listener {
    /* With the limit's lock: it will be there until `come` has returned. */
    void (*hold)(struct weir__listener *listener);
    /* Without a lock: it collects, and is let go. */
    void (*come)(struct weir__listener *listener, struct weir__limit *limit);
};

enum weir__bid_state {
    WEIR__BID_IDLE, /* or granted, as its pool knows */
    WEIR__BID_IN_LINE,
    WEIR__BID_WATCHING,
    WEIR__BID_TOLD
};

/* L: all, with the limit's lock; set by the pool: `wanted` and listener. */
struct weir__bid {
    struct weir__request request; /* first; wanted 0: it only watches */
    enum weir__bid_state state;
    struct weir__limit *limit; /* NULL: never asked */
    struct weir__listener *listener;
    struct weir__bid *next, *previous; /* watching, told, collected */
};

struct weir__bids {
    struct weir__bid *first, *last;
};

/* The first member of each of them.  I: set by create, then read-only.  L: only
 * with `lock` held. */
struct weir__limit {
    struct weir__mutex lock;
    struct weir__tray tray;        /* A; shut and opened with the lock */
    uint64_t generation;           /* I: see base/fork.h */
    struct weir__permits permits;  /* L: of a rate or breaker: none */
    size_t references;             /* L: and the places on the tray */
    size_t loose;                  /* L: of a semaphore: held, by no attempt */
    bool may_open;                 /* I: a semaphore's, and not too large */
    struct weir__bids watching;    /* L */
    struct weir__bids told;        /* L */
    bool is_owed;                  /* L: somebody has said it would pay */
    struct weir__limit *next_owed; /* with the lock of the pool that owes */
};

/* `bytes` of zeros that begin with a limit.  `what` names it in an error. */
weir_status
weir__limit_create(struct weir__limit **out, size_t bytes, const char *what);
/* By the handle's destroy; NULL and those from before a fork are ignored. */
void weir__limit_destroy(struct weir__limit *limit);
/* WEIR_OK, WEIR_EINVAL (NULL), WEIR_FORKED. */
weir_status
weir__limit_check(const struct weir__limit *limit, const char *what);

/* Takes the lock and shuts the tray; the second for who has had the lock, but
 * waited. */
void weir__limit_lock(struct weir__limit *limit) WEIR_ACQUIRES(limit->lock);
void weir__limit_shut_tray(struct weir__limit *limit)
    WEIR_REQUIRES(limit->lock);
/* Opens the tray, if it may be, and unlocks; tells nobody. */
void weir__limit_unlock_untold(struct weir__limit *limit)
    WEIR_RELEASES(limit->lock);

/* With no other lock: tells the pools that are to be told, and unlocks; the
 * second gives up references too, and frees it with the last. */
void weir__limit_unlock(struct weir__limit *limit) WEIR_RELEASES(limit->lock);
void weir__limit_unlock_and_let_go(struct weir__limit *limit, size_t references)
    WEIR_RELEASES(limit->lock);

/* All that watch are to be told. */
void weir__limit_tell_watching(struct weir__limit *limit)
    WEIR_REQUIRES(limit->lock);

/* --------------------------------------------- what pools do, lock and all */

void weir__limit_hold(struct weir__limit *limit);
/* Gives a reference up, with no other lock. */
void weir__limit_let_go(struct weir__limit *limit);
/* The same with a pool's lock held.  False: it is the last one and stays, to be
 * let go without that lock. */
bool weir__limit_let_go_if_not_last(struct weir__limit *limit);

/* Grants so many at once, or nothing. */
bool weir__limit_try(struct weir__limit *limit, size_t permits);
/* Grants at once and returns true, or puts the bid in the line. */
bool weir__limit_ask(struct weir__limit *limit, struct weir__bid *bid);
/* In a front, with its lock: the bid is told of the next news. */
void weir__limit_watch(struct weir__limit *limit, struct weir__bid *bid)
    WEIR_REQUIRES(limit->lock);
/* Whatever it waited for, it does not; whatever it was granted and has not
 * collected goes back. */
void weir__limit_withdraw(struct weir__bid *bid);
/* What was granted and is not made use of. */
void weir__limit_give(struct weir__limit *limit, size_t permits);

/* What the listener's bids were told, as a chain; NULL: nothing. */
struct weir__bid *weir__limit_collect(struct weir__limit *limit,
                                      const struct weir__listener *listener);
/* Whether the caller is to pay, since some are to be told and nobody else is
 * on the way; it has got a reference then. */
bool weir__limit_owes(struct weir__limit *limit);
/* Without a lock: tells them, and gives the reference up. */
void weir__limit_pay(struct weir__limit *limit);

#endif /* WEIR_LIB_LIMIT_LIMIT_H */
