/* SPDX-License-Identifier: MIT */
/* scenarios_pool_log.c - what an operator must know is told, in time. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

static unsigned logged; /* by the notifier; read when it is quiet */

static void log_it(void *arg, const weir_log_record *record)
{
    (void)arg;
    if (record->kind != WEIR_LOG_EXITED)
        world_fail("kind %d is told, and only ends of threads happen",
                   (int)record->kind);
    world_step("is told that a thread has ended", NULL, NULL);
    logged++;
}

static void open_logging(bool tells)
{
    weir_pool_options options = tells ? telling_options() : pool_options();

    options.queue_capacity = 2;
    options.on_log = log_it;
    logged = 0;
    open_pool(&options);
}

/* It is over, and nobody tells any more. */
static void all_is_told(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    if (logged != stats.ledger.exited)
        world_fail("%u of %u ends of threads were told", logged,
                   (unsigned)stats.ledger.exited);
}

static void pool_log_before_a_join(void)
{
    open_logging(false);
    must(submit(1, ends_its_thread, WEIR_NOW) == WEIR_OK);
    join_it(0);
    all_is_told();
}

static void pool_log_beside_callbacks(void)
{
    open_logging(true);
    must(submit(1, ends_its_thread, WEIR_NOW) == WEIR_OK);
    submit_one(2);
    join_it(0);
    all_is_told();
}

static void pool_log_against_stop(void)
{
    open_logging(false);
    must(submit(1, ends_its_thread, WEIR_NOW) == WEIR_OK);
    stop_now(0);
    all_is_told();
}

static void pool_log_against_drain(void)
{
    open_logging(false);
    must(submit(1, ends_its_thread, WEIR_NOW) == WEIR_OK);
    submit_one(2);
    stop_after_drain(0);
    all_is_told();
}

static void pool_log_against_destroy(void)
{
    open_logging(false);
    must(submit(1, ends_its_thread, WEIR_NOW) == WEIR_OK);
    destroy_pool();
    must(logged <= 1);
}

const struct scenario scenarios_pool_log[] = {
    {POOL_SCENARIO(pool_log_before_a_join, 4, "a join waits for what is told"),
     .bound = 1},
    {POOL_SCENARIO(pool_log_beside_callbacks, 4,
                   "the notifier has two things to tell"),
     .bound = 1},
    {POOL_SCENARIO(pool_log_against_stop, 4, "and so does a stop"), .bound = 1},
    {POOL_SCENARIO(pool_log_against_drain, 4, "also after the drain"),
     .bound = 1},
    {POOL_SCENARIO(pool_log_against_destroy, 4,
                   "nothing is told of what is gone"),
     .bound = 1},
    {.name = NULL},
};
