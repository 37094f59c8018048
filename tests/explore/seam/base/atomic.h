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

#include "atomics.h"
#include "past.h"
#include "world.h"

enum { WEIR__APART = 128 };

struct weir__flag {
    uint64_t value;
};
struct weir__counter {
    uint64_t value;
};
struct weir__pointer {
    uint64_t value;
};

/* Nobody can tell by it what has happened: to touch it is no step, and not
 * watched for races. */
#define UNWATCHED __attribute__((no_sanitize("thread")))
struct weir__hint {
    uint64_t value;
};

UNWATCHED static inline uint64_t weir__hint_read(const struct weir__hint *hint)
{
    past_read(hint);
    return hint->value;
}
UNWATCHED static inline void
weir__hint_write(struct weir__hint *hint, uint64_t value)
{
    past_write(hint);
    hint->value = value;
}
UNWATCHED static inline uint64_t
weir__hint_add(struct weir__hint *hint, uint64_t more)
{
    uint64_t before = hint->value;

    past_write(hint);
    hint->value += more;
    return before;
}
UNWATCHED static inline void
weir__hint_raise(struct weir__hint *hint, uint64_t value)
{
    past_write(hint);
    if (value > hint->value)
        hint->value = value;
}

#define weir__hint_publish(hint, value) weir__hint_write(hint, value)
#define weir__hint_observe(hint)        weir__hint_read(hint)
static inline void weir__figure_write(uint64_t *figure, uint64_t value)
{
    *figure = value;
}
UNWATCHED static inline uint64_t weir__figure_glance(const uint64_t *figure)
{
    return *figure;
}

#define SEAM_PLACE(object, text)                                               \
 ((struct atomics_place){(void *)(uintptr_t) & (object)->value, 8, text})

#define weir__flag_read(flag)                                                  \
 (atomics_read(SEAM_PLACE(flag, #flag), ATOMICS_ORDERED) != 0)
#define weir__flag_write(flag, to)                                             \
 atomics_write(SEAM_PLACE(flag, #flag), (to), ATOMICS_ORDERED)
/* Weaker than the library's: for mutants. */
#define weir__flag_read_acquire(flag)                                          \
 (atomics_read(SEAM_PLACE(flag, #flag), ATOMICS_ONE_WAY) != 0)
#define weir__flag_write_release(flag, to)                                     \
 atomics_write(SEAM_PLACE(flag, #flag), (to), ATOMICS_ONE_WAY)
#define weir__flag_swap(flag, to)                                              \
 (atomics_change(SEAM_PLACE(flag, #flag), ATOMICS_SWAP, (to),                  \
                 ATOMICS_ORDERED) != 0)

#define weir__counter_read(counter)                                            \
 atomics_read(SEAM_PLACE(counter, #counter), ATOMICS_ORDERED)
#define weir__counter_read_acquire(counter)                                    \
 atomics_read(SEAM_PLACE(counter, #counter), ATOMICS_ONE_WAY)
#define weir__counter_read_relaxed(counter)                                    \
 atomics_read(SEAM_PLACE(counter, #counter), ATOMICS_RELAXED)
#define weir__counter_write(counter, to)                                       \
 atomics_write(SEAM_PLACE(counter, #counter), (to), ATOMICS_ORDERED)
#define weir__counter_write_release(counter, to)                               \
 atomics_write(SEAM_PLACE(counter, #counter), (to), ATOMICS_ONE_WAY)
#define weir__counter_write_relaxed(counter, to)                               \
 atomics_write(SEAM_PLACE(counter, #counter), (to), ATOMICS_RELAXED)
#define weir__counter_add(counter, more)                                       \
 atomics_change(SEAM_PLACE(counter, #counter), ATOMICS_ADD, (more),            \
                ATOMICS_ORDERED)
#define weir__counter_or(counter, bits)                                        \
 atomics_change(SEAM_PLACE(counter, #counter), ATOMICS_OR, (bits),             \
                ATOMICS_ORDERED)
#define weir__counter_and(counter, bits)                                       \
 atomics_change(SEAM_PLACE(counter, #counter), ATOMICS_AND, (bits),            \
                ATOMICS_ORDERED)
#define weir__counter_swap(counter, to)                                        \
 atomics_change(SEAM_PLACE(counter, #counter), ATOMICS_SWAP, (to),             \
                ATOMICS_ORDERED)
#define weir__counter_compare_swap(counter, expected, desired)                 \
 atomics_compare_swap(SEAM_PLACE(counter, #counter), (expected), (desired),    \
                      ATOMICS_ORDERED)

#define weir__counter_compare_swap_acq_rel(counter, expected, desired)         \
 atomics_compare_swap(SEAM_PLACE(counter, #counter), (expected), (desired),    \
                      ATOMICS_ONE_WAY)

#define weir__pointer_read(pointer)                                            \
 ((const void *)(uintptr_t)atomics_read(SEAM_PLACE(pointer, #pointer),         \
                                        ATOMICS_ORDERED))
#define weir__pointer_write(pointer, to)                                       \
 atomics_write(SEAM_PLACE(pointer, #pointer), (uintptr_t)(to), ATOMICS_ORDERED)

#define weir__cpu_pause() world_yield("pauses")

/* What we compile keeps its order. */
#define weir__compiler_fence() ((void)0)

#endif /* WEIR_EXPLORE_SEAM_ATOMIC_H */
