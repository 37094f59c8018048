/* SPDX-License-Identifier: MIT */
/*
 * memory.h - where all memory of the library comes from and goes to.
 *
 * Who needs memory asks base/fault, which makes of each allocation a point that
 * can fail, and asks here.
 */
#ifndef WEIR_LIB_BASE_MEMORY_H
#define WEIR_LIB_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory for `count` things of `bytes` each; NULL, with errno, if there
 * is none or that overflows. */
void *weir__memory_take(size_t count, size_t bytes);
/* NULL is allowed. */
void weir__memory_give_back(void *memory);
/* From now on the allocator stays the one it is, as after an allocation. */
void weir__memory_settle(void);

#endif /* WEIR_LIB_BASE_MEMORY_H */
