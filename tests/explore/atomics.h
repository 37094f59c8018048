/* SPDX-License-Identifier: MIT */
/*
 * atomics.h - accesses to atomics of 1, 2, 4 or 8 bytes, each a step.
 *
 * The library's seam and a stranger's stdatomic.h both come here.
 */
#ifndef WEIR_EXPLORE_ATOMICS_H
#define WEIR_EXPLORE_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

/* Each orders what those before it order. */
enum atomics_order {
    ATOMICS_RELAXED,
    ATOMICS_ONE_WAY, /* acquire or release, whichever it can be */
    ATOMICS_ORDERED  /* sequentially consistent */
};

enum atomics_change {
    ATOMICS_ADD,
    ATOMICS_SUBTRACT,
    ATOMICS_AND,
    ATOMICS_OR,
    ATOMICS_XOR,
    ATOMICS_NAND,
    ATOMICS_SWAP
};

/* What is accessed, and how the source calls it. */
struct atomics_place {
    void *address;
    unsigned bytes;
    const char *name;
};

uint64_t atomics_read(struct atomics_place at, enum atomics_order order);
void atomics_write(struct atomics_place at, uint64_t value,
                   enum atomics_order order);
/* Read-modify-writes have the latest value, whatever their order; weaker ones
 * publish less.  Returns what it was before. */
uint64_t atomics_change(struct atomics_place at, enum atomics_change how,
                        uint64_t operand, enum atomics_order order);
/* *expected becomes what was there. */
bool atomics_compare_swap(struct atomics_place at, uint64_t *expected,
                          uint64_t desired, enum atomics_order order);
void atomics_fence(enum atomics_order order);
/* A sequentially consistent one of every thread. */
void atomics_fence_all(void);

#endif /* WEIR_EXPLORE_ATOMICS_H */
