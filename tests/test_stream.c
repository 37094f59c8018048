/* SPDX-License-Identifier: MIT */
/* test_stream.c - results through a window: order, tickets, outcomes. */
#include <weir/stream.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "helper.h"
#include "streams.h"
#include "suite.h"

/* ------------------------------------------------------------------ reading */

START_TEST(every_item_arrives_once)
{
    unsigned char seen[1000] = {0};

    act = act_result;
    how.window = 1 + (size_t)_i * 15;
    open_both(1000);
    for (int i = 0; i < 1000; i++) {
        weir_outcome outcome = WEIR_OUTCOME_INIT;
        int number = take(&outcome);

        ck_assert_int_ge(number, 0);
        ck_assert_int_lt(number, 1000);
        seen[number]++;
        ck_assert_uint_eq(outcome.result_size, sizeof(number));
        ck_assert_mem_eq(outcome.result, &number, sizeof(number));
        ck_assert_str_eq(outcome.message, "");
        ck_assert_uint_eq(outcome.attempts, 1);
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(seen[i], 1);
    must_end(WEIR_END);
    must_end(WEIR_END);
}
END_TEST

START_TEST(in_order_they_arrive_in_order)
{
    how.order = WEIR_IN_ORDER;
    how.window = 1 + (size_t)_i * 15;
    open_both(1000);
    for (int i = 0; i < 1000; i++)
        must_take(i, WEIR_OUTCOME_DONE);
    must_end(WEIR_END);
}
END_TEST

static int wait_if_first(weir_task *task, int number)
{
    return number == 0 ? act_wait(task, number) : 0;
}

START_TEST(in_order_one_holds_up_those_behind_it)
{
    act = wait_if_first;
    how.order = WEIR_IN_ORDER;
    open_both(8);
    await_count(&returned, 3); /* the rest of the window */
    await_count(&numbers.settled, 3);
    must_wait();
    ck_assert_uint_eq(tally_read(&numbers.got), 4);
    gate_open(&may_finish);
    for (int i = 0; i < 8; i++)
        must_take(i, WEIR_OUTCOME_DONE);
    must_end(WEIR_END);
}
END_TEST

START_TEST(as_completed_one_holds_up_nobody)
{
    bool seen[8] = {false};

    act = wait_if_first;
    open_both(8);
    for (int i = 1; i < 8; i++)
        seen[take(NULL)] = true;
    must_wait();
    gate_open(&may_finish);
    must_take(0, WEIR_OUTCOME_DONE);
    for (int i = 1; i < 8; i++)
        ck_assert(seen[i]);
    must_end(WEIR_END);
}
END_TEST

START_TEST(an_empty_producer_ends_at_once)
{
    open_both(0);
    must_end(WEIR_END);
}
END_TEST

START_TEST(two_streams_share_a_pool)
{
    uint64_t range_taken = 0;
    weir_stream *other;
    weir_producer range;

    options.item_size = sizeof(uint64_t);
    source.item_size = sizeof(uint64_t);
    open_both(50);
    ck_assert_int_eq(weir_producer_range(&range, 0, 50), WEIR_OK);
    ck_assert_int_eq(weir_stream_open(&other, pool, &range, &how), WEIR_OK);
    while (weir_stream_next(other, NULL, NULL, WEIR_FOREVER) == WEIR_OK)
        range_taken++;
    ck_assert_uint_eq(range_taken, 50);
    weir_stream_close(other);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(weir_stream_next(stream, NULL, NULL, WEIR_FOREVER),
                         WEIR_OK);
    must_end(WEIR_END);
}
END_TEST

/* ------------------------------------------------------------------- window */

START_TEST(a_reader_that_is_away_stops_the_producer)
{
    how.order = _i ? WEIR_IN_ORDER : WEIR_AS_COMPLETED;
    open_both(100);
    await_count(&numbers.settled, 4);
    ck_assert_uint_eq(tally_read(&numbers.got), 4);
    for (uint64_t taken = 1; taken <= 96; taken++) {
        (void)take(NULL);
        ck_assert_uint_le(tally_read(&numbers.got), taken + 4);
        await_count(&numbers.got, taken + 4); /* and no fewer */
    }
}
END_TEST

START_TEST(a_wide_window_is_refilled_in_portions)
{
    how.window = 64;
    open_both(1000);
    await_count(&numbers.settled, 64);
    ck_assert_uint_eq(tally_read(&numbers.got), 64);
    for (int i = 0; i < 16; i++)
        (void)take(NULL);
    await_count(&numbers.got, 80);
    ck_assert_uint_eq(tally_read(&numbers.got), 80);
    /* Who waits has given all back. */
    for (int i = 0; i < 1000 - 16; i++)
        (void)take(NULL);
    must_end(WEIR_END);
}
END_TEST

START_TEST(an_item_is_released_at_the_following_next)
{
    open_both(2);
    (void)take(NULL);
    await_count(&numbers.settled, 2);
    await_count(&numbers.pool_settled, 2);
    ck_assert_uint_eq(tally_read(&numbers.released), 0);
    (void)take(NULL);
    await_count(&numbers.released, 1);
    ck_assert_uint_eq(tally_read(&numbers.pool_released), 1);
    must_end(WEIR_END);
    await_count(&numbers.released, 2);
}
END_TEST

/* ----------------------------------------------------------------- outcomes */

static int fail_in_words(weir_task *task, int number)
{
    return number == 0 ? weir_task_fail(task, 7, "bad number %d", number) : 0;
}

START_TEST(a_failure_arrives_with_its_words)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    act = fail_in_words;
    how.order = WEIR_IN_ORDER;
    open_both(2);
    ck_assert_int_eq(take(&outcome), 0);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(outcome.code, 7);
    ck_assert_str_eq(outcome.message, "bad number 0");
    ck_assert_ptr_null(outcome.result);
    must_take(1, WEIR_OUTCOME_DONE);
}
END_TEST

static int exit_thread(weir_task *task, int number)
{
    (void)task;
    if (number % 2 == 0)
        pthread_exit(NULL);
    return 0;
}

START_TEST(a_task_that_ends_its_thread_arrives_as_exited)
{
    act = exit_thread;
    how.order = WEIR_IN_ORDER;
    open_both(20);
    for (int i = 0; i < 20; i++)
        must_take(i, i % 2 ? WEIR_OUTCOME_DONE : WEIR_OUTCOME_EXITED);
    must_end(WEIR_END);
}
END_TEST

START_TEST(an_overdue_item_is_not_written)
{
    act = wait_if_first;
    options.timeout_ns = WEIR_MS(5);
    how.order = WEIR_IN_ORDER;
    open_both(3);
    must_take(-1, WEIR_OUTCOME_TIMED_OUT);
    must_take(1, WEIR_OUTCOME_DONE);
    must_take(2, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(numbers.releases[0], 0);
    must_end(WEIR_END);
    gate_open(&may_finish);
    await_count(&numbers.released, 3);
}
END_TEST

/* Window 1, and every attempt overstays: each holds its item, none its
 * ticket. */
START_TEST(overdue_attempts_hold_no_tickets)
{
    act = act_wait;
    options.workers = 1;
    options.timeout_ns = WEIR_MS(1);
    options.grace_ns = WEIR_MS(1);
    options.max_abandoned = 8;
    how.window = 1;
    open_both(8);
    for (int i = 0; i < 8; i++)
        must_take(-1, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(tally_read(&numbers.released), 0);
    gate_open(&may_finish);
    must_end(WEIR_END);
}
END_TEST

/* Nor more items than the pool could hold up when the stream was opened: the
 * feeder waits for a place, until one is let go, or it closes. */
START_TEST(without_a_place_the_feeder_waits)
{
    act = act_wait;
    options.workers = 1;
    options.timeout_ns = WEIR_MS(1);
    how.window = 1;
    open_both(8);
    must_take(-1, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(weir_pool_resize(pool, 8), WEIR_OK);
    for (int i = 0; i < 2; i++)
        must_take(-1, WEIR_OUTCOME_TIMED_OUT);
    must_wait();
    ck_assert_uint_eq(tally_read(&numbers.got), 3);
    if (_i == 0) {
        gate_open(&may_finish);
        for (int i = 0; i < 5; i++)
            (void)take(NULL);
        must_end(WEIR_END);
    }
}
END_TEST

START_TEST(retries_are_one_result)
{
    weir_retry retry = WEIR_RETRY_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    retry.max_attempts = 3;
    retry.base_ns = 1;
    options.retry = &retry;
    act = fail_in_words;
    open_both(1);
    ck_assert_int_eq(take(&outcome), 0);
    ck_assert_uint_eq(outcome.attempts, 3);
    must_end(WEIR_END);
}
END_TEST

static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static int zero;

START_TEST(others_can_drop_its_items)
{
    int dropped = 0;

    options.workers = 1;
    options.queue_capacity = 2;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    options.on_settled = NULL;
    options.on_release = NULL;
    act = act_wait;
    open_both(3);
    await_count(&started, 1);
    await_count(&numbers.got, 3);
    /* The third may still wait for room: it has to, whatever the policy. */
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(weir_pool_submit(pool, do_nothing, &zero, WEIR_NOW),
                         WEIR_OK);
    gate_open(&may_finish);
    for (int i = 0; i < 3; i++) {
        weir_outcome outcome = WEIR_OUTCOME_INIT;

        (void)take(&outcome);
        dropped += outcome.kind == WEIR_OUTCOME_DROPPED;
    }
    ck_assert_int_ge(dropped, 1);
    must_end(WEIR_END);
}
END_TEST

START_TEST(the_feeder_waits_whatever_the_policy)
{
    options.workers = 1;
    options.queue_capacity = 1;
    options.on_full = _i == 0   ? WEIR_ON_FULL_REFUSE
                      : _i == 1 ? WEIR_ON_FULL_DROP_OLDEST
                                : WEIR_ON_FULL_CALLER_RUNS;
    how.window = 64;
    open_both(500);
    for (int i = 0; i < 500; i++)
        must_take(i, WEIR_OUTCOME_DONE);
    must_end(WEIR_END);
}
END_TEST

static int stay(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    tally_add(&started, 1);
    gate_wait(&may_finish);
    return 0;
}

START_TEST(an_item_can_expire)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    int others = 100;

    options.workers = 1;
    options.time_to_live_ns = WEIR_MS(1);
    open_pool();
    spec.handler = stay;
    spec.item = &others;
    spec.copy = true;
    spec.time_to_live_ns = -1;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
    await_count(&started, 1);
    how.order = WEIR_IN_ORDER;
    open_stream(4);
    for (int i = 0; i < 4; i++)
        must_take(i, WEIR_OUTCOME_EXPIRED);
    must_end(WEIR_END);
}
END_TEST

/* ------------------------------------------------------------------ plainly */

/* A producer of which nobody hears, and a pool without callbacks. */
START_TEST(plain_items_arrive_once)
{
    uint64_t sum = 0, count = 20000;
    weir_producer range;

    close_source_of_numbers();
    options.item_size = sizeof(uint64_t);
    options.on_settled = NULL;
    options.on_release = NULL;
    how.handler = do_nothing;
    how.window = 64;
    how.order = _i ? WEIR_IN_ORDER : WEIR_AS_COMPLETED;
    ck_assert_int_eq(weir_producer_range(&range, 0, count), WEIR_OK);
    open_pool();
    ck_assert_int_eq(weir_stream_open(&stream, pool, &range, &how), WEIR_OK);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number;
        weir_outcome outcome = WEIR_OUTCOME_INIT;

        ck_assert_int_eq(weir_stream_next(stream, &number, &outcome,
                                          WEIR_FOREVER),
                         WEIR_OK);
        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
        ck_assert_int_ge(outcome.waited_ns, 0);
        ck_assert_int_ge(outcome.ran_ns, 0);
        ck_assert(_i == 0 || number == i);
        sum += number;
    }
    ck_assert_uint_eq(sum, count * (count - 1) / 2);
    must_end(WEIR_END);
}
END_TEST

static void clean_up(void *arg)
{
    (void)arg;
}

static int sleep_and_clean_up(weir_task *task, void *item)
{
    (void)item;
    if (weir_task_defer(task, clean_up, NULL))
        return 1;
    return weir_task_sleep(task, WEIR_MS(5)) ? 1 : 0;
}

/* One that is made an entry at its end, since it has clean-ups. */
START_TEST(what_it_ran_is_no_waiting)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_producer range;

    close_source_of_numbers();
    options.item_size = sizeof(uint64_t);
    options.on_settled = NULL;
    options.on_release = NULL;
    how.handler = sleep_and_clean_up;
    ck_assert_int_eq(weir_producer_range(&range, 0, 1), WEIR_OK);
    open_pool();
    ck_assert_int_eq(weir_stream_open(&stream, pool, &range, &how), WEIR_OK);
    ck_assert_int_eq(weir_stream_next(stream, NULL, &outcome, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_int_ge(outcome.ran_ns, WEIR_MS(5));
}
END_TEST

int main(void)
{
    const TTest *const reading[] = {every_item_arrives_once,
                                    in_order_they_arrive_in_order, NULL};
    const TTest *const ordering[] = {in_order_one_holds_up_those_behind_it,
                                     as_completed_one_holds_up_nobody,
                                     an_empty_producer_ends_at_once,
                                     two_streams_share_a_pool,
                                     a_wide_window_is_refilled_in_portions,
                                     an_item_is_released_at_the_following_next,
                                     NULL};
    const TTest *const windows[] = {a_reader_that_is_away_stops_the_producer,
                                    without_a_place_the_feeder_waits,
                                    plain_items_arrive_once, NULL};
    const TTest *const outcomes[] = {
        a_failure_arrives_with_its_words,
        a_task_that_ends_its_thread_arrives_as_exited,
        an_overdue_item_is_not_written,
        overdue_attempts_hold_no_tickets,
        retries_are_one_result,
        what_it_ran_is_no_waiting,
        others_can_drop_its_items,
        an_item_can_expire,
        NULL};
    const TTest *const policies[] = {the_feeder_waits_whatever_the_policy,
                                     NULL};
    const struct chapter chapters[] = {
        {"reading", reading, streams_setup, streams_teardown, 4, 0},
        {"order", ordering, streams_setup, streams_teardown, 0, 0},
        {"windows", windows, streams_setup, streams_teardown, 2, 0},
        {"outcomes", outcomes, streams_setup, streams_teardown, 0, 0},
        {"policies", policies, streams_setup, streams_teardown, 3, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stream", chapters);
}
