/* SPDX-License-Identifier: MIT */
/*
 * eventcount.h - waiting for something that changes without a lock.
 *
 * THE IDEA
 *
 * Whoever changes something looks at one word, `armed`, and goes on.  Whoever
 * has to wait takes a lock, arms the word, looks once more, and parks (park.h).
 *
 *     waiter:  arm ──▶ look again ──▶ park          (lock held)
 *     changer: change ──▶ armed?  ──yes──▶ wake one (takes the lock)
 *
 * Arming, looking again, the change and the look at `armed` are sequentially
 * consistent: either the waiter sees the change, or the changer sees `armed`.
 *
 * STATES of `armed`, while anybody waits
 *
 *     true     whoever changes something must wake one
 *     false    a wake-up is on its way; the woken thread arms again, so that a
 *              burst of changes costs one wake-up, not one each
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. If threads wait and none of them has been woken, it is armed.
 *   2. Whoever armed it has looked after that, and found nothing.
 *
 * WAKING
 *
 * A thread that leaves looks whether there is something for the next one, and
 * wakes it: weir__eventcount_leave.  So wake-ups are chained, and one that was
 * on its way to a thread that went on for another reason is passed on.
 *
 * WHY NOT
 *
 *   Counting waiters: their number is written by each of them, beside the word
 *   that every change reads.  A wake-up for each change: a burst of 1000 puts
 *   made 1000 futex calls.  membarrier in place of the ordered store: 10 to
 *   30 % faster while nobody waits, but 8 to 31 us for each park.
 */
#ifndef WEIR_LIB_BASE_EVENTCOUNT_H
#define WEIR_LIB_BASE_EVENTCOUNT_H

#include "base/atomic.h"
#include "base/park.h"

/* All zero: nobody waits. */
struct weir__eventcount {
    struct weir__flag armed;       /* A: see above */
    struct weir__waitlist waiters; /* L: with the mutex that goes with it */
};

/* For whoever changed something: whether weir__eventcount_wake is due. */
static inline bool
weir__eventcount_is_armed(const struct weir__eventcount *event)
{
    return weir__flag_read(&event->armed);
}

/* All that follows: with the mutex held. */

/* Before looking again, each time. */
static inline void weir__eventcount_arm(struct weir__eventcount *event)
{
    weir__flag_write(&event->armed, true);
}

/* Wakes the first threads on the list, `most` at most. */
void weir__eventcount_wake(struct weir__eventcount *event, size_t most);
void weir__eventcount_wake_all(struct weir__eventcount *event);

/* For a thread that armed it and goes on, whether it waited or not.  If this
 * returns true others wait: look, and wake one if there is something for it. */
bool weir__eventcount_leave(struct weir__eventcount *event);

#endif /* WEIR_LIB_BASE_EVENTCOUNT_H */
