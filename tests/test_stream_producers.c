/* SPDX-License-Identifier: MIT */
/* test_stream_producers.c - streams and runs of batches and of merged
 * producers; and handlers among them that never listen. */
#include <weir/run.h>
#include <weir/stream.h>

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "gate.h"
#include "sources.h"
#include "suite.h"

enum { BATCH = 7, APART = 10000 };

static weir_pool_options options;
static weir_stream_options how;
static weir_producer producer;
static weir_pool *pool;
static weir_stream *stream;
static struct gate may_finish;
static struct tally stuck, finished;

/* ----------------------------------------------------------------- fixtures */

/* Items are numbers of the sources, or batches of them. */
static int first_of(const void *item)
{
    int number;

    memcpy(&number, item, sizeof(number));
    return number;
}

static int sum_up(weir_task *task, void *item)
{
    weir_batch *batch = item;
    int sum = 0;

    for (size_t i = 0; i < batch->count; i++)
        sum += first_of(weir_batch_item(batch, i));
    return weir_task_result(task, &sum, sizeof(sum));
}

static int give_back(weir_task *task, void *item)
{
    return weir_task_result(task, item, sizeof(int));
}

/* The one that has the number 0 never looks. */
static int stick(int number)
{
    if (number == 0) {
        tally_add(&stuck, 1);
        gate_wait(&may_finish);
        tally_add(&finished, 1);
    }
    return 0;
}

static int stick_with_a_number(weir_task *task, void *item)
{
    (void)task;
    return stick(first_of(item));
}

static int stick_with_a_batch(weir_task *task, void *item)
{
    (void)task;
    return stick(first_of(weir_batch_item(item, 0)));
}

static void setup(void)
{
    static const struct tally none = TALLY_INIT;
    static const struct gate shut = GATE_INIT;

    sources_reset();
    may_finish = shut;
    stuck = finished = none;
    pool = NULL;
    stream = NULL;
    options = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    options.workers = 3;
    how = (weir_stream_options)WEIR_STREAM_OPTIONS_INIT;
    how.window = 8;
}

static void open_batches(weir_handler *handler)
{
    how.handler = handler;
    ck_assert_int_eq(weir_producer_batch(&producer, &sources[0].producer, BATCH,
                                         INT64_MAX),
                     WEIR_OK);
}

static void open_merge(weir_handler *handler)
{
    const weir_producer *const all[] = {&sources[0].producer,
                                        &sources[1].producer,
                                        &sources[2].producer};

    how.handler = handler;
    ck_assert_int_eq(weir_producer_merge(&producer, all, 3), WEIR_OK);
}

static void open_stream(void)
{
    options.item_size = producer.item_size;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    ck_assert_int_eq(weir_stream_open(&stream, pool, &producer, &how), WEIR_OK);
}

static weir_status take(void *item, weir_outcome *outcome)
{
    weir_status status =
        weir_stream_next(stream, item, outcome,
                         weir_deadline_after(test_slowness() *
                                             WEIR_SECONDS(20)));

    ck_assert_int_ne(status, WEIR_TIMED_OUT);
    return status;
}

/* Of the pool too, so that everything has been given back. */
static void close_all(int source_count)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    if (stream)
        weir_stream_close(stream);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_eq(stats.ledger.overdue, 0);
    weir_pool_destroy(pool);
    for (int i = 0; i < source_count; i++)
        assert_all_returned(&sources[i]);
}

/* ------------------------------------------------------------------ streams */

START_TEST(a_stream_gives_each_batch_in_order)
{
    _Alignas(16) unsigned char bytes[sizeof(weir_batch) + BATCH * sizeof(int)];
    weir_batch *batch = (weir_batch *)bytes;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    int first = 0;

    new_source(0, 1000);
    how.order = WEIR_IN_ORDER;
    open_batches(sum_up);
    open_stream();
    for (; first < 1000; first += BATCH) {
        int count = first + BATCH > 1000 ? 1000 - first : BATCH, sum = 0;

        ck_assert_int_eq(take(batch, &outcome), WEIR_OK);
        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
        ck_assert_uint_eq(batch->count, (size_t)count);
        for (int i = 0; i < count; i++) {
            ck_assert_int_eq(first_of(weir_batch_item(batch, (size_t)i)),
                             first + i);
            sum += first + i;
        }
        ck_assert_int_eq(first_of(outcome.result), sum);
    }
    ck_assert_int_eq(take(batch, &outcome), WEIR_END);
    close_all(1);
    ck_assert_int_eq(sources[0].ended_as[WEIR_OUTCOME_DONE], 1000);
}
END_TEST

START_TEST(a_stream_gives_each_merged_item_once)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    unsigned char item[sizeof(int) + 4], seen[3][300] = {{0}};
    int next[3] = {0};

    for (int i = 0; i < 3; i++)
        new_source(APART * i, 300);
    how.order = _i ? WEIR_IN_ORDER : WEIR_AS_COMPLETED;
    open_merge(give_back);
    open_stream();
    for (int taken = 0; taken < 900; taken++) {
        int number, whose;

        ck_assert_int_eq(take(item, &outcome), WEIR_OK);
        number = first_of(item);
        ck_assert_int_eq(first_of(outcome.result), number);
        whose = number / APART;
        seen[whose][number % APART]++;
        if (how.order == WEIR_IN_ORDER) /* each source's own */
            ck_assert_int_eq(number % APART, next[whose]++);
    }
    ck_assert_int_eq(take(item, &outcome), WEIR_END);
    for (int i = 0; i < 900; i++)
        ck_assert_uint_eq(seen[i / 300][i % 300], 1);
    close_all(3);
}
END_TEST

/* Some are in the pool, some in inlets, one in the hands of a source. */
START_TEST(a_stream_that_is_left_returns_what_was_read_ahead)
{
    for (int i = 0; i < 3; i++)
        tally_add(&new_slow_source(APART * i, 1000)->allowed,
                  100 + 10 * (uint64_t)i);
    if (_i % 2)
        open_merge(give_back);
    else
        open_batches(sum_up);
    open_stream();
    for (int taken = 0; taken < _i / 2; taken++)
        ck_assert_int_eq(take(NULL, NULL), WEIR_OK);
    close_all(_i % 2 ? 3 : 1);
}
END_TEST

START_TEST(why_a_source_failed_is_how_the_stream_ends)
{
    for (int i = 0; i < 3; i++)
        new_source(APART * i, 10);
    sources[0].end = WEIR_ESYSTEM;
    sources[0].error = EXDEV;
    if (_i % 2)
        open_merge(give_back);
    else
        open_batches(sum_up);
    open_stream();
    for (;;) {
        weir_status status = take(NULL, NULL);

        if (status == WEIR_OK)
            continue;
        ck_assert_int_eq(status, WEIR_ESYSTEM);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_str_eq(weir_last_error(), "the well is dry");
        break;
    }
    close_all(_i % 2 ? 3 : 1);
    ck_assert_int_eq(sources[0].ended_as[WEIR_OUTCOME_DONE], 10);
}
END_TEST

/* ----------------------------------------------------------- stuck handlers */

/* What the one with the number 0 holds: a batch, or one of three sources. */
static int open_with_a_stuck_one(bool merged)
{
    options.timeout_ns = WEIR_MS(100);
    options.grace_ns = WEIR_MS(50);
    options.max_abandoned = 8;
    for (int i = 0; i < 3; i++)
        new_source(APART * i, 100);
    if (merged)
        open_merge(stick_with_a_number);
    else
        open_batches(stick_with_a_batch);
    return merged ? 1 : BATCH;
}

static weir_ledger ledger_now(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    sched_yield();
    weir_pool_read_stats(pool, &stats);
    return stats.ledger;
}

/* Until it is abandoned, and its items are told; the reader may hear first. */
static void await_stuck(int held)
{
    weir_deadline limit =
        weir_deadline_after(test_slowness() * WEIR_SECONDS(20));

    while (ledger_now().abandoned == 0 ||
           sources[0].ended_as[WEIR_OUTCOME_TIMED_OUT] < held)
        ck_assert_int_gt(weir_deadline_remaining(limit), 0);
}

/* Lets it go on, until it has ended: a stop would not wait for that. */
static void end_stuck(void)
{
    weir_deadline limit =
        weir_deadline_after(test_slowness() * WEIR_SECONDS(20));

    gate_open(&may_finish);
    while (ledger_now().overdue > 0)
        ck_assert_int_gt(weir_deadline_remaining(limit), 0);
}

/* The producer is not closed while one of its items is in use. */
START_TEST(what_is_stuck_is_released_when_its_handler_ends)
{
    int held = open_with_a_stuck_one(_i % 2);
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    int timed_out = 0;

    open_stream();
    while (take(NULL, &outcome) == WEIR_OK)
        timed_out += outcome.kind == WEIR_OUTCOME_TIMED_OUT;
    ck_assert_int_ge(timed_out, 1);
    await_stuck(held);
    for (int i = 0; i < held; i++) {
        ck_assert_int_eq(sources[0].settled[i], 1);
        ck_assert_int_eq(sources[0].released[i], 0);
    }
    weir_stream_close(stream);
    stream = NULL;
    ck_assert_int_eq(sources[0].closed, 0);
    end_stuck();
    close_all(_i % 2 ? 3 : 1);
}
END_TEST

/* Then closing is the caller's, and what was stuck is never released. */
START_TEST(a_run_leaves_what_is_stuck)
{
    int held = open_with_a_stuck_one(_i % 2);
    const weir_producer *const producers[] = {&producer};
    weir_run_options run = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;

    run.pool = &options;
    run.producers = producers;
    run.producer_count = 1;
    run.handler = how.handler;
    ck_assert_int_eq(weir_run(&run, &report), WEIR_STUCK);
    ck_assert_uint_eq(report.ledger.unreleased, 1);
    ck_assert(weir_ledger_balances(&report.ledger));
    for (int n = 0; n < (_i % 2 ? 3 : 1); n++)
        for (int i = 0; i < 100; i++) {
            ck_assert_int_eq(sources[n].settled[i], 1);
            ck_assert_int_eq(sources[n].released[i], n > 0 || i >= held);
        }
    gate_open(&may_finish);
    await_count(&finished, 1);
    ck_assert_int_eq(sources[0].closed, 0);
    producer.close(producer.self);
    ck_assert_int_eq(sources[0].closed, 1);
    ck_assert_int_eq(sources[0].released[0], 0);
}
END_TEST

int main(void)
{
    const TTest *const batches[] = {a_stream_gives_each_batch_in_order, NULL};
    const TTest *const both[] = {a_stream_gives_each_merged_item_once,
                                 why_a_source_failed_is_how_the_stream_ends,
                                 NULL};
    const TTest *const early[] = {
        a_stream_that_is_left_returns_what_was_read_ahead, NULL};
    const TTest *const deaf[] = {
        what_is_stuck_is_released_when_its_handler_ends,
        a_run_leaves_what_is_stuck, NULL};
    const struct chapter chapters[] = {{"batches", batches, setup, NULL, 0, 0},
                                       {"both", both, setup, NULL, 2, 0},
                                       {"early", early, setup, NULL, 12, 0},
                                       {"stuck", deaf, setup, NULL, 2, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stream_producers", chapters);
}
