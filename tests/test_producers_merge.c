/* SPDX-License-Identifier: MIT */
/* test_producers_merge.c - several producers as one, each in its turn. */
#include <weir/producer.h>
#include <weir/run.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "faults.h"
#include "flow/inlets.h"
#include "helper.h"
#include "sources.h"
#include "suite.h"

enum { MOST_ITEM_BYTES = 4096 };

static weir_producer merged;
static unsigned char bytes[64];
static const weir_producer *const all[] = {&sources[0].producer,
                                           &sources[1].producer,
                                           &sources[2].producer};

static void setup(void)
{
    memset(&merged, 0, sizeof(merged));
    sources_reset();
}

static void close_merged_producer(void)
{
    if (merged.close)
        merged.close(merged.self);
    memset(&merged, 0, sizeof(merged));
}

static void open_merged(size_t count)
{
    ck_assert_int_eq(weir_producer_merge(&merged, all, count), WEIR_OK);
    ck_assert_uint_eq(merged.size, sizeof(merged));
    ck_assert_uint_eq(merged.item_size, sizeof(int) + 4);
}

static weir_status next(int *number)
{
    weir_status status = merged.next(merged.self, bytes);

    if (!status)
        memcpy(number, bytes, sizeof(*number));
    return status;
}

static void settle_and_release(void)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.kind = WEIR_OUTCOME_DONE;
    outcome.message = "";
    merged.settle(merged.self, bytes, &outcome);
    merged.release(merged.self, bytes);
}

/* Until it says something else; how many there were. */
static int drain(weir_status *status)
{
    int number, count = 0;

    while (!(*status = next(&number))) {
        settle_and_release();
        count++;
    }
    return count;
}

/* A call of next on a thread of its own. */
static struct helper helper;
static weir_status answer;

static void call_next(void *unused)
{
    int number;

    (void)unused;
    answer = next(&number);
}

/* ------------------------------------------------------------------- turns */

/* Sources check themselves that what comes back is theirs. */
START_TEST(every_item_comes_once_and_goes_back_to_its_source)
{
    weir_status status;

    for (int i = 0; i < 3; i++)
        new_source(1000 * i, 200);
    open_merged(3);
    ck_assert_int_eq(drain(&status), 600);
    ck_assert_int_eq(status, WEIR_END);
    ck_assert_int_eq(next(&(int){0}), WEIR_END);
    close_merged_producer();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sources[i].cancelled, 0);
        assert_all_returned(&sources[i]);
    }
}
END_TEST

START_TEST(a_source_that_blocks_holds_up_no_other)
{
    int number;

    new_slow_source(0, 1);
    new_source(1000, 100);
    open_merged(2);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(next(&number), WEIR_OK);
        ck_assert_int_eq(number, 1000 + i);
        settle_and_release();
    }
    tally_add(&sources[0].allowed, 2);
    ck_assert_int_eq(next(&number), WEIR_OK);
    ck_assert_int_eq(number, 0);
    settle_and_release();
    ck_assert_int_eq(next(&number), WEIR_END);
    close_merged_producer();
    assert_all_returned(&sources[0]);
    assert_all_returned(&sources[1]);
}
END_TEST

/* Allows one more item and waits until it is in line: with room for two, its
 * thread then asks for the next. */
static void bring_one(struct source *source)
{
    uint64_t before = (uint64_t)source->got;

    tally_add(&source->allowed, 1);
    await_count(&source->entered, before + 2);
}

static void must_take_from(struct weir__inlets *inlets, size_t whose)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    size_t count, from;
    int items[2];

    ck_assert_int_eq(weir__inlets_take(inlets, items, &count, &from), WEIR_OK);
    ck_assert_uint_eq(from, whose);
    ck_assert_uint_eq(count, 1);
    weir__inlets_settle(inlets, from, items, count, &outcome);
    weir__inlets_release(inlets, from, items, count);
}

/* Merge has the same line, and room for one. */
START_TEST(who_came_first_is_emptied_first)
{
    struct source *fast = new_slow_source(0, 99);
    struct source *slow = new_slow_source(1000, 99);
    const weir_producer copies[] = {fast->producer, slow->producer};
    struct weir__inlets *inlets;

    ck_assert_int_eq(weir__inlets_create(&inlets, copies, 2, 2, 0), WEIR_OK);
    tally_add(&fast->allowed, 1);
    must_take_from(inlets, 0);
    await_count(&fast->entered, 2);
    for (int round = 0; round < 10; round++) {
        bring_one(fast);
        bring_one(slow);
        must_take_from(inlets, 0);
        bring_one(fast); /* before the slow one's is taken, but behind it */
        must_take_from(inlets, 1);
        must_take_from(inlets, 0);
    }
    weir__inlets_close(inlets);
    assert_all_returned(fast);
    assert_all_returned(slow);
}
END_TEST

/* The clock is read when an item takes its place in the line, with the lock
 * held: whoever has seen that, and then takes, comes after it. */
static _Thread_local bool has_one;
static struct tally in_line;

static weir_status give_with_a_note(void *self, void *item)
{
    weir_status status = all[0]->next(self, item);

    has_one = !status;
    return status;
}

static int64_t note_its_place(void)
{
    if (has_one)
        tally_add(&in_line, 1);
    has_one = false;
    return 1;
}

static bool
never_wait(struct weir__cond *cond, struct weir__mutex *mutex, int64_t at_ns)
{
    (void)cond;
    (void)mutex;
    ck_abort_msg("somebody waits until %lld", (long long)at_ns);
    return true;
}

/* In each round it gives one, and each of the others a hundred. */
START_TEST(one_of_a_slow_source_waits_for_one_of_each_fast_one)
{
    static const struct weir__time_source noting = {note_its_place, never_wait};
    static const struct tally none = TALLY_INIT;
    struct source *slow;
    int number;

    in_line = none;
    new_source(0, MOST_NUMBERS);
    new_source(10000, MOST_NUMBERS);
    slow = new_slow_source(20000, 30);
    slow->producer.next = give_with_a_note;
    weir__clock_use(&noting);
    open_merged(3);
    for (int round = 0; round < 20; round++) {
        int before = 0;

        for (int i = 0; i < 200; i++) {
            ck_assert_int_eq(next(&number), WEIR_OK);
            ck_assert_int_lt(number, 20000);
            settle_and_release();
        }
        tally_add(&slow->allowed, 1);
        await_count(&in_line, (uint64_t)round + 1);
        while (next(&number) == WEIR_OK && number < 20000) {
            ck_assert_int_lt(before++, 2);
            settle_and_release();
        }
        ck_assert_int_eq(number, 20000 + round);
        settle_and_release();
    }
    close_merged_producer();
    weir__clock_use(NULL);
    for (int i = 0; i < 3; i++)
        assert_all_returned(&sources[i]);
}
END_TEST

/* ------------------------------------------------------------- how it ends */

START_TEST(a_failure_ends_the_asking_of_all_and_comes_last)
{
    weir_status status;

    new_source(0, 5)->end = WEIR_ESYSTEM;
    sources[0].error = EXDEV;
    new_slow_source(1000, 9);
    open_merged(2);
    ck_assert_int_eq(drain(&status), 5);
    ck_assert_int_eq(status, WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_str_eq(weir_last_error(), "the well is dry");
    ck_assert_int_eq(sources[1].interrupts, 1);
    close_merged_producer();
    assert_all_returned(&sources[0]);
    assert_all_returned(&sources[1]);
}
END_TEST

START_TEST(an_interrupt_ends_a_blocked_next)
{
    new_slow_source(0, 9);
    new_slow_source(1000, 9);
    open_merged(2);
    helper_start(&helper, call_next, NULL);
    await_count(&sources[0].entered, 1);
    await_count(&sources[1].entered, 1);
    merged.interrupt(merged.self);
    helper_join(&helper);
    ck_assert_int_eq(answer, WEIR_CANCELLED);
    ck_assert_int_eq(next(&(int){0}), WEIR_CANCELLED);
    close_merged_producer();
    assert_all_returned(&sources[0]);
    assert_all_returned(&sources[1]);
}
END_TEST

START_TEST(what_nobody_got_goes_back_at_the_close)
{
    int number;

    new_source(0, 9);
    new_source(1000, 9);
    open_merged(2);
    ck_assert_int_eq(next(&number), WEIR_OK);
    settle_and_release();
    close_merged_producer();
    ck_assert_int_eq(sources[0].cancelled + sources[1].cancelled + 1,
                     sources[0].got + sources[1].got);
    assert_all_returned(&sources[0]);
    assert_all_returned(&sources[1]);
}
END_TEST

/* ------------------------------------------------------------ what is wrong */

static void must_refuse(weir_status status, const char *word)
{
    ck_assert_int_eq(status, WEIR_EINVAL);
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
    ck_assert_ptr_null(merged.self);
}

START_TEST(a_merge_names_what_is_wrong_with_it)
{
    const weir_producer *twice[] = {all[0], all[0]}, *gap[] = {all[0], NULL};

    new_source(0, 1);
    new_source(0, 1);
    must_refuse(weir_producer_merge(NULL, all, 1), "out");
    must_refuse(weir_producer_merge(&merged, NULL, 1), "no sources");
    must_refuse(weir_producer_merge(&merged, all, 0), "no sources");
    must_refuse(weir_producer_merge(&merged, twice, 2), "same");
    must_refuse(weir_producer_merge(&merged, gap, 2), "sources[1]");
    sources[1].producer.item_size = 8;
    must_refuse(weir_producer_merge(&merged, all, 2), "sources[1].item_size");
    sources[0].producer.item_size = MOST_ITEM_BYTES - 3;
    must_refuse(weir_producer_merge(&merged, all, 1), "4092");
    ck_assert_int_eq(sources[0].closed + sources[1].closed, 0);
}
END_TEST

static weir_status merge_and_drain(void *unused)
{
    weir_status status;

    (void)unused;
    sources_reset();
    new_source(0, 3);
    new_source(1000, 3);
    status = weir_producer_merge(&merged, all, 2);
    if (status) {
        ck_assert_int_eq(sources[0].closed + sources[1].closed, 0);
        return status;
    }
    drain(&status);
    close_merged_producer();
    assert_all_returned(&sources[0]);
    assert_all_returned(&sources[1]);
    return status == WEIR_END ? WEIR_OK : status;
}

START_TEST(without_memory_or_threads_it_says_so_and_leaves_nothing)
{
    fault_sweep(merge_and_drain, NULL, WEIR_OK);
}
END_TEST

START_TEST(in_a_fork_child_it_gives_nothing)
{
    int wrong = 0;
    pid_t child;

    new_source(0, 9);
    open_merged(1);
    ck_assert_int_eq(next(&(int){0}), WEIR_OK);
    settle_and_release();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        wrong |= next(&(int){0}) != WEIR_FORKED;
        merged.interrupt(merged.self);
        close_merged_producer();
        wrong |= (sources[0].cancelled != 0) << 1;
        _exit(wrong);
    }
    ck_assert_int_eq(waitpid(child, &wrong, 0), child);
    ck_assert_int_eq(wrong, 0);
    close_merged_producer();
    assert_all_returned(&sources[0]);
}
END_TEST

/* ------------------------------------------------------------------ in runs */

static int stop_fd, stop_at;

static int stop_there(weir_task *task, void *item)
{
    int number;

    (void)task;
    memcpy(&number, item, sizeof(number));
    if (number == stop_at)
        ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
    return 0;
}

START_TEST(a_run_that_is_stopped_returns_every_item_once)
{
    const weir_producer *const producers[] = {&merged};
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;

    for (int i = 0; i < 3; i++) {
        new_slow_source(10000 * i, MOST_NUMBERS);
        tally_add(&sources[i].allowed, 50 + 50 * (uint64_t)i);
    }
    open_merged(3);
    stop_fd = eventfd(0, EFD_CLOEXEC);
    stop_at = 10000 * (_i % 3) + _i;
    pool.workers = 3;
    options.pool = &pool;
    options.producers = producers;
    options.producer_count = 1;
    options.handler = stop_there;
    options.stop_fd = stop_fd;
    ck_assert_int_eq(weir_run(&options, &report), WEIR_CANCELLED);
    merged.close = NULL;
    ck_assert(weir_ledger_balances(&report.ledger));
    for (int i = 0; i < 3; i++)
        assert_all_returned(&sources[i]);
    close(stop_fd);
}
END_TEST

int main(void)
{
    const TTest *const turns[] = {
        every_item_comes_once_and_goes_back_to_its_source,
        a_source_that_blocks_holds_up_no_other, who_came_first_is_emptied_first,
        one_of_a_slow_source_waits_for_one_of_each_fast_one, NULL};
    const TTest *const ends[] = {
        a_failure_ends_the_asking_of_all_and_comes_last,
        an_interrupt_ends_a_blocked_next,
        what_nobody_got_goes_back_at_the_close, NULL};
    const TTest *const refusals[] = {
        a_merge_names_what_is_wrong_with_it,
        without_memory_or_threads_it_says_so_and_leaves_nothing,
        in_a_fork_child_it_gives_nothing, NULL};
    const TTest *const stops[] = {a_run_that_is_stopped_returns_every_item_once,
                                  NULL};
    const struct chapter chapters[] = {
        {"turns", turns, setup, close_merged_producer, 0, 0},
        {"ends", ends, setup, close_merged_producer, 0, 0},
        {"refusals", refusals, setup, close_merged_producer, 0, 0},
        {"stops", stops, setup, close_merged_producer, 40, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("producers_merge", chapters);
}
