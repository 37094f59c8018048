/* SPDX-License-Identifier: MIT */
/*
 * model.c - see model.h.
 *
 * A SLOT THAT IS CLAIMED
 *
 * A queue without a lock hands out slots first and fills them afterwards: for
 * a moment an item is in nobody's hands, and it holds up what is behind it.
 * So a call that may not wait (WEIR_NOW, or any once its deadline has passed)
 * is allowed to answer as if there were nothing (WEIR_TIMED_OUT of a get) while
 * a put is under way at some moment of the call, and as if there were no room
 * (WEIR_TIMED_OUT of a put, WEIR_FULL) while a get is.  Of a call that ran out
 * of time only the moments since then count; an interrupted one
 * (WEIR_CANCELLED) is as one that may not wait.
 *
 * Where reads may miss what was written (views.h), a call that has is excused
 * too: nothing has told its thread that the put or get was over.  That does not
 * go for what was written sequentially consistently.
 *
 * And a newcomer may be told the same while another call of its kind, that was
 * overtaken too often, is on its way.  Nothing else is excused.
 */
#include "model.h"

#include <string.h>

#define PILL                                                                   \
 (UINT64_C(1) << 63) /* an entry that is one; the rest: for whom               \
                      */

void model_init(struct model *model)
{
    memset(model, 0, sizeof(*model));
}

static bool is_pill(uint64_t entry)
{
    return (entry & PILL) != 0;
}

static void remove_entry(struct model *model, uint32_t at)
{
    model->length--;
    memmove(&model->entries[at], &model->entries[at + 1],
            (model->length - at) * sizeof(model->entries[0]));
}

static bool add_entry(struct model *model, uint64_t entry)
{
    if (model->length == MODEL_ENTRIES)
        return false;
    model->entries[model->length++] = entry;
    return true;
}

static bool is_full(const struct model *model)
{
    return model->items >= history.capacity;
}

static bool append(struct model *model, uint64_t item)
{
    if (model->closed || is_full(model) || !add_entry(model, item))
        return false;
    model->items++;
    model->unfinished++;
    return true;
}

static bool not_put(const struct model *model, const struct move *move)
{
    switch (move->status) {
    case WEIR_CLOSED:
        return model->closed;
    case WEIR_TIMED_OUT:
    case WEIR_FULL:
        return !model->closed && (is_full(model) || move->excused);
    default:
        return false;
    }
}

/* Dropping passes by a pill: that one is due then. */
static bool drop(struct model *model, const struct move *move)
{
    uint32_t oldest = 0;

    while (oldest < model->length && is_pill(model->entries[oldest]))
        oldest++;
    if (oldest == model->length || model->entries[oldest] != move->item)
        return false;
    if (!is_full(model) && !move->excused)
        return false;
    remove_entry(model, oldest);
    model->items--;
    return true;
}

static bool take(struct model *model, uint64_t item)
{
    if (model->length == 0 || model->entries[0] != item)
        return false;
    remove_entry(model, 0);
    model->items--;
    return true;
}

static bool take_pill(struct model *model)
{
    if (model->length == 0)
        return model->poisoned;
    if (!is_pill(model->entries[0]))
        return false;
    if ((--model->entries[0] & ~PILL) == 0)
        remove_entry(model, 0);
    return true;
}

static bool not_got(struct model *model, const struct move *move)
{
    bool nothing = model->length == 0 && !model->poisoned;

    switch (move->status) {
    case WEIR_POISONED:
        return take_pill(model);
    case WEIR_CLOSED:
        return nothing && model->closed;
    case WEIR_TIMED_OUT:
        return (nothing && !model->closed) || move->excused;
    case WEIR_CANCELLED:
        return (nothing || move->excused) && !model->closed &&
               model->interrupted;
    default:
        return false;
    }
}

/* All that is left, in order; and nothing else was discarded. */
static bool empty(struct model *model, const struct call *call)
{
    size_t victim = 0;

    for (uint32_t i = 0; i < model->length; i++) {
        if (is_pill(model->entries[i]))
            continue;
        if (victim == call->victim_count ||
            call->victims[victim] != model->entries[i])
            return false;
        victim++;
    }
    if (victim != call->victim_count)
        return false;
    model->length = 0;
    model->items = 0;
    model->poisoned = false;
    return true;
}

static bool poison(struct model *model, size_t consumers)
{
    if (model->closed)
        return false;
    if (consumers == WEIR_EVERY_CONSUMER) {
        model->poisoned = true;
        model->closed = true;
        return true;
    }
    return add_entry(model, PILL | consumers);
}

static bool finish(struct model *model, size_t amount)
{
    if (amount > model->unfinished)
        amount = model->unfinished;
    model->unfinished -= (uint32_t)amount;
    return true;
}

bool model_move(struct model *model, const struct move *move)
{
    switch (move->kind) {
    case MOVE_APPEND:
        return append(model, move->item);
    case MOVE_NOT_PUT:
        return not_put(model, move);
    case MOVE_TAKE:
        return take(model, move->item);
    case MOVE_NOT_GOT:
        return not_got(model, move);
    case MOVE_DROP:
        return drop(model, move);
    case MOVE_CLOSE:
        return model->closed = true;
    case MOVE_EMPTY:
        return empty(model, move->call);
    case MOVE_POISON:
        return poison(model, move->amount);
    case MOVE_NOT_POISONED:
        return move->status != WEIR_CLOSED || model->closed;
    case MOVE_FINISH:
        return finish(model, move->amount);
    case MOVE_DONE:
        return move->amount <= model->unfinished && finish(model, move->amount);
    case MOVE_NOT_DONE:
        return move->amount > model->unfinished;
    case MOVE_JOIN:
        return model->unfinished == 0;
    case MOVE_NOT_JOINED:
        return model->unfinished > 0;
    case MOVE_INTERRUPT:
        return model->interrupted = true;
    case MOVE_IS_CLOSED:
    default:
        return (move->amount != 0) == model->closed;
    }
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

uint64_t model_hash(const struct model *model)
{
    uint64_t hash = model->length;

    for (uint32_t i = 0; i < model->length; i++)
        hash = mix(hash, model->entries[i]);
    hash = mix(hash, model->unfinished);
    return mix(hash, (uint64_t)model->closed | (uint64_t)model->poisoned << 1 |
                         (uint64_t)model->interrupted << 2);
}
