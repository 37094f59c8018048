/* SPDX-License-Identifier: MIT */
/* text.c - bytes of others, made fit for one line of a message. */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Room that an escape, an ellipsis and the ending NUL may take together. */
enum { ESCAPE_MAX = 4, TAIL = 8 };

static size_t escape_byte(char *out, unsigned char byte);
static bool is_reserved(const char *word);

/* ---------------------------------------------------------------- escapes */

void text_escape(char *out, size_t room, const char *bytes, size_t length)
{
    size_t used = 0, i;

    for (i = 0; i < length && used + ESCAPE_MAX + TAIL <= room; i++)
        used += escape_byte(out + used, (unsigned char)bytes[i]);
    if (i < length) {
        memcpy(out + used, "...", 3);
        used += 3;
    }
    out[used] = '\0';
}

/* Bytes above 0x7e are escaped too: without a locale nobody can say whether
 * they are letters, and a terminal takes some of them for commands. */
static size_t escape_byte(char *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] = "\nn\tt\rr\\\\";
    const char *known = memchr(letters, byte, sizeof(letters) - 1);

    if (known && (known - letters) % 2 == 0) {
        out[0] = '\\';
        out[1] = known[1];
        return 2;
    }
    if (byte >= 0x20 && byte < 0x7f) {
        out[0] = (char)byte;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = digits[byte >> 4];
    out[3] = digits[byte & 15];
    return 4;
}

/* ------------------------------------------------------------------ shell */

size_t text_quote(char *out, const char *word)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz"
                               "0123456789_-./:,@%+";
    size_t length = strlen(word), used = 0;

    if (length > 0 && strspn(word, safe) == length && !is_reserved(word)) {
        for (size_t i = 0; out && i < length; i++)
            out[i] = word[i];
        return length;
    }
    if (out)
        out[used] = '\'';
    used++;
    for (size_t i = 0; i < length; i++) {
        const char *piece = word[i] == '\'' ? "'\\''" : word + i;
        size_t bytes = word[i] == '\'' ? 4 : 1;

        if (out)
            memcpy(out + used, piece, bytes);
        used += bytes;
    }
    if (out)
        out[used] = '\'';
    return used + 1;
}

/* A command of this name would be read as the shell's own word. */
static bool is_reserved(const char *word)
{
    static const char *const words[] = {"case",  "do",    "done", "elif",
                                        "else",  "esac",  "fi",   "for",
                                        "if",    "in",    "then", "function",
                                        "until", "while", "time"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* -------------------------------------------------------------- durations */

void text_duration(char *out, size_t room, long long ns)
{
    const long long second = 1000000000;

    if (ns < 1000000)
        snprintf(out, room, "%lldus", ns / 1000);
    else if (ns < second)
        snprintf(out, room, "%lldms", ns / 1000000);
    else if (ns < 60 * second)
        snprintf(out, room, "%.3gs", (double)ns / 1e9);
    else if (ns < 3600 * second)
        snprintf(out, room, "%lldm%02llds", ns / second / 60, ns / second % 60);
    else
        snprintf(out, room, "%lldh%02lldm", ns / second / 3600,
                 ns / second / 60 % 60);
}
