/* SPDX-License-Identifier: MIT */
/* test_spin.c - how long to look again before parking: the rules, no numbers.
 */
#include "base/spin.h"

#include <weir/deadline.h>

#include "base/clock.h"
#include "helper.h"
#include "suite.h"

/* So many looks are no spinning but a hang; so many parks reach any bound. */
enum { LOOKS_AT_MOST = 100000, PARKS = 64, MANY = 16 };

/* A clock that moves on by itself whenever it is looked at. */
static struct weir__counter now_ns, tick_ns;

static int64_t tick(void)
{
    uint64_t step_ns = weir__counter_read(&tick_ns);

    return (int64_t)(weir__counter_add(&now_ns, step_ns) + step_ns);
}

static const struct weir__time_source ticking = {.now = tick};

#define SHORT WEIR_US(1)
#define LONG  WEIR_SECONDS(1)

static struct weir__spin spin;

static uint64_t budget(void)
{
    return weir__hint_read(&spin.budget_ns);
}

static uint64_t yielding(void)
{
    return weir__hint_read(&spin.yielding);
}

static void learn(int64_t parked_ns, int parks)
{
    for (int i = 0; i < parks; i++)
        weir__spin_learn(&spin, parked_ns);
}

/* Looks until it is to park; how often. */
static unsigned spin_out(struct weir__spinner *spinner)
{
    unsigned looks = 0;

    while (weir__spin_on(&spin, spinner))
        if (++looks > LOOKS_AT_MOST)
            ck_abort_msg("it spins for ever");
    return looks;
}

/* The same by a spinner that ends. */
static unsigned looks_in_all(void)
{
    struct weir__spinner spinner = {0};
    unsigned looks = spin_out(&spinner);

    weir__spin_end(&spin, &spinner, false);
    return looks;
}

/* Looks until it yields; whether it got so far. */
static bool reach_yield(struct weir__spinner *spinner)
{
    for (int i = 0; i < LOOKS_AT_MOST; i++) {
        bool again = weir__spin_on(&spin, spinner);

        if (spinner->yielding || !again)
            return again;
    }
    ck_abort_msg("it never yields");
}

/* --------------------------------------------------------- how many spin */

/* _i: processors, 0 and 1. */
START_TEST(on_one_processor_nobody_spins)
{
    struct weir__spinner spinner = {0};

    weir__spin_init(&spin, (uint32_t)_i);
    for (int i = 0; i < 3; i++) {
        ck_assert(!weir__spin_on(&spin, &spinner));
        learn(SHORT, PARKS);
    }
    weir__spin_end(&spin, &spinner, false);
    ck_assert_uint_eq(yielding(), 0);
}
END_TEST

/* _i: processors, less 2. */
START_TEST(on_more_than_one_a_thread_looks_again_but_not_for_ever)
{
    weir__spin_init(&spin, (uint32_t)_i + 2);
    ck_assert_uint_gt(looks_in_all(), 0);
    learn(LONG, PARKS);
    ck_assert_uint_gt(looks_in_all(), 0);
    ck_assert_uint_eq(yielding(), 0);
}
END_TEST

START_TEST(no_more_threads_yield_than_there_are_processors)
{
    struct weir__spinner spinners[MANY] = {{0}};
    int processors = _i + 2, at_it = 0;

    weir__spin_init(&spin, (uint32_t)processors);
    for (int i = 0; i < MANY; i++)
        at_it += reach_yield(&spinners[i]);
    ck_assert_int_gt(at_it, 0);
    ck_assert_int_le(at_it, processors);
    for (int i = 0; i < MANY; i++)
        weir__spin_end(&spin, &spinners[i], false);
    ck_assert_uint_eq(yielding(), 0);
}
END_TEST

START_TEST(when_all_have_ended_as_many_may_yield_again)
{
    int processors = _i + 2, at_first = 0;

    weir__spin_init(&spin, (uint32_t)processors);
    for (int round = 0; round < 3; round++) {
        struct weir__spinner spinners[MANY] = {{0}};
        int at_it = 0;

        for (int i = 0; i < MANY; i++)
            at_it += reach_yield(&spinners[i]);
        if (round == 0)
            at_first = at_it;
        ck_assert_int_eq(at_it, at_first);
        for (int i = MANY; i-- > 0;) /* whoever leaves first */
            weir__spin_end(&spin, &spinners[round ? i : MANY - 1 - i], false);
    }
}
END_TEST

START_TEST(one_that_ends_makes_way_for_one_other)
{
    struct weir__spinner spinners[MANY] = {{0}}, late = {0}, later = {0};
    int at_it = 0;

    weir__spin_init(&spin, (uint32_t)_i + 2);
    while (at_it < MANY && reach_yield(&spinners[at_it]))
        at_it++;
    weir__spin_end(&spin, &spinners[at_it],
                   false); /* the one that was refused */
    weir__spin_end(&spin, &spinners[0], false);
    ck_assert(reach_yield(&late));
    ck_assert(!reach_yield(&later));
}
END_TEST

START_TEST(one_that_ends_at_once_leaves_nothing_behind)
{
    struct weir__spinner spinner = {0};

    weir__spin_init(&spin, (uint32_t)_i + 2);
    weir__spin_end(&spin, &spinner, false);
    ck_assert_uint_eq(yielding(), 0);
    ck_assert(weir__spin_on(&spin, &spinner));
    weir__spin_end(&spin, &spinner, false);
    ck_assert_uint_eq(yielding(), 0);
}
END_TEST

/* --------------------------------------------------- what pauses brought */

/* One spin in which it comes with the first yield, or at the first look; how
 * often it has paused. */
static unsigned spin_until(bool yield)
{
    struct weir__spinner spinner = {0};

    if (yield)
        ck_assert(reach_yield(&spinner));
    else
        ck_assert(weir__spin_on(&spin, &spinner));
    weir__spin_end(&spin, &spinner, true);
    return spinner.pauses;
}

START_TEST(pauses_in_vain_become_fewer_and_then_none)
{
    unsigned most = spin_until(true);

    ck_assert_uint_gt(most, 0);
    for (unsigned left = most; left-- > 0;)
        ck_assert_uint_eq(spin_until(true), left);
    ck_assert_uint_eq(spin_until(true), 0);
}
END_TEST

START_TEST(pauses_in_vain_are_tried_again_now_and_then)
{
    unsigned most = spin_until(true), tried = 0;

    for (int i = 0; i < 160; i++)
        tried += spin_until(true) == most;
    ck_assert_uint_ge(tried, 5);
    ck_assert_uint_le(tried, 20);
}
END_TEST

START_TEST(once_pauses_bring_it_they_are_all_back)
{
    unsigned most = spin_until(true);

    ck_assert_uint_lt(spin_until(true), most);
    ck_assert_uint_eq(spin_until(false), 1);
    ck_assert_uint_eq(spin_until(true), most);
}
END_TEST

START_TEST(a_spin_that_ends_in_a_park_says_nothing_about_pauses)
{
    unsigned most = spin_until(true);

    (void)looks_in_all();
    ck_assert_uint_eq(spin_until(true), most - 1);
}
END_TEST

/* -------------------------------------------------------------- how long */

static void clock_setup(void)
{
    weir__counter_write(&now_ns, (uint64_t)WEIR_SECONDS(1));
    weir__counter_write(&tick_ns, (uint64_t)WEIR_US(1));
    weir__clock_use(&ticking);
}

static void clock_teardown(void)
{
    weir__clock_use(NULL);
}

static void setup(void)
{
    clock_setup();
    weir__spin_init(&spin, 4);
}

static uint64_t bound(int64_t parked_ns)
{
    learn(parked_ns, PARKS);
    return budget();
}

START_TEST(the_budget_has_bounds_and_begins_between_them)
{
    uint64_t first = budget(), least = bound(LONG), most = bound(SHORT);

    ck_assert_uint_ge(least, 1);
    ck_assert_uint_lt(least, most);
    ck_assert_uint_le(least, first);
    ck_assert_uint_le(first, most);
}
END_TEST

START_TEST(a_short_park_doubles_the_budget_up_to_its_bound)
{
    uint64_t most = bound(SHORT), before = bound(LONG);

    for (int i = 0; i < PARKS; i++) {
        learn(SHORT, 1);
        ck_assert_uint_eq(budget(), before * 2 < most ? before * 2 : most);
        before = budget();
    }
}
END_TEST

START_TEST(a_long_park_halves_the_budget_down_to_its_bound)
{
    uint64_t least = bound(LONG), before = bound(SHORT);

    for (int i = 0; i < PARKS; i++) {
        learn(LONG, 1);
        ck_assert_uint_eq(budget(), before / 2 > least ? before / 2 : least);
        before = budget();
    }
}
END_TEST

START_TEST(what_is_short_is_short_up_to_a_limit)
{
    int64_t limit_ns = 0;

    for (int64_t ns = SHORT; ns < LONG; ns *= 2) {
        uint64_t before = bound(LONG);

        learn(ns, 1);
        ck_assert(budget() == before || limit_ns == 0);
        if (budget() == before && limit_ns == 0)
            limit_ns = ns;
    }
    ck_assert_int_gt(limit_ns, SHORT);
}
END_TEST

START_TEST(the_more_budget_the_more_looks)
{
    unsigned few, many;

    learn(LONG, PARKS);
    few = looks_in_all();
    learn(SHORT, PARKS);
    many = looks_in_all();
    ck_assert_uint_lt(few, many);
    ck_assert_uint_eq(looks_in_all(), many);
}
END_TEST

START_TEST(a_thread_keeps_the_budget_it_has_begun_with)
{
    struct weir__spinner spinner = {0}, other = {0};
    unsigned most;

    learn(SHORT, PARKS);
    ck_assert(reach_yield(&other));
    most = spin_out(&other);
    ck_assert(reach_yield(&spinner));
    learn(LONG, PARKS);
    ck_assert_uint_eq(spin_out(&spinner), most);
    weir__spin_end(&spin, &spinner, false);
    weir__spin_end(&spin, &other, false);
}
END_TEST

START_TEST(on_a_clock_that_stands_still_it_ends_all_the_same)
{
    weir__counter_write(&tick_ns, 0);
    ck_assert_uint_gt(looks_in_all(), 0);
}
END_TEST

START_TEST(after_a_yield_that_took_long_nobody_yields_for_a_while)
{
    struct weir__spinner unlucky = {0}, banned = {0}, later = {0};

    learn(SHORT, PARKS);
    weir__counter_write(&tick_ns, (uint64_t)WEIR_US(100));
    ck_assert(reach_yield(&unlucky));
    ck_assert(!weir__spin_on(&spin, &unlucky));
    weir__counter_write(&tick_ns, (uint64_t)WEIR_US(1));
    ck_assert(!reach_yield(&banned));
    weir__counter_add(&now_ns, (uint64_t)LONG);
    ck_assert(reach_yield(&later));
    weir__spin_end(&spin, &unlucky, false);
    weir__spin_end(&spin, &banned, false);
    weir__spin_end(&spin, &later, false);
    ck_assert_uint_eq(yielding(), 0);
}
END_TEST

/* -------------------------------------------------------- at the same time */

static void spin_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        struct weir__spinner spinner = {0};

        for (int looks = 0; looks < i && weir__spin_on(&spin, &spinner);)
            looks++;
        weir__spin_end(&spin, &spinner, false);
        weir__spin_learn(&spin, i % 2 ? SHORT : LONG);
    }
}

START_TEST(threads_that_come_and_go_leave_nothing_behind)
{
    struct helper helpers[4];
    uint64_t least = bound(LONG), most = bound(SHORT);

    for (int i = 0; i < 4; i++)
        helper_start(&helpers[i], spin_often, NULL);
    helpers_join(helpers, 4);
    ck_assert_uint_eq(yielding(), 0);
    ck_assert_uint_ge(budget(), least);
    ck_assert_uint_le(budget(), most);
}
END_TEST

int main(void)
{
    const TTest *const nobody[] = {on_one_processor_nobody_spins, NULL};
    const TTest *const many[] = {
        on_more_than_one_a_thread_looks_again_but_not_for_ever,
        no_more_threads_yield_than_there_are_processors,
        when_all_have_ended_as_many_may_yield_again,
        one_that_ends_makes_way_for_one_other,
        one_that_ends_at_once_leaves_nothing_behind,
        NULL};
    const TTest *const pauses[] = {
        pauses_in_vain_become_fewer_and_then_none,
        pauses_in_vain_are_tried_again_now_and_then,
        once_pauses_bring_it_they_are_all_back,
        a_spin_that_ends_in_a_park_says_nothing_about_pauses, NULL};
    const TTest *const budgets[] = {
        the_budget_has_bounds_and_begins_between_them,
        a_short_park_doubles_the_budget_up_to_its_bound,
        a_long_park_halves_the_budget_down_to_its_bound,
        what_is_short_is_short_up_to_a_limit,
        the_more_budget_the_more_looks,
        a_thread_keeps_the_budget_it_has_begun_with,
        on_a_clock_that_stands_still_it_ends_all_the_same,
        after_a_yield_that_took_long_nobody_yields_for_a_while,
        threads_that_come_and_go_leave_nothing_behind,
        NULL};
    const struct chapter chapters[] = {
        {"one processor", nobody, clock_setup, clock_teardown, 2, 0},
        {"several processors", many, clock_setup, clock_teardown, 4, 0},
        {"pauses", pauses, setup, clock_teardown, 0, 0},
        {"the budget", budgets, setup, clock_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("spin", chapters);
}
