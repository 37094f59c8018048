/* SPDX-License-Identifier: MIT */
/*
 * options.c - what the command line of `weir run` asks for.
 *
 * THE IDEA
 *
 * getopt_long splits, values.c reads, and every refusal is one line that names
 * the option as it was typed, the value, and what to write instead:
 *
 *   weir run: --timeout '5x': not a duration; write 1.5s, 200ms, 2m
 *
 * The leading "+" ends the options at the first word that is none, so that the
 * options of COMMAND stay COMMAND's, with or without a "--" before it.
 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <weir/deadline.h>

#include "text.h"

/* Options without a letter are numbered beyond all letters. */
enum {
    OPTION_TIMEOUT = 256,
    OPTION_GRACE,
    OPTION_ATTEMPTS,
    OPTION_BACKOFF,
    OPTION_DRY_RUN,
    OPTION_PROGRESS,
    OPTION_SUMMARY,
    OPTION_WATCH,
    OPTION_LOG,
    OPTION_MAX_BUFFER,
    OPTION_TRACE,
    OPTION_PICTURE,
    OPTION_METRICS,
    OPTION_HELP
};

static const char letters[] = "+:j:P:k0d:a:h";

static const struct option names[] = {
    {"jobs", required_argument, NULL, 'j'},
    {"max-procs", required_argument, NULL, 'P'},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"grace", required_argument, NULL, OPTION_GRACE},
    {"attempts", required_argument, NULL, OPTION_ATTEMPTS},
    {"backoff", required_argument, NULL, OPTION_BACKOFF},
    {"keep-order", no_argument, NULL, 'k'},
    {"null", no_argument, NULL, '0'},
    {"delimiter", required_argument, NULL, 'd'},
    {"arg-file", required_argument, NULL, 'a'},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    {"summary", optional_argument, NULL, OPTION_SUMMARY},
    {"watch", no_argument, NULL, OPTION_WATCH},
    {"log", required_argument, NULL, OPTION_LOG},
    {"max-buffer", required_argument, NULL, OPTION_MAX_BUFFER},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"picture", required_argument, NULL, OPTION_PICTURE},
    {"metrics", required_argument, NULL, OPTION_METRICS},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0}};

/* clang-format off */
const char options_help[] =
"usage: weir run [options] [--] COMMAND [ARG...]\n"
"\n"
"Reads records from standard input, one task each, and runs COMMAND for each.\n"
"{} in COMMAND and its arguments stands for the record; without any {} it\n"
"becomes the last argument.  No shell is involved.  A task's output is printed\n"
"in one piece when the task has ended.  A COMMAND gets no standard input.\n"
"\n"
"Input:\n"
"  -a, --arg-file FILE   read records from FILE; - is standard input\n"
"  -0, --null            records end in a NUL byte instead of a newline\n"
"  -d, --delimiter CHAR  records end in CHAR: one byte, or \\t \\0 \\x1f \\037\n"
"\n"
"Running:\n"
"  -j, --jobs N          tasks at once: 4; +2 or -1 from the number of\n"
"                        processors; 50% of it; 0 for as many as possible (252);\n"
"                        without -j one per processor\n"
"  -P, --max-procs N     the same\n"
"      --timeout DUR     end an attempt after this long: 30, 1.5s, 200ms, 1h30m;\n"
"                        its process group gets TERM, after --grace KILL\n"
"      --grace DUR       from TERM to KILL; 5s without it\n"
"      --attempts N      try a task that fails or times out up to N times in all\n"
"      --backoff BASE[,FACTOR[,CAP]]\n"
"                        wait before the next attempt: at first BASE, then FACTOR\n"
"                        times as long, at most CAP, a random share of which is\n"
"                        cut; 100ms,2,30s without it\n"
"      --dry-run         print the commands, run nothing\n"
"\n"
"Output:\n"
"  -k, --keep-order      print in the order of the records, not of their ends;\n"
"                        no more than 8 N + 64 are read before they are printed\n"
"      --max-buffer SIZE hold up to this much output in memory, then in a file\n"
"                        in $TMPDIR or /tmp: 65536, 64K, 1G; 256M without it\n"
"      --progress[=auto|always|never]\n"
"                        show how far it is on standard error, in auto only if\n"
"                        that is a terminal\n"
"      --watch           show it live on the terminal: figures, and what each\n"
"                        worker runs; in place of --progress.  What is printed\n"
"                        there meanwhile is seen when it ends\n"
"      --summary[=table|json]\n"
"                        at the end, count the outcomes on standard error\n"
"      --log LEVEL       what to tell of the workers on standard error as it\n"
"                        happens: off, error, warning (also: a task has used up\n"
"                        its attempts), info; error without it\n"
"      --trace FILE      at the end, write what happened for ui.perfetto.dev\n"
"      --picture FILE    at the end, draw it, as SVG\n"
"      --metrics FILE    at the end, write its figures for Prometheus\n"
"  -h, --help            print this\n"
"\n"
"On the first INT, TERM or HUP weir takes no more records and finishes what\n"
"runs; the second ends that too.  Exit status: 0 all tasks are done; 1 some are\n"
"not, or input or output failed; 2 wrong usage, nothing has run; 128 + n ended\n"
"by signal n.\n";
/* clang-format on */

static bool read_option(struct options *o, int code, const char *value,
                        const char **remedy);
static bool set_flag(struct options *o, int code);
static bool
read_backoff(struct options *o, const char *value, const char **remedy);
static bool read_word(const char *value, const char *first, const char *second,
                      const char *third, int *out);
static bool read_log(enum log_least *out, const char *value);
static void name_option(char *out, size_t room, int code, int index);
static void
refuse_value(int code, int index, const char *value, const char *remedy);
static void refuse_option(int answer, char *const *argv);
static bool is_known(int code);
static bool fits_together(const struct options *o);

/* -------------------------------------------------------------------- use */

enum options_answer
options_read(struct options *out, int argc, char *const *argv)
{
    struct options o = {.attempts = 0,
                        .grace_ns = WEIR_SECONDS(5),
                        .log = LOG_ERROR,
                        .max_buffer = (size_t)256 << 20,
                        .delimiter = '\n'};
    int code, index;

    opterr = 0;
    while (index = -1,
           (code = getopt_long(argc, argv, letters, names, &index)) != -1) {
        const char *remedy = "";

        if (code == OPTION_HELP || code == 'h')
            return OPTIONS_HELP;
        if (code == '?' || code == ':') {
            refuse_option(code, argv);
            return OPTIONS_WRONG;
        }
        if (!read_option(&o, code, optarg, &remedy)) {
            refuse_value(code, index, optarg, remedy);
            return OPTIONS_WRONG;
        }
    }
    o.command = argv + optind;
    if (!fits_together(&o))
        return OPTIONS_WRONG;
    if (o.attempts == 0)
        o.attempts = 1;
    *out = o;
    return OPTIONS_RUN;
}

/* ---------------------------------------------------------------- reading */

static bool read_name(const char **out, const char *value, const char **remedy)
{
    *remedy = "not a file name";
    *out = value;
    return value[0] != '\0';
}

static bool
read_option(struct options *o, int code, const char *value, const char **remedy)
{
    int word = 0;
    bool good = true;

    switch (code) {
    case 'j':
    case 'P':
        *remedy = "not a number of jobs; write 4, +2, -1, 50%, or 0 for as "
                  "many as possible";
        return value_jobs(value, &o->jobs);
    case OPTION_TIMEOUT:
        *remedy = "not a duration; write 1.5s, 200ms, 2m";
        return value_duration(value, &o->timeout_ns) && o->timeout_ns > 0;
    case OPTION_GRACE:
        *remedy = "not a duration; write 5s, 200ms, or 0 for KILL at once";
        return value_duration(value, &o->grace_ns);
    case OPTION_ATTEMPTS:
        *remedy = "not a number of attempts; write 1 or more, 3 tries a task "
                  "three times in all";
        return value_count(value, UINT32_MAX, &o->attempts);
    case OPTION_BACKOFF:
        return read_backoff(o, value, remedy);
    case OPTION_MAX_BUFFER:
        *remedy = "not a size; write 65536, 64K, 256M, 1G";
        return value_size(value, &o->max_buffer);
    case OPTION_PROGRESS:
        *remedy = "write auto, always or never";
        good = read_word(value, "auto", "always", "never", &word);
        o->progress = word == 0   ? PROGRESS_AUTO
                      : word == 1 ? PROGRESS_ALWAYS
                                  : PROGRESS_NEVER;
        return good;
    case OPTION_SUMMARY:
        *remedy = "write table or json";
        good = read_word(value, "table", "json", NULL, &word);
        o->summary = word == 0 ? SUMMARY_TABLE : SUMMARY_JSON;
        return good;
    case OPTION_LOG:
        *remedy = "write off, error, warning or info";
        return read_log(&o->log, value);
    case 'd':
        *remedy = "not one byte; write a character, \\t, \\0, \\x1f or \\037";
        return value_delimiter(value, &o->delimiter);
    case 'a':
        return read_name(&o->arg_file, value, remedy);
    case OPTION_TRACE:
        return read_name(&o->trace_file, value, remedy);
    case OPTION_METRICS:
        return read_name(&o->metrics_file, value, remedy);
    case OPTION_PICTURE:
        return read_name(&o->picture_file, value, remedy);
    default:
        return set_flag(o, code);
    }
}

/* What takes no value. */
static bool set_flag(struct options *o, int code)
{
    switch (code) {
    case OPTION_WATCH:
        o->watch = true;
        break;
    case '0':
        o->delimiter = '\0';
        break;
    case 'k':
        o->keep_order = true;
        break;
    default:
        o->dry_run = true;
        break;
    }
    return true;
}

/* A base of 0 would be the library's default; who writes 0 wants no delay, and
 * a nanosecond is none. */
static bool
read_backoff(struct options *o, const char *value, const char **remedy)
{
    *remedy = "not BASE[,FACTOR[,CAP]]; write 100ms,2,10s: durations, a factor "
              "of 1 or more, a cap not below the base";
    if (!value_backoff(value, &o->backoff))
        return false;
    if (o->backoff.base_ns == 0)
        o->backoff.base_ns = 1;
    if (o->backoff.cap_ns != 0 && o->backoff.cap_ns < o->backoff.base_ns)
        o->backoff.cap_ns = o->backoff.base_ns;
    return true;
}

/* An option whose value may be left out means the first word then. */
static bool read_word(const char *value, const char *first, const char *second,
                      const char *third, int *out)
{
    const char *words[] = {first, second, third};

    *out = 0;
    if (!value)
        return true;
    for (int i = 0; i < 3 && words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool read_log(enum log_least *out, const char *value)
{
    static const char *const words[] = {[LOG_OFF] = "off",
                                        [LOG_ERROR] = "error",
                                        [LOG_WARNING] = "warning",
                                        [LOG_INFO] = "info"};

    for (int i = LOG_OFF; i <= LOG_INFO; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = (enum log_least)i;
            return true;
        }
    }
    return false;
}

/* --------------------------------------------------------------- refusing */

static void
refuse_value(int code, int index, const char *value, const char *remedy)
{
    char name[32], shown[80];

    name_option(name, sizeof(name), code, index);
    text_escape(shown, sizeof(shown), value, strlen(value));
    fprintf(stderr, "weir run: %s '%s': %s\n", name, shown, remedy);
}

/* As it was typed: the letter, unless the long name was. */
static void name_option(char *out, size_t room, int code, int index)
{
    if (index >= 0)
        snprintf(out, room, "--%s", names[index].name);
    else
        snprintf(out, room, "-%c", code);
}

/* getopt leaves the culprit in optopt if it is a letter, or a long option with
 * a value too many or too few; an unknown long option is argv[optind - 1]. */
static void refuse_option(int answer, char *const *argv)
{
    const char *remedy = "not an option; weir run --help lists them";
    const char *word = argv[optind - 1];
    char letter[3] = {'-', (char)optopt, '\0'}, shown[80];

    if (answer == ':')
        remedy = "needs a value; weir run --help says which";
    else if (is_known(optopt))
        remedy = "takes no value; leave out the = and what follows";
    if (optopt != 0 && optopt < 256 &&
        (!is_known(optopt) || strncmp(word, "--", 2) != 0))
        word = letter;
    text_escape(shown, sizeof(shown), word, strlen(word));
    fprintf(stderr, "weir run: %s: %s\n", shown, remedy);
}

static bool is_known(int code)
{
    for (size_t i = 0; names[i].name; i++)
        if (names[i].val == code)
            return true;
    return false;
}

static bool fits_together(const struct options *o)
{
    const char *problem = NULL;

    if (!o->command[0])
        problem = "no COMMAND; write weir run [options] -- COMMAND [ARG...]";
    else if (o->command[0][0] == '\0')
        problem = "'': COMMAND is empty; write its name or path";
    else if (o->backoff.base_ns != 0 && o->attempts == 0)
        problem = "--backoff: nothing is tried again without --attempts; add "
                  "--attempts 3";
    else if (o->watch && o->progress != PROGRESS_NEVER)
        problem = "--progress: --watch shows more than that; leave out one of "
                  "them";
    if (problem)
        fprintf(stderr, "weir run: %s\n", problem);
    return !problem;
}
