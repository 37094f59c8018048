/* SPDX-License-Identifier: MIT */
/*
 * sample_metrics.c - pages of figures, for metrics.py to read.
 *
 *   sample_metrics pools | queues | histogram
 */
#include <weir/metrics.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edge/family.h"

static int answer(weir_task *task, void *item)
{
    (void)task;
    return item ? 1 : 0;
}

/* Names that need escapes, the same one twice, and what is no UTF-8. */
static int write_pools(void)
{
    static const char *const names[] = {"plain", "a\"b\\c\nd", "plain",
                                        "x\xff"};
    enum { POOLS = sizeof(names) / sizeof(names[0]) };
    weir_pool *pools[POOLS];
    int failed = 0;

    for (int i = 0; i < POOLS; i++) {
        weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

        options.name = names[i];
        options.workers = (uint32_t)i + 1;
        options.queue_capacity = 64;
        options.histograms = i > 0;
        if (weir_pool_create(&pools[i], &options))
            return 1;
        for (int task = 0; task < 10 * (i + 1); task++)
            failed |= weir_pool_submit(pools[i], answer,
                                       task % 5 == 0 ? &failed : NULL,
                                       WEIR_FOREVER) != WEIR_OK;
        failed |= weir_pool_join(pools[i], WEIR_FOREVER) != WEIR_OK;
    }
    failed |= weir_metrics_write_pools((const weir_pool *const *)pools, POOLS,
                                       STDOUT_FILENO) != WEIR_OK;
    for (int i = 0; i < POOLS; i++)
        weir_pool_destroy(pools[i]);
    return failed;
}

static int write_queues(void)
{
    static const char *const names[] = {"in", "out \"2\""};
    weir_queue *queues[2];
    int failed = 0;

    for (int i = 0; i < 2; i++) {
        if (weir_queue_create(&queues[i], sizeof(i), NULL))
            return 1;
        for (int item = 0; item < 3 + i; item++)
            failed |= weir_queue_put(queues[i], &item, WEIR_NOW) != WEIR_OK;
    }
    weir_queue_close(queues[1]);
    failed |= weir_metrics_write_queues((const weir_queue *const *)queues,
                                        names, 2, STDOUT_FILENO) != WEIR_OK;
    for (int i = 0; i < 2; i++)
        weir_queue_destroy(queues[i]);
    return failed;
}

static int write_histogram(void)
{
    static weir_histogram histogram = WEIR_HISTOGRAM_INIT;
    struct weir__owner owner = {"pool", "mill", 1};
    struct weir__words words;

    for (int64_t ns = 1; ns < WEIR_SECONDS(5000); ns *= 10)
        weir_histogram_add(&histogram, ns);
    weir__words_open(&words, STDOUT_FILENO);
    weir__family_begin(&words, "weir_pool_waiting_seconds", "How long.",
                       "histogram");
    weir__family_write_histogram(&words, "weir_pool_waiting_seconds", &owner,
                                 &histogram);
    return weir__words_close(&words, "metrics") != WEIR_OK;
}

int main(int count, char **arguments)
{
    const char *what = count == 2 ? arguments[1] : "";

    if (!strcmp(what, "pools"))
        return write_pools();
    if (!strcmp(what, "queues"))
        return write_queues();
    if (!strcmp(what, "histogram"))
        return write_histogram();
    fprintf(stderr, "usage: sample_metrics pools | queues | histogram\n");
    return 2;
}
