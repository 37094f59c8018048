/* SPDX-License-Identifier: MIT */
/* views.c - see views.h. */
#include "views.h"

#include <string.h>

#include "past.h"
#include "threads.h"
#include "world.h"

enum { PLACES = 96, KEPT = 4 };

/* For each place, the number of the oldest value that may be read. */
struct view {
    uint16_t oldest[PLACES];
};

/* Atomics, and locks, which have no values. */
static struct place {
    uintptr_t address; /* 0: it is no more */
    struct value {
        struct views_value it;
        bool is_ordered;
        struct view carried; /* what who acquires it learns */
    } values[KEPT];          /* by their number */
    uint16_t latest;         /* number of the latest */
} places[PLACES];
static unsigned place_count;

static bool is_on;
static struct view world;
static struct knowledge {
    struct view now;
    struct view learnt;    /* by reads that did not acquire: for a fence */
    struct view published; /* by the latest fence: for writes that follow */
    bool missed;
} knowledge[WORLD_THREADS];

void views_reset(bool kept)
{
    is_on = kept;
    if (!is_on)
        return;
    place_count = 0;
    memset(&world, 0, sizeof(world));
    memset(knowledge, 0, sizeof(knowledge));
}

static struct knowledge *mine(void)
{
    return &knowledge[thread_current];
}

static void join(struct view *into, const struct view *from)
{
    for (unsigned i = 0; i < place_count; i++)
        if (into->oldest[i] < from->oldest[i])
            into->oldest[i] = from->oldest[i];
}

/* ------------------------------------------------------------------ places */

static struct value *value_of(struct place *place, unsigned number)
{
    return &place->values[number % KEPT];
}

static unsigned index_of(const struct place *place)
{
    return (unsigned)(place - places);
}

static struct value *
add_value(struct place *place, struct views_value it, bool is_ordered)
{
    struct value *latest;

    if (place->latest == UINT16_MAX)
        world_fail("an atomic is written too often");
    latest = value_of(place, ++place->latest);
    latest->it = it;
    latest->is_ordered = is_ordered;
    memset(&latest->carried, 0, sizeof(latest->carried));
    return latest;
}

/* Everybody knows the latest. */
static void settle(struct place *place)
{
    for (unsigned i = 0; i < WORLD_THREADS; i++)
        knowledge[i].now.oldest[index_of(place)] = place->latest;
}

static struct place *new_place(uintptr_t address)
{
    struct place *place = &places[place_count];

    if (place_count == PLACES)
        world_fail("more than %d atomics and locks", PLACES);
    place_count++;
    place->address = address;
    place->latest = 0;
    memset(&place->values[0], 0, sizeof(place->values[0]));
    return place;
}

static struct place *place_at(const void *address)
{
    for (unsigned i = 0; i < place_count; i++)
        if (places[i].address == (uintptr_t)address)
            return &places[i];
    return new_place((uintptr_t)address);
}

/* What it holds may have come there without us: then it begins afresh. */
static struct place *atomic_at(struct atomics_place at)
{
    struct place *place = place_at(at.address);
    struct views_value it = {0, 0};

    memcpy(&it.value, at.address, at.bytes); /* the low bytes come first here */
    if (value_of(place, place->latest)->it.value != it.value) {
        add_value(place, it, false);
        settle(place);
    }
    return place;
}

void views_forget(const void *memory, size_t bytes)
{
    uintptr_t first = (uintptr_t)memory;

    if (!is_on)
        return;
    for (unsigned i = 0; i < place_count; i++)
        if (places[i].address >= first && places[i].address - first < bytes)
            places[i].address = 0;
}

/* ----------------------------------------------------------------- atomics */

static unsigned oldest_of(const struct place *place, enum atomics_order order)
{
    unsigned index = index_of(place);
    unsigned oldest = mine()->now.oldest[index];

    if (order == ATOMICS_ORDERED && oldest < world.oldest[index])
        oldest = world.oldest[index];
    if (oldest + KEPT <= place->latest)
        oldest = place->latest + 1u - KEPT;
    return oldest;
}

unsigned views_choices(struct atomics_place at, enum atomics_order order)
{
    const struct place *place;

    if (!is_on)
        return 1;
    place = atomic_at(at);
    return place->latest + 1u - oldest_of(place, order);
}

static void learn(const struct view *carried, enum atomics_order order)
{
    join(&mine()->learnt, carried);
    if (order != ATOMICS_RELAXED)
        join(&mine()->now, carried);
}

static void see(const struct place *place, unsigned number)
{
    uint16_t *oldest = &mine()->now.oldest[index_of(place)];

    if (*oldest < number)
        *oldest = (uint16_t)number;
}

struct views_value
views_see(struct atomics_place at, enum atomics_order order, unsigned age)
{
    const struct value *value;
    struct place *place;
    unsigned number;
    bool missed = age > 0;

    if (!is_on)
        return (struct views_value){0, 0};
    place = atomic_at(at);
    number = place->latest - age;
    value = value_of(place, number);
    for (unsigned i = number + 1; i <= place->latest; i++)
        missed &= !value_of(place, i)->is_ordered;
    mine()->missed |= missed;
    see(place, number);
    learn(&value->carried, order);
    return value->it;
}

static void write_to(struct place *place, uint64_t value,
                     enum atomics_order order, struct view carried)
{
    struct views_value it = {value, past_latest()};
    struct value *latest = add_value(place, it, order == ATOMICS_ORDERED);

    see(place, place->latest);
    join(&carried,
         order == ATOMICS_RELAXED ? &mine()->published : &mine()->now);
    latest->carried = carried;
    if (order == ATOMICS_ORDERED)
        world.oldest[index_of(place)] = place->latest;
}

void views_write(struct atomics_place at, uint64_t value,
                 enum atomics_order order)
{
    if (is_on)
        write_to(atomic_at(at), value, order, (struct view){{0}});
}

/* It goes on with what the place carried. */
void views_update(struct atomics_place at, uint64_t value,
                  enum atomics_order order)
{
    struct view carried;
    struct place *place;

    if (!is_on)
        return;
    place = atomic_at(at);
    carried = value_of(place, place->latest)->carried;
    learn(&carried, order);
    write_to(place, value, order, carried);
}

static void fence(struct knowledge *of, enum atomics_order order)
{
    join(&of->now, &of->learnt);
    if (order == ATOMICS_ORDERED) {
        join(&of->now, &world);
        world = of->now;
    }
    of->published = of->now;
}

void views_fence(enum atomics_order order)
{
    if (is_on && order != ATOMICS_RELAXED)
        fence(mine(), order);
}

/* Ours comes before the others' and after them. */
void views_fence_all(void)
{
    if (!is_on)
        return;
    fence(mine(), ATOMICS_ORDERED);
    for (unsigned i = 0; i < thread_count; i++)
        fence(&knowledge[i], ATOMICS_ORDERED);
    fence(mine(), ATOMICS_ORDERED);
}

bool views_missed(void)
{
    bool missed = mine()->missed;

    mine()->missed = false;
    return missed;
}

/* ------------------------------------------------------- locks and threads */

void views_acquire(const void *lock)
{
    if (is_on)
        join(&mine()->now, &place_at(lock)->values[0].carried);
}

void views_release(const void *lock)
{
    if (is_on)
        place_at(lock)->values[0].carried = mine()->now;
}

void views_started(unsigned thread)
{
    if (is_on)
        knowledge[thread] = (struct knowledge){.now = mine()->now};
}

void views_joined(unsigned thread)
{
    if (is_on)
        join(&mine()->now, &knowledge[thread].now);
}
