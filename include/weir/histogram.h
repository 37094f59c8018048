/* SPDX-License-Identifier: MIT */
/*
 * weir/histogram.h - how long things took: all of them, in fixed memory.
 *
 * Buckets are log-linear: each power of two is divided into 32, and what is
 * below 64 ns is counted by the nanosecond.  So what a histogram says of a
 * duration is wrong by 1.6 % at most, from 1 ns to 73 minutes; longer ones
 * count as that long (but not for max_ns and sum_ns).  Nothing is sampled.
 *
 * A plain struct, to be kept, copied, sent, merged; a pool's are read by
 * weir_pool_read_histogram.
 */
#ifndef WEIR_HISTOGRAM_H
#define WEIR_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>

WEIR_BEGIN_DECLS

enum { WEIR_HISTOGRAM_BUCKETS = 1216 };

/* About 10 KiB. */
typedef struct weir_histogram {
    size_t size;     /* set by WEIR_HISTOGRAM_INIT */
    uint64_t count;  /* durations */
    uint64_t sum_ns; /* of all of them */
    int64_t max_ns;  /* exactly; 0: there are none */
    uint64_t buckets[WEIR_HISTOGRAM_BUCKETS];
} weir_histogram;
#define WEIR_HISTOGRAM_INIT WEIR_SIZED(weir_histogram)

/*
 * Adds a duration; below 0 counts as 0.
 *
 * Threads: one at a time.
 */
WEIR_API void weir_histogram_add(weir_histogram *histogram, int64_t ns);

/*
 * Adds all that is in `more`.
 *
 * Threads: one at a time for each of the two.
 */
WEIR_API void
weir_histogram_merge(weir_histogram *histogram, const weir_histogram *more);

/*
 * The duration that a share of `q` (0 to 1) does not exceed: 0.5 is the median,
 * 0.99 what one in a hundred exceeds, 1 the maximum.  Less and more than 0 and
 * 1 are taken as these.
 *
 * Returns: nanoseconds, 1.6 % too much or too little at most, and no more than
 *          max_ns; 0 if there are none.
 * Threads: any, while nothing is added.
 */
WEIR_API int64_t weir_histogram_quantile(const weir_histogram *histogram,
                                         double q);

/*
 * How many durations were `ns` or less, by their buckets: those within 3.2 % of
 * `ns` may be counted or not.  Never falls as `ns` grows, and is count from
 * max_ns on.
 *
 * Threads: any, while nothing is added.
 */
WEIR_API uint64_t weir_histogram_at_most(const weir_histogram *histogram,
                                         int64_t ns);

/*
 * The bounds of a bucket, for who draws one: it counts what is at least
 * low_of(i) and less than low_of(i + 1).
 *
 * Returns: nanoseconds; INT64_MAX from WEIR_HISTOGRAM_BUCKETS on.
 * Threads: any.
 */
WEIR_API int64_t weir_histogram_low_of(size_t bucket);

WEIR_END_DECLS

#endif /* WEIR_HISTOGRAM_H */
