/* SPDX-License-Identifier: MIT */
/* settings.h - a pool's options: read, defaults filled in, checked. */
#ifndef WEIR_LIB_POOL_SETTINGS_H
#define WEIR_LIB_POOL_SETTINGS_H

#include <stdbool.h>

#include <weir/pool.h>

#include "process/child.h"

enum { WEIR__MOST_WORKERS = 65536 };

/* The options, and copies of what they point to and the pool keeps. */
struct weir__pool_settings {
    weir_pool_options options; /* its retry and name point to the below */
    weir_retry retry;
    char name[16];
    bool scales;               /* max_workers was given */
    bool has_limits;           /* a semaphore, rate, adaptive or breaker */
    int64_t abandons_after_ns; /* grace_ns; 0: nothing is abandoned */
    bool has_children;         /* WEIR_ISOLATE_PROCESS */
    struct weir__child_settings children;
};

/* Claims the signal, if there is one and all is well.  Returns WEIR_OK,
 * WEIR_EINVAL (naming the option and the remedy), WEIR_ESYSTEM (the fork server
 * has ended). */
weir_status weir__pool_settings_read(struct weir__pool_settings *into,
                                     const weir_pool_options *options);

/* For a pool's or a task's semaphore, or NULL: fills in the default of
 * *permits, and checks.  WEIR_OK, WEIR_EINVAL, WEIR_FORKED. */
weir_status weir__limits_read(const weir_semaphore *semaphore, size_t *permits,
                              weir_on_full on_full);

#endif /* WEIR_LIB_POOL_SETTINGS_H */
