/* SPDX-License-Identifier: MIT */
/*
 * race.c - see race.h.
 *
 * THE IDEA
 *
 * Each thread counts its releases; its clock says of every thread how far it
 * knows it (Mattern, vector clocks).  What is released carries the clock
 * along, what is acquired hands it over.  A place in memory remembers who wrote
 * it last and who has read it since, and how far each was then: an access by
 * somebody who does not know of that is a race (Flanagan and Freund, FastTrack,
 * 2009).
 *
 * WEAK ORDERS
 *
 * A relaxed store publishes nothing, and takes away what the place carried; a
 * relaxed load learns nothing, until an acquire fence.  So a release or an
 * acquire that is missing shows as a race on what was to be published, in the
 * order in which things happen here, where every store lands at once.
 *
 * Places are told apart by the address of their first byte, so that neighbours
 * never meet; accesses of different widths that overlap otherwise are missed.
 */
#include "race.h"

#include <string.h>

#include "locals.h"
#include "place.h"
#include "threads.h"
#include "trace.h"
#include "world.h"

enum { CELLS = 1 << 14, OBJECTS = 1 << 10 };

struct clock {
    uint32_t of[WORLD_THREADS];
};

static struct {
    struct clock now;
    struct clock learnt;    /* by relaxed loads: an acquire fence knows it */
    struct clock published; /* at the last release fence */
} knowledge[WORLD_THREADS];

static struct object {
    const void *address;
    uint64_t generation;
    struct clock clock;
} objects[OBJECTS];

static struct cell {
    const void *address;
    uint64_t generation;
    const void *write_place;
    const void *read_places[WORLD_THREADS];
    uint32_t write_time; /* 0: not written */
    unsigned writer;
    struct clock reads; /* 0: not read since */
} cells[CELLS];

bool race_is_watched;
static bool is_on;          /* in this execution */
static uint64_t generation; /* of this execution */

static size_t hash(const void *address, size_t room)
{
    uint64_t bits = (uintptr_t)address * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(bits >> 40) % room;
}

static void join(struct clock *into, const struct clock *other)
{
    for (unsigned i = 0; i < WORLD_THREADS; i++)
        if (other->of[i] > into->of[i])
            into->of[i] = other->of[i];
}

static struct clock *my_clock(void)
{
    return &knowledge[thread_current].now;
}

static struct object *object_at(const void *address)
{
    size_t at = hash(address, OBJECTS);

    for (size_t i = 0; i < OBJECTS; i++, at = (at + 1) % OBJECTS) {
        struct object *object = &objects[at];

        if (object->generation != generation) {
            *object = (struct object){address, generation, {{0}}};
            return object;
        }
        if (object->address == address)
            return object;
    }
    world_fail("more than %d locks and atomics", OBJECTS);
}

/* ------------------------------------------------------------------ threads */

void race_reset(void)
{
    /* Where stores come late, what they publish would have to travel too. */
    is_on = race_is_watched && !world_rules->store_buffer;
    if (!is_on)
        return;
    generation++;
    memset(knowledge, 0, sizeof(knowledge));
    knowledge[0].now.of[0] = 1;
}

void race_started(unsigned thread)
{
    if (!is_on)
        return;
    knowledge[thread].now = *my_clock();
    knowledge[thread].now.of[thread]++;
    my_clock()->of[thread_current]++;
}

void race_joined(unsigned thread)
{
    if (is_on)
        join(my_clock(), &knowledge[thread].now);
}

/* ------------------------------------------------------- locks and atomics */

void race_acquire(const void *lock)
{
    if (is_on)
        join(my_clock(), &object_at(lock)->clock);
}

void race_release(const void *lock)
{
    if (!is_on)
        return;
    object_at(lock)->clock = *my_clock();
    my_clock()->of[thread_current]++;
}

void race_load(const void *atomic, enum race_order order)
{
    const struct clock *carried;

    if (!is_on)
        return;
    carried = &object_at(atomic)->clock;
    join(&knowledge[thread_current].learnt, carried);
    if (order & RACE_ACQUIRE)
        join(my_clock(), carried);
}

void race_store(const void *atomic, enum race_order order)
{
    if (!is_on)
        return;
    if (order & RACE_RELEASE)
        race_release(atomic);
    else
        object_at(atomic)->clock = knowledge[thread_current].published;
}

/* It goes on with what the place carried. */
void race_update(const void *atomic, enum race_order order)
{
    struct clock *carried;

    if (!is_on)
        return;
    race_load(atomic, order);
    carried = &object_at(atomic)->clock;
    join(carried, order & RACE_RELEASE ? my_clock()
                                       : &knowledge[thread_current].published);
    if (order & RACE_RELEASE)
        my_clock()->of[thread_current]++;
}

void race_fence(enum race_order order)
{
    if (!is_on)
        return;
    if (order & RACE_ACQUIRE)
        join(my_clock(), &knowledge[thread_current].learnt);
    if (!(order & RACE_RELEASE))
        return;
    knowledge[thread_current].published = *my_clock();
    my_clock()->of[thread_current]++;
}

/* ------------------------------------------------------------- plain memory */

static struct cell *cell_at(const void *address)
{
    size_t at = hash(address, CELLS);

    for (size_t i = 0; i < CELLS; i++, at = (at + 1) % CELLS) {
        struct cell *cell = &cells[at];

        if (cell->generation != generation) {
            *cell = (struct cell){.address = address, .generation = generation};
            return cell;
        }
        if (cell->address == address)
            return cell;
    }
    world_fail("more than %d places in memory", CELLS);
}

static _Noreturn void
fail_for_race(const char *mine, const void *place, unsigned other,
              const char *others, const void *other_place)
{
    world_fail("data race: thread %u %s at %s, thread %u %s at %s, and nothing "
               "says which comes first",
               other, others, place_text(other_place), thread_current, mine,
               place_text(place));
}

static bool knows(unsigned thread, uint32_t time)
{
    return my_clock()->of[thread] >= time;
}

static void
check_writer(const struct cell *cell, const char *mine, const void *place)
{
    if (cell->write_time && !knows(cell->writer, cell->write_time))
        fail_for_race(mine, place, cell->writer, "writes", cell->write_place);
}

void race_read(const void *address, size_t bytes, const void *place)
{
    struct cell *cell;

    if (!is_on || locals_has(address))
        return;
    if (trace_is_on)
        trace_place(thread_current, place);
    world_touch(address, (unsigned)bytes);
    cell = cell_at(address);
    check_writer(cell, "reads", place);
    cell->reads.of[thread_current] = my_clock()->of[thread_current];
    cell->read_places[thread_current] = place;
}

void race_write(const void *address, size_t bytes, const void *place)
{
    struct cell *cell;

    if (!is_on || locals_has(address))
        return;
    if (trace_is_on)
        trace_place(thread_current, place);
    world_touch(address, (unsigned)bytes);
    cell = cell_at(address);
    check_writer(cell, "writes", place);
    for (unsigned i = 0; i < thread_count; i++)
        if (cell->reads.of[i] && !knows(i, cell->reads.of[i]))
            fail_for_race("writes", place, i, "reads", cell->read_places[i]);
    memset(&cell->reads, 0, sizeof(cell->reads));
    cell->writer = thread_current;
    cell->write_time = my_clock()->of[thread_current];
    cell->write_place = place;
}
