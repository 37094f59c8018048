/* SPDX-License-Identifier: MIT */
/*
 * driver.h - the program around a contender.
 *
 * driver.c has main(): it reads the work, does it and prints the line.  What
 * the work is done with is one of queue.c (for a struct contender) and pool.c
 * (for a struct pool_contender), which define the functions below.
 */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <stdbool.h>

#include "crew.h"
#include "work.h"

/* What is unbounded takes part from this capacity on, for there the bound is
 * hardly ever reached. */
enum { DRIVER_AMPLE_CAPACITY = 1024 };

struct driver_about {
    const char *name, *version;
    bool bounded, batches;
};

struct driver_about driver_about(void);

/* Why this one cannot do that work; NULL: it can. */
const char *driver_why_not(const struct work *work);

/* Does the work once. */
void driver_run(const struct work *work, struct result *out);

/* Of paced.c: sends at intended times, and measures how late items arrive. */
void paced_run(const struct work *work, void *queue, struct result *out);

#endif /* BENCH_DRIVER_H */
