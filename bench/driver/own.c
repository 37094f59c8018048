/* SPDX-License-Identifier: MIT */
/* own.c - a queue of five functions (own_queue.h) as a contender. */
#include "own_queue.h"

#include "contender.h"

/* Only items of 8 bytes are asked for: `numbers` below says so. */
static void *own_create(size_t capacity, size_t item_size)
{
    return item_size == sizeof(uint64_t) ? queue_create(capacity) : NULL;
}

static void own_put(void *queue, const uint64_t *item)
{
    if (queue_put(queue, *item))
        contender_failed("queue_put says closed; nobody has closed it");
}

static void own_get(void *queue, uint64_t *item)
{
    if (queue_get(queue, item))
        contender_failed("queue_get says closed; nobody has closed it");
}

/* Everything has been got by now, so the end is known, too. */
static void own_destroy(void *queue)
{
    uint64_t item;

    queue_close(queue);
    if (queue_put(queue, 1) != -1)
        contender_failed("queue_put after queue_close does not answer -1");
    if (queue_get(queue, &item) != -1)
        contender_failed("queue_get, closed and empty, does not answer -1");
    queue_destroy(queue);
}

const struct contender contender = {.name = "your own",
                                    .bounded = true,
                                    .numbers = true,
                                    .create = own_create,
                                    .put = own_put,
                                    .get = own_get,
                                    .destroy = own_destroy};
