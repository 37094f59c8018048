/* SPDX-License-Identifier: MIT */
/*
 * locals.h - a thread's own variables, of which each fiber has a set.
 *
 * What the library declares _Thread_local lies in a section of its own
 * (seam/fiber_locals.h); when another fiber goes on, its values are put there.
 * So is errno.
 */
#ifndef WEIR_EXPLORE_LOCALS_H
#define WEIR_EXPLORE_LOCALS_H

#include <stdbool.h>

/* An execution begins: all of every thread's are zero. */
void locals_reset(void);

void locals_switch(unsigned from, unsigned to);

/* Whether it is such a variable: no two threads can meet there. */
bool locals_has(const void *address);

#endif /* WEIR_EXPLORE_LOCALS_H */
