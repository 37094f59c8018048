/* SPDX-License-Identifier: MIT */
/*
 * gate.h - how a test makes one thread wait for another.
 *
 * No test sleeps to make order.  Each wait here has a hang detector: after
 * 10 s, times WEIR_TEST_SLOW from the environment, it fails the test.
 */
#ifndef WEIR_TESTS_GATE_H
#define WEIR_TESTS_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* How many times slower than a plain build we may be; at least 1. */
int test_slowness(void);

/* The moment, on the monotonic clock, when a wait that begins now is a hang. */
struct timespec hang_limit(void);

/* The same moment by the time of day: for conditions that are initialized
 * statically, and semaphores, since not every C library can be asked for
 * another clock in the wait. */
struct timespec by_time_of_day(const struct timespec *limit);

/* Waits on `changed`, in a loop of the caller's; fails the test, saying what
 * it waited for, once `limit` has passed. */
void wait_or_fail(pthread_cond_t *changed, pthread_mutex_t *mutex,
                  const struct timespec *limit, const char *what);

/* A count that goes up and can be waited for. */
struct tally {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t count;
};
#define TALLY_INIT                                                             \
 {                                                                             \
  PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                       \
 }

void tally_add(struct tally *tally, uint64_t more);
uint64_t tally_read(struct tally *tally);
/* Blocks until the count is `least` or more. */
void await_count(struct tally *tally, uint64_t least);

/* Shut at first; once open it stays so. */
struct gate {
    struct tally opened;
};
#define GATE_INIT                                                              \
 {                                                                             \
  TALLY_INIT                                                                   \
 }

void gate_open(struct gate *gate);
void gate_wait(struct gate *gate);
bool gate_is_open(struct gate *gate);

#endif /* WEIR_TESTS_GATE_H */
