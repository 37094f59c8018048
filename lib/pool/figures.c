/* SPDX-License-Identifier: MIT */
/* figures.c - a pool's ledger, and what it says of room and idleness. */
#include "observe/ledger.h"

#include "base/options.h"
#include "pool/overload.h"
#include "pool/pool.h"
#include "pool/seen.h"

uint64_t weir__pool_accepted(const weir_pool *pool)
{
    uint64_t in_lane = pool->has_lane ? weir__ring_put_ever(&pool->lane) : 0;

    return weir__counter_read(&pool->listed) + in_lane;
}

/* Of one moment: no end came between, or it would run two at once. */
static void
add_work(struct weir__lane_sum *sum, const struct weir__lane_work *lane)
{
    uint64_t done, failed, taken;

    do {
        done = weir__counter_read(&lane->done);
        failed = weir__counter_read(&lane->failed);
        taken = weir__counter_read(&lane->taken);
    } while (weir__counter_read(&lane->done) != done ||
             weir__counter_read(&lane->failed) != failed);
    sum->done += done;
    sum->failed += failed;
    sum->taken += taken;
}

static struct weir__lane_sum
sum_up(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    struct weir__lane_sum sum = {0};

    for (uint32_t i = 0; i < pool->worker_slots; i++)
        add_work(&sum, &pool->workers[i]->lane);
    return sum;
}

void weir__pool_ledger(const weir_pool *pool, weir_ledger *out)
{
    struct weir__lane_sum sum = sum_up(pool);
    uint64_t accepted = weir__pool_accepted(pool);
    uint64_t running = sum.taken - sum.done - sum.failed - pool->adopted;

    *out = pool->ledger;
    out->queued +=
        accepted - pool->ledger.accepted - (sum.taken - pool->adopted);
    out->running += running;
    out->accepted = accepted;
    out->attempts += sum.taken - pool->adopted;
    out->done += sum.done;
    out->failed += sum.failed;
}

uint64_t weir__lane_taken(const weir_pool *pool)
{
    uint64_t taken = 0;

    for (uint32_t i = 0; i < pool->worker_slots; i++)
        taken += weir__counter_read(&pool->workers[i]->lane.taken);
    return taken;
}

uint64_t weir__lane_live(const weir_pool *pool)
{
    struct weir__lane_sum sum;

    if (!pool->has_lane)
        return 0;
    sum = sum_up(pool);
    return weir__pool_accepted(pool) - pool->ledger.accepted - sum.done -
           sum.failed;
}

uint64_t weir__pool_live(const weir_pool *pool)
{
    return weir__ledger_live(&pool->ledger) + weir__lane_live(pool);
}

bool weir__pool_is_idle(const weir_pool *pool)
{
    return pool->open == 0 && weir__notifier_is_quiet(pool) &&
           weir__pool_live(pool) == 0;
}

uint64_t weir__lane_count(const weir_pool *pool)
{
    const struct weir__ring *ring = &pool->lane;
    uint64_t got;

    if (!pool->has_lane)
        return 0;
    got = weir__ring_got_ever(ring);
    return weir__ring_put_ever(ring) - got;
}

uint64_t weir__pool_waiting(const weir_pool *pool)
{
    return weir__lane_count(pool) + pool->ledger.queued -
           pool->schedule.delayed_count - pool->held.queued + pool->due_count;
}

uint64_t weir__pool_begun(const weir_pool *pool)
{
    return pool->begun + weir__lane_taken(pool);
}

static bool is_busy(const struct weir__worker *worker)
{
    return !worker->abandoned &&
           (worker->entry || weir__counter_read(&worker->lane.at) != 0);
}

uint32_t weir__pool_busy(const weir_pool *pool)
{
    uint32_t busy = 0;

    for (uint32_t i = 0; i < pool->worker_slots; i++)
        busy += is_busy(pool->workers[i]);
    return busy;
}

bool weir__pool_has_room(const weir_pool *pool)
{
    uint64_t in_lane = weir__lane_count(pool);

    if (in_lane + pool->ledger.queued + pool->ledger.retrying >=
        pool->settings.options.queue_capacity)
        return false;
    return pool->free_count > in_lane + pool->worker_slots ||
           pool->free_count > weir__lane_live(pool);
}

void weir_pool_read_stats(const weir_pool *handle, weir_pool_stats *out)
{
    WEIR__UNTRAPPED;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool = (weir_pool *)handle; /* reading takes the lock too */

    if (!weir__pool_check(pool)) {
        weir__mutex_lock(&pool->lock);
        weir__pool_ledger(pool, &stats.ledger);
        if (pool->stopped)
            stats.ledger.unreleased = pool->ledger.overdue;
        stats.workers = pool->alive;
        stats.degraded = weir__pool_is_degraded(pool);
        stats.busy = weir__pool_busy(pool);
        stats.tainted = pool->tainted;
        stats.held = pool->held.count;
        weir__seen_figures(pool, &stats);
        weir__mutex_unlock(&pool->lock);
    }
    weir__snapshot_write(out, &stats, sizeof(stats));
}
