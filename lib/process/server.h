/* SPDX-License-Identifier: MIT */
/*
 * server.h - the fork server: a small process that makes the children.
 *
 * THE IDEA
 *
 * A process with threads must not fork and go on in C: whatever the other
 * threads hold is held in the copy for ever.  So a copy is made while there is
 * one thread only, and it does nothing but fork, kill and reap.  It also stays
 * small, so that a fork takes a tenth of a millisecond, however large this
 * process grows.
 *
 *     this process ──control──▶ server ──fork──▶ child, child, child
 *                  ◀──report──▶        ──kill──▶ their groups
 *
 * WHO ENDS WHEN
 *
 *   a child ends       the server kills what is left of its group while the
 *                      child is not reaped, so that its number is nobody
 *                      else's; then reaps it, and reports how it ended
 *   its report closes  (the pool gives it up): the group is killed
 *   this process ends  however: the server sees it by a pidfd, kills all
 *                      groups, reaps and ends
 *   control closes     (exec): the same
 *   the server ends    the kernel kills the children (PR_SET_PDEATHSIG), and
 *                      the pools see their reports close
 *
 * It is nobody's child (its parent ends at once), so that a program that waits
 * for its own children neither sees it nor waits for it for ever.  It has a
 * session of its own, blocks all signals, and reaps whatever is handed to it:
 * no process of a group stays a zombie, also where nobody else reaps.
 *
 * LIMITS
 *
 * A process that a handler starts and that leaves the group (setsid, setpgid)
 * is not killed, only reaped.  Linux 5.3 or later, for pidfd_open.
 */
#ifndef WEIR_LIB_PROCESS_SERVER_H
#define WEIR_LIB_PROCESS_SERVER_H

#include <sys/types.h>

#include <weir/api.h>

/* The server's whole life: a process with one thread.  `control` is its end of
 * the socket pair, `parent` the process that it is for.  The first message on
 * control says STARTED, or REFUSED with the error. */
WEIR_NO_RETURN void weir__server_live(int control, pid_t parent);

#endif /* WEIR_LIB_PROCESS_SERVER_H */
