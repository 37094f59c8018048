/* SPDX-License-Identifier: MIT */
/*
 * rest.c - the clock, memory, processors, the fork counter, fences and events,
 * in place of lib/base/clock.c, fault.c, processors.c, fork.c, fence.c and
 * event.c.
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
#include "world.h"

/* -------------------------------------------------------------------- clock */

int64_t weir__now(void)
{
    return world_now();
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
    int at = 0;

    if (world_strikes("a descriptor"))
        return -1;
    while (at < EVENTS && is_open(&events[at]))
        at++;
    if (at == EVENTS)
        world_fail("more than %d descriptors", EVENTS);
    events[at] = (struct event){arena_allocate(1), world_runs()};
    return at + FIRST_FD;
}

static void *event_of(int fd)
{
    int at = fd - FIRST_FD;

    if (at < 0 || at >= EVENTS || !is_open(&events[at]))
        world_fail("%d is no descriptor of ours", fd);
    return events[at].block;
}

void weir__event_set(int fd)
{
    world_step("sets", "an event", event_of(fd));
}

void weir__event_clear(int fd)
{
    world_step("clears", "an event", event_of(fd));
}

void weir__event_close(int fd)
{
    weir__release(event_of(fd));
}

/* Only in a child process, and there is none. */
void weir__event_wait(int fd, weir_deadline deadline)
{
    (void)fd;
    (void)deadline;
    world_fail("nobody waits for an event here");
}
