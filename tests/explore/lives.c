/* SPDX-License-Identifier: MIT */
/*
 * lives.c - how a world's threads begin and end.
 *
 * A thread ends when its function returns, or in the middle of whatever it
 * does: then its clean-ups run, its stack is left as it is, and it goes on
 * where it began, with what has to be done at its end.
 */
#include <stdlib.h>

#include "choice.h"
#include "fiber.h"
#include "past.h"
#include "race.h"
#include "threads.h"
#include "trace.h"
#include "views.h"
#include "world.h"

_Static_assert((int)FIBERS >= (int)WORLD_THREADS, "each thread has a fiber");

unsigned world_self(void)
{
    return thread_current;
}

bool world_has_ended(unsigned thread)
{
    return threads[thread].state == THREAD_ENDED;
}

static bool all_have_ended(void)
{
    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].state != THREAD_ENDED)
            return false;
    return true;
}

/* Where each fiber begins; it must not return. */
static void thread_main(void)
{
    struct thread *me = thread_me();

    if (_setjmp(me->way_out) == 0)
        me->run(me->arg);
    /* What is done at the end may end the thread too, and is done again. */
    (void)_setjmp(me->way_out);
    if (me->ended)
        me->ended(me->arg);
    if (me->locks > 0)
        world_fail("thread %u ends with a lock held", thread_current);
    trace_act(thread_current, (struct act){"ends", NULL, NULL}, TRACE_NO_VALUE);
    me->state = THREAD_ENDED;
    past_write(me);
    if (all_have_ended())
        fiber_switch(thread_current, FIBER_DRIVER);
    threads_take_turns();
    abort(); /* nobody comes back here */
}

unsigned world_spawn(void (*run)(void *), void (*ended)(void *), void *arg)
{
    unsigned number = thread_count;

    if (number == WORLD_THREADS)
        world_fail("more than %d threads", WORLD_THREADS);
    threads[number] = (struct thread){
        .state = THREAD_READY,
        .act = {"begins", NULL, NULL},
        .run = run,
        .ended = ended,
        .arg = arg,
    };
    thread_count++;
    past_start(number);
    if (number > 0)
        race_started(number);
    if (number > 0)
        views_started(number);
    fiber_prepare(number, thread_main);
    choice_add_thread(number);
    return number;
}

void world_join(unsigned thread)
{
    struct thread *me = thread_me();

    me->act = (struct act){"joins", NULL, NULL};
    me->joins = thread;
    me->state = THREAD_AT_JOIN;
    threads_take_turns();
    me->state = THREAD_READY;
    past_read(&threads[thread]);
    race_joined(thread);
    views_joined(thread);
}

/* ------------------------------------------------- an end before its time */

void world_push_cleanup(void (*run)(void *), void *arg)
{
    struct thread *me = thread_me();

    if (me->cleanup_count == THREAD_CLEANUPS)
        world_fail("more than %d clean-ups", THREAD_CLEANUPS);
    me->cleanups[me->cleanup_count].run = run;
    me->cleanups[me->cleanup_count++].arg = arg;
}

void world_pop_cleanup(bool runs)
{
    struct thread *me = thread_me();
    struct cleanup cleanup = me->cleanups[--me->cleanup_count];

    if (runs)
        cleanup.run(cleanup.arg);
}

_Noreturn void world_exit(void)
{
    struct thread *me = thread_me();

    trace_act(thread_current, (struct act){"is to end", NULL, NULL},
              TRACE_NO_VALUE);
    while (me->cleanup_count > 0)
        world_pop_cleanup(true);
    if (me->locks > 0)
        world_fail("thread %u is to end with a lock held", thread_current);
    _longjmp(me->way_out, 1);
}
