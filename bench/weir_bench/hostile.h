/* SPDX-License-Identifier: MIT */
/* hostile.h - the bench that measures nothing: who is left after what. */
#ifndef BENCH_WEIR_BENCH_HOSTILE_H
#define BENCH_WEIR_BENCH_HOSTILE_H

#include "options.h"

extern const char hostile_name[], hostile_question[];

/*
 * Asks everyone who is wanted, one process each, and prints what they say; a
 * program that does not end within the limit hangs.
 *
 * Returns the exit status: 1 if weir did, or crashed; 128 + n for a signal.
 */
int hostile_show(const struct options *options);

#endif /* BENCH_WEIR_BENCH_HOSTILE_H */
