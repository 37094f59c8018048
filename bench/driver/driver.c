/* SPDX-License-Identifier: MIT */
/* driver.c - a contender's main(): work in, one line of JSON out. */
#include "driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"

/* What is done first and not measured: so many times less. */
enum { WARM_UP = 16 };

void contender_failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", driver_about().name, what);
    exit(1);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: about, or KIND PRODUCERS CONSUMERS CAPACITY ITEM_SIZE "
            "BATCH ITEMS RATE BOUND SPAN_US\nthis is one contender; "
            "weir-bench runs them\n");
    return 2;
}

static bool
read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *out >= least &&
           *out <= most;
}

static bool read_work(char *const *argv, struct work *out)
{
    static const uint64_t most[WORK_ARGUMENTS] = {
        0,          WORK_MOST_THREADS, WORK_MOST_WORKERS,
        UINT32_MAX, WORK_MOST_BYTES,   WORK_MOST_BATCH,
        UINT32_MAX, UINT32_MAX,        1,
        UINT32_MAX};
    static const uint64_t least[WORK_ARGUMENTS] = {0, 1, 1, 1, 8,
                                                   1, 1, 0, 0, 0};
    uint64_t n[WORK_ARGUMENTS] = {0};
    int kind = 0;

    while (kind < WORK_KINDS &&
           strcmp(argv[0], work_kind_name((enum work_kind)kind)) != 0)
        kind++;
    if (kind == WORK_KINDS)
        return false;
    for (int i = 1; i < WORK_ARGUMENTS; i++)
        if (!read_number(argv[i], least[i], most[i], &n[i]))
            return false;
    *out = (struct work){(enum work_kind)kind,
                         (unsigned)n[1],
                         (unsigned)n[2],
                         n[3],
                         n[4],
                         n[5],
                         n[6],
                         n[7],
                         n[8] == 1,
                         n[9]};
    return work_is_item_size(out->item_size) &&
           out->items % out->producers == 0 &&
           out->items % out->consumers == 0 &&
           (out->rate > 0 || !work_is_timed(out->kind) ||
            out->kind >= WORK_DEADLINES) &&
           (out->kind >= WORK_TASKS || out->consumers <= WORK_MOST_THREADS);
}

/* Pages are touched and caches filled before it counts. */
static void warm_up(struct work work)
{
    struct result ignored;
    uint64_t whole = (uint64_t)work.producers * work.consumers * work.batch;

    if (work.kind == WORK_PACED)
        work.kind = WORK_PASS;
    if (work.kind == WORK_IDLE)
        work.span_us = 0;
    work.items = work.items / WARM_UP / whole * whole;
    if (work.items > 0)
        driver_run(&work, &ignored);
}

static void print_result(const struct work *work, const struct result *r)
{
    printf("{\"wall_ns\":%" PRIu64 ",\"cpu_ns\":%" PRIu64
           ",\"switches\":%" PRIu64 ",\"items\":%" PRIu64 ",\"sum\":%" PRIu64
           ",\"xor\":%" PRIu64,
           r->wall_ns, r->cpu_ns, r->switches, r->items, r->sum, r->hash);
    if (work_is_timed(work->kind))
        printf(",\"p50_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64
               ",\"p999_ns\":%" PRIu64 ",\"max_ns\":%" PRIu64,
               r->p50_ns, r->p99_ns, r->p999_ns, r->max_ns);
    printf("}\n");
}

int main(int argc, char **argv)
{
    struct driver_about about = driver_about();
    const char *why_not;
    struct work work;
    struct result result;

    if (argc == 2 && strcmp(argv[1], "about") == 0) {
        printf("{\"name\":\"%s\",\"version\":\"%s\",\"bounded\":%s,"
               "\"batches\":%s}\n",
               about.name, about.version, about.bounded ? "true" : "false",
               about.batches ? "true" : "false");
        return 0;
    }
    if (argc != 1 + WORK_ARGUMENTS || !read_work(argv + 1, &work))
        return usage();
    why_not = driver_why_not(&work);
    if (why_not) {
        printf("{\"absent\":\"%s\"}\n", why_not);
        return WORK_ABSENT;
    }
    warm_up(work);
    driver_run(&work, &result);
    print_result(&work, &result);
    return 0;
}
