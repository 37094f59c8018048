/* SPDX-License-Identifier: MIT */
/* rings.c - see rings.h. */
#include "rings.h"

#include <check.h>

struct weir__ring ring;

void open_ring(size_t capacity, size_t item_size)
{
    ck_assert_ptr_null(ring.slots);
    ck_assert_int_eq(weir__ring_init(&ring, capacity, item_size), WEIR_OK);
}

void close_ring(void)
{
    weir__ring_dispose(&ring);
    ring.slots = NULL;
}

size_t ring_put(const void *items, size_t count, uint64_t ignored)
{
    return weir__ring_put(&ring, items, count, ignored);
}

size_t ring_get(void *items, size_t count, uint64_t ignored)
{
    return weir__ring_get(&ring, items, count, ignored);
}

uint64_t head_now(void)
{
    return weir__counter_read(&ring.head);
}

uint64_t tail_now(void)
{
    return weir__counter_read(&ring.tail);
}

uint64_t most_now(void)
{
    return weir__hint_read(&ring.most);
}

bool has_item(void)
{
    return weir__ring_position(weir__counter_read(&ring.head)) !=
           weir__ring_position(weir__counter_read(&ring.tail));
}

bool has_room(void)
{
    return weir__ring_has_room(&ring, weir__counter_read(&ring.tail));
}
