/* SPDX-License-Identifier: MIT */
/* use.c - a program of a stranger's; C99 and C++11. */
#include <stdio.h>
#include <weir.h>

static int handler(weir_task *task, void *item)
{
    (void)task;
    return *(int *)item < 0;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool = NULL;
    int i;

    options.workers = 2;
    options.item_size = sizeof(int);
    if (weir_pool_create(&pool, &options))
        return 1;
    for (i = 0; i < 100; i++)
        if (weir_pool_submit_copy(pool, handler, &i, WEIR_FOREVER))
            return 1;
    if (weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN,
                       weir_deadline_after(WEIR_SECONDS(10))))
        return 1;
    weir_pool_read_stats(pool, &stats);
    printf("%d done, weir %s\n", (int)stats.ledger.done, weir_version());
    weir_pool_destroy(pool);
    return !weir_ledger_balances(&stats.ledger);
}
