/* SPDX-License-Identifier: MIT */
/* test_fan.c - one producer into several pools. */
#include <weir/fan.h>

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "helper.h"
#include "suite.h"

enum { POOLS = 3, MOST = 1000 };

/* The source: numbers, and what becomes of them. */
static struct {
    int count;
    weir_status end;
    bool blocks;
    struct gate interrupted;
    struct tally got, settled, released, closed, at_end;
    unsigned char releases[MOST];
} source;
static weir_producer producer;
static weir_pool *pools[POOLS];
static weir_pool_options of_pools;
static weir_fan_options options;
static weir_report report_of_fan;

static int ran[POOLS][MOST]; /* what each pool ran, in order */
static int counts[POOLS];
static struct tally started;
static struct gate may_finish;

static weir_status give(void *self, void *item)
{
    int number = (int)tally_read(&source.got);

    (void)self;
    if (gate_is_open(&source.interrupted))
        return WEIR_CANCELLED;
    if (number < source.count) {
        memcpy(item, &number, sizeof(number));
        tally_add(&source.got, 1);
        return WEIR_OK;
    }
    tally_add(&source.at_end, 1);
    if (source.blocks) {
        gate_wait(&source.interrupted);
        return WEIR_CANCELLED;
    }
    errno = EIO;
    return source.end ? source.end : WEIR_END;
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    (void)self;
    (void)item;
    (void)outcome;
    tally_add(&source.settled, 1);
}

static void release(void *self, void *item)
{
    (void)self;
    source.releases[*(int *)item]++;
    tally_add(&source.released, 1);
}

static void close_source(void *self)
{
    (void)self;
    ck_assert_uint_eq(tally_read(&source.got), tally_read(&source.settled));
    ck_assert_uint_eq(tally_read(&source.got), tally_read(&source.released));
    tally_add(&source.closed, 1);
}

static uint64_t by_hundreds(void *arg, const void *item)
{
    ck_assert_ptr_eq(arg, &options);
    return (uint64_t) * (const int *)item / 100;
}

static int note(weir_task *task, void *item)
{
    int i = *(int *)weir_task_context(task);

    tally_add(&started, 1);
    ran[i][counts[i]++] = *(int *)item;
    return 0;
}

static int fail_odd(weir_task *task, void *item)
{
    note(task, item);
    return *(int *)item % 2 ? weir_task_fail(task, 4, "odd") : 0;
}

static int wait_first(weir_task *task, void *item)
{
    note(task, item);
    if (*(int *)item < 100)
        gate_wait(&may_finish);
    return 0;
}

/* ----------------------------------------------------------------- fixtures */

static int numbers_of_pools[POOLS] = {0, 1, 2};

static void setup(void)
{
    static const struct tally none = TALLY_INIT;
    static const struct gate shut = GATE_INIT;

    memset(&source, 0, sizeof(source));
    memset(counts, 0, sizeof(counts));
    source.got = source.settled = source.released = source.closed = none;
    source.at_end = started = none;
    source.interrupted = may_finish = shut;
    producer = (weir_producer)WEIR_PRODUCER_INIT;
    producer.item_size = sizeof(int);
    producer.next = give;
    producer.settle = settle;
    producer.release = release;
    producer.close = close_source;
    of_pools = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    of_pools.workers = 1;
    of_pools.queue_capacity = 8;
    of_pools.item_size = sizeof(int);
    options = (weir_fan_options)WEIR_FAN_OPTIONS_INIT;
    options.producer = &producer;
    options.pools = pools;
    options.pool_count = POOLS;
    options.handler = note;
    options.key = by_hundreds;
    options.key_arg = &options;
    report_of_fan = (weir_report)WEIR_REPORT_INIT;
}

static void open_pools(void)
{
    for (int i = 0; i < POOLS; i++) {
        of_pools.context = &numbers_of_pools[i];
        ck_assert_int_eq(weir_pool_create(&pools[i], &of_pools), WEIR_OK);
    }
}

static void teardown(void)
{
    gate_open(&may_finish);
    for (int i = 0; i < POOLS; i++) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        if (!pools[i])
            continue;
        weir_pool_read_stats(pools[i], &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        weir_pool_destroy(pools[i]);
        pools[i] = NULL;
    }
}

static void fan_out(int count, weir_status expected)
{
    weir_status status;

    source.count = count;
    status = weir_fan_out(&options, &report_of_fan);
    ck_assert_str_eq(weir_status_name(status), weir_status_name(expected));
    ck_assert_int_eq(report_of_fan.status, status);
    ck_assert(weir_ledger_balances(&report_of_fan.ledger));
    ck_assert_uint_eq(tally_read(&source.closed), 1);
    for (uint64_t i = 0; i < tally_read(&source.got); i++)
        ck_assert_uint_eq(source.releases[i], 1);
}

/* -------------------------------------------------------------------- tests */

START_TEST(the_same_key_is_the_same_pool_in_order)
{
    open_pools();
    fan_out(600, WEIR_OK);
    ck_assert_uint_eq(report_of_fan.ledger.done, 600);
    for (int i = 0; i < POOLS; i++) {
        ck_assert_int_eq(counts[i], 200);
        for (int k = 0; k < 200; k++)
            ck_assert_int_eq(ran[i][k],
                             k < 100 ? i * 100 + k : (i + 3) * 100 + k - 100);
    }
}
END_TEST

START_TEST(without_a_key_they_go_round)
{
    options.key = NULL;
    open_pools();
    fan_out(300, WEIR_OK);
    for (int i = 0; i < POOLS; i++)
        for (int k = 0; k < 100; k++)
            ck_assert_int_eq(ran[i][k], k * POOLS + i);
}
END_TEST

START_TEST(failures_are_in_the_report)
{
    options.handler = fail_odd;
    open_pools();
    fan_out(100, WEIR_OK);
    ck_assert_uint_eq(report_of_fan.ledger.failed, 50);
    ck_assert_ptr_nonnull(
        strstr(report_of_fan.first_failure, "failed, code 4: odd"));
}
END_TEST

static weir_status status_of_helper;

static void fan_out_there(void *arg)
{
    (void)arg;
    status_of_helper = weir_fan_out(&options, &report_of_fan);
}

START_TEST(a_full_pool_holds_up_the_producer)
{
    struct helper helper;

    options.handler = wait_first;
    source.count = 300;
    open_pools();
    helper_start(&helper, fan_out_there, NULL);
    await_count(&source.got, 10); /* one runs, eight wait, one is in hand */
    await_count(&started, 1);
    ck_assert_uint_eq(tally_read(&source.got), 10);
    gate_open(&may_finish);
    helper_join(&helper);
    ck_assert_int_eq(status_of_helper, WEIR_OK);
    ck_assert_uint_eq(report_of_fan.ledger.done, 300);
}
END_TEST

START_TEST(a_failed_producer_is_the_end)
{
    source.end = WEIR_ESYSTEM;
    open_pools();
    errno = 0;
    fan_out(50, WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EIO);
    ck_assert_uint_eq(report_of_fan.ledger.done, 50);
}
END_TEST

START_TEST(a_stopped_pool_is_the_end)
{
    open_pools();
    ck_assert_int_eq(weir_pool_stop(pools[1], WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    fan_out(600, WEIR_CLOSED);
    ck_assert_uint_eq(report_of_fan.ledger.done, 100);
    ck_assert_uint_eq(tally_read(&source.got), 101);
    ck_assert_ptr_nonnull(
        strstr(report_of_fan.first_failure, "did not accept"));
}
END_TEST

START_TEST(an_interrupted_producer_is_the_end)
{
    struct helper helper;

    source.blocks = true;
    source.count = 5;
    open_pools();
    helper_start(&helper, fan_out_there, NULL);
    await_count(&source.at_end, 1);
    gate_open(&source.interrupted);
    helper_join(&helper);
    ck_assert_int_eq(status_of_helper, WEIR_CANCELLED);
    ck_assert_uint_eq(report_of_fan.ledger.done, 5);
}
END_TEST

START_TEST(refusing_pools_turn_away)
{
    struct helper helper;

    of_pools.on_full = WEIR_ON_FULL_REFUSE;
    options.handler = wait_first;
    source.count = 50;
    open_pools();
    helper_start(&helper, fan_out_there, NULL);
    await_count(&source.at_end, 1);
    gate_open(&may_finish);
    helper_join(&helper);
    ck_assert_int_eq(status_of_helper, WEIR_OK);
    ck_assert_uint_ge(report_of_fan.ledger.refused, 41);
    ck_assert_uint_eq(tally_read(&source.settled), 50);
}
END_TEST

START_TEST(a_stuck_attempt_leaves_the_producer_open)
{
    weir_status status;

    of_pools.timeout_ns = WEIR_MS(1);
    of_pools.grace_ns = WEIR_MS(1);
    options.handler = wait_first;
    source.count = 1;
    open_pools();
    status = weir_fan_out(&options, &report_of_fan);
    ck_assert_str_eq(weir_status_name(status), "WEIR_STUCK");
    ck_assert_uint_eq(report_of_fan.ledger.timed_out, 1);
    ck_assert_uint_eq(tally_read(&source.closed), 0);
    gate_open(&may_finish);
    await_count(&source.released, 1);
}
END_TEST

static int fan_inside(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return weir_fan_out(&options, NULL) == WEIR_DEADLOCK ? 0 : 1;
}

START_TEST(a_handler_cannot_wait_for_itself)
{
    int item = 0;
    weir_future *future;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    open_pools();
    spec.handler = fan_inside;
    spec.item = &item;
    ck_assert_int_eq(weir_pool_submit_task(pools[2], &spec, &future,
                                           WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(tally_read(&source.closed), 0); /* nor was it touched */
    weir_future_release(future);
}
END_TEST

static void refused(const char *words)
{
    ck_assert_int_eq(weir_fan_out(&options, &report_of_fan), WEIR_EINVAL);
    ck_assert_msg(strstr(weir_last_error(), words), "'%s' is not in '%s'",
                  words, weir_last_error());
}

START_TEST(what_makes_no_sense_is_refused)
{
    weir_fan_options good = options;
    weir_pool *pool;

    open_pools();
    options.producer = NULL;
    refused("producer is NULL");
    options = good;
    options.handler = NULL;
    refused("handler");
    options = good;
    options.pool_count = 0;
    refused("pool_count 0");
    options = good;
    options.size = 0;
    refused("weir_fan_options");
    options = good;
    pool = pools[1];
    pools[1] = NULL;
    refused("pools[1] is NULL");
    pools[1] = pool;
    producer.item_size = 8;
    refused("item_size is 4");
    producer.item_size = 4;
    report_of_fan.size = 0;
    refused("weir_report");
    ck_assert_int_eq(weir_fan_out(NULL, NULL), WEIR_EINVAL);
    ck_assert_uint_eq(tally_read(&source.closed), 0);
}
END_TEST

static weir_status try_to_fan_out(void *arg)
{
    weir_status status;

    (void)arg;
    source.got = source.settled = source.released = source.closed =
        (struct tally)TALLY_INIT;
    memset(counts, 0, sizeof(counts));
    status = weir_fan_out(&options, NULL);
    ck_assert_uint_eq(tally_read(&source.closed), 1);
    return status == WEIR_ESYSTEM ? WEIR_ENOMEM : status; /* the thread */
}

START_TEST(each_failure_is_answered)
{
    open_pools();
    source.count = 7;
    ck_assert_uint_ge(fault_sweep(try_to_fan_out, NULL, WEIR_ENOMEM), 5);
    ck_assert_uint_eq(tally_read(&source.released), 7);
}
END_TEST

START_TEST(in_a_fork_child_pools_are_the_parents)
{
    int status = 0;
    pid_t child;

    open_pools();
    child = fork();
    if (child == 0)
        _exit(weir_fan_out(&options, NULL) == WEIR_FORKED ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    const TTest *const fans[] = {the_same_key_is_the_same_pool_in_order,
                                 without_a_key_they_go_round,
                                 failures_are_in_the_report,
                                 a_full_pool_holds_up_the_producer, NULL};
    const TTest *const ends[] = {a_failed_producer_is_the_end,
                                 a_stopped_pool_is_the_end,
                                 an_interrupted_producer_is_the_end,
                                 refusing_pools_turn_away,
                                 a_stuck_attempt_leaves_the_producer_open,
                                 NULL};
    const TTest *const refusals[] = {a_handler_cannot_wait_for_itself,
                                     what_makes_no_sense_is_refused,
                                     each_failure_is_answered,
                                     in_a_fork_child_pools_are_the_parents,
                                     NULL};
    const struct chapter chapters[] = {{"fans", fans, setup, teardown, 0, 0},
                                       {"ends", ends, setup, teardown, 0, 0},
                                       {"refusals", refusals, setup, teardown,
                                        0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("fan-out", chapters);
}
