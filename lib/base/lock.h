/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the only room that names pthread_mutex_t and pthread_cond_t.
 *
 * Every lock has a rank.  A thread may take a lock only if its rank is above
 * the rank of every lock it holds; debug builds abort otherwise.  The enum
 * below is therefore the whole lock order of the library.
 */
#ifndef WEIR_LIB_BASE_LOCK_H
#define WEIR_LIB_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>

#include <weir/deadline.h>
#include <weir/status.h>

#include "base/annotate.h"

enum weir__rank {
    WEIR__RANK_RUN,    /* a run's report and its producers' state */
    WEIR__RANK_STREAM, /* a stream's places */
    WEIR__RANK_QUEUE,  /* one queue's ring */
    WEIR__RANK_POOL,   /* one pool: tasks, workers, ledger, futures */
    WEIR__RANK_LIMIT,  /* one semaphore, rate, breaker or adaptive limit */
    WEIR__RANK_TASK,   /* one attempt: its cancelling */
    WEIR__RANK_WATCH   /* one thread that waits for any of several futures */
};

struct WEIR_LOCKABLE weir__mutex {
    pthread_mutex_t native;
    enum weir__rank rank;
};

struct weir__cond {
    pthread_cond_t native; /* waits on CLOCK_MONOTONIC */
};

weir_status weir__mutex_init(struct weir__mutex *mutex, enum weir__rank rank);
void weir__mutex_dispose(struct weir__mutex *mutex);
void weir__mutex_lock(struct weir__mutex *mutex) WEIR_ACQUIRES(mutex);
void weir__mutex_unlock(struct weir__mutex *mutex) WEIR_RELEASES(mutex);

/*
 * The same for who may be in a signal handler, and so in the middle of anything
 * else that its thread was at: takes the lock if nobody has it, this thread
 * included, and never waits.  Its rank is not looked at: what was interrupted
 * may be just noting one.  POSIX does not list pthread_mutex_trylock among what
 * a signal handler may call; of a plain mutex of glibc or musl it is one
 * compare-and-swap and a note of who has it, and the unlock is the reverse, and
 * a system call that wakes.
 */
bool weir__mutex_try_aside(struct weir__mutex *mutex) WEIR_TRIES(mutex);
void weir__mutex_unlock_aside(struct weir__mutex *mutex) WEIR_RELEASES(mutex);

void weir__cond_init(struct weir__cond *cond);
void weir__cond_dispose(struct weir__cond *cond);
void weir__cond_wake(struct weir__cond *cond);

/*
 * Waits until woken (or for no reason) or until the deadline: call it in a
 * loop.  Not a cancellation point, whatever the thread's state: a thread that
 * was cancelled here would die with the mutex held.
 *
 * Returns WEIR_OK or WEIR_TIMED_OUT.
 */
weir_status weir__cond_wait(struct weir__cond *cond, struct weir__mutex *mutex,
                            weir_deadline deadline) WEIR_REQUIRES(mutex);

#endif /* WEIR_LIB_BASE_LOCK_H */
