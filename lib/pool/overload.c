/* SPDX-License-Identifier: MIT */
/* overload.c - see overload.h. */
#include "pool/overload.h"

#include "base/clock.h"
#include "base/fork.h"

/* --------------------------------------------------------------- pressure */

static bool
pool_pressure_changed(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    const struct weir__strain *strain = &pool->strain;

    return strain->marks.high > 0 && !pool->destroyed &&
           weir__marks_changed(&strain->marks, strain->told_high,
                               (size_t)(pool->ledger.queued +
                                        pool->ledger.retrying));
}

void weir__pressure_review(weir_pool *pool)
{
    if (pool_pressure_changed(pool))
        weir__notifier_call(pool);
}

bool weir__pressure_is_quiet(const weir_pool *pool)
{
    return !pool->strain.marks.telling && !pool_pressure_changed(pool);
}

bool weir__pressure_tell_drops_lock(weir_pool *pool)
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__strain *strain = &pool->strain;
    bool high = !strain->told_high;

    if (!pool_pressure_changed(pool))
        return false;
    strain->told_high = high;
    strain->marks.telling = true;
    weir__mutex_unlock(&pool->lock);
    weir__pool_enter(&strain->inside, pool);
    o->on_pressure(o->on_pressure_arg, high);
    weir__fork_end_copy(pool->generation);
    weir__pool_leave(&strain->inside);
    weir__mutex_lock(&pool->lock);
    weir__pressure_forget(pool);
    weir__pool_changed(pool);
    return true;
}

void weir__pressure_forget(weir_pool *pool)
{
    pool->strain.marks.telling = false;
}

/* How full it is: what a submit would find.  A retry that comes back does not
 * ask for room, so there may be more than fits. */
double weir_pool_pressure(const weir_pool *handle)
{
    WEIR__UNTRAPPED;
    weir_pool *pool = (weir_pool *)handle; /* reading takes the lock too */
    uint64_t waits;
    double share;

    if (weir__pool_check(pool))
        return 0;
    weir__mutex_lock(&pool->lock);
    waits =
        weir__lane_count(pool) + pool->ledger.queued + pool->ledger.retrying;
    weir__mutex_unlock(&pool->lock);
    share = (double)waits / (double)pool->settings.options.queue_capacity;
    return share < 1 ? share : 1;
}

/* ------------------------------------------------------------------ stale */

bool weir__entry_is_stale(weir_pool *pool, const struct weir__entry *entry)
{
    struct weir__codel *codel = &pool->strain.codel;
    bool is_last = pool->ledger.queued - pool->schedule.delayed_count == 1;
    int64_t now_ns;

    if (codel->target_ns == 0 || entry->state != WEIR__QUEUED)
        return false;
    now_ns = weir__now();
    return weir__codel_drops(codel, now_ns, now_ns - entry->submitted_ns,
                             is_last);
}
