/* SPDX-License-Identifier: MIT */
/*
 * inside.h - what runs in a child process: one handler after the other.
 *
 * THE IDEA
 *
 * A child has one thread and one attempt's record (task/task.h), and all that a
 * handler may call works on it as on a worker.  It reads what to run from its
 * line, runs it, and writes what it answered.
 *
 *     READY ─▶ RUN ─▶ begin ─▶ handler ─▶ clean-ups ─▶ ANSWER ─▶ RUN ─▶ ...
 *     and at the end of the line ─▶ exit
 *
 * However the process ends, the fork server sees it.  A handler that ends its
 * thread ends the process, with clean-ups, and status 0: a clean-up handler of
 * ours stops the unwinding before it comes to the frames of main, which are a
 * copy too.
 *
 * ASKED TO STOP
 *
 * By SIGTERM.  Its handler marks the attempt as cancelled and makes the cancel
 * descriptor readable, both of which may be done in a signal handler, and, as
 * it has no SA_RESTART, a blocking call fails with EINTR.  A sleep waits for
 * that descriptor.  Only on_cancel actions need a thread, the listener, which
 * is started for the first of them.
 *
 * A signal that is sent before RUN is sent has arrived before RUN is read; so
 * begin forgets it, and no attempt is asked on account of another (child.h).
 */
#ifndef WEIR_LIB_PROCESS_INSIDE_H
#define WEIR_LIB_PROCESS_INSIDE_H

#include <weir/api.h>

/* The child's whole life; `line` is its socket.  By a process with one
 * thread. */
WEIR_NO_RETURN void weir__inside_live(int line);

#endif /* WEIR_LIB_PROCESS_INSIDE_H */
