/* SPDX-License-Identifier: MIT */
/*
 * weir/pipeline.h - stages in series.
 *
 *     producer ──▶ [queue] stage ──▶ [queue] stage ──▶ [queue] stage
 *
 * Each stage is a pool of its own, with its workers, timeout, retries and
 * isolation, and a bounded queue before it.  What a stage's handler gives to
 * weir_task_result is the next stage's item.  A stage that is slow fills its
 * queue, and then the one before it has to wait, up to the producer.
 *
 * If nobody hears of the items (there is no on_left, and the producer has no
 * settle and no release), no stage is in order, and all pool options are
 * defaults but workers, queue_capacity, context, name and max_result, then the
 * stages share their threads: those of one pool, called as the first stage's
 * would be.  No stage has more workers than it is to have, or holds more.
 *
 * Every item that the producer gives leaves the pipeline once, with an outcome
 * and the name of a stage: DONE at the last, or at an earlier one that answered
 * 0 without a result, which ends the item there; any other outcome at the stage
 * where it came to that.
 */
#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

#include <stddef.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/pool.h>
#include <weir/producer.h>
#include <weir/run.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

typedef struct weir_pipeline weir_pipeline;

typedef enum weir_stage_kind {
    WEIR_STAGE_PARALLEL,       /* by all its workers, in any order */
    WEIR_STAGE_SERIAL,         /* one at a time, in any order */
    WEIR_STAGE_SERIAL_IN_ORDER /* one at a time, as the producer gave them */
} weir_stage_kind;

typedef struct weir_stage {
    size_t size;          /* set by WEIR_STAGE_INIT */
    const char *name;     /* up to 31 bytes are copied; no two are the same */
    weir_stage_kind kind; /* 0: WEIR_STAGE_PARALLEL */
    weir_handler *handler;
    size_t item_size; /* bytes of its items, up to 4080; of the first: 0, or the
                         producer's */
    const weir_pool_options *pool; /* NULL: defaults; copied.  queue_capacity
                                      (0: 64) is that of the queue before the
                                      stage.  To be left alone: item_size,
                                      on_full, on_settled, on_release; where
                                      another stage follows max_result; in a
                                      serial one workers, or 1, grace_ns and
                                      max_abandoned; in order, retry too */
} weir_stage;
#define WEIR_STAGE_INIT WEIR_SIZED(weir_stage)

/*
 * An item leaves at `stage`.  `item` is what the producer gave; the outcome's
 * result is that stage's.  Runs once for each, after the producer's settle, on
 * the thread that feeds the next stage or, behind the last one, on the
 * pipeline's own; it holds that up.  It must return.
 */
typedef void weir_left(void *arg, const char *stage, const void *item,
                       const weir_outcome *outcome);

typedef struct weir_pipeline_options {
    size_t size; /* set by WEIR_PIPELINE_OPTIONS_INIT */
    const weir_stage *const *stages;
    size_t stage_count; /* 1 to 64 */
    weir_left *on_left; /* may be NULL */
    void *on_left_arg;
} weir_pipeline_options;
#define WEIR_PIPELINE_OPTIONS_INIT WEIR_SIZED(weir_pipeline_options)

/*
 * Makes a pipeline and begins to run the producer's items through it.
 *
 * Blocks:  until the stages' pools are there.
 * Owns:    the caller owns *out until weir_pipeline_destroy(*out).  Options and
 *          producer are copied; from WEIR_OK on the pipeline closes the
 *          producer, after the last release.
 * Returns: WEIR_OK, WEIR_EINVAL (weir_last_error() names the stage and the
 *          option), WEIR_ENOMEM, WEIR_ESYSTEM.  *out is written only on
 *          WEIR_OK, and else the producer is not touched.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_pipeline_open(weir_pipeline **out, const weir_producer *producer,
                   const weir_pipeline_options *options);

/*
 * Waits until every item has left.
 *
 * Blocks:  until then, or the deadline.
 * Returns: WEIR_OK: the producer came to its end; what became of its items is
 *          in the ledger.  Else why it ended early: the producer's failure,
 *          WEIR_DEGRADED (too many threads of a stage are abandoned),
 *          WEIR_CANCELLED (weir_pipeline_stop).  WEIR_TIMED_OUT: it goes on.
 *          WEIR_DEADLOCK: from a handler of one of its stages or an on_left.
 *          *report is written unless WEIR_TIMED_OUT, WEIR_EINVAL, WEIR_FORKED,
 *          WEIR_DEADLOCK; NULL is allowed.  Its ledger is of the whole:
 *          accepted is what the producer gave, each counted once.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pipeline_wait(weir_pipeline *pipeline,
                                                      weir_report *report,
                                                      weir_deadline deadline);

/*
 * Ends it early: the producer is interrupted, what waits at any stage leaves
 * CANCELLED, what runs finishes, and leaves CANCELLED before the next stage.
 *
 * Blocks:  no; weir_pipeline_wait waits for it.
 * Threads: any; from a handler or on_left too, but not from the producer's
 *          next, since it calls interrupt.
 */
WEIR_API void weir_pipeline_stop(weir_pipeline *pipeline);

typedef struct weir_stage_stats {
    size_t size;        /* set by WEIR_STAGE_STATS_INIT */
    const char *name;   /* lent until the pipeline is destroyed */
    size_t held;        /* items in the stage: waiting, running, or done and not
                           taken by the next one */
    size_t most;        /* that it can hold */
    weir_ledger ledger; /* of the stage's tasks */
} weir_stage_stats;
#define WEIR_STAGE_STATS_INIT WEIR_SIZED(weir_stage_stats)

/*
 * What stage number `stage`, from 0, is doing.
 *
 * Returns: WEIR_OK, WEIR_EINVAL (there is no such stage), WEIR_FORKED.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pipeline_read_stats(
    const weir_pipeline *pipeline, size_t stage, weir_stage_stats *out);

/*
 * Ends it now, if it has not ended: what waits or runs leaves CANCELLED, and
 * handlers are asked to stop.  An item that a handler is still at is released
 * when that ends, and then the producer is closed.
 *
 * Blocks:  until the producer's next has returned and on_left has run for every
 *          item; never for handlers.
 * Owns:    NULL is allowed.
 * Threads: any, once nobody is in another call for it; not from a handler of
 *          its stages, nor from on_left.
 */
WEIR_API void weir_pipeline_destroy(weir_pipeline *pipeline);

WEIR_END_DECLS

#endif /* WEIR_PIPELINE_H */
