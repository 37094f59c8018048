/* SPDX-License-Identifier: MIT */
/* scenarios_pool_marks.c - what is said of a pool's pressure, and if it is so.
 */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* Two tasks may wait; 2 is high, 1 is low. */
static void open_with_marks(bool tells)
{
    weir_pool_options options = marking_options(2, 2, 1, tells);

    open_pool(&options);
}

static void open_with_one_place(void)
{
    weir_pool_options options = marking_options(1, 1, 0, false);

    open_pool(&options);
}

/* Pressure stays high until it is told: the worker waits for that. */
static void fill_and_await_high(void)
{
    pressure_opens_the_gate();
    for (unsigned i = 1; i <= 3; i++)
        submit_to_the_gate(i);
}

static void pool_marks_up_and_down(void)
{
    open_with_marks(false);
    fill_and_await_high();
    join_it(0);
    must(pressure_was_high());
    pressure_must_be_low();
}

static void pool_marks_with_callbacks(void)
{
    open_with_marks(true);
    fill_and_await_high();
    join_it(0);
    must(pressure_was_high());
    pressure_must_be_low();
}

static void pool_marks_and_two_submitters(void)
{
    open_with_marks(false);
    start(submit_one, 1);
    submit_one(2);
}

static void pool_marks_against_cancel(void)
{
    open_with_marks(false);
    submit_a_future(1, works);
    start(cancel_it, 1);
    submit_one(2);
}

static void pool_marks_against_stop(void)
{
    open_with_marks(false);
    submit_to_the_gate(1);
    submit_one(2);
    start(open_gate, 0);
    stop_now(0);
}

static void pool_marks_against_drain(void)
{
    open_with_one_place();
    pressure_opens_the_gate();
    submit_to_the_gate(1);
    submit_to_the_gate(2);
    stop_after_drain(0);
    must(pressure_was_high());
}

static void pool_marks_against_destroy(void)
{
    open_with_marks(false);
    submit_one(1);
    submit_one(2);
    destroy_pool();
}

static void pool_marks_exits(void)
{
    open_with_marks(false);
    end_thread_in_pressure();
    fill_and_await_high();
    join_it(0);
    pressure_must_be_low();
}

static void pool_marks_exits_against_destroy(void)
{
    open_with_marks(false);
    end_thread_in_pressure();
    submit_one(1);
    submit_one(2);
    destroy_pool();
}

static void pool_marks_of_retries(void)
{
    weir_pool_options options = marking_options(1, 1, 0, false);
    weir_retry retry = pool_retry(2);

    options.retry = &retry;
    open_pool(&options);
    must(submit(1, fails_at_first, WEIR_FOREVER) == WEIR_OK);
    join_it(0);
    pressure_must_be_low();
}

const struct scenario scenarios_pool_marks[] = {
    {POOL_SCENARIO(pool_marks_up_and_down, 4,
                   "high is told while it is, and low before a join is back"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_with_callbacks, 4, "notices do not hold it up"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_and_two_submitters, 5,
                   "calls alternate, the last one is true"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_against_cancel, 5, "a cancel is a fall"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_against_stop, 5, "and so is a stop"), .bound = 1},
    {POOL_SCENARIO(pool_marks_against_drain, 4,
                   "low is told before a stop is back"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_against_destroy, 4, "and before a destroy is"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_exits, 5, "another thread goes on telling"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_exits_against_destroy, 5,
                   "also while the pool ends"),
     .bound = 1},
    {POOL_SCENARIO(pool_marks_of_retries, 4, "what retries waits"), .bound = 1},
    {.name = NULL},
};
