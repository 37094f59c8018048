/* SPDX-License-Identifier: MIT */
/* groups.c - two requests share a pool; one gives up, the other does not care.
 */
#include <stdio.h>
#include <weir.h>

static int step(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_MS(1)) ? 1 : 0;
}

static int endless(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_SECONDS(60)) ? 1 : 0;
}

static uint64_t report(const char *name, const weir_group *group)
{
    weir_ledger ledger;

    weir_group_read_ledger(group, &ledger);
    printf("%s: done %llu, cancelled %llu\n", name,
           (unsigned long long)ledger.done,
           (unsigned long long)ledger.cancelled);
    return ledger.done * 10 + ledger.cancelled;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_group *mine, *yours;
    weir_pool *pool;
    int right;

    options.workers = 2;
    if (weir_pool_create(&pool, &options))
        return 1;
    if (weir_group_create(&mine, pool) || weir_group_create(&yours, pool))
        return 1;
    for (int i = 0; i < 5; i++)
        if (weir_group_submit(mine, endless, NULL, WEIR_FOREVER) ||
            weir_group_submit(yours, step, NULL, WEIR_FOREVER))
            return 1;
    weir_group_cancel(mine); /* its five only */
    if (weir_group_join(mine, WEIR_FOREVER) ||
        weir_group_join(yours, WEIR_FOREVER))
        return 1;
    right = report("mine", mine) == 5;
    right = report("yours", yours) == 50 && right;
    weir_group_destroy(mine);
    weir_group_destroy(yours);
    weir_pool_destroy(pool);
    return !right;
}
