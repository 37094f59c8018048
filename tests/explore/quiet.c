/* SPDX-License-Identifier: MIT */
/*
 * quiet.c - see quiet.h.
 *
 * What is left behind here loses nothing, so that no call would tell: it makes
 * every later call take the lock.
 */
#include "quiet.h"

#include "events.h"
#include "queue/state.h"

bool quiet_fd_is_broken(const struct weir__eventcount *event)
{
    return event->fd && events_is_set(event->fd) == event->quiet.value;
}

/* Whether a side that has something keeps quiet about it. */
static bool keeps_quiet(const weir_queue *q)
{
    bool over = (q->ring.tail.value & WEIR__RING_CLOSED) != 0;
    uint64_t inside = weir__ring_ordinal(&q->ring, q->ring.tail.value) -
                      weir__ring_ordinal(&q->ring, q->ring.head.value);

    return (q->getters.event.quiet.value &&
            (over || inside > 0 || q->pills.first)) ||
           (q->putters.event.quiet.value &&
            (over || inside < q->ring.capacity));
}

static bool somebody_is_left(const struct weir__eventcount *event)
{
    const struct weir__waitlist *waiters = &event->waiters;

    return event->armed.value != event->quiet.value || waiters->first ||
           waiters->last || waiters->overtaken || waiters->stood_back;
}

/* The flag that a side sets in its word. */
static bool still_stands_back(const struct weir__side *side)
{
    return (side->word->value & WEIR__RING_STAND_BACK) != 0;
}

static bool says(const struct weir__ring *ring, uint64_t at, uint64_t full)
{
    return weir__ring_slot(ring, at)->stamp.value ==
           (weir__ring_stamp(ring, at) | full);
}

/* Items from the head to the tail, and free slots from there on; once closed,
 * nobody asks for those. */
static bool slots_are_right(const struct weir__ring *ring)
{
    uint64_t tail = weir__ring_position(ring->tail.value);
    uint64_t at = weir__ring_position(ring->head.value);
    size_t items = 0;

    for (; at != tail; at = weir__ring_after(ring, at, 1))
        if (++items > ring->capacity || !says(ring, at, WEIR__RING_FULL))
            return false;
    if (ring->tail.value & WEIR__RING_CLOSED)
        return true;
    for (; items < ring->capacity; items++) {
        if (!says(ring, at, 0))
            return false;
        at = weir__ring_after(ring, at, 1);
    }
    return true;
}

bool quiet_ring_is_empty(const struct weir__ring *ring)
{
    return weir__ring_position(ring->tail.value) ==
               weir__ring_position(ring->head.value) &&
           slots_are_right(ring);
}

const char *quiet_is_broken(const weir_queue *q)
{
    bool has_pills = (q->ring.head.value & WEIR__RING_PILLS) != 0;

    if (somebody_is_left(&q->getters.event) ||
        somebody_is_left(&q->putters.event) || somebody_is_left(&q->joiners))
        return "somebody is still expected to wait";
    if (still_stands_back(&q->getters) || still_stands_back(&q->putters))
        return "newcomers still stand back";
    if (quiet_fd_is_broken(&q->getters.event) ||
        quiet_fd_is_broken(&q->putters.event))
        return "a descriptor is not as it is thought to be";
    if (keeps_quiet(q))
        return "a descriptor does not say what there is";
    if (has_pills != (q->pills.first != NULL) ||
        has_pills != (q->pills.last != NULL))
        return "the flag for pills is not as the pills are";
    if (q->marks.telling)
        return "somebody still tells of pressure";
    if (!slots_are_right(&q->ring))
        return "a slot says that it is another's turn";
    return NULL;
}
