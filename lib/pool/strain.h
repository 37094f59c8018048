/* SPDX-License-Identifier: MIT */
/* strain.h - what a pool keeps for when it has too much to do: see overload.h.
 */
#ifndef WEIR_LIB_POOL_STRAIN_H
#define WEIR_LIB_POOL_STRAIN_H

#include <stdbool.h>

#include "limit/codel.h"
#include "pool/record.h"
#include "queue/marks.h"

/* L: all, with the pool's lock. */
struct weir__strain {
    struct weir__codel codel; /* target 0: tasks do not get stale */
    struct weir__marks marks; /* high 0: nobody is told */
    bool told_high;
    struct weir__inside inside; /* of the notifier, while it tells */
};

#endif /* WEIR_LIB_POOL_STRAIN_H */
