/* SPDX-License-Identifier: MIT */
/* past.c - see past.h. */
#include "past.h"

#include <stddef.h>

#include "threads.h"
#include "world.h"

enum { OBJECTS = 1 << 9, WORD = 8 };

bool past_is_kept;

/* What was done to a thing so far; of another execution unless `run` is ours.
 */
static struct object {
    uintptr_t word; /* its address, of whole words */
    uint64_t run;
    uint64_t written; /* the latest write */
    uint64_t read;    /* the sum of the reads since then */
} objects[OBJECTS];

static struct object the_clock;
static uint64_t run;
static uint64_t latest[WORLD_THREADS]; /* event of each thread */
static uint64_t ends;                  /* of calls: their sum */
static uint64_t sum;

/* The two are not treated alike: they may be equal. */
static uint64_t mix(uint64_t number, uint64_t value)
{
    number = (number * UINT64_C(0xA0761D6478BD642F) ^ number >> 32) + value;
    number *= UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ number >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return number ^ number >> 32;
}

void past_begin(bool kept)
{
    past_is_kept = kept;
    if (!kept)
        return;
    run++;
    for (unsigned i = 0; i < WORLD_THREADS; i++)
        latest[i] = i + 1;
    the_clock = (struct object){.run = run};
    ends = 0;
    sum = 0;
}

uint64_t past_sum(void)
{
    return sum;
}

static struct object *object_at(const void *address)
{
    uintptr_t word = (uintptr_t)address / WORD;
    unsigned at = (unsigned)(word ^ word >> 9) % OBJECTS;

    for (unsigned i = 0; i < OBJECTS; i++, at = (at + 1) % OBJECTS) {
        struct object *object = &objects[at];

        if (object->run != run)
            *object = (struct object){.word = word, .run = run};
        if (object->word == word)
            return object;
    }
    world_fail("more than %d things are touched", OBJECTS);
}

static void add(unsigned thread, uint64_t event)
{
    latest[thread] = event;
    sum += mix(event, 1);
}

static uint64_t write_to(struct object *object, uint64_t by)
{
    uint64_t event = mix(mix(by, object->written), object->read + 2);

    object->written = event;
    object->read = 0;
    return event;
}

static uint64_t read_from(struct object *object, uint64_t by)
{
    uint64_t event = mix(mix(by, object->written), 3);

    object->read += event;
    return event;
}

void past_note_read(unsigned thread, const void *object)
{
    if (past_is_kept)
        add(thread, read_from(object_at(object), latest[thread]));
}

void past_note_write(unsigned thread, const void *object)
{
    if (past_is_kept)
        add(thread, write_to(object_at(object), latest[thread]));
}

void past_note_value(unsigned thread, uint64_t value)
{
    if (past_is_kept)
        add(thread, mix(latest[thread], value + 4));
}

void past_read(const void *object)
{
    past_note_read(thread_current, object);
}

void past_write(const void *object)
{
    past_note_write(thread_current, object);
}

void past_value(uint64_t value)
{
    past_note_value(thread_current, value);
}

void past_start(unsigned thread)
{
    if (!past_is_kept || thread == 0)
        return;
    past_write(&thread_count);
    latest[thread] = mix(latest[thread_current], thread);
}

void past_begin_call(void)
{
    if (past_is_kept)
        add(thread_current, mix(latest[thread_current], ends));
}

void past_end_call(void)
{
    past_value(0);
    ends += latest[thread_current];
}

void past_advance(int64_t now_ns, bool past_a_deadline)
{
    uint64_t by = mix((uint64_t)now_ns, past_a_deadline ? ends : 0);

    if (past_is_kept)
        sum += mix(write_to(&the_clock, by), 1);
}

void past_read_clock(unsigned thread)
{
    if (past_is_kept)
        add(thread, read_from(&the_clock, latest[thread]));
}

uint64_t past_latest(void)
{
    return latest[thread_current];
}
