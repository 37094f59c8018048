/* SPDX-License-Identifier: MIT */
/* test_pipeline.c - stages in series. */
#include <weir/pipeline.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "helper.h"
#include "suite.h"

enum { MOST = 4096, STAGES = 3 };

/* The source: numbers, and what becomes of them. */
static struct {
    int count;
    weir_status end;
    bool blocks;
    struct gate interrupted;
    struct tally got, settled, released, closed, at_end, interrupts;
    unsigned char settles[MOST], releases[MOST];
} source;
static weir_producer producer;

static weir_stage stages[STAGES];
static const weir_stage *const in_series[STAGES] = {&stages[0], &stages[1],
                                                    &stages[2]};
static weir_pool_options pools[STAGES];
static weir_pipeline_options options;
static weir_pipeline *pipeline;

/* What left, and where. */
static struct tally left;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const char *stage;
    weir_outcome_kind kind;
    char message[128];
    int64_t result;
    int place; /* the how-manieth to leave */
} leaves[MOST];

static struct tally started[STAGES], arrived;
static struct gate may_finish;

/* ------------------------------------------------------------------- source */

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

static void interrupt(void *self)
{
    (void)self;
    tally_add(&source.interrupts, 1);
    gate_open(&source.interrupted);
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    (void)self;
    (void)outcome;
    source.settles[*(const int *)item]++;
    tally_add(&source.settled, 1);
}

static void release(void *self, void *item)
{
    (void)self;
    ck_assert_uint_eq(source.settles[*(int *)item], 1);
    source.releases[*(int *)item]++;
    tally_add(&source.released, 1);
}

static void close_source(void *self)
{
    (void)self;
    ck_assert_uint_eq(tally_read(&source.got), tally_read(&source.settled));
    tally_add(&source.closed, 1);
}

static void note_left(void *arg, const char *stage, const void *item,
                      const weir_outcome *outcome)
{
    int number = *(const int *)item;

    (void)arg;
    pthread_mutex_lock(&lock);
    ck_assert_ptr_null(leaves[number].stage);
    leaves[number].stage = stage;
    leaves[number].kind = outcome->kind;
    snprintf(leaves[number].message, sizeof(leaves[number].message), "%s",
             outcome->message);
    if (outcome->result_size == sizeof(leaves[number].result))
        memcpy(&leaves[number].result, outcome->result, outcome->result_size);
    leaves[number].place = (int)tally_read(&left);
    tally_add(&left, 1);
    pthread_mutex_unlock(&lock);
}

/* ----------------------------------------------------------------- handlers */

/* int ▶ int64_t: its square */
static int square(weir_task *task, void *item)
{
    int64_t number = *(int *)item;

    tally_add(&started[0], 1);
    number *= number;
    return weir_task_result(task, &number, sizeof(number));
}

/* int64_t ▶ text */
static int spell(weir_task *task, void *item)
{
    char text[16] = "";

    tally_add(&started[1], 1);
    snprintf(text, sizeof(text), "%lld", (long long)*(int64_t *)item);
    return weir_task_result(task, text, sizeof(text));
}

/* text ▶ int64_t: its length */
static int measure(weir_task *task, void *item)
{
    int64_t length = (int64_t)strlen(item);

    tally_add(&started[2], 1);
    return weir_task_result(task, &length, sizeof(length));
}

static int (*instead)(weir_task *task, void *item); /* of spell, for some */

static int spell_or(weir_task *task, void *item)
{
    return *(int64_t *)item % 2 ? instead(task, item) : spell(task, item);
}

static int wait_at_the_end(weir_task *task, void *item)
{
    tally_add(&arrived, 1);
    gate_wait(&may_finish);
    return measure(task, item);
}

/* ----------------------------------------------------------------- fixtures */

static void setup(void)
{
    static const struct tally none = TALLY_INIT;
    static const struct gate shut = GATE_INIT;

    memset(&source, 0, sizeof(source));
    memset(leaves, 0, sizeof(leaves));
    source.got = source.settled = source.released = source.closed = none;
    source.at_end = source.interrupts = left = arrived = none;
    source.interrupted = may_finish = shut;
    producer = (weir_producer)WEIR_PRODUCER_INIT;
    producer.item_size = sizeof(int);
    producer.next = give;
    producer.interrupt = interrupt;
    producer.settle = settle;
    producer.release = release;
    producer.close = close_source;
    for (int i = 0; i < STAGES; i++) {
        started[i] = none;
        pools[i] = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
        stages[i] = (weir_stage)WEIR_STAGE_INIT;
        stages[i].pool = &pools[i];
    }
    stages[0].name = "square";
    stages[0].handler = square;
    stages[1].name = "spell";
    stages[1].handler = spell;
    stages[1].item_size = sizeof(int64_t);
    pools[1].workers = 3;
    stages[2].name = "measure";
    stages[2].handler = measure;
    stages[2].item_size = 16;
    options = (weir_pipeline_options)WEIR_PIPELINE_OPTIONS_INIT;
    options.stages = in_series;
    options.stage_count = STAGES;
    options.on_left = note_left;
    pipeline = NULL;
}

static void open_pipeline(int count)
{
    source.count = count;
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &producer, &options),
                     WEIR_OK);
}

static weir_report wait_for_end(weir_status expected)
{
    weir_report report = WEIR_REPORT_INIT;
    weir_status status =
        weir_pipeline_wait(pipeline, &report,
                           weir_deadline_after((int64_t)test_slowness() *
                                               WEIR_SECONDS(20)));

    ck_assert_str_eq(weir_status_name(status), weir_status_name(expected));
    ck_assert_int_eq(report.status, status);
    ck_assert(weir_ledger_balances(&report.ledger));
    ck_assert_uint_eq(report.ledger.accepted, tally_read(&source.got));
    ck_assert_uint_eq(report.ledger.queued + report.ledger.running +
                          report.ledger.retrying,
                      0);
    ck_assert_uint_eq(tally_read(&left), tally_read(&source.got));
    return report;
}

static void teardown(void)
{
    gate_open(&may_finish);
    if (!pipeline)
        return;
    weir_pipeline_destroy(pipeline);
    await_count(&source.closed, 1);
    ck_assert_uint_eq(tally_read(&source.closed), 1);
    for (uint64_t i = 0; i < tally_read(&source.got); i++) {
        ck_assert_uint_eq(source.settles[i], 1);
        ck_assert_uint_eq(source.releases[i], 1);
    }
}

static int64_t length_of(int number)
{
    char text[32];

    return snprintf(text, sizeof(text), "%lld", (long long)number * number);
}

static void
must_have_left(int number, const char *stage, weir_outcome_kind kind)
{
    ck_assert_ptr_nonnull(leaves[number].stage);
    ck_assert_str_eq(leaves[number].stage, stage);
    ck_assert_str_eq(weir_outcome_name(leaves[number].kind),
                     weir_outcome_name(kind));
}

/* ------------------------------------------------------------------ passing */

START_TEST(every_item_passes_all_stages)
{
    weir_report report;

    if (_i)
        producer.settle = NULL, producer.release = NULL;
    open_pipeline(2000);
    report = wait_for_end(WEIR_OK);
    ck_assert_uint_eq(report.ledger.done, 2000);
    ck_assert_uint_eq(report.ledger.attempts, 6000);
    ck_assert_str_eq(report.first_failure, "");
    for (int i = 0; i < 2000; i++) {
        must_have_left(i, "measure", WEIR_OUTCOME_DONE);
        ck_assert_int_eq(leaves[i].result, length_of(i));
    }
    if (_i) { /* so that the fixture finds what it expects */
        memset(source.settles, 1, sizeof(source.settles));
        memset(source.releases, 1, sizeof(source.releases));
        tally_add(&source.settled, 2000);
    }
}
END_TEST

START_TEST(a_serial_stage_has_one_at_a_time_in_order)
{
    stages[2].kind = WEIR_STAGE_SERIAL_IN_ORDER;
    open_pipeline(2000);
    wait_for_end(WEIR_OK);
    for (int i = 0; i < 2000; i++)
        ck_assert_int_eq(leaves[i].place, i);
}
END_TEST

static atomic_int inside;

static int alone(weir_task *task, void *item)
{
    ck_assert_int_eq(atomic_fetch_add(&inside, 1), 0);
    sched_yield();
    atomic_fetch_sub(&inside, 1);
    return spell(task, item);
}

START_TEST(a_serial_stage_has_one_at_a_time)
{
    stages[1].kind = WEIR_STAGE_SERIAL;
    stages[1].handler = alone;
    pools[1].workers = 0;
    open_pipeline(500);
    wait_for_end(WEIR_OK);
}
END_TEST

START_TEST(one_stage_is_enough)
{
    options.stage_count = 1;
    open_pipeline(100);
    wait_for_end(WEIR_OK);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(leaves[i].result, (int64_t)i * i);
}
END_TEST

START_TEST(an_empty_source_ends_it)
{
    open_pipeline(0);
    ck_assert_uint_eq(wait_for_end(WEIR_OK).ledger.accepted, 0);
}
END_TEST

/* ------------------------------------------------------------------ leaving */

static int give_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static int give_too_little(weir_task *task, void *item)
{
    return weir_task_result(task, item, 3);
}

static int fail_odd(weir_task *task, void *item)
{
    return weir_task_fail(task, 9, "%lld is odd", (long long)*(int64_t *)item);
}

static int exit_thread(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    pthread_exit(NULL);
}

static void half_leave_at_spell(weir_outcome_kind kind)
{
    stages[1].handler = spell_or;
    open_pipeline(200);
    wait_for_end(WEIR_OK);
    for (int i = 0; i < 200; i++)
        if (i % 2)
            must_have_left(i, "spell", kind);
        else
            must_have_left(i, "measure", WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(tally_read(&started[2]), 100);
}

START_TEST(without_a_result_an_item_ends_there)
{
    instead = give_nothing;
    half_leave_at_spell(WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_result_of_the_wrong_size_has_failed)
{
    instead = give_too_little;
    half_leave_at_spell(WEIR_OUTCOME_FAILED);
    ck_assert_str_eq(leaves[1].message, "its result has 3 bytes, but items of "
                                        "stage measure have 16");
}
END_TEST

START_TEST(a_failure_leaves_where_it_failed)
{
    weir_report report = WEIR_REPORT_INIT;

    instead = fail_odd;
    half_leave_at_spell(WEIR_OUTCOME_FAILED);
    ck_assert_str_eq(leaves[3].message, "9 is odd");
    ck_assert_int_eq(weir_pipeline_wait(pipeline, &report, WEIR_NOW), WEIR_OK);
    ck_assert_ptr_nonnull(
        strstr(report.first_failure, "stage spell: failed, code 9"));
    ck_assert_uint_eq(report.ledger.failed, 100);
}
END_TEST

START_TEST(a_thread_that_ends_leaves_where_it_did)
{
    instead = exit_thread;
    half_leave_at_spell(WEIR_OUTCOME_EXITED);
}
END_TEST

static int overstay(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    gate_wait(&may_finish);
    return 0;
}

START_TEST(an_overdue_item_is_released_when_its_attempt_ends)
{
    instead = overstay;
    pools[1].timeout_ns = WEIR_MS(2);
    stages[1].handler = spell_or;
    open_pipeline(4);
    wait_for_end(WEIR_OK);
    must_have_left(1, "spell", WEIR_OUTCOME_TIMED_OUT);
    must_have_left(3, "spell", WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(source.releases[1], 0);
    ck_assert_uint_eq(source.releases[3], 0);
    gate_open(&may_finish);
    await_count(&source.released, 4);
}
END_TEST

START_TEST(retries_are_the_stages_affair)
{
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 3;
    retry.base_ns = 1;
    pools[1].retry = &retry;
    instead = fail_odd;
    half_leave_at_spell(WEIR_OUTCOME_FAILED);
}
END_TEST

/* ----------------------------------------------------------------- pressure */

static size_t held(size_t stage)
{
    weir_stage_stats stats = WEIR_STAGE_STATS_INIT;

    ck_assert_int_eq(weir_pipeline_read_stats(pipeline, stage, &stats),
                     WEIR_OK);
    ck_assert_uint_le(stats.held, stats.most);
    ck_assert(weir_ledger_balances(&stats.ledger));
    return stats.held;
}

START_TEST(a_slow_last_stage_stops_the_first)
{
    static const size_t most[STAGES] = {3, 5, 6}; /* capacity and workers */

    for (int i = 0; i < STAGES; i++) {
        pools[i].queue_capacity = (size_t)i + 2;
        pools[i].workers = i == 0 ? 1 : 2;
    }
    pools[1].workers = 2;
    stages[2].handler = wait_at_the_end;
    open_pipeline(1000);
    for (int i = STAGES; i-- > 0;)
        while (held((size_t)i) < most[i])
            sched_yield();
    /* One more is where each of the two feeders has it in its hands: it counts
     * for the stage before. */
    await_count(&source.settled, 0);
    ck_assert_uint_eq(tally_read(&left), 0);
    ck_assert_uint_le(tally_read(&source.got), 3 + 5 + 6);
    for (int again = 0; again < 1000; again++) {
        sched_yield();
        ck_assert_uint_le(tally_read(&source.got), 3 + 5 + 6);
    }
    gate_open(&may_finish);
    wait_for_end(WEIR_OK);
}
END_TEST

/* --------------------------------------------------------------- early ends */

START_TEST(a_failed_source_ends_it_and_what_it_gave_is_done)
{
    weir_report report;

    source.end = WEIR_ESYSTEM;
    open_pipeline(50);
    report = wait_for_end(WEIR_ESYSTEM);
    ck_assert_uint_eq(report.ledger.done, 50);
    ck_assert_int_eq(errno, EIO);
}
END_TEST

START_TEST(a_stop_cancels_what_waits)
{
    weir_report report;

    for (int i = 0; i < STAGES; i++)
        pools[i].workers = 1;
    stages[2].handler = wait_at_the_end;
    open_pipeline(1000);
    await_count(&started[1], 20);
    await_count(&arrived, 1);
    weir_pipeline_stop(pipeline);
    ck_assert_int_eq(weir_pipeline_wait(pipeline, NULL, WEIR_NOW),
                     WEIR_TIMED_OUT);
    gate_open(&may_finish);
    report = wait_for_end(WEIR_CANCELLED);
    ck_assert_uint_ge(report.ledger.cancelled, 19);
    ck_assert_uint_eq(report.ledger.done, 1);
    weir_pipeline_stop(pipeline);
}
END_TEST

START_TEST(a_stop_interrupts_the_source)
{
    source.blocks = true;
    open_pipeline(5);
    await_count(&left, 5);
    await_count(&source.at_end, 1);
    weir_pipeline_stop(pipeline);
    wait_for_end(WEIR_CANCELLED);
    weir_pipeline_destroy(pipeline);
    pipeline = NULL;
    ck_assert_uint_eq(tally_read(&source.interrupts), 1);
}
END_TEST

START_TEST(a_degraded_stage_ends_it)
{
    pools[1].workers = 1;
    pools[1].timeout_ns = WEIR_MS(1);
    pools[1].grace_ns = WEIR_MS(1);
    pools[1].max_abandoned = 1;
    instead = overstay;
    stages[1].handler = spell_or;
    open_pipeline(1000);
    ck_assert_uint_ge(wait_for_end(WEIR_DEGRADED).ledger.timed_out, 1);
    gate_open(&may_finish);
    await_count(&source.released, tally_read(&source.got));
}
END_TEST

START_TEST(a_destroy_does_not_wait_for_handlers)
{
    for (int i = 0; i < STAGES; i++)
        pools[i].workers = 1;
    stages[2].handler = wait_at_the_end;
    open_pipeline(1000);
    await_count(&started[1], 10);
    weir_pipeline_destroy(pipeline);
    pipeline = NULL;
    ck_assert_uint_eq(tally_read(&left), tally_read(&source.got));
    ck_assert_uint_eq(tally_read(&source.settled), tally_read(&source.got));
    gate_open(&may_finish);
    await_count(&source.closed, 1);
    ck_assert_uint_eq(tally_read(&source.released), tally_read(&source.got));
}
END_TEST

START_TEST(a_destroy_comes_at_any_moment)
{
    (void)_i;
    open_pipeline(300);
    if (_i % 2)
        await_count(&left, (uint64_t)_i);
}
END_TEST

static int wait_inside(weir_task *task, void *item)
{
    gate_wait(&may_finish); /* it is open, and known */
    ck_assert_int_eq(weir_pipeline_wait(pipeline, NULL, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    return spell(task, item);
}

START_TEST(its_own_handlers_cannot_wait_for_it)
{
    stages[1].handler = wait_inside;
    source.blocks = true;
    open_pipeline(5);
    gate_open(&may_finish);
    await_count(&left, 5);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

static void refused(const char *words)
{
    weir_status status = weir_pipeline_open(&pipeline, &producer, &options);

    ck_assert_int_eq(status, WEIR_EINVAL);
    ck_assert_ptr_null(pipeline);
    ck_assert_msg(strstr(weir_last_error(), words), "'%s' is not in '%s'",
                  words, weir_last_error());
}

START_TEST(what_makes_no_sense_is_refused)
{
    weir_retry retry = WEIR_RETRY_INIT;
    weir_stage good = stages[1];
    weir_pool_options pool = pools[1];

    options.stage_count = 0;
    refused("stage_count 0");
    options.stage_count = 65;
    refused("stage_count 65");
    options.stage_count = STAGES;
    stages[1].name = NULL;
    refused("stages[1].name");
    stages[1].name = "square";
    refused("two stages");
    stages[1] = good;
    stages[1].handler = NULL;
    refused("stage spell: handler");
    stages[1] = good;
    stages[1].item_size = 0;
    refused("stage spell: item_size 0");
    stages[1].item_size = 4096;
    refused("item_size 4096");
    stages[1] = good;
    stages[1].kind = (weir_stage_kind)3;
    refused("stage spell: kind");
    stages[1] = good;
    stages[1].size = 0;
    refused("weir_stage");
    stages[1] = good;
    stages[0].item_size = 8;
    refused("not the producer's");
    stages[0].item_size = 0;
    pools[1].item_size = 8;
    refused("pool.item_size");
    pools[1] = pool;
    pools[1].on_full = WEIR_ON_FULL_REFUSE;
    refused("pool.on_full");
    pools[1] = pool;
    pools[1].max_result = 8;
    refused("pool.max_result");
    pools[1] = pool;
    stages[1].kind = WEIR_STAGE_SERIAL_IN_ORDER;
    refused("pool.workers");
    pools[1].workers = 1;
    pools[1].retry = &retry;
    refused("pool.retry");
    pools[1].retry = NULL;
    pools[1].max_abandoned = 1;
    refused("pool.max_abandoned");
    pools[1].max_abandoned = 0;
    pools[1].grace_ns = 1;
    stages[1].kind = WEIR_STAGE_SERIAL;
    refused("grace_ns");
    pools[1] = pool;
    stages[1] = good;
    pools[1].queue_capacity = (size_t)1 << 25;
    refused("stage spell: pool.queue_capacity");
    pools[1] = pool;
    pools[1].timeout_ns = -1;
    stages[1] = good;
    refused("stage spell: timeout_ns");
    pools[1] = pool;
    producer.next = NULL;
    refused("producer.next");
    ck_assert_int_eq(weir_pipeline_open(NULL, &producer, &options),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_pipeline_open(&pipeline, &producer, NULL),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_pipeline_wait(NULL, NULL, WEIR_NOW), WEIR_EINVAL);
    weir_pipeline_stop(NULL);
    weir_pipeline_destroy(NULL);
    ck_assert_uint_eq(tally_read(&source.got), 0);
    ck_assert_uint_eq(tally_read(&source.closed), 0);
    ck_assert_uint_eq(tally_read(&source.interrupts), 0);
}
END_TEST

START_TEST(there_is_no_stage_behind_the_last)
{
    weir_stage_stats stats = WEIR_STAGE_STATS_INIT;

    open_pipeline(1);
    ck_assert_int_eq(weir_pipeline_read_stats(pipeline, STAGES, &stats),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_pipeline_read_stats(pipeline, 0, NULL), WEIR_EINVAL);
    ck_assert_int_eq(weir_pipeline_read_stats(pipeline, 0, &stats), WEIR_OK);
    ck_assert_str_eq(stats.name, "square");
}
END_TEST

static weir_status try_to_open(void *arg)
{
    weir_status status = weir_pipeline_open(&pipeline, &producer, &options);

    (void)arg;
    if (status) {
        ck_assert_ptr_null(pipeline);
        ck_assert_uint_eq(tally_read(&source.got), 0);
        ck_assert_uint_eq(tally_read(&source.closed), 0);
        ck_assert_uint_eq(tally_read(&source.interrupts), 0);
    }
    return status == WEIR_ESYSTEM ? WEIR_ENOMEM : status; /* a thread */
}

START_TEST(each_failure_of_open_is_answered)
{
    source.count = 3;
    ck_assert_uint_ge(fault_sweep(try_to_open, NULL, WEIR_ENOMEM), 20);
    wait_for_end(WEIR_OK);
}
END_TEST

START_TEST(in_a_fork_child_it_is_the_parents)
{
    int status = 0;
    pid_t child;

    open_pipeline(5);
    wait_for_end(WEIR_OK);
    child = fork();
    if (child == 0) {
        weir_stage_stats stats = WEIR_STAGE_STATS_INIT;
        bool right =
            weir_pipeline_wait(pipeline, NULL, WEIR_FOREVER) == WEIR_FORKED;

        right &= weir_pipeline_read_stats(pipeline, 0, &stats) == WEIR_FORKED;
        weir_pipeline_stop(pipeline);
        weir_pipeline_destroy(pipeline);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    const TTest *const passing[] = {every_item_passes_all_stages, NULL};
    const TTest *const orders[] = {a_serial_stage_has_one_at_a_time_in_order,
                                   a_serial_stage_has_one_at_a_time,
                                   one_stage_is_enough, an_empty_source_ends_it,
                                   NULL};
    const TTest *const leaving[] = {
        without_a_result_an_item_ends_there,
        a_result_of_the_wrong_size_has_failed,
        a_failure_leaves_where_it_failed,
        a_thread_that_ends_leaves_where_it_did,
        an_overdue_item_is_released_when_its_attempt_ends,
        retries_are_the_stages_affair,
        a_slow_last_stage_stops_the_first,
        NULL};
    const TTest *const ends[] = {
        a_failed_source_ends_it_and_what_it_gave_is_done,
        a_stop_cancels_what_waits,
        a_stop_interrupts_the_source,
        a_degraded_stage_ends_it,
        a_destroy_does_not_wait_for_handlers,
        its_own_handlers_cannot_wait_for_it,
        NULL};
    const TTest *const often[] = {a_destroy_comes_at_any_moment, NULL};
    const TTest *const refusals[] = {what_makes_no_sense_is_refused,
                                     there_is_no_stage_behind_the_last,
                                     each_failure_of_open_is_answered,
                                     in_a_fork_child_it_is_the_parents, NULL};
    const struct chapter chapters[] = {
        {"passing", passing, setup, teardown, 2, 0},
        {"order", orders, setup, teardown, 0, 0},
        {"leaving", leaving, setup, teardown, 0, 0},
        {"early ends", ends, setup, teardown, 0, 0},
        {"destroyed at any moment", often, setup, teardown, 40, 0},
        {"refusals", refusals, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pipeline", chapters);
}
