/* SPDX-License-Identifier: MIT */
/* json.c - results as JSON Lines; bench/README.md has the fields. */
#include <stdio.h>
#include <time.h>

#include <weir/version.h>

#include "report.h"

static void put_text(FILE *to, const char *name, const char *text)
{
    fprintf(to, "\"%s\":\"", name);
    for (const char *c = text; *c; c++)
        if (*c == '"' || *c == '\\')
            fprintf(to, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            fprintf(to, "\\u%04x", (unsigned)*c);
        else
            fputc(*c, to);
    fputc('"', to);
}

static void put_trip(FILE *to, const struct machine_trip *trip)
{
    fprintf(to,
            ",\"line_round_trip_ns\":{\"median\":%.1f,\"least\":%.1f,"
            "\"most\":%.1f}",
            trip->median, trip->least, trip->most);
}

void json_open(FILE *to, const struct report_frame *frame)
{
    char started[32];
    time_t now = time(NULL);

    strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    fprintf(to, "{\"type\":\"run\",");
    put_text(to, "weir", weir_version());
    fprintf(to, ",\"started\":\"%s\",\"processors\":%u,", started,
            frame->machine.processors);
    put_text(to, "model", frame->machine.model);
    fputc(',', to);
    put_text(to, "kernel", frame->machine.kernel);
    fputc(',', to);
    put_text(to, "libc", frame->machine.libc);
    fputc(',', to);
    put_text(to, "compiler", frame->machine.compiler);
    put_trip(to, &frame->before);
    fprintf(to, ",\"foreign\":%.2f}\n", frame->foreign_before);
}

static void put_work(FILE *to, const struct contest *contest)
{
    const struct work *w = &contest->work.work;

    put_text(to, "bench", contest->bench->name);
    fputc(',', to);
    put_text(to, "work", contest->work.label);
    fputc(',', to);
    put_text(to, "kind", work_kind_name(w->kind));
    fprintf(to,
            ",\"producers\":%u,\"consumers\":%u,\"capacity\":%zu,"
            "\"item_size\":%zu,\"batch\":%zu,\"items\":%llu,\"rate\":%llu,"
            "\"bound\":%s,\"taken\":%s,\"span_ms\":%llu,"
            "\"span_us\":%llu,",
            w->producers, w->consumers, w->capacity, w->item_size, w->batch,
            (unsigned long long)w->items, (unsigned long long)w->rate,
            w->bound ? "true" : "false", contest->work.taken ? "true" : "false",
            (unsigned long long)w->span_us / 1000,
            (unsigned long long)w->span_us);
}

static void put_spread(FILE *to, const char *name, const struct row *row,
                       enum figure figure)
{
    const struct spread *s = &row->spread[figure];

    fprintf(to,
            ",\"%s\":{\"median\":%.4f,\"least\":%.4f,\"most\":%.4f,"
            "\"each\":[",
            name, s->median, s->least, s->most);
    for (unsigned i = 0; i < row->rounds; i++)
        fprintf(to, "%s%.4f", i ? "," : "", row->each[figure][i]);
    fprintf(to, "]}");
}

static bool has_figure(enum work_kind kind, enum figure figure)
{
    if (figure == FIGURE_OVER_NS)
        return kind == WORK_SLEEPS;
    return figure < FIGURE_OVER_NS || work_is_timed(kind);
}

static void
put_row(FILE *to, const struct contest *contest, const struct row *row)
{
    static const char *const types[] = {
        [ROW_FINE] = "row", [ROW_ABSENT] = "absent", [ROW_FAILED] = "failed"};
    static const char *const names[FIGURES] = {"wall_ns", "cpu_ns", "switches",
                                               "over_ns", "p50_ns", "p99_ns",
                                               "p999_ns", "max_ns"};

    fprintf(to, "{\"type\":\"%s\",", types[row->state]);
    put_work(to, contest);
    put_text(to, "contender", row->who->id);
    fputc(',', to);
    put_text(to, "name", row->who->name);
    fputc(',', to);
    put_text(to, "version", row->who->version);
    fprintf(to, ",\"bounded\":%s,\"native\":%s",
            row->who->bounded ? "true" : "false",
            row->who->native ? "true" : "false");
    if (row->state != ROW_FINE) {
        fputc(',', to);
        put_text(to, "why", row->why);
        fprintf(to, "}\n");
        return;
    }
    fprintf(to, ",\"rounds\":%u,\"figure\":\"%s\"", row->rounds,
            names[contest_figure(contest)]);
    for (int f = 0; f < FIGURES; f++)
        if (has_figure(contest->bench->kind, (enum figure)f))
            put_spread(to, names[f], row, (enum figure)f);
    fprintf(to, ",\"foreign\":%.2f", row->foreign);
    if (row->times_textbook > 0)
        fprintf(to, ",\"times_textbook\":%.3f", row->times_textbook);
    if (row->times_peer > 0)
        fprintf(to, ",\"times_peer\":%.3f", row->times_peer);
    if (row->times_bare > 0)
        fprintf(to, ",\"times_bare\":%.4f", row->times_bare);
    fputc(',', to);
    put_text(to, "doubt", report_doubt(row, contest_figure(contest)));
    fprintf(to, "}\n");
}

void json_contest(FILE *to, const struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++)
        put_row(to, contest, &contest->rows[i]);
    fflush(to);
}

void json_close(FILE *to, const struct report_frame *frame)
{
    fprintf(to, "{\"type\":\"end\",\"foreign\":%.2f", frame->foreign);
    put_trip(to, &frame->after);
    fprintf(to, "}\n");
}
