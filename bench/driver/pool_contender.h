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
};

/* Each adapter defines it. */
extern const struct pool_contender pool_contender;

/* The empty task.  `worker` is below WORK_MOST_THREADS, and no two threads use
 * the same at once. */
void pool_task(unsigned worker, uint64_t item);

/* A number for the worker that calls it, where the pool has none. */
unsigned pool_worker(void);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_POOL_CONTENDER_H */
