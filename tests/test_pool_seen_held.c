/* SPDX-License-Identifier: MIT */
/* test_pool_seen_held.c - what a pool tells of tasks that limits hold back. */
#include <weir/adaptive.h>
#include <weir/breaker.h>
#include <weir/pool.h>
#include <weir/rate.h>
#include <weir/semaphore.h>

#include "pools.h"
#include "suite.h"

enum { ROOM = 256, MOST = 8 };

static weir_events *events;
static weir_semaphore *semaphore;

/* One lane, since the test clock stands still: records of one moment stay in
 * their order. */
static void setup(void)
{
    weir_events_options one = WEIR_EVENTS_OPTIONS_INIT;

    pool_setup();
    one.lanes = 1;
    ck_assert_int_eq(weir_events_create(&events, &one), WEIR_OK);
    ck_assert_int_eq(weir_semaphore_create(&semaphore, 1), WEIR_OK);
    options.events = events;
}

static void teardown(void)
{
    pool_teardown();
    weir_semaphore_destroy(semaphore);
    weir_events_destroy(events);
}

/* What was said of a task as held, in that order; then -1. */
static void listen_to(uint64_t task, int64_t said[MOST])
{
    static weir_event told[ROOM];
    weir_events_cursor cursor = WEIR_EVENTS_CURSOR_INIT;
    size_t count = weir_events_read(events, &cursor, told, ROOM), n = 0;

    ck_assert_uint_eq(cursor.lost, 0);
    for (size_t i = 0; i < count; i++) {
        if (told[i].kind != WEIR_EVENT_HELD || told[i].task != task)
            continue;
        ck_assert_uint_lt(n, MOST - 1);
        ck_assert_uint_eq(told[i].worker, UINT32_MAX);
        ck_assert_uint_eq(told[i].attempt, 1);
        said[n++] = told[i].value;
    }
    said[n] = -1;
}

static void assert_held_by(uint64_t task, weir_held_by by)
{
    int64_t said[MOST];

    listen_to(task, said);
    ck_assert_int_eq(said[0], by);
    ck_assert_int_eq(said[1], -1);
}

static void assert_was_held_by(uint64_t task, weir_held_by by)
{
    int64_t said[MOST];

    listen_to(task, said);
    ck_assert_int_eq(said[0], by);
    ck_assert_int_eq(said[1], WEIR_HELD_BY_NONE);
    ck_assert_int_eq(said[2], -1);
}

static void assert_never_held(uint64_t task)
{
    int64_t said[MOST];

    listen_to(task, said);
    ck_assert_int_eq(said[0], -1);
}

/* The first occupies what there is of the limit, so the second is held. */
static void one_holds_another(weir_held_by by)
{
    struct job *busy, *held;

    open_pool_of(2);
    busy = start_new(act_wait);
    held = submit_new(act_answer);
    await_held(1);
    assert_held_by(2, by);
    finish_job(busy);
    assert_outcome(held, WEIR_OUTCOME_DONE);
    assert_never_held(1);
    assert_was_held_by(2, by);
}

START_TEST(the_pools_semaphore_is_named)
{
    options.semaphore = semaphore;
    one_holds_another(WEIR_HELD_BY_POOL);
}
END_TEST

START_TEST(so_is_the_adaptive_limit)
{
    weir_adaptive_options one = WEIR_ADAPTIVE_OPTIONS_INIT;
    weir_adaptive *adaptive;

    one.start = one.most = 1;
    ck_assert_int_eq(weir_adaptive_create(&adaptive, &one), WEIR_OK);
    options.adaptive = adaptive;
    one_holds_another(WEIR_HELD_BY_ADAPTIVE);
    end_pool();
    weir_adaptive_destroy(adaptive);
}
END_TEST

START_TEST(and_a_semaphore_of_the_tasks_own)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *busy = new_job(act_wait), *held = new_job(act_answer);

    spec.semaphore = semaphore;
    open_pool_of(2);
    weir_future_release(submit_spec(busy, spec));
    await_start(busy);
    weir_future_release(submit_spec(held, spec));
    await_held(1);
    assert_held_by(2, WEIR_HELD_BY_SEMAPHORE);
    finish_job(busy);
    assert_outcome(held, WEIR_OUTCOME_DONE);
    assert_was_held_by(2, WEIR_HELD_BY_SEMAPHORE);
}
END_TEST

START_TEST(and_the_rate)
{
    struct job *held;
    weir_rate *rate;

    ck_assert_int_eq(weir_rate_create(&rate, 1, 1), WEIR_OK);
    options.rate = rate;
    open_pool_of(2);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    held = submit_new(act_answer);
    await_held(1);
    assert_held_by(2, WEIR_HELD_BY_RATE);
    test_clock_advance(WEIR_SECONDS(1));
    assert_outcome(held, WEIR_OUTCOME_DONE);
    assert_was_held_by(2, WEIR_HELD_BY_RATE);
    end_pool();
    weir_rate_destroy(rate);
}
END_TEST

START_TEST(and_the_breaker)
{
    weir_breaker_options soon = WEIR_BREAKER_OPTIONS_INIT;
    struct job *fails, *held;
    weir_breaker *breaker;

    soon.window = soon.least_calls = 1;
    soon.cool_down_ns = WEIR_SECONDS(10);
    ck_assert_int_eq(weir_breaker_create(&breaker, &soon), WEIR_OK);
    options.breaker = breaker;
    open_pool();
    fails = start_new(act_wait);
    fails->code = 7;
    held = submit_new(act_answer);
    finish_job(fails);
    await_held(1);
    assert_held_by(2, WEIR_HELD_BY_BREAKER);
    test_clock_advance(WEIR_SECONDS(10));
    assert_outcome(held, WEIR_OUTCOME_DONE);
    assert_was_held_by(2, WEIR_HELD_BY_BREAKER);
    end_pool();
    weir_breaker_destroy(breaker);
}
END_TEST

START_TEST(one_that_is_cancelled_is_not_let_go_on)
{
    struct job *busy, *held = new_job(act_answer);
    weir_future *future;

    options.semaphore = semaphore;
    open_pool_of(2);
    busy = start_new(act_wait);
    future = submit_for(held);
    await_held(1);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    finish_job(busy);
    await_released(held);
    assert_held_by(2, WEIR_HELD_BY_POOL);
}
END_TEST

int main(void)
{
    const TTest *const held[] = {
        the_pools_semaphore_is_named,
        so_is_the_adaptive_limit,
        and_a_semaphore_of_the_tasks_own,
        and_the_rate,
        and_the_breaker,
        one_that_is_cancelled_is_not_let_go_on,
        NULL,
    };
    const struct chapter chapters[] = {
        {.name = "held", .tests = held, .setup = setup, .teardown = teardown},
        {.name = NULL},
    };

    return report("pool_seen_held", chapters);
}
