/* SPDX-License-Identifier: MIT */
/* report.h - results as a table, as JSON Lines and as a plot. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "contest.h"
#include "machine.h"

/* What is said before and after the rows. */
struct report_frame {
    struct machine machine;
    struct machine_trip before, after; /* at the start and at the end */
    double foreign_before; /* processors that others used before it began */
    double foreign;        /* and over all rounds */
    unsigned rounds;
    bool takes_part[ENTRANT_KINDS];
};

/* Why a row is to be doubted: "disturbed", "spread", or "". */
const char *report_doubt(const struct row *row, enum figure figure);

/*
 * Those that are absent for one reason, as "a, b (why)"; `index` counts the
 * reasons.  False: there are no more.
 */
bool report_absent(const struct contest *contest, size_t index, char *out,
                   size_t room);

/* As they come. */
void table_open(const struct report_frame *frame, const struct entrants *who);
void table_bench(const struct bench *bench);
void table_contest(const struct contest *contest);
void table_close(const struct report_frame *frame, unsigned doubts);

void json_open(FILE *to, const struct report_frame *frame);
void json_contest(FILE *to, const struct contest *contest);
void json_close(FILE *to, const struct report_frame *frame);

/* All at once, one panel for each bench. */
void svg_write(FILE *to, const struct report_frame *frame,
               const struct contest *contests, size_t count);

#endif /* BENCH_REPORT_H */
