/* SPDX-License-Identifier: MIT */
/* logged.h - what the pool tells an operator, in the words of the tool. */
#ifndef WEIR_TOOL_LOGGED_H
#define WEIR_TOOL_LOGGED_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/log.h>

/* From --log: nothing, or what is of this level or worse. */
enum log_least { LOG_OFF, LOG_ERROR, LOG_WARNING, LOG_INFO };

/* Whether it is to be told. */
bool log_wants(enum log_least least, weir_log_level level);

/* "weir: warning: task 7: a task has used up its attempts: exit status 3,
 * attempt 2", and a line's end; cut at `size`. */
void log_put_into_words(char *out, size_t size, const weir_log_record *record);

/* Lines that wait to be printed.  All zero: none.  Whoever has the lock that
 * they are under. */
struct log_lines {
    size_t length;
    unsigned long left_out; /* lines for which there was no room */
    char text[8192];
};

void log_lines_add(struct log_lines *lines, const char *line);

/* Moves them into `out`, and behind them how many were left out: all of them if
 * `room` is twice that of `text`.  Returns how many bytes that is. */
size_t log_lines_take(struct log_lines *lines, char *out, size_t room);

#endif /* WEIR_TOOL_LOGGED_H */
