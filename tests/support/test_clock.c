/* SPDX-License-Identifier: MIT */
/*
 * test_clock.c - see test_clock.h.
 *
 * LOCKING
 *
 * `guard` is taken below the library's mutexes, by threads that hold one (now,
 * wait_until), and holds nothing up.  test_clock_advance needs both the other
 * way round: it only tries the library's mutex, and drops `guard` between two
 * tries.
 *
 * A sleeper on the list is inside wait_until, so its condition is there.  It
 * leaves with its mutex and `guard` held: whoever holds `guard` may touch both.
 */
#include "test_clock.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include <weir/deadline.h>

#include "base/clock.h"
#include "base/lock.h"
#include "gate.h"

/* On the stack of a thread in wait_until; every field: with `guard`. */
struct sleeper {
    struct sleeper *next;
    pthread_cond_t *cond;
    pthread_mutex_t *mutex;
    int64_t at_ns;
    uint64_t serial; /* tells a wait from the next one in the same place */
    bool told;       /* that its moment has come */
    bool held;       /* may not go on */
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct sleeper *sleepers; /* with `guard` */
static uint64_t last_serial;     /* with `guard` */
static int64_t now_ns;           /* with `guard` */

static void add(struct sleeper *sleeper)
{
    sleeper->serial = ++last_serial;
    sleeper->next = sleepers;
    sleepers = sleeper;
    pthread_cond_broadcast(&changed);
}

static void take_off(struct sleeper *sleeper)
{
    struct sleeper **link = &sleepers;

    while (*link != sleeper)
        link = &(*link)->next;
    *link = sleeper->next;
    pthread_cond_broadcast(&changed);
}

static struct sleeper *find(int64_t at_ns)
{
    struct sleeper *sleeper = sleepers;

    while (sleeper && sleeper->at_ns != at_ns)
        sleeper = sleeper->next;
    return sleeper;
}

static bool is_waiting(uint64_t serial)
{
    struct sleeper *sleeper = sleepers;

    while (sleeper && sleeper->serial != serial)
        sleeper = sleeper->next;
    return sleeper != NULL;
}

/* -------------------------------------------------------- for the library */

static int64_t now(void)
{
    int64_t ns;

    pthread_mutex_lock(&guard);
    ns = now_ns;
    pthread_mutex_unlock(&guard);
    return ns;
}

/* As if the thread were slow to come back: with its mutex free. */
static void stay_while_held(struct sleeper *sleeper)
{
    struct timespec limit = hang_limit();

    if (!sleeper->held)
        return;
    pthread_mutex_unlock(sleeper->mutex);
    while (sleeper->held)
        wait_or_fail(&changed, &guard, &limit, "test_clock_release");
    pthread_mutex_unlock(&guard);
    pthread_mutex_lock(sleeper->mutex);
    pthread_mutex_lock(&guard);
}

static bool
wait_until(struct weir__cond *cond, struct weir__mutex *mutex, int64_t at_ns)
{
    struct sleeper sleeper = {.cond = &cond->native,
                              .mutex = &mutex->native,
                              .at_ns = at_ns};
    bool due;

    pthread_mutex_lock(&guard);
    due = now_ns >= at_ns;
    if (!due)
        add(&sleeper);
    pthread_mutex_unlock(&guard);
    if (due)
        return true;

    pthread_cond_wait(sleeper.cond, sleeper.mutex);
    pthread_mutex_lock(&guard);
    stay_while_held(&sleeper);
    take_off(&sleeper);
    due = now_ns >= at_ns;
    pthread_mutex_unlock(&guard);
    return due;
}

/* ---------------------------------------------------------- for the test */

void test_clock_install(void)
{
    static const struct weir__time_source source = {now, wait_until};

    now_ns = WEIR_SECONDS(1000);
    last_serial = 0;
    weir__clock_use(&source);
}

void test_clock_remove(void)
{
    ck_assert_msg(!sleepers, "somebody waits for the test clock");
    weir__clock_use(NULL);
}

int64_t test_clock_now(void)
{
    return now();
}

uint64_t test_clock_waits(void)
{
    uint64_t waits;

    pthread_mutex_lock(&guard);
    waits = last_serial;
    pthread_mutex_unlock(&guard);
    return waits;
}

/* Wakes a sleeper, if its mutex is free; else drops `guard` for a moment, and
 * the sleeper may be gone. */
static bool try_to_wake(struct sleeper *sleeper)
{
    if (pthread_mutex_trylock(sleeper->mutex) == 0) {
        pthread_cond_broadcast(sleeper->cond);
        pthread_mutex_unlock(sleeper->mutex);
        return true;
    }
    pthread_mutex_unlock(&guard);
    sched_yield();
    pthread_mutex_lock(&guard);
    return false;
}

static struct sleeper *find_due(void)
{
    struct sleeper *sleeper = sleepers;

    while (sleeper && (sleeper->told || sleeper->at_ns > now_ns))
        sleeper = sleeper->next;
    return sleeper;
}

void test_clock_advance(int64_t ns)
{
    struct sleeper *due;

    pthread_mutex_lock(&guard);
    now_ns += ns;
    while ((due = find_due()) != NULL)
        if (try_to_wake(due))
            due->told = true;
    pthread_mutex_unlock(&guard);
}

void test_clock_await_waiter(int64_t at_ns)
{
    test_clock_await_waiters(at_ns, 1);
}

void test_clock_await_waiters(int64_t at_ns, size_t count)
{
    struct timespec limit = hang_limit();

    pthread_mutex_lock(&guard);
    for (;;) {
        size_t found = 0;

        for (struct sleeper *s = sleepers; s; s = s->next)
            found += s->at_ns == at_ns;
        if (found >= count)
            break;
        wait_or_fail(&changed, &guard, &limit, "a waiter for this moment");
    }
    pthread_mutex_unlock(&guard);
}

int64_t test_clock_await_any_waiter(void)
{
    struct timespec limit = hang_limit();
    int64_t earliest_ns = INT64_MAX;

    pthread_mutex_lock(&guard);
    while (!sleepers)
        wait_or_fail(&changed, &guard, &limit, "any waiter");
    for (struct sleeper *s = sleepers; s; s = s->next)
        if (s->at_ns < earliest_ns)
            earliest_ns = s->at_ns;
    pthread_mutex_unlock(&guard);
    return earliest_ns;
}

void test_clock_hold(int64_t at_ns)
{
    struct timespec limit = hang_limit();
    struct sleeper *sleeper;

    pthread_mutex_lock(&guard);
    /* It may just have been woken, to look and to wait again. */
    while (!(sleeper = find(at_ns)))
        wait_or_fail(&changed, &guard, &limit, "a waiter to hold");
    sleeper->held = true;
    pthread_mutex_unlock(&guard);
}

void test_clock_release(int64_t at_ns)
{
    struct timespec limit = hang_limit();
    struct sleeper *sleeper;
    uint64_t serial;

    pthread_mutex_lock(&guard);
    sleeper = find(at_ns);
    ck_assert_msg(sleeper && sleeper->held, "nobody is held for this moment");
    sleeper->held = false;
    serial = sleeper->serial;
    pthread_cond_broadcast(&changed);
    while (is_waiting(serial))
        wait_or_fail(&changed, &guard, &limit, "the held thread to go on");
    pthread_mutex_unlock(&guard);
}

void test_clock_disturb(int64_t at_ns)
{
    struct sleeper *sleeper;

    pthread_mutex_lock(&guard);
    do {
        sleeper = find(at_ns);
        ck_assert_msg(sleeper != NULL, "nobody to disturb");
    } while (!try_to_wake(sleeper));
    pthread_mutex_unlock(&guard);
}
