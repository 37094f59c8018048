/* SPDX-License-Identifier: MIT */
/* scenarios_pool_crew.c - stages in series of which nobody hears. */
#include "choice.h"
#include "flow_pipeline.h"
#include "pool_stage.h"
#include "scenarios.h"

/* Schedules of a scenario that has too many. */
enum { CREW_LOT = 3000 };

/* ------------------------------------------------------------------ players */

static void crew_opens(unsigned count)
{
    items.count = count;
    flow_stages.is_unheard = true;
    open_pipeline();
}

static void crew_opens_at_hand(unsigned count)
{
    flow_stages.is_at_hand = true;
    crew_opens(count);
}

/* Before the choices begin, an item waits at the gate in this stage. */
static void crew_opens_with_one_at(unsigned stage, unsigned count)
{
    items.fates[1].does[stage] = waits_at_the_gate;
    crew_opens(count);
    choice_hush(true);
    world_await_all();
    choice_hush(false);
}

static void crew_opens_the_door(unsigned number)
{
    (void)number;
    open_the_gate();
}

static void must_be_done(unsigned count)
{
    must(await_pipeline() == WEIR_OK);
    for (unsigned i = 1; i <= count; i++)
        must(items.fates[i].is_done[FLOW_STAGES - 1]);
}

/* ------------------------------------------------------------------- course */

static void pool_crew_passes_on(void)
{
    crew_opens(1);
    must_be_done(1);
}

static void pool_crew_is_opened(void)
{
    flow_stages.opening_is_explored = true;
    crew_opens(1);
    must_be_done(1);
}

static void pool_crew_passes_two_on(void)
{
    crew_opens(2);
    must_be_done(2);
}

static void pool_crew_passes_five_on(void)
{
    crew_opens(5);
    must_be_done(5);
}

static void pool_crew_reads_at_hand(void)
{
    crew_opens_at_hand(5);
    must_be_done(5);
}

static void pool_crew_item_leaves_early(void)
{
    items.fates[1].does[0] = fails;
    crew_opens(2);
    must(await_pipeline() == WEIR_OK);
    must(!items.fates[1].begun[1] && items.fates[2].is_done[1]);
}

static void pool_crew_is_serial(void)
{
    flow_stages.pools[0].workers = 2;
    flow_stages.second = WEIR_STAGE_SERIAL;
    crew_opens(3);
    must_be_done(3);
}

static void pool_crew_is_full(void)
{
    unsigned most;

    crew_opens_with_one_at(1, 10);
    most = check_pipeline_stages();
    must(most == 4); /* a queue and a worker, twice */
    must(items.given == most);
    start(crew_opens_the_door, 0);
    must_be_done(10);
}

/* By then the second stage is a quick one, so that nobody is woken before it
 * has the third item; which waits for the fourth to be at the first stage. */
static void pool_crew_quick_one_blocks(void)
{
    items.fates[3].does[1] = waits_at_the_gate;
    items.fates[4].does[0] = opens_the_gate;
    if (flow_stages.is_at_hand)
        crew_opens_at_hand(4);
    else
        crew_opens(4);
    must_be_done(4);
}

static void pool_crew_quick_one_blocks_at_hand(void)
{
    flow_stages.is_at_hand = true;
    pool_crew_quick_one_blocks();
}

static void pool_crew_thread_ends(void)
{
    items.fates[1].does[0] = items.fates[2].does[0] = ends_its_thread;
    crew_opens(3);
    must(await_pipeline() == WEIR_OK);
    must(items.fates[3].is_done[1]);
}

/* --------------------------------------------------------------- early ends */

static void pool_crew_stop_against_hand_over(void)
{
    weir_status status;

    crew_opens_with_one_at(0, 2);
    start(crew_opens_the_door, 0);
    stop_pipeline();
    status = await_pipeline();
    must(status == WEIR_CANCELLED || status == WEIR_OK);
}

static void pool_crew_stop_at_the_last(void)
{
    weir_status status;

    crew_opens_with_one_at(1, 3);
    start(crew_opens_the_door, 0);
    stop_pipeline();
    status = await_pipeline();
    must(status == WEIR_CANCELLED || status == WEIR_OK);
    must(items.fates[1].is_done[1]);
}

static void crew_is_stopped(unsigned number)
{
    (void)number;
    stop_pipeline();
}

static void pool_crew_stop_against_the_end(void)
{
    weir_status status;

    crew_opens(2);
    start(crew_is_stopped, 0);
    status = await_pipeline();
    must(status == WEIR_OK || status == WEIR_CANCELLED);
}

static void pool_crew_stop_at_hand(void)
{
    weir_status status;

    crew_opens_at_hand(5);
    start(crew_is_stopped, 0);
    status = await_pipeline();
    must(status == WEIR_OK || status == WEIR_CANCELLED);
}

static void pool_crew_stop_interrupts(void)
{
    items.blocks = true;
    crew_opens(1);
    stop_pipeline();
    must(await_pipeline() == WEIR_CANCELLED);
}

static void pool_crew_destroyed(void)
{
    crew_opens_with_one_at(0, 2);
    start(crew_opens_the_door, 0);
    destroy_pipeline();
}

static void pool_crew_destroyed_at_the_last(void)
{
    crew_opens_with_one_at(1, 3);
    start(crew_opens_the_door, 0);
    destroy_pipeline();
}

static int unblocks_the_source(weir_task *task, unsigned number)
{
    (void)task;
    (void)number;
    items_unblock();
    return 0;
}

/* Its next comes back when the item before is at the second post. */
static void pool_crew_source_waits(void)
{
    items.blocks = true;
    items.fates[1].does[1] = unblocks_the_source;
    crew_opens(1);
    must_be_done(1);
}

static void pool_crew_stop_reads_no_more(void)
{
    flow_stages.is_at_hand = true;
    items.window = 4; /* a queue and a worker, twice */
    crew_opens_with_one_at(1, 10);
    stop_pipeline();
    start(crew_opens_the_door, 0);
    must(await_pipeline() == WEIR_CANCELLED);
}

static void pool_crew_source_fails(void)
{
    items.end = WEIR_ENOMEM;
    crew_opens(1);
    must(await_pipeline() == WEIR_ENOMEM);
    must(items.fates[1].is_done[1]);
}

const struct scenario scenarios_pool_crew[] = {
    {PIPELINE_SCENARIO(pool_crew_passes_on, 7, "from post to post"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_crew_is_opened, 7, "nothing begins too early"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_passes_two_on, 7, "the same"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_passes_five_on, 7, "more than a post holds"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_reads_at_hand, 7, "without a feeder"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_item_leaves_early, 7,
                       "a failure leaves, the other goes on"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_is_serial, 8, "one at a time at the second"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_is_full, 8,
                       "a slow last post stops the source"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_quick_one_blocks, 7,
                       "the watch sees it, and another goes on"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_quick_one_blocks_at_hand, 7, "the same"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_thread_ends, 9, "others take their place"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_stop_against_hand_over, 8,
                       "what is done is cancelled before the next post"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_stop_at_the_last, 8, "what runs is done"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_stop_against_the_end, 8,
                       "it has ended, or is stopped"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_stop_at_hand, 8, "the same"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_stop_interrupts, 7,
                       "the source blocks until it is interrupted"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_crew_destroyed, 8, "all has left, once"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_destroyed_at_the_last, 8, "the same"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_source_waits, 7,
                       "what it gave goes on meanwhile"),
     .bound = SCENARIO_NONE},
    {PIPELINE_SCENARIO(pool_crew_stop_reads_no_more, 7,
                       "what is at hand stays there"),
     .by_lot = CREW_LOT},
    {PIPELINE_SCENARIO(pool_crew_source_fails, 7,
                       "what it gave goes to the end, then it is told"),
     .bound = SCENARIO_NONE},
    {.name = NULL},
};
