/* SPDX-License-Identifier: MIT */
/* leave.h - what a run leaves behind of itself: a trace, a picture, metrics. */
#ifndef WEIR_TOOL_LEAVE_H
#define WEIR_TOOL_LEAVE_H

#include <stdbool.h>

#include <weir/events.h>
#include <weir/pool.h>

/* The files are opened before anything runs, so that a name that will not do is
 * said at once. */
struct leavings {
    weir_events *events; /* NULL: nobody wants any */
    const char *trace_file, *picture_file, *metrics_file;
    int trace, picture, metrics; /* -1: none */
    bool failed;                 /* the metrics could not be written */
};

/* NULL: no such file.  False: one line on standard error has said why not. */
bool leavings_open(struct leavings *leavings, const char *trace_file,
                   const char *picture_file, const char *metrics_file);
/* Writes the metrics, while the pool is there. */
void leavings_measure(struct leavings *leavings, const weir_pool *pool);
/* Writes them.  False: some could not be, and one line each has said so. */
bool leavings_close(struct leavings *leavings);

#endif /* WEIR_TOOL_LEAVE_H */
