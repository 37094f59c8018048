/* SPDX-License-Identifier: MIT */
/* goodput.c - see goodput.h. */
#include "goodput.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "child.h"

const char goodput_name[] = "goodput";
const char goodput_question[] =
    "At twice the capacity, how much is done within a deadline of 100 ms?";

enum { RUN_S = 10, SMOKE_RUN_S = 1 };

/* In the words of peers/weir_goodput.c. */
static const struct policy {
    const char *name;
    const char *sentence;
} policies[] = {
    {"fifo", "first in first out, a long queue"},
    {"refuse", "refuse, 12 places"},
    {"drop-oldest", "drop oldest, 12 places"},
    {"time-to-live", "time to live 74 ms, a long queue"},
    {"codel", "CoDel, target 37 ms, a long queue"},
};

struct delivery {
    uint64_t capacity, offered, done, good;
};

static bool read_delivery(const char *line, struct delivery *out)
{
    return child_number(line, "capacity", &out->capacity) &&
           child_number(line, "offered", &out->offered) &&
           child_number(line, "done", &out->done) &&
           child_number(line, "good", &out->good) && out->capacity > 0;
}

static void
put_row(FILE *json, const struct policy *policy, const struct delivery *is)
{
    double share = 100.0 * (double)is->good / (double)is->capacity;

    if (json)
        fprintf(json,
                "{\"type\":\"row\",\"bench\":\"%s\",\"work\":\"%s\","
                "\"contender\":\"weir\",\"capacity\":%" PRIu64
                ",\"offered\":%" PRIu64 ",\"done\":%" PRIu64
                ",\"good\":%" PRIu64 "}\n",
                goodput_name, policy->name, is->capacity, is->offered, is->done,
                is->good);
    if (json != stdout)
        printf("  %-36s %5.1f %% of the capacity in time, %5.1f %% done\n",
               policy->sentence, share,
               100.0 * (double)is->done / (double)is->capacity);
}

static bool run_policy(const struct options *options, const char *beside,
                       FILE *json, const struct policy *policy)
{
    char path[PATH_MAX], name[32], seconds[16];
    char *argv[] = {path, name, seconds, NULL};
    struct delivery delivery;
    struct child_end end;

    snprintf(path, sizeof(path), "%.*s/weir_goodput",
             (int)(strrchr(beside, '/') - beside), beside);
    snprintf(name, sizeof(name), "%s", policy->name);
    snprintf(seconds, sizeof(seconds), "%d",
             options->smoke ? SMOKE_RUN_S : RUN_S);
    end = child_run(argv, options->limit_s);
    if (child_stop_signal())
        return true;
    if (end.status || end.timed_out || !read_delivery(end.line, &delivery)) {
        fprintf(stderr, "weir-bench: %s: %s: %s\n", goodput_name, policy->name,
                end.timed_out ? "does not end" : "fails");
        return false;
    }
    put_row(json, policy, &delivery);
    fflush(stdout);
    return true;
}

static FILE *open_rows(const struct options *options)
{
    /* The other benches' rows stand there already. */
    const char *mode =
        options->bench_count > 0 || options->hostile ? "ae" : "we";

    return strcmp(options->json, "-") == 0 ? stdout
                                           : fopen(options->json, mode);
}

int goodput_show(const struct options *options)
{
    static struct entrants entrants;
    FILE *json = options->json ? open_rows(options) : NULL;
    bool good = true;

    if (options->json && !json) {
        fprintf(stderr, "weir-bench: --json '%s': %s\n", options->json,
                strerror(errno));
        return 2;
    }
    child_catch_signals();
    entrants_know(&entrants);
    if (json != stdout)
        printf("\n%s: %s\n", goodput_name, goodput_question);
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        if (!child_stop_signal())
            good = run_policy(options,
                              entrants_find(&entrants, "weir", false)->path,
                              json, &policies[i]) &&
                   good;
    if (json && json != stdout && fclose(json)) {
        fprintf(stderr, "weir-bench: --json '%s': %s\n", options->json,
                strerror(errno));
        return 2;
    }
    return child_stop_signal() ? 128 + child_stop_signal() : !good;
}
