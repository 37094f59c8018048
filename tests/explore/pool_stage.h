/* SPDX-License-Identifier: MIT */
/*
 * pool_stage.h - what scenarios of the pool are written with.
 *
 * One pool; tasks by number, each with a deed for its handler; the pool's
 * calls, each checked as it answers.  When the scenario's function returns, the
 * other threads are joined, the pool comes to rest and is destroyed, and
 * everything is accounted for: see pool_stage.c.
 *
 * Making the pool and taking it down take no choices: they go the usual way, so
 * that all schedules are spent on what the scenario is about.
 */
#ifndef WEIR_EXPLORE_POOL_STAGE_H
#define WEIR_EXPLORE_POOL_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/pool.h>

#include "cast.h"
#include "scenario.h"
#include "world.h"

/* The pool under exploration; NULL once it is destroyed. */
extern weir_pool *pool;

/* One worker, and one task may wait. */
weir_pool_options pool_options(void);
/* The same with the stage's callbacks: no task is plain. */
weir_pool_options telling_options(void);
/* Up to so many attempts, a millisecond apart. */
weir_retry pool_retry(unsigned most_attempts);
/* The same, and a predicate grants them. */
weir_retry asking_retry(unsigned most_attempts);
/* One worker, and so many may wait; with water marks, and with the stage's
 * callbacks if `tells`. */
weir_pool_options
marking_options(size_t capacity, size_t high, size_t low, bool tells);
/* The gate is opened when pressure is said to be high. */
void pressure_opens_the_gate(void);
void end_thread_in_pressure(void); /* each time */
/* The last word was that it is low; whether there has been another. */
void pressure_must_be_low(void);
bool pressure_was_high(void);
/* Makes it, and waits until all its threads wait. */
void open_pool(const weir_pool_options *options);

/* Handlers do not ask for their deadlines, unless the deed does. */
void ask_no_deadline(void);

/* -------------------------------------------------------------------- deeds */

/* What the handler of a task does: the tasks are numbered from 1. */
typedef int deed(weir_task *task, unsigned number);

int works(weir_task *task, unsigned number);
int fails(weir_task *task, unsigned number);
int fails_at_first(weir_task *task, unsigned number);
/* Asks for its deadline. */
int looks_at_its_deadline(weir_task *task, unsigned number);
/* Sleeps until it is asked to stop, for ever if need be. */
int sleeps(weir_task *task, unsigned number);
/* The same, and then fails. */
int sleeps_and_fails(weir_task *task, unsigned number);
/* Fails in its first attempt, then sleeps. */
int fails_then_sleeps(weir_task *task, unsigned number);
/* Sleeps in its first attempt, then works. */
int sleeps_at_first(weir_task *task, unsigned number);
/* Opens the gate too. */
int ends_its_series(weir_task *task, unsigned number);
int ends_its_thread(weir_task *task, unsigned number);
int has_cleanups(weir_task *task, unsigned number);
/* Has an action run when it is asked to stop, and sleeps. */
int has_actions(weir_task *task, unsigned number);
/* The same, and takes the action back. */
int takes_actions_back(weir_task *task, unsigned number);
/* Has an action, and waits at the gate in its first attempt; then works. */
int acts_at_the_gate(weir_task *task, unsigned number);
/* Has a descriptor, and sleeps. */
int has_a_descriptor(weir_task *task, unsigned number);
/* Hears nothing until somebody opens the gate, for all that come to it. */
int waits_at_the_gate(weir_task *task, unsigned number);
int opens_the_gate(weir_task *task, unsigned number);
void open_the_gate(void);
/* The handler's thread ends here. */
_Noreturn void end_this_attempt(unsigned number);
/* The first of these that runs for the task ends its thread. */
void end_thread_in_settled(unsigned number);
void end_thread_in_release(unsigned number);
void end_thread_in_predicate(void);

/* ------------------------------------------------------------------- calls */

weir_status submit(unsigned number, deed *does, weir_deadline deadline);
/* With a future, which await, cancel and let_go are about. */
weir_status submit_future(unsigned number, deed *does, weir_deadline deadline);
/* With whatever the spec says, and with a future. */
weir_status submit_spec(unsigned number, deed *does, const weir_task_spec *spec,
                        weir_deadline deadline);
/* *kind is written on WEIR_OK. */
weir_status
await(unsigned number, weir_outcome_kind *kind, weir_deadline deadline);
/* Until one of two has settled, both may be let go at the end. */
void await_either(unsigned number, unsigned other);
void cancel(unsigned number);
void let_go(unsigned number);

/* A series of the group that is made at the first, a millisecond from now;
 * the second firing is out of reach.  The firing, if there is one, is the task.
 */
weir_status begin_series(unsigned number, deed *does);

/* As one of the group's, which is made at the first. */
weir_status
submit_to_group(unsigned number, deed *does, weir_deadline deadline);
weir_status join_group(weir_deadline deadline);
void cancel_group(void);
void destroy_group(void);

weir_status join_pool(weir_deadline deadline);
weir_status stop_pool(weir_stop_how how, weir_deadline deadline);
weir_status resize_pool(uint32_t workers);
void destroy_pool(void);
/* One snapshot; its figures are possible. */
weir_pool_stats check_pool(void);
/* Lists the tasks: each is there once. */
void list_pool(void);

/* Attempts of this task that have begun. */
unsigned attempts_of(unsigned number);

/* ------------------------------------------------------------------- tables */

void pool_scenario_play(const struct scenario *scenario);

#define POOL_SCENARIO(function, how_many, text)                                \
 SCENE(function, how_many, text), .play = pool_scenario_play, .late = 1

#endif /* WEIR_EXPLORE_POOL_STAGE_H */
