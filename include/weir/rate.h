/* SPDX-License-Identifier: MIT */
/*
 * weir/rate.h - so many a second: a token bucket.
 *
 * Tokens come at a steady rate and are kept up to `burst`; each call takes
 * some.  In any time t at most burst + rate * t are handed out, whatever the
 * clock does: if it jumps backwards no token comes twice, and none that was
 * there goes; new ones come when it has caught up.
 */
#ifndef WEIR_RATE_H
#define WEIR_RATE_H

#include <stddef.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_rate weir_rate;

/*
 * Makes a bucket, full at first.
 *
 * per_second: tokens that come; 0.001 to 1e9, in steps of 0.001.
 * burst:      tokens that are kept at most; 1 to 1000000.
 *
 * Owns:    the caller owns *out until weir_rate_destroy(*out).
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM.  *out is written
 *          only on WEIR_OK.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_rate_create(weir_rate **out,
                                                    double per_second,
                                                    size_t burst);

/*
 * Takes so many tokens and returns when they are there.  Calls are served in
 * the order in which they came.  When they will be there is known at once, so
 * a call whose deadline is before that does not wait for it.
 *
 * Blocks:  until they are there; not at all if that would be too late.
 * Owns:    on WEIR_OK they are spent; else nothing has been taken.
 * Returns: WEIR_OK, WEIR_TIMED_OUT (at once), WEIR_FORKED, WEIR_EINVAL (0, or
 *          more than burst).
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_rate_acquire(weir_rate *rate,
                                                     size_t tokens,
                                                     weir_deadline deadline);

/* Whole tokens that are there; a glance.  0 in a fork child.  Any thread. */
WEIR_API size_t weir_rate_available(const weir_rate *rate);

/*
 * Ends the handle.  NULL and handles from before a fork are ignored.
 *
 * Threads: any, once every other call has returned.
 */
WEIR_API void weir_rate_destroy(weir_rate *rate);

WEIR_END_DECLS

#endif /* WEIR_RATE_H */
