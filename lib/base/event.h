/* SPDX-License-Identifier: MIT */
/*
 * event.h - a descriptor that is readable once something has happened.
 *
 * Nothing here but weir__event_poll is a cancellation point, and nothing but
 * that and weir__event_wait waits:
 * events are set with locks held, and a thread that was cancelled then would
 * die with them.
 */
#ifndef WEIR_LIB_BASE_EVENT_H
#define WEIR_LIB_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/deadline.h>

struct pollfd;

/* A program may have closed 0, 1 or 2, and a new descriptor then gets that
 * number, at which anybody prints or reads.  So each descriptor that the
 * library makes passes here: the same, or another for it above those.  -1 with
 * errno, and it is closed. */
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
/* Until something has come to one of them (true), or the deadline; false with
 * errno 0 then.  This one may be cancelled in. */
bool weir__event_poll(struct pollfd *what, size_t count,
                      weir_deadline deadline);

#endif /* WEIR_LIB_BASE_EVENT_H */
