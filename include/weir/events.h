/* SPDX-License-Identifier: MIT */
/*
 * weir/events.h - what happened, in the order of time: a ring of records.
 *
 * Made on its own and given to any pools and queues, by their option `events`:
 * so what a run does, or a pipeline, or several pools, lies on one timeline.
 * Whoever writes never waits: the ring keeps the newest records, and a reader
 * is told how many it was too late for.  A pool without events pays one branch.
 *
 * Readable while it is written to; also from other processes and languages, if
 * the memory is one that they can map: see weir_events_options, and the layout
 * at the end.  docs/examples/events.py reads it in Python.
 */
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_events weir_events;

/*
 * What happened.  The numbers are for ever; there may be more one day, so pass
 * over those that you do not know.  A field that is not named here is 0, but
 * for worker, which is UINT32_MAX where no worker has to do with it.  `task` is
 * weir_task_id's number, and so an event's own only together with `source`.
 */
typedef enum weir_event_kind {
    WEIR_EVENT_SUBMIT = 1,    /* task: accepted.  value: not to start before
                                 this moment, on the clock of at_ns; 0: none */
    WEIR_EVENT_START = 2,     /* task, worker, attempt: the attempt begins.
                                 value: ns that the task has waited since its
                                 submit, or since it was due */
    WEIR_EVENT_SETTLE = 3,    /* task, attempt (0: none began), worker that is
                                 at it, if any: its outcome.  value: which, a
                                 weir_outcome_kind.  flags: see below */
    WEIR_EVENT_END = 4,       /* task, worker, attempt: the attempt has ended,
                                 apart from the SETTLE or RETRY */
    WEIR_EVENT_RELEASE = 5,   /* task: nobody touches its item any more */
    WEIR_EVENT_RETRY = 6,     /* task, worker, attempt: another attempt will
                                 follow, unless it settles before.  value: ns
                                 until it is due.  flags: see below */
    WEIR_EVENT_BLOCKED = 7,   /* a producer waits for room.  task: the number
                                 of this wait at this source */
    WEIR_EVENT_UNBLOCKED = 8, /* task: the same number.  value: weir_status of
                                 the submit or put, at most 0 */
    WEIR_EVENT_PILL = 9,      /* value: poison pills that were put into the
                                 queue, INT64_MAX: for every consumer; -1: a
                                 consumer took one.  No items: they count into
                                 no depth */
    WEIR_EVENT_CLOSE = 10,    /* no more is accepted.  value: of a pool, its
                                 weir_stop_how */
    WEIR_EVENT_SCALE = 11,    /* value: workers that there are to be now */
    WEIR_EVENT_ABANDON = 12,  /* task, worker, attempt: the thread is given up;
                                 another takes its place, as another worker */
    WEIR_EVENT_EXIT = 13,     /* task, worker, attempt: the handler ended its
                                 thread, or its child.  SETTLE, RETRY or END
                                 follows */
    WEIR_EVENT_CRASH = 14,    /* the same: a fault.  value: the signal, if the
                                 task had not settled */
    WEIR_EVENT_PUT = 15,      /* value: items put into the queue */
    WEIR_EVENT_GET = 16,      /* value: items got out of it; may come before
                                 their PUT, by as long as that call takes */
    WEIR_EVENT_DISCARD = 17,  /* value: items taken out of it that nobody gets:
                                 a weir_discard_reason in `task` says why */
    WEIR_EVENT_HELD = 18,     /* task, attempt (the one to come): value: which
                                 limit holds it back, a weir_held_by; or that
                                 none does any more.  START, SETTLE or another
                                 HELD follows */
    WEIR_EVENT_CHILD = 19     /* worker: its child process has started, the
                                 first or a fresh one.  value: its pid */
} weir_event_kind;

/* What holds a task back. */
typedef enum weir_held_by {
    WEIR_HELD_BY_NONE,      /* no longer held: it waits for a worker */
    WEIR_HELD_BY_SEMAPHORE, /* its own */
    WEIR_HELD_BY_POOL,      /* the pool's semaphore */
    WEIR_HELD_BY_ADAPTIVE,
    WEIR_HELD_BY_RATE,
    WEIR_HELD_BY_BREAKER
} weir_held_by;

/* Bits of a record's flags. */
enum {
    WEIR_EVENT_ENDED = 1,   /* SETTLE, RETRY: the attempt has ended with it; no
                               END follows */
    WEIR_EVENT_RELEASED = 2 /* SETTLE: and the item is released; no RELEASE
                               follows */
};

/* A record: 48 bytes, as it lies in the ring. */
typedef struct weir_event {
    uint64_t stamp; /* once read: the record's number in its lane, from 0 */
    int64_t at_ns;  /* CLOCK_MONOTONIC */
    uint64_t task;  /* see weir_event_kind, for all of these */
    int64_t value;
    uint32_t worker;  /* UINT32_MAX: none */
    uint32_t attempt; /* 1, 2, ... */
    uint16_t kind;    /* a weir_event_kind */
    uint16_t source;  /* of which pool or queue: weir_events_read_source */
    uint32_t flags;   /* WEIR_EVENT_ENDED, ... */
} weir_event;

enum { WEIR_EVENTS_MOST_LANES = 64, WEIR_EVENTS_MOST_SOURCES = 256 };

/*
 * memory, if not NULL, is where the records are to lie: of memory_bytes, at
 * least 64 KiB, aligned to 128, all zero or of any content.  For other
 * processes map a file or a memfd of that size, MAP_SHARED.  It is yours, and
 * must stay until weir_events_destroy has been called, and every pool and queue
 * that has the events has been destroyed, and no attempt of such a pool is
 * stuck.
 */
typedef struct weir_events_options {
    size_t size;    /* set by WEIR_EVENTS_OPTIONS_INIT */
    size_t records; /* to keep, up to 2^30, rounded up to a power of two for
                       each lane; 0: 65536; with memory: leave it 0, as many as
                       fit */
    uint32_t lanes; /* that writers spread over, up to 64, rounded up to a power
                       of two; 0: by the processors, at least 4 */
    void *memory;   /* see above; NULL: allocated */
    size_t memory_bytes;
} weir_events_options;
#define WEIR_EVENTS_OPTIONS_INIT WEIR_SIZED(weir_events_options)

/*
 * Makes an empty ring.
 *
 * Owns:    the caller owns *out until weir_events_destroy(*out); borrows
 *          options->memory, see above.
 * Returns: WEIR_OK, WEIR_EINVAL (weir_last_error() names the option),
 *          WEIR_ENOMEM.  *out is written only on WEIR_OK.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_events_create(weir_events **out, const weir_events_options *options);

/*
 * For a reader: the ring that lies in memory that another process (or this one)
 * writes to, mapped for reading at least.  Nothing is written to it.
 *
 * Owns:    the caller owns *out until weir_events_destroy(*out); borrows
 *          `memory` until then.
 * Returns: WEIR_OK, WEIR_EINVAL (what lies there is no ring, is one of another
 *          version or byte order, or not all of one; `*out` cannot be given to
 *          pools and queues), WEIR_ENOMEM.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_events_attach(weir_events **out,
                                                      const void *memory,
                                                      size_t bytes);

/*
 * Lets go of it.  Pools and queues that have it keep it until they are gone.
 * NULL is allowed.
 *
 * Threads: one, with no other call on it in progress.
 */
WEIR_API void weir_events_destroy(weir_events *events);

/* Where a reader is; one reader's own.  All zero but for size: at the oldest
 * record that is kept, and told of all that is lost. */
typedef struct weir_events_cursor {
    size_t size;      /* set by WEIR_EVENTS_CURSOR_INIT */
    uint64_t read;    /* records so far */
    uint64_t lost;    /* that were overwritten before they were read, or found
                         no place: read + lost is all that ever happened, once
                         nothing is being written and read answers 0 */
    uint64_t dropped; /* of lost: found no place */
    uint64_t at[WEIR_EVENTS_MOST_LANES]; /* where it is, in each lane */
    uint64_t dropped_at;                 /* and in the count of the dropped */
} weir_events_cursor;
#define WEIR_EVENTS_CURSOR_INIT WEIR_SIZED(weir_events_cursor)

/*
 * Reads up to `room` records that the cursor has not passed, and moves it on.
 *
 * They come in the order of time.  Only what was being written at the time of
 * an earlier read, on another thread, may come later than younger records, by
 * about as long as that write took.  A torn record is never returned.
 *
 * Blocks:  never, nor does it hold up who writes.
 * Returns: how many were written to out; 0: nothing is left (or an argument is
 *          NULL, or cursor->size was never set: weir_last_error() says so).
 * Threads: any, each cursor one at a time.
 */
WEIR_API size_t weir_events_read(const weir_events *events,
                                 weir_events_cursor *cursor, weir_event *out,
                                 size_t room);

/*
 * Moves the cursor behind all that has happened; that counts as neither read
 * nor lost.
 *
 * Threads: any, each cursor one at a time.
 */
WEIR_API void
weir_events_skip(const weir_events *events, weir_events_cursor *cursor);

typedef enum weir_source_kind {
    WEIR_SOURCE_NONE, /* no such source */
    WEIR_SOURCE_POOL,
    WEIR_SOURCE_QUEUE
} weir_source_kind;

/* Who has written: 32 bytes, as it lies in memory. */
typedef struct weir_event_source {
    uint32_t kind;     /* a weir_source_kind */
    uint32_t workers;  /* of a pool, when it was made; else 0 */
    uint64_t capacity; /* tasks or items that may wait */
    char name[16];     /* the pool's or queue's; ends with a 0 byte */
} weir_event_source;

/*
 * Which pool or queue a record's source is.  They are numbered 1, 2, ... as
 * they are created; beyond 255 of them the others share number 0.  Numbers are
 * not used again.
 *
 * Returns: whether there is such a source; *out is written then.
 * Threads: any.
 */
WEIR_API bool weir_events_read_source(const weir_events *events,
                                      uint32_t source, weir_event_source *out);

/*
 * THE LAYOUT, version 1.  All numbers are of the machine's own byte order.
 *
 *   offset  bytes
 *   0       8      "weirevts"; written last: without it there is no ring yet
 *   8       4      1, the version
 *   12      4      0x01020304, as the machine writes it
 *   16      8      size of all this in bytes
 *   24      4      where the table of sources begins
 *   28      4      how many sources there may be; each takes 32 bytes
 *   32      4      where the first lane begins
 *   36      4      how many lanes there are
 *   40      8      from one lane to the next, in bytes
 *   48      8      records of a lane: a power of two
 *   56      4      bytes of a record: 48
 *   60      4      where a lane's first record begins, in the lane
 *   64      8      when the ring was made, CLOCK_MONOTONIC in ns
 *   72      8      0
 *   80      8      sources so far
 *   88      8      records that found no place
 *
 * A lane begins with the number of records ever written to it, 8 bytes.  Record
 * n of the lane, from 0, lies in place n % records.  Its stamp is 2n + 2; odd
 * while it is written; greater once it is overwritten.
 *
 * To read record n: read the stamp; read the rest; read the stamp again, all in
 * this order, with acquiring loads.  It is record n, and whole, if the stamp
 * was 2n + 2 both times; else it is lost, if n is less than the number written.
 */

WEIR_END_DECLS

#endif /* WEIR_EVENTS_H */
