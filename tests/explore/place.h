/* SPDX-License-Identifier: MIT */
/* place.h - which line of which file an instruction came from. */
#ifndef WEIR_EXPLORE_PLACE_H
#define WEIR_EXPLORE_PLACE_H

/*
 * "mine.c:41: q->count++;", as far as addr2line and the file are there.  Slow
 * the first time: for what is reported only.  Lends the text until the program
 * ends.
 */
const char *place_text(const void *place);

#endif /* WEIR_EXPLORE_PLACE_H */
