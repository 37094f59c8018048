/* SPDX-License-Identifier: MIT */
/* timeouts.c - a handler that overstays: one that listens, one that is deaf. */
#include <stdio.h>
#include <time.h>
#include <weir.h>

static int listens(weir_task *task, void *item)
{
    (void)item;
    /* Returns early, with WEIR_CANCELLED, once the deadline has passed. */
    return weir_task_sleep(task, WEIR_SECONDS(60)) == WEIR_OK ? 0 : 1;
}

static int is_deaf(weir_task *task, void *item)
{
    struct timespec busy = {.tv_nsec = 200000000};

    (void)task;
    (void)item;
    nanosleep(&busy, NULL); /* stands for a call that looks at nothing */
    return 0;
}

static void settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    printf("%s settles: %s after %lld ms (%s)\n", (const char *)item,
           weir_outcome_name(outcome->kind),
           (long long)(outcome->ran_ns / 1000000), outcome->message);
}

static void released(void *arg, void *item)
{
    (void)arg;
    printf("%s is released\n", (const char *)item);
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;

    options.workers = 2;
    options.timeout_ns = WEIR_MS(50);
    options.on_settled = settled;
    options.on_release = released;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    if (weir_pool_submit(pool, listens, "the listener", WEIR_FOREVER) ||
        weir_pool_submit(pool, is_deaf, "the deaf one", WEIR_FOREVER))
        return 1;
    if (weir_pool_join(pool, weir_deadline_after(WEIR_SECONDS(10))))
        return 1;
    weir_pool_read_stats(pool, &stats);
    printf("timed out %llu, late answers %llu, workers %u\n",
           (unsigned long long)stats.ledger.timed_out,
           (unsigned long long)stats.ledger.late, stats.workers);
    weir_pool_destroy(pool);
    return !(stats.ledger.timed_out == 2 && stats.workers == 2);
}
