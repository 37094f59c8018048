/* SPDX-License-Identifier: MIT */
/*
 * work.c - a billion tasks through a pool of 1024 places.
 *
 * THE IDEA
 *
 * A source makes the next number when it is asked, and not before: the tasks
 * never lie anywhere but in the pool.  There is one for each producer, with an
 * equal share of the numbers.  Each worker adds up what its handler is given,
 * on cache lines of its own; what all have seen together must be the numbers 1
 * to `tasks`, once each: their count, their sum, and the exclusive or of their
 * hashes.
 *
 * MEMORY
 *
 * The program's code is made resident before anything else (memory.c).
 * Resident memory is looked at by the sources themselves, while the pool and
 * all threads are at work: first when source 0 has made its part of the
 * warm-up and every worker has had a task, so that each stack and every place
 * of the queue has been touched; last when the last source is asked for more
 * and has none.  In between the thread that waits for the end looks twice a
 * second; from its first look on, the most is kept.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <weir.h>

#include "../driver/work.h"
#include "billion.h"

/* Of the warm-up: at most so many tasks, at least a part of all. */
enum { MOST_WARM_UP = 1000000, WARM_UP_PART = 10 };

#define LOOK_NS INT64_C(500000000)

/* What each worker has seen; it alone writes. */
struct seen {
    _Atomic uint64_t tasks;
    uint64_t sum, hash;
} __attribute__((aligned(128)));

/* Where tasks come from; one producer asks it. */
struct source {
    _Atomic uint64_t next; /* others read it */
    uint64_t last;
    uint64_t mark; /* the number at which it looks at memory; 0: never */
    weir_status status;
} __attribute__((aligned(128)));

static struct passing {
    const struct order *order;
    struct delivery *out;
    weir_pool *pool;
    struct source sources[MOST_PRODUCERS];
    struct seen seen[MOST_WORKERS];
    atomic_uint sources_left;
    atomic_bool warm;
    sem_t over; /* the last task has been released */
    uint64_t began_ns;
} all;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t cpu_ns(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return ((uint64_t)r.ru_utime.tv_sec + (uint64_t)r.ru_stime.tv_sec) *
               1000000000 +
           ((uint64_t)r.ru_utime.tv_usec + (uint64_t)r.ru_stime.tv_usec) * 1000;
}

/* --------------------------------------------------------------- the tasks */

static void note(unsigned worker, uint64_t number)
{
    struct seen *mine = &all.seen[worker];

    atomic_store_explicit(&mine->tasks,
                          atomic_load_explicit(&mine->tasks,
                                               memory_order_relaxed) +
                              1,
                          memory_order_relaxed);
    mine->sum += number;
    mine->hash ^= number * WORK_HASH;
}

static int take_number(weir_task *task, void *item)
{
    note(weir_task_worker(task), (uintptr_t)item);
    return 0;
}

static int take_copy(weir_task *task, void *item)
{
    note(weir_task_worker(task), *(const uint64_t *)item);
    return 0;
}

uint64_t work_hash_of(uint64_t tasks)
{
    uint64_t hash = 0;

    for (uint64_t i = 1; i <= tasks; i++)
        hash ^= i * WORK_HASH;
    return hash;
}

static uint64_t tasks_seen(void)
{
    uint64_t tasks = 0;

    for (unsigned w = 0; w < all.order->workers; w++)
        tasks += atomic_load_explicit(&all.seen[w].tasks, memory_order_relaxed);
    return tasks;
}

/* -------------------------------------------------------------- the sources */

static bool every_worker_has_run(void)
{
    for (unsigned w = 0; w < all.order->workers; w++)
        if (atomic_load_explicit(&all.seen[w].tasks, memory_order_relaxed) == 0)
            return false;
    return true;
}

static void look_first(struct source *source, uint64_t number)
{
    source->mark = 0;
    if (!every_worker_has_run() && number < source->last) {
        source->mark = number + 1;
        return;
    }
    memory_kib(); /* so that what it needs itself is there */
    all.out->start_kib = memory_kib();
    all.out->warm_up = tasks_seen();
    atomic_store(&all.warm, true);
}

/* Called once by each source, when it has no more. */
static void look_last(void)
{
    if (atomic_fetch_sub(&all.sources_left, 1) == 1)
        all.out->end_kib = memory_kib();
}

/* False: there are no more. */
static bool make(struct source *source, uint64_t *out)
{
    uint64_t number = atomic_load_explicit(&source->next, memory_order_relaxed);

    if (number > source->last) {
        look_last();
        return false;
    }
    if (number == source->mark)
        look_first(source, number);
    *out = number;
    atomic_store_explicit(&source->next, number + 1, memory_order_relaxed);
    return true;
}

/* -------------------------------------------------------------- the ways */

static weir_status next_number(void *self, void *item)
{
    return make(self, item) ? WEIR_OK : WEIR_END;
}

static void run(weir_pool_options *pool)
{
    weir_producer producers[MOST_PRODUCERS];
    const weir_producer *asked[MOST_PRODUCERS];
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;

    for (unsigned p = 0; p < all.order->producers; p++) {
        producers[p] = (weir_producer)WEIR_PRODUCER_INIT;
        producers[p].item_size = sizeof(uint64_t);
        producers[p].next = next_number;
        producers[p].self = &all.sources[p];
        asked[p] = &producers[p];
    }
    pool->item_size = 0;
    options.producers = asked;
    options.producer_count = all.order->producers;
    options.handler = take_copy;
    options.pool = pool;
    all.sources[0].status = weir_run(&options, &report);
    all.out->ledger = report.ledger;
}

static weir_status submit_singly(struct source *source)
{
    weir_status status = WEIR_OK;
    uint64_t number;

    if (all.order->way == WAY_COPY) {
        while (!status && make(source, &number))
            status = weir_pool_submit_copy(all.pool, take_copy, &number,
                                           WEIR_FOREVER);
        return status;
    }
    while (!status && make(source, &number))
        status = weir_pool_submit(all.pool, take_number,
                                  (void *)(uintptr_t)number, WEIR_FOREVER);
    return status;
}

static weir_status submit_batches(struct source *source)
{
    weir_status status = WEIR_OK;
    void *items[BATCH];
    size_t count = BATCH;
    uint64_t number;

    while (!status && count == BATCH) {
        for (count = 0; count < BATCH && make(source, &number); count++)
            items[count] = (void *)(uintptr_t)number;
        status = weir_pool_submit_many(all.pool, take_number, items, count,
                                       NULL, WEIR_FOREVER);
    }
    return status;
}

static void *produce(void *arg)
{
    struct source *source = arg;

    source->status = all.order->way == WAY_MANY ? submit_batches(source)
                                                : submit_singly(source);
    return NULL;
}

static void submit(weir_pool_options *options)
{
    unsigned count = all.order->producers, started = 0;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_status *status = &all.sources[0].status;
    pthread_t threads[MOST_PRODUCERS];

    options->item_size =
        all.order->way == WAY_COPY ? (uint32_t)sizeof(uint64_t) : 0;
    *status = weir_pool_create(&all.pool, options);
    if (*status)
        return;
    while (started < count && !pthread_create(&threads[started], NULL, produce,
                                              &all.sources[started]))
        started++;
    for (unsigned p = 0; p < started; p++)
        pthread_join(threads[p], NULL);
    if (started < count)
        all.sources[count - 1].status = WEIR_ESYSTEM;
    else if (!*status)
        *status = weir_pool_join(all.pool, WEIR_FOREVER);
    weir_pool_read_stats(all.pool, &stats);
    all.out->ledger = stats.ledger;
    weir_pool_destroy(all.pool);
}

static void *pass(void *arg)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    (void)arg;
    options.workers = all.order->workers;
    options.queue_capacity = CAPACITY;
    if (all.order->way == WAY_RUN)
        run(&options);
    else
        submit(&options);
    all.out->wall_ns = now_ns() - all.began_ns;
    sem_post(&all.over);
    return NULL;
}

/* ------------------------------------------------------------- looking on */

static void look(void)
{
    uint64_t kib = memory_kib(), tasks = tasks_seen();
    double seconds = (double)(now_ns() - all.began_ns) / 1e9;
    bool warm = atomic_load(&all.warm);

    if (warm && kib > all.out->most_kib)
        all.out->most_kib = kib; /* this thread's alone until the end */
    if (!all.order->progress)
        return;
    fprintf(stderr,
            "\r\033[K%6.2f %%  %.1f million tasks, %.1f million/s, "
            "%llu KiB",
            (double)tasks * 100 / (double)all.order->tasks, (double)tasks / 1e6,
            seconds > 0 ? (double)tasks / seconds / 1e6 : 0,
            (unsigned long long)kib);
    if (warm)
        fprintf(stderr, " (%+lld since the warm-up)",
                (long long)(kib - all.out->start_kib));
}

/* False: the last task has been released. */
static bool wait_a_moment(uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                             .tv_nsec = (long)(until_ns % 1000000000)};

    return sem_clockwait(&all.over, CLOCK_MONOTONIC, &until) != 0;
}

static void share_out(const struct order *order)
{
    uint64_t share = order->tasks / order->producers;
    uint64_t warm_up = order->tasks / WARM_UP_PART;

    if (warm_up > MOST_WARM_UP)
        warm_up = MOST_WARM_UP;
    for (unsigned p = 0; p < order->producers; p++) {
        atomic_store(&all.sources[p].next, 1 + p * share);
        all.sources[p].last =
            p + 1 < order->producers ? (p + 1) * share : order->tasks;
    }
    all.sources[0].mark = warm_up / order->producers;
    atomic_store(&all.sources_left, order->producers);
}

bool work_pass(const struct order *order, struct delivery *out)
{
    weir_status status = WEIR_OK;
    pthread_t thread;

    memset(out, 0, sizeof(*out));
    all.order = order;
    all.out = out;
    share_out(order);
    memory_settle();
    all.began_ns = now_ns();
    if (sem_init(&all.over, 0, 0) ||
        pthread_create(&thread, NULL, pass, NULL)) {
        fprintf(stderr, "billion: no memory for a thread\n");
        return false;
    }
    do
        look();
    while (wait_a_moment(now_ns() + LOOK_NS));
    pthread_join(thread, NULL);
    out->cpu_ns = cpu_ns();
    if (order->progress)
        fprintf(stderr, "\r\033[K");
    sem_destroy(&all.over);
    for (unsigned p = 0; p < order->producers && !status; p++)
        status = all.sources[p].status;
    if (status)
        fprintf(stderr, "billion: %s: %s\n", way_name(order->way),
                weir_status_text(status));
    for (unsigned w = 0; w < order->workers; w++) {
        out->items += all.seen[w].tasks;
        out->sum += all.seen[w].sum;
        out->hash ^= all.seen[w].hash;
    }
    if (out->most_kib < out->end_kib)
        out->most_kib = out->end_kib;
    if (out->most_kib < out->start_kib)
        out->most_kib = out->start_kib;
    return !status;
}
