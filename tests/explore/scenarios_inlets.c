/* SPDX-License-Identifier: MIT */
/*
 * scenarios_inlets.c - several producers as one, and one by the group.
 *
 * As items are taken: each comes once, in its source's order.  At the end: each
 * that a source gave was settled and released once, by the taker or, if it was
 * not handed out, by the close; each source is closed once, all threads have
 * ended, all memory was released.
 */
#include <string.h>

#include <weir/producer.h>

#include "arena.h"
#include "choice.h"
#include "pool_jobs.h"
#include "pool_stage.h"
#include "scenarios.h"
#include "threads.h"
#include "trace.h"

enum { SOURCES = 2, MOST = 4 };

/* A source gives `count` items and then says `end`; or waits until it is
 * interrupted, or until the gate opens before the item of that number. */
static struct source {
    unsigned count, given, waits_before;
    weir_status end;
    bool blocks, is_deaf, is_asked, is_interrupted, is_closed;
    unsigned latest; /* that was taken */
    int64_t given_ns[MOST + 1];
    bool taken[MOST + 1], settled[MOST + 1], released[MOST + 1];
} sources[SOURCES];

static struct {
    weir_producer producer;
    bool is_batch, is_closed;
    struct world_lock lock;
    struct world_cond interrupted;
} inlets;

/* ------------------------------------------------------------------ sources */

static void must_be_free(const struct source *source, const char *name)
{
    if (world_holds_a_lock())
        world_fail("%s is called with a lock held", name);
    if (source->is_closed)
        world_fail("%s is called, but the source is closed", name);
}

static void wait_for_interrupt(const struct source *source)
{
    world_lock_acquire(&inlets.lock, "a source");
    while (!source->is_interrupted)
        (void)world_cond_wait(&inlets.interrupted, &inlets.lock, INT64_MAX,
                              "a source");
    world_lock_release(&inlets.lock, "a source");
}

static weir_status next_of(void *self, void *item)
{
    struct source *source = self;
    unsigned number = source->given + 1;
    uint64_t value = (uint64_t)(source - sources) * 10 + number;

    must_be_free(source, "next");
    if (source->is_asked)
        world_fail("next is called by two threads at once");
    source->is_asked = true;
    world_step("is asked for", "an item", source);
    if (source->waits_before == number)
        waits_at_the_gate(NULL, 0);
    if (number > source->count && source->blocks)
        wait_for_interrupt(source);
    source->is_asked = false;
    if (number > source->count)
        return source->blocks ? WEIR_CANCELLED : source->end;
    memcpy(item, &value, sizeof(value));
    source->given = number;
    source->given_ns[number] = world_peek();
    return WEIR_OK;
}

static void interrupt_it(void *self)
{
    struct source *source = self;

    must_be_free(source, "interrupt");
    world_lock_acquire(&inlets.lock, "a source");
    source->is_interrupted = true;
    world_cond_wake_all(&inlets.interrupted, "a source");
    world_lock_release(&inlets.lock, "a source");
}

static unsigned number_in(const struct source *source, const void *item)
{
    uint64_t value;

    memcpy(&value, item, sizeof(value));
    if (value / 10 != (uint64_t)(source - sources) || value % 10 == 0 ||
        value % 10 > source->given)
        world_fail("%u is no item of source %u", (unsigned)value,
                   (unsigned)(source - sources));
    return (unsigned)(value % 10);
}

static void settle_it(void *self, const void *item, const weir_outcome *outcome)
{
    struct source *source = self;
    unsigned number = number_in(source, item);

    must_be_free(source, "settle");
    if (source->settled[number])
        world_fail("item %u is settled twice", number);
    if (source->taken[number] != (outcome->kind == WEIR_OUTCOME_DONE))
        world_fail("item %u is %s", number, weir_outcome_name(outcome->kind));
    source->settled[number] = true;
}

static void release_it(void *self, void *item)
{
    struct source *source = self;
    unsigned number = number_in(source, item);

    must_be_free(source, "release");
    if (!source->settled[number] || source->released[number])
        world_fail("item %u is released too early, or twice", number);
    source->released[number] = true;
}

static void close_it(void *self)
{
    struct source *source = self;

    must_be_free(source, "close");
    if (source->is_asked)
        world_fail("a source is closed while it is asked");
    source->is_closed = true;
}

static weir_producer producer_of(unsigned which)
{
    weir_producer producer = WEIR_PRODUCER_INIT;

    producer.item_size = sizeof(uint64_t);
    producer.next = next_of;
    producer.interrupt = sources[which].is_deaf ? NULL : interrupt_it;
    producer.settle = settle_it;
    producer.release = release_it;
    producer.close = close_it;
    producer.self = &sources[which];
    return producer;
}

/* ------------------------------------------------------------------- taking */

static void open_merge(void)
{
    weir_producer of[SOURCES] = {producer_of(0), producer_of(1)};
    const weir_producer *both[SOURCES] = {&of[0], &of[1]};

    must(weir_producer_merge(&inlets.producer, both, SOURCES) == WEIR_OK);
}

static void open_batch(size_t n, int64_t max_wait_ns)
{
    weir_producer of = producer_of(0);

    inlets.is_batch = true;
    sources[1].is_closed = true;
    must(weir_producer_batch(&inlets.producer, &of, n, max_wait_ns) == WEIR_OK);
}

static unsigned note_taken(const void *item)
{
    uint64_t value;
    struct source *source;
    unsigned number;

    memcpy(&value, item, sizeof(value));
    must(value / 10 < SOURCES);
    source = &sources[value / 10];
    number = number_in(source, item);
    if (number != source->latest + 1)
        world_fail("item %u comes after %u", number, source->latest);
    source->latest = number;
    source->taken[number] = true;
    return (unsigned)value;
}

/* The whole of what next wrote is done with at once. */
static void finish(void *item)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.kind = WEIR_OUTCOME_DONE;
    outcome.message = "";
    inlets.producer.settle(inlets.producer.self, item, &outcome);
    inlets.producer.release(inlets.producer.self, item);
}

/* *what: the item of a merge, or how many there are in the batch. */
static weir_status take_next(unsigned *what)
{
    static _Alignas(16) unsigned char item[128];
    weir_status status;

    if (!inlets.is_batch) /* whose age is no precaution */
        world_begin_call(WORLD_WAITS, INT64_MAX);
    status = inlets.producer.next(inlets.producer.self, item);
    if (!inlets.is_batch)
        world_end_call();
    if (trace_is_on)
        trace_say(world_self(), "next answers %s", weir_status_name(status));
    if (status)
        return status;
    if (!inlets.is_batch) {
        *what = note_taken(item);
    } else {
        weir_batch *batch = (weir_batch *)(void *)item;

        *what = (unsigned)batch->count;
        for (size_t i = 0; i < batch->count; i++)
            (void)note_taken(weir_batch_item(batch, i));
    }
    finish(item);
    return WEIR_OK;
}

static weir_status take_them_all(void)
{
    weir_status status;
    unsigned what;

    do
        status = take_next(&what);
    while (status == WEIR_OK);
    return status;
}

static void must_have_taken(unsigned first, unsigned second)
{
    must(sources[0].latest == first);
    must(sources[1].latest == second);
}

static void close_inlets(void)
{
    inlets.is_closed = true;
    inlets.producer.close(inlets.producer.self);
}

static void inlets_play(const struct scenario *scenario)
{
    cast_reset();
    deeds_reset();
    memset(sources, 0, sizeof(sources));
    memset(&inlets, 0, sizeof(inlets));
    for (unsigned i = 0; i < SOURCES; i++)
        sources[i].end = WEIR_END;
    world_lock_init(&inlets.lock, WORLD_UNRANKED);
    world_cond_init(&inlets.interrupted);
    scenario->run();
    join_all();
    if (!inlets.is_closed)
        close_inlets();
    for (unsigned i = 1; i < thread_count; i++)
        must(world_has_ended(i));
    for (unsigned i = 0; i < SOURCES; i++) {
        must(sources[i].is_closed);
        for (unsigned k = 1; k <= sources[i].given; k++)
            must(sources[i].settled[k] && sources[i].released[k]);
    }
    must(arena_live() == 0);
}

#define INLETS_SCENARIO(function, how_many, text)                              \
 SCENE(function, how_many, text), .play = inlets_play, .late = 1,              \
                                  .noise = SCENARIO_NONE, .large = 1

/* -------------------------------------------------------------------- merge */

static void producer_merge_takes_all(void)
{
    sources[0].count = 2;
    sources[1].count = 1;
    open_merge();
    must(take_them_all() == WEIR_END);
    must(take_them_all() == WEIR_END);
    must_have_taken(2, 1);
}

/* Both have one, then the first could have another. */
static void producer_merge_takes_turns(void)
{
    unsigned before, first, second;

    sources[0].count = 3;
    sources[1].count = 2;
    open_merge();
    must(take_next(&before) == WEIR_OK);
    world_await_all();
    must(take_next(&first) == WEIR_OK);
    must(take_next(&second) == WEIR_OK);
    must(first / 10 != second / 10);
    must(take_them_all() == WEIR_END);
    must_have_taken(3, 2);
}

static void producer_merge_source_fails(void)
{
    sources[0].count = sources[1].count = 1;
    sources[0].end = WEIR_ENOMEM;
    sources[1].blocks = true;
    open_merge();
    must(take_them_all() == WEIR_ENOMEM);
    must(sources[0].latest == 1);
    must(sources[1].latest == sources[1].given);
}

static void interrupt_inlets(unsigned number)
{
    (void)number;
    inlets.producer.interrupt(inlets.producer.self);
}

static void producer_merge_interrupt_against_take(void)
{
    sources[0].count = sources[1].count = 1;
    sources[0].blocks = sources[1].blocks = true;
    open_merge();
    start(interrupt_inlets, 0);
    must(take_them_all() == WEIR_CANCELLED);
    must(take_them_all() == WEIR_CANCELLED);
}

/* The taker does not wait for what they are in. */
static void producer_merge_of_the_deaf(void)
{
    for (unsigned i = 0; i < SOURCES; i++) {
        sources[i].is_deaf = true;
        sources[i].waits_before = 1;
    }
    open_merge();
    start(interrupt_inlets, 0);
    must(take_them_all() == WEIR_CANCELLED);
    open_the_gate();
}

static void producer_merge_closed_early(void)
{
    unsigned what;

    sources[0].count = sources[1].count = 2;
    open_merge();
    must(take_next(&what) == WEIR_OK);
    close_inlets();
}

/* -------------------------------------------------------------------- batch */

static void producer_batch_is_full(void)
{
    unsigned count = 0;

    sources[0].count = 3;
    open_batch(2, INT64_MAX);
    must(take_next(&count) == WEIR_OK && count == 2);
    must(take_next(&count) == WEIR_OK && count == 1);
    must(take_next(&count) == WEIR_END);
}

/* The second item comes when the first batch has left, or with it. */
static void producer_batch_is_of_age(void)
{
    unsigned count = 0;

    sources[0].count = 2;
    open_batch(2, WEIR_MS(1));
    must(take_next(&count) == WEIR_OK);
    if (count == 1)
        must(world_peek() >= sources[0].given_ns[1] + WEIR_MS(1));
    must(take_them_all() == WEIR_END);
    must_have_taken(2, 0);
}

static void producer_batch_leaves_for_its_age(void)
{
    unsigned count = 0;

    sources[0].count = 2;
    sources[0].waits_before = 2;
    open_batch(2, WEIR_MS(1));
    must(take_next(&count) == WEIR_OK && count == 1);
    must(world_peek() >= sources[0].given_ns[1] + WEIR_MS(1));
    open_the_gate();
    must(take_them_all() == WEIR_END);
    must_have_taken(2, 0);
}

static void producer_batch_interrupt_against_age(void)
{
    sources[0].count = 1;
    sources[0].blocks = true;
    open_batch(2, WEIR_MS(1));
    start(interrupt_inlets, 0);
    must(take_them_all() == WEIR_CANCELLED);
}

const struct scenario scenarios_inlets[] = {
    {INLETS_SCENARIO(producer_merge_takes_all, 3,
                     "each item once, then the end")},
    {INLETS_SCENARIO(producer_merge_takes_turns, 3,
                     "an item waits for one of the other at most")},
    {INLETS_SCENARIO(producer_merge_source_fails, 3,
                     "items first, then why; the other is interrupted")},
    {INLETS_SCENARIO(producer_merge_interrupt_against_take, 4,
                     "cancelled, whatever has come")},
    {INLETS_SCENARIO(producer_merge_of_the_deaf, 4,
                     "the same, and their sources go on")},
    {INLETS_SCENARIO(producer_merge_closed_early, 3,
                     "what is held is given back")},
    {INLETS_SCENARIO(producer_batch_is_full, 2,
                     "it leaves with so many, or at the end")},
    {INLETS_SCENARIO(producer_batch_is_of_age, 2,
                     "an item comes with the moment")},
    {INLETS_SCENARIO(producer_batch_leaves_for_its_age, 2,
                     "or without another")},
    {INLETS_SCENARIO(producer_batch_interrupt_against_age, 3,
                     "it ends, whatever is held")},
    {.name = NULL},
};
