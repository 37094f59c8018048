/* SPDX-License-Identifier: MIT */
/*
 * children.h - workers whose handlers run in a child process each.
 *
 * To the pool such a worker is as any other: it takes a task, begins an
 * attempt, and says how it ended.  In between it does not call the handler but
 * has its child do so (process/child.h), and waits.  So deadlines, cancels,
 * retries, futures and the ledger know nothing of processes; when an attempt is
 * asked to stop, its record's cancel descriptor wakes the worker, which asks
 * and then kills the child.  Nothing is ever abandoned: what can be killed
 * ends.
 *
 * A child that has ended is replaced by its worker before it takes another
 * task, also if the child ended while it was idle.  If none can be started the
 * thread ends, as with a worker_start that refuses, and the timekeeper tries
 * again later; what is queued waits.  But if the fork server has ended there
 * will be none: then each task settles CRASHED, and submits are refused.
 */
#ifndef WEIR_LIB_POOL_CHILDREN_H
#define WEIR_LIB_POOL_CHILDREN_H

#include "pool/pool.h"

/* By a worker with a child; without the lock, but for are_fit, which does not
 * care.  Starts a child, and answers what a worker_start would. */
int weir__children_start(struct weir__worker *worker);
/* Whether it may take a task.  If not, renew looks whether the child is alive
 * and has another in its place; false: there is none, and the thread is to
 * end. */
bool weir__children_are_fit(const struct weir__worker *worker);
bool weir__children_renew(struct weir__worker *worker);
/* Runs the attempt that has begun in the worker's record. */
enum weir__ending weir__children_run(struct weir__worker *worker,
                                     const struct weir__entry *entry);

/* Those that are starting, or all of them, are to end now. */
void weir__children_hurry_starts(weir_pool *pool) WEIR_REQUIRES(pool->lock);
void weir__children_hurry_all(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Whether a child can run this; `pointer` is an item that is not copied.
 * WEIR_OK, WEIR_EINVAL. */
weir_status weir__children_check(const weir_pool *pool, weir_handler *handler,
                                 const void *pointer, const void *context);
/* Whether there will be none any more; who must know is told. */
bool weir__children_are_lost(weir_pool *pool) WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_CHILDREN_H */
