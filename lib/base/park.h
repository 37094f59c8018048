/* SPDX-License-Identifier: MIT */
/*
 * park.h - a list of waiting threads, each on a condition of its own.
 *
 * THE IDEA
 *
 * A list belongs to a mutex and stands for one reason to wait.  A thread that
 * waits puts itself on the list; a thread that makes the reason go away takes
 * the first one off and wakes just that one.
 *
 *     waitlist   first ──▶ waiter ⇄ waiter ⇄ waiter ◀── last
 *                             │         │        │
 *                           cond      cond     cond      one waiter each
 *
 * INVARIANTS (hold whenever the mutex is free)
 *
 *   1. Who is on the list has not been woken; who was woken is not on it.
 *   2. A wake-up reaches exactly one thread and is never lost: a woken thread
 *      answers WEIR_OK even if its deadline has passed meanwhile.
 *
 * Of a list that is `newest_first` the one that came last is woken first, so
 * that who has waited long goes on waiting, and may give up in the end.
 *
 * FAIRNESS
 *
 * A thread that arrives while another is being woken may overtake it.  The one
 * that was overtaken waits again at the front; once it has been overtaken
 * WEIR__OVERTAKEN_AT_MOST times, newcomers stand back until it has had its
 * turn.  That is the bound.  It does not hold for a list that is newest first,
 * where all who wait do so for the same.
 *
 * WHY NOT ONE CONDITION FOR ALL
 *
 * Many versions of glibc in use can lose pthread_cond_signal when several
 * threads wait on one condition (BZ 25847).  With one waiter per condition
 * there is nobody to lose it to, wakes are targeted, and the order is ours.
 *
 * The wake happens with the mutex held and a waiter leaves only with it held:
 * otherwise its condition, which lies on its stack, could be gone inside the
 * waker's signal.
 */
#ifndef WEIR_LIB_BASE_PARK_H
#define WEIR_LIB_BASE_PARK_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/deadline.h>
#include <weir/status.h>

#include "base/annotate.h"
#include "base/lock.h"

/* An exploration has less patience. */
#ifndef WEIR__OVERTAKEN_AT_MOST
# define WEIR__OVERTAKEN_AT_MOST 16
#endif

struct weir__waiter; /* on the stack of a thread that waits */

/* All zero is empty.  Every field: with the mutex that it goes with. */
struct weir__waitlist {
    struct weir__waiter *first;
    struct weir__waiter *last;
    size_t overtaken;  /* waiters overtaken too often: newcomers stand back */
    size_t stood_back; /* newcomers that have waited since then */
    bool newest_first; /* set before anybody waits */
};

/* One call's place in the order; all zero at its start. */
struct weir__turn {
    unsigned waits; /* how often it has waited; more than one: overtaken */
};

/* Whether this call must not take its chance even if there is one. */
static inline bool weir__must_stand_back(const struct weir__waitlist *list,
                                         const struct weir__turn *turn)
{
    return list->overtaken > 0 && turn->waits == 0;
}

/*
 * Waits until woken or until the deadline; ask the predicate again afterwards,
 * and wait again with the same `turn` if it does not hold.
 *
 * Returns WEIR_OK (woken), WEIR_TIMED_OUT.
 */
weir_status
weir__waitlist_wait(struct weir__waitlist *list, struct weir__mutex *mutex,
                    struct weir__turn *turn, weir_deadline deadline)
    WEIR_REQUIRES(mutex);

/* Wake the first so many, in order.  With the list's mutex held. */
void weir__waitlist_wake(struct weir__waitlist *list, size_t most);
void weir__waitlist_wake_all(struct weir__waitlist *list);

#endif /* WEIR_LIB_BASE_PARK_H */
