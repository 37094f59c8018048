/* SPDX-License-Identifier: MIT */
/* test_ticks.c - moments by a counter: lines, and stamps that come of them. */
#include "base/ticks.h"

#include <weir/deadline.h>

#include "base/clock.h"
#include "base/stamp.h"
#include "suite.h"
#include "test_clock.h"

enum { FIRST_TICKS = 5000 };
#define FIRST_NS WEIR_SECONDS(7)
#define LINE_NS  WEIR__LINE_NS

static struct weir__ticks ticks;
static uint64_t at_ticks;
static int64_t at_ns;

/* Both go on, and are looked at if it is time. */
static bool go_on(uint64_t more_ticks, int64_t more_ns)
{
    at_ticks += more_ticks;
    at_ns += more_ns;
    if (!weir__ticks_begin(&ticks, at_ns))
        return false;
    weir__ticks_look(&ticks, at_ticks, at_ns);
    return true;
}

/* 0: there is none. */
static int64_t moment_at(uint64_t later)
{
    int64_t ns = 0;

    return weir__ticks_read(&ticks, at_ticks + later, &ns) ? ns : 0;
}

static void begin(void)
{
    ticks = (struct weir__ticks){.given_up = false};
    at_ticks = FIRST_TICKS;
    at_ns = FIRST_NS;
    ck_assert(go_on(0, 0));
}

/* Three ticks are two nanoseconds. */
static void begin_with_a_line(void)
{
    begin();
    ck_assert(go_on(3 * LINE_NS / 2, LINE_NS));
}

START_TEST(one_look_makes_no_line)
{
    ck_assert_int_eq(moment_at(0), 0);
}
END_TEST

START_TEST(nobody_looks_again_too_soon)
{
    ck_assert(!go_on(1000, LINE_NS / 2));
    ck_assert_int_eq(moment_at(0), 0);
}
END_TEST

START_TEST(two_looks_make_a_line)
{
    ck_assert_int_eq(moment_at(0), at_ns);
    ck_assert_int_ge(moment_at(3000), at_ns + 1999);
    ck_assert_int_le(moment_at(3000), at_ns + 2000);
}
END_TEST

START_TEST(a_line_ends)
{
    ck_assert_int_gt(moment_at(3 * LINE_NS / 2 - 2), 0);
    ck_assert_int_eq(moment_at(3 * LINE_NS / 2 + 2), 0);
}
END_TEST

START_TEST(a_line_does_not_go_back)
{
    ck_assert_int_eq(moment_at(UINT64_MAX), 0);
}
END_TEST

START_TEST(a_line_that_ran_ahead_is_met_again)
{
    int64_t ahead = moment_at(3 * LINE_NS / 2 - 2);

    /* The clock has been slewed to go more slowly. */
    ck_assert(go_on(3 * LINE_NS / 2, LINE_NS - 4000));
    ck_assert_int_ge(moment_at(0), ahead);
    ahead = moment_at(0) - at_ns;
    ck_assert_int_gt(ahead, 3000);
    at_ticks += 3 * LINE_NS / 2 - 2;
    at_ns += LINE_NS - 2;
    ck_assert_int_lt(moment_at(0), at_ns + ahead / 4 + 4000);
}
END_TEST

START_TEST(a_line_that_fell_behind_begins_at_the_clock)
{
    ck_assert(go_on(3 * LINE_NS / 2, LINE_NS + 4000));
    ck_assert_int_eq(moment_at(0), at_ns);
}
END_TEST

START_TEST(after_a_long_time_there_is_a_line_again)
{
    ck_assert(go_on(3 * WEIR_SECONDS(50000), 2 * WEIR_SECONDS(50000)));
    ck_assert_int_eq(moment_at(0), at_ns);
    ck_assert_int_gt(moment_at(3000), at_ns);
}
END_TEST

START_TEST(a_look_that_took_too_long_changes_nothing)
{
    at_ns += LINE_NS;
    ck_assert(weir__ticks_begin(&ticks, at_ns));
    weir__ticks_look(&ticks, 0, 0);
    ck_assert(go_on(3 * LINE_NS / 2, 0));
    ck_assert_int_eq(moment_at(0), at_ns);
}
END_TEST

START_TEST(a_look_just_after_anothers_changes_nothing)
{
    weir__ticks_look(&ticks, at_ticks + 1, at_ns + 100);
    ck_assert_int_eq(moment_at(0), at_ns);
    ck_assert(go_on(3 * LINE_NS / 2, LINE_NS));
    ck_assert_int_eq(moment_at(0), at_ns);
}
END_TEST

static void assert_given_up(void)
{
    ck_assert_int_eq(moment_at(0), 0);
    for (int i = 0; i < 4; i++)
        ck_assert(!go_on(3 * LINE_NS / 2, LINE_NS));
    ck_assert_int_eq(moment_at(0), 0);
}

START_TEST(a_counter_that_jumps_is_given_up)
{
    ck_assert(go_on(3 * LINE_NS / 2 + WEIR_SECONDS(1), LINE_NS));
    assert_given_up();
}
END_TEST

START_TEST(a_counter_that_goes_back_is_given_up)
{
    ck_assert(go_on(-(uint64_t)WEIR_MS(1), LINE_NS));
    assert_given_up();
}
END_TEST

START_TEST(a_counter_that_stands_still_is_given_up)
{
    ck_assert(go_on(0, LINE_NS));
    assert_given_up();
}
END_TEST

START_TEST(who_draws_is_alone)
{
    at_ns += LINE_NS;
    ck_assert(weir__ticks_begin(&ticks, at_ns));
    ck_assert(!weir__ticks_begin(&ticks, at_ns));
    weir__ticks_look(&ticks, at_ticks + 3 * LINE_NS / 2, at_ns);
    ck_assert(weir__ticks_begin(&ticks, at_ns + LINE_NS));
}
END_TEST

/* ------------------------------------------------------------------ stamps */

/* Long enough for some lines.  A look may be off by a part of itself. */
START_TEST(a_stamp_is_what_the_clock_says)
{
    int64_t began_ns = weir__now(), slack_ns = 8 * WEIR__LOOK_NS, before_ns;

    weir__stamp_prepare();
    do {
        int64_t stamp_ns;

        before_ns = weir__now();
        stamp_ns = weir__stamp();
        ck_assert_int_ge(stamp_ns, before_ns - slack_ns);
        ck_assert_int_le(stamp_ns, weir__now() + slack_ns);
    } while (before_ns < began_ns + 8 * LINE_NS);
}
END_TEST

START_TEST(a_stamp_is_the_test_clocks)
{
    int64_t now_ns;

    weir__stamp_prepare();
    test_clock_install();
    now_ns = weir__now();
    ck_assert_int_eq(weir__stamp(), now_ns);
    test_clock_advance(WEIR_SECONDS(3));
    ck_assert_int_eq(weir__stamp(), now_ns + WEIR_SECONDS(3));
    test_clock_remove();
}
END_TEST

START_TEST(a_span_is_not_below_nothing)
{
    ck_assert_int_eq(weir__span(5, 12), 7);
    ck_assert_int_eq(weir__span(12, 5), 0);
}
END_TEST

int main(void)
{
    const TTest *const first_looks[] = {one_look_makes_no_line,
                                        nobody_looks_again_too_soon, NULL};
    const TTest *const lines[] = {two_looks_make_a_line,
                                  a_line_ends,
                                  a_line_does_not_go_back,
                                  a_line_that_ran_ahead_is_met_again,
                                  a_line_that_fell_behind_begins_at_the_clock,
                                  after_a_long_time_there_is_a_line_again,
                                  a_look_that_took_too_long_changes_nothing,
                                  a_look_just_after_anothers_changes_nothing,
                                  a_counter_that_jumps_is_given_up,
                                  a_counter_that_goes_back_is_given_up,
                                  a_counter_that_stands_still_is_given_up,
                                  who_draws_is_alone,
                                  NULL};
    const TTest *const stamps[] = {a_stamp_is_what_the_clock_says,
                                   a_stamp_is_the_test_clocks,
                                   a_span_is_not_below_nothing, NULL};
    const struct chapter chapters[] = {{"the first look", first_looks, begin,
                                        NULL, 0, 0},
                                       {"lines", lines, begin_with_a_line, NULL,
                                        0, 0},
                                       {"stamps", stamps, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("ticks", chapters);
}
