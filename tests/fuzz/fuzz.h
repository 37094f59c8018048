/* SPDX-License-Identifier: MIT */
/* fuzz.h - what libFuzzer calls, and replay.c where there is none. */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; does not return if something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif /* WEIR_TESTS_FUZZ_H */
