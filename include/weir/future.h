/* SPDX-License-Identifier: MIT */
/* weir/future.h - one task's outcome, to wait for, to cancel, to let go. */
#ifndef WEIR_FUTURE_H
#define WEIR_FUTURE_H

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

/* Made by weir_pool_submit_task; yours until weir_future_release.  It may
 * outlive the pool. */
typedef struct weir_future weir_future;

/*
 * Waits until the task has settled.  Several threads may wait; again answers
 * again.
 *
 * Blocks:  until the task settles or the deadline passes.
 * Owns:    message and result in *out are lent until weir_future_release.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_DEADLOCK (in a handler or callback of
 *          the same pool, if it would have to wait for ever), WEIR_FORKED,
 *          WEIR_EINVAL.  *out is written only on WEIR_OK; NULL is allowed.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_future_wait(weir_future *future,
                                                    weir_outcome *out,
                                                    weir_deadline deadline);

/*
 * Settles the task CANCELLED, unless it has settled.  One that waits never
 * starts; one that runs is asked to stop (weir_task_cancelled) and what it
 * still answers is dropped.
 *
 * Blocks:  never.
 * Returns: WEIR_OK: the task has settled, weir_future_wait says how;
 *          WEIR_FORKED, WEIR_EINVAL.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_future_cancel(weir_future *future);

/*
 * Lets go of the future; the task itself is not touched.  NULL is allowed; in
 * a fork child it does nothing.
 *
 * Threads: any, at any time, once; with no other call on it in progress.
 */
WEIR_API void weir_future_release(weir_future *future);

WEIR_END_DECLS

#endif /* WEIR_FUTURE_H */
