/* SPDX-License-Identifier: MIT */
/*
 * words.h - text for a file descriptor, put together without the C library.
 *
 * What is said goes to a small buffer, and from there to the descriptor; no
 * memory, no locale, no floating point, no lock.  So a signal handler may say
 * something too.  Short writes go on, and an interrupted one is tried again;
 * the first error ends it: nothing more is written, and it is kept.
 */
#ifndef WEIR_LIB_EDGE_WORDS_H
#define WEIR_LIB_EDGE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/status.h>

struct weir__words {
    int fd;
    int error; /* errno of the write that failed; 0: none has */
    size_t used;
    char text[1000];
};

void weir__words_open(struct weir__words *words, int fd);
/* Writes what is still there.  Neither it nor any of the others changes errno,
 * or is a cancellation point. */
void weir__words_flush(struct weir__words *words);
/* And says how it went: WEIR_OK, or WEIR_ESYSTEM with words that name `what`
 * and the reason.  Not in a signal handler. */
weir_status weir__words_close(struct weir__words *words, const char *what);

/* As printf, but it knows %s, %c, %u, %d, and the last two with l or ll, no
 * more: no width, no floating point. */
void weir__words_say(struct weir__words *words, const char *format, ...)
    WEIR_PRINTF(2, 3);
/* `value` / 10^digits with so many digits behind the point. */
void weir__words_decimal(struct weir__words *words, int64_t value,
                         unsigned digits);
/* Text that others chose: each character of `special` is said as the string
 * beside it in `instead`; other control characters, and what is no UTF-8, as a
 * question mark. */
struct weir__escape {
    char special;
    const char *instead;
};
void weir__words_quote(struct weir__words *words, const char *text,
                       const struct weir__escape *escapes, size_t count);

#endif /* WEIR_LIB_EDGE_WORDS_H */
