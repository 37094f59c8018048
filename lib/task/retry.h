/* SPDX-License-Identifier: MIT */
/* retry.h - the arithmetic of trying again. */
#ifndef WEIR_LIB_TASK_RETRY_H
#define WEIR_LIB_TASK_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/retry.h>
#include <weir/status.h>

/* Reads a policy, fills in defaults, checks; what it has filled in it reads
 * again as the same.  NULL: one attempt.  Returns WEIR_OK, WEIR_EINVAL (naming
 * the field and the remedy). */
weir_status weir__retry_read(weir_retry *into, const weir_retry *from);

/*
 * Nanoseconds from the end of attempt number `attempt` (1, 2, ...) until the
 * next is due.  Pure: `random` is any 64 bits.  `policy` comes from
 * weir__retry_read.
 */
int64_t
weir__retry_delay(const weir_retry *policy, uint32_t attempt, uint64_t random);

/* Whether an outcome is worth another attempt if the policy has no predicate
 * of its own. */
bool weir__retry_by_default(const weir_outcome *outcome);

/*
 * What budgets have to spend; all zero at first.
 *
 * IDEA: with one budget it is kept in parts, 10^6 to a retry, of which a first
 * attempt brings 10^6 * budget: whole numbers, so that no rounding ever grants
 * a retry too many or withholds one.  If another budget asks, what is there is
 * converted, and rounded down by less than a part.
 *
 * Deposits are taken note of when somebody asks: in between the account can
 * only grow, so what is above its limit can just as well be cut off then.
 */
struct weir__retry_account {
    uint64_t seen;  /* first attempts, the last time somebody asked */
    uint64_t rate;  /* parts that a first attempt brings */
    uint64_t parts; /* there are */
};

/* Whether a policy of this budget (from weir__retry_read) can pay for a retry
 * when there have been so many first attempts; it has paid then. */
bool weir__retry_pay(struct weir__retry_account *account, double budget,
                     uint64_t first_attempts);

#endif /* WEIR_LIB_TASK_RETRY_H */
