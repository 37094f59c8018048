/* SPDX-License-Identifier: MIT */
/* threads.h - what the scheduler keeps of each thread; for its own rooms. */
#ifndef WEIR_EXPLORE_THREADS_H
#define WEIR_EXPLORE_THREADS_H

#include <setjmp.h>

#include "world.h"

enum { THREAD_CLEANUPS = 4 };

enum thread_state {
    THREAD_READY,   /* may go on */
    THREAD_AT_LOCK, /* when the lock is free */
    THREAD_AT_COND, /* when woken, or when its deadline has passed */
    THREAD_AT_JOIN, /* when the other thread has ended */
    THREAD_ENDED
};

struct cleanup {
    void (*run)(void *arg);
    void *arg;
};

struct thread {
    enum thread_state state;
    struct act act; /* that it is about to do, or waits in */
    struct world_lock *lock;
    struct world_cond *cond;
    int64_t deadline_ns; /* of its wait; INT64_MAX: none */
    bool woken;          /* at a condition: by another thread */
    bool timed_out;      /* its wait ended for the time */
    unsigned joins;      /* whose end it waits for */
    unsigned wakes;      /* by another thread, so far */
    unsigned locks;      /* it holds so many */
    unsigned ranks;      /* of them, a bit each */
    bool in_call;
    enum world_waiting waiting; /* in the call */
    int64_t latest_ns;          /* the call's own deadline */
    bool naps;                  /* its wait ends before that, and need not */
    bool polls;                 /* its last act was to yield */
    unsigned behind; /* threads that go first, a bit each: it polled */
    unsigned seen;   /* threads that ran since it last polled */
    uint64_t *stamp; /* wanted when it goes on */
    void (*run)(void *arg);
    void (*ended)(void *arg);
    void *arg;
    jmp_buf way_out; /* of what it is in, to its end */
    struct cleanup cleanups[THREAD_CLEANUPS];
    unsigned cleanup_count;
};

extern struct thread threads[WORLD_THREADS];
extern unsigned thread_count;
extern unsigned thread_current;

static inline struct thread *thread_me(void)
{
    return &threads[thread_current];
}

/* This thread's state and act are set: others may run until it can go on, and
 * is picked. */
void threads_take_turns(void);

/* A step whose act its caller tells the past of (past.h). */
void threads_step(struct act act);

#endif /* WEIR_EXPLORE_THREADS_H */
