/* SPDX-License-Identifier: MIT */
/*
 * queue.c - work for a queue.
 *
 * Every producer puts an equal share of the numbers 1 to `items`, every
 * consumer gets an equal share of how many there are.  So nobody needs to be
 * told the end, and a queue that loses an item is found out by waiting for
 * ever, one that makes items up by the sums.
 */
#include "contender.h"
#include "crew.h"
#include "driver.h"

struct driver_about driver_about(void)
{
    return (struct driver_about){contender.name,
                                 contender.version ? contender.version() : "",
                                 contender.bounded, contender.put_many != NULL};
}

const char *driver_why_not(const struct work *work)
{
    if (work->kind >= WORK_TASKS)
        return "a queue, not a pool";
    if (work->batch > 1 && (!contender.put_many || work->kind != WORK_PASS))
        return "no batches";
    if (contender.numbers && work->item_size > sizeof(uint64_t))
        return "items of 8 bytes only";
    if (!contender.bounded && work->capacity < DRIVER_AMPLE_CAPACITY &&
        work->kind != WORK_PINGPONG)
        return "unbounded";
    if (work->kind == WORK_PINGPONG &&
        (work->producers != 1 || work->consumers != 1))
        return "one pair only";
    return NULL;
}

/* ------------------------------------------------------------------- pass */

static void put_singly(struct part *part)
{
    uint64_t item[WORK_MOST_WORDS] = {0};
    size_t last = part->work->item_size / sizeof(*item) - 1;

    for (uint64_t i = 0; i < part->count; i++) {
        item[0] = item[last] = part->first + i;
        contender.put(part->queue, item);
    }
}

static void get_singly(struct part *part)
{
    uint64_t item[WORK_MOST_WORDS];
    size_t words = part->work->item_size / sizeof(*item);

    for (uint64_t i = 0; i < part->count; i++) {
        contender.get(part->queue, item);
        part_take(part, item, words);
    }
}

/* How many of `left` go into one batch. */
static size_t batch_of(const struct part *part, uint64_t left)
{
    return left < part->work->batch ? (size_t)left : part->work->batch;
}

static void put_batches(struct part *part)
{
    uint64_t items[WORK_MOST_BATCH * WORK_MOST_WORDS] = {0};
    size_t words = part->work->item_size / sizeof(*items);
    uint64_t put = 0;

    while (put < part->count) {
        size_t n = batch_of(part, part->count - put);

        for (size_t i = 0; i < n; i++)
            items[i * words] = items[i * words + words - 1] =
                part->first + put + i;
        contender.put_many(part->queue, items, n);
        put += n;
    }
}

static void get_batches(struct part *part)
{
    uint64_t items[WORK_MOST_BATCH * WORK_MOST_WORDS];
    size_t words = part->work->item_size / sizeof(*items);
    uint64_t got = 0;

    while (got < part->count) {
        size_t n = contender.get_many(part->queue, items,
                                      batch_of(part, part->count - got));

        for (size_t i = 0; i < n; i++)
            part_take(part, items + i * words, words);
        got += n;
    }
}

static void pass(const struct work *work, void *queue, struct result *out)
{
    static struct part parts[2 * WORK_MOST_THREADS];
    bool singly = work->batch == 1;
    size_t count = 0;

    for (unsigned i = 0; i < work->producers; i++, count++) {
        uint64_t share = work->items / work->producers;

        parts[count] = (struct part){.run = singly ? put_singly : put_batches,
                                     .work = work,
                                     .queue = queue,
                                     .first = 1 + i * share,
                                     .count = share};
    }
    for (unsigned i = 0; i < work->consumers; i++, count++)
        parts[count] = (struct part){.run = singly ? get_singly : get_batches,
                                     .work = work,
                                     .queue = queue,
                                     .count = work->items / work->consumers};
    crew_run(parts, count, out);
}

/* --------------------------------------------------------------- pingpong */

static void serve(struct part *part)
{
    uint64_t item[WORK_MOST_WORDS] = {0};
    size_t last = part->work->item_size / sizeof(*item) - 1;

    for (uint64_t i = 1; i <= part->count; i++) {
        item[0] = item[last] = i;
        contender.put(part->queue, item);
        contender.get(part->answers, item);
        part->hash ^= item[last] * WORK_HASH;
    }
}

static void answer(struct part *part)
{
    uint64_t item[WORK_MOST_WORDS];

    for (uint64_t i = 0; i < part->count; i++) {
        contender.get(part->queue, item);
        part->items++;
        part->sum += item[0];
        contender.put(part->answers, item);
    }
}

/* Each half is checked: the sum is of the way out, the hash of the way back. */
static void pingpong(const struct work *work, void *queue, struct result *out)
{
    static struct part parts[2];
    void *answers = contender.create(work->capacity, work->item_size);

    if (!answers)
        contender_failed("no memory for the second queue");
    for (int i = 0; i < 2; i++)
        parts[i] = (struct part){.run = i == 0 ? serve : answer,
                                 .work = work,
                                 .queue = queue,
                                 .answers = answers,
                                 .count = work->items};
    crew_run(parts, 2, out);
    contender.destroy(answers);
}

void driver_run(const struct work *work, struct result *out)
{
    void *queue = contender.create(work->capacity, work->item_size);

    if (!queue)
        contender_failed("no memory for the queue");
    if (work->kind == WORK_PINGPONG)
        pingpong(work, queue, out);
    else if (work->kind == WORK_PACED)
        paced_run(work, queue, out);
    else
        pass(work, queue, out);
    contender.destroy(queue);
}
