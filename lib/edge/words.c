/* SPDX-License-Identifier: MIT */
/* words.c - see words.h. */
#include "edge/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/thread.h"

/* Digits of the longest number. */
enum { NUMBER_ROOM = 20 };

void weir__words_open(struct weir__words *words, int fd)
{
    words->fd = fd;
    words->error = 0;
    words->used = 0;
}

static ssize_t write_some(int fd, const char *text, size_t size)
{
    if (weir__fault_strikes()) {
        errno = ENOSPC;
        return -1;
    }
    return write(fd, text, size);
}

void weir__words_flush(struct weir__words *words)
{
    bool could = weir__thread_let_cancel(false);
    int before = errno;
    size_t written = 0;

    while (written < words->used && !words->error) {
        ssize_t some =
            write_some(words->fd, words->text + written, words->used - written);

        if (some >= 0)
            written += (size_t)some;
        else if (errno != EINTR)
            words->error = errno;
    }
    words->used = 0;
    errno = before;
    weir__thread_let_cancel(could);
}

weir_status weir__words_close(struct weir__words *words, const char *what)
{
    weir__words_flush(words);
    if (!words->error)
        return WEIR_OK;
    errno = words->error;
    return weir__refuse(WEIR_ESYSTEM, "%s cannot be written to fd %d: %s", what,
                        words->fd, strerror(words->error));
}

static void add(struct weir__words *words, const char *text, size_t size)
{
    while (size > 0) {
        size_t room = sizeof(words->text) - words->used;
        size_t some = size < room ? size : room;

        memcpy(words->text + words->used, text, some);
        words->used += some;
        text += some;
        size -= some;
        if (words->used == sizeof(words->text))
            weir__words_flush(words);
    }
}

/* With at least so many digits. */
static void
add_number(struct weir__words *words, uint64_t value, unsigned digits)
{
    char text[NUMBER_ROOM];
    size_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || sizeof(text) - at < digits);
    add(words, text + at, sizeof(text) - at);
}

static void add_signed(struct weir__words *words, int64_t value)
{
    if (value < 0)
        add(words, "-", 1);
    add_number(words, value < 0 ? -(uint64_t)value : (uint64_t)value, 1);
}

/* What follows a %: returns the rest of the format. */
static const char *
add_argument(struct weir__words *words, const char *format, va_list *arguments)
{
    size_t longs = strspn(format, "l");
    char kind = format[longs];
    const char *text;

    if (kind == 's') {
        text = va_arg(*arguments, const char *);
        add(words, text, strlen(text));
    } else if (kind == 'c') {
        char one = (char)va_arg(*arguments, int);

        add(words, &one, 1);
    } else if (kind == 'u') {
        add_number(words,
                   longs == 0   ? va_arg(*arguments, unsigned)
                   : longs == 1 ? va_arg(*arguments, unsigned long)
                                : va_arg(*arguments, unsigned long long),
                   1);
    } else {
        add_signed(words, longs == 0   ? va_arg(*arguments, int)
                          : longs == 1 ? va_arg(*arguments, long)
                                       : va_arg(*arguments, long long));
    }
    return format + longs + 1;
}

void weir__words_say(struct weir__words *words, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    while (*format) {
        size_t plain = strcspn(format, "%");

        add(words, format, plain);
        format += plain;
        if (*format)
            format = add_argument(words, format + 1, &arguments);
    }
    va_end(arguments);
}

void weir__words_decimal(struct weir__words *words, int64_t value,
                         unsigned digits)
{
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    uint64_t unit = 1;

    for (unsigned i = 0; i < digits; i++)
        unit *= 10;
    if (value < 0)
        add(words, "-", 1);
    add_number(words, size / unit, 1);
    if (digits == 0)
        return;
    add(words, ".", 1);
    add_number(words, size % unit, digits);
}

/* Bytes of the character that begins here, if it is one in UTF-8; else 0. */
static size_t character_size(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80   ? 1
                  : text[0] < 0xc0 ? 0
                  : text[0] < 0xe0 ? 2
                  : text[0] < 0xf0 ? 3
                  : text[0] < 0xf8 ? 4
                                   : 0;
    uint32_t code = size > 1 ? text[0] & (0x7fu >> size) : text[0];

    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) /* the end of the text too */
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (size == 0 || code < least[size] || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return 0;
    return size;
}

void weir__words_quote(struct weir__words *words, const char *text,
                       const struct weir__escape *escapes, size_t count)
{
    while (*text) {
        unsigned char one = (unsigned char)*text;
        size_t size = character_size((const unsigned char *)text);
        size_t i = 0;

        while (i < count && escapes[i].special != *text)
            i++;
        if (i < count)
            add(words, escapes[i].instead, strlen(escapes[i].instead));
        else if (one < ' ' || one == 0x7f || size == 0)
            add(words, "?", 1);
        else
            add(words, text, size);
        text += size > 0 ? size : 1;
    }
}
