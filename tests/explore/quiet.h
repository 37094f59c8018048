/* SPDX-License-Identifier: MIT */
/* quiet.h - what holds of a queue that nobody is in: nothing is left of those
 * who waited, and each slot says whose turn it is. */
#ifndef WEIR_EXPLORE_QUIET_H
#define WEIR_EXPLORE_QUIET_H

#include <stdbool.h>

#include <weir/queue.h>

#include "base/eventcount.h"
#include "queue/ring.h"

/* Returns what does not hold, in words, or NULL. */
const char *quiet_is_broken(const weir_queue *q);

/* Whether the descriptor, if any, is readable though it is quiet, or not. */
bool quiet_fd_is_broken(const struct weir__eventcount *event);

/* Whether every slot from the tail on is free. */
bool quiet_ring_is_empty(const struct weir__ring *ring);

#endif /* WEIR_EXPLORE_QUIET_H */
