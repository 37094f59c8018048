/* SPDX-License-Identifier: MIT */
/*
 * weir/retry.h - when a failed task is tried again.
 *
 * The delay before attempt n + 1 is base * factor^(n - 1), at most cap, of
 * which the share `jitter` is random.  A task that waits for its next attempt
 * holds no worker.  No attempt starts before the one before has really ended.
 * A task that is not tried again settles with its last outcome, and the number
 * of its attempts.
 *
 * THE BUDGET keeps an outage from being met with a storm.  A pool has one
 * account, of first attempts that no retry has been granted for.  Each first
 * attempt of any task in the pool adds 1.  A retry under a policy with a budget
 * is granted only if the account holds 1 / budget, and takes that.  So with a
 * budget of 0.1, of 1000 tasks that all fail 100 are tried once more.  What the
 * account holds above 1000 (or 1 / budget, if that is more) when it is asked is
 * lost, so that a long good time does not save up a storm.  A retry that was
 * granted has been paid for, even if the task is cancelled before it starts;
 * one that the predicate denies costs nothing.  Policies without a budget
 * neither ask nor pay.
 */
#ifndef WEIR_RETRY_H
#define WEIR_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

/*
 * Whether this outcome is worth another attempt.  Runs where the attempt
 * ended: on the worker, or for TIMED_OUT and CRASHED on the notifier; no weir
 * lock is held; must return and must not wait for the pool.  `outcome` is lent
 * until it returns.
 */
typedef bool weir_retryable(void *arg, const weir_outcome *outcome);

typedef struct weir_retry {
    size_t size;           /* set by WEIR_RETRY_INIT */
    uint32_t max_attempts; /* in total; 0: 1 */
    int64_t base_ns;       /* the first delay; 0: 100 ms */
    int64_t cap_ns;        /* the longest delay; 0: 30 s, or base if longer */
    double factor;         /* from one delay to the next, 1 or more; 0: 2 */
    double jitter;         /* share of the delay that is random, up to 1;
                              below 0: none; 0: 1 (full) */
    double budget;         /* retries per first attempt, 1e-6 to 1000, in
                              steps of 1e-6; 0: unlimited */
    weir_retryable *retryable; /* NULL: FAILED and TIMED_OUT are */
    void *retryable_arg;
    int64_t patience_ns; /* past the deadline, for an attempt that timed out to
                            end; 0: until the next is due; in a pool with
                            grace_ns that is the patience */
} weir_retry;
#define WEIR_RETRY_INIT WEIR_SIZED(weir_retry)

WEIR_END_DECLS

#endif /* WEIR_RETRY_H */
