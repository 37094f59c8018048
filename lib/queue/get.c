/* SPDX-License-Identifier: MIT */
/* get.c - items and pills go out.  The essay is in state.h. */
#include <weir/queue.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/trap.h"
#include "queue/queue.h"
#include "queue/state.h"

/* One call: what it wants, and what it got. */
struct getting {
    void *items;
    size_t count;
    size_t done;
    weir_deadline deadline;
    const struct weir__flag *interrupted; /* NULL: cannot be */
};

static weir_status get_slowly(weir_queue *q, struct getting *getting);
static weir_status take(weir_queue *q, struct getting *getting, bool *coming)
    WEIR_REQUIRES(q->lock);
static weir_status get_locked(weir_queue *q, struct getting *getting,
                              struct weir__turn *turn) WEIR_REQUIRES(q->lock);
static weir_status take_or_poll(weir_queue *q, struct getting *getting,
                                bool *coming) WEIR_REQUIRES(q->lock);
static struct weir__pill *take_pill(weir_queue *q) WEIR_REQUIRES(q->lock);

/* After a get. */
static inline void tell_putters(weir_queue *q, size_t count)
{
    weir__queue_wake(q, &q->putters);
    WEIR__QUEUE_PROBE(q, get, 0, count);
    if (WEIR_RARELY(q->is_heeded))
        weir__queue_tell(q, WEIR_EVENT_GET, count);
}

/* As weir__ring_get, for calls that are not worth a copy of it. */
static size_t get_some(weir_queue *q, struct getting *getting, uint64_t most,
                       uint64_t ignored)
{
    if (most > getting->count)
        most = getting->count;
    return weir__ring_get(&q->ring, getting->items, (size_t)most, ignored);
}

weir_status weir_queue_get(weir_queue *q, void *item, weir_deadline deadline)
{
    return weir__queue_get_unless(q, item, deadline, NULL);
}

weir_status
weir__queue_get_unless(weir_queue *q, void *item, weir_deadline deadline,
                       const struct weir__flag *interrupted)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, item, 1);

    if (status)
        return status;
    if (WEIR_RARELY(weir__ring_get(&q->ring, item, 1, 0) == 0)) {
        struct getting getting = {.items = item,
                                  .count = 1,
                                  .deadline = deadline,
                                  .interrupted = interrupted};

        status = get_slowly(q, &getting);
        if (status)
            return status;
    }
    tell_putters(q, 1);
    return WEIR_OK;
}

weir_status weir_queue_get_many(weir_queue *q, void *items, size_t count,
                                size_t *done, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, items, count);
    struct getting getting = {.items = items,
                              .count = count,
                              .deadline = deadline};

    if (!status && !done && count > 1)
        status =
            weir__refuse(WEIR_EINVAL,
                         "done is NULL: how many items came would be lost");
    if (!status && count > 0) {
        getting.done = get_some(q, &getting, count, 0);
        if (getting.done == 0)
            status = get_slowly(q, &getting);
        if (getting.done > 0)
            tell_putters(q, getting.done);
    }
    if (done)
        *done = getting.done;
    return status;
}

void weir__queue_wake_getters(weir_queue *q)
{
    weir__mutex_lock(&q->lock);
    weir__eventcount_wake_all(&q->getters.event);
    weir__mutex_unlock(&q->lock);
}

size_t weir__queue_item_size(const weir_queue *q)
{
    return q->ring.item_size;
}

/* ------------------------------------------------------------- the waiting */

/* Takes, and polls for a moment for what is coming. */
static weir_status
take_or_poll(weir_queue *q, struct getting *getting, bool *coming)
{
    weir_status answer = take(q, getting, coming);

    for (unsigned polls = 0; *coming && polls < WEIR__QUEUE_POLLS; polls++) {
        weir__cpu_pause();
        answer = take(q, getting, coming);
    }
    return answer;
}

/* Arms the getters' side; who comes back leaves it. */
static weir_status
get_locked(weir_queue *q, struct getting *getting, struct weir__turn *turn)
{
    const struct weir__waitlist *waiters = &q->getters.event.waiters;
    weir_status answer, status = WEIR_OK;

    for (;;) {
        bool coming = false;

        if (weir__must_stand_back(waiters, turn) && !weir__queue_is_closed(q)) {
            answer = WEIR_TIMED_OUT;
        } else {
            weir__eventcount_arm(&q->getters.event);
            answer = take_or_poll(q, getting, &coming);
        }
        if (answer == WEIR_TIMED_OUT && getting->interrupted &&
            weir__flag_read(getting->interrupted))
            answer = WEIR_CANCELLED;
        if (answer != WEIR_TIMED_OUT || status != WEIR_OK)
            return answer;
        status =
            weir__queue_park(q, &q->getters, turn, coming, getting->deadline);
    }
}

static weir_status get_waiting(weir_queue *q, struct getting *getting)
{
    struct weir__pill *used_up = NULL;
    struct weir__turn turn = {0};
    weir_status answer;

    weir__mutex_lock(&q->lock);
    answer = get_locked(q, getting, &turn);
    if (answer == WEIR_POISONED)
        used_up = take_pill(q);
    if (answer == WEIR_TIMED_OUT)
        weir__queue_hush_getters(q);
    q->getters.waits += turn.waits > 0;
    if (answer == WEIR_POISONED)
        weir__queue_note(q, WEIR_EVENT_PILL, 0, -1);
    weir__queue_leave_getters(q);
    weir__mutex_unlock(&q->lock);
    weir__release(used_up);
    return answer;
}

static void spin_for_item(weir_queue *q, struct getting *getting)
{
    struct weir__spinner spinner = {0};

    while (getting->done == 0 && weir__queue_may_spin(q, &q->getters) &&
           weir__spin_on(&q->getters.spin, &spinner))
        getting->done = get_some(q, getting, UINT64_MAX, 0);
    weir__spin_end(&q->getters.spin, &spinner, getting->done > 0);
}

/* Nothing inside, not even on its way, and nobody and no pill to look at.  The
 * head is read first: then it was so when it was read. */
static bool is_empty(const weir_queue *q)
{
    uint64_t head = weir__counter_read(&q->ring.head);

    return !(head & WEIR__RING_FLAGS) &&
           weir__counter_read(&q->ring.tail) == head;
}

/* For a get that the ring has given nothing. */
static weir_status get_slowly(weir_queue *q, struct getting *getting)
{
    if (weir__is_now(getting->deadline)) {
        if (!getting->interrupted && is_empty(q) &&
            !weir__eventcount_is_loud(&q->getters.event))
            return WEIR_TIMED_OUT;
    } else {
        spin_for_item(q, getting);
    }
    return getting->done > 0 ? WEIR_OK : get_waiting(q, getting);
}

/* ------------------------------------------------------------- the answers */

/* What a getter that came now would be told.  WEIR_TIMED_OUT: to wait, and
 * *coming says whether for an item that is just being put. */
static weir_status take(weir_queue *q, struct getting *getting, bool *coming)
{
    uint64_t most = UINT64_MAX, tail;

    *coming = false;
    if (q->pills.first)
        most =
            weir__pills_items_before(&q->pills, weir__ring_got_ever(&q->ring));
    if (most == 0)
        return WEIR_POISONED;
    getting->done = get_some(q, getting, most, WEIR__RING_FLAGS);
    if (getting->done > 0)
        return WEIR_OK;
    tail = weir__counter_read(&q->ring.tail);
    *coming = weir__ring_position(tail) !=
              weir__ring_position(weir__counter_read(&q->ring.head));
    if (*coming || !(tail & WEIR__RING_CLOSED))
        return WEIR_TIMED_OUT;
    return q->poisoned ? WEIR_POISONED : WEIR_CLOSED;
}

/* Returns what the caller has to weir__release, or NULL. */
static struct weir__pill *take_pill(weir_queue *q)
{
    struct weir__pill *used_up = NULL;

    if (q->pills.first)
        used_up = weir__pills_take(&q->pills);
    if (!q->pills.first)
        weir__counter_and(&q->ring.head, ~(uint64_t)WEIR__RING_PILLS);
    return used_up;
}
