/* SPDX-License-Identifier: MIT */
/*
 * weir/stream.h - results pulled through a window.
 *
 * A stream runs a producer's items on a pool and hands their outcomes to
 * whoever asks, in order or as they come.  It has `window` tickets.  One is
 * taken before the producer is asked for an item, and given back when that
 * item's result is taken: so a reader that is slow, or away, stops the
 * producer, and neither items nor results pile up.  Workers never wait for the
 * reader.
 *
 *     producer ──ticket──▶ pool ──▶ outcome ──▶ weir_stream_next
 *         ▲                                          │
 *         └──────────── the ticket again ◀───────────┘
 */
#ifndef WEIR_STREAM_H
#define WEIR_STREAM_H

#include <stddef.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/pool.h>
#include <weir/producer.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

/* A producer's items on their way through a pool. */
typedef struct weir_stream weir_stream;

typedef enum weir_order {
    WEIR_AS_COMPLETED, /* whichever is settled first */
    WEIR_IN_ORDER      /* as the producer gave them: one that takes long holds
                          up those behind it, a window of them at most */
} weir_order;

typedef struct weir_stream_options {
    size_t size; /* set by WEIR_STREAM_OPTIONS_INIT */
    weir_handler *handler;
    void *context;    /* NULL: the pool's */
    size_t window;    /* tickets, up to 16777216; to keep a pool busy at least
                         its workers, better twice as many */
    weir_order order; /* 0: WEIR_AS_COMPLETED */
} weir_stream_options;
#define WEIR_STREAM_OPTIONS_INIT WEIR_SIZED(weir_stream_options)

/*
 * Begins to run the producer's items, each as a task of the pool: its timeout,
 * retries, time to live, callbacks and ledger are theirs too.  They always wait
 * for room in the pool, whatever its on_full; but with drop-oldest the tasks of
 * others can drop them.
 *
 * A thread of the stream's own calls next.  It reads ahead by `window` items at
 * most.  While the reader takes few results at a time it may be told so in
 * portions of a quarter of the window.
 *
 * Blocks:  no, but for the start of that thread.
 * Owns:    the caller owns *out until weir_stream_close(*out).  The producer is
 *          copied; from WEIR_OK on the stream closes it, after the last
 *          release; what its `self` is must last until then.  The pool stays
 *          yours.  The stream may outlive it, but then the pool's on_release
 *          does not run for what it still holds: close it first.
 * Returns: WEIR_OK, WEIR_EINVAL (weir_last_error() names what is wrong: a
 *          window of 0, an item_size that is not the pool's, pointers for
 *          another process), WEIR_ENOMEM, WEIR_ESYSTEM (the thread did not
 *          start), WEIR_FORKED.  *out is written only on WEIR_OK, and else the
 *          producer is not touched.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_stream_open(
    weir_stream **out, weir_pool *pool, const weir_producer *producer,
    const weir_stream_options *options);

/*
 * The next result.  What became of each item that the producer gave arrives
 * once, whatever it is; one that the pool did not accept, since it was stopped,
 * as CANCELLED with the reason as message.
 *
 * `item` gets the item's bytes, unless its attempt was still running when it
 * settled TIMED_OUT or CANCELLED: then it is not written.  It may be NULL, and
 * so may `outcome`.
 *
 * Blocks:  until there is one or the deadline.
 * Owns:    what the item points to, and the outcome's message and result, are
 *          lent until the following call of next or close, whatever that
 *          returns.  The item is released then (the pool's on_release, the
 *          producer's release, on the reader's thread), or when its attempt
 *          ends, if that is later.
 * Returns: WEIR_OK; WEIR_TIMED_OUT, and later calls go on; after the last
 *          result, for ever: WEIR_END, or what the producer failed with
 *          (weir_last_error() has its words, errno its errno), WEIR_CLOSED if
 *          the pool was stopped first, WEIR_DEGRADED if it took no more.
 *          WEIR_DEADLOCK: a handler or callback of the pool would wait for
 *          ever.  WEIR_EINVAL, WEIR_FORKED.
 * Threads: one at a time, the same for next and close.
 */
WEIR_API WEIR_MUST_USE weir_status weir_stream_next(weir_stream *stream,
                                                    void *item,
                                                    weir_outcome *outcome,
                                                    weir_deadline deadline);

/*
 * Ends the stream, at any time: the producer is interrupted, what has not
 * started is cancelled, what runs is asked to stop and settles CANCELLED.  All
 * items are settled, and released as their attempts end; then the producer is
 * closed, on whichever thread ends the last.
 *
 * Blocks:  until the producer's next has returned, which its interrupt sees to;
 *          never for handlers.
 * Owns:    the stream is gone, the pool is not.  NULL is allowed.
 * Threads: as next; from a handler of the pool too.
 */
WEIR_API void weir_stream_close(weir_stream *stream);

/*
 * Runs the handler once for each of `count` items, and waits for all.  The
 * pool's item_size says how large an item is, its max_result how large a
 * result: what the handler for items[i] gave to weir_task_result is at i times
 * max_result in `results`, with zeros behind it.
 *
 * Blocks:  until all have settled.
 * Owns:    the arrays stay yours.  `results` may be NULL if there are none.
 * Returns: WEIR_OK: all are DONE.  WEIR_FAILED: some are not; their results are
 *          zeros, as are those of items that were not taken, and
 *          weir_last_error() tells of the first.  WEIR_CLOSED,
 *          WEIR_DEGRADED: the pool took no more of them.  WEIR_DEADLOCK: from a
 *          handler or callback of the pool.  WEIR_EINVAL, WEIR_ENOMEM,
 *          WEIR_ESYSTEM, WEIR_FORKED.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_map(weir_pool *pool,
                                            weir_handler *handler,
                                            const void *items, size_t count,
                                            void *results);

WEIR_END_DECLS

#endif /* WEIR_STREAM_H */
