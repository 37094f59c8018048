/* SPDX-License-Identifier: MIT */
/* feed.c - see feed.h. */
#include "flow/feed.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/options.h"
#include "task/outcome.h"

static void settle_item(void *arg, const void *item,
                        const weir_outcome *outcome, bool overdue)
{
    const weir_producer *p = &((struct weir__feed *)arg)->producer;

    (void)overdue;
    p->settle(p->self, item, outcome);
}

static void release_item(void *arg, void *item)
{
    const weir_producer *p = &((struct weir__feed *)arg)->producer;

    p->release(p->self, item);
}

weir_status
weir__feed_init(struct weir__feed *feed, const weir_producer *producer)
{
    weir_producer *p = &feed->producer;
    weir_status status =
        weir__options_read(p, sizeof(*p), producer, "weir_producer");

    if (status)
        return status;
    if (feed->seat)
        return WEIR_OK;
    feed->source =
        (struct weir__source){.settle = p->settle ? settle_item : NULL,
                              .release = p->release ? release_item : NULL,
                              .arg = feed};
    feed->item = weir__allocate(p->item_size);
    return feed->item ? WEIR_OK : WEIR_ENOMEM;
}

void weir__feed_dispose(struct weir__feed *feed)
{
    weir__release(feed->item);
}

void weir__word_failure(char *into, size_t room, const weir_outcome *outcome)
{
    char code[24] = "";

    if (outcome->kind == WEIR_OUTCOME_DONE || into[0] != '\0')
        return;
    if (outcome->code != 0)
        snprintf(code, sizeof(code), ", code %d", outcome->code);
    snprintf(into, room, "task %llu %s%s: %s",
             (unsigned long long)outcome->task_id,
             weir_outcome_name(outcome->kind), code, outcome->message);
}

/* The item is ours: nobody else will say what became of it. */
static weir_status
turn_away(struct weir__feed *feed, void *item, weir_status why)
{
    const weir_producer *p = &feed->producer;
    char message[64], words[sizeof(feed->error)];
    int error = errno;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    snprintf(message, sizeof(message), "the pool did not accept it: %s",
             weir_status_text(why));
    snprintf(words, sizeof(words), "%s", weir_last_error());
    outcome.kind = WEIR_OUTCOME_CANCELLED;
    outcome.message = message;
    if (p->settle)
        p->settle(p->self, item, &outcome);
    feed->turned_away(feed->arg, item, &outcome);
    if (p->release && !feed->seat)
        p->release(p->self, item);
    errno = error; /* whatever those have made of it */
    return weir__refuse(why, "%s", words);
}

static weir_status feed_item(struct weir__feed *feed, void *item)
{
    weir_status status;

    if (feed->submit)
        return feed->submit(feed->arg, item);
    if (feed->turns)
        weir__turns_take(feed->turns);
    status = weir__pool_submit_from(feed->pool, &feed->source, feed->handler,
                                    item, WEIR_FOREVER);
    if (feed->turns)
        weir__turns_give(feed->turns);
    return status;
}

/* Until the producer or the pool has had enough. */
static weir_status pump(struct weir__feed *feed)
{
    while (!weir__flag_read(&feed->asked_to_end)) {
        void *item = feed->seat ? feed->seat(feed->arg) : feed->item;
        weir_status status;

        if (!item)
            break;
        status = feed->producer.next(feed->producer.self, item);
        if (status)
            return status == WEIR_END ? WEIR_OK : status;
        status = feed_item(feed, item);
        if (status)
            status = turn_away(feed, item, status);
        feed->was_closed = status == WEIR_CLOSED;
        if (feed->was_closed)
            break;
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
    if (feed->seat && feed->status == WEIR_TIMED_OUT) { /* a reader's own */
        feed->status = WEIR_ESYSTEM;
        feed->system_error = ETIMEDOUT;
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

    if (!weir__flag_swap(&feed->asked_to_end, true) && p->interrupt)
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
