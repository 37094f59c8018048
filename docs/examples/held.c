/* SPDX-License-Identifier: MIT */
/*
 * held.c - limits that a pool is given: tasks for a slow host wait where they
 * hold no worker, and stand in no other host's way.
 */
#include <weir/pool.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum { HOSTS = 2, JOBS = 40, AT_ONCE = 2 };

struct host {
    const char *name;
    weir_semaphore *permits;
    int64_t takes_ns;
    atomic_int now, most, served;
};

static int call_host(weir_task *task, void *item)
{
    struct host *host = item;
    int now = atomic_fetch_add(&host->now, 1) + 1;
    int most = atomic_load(&host->most);

    while (now > most && !atomic_compare_exchange_weak(&host->most, &most, now))
        ;
    if (weir_task_sleep(task, host->takes_ns))
        weir_task_overloaded(task); /* for an adaptive limit or a breaker */
    atomic_fetch_sub(&host->now, 1);
    atomic_fetch_add(&host->served, 1);
    return 0;
}

static weir_status submit_all(weir_pool *pool, struct host *hosts)
{
    weir_status status = WEIR_OK;

    for (int i = 0; i < JOBS && !status; i++) {
        struct host *host = &hosts[i % HOSTS];
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        spec.handler = call_host;
        spec.item = host;
        spec.semaphore = host->permits; /* this task's own */
        status = weir_pool_submit_task(pool, &spec, NULL, WEIR_FOREVER);
    }
    return status;
}

/* All of them have a rate, and no more than the service bears. */
static weir_status
open_pool(weir_pool **pool, weir_rate *rate, weir_adaptive *adaptive)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 4;
    options.rate = rate;         /* each attempt uses up a token of it */
    options.adaptive = adaptive; /* and is a call of it */
    return weir_pool_create(pool, &options);
}

static int report(const weir_pool *pool, const struct host *hosts)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    int wrong = 0;

    weir_pool_read_stats(pool, &stats);
    for (int i = 0; i < HOSTS; i++) {
        printf("%s: %d calls, at most %d at once\n", hosts[i].name,
               atomic_load(&hosts[i].served), atomic_load(&hosts[i].most));
        wrong += atomic_load(&hosts[i].most) > AT_ONCE;
    }
    printf("%" PRIu64 " done, %" PRIu64 " held; the ledger %s\n",
           stats.ledger.done, stats.held,
           weir_ledger_balances(&stats.ledger) ? "balances" : "is wrong");
    return wrong + (stats.ledger.done != JOBS) + (stats.held != 0) +
           !weir_ledger_balances(&stats.ledger);
}

int main(void)
{
    struct host hosts[HOSTS] = {{.name = "slow", .takes_ns = WEIR_MS(10)},
                                {.name = "fast", .takes_ns = WEIR_MS(1)}};
    weir_adaptive *adaptive = NULL;
    weir_rate *rate = NULL;
    weir_pool *pool = NULL;
    weir_status status = weir_rate_create(&rate, 2000, 100);
    int wrong = 1;

    for (int i = 0; i < HOSTS && !status; i++)
        status = weir_semaphore_create(&hosts[i].permits, AT_ONCE);
    if (!status)
        status = weir_adaptive_create(&adaptive, NULL);
    if (!status)
        status = open_pool(&pool, rate, adaptive);
    if (!status)
        status = submit_all(pool, hosts);
    if (!status)
        status = weir_pool_join(pool, WEIR_FOREVER);
    if (status)
        fprintf(stderr, "held: %s\n", weir_last_error());
    else
        wrong = report(pool, hosts);
    weir_pool_destroy(pool);
    weir_adaptive_destroy(adaptive);
    weir_rate_destroy(rate);
    for (int i = 0; i < HOSTS; i++)
        weir_semaphore_destroy(hosts[i].permits);
    return wrong != 0;
}
