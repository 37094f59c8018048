/* SPDX-License-Identifier: MIT */
/* room.c - see room.h. */
#include "pool/room.h"

#include "base/clock.h"
#include "pool/limits.h"

static uint64_t stretch_of(const weir_pool *pool)
{
    uint64_t part = pool->settings.options.queue_capacity / WEIR__ROOM_PART;

    return part < WEIR__ROOM_STRETCH ? part : WEIR__ROOM_STRETCH;
}

/* Whether it is worth a wake-up: a stretch, or no task is left that a worker
 * could take meanwhile. */
static bool is_worth_it(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    uint64_t taken = pool->ledger.queued + pool->ledger.retrying;

    return pool->has_lane ||
           taken + stretch_of(pool) <= pool->settings.options.queue_capacity ||
           (!pool->queued.first && !pool->due.first &&
            !weir__limits_ready(pool));
}

static void wake_one(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    pool->room_ns = INT64_MAX;
    weir__eventcount_wake(&pool->submitters, 1);
}

void weir__room_tell(weir_pool *pool)
{
    if (!weir__pool_has_room(pool))
        return;
    if (!pool->submitters.waiters.first || is_worth_it(pool)) {
        wake_one(pool);
        return;
    }
    if (pool->room_ns < INT64_MAX)
        return;
    pool->room_ns = weir__moment_after(weir__now(), WEIR__ROOM_PATIENCE_NS);
    if (pool->room_ns < (int64_t)weir__counter_read(&pool->keeper_until_ns))
        weir__timekeeper_wake(pool);
}

void weir__room_look(weir_pool *pool, int64_t now_ns)
{
    if (now_ns < pool->room_ns)
        return;
    pool->room_ns = INT64_MAX;
    if (weir__pool_has_room(pool))
        wake_one(pool);
}

bool weir__room_is_coming(weir_pool *pool)
{
    return pool->has_lane && !pool->lane_shut && weir__pool_has_room(pool);
}

bool weir__room_for_entry_is_coming(weir_pool *pool)
{
    return pool->has_lane && weir__lane_live(pool) > 0 &&
           pool->ledger.queued + pool->ledger.retrying <
               pool->settings.options.queue_capacity &&
           pool->lane_shut;
}
