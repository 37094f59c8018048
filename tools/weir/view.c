/* SPDX-License-Identifier: MIT */
/*
 * view.c - what the picture of a run says: figures to lines.
 *
 *   weir  1m05s elapsed   32.4/s now   30.1/s on average
 *   done 1234   failed 3   running 4   retrying 2
 *   queue    [####----]  10 of 16   producer blocked 87%, average 80%
 *   workers  [########]  4 of 4 busy
 *   waiting  p50 1.2ms  p90 3ms  p99 9ms  max 12ms
 *   running  p50 ...
 *
 *       0     12s  task 1240  the record
 *       1    1.2s  task 1241  another  attempt 2
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Columns. */
enum { NAME_COLUMNS = 9, BAR_COLUMNS = 20, SMALL_BAR_COLUMNS = 8, NARROW = 60 };

/* ---------------------------------------------------------------- figures */

static void say_duration(struct canvas *canvas, enum ink ink, int64_t ns)
{
    char text[24];

    text_duration(text, sizeof(text), ns);
    canvas_say(canvas, ink, "%s", text);
}

static void say_title(struct canvas *canvas, const struct view *view)
{
    canvas_say(canvas, INK_STRONG, "weir");
    canvas_say(canvas, INK_PLAIN, "  ");
    say_duration(canvas, INK_PLAIN, view->elapsed_ns);
    canvas_say(canvas, INK_PLAIN, " elapsed   ");
    if (!view->is_over) {
        canvas_say(canvas, INK_STRONG, "%.1f/s", view->rate_now);
        canvas_say(canvas, INK_PLAIN, " now   ");
    }
    canvas_say(canvas, INK_PLAIN, "%.1f/s on average", view->rate);
    canvas_end_line(canvas);
    if (!view->is_stopping || view->is_over)
        return;
    canvas_say(canvas, INK_WARN,
               view->is_ending ? "stopping: ending what runs"
                               : "stopping: finishing what runs; again to end "
                                 "it");
    canvas_end_line(canvas);
}

static void
say_count(struct canvas *canvas, enum ink ink, const char *name, uint64_t count)
{
    if (count == 0)
        return;
    canvas_say(canvas, INK_PLAIN, "   ");
    canvas_say(canvas, ink, "%s %" PRIu64, name, count);
}

static void say_ledger(struct canvas *canvas, const weir_ledger *l)
{
    canvas_say(canvas, INK_GOOD, "done %" PRIu64, l->done);
    say_count(canvas, INK_BAD, "failed", l->failed);
    say_count(canvas, INK_BAD, "timed out", l->timed_out);
    say_count(canvas, INK_BAD, "crashed", l->crashed);
    say_count(canvas, INK_BAD, "exited", l->exited);
    say_count(canvas, INK_WARN, "cancelled", l->cancelled);
    say_count(canvas, INK_WARN, "expired", l->expired);
    say_count(canvas, INK_WARN, "dropped", l->dropped);
    say_count(canvas, INK_PLAIN, "running", l->running);
    say_count(canvas, INK_WARN, "retrying", l->retrying);
    say_count(canvas, INK_WARN, "overdue", l->overdue);
    canvas_end_line(canvas);
}

static void say_bar(struct canvas *canvas, const char *name, enum ink ink,
                    uint64_t part, uint64_t whole)
{
    canvas_say(canvas, INK_PLAIN, "%s", name);
    canvas_move(canvas, NAME_COLUMNS);
    canvas_bar(canvas, ink,
               canvas->columns < NARROW ? SMALL_BAR_COLUMNS : BAR_COLUMNS,
               whole ? (double)part / (double)whole : 0);
    canvas_say(canvas, INK_PLAIN, "  %" PRIu64 " of %" PRIu64, part, whole);
}

static void say_pressure(struct canvas *canvas, const struct view *view)
{
    uint64_t queued = view->stats.ledger.queued;

    say_bar(canvas, "queue", queued >= view->capacity ? INK_WARN : INK_GOOD,
            queued, view->capacity);
    canvas_say(canvas, INK_PLAIN, "   producer blocked %.0f%%, average %.0f%%",
               view->blocked_now * 100, view->blocked * 100);
    canvas_end_line(canvas);
    say_bar(canvas, "workers", INK_GOOD, view->stats.busy, view->stats.workers);
    canvas_say(canvas, INK_PLAIN, " busy");
    canvas_end_line(canvas);
}

static void say_times(struct canvas *canvas, const char *name,
                      const struct view_times *times)
{
    const struct {
        const char *name;
        int64_t ns;
    } shares[] = {{"p50 ", times->p50_ns},
                  {"  p90 ", times->p90_ns},
                  {"  p99 ", times->p99_ns},
                  {"  max ", times->max_ns}};

    canvas_say(canvas, INK_PLAIN, "%s", name);
    canvas_move(canvas, NAME_COLUMNS);
    if (times->count == 0)
        canvas_say(canvas, INK_FAINT, "none yet");
    for (size_t i = 0; i < 4 && times->count > 0; i++) {
        canvas_say(canvas, INK_FAINT, "%s", shares[i].name);
        say_duration(canvas, INK_PLAIN, shares[i].ns);
    }
    canvas_end_line(canvas);
}

void view_figures(struct canvas *canvas, const struct view *view)
{
    say_title(canvas, view);
    say_ledger(canvas, &view->stats.ledger);
    if (!view->is_over)
        say_pressure(canvas, view);
    say_times(canvas, "waiting", &view->waiting);
    say_times(canvas, "running", &view->running);
}

/* ------------------------------------------------------------------ seats */

static int by_age(const void *left, const void *right)
{
    const struct view_seat *a = *(const struct view_seat *const *)left;
    const struct view_seat *b = *(const struct view_seat *const *)right;

    return (a->since_ns > b->since_ns) - (a->since_ns < b->since_ns);
}

static int by_worker(const void *left, const void *right)
{
    const struct view_seat *a = *(const struct view_seat *const *)left;
    const struct view_seat *b = *(const struct view_seat *const *)right;

    return (a->worker > b->worker) - (a->worker < b->worker);
}

static void say_seat(struct canvas *canvas, const struct view *view,
                     const struct view_seat *seat)
{
    char lasted[24];

    text_duration(lasted, sizeof(lasted), view->now_ns - seat->since_ns);
    canvas_say(canvas, INK_FAINT, "%5" PRIu32, seat->worker);
    canvas_say(canvas, INK_PLAIN, " %7s  ", lasted);
    canvas_say(canvas, INK_FAINT, "task %" PRIu64 "  ", seat->number);
    canvas_text(canvas, INK_PLAIN, seat->record, seat->length);
    if (seat->attempt > 1)
        canvas_say(canvas, INK_WARN, "  attempt %" PRIu32, seat->attempt);
    canvas_end_line(canvas);
}

void view_seats(struct canvas *canvas, const struct view *view,
                const struct view_seat **seats, size_t count)
{
    size_t room, shown = count;

    if (canvas_rows_left(canvas) > 2)
        canvas_end_line(canvas);
    room = canvas_rows_left(canvas);
    if (count == 0 || room == 0)
        return;
    qsort(seats, count, sizeof(struct view_seat *), by_age);
    if (count > room)
        shown = room - 1;
    qsort(seats, shown, sizeof(struct view_seat *), by_worker);
    for (size_t i = 0; i < shown; i++)
        say_seat(canvas, view, seats[i]);
    if (shown < count) {
        canvas_say(canvas, INK_FAINT, "      and %zu more, for less long",
                   count - shown);
        canvas_end_line(canvas);
    }
}
