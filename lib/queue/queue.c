/* SPDX-License-Identifier: MIT */
/*
 * queue.c - a queue's life: made, poisoned, closed, joined, looked at.
 *
 * The essay is in state.h; put.c and get.c move the items.
 */
#include <weir/queue.h>

#include <stddef.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"
#include "base/processors.h"
#include "base/trap.h"
#include "observe/events.h"
#include "queue/queue.h"
#include "queue/settings.h"
#include "queue/state.h"

/* How often a count is read until it is that of one moment. */
enum { GLANCES = 16 };

static void close_locked(weir_queue *q) WEIR_REQUIRES(q->lock);
static size_t empty_locked(weir_queue *q, uint64_t *from,
                           struct weir__pill **pills) WEIR_REQUIRES(q->lock);

/* ------------------------------------------------------------------ life */

static void init_side(struct weir__side *side, struct weir__counter *word)
{
    side->word = word;
    weir__spin_init(&side->spin, weir__processors_at_first());
}

weir_status weir_queue_create(weir_queue **out, size_t item_size,
                              const weir_queue_options *options)
{
    WEIR__UNTRAPPED;
    weir_queue_options read;
    weir_queue *q;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__queue_settings_read(&read, item_size, options);
    if (!status)
        status = weir__fork_watch();
    if (status)
        return status;

    q = weir__allocate_apart(sizeof(*q));
    if (!q)
        return weir__refuse(WEIR_ENOMEM, "no memory for a queue");
    q->generation = weir__fork_generation();
    q->options = read;
    q->marks.high = read.high_water;
    q->marks.low = read.low_water;
    init_side(&q->getters, &q->ring.head);
    init_side(&q->putters, &q->ring.tail);
    status = weir__ring_init(&q->ring, read.capacity, item_size);
    if (status)
        goto free_queue;
    status = weir__mutex_init(&q->lock, WEIR__RANK_QUEUE);
    if (status)
        goto dispose_ring;
    weir__queue_enter_events(q);
    *out = q;
    return WEIR_OK;

dispose_ring:
    weir__ring_dispose(&q->ring);
free_queue:
    weir__release_apart(q);
    return status;
}

void weir_queue_destroy(weir_queue *q)
{
    WEIR__UNTRAPPED;
    struct weir__pill *pills;
    uint64_t at;
    size_t count;
    int fds[2];

    if (!q || weir__is_forked(q->generation))
        return;
    /* An on_discard may put or get: it is told the end. */
    weir__mutex_lock(&q->lock);
    count = empty_locked(q, &at, &pills);
    fds[0] = weir__eventcount_take(&q->getters.event);
    fds[1] = weir__eventcount_take(&q->putters.event);
    weir__mutex_unlock(&q->lock);
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            weir__event_close(fds[i]);
    weir__pills_release(pills);
    for (; count > 0; count--, at = weir__ring_after(&q->ring, at, 1))
        weir__queue_discard(q, weir__ring_slot(&q->ring, at)->item,
                            WEIR_DISCARD_DESTROY);
    weir__mutex_dispose(&q->lock);
    weir__ring_dispose(&q->ring);
    weir__events_let_go(q->options.events);
    weir__release_apart(q);
}

weir_status weir__queue_refuse(const weir_queue *q)
{
    if (!q)
        return weir__refuse(WEIR_EINVAL, "queue is NULL");
    if (weir__is_forked(q->generation))
        return weir__refuse_forked("queue");
    return weir__refuse(WEIR_EINVAL, "item is NULL");
}

/* ------------------------------------------------------------- task_done */

/* Counts up to `count` items, but never more than were put. */
static uint64_t count_finished(weir_queue *q, uint64_t count, bool all_or_none)
{
    uint64_t finished = weir__counter_read(&q->finished), unfinished, n;

    do {
        unfinished = weir__ring_put_ever(&q->ring) - finished;
        n = count;
        if (n > unfinished)
            n = all_or_none ? 0 : unfinished;
    } while (
        !weir__counter_compare_swap(&q->finished, &finished, finished + n));
    return n;
}

static void tell_joiners(weir_queue *q)
{
    if (!weir__eventcount_is_armed(&q->joiners) || weir_queue_unfinished(q) > 0)
        return;
    weir__mutex_lock(&q->lock);
    weir__eventcount_wake_all(&q->joiners);
    weir__mutex_unlock(&q->lock);
}

/* A task_done for an item that was still inside counted it already. */
void weir__queue_finish(weir_queue *q, size_t count)
{
    count_finished(q, count, false);
    tell_joiners(q);
}

weir_status weir_queue_task_done(weir_queue *q, size_t count)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, NULL, 0);

    if (status)
        return status;
    if (count_finished(q, count, true) < count)
        return weir__refuse(WEIR_EINVAL,
                            "task_done for %zu items, but %zu are unfinished",
                            count, weir_queue_unfinished(q));
    tell_joiners(q);
    return WEIR_OK;
}

weir_status weir_queue_join(weir_queue *q, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, NULL, 0);
    struct weir__turn turn = {0};
    bool finished;

    if (status)
        return status;
    weir__mutex_lock(&q->lock);
    for (;;) {
        weir__eventcount_arm(&q->joiners);
        finished = weir_queue_unfinished(q) == 0;
        if (finished || status != WEIR_OK)
            break;
        status =
            weir__waitlist_wait(&q->joiners.waiters, &q->lock, &turn, deadline);
    }
    if (weir__eventcount_leave(&q->joiners) && finished)
        weir__eventcount_wake_all(&q->joiners);
    weir__mutex_unlock(&q->lock);
    return finished ? WEIR_OK : status;
}

/* -------------------------------------------------------- pills and the end */

weir_status weir_queue_poison(weir_queue *q, size_t consumers)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__queue_check(q, NULL, 0);
    struct weir__pill *pill;

    if (status)
        return status;
    if (consumers == 0)
        return weir__refuse(WEIR_EINVAL, "consumers is 0: poison at least one");
    pill = weir__allocate(sizeof(*pill));
    if (!pill)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pill");

    weir__mutex_lock(&q->lock);
    if (weir__queue_is_closed(q)) {
        status = WEIR_CLOSED;
    } else if (consumers == WEIR_EVERY_CONSUMER) {
        q->poisoned = true;
        weir__queue_note(q, WEIR_EVENT_PILL, 0, INT64_MAX);
        close_locked(q);
    } else {
        weir__queue_note(q, WEIR_EVENT_PILL, 0, (int64_t)consumers);
        /* First the flag: from then on nobody passes where the pill lands. */
        weir__counter_or(&q->ring.head, WEIR__RING_PILLS);
        *pill = (struct weir__pill){.after = weir__ring_put_ever(&q->ring),
                                    .left = consumers};
        pill = weir__pills_add(&q->pills, pill);
        weir__eventcount_wake(&q->getters.event, 1); /* who wakes the next */
    }
    weir__mutex_unlock(&q->lock);
    weir__release(pill);
    return status;
}

/* The answer changes for everyone. */
static void close_locked(weir_queue *q)
{
    if (!q->has_told_end)
        weir__queue_note(q, WEIR_EVENT_CLOSE, 0, 0);
    q->has_told_end = true;
    weir__hint_write(&q->ending, 1);
    weir__counter_or(&q->ring.tail, WEIR__RING_CLOSED);
    weir__eventcount_wake_all(&q->getters.event);
    weir__eventcount_wake_all(&q->putters.event);
}

void weir_queue_close(weir_queue *q)
{
    WEIR__UNTRAPPED;

    /* gcc does not know that NULL has been refused, and warns of it. */
    if (weir__queue_check(q, NULL, 0) || !q) /* unreached: NULL is refused */
        return;
    weir__mutex_lock(&q->lock);
    close_locked(q);
    weir__mutex_unlock(&q->lock);
}

/* Waits for a put that has claimed its position.  The queue is closed. */
static void await_published(weir_queue *q, uint64_t at)
{
    struct weir__turn turn = {0};

    weir__mutex_lock(&q->lock);
    for (;;) {
        weir__eventcount_arm(&q->getters.event);
        if (weir__ring_is_published(&q->ring, at))
            break;
        (void)weir__queue_park(q, &q->getters, &turn, true, WEIR_FOREVER);
    }
    weir__queue_leave_getters(q);
    weir__mutex_unlock(&q->lock);
}

/* Closes it and takes all there is: the items' slots from *from on, how many is
 * returned, and the pills, to be released, are the caller's. */
static size_t
empty_locked(weir_queue *q, uint64_t *from, struct weir__pill **pills)
{
    size_t count;

    q->poisoned = false;
    weir__counter_or(&q->ring.tail, WEIR__RING_CLOSED);
    *pills = q->pills.first;
    q->pills = (struct weir__pills){NULL, NULL};
    count = weir__ring_claim_all(&q->ring, WEIR__RING_PILLS, from);
    q->dropped += count;
    return count;
}

void weir_queue_abort(weir_queue *q)
{
    WEIR__UNTRAPPED;
    struct weir__pill *pills;
    uint64_t at;
    size_t count;

    if (weir__queue_check(q, NULL, 0))
        return;
    weir__mutex_lock(&q->lock);
    weir__hint_write(&q->ending, 1);
    count = empty_locked(q, &at, &pills);
    close_locked(q);
    weir__mutex_unlock(&q->lock);

    weir__pills_release(pills);
    weir__queue_tell_pressure(q);
    for (size_t i = 0; i < count; i++) {
        if (!weir__ring_is_published(&q->ring, at))
            await_published(q, at);
        weir__queue_discard(q, weir__ring_slot(&q->ring, at)->item,
                            WEIR_DISCARD_ABORT);
        at = weir__ring_after(&q->ring, at, 1);
    }
    weir__queue_finish(q, count);
}

/* ------------------------------------------------------------- a glance */

/* The head is read first, so that the difference is never negative.  If it has
 * moved on before the tail is read, once more; but not for ever: it has moved
 * on at least by what the difference exceeds the capacity. */
static weir_queue_stats glance_at(const weir_queue *q)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;
    uint64_t removed, head = weir__ring_got_ever(&q->ring);
    unsigned tries = GLANCES;

    do {
        removed = head;
        stats.put = weir__ring_put_ever(&q->ring);
        head = weir__ring_got_ever(&q->ring);
    } while (head != removed && --tries > 0);
    if (stats.put - removed > q->ring.capacity)
        removed = stats.put - q->ring.capacity;
    stats.count = (size_t)(stats.put - removed);
    stats.got = removed;
    return stats;
}

size_t weir_queue_count(const weir_queue *q)
{
    return weir__queue_check(q, NULL, 0) ? 0 : glance_at(q).count;
}

size_t weir_queue_capacity(const weir_queue *q)
{
    return q ? q->options.capacity : 0;
}

size_t weir_queue_unfinished(const weir_queue *q)
{
    uint64_t finished;

    if (weir__queue_check(q, NULL, 0))
        return 0;
    finished = weir__counter_read(&q->finished);
    return (size_t)(weir__ring_put_ever(&q->ring) - finished);
}

bool weir_queue_is_closed(const weir_queue *q)
{
    return !weir__queue_check(q, NULL, 0) && weir__queue_is_closed(q);
}

/* Reading takes the lock, which drops take too; a const handle does not forbid
 * it. */
void weir_queue_read_stats(const weir_queue *queue, weir_queue_stats *out)
{
    WEIR__UNTRAPPED;
    weir_queue *q = (weir_queue *)queue;
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    if (!weir__queue_check(q, NULL, 0)) {
        weir__mutex_lock(&q->lock);
        stats = glance_at(q);
        stats.dropped = q->dropped;
        stats.got -= q->dropped;
        stats.refused = weir__hint_read(&q->refused);
        stats.put_waits = q->putters.waits;
        stats.get_waits = q->getters.waits;
        weir__hint_raise(&q->ring.most, stats.count);
        stats.most = (size_t)weir__hint_read(&q->ring.most);
        weir__mutex_unlock(&q->lock);
    }
    weir__snapshot_write(out, &stats, sizeof(stats));
}

/* ---------------------------------------------------------------- helpers */

void weir__queue_discard(const weir_queue *q, const void *item,
                         weir_discard_reason reason)
{
    _Alignas(max_align_t) unsigned char copy[WEIR__MOST_ITEM_BYTES];

    weir__queue_note(q, WEIR_EVENT_DISCARD, reason, 1);
    if (!q->options.on_discard)
        return;
    memcpy(copy, item, q->ring.item_size);
    q->options.on_discard(q->options.on_discard_arg, copy, reason);
}

/* So many were inside at some moment: the tail is read first. */
static size_t count_at_least(const weir_queue *q)
{
    uint64_t put = weir__ring_put_ever(&q->ring);
    uint64_t removed = weir__ring_got_ever(&q->ring);

    return put > removed ? (size_t)(put - removed) : 0;
}

/* It may miss a crossing, but not see one that was none. */
static bool pressure_changed(const weir_queue *q)
{
    bool told_high = weir__flag_read(&q->told_high);

    return weir__marks_changed(&q->marks, told_high,
                               told_high ? weir_queue_count(q)
                                         : count_at_least(q));
}

/* One thread tells; what changes meanwhile it tells too, so that the last call
 * is true without the others having to wait. */
void weir__queue_tell_pressure(weir_queue *q)
{
    if (!q->options.on_pressure || !pressure_changed(q))
        return;
    weir__mutex_lock(&q->lock);
    if (!q->marks.telling) {
        q->marks.telling = true;
        while (pressure_changed(q)) {
            bool high = !weir__flag_read(&q->told_high);

            weir__flag_write(&q->told_high, high);
            weir__mutex_unlock(&q->lock);
            q->options.on_pressure(q->options.on_pressure_arg, high);
            weir__mutex_lock(&q->lock);
        }
        q->marks.telling = false;
    }
    weir__mutex_unlock(&q->lock);
}
