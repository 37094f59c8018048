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
    VARY_SPAN, /* milliseconds */
    VARY_WORK, /* microseconds of computing */
    VARIES
};

enum { SHAPE_BASE = 1000 };

struct bench {
    const char *name;
    const char *question;
    enum work_kind kind;
    struct values vary[VARIES]; /* by default; empty: cannot be varied */
    uint64_t items;             /* at most, a round */
    uint64_t rate;              /* items a second; 0: none, or by load */
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

/* What one round answers, for each item (but of WORK_IDLE: for the round). */
enum figure {
    FIGURE_WALL_NS,
    FIGURE_CPU_NS,
    FIGURE_SWITCHES,
    FIGURE_OVER_NS, /* of the round, WORK_SLEEPS only: beyond the sleeping */
    FIGURE_P50_NS,  /* these four: of all items, timed work only */
    FIGURE_P99_NS,
    FIGURE_P999_NS,
    FIGURE_MAX_NS,
    FIGURES
};

/* One of the figures that are shown of each row. */
struct column {
    enum figure figure;
    const char *name; /* with its unit */
    double unit;      /* it is divided by that */
    int decimals;
};

/* The first is what the bench is about: rows are ordered by it. */
struct columns {
    struct column of[3];
};
const struct columns *bench_columns(enum work_kind kind);

#endif /* BENCH_BENCH_H */
