/* SPDX-License-Identifier: MIT */
/*
 * thread.h - our threads: named, with signals blocked, and missed when gone.
 *
 * A thread starts with all signals blocked but those that the thread itself
 * causes (SIGSEGV and its like), so that a program's handlers run on its own
 * threads; it may let others through itself.  It cannot be cancelled except
 * where it says so.
 *
 * However a thread ends (its function returns, or something in it calls
 * pthread_exit or is cancelled), `ended` runs on it last of all; again, should
 * something in `ended` end the thread.  This is a
 * thread-specific-data destructor, not a clean-up handler: it costs nothing
 * while the thread lives and does not clash with handlers of others.
 */
#ifndef WEIR_LIB_BASE_THREAD_H
#define WEIR_LIB_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

#include "base/atomic.h"

struct weir__trap; /* base/trap.h */

/* Set all from `name` on before the start; must outlive the thread. */
struct weir__thread {
    pthread_t native;
    struct weir__flag created; /* `native` is written: the thread may go on */
    char name[16];             /* cut by the system's limit */
    size_t stack_bytes;        /* 0: the system's */
    struct weir__trap *trap;   /* NULL: its faults are not ours */
    void (*run)(void *arg);
    void (*ended)(void *arg);
    void *arg;
};

/* "NAME/SUFFIX" in 15 bytes: the name is cut, never the suffix. */
void weir__thread_set_name(struct weir__thread *thread, const char *name,
                           const char *suffix);

/* Returns WEIR_OK, WEIR_ESYSTEM (errno). */
weir_status weir__thread_start(struct weir__thread *thread);

/* Waits for the thread's very end.  Not a cancellation point. */
void weir__thread_join(struct weir__thread *thread);
/* The same for a thread that may never get so far, though it has nothing more
 * to do: after a while nobody waits for it. */
void weir__thread_join_or_leave(struct weir__thread *thread);
/* Nobody will join it. */
void weir__thread_detach(struct weir__thread *thread);

/* The calling thread if it is one of ours and has not ended, else NULL.  May be
 * asked in a signal handler, once weir__thread_prepare has answered WEIR_OK; a
 * start prepares by itself.  Returns WEIR_OK, WEIR_ESYSTEM. */
const struct weir__thread *weir__thread_mine(void);
weir_status weir__thread_prepare(void);

/* The signals that a thread of ours starts with: blocked but for those that it
 * causes itself. */
void weir__thread_reset_signals(void);

/* The frames below the caller's are gone, though no function returned: says so
 * to the address sanitizer, which keeps account of them. */
void weir__thread_forget_frames(void);

/* The lowest address of the calling thread's stack, NULL if not known; what is
 * just below is there to catch an overflow. */
const void *weir__thread_stack_end(void);

/* The least stack_bytes that the system takes. */
size_t weir__thread_least_stack(void);

/* Lets the calling thread be cancelled, or no longer; returns what it was.
 * While it is let, a request that is pending acts at the next cancellation
 * point. */
bool weir__thread_let_cancel(bool let);
/* Whatever a handler has made of it: let, and only at cancellation points.
 * Costs no write if it is so. */
void weir__thread_reset_cancel(void);
/* A cancellation point: does not return if a request is pending. */
void weir__thread_test_cancel(void);

/* Lets another thread run on this processor, if one wants to. */
void weir__thread_yield(void);

/* Sleeps so long, or less; not a cancellation point. */
void weir__thread_nap(int64_t ns);

/* The calling thread's timed waits, and those of threads and processes that it
 * starts, end within a microsecond of their moment, as far as the system can;
 * by itself it takes 50, to wake for several at once. */
void weir__thread_wait_exactly(void);

/* An address that no other live thread has. */
const void *weir__thread_self(void);

#endif /* WEIR_LIB_BASE_THREAD_H */
