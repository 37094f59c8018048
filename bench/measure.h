/* SPDX-License-Identifier: MIT */
/* measure.h - contenders that take turns at the same work. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One piece of work: `count` items or tasks with so many threads. */
struct work {
    const char *name;
    unsigned producers, consumers;
    uint64_t count;
};

/* Does the work and returns the sum of the numbers 1 to count as it came out
 * at the other end; UINT64_MAX: it could not be done. */
typedef uint64_t contend(const struct work *work);

struct contender {
    const char *name; /* NULL ends the list */
    contend *run;
};

struct bench {
    const char *question;
    const struct contender *contenders; /* the last is what they are compared
                                           with */
    const struct work *works;           /* a NULL name ends the list */
};

/*
 * Runs every contender at every work, seven times in turns, and prints the
 * median, least and most nanoseconds for one item, and how many times as fast
 * as the last contender that is.  A wrong sum is an error, not a row.
 *
 * Returns what main returns.  "--smoke" does a small part of the work, once.
 */
int measure(const struct bench *bench, int argc, char **argv);

#endif /* BENCH_MEASURE_H */
