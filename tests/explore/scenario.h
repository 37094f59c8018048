/* SPDX-License-Identifier: MIT */
/* scenario.h - the catalogue: small situations that have gone wrong before. */
#ifndef WEIR_EXPLORE_SCENARIO_H
#define WEIR_EXPLORE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

struct scenario {
    const char *name;
    const char *sentence; /* what has to hold, or what comes together */
    void (*run)(void);    /* on the first thread */
    unsigned threads;     /* the first one included */

    /* Zero: as it says. */
    unsigned noise;             /* of an exhaustive search; 0: none */
    unsigned failures;          /* of memory at most; 0: none */
    unsigned processors;        /* 0: 1 */
    unsigned overtaken_at_most; /* 0: 16 */
    unsigned bound;             /* of an exhaustive search in the plan; 0: 2 */
    bool is_bare;               /* no stage: it makes its own queue */
};

/* The fields that each one has. */
#define SCENARIO(function, how_many, text)                                     \
 .name = #function, .sentence = (text), .run = (function), .threads = (how_many)

/* Themes, each with its scenarios; the last scenario has no name, the last
 * theme is NULL. */
extern const struct scenario *const scenario_themes[];

/* Runs it as an execution's first thread does: sets the stage, plays, checks.
 */
void scenario_play(const struct scenario *scenario);

#endif /* WEIR_EXPLORE_SCENARIO_H */
