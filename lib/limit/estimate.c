/* SPDX-License-Identifier: MIT */
/* estimate.c - see estimate.h. */
#include "limit/estimate.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/options.h"

enum {
    MOST_IN_FLIGHT = 1000000,
    DEFAULT_CEILING = 1000,
    DEFAULT_START = 4,
    LEAST_SAMPLES = 16, /* of a window */
    FIRST_INTERVAL = 10,
    INTERVAL_FACTOR = 7,
    LAST_INTERVAL = 500,
    SLOW_WINDOWS = 20
};

static const double FALL = 0.9;

static double clamped(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

static weir_status check_bounds(weir_adaptive_options *o)
{
    if (o->least == 0)
        o->least = 1;
    if (o->most == 0)
        o->most = o->least > DEFAULT_CEILING ? o->least : DEFAULT_CEILING;
    if (o->most > MOST_IN_FLIGHT || o->least > o->most)
        return weir__refuse(WEIR_EINVAL,
                            "least %u and most %u: least is not above most, "
                            "most not above %d",
                            (unsigned)o->least, (unsigned)o->most,
                            MOST_IN_FLIGHT);
    if (o->start == 0)
        o->start = (uint32_t)clamped(DEFAULT_START, o->least, o->most);
    if (o->start < o->least || o->start > o->most)
        return weir__refuse(WEIR_EINVAL,
                            "start %u is not within least %u and "
                            "most %u",
                            (unsigned)o->start, (unsigned)o->least,
                            (unsigned)o->most);
    return WEIR_OK;
}

weir_status weir__estimate_read(weir_adaptive_options *into,
                                const weir_adaptive_options *options)
{
    weir_status status = weir__options_read(into, sizeof(*into), options,
                                            "weir_adaptive_options");

    if (!status)
        status = check_bounds(into);
    if (status)
        return status;
    if ((unsigned)into->kind > WEIR_ADAPTIVE_AIMD)
        return weir__refuse(WEIR_EINVAL, "kind %d is none: gradient or AIMD",
                            (int)into->kind);
    if (into->tolerance == 0)
        into->tolerance = 1.5;
    if (!(into->tolerance >= 1 && into->tolerance <= 10))
        return weir__refuse(WEIR_EINVAL, "tolerance is not 1 to 10: 1.5 lets "
                                         "calls take half as long again");
    return WEIR_OK;
}

void weir__estimate_init(struct weir__estimate *estimate,
                         const weir_adaptive_options *options)
{
    *estimate = (struct weir__estimate){.options = *options,
                                        .limit = options->start,
                                        .epoch = 1,
                                        .interval = FIRST_INTERVAL};
}

size_t weir__estimate_limit(const struct weir__estimate *estimate)
{
    double limit = estimate->limit;

    if (estimate->phase != WEIR__FOLLOWING)
        limit = clamped(limit / 2, estimate->options.least, limit);
    return (size_t)limit;
}

static void move_limit(struct weir__estimate *estimate, double limit)
{
    estimate->limit =
        clamped(limit, estimate->options.least, estimate->options.most);
}

static void begin_window(struct weir__estimate *estimate)
{
    estimate->samples = 0;
    estimate->sum_ns = 0;
    estimate->busiest = 0;
}

static void fall(struct weir__estimate *estimate)
{
    estimate->ceiling = estimate->limit;
    move_limit(estimate, estimate->limit * FALL);
    estimate->epoch++;
    begin_window(estimate);
}

/* ------------------------------------------------------------------- AIMD */

static void rise(struct weir__estimate *estimate)
{
    double ceiling = estimate->ceiling, limit = estimate->limit;
    bool is_near = limit > ceiling * (FALL - 0.05) && limit < ceiling * 1.1;

    move_limit(estimate, limit + (is_near ? 0.25 : 1));
}

/* --------------------------------------------------------------- gradient */

/* Newton's; libm is not linked. */
static double square_root(double x)
{
    double root = x > 1 ? x : 1;

    for (int i = 0; i < 40; i++)
        root = (root + x / root) / 2;
    return root;
}

/* Whether the window belongs to a probe. */
static bool probe(struct weir__estimate *estimate, double latency_ns)
{
    if (estimate->phase == WEIR__DRAINING) {
        estimate->phase = WEIR__PROBING;
        return true;
    }
    if (estimate->phase == WEIR__PROBING) {
        estimate->phase = WEIR__FOLLOWING;
        estimate->unqueued_ns = latency_ns;
        estimate->windows = estimate->slow = 0;
        if (estimate->interval < LAST_INTERVAL)
            estimate->interval *= INTERVAL_FACTOR;
        if (estimate->interval > LAST_INTERVAL)
            estimate->interval = LAST_INTERVAL;
        return true;
    }
    if (++estimate->windows < estimate->interval &&
        estimate->slow < SLOW_WINDOWS)
        return false;
    estimate->phase = WEIR__DRAINING;
    return true;
}

static void follow_latency(struct weir__estimate *estimate, bool in_use)
{
    double latency_ns = estimate->sum_ns / (double)estimate->samples;
    double limit = estimate->limit, gradient, aim, share;

    if (estimate->unqueued_ns == 0 || latency_ns < estimate->unqueued_ns)
        estimate->unqueued_ns = latency_ns;
    gradient = estimate->options.tolerance * estimate->unqueued_ns / latency_ns;
    estimate->slow = gradient < 0.5 ? estimate->slow + 1 : 0;
    if (probe(estimate, latency_ns))
        return;
    aim = limit * clamped(gradient, 0.5, 1) + square_root(limit) / 2;
    share = gradient > 0.6 && gradient < 1 ? 0.2 : 0.5;
    if (aim < limit || in_use)
        move_limit(estimate, limit + (aim - limit) * share);
}

/* -------------------------------------------------------------------------- */

/* To drain takes as many as the limit was: what goes first, and what was behind
 * that. */
static uint64_t window_length(const struct weir__estimate *estimate)
{
    size_t limit = estimate->phase == WEIR__DRAINING
                       ? (size_t)estimate->limit
                       : weir__estimate_limit(estimate);

    return limit > LEAST_SAMPLES ? limit : LEAST_SAMPLES;
}

void weir__estimate_note(struct weir__estimate *estimate, uint64_t epoch,
                         size_t in_flight, int64_t latency_ns,
                         weir_result result)
{
    bool in_use;

    if (in_flight > estimate->busiest)
        estimate->busiest = in_flight;
    if (result == WEIR_RESULT_OVERLOADED && epoch == estimate->epoch)
        fall(estimate);
    if (result != WEIR_RESULT_OK || latency_ns < 0)
        return;
    estimate->sum_ns += latency_ns > 0 ? (double)latency_ns : 1;
    if (++estimate->samples < window_length(estimate))
        return;
    in_use = estimate->busiest * 2 >= weir__estimate_limit(estimate);
    if (estimate->options.kind == WEIR_ADAPTIVE_GRADIENT)
        follow_latency(estimate, in_use);
    else if (in_use)
        rise(estimate);
    begin_window(estimate);
}
