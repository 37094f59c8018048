/* SPDX-License-Identifier: MIT */
/*
 * weir/task.h - what a handler gets, what it may do, and how tasks end.
 *
 * A weir_task stands for one attempt at one task.  It is valid on the thread
 * that runs the handler, from the handler's start to its end, and for
 * weir_task_cancelled on any thread that the handler has given it to and waits
 * for.  Unless a card says otherwise, only the handler's own thread may call.
 */
#ifndef WEIR_TASK_H
#define WEIR_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_task weir_task;

/*
 * Your code for one item.  Returns 0 when done, else an error code of yours.
 * Runs on a worker (or, with caller-runs, on the submitter); no weir lock is
 * held; may block, submit, put, get.  It may end by return, weir_task_raise or
 * pthread_exit, but may not detach its thread, nor have it cancelled at any
 * moment (PTHREAD_CANCEL_ASYNCHRONOUS).  What it makes of cancelling otherwise
 * ends with it.  A worker's timed waits are not put off to wake with those of
 * others (its timer slack is 1 us, not 50).
 */
typedef int weir_handler(weir_task *task, void *item);

/* How a task ends.  Exactly one of these, exactly once. */
typedef enum weir_outcome_kind {
    WEIR_OUTCOME_DONE,      /* the handler returned 0 */
    WEIR_OUTCOME_FAILED,    /* an error code, weir_task_fail or _raise */
    WEIR_OUTCOME_TIMED_OUT, /* the attempt's deadline passed */
    WEIR_OUTCOME_CRASHED,   /* a fault; only with WEIR_ISOLATE_TRAP */
    WEIR_OUTCOME_EXITED,    /* the handler ended its thread */
    WEIR_OUTCOME_CANCELLED, /* by its future, by stop, by the run's end */
    WEIR_OUTCOME_EXPIRED,   /* waited for too long to be run */
    WEIR_OUTCOME_DROPPED    /* the overload policy made room */
} weir_outcome_kind;

typedef struct weir_outcome {
    size_t size; /* set by WEIR_OUTCOME_INIT */
    weir_outcome_kind kind;
    int code; /* the handler's; for CRASHED the signal; for EXITED the status */
    uint32_t attempts; /* started so far; 0 if it never ran */
    uint64_t task_id;
    int64_t waited_ns;   /* submit to first start, or to settle */
    int64_t ran_ns;      /* the last attempt, up to settle */
    const char *message; /* never NULL; lent: in a callback until it returns,
                            from a future until it is released */
    const void *result;  /* weir_task_result's bytes; lent likewise */
    size_t result_size;  /* bytes; 0: none */
} weir_outcome;
#define WEIR_OUTCOME_INIT WEIR_SIZED(weir_outcome)

/* The kind in lower-case words: "timed out"; "unknown outcome" for a number
 * that is none.  A constant.  Any thread. */
WEIR_API const char *weir_outcome_name(weir_outcome_kind kind);

/* The task's number: 1, 2, ... in the order of acceptance by its pool.  The
 * same in every attempt. */
WEIR_API uint64_t weir_task_id(const weir_task *task);

/* Which attempt this is: 1, 2, ... */
WEIR_API uint32_t weir_task_attempt(const weir_task *task);

/* The worker's index, below max_workers + max_abandoned (a resize may raise the
 * former); never shared by two live threads, abandoned ones included, so it may
 * index per-worker arrays.  UINT32_MAX when the submitter runs it. */
WEIR_API uint32_t weir_task_worker(const weir_task *task);

/* The spec's context, else the pool's. */
WEIR_API void *weir_task_context(const weir_task *task);

/* When this attempt times out; WEIR_FOREVER without a timeout. */
WEIR_API weir_deadline weir_task_deadline(const weir_task *task);

/*
 * Whether somebody has asked this attempt to stop: its deadline passed, its
 * future was cancelled, or the pool stops now.  A handler that may last looks
 * at this now and then; it never turns false again.
 *
 * Blocks:  never; one load.
 * Threads: the handler's, and any it waits for.
 */
WEIR_API bool weir_task_cancelled(const weir_task *task);

/*
 * A descriptor that is readable once the attempt is cancelled, for poll().
 *
 * Owns:    lends the descriptor until the attempt ends; do not read or close.
 * Returns: the descriptor, or -1 with errno set.
 */
WEIR_API int weir_task_cancel_fd(weir_task *task);

/*
 * Has `action(arg)` run when the attempt is cancelled, for instance to
 * shutdown() a socket that the handler waits on; at once, here, if it already
 * is.  Each action runs at most once, and never after the attempt has ended: a
 * handler's end waits for one that runs.  A NULL action takes back those that
 * have not run and waits for one that runs, so that what `arg` points to may
 * go.
 *
 * Actions run on the pool's notifier thread (in a child process on a thread of
 * its own, started for the first) with no weir lock held; keep them short; they
 * may not end that thread.
 *
 * Owns:    holds `arg` until the action has run or the attempt ends.
 * Returns: WEIR_OK, WEIR_FULL (16 actions stand already), WEIR_ESYSTEM (in a
 *          child process: no thread or descriptor for them).
 */
WEIR_API WEIR_MUST_USE weir_status
weir_task_on_cancel(weir_task *task, void (*action)(void *arg), void *arg);

/*
 * Sleeps `ns` nanoseconds, or until the attempt is cancelled.
 *
 * Blocks:  as it says.
 * Returns: WEIR_OK, WEIR_CANCELLED.
 */
WEIR_API WEIR_MUST_USE weir_status weir_task_sleep(weir_task *task, int64_t ns);

/*
 * Sets the code and the message of a failure; the task is FAILED even if
 * `code` is 0.  Use as `return weir_task_fail(task, 5, "row %d", row);`.  The
 * message is cut at 255 bytes.
 *
 * Returns: `code`.
 */
WEIR_API int weir_task_fail(weir_task *task, int code, const char *format, ...)
    WEIR_PRINTF(3, 4);

/*
 * Fails as weir_task_fail does and leaves the handler at once: deferred
 * clean-ups run, with the handler's variables still in place, then control
 * jumps to the worker.  Must not cross pthread_cleanup_push or C++ frames with
 * destructors.
 */
WEIR_API WEIR_NO_RETURN void
weir_task_raise(weir_task *task, int code, const char *format, ...)
    WEIR_PRINTF(3, 4);

/*
 * Has `cleanup(arg)` run when the attempt ends, however it ends (return,
 * raise, pthread_exit), latest first, before the item is released.  After
 * return and pthread_exit the handler's own variables are gone: `arg` should
 * not point to them.  A clean-up may not raise or end the thread.  After a
 * crash (WEIR_ISOLATE_TRAP) none runs.
 *
 * Owns:    holds `arg` until then.
 * Returns: WEIR_OK, WEIR_FULL (16 stand already).
 */
WEIR_API WEIR_MUST_USE weir_status weir_task_defer(weir_task *task,
                                                   void (*cleanup)(void *arg),
                                                   void *arg);

/*
 * Makes a copy of `size` bytes the result of this attempt; again replaces it.
 * 0 bytes are allowed.
 *
 * Returns: WEIR_OK, WEIR_EINVAL (more than the pool's max_result).
 */
WEIR_API WEIR_MUST_USE weir_status weir_task_result(weir_task *task,
                                                    const void *bytes,
                                                    size_t size);

/*
 * Ends the series that the task is of (weir_task_spec's every_ns): when this
 * attempt ends, however it ends, no firing follows.  Retries of this task still
 * do.  Nothing for a task that is of none.
 */
WEIR_API void weir_task_end_series(weir_task *task);

/*
 * Says that the service this attempt calls has too much to do (429, 503): its
 * pool's adaptive limit falls, and its breaker counts a failure, whatever the
 * handler returns.  Nothing in a pool that has neither.
 */
WEIR_API void weir_task_overloaded(weir_task *task);

/* The attempt that runs on the calling thread; NULL outside a handler. */
WEIR_API weir_task *weir_task_current(void);

WEIR_END_DECLS

#endif /* WEIR_TASK_H */
