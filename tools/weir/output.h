/* SPDX-License-Identifier: MIT */
/*
 * output.h - what tasks print, each task's in one piece, at its turn.
 *
 * A struct output goes one way: take (a record is about to be read), begin
 * and append (its attempts), release (it is printed and freed, at once or when
 * its turn comes).
 */
#ifndef WEIR_TOOL_OUTPUT_H
#define WEIR_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

#include "gather.h"
#include "logged.h"
#include "progress.h"
#include "screen.h"
#include "sink.h"

struct outputs; /* all tasks' */

/* One task's.  Whoever holds the task may touch it. */
struct output {
    uint64_t number; /* of the record: 1, 2, ... */
    struct gathered streams[STREAMS];
    char *notice; /* printed last, unless done; freed with it; may be NULL */
    bool done;    /* settled DONE */
};

struct outputs_options {
    size_t window;     /* records taken and not yet printed, at most */
    size_t max_buffer; /* bytes of all tasks in memory */
    bool keep_order;   /* print in the order of take */
    enum progress_when progress;
    struct screen *screen; /* has a picture of the run; NULL: none */
};

/*
 * Returns: WEIR_OK, WEIR_ENOMEM, WEIR_ESYSTEM.
 */
weir_status
outputs_open(struct outputs **out, const struct outputs_options *options);

/* Everything taken must have been released.  NULL is allowed. */
void outputs_close(struct outputs *outputs);

/*
 * Makes the output of the next record.
 *
 * Blocks:  while the window is full, or too much is in the file.
 * Returns: WEIR_OK, WEIR_CANCELLED (interrupted), WEIR_ENOMEM.
 * Threads: the producer's.
 */
weir_status outputs_take(struct outputs *outputs, struct output **out);

/* Takes the last take back: there was no record.  Threads: as take. */
void outputs_give_back(struct outputs *outputs, struct output *output);

/* Ends a take that waits, and every later one.  Any thread. */
void outputs_interrupt(struct outputs *outputs);

/* An attempt begins: what the one before has printed is dropped. */
void outputs_begin(struct outputs *outputs, struct output *output);

/* A command runs; it is gone. */
void outputs_command_started(struct outputs *outputs);
void outputs_command_ended(struct outputs *outputs);

/* Keeps what a command has printed.  Returns 0 or an error number. */
int outputs_append(struct outputs *outputs, struct output *output, int stream,
                   const char *bytes, size_t length);

/* The task has settled, as output->done says. */
void outputs_settled(struct outputs *outputs, const struct output *output);

/*
 * Gives the output away: it is printed, here or by the thread that prints at
 * the moment, when its turn has come.
 *
 * Blocks:  while this thread prints.
 * Threads: any.
 */
void outputs_release(struct outputs *outputs, struct output *output);

/* Says once that the run is about to stop.  Any thread. */
void outputs_announce_stop(struct outputs *outputs);

/* Says, once, that commands cannot be started at present.  Any thread. */
void outputs_say_waiting(struct outputs *outputs, const char *why);

/* Prints a line of the log, in its turn; beside a picture at the next flush.
 * Any thread; it does not wait for who reads. */
void outputs_log(struct outputs *outputs, const char *line);

/* Writes the progress line if it is due.  Any thread. */
void outputs_tick(struct outputs *outputs);

/* Prints on the picture's screen what has been held back until now, so as not
 * to take the picture away for each task.  Any thread; ten times a second. */
void outputs_flush(struct outputs *outputs);

/* Whether somebody should call outputs_tick now and then. */
bool outputs_want_ticks(const struct outputs *outputs);

/* How many commands run.  Any thread. */
uint64_t outputs_running(struct outputs *outputs);

/* Takes the progress line away for good, and prints all that is left: there is
 * no picture any more.  Any thread, after the run. */
void outputs_finish(struct outputs *outputs);

/* Whether output was lost; one line on standard error has said so. */
bool outputs_broken(struct outputs *outputs);

#endif /* WEIR_TOOL_OUTPUT_H */
