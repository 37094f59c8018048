/* SPDX-License-Identifier: MIT */
/*
 * queues.h - what the tests of the queue share.
 *
 * One queue of ints on the test clock; calls that block on threads of their
 * own; and a log of what was discarded.
 */
#ifndef WEIR_TESTS_QUEUES_H
#define WEIR_TESTS_QUEUES_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/queue.h>

#include "helper.h"
#include "test_clock.h"

/* The queue under test.  Items are int unless a test says otherwise. */
extern weir_queue *queue;

/* Fixtures: the test clock; at the end the queue, if there is one, must
 * balance, and is destroyed. */
void queue_setup(void);
void queue_teardown(void);

void open_queue(size_t capacity);
void open_queue_as(size_t item_size, const weir_queue_options *options);
/* Destroys the queue now; the teardown will not. */
void end_queue(void);

/* Calls that must succeed at once. */
void must_put(int item);
int must_get(void);
void must_poison(size_t consumers);
void must_finish(size_t count);
/* Puts first, first + 1, ... `count` of them. */
void must_put_row(int first, int count);
/* Gets exactly this row. */
void must_get_row(int first, int count);

/* Calls with WEIR_NOW whose status is what matters. */
weir_status put_now(int item);
weir_status get_now(void);
weir_status join_now(void);

weir_queue_stats stats_now(void);
/* put == got + dropped + count, and what follows from it. */
void assert_balanced(void);
/* That the last refusal's words contain `word`. */
void assert_error_names(const char *word);

/* ------------------------------------------------------- calls that block */

enum { CALL_ROOM = 8 };

/* One call on a thread of its own. */
struct call {
    struct helper helper;
    weir_status (*act)(struct call *call);
    int items[CALL_ROOM]; /* to put, or got */
    size_t count;         /* of items to put or get */
    size_t done;
    weir_deadline deadline; /* its own, and far unless a test sets it */
    weir_status status;
};

/* Each starts the call and returns when it blocks. */
void block_put(struct call *call, int item);
void block_put_many(struct call *call, int first, size_t count);
void block_get(struct call *call);
void block_get_many(struct call *call, size_t count);
void block_join(struct call *call);
/* Starts any call with its deadline as it stands and returns at once. */
void start_call(struct call *call, weir_status (*act)(struct call *call));
weir_status act_put(struct call *call);
weir_status act_get(struct call *call);
weir_status act_join(struct call *call);

/* Waits for the call's return. */
weir_status end_call(struct call *call);
/* Keeps a blocked call, once it is woken, from going on until released. */
void hold_call(struct call *call);
void release_call(struct call *call);

/* ------------------------------------------------------------ discarding */

enum { DISCARD_ROOM = 64 };

/* What on_discard was told, in order. */
struct discards {
    size_t count;
    int items[DISCARD_ROOM];
    weir_discard_reason reasons[DISCARD_ROOM];
};
extern struct discards discards;

void note_discard(void *arg, void *item, weir_discard_reason reason);
/* That exactly this row was discarded, all for this reason. */
void assert_discarded(int first, int count, weir_discard_reason reason);

/* Options with `capacity` and note_discard. */
weir_queue_options noting_options(size_t capacity);

#endif /* WEIR_TESTS_QUEUES_H */
