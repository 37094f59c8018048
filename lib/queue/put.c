/* SPDX-License-Identifier: MIT */
/* put.c - items come in.  The essay is in state.h. */
#include <weir/queue.h>

#include "base/clock.h"
#include "base/trap.h"
#include "queue/settings.h"
#include "queue/state.h"

/* What became of a put that may drop; from WAIT_FOR_ITEM on nothing yet. */
enum next { IT_IS_IN, CLOSED, OVERTAKEN, WAIT_FOR_ITEM, WAIT_FOR_ROOM, AGAIN };
struct dropping {
    const void *item;
    bool dropped; /* there is a victim */
    unsigned char victim[WEIR__MOST_ITEM_BYTES];
};

static weir_status put_slowly(weir_queue *q, const void *items, size_t count,
                              size_t *done, weir_deadline deadline);
static weir_status put_dropping(weir_queue *q, const void *item);
static enum next
put_or_drop(weir_queue *q, struct dropping *dropping) WEIR_REQUIRES(q->lock);

/* As weir__ring_put, for calls that are not worth a copy of it. */
static size_t
put_some(weir_queue *q, const void *items, size_t count, uint64_t ignored)
{
    return weir__ring_put(&q->ring, items, count, ignored);
}

/* After a put. */
static inline void tell_getters(weir_queue *q, size_t count)
{
    weir__queue_wake(q, &q->getters);
    WEIR__QUEUE_PROBE(q, put, 0, count);
    if (WEIR_RARELY(q->is_heeded))
        weir__queue_tell(q, WEIR_EVENT_PUT, count);
}

weir_status
weir_queue_put(weir_queue *q, const void *item, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, item, 1);
    size_t done;

    if (status)
        return status;
    if (WEIR_RARELY(weir__ring_put(&q->ring, item, 1, 0) == 0)) {
        status = put_slowly(q, item, 1, &done, deadline);
        if (status) {
            weir__hint_add(&q->refused, 1);
            return status;
        }
    }
    tell_getters(q, 1);
    return WEIR_OK;
}

weir_status weir_queue_put_many(weir_queue *q, const void *items, size_t count,
                                size_t *done, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, items, count);
    const unsigned char *item = items;
    bool is_valid = !status; /* else the call is refused, not its items */
    size_t n = 0;

    while (!status && n < count) {
        const void *rest = item + n * q->ring.item_size;
        size_t more = put_some(q, rest, count - n, 0);

        if (more == 0)
            status = put_slowly(q, rest, count - n, &more, deadline);
        if (more > 0)
            tell_getters(q, more);
        n += more;
    }
    if (is_valid && n < count)
        weir__hint_add(&q->refused, count - n);
    if (done)
        *done = n;
    return status;
}

/* ------------------------------------------------------------- the waiting */

/* What a putter that came now would be told.  WEIR_TIMED_OUT: to wait, and
 * *coming says whether for a slot that is just being read. */
static weir_status put_now(weir_queue *q, const void *items, size_t count,
                           size_t *done, bool *coming)
{
    uint64_t tail;

    *coming = false;
    *done = put_some(q, items, count, WEIR__RING_STAND_BACK);
    if (*done > 0)
        return WEIR_OK;
    tail = weir__counter_read(&q->ring.tail);
    if (tail & WEIR__RING_CLOSED)
        return WEIR_CLOSED;
    *coming = weir__ring_has_room(&q->ring, tail);
    return WEIR_TIMED_OUT;
}

/* Puts, and polls for a moment for room that is coming. */
static weir_status put_or_poll(weir_queue *q, const void *items, size_t count,
                               size_t *done, bool *coming)
{
    weir_status answer = put_now(q, items, count, done, coming);

    for (unsigned polls = 0; *coming && polls < WEIR__QUEUE_POLLS; polls++) {
        weir__cpu_pause();
        answer = put_now(q, items, count, done, coming);
    }
    return answer;
}

static weir_status put_waiting(weir_queue *q, const void *items, size_t count,
                               size_t *done, weir_deadline deadline)
{
    const struct weir__waitlist *waiters = &q->putters.event.waiters;
    weir_status answer, status = WEIR_OK;
    struct weir__turn turn = {0};
    uint64_t wait = 0;

    weir__mutex_lock(&q->lock);
    for (;;) {
        bool coming = false;

        if (weir__must_stand_back(waiters, &turn)) {
            answer = weir__queue_is_closed(q) ? WEIR_CLOSED : WEIR_TIMED_OUT;
        } else {
            weir__eventcount_arm(&q->putters.event);
            answer = put_or_poll(q, items, count, done, &coming);
        }
        if (answer != WEIR_TIMED_OUT || status != WEIR_OK)
            break;
        if (wait == 0) {
            wait = ++q->blocked;
            weir__queue_note(q, WEIR_EVENT_BLOCKED, wait, 0);
        }
        status = weir__queue_park(q, &q->putters, &turn, coming, deadline);
    }
    if (answer == WEIR_TIMED_OUT)
        weir__queue_hush_putters(q);
    q->putters.waits += turn.waits > 0;
    if (wait > 0)
        weir__queue_note(q, WEIR_EVENT_UNBLOCKED, wait, answer);
    weir__queue_leave_putters(q);
    weir__mutex_unlock(&q->lock);
    return answer;
}

static size_t spin_for_room(weir_queue *q, const void *items, size_t count)
{
    struct weir__spinner spinner = {0};
    size_t done = 0;

    while (done == 0 && weir__queue_may_spin(q, &q->putters) &&
           weir__spin_on(&q->putters.spin, &spinner))
        done = put_some(q, items, count, 0);
    weir__spin_end(&q->putters.spin, &spinner, done > 0);
    return done;
}

/* Who polls for room is to hear of it from now on. */
static void refuse_for_want_of_room(weir_queue *q)
{
    if (!weir__eventcount_is_loud(&q->putters.event))
        return;
    weir__mutex_lock(&q->lock);
    weir__queue_hush_putters(q);
    weir__mutex_unlock(&q->lock);
}

/* For a put that the ring has not taken.  *done is written. */
static weir_status put_slowly(weir_queue *q, const void *items, size_t count,
                              size_t *done, weir_deadline deadline)
{
    uint64_t tail = weir__counter_read(&q->ring.tail);

    *done = 0;
    if (tail & WEIR__RING_CLOSED)
        return WEIR_CLOSED;
    if (q->options.on_full == WEIR_ON_FULL_DROP_OLDEST) {
        weir_status status = put_dropping(q, items);

        *done = status == WEIR_OK;
        return status;
    }
    if (q->options.on_full == WEIR_ON_FULL_REFUSE) {
        refuse_for_want_of_room(q);
        return WEIR_FULL;
    }
    if (!weir__is_now(deadline))
        *done = spin_for_room(q, items, count);
    else if (!weir__ring_has_room(&q->ring, tail) &&
             !weir__eventcount_is_loud(&q->putters.event))
        return WEIR_TIMED_OUT;
    return *done ? WEIR_OK : put_waiting(q, items, count, done, deadline);
}

/* --------------------------------------------------------- the drop policy */

/*
 * Puts the item if there is room, else takes the oldest off and tries again.
 * For a moment neither may be possible: the get that claimed the slot we need
 * still reads, or the oldest item is just being put.  That is sure only if head
 * and tail have stood still, for then nobody else can change it; else look
 * again.
 */
static enum next put_or_drop(weir_queue *q, struct dropping *dropping)
{
    struct weir__ring *ring = &q->ring;
    uint64_t tail = weir__counter_read(&ring->tail), head;

    if (tail & WEIR__RING_CLOSED)
        return CLOSED;
    if (put_some(q, dropping->item, 1, WEIR__RING_FLAGS))
        return IT_IS_IN;
    if (dropping->dropped)
        return OVERTAKEN;
    head = weir__counter_read(&ring->head);
    if (weir__ring_has_room(ring, tail))
        return weir__counter_read(&ring->tail) == tail ? WAIT_FOR_ROOM : AGAIN;
    dropping->dropped =
        weir__ring_get(ring, dropping->victim, 1, WEIR__RING_FLAGS) > 0;
    return !dropping->dropped && weir__counter_read(&ring->head) == head &&
                   weir__counter_read(&ring->tail) == tail
               ? WAIT_FOR_ITEM
               : AGAIN;
}

/* Waits only for a thread that is in the middle of a call, and in naps: either
 * side may have something for it, and it can wait on one only. */
static enum next drop_or_wait(weir_queue *q, struct dropping *dropping)
{
    struct weir__turn turn = {0};
    enum next next;

    dropping->dropped = false;
    weir__mutex_lock(&q->lock);
    do {
        weir__eventcount_arm(&q->getters.event);
        weir__eventcount_arm(&q->putters.event);
        next = put_or_drop(q, dropping);
        if (next == WAIT_FOR_ITEM)
            (void)weir__queue_park(q, &q->getters, &turn, true, WEIR_FOREVER);
        if (next == WAIT_FOR_ROOM) {
            /* What woke us may have been meant for a getter. */
            weir__queue_leave_getters(q);
            (void)weir__queue_park(q, &q->putters, &turn, true, WEIR_FOREVER);
        }
    } while (next >= WAIT_FOR_ITEM);
    q->dropped += dropping->dropped;
    weir__queue_leave_getters(q);
    weir__queue_leave_putters(q);
    weir__mutex_unlock(&q->lock);
    return next;
}

/* A victim for every time that another put takes the room that was made. */
static weir_status put_dropping(weir_queue *q, const void *item)
{
    struct dropping dropping; /* the victim's room is left as it is */
    enum next next;

    dropping.item = item;
    do {
        next = drop_or_wait(q, &dropping);
        if (next == IT_IS_IN)
            weir__queue_wake(q, &q->getters);
        if (dropping.dropped) {
            weir__queue_discard(q, dropping.victim, WEIR_DISCARD_OVERLOAD);
            weir__queue_finish(q, 1);
        }
    } while (next == OVERTAKEN);
    return next == CLOSED ? WEIR_CLOSED : WEIR_OK;
}
