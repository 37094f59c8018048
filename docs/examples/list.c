/* SPDX-License-Identifier: MIT */
/* list.c - what a pool is at, and who asked for it. */
#include <stdio.h>
#include <string.h>
#include <weir.h>

static const char *const states[] = {
    [WEIR_TASK_QUEUED] = "queued",       [WEIR_TASK_RUNNING] = "running",
    [WEIR_TASK_RETRYING] = "retrying",   [WEIR_TASK_OVERDUE] = "overdue",
    [WEIR_TASK_ABANDONED] = "abandoned",
};

static int until_cancelled(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_SECONDS(60)) ? 1 : 0;
}

static int submit(weir_pool *pool, const char *label)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.handler = until_cancelled;
    spec.label = label;
    return weir_pool_submit_task(pool, &spec, NULL, WEIR_FOREVER);
}

static int is_running(const weir_pool *pool)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    return stats.ledger.running == 1;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_entry list[8] = {WEIR_POOL_ENTRY_INIT};
    weir_pool *pool;
    size_t count;
    int right;

    options.workers = 1;
    if (weir_pool_create(&pool, &options) || submit(pool, "invoice 4711") ||
        submit(pool, "invoice 4712"))
        return 1;
    while (!is_running(pool))
        continue;
    count = weir_pool_list(pool, list, 8); /* it may be more than 8 */
    for (size_t i = 0; i < count && i < 8; i++)
        printf("task %llu, %s: %s, attempt %u\n",
               (unsigned long long)list[i].task_id, list[i].label,
               states[list[i].state], list[i].attempt);
    right = count == 2 && !strcmp(list[1].label, "invoice 4712") &&
            list[0].state == WEIR_TASK_RUNNING;
    weir_pool_destroy(pool);
    return !right;
}
