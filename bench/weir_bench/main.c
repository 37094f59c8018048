/* SPDX-License-Identifier: MIT */
/* main.c - weir-bench: who, at which works, and where the figures go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "child.h"
#include "contest.h"
#include "entrants.h"
#include "goodput.h"
#include "hostile.h"
#include "machine.h"
#include "options.h"
#include "report.h"

/* What --smoke does with everything. */
enum {
    SMOKE_ITEMS = 4096,
    SMOKE_TRIPS = 256,
    SMOKE_STARTS = 20,
    SMOKE_BURSTS = 4,
    SMOKE_ROUNDS = 2, /* of as many tasks as there are workers */
    SMOKE_IDLE_US = 100000
};

/* Of paced work: at most so long a round. */
enum { PACED_MS = 400, REFERENCE_ROUNDS = 3 };

/* A run, from its first contest to its last. */
struct run {
    const struct options *options;
    struct entrants entrants;
    struct report_frame frame;
    FILE *json, *svg; /* NULL: not wanted */
    bool table;
    struct contest *contests; /* all of them, for the plot */
    size_t count;
    unsigned doubts;
    bool failed;
};

/* ------------------------------------------------------------------- list */

static int list(void)
{
    static const char *const titles[ENTRANT_KINDS] = {
        [ENTRANT_QUEUE] = "Queues",
        [ENTRANT_POOL] = "Pools",
        [ENTRANT_FLOW] = "Flow",
        [ENTRANT_SEMAPHORE] = "Semaphores",
        [ENTRANT_PROCESSES] = "Pools of processes"};
    static struct entrants entrants;

    entrants_know(&entrants);
    printf("Benches:\n");
    for (size_t i = 0; bench_at(i); i++)
        printf("  %-20s %s\n", bench_at(i)->name, bench_at(i)->question);
    printf("  %-20s %s\n", goodput_name, goodput_question);
    printf("  %-20s %s\n", hostile_name, hostile_question);
    for (int kind = 0; kind < ENTRANT_KINDS; kind++) {
        printf("\n%s:\n", titles[kind]);
        for (size_t i = 0; i < entrants.count; i++) {
            struct entrant *e = &entrants.all[i];

            if ((int)e->kind != kind)
                continue;
            entrants_ask(e);
            if (e->present)
                printf("  %-20s %s%s%s%s%s\n", e->id, e->name,
                       *e->version ? " " : "", e->version,
                       e->bounded ? "" : ", unbounded",
                       e->batches ? ", batches" : "");
            else
                printf("  %-20s absent: %s; ./dev bench --peers installs and "
                       "builds it (Debian: %s)\n",
                       e->id, e->title, e->needs ? e->needs : "nothing more");
        }
    }
    printf("\nYour own: ./dev bench queue --queue mine.c (weir-bench run queue "
           "--queue mine.c), with the five functions of own_queue.h\n");
    return 0;
}

/* -------------------------------------------------------------------- who */

static bool is_wanted(const struct options *options, const struct entrant *e)
{
    if (e->side == ENTRANT_OWN)
        return true;
    if (options->only)
        return options_name(options->only, e->id);
    return options->peers || e->side != ENTRANT_PEER;
}

/* Every name of --only is somebody who is there. */
static bool check_only(struct run *run)
{
    const char *at = run->options->only;

    while (at) {
        char id[64];
        size_t length = strcspn(at, ",");
        bool known = false, present = false;

        snprintf(id, sizeof(id), "%.*s", (int)length, at);
        for (int kind = 0; kind < ENTRANT_KINDS; kind++) {
            const struct entrant *e =
                entrants_find(&run->entrants, id, (enum entrant_kind)kind);

            known = known || e;
            present = present || (e && e->present);
        }
        if (!known) {
            fprintf(stderr,
                    "weir-bench: --only '%s': nobody of that name; "
                    "`weir-bench list` has the names\n",
                    id);
            return false;
        }
        if (!present) {
            fprintf(stderr,
                    "weir-bench: --only '%s': absent; ./dev bench --peers "
                    "installs and builds it\n",
                    id);
            return false;
        }
        at = at[length] ? at + length + 1 : NULL;
    }
    return true;
}

static bool gather(struct run *run)
{
    const struct options *options = run->options;

    entrants_know(&run->entrants);
    for (size_t i = 0; i < run->entrants.count; i++)
        if (is_wanted(options, &run->entrants.all[i]))
            entrants_ask(&run->entrants.all[i]);
    if (!check_only(run))
        return false;
    for (size_t i = 0; i < options->own_count; i++)
        if (!entrants_bring(&run->entrants, options->own[i]))
            return false;
    return true;
}

/* --------------------------------------------------------------- contests */

static enum entrant_kind kind_for(enum work_kind work)
{
    if (work_is_for_processes(work))
        return ENTRANT_PROCESSES;
    if (work_is_for_flow(work))
        return ENTRANT_FLOW;
    if (work == WORK_PERMITS)
        return ENTRANT_SEMAPHORE;
    return work_is_for_pools(work) ? ENTRANT_POOL : ENTRANT_QUEUE;
}

static void
enter(struct contest *contest, const struct run *run, enum entrant_kind kind)
{
    contest->count = 0;
    for (size_t i = 0; i < run->entrants.count; i++) {
        const struct entrant *e = &run->entrants.all[i];

        /* Threads without a queue have nothing to say elsewhere. */
        if (e->side == ENTRANT_BARE && contest->bench->kind != WORK_COMPUTES)
            continue;
        if (e->present && e->kind == kind && is_wanted(run->options, e))
            contest->rows[contest->count++].who = e;
    }
}

/*
 * What the textbook can do, in items a second: the load of paced work is a part
 * of that, so that everyone is sent items at the same rate, whoever is fast.
 * Measured once for each shape, item size and capacity; 0: it could not be.
 */
static double reference_rate(struct run *run, const struct work *paced)
{
    static struct contest contest;
    static double rate;
    const struct work *last = &contest.work.work;
    struct entrant *textbook =
        entrants_find(&run->entrants, "textbook", ENTRANT_QUEUE);

    if (rate > 0 && last->producers == paced->producers &&
        last->consumers == paced->consumers &&
        last->capacity == paced->capacity &&
        last->item_size == paced->item_size)
        return rate;
    contest = (struct contest){.bench = bench_find("queue"), .count = 1};
    contest.work.work = *paced;
    contest.work.work.kind = WORK_PASS;
    contest.rows[0].who = textbook;
    bench_share_out(&contest.work.work,
                    run->options->smoke ? SMOKE_ITEMS : contest.bench->items);
    rate = contest_run(&contest, REFERENCE_ROUNDS, run->options)
               ? 1e9 / contest.rows[0].spread[FIGURE_WALL_NS].median
               : 0;
    return rate;
}

static bool set_rate(struct run *run, struct bench_work *work)
{
    uint64_t most;

    if (work->work.kind == WORK_COMPUTES)
        work->work.rate = machine_steps(work->work.span_us);
    if (!work->load)
        return true;
    work->work.rate =
        (uint64_t)(reference_rate(run, &work->work) * work->load / 100);
    most = work->work.rate * PACED_MS / 1000;
    if (!run->options->items && most < work->work.items)
        bench_share_out(&work->work, most);
    return work->work.rate > 0;
}

static uint64_t smoke_items(const struct work *work)
{
    switch (work->kind) {
    case WORK_PINGPONG:
        return SMOKE_TRIPS;
    case WORK_START:
        return SMOKE_STARTS;
    case WORK_BEHIND:
        return (uint64_t)SMOKE_BURSTS * WORK_BURST;
    case WORK_SLEEPS:
    case WORK_DEADLINES:
        return (uint64_t)SMOKE_ROUNDS * work->consumers;
    case WORK_CRASHES:
    case WORK_KILLS:
        return SMOKE_STARTS;
    case WORK_UNEVEN:
    case WORK_COMPUTES:
        return SMOKE_TRIPS;
    case WORK_REMOTE:
        return work->span_us > 0 ? SMOKE_STARTS : SMOKE_TRIPS;
    default:
        return work->capacity < 8 ? SMOKE_TRIPS : SMOKE_ITEMS;
    }
}

static void shrink(struct bench_work *work)
{
    uint64_t items = smoke_items(&work->work);

    if (work->work.items > items)
        bench_share_out(&work->work, items);
    if (work->work.kind == WORK_IDLE && work->work.span_us > SMOKE_IDLE_US)
        work->work.span_us = SMOKE_IDLE_US;
}

static void compete(struct run *run, const struct bench *bench,
                    const struct bench_work *work)
{
    struct contest *contest = &run->contests[run->count];

    *contest = (struct contest){.bench = bench, .work = *work};
    enter(contest, run, kind_for(bench->kind));
    if (contest->count == 0)
        return;
    if (run->options->smoke)
        shrink(&contest->work);
    if (!set_rate(run, &contest->work)) {
        run->failed = true;
        return;
    }
    if (!contest_run(contest, run->frame.rounds, run->options))
        run->failed = true;
    if (child_stop_signal())
        return;
    run->count++;
    for (size_t i = 0; i < contest->count; i++)
        if (contest->rows[i].state == ROW_FINE &&
            *report_doubt(&contest->rows[i], contest_figure(contest)))
            run->doubts++;
    if (run->table)
        table_contest(contest);
    if (run->json)
        json_contest(run->json, contest);
}

static void run_bench(struct run *run, const struct bench *bench)
{
    static struct bench_work works[MOST_WORKS];
    const struct options *options = run->options;
    size_t count = bench_works(bench, options->asked, options->items,
                               options->taken, options->bound, works);
    struct contest *more =
        realloc(run->contests, (run->count + count) * sizeof(*more));

    if (!more) {
        fprintf(stderr, "weir-bench: no memory for the figures\n");
        run->failed = true;
        return;
    }
    run->contests = more;
    if (run->table)
        table_bench(bench);
    for (size_t i = 0; i < count && !child_stop_signal(); i++)
        compete(run, bench, &works[i]);
}

/* ------------------------------------------------------------------- run */

static bool open_file(const char *name, const char *option, FILE **out)
{
    *out = strcmp(name, "-") == 0 ? stdout : fopen(name, "we");
    if (!*out)
        fprintf(stderr, "weir-bench: %s '%s': %s\n", option, name,
                strerror(errno));
    return *out != NULL;
}

static bool close_file(FILE *file, const char *name, const char *option)
{
    bool good = !file || (!ferror(file) && !fflush(file));

    if (file && file != stdout)
        good = !fclose(file) && good;
    if (!good)
        fprintf(stderr, "weir-bench: %s '%s': %s\n", option, name,
                strerror(errno));
    return good;
}

static void run_all(struct run *run)
{
    struct report_frame *frame = &run->frame;
    double foreign = 0, contests = 0;

    if (run->table)
        table_open(frame, &run->entrants);
    if (run->json)
        json_open(run->json, frame);
    for (size_t i = 0; i < run->options->bench_count; i++)
        if (!child_stop_signal())
            run_bench(run, run->options->benches[i]);
    for (size_t i = 0; i < run->count; i++)
        for (size_t r = 0; r < run->contests[i].count; r++) {
            foreign += run->contests[i].rows[r].foreign;
            contests++;
        }
    frame->foreign = contests > 0 ? foreign / contests : 0;
    frame->after = machine_trip(run->options->smoke);
    if (run->table)
        table_close(frame, run->doubts);
    if (run->json)
        json_close(run->json, frame);
    if (run->svg)
        svg_write(run->svg, frame, run->contests, run->count);
}

static int measure(const struct options *options)
{
    static struct run run;
    int status = 2;

    run.options = options;
    run.table = !options->json || strcmp(options->json, "-") != 0;
    child_catch_signals();
    if (!gather(&run) ||
        (options->json && !open_file(options->json, "--json", &run.json)) ||
        (options->svg && !open_file(options->svg, "--svg", &run.svg)))
        goto forget;
    run.frame = (struct report_frame){
        .machine = machine_look(),
        .before = machine_trip(options->smoke),
        .foreign_before = machine_foreign(options->smoke ? 0.05 : 0.5, -1),
        .rounds = options->smoke ? 1 : options->rounds};
    for (size_t i = 0; i < options->bench_count; i++)
        run.frame.takes_part[kind_for(options->benches[i]->kind)] = true;
    run_all(&run);
    if (!close_file(run.json, options->json, "--json") ||
        !close_file(run.svg, options->svg, "--svg"))
        run.failed = true;
    status = child_stop_signal() ? 128 + child_stop_signal() : run.failed;
forget:
    entrants_forget(&run.entrants);
    free(run.contests);
    return status;
}

static int run_benches(const struct options *options)
{
    int status = options->bench_count > 0 ? measure(options) : 0;
    int left = 0;

    if (options->hostile && status < 2)
        left = hostile_show(options);
    status = left > status ? left : status;
    left = 0;
    if (options->goodput && status < 2)
        left = goodput_show(options);
    return left > status ? left : status;
}

int main(int argc, char **argv)
{
    struct options options;

    switch (options_read(&options, argc, argv)) {
    case OPTIONS_LIST:
        return list();
    case OPTIONS_HELP:
        fputs(options_help, stdout);
        return 0;
    case OPTIONS_RUN:
        return run_benches(&options);
    default:
        return 2;
    }
}
