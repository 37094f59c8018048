/* SPDX-License-Identifier: MIT */
/*
 * weir/adaptive.h - as many calls at once as the service can take.
 *
 * A limit for what is in flight that follows the service, found out from how
 * calls go:
 *
 *   WEIR_ADAPTIVE_GRADIENT  from latency: calls that last longer than calls
 *                           without a queue mean that one has built up, and the
 *                           limit falls before anything fails
 *   WEIR_ADAPTIVE_AIMD      from failures only: up by one while all is well,
 *                           down by a tenth when the service is overloaded
 *
 * Both fall on WEIR_RESULT_OVERLOADED, at most once for what was in flight
 * together.  Neither rises while less than half of the limit is made use of.
 *
 * The gradient has to know what a call takes when nobody queues.  It learns
 * that at first, and again now and then, by halving the limit for the time of
 * two or three calls: in the end about every 500 times the latency; sooner if
 * calls stay more than twice as slow as the limit accounts for.
 */
#ifndef WEIR_ADAPTIVE_H
#define WEIR_ADAPTIVE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/result.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_adaptive weir_adaptive;

typedef enum weir_adaptive_kind {
    WEIR_ADAPTIVE_GRADIENT,
    WEIR_ADAPTIVE_AIMD
} weir_adaptive_kind;

typedef struct weir_adaptive_options {
    size_t size; /* set by WEIR_ADAPTIVE_OPTIONS_INIT */
    weir_adaptive_kind kind;
    uint32_t least;   /* the limit's minimum; 0: 1 */
    uint32_t most;    /* its maximum; at most 1000000; 0: 1000 */
    uint32_t start;   /* its first value; 0: 4, within these */
    double tolerance; /* gradient: how much longer than without a queue a call
                         may take; 1 to 10; 0: 1.5 */
} weir_adaptive_options;
#define WEIR_ADAPTIVE_OPTIONS_INIT WEIR_SIZED(weir_adaptive_options)

/* A call in flight. */
typedef struct weir_adaptive_pass {
    uint64_t epoch; /* 0: none */
    int64_t since_ns;
} weir_adaptive_pass;

/*
 * Makes an adaptive limit.  NULL options: all defaults.
 *
 * Owns:    the caller owns *out until weir_adaptive_destroy(*out).
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM.  *out is written
 *          only on WEIR_OK.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_adaptive_create(weir_adaptive **out, const weir_adaptive_options *options);

/*
 * Begins a call, waiting as long as there are as many in flight as the limit
 * says; first come, first served.
 *
 * Blocks:  until it may begin or the deadline passes.
 * Owns:    on WEIR_OK *pass stands for the call until weir_adaptive_leave; else
 *          it stands for none.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_FORKED, WEIR_EINVAL.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_adaptive_enter(weir_adaptive *adaptive,
                                                       weir_adaptive_pass *pass,
                                                       weir_deadline deadline);

/*
 * Ends the call and says how it went, once.  Of WEIR_RESULT_OK the time since
 * enter is what the gradient goes by; _FAILED and _IGNORED say nothing to it.
 *
 * Blocks:  never.
 * Returns: WEIR_OK, WEIR_EINVAL (the pass has left already, or never entered;
 *          an unknown result), WEIR_FORKED.
 * Threads: any; not two with one pass.
 */
WEIR_API weir_status weir_adaptive_leave(weir_adaptive *adaptive,
                                         weir_adaptive_pass *pass,
                                         weir_result result);

/* The limit as it is now; a glance.  0 in a fork child.  Any thread. */
WEIR_API size_t weir_adaptive_limit(const weir_adaptive *adaptive);
/* Calls in flight; a glance.  0 in a fork child.  Any thread. */
WEIR_API size_t weir_adaptive_in_flight(const weir_adaptive *adaptive);

/*
 * Ends the handle.  NULL and handles from before a fork are ignored.
 *
 * Threads: any, once every other call has returned.
 */
WEIR_API void weir_adaptive_destroy(weir_adaptive *adaptive);

WEIR_END_DECLS

#endif /* WEIR_ADAPTIVE_H */
