/* SPDX-License-Identifier: MIT */
/* main.c - billion: how many tasks, in which way, and what came out. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/version.h>

#include "billion.h"

enum {
    OPTION_TASKS = 256,
    OPTION_WAY,
    OPTION_PRODUCERS,
    OPTION_WORKERS,
    OPTION_GROWTH,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option names[] = {
    {"tasks", required_argument, NULL, OPTION_TASKS},
    {"way", required_argument, NULL, OPTION_WAY},
    {"producers", required_argument, NULL, OPTION_PRODUCERS},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"growth", required_argument, NULL, OPTION_GROWTH},
    {"json", required_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0}};

/* clang-format off */
static const char help[] =
"usage: billion [options]\n"
"\n"
"A billion tasks through a pool of 1024 places, made when asked for.  Fails if\n"
"memory has grown, the ledger does not balance, or a task was lost or doubled.\n"
"\n"
"  --tasks COUNT     1000000000 without it\n"
"  --way WAY         many      weir_pool_submit_many, 64 at once (without it)\n"
"                    submit    weir_pool_submit\n"
"                    copy      weir_pool_submit_copy, of 8 bytes\n"
"                    run       weir_run, which asks producers\n"
"  --producers COUNT 1 to 16; 1 without it\n"
"  --workers COUNT   1 to 64; 2 without it\n"
"  --growth KIB      of memory that is allowed; 64 without it\n"
"  --json FILE       a line of figures, too; - for standard output, alone\n"
"\n"
"On a terminal it shows how far it is.  Exit status: 0; 1 it has failed;\n"
"2 wrong usage.\n";
/* clang-format on */

struct asked {
    struct order order;
    uint64_t growth_kib;
    const char *json; /* NULL: none */
};

static const struct {
    const char *name, *sentence;
} ways[WAYS] = {
    [WAY_MANY] = {"many", "weir_pool_submit_many, 64 at once"},
    [WAY_SUBMIT] = {"submit", "weir_pool_submit"},
    [WAY_COPY] = {"copy", "weir_pool_submit_copy"},
    [WAY_RUN] = {"run", "weir_run"},
};

const char *way_name(enum way way)
{
    return ways[way].name;
}

const char *way_sentence(enum way way)
{
    return ways[way].sentence;
}

/* ----------------------------------------------------------------- options */

static bool read_number(const char *option, const char *text, uint64_t least,
                        uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *out >= least &&
        *out <= most)
        return true;
    fprintf(stderr,
            "billion: %s '%s': not a number for it; write %" PRIu64
            " to %" PRIu64 "\n",
            option, text, least, most);
    return false;
}

static bool read_way(const char *text, enum way *out)
{
    for (int w = 0; w < WAYS; w++)
        if (strcmp(text, ways[w].name) == 0) {
            *out = (enum way)w;
            return true;
        }
    fprintf(stderr,
            "billion: --way '%s': not a way; write many, submit, copy or "
            "run\n",
            text);
    return false;
}

static bool read_option(struct asked *out, int code, const char *value)
{
    struct order *order = &out->order;
    uint64_t n = 0;

    switch (code) {
    case OPTION_TASKS:
        return read_number("--tasks", value, LEAST_TASKS,
                           UINT64_C(1000000000000), &order->tasks);
    case OPTION_WAY:
        return read_way(value, &order->way);
    case OPTION_PRODUCERS:
        if (!read_number("--producers", value, 1, MOST_PRODUCERS, &n))
            return false;
        order->producers = (unsigned)n;
        return true;
    case OPTION_WORKERS:
        if (!read_number("--workers", value, 1, MOST_WORKERS, &n))
            return false;
        order->workers = (unsigned)n;
        return true;
    case OPTION_GROWTH:
        return read_number("--growth", value, 0, UINT64_C(1) << 40,
                           &out->growth_kib);
    default:
        out->json = value;
        return true;
    }
}

/* -1: read; else the exit status. */
static int read_options(struct asked *out, int argc, char **argv)
{
    int code;

    opterr = 0;
    while ((code = getopt_long(argc, argv, ":h", names, NULL)) != -1) {
        if (code == OPTION_HELP || code == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (code == ':' || code == '?') {
            fprintf(stderr, "billion: %s: %s\n", argv[optind - 1],
                    code == ':' ? "needs a value"
                                : "not an option; --help has them all");
            return 2;
        }
        if (!read_option(out, code, optarg))
            return 2;
    }
    if (optind < argc) {
        fprintf(stderr,
                "billion: '%s': it takes options alone; --help has them "
                "all\n",
                argv[optind]);
        return 2;
    }
    return -1;
}

/* ------------------------------------------------------------ what came out */

static bool sums_are_right(const struct order *order, const struct delivery *is)
{
    /* One of the two is even. */
    uint64_t n = order->tasks,
             sum = n % 2 ? n * ((n + 1) / 2) : n / 2 * (n + 1);

    return is->items == n && is->sum == sum && is->hash == work_hash_of(n);
}

static bool ledger_is_right(const struct order *order, const weir_ledger *is)
{
    return weir_ledger_balances(is) && is->accepted == order->tasks &&
           is->done == order->tasks && is->unreleased == 0;
}

static bool
memory_is_right(const struct asked *asked, const struct delivery *is)
{
    return is->start_kib > 0 && is->end_kib > 0 &&
           is->end_kib <= is->start_kib + asked->growth_kib;
}

static void print_figures(const struct asked *asked, const struct delivery *is)
{
    const struct order *order = &asked->order;
    double n = (double)order->tasks, seconds = (double)is->wall_ns / 1e9;

    printf("%" PRIu64 " tasks through %d places, made when asked for\n",
           order->tasks, CAPACITY);
    printf("  way      %s; %u producer%s, %u workers\n",
           way_sentence(order->way), order->producers,
           order->producers == 1 ? "" : "s", order->workers);
    printf("  time     %.2f s: %.1f ns a task, %.1f million a second%s\n",
           seconds, (double)is->wall_ns / n, n / seconds / 1e6,
           seconds > 60 ? "; more than a minute" : "");
    printf("  CPU      %.2f s: %.1f ns a task\n", (double)is->cpu_ns / 1e9,
           (double)is->cpu_ns / n);
    printf("  memory   %" PRIu64 " KiB resident after %" PRIu64
           " tasks, %" PRIu64 " KiB at the end: %+" PRId64
           "; the most seen between, %" PRIu64 "\n",
           is->start_kib, is->warm_up, is->end_kib,
           (int64_t)(is->end_kib - is->start_kib), is->most_kib);
}

/* Whether all is as it should be; says each. */
static bool
judge(const struct asked *asked, const struct delivery *is, FILE *to)
{
    bool memory = memory_is_right(asked, is);
    bool sums = sums_are_right(&asked->order, is);
    bool ledger = ledger_is_right(&asked->order, &is->ledger);

    fprintf(to, "  memory   %s: %" PRIu64 " KiB more are allowed\n",
            memory ? "right" : "WRONG", asked->growth_kib);
    fprintf(to,
            "  items    %s: %" PRIu64 " came out; their count, sum and hash "
            "%s\n",
            sums ? "right" : "WRONG", is->items,
            sums ? "are those of what was made" : "should be others");
    fprintf(to, "  ledger   %s: accepted %" PRIu64 ", done %" PRIu64 ", %s\n",
            ledger ? "right" : "WRONG", is->ledger.accepted, is->ledger.done,
            weir_ledger_balances(&is->ledger) ? "balances"
                                              : "does not balance");
    return memory && sums && ledger;
}

static bool write_json(const struct asked *asked, const struct delivery *is)
{
    const struct order *order = &asked->order;
    bool own = strcmp(asked->json, "-") != 0;
    FILE *to = own ? fopen(asked->json, "we") : stdout;
    bool good = to != NULL;

    if (good)
        fprintf(to,
                "{\"type\":\"billion\",\"weir\":\"%s\",\"way\":\"%s\","
                "\"sentence\":\"%s\",\"producers\":%u,\"workers\":%u,"
                "\"capacity\":%d,\"tasks\":%" PRIu64 ",\"wall_ns\":%" PRIu64
                ",\"cpu_ns\":%" PRIu64 ",\"warm_up\":%" PRIu64
                ",\"start_kib\":%" PRIu64 ",\"end_kib\":%" PRIu64
                ",\"most_kib\":%" PRIu64 ",\"memory\":%s,\"items\":%s,"
                "\"ledger\":%s}\n",
                weir_version(), way_name(order->way), way_sentence(order->way),
                order->producers, order->workers, CAPACITY, order->tasks,
                is->wall_ns, is->cpu_ns, is->warm_up, is->start_kib,
                is->end_kib, is->most_kib,
                memory_is_right(asked, is) ? "true" : "false",
                sums_are_right(order, is) ? "true" : "false",
                ledger_is_right(order, &is->ledger) ? "true" : "false");
    if (good)
        good = own ? !fclose(to) : !fflush(to);
    if (!good)
        fprintf(stderr, "billion: --json '%s': %s\n", asked->json,
                strerror(errno));
    return good;
}

int main(int argc, char **argv)
{
    struct asked asked = {.order = {.producers = 1,
                                    .workers = 2,
                                    .tasks = 1000000000},
                          .growth_kib = 64};
    struct delivery is;
    int status = read_options(&asked, argc, argv);
    bool alone;

    if (status >= 0)
        return status;
    alone = asked.json && strcmp(asked.json, "-") == 0;
    asked.order.progress = isatty(STDERR_FILENO);
    if (!work_pass(&asked.order, &is))
        return 1;
    if (!alone)
        print_figures(&asked, &is);
    status = !judge(&asked, &is, alone ? stderr : stdout);
    if (asked.json && !write_json(&asked, &is))
        return 2;
    return status;
}
