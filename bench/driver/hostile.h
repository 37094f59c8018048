/* SPDX-License-Identifier: MIT */
/* hostile.h - what a pool must answer to be asked about hostile tasks. */
#ifndef BENCH_HOSTILE_H
#define BENCH_HOSTILE_H

#include <stdbool.h>

struct hostile_pool {
    const char *name;                 /* as its makers call it */
    const char *(*version)(void);     /* NULL: it has none */
    void *(*start)(unsigned workers); /* NULL: it cannot, or not again */
    /* Has task(arg) called on some worker.  Whether it says so. */
    bool (*submit)(void *pool, void (*task)(void *arg), void *arg);
    /* Waits until all has run, and ends it.  Returns what it says of that;
     * NULL: nothing. */
    const char *(*end)(void *pool);
    /* Puts 1, 2, 3 into a queue, closes it and gets until there is no more.
     * Returns how many came out.  NULL: it has none that can be closed. */
    unsigned (*close_queue)(void);
};

/* Each adapter defines it. */
extern const struct hostile_pool hostile_pool;

#endif /* BENCH_HOSTILE_H */
