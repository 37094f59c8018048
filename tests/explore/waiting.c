/* SPDX-License-Identifier: MIT */
/*
 * waiting.c - locks and conditions of a world.
 *
 * A lock is free or somebody's; a condition is no more than an address that
 * threads wait at.  What the standard leaves open is a choice: which waiter a
 * wake-up reaches, and what a wait answers whose deadline passed although it
 * was woken.
 */
#include "arena.h"
#include "choice.h"
#include "past.h"
#include "race.h"
#include "threads.h"
#include "trace.h"
#include "views.h"
#include "world.h"

/* -------------------------------------------------------------------- locks */

void world_lock_init(struct world_lock *lock, unsigned rank)
{
    *lock = (struct world_lock){.magic = lock, .rank = rank};
}

static void check_lock(const struct world_lock *lock, const char *name)
{
    world_touch(lock, sizeof(*lock));
    if (lock->magic != lock)
        world_fail("%s is no lock: not begun, or over", trace_name(name, lock));
}

void world_lock_dispose(struct world_lock *lock)
{
    check_lock(lock, "a disposed lock");
    if (lock->owner)
        world_fail("a lock is disposed of while thread %u has it",
                   lock->owner - 1);
    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].lock == lock && (threads[i].state == THREAD_AT_LOCK ||
                                        threads[i].state == THREAD_AT_COND))
            world_fail("a lock is disposed of while thread %u wants it", i);
    lock->magic = NULL;
}

static void own(struct world_lock *lock)
{
    struct thread *me = thread_me();

    lock->owner = thread_current + 1;
    past_write(lock);
    race_acquire(lock);
    views_acquire(lock);
    me->state = THREAD_READY;
    me->locks++;
    if (lock->rank != WORLD_UNRANKED)
        me->ranks |= 1u << lock->rank;
}

static void disown(struct world_lock *lock)
{
    struct thread *me = thread_me();

    race_release(lock);
    views_release(lock);
    past_write(lock);
    lock->owner = 0;
    me->locks--;
    if (lock->rank != WORLD_UNRANKED)
        me->ranks &= ~(1u << lock->rank);
}

void world_lock_acquire(struct world_lock *lock, const char *name)
{
    struct thread *me = thread_me();

    check_lock(lock, name);
    if (lock->owner == thread_current + 1)
        world_fail("%s is locked by the thread that has it",
                   trace_name(name, lock));
    if (lock->rank != WORLD_UNRANKED && me->ranks >> lock->rank)
        world_fail("lock order: %s is taken below a lock that is held",
                   trace_name(name, lock));
    me->act = (struct act){"locks", name, lock};
    me->lock = lock;
    me->state = THREAD_AT_LOCK;
    threads_take_turns();
    check_lock(lock, name);
    own(lock);
    trace_act(thread_current, me->act, TRACE_NO_VALUE);
}

bool world_lock_try(struct world_lock *lock, const char *name)
{
    struct thread *me = thread_me();

    check_lock(lock, name);
    threads_step((struct act){"tries to lock", name, lock});
    check_lock(lock, name);
    past_read(lock);
    trace_act(thread_current, me->act, lock->owner == 0);
    if (lock->owner)
        return false;
    own(lock);
    return true;
}

static void
check_owner(struct world_lock *lock, const char *name, const char *what)
{
    check_lock(lock, name);
    if (lock->owner != thread_current + 1)
        world_fail("%s %s without having it", trace_name(name, lock), what);
}

void world_lock_release(struct world_lock *lock, const char *name)
{
    check_owner(lock, name, "is unlocked");
    disown(lock);
    trace_act(thread_current, (struct act){"unlocks", name, lock},
              TRACE_NO_VALUE);
}

bool world_holds_a_lock(void)
{
    return thread_me()->locks > 0;
}

/* --------------------------------------------------------------- conditions */

void world_cond_init(struct world_cond *cond)
{
    *cond = (struct world_cond){.magic = cond};
}

static void check_cond(const struct world_cond *cond, const char *name)
{
    world_touch(cond, sizeof(*cond));
    if (cond->magic != cond)
        world_fail("%s is no condition: not begun, or over",
                   trace_name(name, cond));
}

void world_cond_dispose(struct world_cond *cond)
{
    check_cond(cond, "a disposed condition");
    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].state == THREAD_AT_COND && threads[i].cond == cond)
            world_fail("a condition is disposed of while thread %u waits", i);
    cond->magic = NULL;
}

static bool may_wait(const struct thread *me, int64_t deadline_ns)
{
    return me->waiting == WORLD_WAITS ||
           (me->waiting == WORLD_NAPS && deadline_ns != INT64_MAX);
}

bool world_cond_wait(struct world_cond *cond, struct world_lock *lock,
                     int64_t deadline_ns, const char *name)
{
    struct thread *me = thread_me();

    check_cond(cond, name);
    check_owner(lock, name, "is waited on");
    if (me->in_call && !may_wait(me, deadline_ns))
        world_fail("a call that may not wait waits on %s",
                   trace_name(name, cond));
    world_step("waits on", name, cond);
    check_cond(cond, name);
    disown(lock);
    world_mind(deadline_ns);
    cond->lock = lock;
    trace_act(thread_current, me->act, TRACE_NO_VALUE);
    me->lock = lock;
    me->cond = cond;
    me->deadline_ns = deadline_ns;
    me->naps = me->in_call && me->waiting == WORLD_WAITS &&
               deadline_ns < me->latest_ns;
    me->woken = false;
    me->timed_out = false;
    me->state = THREAD_AT_COND;
    past_write(cond);
    past_write(me);
    threads_take_turns();
    own(lock);
    trace_act(thread_current,
              (struct act){me->timed_out ? "runs out of time at" : "leaves",
                           name, cond},
              TRACE_NO_VALUE);
    return me->timed_out;
}

/* Nobody comes to wait or leaves while we have the lock that they wait with. */
static void
step_to_wake(struct world_cond *cond, const char *verb, const char *name)
{
    if (!cond->lock || cond->lock->owner != thread_current + 1)
        world_step(verb, name, cond);
    check_cond(cond, name);
}

static void wake(unsigned number)
{
    past_write(&threads[number]);
    threads[number].woken = true;
    threads[number].wakes++;
}

void world_cond_wake(struct world_cond *cond, const char *name)
{
    unsigned waiting[WORLD_THREADS], count = 0, who = 0;

    check_cond(cond, name);
    step_to_wake(cond, "wakes", name);
    past_write(cond);
    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].state == THREAD_AT_COND && threads[i].cond == cond &&
            !threads[i].woken)
            waiting[count++] = i;
    if (count > 1)
        who = choice_of(count);
    past_value(who);
    if (count)
        wake(waiting[who]);
    if (trace_is_on && count)
        trace_say(thread_current, "wakes %s of thread %u",
                  trace_name(name, cond), waiting[who]);
    else if (trace_is_on)
        trace_say(thread_current, "wakes nobody on %s", trace_name(name, cond));
}

void world_cond_wake_all(struct world_cond *cond, const char *name)
{
    check_cond(cond, name);
    step_to_wake(cond, "wakes all on", name);
    past_write(cond);
    trace_act(thread_current, (struct act){"wakes all on", name, cond},
              TRACE_NO_VALUE);
    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].state == THREAD_AT_COND && threads[i].cond == cond)
            wake(i);
}

static bool rests(const struct thread *it)
{
    past_read(it);
    return it->state == THREAD_ENDED ||
           (it->state == THREAD_AT_COND && !it->woken);
}

void world_await(unsigned thread)
{
    while (!rests(&threads[thread])) {
        world_yield("lets others run");
        thread_me()->polls = false; /* it has looked */
    }
}

static bool others_rest(void)
{
    for (unsigned i = 0; i < thread_count; i++)
        if (i != thread_current && !rests(&threads[i]))
            return false;
    return true;
}

void world_await_all(void)
{
    while (!others_rest()) {
        world_yield("lets others run");
        thread_me()->polls = false;
    }
}

void world_begin_call(enum world_waiting waiting, int64_t deadline_ns)
{
    struct thread *me = thread_me();

    me->in_call = true;
    me->waiting = waiting;
    me->latest_ns = deadline_ns;
}

void world_end_call(void)
{
    thread_me()->in_call = false;
}

unsigned world_wakes(void)
{
    return thread_me()->wakes;
}
