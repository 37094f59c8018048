/* SPDX-License-Identifier: MIT */
/* weir.c - weir_queue, as anyone would call it. */
#include <weir/queue.h>
#include <weir/version.h>

#include "contender.h"

static void *create(size_t capacity, size_t item_size)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_queue *queue;

    options.capacity = capacity;
    return weir_queue_create(&queue, item_size, &options) ? NULL : queue;
}

static void put(void *queue, const uint64_t *item)
{
    if (weir_queue_put(queue, item, WEIR_FOREVER))
        contender_failed("weir_queue_put");
}

static void get(void *queue, uint64_t *item)
{
    if (weir_queue_get(queue, item, WEIR_FOREVER))
        contender_failed("weir_queue_get");
}

static void put_many(void *queue, const uint64_t *items, size_t count)
{
    size_t done;

    if (weir_queue_put_many(queue, items, count, &done, WEIR_FOREVER))
        contender_failed("weir_queue_put_many");
}

static size_t get_many(void *queue, uint64_t *items, size_t count)
{
    size_t done;

    if (weir_queue_get_many(queue, items, count, &done, WEIR_FOREVER))
        contender_failed("weir_queue_get_many");
    return done;
}

static void destroy(void *queue)
{
    weir_queue_destroy(queue);
}

const struct contender contender = {.name = "weir",
                                    .version = weir_version,
                                    .bounded = true,
                                    .create = create,
                                    .put = put,
                                    .get = get,
                                    .put_many = put_many,
                                    .get_many = get_many,
                                    .destroy = destroy};
