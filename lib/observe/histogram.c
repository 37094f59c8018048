/* SPDX-License-Identifier: MIT */
/* histogram.c - see weir/histogram.h and histogram.h. */
#include "observe/histogram.h"

void weir__histogram_collect(weir_histogram *into,
                             const struct weir__histogram *more)
{
    int64_t max_ns = (int64_t)weir__hint_read(&more->max_ns);

    for (size_t i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++) {
        uint64_t count = weir__hint_read(&more->buckets[i]);

        into->buckets[i] += count;
        into->count += count;
    }
    into->sum_ns += weir__hint_read(&more->sum_ns);
    if (max_ns > into->max_ns)
        into->max_ns = max_ns;
}

void weir_histogram_add(weir_histogram *histogram, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    histogram->buckets[weir__bucket_of(ns)]++;
    histogram->count++;
    histogram->sum_ns += (uint64_t)ns;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

void weir_histogram_merge(weir_histogram *histogram, const weir_histogram *more)
{
    for (size_t i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] += more->buckets[i];
    histogram->count += more->count;
    histogram->sum_ns += more->sum_ns;
    if (more->max_ns > histogram->max_ns)
        histogram->max_ns = more->max_ns;
}

/* How wide it is: so many bits. */
static size_t width_bits(size_t bucket)
{
    size_t octave = bucket >> WEIR__FINE_BITS;

    return octave < 2 ? 0 : octave - 1;
}

int64_t weir_histogram_low_of(size_t bucket)
{
    size_t shift = width_bits(bucket);

    if (bucket >= WEIR_HISTOGRAM_BUCKETS)
        return INT64_MAX;
    return (int64_t)(bucket - (shift << WEIR__FINE_BITS)) << shift;
}

int64_t weir__bucket_middle(size_t bucket)
{
    return weir_histogram_low_of(bucket) +
           (INT64_C(1) << width_bits(bucket)) / 2;
}

static int64_t middle_of(const weir_histogram *histogram, size_t bucket)
{
    int64_t middle = weir__bucket_middle(bucket);

    return middle < histogram->max_ns ? middle : histogram->max_ns;
}

int64_t weir_histogram_quantile(const weir_histogram *histogram, double q)
{
    uint64_t wanted, passed = 0;

    if (histogram->count == 0)
        return 0;
    if (q >= 1.0)
        return histogram->max_ns;
    wanted = q > 0.0 ? (uint64_t)(q * (double)histogram->count) : 0;
    if ((double)wanted < q * (double)histogram->count || wanted == 0)
        wanted++;
    for (size_t i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++) {
        passed += histogram->buckets[i];
        if (passed >= wanted)
            return middle_of(histogram, i);
    }
    return histogram->max_ns;
}

uint64_t weir_histogram_at_most(const weir_histogram *histogram, int64_t ns)
{
    uint64_t count = 0;

    if (ns < 0)
        return 0;
    if (ns >= histogram->max_ns)
        return histogram->count;
    for (size_t i = 0; i <= weir__bucket_of(ns); i++)
        count += histogram->buckets[i];
    return count;
}
