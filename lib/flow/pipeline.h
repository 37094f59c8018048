/* SPDX-License-Identifier: MIT */
/*
 * pipeline.h - stages in series.
 *
 * THE IDEA
 *
 * Each stage is a pool with a stream before it, and the stream's producer reads
 * the stream before that.  So a stage's feeder is the reader of the stage
 * before it, tickets bound what each stage holds, and a slow one stops all that
 * are before it, by nothing but what a stream does.
 *
 *     source ──▶ stream 0 ──feeder 1──▶ stream 1 ──feeder 2──▶ ... ──▶ reader
 *                pool 0                 pool 1
 *
 * Whoever reads a stream decides for each outcome whether the item goes on or
 * leaves.  The reader, a thread of the pipeline's, reads the last one.
 *
 * CARRIED
 *
 * If nobody hears of the items, and no stage asks for more than workers, one
 * crew carries them through all stages (crew.h), and there is neither pool nor
 * stream for each.  What follows is not about that, but for the end, which the
 * reader watches for and tells in both cases.
 *
 * ORIGINS
 *
 * What the source gave, its origin, stays until the item has left, for it may
 * point to things that later stages' items point to as well, and the source is
 * told of one outcome only.  A stage's item has a tag behind it, which names
 * the origin.  Whoever has an item leave marks the tag; the place's release,
 * when no attempt is at it any more, then releases the origin.
 *
 * THE END
 *
 * An end that is read passes from stream to stream, as producers' ends do.  A
 * feeder may end sooner than the stream before it, as its pool takes no more:
 * then the pipeline ends early, and the reader, once the last stream has ended,
 * reads what is left in those before it, the last first.  By then their own
 * readers have ended, for a stream's end comes after its feeder's.
 *
 * STATES
 *
 *   opening ──go──▶ running ──the reader has read all──▶ ended
 *      └──go, in vain──▶ (producers say that they have ended: nothing was read)
 *
 * INVARIANTS
 *
 *   1. accepted (of the whole) = items that have left + those with an origin
 *      that have not.
 *   2. Each stream has one reader at a time.
 *   3. The source is closed once, by the last reference: the handle, and each
 *      stream until no attempt of it is left.
 *
 * Locking: rank RUN, for the ledger, the state and why it ended; nothing is
 * called with it held.
 */
#ifndef WEIR_LIB_FLOW_PIPELINE_H
#define WEIR_LIB_FLOW_PIPELINE_H

#include <weir/pipeline.h>

#include "base/lock.h"
#include "base/park.h"
#include "base/thread.h"
#include "flow/crew.h"
#include "flow/stream.h"
#include "pool/pool.h"

/* I: set by open, then read-only.  L: with the pipeline's lock. */
struct weir__stage {
    struct weir_pipeline *pipeline; /* I */
    size_t index;                   /* I */
    bool is_last;                   /* I */
    char name[32];                  /* I */
    weir_stage_kind kind;           /* I */
    weir_handler *handler;          /* I */
    size_t item_size;               /* I: what the handler is to see */
    size_t window;                  /* I */
    weir_pool *pool;                /* I */
    weir_stream *stream;            /* I */
};

struct weir_pipeline {
    struct weir__mutex lock;
    uint64_t generation;            /* I: see base/fork.h */
    weir_producer source;           /* I */
    bool owns_source;               /* L: to be closed by us */
    weir_left *on_left;             /* I */
    void *on_left_arg;              /* I */
    unsigned char *origins;         /* I: source.item_size bytes each */
    weir_queue *unused;             /* I: of uint64_t, numbers of origins */
    struct weir__thread reader;     /* I */
    struct weir__waitlist starters; /* L: producers, for the go */
    struct weir__waitlist waiters;  /* L: for the end */
    bool has_gone, goes;            /* L: and whether in earnest */
    bool is_ending;                 /* L: what waits is being cancelled */
    bool has_ended;                 /* L: then what follows is read-only */
    weir_status status;             /* L: why it ended early */
    char error[256];                /* L */
    int system_error;               /* L */
    char first_failure[sizeof(((weir_report *)0)->first_failure)]; /* L */
    weir_ledger ledger;         /* L: of the whole */
    int64_t began_ns, ended_ns; /* I; L */
    size_t references;          /* L */
    struct weir__crew *crew;    /* I: then no stage has a pool; or NULL */
    size_t count;               /* I */
    struct weir__stage stages[];
};

/* How large an item of the stage is with its tag; and how many bytes there are
 * for it at most. */
size_t weir__stage_item_size(const struct weir__stage *stage);
size_t weir__stage_room(size_t item_size);

weir_producer weir__stage_producer(struct weir__stage *stage);

/* The producers may begin, or are to say that they have ended. */
void weir__pipeline_go(struct weir_pipeline *pipeline, bool in_earnest);

/* Notes why, with errno, unless there is a reason; and stops what waits. */
void weir__pipeline_end_early(struct weir_pipeline *pipeline,
                              weir_status status, const char *words);

/* How a crew tells of its feeder's end: with the first stage as `arg`. */
void weir__stage_fed(void *arg, const struct weir__feed *feed);

/* From now on the stage hears of its feeder's end. */
void weir__stage_listen(struct weir__stage *stage);

/* WEIR_OK, WEIR_ESYSTEM. */
weir_status weir__pipeline_start_reader(struct weir_pipeline *pipeline);

void weir__pipeline_let_go(struct weir_pipeline *pipeline);

#endif /* WEIR_LIB_FLOW_PIPELINE_H */
