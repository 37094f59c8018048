/* SPDX-License-Identifier: MIT */
/* handed.c - a program of a stranger's, for the sanitizers: what one thread has
 * made is read, written and freed by others, and no lock of its own says so. */
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

enum { ITEMS = 100 };

struct parcel {
    int *number; /* written by who submits, read by the worker */
    int *answer; /* written by the worker, read after the join */
};

static int handler(weir_task *task, void *item)
{
    struct parcel *parcel = *(struct parcel **)item;

    (void)task;
    *parcel->answer = *parcel->number + 1;
    free(parcel->number);
    free(parcel);
    return 0;
}

static int submit(weir_pool *pool, int i, int *answer)
{
    struct parcel *parcel = (struct parcel *)malloc(sizeof(*parcel));

    if (!parcel)
        return 1;
    parcel->number = (int *)malloc(sizeof(*parcel->number));
    if (!parcel->number)
        return 1;
    *parcel->number = i;
    parcel->answer = answer;
    return weir_pool_submit_copy(pool, handler, &parcel, WEIR_FOREVER) !=
           WEIR_OK;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool = NULL;
    int answers[ITEMS];
    int i;

    options.workers = 3;
    options.queue_capacity = 8;
    options.item_size = sizeof(struct parcel *);
    if (weir_pool_create(&pool, &options))
        return 1;
    for (i = 0; i < ITEMS; i++)
        if (submit(pool, i, &answers[i]))
            return 1;
    if (weir_pool_join(pool, weir_deadline_after(WEIR_SECONDS(10))))
        return 1;
    for (i = 0; i < ITEMS; i++)
        if (answers[i] != i + 1)
            return 1;
    if (weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN,
                       weir_deadline_after(WEIR_SECONDS(10))))
        return 1;
    weir_pool_read_stats(pool, &stats);
    printf("%d done, weir %s\n", (int)stats.ledger.done, weir_version());
    weir_pool_destroy(pool);
    return 0;
}
