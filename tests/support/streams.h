/* SPDX-License-Identifier: MIT */
/*
 * streams.h - a pool, a source of numbers, and a stream of them.
 *
 * Items are int: 0, 1, 2, ...  The handler is `act`, by its number.
 */
#ifndef WEIR_TESTS_STREAMS_H
#define WEIR_TESTS_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/pool.h>
#include <weir/stream.h>

#include "gate.h"

enum { NUMBERS_AT_MOST = 4096 };

/* What becomes of the numbers.  The producer's side, and the pool's. */
struct numbers {
    int count;
    weir_status end; /* what follows them; OK: WEIR_END */
    int error;       /* errno then */
    bool blocks;     /* or nothing does, until it is interrupted */
    bool exits;      /* or its thread ends */
    bool may_lose;   /* an item may go unreleased */
    struct gate interrupted;
    struct tally got, settled, released, closed, at_end;
    struct tally pool_settled, pool_released;
    unsigned char releases[NUMBERS_AT_MOST];
};
extern struct numbers numbers;
extern weir_producer source;

/* The pool, its options, and the stream's: two workers, a window of 4. */
extern weir_pool *pool;
extern weir_pool_options options;
extern weir_stream_options how;
extern weir_stream *stream;

/* What the handler does with a number; NULL: it answers 0. */
extern int (*act)(weir_task *task, int number);
extern struct tally started;
extern struct gate may_finish;
extern struct tally returned;

/* Acts: return the number as result; wait for may_finish; the same until asked
 * to stop. */
int act_result(weir_task *task, int number);
int act_wait(weir_task *task, int number);
int act_listen(weir_task *task, int number);

/* Fixtures. */
void streams_setup(void);
void streams_teardown(void); /* all was settled, released, closed once */

void open_pool(void);
void open_stream(int count);
/* The pool and a stream of so many. */
void open_both(int count);
/* The source is not to be opened. */
void close_source_of_numbers(void);
void close_stream(void);
void close_pool(void);

/* The next result, which has to be there in time; the number it is of. */
int take(weir_outcome *outcome);
void must_take(int number, weir_outcome_kind kind);
/* That there is none now. */
void must_wait(void);
/* That it is over, and how. */
void must_end(weir_status status);

#endif /* WEIR_TESTS_STREAMS_H */
