/* SPDX-License-Identifier: MIT */
/* What does an empty task cost, and what do timeouts and the ledger add? */
#include <stdint.h>
#include <weir/pool.h>

#include "measure.h"
#include "peers/textbook.h"

enum { MOST_WORKERS = 8 };

/* A cache line for each worker. */
static uint64_t sums[MOST_WORKERS][8];

static uint64_t sum_up(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < MOST_WORKERS; i++) {
        sum += sums[i][0];
        sums[i][0] = 0;
    }
    return sum;
}

static int add(weir_task *task, void *item)
{
    sums[weir_task_worker(task)][0] += (uint64_t)(uintptr_t)item;
    return 0;
}

static uint64_t run_pool(const struct work *work, int64_t timeout_ns)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool *pool;
    bool right = true;

    options.workers = work->consumers;
    options.timeout_ns = timeout_ns;
    if (weir_pool_create(&pool, &options))
        return UINT64_MAX;
    for (uint64_t i = 1; i <= work->count; i++)
        right = right && !weir_pool_submit(pool, add, (void *)(uintptr_t)i,
                                           WEIR_FOREVER);
    right = !weir_pool_join(pool, WEIR_FOREVER) && right;
    weir_pool_destroy(pool);
    return right ? sum_up() : UINT64_MAX;
}

static uint64_t run_weir(const struct work *work)
{
    return run_pool(work, 0);
}

static uint64_t run_with_timeouts(const struct work *work)
{
    return run_pool(work, WEIR_SECONDS(10));
}

static void add_plainly(unsigned worker, uint64_t item)
{
    sums[worker][0] += item;
}

static uint64_t run_textbook(const struct work *work)
{
    static struct textbook_pool pool;

    if (textbook_pool_start(&pool, work->consumers, add_plainly))
        return UINT64_MAX;
    for (uint64_t i = 1; i <= work->count; i++)
        textbook_queue_put(&pool.queue, i);
    /* Some may not have come up yet: the others end first and they last. */
    while (__atomic_load_n(&pool.count, __ATOMIC_SEQ_CST) < work->consumers)
        continue;
    textbook_pool_stop(&pool);
    return sum_up();
}

int main(int argc, char **argv)
{
    static const struct contender contenders[] = {{"weir", run_weir},
                                                  {"timeouts",
                                                   run_with_timeouts},
                                                  {"textbook", run_textbook},
                                                  {NULL, NULL}};
    static const struct work works[] = {{"2 workers", 1, 2, 1000000},
                                        {"4 workers", 1, 4, 1000000},
                                        {NULL, 0, 0, 0}};

    static const struct bench bench = {
        "What does an empty task cost, and what do timeouts add?", contenders,
        works};

    return measure(&bench, argc, argv);
}
