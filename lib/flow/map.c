/* SPDX-License-Identifier: MIT */
/* map.c - an array in, an array out: a stream that is read to its end. */
#include <weir/stream.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/trap.h"
#include "pool/pool.h"

/* Tickets for each worker: while the reader copies they have something to do.
 */
enum { WINDOW_PER_WORKER = 16 };

static weir_status check_map(const weir_pool *pool, const void *items,
                             size_t count, const void *results)
{
    weir_status status = weir__pool_check(pool);

    if (status)
        return status;
    if (!items && count > 0)
        return weir__refuse(WEIR_EINVAL, "items is NULL");
    if (results && results == items)
        return weir__refuse(WEIR_EINVAL, "results and items are the same "
                                         "array: use two");
    if (weir__pool_is_inside(pool))
        return weir__refuse(WEIR_DEADLOCK, "a handler or callback cannot wait "
                                           "for a map in its own pool");
    return WEIR_OK;
}

/* Whether the item's result is in its place. */
static bool store(const weir_outcome *outcome, unsigned char *slot)
{
    bool done = outcome->kind == WEIR_OUTCOME_DONE;
    size_t size = done ? outcome->result_size : 0;

    if (!slot)
        return done;
    if (size > 0)
        memcpy(slot, outcome->result, size);
    return done;
}

static weir_status
read_all(const weir_pool *pool, weir_stream *stream, unsigned char *results)
{
    char first[WEIR__MESSAGE_BYTES] = "";
    weir_status status;

    for (size_t i = 0;; i++) {
        size_t room = pool->settings.options.max_result;
        weir_outcome outcome = WEIR_OUTCOME_INIT;

        status = weir_stream_next(stream, NULL, &outcome, WEIR_FOREVER);
        if (status)
            break;
        if (!store(&outcome, results ? results + i * room : NULL) &&
            first[0] == '\0')
            snprintf(first, sizeof(first), "item %zu: %s: %s", i,
                     weir_outcome_name(outcome.kind), outcome.message);
    }
    if (status != WEIR_END)
        return status;
    return first[0] == '\0' ? WEIR_OK : weir__refuse(WEIR_FAILED, "%s", first);
}

weir_status weir_map(weir_pool *pool, weir_handler *handler, const void *items,
                     size_t count, void *results)
{
    WEIR__UNTRAPPED;
    weir_status status = check_map(pool, items, count, results);
    weir_stream_options options = WEIR_STREAM_OPTIONS_INIT;
    weir_producer array;
    weir_stream *stream;

    if (!status && count == 0 && !handler)
        status = weir__refuse(WEIR_EINVAL, "handler is NULL");
    if (status || count == 0)
        return status;
    if (results) /* of those that the pool does not take, too */
        memset(results, 0, count * pool->settings.options.max_result);
    status = weir_producer_array(&array, items, count,
                                 pool->settings.options.item_size);
    if (status)
        return status;
    options.handler = handler;
    options.order = WEIR_IN_ORDER;
    weir__mutex_lock(&pool->lock);
    options.window =
        (size_t)pool->settings.options.max_workers * WINDOW_PER_WORKER;
    weir__mutex_unlock(&pool->lock);
    if (options.window > count)
        options.window = count;
    status = weir_stream_open(&stream, pool, &array, &options);
    if (status) {
        array.close(array.self);
        return status;
    }
    status = read_all(pool, stream, results);
    weir_stream_close(stream);
    return status;
}
