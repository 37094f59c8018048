/* SPDX-License-Identifier: MIT */
/* options.c - see options.h.  A refusal is one line: the option, the value, and
 * what to write instead. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "goodput.h"
#include "hostile.h"

enum {
    OPTION_PEERS = 256,
    OPTION_ONLY,
    OPTION_QUEUE,
    OPTION_SHAPE,
    OPTION_WORKERS,
    OPTION_ITEM,
    OPTION_CAPACITY,
    OPTION_BATCH,
    OPTION_LOAD,
    OPTION_SPAN,
    OPTION_WORK,
    OPTION_TAKEN,
    OPTION_BOUND,
    OPTION_ITEMS,
    OPTION_ROUNDS,
    OPTION_LIMIT,
    OPTION_WAIT,
    OPTION_JSON,
    OPTION_SVG,
    OPTION_SMOKE,
    OPTION_HELP
};

static const struct option names[] = {
    {"peers", no_argument, NULL, OPTION_PEERS},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"queue", required_argument, NULL, OPTION_QUEUE},
    {"shape", required_argument, NULL, OPTION_SHAPE},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"item", required_argument, NULL, OPTION_ITEM},
    {"capacity", required_argument, NULL, OPTION_CAPACITY},
    {"batch", required_argument, NULL, OPTION_BATCH},
    {"load", required_argument, NULL, OPTION_LOAD},
    {"span", required_argument, NULL, OPTION_SPAN},
    {"work", required_argument, NULL, OPTION_WORK},
    {"taken", no_argument, NULL, OPTION_TAKEN},
    {"bound", no_argument, NULL, OPTION_BOUND},
    {"items", required_argument, NULL, OPTION_ITEMS},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"json", required_argument, NULL, OPTION_JSON},
    {"svg", required_argument, NULL, OPTION_SVG},
    {"smoke", no_argument, NULL, OPTION_SMOKE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0}};

/* clang-format off */
const char options_help[] =
"usage: weir-bench list\n"
"       weir-bench run [BENCH...] [options]\n"
"\n"
"Measures queues and pools at the same work: one process for each contender,\n"
"in turns.  Without BENCH: queue and pool; `all` for every bench.  `list` has\n"
"the benches, each with its question, and the contenders, each with its version\n"
"or what is missing.\n"
"\n"
"Who:\n"
"  --peers           everyone who is there, not only weir and the textbook\n"
"  --only ID,ID      these and nobody else\n"
"  --queue FILE.c    your own queue, too: the five functions of own_queue.h;\n"
"                    may be given more than once; $CC and $CFLAGS are heeded\n"
"\n"
"What (each takes a list: 1P1C,4P4C or 8,64):\n"
"  --shape SHAPES    producers and consumers: 1P1C, 2P2C, 4P4C, 1P4C, 4P1C\n"
"  --workers COUNTS  of a pool\n"
"  --item BYTES      8, 16, 32, 64, 128 or 256\n"
"  --capacity COUNTS items that the queue holds\n"
"  --batch COUNTS    items per call\n"
"  --load PERCENTS   of what the textbook can do: of latency\n"
"  --span MS         sleeps, behind: of a task that sleeps; computing: of one\n"
"                    that computes; deadlines, kills: until the\n"
"                    deadline; idle: of doing nothing\n"
"  --work US         efficiency: of a task that computes\n"
"  --taken           while another process takes a processor\n"
"  --bound           with each thread bound to a processor, in turns\n"
"  --items COUNT     in one round, instead of the bench's\n"
"\n"
"How:\n"
"  --rounds COUNT    7 without it; the median counts\n"
"  --limit SECONDS   for one round of one contender; 60 without it\n"
"  --wait SECONDS    before each round, up to so long, until others use less\n"
"                    than 0.3 of a processor; without it, none\n"
"  --smoke           a little of everything, once: does it still run?\n"
"\n"
"Output:\n"
"  --json FILE       a line for each row, too (bench/README.md has the fields);\n"
"                    - for standard output, and no table\n"
"  --svg FILE        a plot, too\n"
"\n"
"Exit status: 0; 1 a contender failed: a wrong sum, a crash, no end; 2 wrong\n"
"usage; 128 + n ended by signal n.\n";
/* clang-format on */

/* What varies by which option, least and most. */
static const struct vary_option {
    int option;
    const char *name, *remedy;
    uint64_t least, most;
} vary_options[VARIES] = {
    [VARY_SHAPE] = {OPTION_SHAPE, "--shape",
                    "not a shape; write 2P2C for two producers and two "
                    "consumers, up to 256 of each",
                    1, WORK_MOST_THREADS},
    [VARY_WORKERS] = {OPTION_WORKERS, "--workers",
                      "not a number of workers; write 1 to 1024", 1,
                      WORK_MOST_WORKERS},
    [VARY_ITEM] = {OPTION_ITEM, "--item",
                   "not an item size there is; write 8, 16, 32, 64, 128 or "
                   "256",
                   8, WORK_MOST_BYTES},
    [VARY_CAPACITY] = {OPTION_CAPACITY, "--capacity",
                       "not a capacity; write 1 to 1000000", 1, 1000000},
    [VARY_BATCH] = {OPTION_BATCH, "--batch",
                    "not a size of batches; write 1 to 256", 1,
                    WORK_MOST_BATCH},
    [VARY_LOAD] = {OPTION_LOAD, "--load",
                   "not a load; write percents, 1 to 400", 1, 400},
    [VARY_SPAN] = {OPTION_SPAN, "--span",
                   "not a time; write milliseconds, 1 to 60000", 1, 60000},
    [VARY_WORK] = {OPTION_WORK, "--work",
                   "not a time; write microseconds, 1 to 10000", 1, 10000},
};

static bool refuse(const char *option, const char *value, const char *remedy)
{
    fprintf(stderr, "weir-bench: %s '%s': %s\n", option, value, remedy);
    return false;
}

/* A number at *at, which is moved behind it. */
static bool
read_number(const char **at, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end;

    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return !errno && *out >= least && *out <= most;
}

static bool read_shape(const char **at, uint64_t *out)
{
    uint64_t producers, consumers;

    if (!read_number(at, 1, WORK_MOST_THREADS, &producers) ||
        (**at != 'P' && **at != 'p'))
        return false;
    ++*at;
    if (!read_number(at, 1, WORK_MOST_THREADS, &consumers) ||
        (**at != 'C' && **at != 'c'))
        return false;
    ++*at;
    *out = producers * SHAPE_BASE + consumers;
    return true;
}

static bool read_list(enum vary vary, const char *text, struct values *out)
{
    const struct vary_option *o = &vary_options[vary];
    const char *at = text;
    uint64_t value;

    out->count = 0;
    for (;;) {
        bool good = vary == VARY_SHAPE
                        ? read_shape(&at, &value)
                        : read_number(&at, o->least, o->most, &value);

        if (!good || (*at && *at != ',') ||
            (vary == VARY_ITEM && !work_is_item_size(value)))
            return refuse(o->name, text, o->remedy);
        if (out->count == MOST_VALUES)
            return refuse(o->name, text, "too many; write up to 16 values");
        out->of[out->count++] = value;
        if (!*at)
            return true;
        at++;
    }
}

static bool
read_count(const char *name, const char *text, uint64_t most, uint64_t *out)
{
    const char *at = text;
    char remedy[64];

    if (read_number(&at, 1, most, out) && !*at)
        return true;
    snprintf(remedy, sizeof(remedy), "not a number; write 1 to %llu",
             (unsigned long long)most);
    return refuse(name, text, remedy);
}

static bool read_option(struct options *o, int code, const char *value)
{
    uint64_t n = 0;

    for (int v = 0; v < VARIES; v++)
        if (vary_options[v].option == code)
            return read_list((enum vary)v, value, &o->asked[v]);
    switch (code) {
    case OPTION_PEERS:
        o->peers = true;
        return true;
    case OPTION_ONLY:
        o->only = value;
        return true;
    case OPTION_QUEUE:
        if (o->own_count == MOST_OWN)
            return refuse("--queue", value, "too many; give up to 8");
        o->own[o->own_count++] = value;
        return true;
    case OPTION_TAKEN:
        o->taken = true;
        return true;
    case OPTION_BOUND:
        o->bound = true;
        return true;
    case OPTION_ITEMS:
        return read_count("--items", value, 1000000000, &o->items);
    case OPTION_ROUNDS:
        if (!read_count("--rounds", value, MOST_ROUNDS, &n))
            return false;
        o->rounds = (unsigned)n;
        return true;
    case OPTION_LIMIT:
        if (!read_count("--limit", value, 86400, &n))
            return false;
        o->limit_s = (unsigned)n;
        return true;
    case OPTION_WAIT:
        if (!read_count("--wait", value, 86400, &n))
            return false;
        o->wait_s = (unsigned)n;
        return true;
    case OPTION_JSON:
        o->json = value;
        return true;
    case OPTION_SVG:
        o->svg = value;
        return true;
    default:
        o->smoke = true;
        return true;
    }
}

static bool read_bench(struct options *o, const char *name)
{
    const struct bench *bench = bench_find(name);

    if (strcmp(name, "all") == 0) {
        for (o->bench_count = 0; bench_at(o->bench_count); o->bench_count++)
            o->benches[o->bench_count] = bench_at(o->bench_count);
        o->hostile = o->goodput = true;
        return true;
    }
    if (strcmp(name, hostile_name) == 0) {
        o->hostile = true;
        return true;
    }
    if (strcmp(name, goodput_name) == 0) {
        o->goodput = true;
        return true;
    }
    if (!bench) {
        fprintf(stderr,
                "weir-bench: '%s': not a bench; `weir-bench list` names them\n",
                name);
        return false;
    }
    for (size_t i = 0; i < o->bench_count; i++)
        if (o->benches[i] == bench)
            return true;
    o->benches[o->bench_count++] = bench;
    return true;
}

/* An option that no bench of those heeds is refused, not ignored. */
static bool fits_together(const struct options *o)
{
    if (o->bench_count == 0 && !o->hostile &&
        (o->svg || o->own_count || o->items || o->taken || o->bound ||
         o->peers || o->only)) {
        fprintf(stderr,
                "weir-bench: %s asks weir alone, always the same: of the "
                "options it takes --limit, --json and --smoke\n",
                goodput_name);
        return false;
    }
    if (o->bench_count == 0 &&
        (o->svg || o->own_count || o->items || o->taken || o->bound)) {
        fprintf(stderr,
                "weir-bench: %s measures nothing: of the options it "
                "takes --peers, --only, --limit, --json and --smoke\n",
                hostile_name);
        return false;
    }
    for (int v = 0; v < VARIES; v++) {
        bool heeded = o->asked[v].count == 0;

        for (size_t i = 0; i < o->bench_count; i++)
            heeded = heeded || o->benches[i]->vary[v].count > 0;
        if (!heeded) {
            fprintf(stderr, "weir-bench: %s: %s has none; it is for",
                    vary_options[v].name,
                    o->bench_count ? o->benches[0]->name
                    : o->hostile   ? hostile_name
                                   : goodput_name);
            for (size_t i = 0; bench_at(i); i++)
                if (bench_at(i)->vary[v].count)
                    fprintf(stderr, " %s", bench_at(i)->name);
            fprintf(stderr, "\n");
            return false;
        }
    }
    return true;
}

static bool read_benches(struct options *o, int count, char *const *names_given)
{
    for (int i = 0; i < count; i++)
        if (!read_bench(o, names_given[i]))
            return false;
    if (o->bench_count == 0 && (o->hostile || o->goodput))
        return true;
    if (o->bench_count == 0 && o->smoke)
        return read_bench(o, "all");
    if (o->bench_count == 0)
        return read_bench(o, "queue") && read_bench(o, "pool");
    return true;
}

static enum options_answer
read_run(struct options *out, int argc, char *const *argv)
{
    struct options o = {.rounds = 7, .limit_s = 60};
    int code;

    opterr = 0;
    optind = 1;
    while ((code = getopt_long(argc, argv, ":h", names, NULL)) != -1) {
        if (code == OPTION_HELP || code == 'h')
            return OPTIONS_HELP;
        if (code == ':') {
            fprintf(stderr, "weir-bench: %s: needs a value\n",
                    argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (code == '?') {
            fprintf(stderr,
                    "weir-bench: %s: not an option; `weir-bench help` has "
                    "them all\n",
                    argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (!read_option(&o, code, optarg))
            return OPTIONS_WRONG;
    }
    if (!read_benches(&o, argc - optind, argv + optind) || !fits_together(&o))
        return OPTIONS_WRONG;
    *out = o;
    return OPTIONS_RUN;
}

bool options_name(const char *list, const char *id)
{
    size_t length = strlen(id);

    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, id, length) == 0 && (!at[length] || at[length] == ','))
            return true;
    }
    return false;
}

enum options_answer
options_read(struct options *out, int argc, char *const *argv)
{
    const char *word = argc > 1 ? argv[1] : "help";

    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
        strcmp(word, "-h") == 0)
        return OPTIONS_HELP;
    if (strcmp(word, "list") == 0 && argc == 2)
        return OPTIONS_LIST;
    if (strcmp(word, "list") == 0) {
        fprintf(stderr, "weir-bench: list '%s': list takes nothing more\n",
                argv[2]);
        return OPTIONS_WRONG;
    }
    if (strcmp(word, "run") == 0)
        return read_run(out, argc - 1, argv + 1);
    fprintf(stderr,
            "weir-bench: '%s': not a command; write list, run or help\n", word);
    return OPTIONS_WRONG;
}
