/* SPDX-License-Identifier: MIT */
/*
 * seeds.c - the experiments that weir grew from, run by the library.
 *
 * A task stands for a request that takes a second.  Time is scaled down, by 20
 * unless the argument says otherwise; printed figures are scaled up again, and
 * with them everything the machine adds.
 *
 * seeds [SCALE]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

enum service { GOOD, HANGS, FAILS, EXITS };

static int64_t second_ns;
static weir_ledger total; /* of the last experiment */
static unsigned workers_left;

static int request(weir_task *task, void *item)
{
    switch (*(enum service *)item) {
    case HANGS: /* but listens */
        return weir_task_sleep(task, 30 * second_ns) ? 1 : 0;
    case FAILS:
        return weir_task_fail(task, 503, "an expected error");
    case EXITS: /* an error that nobody foresaw */
        pthread_exit(NULL);
    case GOOD:
        break;
    }
    return weir_task_sleep(task, second_ns) ? 1 : 0;
}

/* Seconds that the tasks take on so many workers, scaled up. */
static double experiment(unsigned workers, const enum service *tasks,
                         size_t count, int64_t timeout_ns)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;
    weir_deadline start;
    int64_t took_ns;

    options.workers = workers;
    options.queue_capacity = workers;
    options.item_size = sizeof(*tasks);
    options.timeout_ns = timeout_ns;
    start = weir_deadline_after(WEIR_SECONDS(3600));
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        exit(1);
    }
    for (size_t i = 0; i < count; i++)
        if (weir_pool_submit_copy(pool, request, &tasks[i], WEIR_FOREVER))
            exit(1);
    if (weir_pool_join(pool, WEIR_FOREVER))
        exit(1);
    took_ns = WEIR_SECONDS(3600) - weir_deadline_remaining(start);
    weir_pool_read_stats(pool, &stats);
    total = stats.ledger;
    workers_left = stats.workers;
    weir_pool_destroy(pool);
    return (double)took_ns / (double)second_ns;
}

static void row(const char *what, double measured, double source)
{
    printf("  %-46s %7.2f s   %7.2f s\n", what, measured, source);
}

int main(int argc, char **argv)
{
    enum { MANY = 1000, WORKERS = 50, UNRELIABLE = 90 };
    static enum service tasks[MANY]; /* all good */
    long scale = argc > 1 ? strtol(argv[1], NULL, 10) : 20;

    second_ns = WEIR_SECONDS(1) / (scale > 0 ? scale : 20);
    printf("  %-46s %9s   %9s\n", "", "weir", "source");
    row("5 tasks of 1 s, in sequence", experiment(1, tasks, 5, 0), 5.01);
    row("the same, gathered by 5 workers", experiment(5, tasks, 5, 0), 1.00);
    row("1000 tasks of 1 s, 50 workers (ideal 20.00)",
        experiment(WORKERS, tasks, MANY, 0), 20.04);

    tasks[60] = HANGS; /* in the second wave */
    tasks[70] = FAILS;
    tasks[80] = EXITS;
    row("an unreliable batch, timeout 10 s",
        experiment(WORKERS, tasks, UNRELIABLE, 10 * second_ns), 11.01);
    printf("  of that batch: done %llu, failed %llu, timed out %llu, exited "
           "%llu;\n  workers alive: %u of %d; the ledger %s\n",
           (unsigned long long)total.done, (unsigned long long)total.failed,
           (unsigned long long)total.timed_out,
           (unsigned long long)total.exited, workers_left, WORKERS,
           weir_ledger_balances(&total) ? "balances" : "IS WRONG");
    return !(total.done == UNRELIABLE - 3 && total.failed == 1 &&
             total.timed_out == 1 && total.exited == 1 &&
             workers_left == WORKERS && weir_ledger_balances(&total));
}
