/* SPDX-License-Identifier: MIT */
/*
 * fuzz_records.c - any input of `weir run`, and any command for it.
 *
 * THE IDEA
 *
 *   1 byte     the delimiter
 *   1 byte     the most bytes of a record
 *   1 byte     columns of a line that shows it
 *   words      the command, each ends in NUL, an empty one is the last
 *   the rest   the input
 *
 * The input is cut by the library, and beside it by a loop; each record goes
 * into the command, and beside it is put there byte by byte; the command is
 * quoted as sh reads it, and read back.  All must be the same.  What a picture
 * shows of a record must fit, and move nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weir/producer.h>

#include "../../tools/weir/arguments.h"
#include "../../tools/weir/canvas.h"
#include "../../tools/weir/text.h"
#include "fuzz.h"

enum { WORDS_MOST = 6, WORD_MOST = 200, MADE_MOST = 1 << 18 };

static char commands[WORDS_MOST][WORD_MOST + 1];
static char *words[WORDS_MOST + 1];
static char made[MADE_MOST];
static int input = -1;
static struct canvas canvas;

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "fuzz_records: not so: %s\n", what);
    abort();
}

/* ------------------------------------------------------------- the command */

/* Returns the bytes that it took. */
static size_t make_command(const uint8_t *bytes, size_t size)
{
    size_t at = 0, count = 0;

    while (at < size && bytes[at] != 0 && count < WORDS_MOST) {
        size_t length = strnlen((const char *)bytes + at, size - at);

        if (length > WORD_MOST)
            length = WORD_MOST;
        memcpy(commands[count], bytes + at, length);
        commands[count][length] = '\0';
        words[count] = commands[count];
        count++;
        at += length + (at + length < size && bytes[at + length] == 0);
    }
    if (count == 0)
        words[count++] = strcpy(commands[0], "{}");
    words[count] = NULL;
    return at + (at < size && bytes[at] == 0);
}

/* One word with the record in each place, byte by byte.  Returns its end. */
static char *
fill(char *out, const char *word, const char *record, size_t length, bool *used)
{
    for (; *word; word++) {
        if (word[0] != '{' || word[1] != '}') {
            *out++ = *word;
            continue;
        }
        for (size_t i = 0; i < length; i++)
            *out++ = record[i];
        *used = true;
        word++;
    }
    *out++ = '\0';
    return out;
}

static void
check_arguments(char *const *argv, const char *record, size_t length)
{
    char *at = made, *word = made;
    bool used = false;
    size_t i = 0;

    for (; words[i]; i++) {
        at = fill(at, words[i], record, length, &used);
        must(argv[i] && strcmp(argv[i], word) == 0, "the word is filled in");
        word = at;
    }
    if (!used) {
        must(argv[i] && strlen(argv[i]) == length &&
                 memcmp(argv[i], record, length) == 0,
             "without a place the record comes last");
        i++;
    }
    must(argv[i] == NULL, "there are no more words");
}

/* --------------------------------------------------------------- the quotes */

/* Reads a word as sh does, as far as it may be written.  Returns what follows.
 */
static const char *unquote(const char *from, char *out)
{
    static const char meaning[] = " \t\n|&;<>()$`\"*?[#~={}!^";
    bool inside = false;

    for (; *from && (inside || (*from != ' ' && *from != '\n')); from++) {
        if (*from == '\'') {
            inside = !inside;
        } else if (!inside && *from == '\\') {
            must(from[1] == '\'', "only a quote needs a backslash");
            *out++ = *++from;
        } else {
            must(inside || !strchr(meaning, *from),
                 "what sh would read otherwise is in quotes");
            *out++ = *from;
        }
    }
    must(!inside, "quotes end");
    *out = '\0';
    return from;
}

static void check_quotes(char *const *argv)
{
    size_t length = 0;
    char *line = arguments_quote(argv, &length);
    const char *at = line;

    must(line && length > 0, "there is memory");
    line = realloc(line, length + 1);
    must(line != NULL, "there is memory");
    line[length] = '\0';
    at = line;
    for (size_t i = 0; argv[i]; i++) {
        at = unquote(at, made);
        must(strcmp(made, argv[i]) == 0, "what was quoted is read back");
        must(*at == (argv[i + 1] ? ' ' : '\n'), "one space between words");
        at++;
    }
    must(at == line + length, "the line ends there");
    free(line);
}

/* --------------------------------------------------------------- the picture
 */

static bool is_ascii(const char *record, size_t length)
{
    while (length > 0 && (unsigned char)record[length - 1] < 0x80)
        length--;
    return length == 0;
}

static void check_shown(const char *record, size_t length, unsigned columns)
{
    size_t bytes;
    char shown[80];

    must(canvas_begin(&canvas, 2, columns), "there is memory");
    canvas_text(&canvas, INK_PLAIN, record, length);
    bytes = canvas.used;
    must(canvas.column <= columns && canvas.row == 0, "a line fits");
    must(!is_ascii(record, length) ||
             canvas.column == (length < columns ? length : columns),
         "what is ASCII takes a column each");
    must(canvas.has_colours || bytes == 0 || canvas.bytes[0] != '\033',
         "no colours");
    for (size_t i = 0; i < bytes; i++)
        must((unsigned char)canvas.bytes[i] >= ' ' && canvas.bytes[i] != 0x7f,
             "a record moves nothing");
    canvas_end_line(&canvas);
    canvas_text(&canvas, INK_BAD, record, length);
    must(canvas.used <= canvas.room, "a picture has its room");
    text_escape(shown, 16 + columns % 64, record, length);
    must(strlen(shown) < 80, "what is shown ends");
}

/* ---------------------------------------------------------------- the input */

static void check_record(const weir_line *line, unsigned columns)
{
    char **argv;

    check_shown(line->text, line->length, columns);
    must(!record_problem(line->text, line->length) ==
             (strlen(line->text) == line->length),
         "a record with a NUL is none for a command");
    if (record_problem(line->text, line->length))
        return;
    argv = arguments_make(words, line->text, line->length);
    must(argv != NULL, "there is memory");
    check_arguments(argv, line->text, line->length);
    check_quotes(argv);
    free(argv);
}

/* Where the record that begins here ends. */
static size_t record_length(const char *bytes, size_t size, char delimiter)
{
    size_t length = 0;

    while (length < size && bytes[length] != delimiter)
        length++;
    return length;
}

static void check_input(const char *bytes, size_t size, char delimiter,
                        size_t most, unsigned columns)
{
    weir_producer lines = WEIR_PRODUCER_INIT;
    weir_status status;
    weir_line line;
    uint64_t number = 0;

    must(weir_producer_lines(&lines, input, delimiter, most) == WEIR_OK,
         "a file can be read");
    while ((status = lines.next(lines.self, &line)) == WEIR_OK) {
        size_t length = record_length(bytes, size, delimiter);

        must(size > 0, "there is no record too many");
        must(line.length == length && length <= most,
             "a record has its length");
        must(memcmp(line.text, bytes, length) == 0, "a record has its bytes");
        must(line.text[length] == '\0', "a record ends in NUL");
        must(line.number == ++number, "records are numbered");
        check_record(&line, columns);
        lines.release(lines.self, &line);
        length += length < size;
        bytes += length;
        size -= length;
    }
    must(status == WEIR_END || status == WEIR_EINVAL, "it ends so or so");
    must(status == WEIR_END ? size == 0
                            : record_length(bytes, size, delimiter) > most,
         "it ends where it should");
    lines.close(lines.self);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t used;

    if (size < 3)
        return 0;
    if (input < 0) {
        input = memfd_create("records", MFD_CLOEXEC);
        setenv("LC_ALL", "C.UTF-8", 1);
        canvas_open(&canvas);
    }
    used = 3 + make_command(bytes + 3, size - 3);
    must(ftruncate(input, 0) == 0 && lseek(input, 0, SEEK_SET) == 0 &&
             pwrite(input, bytes + used, size - used, 0) ==
                 (ssize_t)(size - used),
         "a file can be written");
    check_input((const char *)bytes + used, size - used, (char)bytes[0],
                bytes[1] ? bytes[1] : SIZE_MAX, 1 + bytes[2]);
    return 0;
}
