/* SPDX-License-Identifier: MIT */
/* trace.c - see trace.h. */
#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "place.h"

enum { MOST_LINES = 4096, MOST_NAMES = 64, TEXT_ROOM = 96, WIDTH = 120 };

bool trace_is_on;

static struct line {
    unsigned thread;
    char text[TEXT_ROOM];
} lines[MOST_LINES];
static unsigned line_count;
static char latest[WORLD_THREADS][TEXT_ROOM]; /* place of plain memory */

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
    memset(latest, 0, sizeof(latest));
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

static bool is_place(const char *name)
{
    return name && strchr(name, ':');
}

const char *trace_name(const char *name, const void *address)
{
    unsigned same;
    int length;

    for (unsigned i = 0; address && !is_place(name) && i < name_count; i++)
        if (names[i].address == address)
            return names[i].text;
    name = name ? name : "";
    name += *name == '&';
    if (!address || name_count == MOST_NAMES || is_place(name))
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

/* "41: q->count++;" of "mine.c:41: q->count++;". */
static const char *line_of(const char *place)
{
    const char *colon = strchr(place, ':');

    return colon ? colon + 1 : place;
}

void trace_note(unsigned thread, struct act act, uint64_t value)
{
    const char *name = trace_name(act.name, act.address);
    char number[32] = "";
    char *text = new_line(thread)->text;

    if (value != TRACE_NO_VALUE)
        snprintf(number, sizeof(number), " = %" PRId64, (int64_t)value);
    if (is_place(name))
        snprintf(text, TEXT_ROOM, "%.60s  [%s%s]", line_of(name), act.verb,
                 number);
    else
        snprintf(text, TEXT_ROOM, "%s%s%s%s", act.verb, *name ? " " : "", name,
                 number);
}

void trace_place(unsigned thread, const void *place)
{
    const char *text = line_of(place_text(place));

    if (strncmp(latest[thread], text, TEXT_ROOM - 1) == 0)
        return;
    snprintf(latest[thread], TEXT_ROOM, "%s", text);
    snprintf(new_line(thread)->text, TEXT_ROOM, "%s", text);
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
