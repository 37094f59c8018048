/* SPDX-License-Identifier: MIT */
/* signals.h - the user's wish to stop, as descriptors to poll. */
#ifndef WEIR_TOOL_SIGNALS_H
#define WEIR_TOOL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Makes both pipes and installs the handlers.  Once per process, on the main
 * thread, before any other starts: whoever starts threads blocks signals in
 * them.
 *
 * Returns: false with errno set.
 */
bool signals_open(void);

/* Readable from the first signal on: no new work.  Never read it. */
int signals_stop_fd(void);

/* Readable from the second signal on: end what runs.  Never read it. */
int signals_end_fd(void);

/* Makes both readable, as two signals would.  Any thread. */
void signals_raise_both(void);

/* The first signal that came; 0: none.  Main thread. */
int signals_first(void);

/* Whether stop_fd is readable; whether end_fd is.  Any thread. */
bool signals_stop_asked(void);
bool signals_end_asked(void);

/* The signals that weir handles or ignores and a command should not. */
void signals_for_command(sigset_t *out);

#endif /* WEIR_TOOL_SIGNALS_H */
