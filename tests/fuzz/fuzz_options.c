/* SPDX-License-Identifier: MIT */
/*
 * fuzz_options.c - any words behind `weir run`.
 *
 * THE IDEA
 *
 * The bytes are words: a byte below 0x80 stands for itself, 0 ends the word,
 * one from 0x80 on for an option or a piece of a value (below), so that most of
 * what comes makes some sense; 0xff takes the next byte as it is.
 *
 * Whatever the words are, the answer must be one of three, and nothing is read
 * or written beyond them: run, with options that are all within their bounds
 * and a command that is the rest of the words; help, in silence; or refused,
 * with one line that can be shown.  Each word is also given to each of the
 * functions that read values, beside other ways to read them.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/deadline.h>

#include "../../tools/weir/arguments.h"
#include "../../tools/weir/options.h"
#include "../../tools/weir/text.h"
#include "../../tools/weir/values.h"
#include "fuzz.h"

enum { WORDS_MOST = 24, TEXT_MOST = 8192, SAID_MOST = 4096 };

static const char *const pieces[] = {
    "--jobs",       "--max-procs", "--timeout",
    "--grace",      "--attempts",  "--backoff",
    "--keep-order", "--null",      "--delimiter",
    "--arg-file",   "--dry-run",   "--progress",
    "--summary",    "--watch",     "--max-buffer",
    "--trace",      "--picture",   "--metrics",
    "--help",       "--",          "-j",
    "-P",           "-k",          "-0",
    "-d",           "-a",          "-h",
    "=auto",        "=always",     "=never",
    "=table",       "=json",       "=",
    "1.5s",         "200ms",       "1h30m",
    "100us",        "9999999d",    ",2,",
    "50%",          "+2",          "-1",
    "64K",          "1G",          "18446744073709551615",
    "4294967296",   "\\x1f",       "\\037",
    "\\0",          "{}",          "true",
    "--t",          "--p",         "65536",
    "0.5"};

enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static char text[TEXT_MOST];
static char *words[WORDS_MOST + 2];
static char said[SAID_MOST];

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "fuzz_options: not so: %s; the words are:\n", what);
    for (int i = 0; words[i]; i++)
        fprintf(stderr, "  '%s'\n", words[i]);
    abort();
}

/* --------------------------------------------------------------- the words */

/* Returns how many. */
static int make_words(const uint8_t *bytes, size_t size)
{
    int count = 0;
    size_t used = 0;

    words[count++] = strcpy(text, "run");
    used = sizeof("run");
    words[count] = text + used;
    for (size_t i = 0; i < size && used < TEXT_MOST - 64; i++) {
        if (bytes[i] == 0 && count < WORDS_MOST) {
            text[used++] = '\0';
            words[++count] = text + used;
        } else if (bytes[i] >= 0x80 && bytes[i] < 0xff) {
            const char *piece = pieces[(bytes[i] - 0x80u) % PIECES];

            memcpy(text + used, piece, strlen(piece));
            used += strlen(piece);
        } else {
            i += bytes[i] == 0xff && i + 1 < size;
            if (bytes[i] != 0)
                text[used++] = (char)bytes[i];
        }
    }
    text[used] = '\0';
    words[++count] = NULL;
    return count;
}

/* -------------------------------------------------------------- the answer */

static void check_said(enum options_answer answer)
{
    size_t length = strlen(said);

    if (answer != OPTIONS_WRONG) {
        must(length == 0, "what is not refused is taken in silence");
        return;
    }
    must(strncmp(said, "weir run: ", 10) == 0, "a refusal says who refuses");
    must(length > 0 && strchr(said, '\n') == said + length - 1,
         "a refusal is one line");
    for (size_t i = 0; i + 1 < length; i++)
        must(said[i] >= ' ' && said[i] < 0x7f, "a refusal can be shown");
}

static void check_options(const struct options *o, int count)
{
    must(o->jobs <= JOBS_MAX, "jobs are few enough");
    must(o->attempts >= 1, "there is an attempt");
    must(o->timeout_ns >= 0 && o->grace_ns >= 0, "durations are not negative");
    must(o->max_buffer >= 1 && o->max_buffer <= SIZE_MAX / 16,
         "a buffer can be reckoned with");
    must(o->backoff.base_ns >= 0, "a base is not negative");
    must(o->backoff.factor >= 1 || o->backoff.factor == 0, "a factor grows");
    must(o->backoff.cap_ns == 0 || o->backoff.cap_ns >= o->backoff.base_ns,
         "a cap is not below the base");
    must(!o->watch || o->progress == PROGRESS_NEVER, "one picture at a time");
    must(o->command > words && o->command < words + count,
         "the command is one of the words");
    must(o->command[0][0] != '\0', "the command is not empty");
    for (int i = 0; i < count; i++)
        must(words[i] != NULL, "the words are as many as before");
    must(words[count] == NULL, "the words end where they did");
    (void)command_problem(o->command[0]);
}

static enum options_answer read_words(struct options *out, int count)
{
    FILE *usual = stderr, *here = fmemopen(said, sizeof(said), "w");
    enum options_answer answer;

    if (!here)
        abort();
    memset(said, 0, sizeof(said));
    optind = 0; /* begin anew */
    stderr = here;
    answer = options_read(out, count, words);
    stderr = usual;
    fclose(here);
    return answer;
}

static bool same(const struct options *a, const struct options *b)
{
    return a->jobs == b->jobs && a->attempts == b->attempts &&
           a->timeout_ns == b->timeout_ns && a->grace_ns == b->grace_ns &&
           a->max_buffer == b->max_buffer && a->delimiter == b->delimiter &&
           a->command == b->command && a->arg_file == b->arg_file;
}

/* -------------------------------------------------------------- the values */

/* Whole numbers, as strtoull has them, which also takes signs and spaces. */
static void check_count(const char *word)
{
    uint32_t got = 77;
    char *end;
    unsigned long long number;
    bool good;

    errno = 0;
    number = strtoull(word, &end, 10);
    good = word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0 &&
           number >= 1 && number <= 1000;
    must(value_count(word, 1000, &got) == good, "a count is seen as one");
    must(got == (good ? number : 77), "a count is read right");
}

static void check_size(const char *word)
{
    static const char suffixes[] = "KMG";
    size_t got = 77;
    char *end;
    unsigned long long number;
    const char *suffix;
    unsigned shift = 0;
    bool good;

    errno = 0;
    number = strtoull(word, &end, 10);
    good = word[0] >= '0' && word[0] <= '9' && errno == 0 && number > 0;
    suffix = *end ? strchr(suffixes, *end) : NULL;
    if (suffix)
        shift = 10 * (unsigned)(suffix - suffixes + 1);
    good = good && (*end == '\0' || (suffix && end[1] == '\0')) &&
           number <= (SIZE_MAX >> 4) >> shift;
    must(value_size(word, &got) == good, "a size is seen as one");
    must(got == (good ? (size_t)number << shift : 77), "a size is read right");
}

/* A number alone, or with one unit, as strtod has it. */
static void check_duration(const char *word)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9},   {"s", 1e9},  {"ms", 1e6},
                 {"us", 1e3}, {"m", 60e9}, {"h", 3600e9}};
    int64_t got = -77;
    bool is_read = value_duration(word, &got);
    size_t digits = strspn(word, "0123456789.");
    double number = digits > 0 && digits < 16 ? strtod(word, NULL) : 0;

    must(is_read ? got >= 0 : got == -77, "a duration is read or left");
    if (digits == 0 || digits >= 16 || strcspn(word, "0123456789") >= digits ||
        memchr(word, '.', digits) != memrchr(word, '.', digits))
        return;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double ns = number * units[i].ns;

        if (strcmp(word + digits, units[i].name) != 0 || ns > 3e18)
            continue;
        must(is_read, "a plain duration is taken");
        must((double)got <= ns * (1 + 1e-9) + 1 &&
                 (double)got >= ns * (1 - 1e-9) - 1,
             "a plain duration is read right");
    }
}

static void check_others(const char *word)
{
    struct backoff backoff = {-7, 7, -7};
    uint32_t jobs = 0;
    char delimiter = '?';
    bool good;

    good = value_backoff(word, &backoff);
    must(good ? backoff.base_ns >= 0 &&
                    (backoff.cap_ns == 0 || backoff.cap_ns >= backoff.base_ns)
              : backoff.base_ns == -7 && backoff.cap_ns == -7,
         "a backoff is read or left");
    good = value_jobs(word, &jobs);
    must(good ? jobs >= 1 && jobs <= JOBS_MAX : jobs == 0,
         "jobs are read or left");
    good = value_delimiter(word, &delimiter);
    must(good || delimiter == '?', "a delimiter is read or left");
    must(good || strlen(word) != 1, "any byte may delimit");
}

static void check_escape(const char *word, size_t room)
{
    char shown[80];

    memset(shown, 'x', sizeof(shown));
    text_escape(shown, room, word, strlen(word));
    must(memchr(shown, '\0', room) != NULL, "what is shown ends in its room");
    for (const char *at = shown; *at; at++)
        must(*at >= ' ' && *at < 0x7f, "what is shown can be");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int count = make_words(bytes, size);
    struct options first = {0}, second = {0};
    enum options_answer answer = read_words(&first, count);

    check_said(answer);
    must(read_words(&second, count) == answer, "the answer is always the same");
    if (answer == OPTIONS_RUN) {
        check_options(&first, count);
        must(same(&first, &second), "options are always the same");
    }
    for (int i = 1; i < count; i++) {
        check_count(words[i]);
        check_size(words[i]);
        check_duration(words[i]);
        check_others(words[i]);
        check_escape(words[i], 16 + size % 65);
    }
    return 0;
}
