/* SPDX-License-Identifier: MIT */
/* moments.h - a world's clock, and the moments that somebody minds. */
#ifndef WEIR_EXPLORE_MOMENTS_H
#define WEIR_EXPLORE_MOMENTS_H

#include <stdint.h>

/* An execution begins. */
void moments_reset(void);

int64_t moments_now(void);
void moments_advance(int64_t at_ns);

/* The next one that somebody minds; INT64_MAX: there is none. */
int64_t moments_next(void);

#endif /* WEIR_EXPLORE_MOMENTS_H */
