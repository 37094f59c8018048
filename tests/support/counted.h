/* SPDX-License-Identifier: MIT */
/*
 * counted.h - an allocator that keeps account.
 *
 * It hands out memory that is full of rubbish, in blocks that know that they
 * are its own and how long they are, so that what is given back twice, or came
 * from somewhere else, ends the test.
 */
#ifndef WEIR_TESTS_COUNTED_H
#define WEIR_TESTS_COUNTED_H

#include <stdatomic.h>
#include <stddef.h>

struct counted {
    atomic_size_t taken;  /* how often */
    atomic_size_t live;   /* blocks that are out */
    atomic_size_t allows; /* so many more until it refuses all */
};

void *counted_allocate(void *arg, size_t bytes);
void counted_release(void *arg, void *memory);

#endif /* WEIR_TESTS_COUNTED_H */
