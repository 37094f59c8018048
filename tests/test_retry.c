/* SPDX-License-Identifier: MIT */
/* test_retry.c - the arithmetic of trying again. */
#include "task/retry.h"

#include <math.h>
#include <string.h>

#include <weir/deadline.h>

#include "suite.h"

static weir_retry policy;

static void setup(void)
{
    policy = (weir_retry)WEIR_RETRY_INIT;
}

/* The policy as weir__retry_read leaves it. */
static weir_retry read_policy(void)
{
    weir_retry read;

    ck_assert_int_eq(weir__retry_read(&read, &policy), WEIR_OK);
    return read;
}

static int64_t delay(uint32_t attempt, uint64_t random)
{
    weir_retry read = read_policy();

    return weir__retry_delay(&read, attempt, random);
}

static void assert_refused(const char *field)
{
    weir_retry read;

    ck_assert_int_eq(weir__retry_read(&read, &policy), WEIR_EINVAL);
    ck_assert_msg(strstr(weir_last_error(), field) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), field);
}

/* --------------------------------------------------------------- defaults */

START_TEST(the_defaults_are_those_of_the_header)
{
    weir_retry read = read_policy();

    ck_assert_uint_eq(read.max_attempts, 1);
    ck_assert_int_eq(read.base_ns, WEIR_MS(100));
    ck_assert_int_eq(read.cap_ns, WEIR_SECONDS(30));
    ck_assert(read.factor == 2);
    ck_assert(read.jitter == 1);
    ck_assert(!read.retryable);
    ck_assert_int_eq(read.patience_ns, 0);
}
END_TEST

START_TEST(no_policy_at_all_is_one_attempt)
{
    weir_retry read;

    ck_assert_int_eq(weir__retry_read(&read, NULL), WEIR_OK);
    ck_assert_uint_eq(read.max_attempts, 1);
}
END_TEST

START_TEST(what_is_set_is_kept)
{
    weir_retry read;

    policy.max_attempts = 7;
    policy.base_ns = 3;
    policy.cap_ns = 11;
    policy.factor = 1.5;
    policy.jitter = 0.25;
    policy.patience_ns = 13;
    policy.retryable_arg = &policy;
    policy.budget = 0.1;
    read = read_policy();
    ck_assert_uint_eq(read.max_attempts, 7);
    ck_assert_int_eq(read.base_ns, 3);
    ck_assert_int_eq(read.cap_ns, 11);
    ck_assert(read.factor == 1.5);
    ck_assert(read.jitter == 0.25);
    ck_assert_int_eq(read.patience_ns, 13);
    ck_assert_ptr_eq(read.retryable_arg, &policy);
    ck_assert(read.budget == 0.1);
}
END_TEST

START_TEST(a_base_above_the_usual_cap_is_its_own_cap)
{
    policy.base_ns = WEIR_SECONDS(60);
    ck_assert_int_eq(read_policy().cap_ns, WEIR_SECONDS(60));
    policy.base_ns = WEIR_SECONDS(30);
    ck_assert_int_eq(read_policy().cap_ns, WEIR_SECONDS(30));
}
END_TEST

START_TEST(a_policy_that_was_read_reads_the_same_again)
{
    static const double jitters[] = {-0.5, 0, 0.25};

    for (size_t i = 0; i < 3; i++) {
        weir_retry once;

        policy = (weir_retry)WEIR_RETRY_INIT;
        policy.jitter = jitters[i];
        once = read_policy();
        policy = once;
        ck_assert_int_eq(delay(3, 0), weir__retry_delay(&once, 3, 0));
        ck_assert(read_policy().jitter == once.jitter);
        ck_assert_int_eq(read_policy().cap_ns, once.cap_ns);
    }
}
END_TEST

/* ------------------------------------------------------------------ delay */

START_TEST(each_delay_is_the_factor_times_the_one_before)
{
    policy.jitter = -1;
    ck_assert_int_eq(delay(1, 5), WEIR_MS(100));
    ck_assert_int_eq(delay(2, 5), WEIR_MS(200));
    ck_assert_int_eq(delay(3, 5), WEIR_MS(400));
    ck_assert_int_eq(delay(9, 5), WEIR_MS(25600));
    policy.factor = 3;
    ck_assert_int_eq(delay(1, 5), WEIR_MS(100));
    ck_assert_int_eq(delay(4, 5), WEIR_MS(2700));
    policy.factor = 1;
    ck_assert_int_eq(delay(1000, 5), WEIR_MS(100));
    policy.factor = 1.5;
    ck_assert_int_eq(delay(3, 5), WEIR_MS(225));
}
END_TEST

START_TEST(no_delay_is_above_the_cap)
{
    policy.jitter = -1;
    policy.cap_ns = WEIR_MS(250);
    ck_assert_int_eq(delay(2, 0), WEIR_MS(200));
    ck_assert_int_eq(delay(3, 0), WEIR_MS(250));
    ck_assert_int_eq(delay(4, 0), WEIR_MS(250));
    policy.cap_ns = 0;
    ck_assert_int_eq(delay(9, 0), WEIR_MS(25600));
    ck_assert_int_eq(delay(10, 0), WEIR_SECONDS(30));
}
END_TEST

START_TEST(without_jitter_chance_changes_nothing)
{
    policy.jitter = -1;
    ck_assert_int_eq(delay(3, 0), delay(3, UINT64_MAX));
    ck_assert_int_eq(delay(3, 0), delay(3, 0x123456789abcdef));
}
END_TEST

START_TEST(full_jitter_spreads_over_the_whole_delay)
{
    ck_assert_int_eq(delay(1, 0), 0);
    ck_assert_int_eq(delay(1, UINT64_C(1) << 63), WEIR_MS(50));
    ck_assert_int_ge(delay(1, UINT64_MAX), WEIR_MS(100) - 1);
    ck_assert_int_le(delay(1, UINT64_MAX), WEIR_MS(100));
}
END_TEST

START_TEST(half_jitter_leaves_half_the_delay)
{
    policy.jitter = 0.5;
    ck_assert_int_eq(delay(1, 0), WEIR_MS(50));
    ck_assert_int_eq(delay(1, UINT64_C(1) << 63), WEIR_MS(75));
    ck_assert_int_ge(delay(1, UINT64_MAX), WEIR_MS(100) - 1);
    ck_assert_int_le(delay(1, UINT64_MAX), WEIR_MS(100));
}
END_TEST

START_TEST(jitter_takes_its_share_of_the_capped_delay)
{
    policy.jitter = 0.5;
    policy.cap_ns = WEIR_MS(200);
    ck_assert_int_eq(delay(20, 0), WEIR_MS(100));
}
END_TEST

START_TEST(a_huge_attempt_waits_for_the_cap)
{
    policy.jitter = -1;
    ck_assert_int_eq(delay(UINT32_MAX, 0), WEIR_SECONDS(30));
    policy.factor = 1e9;
    ck_assert_int_eq(delay(UINT32_MAX, 0), WEIR_SECONDS(30));
    ck_assert_int_eq(delay(2, 0), WEIR_SECONDS(30));
    policy.factor = 1;
    ck_assert_int_eq(delay(UINT32_MAX, 0), WEIR_MS(100));
}
END_TEST

START_TEST(the_longest_cap_does_not_overflow)
{
    policy.base_ns = INT64_MAX;
    policy.cap_ns = INT64_MAX;
    policy.jitter = -1;
    ck_assert_int_eq(delay(1, 0), INT64_MAX);
    ck_assert_int_eq(delay(UINT32_MAX, UINT64_MAX), INT64_MAX);
    policy.jitter = 1;
    ck_assert_int_eq(delay(UINT32_MAX, 0), 0);
    ck_assert_int_gt(delay(UINT32_MAX, UINT64_MAX), INT64_MAX / 2);
}
END_TEST

START_TEST(delays_never_shrink_from_attempt_to_attempt)
{
    static const double factors[] = {1, 1.01, 1.5, 2, 10, 1e9};
    static const double jitters[] = {-1, 0.3, 1};
    int64_t last_ns = 0;

    policy.factor = factors[_i % 6];
    policy.jitter = jitters[_i / 6];
    for (uint32_t attempt = 1; attempt < 200; attempt++) {
        int64_t now_ns = delay(attempt, UINT64_C(0x9E3779B97F4A7C15));

        ck_assert_int_ge(now_ns, last_ns);
        ck_assert_int_le(now_ns, WEIR_SECONDS(30));
        last_ns = now_ns;
    }
}
END_TEST

START_TEST(no_chance_leads_out_of_the_range)
{
    uint64_t random = 88172645463325252u;

    policy.jitter = 0.75;
    for (int i = 0; i < 1000; i++) {
        int64_t ns;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ns = delay(2, random);
        ck_assert_int_ge(ns, WEIR_MS(50));
        ck_assert_int_le(ns, WEIR_MS(200));
    }
}
END_TEST

/* ---------------------------------------------------------------- refused */

START_TEST(negative_times_are_refused_by_name)
{
    policy.base_ns = -1;
    assert_refused("base_ns");
    policy.base_ns = 0;
    policy.cap_ns = -1;
    assert_refused("cap_ns");
    policy.cap_ns = 0;
    policy.patience_ns = -1;
    assert_refused("patience_ns");
}
END_TEST

START_TEST(a_cap_below_the_base_is_refused)
{
    policy.base_ns = 10;
    policy.cap_ns = 9;
    assert_refused("cap_ns");
    policy.cap_ns = 10;
    ck_assert_int_eq(read_policy().cap_ns, 10);
}
END_TEST

START_TEST(a_factor_that_shrinks_or_is_no_number_is_refused)
{
    static const double wrong[] = {0.999, -2, 1.1e9, INFINITY, NAN};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        policy.factor = wrong[i];
        assert_refused("factor");
    }
}
END_TEST

START_TEST(a_jitter_above_1_or_no_number_is_refused)
{
    policy.jitter = 1.001;
    assert_refused("jitter");
    policy.jitter = NAN;
    assert_refused("jitter");
}
END_TEST

START_TEST(a_budget_out_of_range_or_no_number_is_refused)
{
    static const double wrong[] = {-1, 9e-7, 1000.1, INFINITY, -INFINITY, NAN};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        policy.budget = wrong[i];
        assert_refused("budget");
    }
}
END_TEST

START_TEST(a_policy_without_its_size_is_refused)
{
    policy.size = 0;
    assert_refused("WEIR_RETRY_INIT");
}
END_TEST

/* --------------------------------------------------------------- outcomes */

START_TEST(by_default_failures_and_timeouts_are_worth_another_attempt)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    for (int kind = WEIR_OUTCOME_DONE; kind <= WEIR_OUTCOME_DROPPED; kind++) {
        outcome.kind = (weir_outcome_kind)kind;
        ck_assert_int_eq(weir__retry_by_default(&outcome),
                         kind == WEIR_OUTCOME_FAILED ||
                             kind == WEIR_OUTCOME_TIMED_OUT);
    }
}
END_TEST

/* ----------------------------------------------------------------- budget */

static struct weir__retry_account account;
static uint64_t first_attempts;

static void setup_account(void)
{
    account = (struct weir__retry_account){0};
    first_attempts = 0;
}

static bool pay(double budget, uint64_t more_first_attempts)
{
    first_attempts += more_first_attempts;
    return weir__retry_pay(&account, budget, first_attempts);
}

/* How many retries are granted at once. */
static uint64_t payable(double budget)
{
    uint64_t paid = 0;

    while (pay(budget, 0))
        paid++;
    return paid;
}

START_TEST(nothing_is_granted_before_the_first_attempts_that_pay)
{
    ck_assert(!pay(0.1, 0));
    ck_assert(!pay(0.1, 9));
    ck_assert(pay(0.1, 1));
    ck_assert(!pay(0.1, 9));
    ck_assert(pay(0.1, 1));
}
END_TEST

START_TEST(a_budget_of_several_grants_several_for_each)
{
    ck_assert(pay(2.5, 1));
    ck_assert_uint_eq(payable(2.5), 1);
    ck_assert(pay(2.5, 1));
    ck_assert_uint_eq(payable(2.5), 2);
}
END_TEST

/* Budgets that no double holds exactly, and asking after each first attempt:
 * of n, floor(n * budget) retries have been granted, at every n. */
START_TEST(not_one_retry_too_many_or_too_few_is_ever_granted)
{
    static const uint64_t millionths[] = {1,      1004,   100000, 300000,
                                          333333, 700000, 999999, 1000000};
    uint64_t budget = millionths[_i], granted = 0;

    for (uint64_t n = 1; n <= 3000000; n++) {
        granted += pay((double)budget / 1e6, 1);
        if (granted != n * budget / 1000000)
            ck_abort_msg("%llu of %llu", (unsigned long long)granted,
                         (unsigned long long)n);
    }
}
END_TEST

START_TEST(a_long_good_time_saves_up_1000_first_attempts)
{
    first_attempts = UINT64_MAX / 2;
    ck_assert_uint_eq(payable(0.1), 100);
    ck_assert(!pay(0.1, 9));
    ck_assert(pay(0.1, 1));
    pay(0.1, 1000000);
    ck_assert_uint_eq(payable(0.1), 99);
    pay(1000, UINT64_MAX / 4);
    ck_assert_uint_eq(payable(1000), 999999);
}
END_TEST

START_TEST(what_lies_there_is_not_more_for_being_asked_often)
{
    for (int i = 0; i < 2000; i++)
        ck_assert(pay(1, 2)); /* one is left over each time */
    ck_assert_uint_eq(payable(1), 999);
}
END_TEST

START_TEST(a_small_budget_saves_up_one_retry)
{
    pay(0.0001, 20000);
    ck_assert(!pay(0.0001, 9999));
    ck_assert(pay(0.0001, 1));
    ck_assert(!pay(0.0001, 0));
}
END_TEST

START_TEST(budgets_share_one_account_of_first_attempts)
{
    ck_assert(pay(0.5, 100)); /* takes 2 */
    ck_assert(pay(0.1, 0));   /* takes 10 */
    ck_assert(pay(4, 0));     /* takes a quarter */
    ck_assert_uint_eq(payable(0.1), 8);
    ck_assert_uint_eq(payable(0.5), 3);
    ck_assert_uint_eq(payable(4), 7);
    ck_assert_uint_eq(payable(1000), 0);
}
END_TEST

START_TEST(no_conversion_makes_something_of_nothing)
{
    static const double budgets[] = {1e-6, 1000, 0.333333, 7, 0.1, 999.999999};
    double spent = 0;

    for (uint64_t n = 0; n < 100000; n++) {
        double budget = budgets[n * n % 6];

        if (pay(budget, n % 3))
            spent += 1 / budget;
        ck_assert(spent <= (double)first_attempts * (1 + 1e-9));
    }
    ck_assert(spent > 0);
}
END_TEST

int main(void)
{
    const TTest *const defaults[] = {
        the_defaults_are_those_of_the_header,
        no_policy_at_all_is_one_attempt,
        what_is_set_is_kept,
        a_base_above_the_usual_cap_is_its_own_cap,
        a_policy_that_was_read_reads_the_same_again,
        by_default_failures_and_timeouts_are_worth_another_attempt,
        NULL};
    const TTest *const delays[] = {
        each_delay_is_the_factor_times_the_one_before,
        no_delay_is_above_the_cap,
        without_jitter_chance_changes_nothing,
        full_jitter_spreads_over_the_whole_delay,
        half_jitter_leaves_half_the_delay,
        jitter_takes_its_share_of_the_capped_delay,
        a_huge_attempt_waits_for_the_cap,
        the_longest_cap_does_not_overflow,
        no_chance_leads_out_of_the_range,
        NULL};
    const TTest *const grids[] = {delays_never_shrink_from_attempt_to_attempt,
                                  NULL};
    const TTest *const refused[] = {
        negative_times_are_refused_by_name,
        a_cap_below_the_base_is_refused,
        a_factor_that_shrinks_or_is_no_number_is_refused,
        a_jitter_above_1_or_no_number_is_refused,
        a_budget_out_of_range_or_no_number_is_refused,
        a_policy_without_its_size_is_refused,
        NULL};
    const TTest *const budgets[] = {
        nothing_is_granted_before_the_first_attempts_that_pay,
        a_budget_of_several_grants_several_for_each,
        a_long_good_time_saves_up_1000_first_attempts,
        what_lies_there_is_not_more_for_being_asked_often,
        a_small_budget_saves_up_one_retry,
        budgets_share_one_account_of_first_attempts,
        no_conversion_makes_something_of_nothing,
        NULL};
    const TTest *const exact[] = {
        not_one_retry_too_many_or_too_few_is_ever_granted, NULL};
    const struct chapter chapters[] = {
        {"defaults", defaults, setup, NULL, 0, 0},
        {"delay", delays, setup, NULL, 0, 0},
        {"grid", grids, setup, NULL, 18, 0},
        {"refused", refused, setup, NULL, 0, 0},
        {"budget", budgets, setup_account, NULL, 0, 0},
        {"exact budgets", exact, setup_account, NULL, 8, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("task: retry", chapters);
}
