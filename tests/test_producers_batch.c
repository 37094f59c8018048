/* SPDX-License-Identifier: MIT */
/* test_producers_batch.c - a producer's items by the group. */
#include <weir/producer.h>
#include <weir/run.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "helper.h"
#include "sources.h"
#include "suite.h"
#include "test_clock.h"

enum { MOST_ITEM_BYTES = 4096 };

static weir_producer batches;
static _Alignas(16) unsigned char bytes[MOST_ITEM_BYTES];
static weir_batch *const batch = (weir_batch *)bytes;

static void setup(void)
{
    memset(&batches, 0, sizeof(batches));
    sources_reset();
}

static void close_batches(void)
{
    if (batches.close)
        batches.close(batches.self);
    memset(&batches, 0, sizeof(batches));
}

static void setup_clock(void)
{
    setup();
    test_clock_install();
}

static void teardown_clock(void)
{
    close_batches();
    test_clock_remove();
}

static void open_batches(struct source *source, size_t n, int64_t age_ns)
{
    ck_assert_int_eq(weir_producer_batch(&batches, &source->producer, n,
                                         age_ns),
                     WEIR_OK);
    ck_assert_uint_eq(batches.size, sizeof(batches));
    ck_assert_uint_eq(batches.item_size, sizeof(*batch) + n * sizeof(int));
}

static weir_status next(void)
{
    return batches.next(batches.self, bytes);
}

static void must_hold(int first, size_t count)
{
    ck_assert_uint_eq(batch->count, count);
    ck_assert_uint_eq(batch->item_size, sizeof(int));
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(*(int *)weir_batch_item(batch, i), first + (int)i);
}

static void settle_as(weir_outcome_kind kind)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.kind = kind;
    outcome.message = "";
    batches.settle(batches.self, batch, &outcome);
    batches.release(batches.self, batch);
}

static void must_give(int first, size_t count)
{
    ck_assert_int_eq(next(), WEIR_OK);
    must_hold(first, count);
    settle_as(WEIR_OUTCOME_DONE);
}

/* A call of next on a thread of its own. */
static struct helper helper;
static weir_status answer;

static void call_next(void *unused)
{
    (void)unused;
    answer = next();
}

/* ---------------------------------------------------------------- by count */

START_TEST(a_batch_leaves_with_n_items_and_the_last_with_the_rest)
{
    struct source *source = new_source(10, 7);

    open_batches(source, 3, INT64_MAX);
    must_give(10, 3);
    must_give(13, 3);
    must_give(16, 1);
    ck_assert_int_eq(next(), WEIR_END);
    ck_assert_int_eq(next(), WEIR_END);
    close_batches();
    ck_assert_int_eq(source->got, 7);
    ck_assert_int_eq(source->cancelled, 0);
    assert_all_returned(source);
}
END_TEST

START_TEST(the_outcome_of_a_batch_is_that_of_each_item)
{
    struct source *source = new_source(0, 4);

    open_batches(source, 4, INT64_MAX);
    ck_assert_int_eq(next(), WEIR_OK);
    settle_as(WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(source->cancelled, 4);
    close_batches();
    assert_all_returned(source);
}
END_TEST

START_TEST(the_source_is_asked_no_further_than_n_ahead)
{
    struct source *source = new_source(0, 100);

    open_batches(source, 3, INT64_MAX);
    must_give(0, 3);
    close_batches();
    ck_assert_int_le(source->got, 6);
    ck_assert_int_eq(source->cancelled, source->got - 3);
    assert_all_returned(source);
}
END_TEST

START_TEST(batches_cost_no_allocation_once_the_thread_runs)
{
    struct source *source = new_source(0, 60);

    open_batches(source, 3, INT64_MAX);
    must_give(0, 3);
    weir__fault_arm(0);
    for (int i = 3; i < 60; i += 3)
        must_give(i, 3);
    ck_assert_uint_eq(weir__fault_points(), 0);
    close_batches();
}
END_TEST

/* ------------------------------------------------------------------ by age */

START_TEST(a_batch_leaves_at_its_age_though_the_source_blocks)
{
    struct source *source = new_slow_source(0, 9);
    int64_t ripe = test_clock_now() + WEIR_MS(5);

    tally_add(&source->allowed, 2);
    open_batches(source, 3, WEIR_MS(5));
    helper_start(&helper, call_next, NULL);
    await_count(&source->entered, 3);
    test_clock_await_waiter(ripe);
    test_clock_advance(WEIR_MS(5) - 1);
    ck_assert(!gate_is_open(&helper.ended));
    test_clock_advance(1);
    helper_join(&helper);
    ck_assert_int_eq(answer, WEIR_OK);
    must_hold(0, 2);
    settle_as(WEIR_OUTCOME_DONE);
    close_batches();
    assert_all_returned(source);
}
END_TEST

/* What collects while nobody asks is of age when somebody does. */
START_TEST(age_counts_from_the_first_items_coming)
{
    struct source *source = new_slow_source(0, 9);

    tally_add(&source->allowed, 3);
    open_batches(source, 3, WEIR_MS(5));
    must_give(0, 3);
    tally_add(&source->allowed, 2);
    await_count(&source->entered, 6);
    test_clock_advance(WEIR_MS(5));
    must_give(3, 2);
    close_batches();
    assert_all_returned(source);
}
END_TEST

START_TEST(no_patience_takes_what_is_there)
{
    struct source *source = new_slow_source(0, 9);

    tally_add(&source->allowed, 1);
    open_batches(source, 3, 0);
    must_give(0, 1);
    close_batches();
    assert_all_returned(source);
}
END_TEST

/* ------------------------------------------------------------- how it ends */

START_TEST(a_failure_comes_after_the_last_batch_with_words_and_errno)
{
    struct source *source = new_source(0, 2);

    source->end = WEIR_ESYSTEM;
    source->error = EXDEV;
    open_batches(source, 3, INT64_MAX);
    must_give(0, 2);
    for (int i = 0; i < 2; i++) {
        errno = 0;
        ck_assert_int_eq(next(), WEIR_ESYSTEM);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_str_eq(weir_last_error(), "the well is dry");
    }
    close_batches();
    assert_all_returned(source);
}
END_TEST

START_TEST(a_source_that_is_cancelled_gives_its_last_batch_first)
{
    struct source *source = new_source(0, 2);

    source->end = WEIR_CANCELLED;
    open_batches(source, 3, INT64_MAX);
    must_give(0, 2);
    ck_assert_int_eq(next(), WEIR_CANCELLED);
    close_batches();
    assert_all_returned(source);
}
END_TEST

START_TEST(an_interrupt_ends_a_blocked_next_and_the_close_gives_back)
{
    struct source *source = new_slow_source(0, 9);

    tally_add(&source->allowed, 2);
    open_batches(source, 3, INT64_MAX);
    helper_start(&helper, call_next, NULL);
    await_count(&source->entered, 3);
    batches.interrupt(batches.self);
    helper_join(&helper);
    ck_assert_int_eq(answer, WEIR_CANCELLED);
    ck_assert_int_eq(next(), WEIR_CANCELLED);
    ck_assert_int_eq(source->interrupts, 1);
    close_batches();
    ck_assert_int_eq(source->cancelled, 2);
    assert_all_returned(source);
}
END_TEST

START_TEST(a_close_ends_a_source_that_blocks)
{
    struct source *source = new_slow_source(0, 9);

    tally_add(&source->allowed, 1);
    open_batches(source, 1, INT64_MAX);
    must_give(0, 1);
    await_count(&source->entered, 2);
    close_batches();
    ck_assert_int_eq(source->interrupts, 1);
    assert_all_returned(source);
}
END_TEST

START_TEST(a_source_that_was_never_asked_is_only_closed)
{
    struct source *source = new_source(0, 9);

    open_batches(source, 3, INT64_MAX);
    close_batches();
    ck_assert_uint_eq(tally_read(&source->entered), 0);
    ck_assert_int_eq(source->interrupts, 0);
    assert_all_returned(source);
}
END_TEST

/* ------------------------------------------------------------ what is wrong */

static void must_refuse(weir_status status, const char *word)
{
    ck_assert_int_eq(status, WEIR_EINVAL);
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
    ck_assert_ptr_null(batches.self);
}

START_TEST(a_batch_names_what_is_wrong_with_it)
{
    weir_producer *p = &new_source(0, 1)->producer;
    size_t most = (MOST_ITEM_BYTES - sizeof(weir_batch)) / sizeof(int);

    must_refuse(weir_producer_batch(NULL, p, 1, 0), "out");
    must_refuse(weir_producer_batch(&batches, NULL, 1, 0), "source");
    must_refuse(weir_producer_batch(&batches, p, 0, 0), "n 0");
    must_refuse(weir_producer_batch(&batches, p, most + 1, 0), "pointers");
    must_refuse(weir_producer_batch(&batches, p, SIZE_MAX, 0), "pointers");
    must_refuse(weir_producer_batch(&batches, p, 1, -1), "max_wait_ns");
    p->item_size = MOST_ITEM_BYTES;
    must_refuse(weir_producer_batch(&batches, p, 1, 0), "pointers");
    ck_assert_int_eq(sources[0].closed, 0);
    p->item_size = sizeof(int);
    open_batches(&sources[0], most, 0);
    close_batches();
}
END_TEST

static weir_status make_and_drain(void *unused)
{
    struct source *source;
    weir_status status;

    (void)unused;
    sources_reset();
    source = new_source(0, 5);
    status = weir_producer_batch(&batches, &source->producer, 3, INT64_MAX);
    if (status) {
        ck_assert_int_eq(source->closed, 0);
        return status;
    }
    while (!(status = next()))
        settle_as(WEIR_OUTCOME_DONE);
    close_batches();
    assert_all_returned(source);
    return status == WEIR_END ? WEIR_OK : status;
}

START_TEST(without_memory_or_a_thread_it_says_so_and_leaves_nothing)
{
    fault_sweep(make_and_drain, NULL, WEIR_OK);
}
END_TEST

START_TEST(in_a_fork_child_it_gives_nothing_and_can_be_closed)
{
    struct source *source = new_slow_source(0, 9);
    int wrong = 0;
    pid_t child;

    tally_add(&source->allowed, 5);
    open_batches(source, 3, INT64_MAX);
    must_give(0, 3);
    await_count(&source->entered, 6); /* two are held */
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        wrong |= next() != WEIR_FORKED;
        batches.interrupt(batches.self);
        close_batches();
        wrong |= (source->closed != 1) << 1;
        wrong |= (source->cancelled != 0) << 2;
        _exit(wrong);
    }
    ck_assert_int_eq(waitpid(child, &wrong, 0), child);
    ck_assert_int_eq(wrong, 0);
    tally_add(&source->allowed, 1);
    must_give(3, 3);
    close_batches();
    assert_all_returned(source);
}
END_TEST

/* ------------------------------------------------------------------ in runs */

static atomic_int sum;
static int stop_fd, stop_at;

static int add_up(weir_task *task, void *item)
{
    weir_batch *some = item;

    (void)task;
    for (size_t i = 0; i < some->count; i++) {
        int number = *(int *)weir_batch_item(some, i);

        sum += number;
        if (number == stop_at)
            ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
    }
    return 0;
}

static weir_status run_batches(weir_report *report)
{
    const weir_producer *const producers[] = {&batches};
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_status status;

    sum = 0;
    pool.workers = 4;
    options.pool = &pool;
    options.producers = producers;
    options.producer_count = 1;
    options.handler = add_up;
    options.stop_fd = stop_fd;
    status = weir_run(&options, report);
    batches.close = NULL;
    ck_assert(weir_ledger_balances(&report->ledger));
    return status;
}

START_TEST(a_run_of_batches_does_every_item_once)
{
    struct source *source = new_source(0, 1000);
    weir_report report = WEIR_REPORT_INIT;

    stop_fd = 0;
    stop_at = -1;
    open_batches(source, 7, INT64_MAX);
    ck_assert_int_eq(run_batches(&report), WEIR_OK);
    ck_assert_int_eq(sum, 499500);
    ck_assert_uint_eq(report.ledger.done, 143);
    assert_all_returned(source);
}
END_TEST

START_TEST(a_run_that_is_stopped_returns_every_item_once)
{
    struct source *source = new_slow_source(0, MOST_NUMBERS);
    weir_report report = WEIR_REPORT_INIT;

    stop_fd = eventfd(0, EFD_CLOEXEC);
    stop_at = _i * 7;
    tally_add(&source->allowed, 40 * 7 + 3);
    open_batches(source, 7, INT64_MAX);
    ck_assert_int_eq(run_batches(&report), WEIR_CANCELLED);
    assert_all_returned(source);
    close(stop_fd);
}
END_TEST

int main(void)
{
    const TTest *const counts[] = {
        a_batch_leaves_with_n_items_and_the_last_with_the_rest,
        the_outcome_of_a_batch_is_that_of_each_item,
        the_source_is_asked_no_further_than_n_ahead,
        batches_cost_no_allocation_once_the_thread_runs, NULL};
    const TTest *const ages[] = {
        a_batch_leaves_at_its_age_though_the_source_blocks,
        age_counts_from_the_first_items_coming, no_patience_takes_what_is_there,
        NULL};
    const TTest *const ends[] = {
        a_failure_comes_after_the_last_batch_with_words_and_errno,
        a_source_that_is_cancelled_gives_its_last_batch_first,
        an_interrupt_ends_a_blocked_next_and_the_close_gives_back,
        a_close_ends_a_source_that_blocks,
        a_source_that_was_never_asked_is_only_closed,
        NULL};
    const TTest *const refusals[] = {
        a_batch_names_what_is_wrong_with_it,
        without_memory_or_a_thread_it_says_so_and_leaves_nothing,
        in_a_fork_child_it_gives_nothing_and_can_be_closed, NULL};
    const TTest *const runs[] = {a_run_of_batches_does_every_item_once, NULL};
    const TTest *const stops[] = {a_run_that_is_stopped_returns_every_item_once,
                                  NULL};
    const struct chapter chapters[] = {
        {"count", counts, setup, close_batches, 0, 0},
        {"age", ages, setup_clock, teardown_clock, 0, 0},
        {"ends", ends, setup, close_batches, 0, 0},
        {"refusals", refusals, setup, close_batches, 0, 0},
        {"runs", runs, setup, close_batches, 0, 0},
        {"stops", stops, setup, close_batches, 30, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("producers_batch", chapters);
}
