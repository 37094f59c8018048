/* SPDX-License-Identifier: MIT */
/* trace.c - see trace.h. */
#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LINES = 4096, MOST_NAMES = 64, TEXT_ROOM = 96, WIDTH = 120 };

bool trace_is_on;

static struct line {
    unsigned thread;
    char text[TEXT_ROOM];
} lines[MOST_LINES];
static unsigned line_count;

/* The first name that an object was seen by; the second object of a name gets
 * a number. */
static struct {
    const void *address;
    char text[48];
} names[MOST_NAMES];
static unsigned name_count;

void trace_start(void)
{
    trace_is_on = true;
    line_count = 0;
    name_count = 0;
}

static unsigned count_of(const char *name, size_t length)
{
    unsigned count = 0;

    for (unsigned i = 0; i < name_count; i++)
        count +=
            strncmp(names[i].text, name, length) == 0 &&
            (names[i].text[length] == '\0' || names[i].text[length] == '#');
    return count;
}

const char *trace_name(const char *name, const void *address)
{
    unsigned same;
    int length;

    for (unsigned i = 0; address && i < name_count; i++)
        if (names[i].address == address)
            return names[i].text;
    name = name ? name : "";
    name += *name == '&';
    if (!address || name_count == MOST_NAMES)
        return name;
    length = (int)strnlen(name, 40);
    same = count_of(name, (size_t)length);
    names[name_count].address = address;
    if (same)
        snprintf(names[name_count].text, sizeof(names[0].text), "%.*s#%u",
                 length, name, same + 1);
    else
        snprintf(names[name_count].text, sizeof(names[0].text), "%.*s", length,
                 name);
    return names[name_count++].text;
}

static struct line *new_line(unsigned thread)
{
    static struct line overflow;

    if (line_count == MOST_LINES)
        return &overflow;
    lines[line_count].thread = thread;
    return &lines[line_count++];
}

void trace_note(unsigned thread, struct act act, uint64_t value)
{
    struct line *line = new_line(thread);
    const char *name = trace_name(act.name, act.address);
    int used = snprintf(line->text, TEXT_ROOM, "%s%s%s", act.verb,
                        *name ? " " : "", name);

    if (value != TRACE_NO_VALUE && used > 0 && used < TEXT_ROOM)
        snprintf(line->text + used, (size_t)(TEXT_ROOM - used), " = %" PRIu64,
                 value);
}

void trace_say(unsigned thread, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(new_line(thread)->text, TEXT_ROOM, format, arguments);
    va_end(arguments);
}

/* --------------------------------------------------------------- the table */

/* Prints up to `width` bytes of text and returns what is left of it. */
static const char *print_part(const char *text, unsigned width)
{
    size_t length = strlen(text);

    if (length > width) {
        length = width;
        while (length > width / 2 && text[length] != ' ')
            length--;
    }
    printf("%.*s", (int)length, text);
    text += length;
    return text + (*text == ' ');
}

static void print_line(unsigned number, const struct line *line, unsigned width)
{
    unsigned column = line->thread < WORLD_THREADS ? line->thread : 0;
    const char *text = line->text;
    bool first = true;

    do {
        if (first)
            printf("%5u ", number);
        else
            printf("      ");
        printf("%*s", (int)(column * (width + 1)), "");
        if (!first)
            printf("  ");
        text = print_part(text, first ? width : width - 2);
        printf("\n");
        first = false;
    } while (*text);
}

void trace_print(unsigned threads)
{
    unsigned width = WIDTH / (threads ? threads : 1);

    width = width > 44 ? 44 : width;
    printf("     ");
    for (unsigned i = 0; i < threads; i++)
        printf(" thread %-*u", i + 1 < threads ? (int)width - 7 : 1, i);
    printf("\n");
    for (unsigned i = 0; i < line_count; i++)
        print_line(i + 1, &lines[i], width);
}
