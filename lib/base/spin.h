/* SPDX-License-Identifier: MIT */
/*
 * spin.h - how long to look again before parking.
 *
 * THE IDEA
 *
 * A wake-up costs some 20 us, as much as two thousand items, so a thread that
 * has to wait looks again for a while: a few times between pauses that double,
 * so that it does not steal the line it polls, then between yields, which let
 * the thread it waits for run if that one shares its processor.
 *
 *     look, pause, look, 2 pauses, look … 32 pauses, look, yield, look, yield …
 *                                                          └─ budget ─┘
 *
 * The budget adapts to what parking costs here.  A park that ended soon doubles
 * it, since spinning on would have saved it; a long one halves it.
 *
 * Pauses are for a thread on another processor.  Where what was waited for came
 * only after a yield, the next spin does one round of pauses fewer, in the end
 * none; every sixteenth of those tries them all, and goes back to them if they
 * bring it.  Who may not yield then parks at once, which is as it should be.
 *
 * A yield that takes long has let a stranger run, and may cost a whole slice of
 * time each time: after one nobody yields for a while, but parks, for a thread
 * that wakes up is let in ahead of one that never stops.
 *
 * On one processor nobody spins, and never more threads yield than there are
 * processors.
 *
 * WHY NOT
 *
 *   No spinning: 27 to 35 ns an item where this takes 10.  Two thousand pauses:
 *   up to 41, and 96 to 196 beside a busy neighbour.  Sixteen yields: as good,
 *   but beside a busy neighbour 155 and 195 with 1 thread on the other side and
 *   4 on this; and a ping-pong took 140 us, where it takes 9.  All pauses
 *   every time: a ping-pong of two threads on the same one of two processors
 *   took 3.5 us, where it takes 1.8.  Yields where there is one processor: a
 *   ping-pong in 2.9 us instead of 7.6, but 39 ns an item instead of 32 with 1
 *   thread on one side and 4 on the other.  Four pauses first where there is
 *   room for many: 7.9 ns an item instead of 9.0, 15.9 of processor time for
 *   17.2, but 25 for 18 from 4 threads to 1.  Pauses tried again by spins that
 *   may not yield: 52 beside a busy neighbour, where it takes 23.
 */
#ifndef WEIR_LIB_BASE_SPIN_H
#define WEIR_LIB_BASE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

struct weir__spin {
    struct weir__hint budget_ns; /* A: for yields */
    struct weir__hint banned_ns; /* A: until when nobody yields */
    struct weir__hint yielding;  /* A: threads at it */
    struct weir__hint in_vain;   /* A: spins in a row whose pauses were */
    uint64_t most_yielding;      /* I: 0: one processor, no spinning */
};

/* One thread's waiting; all zero at its start. */
struct weir__spinner {
    unsigned pauses; /* rounds of them */
    unsigned yields;
    bool yielding;    /* it is counted */
    int64_t until_ns; /* when its budget is spent */
};

void weir__spin_init(struct weir__spin *spin, uint32_t processors);

static inline bool weir__spin_is_on(const struct weir__spin *spin)
{
    return spin->most_yielding > 0;
}

/* Lets a little time pass.  Returns whether to look again and come back; false:
 * park.  However that ends, weir__spin_end comes after, and is told whether
 * what was waited for `came`. */
bool weir__spin_on(struct weir__spin *spin, struct weir__spinner *spinner);
void weir__spin_end(struct weir__spin *spin, struct weir__spinner *spinner,
                    bool came);

/* Takes note that a park lasted so long. */
void weir__spin_learn(struct weir__spin *spin, int64_t parked_ns);

#endif /* WEIR_LIB_BASE_SPIN_H */
