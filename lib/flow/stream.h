/* SPDX-License-Identifier: MIT */
/*
 * stream.h - results pulled through a window.
 *
 * THE IDEA
 *
 * Two queues, of numbers, in a circle.  A ticket is the number of one of
 * `window` seats.
 *
 *     tickets ──▶ feeder: seat, next ──▶ pool ──settle──▶ settled ──▶ reader
 *        ▲                                                              │
 *        └──────────────── given back when its result is taken ◀────────┘
 *
 * Each ticket is in one place of the circle, so neither queue is ever full, and
 * a worker that has settled a task puts its ticket without waiting.  Memory for
 * items and results is in places.h, items in the pool are kept.h's.
 *
 * ORDER
 *
 * In order the reader takes tickets from `settled` as they come, and notes
 * which have arrived, until the one it is to hand out is among them.  It gives
 * them back in the order in which they were issued; so they go round in that
 * order for ever, and the next one is always the number after the last.
 *
 * THE END
 *
 * The feeder's last word goes through `settled` too: a number that is no
 * ticket.  From then on the reader knows how many results there will have been.
 *
 * CLOSING EARLY
 *
 *   1. The producer is interrupted, a feeder that waits (for a ticket, a place,
 *      or room in the pool) gives up, and is joined.
 *   2. The pool cancels what has not started, asks what runs to stop, and
 *      settles it all CANCELLED.
 *   3. The reader lets go of every place.
 *   4. Places that the pool still holds are marked, and counted in `remaining`.
 *      Whoever brings that to nothing closes the producer and frees the stream:
 *      the call itself, or the pool's last thread at an item.
 *
 * INVARIANTS
 *
 *   1. tickets issued and not given back are `window` at most, so the producer
 *      is never more than that ahead of the reader.
 *   2. Every item that the producer gave has one settle, and its ticket comes
 *      to `settled` once.
 *   3. Every item is released once: by whoever lets go of its place last.
 *
 * WHO MAY BE SLOW
 *
 * Workers and notifier put into a queue that has room, and let go of places;
 * neither waits for the reader.  The reader gives tickets back in portions
 * while the window is more than twice the workers, so that the feeder is not
 * woken for each; never later than when it waits itself.
 *
 * Locking: none of its own but the two queues' and the places', none of which
 * is held while anything else is called.
 */
#ifndef WEIR_LIB_FLOW_STREAM_H
#define WEIR_LIB_FLOW_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/queue.h>
#include <weir/stream.h>

#include "flow/feed.h"
#include "flow/places.h"
#include "pool/kept.h"

enum { WEIR__TICKETS_AT_ONCE = 32 };

/* No ticket: the feeder has ended. */
#define WEIR__LAST_WORD UINT32_MAX

/* I: set by open, then read-only.  F: the feeder's until it has ended, then the
 * reader's.  R: the reader's. */
struct weir_stream {
    weir_pool *pool;          /* I: held */
    size_t item_size, window; /* I */
    weir_order order;         /* I */
    struct weir__keeper keeper;
    struct weir__feed feed;
    struct weir__places places;
    weir_queue *tickets, *settled;          /* I: of uint32_t */
    uint32_t issued[WEIR__TICKETS_AT_ONCE]; /* F: from `tickets`, for items
                                               that are to come */
    size_t issued_count, issued_at;         /* F */
    struct weir__hint given;    /* F to write: items that the producer gave */
    struct weir__place *seated; /* F: it has no item yet */

    bool *arrived;            /* R: in order: by ticket */
    uint32_t next;            /* R: in order: the one to hand out */
    struct weir__hint taken;  /* R to write: results handed out */
    bool has_ended;           /* R: the last word has come */
    struct weir__place *lent; /* R: what was handed out last, or NULL */
    uint32_t
        come[WEIR__TICKETS_AT_ONCE]; /* R: from `settled`, not looked at yet */
    size_t come_count, come_at;
    uint32_t back[WEIR__TICKETS_AT_ONCE]; /* R: to be given back */
    size_t back_count, back_at_most;

    struct weir__counter remaining; /* A: see CLOSING EARLY */
    /* I, before the first item: told by the feeder when it ends.  NULL: nobody
     * is. */
    void (*fed)(void *arg, const struct weir__feed *feed);
    void *fed_arg;
};

/* ------------------------------------------------------- what it is told by */

/* Fills in the feed and, but for is_quiet, the keeper, which know the stream by
 * these.  Returns WEIR_OK or what weir__feed_init answers. */
weir_status weir__stream_introduce(struct weir_stream *stream,
                                   const weir_producer *producer,
                                   const weir_stream_options *options);

/* weir_stream_open.  `is_quiet`: its release is no user code. */
weir_status
weir__stream_open(weir_stream **out, weir_pool *pool,
                  const weir_producer *producer,
                  const weir_stream_options *options, bool is_quiet);
/* For the reader: the item of what next has handed out last. */
void *weir__stream_lent(const weir_stream *stream);
/* How many items it has that the reader has not taken; a moment's figure. */
size_t weir__stream_held(const weir_stream *stream);

/* The reader is done with the place. */
void weir__stream_let_go(struct weir_stream *stream, struct weir__place *place);
/* So many of `remaining` are no more; with the last of them the stream is
 * gone.  `told`: on a thread of the pool's. */
void weir__stream_end(struct weir_stream *stream, uint64_t less, bool told);

#endif /* WEIR_LIB_FLOW_STREAM_H */
