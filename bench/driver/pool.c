/* SPDX-License-Identifier: MIT */
/* pool.c - work for a pool: empty tasks, submitted by one thread. */
#include <stdatomic.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "pool_contender.h"

/* What each worker has seen, on cache lines of its own. */
static struct seen {
    uint64_t tasks, sum, hash;
} __attribute__((aligned(128))) seen[WORK_MOST_THREADS];

/* Numbers begin again with each run: a thread may outlive its pool. */
static unsigned run;
static atomic_uint workers_known;
static _Thread_local struct {
    unsigned run, number;
} badge;

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
    if (work->kind != WORK_TASKS)
        return "a pool, not a queue";
    if (work->producers > 1)
        return "one submitter only";
    if (!pool_contender.bounded && work->capacity < DRIVER_AMPLE_CAPACITY)
        return "unbounded";
    return NULL;
}

void pool_task(unsigned worker, uint64_t item)
{
    seen[worker].tasks++;
    seen[worker].sum += item;
    seen[worker].hash ^= item * WORK_HASH;
}

unsigned pool_worker(void)
{
    if (badge.run != run) {
        badge.run = run;
        badge.number = atomic_fetch_add(&workers_known, 1);
        if (badge.number >= WORK_MOST_THREADS)
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

void driver_run(const struct work *work, struct result *out)
{
    struct part part = {.run = submit_all, .work = work, .count = work->items};

    for (size_t i = 0; i < WORK_MOST_THREADS; i++)
        seen[i] = (struct seen){0, 0, 0};
    run++;
    atomic_store(&workers_known, 0);
    part.queue = pool_contender.start(work->consumers, work->capacity);
    if (!part.queue)
        contender_failed("the pool did not start");
    crew_run(&part, 1, out);
    for (size_t i = 0; i < WORK_MOST_THREADS; i++) {
        out->items += seen[i].tasks;
        out->sum += seen[i].sum;
        out->hash ^= seen[i].hash;
    }
    pool_contender.destroy(part.queue);
}
