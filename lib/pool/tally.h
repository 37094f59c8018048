/* SPDX-License-Identifier: MIT */
/* tally.h - what a pool notes for those who look at it: see seen.h. */
#ifndef WEIR_LIB_POOL_TALLY_H
#define WEIR_LIB_POOL_TALLY_H

#include <stdint.h>

#include "observe/events.h"
#include "observe/histogram.h"

/* Of one writer. */
struct weir__times {
    struct weir__histogram waiting, running;
};

/* L: all but the first three, with the pool's lock. */
struct weir__tally {
    weir_events *events;       /* I: NULL: none */
    uint16_t source;           /* I: its number there */
    struct weir__times *times; /* I: of entries, L to write; NULL: none */
    uint64_t refused_full, refused_timed_out, refused_closed, refused_degraded;
    uint64_t stale;     /* expired by CoDel */
    uint64_t retries;   /* attempts behind the first */
    uint64_t abandoned; /* threads, ever */
    uint64_t scaled_up, scaled_down;
    uint64_t blocked; /* submits that waited for room */
    uint32_t blocked_now;
    uint32_t scaled_to; /* workers that the last SCALE told of */
    int64_t blocked_ns; /* ends less beginnings of these waits */
    int64_t workers_ns; /* the same of workers */
};

#endif /* WEIR_LIB_POOL_TALLY_H */
