/* SPDX-License-Identifier: MIT */
/* model.c - see model.h.  No cleverness here: it is what the other is held to.
 */
#include "model.h"

#include <assert.h>
#include <string.h>

/* ----------------------------------------------------------------- entries */

static void append(struct model *model, struct model_entry entry)
{
    assert(model->length < MODEL_ENTRIES);
    model->entries[model->length++] = entry;
}

static struct model_entry take_off(struct model *model, size_t place)
{
    struct model_entry entry = model->entries[place];

    model->length--;
    memmove(&model->entries[place], &model->entries[place + 1],
            (model->length - place) * sizeof(entry));
    return entry;
}

/* The oldest item, whatever pills stand before it.  There is one. */
static uint32_t take_oldest_item(struct model *model)
{
    size_t place = 0;

    while (model->entries[place].pills > 0)
        place++;
    model->stats.count--;
    return take_off(model, place).item;
}

/* ------------------------------------------------------------------- life */

static weir_status check_options(const weir_queue_options *o, size_t item_size)
{
    bool sizes = item_size >= 1 && item_size <= 4096;
    bool policy = o->on_full == WEIR_ON_FULL_WAIT ||
                  o->on_full == WEIR_ON_FULL_REFUSE ||
                  o->on_full == WEIR_ON_FULL_DROP_OLDEST;
    bool marks = o->high_water <= o->capacity && o->low_water < o->high_water;

    return sizes && policy && marks ? WEIR_OK : WEIR_EINVAL;
}

weir_status model_create(struct model *model, size_t item_size,
                         const weir_queue_options *options)
{
    weir_queue_options *o = &model->options;

    *o = *options;
    if (o->capacity == 0)
        o->capacity = 1024;
    if (o->high_water == 0)
        o->high_water = o->capacity;
    if (o->low_water == 0) {
        o->low_water = o->capacity / 4;
        if (o->low_water >= o->high_water)
            o->low_water = o->high_water - 1;
    }
    model->length = 0;
    model->is_closed = model->poisoned = model->told = false;
    model->finished = 0;
    model->stats = (weir_queue_stats)WEIR_QUEUE_STATS_INIT;
    return check_options(o, item_size);
}

static void
discard(struct model *model, uint32_t item, weir_discard_reason reason)
{
    if (model->discarded)
        model->discarded(model, item, reason);
}

void model_destroy(struct model *model)
{
    while (model->stats.count > 0)
        discard(model, take_oldest_item(model), WEIR_DISCARD_DESTROY);
}

/* -------------------------------------------------------------- pressure */

static void tell_pressure(struct model *model)
{
    size_t count = model->stats.count;
    bool changed = model->told ? count <= model->options.low_water
                               : count >= model->options.high_water;

    if (!model->pressure || !changed)
        return;
    model->told = !model->told;
    model->pressure(model, model->told);
}

/* --------------------------------------------------------------- finishing */

size_t model_unfinished(const struct model *model)
{
    return (size_t)(model->stats.put - model->finished);
}

/* Whoever said task_done for an item still inside has counted it already. */
static void finish(struct model *model, size_t count)
{
    size_t unfinished = model_unfinished(model);

    model->finished += count < unfinished ? count : unfinished;
}

weir_status model_task_done(struct model *model, size_t count)
{
    if (count > model_unfinished(model))
        return WEIR_EINVAL;
    model->finished += count;
    return WEIR_OK;
}

weir_status model_join(const struct model *model)
{
    return model_unfinished(model) == 0 ? WEIR_OK : WEIR_TIMED_OUT;
}

/* ----------------------------------------------------------------- putting */

static void put_in(struct model *model, uint32_t item)
{
    append(model, (struct model_entry){.item = item});
    model->stats.put++;
    model->stats.count++;
    if (model->stats.count > model->stats.most)
        model->stats.most = model->stats.count;
}

static weir_status put_one(struct model *model, uint32_t item, bool late)
{
    if (model->is_closed)
        return WEIR_CLOSED;
    if (model->stats.count < model->options.capacity) {
        put_in(model, item);
    } else if (model->options.on_full == WEIR_ON_FULL_DROP_OLDEST) {
        uint32_t victim = take_oldest_item(model);

        model->stats.dropped++;
        put_in(model, item);
        discard(model, victim, WEIR_DISCARD_OVERLOAD);
        finish(model, 1);
    } else if (model->options.on_full == WEIR_ON_FULL_REFUSE) {
        return WEIR_FULL;
    } else {
        model->stats.put_waits += late;
        return WEIR_TIMED_OUT;
    }
    tell_pressure(model);
    return WEIR_OK;
}

weir_status model_put(struct model *model, uint32_t item, bool late)
{
    size_t done;

    return model_put_many(model, item, 1, &done, late);
}

weir_status model_put_many(struct model *model, uint32_t first, size_t count,
                           size_t *done, bool late)
{
    weir_status status = WEIR_OK;

    for (*done = 0; *done < count; ++*done) {
        status = put_one(model, first + (uint32_t)*done, late);
        if (status)
            break;
    }
    model->stats.refused += count - *done;
    return status;
}

/* ----------------------------------------------------------------- getting */

weir_status model_get(struct model *model, uint32_t *item, bool late)
{
    size_t done;

    return model_get_many(model, item, 1, &done, late);
}

/* What a getter is told that finds no item first of all. */
static weir_status answer(struct model *model, bool late)
{
    if (model->length > 0) {
        if (--model->entries[0].pills == 0)
            take_off(model, 0);
        return WEIR_POISONED;
    }
    if (model->is_closed)
        return model->poisoned ? WEIR_POISONED : WEIR_CLOSED;
    model->stats.get_waits += late;
    return WEIR_TIMED_OUT;
}

weir_status model_get_many(struct model *model, uint32_t *items, size_t count,
                           size_t *done, bool late)
{
    *done = 0;
    while (*done < count && model->length > 0 && model->entries[0].pills == 0) {
        items[(*done)++] = take_oldest_item(model);
        model->stats.got++;
    }
    if (*done == 0 && count > 0)
        return answer(model, late);
    tell_pressure(model);
    return WEIR_OK;
}

/* ------------------------------------------------------------------ ending */

weir_status model_poison(struct model *model, size_t consumers)
{
    if (consumers == 0)
        return WEIR_EINVAL;
    if (model->is_closed)
        return WEIR_CLOSED;
    if (consumers == WEIR_EVERY_CONSUMER)
        model->is_closed = model->poisoned = true;
    else
        append(model, (struct model_entry){.pills = consumers});
    return WEIR_OK;
}

void model_close(struct model *model)
{
    model->is_closed = true;
}

void model_abort(struct model *model)
{
    uint32_t items[MODEL_ITEMS];
    size_t count = 0;

    model->is_closed = true;
    model->poisoned = false;
    while (model->stats.count > 0)
        items[count++] = take_oldest_item(model);
    model->length = 0;
    model->stats.dropped += count;
    tell_pressure(model);
    for (size_t i = 0; i < count; i++)
        discard(model, items[i], WEIR_DISCARD_ABORT);
    finish(model, count);
}
