/* SPDX-License-Identifier: MIT */
/* command.h - one attempt: a process group from its start to its end. */
#ifndef WEIR_TOOL_COMMAND_H
#define WEIR_TOOL_COMMAND_H

#include <stdint.h>

#include <weir/task.h>

#include "output.h"

/* The code of a failure that another attempt would only repeat.  No exit status
 * is that large. */
enum { COMMAND_NO_AVAIL = 256 };

/*
 * Runs argv in a process group of its own, keeps what it prints in `output`,
 * and waits for it.  Cancelled, or told by signals_end_fd, it ends the group:
 * TERM, and KILL after grace_ns.
 *
 * Blocks:  until the command has ended; afterwards nothing of the group is
 *          left if it had to be ended.
 * Returns: what the handler should: 0, or what weir_task_fail answered.
 * Threads: the handler's.
 */
int command_run(weir_task *task, char *const argv[], int64_t grace_ns,
                struct outputs *outputs, struct output *output);

#endif /* WEIR_TOOL_COMMAND_H */
