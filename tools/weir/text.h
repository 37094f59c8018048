/* SPDX-License-Identifier: MIT */
/* text.h - bytes of others, made fit for one line of a message. */
#ifndef WEIR_TOOL_TEXT_H
#define WEIR_TOOL_TEXT_H

#include <stddef.h>

/*
 * Writes `length` bytes at `bytes` to `out` as printable ASCII: what is not is
 * written as \n, \t, \xNN, a backslash as \\.  Ends in NUL; what does not fit
 * in `room` bytes (16 or more) is cut and "..." says so.
 */
void text_escape(char *out, size_t room, const char *bytes, size_t length);

/*
 * Appends `word` to `out` so that sh reads it back as it is.  With a NULL
 * `out` nothing is written.
 *
 * Returns: the bytes it takes, without an ending NUL.
 */
size_t text_quote(char *out, const char *word);

/* Writes a duration for people: "350ms", "1.5s", "2m05s". */
void text_duration(char *out, size_t room, long long ns);

#endif /* WEIR_TOOL_TEXT_H */
