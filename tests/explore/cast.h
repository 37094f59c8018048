/* SPDX-License-Identifier: MIT */
/* cast.h - a scenario's threads, its moments and its claims. */
#ifndef WEIR_EXPLORE_CAST_H
#define WEIR_EXPLORE_CAST_H

#include <stdbool.h>

#include <weir/deadline.h>

#include "world.h"

/* A scenario begins. */
void cast_reset(void);

/* Starts a thread; it gets `number`. */
void start(void (*run)(unsigned number), unsigned number);
/* Waits for the ends of all that were started. */
void join_all(void);
/* Whether the thread is the first one, or was started here. */
bool cast_has(unsigned thread);

weir_deadline soon(void);  /* in a millisecond */
weir_deadline later(void); /* in a second */

#define must(claim)                                                            \
 ((claim) ? (void)0                                                            \
          : world_fail("%s:%d: not so: %s", __FILE_NAME__, __LINE__, #claim))

#ifndef __FILE_NAME__
# define __FILE_NAME__ __FILE__
#endif

#endif /* WEIR_EXPLORE_CAST_H */
