/* SPDX-License-Identifier: MIT */
/* place.h - which line of which file an instruction came from. */
#ifndef WEIR_EXPLORE_PLACE_H
#define WEIR_EXPLORE_PLACE_H

#include <stddef.h>

/*
 * "at mine.c:41: q->count++;", as far as addr2line and the file are there.
 * Slow: for what is reported only.  Returns `into`.
 */
const char *place_text(const void *place, char *into, size_t room);

#endif /* WEIR_EXPLORE_PLACE_H */
