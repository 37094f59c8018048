/* SPDX-License-Identifier: MIT */
/* thread.c - see thread.h. */
#include "base/thread.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <weir/deadline.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"

/* 100 ms. */
enum { NAPS_BEFORE_LEAVING = 110 };

static pthread_key_t end_key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static int key_error; /* written inside once, read after it */

static _Thread_local int self;
/* Rounds of destructors that this thread has seen. */
static _Thread_local int end_rounds;

/* What lay between the variables of frames that are gone is still marked as out
 * of bounds. */
void weir__thread_forget_frames(void)
{
#ifdef __SANITIZE_ADDRESS__
    extern WEIR_API void __asan_unpoison_memory_region(void const volatile *,
                                                       size_t);
    pthread_attr_t attr;
    void *lowest;
    size_t bytes;

    if (pthread_getattr_np(pthread_self(), &attr))
        return;
    if (!pthread_attr_getstack(&attr, &lowest, &bytes))
        __asan_unpoison_memory_region(lowest, bytes);
    pthread_attr_destroy(&attr);
#endif
}

/*
 * A program's own destructors may still touch an item, and run in any order
 * within a round: so we ask for another round until the last but one.  Not the
 * last, because the sanitizers take down their own state in that.
 */
static void last_of_all(void *value)
{
    struct weir__thread *thread = value;

    weir__thread_forget_frames();
    if (++end_rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1 &&
        pthread_setspecific(end_key, thread) == 0)
        return;
    /* Should what still has to be done end the thread again, we come back. */
    pthread_setspecific(end_key, thread);
    thread->ended(thread->arg);
    pthread_setspecific(end_key, NULL);
}

static void make_key(void)
{
    key_error = pthread_key_create(&end_key, last_of_all);
}

/*
 * POSIX lets a thread run before pthread_create has written `native`, and in
 * musl it does: whoever sees that the thread has ended would join what is none.
 * So it waits for its creator, who touches *thread no more once it has said so.
 */
static void await_creator(const struct weir__thread *thread)
{
    for (int naps = 0; !weir__flag_read(&thread->created); naps++) {
        if (naps < 10)
            sched_yield();
        else
            weir__thread_nap(WEIR_US(50));
    }
}

static void *thread_main(void *arg)
{
    struct weir__thread *thread = arg;

    weir__thread_let_cancel(false);
    await_creator(thread);
    pthread_setname_np(pthread_self(), thread->name);
    if (pthread_setspecific(end_key, thread)) {
        thread->ended(thread->arg);
        return NULL;
    }
    thread->run(thread->arg);
    return NULL;
}

const struct weir__thread *weir__thread_mine(void)
{
    return pthread_getspecific(end_key);
}

/* Signals that a thread causes itself, by what it does. */
static void block_all_but_synchronous(sigset_t *before)
{
    sigset_t blocked;

    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGTRAP);
    sigdelset(&blocked, SIGSYS);
    sigdelset(&blocked, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &blocked, before);
}

void weir__thread_reset_signals(void)
{
    block_all_but_synchronous(NULL);
}

static int prepare_key(void)
{
    pthread_once(&key_once, make_key);
    return key_error;
}

weir_status weir__thread_prepare(void)
{
    int error = prepare_key();

    if (!error)
        return WEIR_OK;
    errno = error;
    return weir__refuse(WEIR_ESYSTEM,
                        "no key for threads: %s; the program has used up "
                        "PTHREAD_KEYS_MAX",
                        strerror(error));
}

static int start_native(struct weir__thread *thread)
{
    pthread_attr_t attr;
    sigset_t before;
    int error = prepare_key();

    if (!error)
        error = pthread_attr_init(&attr);
    if (error)
        return error;
    if (thread->stack_bytes)
        error = pthread_attr_setstacksize(&attr, thread->stack_bytes);
    if (!error) {
        block_all_but_synchronous(&before);
        weir__flag_write(&thread->created, false);
        error = pthread_create(&thread->native, &attr, thread_main, thread);
        if (!error)
            weir__flag_write(&thread->created, true);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attr);
    return error;
}

void weir__thread_set_name(struct weir__thread *thread, const char *name,
                           const char *suffix)
{
    size_t room = sizeof(thread->name) - 2; /* without the slash and the end */
    size_t tail = strnlen(suffix, room);
    size_t front = strnlen(name, room - tail);

    memcpy(thread->name, name, front);
    thread->name[front] = '/';
    memcpy(thread->name + front + 1, suffix, tail);
    thread->name[front + 1 + tail] = '\0';
}

weir_status weir__thread_start(struct weir__thread *thread)
{
    int error = weir__fault_strikes() ? EAGAIN : start_native(thread);

    if (!error)
        return WEIR_OK;
    errno = error;
    return weir__refuse(WEIR_ESYSTEM,
                        "thread %s with a stack of %zu bytes (0: the "
                        "system's) did not start: %s; use fewer or smaller "
                        "threads, or raise the process's limits",
                        thread->name, thread->stack_bytes, strerror(error));
}

void weir__thread_join(struct weir__thread *thread)
{
    bool could = weir__thread_let_cancel(false);

    if (pthread_join(thread->native, NULL)) /* unreached: not joined yet */
        abort();
    weir__thread_let_cancel(could);
}

/* In short steps, so that it takes no clock. */
void weir__thread_join_or_leave(struct weir__thread *thread)
{
    for (int naps = 0; naps < NAPS_BEFORE_LEAVING; naps++) {
        if (pthread_tryjoin_np(thread->native, NULL) == 0)
            return;
        weir__thread_nap(WEIR_US(naps < 10 ? 50 : 1000));
    }
    weir__thread_detach(thread);
}

void weir__thread_detach(struct weir__thread *thread)
{
    if (pthread_detach(thread->native)) /* unreached: not joined yet */
        abort();
}

const void *weir__thread_stack_end(void)
{
    pthread_attr_t attr;
    void *lowest = NULL;
    size_t bytes;

    if (pthread_getattr_np(pthread_self(), &attr))
        return NULL;
    (void)pthread_attr_getstack(&attr, &lowest, &bytes); /* of a whole one */
    pthread_attr_destroy(&attr);
    return lowest;
}

size_t weir__thread_least_stack(void)
{
    long least = sysconf(_SC_THREAD_STACK_MIN);

    return least > 0 ? (size_t)least : 16384; /* unreached: glibc has one */
}

bool weir__thread_let_cancel(bool let)
{
    int before;

    pthread_setcancelstate(let ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE,
                           &before);
    return before == PTHREAD_CANCEL_ENABLE;
}

void weir__thread_reset_cancel(void)
{
    int before;

    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
}

void weir__thread_test_cancel(void)
{
    pthread_testcancel();
}

void weir__thread_yield(void)
{
    sched_yield();
}

void weir__thread_nap(int64_t ns)
{
    struct timespec time = weir__timespec(ns);
    bool could = weir__thread_let_cancel(false);

    nanosleep(&time, NULL);
    weir__thread_let_cancel(could);
}

/* If the system does not have it, waits are as they were. */
void weir__thread_wait_exactly(void)
{
    prctl(PR_SET_TIMERSLACK, 1000UL);
}

const void *weir__thread_self(void)
{
    return &self;
}
