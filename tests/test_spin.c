/* SPDX-License-Identifier: MIT */
/* test_spin.c - how long to look again before parking: the rules, no numbers.
 */
#include "base/spin.h"

#include <weir/deadline.h>

#include "helper.h"
#include "suite.h"

/* So many looks are no spinning but a hang; so many parks reach any bound. */
enum { LOOKS_AT_MOST = 100000, PARKS = 64, MANY = 16 };

#define SHORT WEIR_US(1)
#define LONG  WEIR_SECONDS(1)

static struct weir__spin spin;

static uint64_t budget(void)
{
    return weir__counter_read(&spin.yields);
}

static uint64_t yielding(void)
{
    return weir__counter_read(&spin.yielding);
}

static void learn(int64_t parked_ns, int parks)
{
    for (int i = 0; i < parks; i++)
        weir__spin_learn(&spin, parked_ns);
}

/* Looks until it is to park; how often since its start. */
static unsigned spin_out(struct weir__spinner *spinner)
{
    unsigned looks = spinner->looks;

    while (weir__spin_on(&spin, spinner)) {
        looks++;
        ck_assert_uint_eq(spinner->looks, looks);
        if (looks > LOOKS_AT_MOST)
            ck_abort_msg("it spins for ever");
    }
    return looks;
}

/* The same by a spinner that ends. */
static unsigned looks_in_all(void)
{
    struct weir__spinner spinner = {0};
    unsigned looks = spin_out(&spinner);

    weir__spin_end(&spin, &spinner);
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
    weir__spin_end(&spin, &spinner);
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
        weir__spin_end(&spin, &spinners[i]);
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
            weir__spin_end(&spin, &spinners[round ? i : MANY - 1 - i]);
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
    weir__spin_end(&spin, &spinners[at_it]); /* the one that was refused */
    weir__spin_end(&spin, &spinners[0]);
    ck_assert(reach_yield(&late));
    ck_assert(!reach_yield(&later));
}
END_TEST

START_TEST(one_that_ends_at_once_leaves_nothing_behind)
{
    struct weir__spinner spinner = {0};

    weir__spin_init(&spin, (uint32_t)_i + 2);
    weir__spin_end(&spin, &spinner);
    ck_assert_uint_eq(yielding(), 0);
    ck_assert(weir__spin_on(&spin, &spinner));
    weir__spin_end(&spin, &spinner);
    ck_assert_uint_eq(yielding(), 0);
}
END_TEST

/* -------------------------------------------------------------- how long */

static void setup(void)
{
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
    ck_assert_uint_lt(most, LOOKS_AT_MOST);
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

START_TEST(each_yield_of_the_budget_is_a_look)
{
    uint64_t before = bound(LONG);
    unsigned looks = looks_in_all();

    for (int i = 0; i < 8; i++) {
        learn(SHORT, 1);
        ck_assert_uint_eq(looks_in_all(), looks + (budget() - before));
    }
}
END_TEST

START_TEST(a_thread_keeps_the_budget_it_has_begun_with)
{
    struct weir__spinner spinner = {0};
    unsigned looks;

    learn(SHORT, PARKS);
    looks = looks_in_all();
    ck_assert(reach_yield(&spinner));
    learn(LONG, PARKS);
    ck_assert_uint_eq(spin_out(&spinner), looks);
    weir__spin_end(&spin, &spinner);
    ck_assert_uint_lt(looks_in_all(), looks);
}
END_TEST

/* ------------------------------------------------------------ at the same time
 */

static void spin_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        struct weir__spinner spinner = {0};

        for (int looks = 0; looks < i && weir__spin_on(&spin, &spinner);)
            looks++;
        weir__spin_end(&spin, &spinner);
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
    const TTest *const budgets[] = {
        the_budget_has_bounds_and_begins_between_them,
        a_short_park_doubles_the_budget_up_to_its_bound,
        a_long_park_halves_the_budget_down_to_its_bound,
        what_is_short_is_short_up_to_a_limit,
        each_yield_of_the_budget_is_a_look,
        a_thread_keeps_the_budget_it_has_begun_with,
        threads_that_come_and_go_leave_nothing_behind,
        NULL};
    const struct chapter chapters[] = {
        {"one processor", nobody, NULL, NULL, 2, 0},
        {"several processors", many, NULL, NULL, 4, 0},
        {"the budget", budgets, setup, NULL, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("spin", chapters);
}
