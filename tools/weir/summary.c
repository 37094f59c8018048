/* SPDX-License-Identifier: MIT */
/*
 * summary.c - the ledger of a run, for people or for programs.
 *
 * Both forms hold every way to end, so that the sum can be checked: accepted is
 * done + failed + ... + dropped.  The table leaves out what did not happen, the
 * line of JSON does not, so that a program finds each name.
 */
#include "summary.h"

#include <inttypes.h>
#include <stddef.h>

#include "text.h"

/* One figure of the ledger: its name, and where it is. */
struct figure {
    const char *label; /* for people */
    const char *key;   /* for programs */
    size_t offset;
};

#define FIGURE(label, field)                                                   \
 {                                                                             \
  label, #field, offsetof(weir_ledger, field)                                  \
 }

static const struct figure endings[] = {
    FIGURE("done", done),           FIGURE("failed", failed),
    FIGURE("timed out", timed_out), FIGURE("crashed", crashed),
    FIGURE("exited", exited),       FIGURE("cancelled", cancelled),
    FIGURE("expired", expired),     FIGURE("dropped", dropped)};

static const struct figure others[] = {FIGURE("not accepted", refused),
                                       FIGURE("attempts", attempts),
                                       FIGURE("late", late),
                                       FIGURE("unreleased", unreleased)};

enum {
    ENDINGS = sizeof(endings) / sizeof(endings[0]),
    OTHERS = sizeof(others) / sizeof(others[0])
};

static void write_table(FILE *out, const weir_report *report);
static void write_json(FILE *out, const weir_report *report);
static uint64_t
value_of(const struct figure *figure, const weir_ledger *ledger);
static void write_json_text(FILE *out, const char *text);

void summary_write(FILE *out, enum summary_form form, const weir_report *report)
{
    if (form == SUMMARY_TABLE)
        write_table(out, report);
    else if (form == SUMMARY_JSON)
        write_json(out, report);
    fflush(out);
}

static void write_table(FILE *out, const weir_report *report)
{
    const weir_ledger *ledger = &report->ledger;
    char elapsed[24];

    text_duration(elapsed, sizeof(elapsed), report->elapsed_ns);
    fprintf(out, "weir: %" PRIu64 " %s in %s\n", ledger->accepted,
            ledger->accepted == 1 ? "task" : "tasks", elapsed);
    for (int i = 0; i < ENDINGS; i++)
        if (i == 0 || value_of(&endings[i], ledger) > 0)
            fprintf(out, "  %-12s %8" PRIu64 "\n", endings[i].label,
                    value_of(&endings[i], ledger));
    for (int i = 0; i < OTHERS; i++)
        if (value_of(&others[i], ledger) > 0)
            fprintf(out, "  %-12s %8" PRIu64 "\n", others[i].label,
                    value_of(&others[i], ledger));
    if (report->first_failure[0])
        fprintf(out, "  the first that was not done: %s\n",
                report->first_failure);
}

static void write_json(FILE *out, const weir_report *report)
{
    const weir_ledger *ledger = &report->ledger;

    fprintf(out, "{\"accepted\":%" PRIu64, ledger->accepted);
    for (int i = 0; i < ENDINGS; i++)
        fprintf(out, ",\"%s\":%" PRIu64, endings[i].key,
                value_of(&endings[i], ledger));
    for (int i = 0; i < OTHERS; i++)
        fprintf(out, ",\"%s\":%" PRIu64, others[i].key,
                value_of(&others[i], ledger));
    fprintf(out, ",\"elapsed_ns\":%" PRId64 ",\"status\":\"%s\"",
            report->elapsed_ns, weir_status_name(report->status));
    fputs(",\"first_failure\":", out);
    write_json_text(out, report->first_failure);
    fputs("}\n", out);
}

static uint64_t value_of(const struct figure *figure, const weir_ledger *ledger)
{
    return *(const uint64_t *)((const char *)ledger + figure->offset);
}

/* Bytes beyond ASCII are written as the code points of the same number: JSON
 * has no bytes, and this loses none. */
static void write_json_text(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte >= 0x7f)
            fprintf(out, "\\u%04x", byte);
        else
            putc(byte, out);
    }
    putc('"', out);
}
