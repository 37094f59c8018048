/* SPDX-License-Identifier: MIT */
/* search.h - one scenario, execution after execution, until one fails. */
#ifndef WEIR_EXPLORE_SEARCH_H
#define WEIR_EXPLORE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "choice.h"
#include "scenario.h"
#include "world.h"

struct search {
    const struct scenario *scenario;
    struct plan plan;
    struct world_rules rules;
    uint64_t seed;  /* of the first execution; each has one more */
    uint64_t count; /* executions; 0: until nothing is left */
};

struct findings {
    uint64_t executions;
    uint64_t cut;    /* of them, that came to a state that was had before */
    uint64_t digest; /* of all their schedules */
    bool exhausted;  /* there is no other schedule */
    uint64_t ends;   /* exhaustive: states that executions ended in */
    uint64_t sum;    /* of these */
    bool failed;     /* and the rest is about that */
    uint64_t seed;   /* of the execution that failed */
    size_t choices;  /* that it made; the schedule is what is needed of them */
    char what[512];  /* in words */
    struct schedule schedule;
};

/* What a scenario says of a number, which may be that there is none of it. */
unsigned search_number(unsigned said, unsigned usual);

/* The rules for this scenario, as a search by lot or an exhaustive one has
 * them. */
struct world_rules search_rules(const struct scenario *scenario,
                                enum strategy strategy, bool store_buffer);

/* A schedule that fails is then made as short as it goes. */
void search_run(const struct search *search, struct findings *findings);

/* Runs a schedule with the trace on.  Returns what failed, or NULL. */
const char *search_replay(const struct search *search);

#endif /* WEIR_EXPLORE_SEARCH_H */
