/* SPDX-License-Identifier: MIT */
/*
 * progress.c - one line on standard error that says how far it is.
 *
 * THE IDEA
 *
 * No thread: whoever settles, releases, reads a record or watches a command
 * asks whether the line is due, and the one that holds the right to print
 * writes it.  So the line never lands in the middle of a task's output, and a
 * run that stands still costs nothing but a look a second.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

/* At most ten a second for the eye; in a log one a second is plenty. */
#define REDRAW_NS INT64_C(100000000)
#define LINE_NS   INT64_C(1000000000)

/* A line of digits and words fits; what does not is cut. */
enum { LINE_ROOM = 128 };

static size_t columns(void);
static void put(const char *bytes, size_t length);

/* ------------------------------------------------------------------- life */

void progress_init(struct progress *progress, enum progress_when when)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDERR_FILENO);
    bool plain = (no_color && no_color[0]) || !term || !term[0] ||
                 strcmp(term, "dumb") == 0;

    *progress = (struct progress){.started_ns = monotonic_ns()};
    progress->drawn_ns = progress->started_ns;
    if (when == PROGRESS_NEVER || (when == PROGRESS_AUTO && !terminal))
        progress->form = PROGRESS_SILENT;
    else if (!terminal)
        progress->form = PROGRESS_LINES;
    else
        progress->form = plain ? PROGRESS_RETURN : PROGRESS_REDRAW;
}

/* -------------------------------------------------------------------- use */

bool progress_is_due(const struct progress *progress, int64_t now_ns)
{
    int64_t pause = progress->form == PROGRESS_LINES ? LINE_NS : REDRAW_NS;

    return progress->form != PROGRESS_SILENT &&
           now_ns - progress->drawn_ns >= pause;
}

void progress_draw(struct progress *progress, const struct counts *counts,
                   int64_t now_ns)
{
    char line[LINE_ROOM], whole[LINE_ROOM + 16], elapsed[24];
    size_t length, most = columns();
    int written;

    text_duration(elapsed, sizeof(elapsed), now_ns - progress->started_ns);
    written = snprintf(line, sizeof(line),
                       "weir: %" PRIu64 " done, %" PRIu64 " failed, %" PRIu64
                       " running, %s",
                       counts->done, counts->failed, counts->running, elapsed);
    if (written < 0)
        return;
    length =
        (size_t)written < sizeof(line) ? (size_t)written : sizeof(line) - 1;
    progress->drawn_ns = now_ns;
    if (progress->form == PROGRESS_LINES) {
        line[length] = '\n';
        put(line, length + 1);
        return;
    }
    /* A line that wraps could not be taken back. */
    if (length >= most)
        length = most - 1;
    if (length < progress->shown)
        progress_erase(progress);
    whole[0] = '\r';
    memcpy(whole + 1, line, length);
    put(whole, length + 1);
    progress->shown = length;
}

void progress_erase(struct progress *progress)
{
    char blank[LINE_ROOM + 2];

    if (progress->shown == 0)
        return;
    if (progress->form == PROGRESS_REDRAW) {
        put("\r\033[K", 4);
    } else {
        memset(blank, ' ', sizeof(blank));
        blank[0] = blank[progress->shown + 1] = '\r';
        put(blank, progress->shown + 2);
    }
    progress->shown = 0;
}

int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---------------------------------------------------------------- helpers */

static size_t columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 80;
    return size.ws_col;
}

static void put(const char *bytes, size_t length)
{
    ssize_t written = write(STDERR_FILENO, bytes, length);

    (void)written;
}
