/* SPDX-License-Identifier: MIT */
/* weir/future.h - one task's outcome, to wait for, to cancel, to let go. */
#ifndef WEIR_FUTURE_H
#define WEIR_FUTURE_H

#include <stddef.h>

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
 * Waits until one of the tasks has settled; *index says which.  Those that are
 * NULL are passed over: so a loop that sets the one it has got to NULL gets all
 * of them as they complete.  They may be of different pools, and the same one
 * may be there twice.  Of several that have settled, any may be answered.
 *
 * Blocks:  until one has settled or the deadline passes.
 * Owns:    nothing; the futures stay yours.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_DEADLOCK (it would have to wait for
 *          ever, in a handler or callback of every pool that one of them is
 *          of), WEIR_ENOMEM (only if none has settled), WEIR_ESYSTEM,
 *          WEIR_FORKED, WEIR_EINVAL (no futures, or nothing but NULL).
 *          *index is written only on WEIR_OK.
 * Threads: any; from a handler too; several may wait for the same.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_future_wait_any(weir_future *const *futures, size_t count, size_t *index,
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
 * Threads: any, once, at any time of the task's life; a handler or callback of
 *          the task itself may be the one.  As with any handle, no other call
 *          on it may be in progress: neither a wait for it, nor one for any of
 *          several that it is among.
 */
WEIR_API void weir_future_release(weir_future *future);

WEIR_END_DECLS

#endif /* WEIR_FUTURE_H */
