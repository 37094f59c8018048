/* SPDX-License-Identifier: MIT */
/* arguments.h - from COMMAND and a record to what is executed. */
#ifndef WEIR_TOOL_ARGUMENTS_H
#define WEIR_TOOL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* Why the record can be no argument; NULL: it can. */
const char *record_problem(const char *record, size_t length);

/*
 * Makes the argument vector for one record: each {} in `words` becomes the
 * record; if there is none, the record is one more argument.
 *
 * Returns: an array that ends in NULL; one free() ends it and its strings.
 *          NULL without memory.
 */
char **arguments_make(char *const *words, const char *record, size_t length);

/*
 * Writes the vector as one line for sh, ending in a newline.
 *
 * Returns: the text, for free(), and its length; NULL without memory.
 */
char *arguments_quote(char *const *argv, size_t *length);

/*
 * Whether `command` can be executed, as far as that shows before it is: looked
 * for as execvp does, a file, permitted.
 *
 * Returns: NULL, or what is wrong and how to put it right.
 */
const char *command_problem(const char *command);

#endif /* WEIR_TOOL_ARGUMENTS_H */
