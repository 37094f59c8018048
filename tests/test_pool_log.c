/* SPDX-License-Identifier: MIT */
/* test_pool_log.c - what an operator must know: each kind, storms, slow ears.
 */
#include <weir/breaker.h>
#include <weir/log.h>
#include <weir/pool.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "crashes.h"
#include "pools.h"
#include "suite.h"

#define SECOND WEIR_SECONDS(1)

enum { RECORD_ROOM = 256 };

/* What on_log got, with copies of the words; read up to `tellings`. */
static struct heard {
    weir_log_record record;
    char message[256], label[32], pool[32];
} heard[RECORD_ROOM];
static struct tally tellings = TALLY_INIT;
static pthread_t told_on;
static int log_arg;

static void hear(void *arg, const weir_log_record *record)
{
    uint64_t n = tally_read(&tellings);
    struct heard *h = &heard[n];

    ck_assert_ptr_eq(arg, &log_arg);
    ck_assert_uint_lt(n, RECORD_ROOM);
    ck_assert_uint_eq(record->size, sizeof(*record));
    h->record = *record;
    snprintf(h->message, sizeof(h->message), "%s", record->message);
    snprintf(h->label, sizeof(h->label), "%s", record->label);
    snprintf(h->pool, sizeof(h->pool), "%s", record->pool);
    told_on = pthread_self();
    tally_add(&tellings, 1);
}

static void setup(void)
{
    hooked_setup();
    options.on_log = hear;
    options.on_log_arg = &log_arg;
}

static void teardown(void)
{
    weir__fault_arm(0);
    hooked_teardown();
}

/* The n-th from 0, which is of this kind and level. */
static const struct heard *
assert_heard(uint64_t n, weir_log_kind kind, weir_log_level level)
{
    await_count(&tellings, n + 1);
    ck_assert_int_eq(heard[n].record.kind, kind);
    ck_assert_int_eq(heard[n].record.level, level);
    ck_assert_str_ne(heard[n].message, "");
    return &heard[n];
}

static void assert_heard_so_many(uint64_t count)
{
    settle_all();
    ck_assert_uint_eq(tally_read(&tellings), count);
}

static int act_fail(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_fail(task, 7, "no such row");
}

/* ---------------------------------------------------------------- each kind */

/* _i: 1, of a plain task, which has no label. */
START_TEST(a_handler_that_ends_its_thread_is_told_of_with_task_and_worker)
{
    const struct heard *h;
    struct job *job = new_job(act_exit);
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    options.name = "mill";
    if (_i == 1)
        options.on_settled = NULL;
    if (_i == 1)
        options.on_release = NULL;
    open_pool();
    test_clock_advance(5);
    spec.label = "invoice";
    if (_i == 0)
        weir_future_release(submit_spec(job, spec));
    else
        must_submit(job);
    h = assert_heard(0, WEIR_LOG_EXITED, WEIR_LOG_WARNING);
    ck_assert_str_eq(h->pool, "mill");
    ck_assert_str_eq(h->label, _i ? "" : "invoice");
    ck_assert_uint_eq(h->record.task_id, 1);
    ck_assert_uint_eq(h->record.attempt, 1);
    ck_assert_uint_eq(h->record.worker, 0);
    ck_assert_int_eq(h->record.code, 0);
    ck_assert_uint_eq(h->record.left_out, 0);
    ck_assert_int_eq(h->record.at_ns, test_clock_now());
    assert_heard_so_many(1);
    ck_assert(!pthread_equal(told_on, pthread_self()));
}
END_TEST

START_TEST(what_ends_well_or_fails_once_is_not_told_of)
{
    open_pool();
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    assert_outcome(submit_new(act_fail), WEIR_OUTCOME_FAILED);
    assert_heard_so_many(0);
}
END_TEST

static struct job *start_deaf(void)
{
    struct job *job = start_new(act_check_index);

    advance_to(job->deadline.at_ns);
    while (!weir_task_cancelled(job->task))
        sched_yield();
    advance_to(job->deadline.at_ns + options.grace_ns);
    return job;
}

START_TEST(abandoned_degraded_and_recovered_are_told_of)
{
    struct job *first, *second;
    const struct heard *h;

    options.timeout_ns = 5 * SECOND;
    options.grace_ns = 3 * SECOND;
    options.max_abandoned = 2;
    open_pool();
    first = start_deaf();
    h = assert_heard(0, WEIR_LOG_ABANDONED, WEIR_LOG_WARNING);
    ck_assert_uint_eq(h->record.task_id, 1);
    second = start_deaf();
    assert_heard(1, WEIR_LOG_ABANDONED, WEIR_LOG_WARNING);
    h = assert_heard(2, WEIR_LOG_DEGRADED, WEIR_LOG_ERROR);
    ck_assert_uint_eq(h->record.task_id, 0);
    ck_assert_uint_eq(h->record.worker, UINT32_MAX);
    finish_job(first);
    assert_heard(3, WEIR_LOG_RECOVERED, WEIR_LOG_INFO);
    finish_job(second);
    assert_heard_so_many(4);
}
END_TEST

static int act_crash(weir_task *task, struct job *job)
{
    (void)task;
    tally_add(&job->ended, 1);
    crashes[0].make();
    return 0;
}

START_TEST(the_first_crash_taints_and_each_is_told_of)
{
    const struct heard *h;

    options.worker_stop = NULL; /* none runs after a crash */
    options.worker_start = NULL;
    options.isolation = WEIR_ISOLATE_TRAP;
    open_pool();
    assert_outcome(submit_new(act_crash), WEIR_OUTCOME_CRASHED);
    assert_heard(0, WEIR_LOG_TAINTED, WEIR_LOG_ERROR);
    h = assert_heard(1, WEIR_LOG_CRASHED, WEIR_LOG_WARNING);
    ck_assert_int_eq(h->record.code, crashes[0].signal);
    ck_assert_ptr_nonnull(strstr(h->message, "a handler crashed: "));
    ck_assert_ptr_nonnull(strstr(h->message, "SIG"));
    assert_outcome(submit_new(act_crash), WEIR_OUTCOME_CRASHED);
    h = assert_heard(2, WEIR_LOG_CRASHED, WEIR_LOG_WARNING);
    ck_assert_uint_eq(h->record.task_id, 2);
    assert_heard_so_many(3);
}
END_TEST

static int act_fail_at_first(weir_task *task, struct job *job)
{
    return weir_task_attempt(task) == 1 ? act_fail(task, job) : 0;
}

static bool always(void *arg, const weir_outcome *outcome)
{
    (void)arg, (void)outcome;
    return true;
}

/* _i: 1, with a predicate. */
START_TEST(a_task_that_has_used_up_its_attempts_is_told_of)
{
    const struct heard *h;

    policy.max_attempts = 2;
    policy.base_ns = 1;
    policy.cap_ns = 1;
    policy.retryable = _i ? always : NULL;
    options.retry = &policy;
    open_pool();
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    submit_new(act_fail_at_first);
    await_timekeeper(test_clock_now() + 1);
    test_clock_advance(1);
    assert_heard_so_many(0);
    submit_new(act_fail);
    await_timekeeper(test_clock_now() + 1);
    test_clock_advance(1);
    h = assert_heard(0, WEIR_LOG_RETRIES_EXHAUSTED, WEIR_LOG_WARNING);
    ck_assert_uint_eq(h->record.task_id, 3);
    ck_assert_uint_eq(h->record.attempt, 2);
    ck_assert_int_eq(h->record.code, 7);
    ck_assert_ptr_nonnull(strstr(h->message, "no such row"));
    assert_heard_so_many(1);
}
END_TEST

static int act_fail_then_wait(weir_task *task, struct job *job)
{
    return weir_task_attempt(task) == 1 ? act_fail(task, job)
                                        : act_wait(task, job);
}

/* _i: 1, in its last attempt. */
START_TEST(a_task_that_is_cancelled_is_not)
{
    struct job *job = new_job(act_fail_then_wait);
    weir_future *future;

    policy.max_attempts = 2;
    policy.base_ns = 1;
    policy.cap_ns = 1;
    policy.retryable = always;
    options.retry = &policy;
    open_pool();
    future = submit_for(job);
    await_timekeeper(test_clock_now() + 1);
    if (_i == 1) {
        test_clock_advance(1);
        await_attempt(job, 2);
    }
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    gate_open(&job->finish);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    weir_future_release(future);
    assert_heard_so_many(0);
}
END_TEST

START_TEST(a_retry_that_the_budget_denies_is_told_of)
{
    policy.max_attempts = 2;
    policy.budget = 0.5;
    options.retry = &policy;
    open_pool();
    assert_outcome(submit_new(act_fail), WEIR_OUTCOME_FAILED);
    ck_assert_uint_eq(assert_heard(0, WEIR_LOG_RETRY_DENIED, WEIR_LOG_WARNING)
                          ->record.task_id,
                      1);
    assert_heard_so_many(1);
}
END_TEST

START_TEST(a_thread_that_does_not_start_is_told_of)
{
    struct job *job;

    open_pool();
    submit_new(act_exit);
    assert_heard(0, WEIR_LOG_EXITED, WEIR_LOG_WARNING); /* notifier is there */
    await_workers(1);
    job = start_new(act_wait_and_exit);
    weir__fault_arm(1);
    gate_open(&job->finish);
    assert_heard(1, WEIR_LOG_EXITED, WEIR_LOG_WARNING);
    ck_assert_int_eq(
        assert_heard(2, WEIR_LOG_NO_WORKER, WEIR_LOG_ERROR)->record.code,
        EAGAIN);
    advance_to(test_clock_now() + WEIR_MS(100));
    await_workers(1);
    assert_heard_so_many(3);
}
END_TEST

START_TEST(a_worker_start_that_refuses_is_told_of)
{
    open_pool();
    greeting = 5;
    submit_new(act_exit);
    assert_heard(0, WEIR_LOG_EXITED, WEIR_LOG_WARNING);
    ck_assert_int_eq(
        assert_heard(1, WEIR_LOG_NO_WORKER, WEIR_LOG_ERROR)->record.code, 5);
    greeting = 0;
    advance_to(test_clock_now() + WEIR_MS(100));
    await_workers(1);
    assert_heard_so_many(2);
    tally_add(&parted, 1); /* who was refused does not part */
}
END_TEST

START_TEST(a_breaker_that_opens_and_closes_is_told_of)
{
    weir_breaker_options b = WEIR_BREAKER_OPTIONS_INIT;

    b.window = 4;
    b.least_calls = 2;
    b.trials = 2;
    b.cool_down_ns = 10 * SECOND;
    ck_assert_int_eq(weir_breaker_create(&options.breaker, &b), WEIR_OK);
    open_pool();
    for (int i = 0; i < 2; i++)
        assert_outcome(submit_new(act_fail), WEIR_OUTCOME_FAILED);
    assert_heard(0, WEIR_LOG_BREAKER_OPEN, WEIR_LOG_WARNING);
    assert_heard_so_many(1);
    test_clock_advance(10 * SECOND);
    assert_outcome(submit_new(act_fail), WEIR_OUTCOME_FAILED);
    settle_all(); /* it was open, and is: no news */
    test_clock_advance(10 * SECOND);
    for (int i = 0; i < 2; i++)
        assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    assert_heard(1, WEIR_LOG_BREAKER_CLOSED, WEIR_LOG_INFO);
    assert_heard_so_many(2);
    weir_breaker_destroy(options.breaker);
}
END_TEST

/* ------------------------------------------------------------------- storms */

static void exit_so_often(int times)
{
    for (int i = 0; i < times; i++)
        await_settled(submit_new(act_exit));
}

START_TEST(of_a_storm_some_are_told_and_the_rest_is_counted)
{
    open_pool();
    exit_so_often(20);
    assert_heard_so_many(16);
    test_clock_advance(SECOND - 1);
    exit_so_often(1);
    assert_heard_so_many(16);
    test_clock_advance(1);
    exit_so_often(1);
    ck_assert_uint_eq(
        assert_heard(16, WEIR_LOG_EXITED, WEIR_LOG_WARNING)->record.left_out,
        5);
    exit_so_often(1);
    ck_assert_uint_eq(
        assert_heard(17, WEIR_LOG_EXITED, WEIR_LOG_WARNING)->record.left_out,
        0);
    assert_heard_so_many(18);
}
END_TEST

static struct gate ear = GATE_INIT;
static struct tally at_ear = TALLY_INIT;

static void hear_slowly(void *arg, const weir_log_record *record)
{
    tally_add(&at_ear, 1);
    gate_wait(&ear);
    hear(arg, record);
}

/* One is being told, 64 wait, and what comes then is left out; no task waits
 * for any of it. */
START_TEST(a_slow_on_log_holds_no_task_up)
{
    options.on_log = hear_slowly;
    open_pool();
    exit_so_often(1);
    await_count(&at_ear, 1);
    for (int i = 0; i < 5; i++) {
        test_clock_advance(SECOND);
        exit_so_often(16);
    }
    ck_assert_uint_eq(tally_read(&tellings), 0);
    gate_open(&ear);
    assert_heard_so_many(65);
    test_clock_advance(SECOND);
    exit_so_often(1);
    ck_assert_uint_eq(
        assert_heard(65, WEIR_LOG_EXITED, WEIR_LOG_WARNING)->record.left_out,
        16);
}
END_TEST

START_TEST(join_waits_for_it)
{
    struct call join = {0};

    options.on_log = hear_slowly;
    open_pool();
    exit_so_often(1);
    await_count(&at_ear, 1);
    block_call(&join, act_join);
    gate_open(&ear);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
    ck_assert_uint_eq(tally_read(&tellings), 1);
}
END_TEST

START_TEST(a_pool_that_has_stopped_has_told_all)
{
    struct call stop = {.how = WEIR_STOP_NOW};

    options.on_log = hear_slowly;
    open_pool();
    exit_so_often(3);
    await_count(&at_ear, 1);
    block_call(&stop, act_stop);
    gate_open(&ear);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    ck_assert_uint_eq(tally_read(&tellings), 3);
}
END_TEST

static void call_back(void *arg, const weir_log_record *record)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_DEADLOCK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    weir_pool_read_stats(pool, &stats);
    if (tally_read(&tellings) == 0)
        submit_new(act_answer);
    hear(arg, record);
}

START_TEST(it_is_inside_the_pool)
{
    options.on_log = call_back;
    open_pool();
    exit_so_often(1);
    await_count(&tellings, 1);
    assert_heard_so_many(1);
    ck_assert_uint_eq(ledger_now().done, 1);
}
END_TEST

static void hear_and_exit(void *arg, const weir_log_record *record)
{
    hear(arg, record);
    pthread_exit(NULL);
}

START_TEST(one_that_ends_its_thread_has_been_told)
{
    options.on_log = hear_and_exit;
    open_pool();
    exit_so_often(4);
    assert_heard_so_many(4);
}
END_TEST

/* --------------------------------------------------------- on standard error
 */

static char line[2048];

static const char *print(const weir_log_record *record)
{
    int paper = memfd_create("log", 0), before = dup(STDERR_FILENO);
    ssize_t size;

    ck_assert_int_ge(paper, 0);
    ck_assert_int_ge(dup2(paper, STDERR_FILENO), 0);
    weir_log_stderr(NULL, record);
    ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
    size = pread(paper, line, sizeof(line) - 1, 0);
    ck_assert_int_ge(size, 0);
    line[size] = '\0';
    close(paper);
    close(before);
    return line;
}

START_TEST(a_record_is_a_line_of_keys_and_values)
{
    weir_log_record record = {.size = sizeof(record),
                              .level = WEIR_LOG_WARNING,
                              .kind = WEIR_LOG_RETRIES_EXHAUSTED,
                              .pool = "mill",
                              .message = "no \"row\"\n\\",
                              .task_id = 12,
                              .label = "invoice 7",
                              .attempt = 3,
                              .worker = 0,
                              .code = -7,
                              .left_out = 2};

    ck_assert_str_eq(print(&record),
                     "level=warning kind=\"retries exhausted\" pool=\"mill\" "
                     "task=12 label=\"invoice 7\" attempt=3 worker=0 code=-7 "
                     "left_out=2 msg=\"no \\\"row\\\"\\n\\\\\"\n");
    record = (weir_log_record){.size = sizeof(record),
                               .pool = "mill",
                               .message = "m",
                               .label = "",
                               .worker = UINT32_MAX};
    ck_assert_str_eq(print(&record), "level=error kind=\"degraded\" "
                                     "pool=\"mill\" msg=\"m\"\n");
}
END_TEST

START_TEST(levels_and_kinds_have_names)
{
    static const char *const kinds[] = {
        "degraded",  "recovered", "tainted",           "abandoned",
        "exited",    "crashed",   "retries exhausted", "retry denied",
        "no worker", "no server", "breaker open",      "breaker closed"};

    for (int i = 0; i <= WEIR_LOG_BREAKER_CLOSED; i++)
        ck_assert_str_eq(weir_log_kind_name((weir_log_kind)i), kinds[i]);
    ck_assert_str_eq(weir_log_kind_name((weir_log_kind)99), "unknown kind");
    ck_assert_str_eq(weir_log_level_name(WEIR_LOG_ERROR), "error");
    ck_assert_str_eq(weir_log_level_name(WEIR_LOG_WARNING), "warning");
    ck_assert_str_eq(weir_log_level_name(WEIR_LOG_INFO), "info");
    ck_assert_str_eq(weir_log_level_name((weir_log_level)99), "unknown level");
}
END_TEST

int main(void)
{
    const TTest *const twice[] = {
        a_handler_that_ends_its_thread_is_told_of_with_task_and_worker,
        a_task_that_has_used_up_its_attempts_is_told_of,
        a_task_that_is_cancelled_is_not, NULL};
    const TTest *const kinds[] = {what_ends_well_or_fails_once_is_not_told_of,
                                  abandoned_degraded_and_recovered_are_told_of,
                                  the_first_crash_taints_and_each_is_told_of,
                                  a_retry_that_the_budget_denies_is_told_of,
                                  a_thread_that_does_not_start_is_told_of,
                                  a_worker_start_that_refuses_is_told_of,
                                  a_breaker_that_opens_and_closes_is_told_of,
                                  NULL};
    const TTest *const storms[] = {
        of_a_storm_some_are_told_and_the_rest_is_counted,
        a_slow_on_log_holds_no_task_up,
        join_waits_for_it,
        a_pool_that_has_stopped_has_told_all,
        it_is_inside_the_pool,
        one_that_ends_its_thread_has_been_told,
        NULL};
    const TTest *const lines[] = {a_record_is_a_line_of_keys_and_values,
                                  levels_and_kinds_have_names, NULL};
    const struct chapter chapters[] = {{"twice", twice, setup, teardown, 2, 0},
                                       {"kinds", kinds, setup, teardown, 0, 0},
                                       {"storms", storms, setup, teardown, 0,
                                        0},
                                       {"lines", lines, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("logs of pools", chapters);
}
