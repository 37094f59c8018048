/* SPDX-License-Identifier: MIT */
/*
 * traffic.h - many threads on one queue, and every item accounted for.
 *
 * Each putter numbers its items; each getter checks that every putter's
 * numbers only go up, and adds up what it got.
 */
#ifndef WEIR_TESTS_TRAFFIC_H
#define WEIR_TESTS_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include <weir/queue.h>

enum { TRAFFIC_MOST = 8 }; /* putters, and getters */

/* How the getters learn that it is over. */
enum traffic_end {
    TRAFFIC_CLOSE,  /* close after the last put */
    TRAFFIC_PILLS,  /* a pill for each getter */
    TRAFFIC_POISON, /* poison for every consumer */
    TRAFFIC_ABORT,  /* in the middle of it */
    TRAFFIC_ENDS
};

/* How the threads call the queue. */
enum traffic_style {
    TRAFFIC_PATIENT, /* without limit */
    TRAFFIC_HASTY,   /* until a deadline that often passes, again and again */
    TRAFFIC_BATCHES, /* several items at once */
    TRAFFIC_STYLES
};

struct traffic {
    size_t putters, getters, capacity;
    size_t items; /* of each putter */
    enum traffic_style style;
    enum traffic_end end;
    weir_on_full on_full;
    weir_pressure *on_pressure; /* may be NULL */
};

/* Runs it to its end and checks that each item was got once, or was discarded
 * once, or was never accepted; that order held; that the figures balance. */
void traffic_run(const struct traffic *traffic);

/* The least of these that a slow build still has time for; at least 1. */
size_t traffic_items(size_t items);

#endif /* WEIR_TESTS_TRAFFIC_H */
