/* SPDX-License-Identifier: MIT */
/*
 * rest.c - the clock, stamps, memory, processors, the fork counter, fences and
 * events, in place of lib/base/clock.c, stamp.c, fault.c, processors.c, fork.c,
 * fence.c and event.c.
 */
#include <stdint.h>
#include <stdio.h>

#include <weir/deadline.h>

#include "arena.h"
#include "base/atomic.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/fault.h"
#include "base/fence.h"
#include "base/fork.h"
#include "base/processors.h"
#include "base/stamp.h"
#include "events.h"
#include "world.h"

/* -------------------------------------------------------------------- clock */

int64_t weir__now(void)
{
    return world_now();
}

int64_t weir__stamp(void)
{
    return world_now();
}

void weir__stamp_prepare(void)
{
}

weir_deadline weir_deadline_after(int64_t ns)
{
    weir_deadline deadline = WEIR_NOW;

    if (ns > 0)
        deadline.at_ns = weir__moment_after(weir__now(), ns);
    world_mind(deadline.at_ns);
    return deadline;
}

int64_t weir_deadline_remaining(weir_deadline deadline)
{
    int64_t now_ns;

    if (weir__is_forever(deadline))
        return INT64_MAX;
    now_ns = weir__now();
    return deadline.at_ns > now_ns ? deadline.at_ns - now_ns : 0;
}

/* ------------------------------------------------------------------- memory */

bool weir__fault_strikes(void)
{
    return world_strikes("memory");
}

void *weir__allocate_many(size_t count, size_t bytes)
{
    if (count > 0 && bytes > SIZE_MAX / count)
        return NULL;
    return weir__fault_strikes() ? NULL : arena_allocate(count * bytes);
}

void *weir__allocate(size_t bytes)
{
    return weir__allocate_many(1, bytes);
}

void *weir__allocate_apart(size_t bytes)
{
    char *memory = weir__allocate(bytes + (size_t)2 * WEIR__APART);
    char **aligned;

    if (!memory)
        return NULL;
    aligned = (char **)(void *)(memory + (size_t)2 * WEIR__APART -
                                (uintptr_t)memory % WEIR__APART);
    aligned[-1] = memory;
    return aligned;
}

void weir__release_apart(void *memory)
{
    weir__release(((char **)memory)[-1]);
}

void weir__release(void *memory)
{
    if (memory && !arena_release(memory))
        world_fail("memory is released that was released, or never ours");
}

/* ----------------------------------------------------- processors, forking */

uint32_t weir__processors(void)
{
    return world_rules->processors;
}

uint32_t weir__processors_at_first(void)
{
    return world_rules->processors;
}

weir_status weir__fork_watch(void)
{
    return WEIR_OK;
}

weir_status weir__refuse_forked(const char *what)
{
    world_fail("%s is taken for a parent's", what);
}

/* ------------------------------------------------------------------- fences */

/* A light one costs nothing and does nothing: what makes it one is the heavy
 * fence of who looks at us. */
bool weir__fence_is_uneven = true;

void weir__fence_prepare(void)
{
}

void weir__fence_full(void)
{
    atomics_fence(ATOMICS_ORDERED);
}

void weir__fence_heavy(void)
{
    atomics_fence_all();
}

/* ------------------------------------------------------------------- events */

/* A descriptor is the place of a block of memory, so that one that stays open
 * is a block that was not released. */
enum { EVENTS = 8, FIRST_FD = 3 };
struct state {
    struct world_lock lock;
    struct world_cond changed;
    uint64_t sets; /* so far */
    bool is_set;
};
static struct event {
    void *block;
    uint64_t run; /* of the world, in which it was opened */
} events[EVENTS];

static bool is_open(const struct event *event)
{
    return event->run == world_runs() && arena_bytes(event->block) > 0;
}

int weir__fd_lift(int fd)
{
    return fd;
}

int weir__event_create(void)
{
    struct state *state;
    int at = 0;

    if (world_strikes("a descriptor"))
        return -1;
    while (at < EVENTS && is_open(&events[at]))
        at++;
    if (at == EVENTS)
        world_fail("more than %d descriptors", EVENTS);
    state = arena_allocate(sizeof(*state));
    world_lock_init(&state->lock, WORLD_UNRANKED);
    world_cond_init(&state->changed);
    events[at] = (struct event){state, world_runs()};
    return at + FIRST_FD;
}

static struct state *event_of(int fd)
{
    int at = fd - FIRST_FD;

    if (at < 0 || at >= EVENTS || !is_open(&events[at]))
        world_fail("%d is no descriptor of ours", fd);
    return events[at].block;
}

void weir__event_set(int fd)
{
    struct state *state = event_of(fd);

    world_lock_acquire(&state->lock, "an event to set");
    state->is_set = true;
    state->sets++;
    world_cond_wake_all(&state->changed, "an event");
    world_lock_release(&state->lock, "an event");
}

void weir__event_clear(int fd)
{
    struct state *state = event_of(fd);

    world_lock_acquire(&state->lock, "an event to clear");
    state->is_set = false;
    world_lock_release(&state->lock, "an event");
}

void weir__event_close(int fd)
{
    struct state *state = event_of(fd);

    world_cond_dispose(&state->changed);
    world_lock_dispose(&state->lock);
    weir__release(state);
}

/* As poll() does. */
void weir__event_wait(int fd, weir_deadline deadline)
{
    struct state *state = event_of(fd);
    bool timed_out = false;

    world_lock_acquire(&state->lock, "an event to poll");
    while (!state->is_set && !timed_out)
        timed_out = world_cond_wait(&state->changed, &state->lock,
                                    deadline.at_ns, "an event");
    world_lock_release(&state->lock, "an event");
}

void events_await_edge(int fd, uint64_t *seen)
{
    struct state *state = event_of(fd);

    world_lock_acquire(&state->lock, "an event to poll");
    while (!state->is_set || state->sets == *seen)
        (void)world_cond_wait(&state->changed, &state->lock, INT64_MAX,
                              "an event");
    *seen = state->sets;
    world_lock_release(&state->lock, "an event");
}

bool events_is_set(int fd)
{
    return event_of(fd)->is_set;
}
