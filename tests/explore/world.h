/* SPDX-License-Identifier: MIT */
/*
 * world.h - threads that take turns, and time that passes when it suits.
 *
 * One thread runs at a time.  Before each act that another thread could tell
 * it steps back (world_step), and a choice says who goes on.  The seam (seam/)
 * makes the library's locks, atomics, clock and threads out of this.
 */
#ifndef WEIR_EXPLORE_WORLD_H
#define WEIR_EXPLORE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

enum { WORLD_THREADS = 12, WORLD_UNRANKED = 31 };

/* What may happen in an execution. */
struct world_rules {
    unsigned noise;      /* spurious wake-ups and leaps of the clock, at most */
    unsigned failures;   /* of memory and threads, at most */
    bool store_buffer;   /* reads may miss what was written */
    unsigned delays;     /* so many at most */
    unsigned processors; /* as the library is told */
    unsigned overtaken_at_most; /* see base/park.h */
    unsigned most_steps;        /* more: it will never end */
};

/* What a thread is about to do, for the trace. */
struct act {
    const char *verb;
    const char *name;    /* of the object, as the source calls it; or NULL */
    const void *address; /* of the object */
};

struct world_lock {
    const void *magic; /* the lock's own address while it is alive */
    unsigned owner;    /* a thread's number and one; 0: free */
    unsigned rank;
};

struct world_cond {
    const void *magic;
    const struct world_lock *lock; /* that threads last waited with */
};

/* --------------------------------------------------------------- executions */

/* Runs one execution, of which `first` is the first thread.  Returns whether
 * nothing failed. */
bool world_run(const struct world_rules *rules, void (*first)(void));

/* That it ended early, because all that could follow was seen before. */
bool world_was_cut(void);

/* What failed, in words. */
const char *world_failure(void);

/* That it was an endless loop without a step in it. */
bool world_was_slow(void);

/* Signals that would end the program end the execution; an execution that does
 * nothing for seconds fails too. */
void world_catch_crashes(void);

extern const struct world_rules *world_rules;

/* Ends the execution; from any of its threads. */
_Noreturn void
world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t world_runs(void);   /* executions so far */
uint64_t world_steps(void);  /* since the program began */
bool world_is_running(void); /* an execution, and it has not failed */

/* ------------------------------------------------------------------ threads */

/* Starts a thread.  `ended` runs on it last; may be NULL.  Returns its number;
 * more than there may be fails. */
unsigned world_spawn(void (*run)(void *), void (*ended)(void *), void *arg);
void world_join(unsigned thread);
bool world_has_ended(unsigned thread);

/* This thread ends, whatever it is in the middle of: its clean-ups run, the
 * latest first, and `ended`. */
_Noreturn void world_exit(void);
void world_push_cleanup(void (*run)(void *), void *arg);
void world_pop_cleanup(bool runs);

unsigned world_self(void);

/* Steps back before an act on what lies there; returns when it may happen. */
void world_step(const char *verb, const char *name, const void *address);
/* The same as a step, and others come first if there are any: this thread
 * polls. */
void world_yield(const char *verb);

/* ---------------------------------------------------------- locks, waiting */

void world_lock_init(struct world_lock *lock, unsigned rank);
void world_lock_dispose(struct world_lock *lock);
void world_lock_acquire(struct world_lock *lock, const char *name);
/* False: somebody has it. */
bool world_lock_try(struct world_lock *lock, const char *name);
void world_lock_release(struct world_lock *lock, const char *name);
bool world_holds_a_lock(void);

void world_cond_init(struct world_cond *cond);
void world_cond_dispose(struct world_cond *cond);
/* Returns whether it was the time; INT64_MAX: it never is. */
bool world_cond_wait(struct world_cond *cond, struct world_lock *lock,
                     int64_t deadline_ns, const char *name);
void world_cond_wake(struct world_cond *cond, const char *name);
void world_cond_wake_all(struct world_cond *cond, const char *name);

enum world_waiting {
    WORLD_WAITS, /* as its deadline says */
    WORLD_NAPS,  /* a short while, for a thread in the middle of its call */
    WORLD_NEVER_WAITS
};

/* This thread is in a call from now on, or no longer; and whether it may wait
 * on a condition there.  If WORLD_WAITS, a wait that would end before the
 * deadline is a nap too: a precaution that must never be needed, for in the end
 * somebody wakes it; unless a read may miss what was written. */
void world_begin_call(enum world_waiting waiting, int64_t deadline_ns);
void world_end_call(void);
/* Lets others run until this thread waits on a condition, or has ended. */
void world_await(unsigned thread);
/* The same of all other threads, at once. */
void world_await_all(void);
/* How often this thread was woken by another. */
unsigned world_wakes(void);

/* -------------------------------------------------------------------- time */

int64_t world_now(void);  /* an act */
int64_t world_peek(void); /* none: for what checks */
/* Whether it has ever gone on while somebody could run. */
bool world_has_leapt(void);
/* Somebody may look whether this moment has passed. */
void world_mind(int64_t at_ns);

/* ------------------------------------------------------- what can go wrong */

/* Counts a point and says whether it has to fail. */
bool world_strikes(const char *what);
/* Which of so many values a read returns; 0: the latest. */
unsigned world_miss(unsigned values);
/* Memory that is touched must be alive. */
void world_touch(const void *address, unsigned bytes);

/* -------------------------------------------------------------------- order */

/* A number that grows; for the order in which calls began and ended. */
uint64_t world_stamp(void);
/* *at gets one when this thread goes on after its next step back. */
void world_stamp_when_begun(uint64_t *at);
/* The stamp of the moment that the clock came to this or beyond it; 0: from the
 * beginning. */
uint64_t world_stamp_of(int64_t at_ns);

#endif /* WEIR_EXPLORE_WORLD_H */
