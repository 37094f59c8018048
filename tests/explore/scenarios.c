/* SPDX-License-Identifier: MIT */
/* scenarios.c - the table of contents. */
#include "scenarios.h"

const struct scenario *const scenario_themes[] = {
    scenarios_basic,         scenarios_batches,      scenarios_close,
    scenarios_time,          scenarios_join,         scenarios_pills,
    scenarios_dropping,      scenarios_fairness,     scenarios_marks,
    scenarios_polled,        scenarios_pool_polled,  scenarios_pool_lane,
    scenarios_pool_tasks,    scenarios_pool_retries, scenarios_pool_time,
    scenarios_pool_end,      scenarios_pool_log,     scenarios_pool_marks,
    scenarios_pool_schedule, scenarios_pool_stream,  scenarios_pool_pipeline,
    scenarios_limits,        scenarios_inlets,       scenarios_pool_limits,
    scenarios_pool_rates,    scenarios_events,       scenarios_pool_crew,
    scenarios_pool_events,   scenarios_ticks,        NULL,
};
