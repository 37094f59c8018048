/* SPDX-License-Identifier: MIT */
/* pool_players.c - see pool_players.h. */
#include "pool_players.h"

/* -------------------------------------------------------------------- pools */

void open_plain(void)
{
    weir_pool_options options = pool_options();

    open_pool(&options);
}

void open_telling(void)
{
    weir_pool_options options = telling_options();

    open_pool(&options);
}

void open_telling_with_timeout(void)
{
    weir_pool_options options = telling_options();

    options.timeout_ns = WEIR_MS(1);
    open_pool(&options);
}

void open_with_two(void)
{
    weir_pool_options options = pool_options();

    options.workers = 2;
    options.queue_capacity = 2;
    open_pool(&options);
}

/* ------------------------------------------------------------------ players */

void submit_one(unsigned number)
{
    must(submit(number, works, WEIR_FOREVER) == WEIR_OK);
}

void submit_a_sleeper(unsigned number)
{
    must(submit(number, sleeps, WEIR_FOREVER) == WEIR_OK);
}

void submit_to_the_gate(unsigned number)
{
    must(submit(number, waits_at_the_gate, WEIR_FOREVER) == WEIR_OK);
}

void open_gate(unsigned number)
{
    (void)number;
    open_the_gate();
}

void await_it(unsigned number)
{
    weir_outcome_kind kind;

    must(await(number, &kind, WEIR_FOREVER) == WEIR_OK);
}

void cancel_it(unsigned number)
{
    cancel(number);
}

void stop_after_drain(unsigned number)
{
    (void)number;
    must(stop_pool(WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER) == WEIR_OK);
}

void stop_now(unsigned number)
{
    (void)number;
    must(stop_pool(WEIR_STOP_NOW, WEIR_FOREVER) == WEIR_OK);
}

void join_it(unsigned number)
{
    (void)number;
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
}

void submit_a_future(unsigned number, deed *does)
{
    must(submit_future(number, does, WEIR_FOREVER) == WEIR_OK);
}
