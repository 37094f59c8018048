/* SPDX-License-Identifier: MIT */
/* feed.c - see feed.h. */
#include "flow/feed.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/options.h"
#include "task/outcome.h"

weir_status
weir__feed_init(struct weir__feed *feed, const weir_producer *producer)
{
    weir_producer *p = &feed->producer;
    weir_status status =
        weir__options_read(p, sizeof(*p), producer, "weir_producer");

    if (status)
        return status;
    feed->source = (struct weir__source){p->settle, p->release, p->self};
    feed->item = weir__allocate(p->item_size);
    return feed->item ? WEIR_OK : WEIR_ENOMEM;
}

void weir__feed_dispose(struct weir__feed *feed)
{
    weir__release(feed->item);
}

/* The item is ours: nobody else will say what became of it. */
static void turn_away(struct weir__feed *feed, weir_status why)
{
    const weir_producer *p = &feed->producer;
    char message[64];
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    snprintf(message, sizeof(message), "the pool did not accept it: %s",
             weir_status_text(why));
    outcome.kind = WEIR_OUTCOME_CANCELLED;
    outcome.message = message;
    if (p->settle)
        p->settle(p->self, feed->item, &outcome);
    feed->turned_away(feed->arg, &outcome);
    if (p->release)
        p->release(p->self, feed->item);
}

/* Until the producer or the pool has had enough. */
static weir_status pump(struct weir__feed *feed)
{
    while (!weir__flag_read(&feed->asked_to_end)) {
        weir_status status =
            feed->producer.next(feed->producer.self, feed->item);

        if (status)
            return status == WEIR_END ? WEIR_OK : status;
        status =
            weir__pool_submit_from(feed->pool, &feed->source, feed->handler,
                                   feed->item, WEIR_FOREVER);
        if (status)
            turn_away(feed, status);
        if (status == WEIR_CLOSED)
            return WEIR_CANCELLED;
        if (status && status != WEIR_FULL)
            return status;
    }
    return WEIR_CANCELLED;
}

static void feed_pool(void *arg)
{
    struct weir__feed *feed = arg;

    feed->status = pump(feed);
    feed->system_error = errno;
    if (feed->status == WEIR_EINVAL) { /* a run's own means: nothing touched */
        feed->status = WEIR_ESYSTEM;
        feed->system_error = EINVAL;
    }
    snprintf(feed->error, sizeof(feed->error), "%s", weir_last_error());
}

static void feed_left(void *arg)
{
    struct weir__feed *feed = arg;

    feed->ended(feed->arg, feed);
}

void weir__feed_end(struct weir__feed *feed)
{
    const weir_producer *p = &feed->producer;

    weir__flag_write(&feed->asked_to_end, true);
    if (p->interrupt)
        p->interrupt(p->self);
}

weir_status
weir__feed_start(struct weir__feed *feed, const char *name, size_t number)
{
    char suffix[24];

    snprintf(suffix, sizeof(suffix), "in%zu", number);
    weir__thread_set_name(&feed->thread, name, suffix);
    feed->thread.run = feed_pool;
    feed->thread.ended = feed_left;
    feed->thread.arg = feed;
    /* Stands if next ends the thread instead of returning. */
    feed->status = WEIR_ESYSTEM;
    snprintf(feed->error, sizeof(feed->error),
             "a producer's next ended its thread, or with caller-runs a "
             "handler did");
    return weir__thread_start(&feed->thread);
}
