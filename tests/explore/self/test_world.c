/* SPDX-License-Identifier: MIT */
/* test_world.c - what goes wrong in a world is seen and said. */
#include <check.h>
#include <signal.h>
#include <string.h>

#include "base/atomic.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/lock.h"
#include "choice.h"
#include "stage.h"
#include "suite.h"
#include "trial.h"

static struct weir__counter counter;
static uint64_t seen[2];

/* --------------------------------------------------------- what is reported */

static struct weir__mutex locks[2];

static WEIR_TRUST_ME void take_both(void *arg)
{
    unsigned first = arg != NULL;

    weir__mutex_lock(&locks[first]);
    world_step("thinks", NULL, NULL);
    weir__mutex_lock(&locks[!first]);
    weir__mutex_unlock(&locks[!first]);
    weir__mutex_unlock(&locks[first]);
}

static void crosswise(void)
{
    world_lock_init(&locks[0].seam, WORLD_UNRANKED);
    world_lock_init(&locks[1].seam, WORLD_UNRANKED);
    world_spawn(take_both, NULL, NULL);
    world_spawn(take_both, NULL, &locks);
    world_join(1);
    world_join(2);
}

START_TEST(a_deadlock_says_who_waits_for_what)
{
    struct scenario scenario = bare(crosswise);

    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert(findings.failed);
    ck_assert_ptr_nonnull(strstr(findings.what, "deadlock"));
    ck_assert_ptr_nonnull(strstr(findings.what, "thread 0 joins"));
    ck_assert_ptr_nonnull(strstr(findings.what, "thread 1 wants locks"));
    ck_assert_ptr_nonnull(strstr(findings.what, "thread 2 wants locks"));
}
END_TEST

static WEIR_TRUST_ME void against_the_order(void)
{
    (void)weir__mutex_init(&locks[0], WEIR__RANK_POOL);
    (void)weir__mutex_init(&locks[1], WEIR__RANK_QUEUE);
    weir__mutex_lock(&locks[0]);
    weir__mutex_lock(&locks[1]);
}

START_TEST(locks_are_taken_in_order)
{
    struct scenario scenario = bare(against_the_order);

    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert(findings.failed);
    ck_assert_ptr_nonnull(strstr(findings.what, "lock order"));
}
END_TEST

static void poll(void *arg)
{
    (void)arg;
    while (!weir__counter_read(&counter))
        weir__cpu_pause();
}

static void set(void *arg)
{
    (void)arg;
    weir__counter_write(&counter, 1);
}

static void poll_in_vain(void)
{
    counter.value = 0;
    both(poll, poll);
}

static void poll_for_what_comes(void)
{
    counter.value = 0;
    both(poll, set);
}

START_TEST(polling_in_vain_is_seen)
{
    struct scenario scenario = bare(poll_in_vain);

    run(&scenario, STRATEGY_RANDOM);
    ck_assert(findings.failed);
    ck_assert_ptr_nonnull(strstr(findings.what, "in circles"));
}
END_TEST

START_TEST(polling_for_what_comes_ends)
{
    struct scenario scenario = bare(poll_for_what_comes);

    run(&scenario, STRATEGY_MIX);
    ck_assert_msg(!findings.failed, "%s", findings.what);
    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert_msg(!findings.failed && findings.exhausted, "%s", findings.what);
}
END_TEST

static void crash(void)
{
    world_step("thinks", NULL, NULL);
    raise(SIGSEGV);
}

START_TEST(a_crash_is_a_finding)
{
    struct scenario scenario = bare(crash);

    for (int i = 0; i < 3; i++) {
        run(&scenario, STRATEGY_RANDOM);
        ck_assert(findings.failed);
        ck_assert_ptr_nonnull(strstr(findings.what, "crash"));
    }
}
END_TEST

static void touch_late(void)
{
    struct weir__counter *late = weir__allocate(sizeof(*late));

    weir__release(late);
    (void)weir__counter_read(late);
}

static void release_twice(void)
{
    void *memory = weir__allocate(100);

    weir__release(memory);
    weir__release(memory);
}

static void touch_beyond(void)
{
    struct weir__counter *counters = weir__allocate_many(8, sizeof(*counters));

    (void)weir__counter_read(&counters[16]);
}

START_TEST(memory_is_watched)
{
    void (*const acts[])(void) = {touch_late, release_twice, touch_beyond};
    struct scenario scenario = bare(acts[_i]);

    run(&scenario, STRATEGY_RANDOM);
    ck_assert(findings.failed);
    ck_assert_ptr_nonnull(strstr(findings.what, "memory is"));
}
END_TEST

static void leave_it_there(void)
{
    stage_open(1);
    (void)weir__allocate(1);
}

START_TEST(memory_that_is_left_is_found)
{
    struct scenario scenario = {.name = "leak",
                                .run = leave_it_there,
                                .threads = 1,
                                .play = scenario_play};

    run(&scenario, STRATEGY_RANDOM);
    ck_assert(findings.failed);
    ck_assert_ptr_nonnull(strstr(findings.what, "1 blocks of memory"));
}
END_TEST

static void allocate_thrice(void)
{
    unsigned refused = 0;

    for (int i = 0; i < 3; i++)
        refused += weir__allocate(1) == NULL;
    seen[0] |= 1u << refused;
}

START_TEST(memory_runs_out_in_every_way)
{
    struct scenario scenario = bare(allocate_thrice);

    scenario.failures = 2;
    seen[0] = 0;
    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert(findings.exhausted);
    ck_assert_uint_eq(findings.executions, 7); /* all but three refusals */
    ck_assert_uint_eq(seen[0], 7);
}
END_TEST

/* --------------------------------------------------- ends, own variables */

static char order[8];

static void note_in_order(const char *what)
{
    strncat(order, what, sizeof(order) - strlen(order) - 1);
}

static void clean(void *arg)
{
    note_in_order(arg);
}

static void end_in_the_middle(void *arg)
{
    static char first[] = "1", second[] = "2";

    (void)arg;
    world_push_cleanup(clean, first);
    world_push_cleanup(clean, second);
    world_exit();
}

/* Ends the thread once more. */
static void note_the_end(void *arg)
{
    (void)arg;
    note_in_order("e");
    if (!strchr(order, 'f')) {
        note_in_order("f");
        world_exit();
    }
}

static void start_and_join(void)
{
    order[0] = '\0';
    world_join(world_spawn(end_in_the_middle, note_the_end, NULL));
    must(strcmp(order, "21efe") == 0);
}

START_TEST(a_thread_may_end_in_the_middle)
{
    struct scenario scenario = bare(start_and_join);

    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert_msg(findings.exhausted, "%s", findings.what);
}
END_TEST

static void has_its_own_error(void *arg)
{
    const char *mine = arg ? "mine" : "yours";

    must(*weir_last_error() == '\0');
    (void)weir__refuse(WEIR_EINVAL, "%s", mine);
    world_step("waits a little", NULL, NULL);
    must(strcmp(weir_last_error(), mine) == 0);
}

static void each_its_own(void)
{
    world_spawn(has_its_own_error, NULL, NULL);
    world_spawn(has_its_own_error, NULL, order);
    world_join(1);
    world_join(2);
    must(*weir_last_error() == '\0');
}

START_TEST(each_thread_has_its_own_variables)
{
    struct scenario scenario = bare(each_its_own);

    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert_msg(findings.exhausted, "%s", findings.what);
    ck_assert_uint_gt(findings.executions, 1);
}
END_TEST

static void nothing_to_choose(void)
{
    choice_hush(true);
    (void)weir__allocate(1);
    both(set, poll);
    choice_hush(false);
}

START_TEST(what_is_hushed_takes_no_choice)
{
    struct scenario scenario = bare(nothing_to_choose);

    scenario.failures = 1;
    run(&scenario, STRATEGY_EXHAUSTIVE);
    ck_assert(findings.exhausted);
    ck_assert_uint_eq(findings.executions, 1);
}
END_TEST

int main(void)
{
    const TTest *const reporting[] = {
        a_deadlock_says_who_waits_for_what,
        locks_are_taken_in_order,
        polling_in_vain_is_seen,
        polling_for_what_comes_ends,
        a_crash_is_a_finding,
        memory_that_is_left_is_found,
        memory_runs_out_in_every_way,
        NULL,
    };
    const TTest *const living[] = {
        a_thread_may_end_in_the_middle,
        each_thread_has_its_own_variables,
        what_is_hushed_takes_no_choice,
        NULL,
    };
    const TTest *const watching[] = {memory_is_watched, NULL};
    const struct chapter chapters[] = {{"reporting", reporting,
                                        world_catch_crashes, NULL, 0, 0},
                                       {"living", living, NULL, NULL, 0, 0},
                                       {"watching", watching, NULL, NULL, 3, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("explore: world", chapters);
}
