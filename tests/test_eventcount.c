/* SPDX-License-Identifier: MIT */
/* test_eventcount.c - waiting for what changes without a lock. */
#include "base/eventcount.h"

#include <sched.h>
#include <stdint.h>

#include "helper.h"
#include "suite.h"
#include "test_clock.h"

static struct weir__mutex mutex;
static struct weir__eventcount event; /* with `mutex`, but for `armed` */
static struct weir__counter chances;  /* changes without it */
static uint64_t wakes;                /* with `mutex`: that changes asked for */

static void setup(void)
{
    test_clock_install();
    ck_assert_int_eq(weir__mutex_init(&mutex, WEIR__RANK_QUEUE), WEIR_OK);
}

static void teardown(void)
{
    ck_assert_ptr_null(event.waiters.first);
    ck_assert(!weir__eventcount_is_armed(&event));
    weir__mutex_dispose(&mutex);
    test_clock_remove();
}

static bool take_chance(void)
{
    uint64_t seen = weir__counter_read(&chances);

    while (seen > 0)
        if (weir__counter_compare_swap(&chances, &seen, seen - 1))
            return true;
    return false;
}

/* A thread that takes a chance, and waits as long as there is none. */
struct taker {
    struct helper helper;
    weir_deadline deadline;
    bool took;
};

static void take(void *arg)
{
    struct taker *taker = arg;
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    weir__mutex_lock(&mutex);
    for (;;) {
        weir__eventcount_arm(&event);
        taker->took = take_chance();
        if (taker->took || status != WEIR_OK)
            break;
        status =
            weir__waitlist_wait(&event.waiters, &mutex, &turn, taker->deadline);
    }
    if (weir__eventcount_leave(&event) && weir__counter_read(&chances) > 0)
        weir__eventcount_wake(&event, 1);
    weir__mutex_unlock(&mutex);
}

/* Starts a taker that waits for a moment which nobody else waits for. */
static void start(struct taker *taker, int64_t second)
{
    taker->took = false;
    taker->deadline.at_ns = WEIR_SECONDS(5000 + second);
    helper_start(&taker->helper, take, taker);
    test_clock_await_waiter(taker->deadline.at_ns);
}

static void end(struct taker *taker, bool took)
{
    helper_join(&taker->helper);
    ck_assert_int_eq(taker->took, took);
}

/* What a changer does. */
static void change(void)
{
    weir__counter_add(&chances, 1);
    if (!weir__eventcount_is_armed(&event))
        return;
    weir__mutex_lock(&mutex);
    if (weir__eventcount_is_armed(&event)) {
        weir__eventcount_wake(&event, 1);
        wakes++;
    }
    weir__mutex_unlock(&mutex);
}

static void wake(size_t most)
{
    weir__mutex_lock(&mutex);
    weir__eventcount_wake(&event, most);
    weir__mutex_unlock(&mutex);
}

static bool others_wait(void)
{
    bool others;

    weir__mutex_lock(&mutex);
    others = weir__eventcount_leave(&event);
    weir__mutex_unlock(&mutex);
    return others;
}

/* ---------------------------------------------------------- nobody waits */

START_TEST(it_is_not_armed_at_first)
{
    ck_assert(!weir__eventcount_is_armed(&event));
    change();
    ck_assert_uint_eq(wakes, 0);
}
END_TEST

START_TEST(who_armed_it_and_goes_on_leaves_it_as_it_was)
{
    weir__mutex_lock(&mutex);
    weir__eventcount_arm(&event);
    ck_assert(weir__eventcount_is_armed(&event));
    ck_assert(!weir__eventcount_leave(&event));
    weir__mutex_unlock(&mutex);
    ck_assert(!weir__eventcount_is_armed(&event));
}
END_TEST

START_TEST(a_wake_up_of_nobody_disarms_and_is_not_kept)
{
    struct taker taker;

    weir__mutex_lock(&mutex);
    weir__eventcount_arm(&event);
    weir__eventcount_wake(&event, 1);
    ck_assert(!weir__eventcount_is_armed(&event));
    weir__eventcount_arm(&event);
    weir__eventcount_wake_all(&event);
    ck_assert(!weir__eventcount_is_armed(&event));
    weir__mutex_unlock(&mutex);
    start(&taker, 0);
    ck_assert(weir__eventcount_is_armed(&event));
    change();
    end(&taker, true);
}
END_TEST

/* ----------------------------------------------------------- threads wait */

START_TEST(it_is_armed_while_someone_waits_whom_nobody_woke)
{
    struct taker takers[2];

    start(&takers[0], 0);
    ck_assert(weir__eventcount_is_armed(&event));
    start(&takers[1], 1);
    ck_assert(weir__eventcount_is_armed(&event));
    for (int i = 0; i < 2; i++) {
        change();
        end(&takers[i], true);
        ck_assert_int_eq(weir__eventcount_is_armed(&event), i == 0);
    }
    ck_assert_uint_eq(wakes, 2);
}
END_TEST

START_TEST(a_burst_of_changes_costs_one_wake_up_and_reaches_everyone)
{
    struct taker takers[3];

    for (int i = 0; i < 3; i++)
        start(&takers[i], i);
    test_clock_hold(takers[0].deadline.at_ns);
    for (int i = 0; i < 3; i++) {
        change();
        ck_assert(!weir__eventcount_is_armed(&event));
    }
    test_clock_release(takers[0].deadline.at_ns);
    for (int i = 0; i < 3; i++)
        end(&takers[i], true);
    ck_assert_uint_eq(wakes, 1);
}
END_TEST

START_TEST(a_woken_thread_that_finds_nothing_arms_again)
{
    struct taker taker;

    start(&taker, 0);
    test_clock_hold(taker.deadline.at_ns);
    change();
    ck_assert(take_chance()); /* overtakes it */
    ck_assert(!weir__eventcount_is_armed(&event));
    test_clock_release(taker.deadline.at_ns);
    test_clock_await_waiter(taker.deadline.at_ns);
    ck_assert(weir__eventcount_is_armed(&event));
    change();
    end(&taker, true);
    ck_assert_uint_eq(wakes, 2);
}
END_TEST

START_TEST(who_leaves_arms_it_for_the_others)
{
    struct taker takers[2];

    start(&takers[0], 0);
    start(&takers[1], 1);
    wake(0); /* a wake-up is on its way, as it were */
    ck_assert(!weir__eventcount_is_armed(&event));
    ck_assert(others_wait());
    ck_assert(weir__eventcount_is_armed(&event));
    for (int i = 0; i < 2; i++) {
        change();
        end(&takers[i], true);
    }
    ck_assert(!others_wait());
}
END_TEST

START_TEST(who_times_out_leaves_it_armed_for_the_others)
{
    struct taker brief, patient;

    start(&brief, 0);
    start(&patient, 1);
    test_clock_advance(WEIR_SECONDS(4000));
    end(&brief, false);
    ck_assert(weir__eventcount_is_armed(&event));
    change();
    end(&patient, true);
}
END_TEST

START_TEST(who_gives_up_with_a_wake_up_on_its_way_leaves_it_armed)
{
    struct taker hasty, patient;

    start(&hasty, 0);
    start(&patient, 1);
    test_clock_hold(hasty.deadline.at_ns);
    change();
    ck_assert(take_chance()); /* overtakes it */
    test_clock_advance(WEIR_SECONDS(4000));
    test_clock_release(hasty.deadline.at_ns);
    end(&hasty, false);
    ck_assert(weir__eventcount_is_armed(&event));
    change();
    end(&patient, true);
}
END_TEST

/* _i: how many are woken, of three. */
START_TEST(as_many_are_woken_as_asked_for_in_the_order_they_came)
{
    struct taker takers[3];

    for (int i = 0; i < 3; i++)
        start(&takers[i], i);
    weir__counter_add(&chances, 3);
    weir__mutex_lock(&mutex);
    if (_i < 3)
        weir__eventcount_wake(&event, (size_t)_i);
    else
        weir__eventcount_wake_all(&event);
    ck_assert(!weir__eventcount_is_armed(&event));
    ck_assert_int_eq(event.waiters.first == NULL, _i >= 3);
    weir__mutex_unlock(&mutex);
    if (_i == 0)
        wake(1);
    for (int i = 0; i < 3; i++) /* the last ones by those who leave */
        end(&takers[i], true);
}
END_TEST

/* -------------------------------------------------------------- at random */

enum { CHANGERS = 2, TAKERS = 3 };

/* Each changer makes TAKERS times as many, each taker takes CHANGERS times. */
static int rounds(void)
{
    return 3000 / test_slowness();
}

static void change_often(void *arg)
{
    int count = TAKERS * rounds();

    (void)arg;
    for (int i = 0; i < count; i++) {
        change();
        if (i % 16 == 0)
            sched_yield();
    }
}

static void take_often(void *arg)
{
    struct taker taker = {.deadline = WEIR_FOREVER};
    int count = CHANGERS * rounds();

    (void)arg;
    for (int i = 0; i < count; i++)
        take(&taker);
}

/* A change that is missed leaves a taker behind, and the join fails. */
START_TEST(no_change_is_missed_however_the_threads_meet)
{
    struct helper changers[CHANGERS], takers[TAKERS];

    for (int i = 0; i < TAKERS; i++)
        helper_start(&takers[i], take_often, NULL);
    for (int i = 0; i < CHANGERS; i++)
        helper_start(&changers[i], change_often, NULL);
    helpers_join(changers, CHANGERS);
    helpers_join(takers, TAKERS);
    ck_assert_uint_eq(weir__counter_read(&chances), 0);
}
END_TEST

int main(void)
{
    const TTest *const nobody[] = {it_is_not_armed_at_first,
                                   who_armed_it_and_goes_on_leaves_it_as_it_was,
                                   a_wake_up_of_nobody_disarms_and_is_not_kept,
                                   NULL};
    const TTest *const waiting[] = {
        it_is_armed_while_someone_waits_whom_nobody_woke,
        a_burst_of_changes_costs_one_wake_up_and_reaches_everyone,
        a_woken_thread_that_finds_nothing_arms_again,
        who_leaves_arms_it_for_the_others,
        who_times_out_leaves_it_armed_for_the_others,
        who_gives_up_with_a_wake_up_on_its_way_leaves_it_armed,
        NULL};
    const TTest *const many[] = {
        as_many_are_woken_as_asked_for_in_the_order_they_came, NULL};
    const TTest *const at_random[] = {
        no_change_is_missed_however_the_threads_meet, NULL};
    const struct chapter chapters[] = {
        {"nobody waits", nobody, setup, teardown, 0, 0},
        {"threads wait", waiting, setup, teardown, 0, 0},
        {"several are woken", many, setup, teardown, 4, 0},
        {"at random", at_random, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("event count", chapters);
}
