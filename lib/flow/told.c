/* SPDX-License-Identifier: MIT */
/* told.c - what the pool and the feeder tell a stream.  The essay is in
 * stream.h. */
#include "flow/stream.h"

#include "base/fault.h"
#include "pool/pool.h"

/* ------------------------------------------------------------------ release */

/* `told`: on a thread of the pool's. */
static void dispose_stream(struct weir_stream *stream, bool told)
{
    const weir_producer *p = &stream->feed.producer;
    struct weir__inside inside;
    weir_pool *pool = stream->pool;

    if (told)
        weir__pool_enter(&inside, pool);
    if (p->close)
        p->close(p->self);
    if (told)
        weir__pool_leave(&inside);
    weir_queue_destroy(stream->tickets);
    weir_queue_destroy(stream->settled);
    weir__places_dispose(&stream->places);
    weir__release(stream->arrived);
    weir__release(stream);
    weir__mutex_lock(&pool->lock);
    weir__pool_unlock_and_let_go(pool);
}

void weir__stream_end(struct weir_stream *stream, uint64_t less, bool told)
{
    if (weir__counter_add(&stream->remaining, -less) == less)
        dispose_stream(stream, told);
}

static void free_place(struct weir_stream *stream, struct weir__place *place)
{
    if (weir__places_free(&stream->places, place))
        weir__stream_end(stream, 1, true);
}

/* On the reader's thread, as if it were one of the pool's: the pool's end waits
 * for it, and once the pool has been destroyed it does not run. */
static void call_on_release(weir_pool *pool, void *item)
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__inside inside;
    bool goes;

    weir__mutex_lock(&pool->lock);
    goes = !pool->destroyed;
    pool->handling += goes;
    weir__mutex_unlock(&pool->lock);
    if (!goes)
        return;
    weir__pool_enter(&inside, pool);
    o->on_release(o->on_release_arg, item);
    weir__pool_leave(&inside);
    weir__mutex_lock(&pool->lock);
    pool->handling--;
    weir__pool_changed(pool);
    weir__mutex_unlock(&pool->lock);
}

void weir__stream_let_go(struct weir_stream *stream, struct weir__place *place)
{
    const weir_pool_options *o = &stream->pool->settings.options;
    const weir_producer *p = &stream->feed.producer;

    if (!weir__place_let_go(place, WEIR__HELD_BY_READER))
        return;
    if (place->accepted && o->on_release)
        call_on_release(stream->pool, place->item);
    if (p->release)
        p->release(p->self, place->item);
    free_place(stream, place);
}

/* ---------------------------------------------------------- the pool's side */

static void publish(struct weir_stream *stream, uint32_t ticket)
{
    weir_status status = weir_queue_put(stream->settled, &ticket, WEIR_FOREVER);

    (void)status; /* there is room for all, and it is never closed */
}

static void settle_place(void *arg, const void *item,
                         const weir_outcome *outcome, bool overdue)
{
    struct weir_stream *stream = arg;
    const weir_producer *p = &stream->feed.producer;
    struct weir__place *place = weir__place_of(item);

    weir__place_settle(place, outcome, overdue);
    publish(stream, place->ticket);
    if (p->settle) /* nobody waits for it but the release */
        p->settle(p->self, item, outcome);
}

static bool may_release(void *arg, void *item)
{
    (void)arg;
    return weir__place_let_go(weir__place_of(item), WEIR__HELD_BY_POOL);
}

static void release_place(void *arg, void *item)
{
    const weir_producer *p = &((struct weir_stream *)arg)->feed.producer;

    p->release(p->self, item);
}

/* Not `released`: the pool was destroyed beside the attempt, which has ended
 * now.  Its callbacks do not run any more, but the producer is still there. */
static void pool_let_go(void *arg, void *item, bool released)
{
    struct weir_stream *stream = arg;

    if (!released) {
        struct weir__inside inside;

        if (!may_release(arg, item))
            return;
        weir__pool_enter(&inside, stream->pool);
        if (stream->feed.producer.release)
            release_place(arg, item);
        weir__pool_leave(&inside);
    }
    free_place(stream, weir__place_of(item));
}

/* -------------------------------------------------------- the feeder's side */

static void *seat_next(void *arg)
{
    struct weir_stream *stream = arg;

    if (stream->issued_at == stream->issued_count) {
        stream->issued_at = 0;
        if (weir_queue_get_many(stream->tickets, stream->issued,
                                WEIR__TICKETS_AT_ONCE, &stream->issued_count,
                                WEIR_FOREVER))
            return NULL; /* it is to end */
    }
    stream->seated =
        weir__places_seat(&stream->places, stream->issued[stream->issued_at++],
                          &stream->keeper.gives_up);
    return stream->seated ? stream->seated->item : NULL;
}

static weir_status submit_seated(void *arg, void *item)
{
    struct weir_stream *stream = arg;

    struct weir__place *place = weir__place_of(item);

    stream->seated = NULL;
    place->accepted = true; /* unless it is turned away */
    place->kept.keeper = &stream->keeper;
    weir__hint_write(&stream->given, weir__hint_read(&stream->given) + 1);
    return weir__pool_submit_kept(stream->pool, &place->kept);
}

static void
arrive_unaccepted(void *arg, void *item, const weir_outcome *outcome)
{
    struct weir_stream *stream = arg;
    const weir_producer *p = &stream->feed.producer;
    struct weir__place *place = weir__place_of(item);

    place->accepted = false;
    weir__place_settle(place, outcome, false);
    publish(stream, place->ticket);
    if (!weir__place_let_go(place, WEIR__HELD_BY_POOL))
        return;
    if (p->release)
        p->release(p->self, item);
    free_place(stream, place);
}

static void feeder_ended(void *arg, struct weir__feed *feed)
{
    struct weir_stream *stream = arg;

    if (stream->seated)
        free_place(stream, stream->seated);
    if (stream->fed)
        stream->fed(stream->fed_arg, feed);
    publish(stream, WEIR__LAST_WORD);
}

/* ------------------------------------------------------------- introduction */

weir_status weir__stream_introduce(struct weir_stream *stream,
                                   const weir_producer *producer,
                                   const weir_stream_options *options)
{
    stream->keeper.handler = options->handler;
    stream->keeper.context = options->context;
    stream->keeper.source =
        (struct weir__source){.settle = settle_place,
                              .release =
                                  producer->release ? release_place : NULL,
                              .may_release = may_release,
                              .let_go = pool_let_go,
                              .arg = stream};
    stream->feed.pool = stream->pool;
    stream->feed.seat = seat_next;
    stream->feed.submit = submit_seated;
    stream->feed.turned_away = arrive_unaccepted;
    stream->feed.ended = feeder_ended;
    stream->feed.arg = stream;
    return weir__feed_init(&stream->feed, producer);
}
