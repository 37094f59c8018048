/* SPDX-License-Identifier: MIT */
/*
 * fan.c - one producer into several pools, by a key.
 *
 *     producer ──▶ feed ──key──┬──▶ group of pool 0
 *                              ├──▶ group of pool 1
 *                              └──▶ ...
 *
 * A feed (feed.h) asks the producer and submits each item where its key says,
 * one after the other: so items with one key keep their order.  In each pool
 * they are a group, which is what is joined and counted in the end.
 *
 * If abandoned attempts are left they hold items, and with them all that is
 * here: then it is left to them, and the last to release its item frees it.
 *
 * Locking: rank RUN, for the words of the first failure and the count of items;
 * the feed's end is known by joining its thread.
 */
#include <weir/fan.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/trap.h"
#include "flow/feed.h"
#include "flow/producers.h"
#include "observe/ledger.h"
#include "pool/kept.h"
#include "process/start.h"

enum { POOLS_AT_MOST = 65536 };

/* I: set before the feed starts. */
struct fan {
    struct weir__mutex lock;
    struct weir__feed feed;
    struct weir__source source; /* I */
    weir_fan_options options;   /* I */
    uint64_t turn;              /* the feed's: without a key */
    uint64_t outstanding;       /* L: items that are to be released */
    bool is_left;               /* L: by the call; the last item frees it */
    char first_failure[sizeof(((weir_report *)0)->first_failure)]; /* L */
    weir_group *groups[]; /* I: of each pool */
};

/* ------------------------------------------------------------ what is told */

static void note_outcome(struct fan *fan, const weir_outcome *outcome)
{
    weir__mutex_lock(&fan->lock);
    weir__word_failure(fan->first_failure, sizeof(fan->first_failure), outcome);
    weir__mutex_unlock(&fan->lock);
}

static void fan_settle(void *arg, const void *item, const weir_outcome *outcome,
                       bool overdue)
{
    struct fan *fan = arg;
    const weir_producer *p = &fan->feed.producer;

    (void)overdue;
    note_outcome(fan, outcome);
    if (p->settle)
        p->settle(p->self, item, outcome);
}

static void dispose_fan(struct fan *fan)
{
    for (size_t i = 0; i < fan->options.pool_count; i++)
        weir_group_destroy(fan->groups[i]);
    weir__feed_dispose(&fan->feed);
    weir__mutex_dispose(&fan->lock);
    weir__release(fan);
}

/* One less.  The last one, if the call has not waited for it, takes all with
 * it. */
static void item_is_done(struct fan *fan)
{
    bool last;

    weir__mutex_lock(&fan->lock);
    last = --fan->outstanding == 0 && fan->is_left;
    weir__mutex_unlock(&fan->lock);
    if (last)
        dispose_fan(fan);
}

static void fan_release(void *arg, void *item)
{
    struct fan *fan = arg;
    const weir_producer *p = &fan->feed.producer;

    if (p->release)
        p->release(p->self, item);
    item_is_done(fan);
}

/* By a call that returns although attempts are stuck. */
static void leave_fan(struct fan *fan)
{
    weir__mutex_lock(&fan->lock);
    fan->outstanding++;
    fan->is_left = true;
    weir__mutex_unlock(&fan->lock);
    item_is_done(fan);
}

static void fan_turned_away(void *arg, void *item, const weir_outcome *outcome)
{
    (void)item;
    note_outcome(arg, outcome);
}

static void fan_fed(void *arg, struct weir__feed *feed)
{
    (void)arg;
    (void)feed;
}

static weir_status submit_by_key(void *arg, void *item)
{
    struct fan *fan = arg;
    const weir_fan_options *o = &fan->options;
    uint64_t key = o->key ? o->key(o->key_arg, item) : fan->turn++;

    size_t i = (size_t)(key % o->pool_count);
    weir_status status;

    weir__mutex_lock(&fan->lock);
    fan->outstanding++;
    weir__mutex_unlock(&fan->lock);
    status = weir__submit_from(o->pools[i], fan->groups[i], &fan->source,
                               o->handler, item);
    if (status)
        item_is_done(fan); /* its feed sees to it */
    return status;
}

/* ------------------------------------------------------------------- checks */

static weir_status
check_fan_pool(const weir_fan_options *o, size_t i, const weir_producer *p)
{
    const weir_pool *pool = o->pools[i];
    weir_status status = weir__pool_check(pool);

    if (status == WEIR_EINVAL)
        return weir__refuse(WEIR_EINVAL, "pools[%zu] is NULL", i);
    if (status)
        return status;
    if (pool->settings.options.item_size != p->item_size)
        return weir__refuse(WEIR_EINVAL,
                            "pools[%zu].item_size is %zu, but the producer's "
                            "is %zu: make them the same",
                            i, pool->settings.options.item_size, p->item_size);
    if (weir__pool_is_inside(pool))
        return weir__refuse(WEIR_DEADLOCK,
                            "a handler or callback of pools[%zu] would wait "
                            "for itself",
                            i);
    if (!pool->settings.has_children)
        return WEIR_OK;
    if (p->has_pointers)
        return weir__refuse(WEIR_EINVAL,
                            "the producer yields pointers, which lead nowhere "
                            "in the processes of pools[%zu]: use one that "
                            "copies what they point to",
                            i);
    return weir__server_check_code((uintptr_t)o->handler, "the handler");
}

static weir_status check_fan(const weir_fan_options *options,
                             weir_fan_options *o, weir_producer *p)
{
    weir_status status =
        options ? weir__options_read(o, sizeof(*o), options, "weir_fan_options")
                : weir__refuse(WEIR_EINVAL, "options is NULL");

    if (!status)
        status = weir__producer_read(p, o->producer, "producer");
    if (!status && !o->handler)
        status = weir__refuse(WEIR_EINVAL, "handler is NULL");
    if (status)
        return status;
    if (!o->pools || o->pool_count == 0 || o->pool_count > POOLS_AT_MOST)
        return weir__refuse(WEIR_EINVAL, "pool_count %zu is not 1 to %d",
                            o->pools ? o->pool_count : 0, POOLS_AT_MOST);
    for (size_t i = 0; !status && i < o->pool_count; i++)
        status = check_fan_pool(o, i, p);
    return status;
}

/* ---------------------------------------------------------------- its life */

/* NULL: no memory, and nothing is left. */
static struct fan *
create_fan(const weir_fan_options *o, const weir_producer *producer)
{
    struct fan *fan;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    size_t groups = o->pool_count * sizeof(fan->groups[0]);
    weir_status status;

    fan = weir__allocate(sizeof(*fan) + groups);
    if (!fan)
        return NULL;
    if (weir__mutex_init(&fan->lock, WEIR__RANK_RUN)) {
        weir__release(fan);
        return NULL;
    }
    fan->options = *o;
    fan->source = (struct weir__source){.settle = fan_settle,
                                        .release = fan_release,
                                        .arg = fan};
    status = weir__feed_init(&fan->feed, producer);
    for (size_t i = 0; !status && i < o->pool_count; i++)
        status = weir_group_create(&fan->groups[i], o->pools[i]);
    if (status) {
        dispose_fan(fan);
        return NULL;
    }
    fan->feed.submit = submit_by_key;
    fan->feed.turned_away = fan_turned_away;
    fan->feed.ended = fan_fed;
    fan->feed.arg = fan;
    return fan;
}

/* WEIR_OK, WEIR_STUCK. */
static weir_status join_groups(struct fan *fan)
{
    weir_status worst = WEIR_OK;

    for (size_t i = 0; i < fan->options.pool_count; i++) {
        weir_status status = weir_group_join(fan->groups[i], WEIR_FOREVER);

        if (status)
            worst = status;
    }
    return worst;
}

static weir_ledger add_up_groups(struct fan *fan)
{
    weir_ledger sum = {0};

    for (size_t i = 0; i < fan->options.pool_count; i++) {
        weir_ledger one;

        weir_group_read_ledger(fan->groups[i], &one);
        weir__ledger_sum(&sum, &one);
    }
    return sum;
}

static weir_status end_of_feed(const struct weir__feed *feed)
{
    if (feed->was_closed)
        return WEIR_CLOSED;
    errno = feed->system_error;
    return feed->status ? weir__refuse(feed->status, "%s", feed->error)
                        : WEIR_OK;
}

static weir_status carry_out_fan(struct fan *fan, weir_report *filled)
{
    weir_status status = weir__feed_start(&fan->feed, "weir", 0);
    weir_status joined;

    if (status)
        return status;
    weir__thread_join(&fan->feed.thread);
    joined = join_groups(fan);
    status = end_of_feed(&fan->feed);
    filled->ledger = add_up_groups(fan);
    memcpy(filled->first_failure, fan->first_failure,
           sizeof(filled->first_failure));
    if (joined) /* whatever else there was: the producer cannot be closed */
        return weir__refuse(joined, "abandoned attempts have not ended");
    return status;
}

weir_status weir_fan_out(const weir_fan_options *options, weir_report *report)
{
    WEIR__UNTRAPPED;
    weir_fan_options o = WEIR_FAN_OPTIONS_INIT;
    weir_producer producer = WEIR_PRODUCER_INIT;
    weir_report filled = WEIR_REPORT_INIT;
    weir_status status = check_fan(options, &o, &producer);
    int64_t began_ns = weir__now();
    struct fan *fan;
    bool could;
    int error;

    if (!status && report)
        status = weir__snapshot_check(report, "weir_report");
    if (status)
        return status;
    could = weir__thread_let_cancel(false); /* it would lose the fan */
    fan = create_fan(&o, &producer);
    status = fan ? carry_out_fan(fan, &filled)
                 : weir__refuse(WEIR_ENOMEM, "no memory for %zu groups",
                                o.pool_count);
    error = errno;
    if (status != WEIR_STUCK && producer.close)
        producer.close(producer.self);
    if (fan && status == WEIR_STUCK)
        leave_fan(fan);
    else if (fan)
        dispose_fan(fan);
    weir__thread_let_cancel(could);
    filled.status = status;
    filled.elapsed_ns = weir__now() - began_ns;
    if (report)
        weir__snapshot_write(report, &filled, sizeof(filled));
    errno = error;
    return status;
}
