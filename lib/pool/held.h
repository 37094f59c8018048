/* SPDX-License-Identifier: MIT */
/* held.h - what a pool keeps of tasks that limits hold back; limits.h has the
 * essay. */
#ifndef WEIR_LIB_POOL_HELD_H
#define WEIR_LIB_POOL_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit/fronts.h"
#include "pool/record.h"

/* What permits an attempt may need. */
enum weir__permit_kind {
    WEIR__PERMITS_OWN,    /* of its task's semaphore */
    WEIR__PERMITS_POOL,   /* of the pool's */
    WEIR__PERMITS_FLIGHT, /* one, of the adaptive limit */
    WEIR__PERMIT_KINDS
};

/* Beside an entry with `is_limited`, in the store: for its next attempt, or of
 * the live one.  L: all, with the pool's lock. */
struct weir__admission {
    struct weir__bid bid;           /* first */
    enum weir__permit_kind bid_for; /* of what the bid is, if held in line */
    weir_semaphore *own;            /* NULL: none; else a reference */
    size_t permits[WEIR__PERMIT_KINDS]; /* 0: none are needed */
    bool granted[WEIR__PERMIT_KINDS];   /* and not an attempt's yet */
    bool has_token;                     /* the same */
    bool is_called;                     /* ready, for a token that is there */
    bool is_late;                /* the live attempt's deadline has passed */
    weir_breaker_pass breaker;   /* epoch 0: none */
    weir_adaptive_pass adaptive; /* the live attempt's; epoch 0: none */
};

/* L: all, but for what the options say, I. */
struct weir__held {
    struct weir__listener listener; /* I */
    bool any;                       /* I: the options name a limit */
    struct weir__entry_list at[WEIR__HELD_PLACES]; /* but for NOWHERE */
    uint64_t count;                                /* in these, but for READY */
    uint64_t queued;                               /* of them: never started */
    bool has_token; /* there is one, from token_ns on: taken in advance */
    int64_t token_ns;
    bool has_called;          /* one is called for it */
    bool called_late;         /* and no worker was free then */
    struct weir__bid watch;   /* of the breaker, for all that it holds */
    int64_t breaker_ns;       /* when it is worth another try */
    int64_t look_ns;          /* the timekeeper's next look; INT64_MAX: none */
    struct weir__limit *owed; /* somebody else's pools are to be told */
};

#endif /* WEIR_LIB_POOL_HELD_H */
