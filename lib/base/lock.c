/* SPDX-License-Identifier: MIT */
/* lock.c - see lock.h.  A failing lock call means broken memory: we abort. */
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"

#ifndef NDEBUG
/* One bit per rank this thread holds; a new lock must be above them all. */
static _Thread_local unsigned held;
#endif

static void must(int error)
{
    if (error) /* unreached: memory is broken */
        abort();
}

static void note_locked(enum weir__rank rank)
{
#ifndef NDEBUG
    assert(held < 1u << rank && "lock order broken: see base/lock.h");
    held |= 1u << rank;
#else
    (void)rank;
#endif
}

static void note_unlocked(enum weir__rank rank)
{
#ifndef NDEBUG
    assert(held & 1u << rank);
    held &= ~(1u << rank);
#else
    (void)rank;
#endif
}

weir_status weir__mutex_init(struct weir__mutex *mutex, enum weir__rank rank)
{
    int error = weir__fault_strikes()
                    ? ENOMEM
                    : pthread_mutex_init(&mutex->native, NULL);

    mutex->rank = rank;
    if (!error)
        return WEIR_OK;
    errno = error;
    return weir__refuse(WEIR_ENOMEM, "no mutex: %s", strerror(error));
}

void weir__mutex_dispose(struct weir__mutex *mutex)
{
    must(pthread_mutex_destroy(&mutex->native));
}

WEIR_TRUST_ME void weir__mutex_lock(struct weir__mutex *mutex)
{
    note_locked(mutex->rank);
    must(pthread_mutex_lock(&mutex->native));
}

WEIR_TRUST_ME void weir__mutex_unlock(struct weir__mutex *mutex)
{
    note_unlocked(mutex->rank);
    must(pthread_mutex_unlock(&mutex->native));
}

WEIR_TRUST_ME bool weir__mutex_try_aside(struct weir__mutex *mutex)
{
    return pthread_mutex_trylock(&mutex->native) == 0;
}

WEIR_TRUST_ME void weir__mutex_unlock_aside(struct weir__mutex *mutex)
{
    must(pthread_mutex_unlock(&mutex->native));
}

void weir__cond_init(struct weir__cond *cond)
{
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr));
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
    must(pthread_cond_init(&cond->native, &attr));
    must(pthread_condattr_destroy(&attr));
}

void weir__cond_dispose(struct weir__cond *cond)
{
    must(pthread_cond_destroy(&cond->native));
}

void weir__cond_wake(struct weir__cond *cond)
{
    must(pthread_cond_signal(&cond->native));
}

static bool
wait_until(struct weir__cond *cond, struct weir__mutex *mutex, int64_t at_ns)
{
    const struct weir__time_source *source = weir__clock_source();
    struct timespec at;
    int error;

    if (source)
        return source->wait_until(cond, mutex, at_ns);
    at = weir__timespec(at_ns);
    error = pthread_cond_timedwait(&cond->native, &mutex->native, &at);
    if (error != ETIMEDOUT)
        must(error);
    return error == ETIMEDOUT;
}

weir_status weir__cond_wait(struct weir__cond *cond, struct weir__mutex *mutex,
                            weir_deadline deadline)
{
    bool timed_out = false;
    int cancellable;

    if (weir__is_now(deadline))
        return WEIR_TIMED_OUT;
    note_unlocked(mutex->rank);
    must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellable));
    if (weir__is_forever(deadline))
        must(pthread_cond_wait(&cond->native, &mutex->native));
    else
        timed_out = wait_until(cond, mutex, deadline.at_ns);
    must(pthread_setcancelstate(cancellable, &cancellable));
    note_locked(mutex->rank);
    return timed_out ? WEIR_TIMED_OUT : WEIR_OK;
}
