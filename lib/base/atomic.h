/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the only file that names <stdatomic.h>.
 *
 * Everything is sequentially consistent unless its name says otherwise.  A
 * weaker order needs a benchmark that is kept and shows that it pays.
 *
 * What weir__is_atomic and its like say is for valgrind, and else nothing.
 */
#ifndef WEIR_LIB_BASE_ATOMIC_H
#define WEIR_LIB_BASE_ATOMIC_H

#include "base/platform.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/valgrind.h"

/* Fields that different threads write at the same time lie this far apart: a
 * line of the cache, and the neighbour that some processors fetch with it. */
enum { WEIR__APART = 128 };

/* Structs, so that plain assignment does not compile. */
struct weir__flag {
    atomic_bool value;
};
struct weir__counter {
    _Atomic uint64_t value;
};
struct weir__pointer {
    _Atomic(const void *) value;
};
/* A figure, or advice: whatever it says, nothing goes wrong.  So it orders
 * nothing, and exploration does not look at it. */
struct weir__hint {
    _Atomic uint64_t value;
};

static inline bool weir__flag_read(const struct weir__flag *flag)
{
    bool value;

    weir__is_atomic(flag, sizeof(*flag));
    value = atomic_load(&flag->value);
    weir__observes(flag);
    return value;
}
static inline void weir__flag_write(struct weir__flag *flag, bool value)
{
    weir__publishes(flag, sizeof(*flag));
    atomic_store(&flag->value, value);
}
/* Returns what it was before. */
static inline bool weir__flag_swap(struct weir__flag *flag, bool value)
{
    bool before;

    weir__publishes(flag, sizeof(*flag));
    before = atomic_exchange(&flag->value, value);
    weir__observes(flag);
    return before;
}

static inline uint64_t weir__counter_read(const struct weir__counter *counter)
{
    uint64_t value;

    weir__is_atomic(counter, sizeof(*counter));
    value = atomic_load(&counter->value);
    weir__observes(counter);
    return value;
}
static inline void
weir__counter_write(struct weir__counter *counter, uint64_t value)
{
    weir__publishes(counter, sizeof(*counter));
    atomic_store(&counter->value, value);
}
/* What was written before it is seen by whoever reads `value`. */
static inline void
weir__counter_write_release(struct weir__counter *counter, uint64_t value)
{
    weir__publishes(counter, sizeof(*counter));
    atomic_store_explicit(&counter->value, value, memory_order_release);
}
/* Writes `desired` if it is *expected, else reads into *expected. */
static inline bool
weir__counter_compare_swap(struct weir__counter *counter, uint64_t *expected,
                           uint64_t desired)
{
    bool written;

    weir__publishes(counter, sizeof(*counter));
    written =
        atomic_compare_exchange_strong(&counter->value, expected, desired);
    weir__observes(counter);
    return written;
}
/* These return what it was before. */
static inline uint64_t
weir__counter_or(struct weir__counter *counter, uint64_t bits)
{
    uint64_t before;

    weir__publishes(counter, sizeof(*counter));
    before = atomic_fetch_or(&counter->value, bits);
    weir__observes(counter);
    return before;
}
static inline uint64_t
weir__counter_and(struct weir__counter *counter, uint64_t bits)
{
    uint64_t before;

    weir__publishes(counter, sizeof(*counter));
    before = atomic_fetch_and(&counter->value, bits);
    weir__observes(counter);
    return before;
}
static inline uint64_t
weir__counter_add(struct weir__counter *counter, uint64_t more)
{
    uint64_t before;

    weir__publishes(counter, sizeof(*counter));
    before = atomic_fetch_add(&counter->value, more);
    weir__observes(counter);
    return before;
}

/* For the order of the compiled code only. */
static inline void weir__compiler_fence(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

static inline uint64_t weir__hint_read(const struct weir__hint *hint)
{
    weir__is_atomic(hint, sizeof(*hint));
    return atomic_load_explicit(&hint->value, memory_order_relaxed);
}
static inline void weir__hint_write(struct weir__hint *hint, uint64_t value)
{
    weir__is_atomic(hint, sizeof(*hint));
    atomic_store_explicit(&hint->value, value, memory_order_relaxed);
}
/* Returns what it was before. */
static inline uint64_t weir__hint_add(struct weir__hint *hint, uint64_t more)
{
    weir__is_atomic(hint, sizeof(*hint));
    return atomic_fetch_add_explicit(&hint->value, more, memory_order_relaxed);
}
/* A hint that does order: what was published before it is seen by whoever
 * observes `value`.  For what is read from outside and has no part in what the
 * library does. */
static inline void weir__hint_publish(struct weir__hint *hint, uint64_t value)
{
    weir__publishes(hint, sizeof(*hint));
    atomic_store_explicit(&hint->value, value, memory_order_release);
}
static inline uint64_t weir__hint_observe(const struct weir__hint *hint)
{
    uint64_t value;

    weir__is_atomic(hint, sizeof(*hint));
    value = atomic_load_explicit(&hint->value, memory_order_acquire);
    weir__observes(hint);
    return value;
}
/* A plain figure of a public struct that is written with a lock, and read with
 * it or, by who cannot take it, without: then it is whole, but of any moment.
 */
static inline void weir__figure_write(uint64_t *figure, uint64_t value)
{
    __atomic_store_n(figure, value, __ATOMIC_RELAXED);
}
static inline uint64_t weir__figure_glance(const uint64_t *figure)
{
    return __atomic_load_n(figure, __ATOMIC_RELAXED);
}
/* Writes `value` if that is more. */
static inline void weir__hint_raise(struct weir__hint *hint, uint64_t value)
{
    uint64_t before = weir__hint_read(hint);

    while (value > before &&
           !atomic_compare_exchange_weak_explicit(&hint->value, &before, value,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

static inline const void *
weir__pointer_read(const struct weir__pointer *pointer)
{
    const void *value;

    weir__is_atomic(pointer, sizeof(*pointer));
    value = atomic_load(&pointer->value);
    weir__observes(pointer);
    return value;
}
static inline void
weir__pointer_write(struct weir__pointer *pointer, const void *value)
{
    weir__publishes(pointer, sizeof(*pointer));
    atomic_store(&pointer->value, value);
}

/* Tells the processor that this thread polls. */
static inline void weir__cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#endif /* WEIR_LIB_BASE_ATOMIC_H */
