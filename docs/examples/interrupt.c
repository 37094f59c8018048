/* SPDX-License-Identifier: MIT */
/* interrupt.c - a handler that is blocked in a call, and gets out of it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <weir.h>

static int silent[2]; /* a pipe into which nobody writes */

static int reads(weir_task *task, void *item)
{
    char byte;

    (void)item;
    while (read(silent[0], &byte, 1) < 0 && errno == EINTR)
        if (weir_task_cancelled(task)) /* not every signal is ours */
            return weir_task_fail(task, EINTR, "nothing came");
    return 0;
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

    options.workers = 1;
    options.timeout_ns = WEIR_MS(50);
    options.interrupt_signal = SIGRTMIN; /* that nobody else uses */
    options.on_release = released;
    if (pipe(silent) || weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    if (weir_pool_submit(pool, reads, "the reader", WEIR_FOREVER))
        return 1;
    if (weir_pool_join(pool, weir_deadline_after(WEIR_SECONDS(10))))
        return 1;
    weir_pool_read_stats(pool, &stats);
    printf("timed out %llu, late answers %llu, workers %u\n",
           (unsigned long long)stats.ledger.timed_out,
           (unsigned long long)stats.ledger.late, stats.workers);
    weir_pool_destroy(pool);
    return !(stats.ledger.timed_out == 1 && stats.workers == 1);
}
