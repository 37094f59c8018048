/* SPDX-License-Identifier: MIT */
/*
 * stress_future.c - many wait for any of many, on the real clock.
 *
 * Threads submit to two pools and wait for whichever settles first: alone, and
 * for the same futures as others; with deadlines that pass meanwhile; and let
 * the rest go at once, which then settles on its own.
 */
#include <weir/pool.h>

#include <sched.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"

enum { POOLS = 2, WAITERS = 4, ROUNDS = 150, MOST = 24, SHARED = 3 };

static weir_pool *pools[POOLS];
static weir_future *shared[SHARED];
static struct weir__counter answered;

static uint32_t draw_below(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

static int handle(weir_task *task, void *item)
{
    uint32_t yields = (uint32_t)(uintptr_t)item % 8;

    while (yields-- > 0 && !weir_task_cancelled(task))
        sched_yield();
    return 0;
}

static weir_future *submit_one(uint32_t *state)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future = NULL;

    spec.handler = handle;
    spec.item = (void *)(uintptr_t)draw_below(state, 1000);
    ck_assert(weir_pool_submit_task(pools[draw_below(state, POOLS)], &spec,
                                    &future, WEIR_FOREVER) == WEIR_OK);
    return future;
}

static void wait_for_some(weir_future **futures, size_t count, uint32_t *state)
{
    size_t wanted = draw_below(state, (uint32_t)count + 1);

    while (wanted > 0) {
        weir_deadline deadline = draw_below(state, 4)
                                     ? WEIR_FOREVER
                                     : weir_deadline_after(WEIR_US(20));
        size_t i = count;
        weir_status status = weir_future_wait_any(futures, count, &i, deadline);

        if (status == WEIR_TIMED_OUT)
            continue;
        ck_assert(status == WEIR_OK);
        ck_assert(i < count && futures[i]);
        ck_assert(weir_future_wait(futures[i], NULL, WEIR_NOW) == WEIR_OK);
        if (i >= SHARED || count <= SHARED)
            weir_future_release(futures[i]);
        futures[i] = NULL;
        weir__counter_add(&answered, 1);
        wanted--;
    }
}

static void wait_again_and_again(void *arg)
{
    uint32_t state = (uint32_t)(uintptr_t)arg;

    for (int round = 0; round < ROUNDS; round++) {
        weir_future *futures[MOST];
        size_t count = 1 + draw_below(&state, MOST);

        for (size_t i = 0; i < count; i++)
            futures[i] =
                i < SHARED && count > SHARED ? shared[i] : submit_one(&state);
        wait_for_some(futures, count, &state);
        for (size_t i = 0; i < count; i++) {
            if (!futures[i] || (i < SHARED && count > SHARED))
                continue;
            if (draw_below(&state, 2))
                ck_assert(weir_future_cancel(futures[i]) == WEIR_OK);
            weir_future_release(futures[i]);
        }
    }
}

static int linger(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_MS(2)) != WEIR_OK;
}

START_TEST(whoever_waits_for_any_is_told_and_nobody_else)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    struct helper helpers[WAITERS];

    options.workers = 2;
    for (int i = 0; i < POOLS; i++)
        ck_assert(weir_pool_create(&pools[i], &options) == WEIR_OK);
    for (int i = 0; i < SHARED; i++) {
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        spec.handler = linger;
        ck_assert(weir_pool_submit_task(pools[i % POOLS], &spec, &shared[i],
                                        WEIR_FOREVER) == WEIR_OK);
    }
    for (int i = 0; i < WAITERS; i++)
        helper_start(&helpers[i], wait_again_and_again,
                     (void *)(uintptr_t)(2 * i + 1 + 100 * _i));
    helpers_join(helpers, WAITERS);
    ck_assert(weir__counter_read(&answered) > 0);
    for (int i = 0; i < SHARED; i++)
        weir_future_release(shared[i]);
    for (int i = 0; i < POOLS; i++) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        ck_assert(weir_pool_join(pools[i], WEIR_FOREVER) == WEIR_OK);
        weir_pool_read_stats(pools[i], &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        ck_assert(stats.ledger.queued + stats.ledger.running == 0);
        weir_pool_destroy(pools[i]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {whoever_waits_for_any_is_told_and_nobody_else,
                                  NULL};
    const struct chapter chapters[] = {{"any", tests, NULL, NULL, 3, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stress: futures", chapters);
}
