/* SPDX-License-Identifier: MIT */
/* thread.c - the library's threads, on a world's.  Nobody cancels them. */
#include "base/thread.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "threads.h"
#include "world.h"

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
    return WEIR_OK;
}

void weir__thread_join(struct weir__thread *thread)
{
    world_join(thread->seam);
}

void weir__thread_detach(struct weir__thread *thread)
{
    (void)thread;
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
