/* SPDX-License-Identifier: MIT */
/* contest.h - contenders that take turns at the same work. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"
#include "entrants.h"
#include "options.h"

struct spread {
    double median, least, most;
};

enum row_state {
    ROW_FINE,
    ROW_ABSENT, /* this work makes no sense for it: `why` */
    ROW_FAILED  /* `why`; it was said on standard error */
};

struct row {
    const struct entrant *who;
    enum row_state state;
    char why[80];
    unsigned rounds;
    double each[FIGURES][MOST_ROUNDS]; /* in the order of the rounds */
    struct spread spread[FIGURES];
    double foreign;        /* processors that others used meanwhile */
    double times_textbook; /* as fast as the textbook; 0: not known */
    double times_peer;     /* as fast as the fastest peer; 0: not known */
    double times_bare;     /* as fast as bare threads; 0: not known */
};

struct contest {
    const struct bench *bench;
    struct bench_work work;
    struct row rows[MOST_ENTRANTS]; /* the fastest first, once it is over */
    size_t count;
};

/* More than this of a processor used by others, or rounds that differ by more
 * than that, are a warning. */
#define CONTEST_FOREIGN 0.3
#define CONTEST_SPREAD  3.0

/* The figure that the bench is about, and by which rows are ordered. */
enum figure contest_figure(const struct contest *contest);

/* Whose median is the least among some of them; NULL: there is none. */
enum among {
    AMONG_TEXTBOOK,
    AMONG_PEERS, /* that do as much: where room matters, those that wait */
    AMONG_ALL_PEERS,
    AMONG_NATIVE_PEERS /* in C or C++ */
};
const struct row *contest_best(const struct contest *contest,
                               enum figure figure, enum among among);

/* Runs all rounds.  False: one failed, or a signal came. */
bool contest_run(struct contest *contest, unsigned rounds,
                 const struct options *options);

#endif /* BENCH_CONTEST_H */
