/* SPDX-License-Identifier: MIT */
/*
 * logged.c - what the pool tells an operator, in the words of the tool.
 *
 * Lines are kept until they are printed, in their turn, by whoever prints
 * (output.c): most often the thread that tells them.  Where another prints, and
 * whoever reads that has stalled for long, they are counted instead: all other
 * notices of the pool wait for the thread that tells.
 */
#include "logged.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool log_wants(enum log_least least, weir_log_level level)
{
    switch (level) {
    case WEIR_LOG_ERROR:
        return least >= LOG_ERROR;
    case WEIR_LOG_WARNING:
        return least >= LOG_WARNING;
    case WEIR_LOG_INFO:
        return least >= LOG_INFO;
    }
    return false;
}

__attribute__((format(printf, 3, 4))) static void
append(char *out, size_t room, const char *format, ...)
{
    size_t length = strlen(out);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(out + length, room - length, format, arguments);
    va_end(arguments);
}

void log_put_into_words(char *out, size_t size, const weir_log_record *record)
{
    size_t room = size - 1; /* but for the line's end */

    snprintf(out, room, "weir: %s: ", weir_log_level_name(record->level));
    if (record->task_id > 0)
        append(out, room, "task %" PRIu64 ": ", record->task_id);
    append(out, room, "%s", record->message);
    if (record->kind == WEIR_LOG_NO_WORKER && record->code > 0)
        append(out, room, ": %s", strerror(record->code));
    if (record->attempt > 0)
        append(out, room, ", attempt %" PRIu32, record->attempt);
    if (record->left_out > 0)
        append(out, room, "; %" PRIu64 " more of these were left out",
               record->left_out);
    strcpy(out + strlen(out), "\n");
}

void log_lines_add(struct log_lines *lines, const char *line)
{
    size_t length = strlen(line);

    if (lines->left_out > 0 || length > sizeof(lines->text) - lines->length) {
        lines->left_out++;
        return;
    }
    memcpy(lines->text + lines->length, line, length);
    lines->length += length;
}

size_t log_lines_take(struct log_lines *lines, char *out, size_t room)
{
    size_t length = lines->length < room ? lines->length : room;

    memcpy(out, lines->text, length);
    if (lines->left_out > 0 && room - length > 1) {
        snprintf(out + length, room - length,
                 "weir: %lu lines of the log were left out\n", lines->left_out);
        length += strlen(out + length);
    }
    lines->length = 0;
    lines->left_out = 0;
    return length;
}
