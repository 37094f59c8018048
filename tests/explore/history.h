/* SPDX-License-Identifier: MIT */
/*
 * history.h - the calls of one execution as they looked from outside.
 *
 * A call begins with its first step and ends when it answers; both moments are
 * stamps, so that which of two calls came first is known, or that neither did.
 */
#ifndef WEIR_EXPLORE_HISTORY_H
#define WEIR_EXPLORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/queue.h>

enum { HISTORY_CALLS = 40, CALL_ITEMS = 4 };

enum call_kind {
    CALL_PUT,  /* items offered, done of them accepted */
    CALL_GET,  /* items got */
    CALL_DONE, /* task_done for `count` */
    CALL_JOIN,
    CALL_POISON, /* for `count` consumers */
    CALL_CLOSE,
    CALL_ABORT,
    CALL_INTERRUPT, /* of getters that can be */
    CALL_IS_CLOSED  /* count: the answer */
};

struct call {
    enum call_kind kind;
    unsigned thread;
    uint64_t began, ended; /* ended 0: not yet */
    uint64_t late;         /* its deadline had passed; 0: no matter */
    bool missed; /* a read in it did not see what was written in a weak order */
    bool is_now; /* its deadline was WEIR_NOW */
    weir_status status;
    size_t count, done;
    uint64_t items[CALL_ITEMS];
    uint64_t victims[CALL_ITEMS]; /* discarded by this call, in order */
    size_t victim_count;
};

struct history {
    size_t capacity; /* of the queue */
    weir_on_full on_full;
    bool stands_back; /* newcomers may have to let a chance go */
    size_t count;
    struct call calls[HISTORY_CALLS];
};

extern struct history history;

void history_reset(size_t capacity, weir_on_full on_full, bool stands_back);

/* The calling thread is about to make this call. */
struct call *history_begin(enum call_kind kind);
/* It answered. */
void history_end(struct call *call, weir_status status);

/* Whether another call of this kind was under way at some moment between its
 * acting at the earliest and its end. */
bool history_beside(const struct call *call, enum call_kind kind);
/* The earliest moment at which it can have acted: a call that ran out of time
 * looked once more when the time had come. */
uint64_t history_earliest(const struct call *call);

/* What the calls answered, and which ended before which began, as a number. */
uint64_t history_outcome(void);

#endif /* WEIR_EXPLORE_HISTORY_H */
