/* SPDX-License-Identifier: MIT */
/* deaf.h - attempts that do not end when they are asked to. */
#ifndef WEIR_TESTS_DEAF_H
#define WEIR_TESTS_DEAF_H

#include "pools.h"

/* Of the options that setup leaves. */
extern const int64_t deaf_timeout_ns, deaf_grace_ns;

/* One worker, whose hooks see that no two threads have its index; two may be
 * abandoned. */
void deaf_setup(void);
/* The same for plain tasks, of which nobody hears but the ledger. */
void deaf_plain_setup(void);
void deaf_teardown(void);

/* When the grace of a job that runs is over. */
int64_t grace_of(const struct job *job);
/* So many jobs begin together and are deaf until the grace is over. */
void start_deaf(struct job **jobs, int count);
struct job *start_abandoned(void);
void await_abandoned(uint64_t count);
/* Of a job of which no callback tells the end. */
void let_end(struct job *job);
/* Not before the abandoned have returned: a join would not wait for them. */
void settle_returned(void);

#endif /* WEIR_TESTS_DEAF_H */
