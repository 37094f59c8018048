/* SPDX-License-Identifier: MIT */
/* waiting.c - who is woken when.  The essay is in state.h. */
#include "base/clock.h"
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
    struct weir__waitlist *waiters = &side->event.waiters;
    int64_t since_ns = weir__now();
    weir_deadline nap = {weir__moment_after(since_ns, NAP_NS)};
    bool nap_first = coming && nap.at_ns < deadline.at_ns;
    weir_status status;

    if (turn->waits >= WEIR__OVERTAKEN_AT_MOST)
        weir__counter_or(side->word, WEIR__RING_STAND_BACK);
    status = weir__waitlist_wait(waiters, &q->lock, turn,
                                 nap_first ? nap : deadline);
    if (waiters->overtaken == 0 &&
        weir__counter_read(side->word) & WEIR__RING_STAND_BACK)
        weir__counter_and(side->word, ~(uint64_t)WEIR__RING_STAND_BACK);
    weir__spin_learn(&side->spin, weir__now() - since_ns);
    return nap_first ? WEIR_OK : status;
}

weir_status weir__queue_answer_at_end(const weir_queue *q)
{
    uint64_t tail = weir__counter_read(&q->ring.tail);
    uint64_t head = weir__counter_read(&q->ring.head);

    if (!(tail & WEIR__RING_CLOSED) ||
        weir__ring_position(head) != weir__ring_position(tail))
        return WEIR_TIMED_OUT;
    return weir__flag_read(&q->poisoned) ? WEIR_POISONED : WEIR_CLOSED;
}

static bool getter_may_go(const weir_queue *q)
{
    return weir__pills_are_due(&q->pills, weir__ring_got_ever(&q->ring)) ||
           weir__ring_has_item(&q->ring) ||
           weir__queue_answer_at_end(q) != WEIR_TIMED_OUT;
}

void weir__queue_leave_getters(weir_queue *q)
{
    if (weir__eventcount_leave(&q->getters.event) && getter_may_go(q))
        weir__eventcount_wake(&q->getters.event, 1);
}

void weir__queue_leave_putters(weir_queue *q)
{
    if (weir__eventcount_leave(&q->putters.event) &&
        (weir__queue_is_closed(q) || weir__ring_has_room(&q->ring)))
        weir__eventcount_wake(&q->putters.event, 1);
}
