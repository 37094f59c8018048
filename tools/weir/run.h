/* SPDX-License-Identifier: MIT */
/* run.h - `weir run`: a command for each record. */
#ifndef WEIR_TOOL_RUN_H
#define WEIR_TOOL_RUN_H

#include <stdbool.h>

/* Exit statuses; a signal's is EXIT_BY_SIGNAL plus its number. */
enum {
    EXIT_ALL_DONE = 0,
    EXIT_NOT_ALL = 1,
    EXIT_USAGE = 2,
    EXIT_BY_SIGNAL = 128
};

/*
 * Does what the arguments behind `weir` say; argv[0] is the word run.
 * `input_closed`: standard input was not open when weir started.
 *
 * Returns: the exit status.  Whatever is wrong has been said.
 * Threads: main, before any other.
 */
int run_command_line(int argc, char *const *argv, bool input_closed);

#endif /* WEIR_TOOL_RUN_H */
