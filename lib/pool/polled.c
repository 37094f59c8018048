/* SPDX-License-Identifier: MIT */
/*
 * polled.c - a descriptor that says when tasks have settled.
 *
 * THE IDEA
 *
 * Who polls waits with those in join, by the same event count
 * (base/eventcount.h): every plain task's end looks at its armed word as it is,
 * so a pool without a descriptor pays nothing, and one with a descriptor that
 * is loud neither.  Those in join want to hear when all is done, who polls of
 * every settling: a plain task's end that sees it armed looks whether it is
 * quiet, and an entry's settling, which has the lock, tells at once.
 *
 * What hushes it is weir_pool_settled: it arms, and then counts.  A task has
 * either been counted, or settles later and tells.  The caller that collects
 * after that misses nothing; the one that collects before is told by the number
 * that there is more.
 *
 * MEMORY ORDER
 *
 * A worker counts and looks whether it is armed, this one arms and looks at all
 * counts: the pair of the joiners in lane.h, with the same two fences.
 */
#include <errno.h>

#include "base/fence.h"
#include "base/trap.h"
#include "pool/pool.h"

static uint64_t settled_so_far(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    weir_ledger l;

    weir__pool_ledger(pool, &l);
    return l.done + l.failed + l.timed_out + l.crashed + l.exited +
           l.cancelled + l.expired + l.dropped;
}

static uint64_t look(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    weir__eventcount_hush(&pool->joiners);
    if (pool->has_lane && pool->joiners.fd)
        weir__fence_heavy();
    return settled_so_far(pool);
}

int weir_pool_fd(weir_pool *pool)
{
    WEIR__UNTRAPPED;
    int fresh, surplus, fd;

    if (weir__pool_check(pool)) {
        errno = pool ? EPERM : EINVAL;
        return -1;
    }
    fresh = weir__eventcount_open();
    if (fresh < 0)
        return -1;
    weir__mutex_lock(&pool->lock);
    surplus = weir__eventcount_give(&pool->joiners, fresh);
    /* Whoever looks for the first time has not looked at what is over. */
    if (surplus < 0 && look(pool) > 0)
        weir__eventcount_tell(&pool->joiners);
    fd = pool->joiners.fd;
    weir__mutex_unlock(&pool->lock);
    if (surplus >= 0)
        weir__event_close(surplus);
    return fd;
}

uint64_t weir_pool_settled(weir_pool *pool)
{
    WEIR__UNTRAPPED;
    uint64_t count = 0;

    if (weir__pool_check(pool))
        return 0;
    weir__mutex_lock(&pool->lock);
    count = look(pool);
    weir__mutex_unlock(&pool->lock);
    return count;
}
