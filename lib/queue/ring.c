/* SPDX-License-Identifier: MIT */
/* ring.c - see ring.h. */
#include "queue/ring.h"

#include <assert.h>

#include "base/error.h"
#include "base/fault.h"

/* A whole lap of at least `capacity` positions is 2 to the power of this. */
static unsigned lap_bits_for(size_t capacity)
{
    unsigned bits = 2;

    while ((UINT64_C(1) << bits) / WEIR__RING_STEP < capacity)
        bits++;
    return bits;
}

weir_status
weir__ring_init(struct weir__ring *ring, size_t capacity, size_t item_size)
{
    size_t word = sizeof(struct weir__slot);

    ring->item_size = item_size;
    ring->capacity = capacity;
    ring->stride = word + (item_size + word - 1) / word * word;
    ring->slots = weir__allocate_many(capacity, ring->stride);
    if (!ring->slots)
        return weir__refuse(WEIR_ENOMEM, "no memory for %zu items of %zu bytes",
                            capacity, item_size);
    ring->lap_bits = lap_bits_for(capacity);
    ring->lap = UINT64_C(1) << ring->lap_bits;
    weir__counter_write(&ring->head, 0);
    weir__counter_write(&ring->tail, 0);
    weir__hint_write(&ring->most, 0);
    weir__hint_write(&ring->most_at, 0);
    return WEIR_OK;
}

void weir__ring_dispose(struct weir__ring *ring)
{
    weir__release(ring->slots);
}

/* `most_at` may be set back by a slower thread: to a position from before, so
 * no put is missed. */
void weir__ring_note_most(struct weir__ring *ring, uint64_t end)
{
    uint64_t head = weir__ring_position(weir__counter_read(&ring->head));
    uint64_t before = weir__ring_ordinal(ring, head);
    uint64_t after = weir__ring_ordinal(ring, end);
    uint64_t most;

    /* Somebody may have got ours already. */
    weir__hint_raise(&ring->most, after > before ? after - before : 1);
    most = weir__hint_read(&ring->most);
    weir__hint_write(&ring->most_at,
                     most < ring->capacity
                         ? weir__ring_after(ring, head, (size_t)most)
                         : UINT64_MAX);
}

size_t
weir__ring_claim_all(struct weir__ring *ring, uint64_t unflag, uint64_t *from)
{
    uint64_t head = weir__counter_read(&ring->head);
    uint64_t tail = weir__counter_read(&ring->tail);

    assert(tail & WEIR__RING_CLOSED);
    tail = weir__ring_position(tail);
    while (
        !weir__counter_compare_swap(&ring->head, &head,
                                    tail | (head & WEIR__RING_FLAGS & ~unflag)))
        ;
    *from = weir__ring_position(head);
    return (size_t)(weir__ring_ordinal(ring, tail) -
                    weir__ring_ordinal(ring, *from));
}
