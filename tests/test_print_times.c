/* SPDX-License-Identifier: MIT */
/* test_print_times.c - quantiles in a pool's print, and the stack it takes. */
#include <weir/pool.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pool/look.h"
#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

enum { PAGE = 16 * 1024 };

static char page[PAGE];
static int paper; /* a file in memory */

static void setup(void)
{
    pool_setup();
    options.histograms = true;
    paper = memfd_create("print", 0);
    ck_assert_int_ge(paper, 0);
    ck_assert_int_eq(fcntl(paper, F_SETFL, O_APPEND), 0);
}

static void teardown(void)
{
    pool_teardown();
    close(paper);
}

static void print_now(void)
{
    ssize_t size;

    weir_pool_print(pool, paper);
    size = pread(paper, page, sizeof(page) - 1, 0);
    ck_assert_int_gt(size, 0);
    page[size] = '\0';
    ck_assert_int_eq(ftruncate(paper, 0), 0);
}

static void assert_says(const char *words)
{
    ck_assert_msg(strstr(page, words), "no \"%s\" in:\n%s", words, page);
}

static void assert_is_silent_on(const char *words)
{
    ck_assert_msg(!strstr(page, words), "\"%s\" in:\n%s", words, page);
}

/* ------------------------------------------------------------ what it says */

START_TEST(how_long_tasks_have_waited_and_run_is_told)
{
    struct job *first, *second;

    open_pool(); /* by buckets, hence 1.49; the longest is known exactly */
    first = start_new(act_wait);
    second = submit_new(act_wait);
    test_clock_advance(WEIR_MS(1500));
    finish_job(first);
    await_start(second);
    test_clock_advance(WEIR_US(12));
    finish_job(second);
    await_workers(1);
    print_now();
    assert_says("  waiting p50 0 ns, p90 1.49 s, p99 1.49 s, max 1.50 s\n");
    assert_says("  running p50 11.9 us, p90 1.49 s, p99 1.49 s, max 1.50 s\n");
}
END_TEST

START_TEST(before_any_has_ended_nothing_is_told)
{
    struct job *job;

    open_pool();
    print_now();
    assert_is_silent_on("p50");
    job = start_new(act_wait);
    print_now();
    assert_says("  waiting p50 0 ns, ");
    assert_is_silent_on("  running p50");
    finish_job(job);
}
END_TEST

START_TEST(without_histograms_nothing_is_told)
{
    options.histograms = false;
    open_pool();
    submit_new(act_answer);
    settle_all();
    print_now();
    assert_is_silent_on("p50");
}
END_TEST

START_TEST(with_the_lock_taken_they_are_told_too)
{
    open_pool();
    submit_new(act_answer);
    settle_all();
    weir__mutex_lock(&pool->lock); /* as what a signal has interrupted may */
    print_now();
    weir__mutex_unlock(&pool->lock);
    assert_says("its lock was taken");
    assert_says("  running p50 0 ns, ");
}
END_TEST

START_TEST(three_digits_of_the_fitting_unit_are_told)
{
    static const struct {
        int64_t ns;
        const char *text;
    } kinds[] = {{1, "max 1 ns\n"},
                 {999, "max 999 ns\n"},
                 {1000, "max 1.00 us\n"},
                 {12345, "max 12.3 us\n"},
                 {999999, "max 999 us\n"},
                 {1234567, "max 1.23 ms\n"},
                 {WEIR_SECONDS(60) + 1, "max 60.0 s\n"},
                 {WEIR_SECONDS(86400), "max 86400 s\n"}};

    open_pool();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        weir__histogram_note(&pool->tally.times->running, kinds[i].ns);
        print_now();
        assert_says(kinds[i].text);
    }
}
END_TEST

/* ---------------------------------------------------------- what is right */

static void assert_same_as_the_histogram(void)
{
    weir_histogram all = WEIR_HISTOGRAM_INIT;
    struct weir__look_times times;

    ck_assert(weir__look_at_times(pool, WEIR_POOL_RUNNING, &times));
    ck_assert_int_eq(weir_pool_read_histogram(pool, WEIR_POOL_RUNNING, &all),
                     WEIR_OK);
    ck_assert_uint_eq(times.count, all.count);
    ck_assert_int_eq(times.p50_ns, weir_histogram_quantile(&all, 0.5));
    ck_assert_int_eq(times.p90_ns, weir_histogram_quantile(&all, 0.9));
    ck_assert_int_eq(times.p99_ns, weir_histogram_quantile(&all, 0.99));
    ck_assert_int_eq(times.max_ns, all.max_ns);
}

START_TEST(they_are_those_of_all_workers_histograms_together)
{
    uint64_t random = 1;

    open_pool_of(3);
    await_workers(3);
    /* The first of its bucket: all of them are its middle, but for that. */
    weir__histogram_note(&pool->tally.times->running, 1 << 20);
    assert_same_as_the_histogram();
    for (int i = 0; i < 1000; i++) {
        uint32_t at = (uint32_t)i % 4;
        struct weir__times *times =
            at < 3 ? pool->workers[at]->times : pool->tally.times;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        weir__histogram_note(&times->running,
                             (int64_t)(random >> (59 - i % 40)));
        if (i < 40 || i % 100 == 0)
            assert_same_as_the_histogram();
    }
    assert_same_as_the_histogram();
}
END_TEST

/* -------------------------------------------------------------- the stack */

/* What the card promises. */
enum { STACK_BOUND = 4 * 1024, STACK_ROOM = 256 * 1024 };

static unsigned char stack[STACK_ROOM];
static unsigned char *volatile stack_top; /* where the handler began */

static void print_on_the_stack(int signal)
{
    unsigned char here;

    (void)signal;
    stack_top = &here;
    weir_pool_print(pool, paper);
}

/* What of it has been written to below `top`. */
static size_t used_below(const unsigned char *top)
{
    const unsigned char *low = stack;

    while (low < top && *low == 0xa5)
        low++;
    return (size_t)(top - low);
}

START_TEST(it_takes_no_more_of_the_stack_than_the_card_says)
{
    struct sigaction action = {.sa_handler = print_on_the_stack,
                               .sa_flags = SA_ONSTACK};
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct job *jobs[12];

    options.queue_capacity = 32;
    open_pool_of(12);
    for (int i = 0; i < 12; i++)
        jobs[i] = start_new(act_wait);
    weir__histogram_note(&pool->tally.times->running, 12345);
    ck_assert_int_eq(sigaltstack(&other, NULL), 0);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    for (int twice = 0; twice < 2; twice++) { /* the first may bind symbols */
        memset(stack, 0xa5, sizeof(stack));
        ck_assert_int_eq(raise(SIGUSR1), 0);
    }
    ck_assert_uint_gt(used_below(stack_top), 1000); /* it was there at all */
    ck_assert_uint_le(used_below(stack_top), STACK_BOUND);
    other = (stack_t){.ss_flags = SS_DISABLE};
    ck_assert_int_eq(sigaltstack(&other, NULL), 0);
    for (int i = 0; i < 12; i++)
        finish_job(jobs[i]);
}
END_TEST

int main(void)
{
    const TTest *const said[] = {
        how_long_tasks_have_waited_and_run_is_told,
        before_any_has_ended_nothing_is_told,
        without_histograms_nothing_is_told,
        with_the_lock_taken_they_are_told_too,
        three_digits_of_the_fitting_unit_are_told,
        they_are_those_of_all_workers_histograms_together,
        NULL};
    const TTest *const stacks[] = {
        it_takes_no_more_of_the_stack_than_the_card_says, NULL};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const bool is_sanitized = true; /* frames are larger, and not ours */
#else
    const bool is_sanitized = false;
#endif
    const struct chapter chapters[] = {{"said", said, setup, teardown, 0, 0},
                                       {is_sanitized ? NULL : "stack", stacks,
                                        setup, teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: print, times", chapters);
}
