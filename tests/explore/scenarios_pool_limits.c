/* SPDX-License-Identifier: MIT */
/*
 * scenarios_pool_limits.c - tasks that limits hold back (pool/limits.h).
 *
 * At the end all permits are free, and nobody waits for any; a limit whose
 * handle has gone is freed with its last reference.
 */
#include <weir/semaphore.h>

#include "limit/limit.h"

#include "pool_players.h"
#include "scenarios.h"

static weir_semaphore *semaphore;
static size_t total;

static void make_semaphore(size_t permits)
{
    weir_status status;

    total = permits;
    do
        status = weir_semaphore_create(&semaphore, permits);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
}

/* The pool's, one permit for each attempt; and workers. */
static void open_limited(uint32_t workers, size_t permits)
{
    weir_pool_options options = telling_options();

    make_semaphore(permits);
    options.workers = workers;
    options.queue_capacity = 2;
    options.semaphore = semaphore;
    open_pool(&options);
}

static void close_semaphore(void)
{
    must(weir_semaphore_available(semaphore) == total);
    must(weir_semaphore_waiting(semaphore) == 0);
    weir_semaphore_destroy(semaphore);
}

static void join_and_close(void)
{
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    join_all();
    close_semaphore();
}

/* ------------------------------------------------------------------ players */

static void keep(unsigned permits)
{
    must(weir_semaphore_acquire(semaphore, permits, WEIR_FOREVER) == WEIR_OK);
}

static void release(unsigned permits)
{
    must(weir_semaphore_release(semaphore, permits) == WEIR_OK);
}

static void pass(unsigned permits)
{
    keep(permits);
    release(permits);
}

static void submit_with(unsigned number, size_t permits)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.semaphore = semaphore;
    spec.permits = permits;
    must(submit_spec(number, works, &spec, WEIR_FOREVER) == WEIR_OK);
}

/* --------------------------------------------------------------- semaphores */

static void pool_held_by_another_attempt(void)
{
    open_limited(2, 1);
    submit_a_future(1, works);
    submit_a_future(2, works);
    join_and_close();
}

static void pool_held_by_one_that_exits(void)
{
    open_limited(2, 1);
    submit_a_future(1, ends_its_thread);
    submit_a_future(2, works);
    join_and_close();
}

static void pool_held_against_release(void)
{
    open_limited(1, 1);
    keep(1);
    submit_a_future(1, works);
    release(1);
    join_and_close();
}

static void pool_held_before_a_thread(void)
{
    open_limited(1, 1);
    keep(1);
    submit_a_future(1, works);
    start(pass, 1);
    release(1);
    join_and_close();
}

static void pool_held_against_cancel(void)
{
    open_limited(1, 1);
    keep(1);
    submit_a_future(1, works);
    start(cancel_it, 1);
    release(1);
    join_and_close();
}

static void pool_held_against_expiry(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    open_limited(1, 1);
    keep(1);
    spec.time_to_live_ns = WEIR_MS(1);
    must(submit_spec(1, works, &spec, WEIR_FOREVER) == WEIR_OK);
    start(release, 1);
    join_and_close();
}

static void pool_held_against_drain(void)
{
    open_limited(1, 1);
    keep(1);
    submit_a_future(1, works);
    start(release, 1);
    stop_after_drain(0);
    join_all();
    must(attempts_of(1) == 1);
    close_semaphore();
}

/* Who releases is on its way to a pool that goes. */
static void pool_held_against_destroy(void)
{
    open_limited(1, 1);
    keep(1);
    submit_a_future(1, works);
    start(release, 1);
    destroy_pool();
    join_all();
    world_await_all();
    close_semaphore();
}

static void pool_held_again_for_a_retry(void)
{
    weir_pool_options options = telling_options();
    weir_retry retry = pool_retry(2);

    make_semaphore(1);
    options.semaphore = semaphore;
    options.retry = &retry;
    open_pool(&options);
    submit_a_future(1, fails_at_first);
    start(pass, 1);
    join_and_close();
    must(attempts_of(1) == 2);
}

/* The second needs no semaphore, and must not wait. */
static void pool_held_stands_in_nobodys_way(void)
{
    weir_pool_options options = telling_options();

    make_semaphore(1);
    options.queue_capacity = 2;
    open_pool(&options);
    keep(1);
    submit_with(1, 1);
    submit_a_future(2, works);
    await_it(2);
    release(1);
    join_and_close();
}

/* While it waits for the one it holds nothing of the other. */
static void pool_held_keeps_nothing(void)
{
    weir_pool_options options = telling_options();
    weir_semaphore *of_pool;

    make_semaphore(1);
    keep(1);
    of_pool = semaphore;
    make_semaphore(1);
    options.semaphore = of_pool;
    open_pool(&options);
    submit_with(1, 1);
    world_await_all();
    must(weir_semaphore_available(semaphore) == 1);
    must(weir_semaphore_release(of_pool, 1) == WEIR_OK);
    join_and_close();
    weir_semaphore_destroy(of_pool);
}

static void give_up_soon(unsigned permits)
{
    if (weir_semaphore_acquire(semaphore, permits, soon()) == WEIR_OK)
        release(permits);
}

/* It needs no release, only that the thread before it goes. */
static void pool_held_behind_one_that_gives_up(void)
{
    open_limited(1, 2);
    keep(1);
    start(give_up_soon, 2);
    submit_a_future(1, works);
    await_it(1);
    release(1);
    join_and_close();
}

/* ---------------------------------------------------------- somebody else */

/* Another pool, as far as a semaphore can tell. */
static struct {
    struct weir__listener listener;
    struct weir__bid bid;
    unsigned holds; /* and not yet let go */
    unsigned granted;
} other;

static void hold_other(struct weir__listener *listener)
{
    (void)listener;
    other.holds++;
}

static void
come_to_other(struct weir__listener *listener, struct weir__limit *limit)
{
    struct weir__bid *bid = weir__limit_collect(limit, listener);

    other.granted += bid == &other.bid;
    other.holds--;
}

static void bid_as_other(void)
{
    other.listener = (struct weir__listener){hold_other, come_to_other};
    other.bid = (struct weir__bid){.request = {.wanted = 1},
                                   .listener = &other.listener};
    other.holds = other.granted = 0;
    must(!weir__limit_ask((struct weir__limit *)semaphore, &other.bid));
}

/* A big request of the pool's stands before it. */
static void open_before_other(void)
{
    weir_pool_options options = telling_options();

    make_semaphore(2);
    open_pool(&options);
    keep(1);
    submit_with(1, 2);
    world_await_all(); /* it is in the line */
    bid_as_other();
}

static void close_after_other(void)
{
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    join_all();
    world_await_all();
    must(other.granted == 1 && other.holds == 0);
    weir__limit_give((struct weir__limit *)semaphore, 1);
    release(1);
    close_semaphore();
}

static void pool_held_is_cancelled_before_another(void)
{
    open_before_other();
    cancel_it(1);
    close_after_other();
}

static void pool_held_ends_before_another(void)
{
    open_before_other();
    stop_now(0);
    close_after_other();
}

static void pool_held_is_destroyed_before_another(void)
{
    open_before_other();
    destroy_pool();
    world_await_all();
    must(other.granted == 1 && other.holds == 0);
    weir__limit_give((struct weir__limit *)semaphore, 1);
    release(1);
    close_semaphore();
}

/* The only worker is in a handler: the timekeeper has nobody to join. */
static void pool_held_is_left_before_another(void)
{
    weir_pool_options options = pool_options();

    options.queue_capacity = 2;
    make_semaphore(2);
    open_pool(&options);
    keep(1);
    submit_with(1, 2);
    world_await_all();
    submit_to_the_gate(2);
    world_await_all();
    bid_as_other();
    destroy_pool();
    world_await_all();
    must(other.granted == 1 && other.holds == 0);
    open_the_gate();
    world_await_all();
    weir__limit_give((struct weir__limit *)semaphore, 1);
    release(1);
    close_semaphore();
}

const struct scenario scenarios_pool_limits[] = {
    {POOL_SCENARIO(pool_held_by_another_attempt, 4,
                   "one attempt's end lets the next begin")},
    {POOL_SCENARIO(pool_held_by_one_that_exits, 4,
                   "the same, if it ends its thread"),
     .bound = 1},
    {POOL_SCENARIO(pool_held_against_release, 3,
                   "a thread releases while it is being held")},
    {POOL_SCENARIO(pool_held_before_a_thread, 4, "it is served first")},
    {POOL_SCENARIO(pool_held_against_cancel, 4,
                   "granted or cancelled, and no permit is lost")},
    {POOL_SCENARIO(pool_held_against_expiry, 4, "granted or expired")},
    {POOL_SCENARIO(pool_held_against_drain, 4, "a drain waits for it")},
    {SCENE(pool_held_against_destroy, 4,
           "who grants it comes to a pool that goes"),
     .play = pool_scenario_play, .bound = 1}, /* no late stores: too many */
    {POOL_SCENARIO(pool_held_again_for_a_retry, 4, "each attempt asks anew")},
    {POOL_SCENARIO(pool_held_stands_in_nobodys_way, 3,
                   "what needs no permit passes it by")},
    {POOL_SCENARIO(pool_held_keeps_nothing, 3,
                   "it has no permit of what it does not wait for")},
    {POOL_SCENARIO(pool_held_is_cancelled_before_another, 3,
                   "another pool behind it is told")},
    {POOL_SCENARIO(pool_held_ends_before_another, 3, "the same, by a stop"),
     .bound = 1},
    {POOL_SCENARIO(pool_held_is_destroyed_before_another, 3,
                   "the same, by a destroy"),
     .bound = 1},
    {POOL_SCENARIO(pool_held_is_left_before_another, 3,
                   "the same, and a handler does not return")},
    {POOL_SCENARIO(pool_held_behind_one_that_gives_up, 4,
                   "a thread before it gives up"),
     .bound = 1},
    {.name = NULL},
};
