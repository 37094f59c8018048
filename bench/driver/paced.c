/* SPDX-License-Identifier: MIT */
/*
 * paced.c - how late items arrive that are sent on time.
 *
 * THE IDEA
 *
 * Item k is due k / rate seconds after the start, whatever happened to the
 * items before it.  Its lateness runs from that moment, not from the moment its
 * producer came round to putting it: a queue that holds its producer up does
 * not get the waiting forgiven.  Producers take turns (item k is producer
 * k mod P's) and spin on the clock until the next is due, so that no timer
 * blurs the figures.  The consumer reads the clock once an item, which is part
 * of what is measured, for everyone alike.
 *
 * The first tenth is not counted: threads are still coming up.
 */
#include <stdlib.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"

static uint64_t due_ns(const struct part *part, uint64_t number)
{
    return part->start_ns + number * 1000000000 / part->work->rate;
}

static void put_on_time(struct part *part)
{
    uint64_t item[WORK_MOST_WORDS] = {0};
    size_t last = part->work->item_size / sizeof(*item) - 1;

    for (uint64_t i = 0; i < part->count; i++) {
        uint64_t number = part->first + i * part->work->producers;

        while (crew_now_ns() < due_ns(part, number))
            continue;
        item[0] = item[last] = number;
        contender.put(part->queue, item);
    }
}

static void get_and_look(struct part *part)
{
    uint64_t item[WORK_MOST_WORDS];
    size_t words = part->work->item_size / sizeof(*item);

    for (uint64_t i = 0; i < part->count; i++) {
        uint64_t now, due;

        contender.get(part->queue, item);
        now = crew_now_ns();
        due = due_ns(part, item[0]);
        part->late_ns[i] = now > due ? now - due : 0;
        part_take(part, item, words);
    }
}

/* Drops each consumer's first tenth and moves the rest to the front. */
static size_t keep(uint64_t *late_ns, const struct work *work)
{
    size_t share = work->items / work->consumers, skip = share / 10, kept = 0;

    for (size_t c = 0; c < work->consumers; c++)
        for (size_t i = skip; i < share; i++)
            late_ns[kept++] = late_ns[c * share + i];
    return kept;
}

void paced_run(const struct work *work, void *queue, struct result *out)
{
    static struct part parts[2 * WORK_MOST_THREADS];
    uint64_t *late_ns = calloc(work->items, sizeof(*late_ns));
    uint64_t share = work->items / work->consumers;
    size_t count = 0;

    if (!late_ns)
        contender_failed("no memory for the figures");
    for (unsigned i = 0; i < work->producers; i++, count++)
        parts[count] = (struct part){.run = put_on_time,
                                     .work = work,
                                     .queue = queue,
                                     .first = 1 + i,
                                     .count = work->items / work->producers};
    for (unsigned i = 0; i < work->consumers; i++, count++)
        parts[count] = (struct part){.run = get_and_look,
                                     .work = work,
                                     .queue = queue,
                                     .late_ns = late_ns + i * share,
                                     .count = share};
    crew_run(parts, count, out);
    crew_lateness(late_ns, keep(late_ns, work), out);
    free(late_ns);
}
