/* SPDX-License-Identifier: MIT */
/* atomic.c - accesses to atomics, each a step of a world. */
#include "base/atomic.h"

#include "buffer.h"
#include "choice.h"
#include "threads.h"
#include "trace.h"
#include "world.h"

static void step(const char *verb, const char *name, const uint64_t *address)
{
    world_step(verb, name, address);
    world_touch(address, sizeof(*address));
}

static void say(uint64_t value)
{
    trace_act(thread_current, thread_me()->act, value);
}

uint64_t
seam_read(const uint64_t *address, enum seam_order order, const char *name)
{
    uint64_t value;

    step("reads", name, address);
    if (order == SEAM_ORDERED)
        buffer_land_ordered(thread_current);
    value = buffer_read(thread_current, address);
    say(value);
    return value;
}

/* Whether this store is kept back; one behind another that is must be. */
static bool is_delayed(void)
{
    if (!world_rules->store_buffer)
        return false;
    if (buffer_is_full(thread_current))
        buffer_land(thread_current);
    return !buffer_is_empty(thread_current) || world_may_delay();
}

void seam_write(uint64_t *address, uint64_t value, enum seam_order order,
                const char *name)
{
    step("writes", name, address);
    say(value);
    if (is_delayed())
        buffer_add(thread_current, address, value, order == SEAM_ORDERED);
    else
        *address = value;
}

uint64_t seam_change(uint64_t *address, enum seam_change how, uint64_t operand,
                     const char *name)
{
    static const char *const verbs[] = {"adds to", "sets in", "masks", "swaps"};
    uint64_t before;

    step(verbs[how], name, address);
    buffer_land_all(thread_current);
    before = *address;
    if (how == SEAM_ADD)
        *address = before + operand;
    else if (how == SEAM_OR)
        *address = before | operand;
    else if (how == SEAM_AND)
        *address = before & operand;
    else
        *address = operand;
    say(*address);
    return before;
}

bool seam_compare_swap(uint64_t *address, uint64_t *expected, uint64_t desired,
                       const char *name)
{
    step("tries to swap", name, address);
    buffer_land_all(thread_current);
    if (*address != *expected) {
        thread_me()->act.verb = "fails to swap";
        say(*address);
        *expected = *address;
        return false;
    }
    *address = desired;
    say(desired);
    return true;
}

void seam_pause(void)
{
    world_yield("pauses");
}
