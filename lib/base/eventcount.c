/* SPDX-License-Identifier: MIT */
/* eventcount.c - see eventcount.h. */
#include "base/eventcount.h"

#include <errno.h>
#include <stdint.h>

#include "base/fault.h"

void weir__eventcount_wake(struct weir__eventcount *event, size_t most)
{
    weir__flag_write(&event->armed, false);
    weir__waitlist_wake(&event->waiters, most);
    weir__eventcount_tell(event);
}

void weir__eventcount_wake_all(struct weir__eventcount *event)
{
    weir__eventcount_wake(event, SIZE_MAX);
}

bool weir__eventcount_leave(struct weir__eventcount *event)
{
    bool others = event->waiters.first != NULL;

    weir__flag_write(&event->armed,
                     others || (event->fd && weir__flag_read(&event->quiet)));
    return others;
}

/* ------------------------------------------------------------- a descriptor */

int weir__eventcount_open(void)
{
    if (weir__fault_strikes()) {
        errno = EMFILE;
        return -1;
    }
    return weir__event_create();
}

int weir__eventcount_give(struct weir__eventcount *event, int fd)
{
    if (event->fd)
        return fd;
    event->fd = fd;
    weir__flag_write(&event->watched, true);
    weir__event_set(fd);
    return -1;
}

int weir__eventcount_take(struct weir__eventcount *event)
{
    int fd = event->fd ? event->fd : -1;

    event->fd = 0;
    return fd;
}

/* Cleared before it is armed: what is told after that stays told. */
void weir__eventcount_hush(struct weir__eventcount *event)
{
    if (!event->fd)
        return;
    weir__event_clear(event->fd);
    weir__flag_write(&event->quiet, true);
    weir__eventcount_arm(event);
}

/* Disarmed, unless threads wait too: they are none of its business. */
void weir__eventcount_tell(struct weir__eventcount *event)
{
    if (!event->fd || !weir__flag_read(&event->quiet))
        return;
    weir__flag_write(&event->quiet, false);
    if (!event->waiters.first)
        weir__flag_write(&event->armed, false);
    weir__event_set(event->fd);
}
