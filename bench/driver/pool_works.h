/* SPDX-License-Identifier: MIT */
/* pool_works.h - what is asked of a pool besides empty tasks. */
#ifndef BENCH_POOL_WORKS_H
#define BENCH_POOL_WORKS_H

#include "crew.h"
#include "work.h"

/* The item of a task that holds its worker up. */
#define POOL_HOLDS UINT64_C(0xFFFFFFFFFFFF)

/* Why the contender cannot do it; NULL: it can. */
const char *pool_works_why_not(enum work_kind kind);

/* Makes ready for a work, which the submitter's `run` then does. */
struct pool_work {
    void (*run)(struct part *part); /* NULL: submit all, and finish */
    /* In a task, before it is noted; POOL_HOLDS is none of those that count. */
    void (*begin)(uint64_t item);
    bool ends_thread; /* each task, once it is noted */
};
const struct pool_work *pool_works_open(const struct work *work);

/* A task has been noted: all of it is done but ending. */
void pool_works_ran(void);

/* Adds what was measured, and gives the memory back. */
void pool_works_close(const struct work *work, struct result *out);

#endif /* BENCH_POOL_WORKS_H */
