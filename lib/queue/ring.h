/* SPDX-License-Identifier: MIT */
/*
 * ring.h - items by value in a ring of slots, without a lock.
 *
 * THE IDEA
 *
 * Putters claim positions at the tail, getters claim them at the head; each
 * slot carries a stamp that says whose turn it is.
 *
 *             head                    tail
 *              v                       v
 *     [ .. ][ full ][ full ][ claimed ][ free ][ free ]
 *              ^ a get claims here       ^ a put claims here
 *
 * A position is one word: the lap in the upper bits, the slot's index below,
 * and two bits for flags at the bottom.  So any capacity will do, 1 too, and
 * neither side ever divides.
 *
 * STATES of a slot, by its stamp
 *
 *     lap           free: the put of this lap may write
 *     lap | FULL    the item of this lap lies here: its get may read
 *     the next lap  free again
 *
 *   A put claims (compare-and-swap of the tail), writes the item, and publishes
 *   (writes lap | FULL).  A get claims (the head), reads, and gives the slot
 *   back (writes the next lap).  Memory that is all zero is a ring of free
 *   slots, so even a huge one costs nothing before it is used.
 *
 * INVARIANTS
 *
 *   1. head <= tail <= head + capacity, counted in positions.
 *   2. Between claim and publish, or claim and giving back, the slot belongs
 *      to the thread that claimed it.  It holds up what is behind: so we say
 *      "without a lock", never "lock-free".
 *   3. A flag in head or tail makes every claim fail that does not ignore it,
 *      from that moment on: the flag and the position are one word.
 *
 * BATCHES claim several ready slots with one compare-and-swap, and publish or
 * give back the first of them last: whoever sees the first one ready sees them
 * all.
 *
 * MEMORY ORDER
 *
 * A stamp publishes the item to the get, and the slot to the next put: release,
 * and acquire.  Claims are sequentially consistent, because they are what
 * waiting goes by (base/eventcount.h): whoever has to wait says so first and
 * looks at head and tail again, and whoever claimed looks for waiters after.
 * The stamp need not be: a waiter that sees a claim and not yet its stamp knows
 * that there is something coming.
 *
 * That is worth half the time.  With the stamp sequentially consistent, each
 * put and get stands still until the other processor has given up the slot's
 * line: 25 ns an item instead of 11, with 1 putter and 1 getter on two cores
 * that are far apart, and the same with 4 and 4.
 *
 * WHY NOT
 *
 *   Two locks and a count: 19 to 30 ns an item where this takes 10.  Position
 *   modulo capacity: a division for each claim.
 */
#ifndef WEIR_LIB_QUEUE_RING_H
#define WEIR_LIB_QUEUE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weir/status.h>

#include "base/annotate.h"
#include "base/atomic.h"

/* Flags of the tail and of the head; the ring only obeys them. */
enum {
    WEIR__RING_CLOSED = 1,     /* tail: no more puts; the position is final */
    WEIR__RING_PILLS = 1,      /* head: look for pills first */
    WEIR__RING_STAND_BACK = 2, /* either: a waiting thread goes first */
    WEIR__RING_FLAGS = 3,
    WEIR__RING_STEP = 4, /* from a position to the next of its lap */
    WEIR__RING_FULL = 1  /* of a stamp */
};

struct weir__slot {
    struct weir__counter stamp; /* A: publishes the item, see above */
    unsigned char item[];       /* whose turn the stamp says it is */
};

/* Putters write the line of the tail, getters that of the head: apart. */
struct weir__ring {
    unsigned char *slots; /* I */
    size_t item_size;     /* I: bytes */
    size_t stride;        /* I: bytes from slot to slot */
    size_t capacity;      /* I: items, at least 1 */
    uint64_t lap;         /* I: from a position to the same slot's next */
    unsigned lap_bits;    /* I: it is a power of two */

    _Alignas(WEIR__APART) struct weir__counter tail; /* A: claimed by puts */
    struct weir__hint most;    /* A: items at most so far */
    struct weir__hint most_at; /* A: no put up to here can exceed it */

    _Alignas(WEIR__APART) struct weir__counter head; /* A: claimed by gets */
};

/* Returns WEIR_OK, WEIR_ENOMEM. */
weir_status
weir__ring_init(struct weir__ring *ring, size_t capacity, size_t item_size);
void weir__ring_dispose(struct weir__ring *ring);

/* A word of head or tail without its flags. */
static inline uint64_t weir__ring_position(uint64_t word)
{
    return word & ~(uint64_t)WEIR__RING_FLAGS;
}

/* The stamp that says: free for the put of `at`. */
static inline uint64_t
weir__ring_stamp(const struct weir__ring *ring, uint64_t at)
{
    return at & ~(ring->lap - 1);
}

static inline struct weir__slot *
weir__ring_slot(const struct weir__ring *ring, uint64_t at)
{
    size_t index = (size_t)((at & (ring->lap - 1)) / WEIR__RING_STEP);

    return (struct weir__slot *)(void *)(ring->slots + index * ring->stride);
}

/* The position `count` behind `at`; count <= capacity. */
static inline uint64_t
weir__ring_after(const struct weir__ring *ring, uint64_t at, size_t count)
{
    uint64_t index = (at & (ring->lap - 1)) / WEIR__RING_STEP;
    uint64_t to_go = ring->capacity - index;

    if (count < to_go)
        return at + count * WEIR__RING_STEP;
    return (at & ~(ring->lap - 1)) + ring->lap +
           (count - to_go) * WEIR__RING_STEP;
}

/* How many positions there are before this one, over the ring's whole life. */
static inline uint64_t
weir__ring_ordinal(const struct weir__ring *ring, uint64_t at)
{
    return (at >> ring->lap_bits) * ring->capacity +
           (at & (ring->lap - 1)) / WEIR__RING_STEP;
}

/* Items ever claimed by puts, and by gets. */
static inline uint64_t weir__ring_put_ever(const struct weir__ring *ring)
{
    return weir__ring_ordinal(ring, weir__counter_read(&ring->tail));
}
static inline uint64_t weir__ring_got_ever(const struct weir__ring *ring)
{
    return weir__ring_ordinal(ring, weir__counter_read(&ring->head));
}

/* Whether the item of `at` lies in its slot. */
static inline bool
weir__ring_is_published(const struct weir__ring *ring, uint64_t at)
{
    return weir__counter_read(&weir__ring_slot(ring, at)->stamp) ==
           (weir__ring_stamp(ring, at) | WEIR__RING_FULL);
}

/* Whether there was room behind this word of the tail, or an item was just
 * being got.  The head may have passed it since. */
static inline bool
weir__ring_has_room(const struct weir__ring *ring, uint64_t tail)
{
    uint64_t room_from = weir__ring_got_ever(ring) + ring->capacity;

    return weir__ring_ordinal(ring, tail) < room_from;
}

/*
 * Whether there seems to be room for several, for who has time to wait: up to
 * 64, and a quarter of the capacity.  Looks at the last of their slots alone,
 * far from the one that a getter is about to leave: whoever polls that one, or
 * fills each slot as soon as it is left, takes its line from the getter over
 * and over (34 ns a task of a pool, where this takes 23).
 */
static inline bool weir__ring_has_stretch(const struct weir__ring *ring)
{
    size_t last = ring->capacity / 4 < 64 ? ring->capacity / 4 : 63;
    uint64_t tail = weir__ring_position(weir__counter_read(&ring->tail));
    uint64_t at = weir__ring_after(ring, tail, last);

    return weir__counter_read(&weir__ring_slot(ring, at)->stamp) ==
           weir__ring_stamp(ring, at);
}

/* Takes note that a put claimed up to `end`. */
void weir__ring_note_most(struct weir__ring *ring, uint64_t end);

/* The sizes that most items have are copied without a call. */
WEIR_INLINE void weir__ring_copy(void *to, const void *from, size_t bytes)
{
    switch (bytes) {
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    case 32:
        memcpy(to, from, 32);
        break;
    case 64:
        memcpy(to, from, 64);
        break;
    default:
        memcpy(to, from, bytes);
    }
}

/* Positions that a thread has claimed, one behind the other. */
struct weir__claim {
    size_t count; /* 0: none */
    size_t index; /* of the first one's slot */
    uint64_t lap; /* of the first one: its stamp, but for FULL */
    uint64_t end; /* the position behind the last one */
};

/* The slot of the position `i` behind the claim's first, and its lap. */
WEIR_INLINE struct weir__slot *
weir__claim_slot(const struct weir__ring *ring, const struct weir__claim *claim,
                 size_t i, uint64_t *lap)
{
    size_t index = claim->index + i;
    bool next_lap = index >= ring->capacity;

    *lap = next_lap ? claim->lap + ring->lap : claim->lap;
    if (next_lap)
        index -= ring->capacity;
    return (struct weir__slot *)(void *)(ring->slots + index * ring->stride);
}

/* Claims up to `count` (at least 1) positions whose slots bear the stamp of
 * their lap, with `full`, from a word of head or tail. */
WEIR_INLINE struct weir__claim
weir__ring_claim(const struct weir__ring *ring, struct weir__counter *word,
                 size_t count, uint64_t full, uint64_t ignored)
{
    uint64_t seen = weir__counter_read(word);
    struct weir__claim claim = {.count = 0};

    while (!WEIR_RARELY(seen & WEIR__RING_FLAGS & ~ignored)) {
        uint64_t lap, in_lap = seen & (ring->lap - 1);
        size_t n = 0;

        claim.index = (size_t)(in_lap / WEIR__RING_STEP);
        claim.lap = seen - in_lap;
        do {
            struct weir__slot *slot = weir__claim_slot(ring, &claim, n, &lap);
            uint64_t stamp = weir__counter_read(&slot->stamp);

            if (stamp != (lap | full)) {
                if (n == 0 && stamp < (lap | full))
                    return claim;
                break;
            }
        } while (++n < count && n < ring->capacity);
        if (n == 0) { /* somebody else claimed it */
            seen = weir__counter_read(word);
            continue;
        }
        claim.end =
            claim.index + n < ring->capacity
                ? seen + n * WEIR__RING_STEP
                : seen - in_lap + ring->lap + (in_lap & WEIR__RING_FLAGS) +
                      (claim.index + n - ring->capacity) * WEIR__RING_STEP;
        if (weir__counter_compare_swap(word, &seen, claim.end)) {
            claim.count = n;
            break;
        }
    }
    return claim;
}

/*
 * Puts up to `count` items, as many as there is room for right now, unless the
 * tail bears a flag that is not `ignored`.  Returns how many.
 */
WEIR_INLINE size_t weir__ring_put(struct weir__ring *ring, const void *items,
                                  size_t count, uint64_t ignored)
{
    const unsigned char *item = items;
    struct weir__claim claim =
        weir__ring_claim(ring, &ring->tail, count, 0, ignored);

    for (size_t i = claim.count; i-- > 0;) {
        uint64_t lap;
        struct weir__slot *slot = weir__claim_slot(ring, &claim, i, &lap);

        weir__ring_copy(slot->item, item + i * ring->item_size,
                        ring->item_size);
        weir__counter_write_release(&slot->stamp, lap | WEIR__RING_FULL);
    }
    if (claim.count > 0 &&
        WEIR_RARELY(claim.end > weir__hint_read(&ring->most_at)))
        weir__ring_note_most(ring, weir__ring_position(claim.end));
    return claim.count;
}

/* Takes up to `count` items, as many as lie there right now, unless the head
 * bears a flag that is not `ignored`.  Returns how many. */
WEIR_INLINE size_t weir__ring_get(struct weir__ring *ring, void *items,
                                  size_t count, uint64_t ignored)
{
    unsigned char *item = items;
    struct weir__claim claim =
        weir__ring_claim(ring, &ring->head, count, WEIR__RING_FULL, ignored);

    for (size_t i = claim.count; i-- > 0;) {
        uint64_t lap;
        struct weir__slot *slot = weir__claim_slot(ring, &claim, i, &lap);

        weir__ring_copy(item + i * ring->item_size, slot->item,
                        ring->item_size);
        weir__counter_write_release(&slot->stamp, lap + ring->lap);
    }
    return claim.count;
}

/*
 * Claims every item up to the tail, published or not, and takes these flags
 * off the head.  The tail must be closed.  *from is the first; returns how
 * many.  Their slots are the caller's from then on.
 */
size_t
weir__ring_claim_all(struct weir__ring *ring, uint64_t unflag, uint64_t *from);

#endif /* WEIR_LIB_QUEUE_RING_H */
