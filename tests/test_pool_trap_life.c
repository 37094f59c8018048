/* SPDX-License-Identifier: MIT */
/*
 * test_pool_trap_life.c - pools that trap faults: made, used, and crashed in
 * for long.
 */
#include <weir/pool.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crashes.h"
#include "faults.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.isolation = WEIR_ISOLATE_TRAP;
}

static void setup_no_callbacks(void)
{
    options.on_settled = NULL;
    options.on_release = NULL;
}

static void teardown(void)
{
    weir__fault_arm(0);
    pool_teardown();
}

/* A job whose handler crashes has ended, but its clean-ups do not run. */
static int act_crash(weir_task *task, struct job *job)
{
    (void)task;
    tally_add(&job->ended, 1);
    crashes[job->code].make();
    return 0;
}

static struct job *new_crash(int kind)
{
    struct job *job = new_job(act_crash);

    job->code = kind;
    return job;
}

static void must_not_run(void *arg)
{
    (void)arg;
    abort();
}

static int crash_at_3(weir_task *task, void *item)
{
    (void)task;
    if (*(uint64_t *)item == 3)
        crash();
    return 0;
}

/* -------------------------------------------------------- weir in a handler */

static int act_word_badly(weir_task *task, struct job *job)
{
    tally_add(&job->ended, 1);
    return weir_task_fail(task, 1, "%s", (const char *)bad_address);
}

static int act_give_a_bad_result(weir_task *task, struct job *job)
{
    tally_add(&job->ended, 1);
    return weir_task_result(task, bad_address, 8);
}

static int act_raise_badly(weir_task *task, struct job *job)
{
    tally_add(&job->ended, 1);
    weir_task_raise(task, 1, "%s", (const char *)bad_address);
}

/* Nobody but the attempt sees what they write. */
START_TEST(calls_for_the_attempts_own_record_are_trapped)
{
    static int (*const acts[])(weir_task *,
                               struct job *) = {act_word_badly,
                                                act_give_a_bad_result,
                                                act_raise_badly};
    struct job *job;

    open_pool();
    job = submit_new(acts[_i]);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
}
END_TEST

static void call_queue(weir_queue *queue)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;
    int items[2] = {1, 2};
    size_t done;

    ck_assert_int_eq(weir_queue_put(queue, items, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_queue_put_many(queue, items, 1, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_queue_put(queue, items, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_queue_put(queue, NULL, WEIR_NOW), WEIR_EINVAL);
    ck_assert_int_eq(weir_queue_get(queue, items, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 2, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_queue_get(queue, items, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_queue_task_done(queue, 2), WEIR_OK);
    ck_assert_int_eq(weir_queue_task_done(queue, 2), WEIR_EINVAL);
    ck_assert_int_eq(weir_queue_join(queue, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_queue_poison(queue, 1), WEIR_OK);
    ck_assert_int_eq(weir_queue_get(queue, items, WEIR_NOW), WEIR_POISONED);
    weir_queue_read_stats(queue, &stats);
    weir_queue_close(queue);
    weir_queue_abort(queue);
    weir_queue_destroy(queue);
    weir_queue_destroy(NULL);
}

static void call_task(weir_task *task)
{
    ck_assert_int_eq(weir_task_sleep(task, 0), WEIR_OK);
    ck_assert_int_ge(weir_task_cancel_fd(task), 0);
    ck_assert_int_eq(weir_task_on_cancel(task, must_not_run, NULL), WEIR_OK);
    ck_assert_int_eq(weir_task_on_cancel(task, NULL, NULL), WEIR_OK);
    ck_assert_int_eq(weir_task_defer(task, must_not_run, NULL), WEIR_OK);
}

static void call_other_pool(weir_pool *other)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    uint64_t item = 1;
    void *items[1] = {&item};
    weir_future *future;
    size_t done;

    spec.handler = crash_at_3;
    spec.item = &item;
    ck_assert_int_eq(weir_pool_submit(other, crash_at_3, &item, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit_copy(other, crash_at_3, &item, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit_copy(other, NULL, &item, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_pool_submit_many(other, crash_at_3, items, 1, &done,
                                           WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit_task(other, &spec, &future, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_future_wait(future, NULL, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    ck_assert_int_eq(weir_pool_resize(other, 2), WEIR_OK);
    ck_assert_int_eq(weir_pool_join(other, WEIR_FOREVER), WEIR_OK);
    weir_pool_read_stats(other, &stats);
    ck_assert(!stats.tainted);
    ck_assert_int_eq(weir_pool_stop(other, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit(other, crash_at_3, &item, WEIR_NOW),
                     WEIR_CLOSED);
    weir_pool_destroy(other);
}

/* Whatever has returned holds nothing back. */
static int act_call_all_and_crash(weir_task *task, struct job *job)
{
    weir_queue_options two = WEIR_QUEUE_OPTIONS_INIT;
    weir_pool_options few = WEIR_POOL_OPTIONS_INIT;
    weir_queue *queue;
    weir_pool *other;

    two.capacity = 2;
    few.workers = 1;
    few.item_size = sizeof(uint64_t);
    ck_assert_int_eq(weir_queue_create(&queue, sizeof(int), &two), WEIR_OK);
    ck_assert_int_eq(weir_pool_create(&other, &few), WEIR_OK);
    ck_assert_int_eq(weir_pool_create(NULL, &few), WEIR_EINVAL);
    call_queue(queue);
    call_other_pool(other);
    call_task(task);
    return act_crash(task, job);
}

START_TEST(a_handler_that_has_called_everything_is_still_trapped)
{
    struct job *job;

    open_pool();
    job = submit_new(act_call_all_and_crash);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_str_eq(job->message, "SIGSEGV at address 0x10");
}
END_TEST

/* ---------------------------------------------------------- in the long run */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) &&                    \
    !defined(__SANITIZE_THREAD__)

/* The next allocation finds what is broken, and aborts with the lock held that
 * this thread allocates under.  What it has freed before makes its end want
 * that lock, too. */
static int act_crash_inside_malloc(weir_task *task, struct job *job)
{
    enum { PIECES = 7, PIECE = 600, BLOCK = 4000 };
    void *pieces[PIECES], *volatile *volatile broken, *volatile next;

    (void)task;
    for (int i = 0; i < PIECES; i++)
        pieces[i] = malloc(PIECE);
    broken = malloc(BLOCK);
    next = malloc(BLOCK); /* keeps it from growing together with the rest */
    for (int i = 0; i < PIECES; i++)
        free(pieces[i]);
    free((void *)broken);
    broken[1] = (void *)pieces;
    tally_add(&job->ended, 1);
    next = malloc((size_t)2 * BLOCK);
    return next == NULL;
}

static void
settle_and_allocate(void *arg, const void *item, const weir_outcome *outcome)
{
    void *volatile memory = malloc(5000);

    free(memory);
    note_settled(arg, item, outcome);
}

START_TEST(a_crash_inside_malloc_does_not_hold_up_the_pool)
{
    struct job *job, *late;

    options.timeout_ns = WEIR_SECONDS(5);
    options.on_settled = settle_and_allocate;
    open_pool();
    for (int i = 0; i < 3; i++) {
        job = submit_new(act_crash_inside_malloc);
        await_released(job);
        ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
        ck_assert_int_eq(job->outcome.code, SIGABRT);
    }
    late = start_new(act_listen);
    advance_to(late->deadline.at_ns);
    await_released(late);
    ck_assert_int_eq(late->outcome.kind, WEIR_OUTCOME_TIMED_OUT);
    end_pool();
}
END_TEST

# define INSIDE_MALLOC a_crash_inside_malloc_does_not_hold_up_the_pool,
#else
# define INSIDE_MALLOC
#endif

static int crash_always(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    crash();
    return 0;
}

static size_t resident_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t mapped, resident = 0;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%zu %zu", &mapped, &resident), 2);
    fclose(file);
    return resident;
}

/* Each is a line. */
static size_t mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    size_t lines = 0;
    int byte;

    ck_assert_ptr_nonnull(file);
    while ((byte = getc(file)) != EOF)
        lines += byte == '\n';
    fclose(file);
    return lines;
}

/* What a sanitizer has grows by itself. */
static void assert_grown_at_most(size_t before, size_t after, size_t most)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_uint_le(after, before + most);
#else
    (void)before, (void)after, (void)most;
#endif
}

static void crash_so_often(uint64_t crashes_wanted)
{
    for (uint64_t i = 0; i < crashes_wanted; i++)
        ck_assert_int_eq(weir_pool_submit(pool, crash_always, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
    settle_all();
}

/* _i: with entries. */
START_TEST(a_thousand_crashes_cost_no_worker_and_no_memory)
{
    enum { CRASHES = 1000, WARM_UP = 200 };
    size_t before;

    setup_no_callbacks();
    options.queue_capacity = 16;
    if (_i)
        options.time_to_live_ns = WEIR_SECONDS(3600);
    open_pool_of(4);
    crash_so_often(WARM_UP);
    before = resident_pages();
    crash_so_often(CRASHES - WARM_UP);
    ck_assert_uint_eq(ledger_now().crashed, CRASHES);
    ck_assert_uint_eq(ledger_now().accepted, CRASHES);
    assert_balanced();
    await_workers(4);
    assert_grown_at_most(before, resident_pages(), 128);
}
END_TEST

START_TEST(pools_that_come_and_go_leave_no_stack_behind)
{
    enum { POOLS = 40, WORKERS = 8 };
    size_t before = 0;

    setup_no_callbacks();
    options.workers = WORKERS;
    for (int i = 0; i < 2 * POOLS; i++) {
        if (i == POOLS)
            before = mappings();
        open_pool();
        crash_so_often(WORKERS);
        end_pool();
    }
    /* Each signal stack is one, and its guard another. */
    assert_grown_at_most(before, mappings(), POOLS * WORKERS / 2);
}
END_TEST

/* ---------------------------------------------------------------- making it */

static weir_status try_create(void *arg)
{
    (void)arg;
    return weir_pool_create(&pool, &options);
}

START_TEST(whatever_create_lacks_it_leaves_nothing_behind)
{
    struct sigaction before, after;

    options.workers = 3;
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &before), 0);
    ck_assert_uint_ge(fault_sweep(try_create, NULL, WEIR_OK), 4 + 3 * 2 + 4);
    end_pool();
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &after), 0);
    ck_assert(after.sa_handler == before.sa_handler);
}
END_TEST

START_TEST(a_pool_may_grow)
{
    open_pool();
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_OK);
    for (int i = 0; i < 6; i++)
        must_submit(new_crash(0));
    settle_all();
    ck_assert_uint_eq(ledger_now().crashed, 6);
    await_workers(3);
}
END_TEST

START_TEST(who_polls_hears_of_a_crash)
{
    struct pollfd polled = {.events = POLLIN};

    open_pool();
    polled.fd = weir_pool_fd(pool);
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
    must_submit(new_crash(0));
    ck_assert_int_eq(poll(&polled, 1, 10000 * test_slowness()), 1);
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    settle_all();
}
END_TEST

START_TEST(a_submitter_cannot_run_what_may_crash)
{
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_EINVAL);
    assert_error_names("WEIR_ISOLATE_TRAP");
    assert_error_names("WEIR_ON_FULL_CALLER_RUNS");
}
END_TEST

int main(void)
{
    const TTest *const calls[] = {
        calls_for_the_attempts_own_record_are_trapped,
        NULL,
    };
    const TTest *const life[] = {
        a_handler_that_has_called_everything_is_still_trapped,
        INSIDE_MALLOC pools_that_come_and_go_leave_no_stack_behind,
        whatever_create_lacks_it_leaves_nothing_behind,
        a_pool_may_grow,
        who_polls_hears_of_a_crash,
        a_submitter_cannot_run_what_may_crash,
        NULL,
    };
    const TTest *const ways[] = {
        a_thousand_crashes_cost_no_worker_and_no_memory,
        NULL,
    };
    const struct chapter chapters[] = {
        {"calls", calls, setup, teardown, 3, 0},
        {"life", life, setup, teardown, 0, 0},
        {"with and without entries", ways, setup, teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0},
    };

    return report("pools that trap", chapters);
}
