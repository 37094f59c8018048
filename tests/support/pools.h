/* SPDX-License-Identifier: MIT */
/*
 * pools.h - what the tests of tasks and pools share.
 *
 * One pool on the test clock; jobs, which are items that note all that happens
 * to them; and calls that block on threads of their own.  Whatever a test does,
 * the callbacks check that each job is settled once, then released once, and
 * never while an attempt is at it; the teardown checks that none is missing
 * and that the ledger says the same as the jobs.
 */
#ifndef WEIR_TESTS_POOLS_H
#define WEIR_TESTS_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/pool.h>

#include "helper.h"
#include "test_clock.h"

/* The pool under test, and what open_pool makes it from: one worker and the
 * callbacks that note, at first.  `policy` has no jitter; a test that wants it
 * points options.retry to it. */
extern weir_pool *pool;
extern weir_pool_options options;
extern weir_retry policy;

/* Fixtures: the test clock; at the end the pool, if there is one, is stopped
 * and must have balanced. */
void pool_setup(void);
void pool_teardown(void);

void open_pool(void);
/* With so many workers. */
void open_pool_of(uint32_t workers);
/* Stops the pool now, checks and destroys it; the teardown will not. */
void end_pool(void);
/* Destroys it as it is; jobs that a stuck attempt holds may go unreleased. */
void drop_pool(void);

/* ------------------------------------------------------------------- jobs */

enum { JOB_ROOM = 256, JOB_RESULT_ROOM = 64 };

/* The first part is the test's, to be set before it submits.  What the handler
 * notes may be read after await_start, what the callbacks note after
 * await_settled and await_released. */
struct job {
    int (*act)(weir_task *task, struct job *job); /* NULL: returns 0 */
    int code;                                     /* for acts that answer it */
    void *arg;          /* for acts that need something */
    struct gate finish; /* for acts that wait */
    bool is_stuck;      /* may never be released */

    struct tally started, ended, settled, released;
    weir_task *task; /* the latest attempt's, like all of these */
    uint64_t id;
    uint32_t attempt, worker;
    void *context;
    weir_deadline deadline;
    int64_t started_ns;
    pthread_t ran_on, settled_on, released_on;
    weir_outcome outcome; /* message and result are copies */
    char message[256];
    unsigned char result[JOB_RESULT_ROOM];
    int64_t settled_ns;
};

/* Fails the test if there are more than JOB_ROOM. */
struct job *new_job(int (*act)(weir_task *task, struct job *job));

/* The handler of a job: notes the attempt, then act(). */
int run_job(weir_task *task, void *item);
/* Acts: return the code; the same once `finish` is open; wait for `finish` and
 * end the thread; sleep until cancelled. */
int act_answer(weir_task *task, struct job *job);
int act_wait(weir_task *task, struct job *job);
int act_exit(weir_task *task, struct job *job);
int act_wait_and_exit(weir_task *task, struct job *job);
int act_listen(weir_task *task, struct job *job);

/* Has a cancel pending on this thread.  Every assertion is a cancellation
 * point. */
void cancel_this_thread(void);

/* The callbacks that open_pool sets; `arg` is not used. */
void note_settled(void *arg, const void *item, const weir_outcome *outcome);
void note_released(void *arg, void *item);

/* Submits with WEIR_NOW. */
weir_status submit(struct job *job);
void must_submit(struct job *job);
/* A new job that was submitted. */
struct job *submit_new(int (*act)(weir_task *task, struct job *job));
/* The same for one that has begun. */
struct job *start_new(int (*act)(weir_task *task, struct job *job));
/* As a task, with a future. */
weir_future *submit_for(struct job *job);
weir_future *submit_spec(struct job *job, weir_task_spec spec);

void await_start(struct job *job);
void await_attempt(struct job *job, uint32_t attempt);
void await_settled(struct job *job);
void await_released(struct job *job);
/* Lets an act that waits go on, and awaits the release. */
void finish_job(struct job *job);

/* That it settled so, waiting for it. */
void assert_outcome(struct job *job, weir_outcome_kind kind);
/* That it has not settled. */
void assert_unsettled(struct job *job);

/* ---------------------------------------------------------------- workers */

enum { WORKER_ROOM = 16 };

/* Hooks for options.worker_start and worker_stop, with &greeting as their
 * argument: they check that no two threads have an index at the same time. */
int greet_worker(void *arg, uint32_t worker);
void part_worker(void *arg, uint32_t worker);
extern int greeting; /* what greet_worker answers */
/* The same, but of all workers behind the first only once the gate is open. */
int start_slowly(void *arg, uint32_t worker);
extern struct gate start_may_end;
extern struct tally greeted, parted;

/* That greet_worker gave this thread the task's index. */
void assert_index_is_mine(const weir_task *task, uint32_t below);

/* ------------------------------------------------------------------- time */

/* Blocks until somebody waits for this moment.  The timekeeper may sleep to an
 * earlier one that has become void: time passes up to that. */
void await_timekeeper(int64_t at_ns);
/* The same, and then time passes up to the moment, or all but 1 ns of it. */
void advance_to(int64_t at_ns);
void advance_to_just_before(int64_t at_ns);

/* Has who waits for this moment look at the clock, and wait again. */
void disturb_waiter(int64_t at_ns);
/* The same for the timekeeper, which looks at all there is to do. */
void rouse_timekeeper(int64_t at_ns);

/* ---------------------------------------------------------------- figures */

weir_pool_stats stats_now(void);
weir_ledger ledger_now(void);
/* Until limits hold so many tasks back; a hang ends the test. */
void await_held(uint64_t count);
/* The law of the ledger, written out. */
void assert_balanced(void);
/* Blocks until the pool is idle. */
void settle_all(void);
/* That the last refusal's words contain `word`. */
void assert_error_names(const char *word);

/* ------------------------------------------------------- calls that block */

struct call {
    struct helper helper;
    weir_status (*act)(struct call *call);
    weir_deadline deadline; /* its own, and far unless a test sets it */
    struct job *job;        /* to submit */
    weir_future *future;    /* to wait for */
    weir_stop_how how;      /* to stop */
    uint32_t workers;       /* to resize to */
    weir_status status;
};

weir_status act_submit(struct call *call);
weir_status act_join(struct call *call);
weir_status act_stop(struct call *call);
weir_status act_future_wait(struct call *call);
weir_status act_resize(struct call *call);
weir_status act_destroy(struct call *call);

/* Starts the call with its deadline as it stands. */
void start_call(struct call *call, weir_status (*act)(struct call *call));
/* Gives it a far deadline and returns when it waits for that. */
void block_call(struct call *call, weir_status (*act)(struct call *call));
/* Waits for its return. */
weir_status end_call(struct call *call);

/* ----------------------------------------- pools whose workers are counted */

/* Fixtures for a pool that is opened with greet_worker and part_worker; at the
 * end each worker that was greeted has parted. */
void hooked_setup(void);
void hooked_teardown(void);

void must_resize(uint32_t workers);
/* Until there are so many live workers; a hang ends the test. */
void await_workers(uint32_t count);
/* An act: nobody else has this worker's index; waits for job->finish. */
int act_check_index(weir_task *task, struct job *job);

#endif /* WEIR_TESTS_POOLS_H */
