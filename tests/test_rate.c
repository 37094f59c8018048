/* SPDX-License-Identifier: MIT */
/* test_rate.c - so many a second. */
#include <weir/rate.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "helper.h"
#include "limit/bucket.h"
#include "suite.h"
#include "test_clock.h"

static weir_rate *rate;

static void setup(void)
{
    test_clock_install();
}

static void teardown(void)
{
    weir__fault_arm(0);
    weir_rate_destroy(rate);
    rate = NULL;
    test_clock_remove();
}

static void make(double per_second, size_t burst)
{
    ck_assert_int_eq(weir_rate_create(&rate, per_second, burst), WEIR_OK);
}

static weir_status take_now(size_t tokens)
{
    return weir_rate_acquire(rate, tokens, WEIR_NOW);
}

/* ---------------------------------------------------------------- the front */

START_TEST(a_burst_is_there_at_once_and_then_so_many_a_second)
{
    make(4, 3);
    ck_assert_uint_eq(weir_rate_available(rate), 3);
    ck_assert_int_eq(take_now(3), WEIR_OK);
    ck_assert_int_eq(take_now(1), WEIR_TIMED_OUT);
    test_clock_advance(WEIR_MS(250) - 1);
    ck_assert_int_eq(take_now(1), WEIR_TIMED_OUT);
    test_clock_advance(1);
    ck_assert_uint_eq(weir_rate_available(rate), 1);
    ck_assert_int_eq(take_now(1), WEIR_OK);
    test_clock_advance(WEIR_SECONDS(100));
    ck_assert_uint_eq(weir_rate_available(rate), 3);
    ck_assert_int_eq(take_now(3), WEIR_OK);
    ck_assert_int_eq(take_now(1), WEIR_TIMED_OUT);
}
END_TEST

/* Nobody lets time pass: if it waited, this would hang. */
START_TEST(a_deadline_that_cannot_be_met_is_said_at_once_and_costs_nothing)
{
    make(1, 2);
    ck_assert_int_eq(take_now(2), WEIR_OK);
    ck_assert_int_eq(
        weir_rate_acquire(rate, 1, weir_deadline_after(WEIR_SECONDS(1) - 1)),
        WEIR_TIMED_OUT);
    test_clock_advance(WEIR_SECONDS(1));
    ck_assert_int_eq(take_now(1), WEIR_OK);
}
END_TEST

struct taker {
    struct helper helper;
    size_t tokens;
    weir_status status;
};

static void take(void *arg)
{
    struct taker *taker = arg;

    taker->status = weir_rate_acquire(rate, taker->tokens, WEIR_FOREVER);
}

START_TEST(calls_wait_for_their_tokens_in_the_order_they_came)
{
    struct taker first = {.tokens = 2}, second = {.tokens = 1};
    int64_t start_ns = test_clock_now();

    make(1, 2);
    ck_assert_int_eq(take_now(2), WEIR_OK);
    helper_start(&first.helper, take, &first);
    test_clock_await_waiter(start_ns + WEIR_SECONDS(2));
    helper_start(&second.helper, take, &second);
    test_clock_await_waiter(start_ns + WEIR_SECONDS(3));
    test_clock_disturb(start_ns + WEIR_SECONDS(2));
    test_clock_await_waiter(start_ns + WEIR_SECONDS(2));
    test_clock_advance(WEIR_SECONDS(2));
    helper_join(&first.helper);
    ck_assert_int_eq(first.status, WEIR_OK);
    ck_assert_int_eq(take_now(1), WEIR_TIMED_OUT);
    test_clock_advance(WEIR_SECONDS(1));
    helper_join(&second.helper);
    ck_assert_int_eq(second.status, WEIR_OK);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    ck_assert_int_eq(weir_rate_create(NULL, 1, 1), WEIR_EINVAL);
    ck_assert_int_eq(weir_rate_create(&rate, 0, 1), WEIR_EINVAL);
    ck_assert_int_eq(weir_rate_create(&rate, -1, 1), WEIR_EINVAL);
    ck_assert_int_eq(weir_rate_create(&rate, 0.0 / 0.0, 1), WEIR_EINVAL);
    ck_assert_int_eq(weir_rate_create(&rate, 2e9, 1), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "per_second"));
    ck_assert_int_eq(weir_rate_create(&rate, 1, 0), WEIR_EINVAL);
    ck_assert_int_eq(weir_rate_create(&rate, 1, 1000001), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "burst"));
    ck_assert_ptr_null(rate);
    make(1, 2);
    ck_assert_int_eq(take_now(0), WEIR_EINVAL);
    ck_assert_int_eq(take_now(3), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "3 tokens"));
    ck_assert_int_eq(weir_rate_acquire(NULL, 1, WEIR_NOW), WEIR_EINVAL);
    ck_assert_uint_eq(weir_rate_available(NULL), 0);
    weir_rate_destroy(NULL);
}
END_TEST

static weir_status try_create(void *arg)
{
    (void)arg;
    return weir_rate_create(&rate, 1, 1);
}

START_TEST(without_memory_there_is_none)
{
    /* Its own, and its lock. */
    ck_assert_uint_eq(fault_sweep(try_create, NULL, WEIR_ENOMEM), 2);
}
END_TEST

START_TEST(a_fork_child_may_not_use_it)
{
    pid_t child;
    int status;

    make(1, 1);
    child = fork();
    if (child == 0) {
        bool right =
            take_now(1) == WEIR_FORKED && weir_rate_available(rate) == 0;

        weir_rate_destroy(rate);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}
END_TEST

/* --------------------------------------------------------------- the bucket */

START_TEST(fractions_of_a_nanosecond_are_not_lost)
{
    struct weir__bucket bucket;
    int64_t now_ns = 0;

    weir__bucket_init(&bucket, 3000, 1, 0); /* one in 333333333.33 ns */
    for (int i = 0; i < 3000; i++)
        now_ns = weir__bucket_take(&bucket, 1, now_ns, INT64_MAX - 1);
    ck_assert_int_eq(now_ns, (WEIR_SECONDS(2999) + 2) / 3);
}
END_TEST

START_TEST(a_jump_backwards_creates_nothing_and_destroys_nothing)
{
    struct weir__bucket bucket;

    weir__bucket_init(&bucket, 1000, 2, WEIR_SECONDS(100));
    ck_assert_uint_eq(weir__bucket_level(&bucket, WEIR_SECONDS(50)), 2);
    ck_assert_int_eq(weir__bucket_take(&bucket, 1, WEIR_SECONDS(50),
                                       WEIR_SECONDS(50)),
                     WEIR_SECONDS(50));
    ck_assert_uint_eq(weir__bucket_level(&bucket, WEIR_SECONDS(50)), 1);
    ck_assert_uint_eq(weir__bucket_level(&bucket, WEIR_SECONDS(100)), 1);
    ck_assert_uint_eq(weir__bucket_level(&bucket, WEIR_SECONDS(101)), 2);
}
END_TEST

START_TEST(the_end_of_time_is_never)
{
    struct weir__bucket bucket;

    weir__bucket_init(&bucket, 1, 1000000, INT64_MAX - 1);
    ck_assert_int_eq(weir__bucket_take(&bucket, 1000000, INT64_MAX - 1,
                                       INT64_MAX),
                     INT64_MAX);
    bucket.full.ns = INT64_MAX;
    weir__bucket_give(&bucket, 1, 0);
    ck_assert_int_eq(weir__bucket_ready(&bucket, 1, 0), INT64_MAX);
}
END_TEST

START_TEST(what_comes_back_is_there_again)
{
    struct weir__bucket bucket;

    weir__bucket_init(&bucket, 3000, 2, 0); /* one in 333333333.33 ns */
    ck_assert_int_eq(weir__bucket_take(&bucket, 2, 0, 0), 0);
    ck_assert_int_eq(weir__bucket_take(&bucket, 1, 0, INT64_MAX), 333333334);
    weir__bucket_give(&bucket, 1, 0);
    ck_assert_int_eq(weir__bucket_ready(&bucket, 1, 0), 333333334);
    weir__bucket_give(&bucket, 1, 0);
    ck_assert_uint_eq(weir__bucket_level(&bucket, 0), 1);
    weir__bucket_give(&bucket, 2, 0); /* one more than it had */
    ck_assert_uint_eq(weir__bucket_level(&bucket, 0), 2);
    ck_assert_int_eq(weir__bucket_take(&bucket, 2, 0, 0), 0);
    ck_assert_uint_eq(weir__bucket_level(&bucket, 0), 0);
}
END_TEST

/* As if it had been taken only now: beside it there is room for one less. */
START_TEST(what_is_used_late_has_taken_up_room)
{
    struct weir__bucket bucket, other;
    int64_t ready_ns;

    weir__bucket_init(&bucket, 3000, 2, 0);
    ck_assert_int_eq(weir__bucket_take(&bucket, 2, 0, 0), 0);
    other = bucket;
    ready_ns = weir__bucket_take(&bucket, 1, 0, INT64_MAX);
    for (int64_t now_ns = ready_ns; now_ns < WEIR_SECONDS(2);
         now_ns += WEIR_MS(7)) {
        struct weir__bucket late = bucket, at_once = other;

        weir__bucket_use_late(&late, 1, now_ns);
        ck_assert_int_le(weir__bucket_take(&at_once, 1, now_ns, now_ns),
                         now_ns);
        for (size_t n = 1; n <= 2; n++)
            ck_assert_int_eq(weir__bucket_ready(&late, n, now_ns),
                             weir__bucket_ready(&at_once, n, now_ns));
    }
}
END_TEST

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/*
 * Time leaps, backwards too.  In parts of a token (rate parts a second at the
 * bucket's own exactness): what was taken by what was ever seen of the clock is
 * never above a burst and what has come; and if somebody is refused now, there
 * was less than that.
 */
START_TEST(whatever_time_does_as_many_come_as_should)
{
    uint64_t thousandths, burst, taken = 0;
    int64_t now_ns = WEIR_SECONDS(1000), start_ns = now_ns, seen_ns = now_ns;
    struct weir__bucket bucket;

    seed = UINT64_C(6364136223846793005) + (uint64_t)_i;
    printf("seed %" PRIu64 "\n", seed);
    thousandths = 1 + draw(100000000);
    burst = 1 + draw(1000);
    weir__bucket_init(&bucket, thousandths, (size_t)burst, now_ns);
    for (int i = 0; i < 20000; i++) {
        size_t tokens = 1 + (size_t)draw(burst), level;
        double come;

        now_ns += (int64_t)draw(2 * 1000000000) - 600000000;
        if (now_ns < 0)
            now_ns = 0;
        if (now_ns > seen_ns)
            seen_ns = now_ns;
        level = weir__bucket_level(&bucket, now_ns);
        if (weir__bucket_take(&bucket, tokens, now_ns, now_ns) <= now_ns) {
            taken += tokens;
            ck_assert_uint_ge(level, tokens);
        } else {
            ck_assert_uint_lt(level, tokens);
        }
        come = (double)(seen_ns - start_ns) * (double)thousandths / 1e12;
        ck_assert((double)taken <= (double)burst + come + 1e-6 * (come + 1));
    }
    ck_assert_uint_gt(taken, 0);
}
END_TEST

/* Always asked for, nothing is lost: all that has come has been taken. */
START_TEST(who_asks_all_the_time_gets_all_that_comes)
{
    struct weir__bucket bucket;
    uint64_t taken;
    int64_t now_ns = 0, seen_ns = 0;
    double come;

    seed = UINT64_C(1442695040888963407) + (uint64_t)_i;
    printf("seed %" PRIu64 "\n", seed);
    weir__bucket_init(&bucket, 7777777, 1000000, 0);
    taken = weir__bucket_level(&bucket, 0);
    ck_assert_int_eq(weir__bucket_take(&bucket, (size_t)taken, 0, 0), 0);
    for (int i = 0; i < 20000; i++) {
        size_t level;

        now_ns += (int64_t)draw(20000000) - 8000000;
        if (now_ns < 0)
            now_ns = 0;
        if (now_ns > seen_ns)
            seen_ns = now_ns;
        level = weir__bucket_level(&bucket, now_ns);
        if (level > 0 &&
            weir__bucket_take(&bucket, level, now_ns, now_ns) <= now_ns)
            taken += level;
    }
    come = (double)seen_ns * 7777777 / 1e12;
    ck_assert((double)taken <= 1000000 + come + 1e-3);
    ck_assert((double)taken >= 1000000 + come - 1 - 1e-3);
}
END_TEST

int main(void)
{
    const TTest *const front[] = {
        a_burst_is_there_at_once_and_then_so_many_a_second,
        a_deadline_that_cannot_be_met_is_said_at_once_and_costs_nothing,
        calls_wait_for_their_tokens_in_the_order_they_came,
        what_makes_no_sense_is_refused,
        without_memory_there_is_none,
        a_fork_child_may_not_use_it,
        NULL};
    const TTest *const policy[] = {
        fractions_of_a_nanosecond_are_not_lost,
        a_jump_backwards_creates_nothing_and_destroys_nothing,
        the_end_of_time_is_never,
        what_comes_back_is_there_again,
        what_is_used_late_has_taken_up_room,
        NULL};
    const TTest *const chance[] = {whatever_time_does_as_many_come_as_should,
                                   who_asks_all_the_time_gets_all_that_comes,
                                   NULL};
    const struct chapter chapters[] = {{"the front", front, setup, teardown, 0,
                                        0},
                                       {"the bucket", policy, NULL, NULL, 0, 0},
                                       {"by chance", chance, NULL, NULL, 20, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("rate", chapters);
}
