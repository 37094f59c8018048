/* SPDX-License-Identifier: MIT */
/* waiting.c - who is woken when.  The essay is in state.h. */
#include <errno.h>

#include "base/clock.h"
#include "base/trap.h"
#include "queue/state.h"

void weir__queue_wake_one(weir_queue *q, struct weir__side *side)
{
    weir__mutex_lock(&q->lock);
    if (weir__eventcount_is_armed(&side->event))
        weir__eventcount_wake(&side->event, 1);
    weir__mutex_unlock(&q->lock);
}

/* See WAKING. */
#define NAP_NS WEIR_MS(1)

/* Newcomers stand back while somebody waits who was overtaken too often. */
weir_status
weir__queue_park(weir_queue *q, struct weir__side *side,
                 struct weir__turn *turn, bool coming, weir_deadline deadline)
{
    bool learns = weir__spin_is_on(&side->spin);
    int64_t since_ns = learns || coming ? weir__now() : 0;
    int64_t nap_until_ns = weir__moment_after(since_ns, NAP_NS);
    bool naps = coming && nap_until_ns < deadline.at_ns;
    weir_status status;

    if (naps)
        deadline.at_ns = nap_until_ns;
    if (turn->waits >= WEIR__OVERTAKEN_AT_MOST)
        weir__counter_or(side->word, WEIR__RING_STAND_BACK);
    status =
        weir__waitlist_wait(&side->event.waiters, &q->lock, turn, deadline);
    if (learns && status == WEIR_OK)
        weir__spin_learn(&side->spin, weir__now() - since_ns);
    return naps ? WEIR_OK : status;
}

/* Returns whether others wait.  Only now, when the thread that was overtaken
 * has had its turn, newcomers need not stand back any more. */
static bool leave(struct weir__side *side)
{
    if (side->event.waiters.overtaken == 0 &&
        weir__counter_read(side->word) & WEIR__RING_STAND_BACK)
        weir__counter_and(side->word, ~(uint64_t)WEIR__RING_STAND_BACK);
    return weir__eventcount_leave(&side->event);
}

/* An item, even one that is just being put; a pill; the end. */
static bool getter_may_go(const weir_queue *q)
{
    uint64_t tail = weir__counter_read(&q->ring.tail);
    uint64_t head = weir__counter_read(&q->ring.head);

    return weir__ring_position(head) != weir__ring_position(tail) ||
           (tail & WEIR__RING_CLOSED) ||
           weir__pills_are_due(&q->pills, weir__ring_ordinal(&q->ring, head));
}

/* Room, even if it is just being made; the end; who drops needs neither. */
static bool putter_may_go(const weir_queue *q)
{
    uint64_t tail = weir__counter_read(&q->ring.tail);

    return q->options.on_full == WEIR_ON_FULL_DROP_OLDEST ||
           (tail & WEIR__RING_CLOSED) || weir__ring_has_room(&q->ring, tail);
}

void weir__queue_leave_getters(weir_queue *q)
{
    if (leave(&q->getters) && getter_may_go(q))
        weir__eventcount_wake(&q->getters.event, 1);
}

void weir__queue_leave_putters(weir_queue *q)
{
    if (leave(&q->putters) && putter_may_go(q))
        weir__eventcount_wake(&q->putters.event, 1);
}

/* -------------------------------------------------------------- descriptors */

void weir__queue_hush_getters(weir_queue *q)
{
    weir__eventcount_hush(&q->getters.event);
    if (getter_may_go(q))
        weir__eventcount_tell(&q->getters.event);
}

void weir__queue_hush_putters(weir_queue *q)
{
    weir__eventcount_hush(&q->putters.event);
    if (putter_may_go(q))
        weir__eventcount_tell(&q->putters.event);
}

/* Whether it has no descriptors to lend; by errno. */
static bool lends_none(const weir_queue *q)
{
    if (!weir__queue_check(q, NULL, 0))
        return false;
    errno = q ? EPERM : EINVAL;
    return true;
}

/* The side's descriptor, made if there is none; `hush` says how it begins. */
static int
fd_of(weir_queue *q, struct weir__side *side, void (*hush)(weir_queue *q))
{
    int fresh = weir__eventcount_open(), surplus, fd;

    if (fresh < 0)
        return -1;
    weir__mutex_lock(&q->lock);
    surplus = weir__eventcount_give(&side->event, fresh);
    if (surplus < 0)
        hush(q);
    fd = side->event.fd;
    weir__mutex_unlock(&q->lock);
    if (surplus >= 0)
        weir__event_close(surplus);
    return fd;
}

/* gcc and clang do not know that NULL lends none. */
int weir_queue_item_fd(weir_queue *q)
{
    WEIR__UNTRAPPED;

    if (lends_none(q) || !q) /* unreached: NULL lends none */
        return -1;
    return fd_of(q, &q->getters, weir__queue_hush_getters);
}

int weir_queue_room_fd(weir_queue *q)
{
    WEIR__UNTRAPPED;

    if (lends_none(q) || !q) /* unreached: NULL lends none */
        return -1;
    return fd_of(q, &q->putters, weir__queue_hush_putters);
}
