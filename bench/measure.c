/* SPDX-License-Identifier: MIT */
/* measure.c - see measure.h. */
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, MOST_CONTENDERS = 8 };

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Nanoseconds an item; below 0: the sum was wrong. */
static double
run_once(const struct contender *contender, const struct work *work)
{
    double start = now_ns();
    uint64_t sum = contender->run(work);
    double took = now_ns() - start;

    if (sum != work->count * (work->count + 1) / 2) {
        fprintf(stderr, "%s, %s: the sum is %" PRIu64 ", which is WRONG\n",
                contender->name, work->name, sum);
        return -1;
    }
    return took / (double)work->count;
}

static bool measure_work(const struct contender *contenders,
                         const struct work *work, size_t rounds)
{
    double times[MOST_CONTENDERS][ROUNDS] = {{0}};
    double baseline = 0;
    size_t count = 0;

    while (contenders[count].name && count < MOST_CONTENDERS)
        count++;
    for (size_t round = 0; round < rounds; round++)
        for (size_t c = 0; c < count; c++) {
            times[c][round] = run_once(&contenders[c], work);
            if (times[c][round] < 0)
                return false;
        }
    for (size_t c = 0; c < count; c++) {
        qsort(times[c], rounds, sizeof(times[c][0]), by_size);
        baseline = times[c][rounds / 2];
    }
    for (size_t c = 0; c < count; c++)
        printf("%-10s %-10s %8.1f %8.1f %8.1f %8.2f\n", work->name,
               contenders[c].name, times[c][rounds / 2], times[c][0],
               times[c][rounds - 1], baseline / times[c][rounds / 2]);
    return true;
}

int measure(const struct bench *bench, int argc, char **argv)
{
    bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    size_t rounds = smoke ? 1 : ROUNDS;

    if (argc > 2 || (argc > 1 && !smoke)) {
        fprintf(stderr, "usage: %s [--smoke]\n", argv[0]);
        return 2;
    }
    printf("\n%s\n\n%-10s %-10s %8s %8s %8s %8s\n", bench->question, "work",
           "who", "ns", "least", "most", "times");
    for (const struct work *w = bench->works; w->name; w++) {
        struct work work = *w;

        if (smoke)
            work.count /= 128; /* what all numbers of threads divide */
        if (!measure_work(bench->contenders, &work, rounds))
            return 1;
    }
    printf(
        "\nns an item: median, least and most of %zu rounds in turns; times: "
        "as fast as the last\n",
        rounds);
    return 0;
}
