/* SPDX-License-Identifier: MIT */
/* hostile.c - whatever a task does to its thread, the workers live on. */
#include <pthread.h>
#include <stdio.h>
#include <weir.h>

static void clean_up(void *arg)
{
    ++*(int *)arg;
}

static int misbehave(weir_task *task, void *item)
{
    uint64_t n = *(uint64_t *)item;
    int *cleaned = (int *)weir_task_context(task) + weir_task_worker(task);

    if (weir_task_defer(task, clean_up, cleaned)) /* runs in every case */
        return 1;
    switch (n % 4) {
    case 0:
        pthread_exit(NULL);
    case 1:
        weir_task_raise(task, 7, "item %llu is no good", (unsigned long long)n);
    case 2:
        pthread_cancel(pthread_self());
        return 0;
    default:
        return 0;
    }
}

int main(void)
{
    enum { WORKERS = 4, TASKS = 4000 };
    int cleaned[WORKERS] = {0};
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;

    options.workers = WORKERS;
    options.item_size = sizeof(uint64_t);
    options.context = cleaned;
    if (weir_pool_create(&pool, &options))
        return 1;
    for (uint64_t n = 0; n < TASKS; n++)
        if (weir_pool_submit_copy(pool, misbehave, &n, WEIR_FOREVER))
            return 1;
    if (weir_pool_join(pool, WEIR_FOREVER))
        return 1;
    weir_pool_read_stats(pool, &stats);
    printf("done %llu, failed %llu, exited %llu; cleaned up %d times; the "
           "ledger %s\n",
           (unsigned long long)stats.ledger.done,
           (unsigned long long)stats.ledger.failed,
           (unsigned long long)stats.ledger.exited,
           cleaned[0] + cleaned[1] + cleaned[2] + cleaned[3],
           weir_ledger_balances(&stats.ledger) ? "balances" : "IS WRONG");
    weir_pool_destroy(pool);
    return !(stats.ledger.exited == TASKS / 2 &&
             stats.ledger.done == TASKS / 4);
}
