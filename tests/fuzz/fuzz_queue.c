/* SPDX-License-Identifier: MIT */
/*
 * fuzz_queue.c - any sequence of calls on a queue, step by step beside a model.
 *
 * THE IDEA
 *
 * The bytes say how to make the queue and then which call comes next, with
 * which arguments.  Each call is made on the model (model.h) and on the queue.
 * Statuses, items and counts must be equal, and so must what both told their
 * callbacks; the ledger must balance after each step.
 *
 * One thread, so nothing may block: deadlines are WEIR_NOW, or one that has
 * passed but is not WEIR_NOW, which goes through the waiting and out again.
 *
 * on_discard calls the queue in its turn.  Which call, the discarded item's
 * first byte says, so that the model's does the same.
 */
#include <weir/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model.h"

enum { BATCH_MOST = 40, BYTES_MOST = BATCH_MOST * 4096, GUARD = 16 };

static const weir_deadline passed = {1};

static weir_queue *queue;
static struct model model;
static size_t item_size;
static uint32_t next_item;
static size_t step;

/* ------------------------------------------------------------- the input */

static const uint8_t *at, *end;

static unsigned next_byte(void)
{
    return at < end ? *at++ : 0;
}

static bool next_bit(void)
{
    return next_byte() & 1;
}

/* ------------------------------------------------------------ what differs */

static void must_equal(const char *what, uint64_t of_queue, uint64_t of_model)
{
    if (of_queue == of_model)
        return;
    fprintf(stderr, "fuzz_queue: step %zu: %s is %lld, but %lld by the model\n",
            step, what, (long long)of_queue, (long long)of_model);
    abort();
}

static void
must_be_status(const char *what, weir_status of_queue, weir_status of_model)
{
    if (of_queue == of_model)
        return;
    fprintf(stderr, "fuzz_queue: step %zu: %s says %s, but %s by the model\n",
            step, what, weir_status_name(of_queue), weir_status_name(of_model));
    abort();
}

/* -------------------------------------------------------------- items */

/* A byte that depends on its item and its place. */
static unsigned char byte_of(uint32_t item, size_t place)
{
    return (unsigned char)(item * 7 + (item >> 8) + place * 31 + place / 256);
}

static void write_items(unsigned char *bytes, uint32_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t place = 0; place < item_size; place++)
            *bytes++ = byte_of(first + (uint32_t)i, place);
}

/* A number for an item's bytes. */
static uint64_t sum_of(const unsigned char *bytes)
{
    uint64_t sum = 0;

    for (size_t place = 0; place < item_size; place++)
        sum = sum * 1099511628211u + bytes[place];
    return sum;
}

static uint64_t sum_of_item(uint32_t item)
{
    unsigned char bytes[4096];

    write_items(bytes, item, 1);
    return sum_of(bytes);
}

/* ----------------------------------------------------- what callbacks tell */

enum { EVENTS_MOST = 4096 };

/* What one side was told during one step, in order. */
struct events {
    uint64_t told[EVENTS_MOST];
    size_t count;
    unsigned depth; /* of calls within on_discard */
};
static struct events queues_events, models_events;

static void note(struct events *events, uint64_t what)
{
    if (events->count < EVENTS_MOST)
        events->told[events->count++] = what;
}

static void must_be_told_the_same(void)
{
    must_equal("events", queues_events.count, models_events.count);
    for (size_t i = 0; i < models_events.count; i++)
        must_equal("an event", queues_events.told[i], models_events.told[i]);
    queues_events.count = models_events.count = 0;
}

/* What on_discard does: by 1 in 16 each, and nothing at a second thought. */
enum nested { GET, PUT, PUT_TWO, FINISH, CLOSE, POISON, ABORT, NOTHING };
enum { DEPTH_MOST = 3, NESTED_ITEMS = 1 << 24 };

static enum nested nested_for(unsigned char first_byte, unsigned depth)
{
    return first_byte % 16 < NOTHING && depth < DEPTH_MOST
               ? (enum nested)(first_byte % 16)
               : NOTHING;
}

static weir_status nested_get(void)
{
    unsigned char bytes[4096];
    weir_status status = weir_queue_get(queue, bytes, WEIR_NOW);

    note(&queues_events, status ? 0 : sum_of(bytes));
    return status;
}

static weir_status nested_put(uint32_t item, size_t count)
{
    unsigned char bytes[2 * 4096];

    write_items(bytes, item, count);
    return weir_queue_put_many(queue, bytes, count, NULL, WEIR_NOW);
}

static weir_status act_nested(enum nested nested, uint32_t item)
{
    switch (nested) {
    case GET:
        return nested_get();
    case PUT:
        return nested_put(item, 1);
    case PUT_TWO:
        return nested_put(item, 2);
    case FINISH:
        return weir_queue_task_done(queue, 1);
    case POISON:
        return weir_queue_poison(queue, 1);
    case CLOSE:
        weir_queue_close(queue);
        return WEIR_OK;
    case ABORT:
        weir_queue_abort(queue);
        return WEIR_OK;
    default:
        return WEIR_OK;
    }
}

static weir_status model_nested_get(void)
{
    uint32_t item = 0;
    weir_status status = model_get(&model, &item, false);

    note(&models_events, status ? 0 : sum_of_item(item));
    return status;
}

static weir_status model_nested(enum nested nested, uint32_t item)
{
    size_t done;

    switch (nested) {
    case GET:
        return model_nested_get();
    case PUT:
        return model_put(&model, item, false);
    case PUT_TWO:
        return model_put_many(&model, item, 2, &done, false);
    case FINISH:
        return model_task_done(&model, 1);
    case POISON:
        return model_poison(&model, 1);
    case CLOSE:
        model_close(&model);
        return WEIR_OK;
    case ABORT:
        model_abort(&model);
        return WEIR_OK;
    default:
        return WEIR_OK;
    }
}

static void on_discard(void *arg, void *item, weir_discard_reason reason)
{
    struct events *events = arg;
    unsigned char first = *(unsigned char *)item;

    note(events, sum_of(item));
    note(events, reason);
    if (reason == WEIR_DISCARD_DESTROY)
        return;
    note(events, weir_queue_count(queue));
    note(events, weir_queue_unfinished(queue));
    events->depth++;
    note(events, (uint64_t)act_nested(nested_for(first, events->depth),
                                      NESTED_ITEMS + first));
    events->depth--;
}

static void
models_discard(struct model *unused, uint32_t item, weir_discard_reason reason)
{
    struct events *events = &models_events;
    unsigned char first = byte_of(item, 0);

    (void)unused;
    note(events, sum_of_item(item));
    note(events, reason);
    if (reason == WEIR_DISCARD_DESTROY)
        return;
    note(events, model.stats.count);
    note(events, model_unfinished(&model));
    events->depth++;
    note(events, (uint64_t)model_nested(nested_for(first, events->depth),
                                        NESTED_ITEMS + first));
    events->depth--;
}

/* Only that it is told and when: how many are inside meanwhile is open. */
static void on_pressure(void *arg, bool high)
{
    note(arg, high ? 0xfffe : 0xffff);
}

static void models_pressure(struct model *unused, bool high)
{
    (void)unused;
    note(&models_events, high ? 0xfffe : 0xffff);
}

/* --------------------------------------------------------------- the calls */

static unsigned char bytes_in[BYTES_MOST], bytes_out[BYTES_MOST + GUARD];

/* A batch of 0 items may have no address. */
static void *items_or_null(unsigned char *bytes, size_t count)
{
    return count > 0 || next_bit() ? bytes : NULL;
}

static void act_put(void)
{
    bool late = next_bit();
    uint32_t item = next_item++;
    weir_status expected = model_put(&model, item, late);

    write_items(bytes_in, item, 1);
    must_be_status("put",
                   weir_queue_put(queue, bytes_in, late ? passed : WEIR_NOW),
                   expected);
}

static void act_put_many(void)
{
    size_t count = next_byte() % (BATCH_MOST + 1), done = 99, expected_done;
    bool late = next_bit();
    weir_status expected =
        model_put_many(&model, next_item, count, &expected_done, late);

    write_items(bytes_in, next_item, count);
    next_item += (uint32_t)count;
    must_be_status("put_many",
                   weir_queue_put_many(queue, items_or_null(bytes_in, count),
                                       count, &done, late ? passed : WEIR_NOW),
                   expected);
    must_equal("done of put_many", done, expected_done);
}

/* That these items came, and that the bytes behind them are as they were. */
static void must_have_come(const uint32_t *items, size_t done, size_t room)
{
    for (size_t i = 0; i < done; i++)
        must_equal("an item's sum", sum_of(bytes_out + i * item_size),
                   sum_of_item(items[i]));
    for (size_t i = done * item_size; i < room * item_size + GUARD; i++)
        must_equal("a byte behind the items", bytes_out[i], 0xee);
}

static void act_get(void)
{
    bool late = next_bit();
    uint32_t item = 0;
    weir_status expected = model_get(&model, &item, late);

    memset(bytes_out, 0xee, item_size + GUARD);
    must_be_status("get",
                   weir_queue_get(queue, bytes_out, late ? passed : WEIR_NOW),
                   expected);
    must_have_come(&item, expected == WEIR_OK, 1);
}

static void act_get_many(void)
{
    size_t count = next_byte() % (BATCH_MOST + 1), done = 99, expected_done;
    bool late = next_bit();
    uint32_t items[BATCH_MOST];
    weir_status expected =
        model_get_many(&model, items, count, &expected_done, late);

    memset(bytes_out, 0xee, count * item_size + GUARD);
    must_be_status("get_many",
                   weir_queue_get_many(queue, items_or_null(bytes_out, count),
                                       count, &done, late ? passed : WEIR_NOW),
                   expected);
    must_equal("done of get_many", done, expected_done);
    must_have_come(items, done, count);
}

/* None of these changes anything. */
static void act_wrongly(void)
{
    size_t done = 99;

    must_be_status("put of nothing", weir_queue_put(queue, NULL, WEIR_NOW),
                   WEIR_EINVAL);
    must_be_status("get into nothing", weir_queue_get(queue, NULL, WEIR_NOW),
                   WEIR_EINVAL);
    must_be_status("put_many of nothing",
                   weir_queue_put_many(queue, NULL, 2, &done, WEIR_NOW),
                   WEIR_EINVAL);
    must_equal("done of nothing", done, 0);
    must_be_status("get_many without done",
                   weir_queue_get_many(queue, bytes_out, 2, NULL, WEIR_NOW),
                   WEIR_EINVAL);
}

static void act_poison(void)
{
    static const size_t huge[] = {SIZE_MAX - 1, SIZE_MAX / 2 + 1};
    unsigned byte = next_byte();
    size_t consumers = byte < 224 ? byte % 8 : huge[byte % 2];

    must_be_status("poison", weir_queue_poison(queue, consumers),
                   model_poison(&model, consumers));
}

static void act_poison_every(void)
{
    must_be_status("poison for every consumer",
                   weir_queue_poison(queue, WEIR_EVERY_CONSUMER),
                   model_poison(&model, WEIR_EVERY_CONSUMER));
}

static void act_close(void)
{
    model_close(&model);
    weir_queue_close(queue);
}

static void act_abort(void)
{
    model_abort(&model);
    weir_queue_abort(queue);
}

static void act_task_done(void)
{
    size_t count = next_byte() % 16;

    must_be_status("task_done", weir_queue_task_done(queue, count),
                   model_task_done(&model, count));
}

/* All there is to finish, and one too many. */
static void act_finish_all(void)
{
    size_t count = model_unfinished(&model);

    must_be_status("task_done for too many",
                   weir_queue_task_done(queue, count + 1), WEIR_EINVAL);
    must_be_status("task_done for all", weir_queue_task_done(queue, count),
                   model_task_done(&model, count));
}

static void act_join(void)
{
    must_be_status("join",
                   weir_queue_join(queue, next_bit() ? passed : WEIR_NOW),
                   model_join(&model));
}

static void (*const acts[])(void) = {
    act_put,       act_put,        act_put_many,     act_get,    act_get,
    act_get_many,  act_poison,     act_poison_every, act_close,  act_abort,
    act_task_done, act_finish_all, act_join,         act_wrongly};
enum { ACTS = sizeof(acts) / sizeof(acts[0]) };

/* ------------------------------------------------------------- the figures */

static void must_be_the_same(void)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    must_be_told_the_same();
    weir_queue_read_stats(queue, &stats);
    must_equal("stats.put", stats.put, model.stats.put);
    must_equal("stats.got", stats.got, model.stats.got);
    must_equal("stats.refused", stats.refused, model.stats.refused);
    must_equal("stats.dropped", stats.dropped, model.stats.dropped);
    must_equal("stats.put_waits", stats.put_waits, model.stats.put_waits);
    must_equal("stats.get_waits", stats.get_waits, model.stats.get_waits);
    must_equal("stats.count", stats.count, model.stats.count);
    must_equal("stats.most", stats.most, model.stats.most);
    must_equal("the ledger", stats.put,
               stats.got + stats.dropped + stats.count);
    must_equal("count", weir_queue_count(queue), model.stats.count);
    must_equal("unfinished", weir_queue_unfinished(queue),
               model_unfinished(&model));
    must_equal("closed", weir_queue_is_closed(queue), model.is_closed);
    must_equal("capacity", weir_queue_capacity(queue), model.options.capacity);
}

/* ---------------------------------------------------------------- all of it */

/* Mostly small; now and then the largest, and sizes that are refused. */
static size_t size_of(unsigned byte)
{
    static const size_t rare[] = {0, 4097, 4096, 4095};

    return byte < 248 ? byte % 80 + 1 : rare[byte % 4];
}

static weir_queue_options next_options(void)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    unsigned policy, callbacks;

    options.capacity = next_byte() % 20; /* 0: the default */
    item_size = size_of(next_byte());
    policy = next_byte();
    options.on_full = (weir_on_full)(policy < 252 ? policy % 3 : policy - 249);
    callbacks = next_byte();
    if (callbacks & 1)
        options.on_discard = on_discard;
    if (callbacks & 2)
        options.on_pressure = on_pressure;
    if (callbacks & 4) {
        options.high_water = next_byte() % (options.capacity + 2);
        options.low_water = next_byte() % (options.capacity + 1);
    }
    options.on_discard_arg = options.on_pressure_arg = &queues_events;
    return options;
}

/* Returns whether there is a queue. */
static bool begin(void)
{
    weir_queue_options options = next_options();
    weir_status expected = model_create(&model, item_size, &options);

    queue = NULL;
    next_item = 0;
    queues_events.count = models_events.count = 0;
    model.discarded = options.on_discard ? models_discard : NULL;
    model.pressure = options.on_pressure ? models_pressure : NULL;
    must_be_status("create", weir_queue_create(&queue, item_size, &options),
                   expected);
    must_equal("a queue", queue != NULL, expected == WEIR_OK);
    return expected == WEIR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    at = bytes;
    end = bytes + size;
    step = 0;
    if (!begin())
        return 0;
    must_be_the_same();
    while (at < end && model.length < MODEL_ENTRIES / 2) {
        step++;
        acts[next_byte() % ACTS]();
        must_be_the_same();
    }
    model_destroy(&model);
    weir_queue_destroy(queue);
    must_be_told_the_same();
    return 0;
}
