/* SPDX-License-Identifier: MIT */
/*
 * places.h - where a stream's items and outcomes lie.
 *
 * THE IDEA
 *
 * A place has room for one item, its outcome, message and result.  Two hold it:
 * the reader, until it is done with the result, and the pool, while it may
 * touch the item.  Whoever lets go last releases the item, and then the place
 * is free.
 *
 *     free ──seat──▶ reader and pool ──┬── pool lets go ──▶ reader ──┐
 *      ▲                               └── reader does ───▶ pool ────┤
 *      └──────────────── the item is released ◀──────────────────────┘
 *
 * The reader gives a ticket back before it is done with the result, and may do
 * so while an overdue attempt is still at the item.  So there are more places
 * than tickets: one for what the reader has been lent, and one for each attempt
 * that a pool can have at a time.
 *
 * WAITING
 *
 * If all places are held the feeder marks them as wanted, looks again, and
 * waits.  That takes attempts that overstay, and more of them than the pool had
 * room for when the stream was opened.  Whoever frees a wanted place does so
 * with the lock, and wakes the feeder.
 *
 * THE LAST TOUCH
 *
 * The moment a place is free the stream may be gone, if it is being closed.  So
 * whoever frees one that is not wanted touches nothing afterwards; and who
 * frees a wanted one has the lock, which the close takes once before it lets
 * the stream go.
 *
 * MEMORY ORDER
 *
 * Holds are let go by a read-modify-write: what either did with the place comes
 * before what the last one does, and that before the next use.
 */
#ifndef WEIR_LIB_FLOW_PLACES_H
#define WEIR_LIB_FLOW_PLACES_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

#include <weir/task.h>

#include "base/atomic.h"
#include "base/lock.h"
#include "base/park.h"
#include "pool/kept.h"
#include "task/task.h"

enum weir__hold {
    WEIR__HELD_BY_POOL = 1,
    WEIR__HELD_BY_READER = 2,
    WEIR__HELD_AFTER_CLOSE = 4, /* the stream waits for it, to end */
    WEIR__HELD_BUT_WANTED = 8
};

/* F: the feeder's, until the pool has the item.  P: then whoever settles it,
 * until that is published.  The reader reads.
 *
 * What travels between them is packed: with a small item it is two lines of the
 * cache; message and result lie elsewhere. */
struct weir__place {
    struct weir__counter holds; /* A: set of enum weir__hold */
    struct weir__kept kept;     /* F */
    uint32_t ticket;            /* F */
    bool accepted;              /* F: by the pool */
    bool settled;               /* P */
    bool overdue;               /* P: a handler is still at the item */
    bool has_message;           /* P */
    /* P: of the outcome. */
    weir_outcome_kind kind;
    int code;
    uint32_t attempts;
    uint64_t task_id;
    int64_t waited_ns, ran_ns;
    size_t result_size;
    unsigned char *words; /* I: room for a message, and a result behind it */
    alignas(max_align_t) unsigned char item[];
};

struct weir__places {
    struct weir__place **seats; /* F: by ticket */
    struct weir__place **spare; /* F: the others */
    size_t tickets, spares;
    size_t at; /* F: the spare one that is looked at next */
    size_t stride;
    unsigned char *memory; /* `stride` bytes for each place */
    unsigned char *words;  /* of all of them */
    struct weir__mutex lock;
    struct weir__waitlist freed; /* L: the feeder */
};

/* WEIR_OK, WEIR_ENOMEM, WEIR_ESYSTEM: then `memory` is NULL and there is
 * nothing to dispose of. */
weir_status
weir__places_init(struct weir__places *places, size_t tickets, size_t spares,
                  size_t item_size, size_t result_size);
void weir__places_dispose(struct weir__places *places);

/* The place of an item. */
static inline struct weir__place *weir__place_of(const void *item)
{
    return (struct weir__place *)((const unsigned char *)item -
                                  offsetof(struct weir__place, item));
}

/* The n-th of them all. */
static inline struct weir__place *
weir__places_at(const struct weir__places *places, size_t n)
{
    return (struct weir__place *)(void *)(places->memory + n * places->stride);
}

/* For the feeder: a free place for the ticket, held by both; waits for one.
 * NULL: there is none, and *gives_up has been set. */
struct weir__place *
weir__places_seat(struct weir__places *places, uint32_t ticket,
                  const struct weir__flag *gives_up);
/* Has it look at its flag.  And nobody is in the lock afterwards who came
 * before, which a close needs as well. */
void weir__places_recall(struct weir__places *places);

/* The outcome, copied; by whoever settles. */
void weir__place_settle(struct weir__place *place, const weir_outcome *outcome,
                        bool overdue);
/* The same, for whoever reads it; message and result stay the place's. */
weir_outcome weir__place_outcome(const struct weir__place *place);

/* Whether the item is now the caller's to release, and the place to free. */
bool weir__place_let_go(struct weir__place *place, enum weir__hold hold);
/* Nobody holds it any more.  Returns whether it was held after the close. */
bool weir__places_free(struct weir__places *places, struct weir__place *place);

#endif /* WEIR_LIB_FLOW_PLACES_H */
