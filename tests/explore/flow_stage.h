/* SPDX-License-Identifier: MIT */
/*
 * flow_stage.h - what scenarios of streams are written with.
 *
 * A pool, and a stream through it of the items of flow_items.h.  When the
 * scenario's function returns, the other threads are joined, the stream is
 * closed if it is not, the pool comes to rest and is destroyed, and everything
 * is accounted for: see flow_stage.c.
 *
 * As with the pool's, making and taking down take no choices.
 */
#ifndef WEIR_EXPLORE_FLOW_STAGE_H
#define WEIR_EXPLORE_FLOW_STAGE_H

#include <weir/stream.h>

#include "flow_items.h"
#include "scenario.h"

/* One worker, room for one item that waits, and so many workers. */
weir_pool_options flow_options(uint32_t workers);

enum flow_kind {
    FLOW_QUIET, /* nobody hears of an outcome but the reader: plain tasks */
    FLOW_TELLS  /* the source has a settle and a release */
};

/* A stream of the source through a pool of these options; until then items'
 * numbers and deeds are to be set.  It begins when the first choice may. */
void open_stream(const weir_pool_options *options, enum flow_kind kind,
                 unsigned window, weir_order order);

/* The next result; *number is written on WEIR_OK. */
weir_status take(unsigned *number, weir_deadline deadline);
/* Which must be one, and is one of the item. */
void take_item(unsigned number);
/* Takes all there are; returns what is said after the last. */
weir_status take_all(void);
void close_stream(void);

/* A pool for weir_map, in place of a stream; items 1 to `count` are given. */
void open_pool_for_map(const weir_pool_options *options, unsigned count);
weir_status map_items(const uint64_t *from, unsigned count, uint64_t *into);

void resize_streams_pool(uint32_t workers);
weir_status stop_streams_pool(weir_stop_how how);
void destroy_streams_pool(void);

void flow_scenario_play(const struct scenario *scenario);

/* Threads that are woken for no reason come by lot only. */
#define FLOW_SCENE(function, how_many, text)                                   \
 SCENE(function, how_many, text), .play = flow_scenario_play,                  \
                                  .noise = SCENARIO_NONE, .large = 1
#define FLOW_SCENARIO(function, how_many, text)                                \
 FLOW_SCENE(function, how_many, text), .late = 1
/* With so many preemptions, and late stores with none. */
#define FLOW_SCENARIO_TO(preemptions, function, how_many, text)                \
 FLOW_SCENE(function, how_many, text), .bound = (preemptions),                 \
                                       .late = SCENARIO_NONE

#endif /* WEIR_EXPLORE_FLOW_STAGE_H */
