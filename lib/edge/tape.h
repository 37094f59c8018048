/* SPDX-License-Identifier: MIT */
/*
 * tape.h - events put together again: attempts, waits, and how deep it was.
 *
 * Records say when something began and when it ended.  A tape reads all that a
 * ring still has and joins the two, by task and by wait; so whoever draws has
 * spans.  What lost its beginning is left out, what has not ended ends with the
 * tape.  On a worker's lane no two spans overlap, whatever was lost: an attempt
 * ends at the latest where the next one begins.
 */
#ifndef WEIR_LIB_EDGE_TAPE_H
#define WEIR_LIB_EDGE_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/events.h>

/* What a span ended as, beside a weir_outcome_kind. */
enum { WEIR__SPAN_OPEN = 100, WEIR__SPAN_RETRIED, WEIR__SPAN_WAIT };

/* An attempt, or a producer's wait for room. */
struct weir__span {
    int64_t from_ns, to_ns;
    uint64_t task;
    uint32_t attempt;
    uint32_t lane; /* the worker; of those without one, and of waits, a row in
                      which no two overlap */
    uint16_t source;
    bool has_worker;
    bool is_open; /* it goes on */
    bool is_abandoned;
    int how; /* a weir_outcome_kind, or of the above */
};

/* How many tasks or items waited from a moment on. */
struct weir__depth {
    int64_t at_ns;
    int64_t depth;
    uint16_t source;
};

struct weir__tape {
    weir_event *records;
    size_t count;
    uint64_t lost;
    struct weir__span *attempts, *waits;
    size_t attempt_count, wait_count;
    struct weir__depth *depths;
    size_t depth_count;
    weir_event_source sources[WEIR_EVENTS_MOST_SOURCES];
};

/* WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM. */
weir_status weir__tape_read(struct weir__tape **out, const weir_events *events);
void weir__tape_destroy(struct weir__tape *tape); /* or NULL */

enum { WEIR__TAPE_NAME = 32 };
/* What to call a source: its name, with its number if others have that name. */
void weir__tape_name(const struct weir__tape *tape, uint32_t source,
                     char into[WEIR__TAPE_NAME]);
/* Says so, and returns WEIR_ENOMEM. */
weir_status weir__tape_no_memory(void);

#endif /* WEIR_LIB_EDGE_TAPE_H */
