/* SPDX-License-Identifier: MIT */
/* glib.c - GLib's GAsyncQueue: unbounded, of pointers.  A number travels as a
 * pointer, a larger item in memory of its own, freed by its getter. */
#include <glib.h>
#include <string.h>

#include "contender.h"

struct carrier {
    GAsyncQueue *queue;
    size_t item_size;
};

static const char *version(void)
{
    static char text[32];

    g_snprintf(text, sizeof(text), "%u.%u.%u", glib_major_version,
               glib_minor_version, glib_micro_version);
    return text;
}

static void *create(size_t capacity, size_t item_size)
{
    struct carrier *carrier = g_new0(struct carrier, 1);

    (void)capacity;
    carrier->queue = g_async_queue_new();
    carrier->item_size = item_size;
    return carrier;
}

static void put(void *queue, const uint64_t *item)
{
    const struct carrier *carrier = queue;
    void *parcel = (void *)(uintptr_t)*item;

    if (carrier->item_size > sizeof(*item))
        parcel = g_memdup2(item, carrier->item_size);
    g_async_queue_push(carrier->queue, parcel);
}

static void get(void *queue, uint64_t *item)
{
    const struct carrier *carrier = queue;
    void *parcel = g_async_queue_pop(carrier->queue);

    if (carrier->item_size == sizeof(*item)) {
        *item = (uintptr_t)parcel;
        return;
    }
    memcpy(item, parcel, carrier->item_size);
    g_free(parcel);
}

static void destroy(void *queue)
{
    struct carrier *carrier = queue;

    g_async_queue_unref(carrier->queue);
    g_free(carrier);
}

const struct contender contender = {.name = "GLib GAsyncQueue",
                                    .version = version,
                                    .create = create,
                                    .put = put,
                                    .get = get,
                                    .destroy = destroy};
