/* SPDX-License-Identifier: MIT */
/* test_histogram.c - durations in fixed memory, at most 3 % wrong. */
#include "observe/histogram.h"

#include <string.h>

#include <weir/deadline.h>

#include "suite.h"

#define HOUR_NS (WEIR_SECONDS(60) * 60)

static weir_histogram h, other;

static void setup(void)
{
    h = (weir_histogram)WEIR_HISTOGRAM_INIT;
    other = (weir_histogram)WEIR_HISTOGRAM_INIT;
}

static int64_t difference(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* ----------------------------------------------------------------- buckets */

START_TEST(buckets_follow_each_other_without_a_gap)
{
    ck_assert_int_eq(weir_histogram_low_of(0), 0);
    for (size_t i = 0; i + 1 < WEIR_HISTOGRAM_BUCKETS; i++) {
        int64_t low = weir_histogram_low_of(i);
        int64_t next = weir_histogram_low_of(i + 1);

        ck_assert_int_lt(low, next);
        ck_assert_uint_eq(weir__bucket_of(low), i);
        ck_assert_uint_eq(weir__bucket_of(next - 1), i);
    }
    ck_assert_int_eq(weir_histogram_low_of(WEIR_HISTOGRAM_BUCKETS), INT64_MAX);
}
END_TEST

START_TEST(an_hour_is_within_and_more_is_in_the_last)
{
    ck_assert_uint_lt(weir__bucket_of(HOUR_NS), WEIR_HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(weir__bucket_of(INT64_MAX), WEIR_HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(weir__bucket_of((INT64_C(1) << 42) - 1),
                      WEIR_HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(weir__bucket_of(INT64_C(1) << 42),
                      WEIR_HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(weir__bucket_of(-1), 0);
}
END_TEST

/* --------------------------------------------------------------- quantiles */

/* With a longer one beside it, or the maximum would be exact. */
START_TEST(no_duration_up_to_an_hour_is_more_than_3_percent_wrong)
{
    for (int64_t ns = 1; ns < HOUR_NS; ns += ns / 97 + 1) {
        int64_t said;

        setup();
        weir_histogram_add(&h, ns);
        weir_histogram_add(&h, 2 * HOUR_NS);
        said = weir_histogram_quantile(&h, 0.5);
        ck_assert_msg(difference(said, ns) * 100 <= 3 * ns,
                      "%lld is said to be %lld", (long long)ns,
                      (long long)said);
    }
}
END_TEST

START_TEST(quantiles_are_ranks)
{
    for (int i = 1; i <= 50; i++)
        weir_histogram_add(&h, i);
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.0), 1);
    ck_assert_int_eq(weir_histogram_quantile(&h, -1.0), 1);
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.02), 1);
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.021), 2);
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.5), 25);
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.98), 49);
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.99), 50);
    ck_assert_int_eq(weir_histogram_quantile(&h, 1.0), 50);
    ck_assert_int_eq(weir_histogram_quantile(&h, 2.0), 50);
}
END_TEST

START_TEST(no_quantile_exceeds_the_maximum_which_is_exact)
{
    weir_histogram_add(&h, 1000001);
    ck_assert_int_eq(h.max_ns, 1000001);
    for (double q = 0.0; q <= 1.0; q += 0.125)
        ck_assert_int_le(weir_histogram_quantile(&h, q), 1000001);
    ck_assert_int_eq(weir_histogram_quantile(&h, 1.0), 1000001);
}
END_TEST

START_TEST(of_nothing_all_figures_are_0)
{
    ck_assert_int_eq(weir_histogram_quantile(&h, 0.5), 0);
    ck_assert_int_eq(weir_histogram_quantile(&h, 1.0), 0);
    ck_assert_uint_eq(weir_histogram_at_most(&h, INT64_MAX), 0);
    weir_histogram_add(&h, -5);
    ck_assert_uint_eq(h.count, 1);
    ck_assert_uint_eq(h.sum_ns, 0);
    ck_assert_int_eq(h.max_ns, 0);
    ck_assert_uint_eq(weir_histogram_at_most(&h, -1), 0);
    ck_assert_uint_eq(weir_histogram_at_most(&h, 0), 1);
}
END_TEST

START_TEST(longer_than_73_minutes_counts_as_that_long)
{
    weir_histogram_add(&h, 3 * HOUR_NS);
    weir_histogram_add(&h, 4 * HOUR_NS);
    ck_assert_uint_eq(h.sum_ns, (uint64_t)(7 * HOUR_NS));
    ck_assert_int_eq(h.max_ns, 4 * HOUR_NS);
    ck_assert_int_lt(weir_histogram_quantile(&h, 0.5), 2 * HOUR_NS);
    ck_assert_int_eq(weir_histogram_quantile(&h, 1.0), 4 * HOUR_NS);
}
END_TEST

START_TEST(at_most_grows_up_to_the_count)
{
    uint64_t before = 0;

    for (int64_t ns = 1; ns < HOUR_NS; ns *= 3)
        weir_histogram_add(&h, ns);
    for (int64_t ns = 1; ns < HOUR_NS; ns += ns / 7 + 1) {
        uint64_t now = weir_histogram_at_most(&h, ns);

        ck_assert_uint_ge(now, before);
        before = now;
    }
    ck_assert_uint_eq(weir_histogram_at_most(&h, 26), 3); /* 1, 3, 9 */
    ck_assert_uint_eq(weir_histogram_at_most(&h, 27), 4);
    ck_assert_uint_eq(weir_histogram_at_most(&h, h.max_ns), h.count);
}
END_TEST

/* ------------------------------------------------------------------ merging */

START_TEST(two_that_are_merged_are_as_if_all_had_gone_into_one)
{
    static weir_histogram all;

    all = (weir_histogram)WEIR_HISTOGRAM_INIT;
    for (int64_t ns = 1; ns < HOUR_NS; ns = ns * 5 / 4 + 1) {
        weir_histogram_add(ns % 2 ? &h : &other, ns);
        weir_histogram_add(&all, ns);
    }
    weir_histogram_merge(&h, &other);
    ck_assert_mem_eq(&h, &all, sizeof(all));
    weir_histogram_merge(&other, &all);
    ck_assert_int_eq(other.max_ns, all.max_ns);
}
END_TEST

START_TEST(a_workers_is_collected_whole)
{
    static struct weir__histogram worker;

    memset(&worker, 0, sizeof(worker));
    for (int64_t ns = 0; ns < HOUR_NS; ns = ns * 5 / 4 + 1) {
        weir__histogram_note(&worker, ns);
        weir_histogram_add(&other, ns);
    }
    weir__histogram_collect(&h, &worker);
    ck_assert_mem_eq(&h, &other, sizeof(h));
    weir__histogram_note(&worker, -3);
    weir__histogram_collect(&h, &worker);
    ck_assert_uint_eq(h.count, 2 * other.count + 1);
    ck_assert_uint_eq(h.sum_ns, 2 * other.sum_ns);
    ck_assert_int_eq(h.max_ns, other.max_ns);
}
END_TEST

int main(void)
{
    const TTest *const buckets[] = {
        buckets_follow_each_other_without_a_gap,
        an_hour_is_within_and_more_is_in_the_last,
        NULL,
    };
    const TTest *const quantiles[] = {
        no_duration_up_to_an_hour_is_more_than_3_percent_wrong,
        quantiles_are_ranks,
        no_quantile_exceeds_the_maximum_which_is_exact,
        of_nothing_all_figures_are_0,
        longer_than_73_minutes_counts_as_that_long,
        at_most_grows_up_to_the_count,
        NULL,
    };
    const TTest *const merging[] = {
        two_that_are_merged_are_as_if_all_had_gone_into_one,
        a_workers_is_collected_whole,
        NULL,
    };
    const struct chapter chapters[] = {
        {.name = "buckets", .tests = buckets, .setup = setup},
        {.name = "quantiles", .tests = quantiles, .setup = setup},
        {.name = "merging", .tests = merging, .setup = setup},
        {.name = NULL},
    };

    return report("histogram", chapters);
}
