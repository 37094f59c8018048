/* SPDX-License-Identifier: MIT */
/* scenario.h - the catalogue: small situations that have gone wrong before. */
#ifndef WEIR_EXPLORE_SCENARIO_H
#define WEIR_EXPLORE_SCENARIO_H

#include <stddef.h>

/* Of a number below: none at all, as 0 stands for the usual. */
enum { SCENARIO_NONE = 255 };

struct scenario {
    const char *name;
    const char *sentence; /* what has to hold, or what comes together */
    void (*run)(void);    /* on the first thread */
    unsigned threads;     /* the first one included */

    /* Zero: as it says. */
    unsigned noise;             /* of an exhaustive search; 0: 1 */
    unsigned failures;          /* of memory at most; 0: none */
    unsigned processors;        /* 0: 1 */
    unsigned overtaken_at_most; /* 0: 16 */
    unsigned bound;             /* of an exhaustive search in the plan; 0: 2 */
    unsigned by_lot;            /* it has too many: in the plan so many by lot
                                   in place of an exhaustive search; 0: none */
    unsigned prompt;            /* 1: more atomics than late stores allow */
    unsigned large;             /* 1: repetitions and all it is too much */
    unsigned late;              /* the same with a store that comes late; 0: as
                                   `bound`, if there are up to three threads */
    /* How it is played: with a stage set before and all of it checked after.
     * NULL: it is run, no more. */
    void (*play)(const struct scenario *scenario);
};

/* On an execution's first thread: sets the stage, runs, checks. */
void scenario_play(const struct scenario *scenario);

/* The fields that each one has, and those on the queue's stage (stage.h). */
#define SCENE(function, how_many, text)                                        \
 .name = #function, .sentence = (text), .run = (function), .threads = (how_many)
#define SCENARIO(function, how_many, text)                                     \
 SCENE(function, how_many, text), .play = scenario_play

/* Themes, each with its scenarios; the last scenario has no name, the last
 * theme is NULL. */
extern const struct scenario *const scenario_themes[];

#endif /* WEIR_EXPLORE_SCENARIO_H */
