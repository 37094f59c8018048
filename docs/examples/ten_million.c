/* SPDX-License-Identifier: MIT */
/*
 * ten_million.c - ten million tiny tasks from a lazy producer, in flat memory.
 *
 * ten_million [COUNT]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir.h>

enum { WORKERS = 4 };

static struct {
    uint64_t count;
    uint64_t sums[WORKERS][8]; /* a cache line each */
    long start_kib, middle_kib, end_kib;
} state;

static long resident_kib(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long pages = 0;

    if (statm) {
        if (fscanf(statm, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(statm);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int add(weir_task *task, void *item)
{
    uint64_t n = *(uint64_t *)item;

    state.sums[weir_task_worker(task)][0] += n;
    /* Once every worker and every place in the queue has been used. */
    if (n == 20000)
        state.start_kib = resident_kib();
    if (n == state.count / 2)
        state.middle_kib = resident_kib();
    if (n == state.count)
        state.end_kib = resident_kib();
    return 0;
}

int main(int argc, char **argv)
{
    weir_producer numbers;
    const weir_producer *producers[] = {&numbers};
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    uint64_t sum = 0;

    state.count = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    pool.workers = WORKERS;
    options.producers = producers;
    options.producer_count = 1;
    options.handler = add;
    options.pool = &pool;
    if (weir_producer_range(&numbers, 1, state.count) ||
        weir_run(&options, &report)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    for (int i = 0; i < WORKERS; i++)
        sum += state.sums[i][0];
    printf("%" PRIu64 " tasks in %.2f s, sum %s, ledger %s\n",
           report.ledger.done, (double)report.elapsed_ns / 1e9,
           sum == state.count * (state.count + 1) / 2 ? "right" : "WRONG",
           weir_ledger_balances(&report.ledger) ? "balances" : "IS WRONG");
    printf(
        "resident KiB: %ld at the start, %ld in the middle, %ld at the end\n",
        state.start_kib, state.middle_kib, state.end_kib);
    return !(sum == state.count * (state.count + 1) / 2 &&
             state.end_kib - state.start_kib <= 256);
}
