/* SPDX-License-Identifier: MIT */
/* bucket.c - see bucket.h. */
#include "limit/bucket.h"

#include <stdbool.h>

#include "base/clock.h"

/* One token at a rate of 1: nanoseconds a second, thousandths a token. */
#define TOKEN_NS UINT64_C(1000000000000)

/* At most 10^6 tokens of 10^12: no product overflows. */
static struct weir__exact
time_of(const struct weir__bucket *bucket, size_t tokens)
{
    uint64_t parts = tokens * TOKEN_NS;

    return (struct weir__exact){(int64_t)(parts / bucket->rate),
                                parts % bucket->rate};
}

static struct weir__exact
exact_sum(struct weir__exact a, struct weir__exact b, uint64_t rate)
{
    uint64_t part = a.part + b.part;
    int64_t carry = part >= rate;

    return (
        struct weir__exact){weir__moment_after(weir__moment_after(a.ns, b.ns),
                                               carry),
                            carry ? part - rate : part};
}

/* a - b; b is not negative. */
static struct weir__exact
exact_difference(struct weir__exact a, struct weir__exact b, uint64_t rate)
{
    bool borrow = a.part < b.part;

    return (struct weir__exact){a.ns - b.ns - borrow,
                                borrow ? a.part + rate - b.part
                                       : a.part - b.part};
}

/* Time only goes on; and what is full stays so. */
static void let_time_pass(struct weir__bucket *bucket, int64_t now_ns)
{
    if (now_ns > bucket->seen_ns)
        bucket->seen_ns = now_ns;
    if (bucket->full.ns < bucket->seen_ns)
        bucket->full = (struct weir__exact){bucket->seen_ns, 0};
}

void weir__bucket_init(struct weir__bucket *bucket, uint64_t rate, size_t burst,
                       int64_t now_ns)
{
    *bucket =
        (struct weir__bucket){.rate = rate, .burst = burst, .seen_ns = now_ns};
    bucket->whole = time_of(bucket, burst);
    bucket->full.ns = now_ns;
}

/* The first whole nanosecond at which it is so. */
static int64_t
ready_if_full_at(const struct weir__bucket *bucket, struct weir__exact full)
{
    struct weir__exact ready =
        exact_difference(full, bucket->whole, bucket->rate);

    if (full.ns == INT64_MAX)
        return INT64_MAX;
    return ready.ns + (ready.part > 0);
}

int64_t
weir__bucket_ready(struct weir__bucket *bucket, size_t tokens, int64_t now_ns)
{
    int64_t ready_ns;

    let_time_pass(bucket, now_ns);
    ready_ns = ready_if_full_at(bucket,
                                exact_sum(bucket->full, time_of(bucket, tokens),
                                          bucket->rate));
    if (ready_ns <= bucket->seen_ns && ready_ns > now_ns)
        return now_ns; /* the clock has jumped back: they were there before */
    return ready_ns;
}

int64_t weir__bucket_take(struct weir__bucket *bucket, size_t tokens,
                          int64_t now_ns, int64_t by_ns)
{
    int64_t ready_ns = weir__bucket_ready(bucket, tokens, now_ns);

    if (ready_ns <= by_ns && ready_ns < INT64_MAX)
        bucket->full =
            exact_sum(bucket->full, time_of(bucket, tokens), bucket->rate);
    return ready_ns;
}

void weir__bucket_give(struct weir__bucket *bucket, size_t tokens,
                       int64_t now_ns)
{
    if (bucket->full.ns < INT64_MAX)
        bucket->full = exact_difference(bucket->full, time_of(bucket, tokens),
                                        bucket->rate);
    let_time_pass(bucket, now_ns);
}

void weir__bucket_use_late(struct weir__bucket *bucket, size_t tokens,
                           int64_t now_ns)
{
    struct weir__exact least;

    let_time_pass(bucket, now_ns);
    least = exact_sum((struct weir__exact){bucket->seen_ns, 0},
                      time_of(bucket, tokens), bucket->rate);
    if (bucket->full.ns < least.ns ||
        (bucket->full.ns == least.ns && bucket->full.part < least.part))
        bucket->full = least;
}

/* By halving: ready in time is monotonic in the number of tokens. */
size_t weir__bucket_level(struct weir__bucket *bucket, int64_t now_ns)
{
    size_t least = 0, most = bucket->burst;

    let_time_pass(bucket, now_ns);
    while (least < most) {
        size_t middle = most - (most - least) / 2;

        if (weir__bucket_ready(bucket, middle, now_ns) <= bucket->seen_ns)
            least = middle;
        else
            most = middle - 1;
    }
    return least;
}
