/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the bounded blocking queue.
 *
 * THE IDEA
 *
 * A ring of slots (ring.h) under one lock, and three lists of waiting threads:
 * putters for room, getters for an item or a pill, joiners for the last item
 * to be finished.
 *
 * STATES
 *
 *   open      ──close──────────────────▶  closed     puts refused, gets drain
 *   open      ──poison(every consumer)─▶  poisoned   closed, and each getter
 *                                                    that finds it empty gets
 *                                                    WEIR_POISONED
 *   any       ──abort──────────────────▶  closed     and emptied of items,
 *                                                    pills and poison
 *
 * INVARIANTS (hold whenever `lock` is free)
 *
 *   1. The ring holds the items put and neither got nor dropped, in the order
 *      of their puts: count == put - got - dropped <= capacity.
 *   2. A pill acts when as many items have left as were put before it.
 *   3. closed only ever goes from false to true; after that nobody waits.
 *   4. If there is an item or a pill that is due, no getter sleeps without a
 *      wake-up on its way, one per item and one per consumer of a pill; if
 *      there is room, no putter does.
 *   5. unfinished == items put, less task_done, less discarded.
 *
 * WAKING
 *
 * A put makes one get possible, so it wakes one getter; a get wakes one
 * putter; close and abort change the answer for everyone and wake all.  A
 * wake-up is never lost to a deadline that passes at the same moment
 * (base/park.h).
 *
 * A discarded item is handed over with no lock held.  On abort and destroy it
 * still lies in its slot then: nobody can put any more, so nobody overwrites
 * it.  It counts as unfinished until on_discard has returned.
 *
 * WHY NOT TWO LOCKS
 *
 * A lock for each end would let one putter and one getter overlap, but close,
 * pills and drop-oldest need both, and the count would have to be atomic.
 *
 * Locking: rank QUEUE.  No user code runs and nothing is allocated under it.
 */
#include <weir/queue.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/park.h"
#include "queue/marks.h"
#include "queue/pills.h"
#include "queue/queue.h"
#include "queue/ring.h"
#include "queue/settings.h"

/* I: set by create, then read-only.  L: only with `lock` held. */
struct weir_queue {
    struct weir__mutex lock;
    struct weir__waitlist getters; /* L: nothing to get */
    struct weir__waitlist putters; /* L: no room */
    struct weir__waitlist joiners; /* L: unfinished > 0 */
    uint64_t generation;           /* I: of the process, see base/fork.h */
    weir_queue_options options;    /* I: with defaults filled in */
    struct weir__ring ring;        /* L: the items */
    size_t unfinished;             /* L: items */
    struct weir__pills pills;      /* L: positions count removed items */
    bool closed;                   /* L: never turns false again */
    bool poisoned;                 /* L: for every consumer */
    struct weir__marks marks;      /* L: water marks */
    weir_queue_stats stats;        /* L: all but count, which the ring has */
};

static weir_status wait_for_room(struct weir_queue *q, weir_deadline deadline)
    WEIR_REQUIRES(q->lock);
static weir_status
wait_for_item(struct weir_queue *q, weir_deadline deadline,
              const struct weir__flag *interrupted) WEIR_REQUIRES(q->lock);
static void
append(struct weir_queue *q, const void *item) WEIR_REQUIRES(q->lock);
static void close_locked(struct weir_queue *q) WEIR_REQUIRES(q->lock);
static void finish(struct weir_queue *q, size_t count) WEIR_REQUIRES(q->lock);
static void
tell_pressure_drops_lock(struct weir_queue *q) WEIR_REQUIRES(q->lock);

/* ------------------------------------------------------------------ life */

weir_status weir_queue_create(weir_queue **out, size_t item_size,
                              const weir_queue_options *options)
{
    weir_queue_options read;
    struct weir_queue *q;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__queue_settings_read(&read, item_size, options);
    if (!status)
        status = weir__fork_watch();
    if (status)
        return status;

    q = weir__allocate(sizeof(*q));
    if (!q)
        return weir__refuse(WEIR_ENOMEM, "no memory for a queue");
    q->generation = weir__fork_generation();
    q->options = read;
    q->stats.size = sizeof(q->stats);
    q->marks.high = read.high_water;
    q->marks.low = read.low_water;
    status = weir__ring_init(&q->ring, read.capacity, item_size);
    if (status)
        goto free_queue;
    status = weir__mutex_init(&q->lock, WEIR__RANK_QUEUE);
    if (status)
        goto dispose_ring;
    *out = q;
    return WEIR_OK;

dispose_ring:
    weir__ring_dispose(&q->ring);
free_queue:
    weir__release(q);
    return status;
}

/* Hands over `count` items from slot `first` on; see the essay for why nobody
 * overwrites them. */
static void discard_slots(struct weir_queue *q, size_t first, size_t count,
                          weir_discard_reason reason)
{
    if (!q->options.on_discard)
        return;
    for (size_t i = 0; i < count; i++)
        q->options.on_discard(q->options.on_discard_arg,
                              weir__ring_slot(&q->ring, first, i), reason);
}

void weir_queue_destroy(weir_queue *q)
{
    if (!q || weir__is_forked(q->generation))
        return;
    discard_slots(q, q->ring.head, q->ring.count, WEIR_DISCARD_DESTROY);
    weir__pills_release(q->pills.first);
    weir__mutex_dispose(&q->lock);
    weir__ring_dispose(&q->ring);
    weir__release(q);
}

/* ------------------------------------------------------------------- use */

static weir_status
check_use(const struct weir_queue *q, const void *items, size_t count)
{
    if (!q)
        return weir__refuse(WEIR_EINVAL, "queue is NULL");
    if (weir__is_forked(q->generation))
        return weir__refuse_forked("queue");
    if (!items && count > 0)
        return weir__refuse(WEIR_EINVAL, "item is NULL");
    return WEIR_OK;
}

/* Puts what there is room for, waits, and so on. */
static weir_status
put_waiting(struct weir_queue *q, const unsigned char *items, size_t count,
            size_t *done, weir_deadline deadline)
{
    weir_status status = WEIR_OK;
    size_t n = 0;

    weir__mutex_lock(&q->lock);
    while (n < count && status == WEIR_OK) {
        size_t before = n;

        status = wait_for_room(q, deadline);
        while (!status && n < count && !weir__ring_is_full(&q->ring))
            append(q, items + n++ * q->ring.item_size);
        weir__waitlist_wake(&q->getters, n - before);
        tell_pressure_drops_lock(q);
    }
    q->stats.refused += count - n;
    weir__mutex_unlock(&q->lock);
    *done = n;
    return status;
}

/* Puts the first of `offered` items, and at need drops the oldest for it. */
static weir_status
put_dropping(struct weir_queue *q, const void *item, size_t offered)
{
    unsigned char victim[WEIR__MOST_ITEM_BYTES];
    weir_status status = WEIR_OK;
    bool dropped = false;

    weir__mutex_lock(&q->lock);
    if (q->closed) {
        status = WEIR_CLOSED;
        q->stats.refused += offered;
    } else {
        if (weir__ring_is_full(&q->ring)) {
            weir__ring_remove(&q->ring, victim);
            q->stats.dropped++;
            dropped = true;
        }
        append(q, item);
        weir__waitlist_wake(&q->getters, 1);
        tell_pressure_drops_lock(q);
    }
    weir__mutex_unlock(&q->lock);
    if (!dropped)
        return status;

    if (q->options.on_discard)
        q->options.on_discard(q->options.on_discard_arg, victim,
                              WEIR_DISCARD_OVERLOAD);
    weir__mutex_lock(&q->lock);
    finish(q, 1);
    weir__mutex_unlock(&q->lock);
    return WEIR_OK;
}

weir_status
weir_queue_put(weir_queue *q, const void *item, weir_deadline deadline)
{
    size_t done;

    return weir_queue_put_many(q, item, 1, &done, deadline);
}

weir_status weir_queue_put_many(weir_queue *q, const void *items, size_t count,
                                size_t *done, weir_deadline deadline)
{
    weir_status status = check_use(q, items, count);
    size_t n = 0;

    if (!status && q->options.on_full != WEIR_ON_FULL_DROP_OLDEST)
        status = put_waiting(q, items, count, &n, deadline);
    else
        while (!status && n < count) {
            const unsigned char *item = items;

            status = put_dropping(q, item + n * q->ring.item_size, count - n);
            n += status == WEIR_OK;
        }
    if (done)
        *done = n;
    return status;
}

/* Moves one item, and up to `count` if that many are there; or takes a pill. */
static weir_status
get_some(struct weir_queue *q, unsigned char *items, size_t count, size_t *done,
         weir_deadline deadline, const struct weir__flag *interrupted)
{
    struct weir__pill *used_up = NULL;
    weir_status status;
    size_t n = 0;

    weir__mutex_lock(&q->lock);
    status = wait_for_item(q, deadline, interrupted);
    if (status == WEIR_OK) {
        uint64_t most =
            weir__pills_items_before(&q->pills,
                                     q->stats.got + q->stats.dropped);

        while (n < count && n < most && q->ring.count > 0)
            weir__ring_remove(&q->ring, items + n++ * q->ring.item_size);
        q->stats.got += n;
        weir__waitlist_wake(&q->putters, n);
        tell_pressure_drops_lock(q);
    } else if (status == WEIR_POISONED && q->pills.first) {
        used_up = weir__pills_take(&q->pills);
    }
    weir__mutex_unlock(&q->lock);
    weir__release(used_up);
    *done = n;
    return status;
}

weir_status weir_queue_get(weir_queue *q, void *item, weir_deadline deadline)
{
    return weir__queue_get_unless(q, item, deadline, NULL);
}

weir_status
weir__queue_get_unless(weir_queue *q, void *item, weir_deadline deadline,
                       const struct weir__flag *interrupted)
{
    weir_status status = check_use(q, item, 1);
    size_t done;

    if (status)
        return status;
    return get_some(q, item, 1, &done, deadline, interrupted);
}

weir_status weir_queue_get_many(weir_queue *q, void *items, size_t count,
                                size_t *done, weir_deadline deadline)
{
    weir_status status = check_use(q, items, count);
    size_t n = 0;

    if (!status && !done && count > 1)
        status =
            weir__refuse(WEIR_EINVAL,
                         "done is NULL: how many items came would be lost");
    if (!status && count > 0)
        status = get_some(q, items, count, &n, deadline, NULL);
    if (done)
        *done = n;
    return status;
}

void weir__queue_wake_getters(weir_queue *q)
{
    weir__mutex_lock(&q->lock);
    weir__waitlist_wake_all(&q->getters);
    weir__mutex_unlock(&q->lock);
}

weir_status weir_queue_task_done(weir_queue *q, size_t count)
{
    weir_status status = check_use(q, NULL, 0);

    if (status)
        return status;
    weir__mutex_lock(&q->lock);
    if (count <= q->unfinished)
        finish(q, count);
    else
        status = weir__refuse(WEIR_EINVAL,
                              "task_done for %zu items, but %zu are unfinished",
                              count, q->unfinished);
    weir__mutex_unlock(&q->lock);
    return status;
}

weir_status weir_queue_join(weir_queue *q, weir_deadline deadline)
{
    weir_status status = check_use(q, NULL, 0);
    struct weir__turn turn = {0};

    if (status)
        return status;
    weir__mutex_lock(&q->lock);
    while (q->unfinished > 0 && status == WEIR_OK)
        status = weir__waitlist_wait(&q->joiners, &q->lock, &turn, deadline);
    if (q->unfinished == 0)
        status = WEIR_OK;
    weir__mutex_unlock(&q->lock);
    return status;
}

weir_status weir_queue_poison(weir_queue *q, size_t consumers)
{
    weir_status status = check_use(q, NULL, 0);
    struct weir__pill *pill;

    if (status)
        return status;
    if (consumers == 0)
        return weir__refuse(WEIR_EINVAL, "consumers is 0: poison at least one");
    pill = weir__allocate(sizeof(*pill));
    if (!pill)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pill");

    weir__mutex_lock(&q->lock);
    if (q->closed) {
        status = WEIR_CLOSED;
    } else if (consumers == WEIR_EVERY_CONSUMER) {
        q->poisoned = true;
        close_locked(q);
    } else {
        *pill = (struct weir__pill){.after = q->stats.put, .left = consumers};
        pill = weir__pills_add(&q->pills, pill);
        weir__waitlist_wake(&q->getters, consumers);
    }
    weir__mutex_unlock(&q->lock);
    weir__release(pill);
    return status;
}

void weir_queue_close(weir_queue *q)
{
    if (check_use(q, NULL, 0))
        return;
    weir__mutex_lock(&q->lock);
    close_locked(q);
    weir__mutex_unlock(&q->lock);
}

void weir_queue_abort(weir_queue *q)
{
    struct weir__pill *pills;
    size_t first, count;

    if (check_use(q, NULL, 0))
        return;
    weir__mutex_lock(&q->lock);
    q->poisoned = false;
    pills = q->pills.first;
    q->pills = (struct weir__pills){NULL, NULL};
    first = q->ring.head;
    count = q->ring.count;
    q->stats.dropped += count;
    weir__ring_clear(&q->ring);
    close_locked(q);
    tell_pressure_drops_lock(q);
    weir__mutex_unlock(&q->lock);

    weir__pills_release(pills);
    discard_slots(q, first, count, WEIR_DISCARD_ABORT);
    weir__mutex_lock(&q->lock);
    finish(q, count);
    weir__mutex_unlock(&q->lock);
}

/* ------------------------------------------------------------- a glance */

struct glance {
    weir_queue_stats stats;
    size_t unfinished;
    bool closed;
};

/* Reading takes the lock too, which a const handle does not forbid. */
static struct glance glance_at(const weir_queue *queue)
{
    struct weir_queue *q = (struct weir_queue *)queue;
    struct glance glance = {.stats = WEIR_QUEUE_STATS_INIT};

    if (check_use(q, NULL, 0))
        return glance;
    weir__mutex_lock(&q->lock);
    glance.stats = q->stats;
    glance.stats.count = q->ring.count;
    glance.unfinished = q->unfinished;
    glance.closed = q->closed;
    weir__mutex_unlock(&q->lock);
    return glance;
}

size_t weir_queue_count(const weir_queue *q)
{
    return glance_at(q).stats.count;
}

size_t weir_queue_capacity(const weir_queue *q)
{
    return q ? q->options.capacity : 0;
}

size_t weir_queue_unfinished(const weir_queue *q)
{
    return glance_at(q).unfinished;
}

bool weir_queue_is_closed(const weir_queue *q)
{
    return glance_at(q).closed;
}

void weir_queue_read_stats(const weir_queue *q, weir_queue_stats *out)
{
    weir_queue_stats stats = glance_at(q).stats;

    weir__snapshot_write(out, &stats, sizeof(stats));
}

size_t weir__queue_item_size(const weir_queue *q)
{
    return q->ring.item_size;
}

/* ------------------------------------------------------------- the waiting */

static bool has_room(const struct weir_queue *q)
{
    return !weir__ring_is_full(&q->ring);
}

static bool may_put(const struct weir_queue *q, const struct weir__turn *turn)
{
    return has_room(q) && !weir__must_stand_back(&q->putters, turn);
}

static weir_status wait_for_room(struct weir_queue *q, weir_deadline deadline)
{
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    if (q->closed)
        return WEIR_CLOSED;
    if (q->options.on_full == WEIR_ON_FULL_REFUSE)
        return has_room(q) ? WEIR_OK : WEIR_FULL;
    while (!q->closed && status == WEIR_OK && !may_put(q, &turn))
        status = weir__waitlist_wait(&q->putters, &q->lock, &turn, deadline);
    if (turn.waits > 0)
        q->stats.put_waits++;
    if (q->closed)
        return WEIR_CLOSED;
    return may_put(q, &turn) ? WEIR_OK : WEIR_TIMED_OUT;
}

/* What a getter that came now would be told; WEIR_TIMED_OUT: to wait. */
static weir_status answer_to_getter(const struct weir_queue *q)
{
    if (weir__pills_are_due(&q->pills, q->stats.got + q->stats.dropped))
        return WEIR_POISONED;
    if (q->ring.count > 0)
        return WEIR_OK;
    if (q->poisoned)
        return WEIR_POISONED;
    return q->closed ? WEIR_CLOSED : WEIR_TIMED_OUT;
}

static weir_status wait_for_item(struct weir_queue *q, weir_deadline deadline,
                                 const struct weir__flag *interrupted)
{
    struct weir__turn turn = {0};
    weir_status answer, status = WEIR_OK;

    for (;;) {
        answer = answer_to_getter(q);
        if (!q->closed && weir__must_stand_back(&q->getters, &turn))
            answer = WEIR_TIMED_OUT;
        if (answer == WEIR_TIMED_OUT && interrupted &&
            weir__flag_read(interrupted))
            answer = WEIR_CANCELLED;
        if (answer != WEIR_TIMED_OUT || status != WEIR_OK)
            break;
        status = weir__waitlist_wait(&q->getters, &q->lock, &turn, deadline);
    }
    if (turn.waits > 0)
        q->stats.get_waits++;
    return answer;
}

/* ---------------------------------------------------------------- helpers */

static void append(struct weir_queue *q, const void *item)
{
    weir__ring_append(&q->ring, item);
    q->stats.put++;
    q->unfinished++;
    if (q->ring.count > q->stats.most)
        q->stats.most = q->ring.count;
}

/* The answer changes for everyone. */
static void close_locked(struct weir_queue *q)
{
    q->closed = true;
    weir__waitlist_wake_all(&q->getters);
    weir__waitlist_wake_all(&q->putters);
}

static void finish(struct weir_queue *q, size_t count)
{
    /* A task_done for an item that was still inside counted it already. */
    q->unfinished -= count < q->unfinished ? count : q->unfinished;
    if (q->unfinished == 0)
        weir__waitlist_wake_all(&q->joiners);
}

/* One thread tells; what changes meanwhile it tells too, so that the last call
 * is true without the others having to wait. */
static void tell_pressure_drops_lock(struct weir_queue *q)
{
    if (!q->options.on_pressure || q->marks.telling)
        return;
    q->marks.telling = true;
    while (weir__marks_changed(&q->marks, q->ring.count)) {
        bool high = !q->marks.told;

        q->marks.told = high;
        weir__mutex_unlock(&q->lock);
        q->options.on_pressure(q->options.on_pressure_arg, high);
        weir__mutex_lock(&q->lock);
    }
    q->marks.telling = false;
}
