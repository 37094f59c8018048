/* SPDX-License-Identifier: MIT */
/*
 * turns.h - a door that is passed one at a time, first come first served.
 *
 * Several feeds of one run take turns to submit.  Whoever gives the turn up
 * hands it to the one that has waited longest, so nobody who comes later, not
 * even the same thread again, is let in before: a slow producer's item waits
 * for one item of each other producer at most, however fast they are.
 *
 * INVARIANT: who waits is on the list only while the turn is taken.
 */
#ifndef WEIR_LIB_FLOW_TURNS_H
#define WEIR_LIB_FLOW_TURNS_H

#include <stdbool.h>

#include "base/lock.h"
#include "base/park.h"

struct weir__turns {
    struct weir__mutex lock;
    bool taken;                    /* L */
    struct weir__waitlist in_line; /* L */
};

/* WEIR_OK, WEIR_ESYSTEM. */
weir_status weir__turns_init(struct weir__turns *turns);
void weir__turns_dispose(struct weir__turns *turns);

/* Waits for the caller's turn; and its end. */
void weir__turns_take(struct weir__turns *turns);
void weir__turns_give(struct weir__turns *turns);

#endif /* WEIR_LIB_FLOW_TURNS_H */
