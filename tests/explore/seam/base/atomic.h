/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - in place of lib/base/atomic.h: each access is a step.
 *
 * The names and their meaning are those of the header it stands for; macros,
 * so that a trace can call each object what the source calls it.
 */
#ifndef WEIR_EXPLORE_SEAM_ATOMIC_H
#define WEIR_EXPLORE_SEAM_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

struct weir__flag {
    uint64_t value;
};
struct weir__counter {
    uint64_t value;
};
struct weir__pointer {
    uint64_t value;
};

/* Sequentially consistent, or weaker: then it orders less than the rest. */
enum seam_order { SEAM_ORDERED, SEAM_WEAK };

enum seam_change { SEAM_ADD, SEAM_OR, SEAM_AND, SEAM_SWAP };

uint64_t
seam_read(const uint64_t *address, enum seam_order order, const char *name);
void seam_write(uint64_t *address, uint64_t value, enum seam_order order,
                const char *name);
/* Returns what it was before. */
uint64_t seam_change(uint64_t *address, enum seam_change how, uint64_t operand,
                     const char *name);
bool seam_compare_swap(uint64_t *address, uint64_t *expected, uint64_t desired,
                       const char *name);
void seam_pause(void);

#define weir__flag_read(flag)                                                  \
 (seam_read(&(flag)->value, SEAM_ORDERED, #flag) != 0)
#define weir__flag_write(flag, to)                                             \
 seam_write(&(flag)->value, (to), SEAM_ORDERED, #flag)
#define weir__flag_swap(flag, to)                                              \
 (seam_change(&(flag)->value, SEAM_SWAP, (to), #flag) != 0)

#define weir__counter_read(counter)                                            \
 seam_read(&(counter)->value, SEAM_ORDERED, #counter)
#define weir__counter_read_acquire(counter)                                    \
 seam_read(&(counter)->value, SEAM_WEAK, #counter)
#define weir__counter_read_relaxed(counter)                                    \
 seam_read(&(counter)->value, SEAM_WEAK, #counter)
#define weir__counter_write(counter, to)                                       \
 seam_write(&(counter)->value, (to), SEAM_ORDERED, #counter)
#define weir__counter_write_release(counter, to)                               \
 seam_write(&(counter)->value, (to), SEAM_WEAK, #counter)
#define weir__counter_add(counter, more)                                       \
 seam_change(&(counter)->value, SEAM_ADD, (more), #counter)
#define weir__counter_or(counter, bits)                                        \
 seam_change(&(counter)->value, SEAM_OR, (bits), #counter)
#define weir__counter_and(counter, bits)                                       \
 seam_change(&(counter)->value, SEAM_AND, (bits), #counter)
#define weir__counter_swap(counter, to)                                        \
 seam_change(&(counter)->value, SEAM_SWAP, (to), #counter)
#define weir__counter_compare_swap(counter, expected, desired)                 \
 seam_compare_swap(&(counter)->value, (expected), (desired), #counter)

#define weir__pointer_read(pointer)                                            \
 ((const void *)(uintptr_t)seam_read(&(pointer)->value, SEAM_ORDERED, #pointer))
#define weir__pointer_write(pointer, to)                                       \
 seam_write(&(pointer)->value, (uintptr_t)(to), SEAM_ORDERED, #pointer)

#define weir__cpu_pause() seam_pause()

#endif /* WEIR_EXPLORE_SEAM_ATOMIC_H */
