/* SPDX-License-Identifier: MIT */
/*
 * picture.c - a tape as a drawing.
 *
 *   name    ▁▂▅▇▅▂▁▁▂   how much waited, the most in each step
 *   0       ██ ███ ██   a row for each worker: its attempts, by outcome
 *   1       ███  █ ███
 *   waits    ▄▄▄  ▄     a row for each producer that waits at the same time
 *
 * Lengths are counted in hundredths of a unit, as whole numbers.  Attempts of
 * one row and one colour with less than a tenth of a unit between them are
 * drawn as one, but for wide ones, so that the size of the drawing is bounded
 * whatever happened.
 */
#include <weir/picture.h>

#include <inttypes.h>

#include <weir/deadline.h>
#include <weir/task.h>

#include "base/fault.h"
#include "base/trap.h"
#include "edge/tape.h"
#include "edge/words.h"

enum {
    WIDTH = 1000,
    LEFT = 90, /* of what is drawn */
    RIGHT = 20,
    TOP = 64,
    UNIT = 100,
    CLOSE_BY = 10, /* hundredths: not to be told apart */
    WIDE = 250,    /* the same: to be told from what follows, by a gap */
    GAP = 60,
    DEPTH_HIGH = 54,
    DEPTH_STEPS = 890, /* of a unit each */
    ROW_HIGH = 14,
    ROW_STEP = 17,
    WAIT_HIGH = 6,
    WAIT_STEP = 8,
    MOST_DRAWN = 16,
    MOST_LANES_DRAWN = 48,
    MOST_WAITS_DRAWN = 12
};

struct picture {
    struct weir__words words;
    const struct weir__tape *tape;
    int64_t from_ns, to_ns;
    int y; /* the next free */
};

/* One pool or queue, and what there is to draw of it. */
struct part {
    uint16_t source;
    uint32_t rows, wait_rows; /* that there are */
    uint64_t attempts, waits;
    int64_t deepest;
    bool has_depth;
};

static const struct weir__escape xml_escapes[] = {{'&', "&amp;"},
                                                  {'<', "&lt;"},
                                                  {'>', "&gt;"},
                                                  {'"', "&quot;"}};

/* Each colour twice, rather than by variables: not all that draws SVG knows
 * those. */
static const char picture_style[] =
    "<style>\n"
    "text{font:12px system-ui,sans-serif}.m{font-size:11px}\n"
    ".h{font-weight:600;font-size:13px}.e{text-anchor:end}\n"
    ".c{text-anchor:middle}.r{opacity:.45}.d{opacity:.75}\n"
    ".p{fill:#ffffff}text{fill:#1c2126}.m{fill:#5d6872}.r{fill:#dfe4e8}\n"
    ".l{stroke:#dfe4e8}.d{fill:#2f6f9f}.ok{fill:#3a9464}\n"
    ".bad{fill:#d9822b}.late{fill:#c23b3b}.try{fill:#c9a227}\n"
    ".off{fill:#8b95a0}.on{fill:#6b8fd6}.wait{fill:#8e5cc2}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".p{fill:#14181c}text{fill:#e6eaee}.m{fill:#9aa5b0}.r{fill:#2b333b}\n"
    ".l{stroke:#2b333b}.d{fill:#6db3e3}.ok{fill:#4fb583}\n"
    ".bad{fill:#ef9f4a}.late{fill:#ee6a6a}.try{fill:#e0be4d}\n"
    ".off{fill:#707b86}.on{fill:#86a8ea}.wait{fill:#b58ae6}\n"
    "}\n"
    "</style>\n";

/* By how it ended: the class above, and how the legend calls it. */
static const struct {
    const char *name, *words;
} sorts[] = {{"ok", "done"},
             {"bad", "failed"},
             {"late", "timed out, crashed, exited"},
             {"try", "retried"},
             {"off", "cancelled and the like"},
             {"on", "still runs"},
             {"wait", "producer waits"}};

static const char *sort_of(const struct weir__span *span)
{
    switch (span->how) {
    case WEIR_OUTCOME_DONE:
        return "ok";
    case WEIR_OUTCOME_FAILED:
        return "bad";
    case WEIR_OUTCOME_TIMED_OUT:
    case WEIR_OUTCOME_CRASHED:
    case WEIR_OUTCOME_EXITED:
        return "late";
    case WEIR__SPAN_RETRIED:
        return "try";
    case WEIR__SPAN_OPEN:
        return "on";
    case WEIR__SPAN_WAIT:
        return "wait";
    default:
        return "off";
    }
}

/* ------------------------------------------------------------------ figures */

/* Hundredths of a unit from the left edge. */
static int64_t place(const struct picture *picture, int64_t at_ns)
{
    double whole = (double)(picture->to_ns - picture->from_ns);
    double share = (double)(at_ns - picture->from_ns) / whole;

    share = share < 0 ? 0 : share > 1 ? 1 : share; /* what came late */
    return (int64_t)LEFT * UNIT +
           (int64_t)(share * (WIDTH - LEFT - RIGHT) * UNIT);
}

static void
say_length(struct picture *picture, const char *name, int64_t hundredths)
{
    weir__words_say(&picture->words, " %s=\"", name);
    weir__words_decimal(&picture->words, hundredths, 2);
    weir__words_say(&picture->words, "\"");
}

static void say_duration(struct picture *picture, int64_t ns)
{
    if (ns == 0) {
        weir__words_say(&picture->words, "0");
    } else if (ns >= WEIR_SECONDS(1)) {
        weir__words_decimal(&picture->words, ns / 10000000, 2);
        weir__words_say(&picture->words, " s");
    } else if (ns >= WEIR_MS(1)) {
        weir__words_decimal(&picture->words, ns / 10000, 2);
        weir__words_say(&picture->words, " ms");
    } else {
        weir__words_decimal(&picture->words, ns / 10, 2);
        weir__words_say(&picture->words, " us");
    }
}

static void draw_box(struct picture *picture, const char *sort, int64_t from,
                     int64_t to, int y, int high)
{
    if (to < from + CLOSE_BY)
        to = from + CLOSE_BY;
    else if (to - from >= WIDE)
        to -= GAP;
    weir__words_say(&picture->words,
                    "<rect class=\"%s\" y=\"%d\" "
                    "height=\"%d\"",
                    sort, y, high);
    say_length(picture, "x", from);
    say_length(picture, "width", to - from);
    weir__words_say(&picture->words, "/>\n");
}

/* --------------------------------------------------------------------- rows */

/* The spans of a row, those close by joined. */
static void draw_row(struct picture *picture, const struct weir__span *spans,
                     size_t count, const struct weir__span *like, int high)
{
    const char *sort = NULL;
    int64_t from = 0, to = 0;

    for (size_t i = 0; i < count; i++) {
        const struct weir__span *span = &spans[i];
        const char *its;
        int64_t begins, ends;

        if (span->source != like->source || span->lane != like->lane ||
            span->has_worker != like->has_worker)
            continue;
        its = sort_of(span);
        begins = place(picture, span->from_ns);
        ends = place(picture, span->to_ns);
        if (sort && (its != sort || begins > to + CLOSE_BY ||
                     (to - from >= WIDE && ends - begins >= WIDE))) {
            draw_box(picture, sort, from, to, picture->y, high);
            sort = NULL;
        }
        if (!sort) {
            sort = its;
            from = begins;
        }
        to = ends;
    }
    if (sort)
        draw_box(picture, sort, from, to, picture->y, high);
}

static void
draw_label(struct picture *picture, int y, const char *name, uint32_t number)
{
    weir__words_say(&picture->words,
                    "<text class=\"m e\" x=\"%d\" y=\"%d\">%s %u</text>\n",
                    LEFT - 8, y, name, (unsigned)number);
}

static void draw_workers(struct picture *picture, const struct part *part)
{
    struct weir__span like = {.source = part->source, .has_worker = true};

    for (uint32_t row = 0; row < part->rows && row < MOST_LANES_DRAWN; row++) {
        like.lane = row;
        draw_label(picture, picture->y + 11, "worker", row);
        weir__words_say(&picture->words,
                        "<rect class=\"r\" x=\"%d\" y=\"%d\" width=\"%d\" "
                        "height=\"%d\"/>\n",
                        LEFT, picture->y, WIDTH - LEFT - RIGHT, ROW_HIGH);
        draw_row(picture, picture->tape->attempts, picture->tape->attempt_count,
                 &like, ROW_HIGH);
        picture->y += ROW_STEP;
    }
    if (part->rows > MOST_LANES_DRAWN) {
        weir__words_say(&picture->words,
                        "<text class=\"m\" x=\"%d\" y=\"%d\">and %u workers "
                        "more</text>\n",
                        LEFT, picture->y + 11,
                        (unsigned)part->rows - MOST_LANES_DRAWN);
        picture->y += ROW_STEP;
    }
}

static void draw_waits(struct picture *picture, const struct part *part)
{
    struct weir__span like = {.source = part->source};

    if (part->wait_rows == 0)
        return;
    picture->y += 4;
    weir__words_say(&picture->words,
                    "<text class=\"m e\" x=\"%d\" y=\"%d\">blocked</text>\n",
                    LEFT - 8, picture->y + 8);
    for (uint32_t row = 0; row < part->wait_rows && row < MOST_WAITS_DRAWN;
         row++) {
        like.lane = row;
        draw_row(picture, picture->tape->waits, picture->tape->wait_count,
                 &like, WAIT_HIGH);
        picture->y += WAIT_STEP;
    }
}

/* -------------------------------------------------------------------- depth */

/* The most in each step; what it was before holds on. */
static void find_depths(const struct picture *picture, const struct part *part,
                        int64_t *steps)
{
    int64_t now = 0;
    size_t step = 0;

    for (size_t i = 0; i < picture->tape->depth_count; i++) {
        const struct weir__depth *depth = &picture->tape->depths[i];
        size_t at;

        if (depth->source != part->source)
            continue;
        at = (size_t)((place(picture, depth->at_ns) / UNIT) - LEFT);
        if (at >= DEPTH_STEPS)
            at = DEPTH_STEPS - 1;
        while (step < at)
            steps[++step] = now;
        now = depth->depth;
        if (now > steps[step])
            steps[step] = now;
    }
    while (step < DEPTH_STEPS - 1)
        steps[++step] = now;
}

static void
draw_depth(struct picture *picture, const struct part *part, int64_t *steps)
{
    int bottom = picture->y + DEPTH_HIGH;

    for (size_t i = 0; i < DEPTH_STEPS; i++)
        steps[i] = 0;
    find_depths(picture, part, steps);
    weir__words_say(&picture->words, "<path class=\"d\" d=\"M%d %d", LEFT,
                    bottom);
    for (size_t i = 0; i < DEPTH_STEPS; i++) {
        if (i > 0 && steps[i] == steps[i - 1])
            continue;
        weir__words_say(&picture->words, "H%d V", LEFT + (int)i);
        weir__words_decimal(&picture->words,
                            (int64_t)bottom * UNIT -
                                steps[i] * DEPTH_HIGH * UNIT / part->deepest,
                            2);
    }
    weir__words_say(&picture->words, "H%d V%d Z\"/>\n", WIDTH - RIGHT, bottom);
    weir__words_say(&picture->words,
                    "<path class=\"l\" d=\"M%d %d H%d\"/>\n"
                    "<text class=\"m e\" x=\"%d\" y=\"%d\">%" PRId64
                    "</text>\n<text class=\"m e\" x=\"%d\" y=\"%d\">"
                    "waiting</text>\n",
                    LEFT, bottom, WIDTH - RIGHT, LEFT - 8, picture->y + 9,
                    part->deepest, LEFT - 8, bottom);
    picture->y = bottom + 8;
}

/* -------------------------------------------------------------------- parts */

static void look_at_part(const struct weir__tape *tape, struct part *part)
{
    for (size_t i = 0; i < tape->attempt_count; i++) {
        const struct weir__span *span = &tape->attempts[i];

        if (span->source != part->source)
            continue;
        part->attempts++;
        if (span->has_worker && span->lane >= part->rows)
            part->rows = span->lane + 1;
    }
    for (size_t i = 0; i < tape->wait_count; i++)
        if (tape->waits[i].source == part->source) {
            part->waits++;
            if (tape->waits[i].lane >= part->wait_rows)
                part->wait_rows = tape->waits[i].lane + 1;
        }
    part->deepest = 1;
    for (size_t i = 0; i < tape->depth_count; i++)
        if (tape->depths[i].source == part->source) {
            part->has_depth = true;
            if (tape->depths[i].depth > part->deepest)
                part->deepest = tape->depths[i].depth;
        }
}

static int height_of(const struct part *part)
{
    uint32_t rows =
        part->rows > MOST_LANES_DRAWN ? MOST_LANES_DRAWN + 1 : part->rows;
    uint32_t waits =
        part->wait_rows > MOST_WAITS_DRAWN ? MOST_WAITS_DRAWN : part->wait_rows;

    return 30 + (part->has_depth ? DEPTH_HIGH + 8 : 0) + (int)rows * ROW_STEP +
           (waits > 0 ? 4 : 0) + (int)waits * WAIT_STEP + 12;
}

static void
draw_part(struct picture *picture, const struct part *part, int64_t *steps)
{
    const weir_event_source *source = &picture->tape->sources[part->source];
    char name[WEIR__TAPE_NAME];

    weir__tape_name(picture->tape, part->source, name);
    weir__words_say(&picture->words, "<text class=\"h\" x=\"%d\" y=\"%d\">",
                    LEFT, picture->y + 16);
    weir__words_quote(&picture->words, name, xml_escapes,
                      sizeof(xml_escapes) / sizeof(xml_escapes[0]));
    weir__words_say(&picture->words,
                    "<tspan class=\"m\" dx=\"10\" font-weight=\"400\">%" PRIu64
                    " attempts, %" PRIu64 " waits for room, capacity %" PRIu64
                    "</tspan></text>\n",
                    part->attempts, part->waits, source->capacity);
    picture->y += 30;
    if (part->has_depth)
        draw_depth(picture, part, steps);
    draw_workers(picture, part);
    draw_waits(picture, part);
    picture->y += 12;
}

/* Those of which there is something, in the order of their numbers. */
static size_t find_parts(const struct weir__tape *tape, struct part *parts)
{
    bool met[WEIR_EVENTS_MOST_SOURCES] = {false};
    size_t count = 0;

    for (size_t i = 0; i < tape->count; i++)
        met[tape->records[i].source % WEIR_EVENTS_MOST_SOURCES] = true;
    for (size_t i = 0; i < WEIR_EVENTS_MOST_SOURCES; i++)
        if (met[i] && count < MOST_DRAWN) {
            parts[count] = (struct part){.source = (uint16_t)i};
            look_at_part(tape, &parts[count]);
            count++;
        }
    return count;
}

/* -------------------------------------------------------------------- frame */

static void draw_frame(struct picture *picture, int height)
{
    struct weir__words *words = &picture->words;

    weir__words_say(words,
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"w\" "
                    "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                    "role=\"img\">\n<title>What happened</title>\n%s"
                    "<rect class=\"p\" width=\"%d\" height=\"%d\"/>\n",
                    WIDTH, height, WIDTH, height, picture_style, WIDTH, height);
    for (size_t i = 0, x = LEFT; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        static const int wide[] = {56, 60, 178, 66, 148, 74, 0};

        weir__words_say(words,
                        "<rect class=\"%s\" x=\"%d\" y=\"10\" width=\"10\" "
                        "height=\"10\" rx=\"2\"/><text class=\"m\" x=\"%d\" "
                        "y=\"19\">%s</text>\n",
                        sorts[i].name, (int)x, (int)x + 14, sorts[i].words);
        x += (size_t)wide[i];
    }
}

/* Five marks of time, and lines down from them. */
static void draw_times(struct picture *picture, int height)
{
    int64_t whole_ns = picture->to_ns - picture->from_ns;

    for (int i = 0; i <= 4; i++) {
        int x = LEFT + (WIDTH - LEFT - RIGHT) * i / 4;

        weir__words_say(&picture->words,
                        "<path class=\"l\" d=\"M%d 52 V%d\"/>"
                        "<text class=\"m %s\" x=\"%d\" y=\"46\">",
                        x, height - 8,
                        i == 0   ? ""
                        : i == 4 ? "e"
                                 : "c",
                        x);
        say_duration(picture, whole_ns * i / 4);
        weir__words_say(&picture->words, "</text>\n");
    }
}

static void draw_all(struct picture *picture, const struct part *parts,
                     size_t count, int64_t *steps)
{
    int height = TOP + 12;

    for (size_t i = 0; i < count; i++)
        height += height_of(&parts[i]);
    if (picture->tape->lost > 0)
        height += 20;
    draw_frame(picture, height);
    draw_times(picture, height);
    picture->y = TOP - 8;
    for (size_t i = 0; i < count; i++)
        draw_part(picture, &parts[i], steps);
    if (picture->tape->lost > 0)
        weir__words_say(&picture->words,
                        "<text class=\"m\" x=\"%d\" y=\"%d\">%" PRIu64
                        " older records are lost</text>\n",
                        LEFT, picture->y + 12, picture->tape->lost);
    weir__words_say(&picture->words, "</svg>\n");
}

weir_status weir_picture_write(const weir_events *events, int fd)
{
    WEIR__UNTRAPPED;
    struct picture picture = {0};
    struct part parts[MOST_DRAWN];
    struct weir__tape *tape;
    weir_status status = weir__tape_read(&tape, events);
    int64_t *steps;

    if (status)
        return status;
    steps = weir__allocate_many(DEPTH_STEPS, sizeof(*steps));
    if (!steps) {
        weir__tape_destroy(tape);
        return weir__tape_no_memory();
    }
    weir__words_open(&picture.words, fd);
    picture.tape = tape;
    picture.from_ns = tape->count > 0 ? tape->records[0].at_ns : 0;
    picture.to_ns = tape->count > 0 ? tape->records[tape->count - 1].at_ns : 0;
    if (picture.to_ns <= picture.from_ns)
        picture.to_ns = picture.from_ns + 1000;
    draw_all(&picture, parts, find_parts(tape, parts), steps);
    weir__release(steps);
    weir__tape_destroy(tape);
    return weir__words_close(&picture.words, "the picture");
}
