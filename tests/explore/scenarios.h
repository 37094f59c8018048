/* SPDX-License-Identifier: MIT */
/* scenarios.h - the themes. */
#ifndef WEIR_EXPLORE_SCENARIOS_H
#define WEIR_EXPLORE_SCENARIOS_H

#include "scenario.h"

/* The queue's. */
extern const struct scenario scenarios_basic[];
extern const struct scenario scenarios_batches[];
extern const struct scenario scenarios_close[];
extern const struct scenario scenarios_time[];
extern const struct scenario scenarios_join[];
extern const struct scenario scenarios_pills[];
extern const struct scenario scenarios_dropping[];
extern const struct scenario scenarios_fairness[];
extern const struct scenario scenarios_marks[];
extern const struct scenario scenarios_polled[];

/* A semaphore's, with and without a pool. */
extern const struct scenario scenarios_events[];
extern const struct scenario scenarios_limits[];
extern const struct scenario scenarios_pool_events[];
extern const struct scenario scenarios_pool_limits[];
extern const struct scenario scenarios_pool_rates[];

/* The clock that stamps are by. */
extern const struct scenario scenarios_ticks[];

/* Producers that are asked ahead. */
extern const struct scenario scenarios_inlets[];

/* The pool's, and what flows through it. */
extern const struct scenario scenarios_pool_lane[];
extern const struct scenario scenarios_pool_tasks[];
extern const struct scenario scenarios_pool_retries[];
extern const struct scenario scenarios_pool_time[];
extern const struct scenario scenarios_pool_end[];
extern const struct scenario scenarios_pool_log[];
extern const struct scenario scenarios_pool_marks[];
extern const struct scenario scenarios_pool_polled[];
extern const struct scenario scenarios_pool_schedule[];
extern const struct scenario scenarios_pool_stream[];
extern const struct scenario scenarios_pool_pipeline[];
extern const struct scenario scenarios_pool_crew[];

#endif /* WEIR_EXPLORE_SCENARIOS_H */
