/* SPDX-License-Identifier: MIT */
/*
 * permits.h - permits, and who waits for them in which order.
 *
 * THE IDEA
 *
 * Permits are handed out strictly in the order of asking.  Whoever gives some
 * back hands them to the first in the line, and to the next, as long as there
 * are enough; a big request at the head is not overtaken by a small one.
 *
 *     total ─┬─ held                   first ──▶ request ⇄ request ◀── last
 *            └─ free ──── grants ────────────▶ 3          1
 *
 * STATES of a request
 *
 *   idle     ▶ granted   asks, nobody waits, and there are enough
 *            ▶ waiting   asks, else
 *   waiting  ▶ granted   it is the first, and there are enough
 *            ▶ idle      withdrawn
 *
 * INVARIANTS
 *
 *   1. The first in the line wants more than is free: so nobody waits in vain.
 *   2. held is the sum of what was granted and has not been given back.
 *
 * Pure: no lock, no clock, no thread.  `tell` of a request is called where it
 * is granted after having waited, with whatever lock the caller has.
 */
#ifndef WEIR_LIB_LIMIT_PERMITS_H
#define WEIR_LIB_LIMIT_PERMITS_H

#include <stdbool.h>
#include <stddef.h>

/* All zero but for what the asker sets. */
struct weir__request {
    size_t wanted;                               /* set by who asks */
    void (*tell)(struct weir__request *request); /* the same */
    bool is_waiting;
    bool is_granted;
    struct weir__request *next;
    struct weir__request *previous;
};

/* All zero but for `total`. */
struct weir__permits {
    size_t total; /* may be changed: weir__permits_resize */
    size_t held;
    size_t waiting; /* requests */
    struct weir__request *first;
    struct weir__request *last;
};

/* That could be handed out now. */
static inline size_t weir__permits_free(const struct weir__permits *permits)
{
    return permits->total > permits->held ? permits->total - permits->held : 0;
}

/* Whether it could be granted at once. */
bool weir__permits_would_grant(const struct weir__permits *permits,
                               size_t wanted);

/* Grants it at once and returns true, or puts it at the end of the line. */
bool weir__permits_ask(struct weir__permits *permits,
                       struct weir__request *request);

/* It does not want to wait any more; those behind it may have their turn. */
void weir__permits_withdraw(struct weir__permits *permits,
                            struct weir__request *request);

/* At most what is held. */
void weir__permits_give(struct weir__permits *permits, size_t count);

/* If there are fewer than are held, none is granted until some come back. */
void weir__permits_resize(struct weir__permits *permits, size_t total);

#endif /* WEIR_LIB_LIMIT_PERMITS_H */
