/* SPDX-License-Identifier: MIT */
/* test_run_policies.c - runs of a pool's policies, and of every producer. */
#include <weir/run.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "helper.h"
#include "suite.h"

enum { ITEMS = 40 };

/* A producer of ITEMS numbers that counts what becomes of them. */
static weir_producer producer;
static int given; /* its thread's */
static struct tally settled[ITEMS], released[ITEMS];
static weir_outcome_kind kinds[ITEMS]; /* once settled */
static struct gate all_given;

static weir_run_options options;
static weir_pool_options pool;
static weir_retry retry;
static weir_report report_of_run;
static struct tally started;
static struct gate finish;

static weir_status give(void *self, void *item)
{
    (void)self;
    if (given == ITEMS) {
        gate_open(&all_given);
        return WEIR_END;
    }
    memcpy(item, &given, sizeof(given));
    given++;
    return WEIR_OK;
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    int number = *(const int *)item;

    (void)self;
    kinds[number] = outcome->kind;
    tally_add(&settled[number], 1);
}

static void release(void *self, void *item)
{
    int number = *(int *)item;

    (void)self;
    ck_assert_uint_eq(tally_read(&settled[number]), 1);
    tally_add(&released[number], 1);
}

static void setup(void)
{
    static const struct tally none = TALLY_INIT;

    options = (weir_run_options)WEIR_RUN_OPTIONS_INIT;
    pool = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    retry = (weir_retry)WEIR_RETRY_INIT;
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    producer = (weir_producer)WEIR_PRODUCER_INIT;
    options.pool = &pool;
    pool.workers = 1;
    pool.queue_capacity = 2;
    producer.item_size = sizeof(int);
    producer.next = give;
    producer.settle = settle;
    producer.release = release;
    for (int i = 0; i < ITEMS; i++)
        settled[i] = released[i] = none;
    given = 0;
    started = none;
    all_given = finish = (struct gate)GATE_INIT;
}

static weir_status run(weir_handler *handler)
{
    const weir_producer *const producers[] = {&producer};
    weir_status status;

    options.producers = producers;
    options.producer_count = 1;
    options.handler = handler;
    status = weir_run(&options, &report_of_run);
    ck_assert(weir_ledger_balances(&report_of_run.ledger));
    ck_assert_int_eq(report_of_run.status, status);
    return status;
}

/* Everything given was settled once and released once. */
static void must_run(weir_handler *handler)
{
    ck_assert_int_eq(run(handler), WEIR_OK);
    ck_assert_int_eq(given, ITEMS);
    for (int i = 0; i < ITEMS; i++) {
        ck_assert_uint_eq(tally_read(&settled[i]), 1);
        ck_assert_uint_eq(tally_read(&released[i]), 1);
    }
}

static int count_kind(weir_outcome_kind kind)
{
    int count = 0;

    for (int i = 0; i < ITEMS; i++)
        count += kinds[i] == kind;
    return count;
}

/* ---------------------------------------------------------------- policies */

static int wait_for_the_last(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    gate_wait(&all_given);
    return 0;
}

START_TEST(a_pool_that_refuses_turns_items_away_and_goes_on)
{
    pool.on_full = WEIR_ON_FULL_REFUSE;
    must_run(wait_for_the_last);
    ck_assert_uint_le(report_of_run.ledger.accepted, 3);
    ck_assert_uint_eq(report_of_run.ledger.done, report_of_run.ledger.accepted);
    ck_assert_uint_eq(report_of_run.ledger.refused,
                      ITEMS - report_of_run.ledger.accepted);
    ck_assert_uint_eq((uint64_t)count_kind(WEIR_OUTCOME_CANCELLED),
                      report_of_run.ledger.refused);
    ck_assert_str_eq(report_of_run.first_failure,
                     "task 0 cancelled: the pool did not accept it: full");
}
END_TEST

START_TEST(a_pool_that_drops_the_oldest_keeps_the_newest)
{
    pool.on_full = WEIR_ON_FULL_DROP_OLDEST;
    must_run(wait_for_the_last);
    ck_assert_uint_eq(report_of_run.ledger.accepted, ITEMS);
    ck_assert_uint_ge(report_of_run.ledger.dropped, ITEMS - 3);
    ck_assert_int_eq(count_kind(WEIR_OUTCOME_DROPPED),
                     (int)report_of_run.ledger.dropped);
    ck_assert_int_eq(kinds[ITEMS - 1], WEIR_OUTCOME_DONE);
    ck_assert_int_eq(kinds[ITEMS - 2], WEIR_OUTCOME_DONE);
}
END_TEST

/* The worker waits until a feed has run one itself. */
static int wait_for_a_caller(weir_task *task, void *item)
{
    (void)item;
    if (weir_task_worker(task) == UINT32_MAX) {
        tally_add(&started, 1);
        gate_open(&finish);
    }
    gate_wait(&finish);
    return 0;
}

START_TEST(where_the_caller_runs_the_feed_does)
{
    pool.on_full = WEIR_ON_FULL_CALLER_RUNS;
    must_run(wait_for_a_caller);
    ck_assert_uint_eq(report_of_run.ledger.done, ITEMS);
    ck_assert_uint_ge(tally_read(&started), 1);
}
END_TEST

static int exit_on_the_caller(weir_task *task, void *item)
{
    wait_for_a_caller(task, item);
    if (weir_task_worker(task) == UINT32_MAX)
        pthread_exit(NULL);
    return 0;
}

/* The thread was the feed's: its producer ends, but no item is lost. */
START_TEST(a_handler_that_ends_the_feeds_thread_ends_its_producer)
{
    pool.on_full = WEIR_ON_FULL_CALLER_RUNS;
    ck_assert_int_eq(run(exit_on_the_caller), WEIR_ESYSTEM);
    ck_assert(strstr(weir_last_error(), "ended its thread") != NULL);
    ck_assert_uint_eq(report_of_run.ledger.exited, 1);
    ck_assert_uint_eq(report_of_run.ledger.accepted, (uint64_t)given);
    for (int i = 0; i < given; i++) {
        ck_assert_uint_eq(tally_read(&settled[i]), 1);
        ck_assert_uint_eq(tally_read(&released[i]), 1);
    }
}
END_TEST

/* ---------------------------------------------------------------- attempts */

static int succeed_at_third(weir_task *task, void *item)
{
    (void)item;
    return weir_task_attempt(task) < 3;
}

START_TEST(tasks_are_tried_again)
{
    retry.max_attempts = 3;
    retry.base_ns = 1;
    pool.retry = &retry;
    must_run(succeed_at_third);
    ck_assert_uint_eq(report_of_run.ledger.done, ITEMS);
    ck_assert_uint_eq(report_of_run.ledger.attempts, (uint64_t)3 * ITEMS);
    ck_assert_str_eq(report_of_run.first_failure, "");
}
END_TEST

static int sleep_till_cancelled(weir_task *task, void *item)
{
    (void)item;
    ck_assert_int_eq(weir_task_sleep(task, WEIR_SECONDS(3600)), WEIR_CANCELLED);
    return 0;
}

START_TEST(tasks_that_overstay_time_out)
{
    pool.timeout_ns = WEIR_MS(1);
    pool.workers = 4;
    must_run(sleep_till_cancelled);
    ck_assert_uint_eq(report_of_run.ledger.timed_out, ITEMS);
    ck_assert_uint_eq(report_of_run.ledger.late, ITEMS);
    ck_assert(strstr(report_of_run.first_failure, "timed out") != NULL);
}
END_TEST

/* Settled long before, the item is still the handler's. */
static int outlast_the_settle(weir_task *task, void *item)
{
    int number = *(int *)item;

    (void)task;
    await_count(&settled[number], 1);
    ck_assert_int_eq(kinds[number], WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(tally_read(&released[number]), 0);
    ck_assert_int_eq(*(int *)item, number);
    return 0;
}

START_TEST(an_item_is_released_only_when_its_late_handler_has_ended)
{
    pool.timeout_ns = WEIR_MS(1);
    must_run(outlast_the_settle);
    ck_assert_uint_eq(report_of_run.ledger.late, ITEMS);
}
END_TEST

START_TEST(tasks_that_wait_too_long_expire)
{
    pool.queue_capacity = ITEMS;
    pool.time_to_live_ns = 1;
    must_run(wait_for_the_last);
    ck_assert_uint_ge(report_of_run.ledger.expired, 1);
    ck_assert_int_eq(count_kind(WEIR_OUTCOME_EXPIRED),
                     (int)report_of_run.ledger.expired);
}
END_TEST

/* --------------------------------------------------------------- producers */

static int add_up(weir_task *task, void *item)
{
    (void)task;
    tally_add(&started, *(uint64_t *)item);
    *(uint64_t *)item = 0;
    return 0;
}

START_TEST(a_range_runs)
{
    ck_assert_int_eq(weir_producer_range(&producer, 1, 1000), WEIR_OK);
    ck_assert_int_eq(run(add_up), WEIR_OK);
    ck_assert_uint_eq(tally_read(&started), 500500);
}
END_TEST

START_TEST(an_array_runs_and_stays_as_it_was)
{
    uint64_t numbers[100];

    for (uint64_t i = 0; i < 100; i++)
        numbers[i] = i;
    ck_assert_int_eq(weir_producer_array(&producer, numbers, 100,
                                         sizeof(uint64_t)),
                     WEIR_OK);
    ck_assert_int_eq(run(add_up), WEIR_OK);
    ck_assert_uint_eq(tally_read(&started), 4950);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_uint_eq(numbers[i], i);
}
END_TEST

static int add_up_line(weir_task *task, void *item)
{
    const weir_line *line = item;

    (void)task;
    ck_assert_uint_eq(line->length, strlen(line->text));
    tally_add(&started, (uint64_t)atoi(line->text));
    return 0;
}

START_TEST(lines_run)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    for (int i = 1; i <= 100; i++)
        ck_assert_int_ge(dprintf(ends[1], "%d\n", i), 2);
    close(ends[1]);
    ck_assert_int_eq(weir_producer_lines(&producer, ends[0], '\n', 0), WEIR_OK);
    ck_assert_int_eq(run(add_up_line), WEIR_OK);
    ck_assert_uint_eq(tally_read(&started), 5050);
    close(ends[0]);
}
END_TEST

/* A too long record is the producer's failure: it is closed all the same, and
 * the report is written. */
START_TEST(lines_that_are_too_long_end_the_run)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(dprintf(ends[1], "1\n2\n30\n4\n"), 2);
    ck_assert_int_eq(weir_producer_lines(&producer, ends[0], '\n', 1), WEIR_OK);
    ck_assert_int_eq(run(add_up_line), WEIR_ESYSTEM);
    ck_assert(strstr(weir_last_error(), "record 3") != NULL);
    ck_assert_uint_eq(report_of_run.ledger.done, 2);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static void run_lines_until_stop(void *unused)
{
    (void)unused;
    ck_assert_int_eq(run(add_up_line), WEIR_CANCELLED);
}

START_TEST(lines_of_a_pipe_that_never_closes_end_at_a_stop)
{
    struct helper helper;
    int ends[2], stop_fd = eventfd(0, EFD_CLOEXEC);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(dprintf(ends[1], "7\n8"), 2);
    ck_assert_int_eq(weir_producer_lines(&producer, ends[0], '\n', 0), WEIR_OK);
    options.stop_fd = stop_fd;
    helper_start(&helper, run_lines_until_stop, NULL);
    await_count(&started, 7);
    ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
    helper_join(&helper);
    ck_assert_uint_eq(tally_read(&started), 7);
    close(stop_fd);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static int count_path(weir_task *task, void *item)
{
    char *path;

    (void)task;
    memcpy(&path, item, sizeof(path));
    tally_add(&started, access(path, F_OK) == 0);
    return 0;
}

START_TEST(files_run)
{
    ck_assert_int_eq(weir_producer_files(&producer, "/proc/self/fdinfo"),
                     WEIR_OK);
    ck_assert_int_eq(run(count_path), WEIR_OK);
    ck_assert_uint_ge(tally_read(&started), 3);
}
END_TEST

static weir_queue *source_queue;

static void run_queue(void *unused)
{
    (void)unused;
    ck_assert_int_eq(run(add_up), WEIR_OK);
}

START_TEST(joining_the_source_queue_waits_for_the_handlers)
{
    struct helper helper;

    ck_assert_int_eq(weir_queue_create(&source_queue, sizeof(uint64_t), NULL),
                     WEIR_OK);
    for (uint64_t i = 1; i <= 100; i++)
        ck_assert_int_eq(weir_queue_put(source_queue, &i, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_producer_queue(&producer, source_queue,
                                         sizeof(uint64_t)),
                     WEIR_OK);
    helper_start(&helper, run_queue, NULL);
    ck_assert_int_eq(weir_queue_join(source_queue, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(tally_read(&started), 5050);
    ck_assert_int_eq(weir_queue_poison(source_queue, 1), WEIR_OK);
    helper_join(&helper);
    weir_queue_destroy(source_queue);
}
END_TEST

int main(void)
{
    const TTest *const policies[] = {
        a_pool_that_refuses_turns_items_away_and_goes_on,
        a_pool_that_drops_the_oldest_keeps_the_newest,
        where_the_caller_runs_the_feed_does,
        a_handler_that_ends_the_feeds_thread_ends_its_producer, NULL};
    const TTest *const attempts[] = {
        tasks_are_tried_again, tasks_that_overstay_time_out,
        an_item_is_released_only_when_its_late_handler_has_ended,
        tasks_that_wait_too_long_expire, NULL};
    const TTest *const producers[] = {
        a_range_runs,
        an_array_runs_and_stays_as_it_was,
        lines_run,
        lines_that_are_too_long_end_the_run,
        lines_of_a_pipe_that_never_closes_end_at_a_stop,
        files_run,
        joining_the_source_queue_waits_for_the_handlers,
        NULL};
    const struct chapter chapters[] = {
        {"policies", policies, setup, NULL, 0, 0},
        {"attempts", attempts, setup, NULL, 0, 0},
        {"producers", producers, setup, NULL, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("run: policies and producers", chapters);
}
