/* SPDX-License-Identifier: MIT */
/*
 * billion.h - more tasks than fit, made when asked for, in memory that stays.
 *
 * main.c reads the command line and says what came out, work.c passes the
 * tasks, memory.c looks at what is resident.
 */
#ifndef BENCH_BILLION_H
#define BENCH_BILLION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/pool.h>

enum {
    MOST_PRODUCERS = 16,
    MOST_WORKERS = 64,
    CAPACITY = 1024, /* of the pool's queue */
    BATCH = 64,      /* tasks that submit_many is given at once */
    LEAST_TASKS = 10000
};

/* How tasks come into the pool.  The first is what one gets without asking. */
enum way {
    WAY_MANY,   /* weir_pool_submit_many, of BATCH, in a loop */
    WAY_SUBMIT, /* weir_pool_submit in a loop */
    WAY_COPY,   /* weir_pool_submit_copy in a loop */
    WAY_RUN,    /* weir_run asks producers */
    WAYS
};
const char *way_name(enum way way);     /* on the command line */
const char *way_sentence(enum way way); /* what it does */

struct order {
    enum way way;
    unsigned producers, workers;
    uint64_t tasks; /* the numbers 1 to `tasks` */
    bool progress;  /* shown on standard error, twice a second */
};

struct delivery {
    uint64_t wall_ns, cpu_ns;
    uint64_t warm_up; /* tasks made when memory was looked at first */
    uint64_t start_kib, end_kib, most_kib;
    uint64_t items, sum, hash; /* of what the handlers were given */
    weir_ledger ledger;
};

/* Passes all of it.  False: it was said on standard error why not. */
bool work_pass(const struct order *order, struct delivery *out);

/* Of the numbers 1 to `tasks`, as in driver/work.h. */
uint64_t work_hash_of(uint64_t tasks);

/* Makes the program's own code resident, used or not. */
void memory_settle(void);

/* KiB of this process that are resident now.  Allocates nothing. */
uint64_t memory_kib(void);

#endif /* BENCH_BILLION_H */
