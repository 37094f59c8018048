/* SPDX-License-Identifier: MIT */
/*
 * pills.h - poison pills on their way through a queue.
 *
 * A pill is control state, not an item: it remembers behind how many items of
 * the queue's whole life it stands, and how many consumers it is for.  So it
 * takes no room and counts nowhere.
 */
#ifndef WEIR_LIB_QUEUE_PILLS_H
#define WEIR_LIB_QUEUE_PILLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir__pill {
    struct weir__pill *next;
    uint64_t after; /* items that leave the queue before it acts */
    size_t left;    /* consumers it is still for; at least 1 */
};

/* In order of `after`; all zero is empty.  The queue's lock guards it. */
struct weir__pills {
    struct weir__pill *first;
    struct weir__pill *last;
};

/* Adds a pill, unless the last one can stand for both.  Returns what the
 * caller has to weir__release, or NULL. */
struct weir__pill *
weir__pills_add(struct weir__pills *pills, struct weir__pill *pill);

/* Whether a pill acts once `removed` items have left the queue. */
bool weir__pills_are_due(const struct weir__pills *pills, uint64_t removed);

/* How many items may still leave before the first pill acts. */
uint64_t
weir__pills_items_before(const struct weir__pills *pills, uint64_t removed);

/* Serves one consumer from the first pill, which is due.  Returns what the
 * caller has to weir__release, or NULL. */
struct weir__pill *weir__pills_take(struct weir__pills *pills);

/* Frees a whole list that nobody else sees. */
void weir__pills_release(struct weir__pill *first);

#endif /* WEIR_LIB_QUEUE_PILLS_H */
