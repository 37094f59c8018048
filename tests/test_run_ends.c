/* SPDX-License-Identifier: MIT */
/* test_run_ends.c - runs that end early: producers that fail, and stop_fd. */
#include <weir/run.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "helper.h"
#include "suite.h"

/* A producer of `count` numbers that counts what becomes of them. */
struct source {
    weir_producer producer;
    int count;
    weir_status end;      /* what follows them; OK: WEIR_END */
    int error;            /* errno then */
    bool blocks;          /* or nothing does, until it is interrupted */
    struct tally *after;  /* `end` waits for this; may be NULL */
    uint64_t after_count; /* 0: 1 */
    struct gate interrupted;
    struct tally got, at_end, settled, cancelled, released, interrupts, closed;
};

static struct source *new_source(int count);
static struct source sources[3];
static size_t source_count;

static weir_run_options options;
static weir_pool_options pool;
static int stop_fd;

/* The handler, and what it is about: it waits for `finish`, then answers. */
static weir_handler *handler;
static struct tally started, asked_to_stop;
static struct gate finish;
static int answer;
static uint64_t closes; /* by the run, of each producer */

/* The run, on a thread of its own. */
static struct helper helper;
static weir_status status_of_run;
static weir_report report_of_run;
static char error_of_run[256];
static int errno_of_run;

/* ---------------------------------------------------------------- sources */

static weir_status give(void *self, void *item)
{
    struct source *source = self;
    int number = (int)tally_read(&source->got);

    if (gate_is_open(&source->interrupted))
        return WEIR_CANCELLED;
    if (number < source->count) {
        memcpy(item, &number, sizeof(number));
        tally_add(&source->got, 1);
        return WEIR_OK;
    }
    tally_add(&source->at_end, 1);
    if (source->blocks) {
        gate_wait(&source->interrupted);
        return WEIR_CANCELLED;
    }
    if (source->after)
        await_count(source->after,
                    source->after_count ? source->after_count : 1);
    errno = source->error;
    return source->end ? source->end : WEIR_END;
}

static void interrupt(void *self)
{
    struct source *source = self;

    ck_assert_uint_eq(tally_read(&source->closed), 0);
    gate_open(&source->interrupted);
    tally_add(&source->interrupts, 1);
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    struct source *source = self;

    (void)item;
    tally_add(&source->settled, 1);
    tally_add(&source->cancelled, outcome->kind == WEIR_OUTCOME_CANCELLED);
}

static void release(void *self, void *item)
{
    struct source *source = self;

    (void)item;
    tally_add(&source->released, 1);
}

static void close_source(void *self)
{
    struct source *source = self;

    tally_add(&source->closed, 1);
    ck_assert_uint_eq(tally_read(&source->got), tally_read(&source->settled));
    ck_assert_uint_eq(tally_read(&source->got), tally_read(&source->released));
}

static struct source *new_source(int count)
{
    static const struct tally none = TALLY_INIT;
    struct source *s = &sources[source_count++];

    *s = (struct source){.producer = WEIR_PRODUCER_INIT,
                         .count = count,
                         .interrupted = GATE_INIT};
    s->got = s->at_end = s->settled = s->cancelled = none;
    s->released = s->interrupts = s->closed = none;
    s->producer.item_size = sizeof(int);
    s->producer.next = give;
    s->producer.interrupt = interrupt;
    s->producer.settle = settle;
    s->producer.release = release;
    s->producer.close = close_source;
    s->producer.self = s;
    return s;
}

static struct source *new_blocking_source(int count)
{
    struct source *source = new_source(count);

    source->blocks = true;
    return source;
}

/* ------------------------------------------------------------------- runs */

static int wait_and_answer(weir_task *task, void *item)
{
    (void)item;
    tally_add(&started, 1);
    gate_wait(&finish);
    tally_add(&asked_to_stop, weir_task_cancelled(task));
    return answer;
}

static void setup(void)
{
    options = (weir_run_options)WEIR_RUN_OPTIONS_INIT;
    pool = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    pool.workers = 1;
    options.pool = &pool;
    stop_fd = eventfd(0, EFD_CLOEXEC);
    source_count = 0;
    started = asked_to_stop = (struct tally)TALLY_INIT;
    finish = (struct gate)GATE_INIT;
    answer = 0;
    handler = wait_and_answer;
    closes = 1;
}

static void teardown(void)
{
    close(stop_fd);
}

static void stop(void)
{
    ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
}

static void run(void *unused)
{
    const weir_producer *producers[3];

    (void)unused;
    for (size_t i = 0; i < source_count; i++)
        producers[i] = &sources[i].producer;
    options.producers = producers;
    options.producer_count = source_count;
    options.handler = handler;
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    status_of_run = weir_run(&options, &report_of_run);
    errno_of_run = errno;
    memcpy(error_of_run, weir_last_error(), sizeof(error_of_run));
    for (size_t i = 0; i < source_count; i++) {
        ck_assert_uint_eq(tally_read(&sources[i].closed), closes);
        ck_assert_uint_le(tally_read(&sources[i].interrupts), 1);
    }
    ck_assert(weir_ledger_balances(&report_of_run.ledger));
    ck_assert_int_eq(report_of_run.status, status_of_run);
    ck_assert_uint_eq(tally_read(&asked_to_stop), 0);
}

static void start_run(void)
{
    helper_start(&helper, run, NULL);
}

static void end_run(weir_status status, const char *error)
{
    gate_open(&finish);
    helper_join(&helper);
    ck_assert_int_eq(status_of_run, status);
    ck_assert_msg(strstr(error_of_run, error) != NULL, "\"%s\" does not say %s",
                  error_of_run, error);
}

static void assert_done(uint64_t done, uint64_t cancelled)
{
    ck_assert_uint_eq(report_of_run.ledger.done, done);
    ck_assert_uint_eq(report_of_run.ledger.cancelled, cancelled);
    ck_assert_uint_eq(report_of_run.ledger.accepted, done + cancelled);
}

/* ------------------------------------------------------ producers that fail */

START_TEST(what_was_accepted_before_a_failure_is_still_done)
{
    new_source(5)->end = WEIR_ESYSTEM;
    sources[0].error = EXDEV;
    start_run();
    end_run(WEIR_ESYSTEM, "");
    ck_assert_int_eq(errno_of_run, EXDEV);
    assert_done(5, 0);
    ck_assert_str_eq(report_of_run.first_failure, "");
}
END_TEST

START_TEST(a_failure_ends_others_that_are_blocked)
{
    struct source *blocking = new_blocking_source(2);
    struct source *failing = new_source(3);

    failing->end = WEIR_ENOMEM;
    failing->after = &blocking->at_end;
    start_run();
    end_run(WEIR_ENOMEM, "");
    ck_assert_uint_eq(tally_read(&blocking->interrupts), 1);
    assert_done(5, 0);
}
END_TEST

/* The queue takes one: the feed waits with another in its hand. */
START_TEST(a_failure_ends_the_intake_of_others_that_wait_for_room)
{
    struct source *full = new_blocking_source(4);
    struct source *failing = new_source(0);

    pool.queue_capacity = 1;
    failing->end = WEIR_ENOMEM;
    failing->after = &full->got;
    failing->after_count = 3;
    start_run();
    await_count(&full->interrupts, 1);
    end_run(WEIR_ENOMEM, "");
    assert_done(3, 0);
}
END_TEST

START_TEST(the_first_failure_is_the_runs)
{
    struct source *second = new_source(0);
    struct source *first = new_source(0);

    first->end = WEIR_ESYSTEM;
    second->end = WEIR_ENOMEM;
    second->after = &second->interrupts;
    start_run();
    end_run(WEIR_ESYSTEM, "");
}
END_TEST

/* Over and above what others say to whoever calls: the words of its thread. */
static weir_status refuse(void *self, void *item)
{
    weir_queue *queue;
    weir_status status = weir_queue_create(&queue, 0, NULL);

    (void)self;
    (void)item;
    errno = EXDEV;
    return status;
}

/* Refuses something else on the thread of the run. */
static void close_clumsily(void *self)
{
    weir_producer unused;

    ck_assert_int_eq(weir_producer_array(&unused, NULL, 1, 1), WEIR_EINVAL);
    close_source(self);
    errno = 0;
}

START_TEST(a_failed_producers_words_and_errno_are_the_runs)
{
    new_source(0)->producer.next = refuse;
    sources[0].producer.close = close_clumsily;
    start_run();
    end_run(WEIR_ESYSTEM, "item_size");
    ck_assert_int_eq(errno_of_run, EINVAL);
}
END_TEST

/* Nobody has interrupted it, so this is a failure. */
START_TEST(a_producer_that_cancels_itself_cancels_the_run)
{
    struct source *blocking = new_blocking_source(2);
    struct source *cancelling = new_source(2);

    cancelling->end = WEIR_CANCELLED;
    cancelling->after = &blocking->at_end;
    start_run();
    end_run(WEIR_CANCELLED, "");
    assert_done(4, 0);
}
END_TEST

static weir_status give_two_and_exit(void *self, void *item)
{
    weir_status status = give(self, item);

    if (status)
        pthread_exit(NULL);
    return status;
}

START_TEST(a_next_that_ends_its_thread_is_a_producer_that_fails)
{
    new_blocking_source(3);
    new_source(2)->producer.next = give_two_and_exit;
    sources[1].after = &sources[0].at_end;
    start_run();
    end_run(WEIR_ESYSTEM, "next ended its thread");
    assert_done(5, 0);
}
END_TEST

static weir_status next_of_call(void *arg, void *item)
{
    tally_add(&sources[0].at_end, 1);
    await_count(&sources[1].interrupts, 1); /* the last to be interrupted */
    return give(arg, item);
}

/* It holds up the end; the one item it was asked for is done. */
START_TEST(a_call_that_blocks_is_waited_for)
{
    struct source *slow = new_source(2);
    struct source *failing = new_source(0);

    failing->end = WEIR_ENOMEM;
    failing->after = &slow->at_end;
    ck_assert_int_eq(weir_producer_call(&slow->producer, next_of_call, slow,
                                        sizeof(int)),
                     WEIR_OK);
    tally_add(&slow->closed, 1);
    start_run();
    end_run(WEIR_ENOMEM, "");
    assert_done(1, 0);
}
END_TEST

START_TEST(a_producer_that_cannot_be_interrupted_is_asked_no_more)
{
    struct source *failing = new_source(0);
    struct source *endless = new_source(INT_MAX);

    failing->end = WEIR_ENOMEM;
    failing->after = &endless->got;
    failing->after_count = 5;
    endless->producer.interrupt = NULL;
    gate_open(&finish);
    start_run();
    end_run(WEIR_ENOMEM, "");
    assert_done(tally_read(&endless->got), 0);
}
END_TEST

/* ----------------------------------------------------------------- stop_fd */

static void start_run_with_stop(void)
{
    options.stop_fd = stop_fd;
    start_run();
}

static void assert_still_readable(void)
{
    struct pollfd polled = {.fd = stop_fd, .events = POLLIN};

    ck_assert_int_eq(poll(&polled, 1, 0), 1);
    ck_assert_int_eq(polled.revents, POLLIN);
}

START_TEST(a_stop_fd_that_is_never_readable_changes_nothing)
{
    new_source(5);
    start_run_with_stop();
    end_run(WEIR_OK, "");
    assert_done(5, 0);
    ck_assert_uint_eq(tally_read(&sources[0].interrupts), 0);
}
END_TEST

START_TEST(a_stop_before_the_start_ends_producers_that_would_block)
{
    new_blocking_source(0);
    new_blocking_source(3);
    stop();
    start_run_with_stop();
    end_run(WEIR_CANCELLED, "stop_fd");
    ck_assert_uint_eq(tally_read(&sources[0].interrupts), 1);
    ck_assert_uint_eq(tally_read(&sources[1].interrupts), 1);
    assert_still_readable();
}
END_TEST

START_TEST(a_stop_ends_a_producer_that_is_blocked)
{
    struct source *blocking = new_blocking_source(0);

    start_run_with_stop();
    await_count(&blocking->at_end, 1);
    stop();
    end_run(WEIR_CANCELLED, "stop_fd");
    assert_done(0, 0);
    assert_still_readable();
}
END_TEST

START_TEST(a_stop_cancels_what_waits_and_lets_running_handlers_finish)
{
    struct source *source = new_blocking_source(4);

    start_run_with_stop();
    await_count(&source->at_end, 1);
    await_count(&started, 1);
    stop();
    await_count(&source->cancelled, 3);
    ck_assert_uint_eq(tally_read(&source->settled), 3);
    end_run(WEIR_CANCELLED, "stop_fd");
    assert_done(1, 3);
    ck_assert_uint_eq(report_of_run.ledger.attempts, 1);
    ck_assert(strstr(report_of_run.first_failure, "cancelled") != NULL);
}
END_TEST

START_TEST(a_stop_cancels_what_waits_after_the_last_producer_has_ended)
{
    struct source *source = new_source(4);

    start_run_with_stop();
    await_count(&source->at_end, 1);
    await_count(&started, 1);
    stop();
    await_count(&source->cancelled, 3);
    end_run(WEIR_CANCELLED, "stop_fd");
    assert_done(1, 3);
}
END_TEST

START_TEST(a_stop_turns_away_the_item_that_waits_for_room)
{
    struct source *source = new_blocking_source(9);

    pool.queue_capacity = 1;
    start_run_with_stop();
    await_count(&source->got, 3);
    stop();
    await_count(&source->cancelled, 2);
    end_run(WEIR_CANCELLED, "stop_fd");
    ck_assert_uint_eq(tally_read(&source->got), 3);
    ck_assert_uint_eq(report_of_run.ledger.done, 1);
    ck_assert_uint_eq(report_of_run.ledger.cancelled, 1);
    ck_assert_uint_eq(report_of_run.ledger.refused, 1);
}
END_TEST

START_TEST(after_a_stop_nothing_is_tried_again)
{
    struct source *source = new_blocking_source(2);
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 5;
    retry.base_ns = 1;
    pool.retry = &retry;
    answer = 1;
    start_run_with_stop();
    await_count(&source->at_end, 1);
    await_count(&started, 1);
    stop();
    await_count(&source->cancelled, 1);
    end_run(WEIR_CANCELLED, "stop_fd");
    ck_assert_uint_eq(report_of_run.ledger.failed, 1);
    ck_assert_uint_eq(report_of_run.ledger.cancelled, 1);
    ck_assert_uint_eq(report_of_run.ledger.attempts, 1);
}
END_TEST

/* The worker is at the second item, so the first waits for its retry. */
static int fail_then_wait(weir_task *task, void *item)
{
    if (*(int *)item == 0)
        return 1;
    return wait_and_answer(task, item);
}

static void run_failing_first(void *unused)
{
    const weir_producer *producer = &sources[0].producer;

    (void)unused;
    options.producers = &producer;
    options.producer_count = 1;
    options.handler = fail_then_wait;
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    status_of_run = weir_run(&options, &report_of_run);
}

START_TEST(a_stop_cancels_what_waits_to_be_tried_again)
{
    struct source *source = new_blocking_source(2);
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 5;
    retry.base_ns = WEIR_SECONDS(3600);
    retry.jitter = -1;
    retry.cap_ns = WEIR_SECONDS(3600);
    pool.retry = &retry;
    options.stop_fd = stop_fd;
    helper_start(&helper, run_failing_first, NULL);
    await_count(&started, 1);
    stop();
    await_count(&source->cancelled, 1);
    end_run(WEIR_CANCELLED, "");
    assert_done(1, 1);
    ck_assert_uint_eq(report_of_run.ledger.attempts, 2);
}
END_TEST

/* The failure came first, but a stop still cuts the drain short. */
START_TEST(a_stop_after_a_failure_cancels_what_waits_but_not_the_status)
{
    struct source *failing = new_source(4);

    failing->end = WEIR_ENOMEM;
    start_run_with_stop();
    await_count(&started, 1);
    await_count(&failing->interrupts, 1);
    stop();
    await_count(&failing->cancelled, 3);
    end_run(WEIR_ENOMEM, "");
    assert_done(1, 3);
}
END_TEST

/* ------------------------------------------------- attempts that do not end */

static struct tally deaf_ended = TALLY_INIT;

/* To the first number. */
static int be_deaf(weir_task *task, void *item)
{
    const int *number = item;

    (void)task;
    if (*number > 0)
        return 0;
    gate_wait(&finish);
    tally_add(&deaf_ended, 1);
    return 0;
}

/* Each attempt is late at once, and nobody closes the producers. */
static void deaf_setup(void)
{
    setup();
    handler = be_deaf;
    pool.timeout_ns = 1;
    pool.grace_ns = 1;
    pool.max_abandoned = 1;
    closes = 0;
}

/* The item is still in use, but not by a callback. */
static void end_deaf(struct source *source)
{
    ck_assert_uint_eq(report_of_run.ledger.unreleased, 1);
    ck_assert_uint_eq(tally_read(&source->settled), tally_read(&source->got));
    gate_open(&finish);
    await_count(&deaf_ended, 1);
    ck_assert_uint_eq(tally_read(&source->released) + 1,
                      tally_read(&source->got));
}

START_TEST(a_run_does_not_wait_for_an_abandoned_attempt)
{
    struct source *source = new_source(1);

    start_run();
    helper_join(&helper);
    ck_assert_int_eq(status_of_run, WEIR_STUCK);
    ck_assert_ptr_nonnull(strstr(error_of_run, "abandoned"));
    ck_assert_uint_eq(report_of_run.ledger.timed_out, 1);
    end_deaf(source);
}
END_TEST

START_TEST(a_degraded_pool_ends_the_intake)
{
    struct source *source = new_blocking_source(9);

    pool.queue_capacity = 1;
    start_run();
    helper_join(&helper);
    ck_assert_int_eq(status_of_run, WEIR_DEGRADED);
    ck_assert_ptr_nonnull(strstr(error_of_run, "max_abandoned"));
    ck_assert_uint_lt(tally_read(&source->got), 9);
    ck_assert_uint_eq(tally_read(&source->cancelled), 1); /* turned away */
    end_deaf(source);
}
END_TEST

int main(void)
{
    const TTest *const failures[] = {
        what_was_accepted_before_a_failure_is_still_done,
        a_failure_ends_others_that_are_blocked,
        a_failure_ends_the_intake_of_others_that_wait_for_room,
        the_first_failure_is_the_runs,
        a_failed_producers_words_and_errno_are_the_runs,
        a_producer_that_cancels_itself_cancels_the_run,
        a_next_that_ends_its_thread_is_a_producer_that_fails,
        a_call_that_blocks_is_waited_for,
        a_producer_that_cannot_be_interrupted_is_asked_no_more,
        NULL};
    const TTest *const stops[] = {
        a_stop_fd_that_is_never_readable_changes_nothing,
        a_stop_before_the_start_ends_producers_that_would_block,
        a_stop_ends_a_producer_that_is_blocked,
        a_stop_cancels_what_waits_and_lets_running_handlers_finish,
        a_stop_cancels_what_waits_after_the_last_producer_has_ended,
        a_stop_turns_away_the_item_that_waits_for_room,
        after_a_stop_nothing_is_tried_again,
        a_stop_cancels_what_waits_to_be_tried_again,
        a_stop_after_a_failure_cancels_what_waits_but_not_the_status,
        NULL};
    const TTest *const deaf[] = {a_run_does_not_wait_for_an_abandoned_attempt,
                                 a_degraded_pool_ends_the_intake, NULL};
    const struct chapter chapters[] = {
        {"deaf handlers", deaf, deaf_setup, teardown, 0, 0},
        {"producers that fail", failures, setup, teardown, 0, 0},
        {"stop_fd", stops, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("run: early ends", chapters);
}
