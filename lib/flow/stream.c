/* SPDX-License-Identifier: MIT */
/* stream.c - opening a stream, reading it, closing it.  See stream.h. */
#include "flow/stream.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"
#include "base/trap.h"
#include "flow/producers.h"
#include "pool/pool.h"

enum { WINDOW_AT_MOST = 1 << 24 };

/* -------------------------------------------------------- the reader's side */

static void return_tickets(struct weir_stream *stream)
{
    weir_status status;
    size_t done;

    if (stream->back_count == 0)
        return;
    status = weir_queue_put_many(stream->tickets, stream->back,
                                 stream->back_count, &done, WEIR_FOREVER);
    (void)status; /* there is room for all, and only close closes it */
    stream->back_count = 0;
}

/* Looks through what has come.  Whether a result can be handed out. */
static bool find_ready(struct weir_stream *stream, uint32_t *ticket)
{
    while (stream->come_at < stream->come_count) {
        *ticket = stream->come[stream->come_at++];
        if (*ticket == WEIR__LAST_WORD)
            stream->has_ended = true;
        else if (stream->order == WEIR_AS_COMPLETED)
            return true;
        else
            stream->arrived[*ticket] = true;
    }
    if (stream->order == WEIR_AS_COMPLETED || !stream->arrived[stream->next])
        return false;
    *ticket = stream->next;
    stream->arrived[*ticket] = false;
    stream->next = *ticket + 1 < stream->window ? *ticket + 1 : 0;
    return true;
}

/* Waits until something comes. */
static weir_status
await_more(struct weir_stream *stream, weir_deadline deadline)
{
    weir_status status = weir_queue_get_many(stream->settled, stream->come,
                                             WEIR__TICKETS_AT_ONCE,
                                             &stream->come_count, WEIR_NOW);

    stream->come_at = 0;
    if (status != WEIR_TIMED_OUT)
        return status;
    return_tickets(stream);
    if (weir__is_now(deadline))
        return status;
    if (weir__is_forever(deadline) && weir__pool_is_inside(stream->pool))
        return weir__refuse(WEIR_DEADLOCK,
                            "a handler or callback waits for ever for a result "
                            "of its own pool: give it a deadline");
    return weir_queue_get_many(stream->settled, stream->come,
                               WEIR__TICKETS_AT_ONCE, &stream->come_count,
                               deadline);
}

static void hand_over(struct weir_stream *stream, uint32_t ticket, void *item,
                      weir_outcome *outcome)
{
    struct weir__place *place = stream->places.seats[ticket];

    if (item && !place->overdue)
        memcpy(item, place->item, stream->item_size);
    if (outcome) {
        weir_outcome known = weir__place_outcome(place);

        weir__snapshot_write(outcome, &known, sizeof(known));
    }
    stream->lent = place;
    weir__hint_write(&stream->taken, weir__hint_read(&stream->taken) + 1);
    stream->back[stream->back_count++] = ticket;
    if (stream->back_count >= stream->back_at_most)
        return_tickets(stream);
}

/* After the last result. */
static weir_status end_of(const struct weir_stream *stream)
{
    const struct weir__feed *feed = &stream->feed;

    if (feed->was_closed)
        return WEIR_CLOSED;
    if (feed->status == WEIR_OK)
        return WEIR_END;
    errno = feed->system_error;
    return weir__refuse(feed->status, "%s", feed->error);
}

static weir_status check_stream(const weir_stream *stream)
{
    if (!stream)
        return weir__refuse(WEIR_EINVAL, "stream is NULL");
    if (weir__is_forked(stream->pool->generation))
        return weir__refuse_forked("stream");
    return WEIR_OK;
}

weir_status weir_stream_next(weir_stream *stream, void *item,
                             weir_outcome *outcome, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_stream(stream);
    uint32_t ticket;

    if (!status && outcome)
        status = weir__snapshot_check(outcome, "weir_outcome");
    if (status)
        return status;
    if (stream->lent) {
        struct weir__place *lent = stream->lent;

        stream->lent = NULL;
        weir__stream_let_go(stream, lent);
    }
    while (!find_ready(stream, &ticket)) {
        if (stream->has_ended && weir__stream_held(stream) == 0)
            return end_of(stream);
        status = await_more(stream, deadline);
        if (status)
            return status;
    }
    hand_over(stream, ticket, item, outcome);
    return WEIR_OK;
}

/* -------------------------------------------------------------------- close */

static void let_go_of_all(struct weir_stream *stream)
{
    size_t all = stream->places.tickets + stream->places.spares;
    uint64_t less = 1; /* this call */

    for (size_t i = 0; i < all; i++) {
        struct weir__place *place = weir__places_at(&stream->places, i);
        uint64_t holds = weir__counter_read(&place->holds);

        if (holds & WEIR__HELD_BY_READER)
            weir__stream_let_go(stream, place);
        holds = weir__counter_or(&place->holds, WEIR__HELD_AFTER_CLOSE);
        less += !(holds & WEIR__HELD_BY_POOL);
    }
    weir__places_recall(&stream->places); /* see THE LAST TOUCH in places.h */
    weir__stream_end(stream, less, false);
}

void weir_stream_close(weir_stream *stream)
{
    WEIR__UNTRAPPED;

    if (!stream || check_stream(stream))
        return;
    weir__feed_end(&stream->feed);
    weir_queue_close(stream->tickets);
    weir__pool_give_up(stream->pool, &stream->keeper);
    weir__places_recall(&stream->places);
    weir__thread_join(&stream->feed.thread);
    if (weir__stream_held(stream) > 0) /* else all of it has settled */
        weir__pool_cancel_kept(stream->pool, &stream->keeper);
    let_go_of_all(stream);
}

/* --------------------------------------------------------------------- open */

void *weir__stream_lent(const weir_stream *stream)
{
    return stream->lent->item;
}

size_t weir__stream_held(const weir_stream *stream)
{
    uint64_t taken = weir__hint_read(&stream->taken);

    return (size_t)(weir__hint_read(&stream->given) - taken);
}

/* --------------------------------------------------------------------- open */

static weir_status
check_options(const weir_pool *pool, const weir_stream_options *o,
              const weir_producer *producer)
{
    size_t item_size = pool->settings.options.item_size;

    if (o->window == 0 || o->window > WINDOW_AT_MOST)
        return weir__refuse(WEIR_EINVAL,
                            "window %zu is not 1 to %d: the pool's workers, or "
                            "twice as many, keep it busy",
                            o->window, WINDOW_AT_MOST);
    if (o->order != WEIR_AS_COMPLETED && o->order != WEIR_IN_ORDER)
        return weir__refuse(WEIR_EINVAL, "order %d is none", (int)o->order);
    if (producer->item_size != item_size)
        return weir__refuse(WEIR_EINVAL,
                            "producer.item_size is %zu, but the pool's is %zu: "
                            "make them the same",
                            producer->item_size, item_size);
    if (pool->settings.has_children && producer->has_pointers)
        return weir__refuse(WEIR_EINVAL,
                            "the producer yields pointers, which lead nowhere "
                            "in another process: use one that copies what they "
                            "point to");
    return WEIR_OK;
}

static weir_status check_open(weir_pool *pool, const weir_producer *producer,
                              const weir_stream_options *options,
                              weir_producer *p, weir_stream_options *o)
{
    weir_status status = weir__pool_check(pool);

    if (!status)
        status = options ? weir__options_read(o, sizeof(*o), options,
                                              "weir_stream_options")
                         : weir__refuse(WEIR_EINVAL, "options is NULL");
    if (!status)
        status = weir__producer_read(p, producer, "producer");
    if (!status)
        status = check_options(pool, o, p);
    return status;
}

/* So many results are taken before the feeder hears of it; there are `most`
 * workers. */
static size_t portion(size_t most, size_t window)
{
    size_t quarter = window / 4;

    if (window <= 2 * most || quarter == 0)
        return 1;
    return quarter < WEIR__TICKETS_AT_ONCE ? quarter : WEIR__TICKETS_AT_ONCE;
}

static weir_status create_queues(struct weir_stream *stream)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_status status;

    options.capacity = stream->window;
    status = weir_queue_create(&stream->tickets, sizeof(uint32_t), &options);
    /* So much room that a put never meets a get that is not done. */
    options.capacity = 2 * stream->window + WEIR__TICKETS_AT_ONCE;
    if (!status)
        status =
            weir_queue_create(&stream->settled, sizeof(uint32_t), &options);
    for (uint32_t i = 0; !status && i < stream->window; i++)
        status = weir_queue_put(stream->tickets, &i, WEIR_NOW);
    if (status && status != WEIR_ESYSTEM)
        return weir__refuse(WEIR_ENOMEM, "no memory for a window of %zu",
                            stream->window);
    return status;
}

static weir_status prepare_stream(struct weir_stream *stream, weir_pool *pool,
                                  const weir_stream_options *o)
{
    size_t spares;
    weir_status status;

    stream->pool = pool;
    stream->window = o->window;
    stream->order = o->order;
    stream->item_size = pool->settings.options.item_size;
    weir__mutex_lock(&pool->lock);
    stream->back_at_most =
        portion(pool->settings.options.max_workers, o->window);
    spares = (size_t)pool->worker_slots + 1;
    weir__mutex_unlock(&pool->lock);
    weir__counter_write(&stream->remaining, o->window + spares + 1);
    stream->arrived = weir__allocate_many(o->window, sizeof(*stream->arrived));
    if (!stream->arrived)
        return weir__refuse(WEIR_ENOMEM, "no memory for a window of %zu",
                            o->window);
    status = create_queues(stream);
    if (!status)
        status = weir__places_init(&stream->places, o->window, spares,
                                   stream->item_size,
                                   pool->settings.options.max_result);
    return status;
}

/* One that never ran. */
static void discard(struct weir_stream *stream)
{
    weir_queue_destroy(stream->tickets);
    weir_queue_destroy(stream->settled);
    if (stream->places.memory)
        weir__places_dispose(&stream->places);
    weir__release(stream->arrived);
    weir__release(stream);
}

weir_status weir__stream_open(weir_stream **out, weir_pool *pool,
                              const weir_producer *producer,
                              const weir_stream_options *options, bool is_quiet)
{
    weir_stream_options o = WEIR_STREAM_OPTIONS_INIT;
    weir_producer p = WEIR_PRODUCER_INIT;
    weir_stream *stream;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = check_open(pool, producer, options, &p, &o);
    if (status)
        return status;
    stream = weir__allocate(sizeof(*stream));
    if (!stream)
        return weir__refuse(WEIR_ENOMEM, "no memory for a stream");
    status = prepare_stream(stream, pool, &o);
    if (!status)
        status = weir__stream_introduce(stream, &p, &o);
    stream->keeper.is_quiet = is_quiet || (!p.settle && !p.release);
    if (!status)
        status = weir__pool_check_kept(pool, &stream->keeper);
    if (!status)
        status = weir__feed_start(&stream->feed, pool->settings.name, 0);
    if (status) {
        discard(stream);
        return status;
    }
    weir__mutex_lock(&pool->lock);
    weir__pool_hold(pool);
    weir__mutex_unlock(&pool->lock);
    *out = stream;
    return WEIR_OK;
}

weir_status weir_stream_open(weir_stream **out, weir_pool *pool,
                             const weir_producer *producer,
                             const weir_stream_options *options)
{
    WEIR__UNTRAPPED;

    return weir__stream_open(out, pool, producer, options, false);
}
