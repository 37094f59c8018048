/* SPDX-License-Identifier: MIT */
/*
 * scenarios_pool_rates.c - tasks that a rate, an adaptive limit or a breaker
 * holds back (pool/limits.h); by semaphores: scenarios_pool_limits.c.
 */
#include <weir/adaptive.h>
#include <weir/breaker.h>
#include <weir/rate.h>
#include <weir/semaphore.h>

#include "limit/limit.h"

#include "pool_players.h"
#include "scenarios.h"

/* ----------------------------------------------- rate, adaptive and breaker */

static void open_rated(uint32_t workers)
{
    weir_pool_options options = telling_options();
    weir_rate *rate;
    weir_status status;

    do
        status = weir_rate_create(&rate, 1000, 1);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
    options.workers = workers;
    options.queue_capacity = 3;
    options.rate = rate;
    open_pool(&options);
    weir_rate_destroy(rate);
}

static void pool_token_comes(void)
{
    open_rated(1);
    submit_a_future(1, works);
    submit_a_future(2, works);
    await_it(2);
}

static void pool_token_against_cancel(void)
{
    open_rated(1);
    submit_a_future(1, works);
    submit_a_future(2, works);
    start(cancel_it, 2);
    await_it(2);
}

static void pool_token_of_one_that_is_cancelled(void)
{
    open_rated(1);
    submit_a_future(1, works);
    submit_a_future(2, works);
    start(cancel_it, 1);
    await_it(2);
}

static int64_t began_ns; /* the last that did; 0: none */

/* It had its token before, so a leap in between says nothing. */
static int begins_apart(weir_task *task, unsigned number)
{
    int64_t now_ns = world_peek();

    (void)task;
    if (began_ns != 0 && now_ns - began_ns < WEIR_MS(1) && !world_has_leapt())
        world_fail("task %u begins %lld ns after the one before", number,
                   (long long)(now_ns - began_ns));
    began_ns = now_ns;
    return 0;
}

static int begins_apart_and_takes_long(weir_task *task, unsigned number)
{
    (void)begins_apart(task, number);
    must(weir_task_sleep(task, WEIR_MS(3)) == WEIR_OK);
    return 0;
}

/* Tokens that nobody could use meanwhile are not all there at its end. */
static void pool_token_by_token(void)
{
    began_ns = 0;
    open_rated(1);
    submit_a_future(1, begins_apart);
    submit_a_future(2, begins_apart_and_takes_long);
    submit_a_future(3, begins_apart);
    submit_a_future(4, begins_apart);
    await_it(4);
}

static void pool_token_of_one_that_is_called(void)
{
    open_rated(1);
    submit_a_future(1, works);
    submit_a_future(2, works);
    submit_a_future(3, works);
    start(cancel_it, 2);
    await_it(3);
}

static weir_semaphore *create_one(void)
{
    weir_semaphore *one;
    weir_status status;

    do
        status = weir_semaphore_create(&one, 1);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
    return one;
}

/* What the second is called for is the third's, if it lacks its permit. */
static void pool_token_of_one_that_lacks_a_permit(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_semaphore *one = create_one();

    open_rated(1);
    submit_a_future(1, works);
    spec.semaphore = one;
    must(submit_spec(2, works, &spec, WEIR_FOREVER) == WEIR_OK);
    must(weir_semaphore_acquire(one, 1, WEIR_FOREVER) == WEIR_OK);
    submit_a_future(3, works);
    await_it(3);
    must(weir_semaphore_release(one, 1) == WEIR_OK);
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    join_all();
    must(weir_semaphore_available(one) == 1);
    weir_semaphore_destroy(one);
}

static void open_adaptive(weir_adaptive **adaptive)
{
    weir_adaptive_options a = WEIR_ADAPTIVE_OPTIONS_INIT;
    weir_pool_options options = telling_options();
    weir_status status;

    a.kind = WEIR_ADAPTIVE_AIMD;
    a.start = a.most = 1;
    do
        status = weir_adaptive_create(adaptive, &a);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
    options.workers = 2;
    options.queue_capacity = 2;
    options.adaptive = *adaptive;
    open_pool(&options);
}

static void pool_in_flight_one_by_one(void)
{
    weir_adaptive *adaptive;

    open_adaptive(&adaptive);
    submit_a_future(1, works);
    submit_a_future(2, works);
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    must(weir_adaptive_in_flight(adaptive) == 0);
    weir_adaptive_destroy(adaptive);
}

/* One failure opens it, one trial closes it. */
static weir_breaker *breaker;

static void open_with_breaker(int64_t cool_down_ns)
{
    weir_breaker_options b = WEIR_BREAKER_OPTIONS_INIT;
    weir_pool_options options = telling_options();
    weir_status status;

    b.window = b.least_calls = b.trials = 1;
    b.cool_down_ns = cool_down_ns;
    do
        status = weir_breaker_create(&breaker, &b);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
    options.queue_capacity = 2;
    options.breaker = breaker;
    open_pool(&options);
}

/* The second was accepted before the first failed, or is refused. */
static void pool_breaker_cools_down(void)
{
    open_with_breaker(WEIR_MS(1));
    submit_a_future(1, fails);
    if (submit_future(2, works, WEIR_FOREVER) == WEIR_OK)
        await_it(2);
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    weir_breaker_destroy(breaker);
}

/* The trial fails too, and nothing is held any more: the pool goes, and is not
 * to be told of what becomes of the breaker. */
static void pool_breaker_outlives_it(void)
{
    open_with_breaker(WEIR_MS(1));
    submit_a_future(1, fails);
    if (submit_future(2, fails, WEIR_FOREVER) == WEIR_OK)
        await_it(2);
    destroy_pool();
    world_await_all();
    weir_breaker_destroy(breaker); /* asserts that nobody watches it */
}

static weir_breaker_pass trial;

static void leave_well(unsigned number)
{
    (void)number;
    must(weir_breaker_leave(breaker, &trial, WEIR_RESULT_OK) == WEIR_OK);
}

/* Half-open, and the trial is ours. */
static void pool_breaker_has_news(void)
{
    weir_semaphore *one = create_one();

    open_with_breaker(WEIR_MS(1));
    must(weir_semaphore_acquire(one, 1, WEIR_FOREVER) == WEIR_OK);
    must(weir_breaker_enter(breaker, &trial) == WEIR_OK);
    must(weir_breaker_leave(breaker, &trial, WEIR_RESULT_FAILED) == WEIR_OK);
    must(weir_semaphore_acquire(one, 1, weir_deadline_after(WEIR_MS(2))) ==
         WEIR_TIMED_OUT); /* it cools down */
    must(weir_breaker_enter(breaker, &trial) == WEIR_OK);
    if (submit_future(1, works, WEIR_FOREVER) == WEIR_OK) {
        start(leave_well, 0);
        await_it(1);
    } else {
        leave_well(0);
    }
    join_all();
    weir_breaker_destroy(breaker);
    must(weir_semaphore_release(one, 1) == WEIR_OK);
    weir_semaphore_destroy(one);
}

const struct scenario scenarios_pool_rates[] = {
    {POOL_SCENARIO(pool_token_comes, 3, "the second waits for its token")},
    {POOL_SCENARIO(pool_token_against_cancel, 4, "started or cancelled")},
    {POOL_SCENARIO(pool_token_of_one_that_is_cancelled, 4,
                   "the next has its token")},
    {POOL_SCENARIO(pool_token_by_token, 3, "a burst at most, whoever is busy"),
     .bound = 1},
    {POOL_SCENARIO(pool_token_of_one_that_is_called, 4,
                   "cancelled, and the next is called"),
     .bound = 1},
    {POOL_SCENARIO(pool_token_of_one_that_lacks_a_permit, 3,
                   "the next is called"),
     .bound = 1},
    {POOL_SCENARIO(pool_in_flight_one_by_one, 4, "one call at a time"),
     .bound = 1},
    {POOL_SCENARIO(pool_breaker_cools_down, 3, "what it holds is the trial")},
    {POOL_SCENARIO(pool_breaker_outlives_it, 3,
                   "its trial failed, and it watches no more"),
     .bound = 1},
    {POOL_SCENARIO(pool_breaker_has_news, 4, "somebody else's trial closes it"),
     .bound = 1},
    {.name = NULL},
};
