/* SPDX-License-Identifier: MIT */
/* trial.h - what the tests of the explorer share. */
#ifndef WEIR_EXPLORE_TRIAL_H
#define WEIR_EXPLORE_TRIAL_H

#include "search.h"

/* What the last run found. */
extern struct findings findings;

/* A search with the scenario's own rules; 5000 schedules if by lot. */
struct search
search_of(const struct scenario *scenario, enum strategy strategy);
void run(const struct scenario *scenario, enum strategy strategy);
/* Exhaustive, without noise, from each state as often as it comes. */
void run_bound(const struct scenario *scenario, unsigned bound);
/* Exhaustive, with stores that come late or not. */
void run_buffered(const struct scenario *scenario, bool buffered);

/* A scenario of up to three threads without a stage. */
struct scenario bare(void (*act)(void));

/* Two threads, started and joined. */
void both(void (*one)(void *), void (*other)(void *));

#endif /* WEIR_EXPLORE_TRIAL_H */
