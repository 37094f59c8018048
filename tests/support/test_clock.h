/* SPDX-License-Identifier: MIT */
/*
 * test_clock.h - time that passes when the test says so.
 *
 * While it is installed, the library's clock stands at WEIR_SECONDS(1000) and
 * moves by test_clock_advance alone.  The clock also knows who waits for which
 * moment: a test gives each call a deadline of its own, however far, and so
 * can tell that the call blocks, and can keep a woken thread on its way for as
 * long as it likes.  Waits without a limit do not come here.
 *
 * A thread that was woken stands here until it has run: ask for the same
 * moment again only after test_clock_release or a join.
 */
#ifndef WEIR_TESTS_TEST_CLOCK_H
#define WEIR_TESTS_TEST_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* As fixtures.  Remove only when nobody waits. */
void test_clock_install(void);
void test_clock_remove(void);

int64_t test_clock_now(void);

/* How many times a thread has waited here since the installation. */
uint64_t test_clock_waits(void);

/* Lets `ns` pass and wakes everyone whose moment has come by then. */
void test_clock_advance(int64_t ns);

/* Blocks until a thread waits for exactly this moment.  From then on it waits,
 * or is on its way out of the wait. */
void test_clock_await_waiter(int64_t at_ns);
/* The same for `count` threads at once. */
void test_clock_await_waiters(int64_t at_ns, size_t count);
/* Blocks until any thread waits; returns the earliest moment waited for. */
int64_t test_clock_await_any_waiter(void);

/*
 * Keeps the thread that waits for this moment, once it is woken for whatever
 * reason, from going on: to everyone else it looks as if it were slow.
 */
void test_clock_hold(int64_t at_ns);
/* Lets it go on, and blocks until it has left the wait.  It must have been
 * woken by now. */
void test_clock_release(int64_t at_ns);

/* Wakes the thread that waits for this moment for no reason, as conditions
 * may. */
void test_clock_disturb(int64_t at_ns);

#endif /* WEIR_TESTS_TEST_CLOCK_H */
