/* SPDX-License-Identifier: MIT */
/* scenarios_pool_pipeline.c - stages in series. */
#include "choice.h"
#include "flow_pipeline.h"
#include "pool_stage.h"
#include "scenarios.h"

/* Schedules of a scenario that has too many. */
enum { PIPELINE_LOT = 3000 };

/* ------------------------------------------------------------------ players */

static void open_with(unsigned count)
{
    items.count = count;
    open_pipeline();
}

static void open_that_tells(unsigned count)
{
    flow_stages.tells = true;
    open_with(count);
}

/* Before the choices begin, an item waits at the gate in this stage. */
static void open_with_one_at(unsigned stage, unsigned count)
{
    items.fates[1].does[stage] = waits_at_the_gate;
    open_that_tells(count);
    choice_hush(true);
    world_await_all();
    choice_hush(false);
}

static void open_the_door(unsigned number)
{
    (void)number;
    open_the_gate();
}

/* ------------------------------------------------------------------- course */

static void pool_pipeline_passes_on(void)
{
    open_with(1);
    must(await_pipeline() == WEIR_OK);
    must(left_at(1) == 1);
}

/* Its threads may begin before all of it is there. */
static void pool_pipeline_is_opened(void)
{
    flow_stages.opening_is_explored = true;
    open_with(1);
    must(await_pipeline() == WEIR_OK);
}

static void pool_pipeline_passes_two_on(void)
{
    open_that_tells(2);
    must(await_pipeline() == WEIR_OK);
    must(left_at(1) == 2);
}

static void pool_pipeline_item_leaves_early(void)
{
    items.fates[1].does[0] = fails;
    open_that_tells(2);
    must(await_pipeline() == WEIR_OK);
    must(left_at(0) == 1);
    must(left_at(1) == 1);
}

static void pool_pipeline_in_order(void)
{
    flow_stages.pools[0].workers = 2;
    flow_stages.second = WEIR_STAGE_SERIAL_IN_ORDER;
    items.fates[1].does[0] = waits_at_the_gate;
    items.fates[2].does[0] = opens_the_gate;
    open_with(2);
    must(await_pipeline() == WEIR_OK);
    must(left_at(1) == 2);
}

/* Each stage holds what it can, the source is not asked for more. */
static void pool_pipeline_is_full(void)
{
    unsigned most;

    flow_stages.second = WEIR_STAGE_SERIAL;
    open_with_one_at(1, 10); /* more than there are places for origins */
    most = check_pipeline_stages();
    must(most == 4); /* a queue and a worker, twice */
    must(items.given == most);
    start(open_the_door, 0);
    must(await_pipeline() == WEIR_OK);
    must(left_at(1) == 10);
}

/* --------------------------------------------------------------- early ends */

static void pool_pipeline_stop_against_hand_over(void)
{
    weir_status status;

    open_with_one_at(0, 2);
    start(open_the_door, 0);
    stop_pipeline();
    status = await_pipeline();
    must(status == WEIR_CANCELLED || status == WEIR_OK);
    must(left_at(1) == 0 || items.fates[1].is_done[0]);
}

static void pool_pipeline_stop_at_the_last(void)
{
    weir_status status;

    open_with_one_at(1, 2);
    start(open_the_door, 0);
    stop_pipeline();
    status = await_pipeline();
    must(status == WEIR_CANCELLED || status == WEIR_OK);
}

static void stop_it(unsigned number)
{
    (void)number;
    stop_pipeline();
}

static void pool_pipeline_stop_against_the_end(void)
{
    weir_status status;

    open_with(1);
    start(stop_it, 0);
    status = await_pipeline();
    must(status == WEIR_OK || status == WEIR_CANCELLED);
}

static void pool_pipeline_stop_interrupts(void)
{
    items.blocks = true;
    open_with(0);
    stop_pipeline();
    must(await_pipeline() == WEIR_CANCELLED);
}

static void pool_pipeline_destroyed(void)
{
    open_with_one_at(0, 2);
    start(open_the_door, 0);
    destroy_pipeline();
}

static void pool_pipeline_destroyed_at_the_last(void)
{
    open_with_one_at(1, 3);
    start(open_the_door, 0);
    destroy_pipeline();
}

static void pool_pipeline_source_fails(void)
{
    items.end = WEIR_ENOMEM;
    open_that_tells(1);
    must(await_pipeline() == WEIR_ENOMEM);
    must(left_at(1) == 1); /* what it gave before goes to the end */
}

/* Until the other stage has given up. */
static int sleeps_for_long(weir_task *task, unsigned number)
{
    (void)number;
    return weir_task_sleep(task, WEIR_SECONDS(1)) == WEIR_OK ? 0 : 1;
}

/* The second stage gives up on an attempt, and takes no more. */
static void pool_pipeline_stage_degrades(void)
{
    weir_status status;

    flow_stages.pools[1].timeout_ns = WEIR_MS(1);
    flow_stages.pools[1].grace_ns = WEIR_MS(1);
    flow_stages.pools[1].max_abandoned = 1;
    items.may_be_cancelled = true;
    items.fates[1].does[1] = waits_at_the_gate;
    items.fates[2].does[0] = sleeps_for_long;
    open_that_tells(8);
    status = await_pipeline();
    must(status == WEIR_DEGRADED || status == WEIR_OK); /* the clock leaps */
    must(status == WEIR_OK || items.given < items.count);
    must(items.fates[1].kind == WEIR_OUTCOME_TIMED_OUT);
    open_the_gate();
}

const struct scenario scenarios_pool_pipeline[] = {
    {PIPELINE_SCENARIO(pool_pipeline_passes_on, 8, "from stage to stage"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_pipeline_is_opened, 8, "nothing begins too early"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_passes_two_on, 8, "the same"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_item_leaves_early, 8,
                       "a failure leaves, the other goes on"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_pipeline_in_order, 9,
                       "the second is done first, and waits"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_pipeline_is_full, 9,
                       "a slow last stage stops the source"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_stop_against_hand_over, 9,
                       "what is done leaves at the next stage"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_stop_at_the_last, 9, "what runs is done"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_stop_against_the_end, 9,
                       "it has ended, or is stopped"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_stop_interrupts, 8,
                       "the source blocks until it is interrupted"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_pipeline_destroyed, 9, "all has left, once"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_destroyed_at_the_last, 9, "the same"),
     .by_lot = PIPELINE_LOT},
    {PIPELINE_SCENARIO(pool_pipeline_source_fails, 8,
                       "what it gave goes to the end, then it is told"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_pipeline_stage_degrades, 10,
                       "the source hears that a later stage takes no more"),
     .by_lot = PIPELINE_LOT},
    {.name = NULL},
};
