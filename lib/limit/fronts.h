/* SPDX-License-Identifier: MIT */
/*
 * fronts.h - what pools use of limits beside limit.h and the public calls.
 *
 * With a pool's lock held, and so nobody is told here: see weir__limit_owes.
 */
#ifndef WEIR_LIB_LIMIT_FRONTS_H
#define WEIR_LIB_LIMIT_FRONTS_H

#include <weir/adaptive.h>
#include <weir/breaker.h>
#include <weir/rate.h>
#include <weir/semaphore.h>

#include "limit/limit.h"
#include "task/task.h"

/* What they are beside themselves; NULL for NULL. */
struct weir__limit *weir__semaphore_as_limit(weir_semaphore *semaphore);
struct weir__limit *weir__adaptive_as_limit(weir_adaptive *adaptive);
struct weir__limit *weir__breaker_as_limit(weir_breaker *breaker);
struct weir__limit *weir__rate_as_limit(weir_rate *rate);

/* What was granted, with its reference, belongs to the attempt that has just
 * begun and holds none of it; by its thread. */
void weir__semaphore_hand_to(weir_semaphore *semaphore, struct weir_task *task,
                             size_t permits);

/* One permit was granted; the call begins, and ends. */
void weir__adaptive_begin(weir_adaptive *adaptive, weir_adaptive_pass *pass);
void weir__adaptive_end(weir_adaptive *adaptive, weir_adaptive_pass *pass,
                        weir_result result);

/* Whether it would let nobody in, and how a call that it has let in went. */
bool weir__breaker_is_open(weir_breaker *breaker);
void weir__breaker_end(weir_breaker *breaker, weir_breaker_pass *pass,
                       weir_result result);
/* Lets the call in, or has the bid watch: it is told when there are news, and
 * *until_ns says when it is worth another try without any. */
bool weir__breaker_admit(weir_breaker *breaker, weir_breaker_pass *pass,
                         struct weir__bid *bid, int64_t *until_ns);

/* One token; may be taken in advance.  Returns when it is there; above by_ns:
 * nothing was taken. */
int64_t weir__rate_take(weir_rate *rate, int64_t by_ns);
/* One that was taken comes back. */
void weir__rate_give(weir_rate *rate);
/* One that was taken in advance is used, and has been there for a while. */
void weir__rate_use_late(weir_rate *rate);

#endif /* WEIR_LIB_LIMIT_FRONTS_H */
