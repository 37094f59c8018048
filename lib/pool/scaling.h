/* SPDX-License-Identifier: MIT */
/*
 * scaling.h - how many workers a load asks for.
 *
 * THE IDEA
 *
 * A queue that is never empty says little: tasks may pass it quickly.  A task
 * that has waited for a whole tick says that there are too few workers for what
 * comes.  Tasks start in the order in which they came, so that need not be
 * asked of each: fewer have begun since the last look than waited then.
 *
 *     look            look            look
 *      │ 5 wait        │ 4 wait        │
 *      │ ─ 7 begin ──▶ │ ─ 3 begin ──▶ │
 *      │               │               │
 *      └ enough ───────┴ one has ──────┘
 *                        waited through
 *
 * Then half as many workers are added as there are, at least one; but no more
 * than tasks wait for which no worker is free or on its way.  So a pool whose
 * workers are all asleep has a new one after one tick, and grows by powers of
 * one and a half; and nobody is added while those added before are still busy
 * starting.
 *
 * Begun tasks are counted, not those that left the queue: a task that is
 * dropped, expires or is cancelled has not been served.
 *
 * WHY NOT
 *
 *   The length of the queue: a long one that moves needs nobody, a short one
 *   that stands does.  A worker for each task that finds none idle, up to the
 *   most: a burst of tiny tasks would start them all, only to see them idle.
 *   Only when the queue is full, as Java's executor has it: a queue of 1024
 *   would have to fill first.  The rate of tasks done, as hill climbing has it:
 *   it must try numbers out all the time, also those that do harm, and takes
 *   seconds where this takes a tick.
 *
 * LIMITS
 *
 * Where tasks compute, more workers than processors do not help, and this does
 * not notice: that is what the limit is for.
 */
#ifndef WEIR_LIB_POOL_SCALING_H
#define WEIR_LIB_POOL_SCALING_H

#include <stdint.h>

#include <weir/deadline.h>

/* From one look to the next, while tasks wait. */
#define WEIR__SCALING_TICK_NS WEIR_MS(10)
/* How long a worker may be without a task before it leaves. */
#define WEIR__SCALING_IDLE_NS WEIR_SECONDS(5)

/* What there is at a moment. */
struct weir__load {
    uint32_t workers; /* that there are or should be */
    uint32_t busy;    /* of these, at a task */
    uint32_t most;    /* that there may be */
    uint64_t waiting; /* tasks that a worker could take */
    uint64_t begun;   /* that workers have taken so far */
};

/* What is kept from one look to the next. */
struct weir__scaling {
    int64_t look_ns; /* the next look; INT64_MAX: none */
    uint64_t waiting, begun;
};

/* The first look. */
void weir__scaling_begin(struct weir__scaling *scaling,
                         const struct weir__load *load, int64_t now_ns);

/* The next one; returns how many workers are to be added. */
uint32_t weir__scaling_look(struct weir__scaling *scaling,
                            const struct weir__load *load, int64_t now_ns);

/* How many workers there should be once their least number is `least`, before
 * which it was `least_before` of `workers`: those that the load has called for
 * make up for new ones, and stay when others go. */
uint32_t
weir__scaling_rebase(uint32_t workers, uint32_t least_before, uint32_t least);

#endif /* WEIR_LIB_POOL_SCALING_H */
