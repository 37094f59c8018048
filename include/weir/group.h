/* SPDX-License-Identifier: MIT */
/* weir/group.h - my tasks in a shared pool: to join, to cancel, to count. */
#ifndef WEIR_GROUP_H
#define WEIR_GROUP_H

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/future.h>
#include <weir/pool.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

/* Tasks that were submitted through it, and their ledger.  It may outlive its
 * pool, and then lets nothing in. */
typedef struct weir_group weir_group;

/*
 * Makes a group without tasks.  It costs no thread and no place in the pool.
 *
 * Owns:    the caller owns *out until weir_group_destroy(*out).
 * Returns: WEIR_OK, WEIR_ENOMEM, WEIR_FORKED, WEIR_EINVAL.  *out is written
 *          only on WEIR_OK.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_group_create(weir_group **out,
                                                     weir_pool *pool);

/*
 * As weir_pool_submit, as one of the group's.
 *
 * Blocks:  as weir_pool_submit.
 * Owns:    as weir_pool_submit.
 * Returns: as weir_pool_submit.
 * Threads: any; from a handler too, so that tasks may submit others to their
 *          group.
 */
WEIR_API WEIR_MUST_USE weir_status weir_group_submit(weir_group *group,
                                                     weir_handler *handler,
                                                     void *item,
                                                     weir_deadline deadline);

/*
 * As weir_pool_submit_task, as one of the group's.
 *
 * Blocks:  as weir_pool_submit.
 * Owns:    as weir_pool_submit_task.
 * Returns: as weir_pool_submit_task.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_group_submit_task(weir_group *group, const weir_task_spec *spec,
                       weir_future **out, weir_deadline deadline);

/*
 * Waits until nothing of the group is queued, running, retrying or overdue and
 * the callbacks for its tasks have returned: so its items have been released.
 * Others' tasks do not matter.  More may be submitted meanwhile, and later.
 *
 * Blocks:  until then or the deadline.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_STUCK (at once, when nothing is left
 *          of it but abandoned attempts), WEIR_DEADLOCK (in a handler or
 *          callback of its pool), WEIR_FORKED, WEIR_EINVAL.
 * Threads: any other; several at once.
 */
WEIR_API WEIR_MUST_USE weir_status weir_group_join(weir_group *group,
                                                   weir_deadline deadline);

/*
 * Settles those of its tasks that have not settled CANCELLED, each as
 * weir_future_cancel does: what waits never starts, what runs is asked to stop.
 * Others' tasks are not touched, and later submits are let in.  NULL is
 * allowed; in a fork child it does nothing.
 *
 * Blocks:  never.
 * Threads: any; from a handler too.
 */
WEIR_API void weir_group_cancel(weir_group *group);

/*
 * Writes the group's own ledger, all figures of one moment: it balances as the
 * pool's does, which counts these tasks too.
 *
 * Threads: any.  In a fork child all figures are 0.
 */
WEIR_API void weir_group_read_ledger(const weir_group *group, weir_ledger *out);

/*
 * Cancels what is there, as weir_group_cancel does, and ends the group.  Waits
 * neither for handlers nor for callbacks: those of the pool still run for its
 * tasks, and their items are still released.  To wait for that, cancel and join
 * first.  NULL is allowed; in a fork child it does nothing.
 *
 * Blocks:  never.
 * Threads: one, with no other call on this group in progress; from a handler or
 *          callback too.
 */
WEIR_API void weir_group_destroy(weir_group *group);

WEIR_END_DECLS

#endif /* WEIR_GROUP_H */
