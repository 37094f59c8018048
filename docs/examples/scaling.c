/* SPDX-License-Identifier: MIT */
/* scaling.c - tasks that wait for something else: workers come as needed. */
#include <stdio.h>
#include <weir.h>

enum { TASKS = 400, LEAST = 2, MOST = 24 };

/* Stands for a call to a server: it takes its time, and no processor. */
static int ask_server(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_MS(5)) == WEIR_OK ? 0 : 1;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;
    uint32_t most = 0;

    options.workers = LEAST;
    options.max_workers = MOST;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    for (int i = 0; i < TASKS; i++)
        if (weir_pool_submit(pool, ask_server, NULL, WEIR_FOREVER))
            return 1;
    while (weir_pool_join(pool, weir_deadline_after(WEIR_MS(5))) != WEIR_OK) {
        weir_pool_read_stats(pool, &stats);
        most = stats.workers > most ? stats.workers : most;
    }
    weir_pool_read_stats(pool, &stats);
    printf("%llu tasks done; workers: %d at first, %u at the most\n",
           (unsigned long long)stats.ledger.done, LEAST, (unsigned)most);
    weir_pool_destroy(pool);
    return !(stats.ledger.done == TASKS && most > LEAST && most <= MOST);
}
