/* SPDX-License-Identifier: MIT */
/* stress_run.c - runs that end in every way at once, and a very long one. */
#include <weir/run.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "helper.h"
#include "suite.h"

enum { SOURCES = 3, QUEUE_ITEMS = 200 };

/* ------------------------------------------------------------- random runs */

/* A producer whose end is drawn: after `count` numbers it ends, fails, or
 * blocks until it is interrupted. */
struct source {
    weir_producer producer;
    unsigned seed;
    int count;
    weir_status end; /* OK: blocks */
    struct gate interrupted;
    atomic_int got, settled, released, closed, interrupts;
};

static struct source sources[SOURCES];
static weir_queue *queue;
static int stop_fd;

static void dawdle(unsigned *seed)
{
    for (int i = rand_r(seed) % 40 - 30; i > 0; i--)
        sched_yield();
}

static weir_status give(void *self, void *item)
{
    struct source *source = self;
    uint64_t number = (uint64_t)atomic_load(&source->got);

    dawdle(&source->seed);
    if (gate_is_open(&source->interrupted))
        return WEIR_CANCELLED;
    if (number < (uint64_t)source->count) {
        memcpy(item, &number, sizeof(number));
        atomic_fetch_add(&source->got, 1);
        return WEIR_OK;
    }
    if (source->end)
        return source->end;
    gate_wait(&source->interrupted);
    return WEIR_CANCELLED;
}

static void interrupt(void *self)
{
    struct source *source = self;

    ck_assert_int_eq(atomic_load(&source->closed), 0);
    atomic_fetch_add(&source->interrupts, 1);
    gate_open(&source->interrupted);
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    struct source *source = self;

    (void)item;
    (void)outcome;
    atomic_fetch_add(&source->settled, 1);
}

static void release(void *self, void *item)
{
    struct source *source = self;

    (void)item;
    atomic_fetch_add(&source->released, 1);
}

static void close_source(void *self)
{
    struct source *source = self;
    int got = atomic_load(&source->got);

    ck_assert_int_eq(atomic_fetch_add(&source->closed, 1), 0);
    ck_assert_int_le(atomic_load(&source->interrupts), 1);
    ck_assert_int_eq(atomic_load(&source->settled), got);
    ck_assert_int_eq(atomic_load(&source->released), got);
}

static void open_source(struct source *s, unsigned *seed)
{
    const weir_status ends[] = {WEIR_END, WEIR_END, WEIR_OK, WEIR_ENOMEM,
                                WEIR_CANCELLED};

    s->producer = (weir_producer)WEIR_PRODUCER_INIT;
    s->producer.item_size = sizeof(uint64_t);
    s->producer.next = give;
    s->producer.interrupt = interrupt;
    s->producer.settle = settle;
    s->producer.release = release;
    s->producer.close = close_source;
    s->producer.self = s;
    s->seed = (unsigned)rand_r(seed);
    s->count = rand_r(seed) % 60;
    s->end = ends[rand_r(seed) % 5];
    s->interrupted = (struct gate)GATE_INIT;
    s->got = s->settled = s->released = s->closed = s->interrupts = 0;
}

/* One of those that next may block in for good. */
static void open_queue_source(weir_producer *out)
{
    ck_assert_int_eq(weir_queue_create(&queue, sizeof(uint64_t), NULL),
                     WEIR_OK);
    for (uint64_t i = 0; i < QUEUE_ITEMS; i++)
        ck_assert_int_eq(weir_queue_put(queue, &i, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_producer_queue(out, queue, sizeof(uint64_t)),
                     WEIR_OK);
}

static int handle(weir_task *task, void *item)
{
    unsigned seed = (unsigned)*(uint64_t *)item;

    for (unsigned i = seed % 5; i > 0; i--)
        sched_yield();
    switch (seed % 23) {
    case 3:
        return 1;
    case 5:
        pthread_exit(NULL);
    case 7:
        weir_task_raise(task, 2, "raised");
    default:
        return 0;
    }
}

static weir_pool_options draw_pool(const weir_retry *retry, unsigned *seed)
{
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;

    pool.workers = 1 + (uint32_t)rand_r(seed) % 3;
    pool.queue_capacity = 1 + (size_t)rand_r(seed) % 5;
    pool.on_full =
        rand_r(seed) % 2 ? WEIR_ON_FULL_WAIT : (weir_on_full)(rand_r(seed) % 4);
    if (rand_r(seed) % 2)
        pool.retry = retry;
    if (rand_r(seed) % 3 == 0)
        pool.timeout_ns = 1 + rand_r(seed) % 20000;
    if (rand_r(seed) % 4 == 0)
        pool.time_to_live_ns = 1 + rand_r(seed) % 20000;
    return pool;
}

static void stop_at_some_time(void *arg)
{
    unsigned *seed = arg;

    for (int i = rand_r(seed) % 300; i > 0; i--)
        sched_yield();
    ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
}

static void run_random(unsigned *seed)
{
    weir_retry retry = WEIR_RETRY_INIT;
    weir_pool_options pool = draw_pool(&retry, seed);
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_report outcome = WEIR_REPORT_INIT;
    weir_producer tap;
    const weir_producer *producers[SOURCES + 1] = {&tap};
    struct helper stopper;
    unsigned stopper_seed = (unsigned)rand_r(seed);
    weir_status status;

    retry.max_attempts = 3;
    retry.base_ns = 1 + rand_r(seed) % 100000;
    open_queue_source(&tap);
    for (int i = 0; i < SOURCES; i++) {
        open_source(&sources[i], seed);
        producers[i + 1] = &sources[i].producer;
    }
    stop_fd = eventfd(0, EFD_CLOEXEC);
    options.producers = producers;
    options.producer_count = SOURCES + 1;
    options.handler = handle;
    options.pool = &pool;
    options.stop_fd = stop_fd;
    helper_start(&stopper, stop_at_some_time, &stopper_seed);
    status = weir_run(&options, &outcome);
    helper_join(&stopper);
    ck_assert_int_ne(status, WEIR_OK); /* the queue is never closed */
    ck_assert_int_eq(outcome.status, status);
    ck_assert(weir_ledger_balances(&outcome.ledger));
    ck_assert_uint_eq(outcome.ledger.queued + outcome.ledger.running +
                          outcome.ledger.retrying + outcome.ledger.overdue,
                      0);
    for (int i = 0; i < SOURCES; i++)
        ck_assert_int_eq(atomic_load(&sources[i].closed), 1);
    ck_assert_uint_eq(weir_queue_unfinished(queue), weir_queue_count(queue));
    weir_queue_destroy(queue);
    close(stop_fd);
}

START_TEST(runs_that_end_in_every_way_lose_nothing)
{
    unsigned seed = (unsigned)_i + 1;

    for (int i = 0; i < 400 / test_slowness(); i++)
        run_random(&seed);
}
END_TEST

/* ---------------------------------------------------------- a very long run */

enum part { WHOLE, RESIDENT };

/* This process's memory now, in kB. */
static long memory_kb(enum part part)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size, resident;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return (part == WHOLE ? size : resident) * (sysconf(_SC_PAGESIZE) / 1024);
}

struct sum {
    atomic_uint_fast64_t total;
    atomic_long early_kb, late_kb;
    uint64_t count;
};

static int add_up(weir_task *task, void *item)
{
    struct sum *sum = weir_task_context(task);
    uint64_t number = *(uint64_t *)item;

    atomic_fetch_add(&sum->total, number);
    if (number == sum->count / 10)
        atomic_store(&sum->early_kb, memory_kb(RESIDENT));
    if (number == sum->count)
        atomic_store(&sum->late_kb, memory_kb(RESIDENT));
    return 0;
}

START_TEST(a_million_items_leave_the_memory_where_it_was)
{
    struct sum sum = {.count = 1000000 / (uint64_t)test_slowness()};
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    weir_report outcome = WEIR_REPORT_INIT;
    weir_producer range;
    const weir_producer *producers[] = {&range};

    ck_assert_int_eq(weir_producer_range(&range, 1, sum.count), WEIR_OK);
    pool.queue_capacity = 16;
    pool.context = &sum;
    options.producers = producers;
    options.producer_count = 1;
    options.handler = add_up;
    options.pool = &pool;
    ck_assert_int_eq(weir_run(&options, &outcome), WEIR_OK);
    ck_assert_uint_eq(outcome.ledger.done, sum.count);
    ck_assert_uint_eq(atomic_load(&sum.total), sum.count * (sum.count + 1) / 2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* Of 900 000 items, a byte each would show.  A sanitizer's own memory
     * grows. */
    ck_assert_int_lt(atomic_load(&sum.late_kb) - atomic_load(&sum.early_kb),
                     512);
#endif
}
END_TEST

/* What is not joined or closed adds up. */
START_TEST(many_runs_leave_nothing_behind)
{
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_producer range;
    const weir_producer *producers[] = {&range};
    struct sum sum = {.count = 0};
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    long early_kb = 0;

    pool.context = &sum;
    options.producers = producers;
    options.producer_count = 1;
    options.handler = add_up;
    options.pool = &pool;
    options.stop_fd = eventfd(0, EFD_CLOEXEC);
    for (int i = 0; i < 500; i++) {
        ck_assert_int_eq(weir_producer_range(&range, 1, 1), WEIR_OK);
        ck_assert_int_eq(weir_run(&options, NULL), WEIR_OK);
        if (i == 100)
            early_kb = memory_kb(WHOLE);
    }
    /* The stacks of 400 threads would be more. */
    ck_assert_int_lt(memory_kb(WHOLE) - early_kb, 1 << 20);
    ck_assert_int_eq(dup(options.stop_fd), options.stop_fd + 1);
}
END_TEST

int main(void)
{
    const TTest *const ends[] = {runs_that_end_in_every_way_lose_nothing, NULL};
    const TTest *const lengths[] = {
        a_million_items_leave_the_memory_where_it_was,
        many_runs_leave_nothing_behind, NULL};
    const struct chapter chapters[] = {{"ends", ends, NULL, NULL, 8, 0},
                                       {"length", lengths, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("run: stress", chapters);
}
