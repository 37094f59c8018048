/* SPDX-License-Identifier: MIT */
/* entrants.c - see entrants.h. */
#include "entrants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

enum { ASK_SECONDS = 60, COMPILE_SECONDS = 120 };

/* Programs are peers/ID with these. */
static const char *const suffixes[ENTRANT_KINDS] = {[ENTRANT_QUEUE] = "",
                                                    [ENTRANT_POOL] = "_pool",
                                                    [ENTRANT_FLOW] = "_flow",
                                                    [ENTRANT_SEMAPHORE] =
                                                        "_semaphore",
                                                    [ENTRANT_PROCESSES] =
                                                        "_processes"};

static const struct entrant known[] = {
    {.id = "weir", .title = "weir_queue", .side = ENTRANT_WEIR},
    {.id = "textbook",
     .title = "mutex, two conditions",
     .side = ENTRANT_TEXTBOOK},
    {.id = "glib",
     .title = "GLib GAsyncQueue",
     .needs = "libglib2.0-dev",
     .side = ENTRANT_PEER,
     .native = true},
    {.id = "apr",
     .title = "APR apr_queue",
     .needs = "libaprutil1-dev",
     .side = ENTRANT_PEER,
     .native = true},
    {.id = "tbb",
     .title = "TBB concurrent_bounded_queue",
     .needs = "g++ libtbb-dev",
     .side = ENTRANT_PEER,
     .native = true},
    {.id = "moodycamel",
     .title = "moodycamel BlockingConcurrentQueue",
     .needs = "g++ libconcurrentqueue-dev",
     .side = ENTRANT_PEER,
     .native = true},
    {.id = "moodycamel-bounded",
     .title = "moodycamel, slot semaphore",
     .needs = "g++ libconcurrentqueue-dev",
     .side = ENTRANT_PEER,
     .native = true},
    {.id = "rust-std",
     .title = "Rust std sync_channel",
     .needs = "rustc",
     .side = ENTRANT_PEER},
    {.id = "crossbeam",
     .title = "Rust crossbeam-channel",
     .needs = "rustc librust-crossbeam-channel-dev",
     .side = ENTRANT_PEER},
    {.id = "go",
     .title = "Go channel",
     .needs = "golang-go",
     .side = ENTRANT_PEER},
    {.id = "java",
     .title = "Java ArrayBlockingQueue",
     .needs = "default-jdk-headless",
     .side = ENTRANT_PEER},
    {.id = "python-queue",
     .title = "Python queue.Queue",
     .needs = "python3",
     .side = ENTRANT_PEER},
    {.id = "python-asyncio",
     .title = "Python asyncio.Queue",
     .needs = "python3",
     .side = ENTRANT_PEER},
    {.id = "weir",
     .title = "weir_pool",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_POOL},
    {.id = "weir-timeouts",
     .title = "weir_pool, with timeouts",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_POOL},
    {.id = "weir-events",
     .title = "weir_pool, with events",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_POOL},
    {.id = "weir-histograms",
     .title = "weir_pool, with histograms",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_POOL},
    {.id = "textbook",
     .title = "threads on that queue",
     .side = ENTRANT_TEXTBOOK,
     .kind = ENTRANT_POOL},
    {.id = "bare",
     .title = "threads without a queue",
     .side = ENTRANT_BARE,
     .kind = ENTRANT_POOL},
    {.id = "glib",
     .title = "GLib GThreadPool",
     .needs = "libglib2.0-dev",
     .side = ENTRANT_PEER,
     .native = true,
     .kind = ENTRANT_POOL},
    {.id = "uv",
     .title = "libuv uv_queue_work",
     .needs = "libuv1-dev",
     .side = ENTRANT_PEER,
     .native = true,
     .kind = ENTRANT_POOL},
    {.id = "apr",
     .title = "APR apr_thread_pool",
     .needs = "libaprutil1-dev",
     .side = ENTRANT_PEER,
     .native = true,
     .kind = ENTRANT_POOL},
    {.id = "tbb",
     .title = "TBB task_group",
     .needs = "g++ libtbb-dev",
     .side = ENTRANT_PEER,
     .native = true,
     .kind = ENTRANT_POOL},
    {.id = "go",
     .title = "Go goroutines on a channel",
     .needs = "golang-go",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_POOL},
    {.id = "java",
     .title = "Java ThreadPoolExecutor",
     .needs = "default-jdk-headless",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_POOL},
    {.id = "python",
     .title = "Python ThreadPoolExecutor",
     .needs = "python3",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_POOL},
    {.id = "rayon",
     .title = "Rust rayon",
     .needs = "rustc cargo librust-rayon-dev",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_POOL},
    {.id = "tokio",
     .title = "Rust tokio",
     .needs = "rustc cargo librust-tokio-dev",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_POOL},
    {.id = "weir",
     .title = "weir_stream",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_FLOW},
    {.id = "textbook",
     .title = "threads on such queues",
     .side = ENTRANT_TEXTBOOK,
     .kind = ENTRANT_FLOW},
    {.id = "tbb",
     .title = "TBB parallel_pipeline",
     .needs = "g++ libtbb-dev",
     .side = ENTRANT_PEER,
     .native = true,
     .kind = ENTRANT_FLOW},
    {.id = "weir-ordered",
     .title = "weir_stream, in order",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_FLOW},
    {.id = "weir-collected",
     .title = "weir_pool, results in a weir_queue",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_FLOW},
    {.id = "weir-unheard",
     .title = "weir_pool, no results",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_FLOW},
    {.id = "weir",
     .title = "weir_semaphore",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_SEMAPHORE},
    {.id = "posix",
     .title = "sem_t",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_SEMAPHORE},
    {.id = "weir",
     .title = "weir_pool, WEIR_ISOLATE_PROCESS",
     .side = ENTRANT_WEIR,
     .kind = ENTRANT_PROCESSES},
    {.id = "textbook",
     .title = "a child on a bare socket pair",
     .side = ENTRANT_TEXTBOOK,
     .kind = ENTRANT_PROCESSES},
    {.id = "python",
     .title = "Python multiprocessing.Pool",
     .needs = "python3",
     .side = ENTRANT_PEER,
     .kind = ENTRANT_PROCESSES},
};

static char home[PATH_MAX / 2];     /* the directory of this program */
static char workshop[PATH_MAX / 2]; /* where own queues are compiled, or "" */

void entrants_know(struct entrants *out)
{
    ssize_t n = readlink("/proc/self/exe", home, sizeof(home) - 1);

    home[n > 0 ? n : 0] = '\0';
    if (strrchr(home, '/'))
        *strrchr(home, '/') = '\0';
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct entrant *e = &out->all[out->count++];

        *e = known[i];
        snprintf(e->path, sizeof(e->path), "%s/peers/%s%s", home, e->id,
                 suffixes[e->kind]);
    }
}

void entrants_ask(struct entrant *entrant)
{
    char about[] = "about";
    char *argv[] = {entrant->path, about, NULL};
    struct child_end end;

    if (access(entrant->path, X_OK))
        return;
    end = child_run(argv, ASK_SECONDS);
    entrant->present =
        end.status == 0 &&
        child_text(end.line, "name", entrant->name, sizeof(entrant->name)) &&
        child_text(end.line, "version", entrant->version,
                   sizeof(entrant->version));
    entrant->bounded = child_true(end.line, "bounded");
    entrant->batches = child_true(end.line, "batches");
}

struct entrant *
entrants_find(struct entrants *of, const char *id, enum entrant_kind kind)
{
    for (size_t i = 0; i < of->count; i++)
        if (of->all[i].kind == kind && strcmp(of->all[i].id, id) == 0)
            return &of->all[i];
    return NULL;
}

/* ------------------------------------------------------------------ own */

static bool refuse(const char *file, const char *why)
{
    fprintf(stderr, "weir-bench: --queue '%s': %s\n", file, why);
    return false;
}

/* mine for some/where/mine.c; letters, digits, - and _ only. */
static char *name_of(const char *file)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    char *name = strdup(base);

    if (!name)
        return NULL;
    if (strrchr(name, '.') && strrchr(name, '.') != name)
        *strrchr(name, '.') = '\0';
    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789-_",
                    *c))
            *c = '_';
    return name;
}

static bool compile(const char *file, const char *program)
{
    static const char script[] =
        "exec ${CC:-cc} -O2 ${CFLAGS-} -D_GNU_SOURCE -pthread -I\"$1\" "
        "-o \"$2\" \"$3\" \"$1\"/*.c $4";
    const char *suffix = strrchr(file, '.');
    bool is_c = suffix && strcmp(suffix, ".c") == 0;
    char sources[PATH_MAX];
    const char *libraries = is_c ? "" : "-lstdc++";
    const char *argv[] = {"/bin/sh", "-c", script,    "sh", sources,
                          program,   file, libraries, NULL};

    snprintf(sources, sizeof(sources), "%s/own", home);
    return child_run((char *const *)argv, COMPILE_SECONDS).status == 0;
}

bool entrants_bring(struct entrants *to, const char *file)
{
    struct entrant *e = &to->all[to->count];
    char *name;

    if (access(file, R_OK))
        return refuse(file, "cannot be read; write the name of a C file with "
                            "the five functions of own_queue.h");
    if (to->count == MOST_ENTRANTS)
        return refuse(file, "there are too many contenders");
    if (!workshop[0]) {
        const char *base = getenv("TMPDIR");

        snprintf(workshop, sizeof(workshop), "%s/weir-bench.XXXXXX",
                 base && *base ? base : "/tmp");
        if (!mkdtemp(workshop)) {
            workshop[0] = '\0';
            return refuse(file, "there is no room to compile it; set TMPDIR "
                                "to a directory that can be written");
        }
    }
    name = name_of(file);
    if (!name || entrants_find(to, name, ENTRANT_QUEUE)) {
        free(name);
        return refuse(file, "there is a contender of that name; rename it");
    }
    *e = (struct entrant){.id = name, /* kept until the end */
                          .title = "your own",
                          .side = ENTRANT_OWN};
    snprintf(e->path, sizeof(e->path), "%s/%s", workshop, name);
    if (!compile(file, e->path))
        return refuse(file, "does not compile (see above); own_queue.h says "
                            "which functions it must define");
    entrants_ask(e);
    if (!e->present)
        return refuse(file, "was compiled, but does not start");
    to->count++;
    return true;
}

void entrants_forget(const struct entrants *of)
{
    for (size_t i = 0; i < of->count; i++)
        if (of->all[i].side == ENTRANT_OWN)
            unlink(of->all[i].path);
    if (workshop[0])
        rmdir(workshop);
    workshop[0] = '\0';
}
