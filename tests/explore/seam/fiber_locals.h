/* SPDX-License-Identifier: MIT */
/* fiber_locals.h - included first: a thread of ours is a fiber, and has its own
 * variables where locals.h finds them. */
#ifndef WEIR_EXPLORE_SEAM_FIBER_LOCALS_H
#define WEIR_EXPLORE_SEAM_FIBER_LOCALS_H

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
#define _Thread_local __attribute__((section("fiber_locals")))

#include <pthread.h>

#include "world.h"

/* Those of the system would tell the thread that we all run on. */
#undef pthread_cleanup_push
#undef pthread_cleanup_pop
#define pthread_cleanup_push(run, arg)                                         \
 {                                                                             \
  world_push_cleanup(run, arg)
#define pthread_cleanup_pop(runs)                                              \
 world_pop_cleanup(runs);                                                      \
 }

#endif /* WEIR_EXPLORE_SEAM_FIBER_LOCALS_H */
