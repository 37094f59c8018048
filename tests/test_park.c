/* SPDX-License-Identifier: MIT */
/* test_park.c - the list of waiting threads. */
#include "base/park.h"

#include <stdint.h>

#include "helper.h"
#include "suite.h"
#include "test_clock.h"

static struct weir__mutex mutex;
static struct weir__waitlist list; /* with `mutex` */
static size_t chances;             /* with `mutex` */

static void setup(void)
{
    test_clock_install();
    ck_assert_int_eq(weir__mutex_init(&mutex, WEIR__RANK_QUEUE), WEIR_OK);
}

static void teardown(void)
{
    ck_assert_ptr_null(list.first);
    ck_assert_ptr_null(list.last);
    weir__mutex_dispose(&mutex);
    test_clock_remove();
}

/* A thread that takes a chance, and waits as long as there is none. */
struct taker {
    struct helper helper;
    struct weir__turn turn;
    weir_deadline deadline;
    bool once; /* does not wait a second time */
    bool took;
    weir_status status; /* of the last wait */
};

static void take(void *arg)
{
    struct taker *taker = arg;

    weir__mutex_lock(&mutex);
    while (taker->status == WEIR_OK &&
           (chances == 0 || weir__must_stand_back(&list, &taker->turn))) {
        taker->status =
            weir__waitlist_wait(&list, &mutex, &taker->turn, taker->deadline);
        if (taker->once)
            break;
    }
    if (chances > 0 && !weir__must_stand_back(&list, &taker->turn)) {
        chances--;
        taker->took = true;
    }
    weir__mutex_unlock(&mutex);
}

/* Starts a taker that waits for a moment which nobody else waits for. */
static void start(struct taker *taker, int64_t second)
{
    taker->deadline.at_ns = WEIR_SECONDS(5000 + second);
    helper_start(&taker->helper, take, taker);
    test_clock_await_waiter(taker->deadline.at_ns);
}

static void offer(size_t more, size_t wakes)
{
    weir__mutex_lock(&mutex);
    chances += more;
    weir__waitlist_wake(&list, wakes);
    weir__mutex_unlock(&mutex);
}

static void wake_all(void)
{
    weir__mutex_lock(&mutex);
    weir__waitlist_wake_all(&list);
    weir__mutex_unlock(&mutex);
}

static bool list_is_empty(void)
{
    bool empty;

    weir__mutex_lock(&mutex);
    empty = list.first == NULL;
    weir__mutex_unlock(&mutex);
    return empty;
}

/* ------------------------------------------------------------------ order */

START_TEST(waiters_are_woken_in_the_order_they_came)
{
    struct taker takers[4] = {{.took = false}};

    for (int i = 0; i < 4; i++)
        start(&takers[i], i);
    for (int i = 0; i < 4; i++) {
        offer(1, 1);
        helper_join(&takers[i].helper);
        ck_assert(takers[i].took);
    }
}
END_TEST

START_TEST(of_a_list_that_is_newest_first_the_last_to_come_is_woken)
{
    struct taker takers[4] = {{.took = false}};

    list.newest_first = true;
    for (int i = 0; i < 4; i++)
        start(&takers[i], i);
    for (int i = 3; i >= 0; i--) {
        offer(1, 1);
        helper_join(&takers[i].helper);
        ck_assert(takers[i].took);
    }
}
END_TEST

START_TEST(in_such_a_list_nobody_is_overtaken)
{
    struct taker patient = {.took = false};

    list.newest_first = true;
    start(&patient, 0);
    for (int i = 0; i < 2 * WEIR__OVERTAKEN_AT_MOST; i++) {
        test_clock_hold(patient.deadline.at_ns);
        offer(0, 1);
        test_clock_release(patient.deadline.at_ns);
        test_clock_await_waiter(patient.deadline.at_ns);
    }
    ck_assert_uint_eq(list.overtaken, 0);
    offer(1, 1);
    helper_join(&patient.helper);
}
END_TEST

START_TEST(one_wake_up_reaches_one_thread)
{
    struct taker first = {.once = true}, second = {.once = true};

    start(&first, 0);
    start(&second, 1);
    offer(0, 1);
    helper_join(&first.helper);
    ck_assert_int_eq(first.status, WEIR_OK);
    ck_assert(!list_is_empty());
    ck_assert(!gate_is_open(&second.helper.ended));
    offer(0, 1);
    helper_join(&second.helper);
}
END_TEST

START_TEST(as_many_are_woken_as_asked_for_and_no_more)
{
    struct taker takers[3] = {{.once = true}, {.once = true}, {.once = true}};

    for (int i = 0; i < 3; i++)
        start(&takers[i], i);
    offer(0, 0);
    offer(0, 2);
    helpers_join(&takers[0].helper, 1);
    helpers_join(&takers[1].helper, 1);
    ck_assert(!list_is_empty());
    offer(0, 5);
    helper_join(&takers[2].helper);
}
END_TEST

START_TEST(everyone_is_woken_at_once)
{
    struct taker takers[3] = {{.once = true}, {.once = true}, {.once = true}};

    for (int i = 0; i < 3; i++)
        start(&takers[i], i);
    wake_all();
    ck_assert(list_is_empty());
    for (int i = 0; i < 3; i++)
        helper_join(&takers[i].helper);
}
END_TEST

START_TEST(a_wake_up_of_nobody_is_not_kept)
{
    struct taker taker = {.once = true};

    offer(0, 1);
    wake_all();
    start(&taker, 0);
    test_clock_advance(WEIR_SECONDS(4000));
    helper_join(&taker.helper);
    ck_assert_int_eq(taker.status, WEIR_TIMED_OUT);
}
END_TEST

/* -------------------------------------------------------------- deadlines */

START_TEST(a_wait_ends_at_its_deadline)
{
    struct taker taker = {.once = true};

    start(&taker, 0);
    test_clock_advance(WEIR_SECONDS(4000) - 1);
    test_clock_await_waiter(taker.deadline.at_ns);
    ck_assert(!gate_is_open(&taker.helper.ended));
    test_clock_advance(1);
    helper_join(&taker.helper);
    ck_assert_int_eq(taker.status, WEIR_TIMED_OUT);
    ck_assert_uint_eq(taker.turn.waits, 1);
}
END_TEST

START_TEST(a_wait_until_now_does_not_wait)
{
    struct weir__turn turn = {0};

    weir__mutex_lock(&mutex);
    ck_assert_int_eq(weir__waitlist_wait(&list, &mutex, &turn, WEIR_NOW),
                     WEIR_TIMED_OUT);
    weir__mutex_unlock(&mutex);
    ck_assert_uint_eq(turn.waits, 0);
}
END_TEST

START_TEST(a_woken_thread_says_so_though_its_deadline_has_passed)
{
    struct taker taker = {.once = true};

    start(&taker, 0);
    test_clock_hold(taker.deadline.at_ns);
    offer(0, 1);
    test_clock_advance(WEIR_SECONDS(4000));
    test_clock_release(taker.deadline.at_ns);
    helper_join(&taker.helper);
    ck_assert_int_eq(taker.status, WEIR_OK);
}
END_TEST

START_TEST(a_late_thread_can_still_be_woken)
{
    struct taker taker = {.once = true};

    start(&taker, 0);
    test_clock_hold(taker.deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(4000));
    offer(0, 1);
    test_clock_release(taker.deadline.at_ns);
    helper_join(&taker.helper);
    ck_assert_int_eq(taker.status, WEIR_OK);
}
END_TEST

/* Bits of _i: which of four waiters time out; bit 4: the last of them first. */
START_TEST(whoever_times_out_leaves_the_others_in_order)
{
    struct taker takers[4] = {{.took = false}};

    for (int i = 0; i < 4; i++) {
        bool late = _i >> i & 1;

        start(&takers[i], !late ? 100 + i : _i < 16 ? i : 3 - i);
    }
    test_clock_advance(WEIR_SECONDS(4000));
    for (int second = 0; second < 4; second++) {
        int i = _i < 16 ? second : 3 - second;

        if (_i >> i & 1) {
            helper_join(&takers[i].helper);
            ck_assert_int_eq(takers[i].status, WEIR_TIMED_OUT);
        }
        test_clock_advance(WEIR_SECONDS(1));
    }
    for (int i = 0; i < 4; i++) {
        if (_i >> i & 1)
            continue;
        offer(1, 1);
        helper_join(&takers[i].helper);
        ck_assert(takers[i].took);
    }
}
END_TEST

START_TEST(a_condition_woken_for_no_reason_does_not_end_a_wait)
{
    struct taker taker = {.once = true};

    start(&taker, 0);
    for (int i = 0; i < 3; i++) {
        test_clock_hold(taker.deadline.at_ns);
        test_clock_disturb(taker.deadline.at_ns);
        test_clock_release(taker.deadline.at_ns);
        test_clock_await_waiter(taker.deadline.at_ns);
    }
    ck_assert(!gate_is_open(&taker.helper.ended));
    offer(0, 1);
    helper_join(&taker.helper);
    ck_assert_int_eq(taker.status, WEIR_OK);
    ck_assert_uint_eq(taker.turn.waits, 1);
}
END_TEST

/* --------------------------------------------------------------- fairness */

/* Wakes the taker, but takes its chance before it comes to it. */
static void overtake(struct taker *taker)
{
    test_clock_hold(taker->deadline.at_ns);
    offer(0, 1);
    test_clock_release(taker->deadline.at_ns);
    test_clock_await_waiter(taker->deadline.at_ns);
}

static bool newcomers_stand_back(void)
{
    struct weir__turn newcomer = {0};
    bool stand_back;

    weir__mutex_lock(&mutex);
    stand_back = weir__must_stand_back(&list, &newcomer);
    weir__mutex_unlock(&mutex);
    return stand_back;
}

START_TEST(an_overtaken_waiter_goes_first)
{
    struct taker first = {.took = false}, second = {.took = false};

    start(&first, 0);
    start(&second, 1);
    overtake(&first);
    offer(1, 1);
    helper_join(&first.helper);
    ck_assert(first.took);
    offer(1, 1);
    helper_join(&second.helper);
}
END_TEST

START_TEST(newcomers_stand_back_after_so_many_times_and_not_before)
{
    struct taker taker = {.took = false};

    start(&taker, 0);
    for (int i = 1; i <= WEIR__OVERTAKEN_AT_MOST; i++) {
        ck_assert(!newcomers_stand_back());
        overtake(&taker);
    }
    ck_assert(newcomers_stand_back());
    offer(1, 1);
    helper_join(&taker.helper);
    ck_assert(taker.took);
    ck_assert(!newcomers_stand_back());
}
END_TEST

START_TEST(who_has_waited_before_does_not_stand_back)
{
    struct taker taker = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};
    struct weir__turn waited = {.waits = 1};

    start(&taker, 0);
    ck_assert(newcomers_stand_back());
    weir__mutex_lock(&mutex);
    ck_assert(!weir__must_stand_back(&list, &waited));
    weir__mutex_unlock(&mutex);
    offer(1, 1);
    helper_join(&taker.helper);
}
END_TEST

START_TEST(newcomers_stand_back_for_every_overtaken_waiter)
{
    struct taker first = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};
    struct taker second = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};

    start(&first, 0);
    start(&second, 1); /* in front of the first */
    offer(1, 1);
    helper_join(&second.helper);
    ck_assert(newcomers_stand_back());
    ck_assert(!list_is_empty()); /* the first was not woken for nothing */
    offer(1, 1);
    helper_join(&first.helper);
    ck_assert(!newcomers_stand_back());
}
END_TEST

START_TEST(all_who_stood_back_look_again_in_the_end)
{
    struct taker overtaken = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};
    struct taker newcomers[3] = {{.took = false}};

    start(&overtaken, 0);
    test_clock_hold(overtaken.deadline.at_ns);
    offer(4, 4); /* wakes all there are: one */
    for (int i = 0; i < 3; i++)
        start(&newcomers[i], 1 + i);
    test_clock_release(overtaken.deadline.at_ns);
    helper_join(&overtaken.helper);
    for (int i = 0; i < 3; i++) {
        helper_join(&newcomers[i].helper);
        ck_assert(newcomers[i].took);
    }
}
END_TEST

START_TEST(only_those_who_stood_back_are_woken_in_the_end)
{
    struct taker overtaken = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};
    struct taker again = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};
    struct taker newcomer = {.took = false}, patient = {.once = true};

    start(&overtaken, 0);
    start(&newcomer, 1);
    offer(2, 2);
    helper_join(&overtaken.helper);
    helper_join(&newcomer.helper);
    start(&patient, 2);
    start(&again, 3);
    offer(1, 1);
    helper_join(&again.helper);
    ck_assert(!list_is_empty());
    offer(1, 1);
    helper_join(&patient.helper);
}
END_TEST

START_TEST(standing_back_ends_when_the_overtaken_waiter_times_out)
{
    struct taker overtaken = {.turn.waits = WEIR__OVERTAKEN_AT_MOST};

    start(&overtaken, 0);
    test_clock_advance(WEIR_SECONDS(4000));
    helper_join(&overtaken.helper);
    ck_assert_int_eq(overtaken.status, WEIR_TIMED_OUT);
    ck_assert(!newcomers_stand_back());
}
END_TEST

int main(void)
{
    const TTest *const order[] = {
        waiters_are_woken_in_the_order_they_came,
        of_a_list_that_is_newest_first_the_last_to_come_is_woken,
        in_such_a_list_nobody_is_overtaken,
        one_wake_up_reaches_one_thread,
        as_many_are_woken_as_asked_for_and_no_more,
        everyone_is_woken_at_once,
        a_wake_up_of_nobody_is_not_kept,
        NULL};
    const TTest *const deadlines[] = {
        a_wait_ends_at_its_deadline,
        a_wait_until_now_does_not_wait,
        a_woken_thread_says_so_though_its_deadline_has_passed,
        a_late_thread_can_still_be_woken,
        a_condition_woken_for_no_reason_does_not_end_a_wait,
        NULL};
    const TTest *const leaving[] = {
        whoever_times_out_leaves_the_others_in_order, NULL};
    const TTest *const fairness[] = {
        an_overtaken_waiter_goes_first,
        newcomers_stand_back_after_so_many_times_and_not_before,
        who_has_waited_before_does_not_stand_back,
        newcomers_stand_back_for_every_overtaken_waiter,
        all_who_stood_back_look_again_in_the_end,
        only_those_who_stood_back_are_woken_in_the_end,
        standing_back_ends_when_the_overtaken_waiter_times_out,
        NULL};
    const struct chapter chapters[] = {
        {"order", order, setup, teardown, 0, 0},
        {"deadlines", deadlines, setup, teardown, 0, 0},
        {"leaving the list", leaving, setup, teardown, 32, 0},
        {"fairness", fairness, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("park", chapters);
}
