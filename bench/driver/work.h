/* SPDX-License-Identifier: MIT */
/*
 * work.h - one piece of work, as weir-bench orders it and contenders do it.
 *
 * A contender is a program, in whatever language, that is called in one of two
 * ways and prints one line of JSON (bench/README.md has the fields):
 *
 *   glib about
 *   glib pass 2 2 1024 8 1 1048576 0 1 0
 *        KIND PRODUCERS CONSUMERS CAPACITY ITEM_SIZE BATCH ITEMS RATE BOUND
 *        SPAN_US
 *
 * It exits with 0; with WORK_ABSENT and {"absent":"why"} if that work makes no
 * sense for it; with anything else if it has failed.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum work_kind {
    WORK_PASS,     /* as many items as possible, through one queue */
    WORK_PINGPONG, /* to another thread and back, through two queues */
    WORK_PACED,    /* item k is sent k / rate seconds after the start */
    /* For pools, tasks by one submitter: */
    WORK_TASKS,     /* empty ones, as many as possible */
    WORK_SUBMIT,    /* empty ones, while every worker is held up */
    WORK_START,     /* one at a time, on time: how late do they start? */
    WORK_BEHIND,    /* bursts of WORK_BURST with a long one among them */
    WORK_SLEEPS,    /* each sleeps `span` */
    WORK_EXITS,     /* each ends its thread */
    WORK_DEADLINES, /* each overstays its deadline, `span` after its start */
    WORK_IDLE,      /* empty ones, and then none for `span` */
    WORK_COMPUTES,  /* each computes `rate` steps: about `span` */
    /* For what comes back from a pool, or goes through several stages: */
    WORK_STREAM, /* items there, and read again; capacity: on their way */
    WORK_UNEVEN, /* the same, and one in WORK_UNEVEN_ONE_IN sleeps `span` */
    WORK_STAGES, /* through three stages, the middle one by all workers */
    /* For semaphores: */
    WORK_PERMITS, /* threads that pass one; capacity: permits */
    /* For workers that are processes: */
    WORK_REMOTE,  /* items there, and back as results; each computes `span` */
    WORK_CRASHES, /* each after one that crashed: how late is it done? */
    WORK_KILLS,   /* each overstays its deadline, `span` after its start, and
                     does not listen: how late has it ended? */
    WORK_KINDS
};

/* Number k of a burst of WORK_BEHIND is the long one if k modulo WORK_BURST is
 * WORK_LONG: it sleeps `span`. */
enum { WORK_BURST = 64, WORK_LONG = 8, WORK_UNEVEN_ONE_IN = 100 };

enum {
    WORK_ARGUMENTS = 10,      /* KIND and what follows it */
    WORK_ABSENT = 3,          /* exit status: not work for this one */
    WORK_MOST_THREADS = 256,  /* on each side of a queue */
    WORK_MOST_WORKERS = 1024, /* of a pool */
    WORK_MOST_BATCH = 256,
    WORK_MOST_WORDS = 32, /* of eight bytes, in an item */
    WORK_MOST_BYTES = 256,
    WORK_REMOTE_WORDS = 8 /* in an item for a process */
};

/* The items are the numbers 1 to `items`. */
struct work {
    enum work_kind kind;
    unsigned producers;
    unsigned consumers; /* or workers; these two divide `items` */
    size_t capacity;
    size_t item_size; /* bytes: 8, 16, 32, 64, 128 or 256 */
    size_t batch;     /* items per call; divides each producer's share */
    uint64_t items;
    uint64_t rate;    /* items a second; WORK_PACED, _START, _BEHIND only;
                         steps in each of WORK_COMPUTES */
    bool bound;       /* each thread to a processor, in turns */
    uint64_t span_us; /* see the kinds; 0: they have none */
};

/* "pass", "pingpong", ... */
static inline const char *work_kind_name(enum work_kind kind)
{
    static const char *const names[WORK_KINDS] = {
        "pass",    "pingpong", "paced",   "tasks",  "submit",
        "start",   "behind",   "sleeps",  "exits",  "deadlines",
        "idle",    "computes", "stream",  "uneven", "stages",
        "permits", "remote",   "crashes", "kills"};

    return names[kind];
}

static inline bool work_is_for_processes(enum work_kind kind)
{
    return kind >= WORK_REMOTE;
}

static inline bool work_is_for_pools(enum work_kind kind)
{
    return kind >= WORK_TASKS && kind < WORK_STREAM;
}

static inline bool work_is_for_flow(enum work_kind kind)
{
    return kind >= WORK_STREAM && kind < WORK_PERMITS;
}

/* How late each item was is part of the answer. */
static inline bool work_is_timed(enum work_kind kind)
{
    return kind == WORK_PACED || kind == WORK_START || kind == WORK_BEHIND ||
           kind == WORK_DEADLINES || kind == WORK_CRASHES || kind == WORK_KILLS;
}

/* Sizes of items that there are: powers of two. */
static inline bool work_is_item_size(uint64_t bytes)
{
    return bytes >= 8 && bytes <= WORK_MOST_BYTES && (bytes & (bytes - 1)) == 0;
}

/*
 * What a task of WORK_COMPUTES does: each step waits for the one before, so it
 * takes as long on every processor of one kind, whatever its caches hold; and
 * two steps cannot be made into one.  The result must be made use of.
 */
static inline uint64_t work_compute(uint64_t number, uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++)
        number = (number ^ number >> 29) * UINT64_C(6364136223846793005);
    return number;
}

/* What is summed up by exclusive or: the last word of each item, times this.
 * The first word goes into the plain sum, so that an item torn in two shows. */
#define WORK_HASH UINT64_C(0x9E3779B97F4A7C15)

#endif /* BENCH_WORK_H */
