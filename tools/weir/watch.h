/* SPDX-License-Identifier: MIT */
/* watch.h - a run shown live on the terminal. */
#ifndef WEIR_TOOL_WATCH_H
#define WEIR_TOOL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/pool.h>

#include "screen.h"

struct outputs;
struct watch;

/*
 * On the main thread, before others start.  `workers`: as many as there will
 * be.
 *
 * Returns: false with errno set; ENOTTY: there is no terminal.
 */
bool watch_open(struct watch **out, uint32_t workers);

/* NULL is allowed, here and in all that follows. */
void watch_close(struct watch *watch);

/* Where it is shown; NULL: nowhere. */
struct screen *watch_screen(struct watch *watch);

/* Shows this pool from now on, with a thread of its own that also has `outputs`
 * print.  False: there is no thread to be had, and errno says why. */
bool watch_begin(struct watch *watch, const weir_pool *pool, uint64_t capacity,
                 struct outputs *outputs);
/* No more; the screen is as it was.  The pool may go. */
void watch_end(struct watch *watch);
/* Writes the figures of the last picture below all that was printed. */
void watch_sum_up(struct watch *watch);

/* This thread's attempt is at this record, and no more. */
void watch_attempt_begins(struct watch *watch, const weir_task *task,
                          uint64_t number, const char *record, size_t length);
void watch_attempt_ends(struct watch *watch, const weir_task *task);

#endif /* WEIR_TOOL_WATCH_H */
