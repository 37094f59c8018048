/* SPDX-License-Identifier: MIT */
/* retry.h - the arithmetic of trying again. */
#ifndef WEIR_LIB_TASK_RETRY_H
#define WEIR_LIB_TASK_RETRY_H

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

#endif /* WEIR_LIB_TASK_RETRY_H */
