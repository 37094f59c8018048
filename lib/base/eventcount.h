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
 * A DESCRIPTOR, for who waits in poll()
 *
 * It is made on demand (fd), and is a waiter like the others but for one thing:
 * it cannot look again.  So whoever polls has to be somebody who takes, and the
 * one who finds nothing looks on its behalf:
 *
 *     loud     readable: those who poll have been told, and come by themselves.
 *              Changes cost nothing.
 *     quiet    not readable, and armed: the next change makes it loud
 *
 *     loud ──hush──▶ quiet    by a taker that found nothing: arm, look again,
 *                             and loud again if there is something
 *     quiet ──tell──▶ loud    by every wake
 *
 *   3. If it is quiet, it is armed.
 *
 * A change either is seen by the look after hush, or sees it armed.  If it is
 * seen, hush and tell together are a write to the descriptor, and so an event
 * for who polls by edges too.  A taker that goes without the lock reads is_loud
 * last, when it has found nothing: quiet then means that whatever comes after
 * that look finds it armed.
 *
 * WHY NOT
 *
 *   A write for each change: 600 ns where an armed word costs nothing.  That
 * the user reads the descriptor: we would not hear of it, and could not arm.
 *   Counting waiters: their number is written by each of them, beside the word
 *   that every change reads.  A wake-up for each change: a burst of 1000 puts
 *   made 1000 futex calls.  membarrier in place of the ordered store: 10 to
 *   30 % faster while nobody waits, but 8 to 31 us for each park.
 */
#ifndef WEIR_LIB_BASE_EVENTCOUNT_H
#define WEIR_LIB_BASE_EVENTCOUNT_H

#include "base/atomic.h"
#include "base/event.h"
#include "base/park.h"

/* All zero: nobody waits. */
struct weir__eventcount {
    struct weir__flag armed;       /* A: see above */
    struct weir__flag watched;     /* A, L to write: there is a descriptor */
    struct weir__flag quiet;       /* A, L to write: and it is not readable */
    int fd;                        /* L: that one; 0: none */
    struct weir__waitlist waiters; /* L: with the mutex that goes with it */
};

/* For whoever changed something: whether weir__eventcount_wake is due. */
static inline bool
weir__eventcount_is_armed(const struct weir__eventcount *event)
{
    return weir__flag_read(&event->armed);
}

/* For a taker that has found nothing: whether weir__eventcount_hush is due. */
static inline bool
weir__eventcount_is_loud(const struct weir__eventcount *event)
{
    return weir__flag_read(&event->watched) && !weir__flag_read(&event->quiet);
}

/* For whoever changed something that none but those who poll hear of. */
static inline bool
weir__eventcount_is_quiet(const struct weir__eventcount *event)
{
    return weir__flag_read(&event->quiet);
}

/* A descriptor to be given to an event count, or -1 with errno. */
int weir__eventcount_open(void);

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

/* Gives it a descriptor, which is loud.  Returns what has to be closed, since
 * it has one, or -1. */
int weir__eventcount_give(struct weir__eventcount *event, int fd);
/* And takes it away, to be closed; -1: there is none. */
int weir__eventcount_take(struct weir__eventcount *event);
/* By who found nothing: arms; look again then, and tell if there is something.
 * Nothing without a descriptor. */
void weir__eventcount_hush(struct weir__eventcount *event);
void weir__eventcount_tell(struct weir__eventcount *event);

#endif /* WEIR_LIB_BASE_EVENTCOUNT_H */
