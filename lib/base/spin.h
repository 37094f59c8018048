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
 *     look, pause, look, 2 pauses, look … 16 pauses, look, yield, look, yield …
 *
 * The budget of yields adapts to what parking turns out to cost here: parks
 * that end soon double it, since spinning a little longer would have saved
 * them; long ones halve it.
 *
 * On one processor nobody spins, and never more threads yield than there are
 * other processors to make their wait worth while.
 */
#ifndef WEIR_LIB_BASE_SPIN_H
#define WEIR_LIB_BASE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

struct weir__spin {
    struct weir__counter yields;   /* A: the budget */
    struct weir__counter yielding; /* A: threads at it */
    uint64_t most_yielding;        /* I: 0: one processor, no spinning */
};

/* One thread's waiting; all zero at its start. */
struct weir__spinner {
    unsigned looks;
    unsigned yields; /* its budget */
    bool yielding;   /* it is counted */
};

void weir__spin_init(struct weir__spin *spin, uint32_t processors);

/* Lets a little time pass.  Returns whether to look again and come back; false:
 * park.  weir__spin_end goes with it, whatever the end. */
bool weir__spin_on(struct weir__spin *spin, struct weir__spinner *spinner);
void weir__spin_end(struct weir__spin *spin, struct weir__spinner *spinner);

/* Takes note that a park lasted so long. */
void weir__spin_learn(struct weir__spin *spin, int64_t parked_ns);

#endif /* WEIR_LIB_BASE_SPIN_H */
