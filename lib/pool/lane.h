/* SPDX-License-Identifier: MIT */
/*
 * lane.h - plain tasks pass without the pool's lock.
 *
 * THE IDEA
 *
 * Nobody hears of a plain task but the ledger: it has no future, no callbacks,
 * no label, no other attempt.  So it needs no entry.  It lies by value in a
 * ring, and a worker takes it, runs it and counts it, all without a lock.
 *
 *     submit ──▶ ring ──▶ worker: at = its id ──▶ handler ──▶ at = 0, count
 *
 * As soon as anything else is to become of it, it is made an entry, and all
 * that entry.c knows applies.  There are two moments for that:
 *
 *   queued    the lane is shut: its tasks move to the pool's list, in order
 *   running   the attempt is adopted: whoever holds the pool's lock says that
 *             it is `wanted`, and the worker, when it has run the handler,
 *             finds that out and takes the lock too; or the worker adopts it
 *             itself, since it is late, has clean-ups or ends the thread
 *
 * STATES of the lane
 *
 *   open ──shut──▶ shut    a task comes that is not plain, one is to be tried
 *    ▲               │     again, entries get scarce, or the pool closes
 *    └─────open──────┘     nothing is queued or retrying, each task could have
 *                          an entry, and the pool is not closing
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. Open: nothing is in the pool's list or retrying.  Shut: nothing is in
 *      the ring, and nobody puts.  So tasks never overtake each other; while
 *      they move from one to the other nobody takes any.
 *   2. `at` is the id of the plain task that the worker is at, or 0.  It is
 *      adopted if the worker has an entry.  Ids are never used twice.
 *   3. Every plain task is counted in exactly one place: in the ring; taken and
 *      not ended; ended by a worker; or in the pool's ledger.
 *
 * THE LEDGER sums up what workers have counted.  It reads what ended, then what
 * was taken, then what was put, the other way round than a task goes, so that
 * it balances however many are moving.
 *
 * IDS are places in the ring, plus how many tasks came by the list.  That
 * number changes only while the lane is shut, and the lane is shut only when
 * all who have a place in the ring have filled it.
 *
 * MEMORY ORDER
 *
 * Each of these is one thread that writes and then looks, and another that does
 * the same the other way round; the worker's fence is light (base/fence.h), the
 * other one's heavy.  One of the two sees the other.
 *
 *   worker: at = id, wanted?          adopter: wanted = id, at?
 *           at = 0, wanted?           after the fence `at` is still id: it is
 *                                     adopted, and the worker takes the lock
 *   worker: deadline, at = id,        timekeeper: sleeps until, all `at`?
 *           sleeps until?             no deadline is slept over
 *   worker: at = id, on the beat?     timekeeper: off the beat, all `at`?
 *                                     none runs on unseen
 *   worker: at = id, closing?         stop: closing, all `at`?
 *                                     none runs on unadopted: who sees it
 *                                     closing adopts itself
 *   worker: count, joiners armed?     joiner: armed, all counts?
 *
 * Two workers are not a pair: what one has counted last may still be on its way
 * when the other ends the last task and looks whether the pool is idle.  So a
 * worker looks again when it parks, with the lock, which shows its count to all
 * who look later: the last to park sees every count.
 *
 * So a plain task costs its worker one read-modify-write, the claim in the
 * ring.
 *
 * WHY NOT
 *
 *   Everything through entries under one lock: 210 ns a task with 2 workers and
 *   600 with 4.  Read-modify-writes of `at` in place of fences, and letting the
 *   thread be cancelled anew for each task: 67 ns where this takes 36.
 *   Cancelled tasks left in the ring until their turn: they would take up room,
 *   which the contract gives back at once.
 */
#ifndef WEIR_LIB_POOL_LANE_H
#define WEIR_LIB_POOL_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/deadline.h>
#include <weir/task.h>

#include "base/atomic.h"
#include "queue/ring.h"

/* How often one looks for what is just coming, which exploration sets, and how
 * long one then sleeps at most: it comes without a wake-up. */
#ifndef WEIR__LANE_POLLS
# define WEIR__LANE_POLLS 64
#endif
#define WEIR__LANE_NAP_NS WEIR_MS(1)

/* A task.  In the ring a copied item lies behind it; the moment lies there only
 * if the lane is `timed`, for somebody who looks at it (seen.h). */
struct weir__plain {
    uint64_t id;
    weir_handler *handler;
    void *item;
    int64_t submitted_ns;
};

/* A worker's part.  W: written by the worker alone, read with the lock. */
struct weir__lane_work {
    _Alignas(WEIR__APART) struct weir__counter at; /* W: see above */
    struct weir__counter wanted;              /* A, L to write: see above */
    struct weir__counter deadline_ns;         /* W: of that task; 0: none, or
                                                 not known yet; then L */
    struct weir__counter taken, done, failed; /* W: tasks so far */
    struct weir__plain plain;                 /* W: the task */
    void *copy;                               /* I: room for its item */
    bool can_be_cancelled;        /* W: the thread, by pthread_cancel */
    uint32_t stamped;             /* W: tasks in a row that it has stamped */
    int64_t stamped_ns;           /* W: when the first of them began */
    uint64_t seen;                /* L: which task the beat has seen it at */
    int64_t seen_ns;              /* L: and when first */
    struct weir__hint started_ns; /* A, W to write: when a kept or a seen one
                                     did */
    int64_t ended_ns; /* W: when the task before this one did, if it has
                         just then; else 0 */
};

/* What all workers' parts come to. */
struct weir__lane_sum {
    uint64_t taken, done, failed;
};

/* The ring's slots hold a plain task and `item_size` bytes.  WEIR_OK,
 * WEIR_ENOMEM. */
weir_status weir__lane_init(struct weir__ring *ring, size_t capacity,
                            size_t item_size, bool timed);

/* Puts a task unless there is no room or the tail bears a flag that is not
 * `ignored`.  Returns its id, which is its number in the ring and `others`,
 * read when its place is taken; 0: it was not put.  `copied`, if not NULL, is
 * copied. */
uint64_t
weir__lane_put(struct weir__ring *ring, const struct weir__counter *others,
               const struct weir__plain *plain, const void *copied,
               uint64_t ignored, bool timed);

/* Takes one into *plain, and a copied item to `copy`, unless there is none or
 * the head bears a flag that is not `ignored`. */
bool weir__lane_get(struct weir__ring *ring, struct weir__plain *plain,
                    void *copy, uint64_t ignored, bool timed);

/* When the oldest that lies there was submitted; 0: none does, or one is just
 * being put or taken.  Of a timed lane. */
int64_t weir__lane_oldest(const struct weir__ring *ring);

/* Whether head or tail wants those who come to take the lock. */
static inline bool weir__lane_has_flag(const struct weir__counter *word)
{
    return weir__counter_read(word) & WEIR__RING_FLAGS;
}

/* Whether all that was put has been taken. */
static inline bool weir__lane_is_empty(const struct weir__ring *ring)
{
    uint64_t head = weir__ring_position(weir__counter_read(&ring->head));

    return weir__ring_position(weir__counter_read(&ring->tail)) == head;
}

#endif /* WEIR_LIB_POOL_LANE_H */
