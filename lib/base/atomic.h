/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the only file that names <stdatomic.h>.
 *
 * Everything is sequentially consistent.  A weaker order needs a benchmark
 * that is kept and shows that it pays; so far none does.
 */
#ifndef WEIR_LIB_BASE_ATOMIC_H
#define WEIR_LIB_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

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

static inline bool weir__flag_read(const struct weir__flag *flag)
{
    return atomic_load(&flag->value);
}
static inline void weir__flag_write(struct weir__flag *flag, bool value)
{
    atomic_store(&flag->value, value);
}

static inline uint64_t weir__counter_read(const struct weir__counter *counter)
{
    return atomic_load(&counter->value);
}
static inline void
weir__counter_write(struct weir__counter *counter, uint64_t value)
{
    atomic_store(&counter->value, value);
}
/* Returns what it was before. */
static inline uint64_t
weir__counter_add(struct weir__counter *counter, uint64_t more)
{
    return atomic_fetch_add(&counter->value, more);
}

static inline const void *
weir__pointer_read(const struct weir__pointer *pointer)
{
    return atomic_load(&pointer->value);
}
static inline void
weir__pointer_write(struct weir__pointer *pointer, const void *value)
{
    atomic_store(&pointer->value, value);
}

#endif /* WEIR_LIB_BASE_ATOMIC_H */
