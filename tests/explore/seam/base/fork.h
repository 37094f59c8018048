/* SPDX-License-Identifier: MIT */
/* fork.h - in place of lib/base/fork.h: nobody forks, and to look is no step.
 */
#ifndef WEIR_EXPLORE_SEAM_FORK_H
#define WEIR_EXPLORE_SEAM_FORK_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

weir_status weir__fork_watch(void);
weir_status weir__refuse_forked(const char *what);

static inline uint64_t weir__fork_generation(void)
{
    return 0;
}
static inline bool weir__is_forked(uint64_t generation)
{
    return generation != 0;
}
static inline void weir__fork_end_copy(uint64_t generation)
{
    (void)generation;
}

#endif /* WEIR_EXPLORE_SEAM_FORK_H */
