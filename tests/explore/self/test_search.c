/* SPDX-License-Identifier: MIT */
/* test_search.c - the explorer finds every bug, and nothing else. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic.h"
#include "broken.h"
#include "fiber.h"
#include "stage.h"
#include "suite.h"
#include "trial.h"

/* --------------------------------------------------------------- the search */

static struct weir__counter counter;

static void add_twice(void *arg)
{
    (void)arg;
    weir__counter_add(&counter, 1);
    weir__counter_add(&counter, 1);
}

static void two_that_add(void)
{
    counter.value = 0;
    both(add_twice, add_twice);
    must(counter.value == 4);
}

/* Each of the two has three parts: before, between and after its additions;
 * behind the first one's comes a part of the thread that joins it.  So four in
 * a row meet three in a row. */
START_TEST(an_exhaustive_search_has_every_schedule_once)
{
    struct scenario scenario = bare(two_that_add);

    run_bound(&scenario, 99);
    ck_assert(findings.exhausted);
    ck_assert_uint_eq(findings.executions, 35); /* 7 over 3 */
}
END_TEST

START_TEST(a_preemption_bound_leaves_out_the_rest)
{
    struct scenario scenario = bare(two_that_add);

    run_bound(&scenario, 0);
    ck_assert_uint_eq(findings.executions, 3);
    run_bound(&scenario, 1);
    ck_assert_uint_gt(findings.executions, 3);
    ck_assert_uint_lt(findings.executions, 35);
}
END_TEST

/* ------------------------------------------------------ states that repeat */

static struct findings
run_once(const struct scenario *scenario, unsigned bound, bool buffered)
{
    struct search search = search_of(scenario, STRATEGY_EXHAUSTIVE);

    search.plan.bound = bound;
    search.rules.store_buffer = buffered;
    search_run(&search, &findings);
    return findings;
}

static struct weir__counter other_counter;

static void add_to_the_other(void *arg)
{
    (void)arg;
    weir__counter_add(&other_counter, 1);
    weir__counter_add(&other_counter, 1);
}

static void two_that_add_apart(void)
{
    both(add_twice, add_to_the_other);
}

static void look_at_it(void *arg)
{
    (void)arg;
    (void)weir__counter_read(&counter);
    (void)weir__counter_read(&counter);
}

static void two_that_look(void)
{
    both(look_at_it, look_at_it);
}

static void add_and_look(void)
{
    both(add_twice, look_at_it);
}

START_TEST(what_nobody_can_tell_apart_is_one_end)
{
    struct scenario apart = bare(two_that_add_apart);
    struct scenario looking = bare(two_that_look);
    struct scenario adding = bare(two_that_add);
    struct scenario both_of_it = bare(add_and_look);

    ck_assert_uint_eq(run_once(&apart, 99, false).ends, 1);
    ck_assert_uint_lt(findings.executions, 35);
    ck_assert_uint_eq(run_once(&looking, 99, false).ends, 1);
    /* Four additions in the order of their threads: 4 over 2. */
    ck_assert_uint_eq(run_once(&adding, 99, false).ends, 6);
    /* Each look sees 0, 1 or 2, and the second no less. */
    ck_assert_uint_eq(run_once(&both_of_it, 99, false).ends, 6);
}
END_TEST

/* All there is, and what is left of it if each state is gone on from once. */
START_TEST(each_state_once_comes_to_the_same_ends)
{
    broken_bug = BUG_NONE;
    for (unsigned buffered = 0; buffered < 2; buffered++)
        for (size_t i = 0; broken_scenarios[i].name; i++) {
            struct search search =
                search_of(&broken_scenarios[i], STRATEGY_EXHAUSTIVE);
            struct findings once =
                run_once(&broken_scenarios[i], 1, buffered != 0);

            search.plan.bound = 1;
            search.plan.repeats = true;
            search.rules.store_buffer = buffered != 0;
            search_run(&search, &findings);
            ck_assert(once.exhausted && findings.exhausted);
            ck_assert_uint_eq(once.ends, findings.ends);
            ck_assert(once.sum == findings.sum);
            ck_assert_uint_lt(once.executions, findings.executions);
        }
}
END_TEST

static void add_carelessly(void *arg)
{
    uint64_t value = weir__counter_read(&counter);

    (void)arg;
    weir__counter_write(&counter, value + 1);
}

static void two_careless(void)
{
    counter.value = 0;
    both(add_carelessly, add_carelessly);
    must(counter.value == 2);
}

START_TEST(a_lost_update_takes_one_preemption)
{
    struct scenario scenario = bare(two_careless);

    run_bound(&scenario, 0);
    ck_assert(findings.exhausted && !findings.failed);
    run_bound(&scenario, 1);
    ck_assert(findings.failed);
    ck_assert_ptr_nonnull(strstr(findings.what, "counter.value == 2"));
}
END_TEST

static const struct scenario *const broken[] = {&broken_scenarios[0],
                                                &broken_scenarios[1],
                                                &broken_scenarios[2]};

static bool is_found_by(enum strategy strategy)
{
    for (size_t i = 0; i < 3; i++) {
        run(broken[i], strategy);
        if (findings.failed)
            return true;
    }
    return false;
}

START_TEST(every_strategy_finds_every_bug)
{
    broken_bug = (enum bug)(_i + 1);
    ck_assert_msg(is_found_by(STRATEGY_RANDOM), "random: bug %d", _i + 1);
    ck_assert_msg(is_found_by(STRATEGY_PCT), "pct: bug %d", _i + 1);
    ck_assert_msg(is_found_by(STRATEGY_MIX), "mix: bug %d", _i + 1);
    ck_assert_msg(is_found_by(STRATEGY_EXHAUSTIVE), "exhaustive: bug %d",
                  _i + 1);
}
END_TEST

START_TEST(nothing_is_found_where_there_is_nothing)
{
    broken_bug = BUG_NONE;
    for (size_t i = 0; i < 3; i++) {
        run(broken[i], STRATEGY_MIX);
        ck_assert_msg(!findings.failed, "%s", findings.what);
        run(broken[i], STRATEGY_EXHAUSTIVE);
        ck_assert_msg(!findings.failed && findings.exhausted, "%s",
                      findings.what);
    }
}
END_TEST

START_TEST(a_schedule_that_failed_fails_again)
{
    char text[4096], words[512];
    struct search search;
    static struct schedule schedule;

    broken_bug = (enum bug)(_i + 1);
    ck_assert(is_found_by(STRATEGY_MIX));
    schedule_write(&findings.schedule, text, sizeof(text));
    ck_assert(schedule_read(&schedule, text));
    ck_assert_uint_eq(schedule.count, findings.schedule.count);
    snprintf(words, sizeof(words), "%s", findings.what);
    for (size_t i = 0; i < 3; i++) {
        search = search_of(broken[i], STRATEGY_REPLAY);
        search.plan.schedule = &schedule;
        if (search_replay(&search) && strcmp(world_failure(), words) == 0)
            return;
    }
    ck_abort_msg("%s does not fail again: %s", text, words);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_schedules_on_both_kinds_of_fiber)
{
    uint64_t native, portable;

    broken_bug = BUG_NONE;
    run(broken[_i], STRATEGY_MIX);
    native = findings.digest;
    fiber_use(FIBER_UCONTEXT);
    run(broken[_i], STRATEGY_MIX);
    portable = findings.digest;
    fiber_use(FIBER_NATIVE);
    ck_assert(!findings.failed);
    ck_assert(native == portable);
}
END_TEST

START_TEST(another_seed_gives_others)
{
    struct search search = search_of(broken[0], STRATEGY_MIX);
    uint64_t first;

    broken_bug = BUG_NONE;
    search_run(&search, &findings);
    first = findings.digest;
    search.seed = 1000000;
    search_run(&search, &findings);
    ck_assert(first != findings.digest);
}
END_TEST

START_TEST(what_is_no_schedule_is_refused)
{
    static struct schedule schedule;

    ck_assert(schedule_read(&schedule, "a3bZ"));
    ck_assert_uint_eq(schedule.count, 5);
    ck_assert(!schedule_read(&schedule, "a-b"));
    ck_assert(!schedule_read(&schedule, "3a"));
}
END_TEST

int main(void)
{
    const TTest *const searching[] = {
        an_exhaustive_search_has_every_schedule_once,
        a_preemption_bound_leaves_out_the_rest,
        what_nobody_can_tell_apart_is_one_end,
        each_state_once_comes_to_the_same_ends,
        a_lost_update_takes_one_preemption,
        nothing_is_found_where_there_is_nothing,
        another_seed_gives_others,
        what_is_no_schedule_is_refused,
        NULL,
    };
    const TTest *const of_each_bug[] = {
        every_strategy_finds_every_bug,
        a_schedule_that_failed_fails_again,
        NULL,
    };
    const TTest *const of_each_scenario[] = {
        the_same_seed_gives_the_same_schedules_on_both_kinds_of_fiber,
        NULL,
    };
    const struct chapter chapters[] = {
        {"searching", searching, NULL, NULL, 0, 0},
        {"of each bug", of_each_bug, NULL, NULL, BUGS - 1, 0},
        {"of each scenario", of_each_scenario, NULL, NULL, 3, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("explore: search", chapters);
}
