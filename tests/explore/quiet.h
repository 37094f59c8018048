/* SPDX-License-Identifier: MIT */
/* quiet.h - what holds of a queue that nobody is in: nothing is left of those
 * who waited, and each slot says whose turn it is. */
#ifndef WEIR_EXPLORE_QUIET_H
#define WEIR_EXPLORE_QUIET_H

#include <weir/queue.h>

/* Returns what does not hold, in words, or NULL. */
const char *quiet_is_broken(const weir_queue *q);

#endif /* WEIR_EXPLORE_QUIET_H */
