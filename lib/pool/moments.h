/* SPDX-License-Identifier: MIT */
/*
 * moments.h - things that are to happen at a time, soonest first.
 *
 * A pairing heap of nodes that lie inside what they belong to: nothing is
 * allocated, putting in is constant, taking out any node is logarithmic in the
 * long run.  Each parent is no later than its children, and of
 * two at the same time the one whose `order` is lower comes first.
 *
 *        5 ── children ──▶ 9 ⇄ 7 ⇄ 12
 *                              └─▶ 8
 */
#ifndef WEIR_LIB_POOL_MOMENTS_H
#define WEIR_LIB_POOL_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is a node that is not in a heap. */
struct weir__moment {
    int64_t at_ns;
    bool is_in;
    bool is_repeat;                /* its owner's: which sort it is; else */
    bool is_series;                /* an entry's */
    uint64_t order;                /* its owner's: of two at once the lower */
    struct weir__moment *child;    /* the first of its children */
    struct weir__moment *next;     /* the next child of its parent */
    struct weir__moment *previous; /* the one before, or the parent */
};

/* All zero is empty. */
struct weir__moments {
    struct weir__moment *soonest;
};

/* The node must not be in a heap.  Returns whether it is now the soonest. */
bool weir__moments_add(struct weir__moments *moments,
                       struct weir__moment *moment, int64_t at_ns);

/* Does nothing if the node is in no heap. */
void weir__moments_remove(struct weir__moments *moments,
                          struct weir__moment *moment);

/* When the soonest is due; INT64_MAX: never. */
static inline int64_t weir__moments_next(const struct weir__moments *moments)
{
    return moments->soonest ? moments->soonest->at_ns : INT64_MAX;
}

#endif /* WEIR_LIB_POOL_MOMENTS_H */
