/* SPDX-License-Identifier: MIT */
/*
 * events.h - a lossy ring of records, that never holds up who writes.
 *
 * THE IDEA
 *
 * One ring that all threads claim places in would be one word that they all
 * fight for.  So there are several, the lanes, and readers merge them by time.
 * A lane has one writer at a time, whoever has set its `busy`; who finds it set
 * tries the next one.  A worker sets it when its thread begins and keeps it
 * until that ends: it is bound to a lane, of the lower half, as long as there
 * are any, and what it then writes of its plain tasks takes no
 * read-modify-write.  All others set it for each record, and begin at a lane
 * that is likely their own: a worker by its index, in the lower half; another
 * by where its stack lies, in the upper half, which nobody is bound to.
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
 *   1. Only who has set `busy` of a lane writes to it, but for `busy` itself;
 *      of a lane of the upper half nobody keeps it beyond a record.
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
 *   Lanes that belong to any thread: somebody has to learn that it has ended.
 *   Of workers the pool does.
 *   Asking for the next place's cache line ahead of time: 20 ns a task more.
 *   Memory that is first touched by who writes: 35 ns a task more, until all of
 *   it has been.
 *
 * LIMITS
 *
 * A process that is killed while it writes leaves a lane busy for ever: for
 * another process, that only reads, the lane is as it was before.  A worker
 * whose thread is stuck, or does not come to its end behind a crash, stays
 * bound.
 */
#ifndef WEIR_LIB_OBSERVE_EVENTS_H
#define WEIR_LIB_OBSERVE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* A lane for one thread at a time, until it is given back; NULL: there is none
 * to be had.  Both within the life of the events. */
struct weir__events_lane *
weir__events_bind(weir_events *events, uint32_t worker);
void weir__events_unbind(struct weir__events_lane *lane); /* or NULL */

/* The place of record n. */
static inline struct weir__record *
weir__events_record(const weir_events *events,
                    const struct weir__events_lane *lane, uint64_t n)
{
    size_t place = (size_t)(n & (events->records - 1));

    return (struct weir__record *)(void *)((unsigned char *)(uintptr_t)lane +
                                           events->records_at +
                                           place * sizeof(weir_event));
}

/* Writes a record to a lane, by who has set its `busy`. */
static inline void
weir__events_put(const weir_events *events, struct weir__events_lane *lane,
                 const weir_event *event)
{
    const unsigned char *bytes = (const unsigned char *)event;
    uint64_t n = weir__counter_read(&lane->written), word;
    struct weir__record *record = weir__events_record(events, lane, n);

    weir__counter_write_release(&record->stamp, 2 * n + 1);
    for (size_t i = 1; i < WEIR__RECORD_WORDS; i++) {
        memcpy(&word, bytes + i * sizeof(word), sizeof(word));
        weir__counter_write_release(&record->words[i - 1], word);
    }
    weir__counter_write_release(&record->stamp, 2 * n + 2);
    weir__counter_write_release(&lane->written, n + 1);
}

/* By who is bound to the lane; NULL: to any, as weir__events_write. */
static inline void
weir__events_write_bound(weir_events *events, struct weir__events_lane *lane,
                         const weir_event *event)
{
    if (lane)
        weir__events_put(events, lane, event);
    else
        weir__events_write(events, event);
}

#endif /* WEIR_LIB_OBSERVE_EVENTS_H */
