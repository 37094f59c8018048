/* SPDX-License-Identifier: MIT */
/*
 * tray.h - permits that can be taken without the lock, while nobody waits.
 *
 * THE IDEA
 *
 * One atomic word says how many permits are free, how many belong to nobody,
 * and how many places of attempts have come.  Whoever finds enough there takes
 * them with one compare-and-swap, and gives them back with another.  Who does
 * not, or wants to know more, takes the lock and first shuts the tray: what lay
 * on it is added to what is kept under the lock.  Who lets go of the lock
 * opens it again, unless somebody is in the line.
 *
 *     | shut | places | loose | free |        1, 21, 21 and 21 bits
 *
 * STATES
 *
 *   shut  ▶ open   with the lock, by who unlocks: nobody is in the line
 *   open  ▶ open   without the lock: taken from, given to
 *         ▶ shut   with the lock, by who locks
 *
 * INVARIANTS
 *
 *   1. While somebody is in the line it is shut: so nobody is overtaken, and
 *      whoever gives permits back comes to the lock, and serves the line.
 *   2. The sums are right: of the free permits, the loose ones and the
 *      references, that under the lock and that on the open tray.
 *   3. One reference is always under the lock.  So a place that goes from the
 *      tray is never the last; who has that one comes to the lock, and frees.
 *
 * NO PERMIT IS MISSED: a waiter shuts the tray before it looks whether there
 * are enough.  A giver's swap comes before that, and is counted; or it fails,
 * since the word has changed, and the giver comes to the lock.
 *
 * MEMORY ORDER: all of it is sequentially consistent read-modify-writes of one
 * word, or writes by who holds the lock and has shut it: what was done before
 * permits were given is seen by whoever takes them.
 *
 * LIMITS: a semaphore of more than WEIR__MOST_ON_TRAY permits has it shut for
 * ever.
 */
#ifndef WEIR_LIB_LIMIT_TRAY_H
#define WEIR_LIB_LIMIT_TRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

#define WEIR__TRAY_SHUT    (UINT64_C(1) << 63)
#define WEIR__MOST_ON_TRAY ((UINT64_C(1) << 21) - 1)

/* Shut at first: WEIR__TRAY_SHUT. */
struct weir__tray {
    struct weir__counter word;
};

struct weir__on_tray {
    size_t free, loose, places;
};

/* Whether it is open, and what is on it; a glance. */
bool weir__tray_read(const struct weir__tray *tray, struct weir__on_tray *on);

/* Takes permits, for nobody (`loose`) or for an attempt that has a place, or
 * has one now.  False: not here. */
bool weir__tray_take(struct weir__tray *tray, size_t permits, bool loose,
                     bool new_place);
/* Gives permits back, that belonged to nobody (`loose`) or to an attempt of
 * which so many places go.  False: not here. */
bool weir__tray_give(struct weir__tray *tray, size_t permits, bool loose,
                     size_t old_places);

/* With the lock: what was on it, which is nothing if it was shut. */
struct weir__on_tray weir__tray_shut(struct weir__tray *tray);
/* With the lock, of one that is shut. */
void weir__tray_open(struct weir__tray *tray, struct weir__on_tray on);

#endif /* WEIR_LIB_LIMIT_TRAY_H */
