/* SPDX-License-Identifier: MIT */
/* leave.h - what a run leaves behind of itself: a trace, a picture. */
#ifndef WEIR_TOOL_LEAVE_H
#define WEIR_TOOL_LEAVE_H

#include <stdbool.h>

#include <weir/events.h>

/* The files are opened before anything runs, so that a name that will not do is
 * said at once. */
struct leavings {
    weir_events *events; /* NULL: nobody wants any */
    const char *trace_file, *picture_file;
    int trace, picture; /* -1: none */
};

/* NULL: no such file.  False: one line on standard error has said why not. */
bool leavings_open(struct leavings *leavings, const char *trace_file,
                   const char *picture_file);
/* Writes them.  False: some could not be, and one line each has said so. */
bool leavings_close(struct leavings *leavings);

#endif /* WEIR_TOOL_LEAVE_H */
