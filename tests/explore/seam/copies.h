/* SPDX-License-Identifier: MIT */
/* copies.h - included first where plain memory is watched: gcc leaves the
 * copying of memory to a run time that is not there. */
#ifndef WEIR_EXPLORE_SEAM_COPIES_H
#define WEIR_EXPLORE_SEAM_COPIES_H

#include <string.h>

void *__tsan_memcpy(void *into, const void *from, size_t bytes);
void *__tsan_memmove(void *into, const void *from, size_t bytes);
void *__tsan_memset(void *into, int value, size_t bytes);

#define memcpy(into, from, bytes)  __tsan_memcpy(into, from, bytes)
#define memmove(into, from, bytes) __tsan_memmove(into, from, bytes)
#define memset(into, value, bytes) __tsan_memset(into, value, bytes)

#endif /* WEIR_EXPLORE_SEAM_COPIES_H */
