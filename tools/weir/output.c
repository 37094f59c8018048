/* SPDX-License-Identifier: MIT */
/*
 * output.c - what tasks print, each task's in one piece, at its turn.
 *
 * THE IDEA
 *
 * Every record takes a place in a window before it is read and leaves it when
 * its output has been printed.  Released outputs stand in a ring until their
 * turn: in the order of release, or with --keep-order of the records.
 *
 *          printed                      printed + window
 *             v                               v
 *   ... 41 42 [43: runs][44: ready][45: runs][46: ready][47: not read yet]
 *
 * There is no printing thread.  The thread whose release finds nobody printing
 * takes the right to print and serves all that is ready, also what others
 * release meanwhile; these go on with their next task at once.
 *
 * INVARIANTS (hold whenever `lock` is free)
 *
 *   1. printed <= released <= taken <= printed + window.
 *   2. ring[turn % window] is the output with that turn, if it is ready.
 *   3. If the output whose turn it is is ready, or there is something to say,
 *      somebody is printing; beside a picture, or will be at the next flush, or
 *      when half of the window is ready.
 *
 * WAKING
 *
 * Only take waits.  Whatever may end its wait (printed, less spilled,
 * interrupted) is broadcast.
 *
 * WHY NOT PRINT UNDER A LOCK
 *
 * A reader that stalls our standard output would stall every worker that ends a
 * task, and the deadline of none of them would be kept.
 *
 * BESIDE A PICTURE
 *
 * Where a picture of the run (--watch) and the tasks' output share the terminal
 * the picture steps aside while something is printed (screen.h).  That is done
 * for all that is ready at once, ten times a second.
 *
 * LIMITS
 *
 * A task's standard output is printed before its standard error: how the two
 * were interleaved is not known.
 */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signals.h"

/* Spilled output beyond so many times the memory cap stops the intake. */
enum { SPILL_FACTOR = 8 };

/* I: set by open, then read-only.  L: with `lock` held.  P: only by the thread
 * that prints; it writes `broken` with the lock held. */
struct outputs {
    pthread_mutex_t lock;
    pthread_cond_t changed;   /* L: a take may go on */
    struct store store;       /* has its own lock, taken after ours */
    size_t window;            /* I */
    uint64_t most_spilled;    /* I */
    bool keep_order;          /* I */
    struct sink sink;         /* I */
    struct output **ring;     /* I: the pointer;  L: what it points to */
    uint64_t taken;           /* L: records */
    uint64_t released;        /* L */
    uint64_t printed;         /* L: also the turn that is next */
    struct counts counts;     /* L */
    bool interrupted;         /* L: never turns false again */
    bool printing;            /* L: somebody has the right to print */
    bool announced;           /* L: the stop */
    bool waiting_said;        /* L */
    bool broken;              /* L, P: nothing more is printed */
    struct screen *screen;    /* I, until the finish */
    bool is_lent;             /* P: the screen, to us */
    uint64_t flushed;         /* L: turns below this may be printed beside it */
    char say[160];            /* L: a line of our own; empty: none */
    struct log_lines log;     /* L */
    bool log_flushed;         /* L: it may be printed beside the picture */
    struct progress progress; /* P; its form: I */
    char buffer[GATHER_SLOT]; /* P */
};

static bool may_take_locked(struct outputs *o);
static void serve_locked(struct outputs *o);
static bool serve_one_locked(struct outputs *o);
static bool is_worth_it_locked(const struct outputs *o);
static bool give_screen_back_locked(struct outputs *o);
static void make_way(struct outputs *o, int stream);
static struct output *next_ready_locked(struct outputs *o);
static bool has_log_locked(const struct outputs *o);
static void print_log_locked(struct outputs *o);
static void say_locked(struct outputs *o);
static void draw_locked(struct outputs *o);
static void print_locked(struct outputs *o, struct output *output);
static void dispose(struct outputs *o, struct output *output);
static void print(struct outputs *o, struct output *output);
static int print_stream(struct outputs *o, struct output *output, int stream);
static int print_notice(struct outputs *o, const struct output *output);
static void give_up(struct outputs *o, const char *what, int error);

/* ------------------------------------------------------------------- life */

weir_status
outputs_open(struct outputs **out, const struct outputs_options *options)
{
    struct outputs *o = calloc(1, sizeof(*o));

    if (!o)
        return WEIR_ENOMEM;
    o->ring = calloc(options->window, sizeof(struct output *));
    if (!o->ring)
        goto free_outputs;
    if (pthread_mutex_init(&o->lock, NULL) != 0)
        goto free_ring;
    if (pthread_cond_init(&o->changed, NULL) != 0)
        goto destroy_lock;
    if (store_open(&o->store, options->max_buffer) != 0)
        goto destroy_changed;

    o->window = options->window;
    o->keep_order = options->keep_order;
    o->most_spilled = (uint64_t)options->max_buffer * SPILL_FACTOR;
    sink_init(&o->sink);
    progress_init(&o->progress, options->progress);
    o->screen = options->screen;
    *out = o;
    return WEIR_OK;

destroy_changed:
    pthread_cond_destroy(&o->changed);
destroy_lock:
    pthread_mutex_destroy(&o->lock);
free_ring:
    free(o->ring);
free_outputs:
    free(o);
    return WEIR_ENOMEM;
}

void outputs_close(struct outputs *o)
{
    if (!o)
        return;
    store_close(&o->store);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    free(o->ring);
    free(o);
}

/* ------------------------------------------------------------- the window */

weir_status outputs_take(struct outputs *o, struct output **out)
{
    struct output *output = calloc(1, sizeof(*output));
    weir_status status = WEIR_OK;

    if (!output)
        return WEIR_ENOMEM;
    pthread_mutex_lock(&o->lock);
    serve_locked(o);
    while (!may_take_locked(o) && !o->interrupted)
        pthread_cond_wait(&o->changed, &o->lock);
    if (o->interrupted)
        status = WEIR_CANCELLED;
    else
        output->number = ++o->taken;
    pthread_mutex_unlock(&o->lock);
    if (status)
        free(output);
    else
        *out = output;
    return status;
}

static bool may_take_locked(struct outputs *o)
{
    return o->taken - o->printed < o->window &&
           store_spilled(&o->store) <= o->most_spilled;
}

void outputs_give_back(struct outputs *o, struct output *output)
{
    pthread_mutex_lock(&o->lock);
    o->taken--;
    pthread_mutex_unlock(&o->lock);
    free(output);
}

void outputs_interrupt(struct outputs *o)
{
    pthread_mutex_lock(&o->lock);
    o->interrupted = true;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

/* ----------------------------------------------------------- the attempts */

void outputs_begin(struct outputs *o, struct output *output)
{
    for (int i = 0; i < STREAMS; i++)
        gathered_clear(&output->streams[i], &o->store);
    /* What an earlier attempt had spilled is free now. */
    pthread_mutex_lock(&o->lock);
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

void outputs_command_started(struct outputs *o)
{
    pthread_mutex_lock(&o->lock);
    o->counts.running++;
    pthread_mutex_unlock(&o->lock);
}

void outputs_command_ended(struct outputs *o)
{
    pthread_mutex_lock(&o->lock);
    o->counts.running--;
    pthread_mutex_unlock(&o->lock);
}

int outputs_append(struct outputs *o, struct output *output, int stream,
                   const char *bytes, size_t length)
{
    return gathered_append(&output->streams[stream], &o->store, bytes, length);
}

void outputs_settled(struct outputs *o, const struct output *output)
{
    pthread_mutex_lock(&o->lock);
    if (output->done)
        o->counts.done++;
    else
        o->counts.failed++;
    pthread_mutex_unlock(&o->lock);
}

void outputs_release(struct outputs *o, struct output *output)
{
    uint64_t turn;

    pthread_mutex_lock(&o->lock);
    turn = o->keep_order ? output->number - 1 : o->released;
    o->released++;
    o->ring[turn % o->window] = output;
    serve_locked(o);
    pthread_mutex_unlock(&o->lock);
}

/* --------------------------------------------------------- words of our own */

void outputs_announce_stop(struct outputs *o)
{
    pthread_mutex_lock(&o->lock);
    if (!o->announced && !o->broken) {
        if (o->counts.running > 0)
            snprintf(o->say, sizeof(o->say),
                     "weir: finishing %" PRIu64 " running; again to end them\n",
                     o->counts.running);
        else
            snprintf(o->say, sizeof(o->say),
                     "weir: stopping; nothing is running\n");
    }
    o->announced = true;
    serve_locked(o);
    pthread_mutex_unlock(&o->lock);
}

void outputs_say_waiting(struct outputs *o, const char *why)
{
    pthread_mutex_lock(&o->lock);
    if (!o->waiting_said && !o->say[0])
        snprintf(o->say, sizeof(o->say),
                 "weir: no more commands can be started at the moment (%s); "
                 "trying again\n",
                 why);
    o->waiting_said = true;
    serve_locked(o);
    pthread_mutex_unlock(&o->lock);
}

void outputs_log(struct outputs *o, const char *line)
{
    pthread_mutex_lock(&o->lock);
    log_lines_add(&o->log, line);
    serve_locked(o);
    pthread_mutex_unlock(&o->lock);
}

void outputs_tick(struct outputs *o)
{
    if (!outputs_want_ticks(o))
        return;
    pthread_mutex_lock(&o->lock);
    serve_locked(o);
    pthread_mutex_unlock(&o->lock);
}

void outputs_flush(struct outputs *o)
{
    pthread_mutex_lock(&o->lock);
    o->flushed = o->released;
    o->log_flushed = o->log.length > 0;
    serve_locked(o);
    pthread_mutex_unlock(&o->lock);
}

bool outputs_want_ticks(const struct outputs *o)
{
    return o->progress.form != PROGRESS_SILENT;
}

uint64_t outputs_running(struct outputs *o)
{
    uint64_t running;

    pthread_mutex_lock(&o->lock);
    running = o->counts.running;
    pthread_mutex_unlock(&o->lock);
    return running;
}

void outputs_finish(struct outputs *o)
{
    pthread_mutex_lock(&o->lock);
    o->screen = NULL;
    serve_locked(o);
    progress_erase(&o->progress);
    pthread_mutex_unlock(&o->lock);
}

bool outputs_broken(struct outputs *o)
{
    bool broken;

    pthread_mutex_lock(&o->lock);
    broken = o->broken;
    pthread_mutex_unlock(&o->lock);
    return broken;
}

/* ------------------------------------------------------- the right to print */

static void serve_locked(struct outputs *o)
{
    if (o->printing)
        return;
    o->printing = true;
    while (serve_one_locked(o) || give_screen_back_locked(o))
        ;
    o->printing = false;
}

/* Not for each task alone where it takes a picture away. */
static bool is_worth_it_locked(const struct outputs *o)
{
    return !o->screen ||
           (!o->sink.terminal[STREAM_OUT] && !o->sink.terminal[STREAM_ERR]) ||
           o->printed < o->flushed || o->taken - o->printed >= o->window / 2;
}

/* Returns whether it had been lent: others may have come meanwhile. */
static bool give_screen_back_locked(struct outputs *o)
{
    if (!o->is_lent)
        return false;
    o->is_lent = false;
    pthread_mutex_unlock(&o->lock);
    screen_take_back(o->screen);
    pthread_mutex_lock(&o->lock);
    return true;
}

/* For what is printed next: no progress line, no picture on this screen. */
static void make_way(struct outputs *o, int stream)
{
    progress_erase(&o->progress);
    if (!o->screen || !o->sink.terminal[stream] || o->is_lent)
        return;
    screen_lend(o->screen);
    o->is_lent = true;
}

static bool serve_one_locked(struct outputs *o)
{
    struct output *output;

    if (o->say[0]) {
        say_locked(o);
        return true;
    }
    if (has_log_locked(o)) {
        print_log_locked(o);
        return true;
    }
    output = is_worth_it_locked(o) ? next_ready_locked(o) : NULL;
    if (output) {
        print_locked(o, output);
        return true;
    }
    if (outputs_want_ticks(o) && !o->broken &&
        progress_is_due(&o->progress, monotonic_ns())) {
        draw_locked(o);
        return true;
    }
    return false;
}

static bool has_log_locked(const struct outputs *o)
{
    return o->log.length > 0 &&
           (!o->screen || !o->sink.terminal[STREAM_ERR] || o->log_flushed);
}

static void print_log_locked(struct outputs *o)
{
    size_t length = log_lines_take(&o->log, o->buffer, sizeof(o->buffer));

    o->log_flushed = false;
    pthread_mutex_unlock(&o->lock);
    make_way(o, STREAM_ERR);
    if (!o->broken)
        sink_write(&o->sink, STREAM_ERR, o->buffer, length);
    pthread_mutex_lock(&o->lock);
}

static struct output *next_ready_locked(struct outputs *o)
{
    struct output **place = &o->ring[o->printed % o->window];
    struct output *output = *place;

    *place = NULL;
    return output;
}

static void say_locked(struct outputs *o)
{
    char line[sizeof(o->say)];

    memcpy(line, o->say, sizeof(line));
    o->say[0] = '\0';
    pthread_mutex_unlock(&o->lock);
    make_way(o, STREAM_ERR);
    if (!o->broken)
        sink_write(&o->sink, STREAM_ERR, line, strlen(line));
    pthread_mutex_lock(&o->lock);
}

static void draw_locked(struct outputs *o)
{
    struct counts counts = o->counts;

    pthread_mutex_unlock(&o->lock);
    progress_draw(&o->progress, &counts, monotonic_ns());
    pthread_mutex_lock(&o->lock);
}

static void print_locked(struct outputs *o, struct output *output)
{
    pthread_mutex_unlock(&o->lock);
    if (!o->broken)
        print(o, output);
    dispose(o, output);
    pthread_mutex_lock(&o->lock);
    o->printed++;
    pthread_cond_broadcast(&o->changed);
}

static void dispose(struct outputs *o, struct output *output)
{
    for (int i = 0; i < STREAMS; i++)
        gathered_clear(&output->streams[i], &o->store);
    free(output->notice);
    free(output);
}

/* --------------------------------------------------------------- printing */

static void print(struct outputs *o, struct output *output)
{
    for (int i = 0; i < STREAMS; i++) {
        int error = print_stream(o, output, i);

        if (error == 0 && i == STREAM_ERR && !output->done)
            error = print_notice(o, output);
        if (error != 0) {
            give_up(o, error < 0 ? "output kept in a file" : sink_name(i),
                    error < 0 ? -error : error);
            return;
        }
    }
}

/* Returns 0, the error number of a write, or that of a read from the file as a
 * negative number. */
static int print_stream(struct outputs *o, struct output *output, int stream)
{
    const struct gathered *gathered = &output->streams[stream];
    const char *piece;
    uint64_t at = 0;
    ssize_t length;

    while ((length = gathered_piece(gathered, &o->store, at, o->buffer,
                                    &piece)) > 0) {
        int error;

        make_way(o, stream);
        error = sink_write(&o->sink, stream, piece, (size_t)length);
        if (error)
            return error;
        at += (uint64_t)length;
    }
    return length < 0 ? -errno : 0;
}

/* Without memory for the notice the bare fact must do. */
static int print_notice(struct outputs *o, const struct output *output)
{
    char bare[64];
    const char *line = output->notice;

    if (!line) {
        snprintf(bare, sizeof(bare), "weir: task %" PRIu64 ": not done\n",
                 output->number);
        line = bare;
    }
    make_way(o, STREAM_ERR);
    return sink_write(&o->sink, STREAM_ERR, line, strlen(line));
}

static void give_up(struct outputs *o, const char *what, int error)
{
    char line[160];

    snprintf(line, sizeof(line), "weir run: %s: %s\n", what,
             error == ETIMEDOUT ? "blocked; the rest of the output is lost"
                                : strerror(error));
    make_way(o, STREAM_ERR);
    sink_write(&o->sink, STREAM_ERR, line, strlen(line));
    pthread_mutex_lock(&o->lock);
    o->broken = true;
    pthread_mutex_unlock(&o->lock);
    signals_raise_both();
}
