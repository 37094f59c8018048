/* SPDX-License-Identifier: MIT */
/* lane.c - see lane.h. */
#include "pool/lane.h"

#include <string.h>

weir_status
weir__lane_init(struct weir__ring *ring, size_t capacity, size_t item_size)
{
    return weir__ring_init(ring, capacity,
                           sizeof(struct weir__plain) + item_size);
}

/* The item of a task whose item lies behind it. */
static char in_slot;

static struct weir__plain *plain_in(struct weir__slot *slot)
{
    return (struct weir__plain *)(void *)slot->item;
}

static size_t copied_bytes(const struct weir__ring *ring)
{
    return ring->item_size - sizeof(struct weir__plain);
}

bool weir__lane_put(struct weir__ring *ring, const struct weir__counter *others,
                    weir_handler *handler, void *item, const void *copied,
                    uint64_t ignored)
{
    struct weir__claim claim =
        weir__ring_claim(ring, &ring->tail, 1, 0, ignored);
    struct weir__slot *slot;
    uint64_t lap;

    if (claim.count == 0)
        return false;
    slot = weir__claim_slot(ring, &claim, 0, &lap);
    *plain_in(slot) =
        (struct weir__plain){.id = weir__counter_read(others) +
                                   weir__ring_ordinal(ring, claim.end),
                             .handler = handler,
                             .item = copied ? &in_slot : item};
    if (copied)
        memcpy(plain_in(slot) + 1, copied, copied_bytes(ring));
    weir__counter_write_release(&slot->stamp, lap | WEIR__RING_FULL);
    return true;
}

bool weir__lane_get(struct weir__ring *ring, struct weir__plain *plain,
                    void *copy, uint64_t ignored)
{
    struct weir__claim claim =
        weir__ring_claim(ring, &ring->head, 1, WEIR__RING_FULL, ignored);
    struct weir__slot *slot;
    uint64_t lap;

    if (claim.count == 0)
        return false;
    slot = weir__claim_slot(ring, &claim, 0, &lap);
    *plain = *plain_in(slot);
    if (plain->item == &in_slot) {
        memcpy(copy, plain_in(slot) + 1, copied_bytes(ring));
        plain->item = copy;
    }
    weir__counter_write_release(&slot->stamp, lap + ring->lap);
    return true;
}
