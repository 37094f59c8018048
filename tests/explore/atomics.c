/* SPDX-License-Identifier: MIT */
/* atomics.c - see atomics.h. */
#include "atomics.h"

#include <string.h>

#include "past.h"
#include "race.h"
#include "threads.h"
#include "trace.h"
#include "views.h"
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

static uint64_t cut(uint64_t value, unsigned bytes)
{
    return bytes < 8 ? value & ((UINT64_C(1) << 8 * bytes) - 1) : value;
}

/* What this order makes of a load, a store, or both. */
static enum race_order ordering(enum atomics_order order, enum race_order most)
{
    return order == ATOMICS_RELAXED ? RACE_RELAXED : most;
}

/* Which value this read returns: 0 is the latest, 1 the one before, and so on.
 */
static unsigned age_of(struct atomics_place at, enum atomics_order order)
{
    unsigned values = world_rules->store_buffer ? views_choices(at, order) : 1;

    return values > 1 ? world_miss(values) : 0;
}

static uint64_t load(struct atomics_place at)
{
    uint64_t value = 0;

    memcpy(&value, at.address, at.bytes); /* the low bytes come first here */
    return value;
}

/* It reads the latest value, as every read does unless stores come late. */
static uint64_t read_latest(struct atomics_place at, enum atomics_order order)
{
    past_read(at.address);
    race_load(at.address, ordering(order, RACE_ACQUIRE));
    views_see(at, order, 0);
    return load(at);
}

static uint64_t
read_older(struct atomics_place at, enum atomics_order order, unsigned age)
{
    struct views_value value = views_see(at, order, age);

    past_value(value.event);
    thread_me()->act.verb = "reads the old";
    return value.value;
}

uint64_t atomics_read(struct atomics_place at, enum atomics_order order)
{
    unsigned age;
    uint64_t value;

    step("reads", at);
    age = age_of(at, order);
    value = age > 0 ? read_older(at, order, age) : read_latest(at, order);
    say(value);
    return value;
}

static void store(struct atomics_place at, uint64_t value)
{
    memcpy(at.address, &value, at.bytes);
}

void atomics_write(struct atomics_place at, uint64_t value,
                   enum atomics_order order)
{
    step("writes", at);
    say(cut(value, at.bytes));
    past_write(at.address);
    race_store(at.address, ordering(order, RACE_RELEASE));
    views_write(at, cut(value, at.bytes), order);
    store(at, value);
}

/* A read-modify-write. */
static void
update(struct atomics_place at, uint64_t value, enum atomics_order order)
{
    past_write(at.address);
    race_update(at.address, ordering(order, RACE_BOTH));
    views_update(at, cut(value, at.bytes), order);
    store(at, value);
    say(cut(value, at.bytes));
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
    uint64_t before;

    step(verbs[how], at);
    before = load(at);
    update(at, changed(before, how, operand), order);
    return before;
}

bool atomics_compare_swap(struct atomics_place at, uint64_t *expected,
                          uint64_t desired, enum atomics_order order)
{
    uint64_t before;

    step("tries to swap", at);
    before = load(at);
    if (before == cut(*expected, at.bytes)) {
        update(at, desired, order);
        return true;
    }
    thread_me()->act.verb = "fails to swap";
    *expected = read_latest(at, order);
    say(before);
    return false;
}

void atomics_fence(enum atomics_order order)
{
    if (order == ATOMICS_ORDERED) {
        world_step("fences", NULL, NULL);
        say(TRACE_NO_VALUE);
    }
    views_fence(order);
    race_fence(ordering(order, RACE_BOTH));
}

/* It is told from what any thread does before and after. */
void atomics_fence_all(void)
{
    world_step("fences all", NULL, NULL);
    say(TRACE_NO_VALUE);
    if (world_rules->store_buffer)
        for (unsigned i = 0; i < thread_count; i++)
            past_note_value(i, past_latest());
    views_fence_all();
    race_fence(RACE_BOTH);
}
