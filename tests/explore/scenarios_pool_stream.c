/* SPDX-License-Identifier: MIT */
/* scenarios_pool_stream.c - results through a window. */
#include "choice.h"
#include "flow_stage.h"
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void
open_of(enum flow_kind kind, unsigned count, unsigned window, weir_order order)
{
    weir_pool_options options = flow_options(1);

    items.count = count;
    open_stream(&options, kind, window, order);
}

static void open_the_door(unsigned number)
{
    (void)number;
    open_the_gate();
}

static void stop_now_beside(unsigned number)
{
    (void)number;
    must(stop_streams_pool(WEIR_STOP_NOW) == WEIR_OK);
}

static void drain_beside(unsigned number)
{
    (void)number;
    must(stop_streams_pool(WEIR_STOP_AFTER_DRAIN) == WEIR_OK);
}

/* ------------------------------------------------------------------ tickets */

static void pool_stream_is_read(void)
{
    open_of(FLOW_QUIET, 2, 1, WEIR_AS_COMPLETED);
    must(take_all() == WEIR_END);
    must(take_all() == WEIR_END);
}

static void pool_stream_tells(void)
{
    open_of(FLOW_TELLS, 2, 1, WEIR_AS_COMPLETED);
    must(take_all() == WEIR_END);
}

static void pool_stream_window_is_full(void)
{
    open_of(FLOW_QUIET, 3, 2, WEIR_IN_ORDER);
    world_await_all();
    must(items.given == 2);
    must(take_all() == WEIR_END);
}

static void must_use_the_window(unsigned number)
{
    (void)number;
    world_await_all();
    must(items.given == items.taken + items.window);
    open_the_gate();
}

/* It need not hold back a ticket while it waits for what is slow. */
static void pool_stream_gives_back_before_it_waits(void)
{
    weir_pool_options options = flow_options(1);

    items.count = 10;
    items.fates[2].does[0] = waits_at_the_gate;
    options.queue_capacity = 8;
    open_stream(&options, FLOW_QUIET, 8, WEIR_AS_COMPLETED);
    choice_hush(true);
    world_await_all();
    choice_hush(false);
    take_item(1);
    start(must_use_the_window, 0);
    must(take_all() == WEIR_END);
}

static void pool_stream_timed(void)
{
    unsigned number;
    weir_status status;

    open_of(FLOW_QUIET, 1, 1, WEIR_AS_COMPLETED);
    status = take(&number, soon());
    must(status == WEIR_OK || status == WEIR_TIMED_OUT);
    must(take_all() == WEIR_END);
}

/* -------------------------------------------------------------------- order */

static void open_with_a_slow_head(weir_order order)
{
    weir_pool_options options = flow_options(2);

    items.count = 3;
    items.fates[1].does[0] = waits_at_the_gate;
    items.fates[2].does[0] = order == WEIR_IN_ORDER ? opens_the_gate : works;
    open_stream(&options, FLOW_QUIET, 2, order);
}

static void pool_stream_in_order(void)
{
    open_with_a_slow_head(WEIR_IN_ORDER);
    must(take_all() == WEIR_END);
}

static void pool_stream_as_completed(void)
{
    open_with_a_slow_head(WEIR_AS_COMPLETED);
    take_item(2);
    take_item(3);
    open_the_gate();
    must(take_all() == WEIR_END);
}

/* -------------------------------------------------------------------- close */

/* While the first handler runs; a worker may have taken the second task and not
 * yet said so. */
static void close_at_the_first(enum flow_kind kind, unsigned count)
{
    items.fates[1].does[0] = opens_the_gate;
    open_of(kind, count, 2, WEIR_IN_ORDER);
    waits_at_the_gate(NULL, 1);
    close_stream();
}

static void pool_stream_close_against_settle(void)
{
    close_at_the_first(FLOW_TELLS, 2);
}

static void pool_stream_close_against_take(void)
{
    close_at_the_first(FLOW_QUIET, 2);
}

static void pool_stream_close_at_once(void)
{
    open_of(FLOW_TELLS, 2, 2, WEIR_AS_COMPLETED);
    close_stream();
}

static void pool_stream_close_after_one(void)
{
    open_of(FLOW_TELLS, 2, 1, WEIR_AS_COMPLETED);
    take_item(1);
    close_stream();
}

static int opens_and_sleeps(weir_task *task, unsigned number)
{
    open_the_gate();
    return sleeps(task, number);
}

static void close_beside_a_sleeper(enum flow_kind kind)
{
    items.fates[1].does[0] = opens_and_sleeps;
    open_of(kind, 2, 2, WEIR_AS_COMPLETED);
    waits_at_the_gate(NULL, 1);
    close_stream();
}

static void pool_stream_close_asks(void)
{
    close_beside_a_sleeper(FLOW_QUIET);
}

static void pool_stream_close_asks_and_tells(void)
{
    close_beside_a_sleeper(FLOW_TELLS);
}

/* The feeder waits for room in the pool. */
static void close_beside_the_gate(enum flow_kind kind)
{
    items.fates[1].does[0] = waits_at_the_gate;
    open_of(kind, 3, 3, WEIR_AS_COMPLETED);
    world_await_all();
    close_stream();
    start(open_the_door, 0);
}

static void pool_stream_close_waits_for_no_room(void)
{
    close_beside_the_gate(FLOW_QUIET);
}

static void pool_stream_close_is_outlived(void)
{
    close_beside_the_gate(FLOW_TELLS);
}

static void pool_stream_close_interrupts(void)
{
    items.blocks = true;
    open_of(FLOW_QUIET, 1, 2, WEIR_AS_COMPLETED);
    close_stream();
}

/* ------------------------------------------------------------------- places */

static void take_three_that_overstay(void)
{
    weir_pool_options options = flow_options(1);
    unsigned number;

    options.timeout_ns = WEIR_MS(1);
    items.count = 4;
    for (unsigned i = 1; i <= 3; i++)
        items.fates[i].does[0] = waits_at_the_gate;
    choice_hush(true);
    open_stream(&options, FLOW_TELLS, 1, WEIR_AS_COMPLETED);
    choice_hush(true);
    resize_streams_pool(3);
    for (unsigned i = 1; i <= 3; i++)
        must(take(&number, WEIR_FOREVER) == WEIR_OK);
    choice_hush(false);
}

static void pool_stream_waits_for_a_place(void)
{
    take_three_that_overstay();
    start(open_the_door, 0);
    take_item(4);
    must(take_all() == WEIR_END);
}

static void pool_stream_close_waits_for_no_place(void)
{
    take_three_that_overstay();
    world_await_all();
    close_stream();
    open_the_gate();
}

/* The reader has been lent nothing, so that attempts free the last place. */
static void pool_stream_close_against_freeing(void)
{
    unsigned number;

    take_three_that_overstay();
    choice_hush(true);
    must(take(&number, WEIR_NOW) == WEIR_TIMED_OUT);
    world_await_all();
    choice_hush(false);
    start(open_the_door, 0);
    close_stream();
}

/* ----------------------------------------------------------- the pool's end */

static void pool_stream_against_stop_now(void)
{
    weir_status status;

    open_of(FLOW_TELLS, 2, 1, WEIR_AS_COMPLETED);
    start(stop_now_beside, 0);
    status = take_all();
    must(status == WEIR_END || status == WEIR_CLOSED);
}

static void pool_stream_against_drain(void)
{
    weir_status status;

    open_of(FLOW_QUIET, 2, 1, WEIR_AS_COMPLETED);
    start(drain_beside, 0);
    status = take_all();
    must(status == WEIR_END || status == WEIR_CLOSED);
}

static void pool_stream_close_against_stop(void)
{
    open_of(FLOW_QUIET, 2, 2, WEIR_AS_COMPLETED);
    start(stop_now_beside, 0);
    close_stream();
}

static void pool_stream_outlives_its_pool(void)
{
    items.fates[1].does[0] = waits_at_the_gate;
    open_of(FLOW_TELLS, 2, 2, WEIR_AS_COMPLETED);
    world_await_all();
    start(open_the_door, 0);
    destroy_streams_pool();
    must(take_all() == WEIR_CLOSED || items.taken == 2);
}

/* Its attempt ends while the reader has the item. */
static void pool_stream_lends_what_its_pool_had(void)
{
    unsigned number;

    items.fates[1].does[0] = waits_at_the_gate;
    open_of(FLOW_TELLS, 1, 1, WEIR_AS_COMPLETED);
    choice_hush(true);
    world_await_all();
    destroy_streams_pool();
    choice_hush(false);
    must(take(&number, WEIR_FOREVER) == WEIR_OK);
    start(open_the_door, 0);
    world_await_all(); /* what it was lent is still its own */
    must(take_all() == WEIR_END);
}

/* --------------------------------------------------------------- the source */

static void pool_stream_source_fails(void)
{
    items.end = WEIR_ENOMEM;
    open_of(FLOW_TELLS, 1, 2, WEIR_AS_COMPLETED);
    must(take_all() == WEIR_ENOMEM);
    must(items.taken == 1);
}

static void pool_stream_source_exits(void)
{
    items.exits = true;
    open_of(FLOW_QUIET, 1, 2, WEIR_AS_COMPLETED);
    must(take_all() == WEIR_ESYSTEM);
    must(items.taken == 1);
}

/* ---------------------------------------------------------------------- map */

static void map_two(deed *does, bool stops)
{
    static const uint64_t from[] = {1, 2};
    uint64_t into[] = {9, 9};
    weir_pool_options options = flow_options(1);
    weir_status status;

    items.fates[1].does[0] = does;
    open_pool_for_map(&options, 2);
    if (stops)
        start(drain_beside, 0);
    status = map_items(from, 2, into);
    if (stops && status == WEIR_CLOSED)
        return;
    must(into[1] == 2);
    must(into[0] == (does == works ? 1 : 0));
    must(status == (does == works ? WEIR_OK : WEIR_FAILED));
}

static void pool_map_of_two(void)
{
    map_two(works, false);
}

static void pool_map_of_one_that_fails(void)
{
    map_two(fails, false);
}

static void pool_map_against_drain(void)
{
    map_two(works, true);
}

const struct scenario scenarios_pool_stream[] = {
    {FLOW_SCENARIO(pool_stream_is_read, 4, "two items by the one ticket")},
    {FLOW_SCENARIO(pool_stream_tells, 4, "the same, and the source is told")},
    {FLOW_SCENARIO_TO(1, pool_stream_window_is_full, 4,
                      "no item more than the window")},
    {FLOW_SCENARIO_TO(1, pool_stream_gives_back_before_it_waits, 5,
                      "a reader that waits keeps no ticket")},
    {FLOW_SCENARIO(pool_stream_timed, 4, "a result comes with the deadline")},
    {FLOW_SCENARIO_TO(1, pool_stream_in_order, 5, "the second is there first")},
    {FLOW_SCENARIO_TO(1, pool_stream_as_completed, 5,
                      "the second is taken first")},
    {FLOW_SCENARIO(pool_stream_close_against_settle, 4,
                   "settled and released, once")},
    {FLOW_SCENARIO(pool_stream_close_against_take, 4,
                   "nothing begins afterwards")},
    {FLOW_SCENARIO(pool_stream_close_after_one, 4, "a ticket is on its way")},
    {FLOW_SCENARIO(pool_stream_close_at_once, 4, "nothing may have begun")},
    {FLOW_SCENARIO(pool_stream_close_asks, 4, "what runs is asked to stop")},
    {FLOW_SCENARIO(pool_stream_close_asks_and_tells, 4, "the same")},
    {FLOW_SCENARIO_TO(1, pool_stream_close_waits_for_no_room, 5,
                      "the feeder waits for the pool")},
    {FLOW_SCENARIO_TO(1, pool_stream_close_is_outlived, 5,
                      "the last attempt's end frees the stream")},
    {FLOW_SCENARIO(pool_stream_close_interrupts, 4,
                   "the source blocks until it is interrupted")},
    {FLOW_SCENARIO_TO(SCENARIO_NONE, pool_stream_waits_for_a_place, 8,
                      "attempts that overstay hold all places")},
    {FLOW_SCENARIO_TO(1, pool_stream_close_waits_for_no_place, 8,
                      "the same, and the reader leaves")},
    {FLOW_SCENARIO_TO(1, pool_stream_close_against_freeing, 8,
                      "the same, and places come free")},
    {FLOW_SCENARIO_TO(SCENARIO_NONE, pool_stream_against_stop_now, 5,
                      "what was given arrives, then the pool's end")},
    {FLOW_SCENARIO_TO(1, pool_stream_against_drain, 5, "the same")},
    {FLOW_SCENARIO_TO(1, pool_stream_close_against_stop, 5,
                      "both cancel the same")},
    {FLOW_SCENARIO_TO(1, pool_stream_outlives_its_pool, 5,
                      "what is stuck settles all the same")},
    {FLOW_SCENARIO(pool_stream_lends_what_its_pool_had, 5,
                   "whoever is at it last releases it")},
    {FLOW_SCENARIO(pool_stream_source_fails, 4, "results first, then why")},
    {FLOW_SCENARIO(pool_stream_source_exits, 4, "its thread ends in next")},
    {FLOW_SCENARIO_TO(1, pool_map_of_two, 4, "each result where it belongs")},
    {FLOW_SCENARIO_TO(1, pool_map_of_one_that_fails, 4, "the other is there")},
    {FLOW_SCENARIO_TO(SCENARIO_NONE, pool_map_against_drain, 5,
                      "all, or the pool's end")},
    {.name = NULL},
};
