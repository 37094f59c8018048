/* SPDX-License-Identifier: MIT */
/* pool.c - work for a pool, submitted by one thread. */
#include <pthread.h>
#include <stdatomic.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "pool_contender.h"
#include "pool_works.h"

/* What each worker has seen, on cache lines of its own. */
static struct seen {
    uint64_t tasks, sum, hash;
} __attribute__((aligned(128))) seen[WORK_MOST_WORKERS];

/* Numbers begin again with each run: a thread may outlive its pool. */
static unsigned run;
static atomic_uint workers_known;
static _Thread_local struct {
    unsigned run, number;
} badge;

static const struct pool_work *doing; /* NULL: empty tasks */

struct driver_about driver_about(void)
{
    return (struct driver_about){pool_contender.name,
                                 pool_contender.version
                                     ? pool_contender.version()
                                     : "",
                                 pool_contender.bounded, false};
}

const char *driver_why_not(const struct work *work)
{
    if (!work_is_for_pools(work->kind))
        return "a pool, not a queue";
    if (pool_contender.computes_only && work->kind != WORK_COMPUTES)
        return "threads without a queue";
    if (work->producers > 1)
        return "one submitter only";
    if (!pool_contender.bounded && work->capacity < DRIVER_AMPLE_CAPACITY)
        return "unbounded";
    if (pool_contender.only_empty && work->kind != WORK_TASKS)
        return "asked about empty tasks only";
    return pool_works_why_not(work->kind);
}

static void note(struct seen *mine, uint64_t item)
{
    mine->tasks++;
    mine->sum += item;
    mine->hash ^= item * WORK_HASH;
}

void pool_task(unsigned worker, uint64_t item)
{
    if (!doing) {
        note(&seen[worker], item);
        return;
    }
    if (doing->begin)
        doing->begin(item);
    if (item != POOL_HOLDS)
        note(&seen[worker], item);
    pool_works_ran();
    if (doing->ends_thread && item != POOL_HOLDS)
        pthread_exit(NULL);
}

unsigned pool_worker(void)
{
    if (badge.run != run) {
        badge.run = run;
        badge.number = atomic_fetch_add(&workers_known, 1);
        if (badge.number >= WORK_MOST_WORKERS)
            contender_failed("more workers than there should be");
    }
    return badge.number;
}

static void submit_all(struct part *part)
{
    for (uint64_t i = 1; i <= part->count; i++)
        pool_contender.submit(part->queue, i);
    pool_contender.finish(part->queue);
}

static void *start(const struct work *work)
{
    if (work->kind == WORK_DEADLINES)
        return pool_contender.start_timed(work->consumers, work->capacity,
                                          work->span_us * 1000);
    return pool_contender.start(work->consumers, work->capacity);
}

void driver_run(const struct work *work, struct result *out)
{
    struct part part = {.run = submit_all, .work = work, .count = work->items};

    for (size_t i = 0; i < WORK_MOST_WORKERS; i++)
        seen[i] = (struct seen){0, 0, 0};
    run++;
    atomic_store(&workers_known, 0);
    doing = work->kind == WORK_TASKS ? NULL : pool_works_open(work);
    if (doing && doing->run)
        part.run = doing->run;
    part.queue = start(work);
    if (!part.queue)
        contender_failed("the pool did not start");
    crew_run(&part, 1, out);
    for (size_t i = 0; i < WORK_MOST_WORKERS; i++) {
        out->items += seen[i].tasks;
        out->sum += seen[i].sum;
        out->hash ^= seen[i].hash;
    }
    pool_contender.destroy(part.queue);
    if (doing)
        pool_works_close(work, out);
}
