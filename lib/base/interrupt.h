/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - a signal that makes a thread's blocking call return.
 *
 * THE IDEA
 *
 * The signal's handler does nothing and has no SA_RESTART: so a read() or
 * nanosleep() in which it arrives fails with EINTR.  One that arrives just
 * before the call is lost: whoever sends it does so again.
 *
 * Each thread has a door.  It is open while there is something to interrupt;
 * to send, and to close, one holds a lock of the door's owner.  When the door
 * is closed no more signals come, but one may be on its way: then the thread
 * makes a system call, and with that it has arrived.  So what comes after is
 * never hit, and it costs nothing if nothing was sent.
 *
 * WHY NOT
 *
 *   The signal blocked but while the door is open: 400 ns each time.
 *   SIGUSR1, or any that others use: a thread can have one handler for it only,
 *   and two of the same number that are on their way are one.
 */
#ifndef WEIR_LIB_BASE_INTERRUPT_H
#define WEIR_LIB_BASE_INTERRUPT_H

#include <pthread.h>
#include <stdbool.h>

#include <weir/status.h>

/* All zero: nothing is ever sent.  T: set by the thread, before others know.
 * L: with the owner's lock; but opened by the thread when others do not know
 * what it is about. */
struct weir__door {
    int signal;       /* T: 0: none */
    pthread_t native; /* T */
    bool is_open;     /* L */
    bool was_sent;    /* L: since it was opened */
};

/* Has the process do nothing when the signal comes, for ever: a late one must
 * stay harmless.  WEIR_EINVAL, naming `option`: not a real-time signal, or
 * somebody else has something to do with it. */
weir_status weir__interrupt_claim(int signal, const char *option);

/* The calling thread is whom it is sent to; from now on it lets it through. */
void weir__door_attach(struct weir__door *door, int signal);

static inline void weir__door_open(struct weir__door *door)
{
    door->is_open = true;
}
/* Whether it was open. */
bool weir__door_send(struct weir__door *door);
/* Whether something was sent: then weir__door_settle, without the lock. */
bool weir__door_close(struct weir__door *door);
/* By the thread: what was sent has arrived.  The signal is let through again,
 * whatever a handler has made of that. */
void weir__door_settle(const struct weir__door *door);

#endif /* WEIR_LIB_BASE_INTERRUPT_H */
