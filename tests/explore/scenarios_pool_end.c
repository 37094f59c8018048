/* SPDX-License-Identifier: MIT */
/* scenarios_pool_end.c - stop, destroy, resize. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void submit_or_closed(unsigned number)
{
    weir_status status = submit(number, works, WEIR_FOREVER);

    must(status == WEIR_OK || status == WEIR_CLOSED);
}

static void submit_future_or_closed(unsigned number)
{
    weir_status status = submit_future(number, works, WEIR_FOREVER);

    must(status == WEIR_OK || status == WEIR_CLOSED);
}

static void resize_or_closed(unsigned workers)
{
    weir_status status = resize_pool(workers);

    must(status == WEIR_OK || status == WEIR_CLOSED);
}

static void open_with_workers(uint32_t workers)
{
    weir_pool_options options = pool_options();

    options.workers = workers;
    open_pool(&options);
}

static void open_with_room(size_t capacity)
{
    weir_pool_options options = pool_options();

    options.queue_capacity = capacity;
    open_pool(&options);
}

static void open_with_attempts(unsigned most, int64_t timeout_ns)
{
    weir_pool_options options = telling_options();
    weir_retry retry = pool_retry(most);

    options.retry = &retry;
    options.timeout_ns = timeout_ns;
    open_pool(&options);
}

/* --------------------------------------------------------------- the drain */

static void pool_drain_against_submit(void)
{
    open_plain();
    start(submit_or_closed, 1);
    stop_after_drain(0);
}

static void pool_drain_of_plain_tasks(void)
{
    open_with_room(2);
    submit_one(1);
    submit_one(2);
    stop_after_drain(0);
    must(attempts_of(1) + attempts_of(2) == 2);
}

static void pool_drain_with_two_workers(void)
{
    open_with_workers(2);
    submit_one(1);
    stop_after_drain(0);
}

static void pool_drain_of_entries(void)
{
    open_telling();
    submit_one(1);
    start(submit_or_closed, 2);
    stop_after_drain(0);
}

static void pool_drain_of_a_retry(void)
{
    open_with_attempts(2, 0);
    must(submit(1, fails_at_first, WEIR_FOREVER) == WEIR_OK);
    stop_after_drain(0);
    must(attempts_of(1) == 2);
}

static void pool_timed_drain(void)
{
    weir_status status;

    open_plain();
    submit_to_the_gate(1);
    status = stop_pool(WEIR_STOP_AFTER_DRAIN, soon());
    must(status == WEIR_TIMED_OUT);
    open_the_gate();
    stop_after_drain(0);
}

/* -------------------------------------------------------------------- now */

static void pool_now_against_submit(void)
{
    open_plain();
    start(submit_or_closed, 1);
    stop_now(0);
}

static void pool_now_against_take(void)
{
    open_with_room(2);
    submit_a_sleeper(1);
    submit_a_sleeper(2);
    stop_now(0);
}

static void pool_now_against_two(void)
{
    weir_pool_options options = pool_options();

    options.workers = 2;
    options.queue_capacity = 2;
    open_pool(&options);
    submit_a_sleeper(1);
    submit_a_sleeper(2);
    stop_now(0);
}

static void pool_now_against_a_future(void)
{
    open_plain();
    start(submit_future_or_closed, 1);
    stop_now(0);
}

static void pool_now_of_entries(void)
{
    open_telling();
    submit_a_sleeper(1);
    submit_a_sleeper(2);
    stop_now(0);
}

static void pool_now_against_retry(void)
{
    open_with_attempts(2, 0);
    must(submit(1, fails_at_first, WEIR_FOREVER) == WEIR_OK);
    stop_now(0);
}

static void pool_now_cancels_retries(void)
{
    open_with_attempts(2, 0);
    must(submit(1, fails_then_sleeps, WEIR_FOREVER) == WEIR_OK);
    stop_now(0);
}

static void pool_now_against_action(void)
{
    open_telling();
    must(submit(1, has_actions, WEIR_FOREVER) == WEIR_OK);
    stop_now(0);
}

static void submit_then_open(unsigned number)
{
    submit_or_closed(number);
    open_the_gate();
}

static void pool_stop_against_blocked(void)
{
    open_plain();
    submit_to_the_gate(1);
    submit_one(2);
    start(submit_then_open, 3);
    stop_after_drain(0);
}

static void pool_now_grants_no_retry(void)
{
    open_with_attempts(2, 0);
    must(submit(1, sleeps_and_fails, WEIR_FOREVER) == WEIR_OK);
    stop_now(0);
}

static void pool_now_against_timeout(void)
{
    open_with_attempts(2, WEIR_MS(1));
    must(submit(1, sleeps_at_first, WEIR_FOREVER) == WEIR_OK);
    stop_now(0);
}

static void pool_now_against_cancel(void)
{
    open_telling();
    must(submit_future(1, sleeps, WEIR_FOREVER) == WEIR_OK);
    start(cancel_it, 1);
    stop_now(0);
}

static void pool_now_against_wait(void)
{
    open_plain();
    must(submit_future(1, sleeps, WEIR_FOREVER) == WEIR_OK);
    start(await_it, 1);
    stop_now(0);
}

static void pool_now_against_exit(void)
{
    open_plain();
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    stop_now(0);
}

static void pool_now_against_blocked(void)
{
    open_plain();
    submit_to_the_gate(1);
    start(submit_or_closed, 2);
    start(open_gate, 0);
    stop_now(0);
}

static void pool_now_is_stuck(void)
{
    weir_status status;

    open_plain();
    submit_to_the_gate(1);
    status = stop_pool(WEIR_STOP_NOW, soon());
    must(status != WEIR_OK || attempts_of(1) == 0);
    open_the_gate();
    stop_now(0);
}

static void pool_now_at_once(void)
{
    weir_status status;

    open_telling();
    submit_one(1);
    status = stop_pool(WEIR_STOP_NOW, WEIR_NOW);
    must(status == WEIR_OK || status == WEIR_STUCK || status == WEIR_TIMED_OUT);
    stop_now(0);
}

static void pool_now_beside_drain(void)
{
    open_plain();
    submit_a_sleeper(1);
    start(stop_after_drain, 0);
    stop_now(0);
}

static void pool_two_stops(void)
{
    open_plain();
    submit_one(1);
    start(stop_now, 0);
    stop_now(0);
}

static void pool_stop_against_join(void)
{
    open_plain();
    submit_one(1);
    start(join_it, 0);
    stop_now(0);
}

static void pool_stop_against_resize(void)
{
    open_plain();
    start(resize_or_closed, 2);
    stop_after_drain(0);
}

/* ----------------------------------------------------------------- destroy */

static void pool_destroy_at_once(void)
{
    open_plain();
    submit_one(1);
    destroy_pool();
}

static void pool_destroy_telling(void)
{
    open_telling();
    submit_one(1);
    submit_one(2);
    destroy_pool();
}

static void pool_destroy_stuck(void)
{
    open_plain();
    submit_to_the_gate(1);
    destroy_pool();
    open_the_gate();
}

static void pool_destroy_against_gate(void)
{
    open_telling();
    must(submit_future(1, waits_at_the_gate, WEIR_FOREVER) == WEIR_OK);
    start(open_gate, 0);
    destroy_pool();
}

static void pool_destroy_retrying(void)
{
    open_with_attempts(2, 0);
    must(submit(1, fails_at_first, WEIR_FOREVER) == WEIR_OK);
    destroy_pool();
}

static void pool_destroy_after_exit(void)
{
    open_plain();
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    destroy_pool();
}

/* ------------------------------------------------------------------ resize */

static void pool_grow_against_take(void)
{
    open_with_room(2);
    submit_one(1);
    submit_one(2);
    must(resize_pool(2) == WEIR_OK);
}

static void pool_shrink_against_take(void)
{
    open_with_workers(2);
    submit_one(1);
    must(resize_pool(1) == WEIR_OK);
    submit_one(2);
}

static void resize_it(unsigned workers)
{
    must(resize_pool(workers) == WEIR_OK);
}

static void pool_shrink_against_put(void)
{
    open_with_workers(2);
    start(resize_it, 1);
    submit_one(1);
    submit_one(2);
}

static void pool_two_resizes(void)
{
    open_plain();
    start(resize_it, 2);
    resize_it(1);
}

static void pool_two_growths(void)
{
    open_plain();
    start(resize_it, 2);
    resize_it(2);
}

static void pool_grow_against_exit(void)
{
    open_plain();
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    resize_it(2);
    submit_one(2);
}

static void pool_shrink_against_exit(void)
{
    open_with_workers(2);
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    resize_it(1);
    submit_one(2);
}

static void pool_grow_in_vain(void)
{
    weir_status status;

    open_plain();
    submit_one(1);
    status = resize_pool(2);
    must(status == WEIR_OK || status == WEIR_ENOMEM || status == WEIR_ESYSTEM);
    submit_one(2);
}

const struct scenario scenarios_pool_end[] = {
    {POOL_SCENARIO(pool_drain_against_submit, 4,
                   "what was accepted is run, the rest refused")},
    {POOL_SCENARIO(pool_drain_of_plain_tasks, 3, "all of them are run")},
    {POOL_SCENARIO(pool_drain_with_two_workers, 4, "both leave"), .bound = 1},
    {POOL_SCENARIO(pool_drain_of_entries, 4, "and told of, and released"),
     .bound = 1},
    {POOL_SCENARIO(pool_drain_of_a_retry, 3, "retries included")},
    {POOL_SCENARIO(pool_timed_drain, 3, "it goes on, and may be called again")},
    {POOL_SCENARIO(pool_now_against_submit, 4, "run, cancelled or refused")},
    {POOL_SCENARIO(pool_now_against_take, 4,
                   "what begins is asked to stop, the rest never begins")},
    {POOL_SCENARIO(pool_now_against_two, 5, "both are asked"), .bound = 1},
    {POOL_SCENARIO(pool_now_against_a_future, 5, "a lane that is being shut")},
    {POOL_SCENARIO(pool_now_of_entries, 4, "the notifier tells the rest"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_against_retry, 4, "no attempt begins after it"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_cancels_retries, 4,
                   "an attempt is asked, or does not begin"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_against_action, 4,
                   "the attempt's end waits for the action"),
     .bound = 1},
    {POOL_SCENARIO(pool_stop_against_blocked, 4,
                   "who waits for room does not wait for the drain"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_grants_no_retry, 4, "to what it has asked"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_against_timeout, 4,
                   "what waits for its attempt's end is cancelled"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_against_cancel, 5, "one of them settles it"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_against_wait, 5, "who waits hears of it"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_against_exit, 5, "a worker that ends by itself")},
    {POOL_SCENARIO(pool_now_against_blocked, 5, "who waits for room is let go"),
     .bound = 1},
    {POOL_SCENARIO(pool_now_is_stuck, 4, "a handler that does not return")},
    {POOL_SCENARIO(pool_now_at_once, 4, "a stop need not wait"), .bound = 1},
    {POOL_SCENARIO(pool_now_beside_drain, 4, "the drain ends too"), .bound = 1},
    {POOL_SCENARIO(pool_two_stops, 4, "both are back when all has ended"),
     .bound = 1},
    {POOL_SCENARIO(pool_stop_against_join, 4, "both are back")},
    {POOL_SCENARIO(pool_stop_against_resize, 5, "grown or closed"), .bound = 1},
    {POOL_SCENARIO(pool_destroy_at_once, 4, "nothing begins after it")},
    {POOL_SCENARIO(pool_destroy_telling, 4, "all are told of before it"),
     .bound = 1},
    {POOL_SCENARIO(pool_destroy_stuck, 4, "the worker is left to itself")},
    {POOL_SCENARIO(pool_destroy_against_gate, 5, "or just ends"), .bound = 1},
    {POOL_SCENARIO(pool_destroy_retrying, 4, "no attempt begins after it"),
     .bound = 1},
    {POOL_SCENARIO(pool_destroy_after_exit, 4, "a worker is missing")},
    {POOL_SCENARIO(pool_grow_against_take, 4, "nothing is lost")},
    {POOL_SCENARIO(pool_shrink_against_take, 4, "nothing is lost"), .bound = 1},
    {POOL_SCENARIO(pool_shrink_against_put, 5,
                   "what woke the one that leaves is another's"),
     .bound = 1},
    {POOL_SCENARIO(pool_two_resizes, 4, "they take turns"), .bound = 1},
    {POOL_SCENARIO(pool_two_growths, 5, "each with records of its own"),
     .bound = 1},
    {POOL_SCENARIO(pool_grow_against_exit, 5, "there are two in the end"),
     .bound = 1},
    {POOL_SCENARIO(pool_shrink_against_exit, 4, "there is one in the end"),
     .bound = 1},
    {POOL_SCENARIO(pool_grow_in_vain, 5,
                   "without memory or a thread all is as it was"),
     .failures = 1, .bound = 1},
    {.name = NULL},
};
