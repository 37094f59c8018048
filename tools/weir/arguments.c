/* SPDX-License-Identifier: MIT */
/* arguments.c - from COMMAND and a record to what is executed. */
#include "arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static const char place[] = "{}";

static size_t expanded_length(const char *word, size_t length);
static char *
expand(char *out, const char *word, const char *record, size_t length);
static int file_problem(const char *path);
static const char *search_path(char *out, size_t room);

/* -------------------------------------------------------------- arguments */

const char *record_problem(const char *record, size_t length)
{
    return memchr(record, '\0', length)
               ? "the record holds a NUL byte; if NUL ends records use -0"
               : NULL;
}

char **arguments_make(char *const *words, const char *record, size_t length)
{
    size_t count = 0, bytes = 0;
    bool append = true;
    char **argv, *at;

    for (; words[count]; count++) {
        bytes += expanded_length(words[count], length) + 1;
        append = append && !strstr(words[count], place);
    }
    bytes += (count + 2) * sizeof(*argv) + (append ? length + 1 : 0);
    argv = malloc(bytes);
    if (!argv)
        return NULL;

    at = (char *)(argv + count + 2);
    for (size_t i = 0; i < count; i++) {
        argv[i] = at;
        at = expand(at, words[i], record, length);
    }
    if (append) {
        argv[count++] = at;
        expand(at, place, record, length);
    }
    argv[count] = NULL;
    return argv;
}

static size_t expanded_length(const char *word, size_t length)
{
    size_t sum = strlen(word);

    while ((word = strstr(word, place))) {
        word += sizeof(place) - 1;
        sum = sum - (sizeof(place) - 1) + length;
    }
    return sum;
}

/* Returns the byte after the ending NUL. */
static char *
expand(char *out, const char *word, const char *record, size_t length)
{
    const char *found;

    while ((found = strstr(word, place))) {
        memcpy(out, word, (size_t)(found - word));
        out += found - word;
        memcpy(out, record, length);
        out += length;
        word = found + sizeof(place) - 1;
    }
    return stpcpy(out, word) + 1;
}

char *arguments_quote(char *const *argv, size_t *length)
{
    size_t bytes = 0, used = 0;
    char *text;

    for (size_t i = 0; argv[i]; i++)
        bytes += text_quote(NULL, argv[i]) + 1;
    text = malloc(bytes);
    if (!text)
        return NULL;
    for (size_t i = 0; argv[i]; i++) {
        used += text_quote(text + used, argv[i]);
        text[used++] = argv[i + 1] ? ' ' : '\n';
    }
    *length = used;
    return text;
}

/* ---------------------------------------------------------------- command */

const char *command_problem(const char *command)
{
    char path[PATH_MAX], search[PATH_MAX];
    int problem = ENOENT;

    /* Which command it is only the record will tell. */
    if (strstr(command, place))
        return NULL;
    if (strchr(command, '/')) {
        problem = file_problem(command);
    } else {
        const char *entry = search_path(search, sizeof(search));

        while (entry && problem) {
            int length = (int)strcspn(entry, ":");
            int here;

            snprintf(path, sizeof(path), "%.*s%s%s", length, entry,
                     length > 0 ? "/" : "", command);
            here = file_problem(path);
            /* As execvp: a file that may not be executed is remembered, but
             * a later entry may have one that may. */
            if (here == 0 || problem == ENOENT)
                problem = here;
            entry = entry[length] ? entry + length + 1 : NULL;
        }
        if (problem == ENOENT || problem == ENOTDIR)
            return "not found in PATH; check the name or give a path";
    }
    if (problem == 0)
        return NULL;
    if (problem == EISDIR)
        return "a directory; name a command";
    if (problem == EACCES)
        return "may not be executed; chmod +x makes a file executable";
    return problem == ENOENT ? "no such file; check the path"
                             : strerror(problem);
}

static int file_problem(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* PATH, or what the system uses without one. */
static const char *search_path(char *out, size_t room)
{
    const char *path = getenv("PATH");

    if (path)
        return path;
    return confstr(_CS_PATH, out, room) > 0 ? out : NULL;
}
