/* SPDX-License-Identifier: MIT */
/* crew.h - threads that start together, and what they cost. */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <stddef.h>
#include <stdint.h>

#include "work.h"

/* What came out of one piece of work. */
struct result {
    uint64_t wall_ns;                 /* from the first start to the last end */
    uint64_t cpu_ns;                  /* of all threads */
    uint64_t switches;                /* of contexts, voluntary or not */
    uint64_t items;                   /* that came out at the other end */
    uint64_t sum;                     /* of their first words */
    uint64_t hash;                    /* of their last words, see WORK_HASH */
    uint64_t p50_ns, p99_ns, p999_ns; /* timed work: how late they were */
    uint64_t max_ns;                  /* the latest of them */
};

/* One thread's part.  Written by its thread alone while it runs; on cache lines
 * of its own. */
struct part {
    void (*run)(struct part *part);
    const struct work *work;
    void *queue, *answers; /* answers: WORK_PINGPONG only */
    uint64_t first, count; /* which items, or how many */
    uint64_t start_ns;     /* when time begins; see crew_run */
    unsigned turn;         /* 0 to count - 1; crew_run sets it */
    uint64_t *late_ns;     /* WORK_PACED: room for `count` of them, or NULL */
    uint64_t items, sum, hash;
    uint64_t began_ns, ended_ns;
} __attribute__((aligned(128)));

/* Nanoseconds of the monotonic clock. */
uint64_t crew_now_ns(void);

/* Sleeps until then; at once if that is past. */
void crew_sleep_until(uint64_t at_ns);

/* What all threads but the one that asks have cost until now. */
struct crew_usage {
    uint64_t cpu_ns, switches;
};
struct crew_usage crew_others(void);

/* Sorts what was late; p50_ns and its fellows of it. */
void crew_lateness(uint64_t *late_ns, size_t count, struct result *out);

/* Starts a thread for each part, bound to the processors in turns if the work
 * says so, lets them all go at once, waits for their ends and adds up what they
 * did.  part->start_ns is 1 ms after that. */
void crew_run(struct part *parts, size_t count, struct result *out);

/* Counts an item of `words` words as come out. */
static inline void
part_take(struct part *part, const uint64_t *item, size_t words)
{
    part->items++;
    part->sum += item[0];
    part->hash ^= item[words - 1] * WORK_HASH;
}

#endif /* BENCH_CREW_H */
