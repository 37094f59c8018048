/* SPDX-License-Identifier: MIT */
/* trapped.c - tasks that crash, and a program that tells which and goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

static int crash_now_and_then(weir_task *task, void *item)
{
    uint64_t n = *(uint64_t *)item;
    volatile char *text = (char *)"nobody may write here";

    (void)task;
    if (n == 3)
        abort();
    if (n == 7)
        text[0] = 'N';
    return 0;
}

static void tell(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    if (outcome->kind == WEIR_OUTCOME_CRASHED)
        printf("%llu %s: %s\n", (unsigned long long)*(const uint64_t *)item,
               weir_outcome_name(outcome->kind), outcome->message);
}

int main(void)
{
    enum { TASKS = 10 };
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;

    options.workers = 1;
    options.item_size = sizeof(uint64_t);
    options.isolation = WEIR_ISOLATE_TRAP;
    options.on_settled = tell;
    if (weir_pool_create(&pool, &options))
        return 1;
    for (uint64_t n = 0; n < TASKS; n++)
        if (weir_pool_submit_copy(pool, crash_now_and_then, &n, WEIR_FOREVER))
            return 1;
    if (weir_pool_join(pool, WEIR_FOREVER))
        return 1;
    weir_pool_read_stats(pool, &stats);
    printf("done %llu, crashed %llu; the pool is %s\n",
           (unsigned long long)stats.ledger.done,
           (unsigned long long)stats.ledger.crashed,
           stats.tainted ? "tainted: time to start afresh" : "as new");
    weir_pool_destroy(pool);
    return !(stats.ledger.done == TASKS - 2 && stats.ledger.crashed == 2);
}
