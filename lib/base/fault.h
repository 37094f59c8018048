/* SPDX-License-Identifier: MIT */
/*
 * fault.h - the one seam for what the world can refuse: memory, threads.
 *
 * Each call that can fail for want of something is a point.  A test arms the
 * n-th point from now, for every n until the work succeeds, and so sees every
 * error path taken.
 */
#ifndef WEIR_LIB_BASE_FAULT_H
#define WEIR_LIB_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, or NULL.  Never under a lock. */
void *weir__allocate(size_t bytes);
/* The same for `count` things of `bytes` each; NULL if that overflows. */
void *weir__allocate_many(size_t count, size_t bytes);
/* NULL is allowed. */
void weir__release(void *memory);

/* Zeroed memory at a multiple of WEIR__APART, or NULL; and its release. */
void *weir__allocate_apart(size_t bytes);
void weir__release_apart(void *memory);

/* Counts a point and says whether it has to fail. */
bool weir__fault_strikes(void);

/* The n-th point from now fails, 1 being the next; 0: none does.  Counting
 * starts afresh. */
void weir__fault_arm(uint64_t nth);
/* Points passed since the last weir__fault_arm. */
uint64_t weir__fault_points(void);

#endif /* WEIR_LIB_BASE_FAULT_H */
