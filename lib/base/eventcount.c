/* SPDX-License-Identifier: MIT */
/* eventcount.c - see eventcount.h. */
#include "base/eventcount.h"

#include <stdint.h>

void weir__eventcount_wake(struct weir__eventcount *event, size_t most)
{
    weir__flag_write(&event->armed, false);
    weir__waitlist_wake(&event->waiters, most);
}

void weir__eventcount_wake_all(struct weir__eventcount *event)
{
    weir__eventcount_wake(event, SIZE_MAX);
}

bool weir__eventcount_leave(struct weir__eventcount *event)
{
    bool others = event->waiters.first != NULL;

    weir__flag_write(&event->armed, others);
    return others;
}
