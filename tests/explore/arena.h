/* SPDX-License-Identifier: MIT */
/*
 * arena.h - the memory of one execution.
 *
 * What is released is never handed out again in the same execution, so that a
 * late touch is seen; and whatever an execution leaves behind goes at once.
 */
#ifndef WEIR_EXPLORE_ARENA_H
#define WEIR_EXPLORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

enum { ARENA_ALIGNMENT = 64 };

/* Forgets everything. */
void arena_reset(void);

/* Zeroed, on a multiple of ARENA_ALIGNMENT; NULL if there is no room. */
void *arena_allocate(size_t bytes);
/* False: it is no block, or was released before. */
bool arena_release(void *memory);

/* How long a live block is, or a little more; 0: it is none. */
size_t arena_bytes(const void *memory);

/* Whether these bytes may be touched: ours and live, or not ours at all. */
bool arena_may_touch(const void *address, size_t bytes);

/* Blocks that were not released. */
size_t arena_live(void);

#endif /* WEIR_EXPLORE_ARENA_H */
