/* SPDX-License-Identifier: MIT */
/* options.h - what the command line asks for. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"
#include "entrants.h"

enum options_answer {
    OPTIONS_RUN,
    OPTIONS_LIST,
    OPTIONS_HELP,
    OPTIONS_WRONG /* it was said why, on standard error */
};

enum { MOST_BENCHES = 32, MOST_ROUNDS = 99 };

struct options {
    const struct bench *benches[MOST_BENCHES];
    size_t bench_count;
    struct values asked[VARIES];
    uint64_t items; /* 0: the bench's */
    unsigned rounds;
    unsigned limit_s; /* for one round of one contender */
    unsigned wait_s;  /* for others to be quiet, before each */
    bool peers, smoke, taken, bound;
    bool hostile, goodput; /* also those that are no struct bench: hostile.h,
                              goodput.h */
    const char *only;      /* ids with commas between; NULL: not said */
    const char *own[MOST_OWN];
    size_t own_count;
    const char *json, *svg; /* files; json may be "-"; NULL: none */
};

enum options_answer
options_read(struct options *out, int argc, char *const *argv);

/* Whether `id` stands in a list with commas. */
bool options_name(const char *list, const char *id);

extern const char options_help[];

#endif /* BENCH_OPTIONS_H */
