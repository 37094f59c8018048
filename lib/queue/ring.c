/* SPDX-License-Identifier: MIT */
/* ring.c - see ring.h. */
#include "queue/ring.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"

weir_status
weir__ring_init(struct weir__ring *ring, size_t capacity, size_t item_size)
{
    *ring = (struct weir__ring){.capacity = capacity, .item_size = item_size};
    ring->slots = weir__allocate_many(capacity, item_size);
    if (ring->slots)
        return WEIR_OK;
    return weir__refuse(WEIR_ENOMEM, "no memory for %zu items of %zu bytes",
                        capacity, item_size);
}

void weir__ring_dispose(struct weir__ring *ring)
{
    weir__release(ring->slots);
}

void weir__ring_append(struct weir__ring *ring, const void *item)
{
    assert(!weir__ring_is_full(ring));
    memcpy(weir__ring_slot(ring, ring->head, ring->count), item,
           ring->item_size);
    ring->count++;
}

void weir__ring_remove(struct weir__ring *ring, void *item)
{
    assert(ring->count > 0);
    memcpy(item, weir__ring_slot(ring, ring->head, 0), ring->item_size);
    ring->head = ring->head + 1 < ring->capacity ? ring->head + 1 : 0;
    ring->count--;
}

void weir__ring_clear(struct weir__ring *ring)
{
    ring->count = 0;
}

void *
weir__ring_slot(const struct weir__ring *ring, size_t first, size_t distance)
{
    size_t slot = first < ring->capacity - distance
                      ? first + distance
                      : first - (ring->capacity - distance);

    return ring->slots + slot * ring->item_size;
}
