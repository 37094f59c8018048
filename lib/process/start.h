/* SPDX-License-Identifier: MIT */
/*
 * start.h - what this process knows of its fork server; what runs in that is in
 * server.h.
 *
 * One of few things that a process has only one of.  It belongs to the process
 * that started it: in a fork child there is none, until the child starts its
 * own.
 */
#ifndef WEIR_LIB_PROCESS_START_H
#define WEIR_LIB_PROCESS_START_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/deadline.h>
#include <weir/process.h>

/* Whether children can be made: WEIR_OK, WEIR_EINVAL (weir_process_start was
 * not called), WEIR_ESYSTEM (the server has ended); in words, too. */
weir_status weir__server_check(void);

/* Says that it has ended, and returns WEIR_ESYSTEM. */
weir_status weir__server_refuse_lost(void);

/* Whether it is known that it has ended; cheap. */
bool weir__server_is_lost(void);
/* The same, but has a look. */
bool weir__server_look(void);

/* Whether the code at this address is in every child: WEIR_OK, or WEIR_EINVAL,
 * naming `what` it is. */
weir_status weir__server_check_code(uintptr_t function, const char *what);

/* How long it has to say what it must, or to listen. */
#define WEIR__SERVER_PATIENCE_NS WEIR_SECONDS(5)

/* Asks for a child with this end of a line, that reports to this end of
 * another; both stay the caller's.  Waits if the server is behind, but no
 * longer than until `wake_fd` is readable (ECANCELED).  False with errno. */
bool weir__server_spawn(int report, int line, int wake_fd);

#endif /* WEIR_LIB_PROCESS_START_H */
