/* SPDX-License-Identifier: MIT */
/*
 * state.h - what a queue consists of, for the rooms that work on it.
 *
 * THE IDEA
 *
 * A ring (ring.h) carries the items without a lock while there are items and
 * room.  A lock and three event counts (base/eventcount.h) carry the waiting:
 * putters for room, getters for an item or a pill, joiners for the last item
 * to be finished.  Whatever is rare (pills, drops, closing, standing back)
 * happens under the lock, and a flag in the ring's head or tail sends everybody
 * there.
 *
 *     put ──▶ tail ─────── ring ─────── head ──▶ get
 *              │ CLOSED, STAND_BACK      │ PILLS, STAND_BACK
 *              ▼                         ▼
 *            lock: wait for room       lock: wait for an item, take a pill
 *
 * STATES
 *
 *   open      ──close──────────────────▶  closed     puts refused, gets drain
 *   open      ──poison(every consumer)─▶  poisoned   closed, and each getter
 *                                                    that finds it empty gets
 *                                                    WEIR_POISONED
 *   any       ──abort──────────────────▶  closed     and emptied of items,
 *                                                    pills and poison
 *
 * INVARIANTS (hold whenever `lock` is free)
 *
 *   1. The ring holds the items put and neither got nor dropped, in the order
 *      of their puts: count == put - got - dropped <= capacity.
 *   2. A pill acts when as many items have left as were put before it.  While
 *      there is a pill, PILLS is set, and only who holds the lock moves the
 *      head.
 *   3. CLOSED once set stays.  After that the tail stands still, and nobody
 *      waits but for an item that is just being put.
 *   4. If there is an item or a pill that is due, no getter sleeps without a
 *      wake-up on its way to it or to a getter that will pass it on; if there
 *      is room, no putter does.
 *   5. unfinished == items put, less `finished`.
 *
 * WAKING
 *
 * A put looks whether getters are armed, a get whether putters are; at most one
 * wake-up is on its way, and the woken thread wakes the next if there is more
 * (base/eventcount.h).  With the item of slot k claimed but not yet published,
 * and k + 1 published, one wake-up alone would strand k + 1: that is why the
 * one who gets k looks again.
 *
 * What is claimed counts as there: a thread parks without limit only if it has
 * armed its side and then found nothing claimed, and a thread that leaves wakes
 * the next if anything is.  If something is claimed and cannot be had yet, it
 * is `coming`, and there are two cases.  Either the claimer has not looked at
 * `armed` yet: it will, and wake.  Or it has, before we armed: then it has
 * written the stamp before that, and the processor is about to show it to us.
 * So a thread that sees something coming polls for a moment, and then parks,
 * but not for longer than NAP_NS: no processor keeps a store for so long, and
 * if it did, we would look again.
 *
 * A closed queue with an item still coming makes getters wait.  The put that
 * publishes it wakes one, and each that leaves wakes the next, for CLOSED is an
 * answer too.
 *
 * POLLING
 *
 * Each side may have a descriptor (base/eventcount.h).  A call that answers
 * WEIR_TIMED_OUT, or WEIR_FULL for want of room, hushes it and looks again, at
 * what is claimed, as who leaves does.  So it is quiet only if, after it was
 * armed, nothing was claimed: every put or get from then on has yet to look at
 * `armed`.  If something is coming the descriptor is told anew, and whoever
 * polls comes again, and again, until it is there: a thread in the middle of
 * its call holds them up in the loop as it holds up others in their naps.  The
 * same if newcomers stand back for a thread that was woken.
 *
 * Nothing else hushes it, not even a get that leaves the queue empty: that
 * would cost each get a look at the tail.
 *
 * MEMORY ORDER: ring.h, eventcount.h.
 *
 * WHY NOT ONE LOCK FOR ALL OF IT
 *
 * That is the textbook's queue, and was ours: 55 ns an item with 1 putter and
 * 1 getter, 205 ns with 4 of each, where this takes 10.
 *
 * LIMITS
 *
 * A thread that stands still between claim and publish holds up who is behind
 * it: a get with WEIR_NOW may say WEIR_TIMED_OUT though a later put has
 * returned, a put with WEIR_NOW though a later get has.
 *
 * Locking: rank QUEUE.  No user code runs and nothing is allocated under it.
 */
#ifndef WEIR_LIB_QUEUE_STATE_H
#define WEIR_LIB_QUEUE_STATE_H

#include <weir/events.h>
#include <weir/queue.h>

#include "base/annotate.h"
#include "base/atomic.h"
#include "base/eventcount.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/spin.h"
#include "observe/probe.h"
#include "queue/marks.h"
#include "queue/pills.h"
#include "queue/ring.h"

/* How often a thread looks for what is coming before it parks.  Exploration
 * sets it. */
#ifndef WEIR__QUEUE_POLLS
# define WEIR__QUEUE_POLLS 64
#endif

/* As much of a name as events have. */
enum { WEIR__QUEUE_NAME = sizeof(((weir_event_source *)0)->name) };

/* A probe of a queue's: see observe/probe.h. */
#define WEIR__QUEUE_PROBE(q, event, task, value)                               \
 WEIR__PROBE(event, task, -1, 0, value, (q)->name)

/* One side of the queue: who waits there, and how. */
struct weir__side {
    struct weir__eventcount event;
    struct weir__counter *word; /* I: the ring's, whose flags it sets */
    uint64_t waits;             /* L: calls that had to wait */
    /* Written while threads spin; the above is read by every call. */
    _Alignas(WEIR__APART) struct weir__spin spin;
};

/* I: set by create, then read-only.  L: only with `lock` held.  A: atomic. */
struct weir_queue {
    struct weir__ring ring;
    /* Written rarely, read by every call: apart from what is not. */
    _Alignas(WEIR__APART) uint64_t generation; /* I: see base/fork.h */
    weir_queue_options options;                /* I: with defaults filled in */
    bool is_heeded;                            /* I: it has events, or marks */
    uint16_t source;                           /* I: its number in the events */
    char name[WEIR__QUEUE_NAME];               /* I: options.name is this */
    struct weir__side getters;                 /* nothing to get */
    struct weir__side putters;                 /* no room */
    struct weir__hint ending;    /* A: before CLOSED: do not spin */
    struct weir__flag told_high; /* A: what on_pressure was told; L to write */
    struct weir__hint refused;   /* A: items */
    struct weir__mutex lock;
    struct weir__pills pills;        /* L: in ordinals of the head */
    bool poisoned;                   /* L: for every consumer */
    bool has_told_end;               /* L: its events know that it is closed */
    uint64_t blocked;                /* L: puts that had to wait, so far */
    struct weir__marks marks;        /* L: water marks */
    uint64_t dropped;                /* L: items */
    struct weir__eventcount joiners; /* unfinished > 0 */
    /* Getters write it in their own time. */
    _Alignas(WEIR__APART) struct weir__counter finished; /* A: items */
};

/* Why a handle, or its items, are of no use: WEIR_EINVAL, WEIR_FORKED. */
weir_status weir__queue_refuse(const weir_queue *q);

/* Returns WEIR_OK, WEIR_EINVAL, WEIR_FORKED. */
static inline weir_status
weir__queue_check(const weir_queue *q, const void *items, size_t count)
{
    if (q && (items || count == 0) && !weir__is_forked(q->generation))
        return WEIR_OK;
    return weir__queue_refuse(q);
}

static inline bool weir__queue_is_closed(const weir_queue *q)
{
    return weir__counter_read(&q->ring.tail) & WEIR__RING_CLOSED;
}

/* Whether there is nothing else to do: no end, no pill, nobody to let go first.
 * One processor need not even look. */
static inline bool
weir__queue_may_spin(const weir_queue *q, const struct weir__side *side)
{
    return weir__spin_is_on(&side->spin) && !weir__hint_read(&q->ending) &&
           !(weir__counter_read(side->word) & WEIR__RING_FLAGS);
}

/* Wakes the first thread that waits on `side`, if one must be woken. */
void weir__queue_wake_one(weir_queue *q, struct weir__side *side);
static inline void weir__queue_wake(weir_queue *q, struct weir__side *side)
{
    if (WEIR_RARELY(weir__eventcount_is_armed(&side->event)))
        weir__queue_wake_one(q, side);
}

/*
 * Parks a thread that has armed its side and looked again: until woken, or, if
 * what it waits for is `coming`, at most for a short while.
 *
 * Returns WEIR_OK (look again), WEIR_TIMED_OUT.
 */
weir_status weir__queue_park(weir_queue *q, struct weir__side *side,
                             struct weir__turn *turn, bool coming,
                             weir_deadline deadline) WEIR_REQUIRES(q->lock);

/* For a thread that armed its side and goes on: wakes the next, if that one may
 * go on too. */
void weir__queue_leave_getters(weir_queue *q) WEIR_REQUIRES(q->lock);
void weir__queue_leave_putters(weir_queue *q) WEIR_REQUIRES(q->lock);

/* For a call that was told to wait and does not: who polls that side is not to
 * be told before there is something. */
void weir__queue_hush_getters(weir_queue *q) WEIR_REQUIRES(q->lock);
void weir__queue_hush_putters(weir_queue *q) WEIR_REQUIRES(q->lock);

/* Counts `count` items as finished, and tells joiners. */
void weir__queue_finish(weir_queue *q, size_t count);

/* Tells on_pressure what has changed, if it is wanted. */
void weir__queue_tell_pressure(weir_queue *q);

/* Its name, and what it has for its events, if it was given some; and that
 * something happened: `what` goes where a task's number would. */
void weir__queue_enter_events(weir_queue *q);
void weir__queue_note(const weir_queue *q, weir_event_kind kind, uint64_t what,
                      int64_t value);
/* For a queue that is heeded: so many were put, or got. */
void weir__queue_tell(weir_queue *q, weir_event_kind kind, size_t count);

/* Hands a copy of an item to on_discard. */
void weir__queue_discard(const weir_queue *q, const void *item,
                         weir_discard_reason reason);

#endif /* WEIR_LIB_QUEUE_STATE_H */
