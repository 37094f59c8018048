/* SPDX-License-Identifier: MIT */
/* rings.h - what the tests of the ring share: one ring. */
#ifndef WEIR_TESTS_RINGS_H
#define WEIR_TESTS_RINGS_H

#include "queue/ring.h"

/* The ring under test. */
extern struct weir__ring ring;

void open_ring(size_t capacity, size_t item_size);
/* As a fixture too: twice is once. */
void close_ring(void);

/* weir__ring_put and weir__ring_get as a caller elsewhere has them: inlined
 * here, the compiler would compare sizes that never meet. */
size_t ring_put(const void *items, size_t count, uint64_t ignored);
size_t ring_get(void *items, size_t count, uint64_t ignored);

/* The words of the ring as they stand. */
uint64_t head_now(void);
uint64_t tail_now(void);
uint64_t most_now(void);

/* Whether an item lies inside or is on its way in; the same of room. */
bool has_item(void);
bool has_room(void);

#endif /* WEIR_TESTS_RINGS_H */
