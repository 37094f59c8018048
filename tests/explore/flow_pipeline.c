/* SPDX-License-Identifier: MIT */
/*
 * flow_pipeline.c - see flow_pipeline.h.
 *
 * WHAT IS CHECKED
 *
 * What becomes of each item: flow_items.c.  As items leave: once each, at the
 * stage that can have been the last, after the source's settle, with no lock
 * held.  As the end is told: all that were given have left, and the ledger of
 * the whole says how.  At the end: all threads have ended, all memory was
 * released.
 */
#include "flow_pipeline.h"

#include <inttypes.h>
#include <string.h>

#include <weir/producer.h>

#include "arena.h"
#include "choice.h"
#include "pool_jobs.h"
#include "race.h"
#include "threads.h"
#include "trace.h"

struct flow_stages flow_stages;

static const char *const names[FLOW_STAGES] = {"first", "second"};

static struct {
    weir_pipeline *pipeline;
    unsigned left[FLOW_STAGES];
    bool leaving; /* on_left runs, at the last stage */
} flow;

static void say(const char *what)
{
    if (trace_is_on)
        trace_say(world_self(), "%s", what);
}

/* ------------------------------------------------------------------ leaving */

static void check_left(unsigned number, unsigned stage, weir_outcome_kind kind)
{
    const struct fate *fate = &items.fates[number];

    if (number == 0 || number > items.given || fate->is_taken)
        world_fail("item %u leaves, and did, or was never given", number);
    if (items.tells && !fate->is_settled)
        world_fail("item %u leaves before it is settled", number);
    if (kind == WEIR_OUTCOME_DONE && stage + 1 < FLOW_STAGES)
        world_fail("item %u is done, and leaves at stage %s", number,
                   names[stage]);
    if (kind == WEIR_OUTCOME_FAILED && !fate->begun[stage])
        world_fail("item %u has not been at stage %s", number, names[stage]);
    if (stage > 0 && !fate->is_done[0])
        world_fail("item %u leaves at stage %s, and was not done before",
                   number, names[stage]);
}

static void item_left(void *arg, const char *name, const void *item,
                      const weir_outcome *outcome)
{
    unsigned stage = strcmp(name, names[1]) == 0;
    uint64_t number;

    (void)arg;
    race_read(item, sizeof(number), __builtin_return_address(0));
    memcpy(&number, item, sizeof(number));
    must(strcmp(name, names[stage]) == 0);
    if (world_holds_a_lock())
        world_fail("on_left is called with a lock held");
    check_left((unsigned)number, stage, outcome->kind);
    items_heard((unsigned)number, outcome);
    items.fates[number].is_taken = items.fates[number].is_lent = true;
    world_step("leaves", "an item", &items.fates[number]);
    items.fates[number].is_lent = false;
    flow.left[stage]++;
}

unsigned left_at(unsigned stage)
{
    return flow.left[stage];
}

/* -------------------------------------------------------------------- calls */

static weir_stage stage_of(unsigned index)
{
    weir_stage stage = WEIR_STAGE_INIT;

    stage.name = names[index];
    stage.kind = index ? flow_stages.second : WEIR_STAGE_PARALLEL;
    stage.handler = index ? items_second : items_first;
    stage.item_size = sizeof(uint64_t);
    stage.pool = &flow_stages.pools[index];
    return stage;
}

static void (*release_range)(void *self);

static void close_range(void *self)
{
    release_range(self);
    items.is_closed = true;
}

/* All that it will give may be seen at once. */
static weir_producer source_at_hand(void)
{
    weir_producer source;

    must(weir_producer_range(&source, 1, items.count) == WEIR_OK);
    release_range = source.close;
    source.close = close_range;
    for (unsigned i = 1; i <= items.count; i++)
        items.fates[i].is_given = true;
    return source;
}

void open_pipeline(void)
{
    weir_pipeline_options options = WEIR_PIPELINE_OPTIONS_INIT;
    weir_producer source = flow_stages.is_at_hand
                               ? source_at_hand()
                               : items_source(flow_stages.tells);
    weir_stage first = stage_of(0), second = stage_of(1);
    const weir_stage *const stages[] = {&first, &second};

    items.is_serial = flow_stages.second != WEIR_STAGE_PARALLEL;
    items.in_order = flow_stages.second == WEIR_STAGE_SERIAL_IN_ORDER;
    options.stages = stages;
    options.stage_count = FLOW_STAGES;
    options.on_left = flow_stages.is_unheard ? NULL : item_left;
    choice_hush(!flow_stages.opening_is_explored);
    if (weir_pipeline_open(&flow.pipeline, &source, &options))
        world_fail("the pipeline is not opened: %s", weir_last_error());
    choice_hush(false);
}

/* What nobody has heard of, handlers have seen. */
static void check_unheard(const weir_ledger *l)
{
    unsigned done = 0, failed = 0;

    for (unsigned i = 1; i <= FLOW_ITEMS; i++) {
        const struct fate *fate = &items.fates[i];

        done += fate->is_done[FLOW_STAGES - 1];
        for (unsigned s = 0; s < FLOW_STAGES; s++)
            failed += fate->ended[s] && !fate->is_done[s];
    }
    must(l->done == done);
    must(l->failed == failed);
    must(l->cancelled == 0 || items.may_be_cancelled);
}

static void check_ledger(const weir_ledger *l)
{
    if (!weir_ledger_balances(l))
        world_fail("the ledger does not balance");
    must(l->queued + l->running + l->retrying == 0);
    if (flow_stages.is_at_hand && !items.may_be_cancelled)
        must(l->accepted == items.count);
    if (flow_stages.is_at_hand && items.window > 0)
        must(l->accepted <= items.window);
    if (!flow_stages.is_at_hand)
        must(l->accepted == items.given);
    if (flow_stages.is_unheard) {
        check_unheard(l);
        return;
    }
    must(l->done == items_that_are(WEIR_OUTCOME_DONE));
    must(l->failed == items_that_are(WEIR_OUTCOME_FAILED));
    must(l->timed_out == items_that_are(WEIR_OUTCOME_TIMED_OUT));
    must(l->cancelled == items_that_are(WEIR_OUTCOME_CANCELLED));
}

weir_status await_pipeline(void)
{
    weir_report report = WEIR_REPORT_INIT;
    weir_status status;

    say("waits for the end");
    status = weir_pipeline_wait(flow.pipeline, &report, WEIR_FOREVER);
    say(weir_status_name(status));
    if (!flow_stages.is_unheard && flow.left[0] + flow.left[1] != items.given)
        world_fail("%u items were given, but %u have left", items.given,
                   flow.left[0] + flow.left[1]);
    check_ledger(&report.ledger);
    items.starts_nothing = items.asks_nothing = true;
    return status;
}

void stop_pipeline(void)
{
    say("stops the pipeline");
    items.may_be_cancelled = true;
    weir_pipeline_stop(flow.pipeline); /* a worker may be about to begin */
}

void destroy_pipeline(void)
{
    say("destroys the pipeline");
    items.may_be_cancelled = true;
    weir_pipeline_destroy(flow.pipeline);
    flow.pipeline = NULL;
    items.starts_nothing = items.asks_nothing = true;
    if (!flow_stages.is_unheard && flow.left[0] + flow.left[1] != items.given)
        world_fail("%u items were given, but %u have left", items.given,
                   flow.left[0] + flow.left[1]);
}

unsigned check_pipeline_stages(void)
{
    unsigned sum = 0;

    for (size_t i = 0; i < FLOW_STAGES; i++) {
        weir_stage_stats stats = WEIR_STAGE_STATS_INIT;

        must(weir_pipeline_read_stats(flow.pipeline, i, &stats) == WEIR_OK);
        must(stats.held <= stats.most);
        sum += (unsigned)stats.most;
    }
    return sum;
}

/* ------------------------------------------------------------------ the end */

static void set_stages(void)
{
    memset(&flow_stages, 0, sizeof(flow_stages));
    for (unsigned i = 0; i < FLOW_STAGES; i++) {
        flow_stages.pools[i] = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
        flow_stages.pools[i].workers = 1;
        flow_stages.pools[i].queue_capacity = 1;
    }
    flow_stages.pools[1].max_result = sizeof(uint64_t);
}

void pipeline_scenario_play(const struct scenario *scenario)
{
    cast_reset();
    jobs_reset();
    deeds_reset();
    items_reset();
    set_stages();
    memset(&flow, 0, sizeof(flow));
    scenario->run();
    join_all();
    choice_hush(true);
    if (flow.pipeline)
        destroy_pipeline();
    world_await_all();
    items_must_be_over();
    for (unsigned i = 1; i < thread_count; i++)
        if (!world_has_ended(i))
            world_fail("thread %u has not ended", i);
    if (arena_live())
        world_fail("%zu blocks of memory were not released", arena_live());
}
