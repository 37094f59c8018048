/* SPDX-License-Identifier: MIT */
/* apr.c - APR's apr_queue, of pointers.  A number travels as a pointer, an item
 * of more bytes in memory of its own, freed by its getter. */
#include <apr_general.h>
#include <apr_queue.h>
#include <apu_version.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"

struct carrier {
    apr_pool_t *pool;
    apr_queue_t *queue;
    size_t item_size;
};

static void *create(size_t capacity, size_t item_size)
{
    struct carrier *carrier = calloc(1, sizeof(*carrier));

    if (!carrier || apr_initialize() || apr_pool_create(&carrier->pool, NULL) ||
        apr_queue_create(&carrier->queue, (unsigned)capacity, carrier->pool))
        return NULL;
    carrier->item_size = item_size;
    return carrier;
}

static void put(void *queue, const uint64_t *item)
{
    const struct carrier *carrier = queue;
    void *parcel = (void *)(uintptr_t)*item;
    apr_status_t status;

    if (carrier->item_size > sizeof(*item)) {
        parcel = malloc(carrier->item_size);
        memcpy(parcel, item, carrier->item_size);
    }
    while ((status = apr_queue_push(carrier->queue, parcel)) == APR_EINTR)
        continue; /* woken for nothing */
    if (status)
        contender_failed("apr_queue_push");
}

static void get(void *queue, uint64_t *item)
{
    const struct carrier *carrier = queue;
    void *parcel;
    apr_status_t status;

    while ((status = apr_queue_pop(carrier->queue, &parcel)) == APR_EINTR)
        continue;
    if (status)
        contender_failed("apr_queue_pop");
    if (carrier->item_size == sizeof(*item)) {
        *item = (uintptr_t)parcel;
        return;
    }
    memcpy(item, parcel, carrier->item_size);
    free(parcel);
}

static void destroy(void *queue)
{
    struct carrier *carrier = queue;

    apr_pool_destroy(carrier->pool);
    free(carrier);
}

const struct contender contender = {.name = "APR apr_queue",
                                    .version = apu_version_string,
                                    .bounded = true,
                                    .create = create,
                                    .put = put,
                                    .get = get,
                                    .destroy = destroy};
