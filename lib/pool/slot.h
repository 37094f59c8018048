/* SPDX-License-Identifier: MIT */
/*
 * slot.h - a place for a worker's thread.
 *
 * A pool has one for each worker that it may have and one for each thread that
 * it may abandon.  A slot holds one thread at a time, so its index is never
 * shared by two live ones; worker.c says who comes and goes.
 */
#ifndef WEIR_LIB_SLOT_H
#define WEIR_LIB_SLOT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/pool.h>

#include "base/thread.h"
#include "pool/board.h"
#include "pool/lane.h"
#include "pool/moments.h"
#include "pool/record.h"
#include "pool/tally.h"
#include "task/task.h"

enum weir__phase {
    WEIR__ABSENT,   /* no thread */
    WEIR__STARTING, /* in worker_start */
    WEIR__RENEWING, /* its child is replaced by another */
    WEIR__IDLE,
    WEIR__IN_ATTEMPT,
    WEIR__DECIDING, /* in the retry predicate */
    WEIR__TELLING,  /* in callbacks */
    WEIR__LEAVING,  /* in worker_stop, or on its way there */
    WEIR__ENDED     /* to be joined */
};

/* What no worker_start answers: it ended its thread; there is no child. */
enum { WEIR__START_EXITED = INT_MIN, WEIR__START_CHILDLESS = INT_MIN + 1 };

/* What a pool has for one worker's thread.  I: set by create.  L: with the
 * pool's lock.  W: the thread itself. */
struct weir__worker {
    struct weir__thread thread;
    weir_pool *pool;                 /* I */
    uint32_t index;                  /* I */
    enum weir__phase phase;          /* L */
    bool abandoned;                  /* L, but its thread may read: only
                                        while an attempt of its own lives */
    int refused;                     /* L: what worker_start answered,
                                        or WEIR__START_EXITED */
    bool awaited;                    /* L: create or resize waits */
    bool greeted;                    /* W: worker_start answered 0 */
    struct weir__entry *entry;       /* L: in an attempt or callbacks */
    struct weir__worker *next_ended; /* L */
    struct weir__child *child;       /* I: NULL: handlers run on the thread;
                                        what it points to: W */
    struct weir__moment repeat;      /* L: of the interrupt */
    int repeat_ms;             /* L: what lies between this and the next */
    struct weir__times *times; /* I: W to write; NULL: no histograms */
    struct weir__events_lane *events_lane; /* W: its thread's; NULL: any */
    struct weir__lane_work lane;           /* a plain task */
    struct weir_task task;                 /* W, and its own lock */
    struct weir__inside inside;            /* W: of the attempt, or in a hook */
    struct weir__board board;              /* A, L to write: see board.h */
    struct weir__hint next;                /* A, L to write: see look.h */
    unsigned char result[];                /* W: max_result bytes */
};

#endif /* WEIR_LIB_SLOT_H */
