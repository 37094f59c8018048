/* SPDX-License-Identifier: MIT */
/* retries.c - a service that answers 503 twice, and a request that is wrong. */
#include <stdio.h>
#include <weir.h>

static int request(weir_task *task, void *item)
{
    const char *what = item;

    if (what[0] == 'b')
        return weir_task_fail(task, 400, "bad request");
    if (weir_task_attempt(task) < 3)
        return weir_task_fail(task, 503, "busy, attempt %u",
                              weir_task_attempt(task));
    return 0;
}

/* Asking again does not make a bad request good. */
static bool is_worth_it(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    printf("  attempt %u: %d %s\n", outcome->attempts, outcome->code,
           outcome->message);
    return outcome->code == 503;
}

static void settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    printf("%s: %s after %u attempts\n", (const char *)item,
           weir_outcome_name(outcome->kind), outcome->attempts);
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;

    retry.max_attempts = 5;
    retry.base_ns = WEIR_MS(5);     /* 5 ms, 10 ms, 20 ms, ... at most 1 s, */
    retry.cap_ns = WEIR_SECONDS(1); /* each drawn at random from 0 up */
    retry.retryable = is_worth_it;
    retry.budget = 2; /* for each first attempt */
    options.workers = 1;
    options.retry = &retry;
    options.on_settled = settled;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    if (weir_pool_submit(pool, request, "good", WEIR_FOREVER) ||
        weir_pool_submit(pool, request, "bad", WEIR_FOREVER) ||
        weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER))
        return 1;
    weir_pool_read_stats(pool, &stats);
    weir_pool_destroy(pool);
    return !(stats.ledger.done == 1 && stats.ledger.failed == 1 &&
             stats.ledger.attempts == 4);
}
