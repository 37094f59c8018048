/* SPDX-License-Identifier: MIT */
/* test_semaphore.c - so many at once, first come first served. */
#include <weir/semaphore.h>

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/pool.h>

#include "base/fault.h"
#include "crashes.h"
#include "faults.h"
#include "limit/fronts.h"
#include "limit/permits.h"
#include "pools.h"
#include "suite.h"

static weir_semaphore *semaphore;

static void make(size_t permits)
{
    ck_assert_int_eq(weir_semaphore_create(&semaphore, permits), WEIR_OK);
}

static void setup(void)
{
    test_clock_install();
}

static void teardown(void)
{
    weir__fault_arm(0);
    weir_semaphore_destroy(semaphore);
    semaphore = NULL;
    test_clock_remove();
}

static void assert_free(size_t permits)
{
    ck_assert_uint_eq(weir_semaphore_available(semaphore), permits);
}

static weir_status acquire_now(size_t permits)
{
    return weir_semaphore_acquire(semaphore, permits, WEIR_NOW);
}

static void must_acquire(size_t permits)
{
    ck_assert_int_eq(acquire_now(permits), WEIR_OK);
}

static void must_release(size_t permits)
{
    ck_assert_int_eq(weir_semaphore_release(semaphore, permits), WEIR_OK);
}

/* A thread that acquires and waits for a moment of its own. */
struct asker {
    struct helper helper;
    size_t permits;
    weir_deadline deadline;
    weir_status status;
};

static void ask(void *arg)
{
    struct asker *asker = arg;

    asker->status =
        weir_semaphore_acquire(semaphore, asker->permits, asker->deadline);
}

static void start_asker(struct asker *asker, size_t permits, int64_t second)
{
    asker->permits = permits;
    asker->deadline.at_ns = WEIR_SECONDS(5000 + second);
    helper_start(&asker->helper, ask, asker);
    test_clock_await_waiter(asker->deadline.at_ns);
}

static weir_status end_asker(struct asker *asker)
{
    helper_join(&asker->helper);
    return asker->status;
}

/* -------------------------------------------------------------- one thread */

/* Whether the next call can do without the lock. */
static bool is_open(void)
{
    struct weir__on_tray on;

    return weir__tray_read(&weir__semaphore_as_limit(semaphore)->tray, &on);
}

START_TEST(permits_are_taken_and_given_back)
{
    make(3);
    assert_free(3);
    must_acquire(2);
    assert_free(1);
    must_release(2);
    assert_free(3);
}
END_TEST

START_TEST(what_is_not_there_is_not_waited_for_with_now)
{
    make(2);
    must_acquire(2);
    ck_assert_int_eq(acquire_now(1), WEIR_TIMED_OUT);
    assert_free(0);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 0);
}
END_TEST

START_TEST(a_release_of_more_than_is_held_changes_nothing)
{
    make(3);
    must_acquire(2);
    ck_assert_int_eq(weir_semaphore_release(semaphore, 3), WEIR_EINVAL);
    assert_error_names("3 permits");
    assert_free(1);
    ck_assert_int_eq(weir_semaphore_release(semaphore, 0), WEIR_EINVAL);
    must_release(2);
    ck_assert_int_eq(weir_semaphore_release(semaphore, 1), WEIR_EINVAL);
    assert_free(3);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    ck_assert_int_eq(weir_semaphore_create(NULL, 1), WEIR_EINVAL);
    ck_assert_int_eq(weir_semaphore_create(&semaphore, 0), WEIR_EINVAL);
    ck_assert_ptr_null(semaphore);
    make(3);
    ck_assert_int_eq(acquire_now(0), WEIR_EINVAL);
    ck_assert_int_eq(acquire_now(4), WEIR_EINVAL);
    assert_error_names("4 permits");
    ck_assert_int_eq(weir_semaphore_acquire(NULL, 1, WEIR_NOW), WEIR_EINVAL);
    ck_assert_int_eq(weir_semaphore_release(NULL, 1), WEIR_EINVAL);
    ck_assert_uint_eq(weir_semaphore_available(NULL), 0);
    ck_assert_uint_eq(weir_semaphore_waiting(NULL), 0);
    weir_semaphore_destroy(NULL);
}
END_TEST

START_TEST(there_may_be_more_than_the_tray_takes)
{
    const size_t totals[] = {WEIR__MOST_ON_TRAY, WEIR__MOST_ON_TRAY + 1,
                             SIZE_MAX};
    size_t total = totals[_i];

    make(total);
    ck_assert(is_open() == (_i == 0));
    must_acquire(total);
    ck_assert_int_eq(acquire_now(1), WEIR_TIMED_OUT);
    must_release(total - 1);
    assert_free(total - 1);
    ck_assert_int_eq(weir_semaphore_release(semaphore, 2), WEIR_EINVAL);
    must_acquire(total - 1);
    must_release(total);
    assert_free(total);
}
END_TEST

static weir_status try_create(void *arg)
{
    (void)arg;
    return weir_semaphore_create(&semaphore, 1);
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

    make(2);
    child = fork();
    if (child == 0) {
        bool right = acquire_now(1) == WEIR_FORKED &&
                     weir_semaphore_release(semaphore, 1) == WEIR_FORKED &&
                     weir_semaphore_available(semaphore) == 0;

        weir_semaphore_destroy(semaphore);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    assert_free(2);
}
END_TEST

/* ----------------------------------------------------------------- waiting */

START_TEST(a_release_hands_over_to_the_first_in_the_line)
{
    struct asker first = {.permits = 0}, second = {.permits = 0};

    make(1);
    must_acquire(1);
    start_asker(&first, 1, 1);
    start_asker(&second, 1, 2);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 2);
    must_release(1);
    ck_assert_int_eq(end_asker(&first), WEIR_OK);
    assert_free(0);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 1);
    must_release(1);
    ck_assert_int_eq(end_asker(&second), WEIR_OK);
    must_release(1);
}
END_TEST

START_TEST(a_big_request_at_the_head_is_not_overtaken)
{
    struct asker big = {.permits = 0}, small = {.permits = 0};

    make(3);
    must_acquire(2);
    start_asker(&big, 3, 1);
    ck_assert_int_eq(acquire_now(1), WEIR_TIMED_OUT);
    start_asker(&small, 1, 2);
    must_release(1);
    assert_free(2);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 2);
    must_release(1);
    ck_assert_int_eq(end_asker(&big), WEIR_OK);
    must_release(3);
    ck_assert_int_eq(end_asker(&small), WEIR_OK);
    must_release(1);
    assert_free(3);
}
END_TEST

START_TEST(one_that_gives_up_lets_those_behind_it_pass)
{
    struct asker big = {.permits = 0}, small = {.permits = 0};

    make(3);
    must_acquire(2);
    start_asker(&big, 2, 1);
    start_asker(&small, 1, 2);
    ck_assert(!is_open());
    test_clock_advance(big.deadline.at_ns - test_clock_now());
    ck_assert_int_eq(end_asker(&big), WEIR_TIMED_OUT);
    ck_assert_int_eq(end_asker(&small), WEIR_OK);
    ck_assert(is_open());
    assert_free(0);
    must_release(3);
}
END_TEST

START_TEST(what_is_granted_with_the_deadline_is_granted)
{
    struct asker asker = {.permits = 0};

    make(1);
    must_acquire(1);
    start_asker(&asker, 1, 1);
    test_clock_hold(asker.deadline.at_ns);
    test_clock_advance(asker.deadline.at_ns - test_clock_now());
    must_release(1);
    test_clock_release(asker.deadline.at_ns);
    ck_assert_int_eq(end_asker(&asker), WEIR_OK);
    assert_free(0);
    must_release(1);
}
END_TEST

/* ---------------------------------------------------------------- attempts */

static void attempts_setup(void)
{
    pool_setup();
    make(3);
}

static void attempts_teardown(void)
{
    pool_teardown();
    assert_free(3);
    weir_semaphore_destroy(semaphore);
    semaphore = NULL;
}

static int act_acquire(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    must_acquire(2);
    return 0;
}

static int act_acquire_and_fail(weir_task *task, struct job *job)
{
    act_acquire(task, job);
    return weir_task_fail(task, 1, "no");
}

static int act_acquire_and_raise(weir_task *task, struct job *job)
{
    act_acquire(task, job);
    weir_task_raise(task, 1, "no");
}

static int act_acquire_and_exit(weir_task *task, struct job *job)
{
    act_acquire(task, job);
    pthread_exit(NULL);
    return 0;
}

static int act_acquire_and_wait(weir_task *task, struct job *job)
{
    act_acquire(task, job);
    tally_add(job->arg, 1);
    return act_wait(task, job);
}

static void
end_so(int (*act)(weir_task *task, struct job *job), weir_outcome_kind kind)
{
    struct job *job = submit_new(act);

    assert_outcome(job, kind);
    await_released(job);
    assert_free(3);
}

START_TEST(an_attempt_gives_back_at_its_end_however_that_is)
{
    open_pool();
    end_so(act_acquire, WEIR_OUTCOME_DONE);
    end_so(act_acquire_and_fail, WEIR_OUTCOME_FAILED);
    end_so(act_acquire_and_raise, WEIR_OUTCOME_FAILED);
    end_so(act_acquire_and_exit, WEIR_OUTCOME_EXITED);
}
END_TEST

static int plain_acquire(weir_task *task, void *item)
{
    (void)task;
    must_acquire(2);
    tally_add(item, 1);
    return 0;
}

/* Tasks of which nobody hears have an end of their own. */
START_TEST(so_does_a_plain_one)
{
    struct tally ran = TALLY_INIT;

    options.on_settled = NULL;
    options.on_release = NULL;
    open_pool();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(weir_pool_submit(pool, plain_acquire, &ran,
                                          WEIR_FOREVER),
                         WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(tally_read(&ran), 3);
    assert_free(3);
    drop_pool();
}
END_TEST

static int acquire_and_crash(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    must_acquire(2);
    crash();
    return 0;
}

START_TEST(so_does_one_that_crashes)
{
    weir_ledger ledger;

    options.on_settled = NULL;
    options.on_release = NULL;
    options.isolation = WEIR_ISOLATE_TRAP;
    open_pool();
    ck_assert_int_eq(weir_pool_submit(pool, acquire_and_crash, NULL,
                                      WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ledger = ledger_now();
    ck_assert_uint_eq(ledger.crashed, 1);
    assert_free(3);
    drop_pool();
}
END_TEST

START_TEST(one_that_is_overdue_keeps_its_permits_until_it_ends)
{
    struct tally acquired = TALLY_INIT;
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(1);
    open_pool();
    job = new_job(act_acquire_and_wait);
    job->arg = &acquired;
    must_submit(job);
    await_count(&acquired, 1);
    advance_to(job->started_ns + WEIR_SECONDS(1));
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    assert_free(1);
    finish_job(job);
    assert_free(3);
}
END_TEST

static int act_wait_for_itself(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    must_acquire(2);
    ck_assert_int_eq(weir_semaphore_acquire(semaphore, 2, WEIR_FOREVER),
                     WEIR_DEADLOCK);
    assert_error_names("holds 2 of 3");
    must_acquire(1);
    must_release(1);
    return 0;
}

START_TEST(to_wait_for_oneself_is_a_deadlock)
{
    open_pool();
    end_so(act_wait_for_itself, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_release_others(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    ck_assert_int_eq(weir_semaphore_release(semaphore, 1), WEIR_EINVAL);
    return 0;
}

START_TEST(nobody_releases_what_an_attempt_holds)
{
    struct tally acquired = TALLY_INIT;
    struct job *job = new_job(act_acquire_and_wait);

    open_pool_of(2);
    job->arg = &acquired;
    must_submit(job);
    await_count(&acquired, 1);
    assert_outcome(submit_new(act_release_others), WEIR_OUTCOME_DONE);
    ck_assert_int_eq(weir_semaphore_release(semaphore, 1), WEIR_EINVAL);
    assert_free(1);
    finish_job(job);
}
END_TEST

static int act_release_loose(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    must_acquire(1);
    must_release(2); /* its own, and one of nobody's */
    return 0;
}

START_TEST(a_handler_releases_what_was_acquired_outside)
{
    open_pool();
    must_acquire(1);
    end_so(act_release_loose, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_hold_many(weir_task *task, struct job *job)
{
    weir_semaphore **many = job->arg;

    (void)task;
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(weir_semaphore_acquire(many[i], 1, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(acquire_now(1), WEIR_FULL);
    ck_assert_int_eq(weir_semaphore_acquire(many[7], 1, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_semaphore_release(many[3], 1), WEIR_OK);
    must_acquire(1);
    for (int i = 0; i < 8; i++) /* the last references are the attempt's */
        weir_semaphore_destroy(many[i]);
    return 0;
}

START_TEST(an_attempt_holds_permits_of_8_semaphores_at_most)
{
    weir_semaphore *many[8];
    struct job *job = new_job(act_hold_many);

    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(weir_semaphore_create(&many[i], 2), WEIR_OK);
    job->arg = many;
    open_pool();
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    await_released(job);
}
END_TEST

/* --------------------------------------------------------------- the policy */

enum { REQUESTS = 12, STEPS = 20000 };

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static struct weir__request requests[REQUESTS];
static uint64_t asked[REQUESTS], granted_up_to, order;

/* Who waited is granted in the order of asking. */
static void note_grant(struct weir__request *request)
{
    uint64_t place = asked[request - requests];

    ck_assert_uint_gt(place, granted_up_to);
    granted_up_to = place;
}

static void check_permits(const struct weir__permits *permits)
{
    size_t held = 0, waiting = 0;

    for (int i = 0; i < REQUESTS; i++) {
        held += requests[i].is_granted ? requests[i].wanted : 0;
        waiting += requests[i].is_waiting;
    }
    ck_assert_uint_eq(held, permits->held);
    ck_assert_uint_eq(waiting, permits->waiting);
    if (permits->first)
        ck_assert_uint_gt(permits->first->wanted, weir__permits_free(permits));
}

static void step(struct weir__permits *permits)
{
    size_t i = (size_t)draw(REQUESTS);

    if (requests[i].is_granted) {
        requests[i].is_granted = false;
        weir__permits_give(permits, requests[i].wanted);
    } else if (!requests[i].is_waiting) {
        requests[i].wanted = 1 + (size_t)draw(4);
        asked[i] = ++order;
        if (weir__permits_ask(permits, &requests[i]))
            note_grant(&requests[i]);
    } else if (draw(4) == 0) {
        weir__permits_withdraw(permits, &requests[i]);
    } else if (draw(4) == 0) {
        weir__permits_resize(permits, 1 + (size_t)draw(8));
    }
}

START_TEST(whatever_happens_the_order_holds_and_nobody_waits_in_vain)
{
    struct weir__permits permits = {.total = 5};

    seed = UINT64_C(88172645463325252) + (uint64_t)_i;
    printf("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < REQUESTS; i++)
        requests[i] = (struct weir__request){.tell = note_grant};
    granted_up_to = order = 0;
    for (int i = 0; i < STEPS; i++) {
        step(&permits);
        check_permits(&permits);
    }
    ck_assert_uint_gt(granted_up_to, STEPS / 10);
}
END_TEST

/* ----------------------------------------------------------- many at once */

enum { PASSERS = 4, PASSES = 5000, SEATS = 3 };

static atomic_int inside;

/* One or two at a time, waiting or not. */
static void pass_often(void *arg)
{
    unsigned *dice = arg;

    for (int i = 0; i < PASSES; i++) {
        size_t permits = 1 + (size_t)rand_r(dice) % 2;
        weir_deadline deadline = rand_r(dice) % 4 ? WEIR_FOREVER : WEIR_NOW;

        if (weir_semaphore_acquire(semaphore, permits, deadline))
            continue;
        ck_assert_int_le(atomic_fetch_add(&inside, (int)permits) + (int)permits,
                         SEATS);
        if (rand_r(dice) % 16 == 0)
            sched_yield();
        atomic_fetch_sub(&inside, (int)permits);
        must_release(permits);
    }
}

START_TEST(threads_lose_no_permit)
{
    struct helper helpers[PASSERS];
    unsigned seeds[PASSERS] = {1, 2, 3, 4};

    make(SEATS);
    helpers_start(helpers, PASSERS, pass_often, seeds, sizeof(seeds[0]));
    helpers_join(helpers, PASSERS);
    assert_free(SEATS);
    ck_assert_uint_eq(weir_semaphore_waiting(semaphore), 0);
    ck_assert(is_open());
    weir_semaphore_destroy(semaphore);
    semaphore = NULL;
}
END_TEST

int main(void)
{
    const TTest *const alone[] = {
        permits_are_taken_and_given_back,
        what_is_not_there_is_not_waited_for_with_now,
        a_release_of_more_than_is_held_changes_nothing,
        what_makes_no_sense_is_refused,
        without_memory_there_is_none,
        a_fork_child_may_not_use_it,
        NULL};
    const TTest *const waiting[] = {
        a_release_hands_over_to_the_first_in_the_line,
        a_big_request_at_the_head_is_not_overtaken,
        one_that_gives_up_lets_those_behind_it_pass,
        what_is_granted_with_the_deadline_is_granted, NULL};
    const TTest *const attempts[] = {
        an_attempt_gives_back_at_its_end_however_that_is,
        so_does_a_plain_one,
        so_does_one_that_crashes,
        one_that_is_overdue_keeps_its_permits_until_it_ends,
        to_wait_for_oneself_is_a_deadlock,
        nobody_releases_what_an_attempt_holds,
        a_handler_releases_what_was_acquired_outside,
        an_attempt_holds_permits_of_8_semaphores_at_most,
        NULL};
    const TTest *const sizes[] = {there_may_be_more_than_the_tray_takes, NULL};
    const TTest *const threads[] = {threads_lose_no_permit, NULL};
    const TTest *const policy_alone[] = {
        whatever_happens_the_order_holds_and_nobody_waits_in_vain, NULL};
    const struct chapter chapters[] = {
        {"alone", alone, setup, teardown, 0, 0},
        {"waiting", waiting, setup, teardown, 0, 0},
        {"attempts", attempts, attempts_setup, attempts_teardown, 0, 0},
        {"sizes", sizes, setup, teardown, 3, 0},
        {"threads", threads, NULL, NULL, 0, 0},
        {"the policy", policy_alone, NULL, NULL, 10, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("semaphore", chapters);
}
