/* SPDX-License-Identifier: MIT */
/*
 * pool_players.h - pools and threads that several scenarios of the pool have.
 *
 * A player is a thread's whole part: one call, for the task of that number,
 * that has to succeed.
 */
#ifndef WEIR_EXPLORE_POOL_PLAYERS_H
#define WEIR_EXPLORE_POOL_PLAYERS_H

#include "pool_stage.h"

/* -------------------------------------------------------------------- pools */

void open_plain(void);
/* With the stage's callbacks. */
void open_telling(void);
void open_telling_with_timeout(void); /* of a millisecond */
/* Two workers, and two tasks may wait. */
void open_with_two(void);

/* ------------------------------------------------------------------ players */

void submit_one(unsigned number);
void submit_a_sleeper(unsigned number);
void submit_to_the_gate(unsigned number);
void await_it(unsigned number);
void cancel_it(unsigned number);
void open_gate(unsigned number);
void join_it(unsigned number);
void stop_after_drain(unsigned number);
void stop_now(unsigned number);

/* A part of one: with a deed of the caller's. */
void submit_a_future(unsigned number, deed *does);

#endif /* WEIR_EXPLORE_POOL_PLAYERS_H */
