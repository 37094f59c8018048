/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - every public call with every single thing failing, one at a time.
 *
 * For n = 1, 2, ... the n-th point of base/fault.h fails (an allocation, a
 * thread's start, a fork, a socket, an event descriptor, a mapping, a write)
 * while one call is made, until the call passes without a failure.  Each time
 * the status must be right, and what is there, or is not, is used to its end;
 * then no block of memory and no descriptor may be out.
 */
#ifndef WEIR_TESTS_SWEEP_H
#define WEIR_TESTS_SWEEP_H

#include <stdbool.h>

#include <weir/status.h>

struct sweep {
    const char *calls;          /* the public ones it is for, by name */
    void (*prepare)(void);      /* nothing fails here; may be NULL */
    weir_status (*call)(void);  /* what is swept */
    void (*check)(weir_status); /* uses and ends what there is; may be NULL */
    bool is_quiet;              /* there is no point, and that is looked at */
};
extern const struct sweep sweeps[];
extern const struct sweep sweep_of_process_start;

struct unswept {
    const char *calls; /* separated by spaces */
    const char *why;
};
extern const struct unswept unswept[];

/* Ends the program with these words, and those of the sweep. */
void sweep_fails(const char *file, int line, const char *what);
#define MUST(condition)                                                        \
 ((condition) ? (void)0 : sweep_fails(__FILE__, __LINE__, #condition))

#endif /* WEIR_TESTS_SWEEP_H */
