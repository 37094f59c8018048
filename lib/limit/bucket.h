/* SPDX-License-Identifier: MIT */
/*
 * bucket.h - a token bucket, told in time.
 *
 * THE IDEA
 *
 * Tokens come at a steady rate and are kept up to `burst`.  Instead of the
 * level the bucket knows the moment at which it will be full again: each token
 * taken puts that off by 1 / rate.  A request is ready when this is at most
 * the time that a whole burst takes away from now.
 *
 *     now ─────────┬──────────────── full ──▶ time
 *                  └── what is missing ──┘    at most `burst` tokens' time
 *
 * A token's time is a fraction of nanoseconds; the fraction is kept, so nothing
 * is ever rounded away.
 *
 * TIME THAT JUMPS BACKWARDS stands still here until it has caught up: no token
 * comes twice, and none that was there goes.
 *
 * Pure: `now` is a parameter.
 */
#ifndef WEIR_LIB_LIMIT_BUCKET_H
#define WEIR_LIB_LIMIT_BUCKET_H

#include <stddef.h>
#include <stdint.h>

enum { WEIR__MOST_BURST = 1000000 };

/* A moment, or a length of time: ns + part / rate nanoseconds. */
struct weir__exact {
    int64_t ns;
    uint64_t part; /* below the rate */
};

struct weir__bucket {
    uint64_t rate;            /* thousandths of a token per second */
    size_t burst;             /* tokens */
    struct weir__exact whole; /* the time of `burst` tokens */
    struct weir__exact full;  /* when it will be full again */
    int64_t seen_ns;          /* the latest moment that was ever given */
};

/* `rate` 1 to 10^12, `burst` 1 to WEIR__MOST_BURST; full at first. */
void weir__bucket_init(struct weir__bucket *bucket, uint64_t rate, size_t burst,
                       int64_t now_ns);

/* When so many tokens (1 to burst) can be had if nobody else takes any; now_ns
 * or before: at once.  INT64_MAX: never. */
int64_t
weir__bucket_ready(struct weir__bucket *bucket, size_t tokens, int64_t now_ns);

/*
 * Takes them if they are ready by `by_ns` at the latest, else nothing.  What is
 * not there yet is taken in advance: whoever comes later waits longer.
 *
 * Returns when they are ready, which may be after by_ns: then nothing was
 * taken.
 */
int64_t weir__bucket_take(struct weir__bucket *bucket, size_t tokens,
                          int64_t now_ns, int64_t by_ns);

/* What was taken, but not used, comes back. */
void weir__bucket_give(struct weir__bucket *bucket, size_t tokens,
                       int64_t now_ns);

/* Tokens that were ready before now are used only now: as if they had been in
 * the bucket until then, which so could not take in as much. */
void weir__bucket_use_late(struct weir__bucket *bucket, size_t tokens,
                           int64_t now_ns);

/* Whole tokens that are there now. */
size_t weir__bucket_level(struct weir__bucket *bucket, int64_t now_ns);

#endif /* WEIR_LIB_LIMIT_BUCKET_H */
