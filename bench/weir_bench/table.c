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
    return s->most > s->least * CONTEST_SPREAD ? "spread" : "";
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

        if (e->present && (e->pool ? frame->pools : frame->queues))
            printf("%-19s %s%s%s%s\n", e->id, e->name, *e->version ? " " : "",
                   e->version, e->bounded ? "" : ", unbounded");
    }
}

void table_bench(const struct bench *bench)
{
    bool paced = bench->kind == WORK_PACED;

    printf("\n%s\n\n%-16s %-19s %9s %9s %9s %9s %9s %9s %6s\n", bench->question,
           "work", "who", bench_figure(bench), "least", "most",
           paced ? "p50" : "CPU ns", paced ? "p99.9" : "switches", "textbook",
           "peer");
}

static void print_times(double times, int width)
{
    if (times > 0)
        printf(" %*.2f", width, times);
    else
        printf(" %*s", width, "-");
}

static void print_row(const struct contest *contest, const struct row *row)
{
    enum figure figure = contest_figure(contest);
    const struct spread *s = row->spread;
    double unit = contest->bench->kind == WORK_PACED ? 1000 : 1;

    if (row->state != ROW_FINE) {
        printf("%-16s %-19s %9s %s\n", contest->work.label, row->who->id, "-",
               row->why);
        return;
    }
    printf("%-16s %-19s %9.1f %9.1f %9.1f", contest->work.label, row->who->id,
           s[figure].median / unit, s[figure].least / unit,
           s[figure].most / unit);
    if (contest->bench->kind == WORK_PACED)
        printf(" %9.1f %9.1f", s[FIGURE_P50_NS].median / unit,
               s[FIGURE_P999_NS].median / unit);
    else
        printf(" %9.1f %9.4f", s[FIGURE_CPU_NS].median,
               s[FIGURE_SWITCHES].median);
    print_times(row->times_textbook, 9);
    print_times(row->times_peer, 6);
    printf("%s%s%s\n", row->who->bounded ? "" : " u",
           *report_doubt(row, figure) ? " " : "", report_doubt(row, figure));
}

void table_contest(const struct contest *contest)
{
    char absent[512];

    if (contest->work.work.rate)
        printf("%-16s %.3f million items a second\n", contest->work.label,
               (double)contest->work.work.rate / 1e6);
    for (size_t i = 0; i < contest->count; i++)
        if (contest->rows[i].state != ROW_ABSENT)
            print_row(contest, &contest->rows[i]);
    for (size_t i = 0; report_absent(contest, i, absent, sizeof(absent)); i++)
        printf("%-16s absent: %s\n", contest->work.label, absent);
    printf("\n");
    fflush(stdout);
}

void table_close(const struct report_frame *frame, unsigned doubts)
{
    printf("rounds in turns: %u; median, least and most of them; CPU and "
           "switches for each item.\ntextbook, peer: times as fast as the "
           "textbook, as the fastest bounded peer; u: unbounded.\n",
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
