/* SPDX-License-Identifier: MIT */
/*
 * estimate.h - how much a service can take, from how calls go.
 *
 * THE IDEA
 *
 * Calls are looked at in windows of as many as the limit lets in, which is
 * about the time of one call; counted, not timed, so that a clock that jumps
 * moves no window.
 *
 *   AIMD      a good window, half of the limit in use: limit + 1, or + 1/4 near
 *             where it was overloaded last; overloaded: limit * 0.9
 *   gradient  limit * g + sqrt(limit) / 2, half-way from what it is, or a
 *             fifth of the way when it is about right, where
 *             g = tolerance * unqueued / latency, within 1/2 and 1
 *
 * The square root is the queue that is allowed: it makes the limit grow while
 * there is none (g = 1), and it settles where g gives away as much.
 *
 * `unqueued` is the lowest latency of any window since the last probe.  A probe
 * halves the limit for two windows: the first drains what was queued, the
 * second is measured.  Without it, a service that has become slower for good
 * would look overloaded for ever, and a queue that was there from the start
 * would be taken for none.
 *
 *   following ──10, 70, 500, 500 … windows, or 20 slow ones──▶ draining ──▶
 * probing ▲ │ └────────────────────────── the limit of before
 * ───────────────────────┘
 *
 * Each fall begins another epoch.  Overload is heeded only from a call that
 * began in the present one: the others were on their way when it fell.
 *
 * Pure: no lock, no clock.  One way of telling how a call went for each room
 * that asks: a pool will use this as it is.
 *
 * WHY NOT THE LONG-TERM AVERAGE of Netflix's Gradient2 in place of `unqueued`:
 * with a queue that stands for long it becomes the normal, and the limit
 * creeps up.
 */
#ifndef WEIR_LIB_LIMIT_ESTIMATE_H
#define WEIR_LIB_LIMIT_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/adaptive.h>

enum weir__estimate_phase { WEIR__FOLLOWING, WEIR__DRAINING, WEIR__PROBING };

struct weir__estimate {
    weir_adaptive_options options; /* as read: no zeros */
    double limit;
    uint64_t epoch; /* 1, 2, ... */

    uint64_t samples; /* of this window */
    double sum_ns;    /* of their latencies */
    size_t busiest;   /* in flight at most */

    double ceiling;     /* AIMD: where it was overloaded last; 0: never */
    double unqueued_ns; /* gradient; 0: not known yet */
    enum weir__estimate_phase phase;
    uint64_t windows;  /* since the last probe */
    uint64_t interval; /* windows to the next */
    uint64_t slow;     /* windows in a row */
};

/* Fills in defaults and checks.  WEIR_OK, WEIR_EINVAL. */
weir_status weir__estimate_read(weir_adaptive_options *into,
                                const weir_adaptive_options *options);

void weir__estimate_init(struct weir__estimate *estimate,
                         const weir_adaptive_options *options);

/* What may be in flight now. */
size_t weir__estimate_limit(const struct weir__estimate *estimate);

/* A call of this epoch ended, with so many in flight, itself included.  A
 * negative latency is not known. */
void weir__estimate_note(struct weir__estimate *estimate, uint64_t epoch,
                         size_t in_flight, int64_t latency_ns,
                         weir_result result);

#endif /* WEIR_LIB_LIMIT_ESTIMATE_H */
