/* SPDX-License-Identifier: MIT */
/*
 * weir/breaker.h - a service that fails is left alone for a while.
 *
 * Each call asks first (enter) and then says how it went (leave):
 *
 *   closed      all calls are let in; when the share `failure_share` of the
 *               last `window` outcomes has failed, and there are `least_calls`
 *               at least, it opens
 *   open        none is, for `cool_down_ns`; then the next to ask finds it
 *   half-open   `trials` calls are let in, not one more.  When all have come
 *               back it closes, unless the share has failed: then it opens
 *               again.  So it does if they are not back a cool-down after the
 * last was let in.
 *
 * Only calls that were let in since the last change of state count.
 */
#ifndef WEIR_BREAKER_H
#define WEIR_BREAKER_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/result.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_breaker weir_breaker;

typedef enum weir_breaker_state {
    WEIR_BREAKER_CLOSED,
    WEIR_BREAKER_OPEN,
    WEIR_BREAKER_HALF_OPEN
} weir_breaker_state;

typedef struct weir_breaker_options {
    size_t size;          /* set by WEIR_BREAKER_OPTIONS_INIT */
    double failure_share; /* above 0, at most 1; 0: 0.5 */
    uint32_t window;      /* outcomes; at most 1000000; 0: 100 */
    uint32_t least_calls; /* at most window; 0: 20, or window if less */
    uint32_t trials;      /* while half-open; 0: 10 */
    int64_t cool_down_ns; /* 0: 10 s */
} weir_breaker_options;
#define WEIR_BREAKER_OPTIONS_INIT WEIR_SIZED(weir_breaker_options)

/* A call that was let in and has not left. */
typedef struct weir_breaker_pass {
    uint64_t epoch; /* 0: none */
} weir_breaker_pass;

/*
 * Makes a breaker, closed at first.  NULL options: all defaults.
 *
 * Owns:    the caller owns *out until weir_breaker_destroy(*out).
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM.  *out is written
 *          only on WEIR_OK.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_breaker_create(weir_breaker **out, const weir_breaker_options *options);

/*
 * Asks whether to call.
 *
 * Blocks:  never.
 * Owns:    on WEIR_OK *pass stands for the call until weir_breaker_leave; else
 *          it stands for none.
 * Returns: WEIR_OK, WEIR_FULL (open, or enough trials: do not call),
 *          WEIR_FORKED, WEIR_EINVAL.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_breaker_enter(weir_breaker *breaker,
                                                      weir_breaker_pass *pass);

/*
 * Says how the call went, once.  Anything but WEIR_RESULT_OK and
 * WEIR_RESULT_IGNORED is a failure.  An ignored trial makes place for another.
 *
 * Blocks:  never.
 * Returns: WEIR_OK, WEIR_EINVAL (the pass has left already, or never entered;
 *          an unknown result), WEIR_FORKED.
 * Threads: any; not two with one pass.
 */
WEIR_API weir_status weir_breaker_leave(weir_breaker *breaker,
                                        weir_breaker_pass *pass,
                                        weir_result result);

/* Its state; open until the next call asks, even if the cool-down is over.
 * Closed in a fork child.  Any thread. */
WEIR_API weir_breaker_state weir_breaker_read(const weir_breaker *breaker);

/*
 * Ends the handle.  NULL and handles from before a fork are ignored.
 *
 * Threads: any, once every other call has returned.
 */
WEIR_API void weir_breaker_destroy(weir_breaker *breaker);

WEIR_END_DECLS

#endif /* WEIR_BREAKER_H */
