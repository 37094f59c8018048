/* SPDX-License-Identifier: MIT */
/* pipeline.c - opening a pipeline, waiting for it, ending it.  The essay is in
 * pipeline.h. */
#include "flow/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"
#include "base/trap.h"
#include "flow/producers.h"
#include "observe/ledger.h"

enum { STAGES_AT_MOST = 64, STAGE_CAPACITY = 64, CAPACITY_AT_MOST = 1 << 23 };

/* ------------------------------------------------------------------- checks */

static weir_status refuse_stage(const struct weir__stage *stage,
                                const char *option, const char *remedy)
{
    return weir__refuse(WEIR_EINVAL, "stage %s: %s: %s", stage->name, option,
                        remedy);
}

/* What was refused, in its name. */
static weir_status name_stage(const struct weir__stage *stage, weir_status why)
{
    char words[WEIR__MESSAGE_BYTES];
    int error = errno;

    snprintf(words, sizeof(words), "%s", weir_last_error());
    errno = error;
    return weir__refuse(why, "stage %s: %s", stage->name, words);
}

static weir_status
check_stage_pool(const struct weir__stage *stage, const weir_pool_options *o)
{
    if (o->item_size != 0)
        return refuse_stage(stage, "pool.item_size", "leave it 0");
    if (o->on_full != WEIR_ON_FULL_WAIT)
        return refuse_stage(stage, "pool.on_full", "a stage waits: leave it 0");
    if (o->on_settled || o->on_release)
        return refuse_stage(stage, "pool.on_settled and on_release",
                            "use on_left and the producer's release");
    if (!stage->is_last && o->max_result != 0)
        return refuse_stage(stage, "pool.max_result",
                            "it is the next stage's item_size: leave it 0");
    if (stage->kind != WEIR_STAGE_PARALLEL &&
        (o->workers > 1 || o->max_workers > 1))
        return refuse_stage(stage, "pool.workers", "a serial stage has one");
    if (stage->kind == WEIR_STAGE_SERIAL_IN_ORDER && o->retry)
        return refuse_stage(stage, "pool.retry",
                            "what is tried again would lose its turn: retry at "
                            "another stage");
    if (stage->kind != WEIR_STAGE_PARALLEL &&
        o->isolation != WEIR_ISOLATE_PROCESS &&
        (o->max_abandoned > 0 || o->grace_ns > 0))
        return refuse_stage(stage, "pool.max_abandoned and grace_ns",
                            "an abandoned thread would work beside the next "
                            "one: leave both 0");
    return WEIR_OK;
}

static weir_status read_stage(struct weir__stage *stage, const weir_stage *from,
                              weir_pool_options *pool)
{
    weir_stage s = WEIR_STAGE_INIT;
    weir_status status;

    if (!from)
        return weir__refuse(WEIR_EINVAL, "stages[%zu] is NULL", stage->index);
    status = weir__options_read(&s, sizeof(s), from, "weir_stage");
    if (status)
        return status;
    if (!s.name || s.name[0] == '\0')
        return weir__refuse(WEIR_EINVAL, "stages[%zu].name is empty",
                            stage->index);
    snprintf(stage->name, sizeof(stage->name), "%s", s.name);
    stage->kind = s.kind;
    stage->handler = s.handler;
    stage->item_size = s.item_size;
    if (s.kind > WEIR_STAGE_SERIAL_IN_ORDER)
        return refuse_stage(stage, "kind", "there is none of that number");
    if (!s.handler)
        return refuse_stage(stage, "handler", "it is NULL");
    *pool = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    if (s.pool)
        status = weir__options_read(pool, sizeof(*pool), s.pool,
                                    "weir_pool_options");
    if (!status)
        status = check_stage_pool(stage, pool);
    return status;
}

static weir_status
check_item_size(struct weir_pipeline *pipeline, struct weir__stage *stage)
{
    size_t most = weir__stage_room(0);
    size_t given = pipeline->source.item_size;

    if (stage->index == 0 && stage->item_size == 0)
        stage->item_size = given;
    if (stage->index == 0 && stage->item_size != given)
        return weir__refuse(WEIR_EINVAL,
                            "stage %s: item_size %zu is not the producer's, "
                            "%zu: leave it 0",
                            stage->name, stage->item_size, given);
    if (stage->item_size == 0 || stage->item_size > most)
        return weir__refuse(WEIR_EINVAL,
                            "stage %s: item_size %zu is not 1 to %zu",
                            stage->name, stage->item_size, most);
    for (size_t i = 0; i < stage->index; i++)
        if (strcmp(pipeline->stages[i].name, stage->name) == 0)
            return weir__refuse(WEIR_EINVAL,
                                "two stages are called %s: name them apart",
                                stage->name);
    return WEIR_OK;
}

/* --------------------------------------------------------------------- open */

static weir_status
read_stages(struct weir_pipeline *pipeline, const weir_pipeline_options *o,
            weir_pool_options *pools)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; !status && i < pipeline->count; i++) {
        struct weir__stage *stage = &pipeline->stages[i];

        stage->pipeline = pipeline;
        stage->index = i;
        stage->is_last = i + 1 == pipeline->count;
        status = read_stage(stage, o->stages[i], &pools[i]);
        if (!status)
            status = check_item_size(pipeline, stage);
    }
    return status;
}

/* What a stage's pool is asked for, beside what the user says. */
static weir_status
complete_options(const struct weir__stage *stage, weir_pool_options *o)
{
    const struct weir__stage *next = stage + 1;

    o->item_size = weir__stage_item_size(stage);
    if (!stage->is_last)
        o->max_result = next->item_size;
    if (stage->kind != WEIR_STAGE_PARALLEL)
        o->workers = 1;
    if (o->queue_capacity == 0)
        o->queue_capacity = STAGE_CAPACITY;
    if (!o->name)
        o->name = stage->name;
    if (o->queue_capacity > CAPACITY_AT_MOST)
        return refuse_stage(stage, "pool.queue_capacity",
                            "it is at most 8388608");
    return WEIR_OK;
}

static weir_status
create_stage_pool(struct weir__stage *stage, weir_pool_options *o)
{
    weir_status status = complete_options(stage, o);

    if (status)
        return status;
    status = weir_pool_create(&stage->pool, o);
    if (status)
        return name_stage(stage, status);
    stage->window =
        o->queue_capacity + stage->pool->settings.options.max_workers;
    return status;
}

/* Which streams are read in order: those before a stage that is. */
static bool is_read_in_order(const struct weir__stage *stage)
{
    for (size_t i = stage->index + 1; i < stage->pipeline->count; i++)
        if (stage->pipeline->stages[i].kind == WEIR_STAGE_SERIAL_IN_ORDER)
            return true;
    return false;
}

static weir_status open_stage_stream(struct weir__stage *stage)
{
    const weir_producer *source = &stage->pipeline->source;
    weir_stream_options o = WEIR_STREAM_OPTIONS_INIT;
    weir_producer producer = weir__stage_producer(stage);
    weir_status status;

    o.handler = stage->handler;
    o.window = stage->window;
    o.order = is_read_in_order(stage) ? WEIR_IN_ORDER : WEIR_AS_COMPLETED;
    status = weir__stream_open(&stage->stream, stage->pool, &producer, &o,
                               !source->settle && !source->release);
    if (status)
        return status;
    stage->pipeline->references++;
    weir__stage_listen(stage);
    return WEIR_OK;
}

/* An item for each ticket, each attempt that may overstay, and one that each
 * stage's reader is at. */
static weir_status create_origins(struct weir_pipeline *pipeline)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_status status;
    size_t count = 0;

    for (size_t i = 0; i < pipeline->count; i++)
        count += pipeline->stages[i].window +
                 pipeline->stages[i].pool->worker_slots + 1;
    pipeline->origins = weir__allocate_many(count, pipeline->source.item_size);
    if (!pipeline->origins)
        return weir__refuse(WEIR_ENOMEM, "no memory for %zu items", count);
    options.capacity = 2 * count; /* a put never meets a get that is not done */
    status = weir_queue_create(&pipeline->unused, sizeof(uint64_t), &options);
    for (uint64_t i = 0; !status && i < count; i++)
        status = weir_queue_put(pipeline->unused, &i, WEIR_NOW);
    return status;
}

/* ------------------------------------------------------------------ carried */

/* Whether the stage asks for nothing that takes a pool of its own. */
static bool asks_for_workers_only(const struct weir__stage *stage,
                                  const weir_pool_options *o)
{
    bool is_timed = o->timeout_ns || o->grace_ns || o->max_abandoned ||
                    o->time_to_live_ns || o->interrupt_signal ||
                    o->codel_target_ns || o->codel_interval_ns;
    bool is_limited = o->semaphore || o->permits || o->rate || o->adaptive ||
                      o->breaker || o->retry;
    bool is_seen = o->on_pressure || o->high_water || o->low_water ||
                   o->events || o->histograms;
    bool is_set_up = o->worker_start || o->worker_stop || o->process ||
                     o->isolation || o->max_workers || o->stack_bytes;

    return stage->kind != WEIR_STAGE_SERIAL_IN_ORDER && !is_timed &&
           !is_limited && !is_seen && !is_set_up;
}

/* Whether one crew carries the items through all stages. */
static bool
is_carried(const struct weir_pipeline *pipeline, const weir_pool_options *pools)
{
    bool so = !pipeline->source.settle && !pipeline->source.release &&
              !pipeline->on_left && pipeline->count > 1;

    for (size_t i = 0; so && i < pipeline->count; i++)
        so = asks_for_workers_only(&pipeline->stages[i], &pools[i]);
    return so;
}

/* Checked and with defaults as a pool would have them. */
static weir_status fill_post(struct weir__post *post, struct weir__stage *stage,
                             weir_pool_options *o, size_t *workers)
{
    struct weir__pool_settings settings = {0};
    weir_status status = complete_options(stage, o);

    if (status)
        return status;
    status = weir__pool_settings_read(&settings, o);
    if (status)
        return name_stage(stage, status);
    *workers += settings.options.workers;
    if (*workers > WEIR__MOST_WORKERS)
        return refuse_stage(stage, "pool.workers",
                            "with those before it there are too many");
    memcpy(post->name, stage->name, sizeof(post->name));
    post->handler = stage->handler;
    post->context = o->context;
    post->item_size = stage->item_size;
    post->result_room = settings.options.max_result;
    post->workers = settings.options.workers;
    post->window = o->queue_capacity + post->workers;
    return WEIR_OK;
}

/* Its pool is called what the first stage's would be. */
static weir_status
build_crew(struct weir_pipeline *pipeline, weir_pool_options *pools)
{
    struct weir__crew *crew = weir__crew_create(pipeline->count);
    weir_pool_options o = WEIR_POOL_OPTIONS_INIT;
    weir_status status = WEIR_OK;
    size_t workers = 0;

    if (!crew)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pipeline");
    pipeline->crew = crew;
    for (size_t i = 0; !status && i < pipeline->count; i++) {
        status = fill_post(&crew->posts[i], &pipeline->stages[i], &pools[i],
                           &workers);
        if (crew->posts[i].result_room > o.max_result)
            o.max_result = crew->posts[i].result_room;
    }
    if (status)
        return status;
    o.name = pools[0].name;
    crew->pipeline = pipeline;
    crew->let_go = weir__pipeline_let_go;
    pipeline->references++;
    crew->fed = weir__stage_fed;
    crew->fed_arg = &pipeline->stages[0];
    status = weir__crew_start(crew, &o);
    if (!status)
        status = weir__pipeline_start_reader(pipeline);
    if (status)
        return status;
    status = weir__crew_feed(crew, &pipeline->source);
    if (status) {
        weir__pipeline_go(pipeline, false);
        weir__thread_join(&pipeline->reader);
    }
    return status;
}

/* ---------------------------------------------------------- pools in series */

static weir_status
build_pools(struct weir_pipeline *pipeline, weir_pool_options *pools)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; !status && i < pipeline->count; i++)
        status = create_stage_pool(&pipeline->stages[i], &pools[i]);
    if (!status && pipeline->source.has_pointers &&
        pipeline->stages[0].pool->settings.has_children)
        status = weir__refuse(WEIR_EINVAL,
                              "the producer yields pointers, which lead "
                              "nowhere in another process: use one that copies "
                              "what they point to");
    if (!status)
        status = create_origins(pipeline);
    for (size_t i = 0; !status && i < pipeline->count; i++)
        status = open_stage_stream(&pipeline->stages[i]);
    if (!status)
        status = weir__pipeline_start_reader(pipeline);
    return status;
}

static weir_status
build(struct weir_pipeline *pipeline, const weir_pipeline_options *o)
{
    weir_pool_options *pools =
        weir__allocate_many(pipeline->count, sizeof(*pools));
    weir_status status;

    if (!pools)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pipeline");
    status = read_stages(pipeline, o, pools);
    if (!status)
        status = is_carried(pipeline, pools) ? build_crew(pipeline, pools)
                                             : build_pools(pipeline, pools);
    weir__release(pools);
    return status;
}

/* Streams and pools, all that there are; the rest goes with the last
 * reference. */
static void take_down(struct weir_pipeline *pipeline)
{
    weir__crew_close(pipeline->crew);
    for (size_t i = 0; i < pipeline->count; i++) {
        weir_stream_close(pipeline->stages[i].stream);
        weir_pool_destroy(pipeline->stages[i].pool);
    }
    weir__pipeline_let_go(pipeline);
}

static weir_status
check_pipeline_options(const weir_producer *producer,
                       const weir_pipeline_options *options, weir_producer *p,
                       weir_pipeline_options *o)
{
    weir_status status = weir__producer_read(p, producer, "producer");

    if (!status)
        status = options ? weir__options_read(o, sizeof(*o), options,
                                              "weir_pipeline_options")
                         : weir__refuse(WEIR_EINVAL, "options is NULL");
    if (!status &&
        (!o->stages || o->stage_count == 0 || o->stage_count > STAGES_AT_MOST))
        status = weir__refuse(WEIR_EINVAL, "stage_count %zu is not 1 to %d",
                              o->stages ? o->stage_count : 0, STAGES_AT_MOST);
    return status;
}

static struct weir_pipeline *
allocate_pipeline(const weir_producer *source, const weir_pipeline_options *o)
{
    struct weir_pipeline *pipeline = weir__allocate(
        sizeof(*pipeline) + o->stage_count * sizeof(pipeline->stages[0]));

    if (!pipeline)
        return NULL;
    if (weir__mutex_init(&pipeline->lock, WEIR__RANK_RUN)) {
        weir__release(pipeline);
        return NULL;
    }
    pipeline->generation = weir__fork_generation();
    pipeline->source = *source;
    pipeline->count = o->stage_count;
    pipeline->on_left = o->on_left;
    pipeline->on_left_arg = o->on_left_arg;
    pipeline->references = 1;
    pipeline->began_ns = weir__now();
    return pipeline;
}

weir_status
weir_pipeline_open(weir_pipeline **out, const weir_producer *producer,
                   const weir_pipeline_options *options)
{
    WEIR__UNTRAPPED;
    weir_pipeline_options o = WEIR_PIPELINE_OPTIONS_INIT;
    weir_producer source = WEIR_PRODUCER_INIT;
    struct weir_pipeline *pipeline;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = check_pipeline_options(producer, options, &source, &o);
    if (status)
        return status;
    pipeline = allocate_pipeline(&source, &o);
    if (!pipeline)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pipeline");
    status = build(pipeline, &o);
    weir__pipeline_go(pipeline, status == WEIR_OK);
    if (status) {
        char words[WEIR__MESSAGE_BYTES];

        snprintf(words, sizeof(words), "%s", weir_last_error());
        take_down(pipeline);
        return weir__refuse(status, "%s", words);
    }
    *out = pipeline;
    return WEIR_OK;
}

/* --------------------------------------------------------------- its course */

static weir_status check_pipeline(const weir_pipeline *pipeline)
{
    if (!pipeline)
        return weir__refuse(WEIR_EINVAL, "pipeline is NULL");
    if (weir__is_forked(pipeline->generation))
        return weir__refuse_forked("pipeline");
    return WEIR_OK;
}

/* Whether the calling thread is one of those that it would wait for. */
static bool is_own_thread(const weir_pipeline *pipeline)
{
    const struct weir__thread *mine = weir__thread_mine();

    if (mine && mine == &pipeline->reader)
        return true;
    if (pipeline->crew)
        return weir__pool_is_inside(pipeline->crew->pool) ||
               (mine && mine == &pipeline->crew->feed.thread);
    for (size_t i = 0; i < pipeline->count; i++) {
        const struct weir__stage *stage = &pipeline->stages[i];

        if (weir__pool_is_inside(stage->pool) ||
            (mine && mine == &stage->stream->feed.thread))
            return true;
    }
    return false;
}

static void write_report(const weir_pipeline *pipeline, weir_report *report)
{
    weir_report filled = WEIR_REPORT_INIT;

    filled.status = pipeline->status;
    filled.elapsed_ns = pipeline->ended_ns - pipeline->began_ns;
    memcpy(filled.first_failure, pipeline->first_failure,
           sizeof(filled.first_failure));
    filled.ledger = pipeline->ledger;
    weir__snapshot_write(report, &filled, sizeof(filled));
}

weir_status weir_pipeline_wait(weir_pipeline *pipeline, weir_report *report,
                               weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_pipeline(pipeline);
    struct weir__turn turn = {0};

    if (!status && report)
        status = weir__snapshot_check(report, "weir_report");
    if (status)
        return status;
    if (is_own_thread(pipeline))
        return weir__refuse(WEIR_DEADLOCK, "a handler or on_left waits for its "
                                           "own pipeline");
    weir__mutex_lock(&pipeline->lock);
    while (!pipeline->has_ended && !status)
        status = weir__waitlist_wait(&pipeline->waiters, &pipeline->lock, &turn,
                                     deadline);
    if (pipeline->has_ended)
        status = WEIR_OK;
    weir__mutex_unlock(&pipeline->lock);
    if (status)
        return status;
    if (report)
        write_report(pipeline, report);
    if (pipeline->status == WEIR_OK)
        return WEIR_OK;
    errno = pipeline->system_error;
    return weir__refuse(pipeline->status, "%s", pipeline->error);
}

void weir_pipeline_stop(weir_pipeline *pipeline)
{
    WEIR__UNTRAPPED;

    if (!pipeline || check_pipeline(pipeline))
        return;
    weir__pipeline_end_early(pipeline, WEIR_CANCELLED, "it was stopped");
}

weir_status weir_pipeline_read_stats(const weir_pipeline *pipeline,
                                     size_t index, weir_stage_stats *out)
{
    WEIR__UNTRAPPED;
    weir_stage_stats stats = WEIR_STAGE_STATS_INIT;
    weir_pool_stats of_pool = WEIR_POOL_STATS_INIT;
    weir_status status = check_pipeline(pipeline);
    const struct weir__stage *stage;

    if (!status && index >= pipeline->count)
        status = weir__refuse(WEIR_EINVAL, "stage %zu is not 0 to %zu", index,
                              pipeline->count - 1);
    if (!status && !out)
        status = weir__refuse(WEIR_EINVAL, "out is NULL");
    if (!status)
        status = weir__snapshot_check(out, "weir_stage_stats");
    if (status)
        return status;
    if (pipeline->crew) {
        weir__crew_read(pipeline->crew, index, &stats);
        weir__snapshot_write(out, &stats, sizeof(stats));
        return WEIR_OK;
    }
    stage = &pipeline->stages[index];
    weir_pool_read_stats(stage->pool, &of_pool);
    stats.name = stage->name;
    stats.held = weir__stream_held(stage->stream);
    stats.most = stage->window;
    stats.ledger = of_pool.ledger;
    weir__snapshot_write(out, &stats, sizeof(stats));
    return WEIR_OK;
}

static void stop_pool(weir_pool *pool)
{
    weir_status status = weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW);

    (void)status; /* whatever is stuck: all has settled */
}

void weir_pipeline_destroy(weir_pipeline *pipeline)
{
    WEIR__UNTRAPPED;

    if (!pipeline || check_pipeline(pipeline))
        return;
    weir__pipeline_end_early(pipeline, WEIR_CANCELLED, "it was destroyed");
    if (pipeline->crew)
        stop_pool(pipeline->crew->pool);
    for (size_t i = 0; !pipeline->crew && i < pipeline->count; i++)
        stop_pool(pipeline->stages[i].pool);
    weir__thread_join(&pipeline->reader);
    take_down(pipeline);
}
