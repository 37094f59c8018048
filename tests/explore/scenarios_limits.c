/* SPDX-License-Identifier: MIT */
/*
 * scenarios_limits.c - a semaphore, between threads and between attempts.
 *
 * As calls answer: no more is held than there is, and a time-out comes with its
 * time.  At the end: all permits are free, nobody waits, all memory was
 * released.
 */
#include <weir/semaphore.h>

#include "arena.h"
#include "choice.h"
#include "pool_players.h"
#include "scenarios.h"

static weir_semaphore *semaphore;
static size_t total, held, served;

static void open_semaphore(size_t permits)
{
    weir_status status;

    total = permits;
    held = served = 0;
    do
        status = weir_semaphore_create(&semaphore, permits);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
}

static weir_status acquire(size_t permits, weir_deadline deadline)
{
    weir_status status;

    world_begin_call(deadline.at_ns > 0 ? WORLD_WAITS : WORLD_NEVER_WAITS,
                     deadline.at_ns);
    status = weir_semaphore_acquire(semaphore, permits, deadline);
    world_end_call();
    if (status == WEIR_OK) {
        held += permits;
        must(held <= total);
        return status;
    }
    must(status == WEIR_TIMED_OUT);
    must(deadline.at_ns <= 0 || world_peek() >= deadline.at_ns);
    return status;
}

static void release(size_t permits)
{
    held -= permits;
    must(weir_semaphore_release(semaphore, permits) == WEIR_OK);
}

static void close_semaphore(void)
{
    must(weir_semaphore_available(semaphore) == total);
    must(weir_semaphore_waiting(semaphore) == 0);
    weir_semaphore_destroy(semaphore);
}

static void limit_play(const struct scenario *scenario)
{
    cast_reset();
    scenario->run();
    join_all();
    choice_hush(true);
    close_semaphore();
    must(arena_live() == 0);
}

#define LIMIT_SCENARIO(function, how_many, text)                               \
 SCENE(function, how_many, text), .play = limit_play

/* ------------------------------------------------------------------ players */

static void pass(unsigned permits)
{
    must(acquire(permits, WEIR_FOREVER) == WEIR_OK);
    served++;
    release(permits);
}

static void keep(unsigned permits)
{
    must(acquire(permits, WEIR_FOREVER) == WEIR_OK);
}

static void pass_if_soon(unsigned permits)
{
    if (acquire(permits, soon()) == WEIR_OK)
        release(permits);
}

/* The first to be served, however late. */
static void pass_first(unsigned permits)
{
    must(acquire(permits, WEIR_FOREVER) == WEIR_OK);
    must(served++ == 0);
    release(permits);
}

/* ---------------------------------------------------------------- scenarios */

static void semaphore_hand_over(void)
{
    open_semaphore(1);
    keep(1);
    start(pass, 1);
    start(pass, 1);
    release(1);
}

static void semaphore_serves_two(void)
{
    open_semaphore(2);
    keep(2);
    start(keep, 1);
    start(keep, 1);
    release(2);
    join_all();
    release(1);
    release(1);
}

static void semaphore_timeout_against_grant(void)
{
    open_semaphore(1);
    keep(1);
    start(pass_if_soon, 1);
    release(1);
    pass(1);
}

static void semaphore_two_timeouts_against_grant(void)
{
    open_semaphore(1);
    keep(1);
    start(pass_if_soon, 1);
    start(pass_if_soon, 1);
    release(1);
}

static void semaphore_big_gives_up(void)
{
    open_semaphore(2);
    keep(1);
    start(pass_if_soon, 2);
    start(pass, 1);
    world_await(2);
    release(1);
}

/* The small one needs no release, only that the big one goes. */
static void semaphore_small_behind_big(void)
{
    open_semaphore(2);
    keep(1);
    start(pass_if_soon, 2);
    start(pass, 1);
    join_all();
    release(1);
}

static void semaphore_is_not_overtaken(void)
{
    open_semaphore(2);
    keep(2);
    start(pass_first, 2);
    world_await(1);
    start(pass, 1);
    release(1);
    must(acquire(1, WEIR_NOW) == WEIR_TIMED_OUT || served > 0);
    release(1);
}

/* Without the lock, or with it, whichever way they meet. */
static void semaphore_three_pass(void)
{
    open_semaphore(1);
    start(pass, 1);
    start(pass, 1);
    pass(1);
}

static void semaphore_big_among_small(void)
{
    open_semaphore(2);
    start(pass, 2);
    start(pass, 1);
    must(weir_semaphore_available(semaphore) <= total);
    pass(1);
}

static void semaphore_given_while_one_wakes(void)
{
    open_semaphore(2);
    keep(2);
    start(pass, 1);
    world_await(1);
    release(1);
    release(1);
}

static void semaphore_soon_or_never(void)
{
    open_semaphore(1);
    start(pass, 1);
    if (acquire(1, WEIR_NOW) == WEIR_OK)
        release(1);
    pass_if_soon(1);
}

/* ------------------------------------------------------------- in attempts */

static bool attempt_is_over;

static int holds(weir_task *task, unsigned number)
{
    must(acquire(1, WEIR_FOREVER) == WEIR_OK);
    works(task, number);
    held--; /* at its end, which is now */
    return 0;
}

static int holds_and_ends_its_thread(weir_task *task, unsigned number)
{
    must(acquire(1, WEIR_FOREVER) == WEIR_OK);
    held--;
    return ends_its_thread(task, number);
}

static int holds_and_releases(weir_task *task, unsigned number)
{
    must(acquire(1, WEIR_FOREVER) == WEIR_OK);
    release(1);
    works(task, number);
    return 0;
}

static int holds_at_the_gate(weir_task *task, unsigned number)
{
    must(acquire(1, WEIR_FOREVER) == WEIR_OK);
    waits_at_the_gate(task, number);
    attempt_is_over = true;
    held--;
    return 0;
}

static void open_pool_and_semaphore(uint32_t workers, int64_t timeout_ns)
{
    weir_pool_options options = telling_options();

    options.workers = workers;
    options.queue_capacity = 2;
    options.timeout_ns = timeout_ns;
    attempt_is_over = false;
    open_semaphore(1);
    open_pool(&options);
}

static void await_and_close(void)
{
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    close_semaphore();
}

static void pool_semaphore_between_attempts(void)
{
    open_pool_and_semaphore(2, 0);
    submit_a_future(1, holds);
    submit_a_future(2, holds);
    await_and_close();
}

static void pool_semaphore_of_one_that_exits(void)
{
    open_pool_and_semaphore(1, 0);
    submit_a_future(1, holds_and_ends_its_thread);
    pass(1);
    await_and_close();
}

static void pool_semaphore_of_one_that_releases(void)
{
    open_pool_and_semaphore(1, 0);
    submit_a_future(1, holds_and_releases);
    pass(1);
    await_and_close();
}

static void pool_semaphore_of_one_that_is_overdue(void)
{
    open_pool_and_semaphore(1, WEIR_MS(1));
    submit_a_future(1, holds_at_the_gate);
    world_await_all();
    start(open_gate, 0);
    keep(1);
    must(attempt_is_over);
    release(1);
    await_and_close();
}

static void pool_semaphore_against_stop(void)
{
    open_pool_and_semaphore(1, 0);
    submit_a_future(1, holds_at_the_gate);
    world_await_all();
    start(open_gate, 0);
    start(pass, 1);
    must(stop_pool(WEIR_STOP_NOW, WEIR_FOREVER) == WEIR_OK);
    join_all();
    close_semaphore();
}

/* The attempt's permits are the last that need the memory. */
static void pool_semaphore_is_outlived(void)
{
    open_pool_and_semaphore(1, 0);
    submit_a_future(1, holds_at_the_gate);
    world_await_all();
    start(open_gate, 0);
    weir_semaphore_destroy(semaphore);
}

const struct scenario scenarios_limits[] = {
    {LIMIT_SCENARIO(semaphore_hand_over, 3,
                    "two threads wait for the one permit")},
    {LIMIT_SCENARIO(semaphore_serves_two, 3, "one release serves two")},
    {LIMIT_SCENARIO(semaphore_timeout_against_grant, 2,
                    "a permit comes with the deadline")},
    {LIMIT_SCENARIO(semaphore_two_timeouts_against_grant, 3,
                    "the first gives up, the second is next")},
    {LIMIT_SCENARIO(semaphore_big_gives_up, 3,
                    "a big request gives up while permits come")},
    {LIMIT_SCENARIO(semaphore_small_behind_big, 3,
                    "a small request waits for a big one to give up")},
    {LIMIT_SCENARIO(semaphore_is_not_overtaken, 3,
                    "a big request is served before a small one")},
    {LIMIT_SCENARIO(semaphore_three_pass, 3, "three threads at one permit")},
    {LIMIT_SCENARIO(semaphore_big_among_small, 3,
                    "a big request among small ones")},
    {LIMIT_SCENARIO(semaphore_given_while_one_wakes, 2,
                    "one is granted, and more comes before it has woken")},
    {LIMIT_SCENARIO(semaphore_soon_or_never, 2,
                    "calls that do not wait, or not for long")},
    {POOL_SCENARIO(pool_semaphore_between_attempts, 4,
                   "one attempt's end lets another go on")},
    {POOL_SCENARIO(pool_semaphore_of_one_that_exits, 3,
                   "a handler ends its thread with a permit")},
    {POOL_SCENARIO(pool_semaphore_of_one_that_releases, 3,
                   "a handler gives its permit back")},
    {POOL_SCENARIO(pool_semaphore_of_one_that_is_overdue, 5,
                   "an overdue attempt keeps its permit")},
    {POOL_SCENARIO(pool_semaphore_against_stop, 5,
                   "an attempt ends while the pool stops")},
    {POOL_SCENARIO(pool_semaphore_is_outlived, 4,
                   "the handle ends before the attempt")},
    {.name = NULL},
};
