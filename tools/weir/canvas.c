/* SPDX-License-Identifier: MIT */
/* canvas.c - see canvas.h. */
#include "canvas.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

/* Bytes: of a piece of text that is formatted; beside the characters of a line,
 * for colours and for marks that take no column. */
enum { PIECE_ROOM = 256, LINE_EXTRA = 1024, CHARACTER_MOST = 4 };

static locale_t find_locale(void);
static bool names_utf8(void);
static void put(struct canvas *canvas, const char *bytes, size_t length);
static void put_word(struct canvas *canvas, const char *word);
static size_t
read_character(const char *text, size_t length, unsigned *columns);

/* ------------------------------------------------------------------- life */

void canvas_open(struct canvas *canvas)
{
    const char *no_color = getenv("NO_COLOR");

    *canvas = (struct canvas){.has_colours = !no_color || !no_color[0],
                              .locale = find_locale()};
}

void canvas_close(struct canvas *canvas)
{
    if (canvas->locale)
        freelocale(canvas->locale);
    free(canvas->bytes);
}

/* Where the user's locale is not installed its name still says UTF-8. */
static locale_t find_locale(void)
{
    locale_t found = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

    if (!found)
        return names_utf8() ? newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)
                            : (locale_t)0;
    if (strcmp(nl_langinfo_l(CODESET, found), "UTF-8") == 0)
        return found;
    freelocale(found);
    return (locale_t)0;
}

static bool names_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);

        if (value && value[0])
            return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
    }
    return false;
}

bool canvas_begin(struct canvas *canvas, unsigned rows, unsigned columns)
{
    size_t room =
        (size_t)rows * ((size_t)columns * CHARACTER_MOST + LINE_EXTRA);
    char *grown;

    if (room > canvas->room) {
        grown = realloc(canvas->bytes, room);
        if (!grown)
            return false;
        canvas->bytes = grown;
        canvas->room = room;
    }
    canvas->used = 0;
    canvas->rows = rows;
    canvas->columns = columns;
    canvas->row = canvas->column = 0;
    return true;
}

/* ------------------------------------------------------------------- text */

void canvas_text(struct canvas *canvas, enum ink ink, const char *text,
                 size_t length)
{
    static const char *const colours[] = {[INK_STRONG] = "\033[1m",
                                          [INK_FAINT] = "\033[2m",
                                          [INK_GOOD] = "\033[32m",
                                          [INK_BAD] = "\033[1;31m",
                                          [INK_WARN] = "\033[33m"};
    bool coloured = canvas->has_colours && ink != INK_PLAIN;
    locale_t before = (locale_t)0;

    if (canvas_rows_left(canvas) == 0 || length == 0)
        return;
    if (canvas->locale)
        before = uselocale(canvas->locale);
    if (coloured)
        put_word(canvas, colours[ink]);
    while (length > 0) {
        unsigned columns = 1;
        size_t bytes = canvas->locale || (unsigned char)*text < 0x7f
                           ? read_character(text, length, &columns)
                           : 0;

        if (columns > canvas->columns - canvas->column)
            break;
        put(canvas, bytes ? text : "?", bytes ? bytes : 1);
        canvas->column += columns;
        text += bytes ? bytes : 1;
        length -= bytes ? bytes : 1;
    }
    if (coloured)
        put_word(canvas, "\033[0m");
    if (canvas->locale)
        uselocale(before);
}

/* Returns its bytes, and the columns it takes; 0: it cannot be shown, and what
 * stands for it takes one. */
static size_t read_character(const char *text, size_t length, unsigned *columns)
{
    mbstate_t state = {0};
    wchar_t character;
    size_t bytes;
    int width;

    if (*text >= ' ' && *text < 0x7f)
        return 1;
    bytes = mbrtowc(&character, text, length, &state);
    if (bytes == 0 || bytes > length)
        return 0;
    width = wcwidth(character);
    if (width < 0)
        return 0;
    *columns = (unsigned)width;
    return bytes;
}

void canvas_say(struct canvas *canvas, enum ink ink, const char *format, ...)
{
    char piece[PIECE_ROOM];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    if (length >= PIECE_ROOM)
        length = PIECE_ROOM - 1;
    if (length > 0)
        canvas_text(canvas, ink, piece, (size_t)length);
}

void canvas_move(struct canvas *canvas, unsigned column)
{
    while (canvas->column < column && canvas->column < canvas->columns &&
           canvas_rows_left(canvas) > 0)
        canvas_text(canvas, INK_PLAIN, " ", 1);
}

void canvas_bar(struct canvas *canvas, enum ink ink, unsigned width,
                double share)
{
    unsigned full = share >= 1   ? width
                    : share <= 0 ? 0
                                 : (unsigned)(share * width + 0.5);

    canvas_text(canvas, INK_PLAIN, "[", 1);
    for (unsigned i = 0; i < width; i++)
        canvas_text(canvas, i < full ? ink : INK_FAINT, i < full ? "#" : "-",
                    1);
    canvas_text(canvas, INK_PLAIN, "]", 1);
}

/* Behind the last column nothing is erased: the cursor still stands on it. */
void canvas_end_line(struct canvas *canvas)
{
    if (canvas_rows_left(canvas) == 0)
        return;
    if (canvas->column < canvas->columns)
        put_word(canvas, "\033[K");
    canvas->row++;
    canvas->column = 0;
    if (canvas->row < canvas->rows)
        put_word(canvas, "\r\n");
}

unsigned canvas_rows_left(const struct canvas *canvas)
{
    return canvas->rows - canvas->row;
}

/* ---------------------------------------------------------------- helpers */

/* What does not fit any more is left out as a whole. */
static void put(struct canvas *canvas, const char *bytes, size_t length)
{
    if (length > canvas->room - canvas->used)
        return;
    memcpy(canvas->bytes + canvas->used, bytes, length);
    canvas->used += length;
}

static void put_word(struct canvas *canvas, const char *word)
{
    put(canvas, word, strlen(word));
}
