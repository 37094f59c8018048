/* SPDX-License-Identifier: MIT */
/* test_base_lock.c - mutexes with a rank, conditions, cancelling. */
#include "base/lock.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>

#include "base/clock.h"
#include "helper.h"
#include "suite.h"
#include "test_clock.h"

static struct weir__mutex low, high, high_too;
static struct weir__cond cond; /* with `low` */
static bool ready;             /* with `low` */

static void setup(void)
{
    ck_assert_int_eq(weir__mutex_init(&low, WEIR__RANK_QUEUE), WEIR_OK);
    ck_assert_int_eq(weir__mutex_init(&high, WEIR__RANK_POOL), WEIR_OK);
    ck_assert_int_eq(weir__mutex_init(&high_too, WEIR__RANK_POOL), WEIR_OK);
    weir__cond_init(&cond);
}

static void teardown(void)
{
    weir__cond_dispose(&cond);
    weir__mutex_dispose(&high_too);
    weir__mutex_dispose(&high);
    weir__mutex_dispose(&low);
}

/* --------------------------------------------------------------- the order */

START_TEST(locks_may_be_taken_upwards_and_dropped_in_any_order)
{
    weir__mutex_lock(&low);
    weir__mutex_lock(&high);
    weir__mutex_unlock(&low);
    weir__mutex_unlock(&high);
    weir__mutex_lock(&low);
    weir__mutex_lock(&high);
    weir__mutex_unlock(&high);
    weir__mutex_unlock(&low);
}
END_TEST

START_TEST(locks_of_one_rank_may_be_taken_one_after_the_other)
{
    weir__mutex_lock(&high);
    weir__mutex_unlock(&high);
    weir__mutex_lock(&high_too);
    weir__mutex_unlock(&high_too);
}
END_TEST

#ifndef NDEBUG
/* Where clang checks locks it would refuse to compile these. */
WEIR_TRUST_ME static void
lock_both(struct weir__mutex *first, struct weir__mutex *second)
{
    weir__mutex_lock(first);
    weir__mutex_lock(second);
}

WEIR_TRUST_ME static void unlock_only(struct weir__mutex *mutex)
{
    weir__mutex_unlock(mutex);
}

WEIR_TRUST_ME static void wait_with_both(void)
{
    lock_both(&low, &high);
    weir__cond_wait(&cond, &low, (weir_deadline){1});
}

START_TEST(taking_a_lower_lock_aborts)
{
    lock_both(&high, &low);
}
END_TEST

START_TEST(taking_two_locks_of_one_rank_aborts)
{
    lock_both(&high, &high_too);
}
END_TEST

START_TEST(taking_a_lock_twice_aborts)
{
    lock_both(&high, &high);
}
END_TEST

START_TEST(dropping_a_lock_that_is_not_held_aborts)
{
    unlock_only(&high);
}
END_TEST

START_TEST(waiting_below_a_held_lock_aborts)
{
    wait_with_both();
}
END_TEST
#endif

/* ------------------------------------------------------------- conditions */

START_TEST(a_wait_until_now_does_not_wait)
{
    weir__mutex_lock(&low);
    ck_assert_int_eq(weir__cond_wait(&cond, &low, WEIR_NOW), WEIR_TIMED_OUT);
    weir__mutex_unlock(&low);
}
END_TEST

/* Waits for `ready`, on the real clock unless the test clock is in. */
struct sleep_call {
    struct gate about_to_wait; /* opened with `low` held */
    weir_deadline deadline;
    weir_status status;
};

static void sleep_until_ready(void *arg)
{
    struct sleep_call *call = arg;

    weir__mutex_lock(&low);
    gate_open(&call->about_to_wait);
    while (!ready && call->status == WEIR_OK)
        call->status = weir__cond_wait(&cond, &low, call->deadline);
    weir__mutex_unlock(&low);
}

static void make_ready(void)
{
    weir__mutex_lock(&low);
    ready = true;
    weir__cond_wake(&cond);
    weir__mutex_unlock(&low);
}

/* The _i-th deadline: without limit, or far, on the real clock. */
START_TEST(a_wait_ends_when_it_is_woken)
{
    struct sleep_call call = {.about_to_wait = GATE_INIT,
                              .deadline = WEIR_FOREVER};
    struct helper helper;

    if (_i == 1)
        call.deadline = weir_deadline_after(WEIR_SECONDS(1000));
    helper_start(&helper, sleep_until_ready, &call);
    gate_wait(&call.about_to_wait);
    make_ready();
    helper_join(&helper);
    ck_assert_int_eq(call.status, WEIR_OK);
}
END_TEST

START_TEST(a_wait_on_the_real_clock_ends_at_its_deadline)
{
    struct sleep_call call = {.about_to_wait = GATE_INIT};

    call.deadline = weir_deadline_after(WEIR_MS(2));
    sleep_until_ready(&call);
    ck_assert_int_eq(call.status, WEIR_TIMED_OUT);
    ck_assert_int_ge(weir__now(), call.deadline.at_ns);
    ck_assert_int_eq(weir_deadline_remaining(call.deadline), 0);
}
END_TEST

START_TEST(a_wait_on_the_test_clock_ends_at_its_deadline)
{
    struct sleep_call call = {.about_to_wait = GATE_INIT};
    struct helper helper;

    test_clock_install();
    call.deadline = weir_deadline_after(WEIR_SECONDS(3));
    helper_start(&helper, sleep_until_ready, &call);
    ck_assert_int_eq(test_clock_await_any_waiter(), call.deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(3));
    helper_join(&helper);
    ck_assert_int_eq(call.status, WEIR_TIMED_OUT);
    test_clock_remove();
}
END_TEST

/* ------------------------------------------------------------- cancelling */

static bool came_back; /* with `low` */

static void *wait_and_be_cancelled(void *arg)
{
    sleep_until_ready(arg);
    weir__mutex_lock(&low);
    came_back = true;
    weir__mutex_unlock(&low);
    for (;;)
        pthread_testcancel();
    return NULL;
}

START_TEST(a_wait_is_no_cancellation_point)
{
    struct sleep_call call = {.about_to_wait = GATE_INIT,
                              .deadline = WEIR_FOREVER};
    pthread_t thread;
    void *result;

    if (_i == 1)
        call.deadline = weir_deadline_after(WEIR_SECONDS(1000));
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_and_be_cancelled,
                                    &call),
                     0);
    gate_wait(&call.about_to_wait);
    weir__mutex_lock(&low); /* from here on it is inside the wait */
    pthread_cancel(thread);
    weir__mutex_unlock(&low);
    make_ready();
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert(came_back);
    ck_assert_int_eq(call.status, WEIR_OK);
}
END_TEST

int main(void)
{
    const TTest *const order[] = {
        locks_may_be_taken_upwards_and_dropped_in_any_order,
        locks_of_one_rank_may_be_taken_one_after_the_other, NULL};
    const TTest *const aborts[] = {
#ifndef NDEBUG
        taking_a_lower_lock_aborts,
        taking_two_locks_of_one_rank_aborts,
        taking_a_lock_twice_aborts,
        dropping_a_lock_that_is_not_held_aborts,
        waiting_below_a_held_lock_aborts,
#endif
        NULL};
    const TTest *const conditions[] = {
        a_wait_until_now_does_not_wait,
        a_wait_on_the_real_clock_ends_at_its_deadline,
        a_wait_on_the_test_clock_ends_at_its_deadline, NULL};
    const TTest *const both[] = {a_wait_ends_when_it_is_woken,
                                 a_wait_is_no_cancellation_point, NULL};
    const struct chapter chapters[] = {
        {"order", order, setup, teardown, 0, 0},
        {"broken order (debug builds)", aborts, setup, teardown, 0, SIGABRT},
        {"conditions", conditions, setup, teardown, 0, 0},
        {"with and without limit", both, setup, teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("base: locks", chapters);
}
