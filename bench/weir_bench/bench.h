/* SPDX-License-Identifier: MIT */
/* bench.h - the questions, and the works that answer each. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../driver/work.h"

enum { MOST_VALUES = 16, MOST_WORKS = 512 };

/* A list of values for one thing that a bench varies; empty: not said. */
struct values {
    uint64_t of[MOST_VALUES];
    size_t count;
};

/* What a bench varies.  A shape is producers * 1000 + consumers. */
enum vary {
    VARY_SHAPE,
    VARY_WORKERS,
    VARY_ITEM,
    VARY_CAPACITY,
    VARY_BATCH,
    VARY_LOAD,
    VARIES
};

enum { SHAPE_BASE = 1000 };

struct bench {
    const char *name;
    const char *question;
    enum work_kind kind;
    struct values vary[VARIES]; /* by default; empty: cannot be varied */
    uint64_t items;             /* at most, a round */
    bool taken;                 /* another process takes a processor */
    bool bound;                 /* threads are, to processors in turns */
};

/* NULL: no such bench, or no more. */
const struct bench *bench_find(const char *name);
const struct bench *bench_at(size_t index);

/* One work of a bench, with all that it may have asked for. */
struct bench_work {
    struct work work; /* its rate is filled in by whoever knows it */
    unsigned load;    /* percent of the textbook's throughput; 0: no rate */
    bool taken;
    char label[64]; /* 2P2C, 64 bytes, capacity 1 */
};

/*
 * Every combination of the values, `asked` before the bench's own where there
 * are any; `items` 0: the bench's.  Returns how many; MOST_WORKS at most.
 */
size_t
bench_works(const struct bench *bench, const struct values *asked,
            uint64_t items, bool taken, bool bound, struct bench_work *out);

/* Rounds `items` so that producers and consumers share them evenly. */
void bench_share_out(struct work *work, uint64_t items);

/* What of a round is compared: the figure's name and unit. */
const char *bench_figure(const struct bench *bench);

#endif /* BENCH_BENCH_H */
