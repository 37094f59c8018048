/* SPDX-License-Identifier: MIT */
/* gate.c - see gate.h. */
#include "gate.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

enum { HANG_SECONDS = 10, NS_PER_SECOND = 1000000000 };

int test_slowness(void)
{
    const char *text = getenv("WEIR_TEST_SLOW");
    int slow = text ? atoi(text) : 1;

    return slow > 0 ? slow : 1;
}

struct timespec hang_limit(void)
{
    struct timespec limit;

    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += (time_t)HANG_SECONDS * test_slowness();
    return limit;
}

struct timespec by_time_of_day(const struct timespec *limit)
{
    struct timespec now, at;

    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += limit->tv_sec - now.tv_sec;
    at.tv_nsec += limit->tv_nsec - now.tv_nsec;
    if (at.tv_nsec < 0) {
        at.tv_nsec += NS_PER_SECOND;
        at.tv_sec--;
    } else if (at.tv_nsec >= NS_PER_SECOND) {
        at.tv_nsec -= NS_PER_SECOND;
        at.tv_sec++;
    }
    return at;
}

void wait_or_fail(pthread_cond_t *changed, pthread_mutex_t *mutex,
                  const struct timespec *limit, const char *what)
{
    struct timespec at = by_time_of_day(limit);

    if (pthread_cond_timedwait(changed, mutex, &at) == ETIMEDOUT)
        ck_abort_msg("hang: waited too long for %s", what);
}

void tally_add(struct tally *tally, uint64_t more)
{
    pthread_mutex_lock(&tally->mutex);
    tally->count += more;
    pthread_cond_broadcast(&tally->changed);
    pthread_mutex_unlock(&tally->mutex);
}

uint64_t tally_read(struct tally *tally)
{
    uint64_t count;

    pthread_mutex_lock(&tally->mutex);
    count = tally->count;
    pthread_mutex_unlock(&tally->mutex);
    return count;
}

void await_count(struct tally *tally, uint64_t least)
{
    struct timespec limit = hang_limit();

    pthread_mutex_lock(&tally->mutex);
    while (tally->count < least)
        wait_or_fail(&tally->changed, &tally->mutex, &limit, "a count");
    pthread_mutex_unlock(&tally->mutex);
}

void gate_open(struct gate *gate)
{
    tally_add(&gate->opened, 1);
}

void gate_wait(struct gate *gate)
{
    await_count(&gate->opened, 1);
}

bool gate_is_open(struct gate *gate)
{
    return tally_read(&gate->opened) > 0;
}
