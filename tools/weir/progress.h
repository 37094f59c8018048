/* SPDX-License-Identifier: MIT */
/* progress.h - one line on standard error that says how far it is. */
#ifndef WEIR_TOOL_PROGRESS_H
#define WEIR_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

enum progress_form {
    PROGRESS_SILENT,
    PROGRESS_REDRAW, /* a terminal: over and over on one line, with escapes */
    PROGRESS_RETURN, /* the same with nothing but carriage returns */
    PROGRESS_LINES   /* no terminal: a line of its own each time */
};

struct counts {
    uint64_t done;   /* settled DONE */
    uint64_t failed; /* settled otherwise */
    uint64_t running;
};

/* One thread at a time: whoever may print at the moment. */
struct progress {
    enum progress_form form;
    int64_t started_ns;
    int64_t drawn_ns; /* when the line was written last */
    size_t shown;     /* columns of it that stand on the terminal now */
};

/* Reads NO_COLOR and TERM, and looks at standard error. */
void progress_init(struct progress *progress, enum progress_when when);

/* Whether enough time has passed to write the line again. */
bool progress_is_due(const struct progress *progress, int64_t now_ns);

/* Writes the line.  Errors are ignored: who cannot see it misses nothing. */
void progress_draw(struct progress *progress, const struct counts *counts,
                   int64_t now_ns);

/* Takes the line away, before anything else is written. */
void progress_erase(struct progress *progress);

/* CLOCK_MONOTONIC. */
int64_t monotonic_ns(void);

#endif /* WEIR_TOOL_PROGRESS_H */
