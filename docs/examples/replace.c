/* SPDX-License-Identifier: MIT */
/* replace.c - a handler that looks at nothing, and the thread after it. */
#include <semaphore.h>
#include <stdio.h>
#include <weir.h>

static sem_t what_it_waits_for, release;

static int is_deaf(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    sem_wait(&what_it_waits_for); /* stands for a call that may never return */
    return 0;
}

static int is_short(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static void settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    printf("%s settles: %s\n", (const char *)item,
           weir_outcome_name(outcome->kind));
}

static void released(void *arg, void *item)
{
    if (item != arg)
        return;
    printf("%s is released\n", (const char *)item);
    sem_post(&release);
}

static uint64_t report(weir_pool *pool, weir_status join)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    printf("workers %u, abandoned %llu; join says: %s\n", stats.workers,
           (unsigned long long)stats.ledger.abandoned, weir_status_text(join));
    return stats.ledger.abandoned;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    char deaf[] = "the deaf one", next[] = "the next one";
    weir_status first, second;
    weir_pool *pool;
    bool right;

    sem_init(&what_it_waits_for, 0, 0);
    sem_init(&release, 0, 0);
    options.workers = 1;
    options.timeout_ns = WEIR_MS(50); /* here the task settles */
    options.grace_ns = WEIR_MS(50);   /* here its thread is abandoned */
    options.max_abandoned = 4;        /* at a time */
    options.on_settled = settled;
    options.on_release = released;
    options.on_release_arg = deaf;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    if (weir_pool_submit(pool, is_deaf, deaf, WEIR_FOREVER) ||
        weir_pool_submit(pool, is_short, next, WEIR_FOREVER))
        return 1;
    first = weir_pool_join(pool, weir_deadline_after(WEIR_SECONDS(10)));
    right = first == WEIR_STUCK && report(pool, first) == 1;
    sem_post(&what_it_waits_for);
    sem_wait(&release);
    second = weir_pool_join(pool, weir_deadline_after(WEIR_SECONDS(10)));
    right = second == WEIR_OK && report(pool, second) == 0 && right;
    weir_pool_destroy(pool);
    sem_destroy(&release);
    sem_destroy(&what_it_waits_for);
    return !right;
}
