/* SPDX-License-Identifier: MIT */
/* test_pool_times.c - histograms of a pool, and the figures beside the ledger.
 */
#include <weir/pool.h>

#include <sched.h>

#include "base/fault.h"
#include "faults.h"
#include "pools.h"
#include "suite.h"

static weir_histogram waiting, running;

static void setup(void)
{
    pool_setup();
    options.histograms = true;
}

static void plain_setup(void)
{
    setup();
    options.on_settled = NULL;
    options.on_release = NULL;
}

static void teardown(void)
{
    weir__fault_arm(0);
    pool_teardown();
}

static void read_both(void)
{
    waiting = (weir_histogram)WEIR_HISTOGRAM_INIT;
    running = (weir_histogram)WEIR_HISTOGRAM_INIT;
    ck_assert_int_eq(weir_pool_read_histogram(pool, WEIR_POOL_WAITING,
                                              &waiting),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_read_histogram(pool, WEIR_POOL_RUNNING,
                                              &running),
                     WEIR_OK);
}

/* A job ends as an entry, for its clean-ups; this does not. */
static int pass_some_time(weir_task *task, void *item)
{
    (void)task;
    test_clock_advance((int64_t)(uintptr_t)item);
    return 0;
}

static void must_pass(uintptr_t ns)
{
    ck_assert_int_eq(weir_pool_submit(pool, pass_some_time, (void *)ns,
                                      WEIR_NOW),
                     WEIR_OK);
}

/* --------------------------------------------------------------- histograms */

START_TEST(each_task_is_counted_with_what_it_took)
{
    struct job *first;

    open_pool();
    first = start_new(act_wait);
    must_pass(20);
    must_pass(30);
    test_clock_advance(10);
    gate_open(&first->finish);
    settle_all();
    read_both();
    ck_assert_uint_eq(waiting.count, 3); /* 0, 10, 30 */
    ck_assert_uint_eq(waiting.sum_ns, 40);
    ck_assert_int_eq(waiting.max_ns, 30);
    ck_assert_int_eq(weir_histogram_quantile(&waiting, 0.5), 10);
    ck_assert_uint_eq(running.count, 3); /* 10, 20, 30 */
    ck_assert_uint_eq(running.sum_ns, 60);
    ck_assert_int_eq(running.max_ns, 30);
    ck_assert_int_eq(weir_histogram_quantile(&running, 0.5), 20);
}
END_TEST

/* _i: how many workers. */
START_TEST(all_of_many_are_counted)
{
    weir_ledger ledger;

    open_pool_of((uint32_t)_i + 1);
    for (int i = 0; i < 500; i++) {
        if (i % 10 == 3)
            weir_pool_list(pool, NULL, 0); /* some are adopted */
        ck_assert_int_eq(weir_pool_submit(pool, pass_some_time,
                                          (void *)(uintptr_t)(i % 4),
                                          WEIR_FOREVER),
                         WEIR_OK);
    }
    settle_all();
    read_both();
    ledger = ledger_now();
    ck_assert_uint_eq(ledger.done, 500);
    ck_assert_uint_eq(waiting.count, 500);
    ck_assert_uint_eq(running.count, 500);
}
END_TEST

START_TEST(an_attempt_that_overstays_counts_when_it_ends)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    read_both();
    ck_assert_uint_eq(running.count, 0);
    test_clock_advance(WEIR_SECONDS(2));
    finish_job(job);
    settle_all();
    read_both();
    ck_assert_uint_eq(running.count, 1);
    ck_assert_int_eq(running.max_ns, WEIR_SECONDS(7));
    ck_assert_uint_eq(waiting.count, 1);
}
END_TEST

START_TEST(one_that_never_began_has_not_waited)
{
    struct job *first;
    weir_future *future;

    open_pool();
    first = start_new(act_wait);
    future = submit_for(new_job(act_answer));
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    finish_job(first);
    settle_all();
    read_both();
    ck_assert_uint_eq(waiting.count, 1);
    ck_assert_uint_eq(running.count, 1);
}
END_TEST

START_TEST(a_worker_that_has_gone_leaves_its_times)
{
    open_pool_of(2);
    must_pass(5);
    settle_all();
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    read_both();
    ck_assert_uint_eq(running.count, 1);
    ck_assert_uint_eq(running.sum_ns, 5);
}
END_TEST

START_TEST(without_the_option_there_are_none)
{
    weir_histogram out = WEIR_HISTOGRAM_INIT;

    options.histograms = false;
    open_pool();
    ck_assert_int_eq(weir_pool_read_histogram(pool, WEIR_POOL_WAITING, &out),
                     WEIR_EINVAL);
    assert_error_names("histograms");
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    weir_histogram out = WEIR_HISTOGRAM_INIT;

    open_pool();
    ck_assert_int_eq(weir_pool_read_histogram(NULL, WEIR_POOL_WAITING, &out),
                     WEIR_EINVAL);
    assert_error_names("pool");
    ck_assert_int_eq(weir_pool_read_histogram(pool, WEIR_POOL_WAITING, NULL),
                     WEIR_EINVAL);
    assert_error_names("out");
    ck_assert_int_eq(weir_pool_read_histogram(pool, (weir_pool_time)2, &out),
                     WEIR_EINVAL);
    assert_error_names("WEIR_POOL_RUNNING");
    out.size = 0;
    ck_assert_int_eq(weir_pool_read_histogram(pool, WEIR_POOL_WAITING, &out),
                     WEIR_EINVAL);
    assert_error_names("WEIR_HISTOGRAM_INIT");
}
END_TEST

static weir_status try_create_timed(void *arg)
{
    (void)arg;
    return weir_pool_create(&pool, &options);
}

START_TEST(a_pool_without_memory_for_them_is_not_created)
{
    options.workers = 3;
    ck_assert_uint_ge(fault_sweep(try_create_timed, NULL, WEIR_OK), 1 + 3);
    ck_assert_int_eq(weir_pool_resize(pool, 5), WEIR_OK);
    must_pass(5);
    settle_all();
    read_both();
    ck_assert_uint_eq(running.count, 1);
}
END_TEST

/* ------------------------------------------------------------------ figures */

START_TEST(the_oldest_and_the_longest_show_while_they_are_there)
{
    struct job *first;

    open_pool();
    ck_assert_int_eq(stats_now().oldest_queued_ns, 0);
    ck_assert_int_eq(stats_now().longest_running_ns, 0);
    first = start_new(act_wait);
    test_clock_advance(100);
    must_pass(0);
    must_pass(0);
    test_clock_advance(10);
    ck_assert_int_eq(stats_now().longest_running_ns, 110);
    ck_assert_int_eq(stats_now().oldest_queued_ns, 10);
    weir_pool_list(pool, NULL, 0); /* they are entries now */
    test_clock_advance(10);
    ck_assert_int_eq(stats_now().longest_running_ns, 120);
    ck_assert_int_eq(stats_now().oldest_queued_ns, 20);
    gate_open(&first->finish);
    settle_all();
    ck_assert_int_eq(stats_now().oldest_queued_ns, 0);
    ck_assert_int_eq(stats_now().longest_running_ns, 0);
}
END_TEST

START_TEST(refusals_are_counted_by_reason)
{
    struct job *first;
    void *items[3] = {NULL, NULL, NULL};
    weir_pool_stats stats;
    size_t done;

    options.queue_capacity = 1;
    open_pool();
    first = start_new(act_wait);
    must_pass(0);
    ck_assert_int_eq(weir_pool_submit(pool, pass_some_time, NULL, WEIR_NOW),
                     WEIR_TIMED_OUT);
    gate_open(&first->finish);
    settle_all();
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit_many(pool, pass_some_time, items, 3,
                                           &done, WEIR_NOW),
                     WEIR_CLOSED);
    stats = stats_now();
    ck_assert_uint_eq(stats.refused_timed_out, 1);
    ck_assert_uint_eq(stats.refused_closed, 3);
    ck_assert_uint_eq(stats.ledger.refused, 4);
}
END_TEST

START_TEST(a_full_pool_that_refuses_counts_that)
{
    struct job *first;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_REFUSE;
    open_pool();
    first = start_new(act_wait);
    must_pass(0);
    ck_assert_int_eq(weir_pool_submit(pool, pass_some_time, NULL, WEIR_FOREVER),
                     WEIR_FULL);
    ck_assert_uint_eq(stats_now().refused_full, 1);
    gate_open(&first->finish);
    settle_all();
}
END_TEST

START_TEST(the_use_of_a_pool_is_what_its_workers_run_of_their_time)
{
    weir_pool_stats stats;

    open_pool_of(2);
    must_pass(300);
    settle_all();
    test_clock_advance(100);
    stats = stats_now();
    ck_assert_int_eq(stats.worker_ns, 800);
    ck_assert_int_eq(stats.running_ns, 300);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    test_clock_advance(100);
    ck_assert_int_eq(stats_now().worker_ns, 800);
}
END_TEST

int main(void)
{
    const TTest *const histograms[] = {
        each_task_is_counted_with_what_it_took,
        without_the_option_there_are_none,
        what_makes_no_sense_is_refused,
        NULL,
    };
    const TTest *const of_entries[] = {
        an_attempt_that_overstays_counts_when_it_ends,
        one_that_never_began_has_not_waited,
        NULL,
    };
    const TTest *const many[] = {
        all_of_many_are_counted,
        NULL,
    };
    const TTest *const life[] = {
        a_worker_that_has_gone_leaves_its_times,
        a_pool_without_memory_for_them_is_not_created,
        NULL,
    };
    const TTest *const figures[] = {
        the_oldest_and_the_longest_show_while_they_are_there,
        refusals_are_counted_by_reason,
        a_full_pool_that_refuses_counts_that,
        the_use_of_a_pool_is_what_its_workers_run_of_their_time,
        NULL,
    };
    const struct chapter chapters[] = {
        {"histograms", histograms, plain_setup, teardown, 0, 0},
        {"histograms of entries", of_entries, setup, teardown, 0, 0},
        {"many", many, plain_setup, teardown, 4, 0},
        {"life", life, plain_setup, teardown, 0, 0},
        {"figures", figures, plain_setup, teardown, 0, 0},
        {.name = NULL},
    };

    return report("pool_times", chapters);
}
