/* SPDX-License-Identifier: MIT */
/* scenarios_pool_schedule.c - tasks that wait for their time, and series. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void open_for(size_t capacity)
{
    weir_pool_options options = telling_options();

    options.queue_capacity = capacity;
    open_pool(&options);
}

static void delay(unsigned number)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.not_before = weir_deadline_after(WEIR_MS(1));
    must(submit_spec(number, works, &spec, WEIR_FOREVER) == WEIR_OK);
}

static void cancel_the_group(unsigned number)
{
    (void)number;
    cancel_group();
}

/* ----------------------------------------------------------------- delayed */

static void pool_due_alone(void)
{
    open_for(1);
    delay(1);
    await_it(1);
    must(attempts_of(1) == 1);
}

static void pool_due_against_cancel(void)
{
    open_for(1);
    delay(1);
    start(cancel_it, 1);
    await_it(1);
}

static void pool_due_against_stop_now(void)
{
    open_for(1);
    delay(1);
    stop_now(0);
}

static void pool_due_against_drain(void)
{
    open_for(1);
    delay(1);
    stop_after_drain(0);
    must(attempts_of(1) == 1);
}

static void pool_two_are_due(void)
{
    open_for(2);
    delay(1);
    delay(2);
    await_it(2);
    must(attempts_of(1) == 1);
}

static void pool_due_against_submit(void)
{
    open_for(1);
    delay(1);
    submit_one(2); /* waits for the room that it takes up */
}

static void pool_due_beside_plain(void)
{
    weir_pool_options options = pool_options();

    options.queue_capacity = 2;
    open_pool(&options);
    delay(1);
    submit_one(2);
    await_it(1);
    submit_one(3);
}

/* ------------------------------------------------------------------ series */

static void pool_series_ends_itself(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    waits_at_the_gate(NULL, 1); /* which it opens */
    must(attempts_of(1) == 1);
}

static void pool_series_against_stop_now(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    stop_now(0);
}

static void pool_series_against_drain(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    stop_after_drain(0);
}

static void pool_series_against_cancel(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    start(cancel_the_group, 0);
}

static void pool_series_against_destroy(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    destroy_pool();
}

const struct scenario scenarios_pool_schedule[] = {
    {POOL_SCENARIO(pool_due_alone, 3, "it starts at its time")},
    {POOL_SCENARIO(pool_due_against_cancel, 4, "started or cancelled, once")},
    {POOL_SCENARIO(pool_due_against_stop_now, 3, "run or cancelled")},
    {POOL_SCENARIO(pool_due_against_drain, 3, "a drain waits for it")},
    {POOL_SCENARIO(pool_two_are_due, 3, "in the order of submission")},
    {POOL_SCENARIO(pool_due_against_submit, 3, "it takes up room until then")},
    {POOL_SCENARIO(pool_due_beside_plain, 3, "the lane opens again"),
     .bound = 1},
    {POOL_SCENARIO(pool_series_ends_itself, 3, "it fires once")},
    {POOL_SCENARIO(pool_series_against_stop_now, 3, "it fires once, or never")},
    {POOL_SCENARIO(pool_series_against_drain, 3, "the same")},
    {POOL_SCENARIO(pool_series_against_cancel, 4, "the same")},
    {POOL_SCENARIO(pool_series_against_destroy, 3,
                   "the same, and it is freed")},
    {.name = NULL},
};
