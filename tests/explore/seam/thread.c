/* SPDX-License-Identifier: MIT */
/* thread.c - the library's threads, on a world's.  Nobody cancels them. */
#include "base/thread.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "threads.h"
#include "trace.h"
#include "world.h"

/* Of the library's threads, by the world's number; of this execution or an
 * earlier one. */
static struct started {
    const struct weir__thread *thread;
    void (*run)(void *arg);
    void *arg;
} started[WORLD_THREADS];

void weir__thread_set_name(struct weir__thread *thread, const char *name,
                           const char *suffix)
{
    snprintf(thread->name, sizeof(thread->name), "%.7s/%.6s", name, suffix);
}

weir_status weir__thread_start(struct weir__thread *thread)
{
    if (world_strikes("a thread")) {
        errno = EAGAIN;
        return weir__refuse(WEIR_ESYSTEM, "a thread did not start");
    }
    world_step("starts a thread", thread->name, thread);
    thread->seam = world_spawn(thread->run, thread->ended, thread->arg);
    thread->is_gone = false;
    started[thread->seam] = (struct started){thread, thread->run, thread->arg};
    if (trace_is_on)
        trace_say(thread->seam, "is %s", thread->name);
    return WEIR_OK;
}

const struct weir__thread *weir__thread_mine(void)
{
    const struct started *last = &started[world_self()];
    const struct thread *me = thread_me();

    return last->run == me->run && last->arg == me->arg ? last->thread : NULL;
}

/* Nobody may join it any more, nor detach it. */
static void let_go(struct weir__thread *thread)
{
    if (thread->is_gone)
        world_fail("thread %u is joined or detached twice", thread->seam);
    thread->is_gone = true;
}

void weir__thread_join(struct weir__thread *thread)
{
    let_go(thread);
    world_join(thread->seam);
}

/* Here all threads end. */
void weir__thread_join_or_leave(struct weir__thread *thread)
{
    weir__thread_join(thread);
}

void weir__thread_detach(struct weir__thread *thread)
{
    let_go(thread);
}

size_t weir__thread_least_stack(void)
{
    return 16384;
}

bool weir__thread_let_cancel(bool let)
{
    (void)let;
    return false;
}

void weir__thread_reset_cancel(void)
{
}

void weir__thread_test_cancel(void)
{
}

const void *weir__thread_self(void)
{
    return thread_me();
}

void weir__thread_yield(void)
{
    world_yield("yields");
}

void weir__thread_wait_exactly(void)
{
}

void weir__thread_nap(int64_t ns)
{
    (void)ns;
    world_yield("naps");
}
