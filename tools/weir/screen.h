/* SPDX-License-Identifier: MIT */
/* screen.h - the terminal, lent to a picture and given back as it was. */
#ifndef WEIR_TOOL_SCREEN_H
#define WEIR_TOOL_SCREEN_H

#include <stdbool.h>

#include "canvas.h"

struct screen;

/* Whether TERM names a terminal that can do more than print. */
bool screen_is_able(void);

/*
 * Opens the process's terminal, or that of standard error.  One at a time, on
 * the main thread before others start: it handles signals from then on.
 *
 * Returns: false with errno set; ENOTTY: there is no terminal.
 */
bool screen_open(struct screen **out);

/* Gives the screen back, and the signals.  NULL is allowed. */
void screen_close(struct screen *screen);

/* The size that it has now. */
void screen_size(const struct screen *screen, unsigned *rows,
                 unsigned *columns);

/*
 * Shows the picture in place of the last one.  In the background, where the
 * terminal is somebody else's, it does nothing.
 *
 * Blocks:  while the terminal is stopped (^S): for a moment, then the picture
 *          is dropped; and while the screen is lent.
 * Threads: any.
 */
void screen_show(struct screen *screen, const struct canvas *canvas);

/* Stops the process if that was asked for (^Z), with the screen given back.
 * Not on the main thread; all signals are blocked. */
void screen_mind_signals(struct screen *screen);

/*
 * The screen as it was before the picture, to print on; and the picture again.
 *
 * Threads: any; the same for both.
 */
void screen_lend(struct screen *screen);
void screen_take_back(struct screen *screen);

/* No picture any more; the screen is as it was, and `last` (NULL: nothing) is
 * written below what is there. */
void screen_leave(struct screen *screen, const struct canvas *last);

#endif /* WEIR_TOOL_SCREEN_H */
