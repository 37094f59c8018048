/* SPDX-License-Identifier: MIT */
/*
 * rate.c - a token bucket with a lock and a clock.
 *
 * A call takes its tokens at once, if need be before they are there (bucket.h),
 * and then sleeps until they are: so calls are served in the order in which
 * they came, nobody has to be woken, and what a deadline cannot meet is known
 * before anything is taken.
 *
 * LOCKING: rank LIMIT, no lock is taken below it.
 */
#include <weir/rate.h>

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/park.h"
#include "base/trap.h"
#include "limit/bucket.h"
#include "limit/fronts.h"
#include "limit/limit.h"

enum { THOUSANDTHS = 1000 };

/* I: set by create, then read-only.  L: only with the limit's lock. */
struct weir_rate {
    struct weir__limit limit;
    struct weir__bucket bucket;     /* L, but `burst`, I */
    struct weir__waitlist sleepers; /* L: nobody wakes them */
};

/* Written so that a NaN is refused. */
static weir_status check_rate(double per_second, size_t burst)
{
    if (!(per_second >= 0.001 && per_second <= 1e9))
        return weir__refuse(WEIR_EINVAL,
                            "per_second is not 0.001 to 1e9 tokens");
    if (burst == 0 || burst > WEIR__MOST_BURST)
        return weir__refuse(WEIR_EINVAL,
                            "burst %zu is not 1 to %d tokens: 1 spaces them "
                            "evenly",
                            burst, WEIR__MOST_BURST);
    return WEIR_OK;
}

weir_status weir_rate_create(weir_rate **out, double per_second, size_t burst)
{
    WEIR__UNTRAPPED;
    struct weir__limit *limit;
    weir_status status;
    weir_rate *rate;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = check_rate(per_second, burst);
    if (!status)
        status = weir__limit_create(&limit, sizeof(*rate), "a rate");
    if (status)
        return status;
    rate = (weir_rate *)limit;
    weir__bucket_init(&rate->bucket, (uint64_t)(per_second * THOUSANDTHS + 0.5),
                      burst, weir__now());
    *out = rate;
    return WEIR_OK;
}

void weir_rate_destroy(weir_rate *rate)
{
    WEIR__UNTRAPPED;

    weir__limit_destroy(weir__rate_as_limit(rate));
}

struct weir__limit *weir__rate_as_limit(weir_rate *rate)
{
    return (struct weir__limit *)rate;
}

static weir_status check_handle(const weir_rate *rate)
{
    return weir__limit_check((const struct weir__limit *)rate, "rate");
}

int64_t weir__rate_take(weir_rate *rate, int64_t by_ns)
{
    int64_t ready_ns;

    weir__mutex_lock(&rate->limit.lock);
    ready_ns = weir__bucket_take(&rate->bucket, 1, weir__now(), by_ns);
    weir__mutex_unlock(&rate->limit.lock);
    return ready_ns;
}

void weir__rate_give(weir_rate *rate)
{
    weir__mutex_lock(&rate->limit.lock);
    weir__bucket_give(&rate->bucket, 1, weir__now());
    weir__mutex_unlock(&rate->limit.lock);
}

void weir__rate_use_late(weir_rate *rate)
{
    weir__mutex_lock(&rate->limit.lock);
    weir__bucket_use_late(&rate->bucket, 1, weir__now());
    weir__mutex_unlock(&rate->limit.lock);
}

static void sleep_until_ready(weir_rate *rate, int64_t ready_ns)
    WEIR_REQUIRES(rate->limit.lock)
{
    struct weir__turn turn = {0};

    while (weir__now() < ready_ns) {
        weir_status status =
            weir__waitlist_wait(&rate->sleepers, &rate->limit.lock, &turn,
                                (weir_deadline){ready_ns});

        (void)status; /* it is the time that counts */
    }
}

weir_status
weir_rate_acquire(weir_rate *rate, size_t tokens, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_handle(rate);
    int64_t now_ns, by_ns, ready_ns;

    if (status)
        return status;
    if (tokens == 0 || tokens > rate->bucket.burst)
        return weir__refuse(WEIR_EINVAL,
                            "%zu tokens of a bucket of %zu can never be had: "
                            "ask for 1 to %zu",
                            tokens, rate->bucket.burst, rate->bucket.burst);
    weir__mutex_lock(&rate->limit.lock);
    now_ns = weir__now();
    by_ns = deadline.at_ns > now_ns ? deadline.at_ns : now_ns;
    ready_ns = weir__bucket_take(&rate->bucket, tokens, now_ns, by_ns);
    if (ready_ns > by_ns || ready_ns == INT64_MAX)
        status = WEIR_TIMED_OUT;
    else
        sleep_until_ready(rate, ready_ns);
    weir__mutex_unlock(&rate->limit.lock);
    return status;
}

/* Reading takes the lock; a const handle does not forbid it. */
size_t weir_rate_available(const weir_rate *rate)
{
    WEIR__UNTRAPPED;
    weir_rate *r = (weir_rate *)rate;
    size_t level;

    if (check_handle(r))
        return 0;
    weir__mutex_lock(&r->limit.lock);
    level = weir__bucket_level(&r->bucket, weir__now());
    weir__mutex_unlock(&r->limit.lock);
    return level;
}
