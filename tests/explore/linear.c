/* SPDX-License-Identifier: MIT */
/* linear.c - see linear.h. */
#include "linear.h"

#include <stdint.h>
#include <string.h>

#include "history.h"
#include "model.h"
#include "world.h"

enum { MOST_MOVES = 64, TRIED = 1 << 12, KNOWN = 1 << 16 };

static struct move moves[MOST_MOVES];
static unsigned move_count;

/* States that led nowhere: a hash, and for which history. */
static struct {
    uint64_t hash;
    uint64_t of;
} tried[TRIED];
static uint64_t this_history;

/* Histories that were explained, by hash. */
static uint64_t known[KNOWN];

/* ------------------------------------------------------- a history as moves */

static struct move *add(const struct call *call, enum move_kind kind)
{
    struct move *move = &moves[move_count];

    if (move_count == MOST_MOVES)
        world_fail("the scenario makes more than %d moves", MOST_MOVES);
    *move = (struct move){.kind = kind,
                          .call = call,
                          .status = call->status,
                          .earliest = history_earliest(call)};
    for (unsigned i = 0; i < move_count; i++)
        if (moves[i].call == call)
            move->after |= UINT64_C(1) << i;
    move_count++;
    return move;
}

/* See model.c.  Newcomers that stand back let a chance go that is there. */
static bool is_excused(const struct call *call)
{
    bool put = call->kind == CALL_PUT;
    bool at_once = call->is_now || call->late || call->status == WEIR_FULL ||
                   call->status == WEIR_CANCELLED;

    if (at_once &&
        (call->missed || history_beside(call, put ? CALL_GET : CALL_PUT)))
        return true;
    return history.stands_back && history_beside(call, call->kind);
}

static void add_put(const struct call *call)
{
    uint64_t drops = 0;

    for (size_t i = 0; i < call->victim_count; i++) {
        struct move *move = add(call, MOVE_DROP);

        move->item = call->victims[i];
        move->excused =
            history_beside(call, CALL_PUT) || history_beside(call, CALL_GET);
        drops |= UINT64_C(1) << (move - moves);
    }
    for (size_t i = 0; i < call->done; i++) {
        struct move *move = add(call, MOVE_APPEND);

        move->item = call->items[i];
        move->after &= ~drops; /* a batch drops on its way */
    }
    if (call->status != WEIR_OK)
        add(call, MOVE_NOT_PUT)->excused = is_excused(call);
    if (call->victim_count > 0)
        add(call, MOVE_FINISH)->amount = call->victim_count;
}

static void add_get(const struct call *call)
{
    for (size_t i = 0; i < call->done; i++)
        add(call, MOVE_TAKE)->item = call->items[i];
    if (call->status != WEIR_OK)
        add(call, MOVE_NOT_GOT)->excused = is_excused(call);
}

static void add_moves(const struct call *call)
{
    bool ok = call->status == WEIR_OK;

    switch (call->kind) {
    case CALL_PUT:
        add_put(call);
        break;
    case CALL_GET:
        add_get(call);
        break;
    case CALL_DONE:
        add(call, ok ? MOVE_DONE : MOVE_NOT_DONE)->amount = call->count;
        break;
    case CALL_JOIN:
        add(call, ok ? MOVE_JOIN : MOVE_NOT_JOINED);
        break;
    case CALL_POISON:
        add(call, ok ? MOVE_POISON : MOVE_NOT_POISONED)->amount = call->count;
        break;
    case CALL_CLOSE:
        add(call, MOVE_CLOSE);
        break;
    case CALL_ABORT:
        add(call, MOVE_CLOSE);
        add(call, MOVE_EMPTY);
        add(call, MOVE_FINISH)->amount = call->victim_count;
        break;
    case CALL_INTERRUPT:
        add(call, MOVE_INTERRUPT);
        break;
    case CALL_IS_CLOSED:
    default:
        add(call, MOVE_IS_CLOSED)->amount = call->count;
        break;
    }
}

/* -------------------------------------------------------------- the search */

static bool is_done(uint64_t made, unsigned move)
{
    return (made >> move & 1) != 0;
}

/* The first moment at which a call that is not done with had ended: what began
 * after it comes after it. */
static uint64_t first_end(uint64_t made)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < move_count; i++)
        if (!is_done(made, i) && moves[i].call->ended < first)
            first = moves[i].call->ended;
    return first;
}

static bool was_tried(uint64_t made, const struct model *model)
{
    uint64_t hash = model_hash(model) ^ made * UINT64_C(0xD1B54A32D192ED03);
    size_t at = (size_t)(hash ^ hash >> 32) % TRIED;

    if (tried[at].hash == hash && tried[at].of == this_history)
        return true;
    tried[at].hash = hash;
    tried[at].of = this_history;
    return false;
}

static bool explain(uint64_t made, const struct model *model)
{
    uint64_t end = first_end(made);

    if (end == UINT64_MAX)
        return true;
    if (was_tried(made, model))
        return false;
    for (unsigned i = 0; i < move_count; i++) {
        struct model next = *model;

        if (is_done(made, i) || moves[i].earliest > end)
            continue;
        if (moves[i].after & ~made)
            continue;
        if (model_move(&next, &moves[i]) &&
            explain(made | UINT64_C(1) << i, &next))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------- at use */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t hash_of_history(void)
{
    uint64_t hash = history.count;

    for (size_t i = 0; i < history.count; i++) {
        const struct call *call = &history.calls[i];

        hash = mix(hash, (uint64_t)call->kind | (uint64_t)call->is_now << 8 |
                             (uint64_t)call->missed << 9 |
                             (uint64_t)(unsigned char)call->status << 16 |
                             (uint64_t)call->done << 24 |
                             (uint64_t)call->victim_count << 32);
        hash = mix(hash, call->began << 32 | call->ended);
        hash = mix(hash, call->late << 32 | call->count);
        for (size_t k = 0; k < call->done && k < CALL_ITEMS; k++)
            hash = mix(hash, call->items[k]);
        for (size_t k = 0; k < call->victim_count; k++)
            hash = mix(hash, call->victims[k]);
    }
    return hash | 1;
}

bool linear_explains_history(void)
{
    uint64_t hash = hash_of_history();
    struct model model;

    if (known[hash % KNOWN] == hash)
        return true;
    this_history++;
    move_count = 0;
    for (size_t i = 0; i < history.count; i++)
        add_moves(&history.calls[i]);
    model_init(&model);
    if (!explain(0, &model))
        return false;
    known[hash % KNOWN] = hash;
    return true;
}

void linear_forget(void)
{
    memset(known, 0, sizeof(known));
}
