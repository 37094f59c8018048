/* SPDX-License-Identifier: MIT */
/*
 * model.h - a queue as one thread alone would see it, in moves.
 *
 * A call is one move or several in a row: put_many appends item by item, an
 * abort closes and then empties.  A move either fits the state, and changes
 * it, or does not fit.
 */
#ifndef WEIR_EXPLORE_MODEL_H
#define WEIR_EXPLORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "history.h"

enum move_kind {
    MOVE_APPEND,  /* item */
    MOVE_NOT_PUT, /* status says why */
    MOVE_TAKE,    /* item */
    MOVE_NOT_GOT, /* status says why; a pill is taken */
    MOVE_DROP,    /* item, to make room */
    MOVE_CLOSE,
    MOVE_EMPTY,  /* all items are its call's victims; no pills left */
    MOVE_POISON, /* amount: consumers */
    MOVE_NOT_POISONED,
    MOVE_FINISH, /* amount of items, or all there are */
    MOVE_DONE,   /* the same, exactly */
    MOVE_NOT_DONE,
    MOVE_JOIN,
    MOVE_NOT_JOINED,
    MOVE_INTERRUPT,
    MOVE_IS_CLOSED /* amount: the answer */
};

struct move {
    enum move_kind kind;
    weir_status status;
    uint64_t item;
    size_t amount;
    const struct call *call;
    uint64_t earliest; /* that it can have been made */
    uint64_t after;    /* moves of its call that come before it, a bit each */
    bool excused;      /* a slot that is claimed may be in its way */
};

enum { MODEL_ENTRIES = 16 };

struct model {
    uint64_t entries[MODEL_ENTRIES]; /* items, and pills between them */
    uint32_t length;                 /* of both */
    uint32_t items;                  /* of items alone */
    uint32_t unfinished;
    bool closed, poisoned, interrupted;
};

void model_init(struct model *model);

/* Whether the move fits; then it is made. */
bool model_move(struct model *model, const struct move *move);

/* The same state has the same number. */
uint64_t model_hash(const struct model *model);

#endif /* WEIR_EXPLORE_MODEL_H */
