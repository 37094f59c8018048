/* SPDX-License-Identifier: MIT */
/* broken.h - a small queue with a choice of bugs, and what brings them out. */
#ifndef WEIR_EXPLORE_BROKEN_H
#define WEIR_EXPLORE_BROKEN_H

#include "scenario.h"

enum bug {
    BUG_NONE,
    BUG_IF_FOR_WHILE,
    BUG_CLOSE_WAKES_ONE,
    BUG_WAKE_ONLY_WHEN_IT_WAS_EMPTY,
    BUG_TIMEOUT_EATS_THE_WAKE,
    BUG_CLOSED_OUTSIDE_THE_LOCK,
    BUG_ONE_CONDITION_FOR_BOTH,
    BUGS
};

extern enum bug broken_bug;

/* The last one has no name. */
extern const struct scenario broken_scenarios[];

#endif /* WEIR_EXPLORE_BROKEN_H */
