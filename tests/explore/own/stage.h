/* SPDX-License-Identifier: MIT */
/* stage.h - somebody's queue on stage: its calls, noted and checked. */
#ifndef WEIR_EXPLORE_OWN_STAGE_H
#define WEIR_EXPLORE_OWN_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario.h"
#include "world.h"

/* At the beginning of a scenario. */
void stage_open(size_t capacity);

/* Starts a thread; it gets `number`. */
void start(void (*run)(unsigned number), unsigned number);
void join_all(void);

/* Whether the item went in, or one came out; false: closed. */
bool put(unsigned item);
bool get(void);
/* Gets until there is nothing more. */
void drain(void);
void close_queue(void);

/* That a call that must succeed did. */
void must_do(bool done, const char *what);

void own_play(const struct scenario *scenario);

#endif /* WEIR_EXPLORE_OWN_STAGE_H */
