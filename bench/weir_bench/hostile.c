/* SPDX-License-Identifier: MIT */
/* hostile.c - see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

const char hostile_name[] = "hostile";
const char hostile_question[] =
    "What is left of a pool when tasks mean no good, and does it end?";

/* A pool that behaves answers at once; a program's own waits take 3 s at most.
 * More can be had with --limit, and --smoke has it: that is about weir alone,
 * on a machine that may be slow. */
enum { LIMIT_S = 5, DEFAULT_LIMIT_S = 60 };

static const struct happening {
    const char *name;
    const char *sentence;
} happenings[] = {
    {"exits", "4 tasks end their threads, in a pool of 4 workers"},
    {"drain", "the same; 8 more tasks come, and the pool ends gracefully"},
    {"another", "another pool ends, then 3 tasks come"},
    {"fork", "3 tasks for the pool in a fork child"},
    {"stuck", "a task never ends; the pool does, and so does the process"},
    {"closed", "a queue is closed with 3 items inside"},
};

/* Those with a program NAME_hostile. */
static struct contestant {
    const char *id;
    bool is_peer;
    char path[PATH_MAX];
    char name[64]; /* "": absent */
} contestants[] = {
    {.id = "weir"},
    {.id = "textbook"},
    {.id = "glib", .is_peer = true},
    {.id = "apr", .is_peer = true},
    {.id = "uv", .is_peer = true},
};
enum { CONTESTANTS = sizeof(contestants) / sizeof(contestants[0]) };

static struct child_end
ask(struct contestant *one, const char *what, unsigned limit_s)
{
    char argument[32];
    char *argv[] = {one->path, argument, NULL};

    snprintf(argument, sizeof(argument), "%s", what);
    return child_run(argv, limit_s);
}

static void know(void)
{
    static struct entrants entrants;
    const char *beside;

    entrants_know(&entrants);
    beside = entrants_find(&entrants, "weir", false)->path;
    for (size_t i = 0; i < CONTESTANTS; i++) {
        struct contestant *one = &contestants[i];
        struct child_end end;

        snprintf(one->path, sizeof(one->path), "%.*s/%s_hostile",
                 (int)(strrchr(beside, '/') - beside), beside, one->id);
        if (access(one->path, X_OK))
            continue;
        end = ask(one, "about", LIMIT_S);
        if (end.status == 0)
            snprintf(one->name, sizeof(one->name), "%.60s", end.line);
    }
}

static bool
is_asked(const struct options *options, const struct contestant *one)
{
    if (options->only)
        return options_name(options->only, one->id);
    if (options->smoke)
        return one == contestants;
    return options->peers || !one->is_peer;
}

/* Every name of --only is one of theirs, unless other benches are run too. */
static bool check_only_names(const struct options *options)
{
    size_t names = 1, found = 0;

    if (!options->only || options->bench_count > 0)
        return true;
    for (const char *at = options->only; *at; at++)
        names += *at == ',';
    for (size_t i = 0; i < CONTESTANTS; i++)
        found += options_name(options->only, contestants[i].id);
    if (names == found)
        return true;
    fprintf(stderr, "weir-bench: --only '%s': %s asks", options->only,
            hostile_name);
    for (size_t i = 0; i < CONTESTANTS; i++)
        fprintf(stderr, " %s", contestants[i].id);
    fprintf(stderr, ", and nobody else\n");
    return false;
}

/* ------------------------------------------------------------------ answers */

/* How it went on after what it said. */
static void word_end(const struct child_end *end, char *out, size_t room)
{
    if (end->timed_out)
        snprintf(out, room, "hangs");
    else if (end->status > 128)
        snprintf(out, room, "ended by signal %d", end->status - 128);
    else if (end->status)
        snprintf(out, room, "fails");
    else
        snprintf(out, room, "ends");
}

static void put_row(FILE *json, const struct happening *happening,
                    const struct contestant *one, const struct child_end *end)
{
    char how[32];

    word_end(end, how, sizeof(how));
    if (json)
        fprintf(json,
                "{\"type\":\"row\",\"bench\":\"%s\",\"work\":\"%s\","
                "\"contender\":\"%s\",\"name\":\"%s\",\"said\":\"%s%s\","
                "\"ended\":%s}\n",
                hostile_name, happening->name, one->id, one->name, end->line,
                how, end->status == 0 && !end->timed_out ? "true" : "false");
    if (json != stdout)
        printf("  %-26s %s%s\n", one->name, end->line, how);
}

static bool let_happen(const struct options *options, FILE *json,
                       const struct happening *happening)
{
    unsigned limit_s = options->limit_s == DEFAULT_LIMIT_S && !options->smoke
                           ? LIMIT_S
                           : options->limit_s;
    bool weir_is_well = true;

    if (json != stdout)
        printf("\n%s: %s\n", happening->name, happening->sentence);
    for (size_t i = 0; i < CONTESTANTS; i++) {
        struct contestant *one = &contestants[i];
        struct child_end end;

        if (!*one->name || !is_asked(options, one) || child_stop_signal())
            continue;
        end = ask(one, happening->name, limit_s);
        if (child_stop_signal())
            break;
        put_row(json, happening, one, &end);
        if (i == 0 && (end.timed_out || end.status != 0))
            weir_is_well = false;
    }
    return weir_is_well;
}

static FILE *open_json(const struct options *options)
{
    /* The other benches' rows stand there already. */
    const char *mode = options->bench_count > 0 ? "ae" : "we";

    if (!options->json)
        return NULL;
    return strcmp(options->json, "-") == 0 ? stdout
                                           : fopen(options->json, mode);
}

int hostile_show(const struct options *options)
{
    FILE *json;
    bool good = true;

    if (!check_only_names(options))
        return 2;
    json = open_json(options);
    if (options->json && !json) {
        fprintf(stderr, "weir-bench: --json '%s': %s\n", options->json,
                strerror(errno));
        return 2;
    }
    child_catch_signals();
    know();
    if (json != stdout)
        printf("\n%s: %s\n", hostile_name, hostile_question);
    for (size_t i = 0; i < sizeof(happenings) / sizeof(happenings[0]); i++)
        good = let_happen(options, json, &happenings[i]) && good;
    if (json != stdout)
        for (size_t i = 0; i < CONTESTANTS; i++)
            if (!*contestants[i].name && is_asked(options, &contestants[i]))
                printf("\nabsent: %s; ./dev bench hostile --peers builds it\n",
                       contestants[i].id);
    if (json && json != stdout && fclose(json)) {
        fprintf(stderr, "weir-bench: --json '%s': %s\n", options->json,
                strerror(errno));
        return 2;
    }
    return child_stop_signal() ? 128 + child_stop_signal() : !good;
}
