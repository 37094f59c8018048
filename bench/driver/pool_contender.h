/* SPDX-License-Identifier: MIT */
/* pool_contender.h - what a pool must answer to take part. */
#ifndef BENCH_POOL_CONTENDER_H
#define BENCH_POOL_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pool_contender {
    const char *name;
    const char *(*version)(void);                      /* NULL: it has none */
    bool bounded;                                      /* else no waiting */
    void *(*start)(unsigned workers, size_t capacity); /* NULL: it cannot */
    /* Has pool_task(worker, item) called on some worker; waits for room. */
    void (*submit)(void *pool, uint64_t item);
    void (*finish)(void *pool); /* waits until all of them have run */
    void (*destroy)(void *pool);
    /* Takes back what has run; nothing is out.  NULL: there is nothing to. */
    void (*reap)(void *pool);
    /* As start, of tasks that are told to end so long after their start: each
     * calls pool_due on its worker, after pool_task, and pool_settled wherever
     * its pool says that the time is over.  NULL: its tasks have no deadline.
     */
    void *(*start_timed)(unsigned workers, size_t capacity, uint64_t span_ns);
    bool computes_only;  /* no queue: it takes part in WORK_COMPUTES alone */
    bool outlives_exits; /* a worker whose thread a task ends is replaced */
    bool only_empty;     /* it takes part where tasks are empty, no more */
};

/* Each adapter defines it. */
extern const struct pool_contender pool_contender;

/* The task.  `worker` is below WORK_MOST_WORKERS, and no two threads use the
 * same at once.  Where outlives_exits is set it may not return. */
void pool_task(unsigned worker, uint64_t item);

/* A number for the worker that calls it, where the pool has none. */
unsigned pool_worker(void);

/* The moment, of the monotonic clock, at which an item's time is over; and that
 * its pool has found it so. */
void pool_due(uint64_t item, uint64_t at_ns);
void pool_settled(uint64_t item);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_POOL_CONTENDER_H */
