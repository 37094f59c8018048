/* SPDX-License-Identifier: MIT */
/* family.c - figures by the conventions of Prometheus' text format. */
#include "edge/family.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Powers of ten, of nanoseconds, from 1 us to 1000 s; at each, at 2.5 and at 5
 * times a bucket ends. */
enum { LEAST_BOUND = 1000, DECADES = 10 };

static const struct weir__escape label_escapes[] = {{'\\', "\\\\"},
                                                    {'"', "\\\""},
                                                    {'\n', "\\n"}};

void weir__family_begin(struct weir__words *words, const char *name,
                        const char *help, const char *type)
{
    weir__words_say(words, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                    type);
}

/* NAME{OF="OWNER" without the last brace. */
static void begin_sample(struct weir__words *words, const char *name,
                         const char *suffix, const struct weir__owner *owner)
{
    weir__words_say(words, "%s%s{%s=\"", name, suffix, owner->of);
    weir__words_quote(words, owner->name, label_escapes,
                      sizeof(label_escapes) / sizeof(label_escapes[0]));
    if (owner->number > 1)
        weir__words_say(words, "-%u", owner->number);
    weir__words_say(words, "\"");
}

static void say_value(struct weir__words *words,
                      const struct weir__sample *sample, const void *figures)
{
    const unsigned char *at = (const unsigned char *)figures + sample->at;
    uint64_t figure;
    uint32_t small;
    int64_t ns;
    bool yes;

    switch (sample->kind) {
    case WEIR__FIGURE:
        memcpy(&figure, at, sizeof(figure));
        weir__words_say(words, "} %" PRIu64 "\n", figure);
        break;
    case WEIR__FIGURE_32:
        memcpy(&small, at, sizeof(small));
        weir__words_say(words, "} %u\n", (unsigned)small);
        break;
    case WEIR__YES:
        memcpy(&yes, at, sizeof(yes));
        weir__words_say(words, "} %u\n", (unsigned)yes);
        break;
    case WEIR__NS:
        memcpy(&ns, at, sizeof(ns));
        weir__words_say(words, "} ");
        weir__words_decimal(words, ns, 9);
        weir__words_say(words, "\n");
        break;
    }
}

void weir__family_write(struct weir__words *words,
                        const struct weir__family *family,
                        const struct weir__owner *owner, const void *figures)
{
    for (size_t i = 0; i < family->count; i++) {
        const struct weir__sample *sample = &family->samples[i];

        begin_sample(words, family->name, "", owner);
        if (sample->label)
            weir__words_say(words, ",%s", sample->label);
        say_value(words, sample, figures);
    }
}

static void write_bucket(struct weir__words *words, const char *name,
                         const struct weir__owner *owner,
                         const weir_histogram *histogram, int64_t bound_ns)
{
    begin_sample(words, name, "_bucket", owner);
    weir__words_say(words, ",le=\"");
    weir__words_decimal(words, bound_ns, 9);
    weir__words_say(words, "\"} %" PRIu64 "\n",
                    weir_histogram_at_most(histogram, bound_ns));
}

void weir__family_write_histogram(struct weir__words *words, const char *name,
                                  const struct weir__owner *owner,
                                  const weir_histogram *histogram)
{
    int64_t decade_ns = LEAST_BOUND;

    for (int i = 0; i < DECADES; i++, decade_ns *= 10) {
        write_bucket(words, name, owner, histogram, decade_ns);
        write_bucket(words, name, owner, histogram, decade_ns / 2 * 5);
        write_bucket(words, name, owner, histogram, decade_ns * 5);
    }
    begin_sample(words, name, "_bucket", owner);
    weir__words_say(words, ",le=\"+Inf\"} %" PRIu64 "\n", histogram->count);
    begin_sample(words, name, "_sum", owner);
    weir__words_say(words, "} ");
    weir__words_decimal(words, (int64_t)histogram->sum_ns, 9);
    weir__words_say(words, "\n");
    begin_sample(words, name, "_count", owner);
    weir__words_say(words, "} %" PRIu64 "\n", histogram->count);
}
