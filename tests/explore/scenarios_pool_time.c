/* SPDX-License-Identifier: MIT */
/* scenarios_pool_time.c - the timekeeper: deadlines, the beat, threads that are
 * abandoned. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void open_with_timeout(size_t capacity)
{
    weir_pool_options options = pool_options();

    options.timeout_ns = WEIR_MS(1);
    options.queue_capacity = capacity;
    open_pool(&options);
}

/* -------------------------------------------------------------- timekeeper */

static void pool_plain_deadline(void)
{
    open_with_timeout(1);
    submit_a_sleeper(1);
    join_it(0);
}

static void pool_plain_deadlines(void)
{
    open_with_timeout(2);
    submit_a_sleeper(1);
    submit_a_sleeper(2);
    join_it(0);
}

static void pool_plain_deadline_against_end(void)
{
    open_with_timeout(1);
    submit_one(1);
    submit_one(2);
    join_it(0);
}

static void pool_plain_deadline_against_failing(void)
{
    open_with_timeout(1);
    must(submit(1, fails, WEIR_FOREVER) == WEIR_OK);
    submit_a_sleeper(2);
}

static void pool_plain_deadline_outlasted(void)
{
    open_with_timeout(1);
    submit_to_the_gate(1);
    start(open_gate, 0);
    submit_one(2);
}

static void pool_plain_deadline_against_stop(void)
{
    open_with_timeout(1);
    submit_a_sleeper(1);
    stop_now(0);
}

static void pool_plain_deadline_against_drain(void)
{
    open_with_timeout(1);
    submit_a_sleeper(1);
    stop_after_drain(0);
}

static void pool_plain_deadline_against_shut(void)
{
    open_with_timeout(2);
    submit_a_sleeper(1);
    must(submit_future(2, sleeps, WEIR_FOREVER) == WEIR_OK);
}

static void pool_plain_deadline_against_exit(void)
{
    open_with_timeout(1);
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    submit_a_sleeper(2);
}

static void pool_plain_deadline_of_two(void)
{
    weir_pool_options options = pool_options();

    options.workers = 2;
    options.timeout_ns = WEIR_MS(1);
    open_pool(&options);
    submit_a_sleeper(1);
    submit_a_sleeper(2);
}

/* -------------------------------------------------------------------- beat */

/* Whose second task has no deadline until the timekeeper has seen it. */
static void open_on_beat(void)
{
    weir_pool_options options = pool_options();

    options.timeout_ns = WEIR_MS(64);
    options.queue_capacity = 2;
    ask_no_deadline();
    open_pool(&options);
    submit_one(1);
}

static void pool_beat_of_a_sleeper(void)
{
    open_on_beat();
    submit_a_sleeper(2);
    join_it(0);
}

static void pool_beat_against_end(void)
{
    open_on_beat();
    submit_one(2);
    submit_one(3);
}

static void pool_beat_is_asked(void)
{
    open_on_beat();
    must(submit(2, looks_at_its_deadline, WEIR_FOREVER) == WEIR_OK);
    submit_one(3);
}

static void pool_beat_against_stop(void)
{
    open_on_beat();
    submit_a_sleeper(2);
    stop_now(0);
}

static void pool_beat_against_exit(void)
{
    open_on_beat();
    must(submit(2, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    submit_a_sleeper(3);
}

/* ------------------------------------------------------------------- grace */

static void open_with_grace(uint32_t most_abandoned)
{
    weir_pool_options options = pool_options();

    options.timeout_ns = WEIR_MS(1);
    options.grace_ns = WEIR_MS(1);
    options.max_abandoned = most_abandoned;
    open_pool(&options);
}

static void pool_abandon_against_return(void)
{
    open_with_grace(2);
    submit_to_the_gate(1);
    start(open_gate, 0);
    submit_one(2);
    (void)join_pool(WEIR_FOREVER); /* or WEIR_STUCK */
}

static void pool_abandoned_is_made_up_for(void)
{
    open_with_grace(2);
    submit_to_the_gate(1);
    must(submit_future(2, works, WEIR_FOREVER) == WEIR_OK);
    await_it(2);
    open_the_gate();
}

static void pool_degraded(void)
{
    weir_status status;

    open_with_grace(1);
    submit_to_the_gate(1);
    status = submit(2, works, WEIR_FOREVER);
    must(status == WEIR_OK || status == WEIR_DEGRADED);
    open_the_gate();
}

static void pool_abandoned_in_join(void)
{
    open_with_grace(2);
    submit_to_the_gate(1);
    must(join_pool(WEIR_FOREVER) == WEIR_STUCK);
    open_the_gate();
}

static void pool_abandon_against_stop(void)
{
    weir_status status;

    open_with_grace(2);
    submit_to_the_gate(1);
    status = stop_pool(WEIR_STOP_NOW, WEIR_FOREVER);
    must(status == WEIR_STUCK || (status == WEIR_OK && attempts_of(1) == 0));
    open_the_gate();
}

static void pool_abandon_against_destroy(void)
{
    open_with_grace(2);
    submit_to_the_gate(1);
    start(open_gate, 0);
    destroy_pool();
}

const struct scenario scenarios_pool_time[] = {
    {POOL_SCENARIO(pool_plain_deadline, 3,
                   "no deadline is slept over that is just published")},
    {POOL_SCENARIO(pool_plain_deadlines, 3, "nor the next one")},
    {POOL_SCENARIO(pool_plain_deadline_against_end, 3,
                   "adopted or ended, never both"),
     .bound = 1},
    {POOL_SCENARIO(pool_plain_deadline_against_failing, 3,
                   "a figure for each")},
    {POOL_SCENARIO(pool_plain_deadline_outlasted, 4,
                   "an adopted attempt is late"),
     .bound = 1},
    {POOL_SCENARIO(pool_plain_deadline_against_stop, 3, "one of them asks")},
    {POOL_SCENARIO(pool_plain_deadline_against_drain, 3,
                   "a drain keeps deadlines")},
    {POOL_SCENARIO(pool_plain_deadline_against_shut, 4,
                   "in the lane and out of it")},
    {POOL_SCENARIO(pool_plain_deadline_against_exit, 4,
                   "the new worker's are kept too")},
    {POOL_SCENARIO(pool_plain_deadline_of_two, 4, "both are kept")},
    {POOL_SCENARIO(pool_beat_of_a_sleeper, 3, "the beat sees it")},
    {POOL_SCENARIO(pool_beat_against_end, 3, "seen or ended, never both"),
     .bound = 1},
    {POOL_SCENARIO(pool_beat_is_asked, 3, "a deadline that is known stays"),
     .bound = 1},
    {POOL_SCENARIO(pool_beat_against_stop, 3, "one of them asks"), .bound = 1},
    {POOL_SCENARIO(pool_beat_against_exit, 4, "the next worker's, too"),
     .bound = 1},
    {POOL_SCENARIO(pool_abandon_against_return, 5,
                   "abandoned or not, the thread takes no harm"),
     .bound = 1},
    {POOL_SCENARIO(pool_abandoned_is_made_up_for, 4,
                   "another worker takes the next task")},
    {POOL_SCENARIO(pool_degraded, 4, "no task is taken, or it is run")},
    {POOL_SCENARIO(pool_abandoned_in_join, 4, "join does not wait for it")},
    {POOL_SCENARIO(pool_abandon_against_stop, 4, "nor does stop")},
    {POOL_SCENARIO(pool_abandon_against_destroy, 5, "nor does destroy"),
     .bound = 1},
    {.name = NULL},
};
