/* SPDX-License-Identifier: MIT */
/* goodput.h - the bench that asks how much is done in time. */
#ifndef BENCH_WEIR_BENCH_GOODPUT_H
#define BENCH_WEIR_BENCH_GOODPUT_H

#include "options.h"

extern const char goodput_name[], goodput_question[];

/* Runs each policy in a process of its own, one after the other, and prints
 * what they deliver.  Returns the exit status: 128 + n for a signal. */
int goodput_show(const struct options *options);

#endif /* BENCH_WEIR_BENCH_GOODPUT_H */
