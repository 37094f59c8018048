/* SPDX-License-Identifier: MIT */
/*
 * choice.h - everything that could have gone another way.
 *
 * Which thread goes on, which waiter a signal wakes, whether memory runs out,
 * which value is read: each is a choice among some, made here and nowhere else,
 * and noted.  The notes of one execution, its schedule, are therefore all that
 * it takes to see it again.
 */
#ifndef WEIR_EXPLORE_CHOICE_H
#define WEIR_EXPLORE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum strategy {
    STRATEGY_MIX,        /* by the seed: random, or pct of depth 2 or 3 */
    STRATEGY_RANDOM,     /* each choice by lot */
    STRATEGY_PCT,        /* by priorities that change at a few random points */
    STRATEGY_EXHAUSTIVE, /* all there is, with so many preemptions at most */
    STRATEGY_REPLAY      /* as the schedule says */
};

enum { MOST_CHOICES = 1 << 16 };

/* Which line of its menu each choice took. */
struct schedule {
    size_t count;
    unsigned char index[MOST_CHOICES];
};

struct plan {
    enum strategy strategy;
    unsigned bound;                  /* exhaustive: preemptions at most */
    bool repeats;                    /* exhaustive: also what was seen */
    unsigned depth;                  /* pct: priority changes, and one */
    const struct schedule *schedule; /* replay */
};

enum { MENU_MOST = 40 };

/* What there is to choose from at one moment: first threads to run, then what
 * happens rarely. */
struct menu {
    unsigned count, runs;
    unsigned char what[MENU_MOST];
    unsigned char thread[MENU_MOST];
    unsigned char cost[MENU_MOST]; /* preemptions */
};

/* Begins a search, then each execution of it. */
void choice_plan(const struct plan *plan);
void choice_begin(uint64_t seed);

/* The number of the line of the menu that is taken; count at least 1. */
unsigned choice_from(const struct menu *menu);
/* One of `count`, each as likely as another. */
unsigned choice_of(unsigned count);
/* Whether something rare happens; false is what usually does. */
bool choice_rare(void);

/* From now on, or no longer, everything goes the usual way, and nothing of it
 * is noted: what a scenario needs and is not about. */
void choice_hush(bool hushed);
bool choice_is_hushed(void);

/* Exhaustive: whether this execution has to keep its past, so that states can
 * be told from each other. */
bool choice_keeps_past(void);
/* Whether all the choices that follow in this state were had before, with as
 * many preemptions left.  If not they will be. */
bool choice_was_had(uint64_t state);

/* A thread begins: it gets a priority. */
void choice_add_thread(unsigned thread);

/* After an execution of an exhaustive search: whether there is another. */
bool choice_next(void);

/* Choices do not fit any more: the execution is too long. */
bool choice_is_full(void);

/* The same schedule has the same number. */
uint64_t choice_digest(void);
/* The schedule of the last execution.  Beyond its end a schedule goes on with
 * the first line of everything. */
void choice_copy(struct schedule *into);

/*
 * A schedule in letters: one for each choice, a for the first line, and behind
 * it how often it comes, if more than once.  Write returns `into`; read says
 * whether it is one.
 */
char *schedule_write(const struct schedule *schedule, char *into, size_t room);
bool schedule_read(struct schedule *into, const char *text);

#endif /* WEIR_EXPLORE_CHOICE_H */
