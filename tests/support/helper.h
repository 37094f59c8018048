/* SPDX-License-Identifier: MIT */
/* helper.h - a test's other threads. */
#ifndef WEIR_TESTS_HELPER_H
#define WEIR_TESTS_HELPER_H

#include <pthread.h>

#include "gate.h"

/* Set by helper_start; must outlive the thread. */
struct helper {
    pthread_t native;
    struct gate ended;
    void (*run)(void *arg);
    void *arg;
};

/* Has a thread of its own call run(arg). */
void helper_start(struct helper *helper, void (*run)(void *arg), void *arg);

/* Waits for its return; fails the test if that takes too long. */
void helper_join(struct helper *helper);

/* The same for `count` helpers with arguments `stride` bytes apart. */
void helpers_start(struct helper *helpers, size_t count, void (*run)(void *arg),
                   void *args, size_t stride);
void helpers_join(struct helper *helpers, size_t count);

#endif /* WEIR_TESTS_HELPER_H */
