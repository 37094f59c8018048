/* SPDX-License-Identifier: MIT */
/*
 * flow_pipeline.h - what scenarios of pipelines are written with.
 *
 * Two stages, "first" and "second", each with a queue of one and a worker, for
 * the items of flow_items.h.  When the scenario's function returns, the other
 * threads are joined, the pipeline is destroyed if it is not, and everything is
 * accounted for: see flow_pipeline.c.
 */
#ifndef WEIR_EXPLORE_FLOW_PIPELINE_H
#define WEIR_EXPLORE_FLOW_PIPELINE_H

#include <weir/pipeline.h>

#include "flow_items.h"
#include "scenario.h"

/* The stages as a scenario changes them before it opens the pipeline. */
extern struct flow_stages {
    weir_stage_kind second; /* 0: parallel */
    weir_pool_options pools[FLOW_STAGES];
    bool tells;               /* the source has a settle and a release */
    bool opening_is_explored; /* its choices are no usual ones */
    bool is_unheard;          /* no on_left: one crew carries the items */
    bool is_at_hand;          /* their source is a range, then */
} flow_stages;

void open_pipeline(void);
/* Waits for the end; whether it ended as its source did. */
weir_status await_pipeline(void);
void stop_pipeline(void);
void destroy_pipeline(void);
/* No stage holds more than it can; the sum of what they can. */
unsigned check_pipeline_stages(void);

/* So many left at the stage. */
unsigned left_at(unsigned stage);

void pipeline_scenario_play(const struct scenario *scenario);

#define PIPELINE_SCENARIO(function, how_many, text)                            \
 SCENE(function, how_many, text), .play = pipeline_scenario_play,              \
                                  .noise = SCENARIO_NONE, .large = 1,          \
                                  .prompt = 1

#endif /* WEIR_EXPLORE_FLOW_PIPELINE_H */
