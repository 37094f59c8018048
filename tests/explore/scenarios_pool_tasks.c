/* SPDX-License-Identifier: MIT */
/* scenarios_pool_tasks.c - how tasks end: answers, deadlines, cancels; and
 * who hears of it. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* --------------------------------------------------------- cancel, deadline */

static void pool_cancel_against_take(void)
{
    open_plain();
    submit_a_future(1, works);
    cancel(1);
}

static void pool_cancel_against_answer(void)
{
    open_telling();
    submit_a_future(1, works);
    start(cancel_it, 1);
    await_it(1);
}

static void pool_cancel_wakes_a_sleeper(void)
{
    open_telling();
    submit_a_future(1, sleeps);
    cancel(1);
    join_it(0);
}

static void pool_two_cancels(void)
{
    open_telling();
    submit_a_future(1, sleeps);
    start(cancel_it, 1);
    cancel(1);
}

static void pool_cancel_of_a_settled(void)
{
    open_telling();
    submit_a_future(1, works);
    await_it(1);
    start(submit_one, 2);
    cancel(1);
}

static void pool_timeout_against_answer(void)
{
    open_telling_with_timeout();
    submit_one(1);
    join_it(0);
}

static void pool_timeout_of_a_sleeper(void)
{
    open_telling_with_timeout();
    must(submit(1, sleeps, WEIR_FOREVER) == WEIR_OK);
    submit_one(2);
}

static void pool_timeout_against_cancel(void)
{
    weir_outcome_kind kind;

    open_telling_with_timeout();
    submit_a_future(1, sleeps);
    start(cancel_it, 1);
    must(await(1, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_TIMED_OUT || kind == WEIR_OUTCOME_CANCELLED);
}

static void pool_timeout_outlasted(void)
{
    weir_outcome_kind kind;

    open_telling_with_timeout();
    submit_a_future(1, waits_at_the_gate);
    must(await(1, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_TIMED_OUT);
    check_pool();
    open_the_gate();
}

static void pool_release_against_told(void)
{
    open_telling_with_timeout();
    submit_a_future(1, waits_at_the_gate);
    start(open_gate, 0);
    await_it(1);
}

static void pool_action_against_end(void)
{
    open_telling();
    submit_a_future(1, takes_actions_back);
    cancel(1);
}

static void pool_action_of_a_sleeper(void)
{
    open_telling();
    submit_a_future(1, has_actions);
    cancel(1);
    submit_one(2);
}

static void pool_action_beside_the_next(void)
{
    weir_pool_options options = telling_options();

    options.queue_capacity = 2;
    open_pool(&options);
    submit_a_future(1, has_actions);
    must(submit(2, takes_actions_back, WEIR_FOREVER) == WEIR_OK);
    cancel(1);
}

static void open_telling_with_room(size_t capacity)
{
    weir_pool_options options = telling_options();

    options.queue_capacity = capacity;
    open_pool(&options);
}

static void pool_room_in_a_while(void)
{
    open_telling_with_room(2);
    submit_one(1);
    submit_to_the_gate(2);
    submit_one(3);
    submit_one(4); /* there is room for one, until the gate opens */
    open_gate(0);
}

static void pool_room_for_two(void)
{
    open_telling_with_room(2);
    submit_one(1);
    submit_one(2);
    start(submit_one, 3);
    submit_one(4);
}

static void pool_descriptor(void)
{
    open_telling();
    submit_a_future(1, has_a_descriptor);
    cancel(1);
    submit_one(2);
}

static void pool_cleanups_against_cancel(void)
{
    open_telling();
    submit_a_future(1, has_cleanups);
    cancel(1);
}

/* ----------------------------------------------------------------- futures */

static void pool_two_wait(void)
{
    open_plain();
    submit_a_future(1, works);
    start(await_it, 1);
    await_it(1);
}

static void pool_wait_for_either(void)
{
    open_with_two();
    submit_a_future(1, works);
    submit_a_future(2, works);
    await_either(1, 2);
}

static void pool_wait_for_one_that_sleeps(void)
{
    open_with_two();
    submit_a_future(1, sleeps);
    submit_a_future(2, works);
    await_either(1, 2);
    cancel(1);
}

static void await_both(unsigned number)
{
    (void)number;
    await_either(1, 2);
}

static void pool_two_wait_for_either(void)
{
    open_plain();
    submit_a_future(1, works);
    submit_a_future(2, works);
    start(await_both, 0);
    await_either(2, 1);
}

static void pool_timed_wait(void)
{
    weir_outcome_kind kind;
    weir_status status;

    open_plain();
    submit_a_future(1, works);
    status = await(1, &kind, soon());
    must(status == WEIR_OK || status == WEIR_TIMED_OUT);
}

static void pool_let_go_against_settle(void)
{
    open_plain();
    submit_a_future(1, works);
    let_go(1);
}

static void pool_let_go_against_told(void)
{
    open_telling();
    submit_a_future(1, works);
    await_it(1);
    let_go(1);
}

static void pool_future_outlives(void)
{
    open_plain();
    submit_a_future(1, works);
    destroy_pool();
    await_it(1);
}

/* ---------------------------------------------------------------- overload */

static void pool_submitters_of_entries(void)
{
    open_telling();
    submit_one(1);
    start(submit_one, 2);
    submit_one(3);
}

static void pool_figures_of_entries(void)
{
    open_telling();
    submit_one(1);
    check_pool();
    submit_one(2);
    check_pool();
}

static void list_and_open_gate(unsigned number)
{
    list_pool();
    open_gate(number);
}

/* The entry of the first may be the second's before its worker has left it. */
static void pool_list_of_entries(void)
{
    weir_pool_options options = pool_options();

    options.workers = 2;
    open_pool(&options);
    submit_a_future(1, works);
    await_it(1);
    start(list_and_open_gate, 0);
    submit_a_future(2, waits_at_the_gate);
}

const struct scenario scenarios_pool_tasks[] = {
    {POOL_SCENARIO(pool_cancel_against_take, 4, "it never starts, or settles")},
    {POOL_SCENARIO(pool_cancel_against_answer, 5,
                   "exactly one of them says how it ended"),
     .bound = 1},
    {POOL_SCENARIO(pool_cancel_wakes_a_sleeper, 4, "a sleeping attempt too")},
    {POOL_SCENARIO(pool_two_cancels, 5, "one of them settles it"), .bound = 1},
    {POOL_SCENARIO(pool_cancel_of_a_settled, 4,
                   "whose place another task may have")},
    {POOL_SCENARIO(pool_timeout_against_answer, 4,
                   "the answer counts, or the deadline")},
    {POOL_SCENARIO(pool_timeout_of_a_sleeper, 4,
                   "it is asked to stop, and the worker goes on")},
    {POOL_SCENARIO(pool_timeout_against_cancel, 5,
                   "exactly one of them settles it"),
     .bound = 1},
    {POOL_SCENARIO(pool_timeout_outlasted, 4,
                   "the release waits for the handler")},
    {POOL_SCENARIO(pool_release_against_told, 5,
                   "told, ended, released: in this order")},
    {POOL_SCENARIO(pool_action_against_end, 4,
                   "no action runs once it is taken back")},
    {POOL_SCENARIO(pool_action_of_a_sleeper, 4,
                   "the attempt's end waits for the action")},
    {POOL_SCENARIO(pool_action_beside_the_next, 4,
                   "no action runs for another task")},
    {POOL_SCENARIO(pool_room_in_a_while, 3,
                   "room is told of though no stretch of it comes")},
    {POOL_SCENARIO(pool_room_for_two, 4, "both get in"), .bound = 1},
    {POOL_SCENARIO(pool_descriptor, 4, "it is set, cleared and closed")},
    {POOL_SCENARIO(pool_cleanups_against_cancel, 4,
                   "clean-ups run before the release")},
    {POOL_SCENARIO(pool_two_wait, 4, "both hear the same")},
    {POOL_SCENARIO(pool_wait_for_either, 4, "it hears of the first")},
    {POOL_SCENARIO(pool_wait_for_one_that_sleeps, 5, "whichever that is")},
    {POOL_SCENARIO(pool_two_wait_for_either, 4, "both hear of it")},
    {POOL_SCENARIO(pool_timed_wait, 3, "a wait has a deadline")},
    {POOL_SCENARIO(pool_let_go_against_settle, 3,
                   "a future may be let go at any time")},
    {POOL_SCENARIO(pool_let_go_against_told, 3, "also before the release")},
    {POOL_SCENARIO(pool_future_outlives, 4, "the pool")},
    {POOL_SCENARIO(pool_submitters_of_entries, 4, "all get in"), .bound = 1},
    {POOL_SCENARIO(pool_figures_of_entries, 3,
                   "the figures are possible at any moment")},
    {POOL_SCENARIO(pool_list_of_entries, 5, "each task is listed once"),
     .bound = 1},
    {.name = NULL},
};
