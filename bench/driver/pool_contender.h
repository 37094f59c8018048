/* SPDX-License-Identifier: MIT */
/* pool_contender.h - what a pool must answer to take part. */
#ifndef BENCH_POOL_CONTENDER_H
#define BENCH_POOL_CONTENDER_H

#include <stddef.h>
#include <stdint.h>

struct pool_contender {
    const char *name;
    const char *(*version)(void);                      /* NULL: it has none */
    void *(*start)(unsigned workers, size_t capacity); /* NULL: it cannot */
    /* Has pool_task(worker, item) called on some worker; waits for room. */
    void (*submit)(void *pool, uint64_t item);
    void (*finish)(void *pool); /* waits until all of them have run */
    void (*destroy)(void *pool);
};

/* Each adapter defines it. */
extern const struct pool_contender pool_contender;

/* The empty task.  `worker` is below the number of workers, and no two threads
 * use the same at once. */
void pool_task(unsigned worker, uint64_t item);

#endif /* BENCH_POOL_CONTENDER_H */
