/* SPDX-License-Identifier: MIT */
/*
 * canvas.h - lines of a picture, cut to so many columns and rows.
 *
 * Text goes in as UTF-8 (or ASCII, if that is all the terminal has) and is cut
 * by the columns it takes there, not by its bytes.  Control characters, and
 * what is no character, come out as a question mark, so that no record can
 * move the cursor.
 */
#ifndef WEIR_TOOL_CANVAS_H
#define WEIR_TOOL_CANVAS_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

#include <weir/api.h>

enum ink { INK_PLAIN, INK_STRONG, INK_FAINT, INK_GOOD, INK_BAD, INK_WARN };

struct canvas {
    char *bytes; /* what is written to the terminal */
    size_t used, room;
    unsigned rows, columns; /* there are */
    unsigned row, column;   /* where the next text goes */
    bool has_colours;
    locale_t locale; /* whose characters are UTF-8; 0: ASCII only */
};

/* Reads NO_COLOR, LC_ALL, LC_CTYPE and LANG. */
void canvas_open(struct canvas *canvas);
void canvas_close(struct canvas *canvas);

/* Empties it.  Returns false, and it stays as it was, without memory. */
bool canvas_begin(struct canvas *canvas, unsigned rows, unsigned columns);

/* Adds to the line; what is beyond the last column, or row, is left out. */
void canvas_text(struct canvas *canvas, enum ink ink, const char *text,
                 size_t length);
void canvas_say(struct canvas *canvas, enum ink ink, const char *format, ...)
    WEIR_PRINTF(3, 4);
/* Spaces, up to this column. */
void canvas_move(struct canvas *canvas, unsigned column);
/* "[####----]": `width` columns between the brackets, a share from 0 to 1. */
void canvas_bar(struct canvas *canvas, enum ink ink, unsigned width,
                double share);
void canvas_end_line(struct canvas *canvas);

/* How many lines there is room for. */
unsigned canvas_rows_left(const struct canvas *canvas);

#endif /* WEIR_TOOL_CANVAS_H */
