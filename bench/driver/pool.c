/* SPDX-License-Identifier: MIT */
/* pool.c - work for a pool: empty tasks, submitted by one thread. */
#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "pool_contender.h"

/* What each worker has seen, on cache lines of its own. */
static struct seen {
    uint64_t tasks, sum, hash;
} __attribute__((aligned(128))) seen[WORK_MOST_THREADS];

struct driver_about driver_about(void)
{
    return (struct driver_about){pool_contender.name,
                                 pool_contender.version
                                     ? pool_contender.version()
                                     : "",
                                 true, false};
}

const char *driver_why_not(const struct work *work)
{
    if (work->kind != WORK_TASKS)
        return "a pool, not a queue";
    return work->producers > 1 ? "one submitter only" : NULL;
}

void pool_task(unsigned worker, uint64_t item)
{
    seen[worker].tasks++;
    seen[worker].sum += item;
    seen[worker].hash ^= item * WORK_HASH;
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
