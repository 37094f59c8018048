/* SPDX-License-Identifier: MIT */
/* processors.h - how many processors this process may use. */
#ifndef WEIR_LIB_BASE_PROCESSORS_H
#define WEIR_LIB_BASE_PROCESSORS_H

#include <stdint.h>

/*
 * By the affinity mask and the processor quota of the control group (version
 * 2 or 1), whichever is less, and at least 1: not the machine's count.
 */
uint32_t weir__processors(void);

/* What weir__processors answered when this was called first: to ask costs a
 * tenth of a millisecond. */
uint32_t weir__processors_at_first(void);

/* The quota that the control groups under `root` (in production "/") grant, in
 * whole processors, rounded up; UINT32_MAX: no limit. */
uint32_t weir__processor_quota(const char *root);

#endif /* WEIR_LIB_BASE_PROCESSORS_H */
