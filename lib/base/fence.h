/* SPDX-License-Identifier: MIT */
/*
 * fence.h - a fence of which one side costs nothing.
 *
 * THE IDEA
 *
 * Two threads each write a word and then read the other's, and one of them must
 * see what the other wrote. For that both need a full fence between the write
 * and the read.  If one of them does it a million times as often as the other,
 * the rare one can pay for both: it has the system run a fence on every
 * processor that a thread of ours is on (membarrier).
 *
 *     often:   write a;  light fence;  read b
 *     rarely:  write b;  heavy fence;  read a
 *
 * A light fence only keeps the compiler from changing the order.  A heavy one
 * takes 8 to 31 us.  Where the system cannot do that, both are full fences.
 */
#ifndef WEIR_LIB_BASE_FENCE_H
#define WEIR_LIB_BASE_FENCE_H

#include <stdbool.h>

#include "base/annotate.h"
#include "base/atomic.h"

/* Asks the system once for the process; before the first fence. */
void weir__fence_prepare(void);

/* Read-only after the first weir__fence_prepare. */
extern bool weir__fence_is_uneven;

void weir__fence_full(void);
void weir__fence_heavy(void);

static inline void weir__fence_light(void)
{
    /* Linux has what makes it uneven since 4.14. */
    if (WEIR_RARELY(!weir__fence_is_uneven)) /* unreached: see there */
        weir__fence_full();                  /* unreached: as above */
    weir__compiler_fence();
}

#endif /* WEIR_LIB_BASE_FENCE_H */
