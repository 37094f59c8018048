/* SPDX-License-Identifier: MIT */
/* stages.c - items on their way through a pipeline.  See pipeline.h. */
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "flow/pipeline.h"
#include "observe/ledger.h"
#include "queue/settings.h"

/* Behind an item, for whoever reads the stream; no handler touches it. */
struct tag {
    uint64_t origin;
    bool has_left;
};

static size_t tag_at(size_t item_size)
{
    return (item_size + alignof(struct tag) - 1) / alignof(struct tag) *
           alignof(struct tag);
}

size_t weir__stage_item_size(const struct weir__stage *stage)
{
    return tag_at(stage->item_size) + sizeof(struct tag);
}

size_t weir__stage_room(size_t item_size)
{
    return WEIR__MOST_ITEM_BYTES - sizeof(struct tag) - item_size;
}

static struct tag *tag_of(const struct weir__stage *stage, void *item)
{
    return (struct tag *)(void *)((unsigned char *)item +
                                  tag_at(stage->item_size));
}

static void *origin_of(const struct weir_pipeline *pipeline, uint64_t number)
{
    return pipeline->origins + number * pipeline->source.item_size;
}

static void put_back(struct weir_pipeline *pipeline, uint64_t origin)
{
    weir_status status =
        weir_queue_put(pipeline->unused, &origin, WEIR_FOREVER);

    (void)status; /* there is room; or it is closed, and nobody wants one */
}

/* --------------------------------------------------------------- references */

void weir__pipeline_let_go(struct weir_pipeline *pipeline)
{
    bool last;

    weir__mutex_lock(&pipeline->lock);
    last = --pipeline->references == 0;
    weir__mutex_unlock(&pipeline->lock);
    if (!last)
        return;
    if (pipeline->owns_source && pipeline->source.close)
        pipeline->source.close(pipeline->source.self);
    weir_queue_destroy(pipeline->unused);
    weir__release(pipeline->origins);
    weir__mutex_dispose(&pipeline->lock);
    weir__release(pipeline);
}

void weir__pipeline_go(struct weir_pipeline *pipeline, bool in_earnest)
{
    weir__mutex_lock(&pipeline->lock);
    pipeline->has_gone = true;
    pipeline->goes = in_earnest;
    pipeline->owns_source = in_earnest;
    /* Else who opened it takes it down, and no feeder is to touch the pools. */
    pipeline->is_ending |= !in_earnest;
    weir__waitlist_wake_all(&pipeline->starters);
    weir__mutex_unlock(&pipeline->lock);
}

static bool await_go(struct weir_pipeline *pipeline)
{
    struct weir__turn turn = {0};
    bool goes;

    weir__mutex_lock(&pipeline->lock);
    while (!pipeline->has_gone) {
        weir_status status =
            weir__waitlist_wait(&pipeline->starters, &pipeline->lock, &turn,
                                WEIR_FOREVER);

        (void)status; /* there is no deadline */
    }
    goes = pipeline->goes;
    weir__mutex_unlock(&pipeline->lock);
    return goes;
}

/* ---------------------------------------------------------------- early end */

/* The first reason is the one.  Returns whether nothing is being cancelled
 * yet, and from now on it is. */
static bool note_reason(struct weir_pipeline *pipeline, weir_status status,
                        const char *words, bool cancels)
{
    bool begins;

    weir__mutex_lock(&pipeline->lock);
    if (!pipeline->status && !pipeline->has_ended) {
        pipeline->status = status;
        pipeline->system_error = errno;
        snprintf(pipeline->error, sizeof(pipeline->error), "%s", words);
    }
    begins = cancels && !pipeline->is_ending && !pipeline->has_ended;
    pipeline->is_ending |= begins;
    weir__mutex_unlock(&pipeline->lock);
    return begins;
}

void weir__pipeline_end_early(struct weir_pipeline *pipeline,
                              weir_status status, const char *words)
{
    if (!note_reason(pipeline, status, words, true))
        return;
    if (pipeline->crew) {
        weir__crew_stop(pipeline->crew);
        return;
    }
    weir__feed_end(&pipeline->stages[0].stream->feed);
    weir_queue_close(pipeline->unused);
    for (size_t i = 0; i < pipeline->count; i++)
        weir__pool_cancel_waiting(pipeline->stages[i].pool);
}

/* A stage's feeder has ended.  If its pool takes no more, what it has already
 * may never be run; but after a failure of the source it is. */
void weir__stage_fed(void *arg, const struct weir__feed *feed)
{
    struct weir__stage *stage = arg;

    errno = feed->system_error;
    if (feed->was_closed)
        weir__pipeline_end_early(stage->pipeline, WEIR_CLOSED,
                                 "a stage's pool was stopped");
    else if (feed->status == WEIR_DEGRADED ||
             (feed->status && stage->index > 0)) /* nobody reads the one before
                                                    any more */
        weir__pipeline_end_early(stage->pipeline, feed->status, feed->error);
    else if (feed->status)
        (void)note_reason(stage->pipeline, feed->status, feed->error, false);
}

void weir__stage_listen(struct weir__stage *stage)
{
    stage->stream->fed = weir__stage_fed;
    stage->stream->fed_arg = stage;
}

/* ------------------------------------------------------------------ leaving */

static void
note_left(struct weir_pipeline *pipeline, const struct weir__stage *stage,
          const weir_outcome *outcome)
{
    char code[24] = "";

    if (outcome->code != 0)
        snprintf(code, sizeof(code), ", code %d", outcome->code);
    weir__mutex_lock(&pipeline->lock);
    weir__ledger_add(&pipeline->ledger, weir__ledger_column(outcome->kind), 1);
    if (outcome->kind != WEIR_OUTCOME_DONE &&
        pipeline->first_failure[0] == '\0')
        snprintf(pipeline->first_failure, sizeof(pipeline->first_failure),
                 "stage %s: %s%s: %s", stage->name,
                 weir_outcome_name(outcome->kind), code, outcome->message);
    weir__mutex_unlock(&pipeline->lock);
}

static void
let_leave(struct weir__stage *at, struct tag *tag, const weir_outcome *outcome)
{
    struct weir_pipeline *pipeline = at->pipeline;
    const weir_producer *source = &pipeline->source;
    void *origin = origin_of(pipeline, tag->origin);

    note_left(pipeline, at, outcome);
    if (source->settle)
        source->settle(source->self, origin, outcome);
    if (pipeline->on_left)
        pipeline->on_left(pipeline->on_left_arg, at->name, origin, outcome);
    tag->has_left = true;
}

/* A place of the stage is let go of by all. */
static void stage_release(void *self, void *item)
{
    struct weir__stage *stage = self;
    struct weir_pipeline *pipeline = stage->pipeline;
    const weir_producer *source = &pipeline->source;
    struct tag *tag = tag_of(stage, item);

    if (!tag->has_left) /* the origin went on */
        return;
    if (source->release)
        source->release(source->self, origin_of(pipeline, tag->origin));
    put_back(pipeline, tag->origin);
}

/* ------------------------------------------------------------------ reading */

static weir_outcome without_result(const weir_outcome *outcome,
                                   weir_outcome_kind kind, const char *message)
{
    weir_outcome changed = *outcome;

    changed.kind = kind;
    changed.message = message;
    changed.result = NULL;
    changed.result_size = 0;
    return changed;
}

/* Whether what is DONE at the stage goes on to the next; if not it has left. */
static bool goes_on_from(struct weir__stage *stage, struct tag *tag,
                         const weir_outcome *outcome)
{
    const struct weir__stage *next = stage + 1;
    weir_outcome changed;
    char message[128];

    if (!stage->is_last && outcome->kind == WEIR_OUTCOME_DONE &&
        outcome->result_size == next->item_size)
        return true;
    if (stage->is_last || outcome->kind != WEIR_OUTCOME_DONE ||
        outcome->result_size == 0) {
        let_leave(stage, tag, outcome);
        return false;
    }
    snprintf(message, sizeof(message),
             "its result has %zu bytes, but items of stage %s have %zu",
             outcome->result_size, next->name, next->item_size);
    changed = without_result(outcome, WEIR_OUTCOME_FAILED, message);
    let_leave(stage, tag, &changed);
    return false;
}

/* The stage's next result that goes on, and its tag; whatever leaves does so on
 * the way.  Else the stream's end. */
static weir_status read_stage_on(struct weir__stage *stage,
                                 weir_outcome *outcome, struct tag **tag)
{
    for (;;) {
        weir_status status =
            weir_stream_next(stage->stream, NULL, outcome, WEIR_FOREVER);

        if (status)
            return status;
        *tag = tag_of(stage, weir__stream_lent(stage->stream));
        if (goes_on_from(stage, *tag, outcome))
            return WEIR_OK;
    }
}

static weir_status next_from_source(struct weir__stage *stage, void *item)
{
    struct weir_pipeline *pipeline = stage->pipeline;
    const weir_producer *source = &pipeline->source;
    uint64_t number;
    weir_status status =
        weir_queue_get(pipeline->unused, &number, WEIR_FOREVER);

    if (status)
        return WEIR_CANCELLED; /* it is closed: the pipeline ends */
    status = source->next(source->self, origin_of(pipeline, number));
    if (status) {
        put_back(pipeline, number);
        return status;
    }
    memcpy(item, origin_of(pipeline, number), stage->item_size);
    *tag_of(stage, item) = (struct tag){.origin = number};
    weir__mutex_lock(&pipeline->lock);
    pipeline->ledger.accepted++;
    weir__mutex_unlock(&pipeline->lock);
    return WEIR_OK;
}

static weir_status next_for_stage(void *self, void *item)
{
    struct weir__stage *stage = self;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    struct tag *tag;
    weir_status status;

    if (!await_go(stage->pipeline))
        return WEIR_END;
    if (stage->index == 0)
        return next_from_source(stage, item);
    status = read_stage_on(stage - 1, &outcome, &tag);
    if (status)
        return WEIR_END;
    memcpy(item, outcome.result, stage->item_size);
    *tag_of(stage, item) = (struct tag){.origin = tag->origin};
    return WEIR_OK;
}

static void interrupt_source(void *self)
{
    struct weir_pipeline *pipeline = ((struct weir__stage *)self)->pipeline;
    const weir_producer *source = &pipeline->source;
    bool goes;

    weir__mutex_lock(&pipeline->lock);
    goes = pipeline->goes;
    weir__mutex_unlock(&pipeline->lock);
    if (goes && source->interrupt)
        source->interrupt(source->self);
}

static void stage_closed(void *self)
{
    weir__pipeline_let_go(((struct weir__stage *)self)->pipeline);
}

weir_producer weir__stage_producer(struct weir__stage *stage)
{
    weir_producer producer = WEIR_PRODUCER_INIT;

    producer.item_size = weir__stage_item_size(stage);
    producer.next = next_for_stage;
    if (stage->index == 0)
        producer.interrupt = interrupt_source;
    producer.release = stage_release;
    producer.close = stage_closed;
    producer.self = stage;
    return producer;
}

/* --------------------------------------------------------------- the reader */

/* Nothing goes on from here: what could have is cancelled. */
static void read_to_the_end(struct weir__stage *stage)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    struct tag *tag;

    while (read_stage_on(stage, &outcome, &tag) == WEIR_OK) {
        weir_outcome changed =
            without_result(&outcome, WEIR_OUTCOME_CANCELLED,
                           "the pipeline ended before this stage");

        let_leave(stage + 1, tag, &changed);
    }
}

static void read_all_stages(void *arg)
{
    struct weir_pipeline *pipeline = arg;

    if (!await_go(pipeline))
        return;
    if (pipeline->crew) {
        weir__crew_watch(pipeline->crew);
        return;
    }
    for (size_t i = pipeline->count; i-- > 0;)
        read_to_the_end(&pipeline->stages[i]);
}

static void add_up_attempts(struct weir_pipeline *pipeline)
{
    if (pipeline->crew) {
        weir__crew_report(pipeline->crew, &pipeline->ledger,
                          pipeline->first_failure,
                          sizeof(pipeline->first_failure));
        return;
    }
    for (size_t i = 0; i < pipeline->count; i++) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        weir_pool_read_stats(pipeline->stages[i].pool, &stats);
        pipeline->ledger.attempts += stats.ledger.attempts;
        pipeline->ledger.late += stats.ledger.late;
    }
}

static void reader_ended(void *arg)
{
    struct weir_pipeline *pipeline = arg;

    add_up_attempts(pipeline);
    weir__mutex_lock(&pipeline->lock);
    pipeline->ended_ns = weir__now();
    pipeline->has_ended = true;
    weir__waitlist_wake_all(&pipeline->waiters);
    weir__mutex_unlock(&pipeline->lock);
}

weir_status weir__pipeline_start_reader(struct weir_pipeline *pipeline)
{
    weir__thread_set_name(&pipeline->reader, "weir", "pipe");
    pipeline->reader.run = read_all_stages;
    pipeline->reader.ended = reader_ended;
    pipeline->reader.arg = pipeline;
    return weir__thread_start(&pipeline->reader);
}
