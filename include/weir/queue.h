/* SPDX-License-Identifier: MIT */
/*
 * weir/queue.h - a bounded, blocking, first-in first-out queue of values.
 *
 * Items are `item_size` bytes, copied in and copied out, so a full queue costs
 * what it costs and no more.  Any number of threads may put and get at once.
 * Order is first in first out for the queue as a whole, hence per producer.
 *
 * When an answer could be more than one, the first of these is given: to a
 * putter closed, then room, then timed out; to a getter whichever comes first
 * of item and pill, then closed, then timed out.  WEIR_NOW never waits.
 *
 * Items pass without a lock.  A thread that stands still in the middle of a put
 * holds up the items behind its own, and in the middle of a get the room: what
 * cannot wait (WEIR_NOW, WEIR_ON_FULL_REFUSE) may then be told that there is
 * nothing, or no room, though a later call of another thread has returned.  So
 * they may while a waiting thread that was overtaken too often, and has been
 * woken, has not come to take its turn.
 */
#ifndef WEIR_QUEUE_H
#define WEIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/events.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_queue weir_queue;

/* What a put does when there is no room. */
typedef enum weir_on_full {
    WEIR_ON_FULL_WAIT,        /* wait for room until the deadline */
    WEIR_ON_FULL_REFUSE,      /* WEIR_FULL at once */
    WEIR_ON_FULL_DROP_OLDEST, /* make room; the victim goes to on_discard */
    WEIR_ON_FULL_CALLER_RUNS  /* pools only: run the task in the submitter */
} weir_on_full;

typedef enum weir_discard_reason {
    WEIR_DISCARD_OVERLOAD, /* dropped to make room */
    WEIR_DISCARD_ABORT,    /* inside when the queue was aborted */
    WEIR_DISCARD_DESTROY   /* inside when the queue was destroyed */
} weir_discard_reason;

/*
 * Gets an item that nobody will get.  `item` is the address of the copy, lent
 * until the callback returns.  Runs on the thread that put, aborted or
 * destroyed, with no weir lock held; may call any weir function, but may not
 * destroy this queue nor join it.
 */
typedef void weir_discarded(void *arg, void *item, weir_discard_reason reason);

/*
 * Says that the queue rose to high_water (`high`) or fell to low_water.  Runs
 * on whichever thread crossed the mark, one at a time, with no weir lock held;
 * may call any weir function, but may not destroy this queue.  Calls
 * alternate, the last one tells the truth, a brief crossing may be missed.
 */
typedef void weir_pressure(void *arg, bool high);

typedef struct weir_queue_options {
    size_t size;          /* set by WEIR_QUEUE_OPTIONS_INIT */
    size_t capacity;      /* items, 1 or more; 0: 1024 */
    weir_on_full on_full; /* 0: wait; not WEIR_ON_FULL_CALLER_RUNS */
    size_t high_water;    /* items, up to capacity; 0: capacity */
    size_t low_water; /* items, below high_water; 0: capacity / 4, or just below
                         high_water if that is less */
    weir_discarded *on_discard; /* NULL: discarded items are only counted */
    void *on_discard_arg;
    weir_pressure *on_pressure; /* NULL: no water marks */
    void *on_pressure_arg;
    weir_events *events; /* gets what happens here; may be shared; NULL: none */
    const char *name;    /* in events, traces and probes; up to 15 bytes are
                            copied; NULL: "queue" */
} weir_queue_options;
#define WEIR_QUEUE_OPTIONS_INIT WEIR_SIZED(weir_queue_options)

/* poison() for every consumer there is and will be: the classic pill that each
 * consumer puts back for the next. */
#define WEIR_EVERY_CONSUMER SIZE_MAX

/*
 * Makes an empty queue for items of `item_size` bytes, 1 to 4096.
 *
 * Owns:    the caller owns *out until weir_queue_destroy(*out).
 * Returns: WEIR_OK, WEIR_EINVAL (weir_last_error() names the option),
 *          WEIR_ENOMEM, WEIR_ESYSTEM.  *out is written only on WEIR_OK.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_create(
    weir_queue **out, size_t item_size, const weir_queue_options *options);

/*
 * Ends the queue; items still inside go to on_discard.  NULL is allowed; in a
 * fork child it does nothing.
 *
 * Threads: one, when every other call on this queue has *returned*: having
 *          received the last item is not enough.
 */
WEIR_API void weir_queue_destroy(weir_queue *queue);

/*
 * Appends a copy of *item.
 *
 * Blocks:  until there is room, the queue closes, or the deadline passes
 *          (WEIR_ON_FULL_WAIT); to drop, for a call that is in the middle of
 *          the oldest item; else never.
 * Owns:    on WEIR_OK the queue holds the copy; otherwise nothing has moved.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_CLOSED, WEIR_FULL (refuse),
 *          WEIR_FORKED, WEIR_EINVAL.
 * Threads: any; from a pool's handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_put(weir_queue *queue,
                                                  const void *item,
                                                  weir_deadline deadline);

/*
 * Moves the oldest item into *item.
 *
 * Blocks:  until there is an item or a pill, the queue closes, or the deadline
 *          passes.
 * Owns:    on WEIR_OK the caller holds *item; otherwise it is untouched.
 * Returns: WEIR_OK, WEIR_POISONED, WEIR_CLOSED (and empty), WEIR_TIMED_OUT,
 *          WEIR_FORKED, WEIR_EINVAL.
 * Threads: any; from a pool's handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_get(weir_queue *queue, void *item,
                                                  weir_deadline deadline);

/*
 * Appends `count` items that lie one behind the other, in order.  Not atomic:
 * others' items may come between, and the deadline may pass half-way.
 *
 * Blocks:  as weir_queue_put, for each item.
 * Owns:    the queue holds the first *done items; the rest stay yours.
 * Returns: WEIR_OK if all were accepted (0 of 0 too), else what stopped it, as
 *          weir_queue_put.  *done is always written; NULL is allowed.
 * Threads: any; from a pool's handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_put_many(weir_queue *queue,
                                                       const void *items,
                                                       size_t count,
                                                       size_t *done,
                                                       weir_deadline deadline);

/*
 * Waits for one item, then takes what is there, up to `count`; never crosses a
 * pill.
 *
 * Blocks:  as weir_queue_get, for the first item only.
 * Owns:    the caller holds the first *done items.
 * Returns: WEIR_OK (1 or more items; 0 of 0), else as weir_queue_get.  *done
 *          is always written; NULL is allowed only if count is 0 or 1.
 * Threads: any; from a pool's handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_get_many(weir_queue *queue,
                                                       void *items,
                                                       size_t count,
                                                       size_t *done,
                                                       weir_deadline deadline);

/*
 * Says that `count` items that were got are finished with.  Independent of
 * closing: whoever got an item owes it, before and after.
 *
 * Returns: WEIR_OK, WEIR_EINVAL (more than are unfinished: nothing changes),
 *          WEIR_FORKED.
 * Threads: any; from a pool's handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_task_done(weir_queue *queue,
                                                        size_t count);

/*
 * Waits until every item ever put is finished: got and task_done, or discarded
 * and on_discard has returned.  Closes nothing, and closing does not end it.
 *
 * Blocks:  until nothing is unfinished or the deadline passes.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_FORKED, WEIR_EINVAL.
 * Threads: any, but not on_discard of this queue.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_join(weir_queue *queue,
                                                   weir_deadline deadline);

/*
 * Leaves pills behind the items already put: the next `consumers` getters that
 * reach them get WEIR_POISONED, once each.  Pills take no room and count
 * nowhere.  With WEIR_EVERY_CONSUMER each getter that comes gets one, for
 * ever, and further puts are refused with WEIR_CLOSED.
 *
 * Blocks:  never; allocates.
 * Returns: WEIR_OK, WEIR_EINVAL (0 consumers), WEIR_CLOSED, WEIR_ENOMEM,
 *          WEIR_FORKED.
 * Threads: any; from a pool's handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_queue_poison(weir_queue *queue,
                                                     size_t consumers);

/*
 * Refuses further puts, blocked ones too (their items stay theirs).  Getters
 * drain what is inside, pills included, and then get WEIR_CLOSED.  There is no
 * reopening; again is a no-op; an abort may follow.  In a fork child it does
 * nothing.
 *
 * Blocks:  never.
 * Threads: any; from a pool's handler too.
 */
WEIR_API void weir_queue_close(weir_queue *queue);

/*
 * Closes, and discards what is inside: items go to on_discard, pills vanish.
 * In a fork child it does nothing.
 *
 * Blocks:  while on_discard runs, and for a put that is in the middle of its
 *          item.
 * Threads: any; from a pool's handler too.
 */
WEIR_API void weir_queue_abort(weir_queue *queue);

/*
 * A descriptor for poll(), epoll and event loops: readable while a get with
 * WEIR_NOW would answer anything but WEIR_TIMED_OUT, that is, while there is an
 * item or a pill, or the queue is over.
 *
 * It is the queue's: never read, write or close it.  What makes it unreadable
 * is a get that answers WEIR_TIMED_OUT, nothing else.  So whoever polls gets
 * with WEIR_NOW; with level-triggered polling as often as it likes, with
 * edge-triggered (EPOLLET) each time until the answer is WEIR_TIMED_OUT: a
 * batch that came out short is not that answer.  It may be readable though
 * there is nothing (another thread got the item, an item is just being put);
 * it is never unreadable while there is something.  Several threads may poll
 * it; all are told.
 *
 * Blocks:  never.
 * Owns:    lends the descriptor until weir_queue_destroy, which closes it: take
 *          it out of the event loop before.  It is made at the first call; a
 *          queue without one pays nothing for it.  It is CLOEXEC.
 * Returns: the descriptor, the same each time, or -1 with errno: EMFILE,
 *          ENFILE, ENOMEM; EINVAL (NULL), EPERM (in a fork child, where an
 *          inherited one still shows the parent's queue).
 * Threads: any; from a pool's handler too.
 */
WEIR_API int weir_queue_item_fd(weir_queue *queue);

/*
 * The same for putting: readable while a put with WEIR_NOW would not answer
 * WEIR_TIMED_OUT, nor WEIR_FULL, that is, while there is room, or the queue is
 * closed; always with WEIR_ON_FULL_DROP_OLDEST.  A put that gives one of these
 * answers makes it unreadable.  Note that it is polled for reading.
 *
 * Blocks, Owns, Returns, Threads: as weir_queue_item_fd.
 */
WEIR_API int weir_queue_room_fd(weir_queue *queue);

/* Items inside; exact at quiet, else a glance.  0 in a fork child.  Any
 * thread. */
WEIR_API size_t weir_queue_count(const weir_queue *queue);

/* Items there is room for in all.  Any thread. */
WEIR_API size_t weir_queue_capacity(const weir_queue *queue);

/* Items put and not finished: what join waits for.  0 in a fork child.  Any
 * thread. */
WEIR_API size_t weir_queue_unfinished(const weir_queue *queue);

/* Whether puts are refused: closed, aborted, or poisoned for every consumer.
 * False in a fork child.  Any thread. */
WEIR_API bool weir_queue_is_closed(const weir_queue *queue);

/* put == got + dropped + count, at every moment. */
typedef struct weir_queue_stats {
    size_t size;      /* set by WEIR_QUEUE_STATS_INIT */
    uint64_t put;     /* items accepted */
    uint64_t got;     /* items handed out */
    uint64_t refused; /* items offered and not accepted, whatever the status */
    uint64_t dropped; /* items accepted and then discarded, any reason */
    uint64_t put_waits; /* puts that had to wait */
    uint64_t get_waits; /* gets that had to wait */
    size_t count;       /* items now */
    size_t most;        /* items at most so far */
} weir_queue_stats;
#define WEIR_QUEUE_STATS_INIT WEIR_SIZED(weir_queue_stats)

/*
 * Writes one consistent snapshot; only the first out->size bytes.
 *
 * Threads: any.  In a fork child all figures are 0.
 */
WEIR_API void
weir_queue_read_stats(const weir_queue *queue, weir_queue_stats *out);

WEIR_END_DECLS

#endif /* WEIR_QUEUE_H */
