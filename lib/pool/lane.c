/* SPDX-License-Identifier: MIT */
/* lane.c - see lane.h. */
#include "pool/lane.h"

#include <stddef.h>
#include <string.h>

/* What of a task lies in a slot: all but the moment, and that if it is timed.
 */
enum {
    UNTIMED_BYTES = offsetof(struct weir__plain, submitted_ns),
    TIMED_BYTES = UNTIMED_BYTES + sizeof(struct weir__hint)
};

/* Atomic, for who looks at it without taking the task. */
static struct weir__hint *moment_in(struct weir__slot *slot)
{
    return (struct weir__hint *)(void *)(slot->item + UNTIMED_BYTES);
}

static size_t plain_bytes(bool timed)
{
    return timed ? TIMED_BYTES : UNTIMED_BYTES;
}

weir_status weir__lane_init(struct weir__ring *ring, size_t capacity,
                            size_t item_size, bool timed)
{
    return weir__ring_init(ring, capacity, plain_bytes(timed) + item_size);
}

/* The item of a task whose item lies behind it. */
static char in_slot;

/* All but the moment. */
struct in_lane {
    uint64_t id;
    weir_handler *handler;
    void *item;
};

static struct in_lane *plain_in(struct weir__slot *slot)
{
    return (struct in_lane *)(void *)slot->item;
}

uint64_t
weir__lane_put(struct weir__ring *ring, const struct weir__counter *others,
               const struct weir__plain *plain, const void *copied,
               uint64_t ignored, bool timed)
{
    struct weir__claim claim =
        weir__ring_claim(ring, &ring->tail, 1, 0, ignored);
    struct weir__slot *slot;
    uint64_t lap, id;

    if (claim.count == 0)
        return 0;
    slot = weir__claim_slot(ring, &claim, 0, &lap);
    id = weir__counter_read(others) + weir__ring_ordinal(ring, claim.end);
    *plain_in(slot) = (struct in_lane){.id = id,
                                       .handler = plain->handler,
                                       .item = copied ? &in_slot : plain->item};
    if (timed)
        weir__hint_write(moment_in(slot), (uint64_t)plain->submitted_ns);
    if (copied)
        memcpy(slot->item + plain_bytes(timed), copied,
               ring->item_size - plain_bytes(timed));
    weir__counter_write_release(&slot->stamp, lap | WEIR__RING_FULL);
    return id;
}

bool weir__lane_get(struct weir__ring *ring, struct weir__plain *plain,
                    void *copy, uint64_t ignored, bool timed)
{
    struct weir__claim claim =
        weir__ring_claim(ring, &ring->head, 1, WEIR__RING_FULL, ignored);
    const struct in_lane *in;
    struct weir__slot *slot;
    uint64_t lap;

    if (claim.count == 0)
        return false;
    slot = weir__claim_slot(ring, &claim, 0, &lap);
    in = plain_in(slot);
    plain->id = in->id;
    plain->handler = in->handler;
    plain->item = in->item;
    if (timed)
        plain->submitted_ns = (int64_t)weir__hint_read(moment_in(slot));
    if (plain->item == &in_slot) {
        memcpy(copy, slot->item + plain_bytes(timed),
               ring->item_size - plain_bytes(timed));
        plain->item = copy;
    }
    weir__counter_write_release(&slot->stamp, lap + ring->lap);
    return true;
}

int64_t weir__lane_oldest(const struct weir__ring *ring)
{
    uint64_t at = weir__ring_position(weir__counter_read(&ring->head));
    int64_t since_ns;

    if (!weir__ring_is_published(ring, at))
        return 0;
    since_ns = (int64_t)weir__hint_read(moment_in(weir__ring_slot(ring, at)));
    /* It was that one's if nobody has taken it meanwhile. */
    return weir__ring_is_published(ring, at) ? since_ns : 0;
}
