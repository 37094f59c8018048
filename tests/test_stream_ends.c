/* SPDX-License-Identifier: MIT */
/* test_stream_ends.c - streams that are closed early, refused, or end badly. */
#include <weir/stream.h>

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "helper.h"
#include "streams.h"
#include "suite.h"

static void await_accepted(uint64_t count)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    do {
        sched_yield();
        weir_pool_read_stats(pool, &stats);
    } while (stats.ledger.accepted < count);
}

/* ------------------------------------------------------------ closing early */

START_TEST(a_close_cancels_what_has_not_started)
{
    options.workers = 1;
    act = act_wait;
    open_both(100);
    await_accepted(4);
    await_count(&started, 1);
    close_stream(); /* returns though a handler does not */
    ck_assert_uint_eq(tally_read(&started), 1);
    await_count(&numbers.settled, 4);
    await_count(&numbers.released, 3);
    ck_assert_uint_eq(tally_read(&numbers.closed), 0);
    gate_open(&may_finish);
    await_count(&numbers.closed, 1);
    ck_assert_uint_eq(tally_read(&started), 1);
    ck_assert_uint_eq(tally_read(&numbers.pool_released), 4);
}
END_TEST

START_TEST(a_close_asks_what_runs_to_stop)
{
    act = act_listen;
    open_both(100);
    await_count(&started, 2);
    close_stream();
    await_count(&numbers.closed, 1);
    ck_assert_uint_eq(tally_read(&returned), 2);
}
END_TEST

START_TEST(a_close_interrupts_the_producer)
{
    numbers.blocks = true;
    open_both(2);
    await_count(&numbers.at_end, 1);
    close_stream();
    await_count(&numbers.closed, 1);
}
END_TEST

/* The pool is full of others' tasks, and stays so. */
static int stay(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    gate_wait(&may_finish);
    return 0;
}

START_TEST(a_close_calls_back_a_feeder_that_waits_for_room)
{
    int others = 100;

    options.workers = 1;
    options.queue_capacity = 1;
    open_pool();
    ck_assert_int_eq(weir_pool_submit_copy(pool, stay, &others, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit_copy(pool, stay, &others, WEIR_FOREVER),
                     WEIR_OK);
    open_stream(3);
    await_count(&numbers.got, 1);
    close_stream();
    ck_assert_uint_eq(tally_read(&numbers.settled), 1);
    ck_assert_uint_eq(tally_read(&numbers.closed), 1);
    ck_assert_uint_eq(tally_read(&numbers.pool_settled), 0);
    gate_open(&may_finish);
    close_pool();
}
END_TEST

START_TEST(a_close_leaves_others_tasks_alone)
{
    int others = 100;

    options.workers = 1;
    act = act_wait;
    open_both(3);
    await_count(&started, 1);
    await_count(&numbers.got, 3);
    ck_assert_int_eq(weir_pool_submit_copy(pool, stay, &others, WEIR_NOW),
                     WEIR_OK);
    close_stream();
    gate_open(&may_finish);
    await_count(&numbers.closed, 1);
    close_pool();
}
END_TEST

START_TEST(results_that_nobody_took_are_released)
{
    open_both(3);
    await_count(&numbers.settled, 3);
    (void)take(NULL);
    close_stream();
    await_count(&numbers.closed, 1);
    ck_assert_uint_eq(tally_read(&numbers.pool_released), 3);
}
END_TEST

START_TEST(a_close_comes_at_any_moment)
{
    (void)_i;
    open_both(10);
    close_stream();
}
END_TEST

static struct tally closed_inside;

static int close_inside(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    ck_assert_int_eq(weir_stream_next(stream, NULL, NULL, WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_stream_next(stream, NULL, NULL, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    ck_assert_int_eq(weir_stream_next(stream, NULL, NULL,
                                      weir_deadline_after(WEIR_MS(1))),
                     WEIR_TIMED_OUT);
    weir_stream_close(stream);
    stream = NULL;
    tally_add(&closed_inside, 1);
    return 0;
}

START_TEST(a_handler_of_its_pool_may_close_it)
{
    static const struct tally none = TALLY_INIT;
    int others = 100;

    closed_inside = none;
    numbers.blocks = true; /* so that it does not end */
    act = act_listen;
    options.workers = 3;
    open_both(2);
    await_count(&started, 2);
    ck_assert_int_eq(weir_pool_submit_copy(pool, close_inside, &others,
                                           WEIR_NOW),
                     WEIR_OK);
    await_count(&closed_inside, 1);
    await_count(&numbers.closed, 1);
}
END_TEST

/* ----------------------------------------------------------------- bad ends */

START_TEST(a_failed_producer_is_the_end)
{
    numbers.end = WEIR_ESYSTEM;
    numbers.error = EIO;
    open_both(3);
    for (int i = 0; i < 3; i++)
        (void)take(NULL);
    for (int i = 0; i < 2; i++) {
        errno = 0;
        must_end(WEIR_ESYSTEM);
        ck_assert_int_eq(errno, EIO);
    }
}
END_TEST

START_TEST(a_producer_that_timed_out_has_failed)
{
    numbers.end = WEIR_TIMED_OUT;
    open_both(1);
    (void)take(NULL);
    must_end(WEIR_ESYSTEM);
    ck_assert_int_eq(errno, ETIMEDOUT);
}
END_TEST

static struct tally closed_late;
static weir_status join_when_closing;

static void join_at_close(void *self)
{
    (void)self;
    join_when_closing = weir_pool_join(pool, WEIR_FOREVER);
    tally_add(&closed_late, 1);
}

/* On a worker, as it ends the attempt that the stream did not wait for. */
START_TEST(a_close_on_a_worker_cannot_wait_for_it)
{
    static const struct tally none = TALLY_INIT;

    closed_late = none;
    close_source_of_numbers();
    source.close = join_at_close;
    if (_i)
        source.settle = NULL, source.release = NULL;
    act = act_wait;
    numbers.may_lose = true; /* nobody counts */
    open_both(1);
    await_count(&started, 1);
    close_stream();
    gate_open(&may_finish);
    await_count(&closed_late, 1);
    ck_assert_int_eq(join_when_closing, WEIR_DEADLOCK);
}
END_TEST

START_TEST(a_next_that_ends_its_thread_is_the_end)
{
    numbers.exits = true;
    open_both(2);
    (void)take(NULL);
    (void)take(NULL);
    must_end(WEIR_ESYSTEM);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "ended its thread"));
}
END_TEST

START_TEST(a_stopped_pool_is_the_end)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    int cancelled = 0, told_why = 0;

    act = act_listen;
    open_both(100);
    await_count(&started, 2);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    for (;;) {
        weir_status status =
            weir_stream_next(stream, NULL, &outcome, WEIR_FOREVER);

        if (status) {
            ck_assert_str_eq(weir_status_name(status), "WEIR_CLOSED");
            break;
        }
        cancelled += outcome.kind == WEIR_OUTCOME_CANCELLED;
        told_why += strstr(outcome.message, "did not accept") != NULL;
    }
    must_end(WEIR_CLOSED);
    ck_assert_int_ge(cancelled, 1); /* what was turned away: it says why */
    ck_assert_int_eq(told_why, 1);
}
END_TEST

START_TEST(a_degraded_pool_is_the_end)
{
    options.workers = 1;
    options.timeout_ns = WEIR_MS(1);
    options.grace_ns = WEIR_MS(1);
    options.max_abandoned = 1;
    act = act_wait;
    how.window = 1;
    open_both(20);
    for (;;) {
        weir_status status = weir_stream_next(stream, NULL, NULL, WEIR_FOREVER);

        if (status) {
            ck_assert_str_eq(weir_status_name(status), "WEIR_DEGRADED");
            break;
        }
    }
}
END_TEST

START_TEST(it_may_outlive_its_pool)
{
    open_both(3);
    await_count(&numbers.settled, 3);
    await_count(&numbers.pool_settled, 3);
    weir_pool_destroy(pool);
    pool = NULL;
    for (int i = 0; i < 3; i++)
        (void)take(NULL);
    must_end(WEIR_END);
    ck_assert_uint_eq(tally_read(&numbers.pool_released), 0);
}
END_TEST

/* The reader hears of a stuck attempt at once; its item is released when it
 * ends at last, and all memory given back. */
START_TEST(it_may_outlive_its_pool_with_a_stuck_attempt)
{
    act = act_wait;
    options.workers = 1;
    open_both(1);
    await_count(&started, 1);
    weir_pool_destroy(pool);
    pool = NULL;
    must_take(-1, WEIR_OUTCOME_CANCELLED);
    must_end(WEIR_END);
    if (_i == 0) {
        close_stream();
        gate_open(&may_finish);
    } else {
        gate_open(&may_finish);
        await_count(&returned, 1);
        close_stream();
    }
    await_count(&numbers.closed, 1);
    ck_assert_uint_eq(tally_read(&numbers.released), 1);
    ck_assert_uint_eq(tally_read(&numbers.pool_released), 0);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

static void refused(weir_status expected, const char *word)
{
    weir_status status = weir_stream_open(&stream, pool, &source, &how);

    ck_assert_str_eq(weir_status_name(status), weir_status_name(expected));
    ck_assert_msg(strstr(weir_last_error(), word), "'%s' is not in '%s'", word,
                  weir_last_error());
    ck_assert_ptr_null(stream);
}

START_TEST(what_makes_no_sense_is_refused)
{
    weir_producer good = source;
    weir_stream_options fair = how;

    open_pool();
    how.window = 0;
    refused(WEIR_EINVAL, "window 0");
    how.window = SIZE_MAX;
    refused(WEIR_EINVAL, "window");
    how = fair;
    how.handler = NULL;
    refused(WEIR_EINVAL, "handler");
    how = fair;
    how.order = (weir_order)2;
    refused(WEIR_EINVAL, "order 2");
    how = fair;
    how.size = 0;
    refused(WEIR_EINVAL, "weir_stream_options");
    how = fair;
    source.item_size = 8;
    refused(WEIR_EINVAL, "item_size is 8");
    source = good;
    source.next = NULL;
    refused(WEIR_EINVAL, "producer.next");
    source = good;
    source.size = 0;
    refused(WEIR_EINVAL, "producer.size");
    source = good;
    ck_assert_int_eq(weir_stream_open(&stream, pool, NULL, &how), WEIR_EINVAL);
    ck_assert_int_eq(weir_stream_open(&stream, pool, &source, NULL),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_stream_open(NULL, pool, &source, &how), WEIR_EINVAL);
    ck_assert_int_eq(weir_stream_open(&stream, NULL, &source, &how),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_stream_next(NULL, NULL, NULL, WEIR_NOW), WEIR_EINVAL);
    weir_stream_close(NULL);
    ck_assert_uint_eq(tally_read(&numbers.closed), 0);
    close_source_of_numbers();
}
END_TEST

START_TEST(an_outcome_without_a_size_is_refused)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.size = 0;
    open_both(1);
    ck_assert_int_eq(weir_stream_next(stream, NULL, &outcome, WEIR_NOW),
                     WEIR_EINVAL);
    must_take(0, WEIR_OUTCOME_DONE); /* it is still there */
}
END_TEST

static weir_status try_to_open(void *arg)
{
    weir_status status = weir_stream_open(&stream, pool, &source, &how);

    (void)arg;
    if (status) {
        ck_assert_ptr_null(stream);
        ck_assert_uint_eq(tally_read(&numbers.got), 0);
        ck_assert_uint_eq(tally_read(&numbers.closed), 0);
    }
    return status == WEIR_ESYSTEM ? WEIR_ENOMEM : status; /* the thread */
}

START_TEST(each_failure_of_open_is_answered)
{
    open_pool();
    numbers.count = 3;
    ck_assert_uint_ge(fault_sweep(try_to_open, NULL, WEIR_ENOMEM), 5);
    for (int i = 0; i < 3; i++)
        (void)take(NULL);
}
END_TEST

START_TEST(in_a_fork_child_it_is_the_parents)
{
    int status = 0;
    pid_t child;

    open_both(2);
    await_count(&numbers.settled, 2);
    child = fork();
    if (child == 0) {
        weir_stream *other = NULL;
        bool right =
            weir_stream_next(stream, NULL, NULL, WEIR_FOREVER) == WEIR_FORKED;

        right &= weir_stream_open(&other, pool, &source, &how) == WEIR_FORKED;
        weir_stream_close(stream);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    (void)take(NULL);
    (void)take(NULL);
    must_end(WEIR_END);
}
END_TEST

int main(void)
{
    const TTest *const closes[] = {
        a_close_cancels_what_has_not_started,
        a_close_asks_what_runs_to_stop,
        a_close_interrupts_the_producer,
        a_close_calls_back_a_feeder_that_waits_for_room,
        a_close_leaves_others_tasks_alone,
        results_that_nobody_took_are_released,
        a_handler_of_its_pool_may_close_it,
        NULL};
    const TTest *const often[] = {a_close_comes_at_any_moment, NULL};
    const TTest *const ends[] = {a_failed_producer_is_the_end,
                                 a_producer_that_timed_out_has_failed,
                                 a_next_that_ends_its_thread_is_the_end,
                                 a_stopped_pool_is_the_end,
                                 a_degraded_pool_is_the_end,
                                 it_may_outlive_its_pool,
                                 NULL};
    const TTest *const stuck[] = {it_may_outlive_its_pool_with_a_stuck_attempt,
                                  a_close_on_a_worker_cannot_wait_for_it, NULL};
    const TTest *const refusals[] = {what_makes_no_sense_is_refused,
                                     an_outcome_without_a_size_is_refused,
                                     each_failure_of_open_is_answered,
                                     in_a_fork_child_it_is_the_parents, NULL};
    const struct chapter chapters[] = {
        {"closes", closes, streams_setup, streams_teardown, 0, 0},
        {"closed at any moment", often, streams_setup, streams_teardown, 50, 0},
        {"ends", ends, streams_setup, streams_teardown, 0, 0},
        {"stuck", stuck, streams_setup, streams_teardown, 2, 0},
        {"refusals", refusals, streams_setup, streams_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stream: ends", chapters);
}
