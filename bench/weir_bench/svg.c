/* SPDX-License-Identifier: MIT */
/*
 * svg.c - results as a plot.
 *
 * A panel for each bench, titled by its question; in it a group for each work
 * and a bar for each contender, the fastest first.  A bar is the median, its
 * whisker the least and the most.  Where the figures of a panel are far apart
 * the scale is logarithmic, and says so.  Colours follow the reader's: light,
 * or dark.
 */
#include <math.h>
#include <string.h>

#include <weir/version.h>

#include "report.h"

enum {
    WIDTH = 960,
    LEFT = 190,  /* of the bars: names stand there */
    RIGHT = 880, /* of the bars: figures stand behind it */
    MARGIN = 24,
    BAR = 18,   /* from one bar to the next */
    GROUP = 30, /* a group's name and the gap above it */
    HEAD = 66,  /* a panel's title and what it shows */
    FOOT = 44,  /* the scale below it */
    END = 34    /* the machine */
};

/* Beyond this from the least to the most a linear scale hides the least. */
#define FAR_APART 20.0

struct panel {
    const struct contest *contests;
    size_t count;
    double least, most; /* of the scale; in `unit` nanoseconds */
    double unit;
    bool logarithmic;
};

/* clang-format off */
static const char style[] =
"<style>\n"
"  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans',"
" sans-serif; fill: #1d2329 }\n"
"  .page { fill: #ffffff }\n"
"  .title { font-size: 17px; font-weight: 600 }\n"
"  .group { font-weight: 600 }\n"
"  .faint { fill: #5b6670; font-size: 12px }\n"
"  .grid { stroke: #d9dee3; stroke-width: 1 }\n"
"  .whisker { stroke: #1d2329; stroke-width: 1.2; fill: none }\n"
"  .weir { fill: #2368d8 } .own { fill: #d9730d }\n"
"  .textbook { fill: #7c8792 } .peer { fill: #a9bccb }\n"
"  @media (prefers-color-scheme: dark) {\n"
"    text { fill: #e6e9ec } .page { fill: #12161a }\n"
"    .faint { fill: #9aa5af } .grid { stroke: #2c343b }\n"
"    .whisker { stroke: #e6e9ec }\n"
"    .weir { fill: #5c9dff } .own { fill: #ffa94d }\n"
"    .textbook { fill: #8d99a4 } .peer { fill: #4d6273 }\n"
"  }\n"
"</style>\n";
/* clang-format on */

static const char *const classes[] = {[ENTRANT_WEIR] = "weir",
                                      [ENTRANT_TEXTBOOK] = "textbook",
                                      [ENTRANT_PEER] = "peer",
                                      [ENTRANT_BARE] = "textbook",
                                      [ENTRANT_OWN] = "own"};

/* ------------------------------------------------------------------ scale */

static const struct spread *
figure_of(const struct contest *contest, const struct row *row)
{
    return &row->spread[contest_figure(contest)];
}

/* Takes in the contests of one bench, which stand together. */
static struct panel measure_panel(const struct contest *contests, size_t count)
{
    struct panel panel = {.contests = contests, .least = INFINITY};

    while (panel.count < count &&
           contests[panel.count].bench == contests->bench)
        panel.count++;
    panel.unit = bench_columns(contests->bench->kind)->of[0].unit;
    for (size_t i = 0; i < panel.count; i++)
        for (size_t r = 0; r < contests[i].count; r++) {
            const struct row *row = &contests[i].rows[r];
            const struct spread *s = figure_of(&contests[i], row);

            if (row->state != ROW_FINE)
                continue;
            panel.least = fmin(panel.least, fmax(s->least, 0.1) / panel.unit);
            panel.most = fmax(panel.most, s->most / panel.unit);
        }
    panel.logarithmic = panel.most > panel.least * FAR_APART;
    panel.least = panel.logarithmic ? pow(10, floor(log10(panel.least))) : 0;
    panel.most = fmax(panel.most, 1e-3);
    return panel;
}

static double x_of(const struct panel *panel, double value)
{
    double share = value / panel->most;

    if (panel->logarithmic)
        share = log(fmax(value, panel->least) / panel->least) /
                log(panel->most / panel->least);
    return LEFT + share * (RIGHT - LEFT);
}

/* The lines of a group: a bar each, and one for each reason to be absent. */
static size_t lines_of(const struct contest *contest)
{
    char ignored[8];
    size_t lines = 0;

    while (report_absent(contest, lines, ignored, sizeof(ignored)))
        lines++;
    for (size_t i = 0; i < contest->count; i++)
        lines += contest->rows[i].state != ROW_ABSENT;
    return lines;
}

static double height_of(const struct panel *panel)
{
    double height = HEAD + FOOT;

    for (size_t i = 0; i < panel->count; i++)
        height += GROUP + BAR * (double)lines_of(&panel->contests[i]);
    return height;
}

/* A round step of a linear scale: about six of them. */
static double step_of(double most)
{
    double power = pow(10, floor(log10(most / 6)));
    double steps = most / 6 / power;

    return power * (steps < 1.5 ? 1 : steps < 3.5 ? 2 : steps < 7.5 ? 5 : 10);
}

/* ---------------------------------------------------------------- drawing */

static void
text(FILE *to, double x, double y, const char *attributes, const char *what)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    for (const char *c = what; *c; c++)
        if (*c == '<' || *c == '&')
            fputs(*c == '<' ? "&lt;" : "&amp;", to);
        else
            fputc(*c, to);
    fputs("</text>\n", to);
}

static void draw_mark(FILE *to, const struct panel *panel, double value,
                      double top, double bottom)
{
    double x = x_of(panel, value);
    char figure[32];

    snprintf(figure, sizeof(figure), "%g", value);
    fprintf(to,
            "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
            "y2=\"%.1f\"/>\n",
            x, x, top, bottom);
    text(to, x, bottom + 16, "class=\"faint\" text-anchor=\"middle\"", figure);
}

static void
draw_scale(FILE *to, const struct panel *panel, double top, double bottom)
{
    double value = panel->least;
    bool fine = panel->most < 1000 * panel->least; /* 1, 2, 5, 10 ... */

    if (!panel->logarithmic) {
        double step = step_of(panel->most);

        for (int i = 0; i * step <= panel->most; i++)
            draw_mark(to, panel, i * step, top, bottom);
        return;
    }
    for (; value <= panel->most; value *= 10)
        for (int i = 1; i <= (fine ? 5 : 1); i += i == 1 ? 1 : 3)
            if (i * value <= panel->most)
                draw_mark(to, panel, i * value, top, bottom);
}

static void
draw_bar(FILE *to, const struct panel *panel, const struct contest *contest,
         const struct row *row, double y)
{
    const struct spread *s = figure_of(contest, row);
    double median = s->median / panel->unit, end = x_of(panel, median);
    double least = x_of(panel, s->least / panel->unit);
    double most = x_of(panel, s->most / panel->unit);
    char figure[48];

    fprintf(to,
            "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%d\" rx=\"2\"/>\n",
            classes[row->who->side], LEFT, y + 3, fmax(end - LEFT, 1), BAR - 5);
    fprintf(to,
            "<path class=\"whisker\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv6M%.1f "
            "%.1fv6\"/>\n",
            least, y + 9.5, most, least, y + 6.5, most, y + 6.5);
    snprintf(figure, sizeof(figure), "%.*f%s", median < 100 ? 1 : 0, median,
             *report_doubt(row, contest_figure(contest)) ? " ?" : "");
    text(to, fmax(end, most) + 6, y + 14, "class=\"faint\"", figure);
}

static void
draw_row(FILE *to, const struct panel *panel, const struct contest *contest,
         const struct row *row, double y)
{
    char name[80];

    snprintf(name, sizeof(name), "%s%s", row->who->id,
             row->who->bounded ? "" : " (u)");
    text(to, LEFT - 8, y + 14, "text-anchor=\"end\"", name);
    if (row->state == ROW_FINE) {
        draw_bar(to, panel, contest, row, y);
    } else {
        snprintf(name, sizeof(name), "failed: %.60s", row->why);
        text(to, LEFT + 6, y + 14, "class=\"faint\"", name);
    }
}

static double draw_group(FILE *to, const struct panel *panel,
                         const struct contest *contest, double y)
{
    char absent[512];

    for (size_t r = 0; r < contest->count; r++)
        if (contest->rows[r].state != ROW_ABSENT) {
            draw_row(to, panel, contest, &contest->rows[r], y);
            y += BAR;
        }
    for (size_t i = 0; report_absent(contest, i, absent, sizeof(absent)); i++) {
        text(to, LEFT - 8, y + 14, "class=\"faint\" text-anchor=\"end\"",
             "absent:");
        text(to, LEFT, y + 14, "class=\"faint\"", absent);
        y += BAR;
    }
    return y;
}

/* Draws a panel from `y` down; returns where it ends. */
static double draw_panel(FILE *to, const struct panel *panel, double y)
{
    const struct bench *bench = panel->contests->bench;
    double bottom = y + height_of(panel) - FOOT;
    char shows[96];

    snprintf(shows, sizeof(shows),
             "%s, less is better%s; whisker: least and "
             "most round",
             bench_columns(bench->kind)->of[0].name,
             panel->logarithmic ? "; logarithmic scale" : "");
    text(to, MARGIN, y + 26, "class=\"title\"", bench->question);
    text(to, MARGIN, y + 46, "class=\"faint\"", shows);
    y += HEAD;
    draw_scale(to, panel, y, bottom);
    for (size_t i = 0; i < panel->count; i++) {
        const struct contest *contest = &panel->contests[i];

        text(to, MARGIN, y + 22, "class=\"group\"", contest->work.label);
        y += GROUP;
        y = draw_group(to, panel, contest, y);
    }
    return y + FOOT;
}

void svg_write(FILE *to, const struct report_frame *frame,
               const struct contest *contests, size_t count)
{
    double height = END, y = 0;
    char machine[320];

    for (size_t i = 0; i < count;) {
        struct panel panel = measure_panel(contests + i, count - i);

        height += height_of(&panel);
        i += panel.count;
    }
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
            "height=\"%.0f\" viewBox=\"0 0 %d %.0f\">\n%s"
            "<rect class=\"page\" width=\"%d\" height=\"%.0f\"/>\n",
            WIDTH, height, WIDTH, height, style, WIDTH, height);
    for (size_t i = 0; i < count;) {
        struct panel panel = measure_panel(contests + i, count - i);

        y = draw_panel(to, &panel, y);
        i += panel.count;
    }
    snprintf(machine, sizeof(machine),
             "%s, %u processors, %s, weir %s; a cache line there and back "
             "%.0f ns; rounds: %u; (u): unbounded; ?: doubtful",
             frame->machine.model, frame->machine.processors,
             frame->machine.kernel, weir_version(), frame->before.median,
             frame->rounds);
    text(to, MARGIN, y + 16, "class=\"faint\"", machine);
    fputs("</svg>\n", to);
}
