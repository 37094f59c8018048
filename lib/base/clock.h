/* SPDX-License-Identifier: MIT */
/* clock.h - now, and the seam through which tests make time pass. */
#ifndef WEIR_LIB_BASE_CLOCK_H
#define WEIR_LIB_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <weir/deadline.h>

struct weir__cond;
struct weir__mutex;

/*
 * Another source of time.  wait_until waits on `cond` with `mutex` held, until
 * it is woken or now() reaches `at_ns`, and says whether it was the time.  It
 * may wake early for no reason, as conditions do.
 */
struct weir__time_source {
    int64_t (*now)(void);
    bool (*wait_until)(struct weir__cond *cond, struct weir__mutex *mutex,
                       int64_t at_ns);
};

/* Nanoseconds on the monotonic clock, or on the source in use. */
int64_t weir__now(void);

/* Every clock access and timed wait goes to `source` from now on; NULL: the
 * real clock.  Only while no thread of the library waits. */
void weir__clock_use(const struct weir__time_source *source);

/* The source in use; NULL: the real clock. */
const struct weir__time_source *weir__clock_source(void);

static inline bool weir__is_forever(weir_deadline deadline)
{
    return deadline.at_ns == INT64_MAX;
}

/* WEIR_NOW, or any moment before the clock began. */
static inline bool weir__is_now(weir_deadline deadline)
{
    return deadline.at_ns <= 0;
}

/* at + ns, saturating; ns at least 0. */
static inline int64_t weir__moment_after(int64_t at_ns, int64_t ns)
{
    return ns > INT64_MAX - at_ns ? INT64_MAX : at_ns + ns;
}

enum { WEIR__NS_PER_SECOND = 1000000000 };

/* As the system has it; ns at least 0.  Where time_t has 32 bits, what is more
 * than 68 years away is 68 years away. */
static inline struct timespec weir__timespec(int64_t ns)
{
    if (sizeof(time_t) < sizeof(ns) && ns / WEIR__NS_PER_SECOND > INT32_MAX)
        ns = (int64_t)INT32_MAX * WEIR__NS_PER_SECOND;
    return (struct timespec){.tv_sec = (time_t)(ns / WEIR__NS_PER_SECOND),
                             .tv_nsec = (long)(ns % WEIR__NS_PER_SECOND)};
}

#endif /* WEIR_LIB_BASE_CLOCK_H */
