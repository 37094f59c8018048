/* SPDX-License-Identifier: MIT */
/* every.c - a task at its time, and one that comes again and again. */
#include <weir.h>

#include <stdatomic.h>
#include <stdio.h>

static atomic_int sweeps;

static int sweep(weir_task *task, void *item)
{
    int n = atomic_fetch_add(&sweeps, 1) + 1;

    (void)item;
    printf("sweep %d\n", n);
    if (n == 3)
        weir_task_end_series(task);
    return 0;
}

static int remind(weir_task *task, void *item)
{
    (void)task;
    printf("%s\n", (const char *)item);
    return 0;
}

int main(void)
{
    weir_task_spec later = WEIR_TASK_SPEC_INIT, again = WEIR_TASK_SPEC_INIT;
    weir_pool *pool;
    weir_status status = weir_pool_create(&pool, NULL);

    if (status) {
        printf("no pool: %s\n", weir_last_error());
        return 1;
    }
    again.handler = sweep;
    again.every_ns = WEIR_MS(20);
    status = weir_pool_submit_task(pool, &again, NULL, WEIR_FOREVER);

    later.handler = remind;
    later.item = "half a second has passed";
    later.not_before = weir_deadline_after(WEIR_MS(500));
    if (!status)
        status = weir_pool_submit_task(pool, &later, NULL, WEIR_FOREVER);
    if (!status)
        status = weir_pool_join(pool, WEIR_FOREVER);
    if (!status)
        status = weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER);
    weir_pool_destroy(pool);
    return status || sweeps < 1 || sweeps > 3;
}
