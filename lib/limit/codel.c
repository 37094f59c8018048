/* SPDX-License-Identifier: MIT */
/* codel.c - see codel.h. */
#include "limit/codel.h"

#include "base/clock.h"

bool weir__codel_drops(struct weir__codel *codel, int64_t now_ns,
                       int64_t waited_ns, bool is_last)
{
    int64_t latest_ns = weir__moment_after(now_ns, codel->interval_ns);

    if (waited_ns < codel->target_ns || is_last) {
        codel->is_above = false;
        return false;
    }
    if (!codel->is_above || codel->stands_from_ns > latest_ns) {
        codel->is_above = true;
        codel->stands_from_ns = latest_ns;
    }
    return now_ns >= codel->stands_from_ns &&
           waited_ns - codel->target_ns > codel->target_ns;
}
