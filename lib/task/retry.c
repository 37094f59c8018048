/* SPDX-License-Identifier: MIT */
/* retry.c - when to try a failed task again. */
#include "task/retry.h"

#include "base/error.h"
#include "base/options.h"

enum {
    MOST_BUDGET = 1000, /* retries per first attempt */
    PARTS_PER_RETRY = 1000000,
    MOST_FIRST_ATTEMPTS = 1000 /* that an account remembers */
};

static weir_status check_delays(const weir_retry *r)
{
    if (r->base_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "retry.base_ns is negative: 0 means 100 ms");
    if (r->cap_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "retry.cap_ns is negative: 0 means 30 s");
    if (r->cap_ns > 0 && r->cap_ns < r->base_ns)
        return weir__refuse(WEIR_EINVAL,
                            "retry.cap_ns is below retry.base_ns: raise it");
    if (r->patience_ns < 0)
        return weir__refuse(WEIR_EINVAL, "retry.patience_ns is negative: 0 "
                                         "means until the next attempt is due");
    return WEIR_OK;
}

/* Written so that a NaN fails every test. */
static weir_status check_shares(const weir_retry *r)
{
    if (r->factor != 0 && !(r->factor >= 1 && r->factor <= 1e9))
        return weir__refuse(WEIR_EINVAL,
                            "retry.factor is not 1 to 1e9: 1 keeps the delay, "
                            "2 doubles it");
    if (!(r->jitter <= 1))
        return weir__refuse(WEIR_EINVAL, "retry.jitter is above 1: it is the "
                                         "share of the delay that is random");
    if (r->budget != 0 && !(r->budget >= 1e-6 && r->budget <= MOST_BUDGET))
        return weir__refuse(WEIR_EINVAL,
                            "retry.budget is not 1e-6 to %d retries per first "
                            "attempt: 0 means no limit",
                            MOST_BUDGET);
    return WEIR_OK;
}

weir_status weir__retry_read(weir_retry *into, const weir_retry *from)
{
    weir_status status =
        weir__options_read(into, sizeof(*into), from, "weir_retry");

    if (!status)
        status = check_delays(into);
    if (!status)
        status = check_shares(into);
    if (status)
        return status;
    if (into->max_attempts == 0)
        into->max_attempts = 1;
    if (into->base_ns == 0)
        into->base_ns = WEIR_MS(100);
    if (into->cap_ns == 0)
        into->cap_ns =
            into->base_ns > WEIR_SECONDS(30) ? into->base_ns : WEIR_SECONDS(30);
    if (into->factor == 0)
        into->factor = 2;
    if (into->jitter == 0)
        into->jitter = 1;
    return WEIR_OK;
}

/* By squaring, so that it costs nothing however many attempts there were;
 * overflow is infinity, which the cap takes care of. */
static double raised(double factor, uint32_t exponent)
{
    double product = 1;

    for (; exponent > 0; exponent /= 2) {
        if (exponent % 2)
            product *= factor;
        factor *= factor;
    }
    return product;
}

int64_t
weir__retry_delay(const weir_retry *policy, uint32_t attempt, uint64_t random)
{
    double delay =
        (double)policy->base_ns * raised(policy->factor, attempt - 1);
    double share = (double)(random >> 11) * 0x1p-53; /* 0 <= share < 1 */

    if (!(delay < (double)policy->cap_ns))
        delay = (double)policy->cap_ns;
    if (policy->jitter > 0)
        delay -= delay * policy->jitter * (1 - share);
    /* A cap near INT64_MAX is rounded up by the conversion to double. */
    return delay < (double)INT64_MAX ? (int64_t)delay : INT64_MAX;
}

bool weir__retry_by_default(const weir_outcome *outcome)
{
    return outcome->kind == WEIR_OUTCOME_FAILED ||
           outcome->kind == WEIR_OUTCOME_TIMED_OUT;
}

/* Products stay below 2^64: a rate is at most 10^9, and parts / rate at most
 * 10^6. */
static void convert_account(struct weir__retry_account *account, uint64_t rate)
{
    uint64_t whole, rest;

    if (account->rate > 0 && account->rate != rate) {
        whole = account->parts / account->rate;
        rest = account->parts % account->rate;
        account->parts = whole * rate + rest * rate / account->rate;
    }
    account->rate = rate;
}

bool weir__retry_pay(struct weir__retry_account *account, double budget,
                     uint64_t first_attempts)
{
    uint64_t rate = (uint64_t)(budget * PARTS_PER_RETRY + 0.5);
    uint64_t most = rate * MOST_FIRST_ATTEMPTS;
    uint64_t fresh = first_attempts - account->seen;

    if (most < PARTS_PER_RETRY)
        most = PARTS_PER_RETRY;
    convert_account(account, rate);
    account->seen = first_attempts;
    if (fresh >= (most - 1) / rate + 1 || account->parts + fresh * rate > most)
        account->parts = most;
    else
        account->parts += fresh * rate;
    if (account->parts < PARTS_PER_RETRY)
        return false;
    account->parts -= PARTS_PER_RETRY;
    return true;
}
