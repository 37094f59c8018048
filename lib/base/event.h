/* SPDX-License-Identifier: MIT */
/*
 * event.h - a descriptor that is readable once something has happened.
 *
 * Nothing here is a cancellation point, and nothing but weir__event_wait waits:
 * events are set with locks held, and a thread that was cancelled then would
 * die with them.
 */
#ifndef WEIR_LIB_BASE_EVENT_H
#define WEIR_LIB_BASE_EVENT_H

#include <weir/deadline.h>

/* The same descriptor, or another for it, above the standard ones: these may be
 * closed, and others write there all the same.  -1 with errno, and it is
 * closed. */
int weir__fd_lift(int fd);

/* Returns a descriptor above the standard ones, or -1 with errno. */
int weir__event_create(void);
/* Readable from now on. */
void weir__event_set(int fd);
/* No longer readable. */
void weir__event_clear(int fd);
void weir__event_close(int fd);
/* Until it is readable or the deadline; on the real clock. */
void weir__event_wait(int fd, weir_deadline deadline);

#endif /* WEIR_LIB_BASE_EVENT_H */
