/* SPDX-License-Identifier: MIT */
/*
 * ring.h - items by value in a ring of slots.
 *
 *         head            head + count
 *          v                   v
 *   [ . . ][ a ][ b ][ c ][ . ][ . ]        count = 3, capacity = 6
 *            ^ remove          ^ append
 *
 * Whoever owns the ring sees to it that one thread at a time uses it.
 */
#ifndef WEIR_LIB_QUEUE_RING_H
#define WEIR_LIB_QUEUE_RING_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/status.h>

struct weir__ring {
    unsigned char *slots; /* I: the pointer */
    size_t item_size;     /* I: bytes */
    size_t capacity;      /* I: items, at least 1 */
    size_t head;          /* index of the oldest item */
    size_t count;         /* items inside, at most capacity */
};

/* Returns WEIR_OK, WEIR_ENOMEM. */
weir_status
weir__ring_init(struct weir__ring *ring, size_t capacity, size_t item_size);
void weir__ring_dispose(struct weir__ring *ring);

static inline bool weir__ring_is_full(const struct weir__ring *ring)
{
    return ring->count == ring->capacity;
}

/* The ring must have room. */
void weir__ring_append(struct weir__ring *ring, const void *item);
/* The ring must hold an item. */
void weir__ring_remove(struct weir__ring *ring, void *item);
/* Forgets all items; their slots stay as they are until the next append. */
void weir__ring_clear(struct weir__ring *ring);
/* The slot `distance` behind slot `first`. */
void *
weir__ring_slot(const struct weir__ring *ring, size_t first, size_t distance);

#endif /* WEIR_LIB_QUEUE_RING_H */
