/* SPDX-License-Identifier: MIT */
/* atomics.c - see atomics.h. */
#include "atomics.h"

#include <string.h>

#include "buffer.h"
#include "past.h"
#include "race.h"
#include "threads.h"
#include "trace.h"
#include "world.h"

static void step(const char *verb, struct atomics_place at)
{
    threads_step((struct act){verb, at.name, at.address});
    world_touch(at.address, at.bytes);
}

static void say(uint64_t value)
{
    trace_act(thread_current, thread_me()->act, value);
}

static void store(struct atomics_place at, uint64_t value)
{
    memcpy(at.address, &value, at.bytes); /* the low bytes come first here */
}

static void write_now(struct atomics_place at, uint64_t value)
{
    past_write(at.address);
    store(at, value);
}

static uint64_t cut(uint64_t value, unsigned bytes)
{
    return bytes < 8 ? value & ((UINT64_C(1) << 8 * bytes) - 1) : value;
}

/* What this order makes of a load, a store, or both. */
static enum race_order ordering(enum atomics_order order, enum race_order most)
{
    return order == ATOMICS_RELAXED ? RACE_RELAXED : most;
}

uint64_t atomics_read(struct atomics_place at, enum atomics_order order)
{
    uint64_t value;

    step("reads", at);
    if (order == ATOMICS_ORDERED)
        buffer_land_ordered(thread_current);
    if (buffer_has(thread_current, at.address))
        past_value(0);
    else
        past_read(at.address);
    value = buffer_read(thread_current, at.address, at.bytes);
    race_load(at.address, ordering(order, RACE_ACQUIRE));
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

void atomics_write(struct atomics_place at, uint64_t value,
                   enum atomics_order order)
{
    step("writes", at);
    say(cut(value, at.bytes));
    race_store(at.address, ordering(order, RACE_RELEASE));
    if (is_delayed())
        buffer_add(thread_current, at.address, at.bytes, cut(value, at.bytes),
                   order == ATOMICS_ORDERED);
    else
        write_now(at, value);
}

static uint64_t
changed(uint64_t value, enum atomics_change how, uint64_t operand)
{
    switch (how) {
    case ATOMICS_ADD:
        return value + operand;
    case ATOMICS_SUBTRACT:
        return value - operand;
    case ATOMICS_AND:
        return value & operand;
    case ATOMICS_OR:
        return value | operand;
    case ATOMICS_XOR:
        return value ^ operand;
    case ATOMICS_NAND:
        return ~(value & operand);
    case ATOMICS_SWAP:
    default:
        return operand;
    }
}

uint64_t atomics_change(struct atomics_place at, enum atomics_change how,
                        uint64_t operand, enum atomics_order order)
{
    static const char *const verbs[] = {"adds to", "takes from", "masks",
                                        "sets in", "flips in",   "masks",
                                        "swaps"};
    uint64_t before, after;

    step(verbs[how], at);
    buffer_land_all(thread_current);
    before = buffer_read(thread_current, at.address, at.bytes);
    after = changed(before, how, operand);
    write_now(at, after);
    race_update(at.address, ordering(order, RACE_BOTH));
    say(cut(after, at.bytes));
    return before;
}

bool atomics_compare_swap(struct atomics_place at, uint64_t *expected,
                          uint64_t desired, enum atomics_order order)
{
    uint64_t before;

    step("tries to swap", at);
    buffer_land_all(thread_current);
    before = buffer_read(thread_current, at.address, at.bytes);
    if (before != cut(*expected, at.bytes)) {
        past_read(at.address);
        race_load(at.address, ordering(order, RACE_ACQUIRE));
        thread_me()->act.verb = "fails to swap";
        say(before);
        *expected = before;
        return false;
    }
    write_now(at, desired);
    race_update(at.address, ordering(order, RACE_BOTH));
    say(cut(desired, at.bytes));
    return true;
}

void atomics_fence(enum atomics_order order)
{
    if (order == ATOMICS_ORDERED) {
        world_step("fences", NULL, NULL);
        buffer_land_all(thread_current);
        say(TRACE_NO_VALUE);
    }
    race_fence(ordering(order, RACE_BOTH));
}
