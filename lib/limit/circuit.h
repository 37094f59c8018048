/* SPDX-License-Identifier: MIT */
/*
 * circuit.h - whether to call at all: closed, open, half-open.
 *
 * STATES, and what causes each transition
 *
 *   closed     ▶ open       of the last `window` outcomes, `least` or more, the
 *                           share `failures` has failed
 *   open       ▶ half-open  somebody asks, and `cool_ns` has passed
 *   half-open  ▶ open       so many of the trials have failed that the share is
 *                           reached, or `cool_ns` after the last was let in
 *                           not all have come back
 *              ▶ closed     all trials have come back and it is not
 *
 * Every transition begins another epoch.  A call belongs to the epoch in which
 * it was let in; what it has to say later is of no interest.  So a slow call
 * from before cannot close or open what has been tried since.
 *
 * INVARIANTS
 *
 *   1. Half-open: of one epoch at most `trials` are let in, those that were
 *      ignored aside.
 *   2. The ring holds the last `calls` <= window outcomes since it was closed,
 *      of which `failed` are failures.
 *
 * TIME THAT JUMPS BACKWARDS stands still until it has caught up.
 *
 * Pure: `now` is a parameter.
 */
#ifndef WEIR_LIB_LIMIT_CIRCUIT_H
#define WEIR_LIB_LIMIT_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/breaker.h>

struct weir__circuit {
    weir_breaker_options options; /* as read: no zeros */
    unsigned char *outcomes;      /* a ring of `window`: 1, failed */
    uint32_t at;                  /* where the next goes */
    uint32_t calls;               /* in the ring */
    uint32_t failed;              /* of them; half-open: of the trials */
    uint32_t admitted;            /* half-open: trials let in */
    uint32_t returned;            /* of them */
    weir_breaker_state state;
    uint64_t epoch;   /* 1, 2, ... */
    int64_t seen_ns;  /* the latest moment that was ever given */
    int64_t since_ns; /* of its state; half-open: of the latest trial */
};

/* Fills in defaults and checks.  WEIR_OK, WEIR_EINVAL. */
weir_status weir__circuit_read(weir_breaker_options *into,
                               const weir_breaker_options *options);

/* `outcomes` has room for options.window, and outlives it. */
void weir__circuit_init(struct weir__circuit *circuit,
                        const weir_breaker_options *options,
                        unsigned char *outcomes, int64_t now_ns);

/* Whether a call is let in; it belongs to circuit->epoch then. */
bool weir__circuit_enter(struct weir__circuit *circuit, int64_t now_ns);

/* Whether one would be; and if not, when it is worth another try. */
bool weir__circuit_would_enter(const struct weir__circuit *circuit,
                               int64_t now_ns);
int64_t weir__circuit_next(const struct weir__circuit *circuit);

/* A call of this epoch has come back. */
void weir__circuit_leave(struct weir__circuit *circuit, uint64_t epoch,
                         weir_result result, int64_t now_ns);

#endif /* WEIR_LIB_LIMIT_CIRCUIT_H */
