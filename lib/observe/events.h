/* SPDX-License-Identifier: MIT */
/*
 * events.h - a lossy ring of records, that never holds up who writes.
 *
 * THE IDEA
 *
 * One ring that all threads claim places in would be one word that they all
 * fight for.  So there are several, the lanes, and readers merge them by time.
 * A lane has one writer at a time, whoever has set its `busy`; who finds it set
 * tries the next one.  Each thread begins at a lane that is likely its own: a
 * worker by its index, in the lower half; another by where its stack lies, in
 * the upper half.
 *
 *     writer ─▶ lane: busy=1, record n, written=n+1, busy=0
 *                      │ stamp: 2n+1, fields, 2n+2
 *     reader ◀─────────┘ merges lanes by time; its cursor: a number per lane
 *
 * All of it lies in one piece of memory without a pointer, as weir/events.h
 * says, so that it can be read from elsewhere.
 *
 * STATES of a place
 *
 *   holds n - records ─claimed─▶ stamp 2n+1: being written ─▶ stamp 2n+2: n
 *
 * INVARIANTS
 *
 *   1. Only who has set `busy` of a lane writes to it, but for `busy` itself.
 *   2. Record n of a lane is whole while its place's stamp is 2n+2; the stamp
 *      only grows.
 *   3. All that ever happened is what the lanes' `written` say, and `dropped`.
 *      So a reader that has caught up has read, or knows to be lost, exactly
 *      that many.
 *
 * MEMORY ORDER
 *
 * Setting `busy` acquires what the last writer of the lane released with it.
 * Each word of a record is stored with release and loaded with acquire; on
 * x86-64 that is what plain accesses do.  A reader that sees any word of a
 * later record thereby sees the odd stamp before it, and so its second look at
 * the stamp finds it changed: a record whose stamp was 2n+2 twice is whole.
 * `written` is released behind the record: who sees n+1 sees the stamp 2n+2, or
 * a later one.
 *
 * WHY NOT
 *
 *   A ring that is claimed with an addition: a writer that stands still for a
 *   lap comes back into a record of another's, and who reads it cannot tell;
 *   with a compare-and-swap on the stamp that costs as much as `busy`.
 *   Lanes that belong to threads: somebody has to learn that a thread has
 *   ended, and it may be anybody's.
 *
 * LIMITS
 *
 * A process that is killed while it writes leaves a lane busy for ever: for
 * another process, that only reads, the lane is as it was before.
 */
#ifndef WEIR_LIB_OBSERVE_EVENTS_H
#define WEIR_LIB_OBSERVE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/events.h>

#include "base/atomic.h"

enum { WEIR__RECORD_WORDS = sizeof(weir_event) / sizeof(uint64_t) };

/* A place in a lane.  A: all; see above. */
struct weir__record {
    struct weir__counter stamp;
    struct weir__counter words[WEIR__RECORD_WORDS - 1];
};

/* In the memory: A: all. */
struct weir__events_lane {
    struct weir__counter written; /* records, ever */
    struct weir__counter busy;    /* 1: somebody writes */
    /* The records follow, WEIR__APART behind. */
};

/* I: all but references. */
struct weir_events {
    struct weir__counter references; /* A */
    unsigned char *memory;           /* what the header says lies here */
    bool is_ours;                    /* to be released */
    bool is_read_only;               /* another's */
    uint32_t lanes, sources;         /* sources: how many there may be */
    size_t sources_at, lanes_at, lane_bytes, records_at;
    uint64_t records; /* of a lane */
};

/* Refuses one that was attached. */
weir_status weir__events_check(const weir_events *events, const char *option);
void weir__events_hold(weir_events *events);
void weir__events_let_go(weir_events *events); /* or NULL */

/* A number for who will write. */
uint16_t
weir__events_enter(weir_events *events, const weir_event_source *source);

/* Writes a record; its stamp need not be set.  Never waits. */
void weir__events_write(weir_events *events, const weir_event *event);

#endif /* WEIR_LIB_OBSERVE_EVENTS_H */
