/* SPDX-License-Identifier: MIT */
/*
 * pool_quiet.c - see pool_quiet.h.
 *
 * What is left behind here loses nothing yet: it makes later calls take the
 * lock, or has them run short of something in the end.
 */
#include "pool_quiet.h"

#include <stddef.h>

#include "pool/pool.h"
#include "quiet.h"

static bool nobody_waits(const struct weir__eventcount *event)
{
    const struct weir__waitlist *list = &event->waiters;

    return event->armed.value == event->quiet.value && !list->first &&
           !list->last && !list->overtaken && !list->stood_back;
}

static bool flag_is(const struct weir__counter *word, uint64_t flag, bool set)
{
    return ((word->value & flag) != 0) == set;
}

static const char *lane_is_broken(const weir_pool *it)
{
    if (!it->has_lane)
        return NULL;
    if (it->lane_shut != it->closing)
        return "the lane is shut, or is not";
    if (!flag_is(&it->lane.tail, WEIR__RING_STAND_BACK, it->lane_shut))
        return "submitters are told to take the lock, or are not";
    if (!flag_is(&it->lane.head, WEIR__RING_PILLS,
                 it->closing || it->alive > it->wanted))
        return "workers are told to take the lock, or are not";
    if (!quiet_ring_is_empty(&it->lane))
        return "a slot of the lane says that it is another's turn";
    if (it->lane_closing.value != it->closing)
        return "the lane does not know whether the pool closes";
    return NULL;
}

static const char *worker_is_broken(const struct weir__worker *worker)
{
    if (worker->phase != WEIR__IDLE && worker->phase != WEIR__ABSENT)
        return "a worker is at something";
    if (worker->entry || worker->lane.at.value)
        return "a worker has a task";
    if (worker->task.action_count || worker->task.cleanup_count ||
        worker->task.actor)
        return "an attempt has left something behind";
    return NULL;
}

static const char *workers_are_broken(const weir_pool *it)
{
    uint32_t idle = 0;

    for (uint32_t i = 0; i < it->worker_slots; i++) {
        const char *broken = worker_is_broken(it->workers[i]);

        if (broken)
            return broken;
        idle += it->workers[i]->phase == WEIR__IDLE;
    }
    if (it->ended || idle != it->alive)
        return "a worker that has ended is still there";
    if (!it->closing && idle != it->wanted)
        return "there are not as many workers as there should be";
    if (it->idlers.waiters.overtaken || it->idlers.waiters.stood_back)
        return "a worker is still thought to be overtaken";
    return NULL;
}

const char *pool_quiet_is_broken(const weir_pool *it)
{
    const char *broken = workers_are_broken(it);

    if (!broken)
        broken = lane_is_broken(it);
    if (broken)
        return broken;
    if (!nobody_waits(&it->submitters) || !nobody_waits(&it->joiners))
        return "somebody is still expected to wait";
    if (quiet_fd_is_broken(&it->joiners))
        return "a descriptor is not as it is thought to be";
    if (it->queued.first || it->due.first || it->later.first ||
        it->callers.first || it->first_notice || it->moments.soonest)
        return "a task is in a list";
    if (it->open || it->handling || it->attached)
        return "an entry is thought to be in use";
    if (it->free_count !=
        it->settings.options.queue_capacity + it->worker_slots)
        return "an entry is missing";
    return NULL;
}
