/* SPDX-License-Identifier: MIT */
/* table.c - results as lines to read. */
#include <string.h>

#include <weir/version.h>

#include "report.h"

const char *report_doubt(const struct row *row, enum figure figure)
{
    const struct spread *s = &row->spread[figure];

    if (row->foreign > CONTEST_FOREIGN)
        return "disturbed";
    return s->least > 0 && s->most > s->least * CONTEST_SPREAD ? "spread" : "";
}

/* Whether an earlier row is absent for the same reason. */
static bool is_said(const struct contest *contest, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (contest->rows[i].state == ROW_ABSENT &&
            strcmp(contest->rows[i].why, contest->rows[row].why) == 0)
            return true;
    return false;
}

bool report_absent(const struct contest *contest, size_t index, char *out,
                   size_t room)
{
    size_t first = 0, at = 0;

    for (; first < contest->count; first++)
        if (contest->rows[first].state == ROW_ABSENT &&
            !is_said(contest, first) && index-- == 0)
            break;
    for (size_t i = first; i < contest->count; i++) {
        const struct row *row = &contest->rows[i];

        if (strcmp(row->why, contest->rows[first].why) == 0 && at < room)
            at += (size_t)snprintf(out + at, room - at, "%s%s", at ? ", " : "",
                                   row->who->id);
    }
    if (at < room && first < contest->count)
        snprintf(out + at, room - at, " (%s)", contest->rows[first].why);
    return first < contest->count;
}

static void print_trip(const char *what, const struct machine_trip *trip)
{
    if (trip->median > 0)
        printf("%s%.0f ns (%.0f to %.0f)\n", what, trip->median, trip->least,
               trip->most);
    else
        printf("%snot known: there is but one processor\n", what);
}

void table_open(const struct report_frame *frame, const struct entrants *who)
{
    printf("%s, %u processors; %s; %s; %s\n", frame->machine.model,
           frame->machine.processors, frame->machine.kernel,
           frame->machine.libc, frame->machine.compiler);
    print_trip("a cache line from one processor to another and back: ",
               &frame->before);
    printf("others use %.2f of a processor%s\n", frame->foreign_before,
           frame->foreign_before > CONTEST_FOREIGN
               ? ": warning: figures will be disturbed"
               : "");
    for (size_t i = 0; i < who->count; i++) {
        const struct entrant *e = &who->all[i];

        if (e->present && frame->takes_part[e->kind])
            printf("%-19s %s%s%s%s\n", e->id, e->name, *e->version ? " " : "",
                   e->version, e->bounded ? "" : ", unbounded");
    }
}

void table_bench(const struct bench *bench)
{
    const struct column *of = bench_columns(bench->kind)->of;

    printf("\n%s\n\n%-18s %-19s %9s %9s %9s %9s %9s %9s %6s\n", bench->question,
           "work", "who", of[0].name, "least", "most", of[1].name, of[2].name,
           "textbook", "peer");
}

static void print_times(double times, int width)
{
    if (times > 0)
        printf(" %*.2f", width, times);
    else
        printf(" %*s", width, "-");
}

static void print_figure(const struct column *column, double value)
{
    printf(" %9.*f", column->decimals, value / column->unit);
}

static void print_row(const struct contest *contest, const struct row *row)
{
    const struct column *of = bench_columns(contest->bench->kind)->of;
    const struct spread *first = &row->spread[of[0].figure];
    const char *doubt;

    if (row->state != ROW_FINE) {
        printf("%-18s %-19s %9s %s\n", contest->work.label, row->who->id, "-",
               row->why);
        return;
    }
    printf("%-18s %-19s", contest->work.label, row->who->id);
    print_figure(&of[0], first->median);
    print_figure(&of[0], first->least);
    print_figure(&of[0], first->most);
    for (int i = 1; i < 3; i++)
        print_figure(&of[i], row->spread[of[i].figure].median);
    print_times(row->times_textbook, 9);
    print_times(row->times_peer, 6);
    doubt = report_doubt(row, of[0].figure);
    printf("%s%s%s\n", row->who->bounded ? "" : " u", *doubt ? " " : "", doubt);
}

/* Of each figure that is about speed, the least among those peers. */
static void print_best(const struct contest *contest, enum among among)
{
    const struct column *of = bench_columns(contest->bench->kind)->of;
    int count = work_is_timed(contest->bench->kind) ? 3 : 1;

    for (int i = 0; i < count; i++) {
        const struct row *best = contest_best(contest, of[i].figure, among);

        if (best)
            printf("%s %s %.*f %s", i ? "," : "", of[i].name, of[i].decimals,
                   best->spread[of[i].figure].median / of[i].unit,
                   best->who->id);
    }
}

static void print_bests(const struct contest *contest)
{
    enum figure figure = contest_figure(contest);

    if (!contest_best(contest, figure, AMONG_ALL_PEERS))
        return;
    printf("%-18s the least of all peers:", contest->work.label);
    print_best(contest, AMONG_ALL_PEERS);
    if (contest_best(contest, figure, AMONG_NATIVE_PEERS)) {
        printf("; in C or C++:");
        print_best(contest, AMONG_NATIVE_PEERS);
    }
    printf("\n");
}

/* The figure of the row of `id`; 0: it has none. */
static double wall_of(const struct contest *contest, const char *id)
{
    for (size_t i = 0; i < contest->count; i++)
        if (contest->rows[i].state == ROW_FINE &&
            strcmp(contest->rows[i].who->id, id) == 0)
            return contest->rows[i].spread[FIGURE_WALL_NS].median;
    return 0;
}

/* Those that take part as weir with something on, less the one without. */
static void print_what_is_added(const struct contest *contest)
{
    static const char *const options[] = {"timeouts", "events", "histograms"};
    double without = wall_of(contest, "weir");

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        char id[32];
        double with;

        snprintf(id, sizeof(id), "weir-%s", options[i]);
        with = wall_of(contest, id);
        if (with > 0 && without > 0)
            printf("%-18s %s add %.1f ns to a task of weir's, %.0f %%\n",
                   contest->work.label, options[i], with - without,
                   (with / without - 1) * 100);
    }
}

/* What is left of the speed of threads without a queue. */
static void print_efficiency(const struct contest *contest)
{
    const char *between = "as fast as bare threads:";

    for (size_t i = 0; i < contest->count; i++) {
        const struct row *row = &contest->rows[i];

        if (row->state != ROW_FINE || row->times_bare <= 0 ||
            row->who->side == ENTRANT_BARE)
            continue;
        if (*between == 'a')
            printf("%-18s", contest->work.label);
        printf(" %s %s %.1f %%", between, row->who->id, row->times_bare * 100);
        between = ",";
    }
    if (*between != 'a')
        printf("\n");
}

void table_contest(const struct contest *contest)
{
    char absent[512];

    if (contest->work.load)
        printf("%-18s %.3f million items a second\n", contest->work.label,
               (double)contest->work.work.rate / 1e6);
    for (size_t i = 0; i < contest->count; i++)
        if (contest->rows[i].state != ROW_ABSENT)
            print_row(contest, &contest->rows[i]);
    if (contest->bench->kind >= WORK_TASKS && contest->bench->kind != WORK_IDLE)
        print_bests(contest);
    if (contest->bench->kind == WORK_TASKS)
        print_what_is_added(contest);
    if (contest->bench->kind == WORK_COMPUTES)
        print_efficiency(contest);
    for (size_t i = 0; report_absent(contest, i, absent, sizeof(absent)); i++)
        printf("%-18s absent: %s\n", contest->work.label, absent);
    printf("\n");
    fflush(stdout);
}

void table_close(const struct report_frame *frame, unsigned doubts)
{
    printf("rounds in turns: %u; median, least and most of them; CPU and "
           "switches for each item.\ntextbook, peer: times as fast as the "
           "textbook, as the fastest peer (bounded, where room matters); u: "
           "unbounded.\n",
           frame->rounds);
    printf("others used %.2f of a processor; ", frame->foreign);
    print_trip("a cache line there and back at the end: ", &frame->after);
    if (frame->after.median > 2 * frame->before.median ||
        frame->before.median > 2 * frame->after.median)
        printf("warning: that was %.0f ns at the start: the host has moved the "
               "processors; compare only within a work\n",
               frame->before.median);
    if (doubts)
        printf("warning: %u rows are doubtful: disturbed, others used more "
               "than %.1f of a processor; spread, the\nslowest round took "
               "more than %.0f times as long as the fastest\n",
               doubts, CONTEST_FOREIGN, CONTEST_SPREAD);
}
