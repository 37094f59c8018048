/* SPDX-License-Identifier: MIT */
/* leave.c - see leave.h. */
#include "leave.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/metrics.h>
#include <weir/picture.h>
#include <weir/status.h>
#include <weir/trace.h>

#include "text.h"

static void complain(const char *option, const char *file, const char *why,
                     const char *remedy)
{
    char shown[80];

    text_escape(shown, sizeof(shown), file, strlen(file));
    fprintf(stderr, "weir run: %s '%s': %s; %s\n", option, shown, why, remedy);
}

/* -1: there is none. */
static bool open_one(int *out, const char *option, const char *file)
{
    *out = -1;
    if (!file)
        return true;
    *out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (*out < 0)
        complain(option, file, strerror(errno),
                 "name a file that can be written");
    return *out >= 0;
}

bool leavings_open(struct leavings *leavings, const char *trace_file,
                   const char *picture_file, const char *metrics_file)
{
    *leavings = (struct leavings){.trace_file = trace_file,
                                  .picture_file = picture_file,
                                  .metrics_file = metrics_file,
                                  .picture = -1,
                                  .metrics = -1};
    if (!open_one(&leavings->trace, "--trace", trace_file) ||
        !open_one(&leavings->picture, "--picture", picture_file) ||
        !open_one(&leavings->metrics, "--metrics", metrics_file))
        return false;
    if (!trace_file && !picture_file)
        return true;
    if (weir_events_create(&leavings->events, NULL) == WEIR_OK)
        return true;
    fprintf(stderr, "weir run: %s\n", weir_last_error());
    return false;
}

static bool
close_one(int fd, const char *option, const char *file, weir_status status)
{
    bool good = status == WEIR_OK;

    if (!good)
        complain(option, file,
                 status == WEIR_ESYSTEM ? strerror(errno) : weir_last_error(),
                 "the run itself is not affected; name a file with room");
    if (close(fd) != 0 && good) {
        complain(option, file, strerror(errno), "name a file with room");
        return false;
    }
    return good;
}

void leavings_measure(struct leavings *leavings, const weir_pool *pool)
{
    if (leavings->metrics < 0)
        return;
    leavings->failed =
        !close_one(leavings->metrics, "--metrics", leavings->metrics_file,
                   weir_metrics_write(pool, leavings->metrics));
    leavings->metrics = -1;
}

bool leavings_close(struct leavings *leavings)
{
    bool good = !leavings->failed;

    if (leavings->events && leavings->trace >= 0)
        good &= close_one(leavings->trace, "--trace", leavings->trace_file,
                          weir_trace_write(leavings->events, leavings->trace));
    if (leavings->events && leavings->picture >= 0)
        good &=
            close_one(leavings->picture, "--picture", leavings->picture_file,
                      weir_picture_write(leavings->events, leavings->picture));
    weir_events_destroy(leavings->events);
    leavings->events = NULL;
    return good;
}
