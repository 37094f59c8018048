/* SPDX-License-Identifier: MIT */
/*
 * task.h - the record of an attempt.
 *
 * THE IDEA
 *
 * Each thread that runs handlers owns one struct weir_task and uses it for one
 * attempt after the other: begin, run, end.  What the handler says (failure,
 * message, result, clean-ups) goes into this record and nowhere else, so that
 * an attempt whose task has settled without it has nothing to damage.
 *
 * STATES
 *
 *   idle ──begin──▶ live ──cancel──▶ live, cancelled
 *     ▲               │                │
 *     └─────end───────┴───────end──────┘
 *
 * INVARIANTS
 *
 *   1. `cancelled` never turns false while the attempt is live.
 *   2. No on_cancel action starts after end has begun, and end does not return
 *      while one runs.
 *   3. Deferred clean-ups run exactly once, in reverse, on the attempt's
 *      thread; never after a crash.
 *   4. What it holds goes back once, at its end, after the clean-ups; after a
 *      crash too.
 *   5. No interrupt is sent before begin or once end, or raise, has begun; it
 *      hits no clean-up.
 *
 * Locking: rank TASK; taken below the pool's lock by cancel.  Fields that only
 * the attempt's own thread touches need none.
 */
#ifndef WEIR_LIB_TASK_H
#define WEIR_LIB_TASK_H

#include <setjmp.h>

#include <weir/task.h>

#include "base/atomic.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/park.h"
#include "base/trap.h"

/* How an attempt ended. */
enum weir__ending {
    WEIR__ANSWERED, /* as its record says */
    WEIR__EXITED,   /* with its thread */
    WEIR__CRASHED,  /* by a fault: the record has the signal and the words */
    /* In a child process, which has ended; the record has the words. */
    WEIR__CHILD_EXITED,  /* and its status */
    WEIR__CHILD_CRASHED, /* and the signal */
    WEIR__CHILD_KILLED   /* by us: it was asked to stop */
};

enum {
    WEIR__MOST_CLEANUPS = 16,
    WEIR__MOST_HOLDINGS = 8,
    WEIR__MESSAGE_BYTES = 256
};

struct weir__cleanup {
    void (*run)(void *arg);
    void *arg;
};

/* What an attempt holds of something and gives back at its end. */
struct weir__holding {
    const void *of; /* a semaphore */
    size_t count;
    void (*give_back)(void *of, size_t count);
};

/* I: from init to dispose.  B: set by begin, then read-only.  L: with `lock`.
 * A: atomic.  T: the attempt's own thread. */
struct weir_task {
    struct weir__mutex lock;
    uint64_t id;            /* B */
    uint32_t attempt;       /* B: 1, 2, ... */
    uint32_t worker;        /* B */
    void *context;          /* B */
    weir_deadline deadline; /* B; but see find_deadline */
    weir_deadline (*find_deadline)(weir_task *task); /* B: NULL: it is known */
    uint64_t generation;            /* L: one more with every end of which
                                       others may know */
    struct weir__flag cancelled;    /* A: written with the lock held, so that
                                       sleepers and actions miss nothing */
    int cancel_fd;                  /* L: -1 until asked for, then kept */
    struct weir__waitlist sleepers; /* L: in weir_task_sleep */
    struct weir__cleanup actions[WEIR__MOST_CLEANUPS]; /* L: on_cancel */
    size_t action_count;                               /* L */
    const void *actor; /* L: the thread that runs an action, or NULL */
    struct weir__waitlist quiet; /* L: waiting for no actor */
    struct weir__door door;      /* L: open while the handler runs */
    struct weir__cleanup cleanups[WEIR__MOST_CLEANUPS]; /* T: deferred */
    size_t cleanup_count;                               /* T */
    struct weir__holding holdings[WEIR__MOST_HOLDINGS]; /* T */
    size_t holding_count;                               /* T */
    bool had_actions;                                   /* T */
    bool crashed;                      /* T: a fault ended the handler */
    bool failed;                       /* T: fail or raise was called */
    bool ends_series;                  /* T: no firing is to follow */
    bool overloaded;                   /* T: so the service has answered */
    int code;                          /* T: what the handler answers */
    char message[WEIR__MESSAGE_BYTES]; /* T */
    unsigned char *result;             /* I: the pointer;  T: the bytes */
    size_t result_room;                /* I: bytes */
    size_t result_size;                /* T: bytes */
    jmp_buf escape;                    /* T: where raise and faults go */
    struct weir__trap *trap;           /* I: its thread's; NULL: no faults do */
    weir_status (*start_listener)(void); /* I: in a child process, where a
                                            signal asks: has a thread there
                                            for the actions; else NULL */
    struct weir_task *outer; /* T: the attempt around this one, if any */
};

/* What begin has to know. */
struct weir__attempt {
    uint64_t id;
    uint32_t attempt;
    uint32_t worker;
    void *context;
    weir_deadline deadline;
    weir_deadline (*find_deadline)(weir_task *task); /* NULL: it is known */
};

/* `result` has room for `result_room` bytes and outlives the task.  The caller
 * may set `trap` then.  Returns WEIR_OK, WEIR_ESYSTEM. */
weir_status
weir__task_init(struct weir_task *task, void *result, size_t result_room);
void weir__task_dispose(struct weir_task *task);

void weir__task_forget_cancel(struct weir_task *task);

/* The end of the attempt before has left no actions, and if somebody had come
 * to know it, another generation. */
static inline void
weir__task_begin(struct weir_task *task, const struct weir__attempt *attempt)
{
    if (weir__flag_read(&task->cancelled))
        weir__task_forget_cancel(task);
    task->had_actions = false;
    weir__door_open(&task->door);
    task->crashed = false;
    task->id = attempt->id;
    task->attempt = attempt->attempt;
    task->worker = attempt->worker;
    task->context = attempt->context;
    task->deadline = attempt->deadline;
    task->find_deadline = attempt->find_deadline;
    task->cleanup_count = 0;
    task->failed = false;
    task->ends_series = false;
    task->overloaded = false;
    task->code = 0;
    task->message[0] = '\0';
    task->result_size = 0;
}

/*
 * Calls the handler and notes what it answers, also when it raises.  Does not
 * return if the handler ends its thread.  With `cancellable` the thread can be
 * cancelled while the handler runs, and a cancel that is still pending when it
 * returns ends the thread too.
 *
 * False: it crashed.  No action starts any more and none runs; the thread
 * cannot be cancelled, and is to do nothing but return.
 */
bool weir__task_run(struct weir_task *task, weir_handler *handler, void *item,
                    bool cancellable);

/* By a handler, with its own record, begun anew: calls another one in its
 * stead, as with `cancellable` above, to the end of that attempt, clean-ups and
 * all.  Not with a trap. */
void weir__task_run_again(struct weir_task *task, weir_handler *handler,
                          void *item);

/* Lets no action start any more, waits for one that runs, runs what was
 * deferred, unless it crashed, and gives back what the attempt holds. */
void weir__task_end(struct weir_task *task);

/* Whether its handler answered that all is well. */
static inline bool weir__task_is_done(const struct weir_task *task)
{
    return !task->failed && task->code == 0;
}

/* Whether the attempt, by its own thread, has no actions, clean-ups or
 * holdings. */
static inline bool weir__task_is_plain(const struct weir_task *task)
{
    return task->cleanup_count == 0 && task->holding_count == 0 &&
           !task->had_actions;
}
/* Its end, if so, and nobody else has come to know the task. */
void weir__task_end_plainly(struct weir_task *task);

/* By the attempt's thread: its place for what it holds of that, or NULL; and
 * how much it is. */
struct weir__holding *
weir__task_holding(struct weir_task *task, const void *of);
size_t weir__task_holds(const struct weir_task *task, const void *of);
/* The same; if there is none, makes a place of count 0.  give_back(of, count)
 * runs at the attempt's end, on its thread, unless it is let go before.
 * Returns WEIR_OK, WEIR_FULL. */
weir_status weir__task_hold(struct weir_task *task, const void *of,
                            void (*give_back)(void *of, size_t count),
                            struct weir__holding **holding, bool *is_new);
void weir__task_let_go(struct weir_task *task, struct weir__holding *holding);

/* This thread ran an action, and the action ended the thread. */
void weir__task_forget_actor(struct weir_task *task);

/* DONE or FAILED with code, message and result, as the attempt answered it, or
 * CRASHED.  Only these fields of *outcome are written. */
void weir__task_answer(const struct weir_task *task, weir_outcome *outcome);

/* Asks the live attempt to stop.  Returns whether actions have to be run, by
 * weir__task_act with this generation. */
bool weir__task_cancel(struct weir_task *task, uint64_t *generation);

/* Sends its thread the signal, if there is one and the handler has not ended.
 * Returns whether it might be worth while again. */
bool weir__task_interrupt(struct weir_task *task);

/* Runs the actions of that attempt, unless it has ended. */
void weir__task_act(struct weir_task *task, uint64_t generation);
/* Runs those of the live attempt, if it was asked to stop. */
void weir__task_act_if_cancelled(struct weir_task *task);

#endif /* WEIR_LIB_TASK_H */
