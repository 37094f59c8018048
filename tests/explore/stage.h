/* SPDX-License-Identifier: MIT */
/*
 * stage.h - what scenarios are written with.
 *
 * One queue of numbers; threads; the queue's calls, each noted and checked as
 * it answers.  When the scenario's function returns, the other threads are
 * joined and everything is accounted for: see stage.c.
 *
 * An item is a number of two digits: the first says who put it, the second
 * which of theirs it is.  No item is put twice.
 */
#ifndef WEIR_EXPLORE_STAGE_H
#define WEIR_EXPLORE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/queue.h>

#include "cast.h"
#include "scenario.h"
#include "world.h"

/* The queue under exploration. */
extern weir_queue *queue;

/* At the beginning of a scenario. */
void stage_open(size_t capacity);
void stage_open_as(const weir_queue_options *options);
/* The same options with the stage's callbacks in them. */
weir_queue_options stage_options(size_t capacity);
/* Whether on_pressure has ever been told that it is high. */
bool stage_was_told_high(void);

/* ------------------------------------------------------------------- calls */

weir_status put(uint64_t item, weir_deadline deadline);
weir_status put_many(uint64_t first, size_t count, weir_deadline deadline);
weir_status get(weir_deadline deadline);
/* The same; *item is 0 if none came. */
weir_status get_item(uint64_t *item, weir_deadline deadline);
/* Returns how many came. */
size_t get_many(size_t count, weir_deadline deadline);
/* Until *interrupted, see lib/queue/queue.h. */
weir_status get_unless_interrupted(weir_deadline deadline);
void interrupt_getters(void);
weir_status task_done(size_t count);
weir_status join_queue(weir_deadline deadline);
weir_status poison(size_t consumers);
void close_queue(void);
void abort_queue(void);
bool is_closed(void);
/* put == got + dropped + count, at any moment. */
void check_stats(void);

/* Gets until the queue says that it is over; returns what it said. */
weir_status drain(void);

#endif /* WEIR_EXPLORE_STAGE_H */
