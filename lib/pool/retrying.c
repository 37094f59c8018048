/* SPDX-License-Identifier: MIT */
/*
 * retrying.c - what a pool brings to the policy of retries: chance, and what
 * budgets have to spend.
 *
 * The account counts first attempts of all tasks, plain ones too: their workers
 * have counted them, and nobody adds that up until a budget asks.
 */
#include "pool/log.h"
#include "pool/pool.h"

#include "task/retry.h"

/* splitmix64: good enough to spread retries. */
static uint64_t draw(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    uint64_t z = pool->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int64_t weir__entry_draw_delay(weir_pool *pool, const struct weir__entry *entry)
{
    return weir__retry_delay(entry->retry, entry->outcome.attempts, draw(pool));
}

bool weir__entry_pay(weir_pool *pool, const struct weir__entry *entry)
{
    double budget = entry->retry->budget;

    /* Without one, workers need not be asked what they have taken. */
    if (budget == 0 ||
        weir__retry_pay(&pool->retry_account, budget,
                        pool->first_attempts + weir__lane_taken(pool)))
        return true;
    weir__log_note(pool, WEIR_LOG_RETRY_DENIED, entry, 0);
    return false;
}
