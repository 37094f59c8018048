/* SPDX-License-Identifier: MIT */
/* states.h - numbers that were seen, and the least that each came with. */
#ifndef WEIR_EXPLORE_STATES_H
#define WEIR_EXPLORE_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void states_forget(void);

/* Whether it was seen, with no more than this; else it is from now on.  When
 * there are too many, new ones are not kept. */
bool states_has(uint64_t state, unsigned char with);

/* What it first came with, which is `with` if it is new. */
unsigned char states_first(uint64_t state, unsigned char with);

size_t states_count(void);

#endif /* WEIR_EXPLORE_STATES_H */
