/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - a histogram that one thread adds to and others read.
 *
 * Its writer owns all words, so that adding is a load and a store each: no
 * read-modify-write.  Readers see each word as it was a moment ago; what they
 * take for the count is the sum of the buckets.  Once the writer has been
 * joined, or has given up a lock that the reader takes, all is there.
 */
#ifndef WEIR_LIB_OBSERVE_HISTOGRAM_H
#define WEIR_LIB_OBSERVE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <weir/histogram.h>

#include "base/atomic.h"

/* Each power of two from 2^6 on has 2^5 buckets, up to 2^42 ns. */
enum { WEIR__FINE_BITS = 5, WEIR__MOST_BITS = 42 };

struct weir__histogram {
    struct weir__hint sum_ns, max_ns; /* A, its writer's, as the others */
    struct weir__hint buckets[WEIR_HISTOGRAM_BUCKETS];
};

static inline size_t weir__bucket_of(int64_t ns)
{
    unsigned shift;

    if (ns < INT64_C(2) << WEIR__FINE_BITS)
        return ns < 0 ? 0 : (size_t)ns;
    if (ns >= INT64_C(1) << WEIR__MOST_BITS)
        return WEIR_HISTOGRAM_BUCKETS - 1;
    shift = 63U - WEIR__FINE_BITS - (unsigned)__builtin_clzll((uint64_t)ns);
    return ((size_t)shift << WEIR__FINE_BITS) + (size_t)(ns >> shift);
}

static inline void weir__hint_more(struct weir__hint *hint, uint64_t more)
{
    weir__hint_write(hint, weir__hint_read(hint) + more);
}

/* By the one who writes. */
static inline void
weir__histogram_note(struct weir__histogram *histogram, int64_t ns)
{
    weir__hint_more(&histogram->buckets[weir__bucket_of(ns)], 1);
    if (ns <= 0)
        return;
    weir__hint_more(&histogram->sum_ns, (uint64_t)ns);
    if ((uint64_t)ns > weir__hint_read(&histogram->max_ns))
        weir__hint_write(&histogram->max_ns, (uint64_t)ns);
}

/* What all that a bucket counts is taken for. */
int64_t weir__bucket_middle(size_t bucket);

/* Adds all that is in `more`. */
void weir__histogram_collect(weir_histogram *into,
                             const struct weir__histogram *more);

#endif /* WEIR_LIB_OBSERVE_HISTOGRAM_H */
