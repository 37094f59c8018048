/* SPDX-License-Identifier: MIT */
/* test_pool_rates.c - rates, adaptive limits and breakers of a pool: what they
 * hold back and what they hear. */
#include <weir/adaptive.h>
#include <weir/breaker.h>
#include <weir/pool.h>
#include <weir/rate.h>
#include <weir/semaphore.h>

#include <sched.h>

#include "pools.h"
#include "suite.h"

#define SECOND WEIR_SECONDS(1)

static int64_t start_ns;
static weir_rate *rate;
static weir_adaptive *adaptive;
static weir_breaker *breaker;

/* One a second; AIMD from 1; open after 2 failures, for 10 s, then 1 trial. */
static void setup(void)
{
    weir_adaptive_options a = WEIR_ADAPTIVE_OPTIONS_INIT;
    weir_breaker_options b = WEIR_BREAKER_OPTIONS_INIT;

    pool_setup();
    a.kind = WEIR_ADAPTIVE_AIMD;
    a.start = 1;
    b.window = 4;
    b.least_calls = 2;
    b.trials = 1;
    b.cool_down_ns = 10 * SECOND;
    start_ns = test_clock_now();
    ck_assert_int_eq(weir_rate_create(&rate, 1, 1), WEIR_OK);
    ck_assert_int_eq(weir_adaptive_create(&adaptive, &a), WEIR_OK);
    ck_assert_int_eq(weir_breaker_create(&breaker, &b), WEIR_OK);
}

static void teardown(void)
{
    pool_teardown();
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 0);
    weir_rate_destroy(rate);
    weir_adaptive_destroy(adaptive);
    weir_breaker_destroy(breaker);
}

/* --------------------------------------------------------------------- rate */

/* Who is held holds no worker. */
static void await_no_busy_worker(void)
{
    while (stats_now().busy > 0)
        sched_yield();
}

static void open_rated(uint32_t workers)
{
    options.rate = rate;
    open_pool_of(workers);
}

START_TEST(attempts_start_as_tokens_come)
{
    struct job *jobs[4];

    open_rated(2);
    for (size_t i = 0; i < 4; i++)
        jobs[i] = submit_new(act_answer);
    assert_outcome(jobs[0], WEIR_OUTCOME_DONE);
    for (int64_t i = 1; i < 4; i++) {
        await_held((uint64_t)(4 - i));
        await_no_busy_worker();
        advance_to(start_ns + i * SECOND);
        assert_outcome(jobs[i], WEIR_OUTCOME_DONE);
        ck_assert_int_eq(jobs[i]->started_ns, start_ns + i * SECOND);
    }
}
END_TEST

START_TEST(a_token_of_who_is_cancelled_is_the_next_ones)
{
    struct job *spent, *cancelled = new_job(act_answer), *next;
    weir_future *future;

    open_rated(2);
    spent = submit_new(act_answer);
    assert_outcome(spent, WEIR_OUTCOME_DONE);
    future = submit_for(cancelled);
    await_held(1);
    next = submit_new(act_answer);
    await_held(2);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    advance_to(start_ns + SECOND);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(next->started_ns, start_ns + SECOND);
    assert_outcome(cancelled, WEIR_OUTCOME_CANCELLED);
}
END_TEST

/* It was let go on, but found no worker. */
START_TEST(nor_is_it_lost_with_one_that_was_let_go_on)
{
    struct job *busy, *cancelled = new_job(act_answer), *next;
    weir_future *future;

    open_rated(2);
    busy = start_new(act_wait);
    future = submit_for(cancelled);
    await_held(1);
    must_resize(1);
    advance_to(start_ns + SECOND);
    await_held(0);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    next = submit_new(act_answer);
    finish_job(busy);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(next->started_ns, start_ns + SECOND);
}
END_TEST

START_TEST(a_token_that_nobody_wanted_is_kept)
{
    struct job *spent, *cancelled = new_job(act_answer), *next;
    weir_future *future;

    open_rated(1);
    spent = submit_new(act_answer);
    assert_outcome(spent, WEIR_OUTCOME_DONE);
    future = submit_for(cancelled);
    await_held(1);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    test_clock_advance(SECOND);
    next = submit_new(act_answer);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(next->started_ns, start_ns + SECOND);
}
END_TEST

START_TEST(who_lacks_permits_passes_its_token_on)
{
    weir_semaphore *host;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *spent, *held = new_job(act_answer), *next;

    ck_assert_int_eq(weir_semaphore_create(&host, 1), WEIR_OK);
    open_rated(2);
    spent = submit_new(act_answer);
    assert_outcome(spent, WEIR_OUTCOME_DONE);
    spec.semaphore = host;
    weir_future_release(submit_spec(held, spec)); /* lacks the token */
    await_held(1);
    next = submit_new(act_answer);
    await_held(2);
    ck_assert_int_eq(weir_semaphore_acquire(host, 1, WEIR_NOW), WEIR_OK);
    advance_to(start_ns + SECOND); /* and now the permit */
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(next->started_ns, start_ns + SECOND);
    await_held(1);
    ck_assert_int_eq(weir_semaphore_release(host, 1), WEIR_OK);
    await_timekeeper(start_ns + 2 * SECOND);
    test_clock_advance(SECOND);
    assert_outcome(held, WEIR_OUTCOME_DONE);
    weir_semaphore_destroy(host);
}
END_TEST

/* A second's tokens that no worker could use are not all used at once. */
START_TEST(what_could_not_begin_does_not_begin_all_at_once)
{
    struct job *slow, *next[4];

    open_rated(1);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    slow = submit_new(act_wait);
    await_held(1);
    for (size_t i = 0; i < 4; i++)
        next[i] = submit_new(act_answer);
    await_held(5);
    advance_to(start_ns + SECOND);
    await_start(slow);
    await_held(4);
    await_timekeeper(start_ns + 2 * SECOND);
    test_clock_advance(4 * SECOND);
    await_held(3); /* one is called */
    finish_job(slow);
    for (int64_t i = 0; i < 4; i++) {
        if (i > 0)
            advance_to(start_ns + (5 + i) * SECOND);
        assert_outcome(next[i], WEIR_OUTCOME_DONE);
        ck_assert_int_eq(next[i]->started_ns, start_ns + (5 + i) * SECOND);
    }
}
END_TEST

START_TEST(a_wake_up_that_is_late_puts_off_nobody)
{
    struct job *jobs[3];

    open_rated(1);
    for (size_t i = 0; i < 3; i++)
        jobs[i] = submit_new(act_answer);
    assert_outcome(jobs[0], WEIR_OUTCOME_DONE);
    await_held(2);
    await_timekeeper(start_ns + SECOND);
    test_clock_advance(SECOND + SECOND / 4);
    assert_outcome(jobs[1], WEIR_OUTCOME_DONE);
    ck_assert_int_eq(jobs[1]->started_ns, start_ns + SECOND + SECOND / 4);
    await_timekeeper(start_ns + 2 * SECOND);
    test_clock_advance(SECOND - SECOND / 4);
    assert_outcome(jobs[2], WEIR_OUTCOME_DONE);
}
END_TEST

/* What was taken in advance is the others' again when the pool is gone. */
START_TEST(a_pool_that_ends_keeps_no_token)
{
    open_rated(1);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
    (void)submit_new(act_answer);
    await_held(1);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    end_pool();
    test_clock_advance(SECOND);
    ck_assert_uint_eq(weir_rate_available(rate), 1);
}
END_TEST

/* ----------------------------------------------------------------- adaptive */

static void open_adaptive(uint32_t workers)
{
    options.adaptive = adaptive;
    open_pool_of(workers);
}

static int act_overloaded(weir_task *task, struct job *job)
{
    (void)job;
    weir_task_overloaded(task);
    return 0;
}

static void run_alone(int (*act)(weir_task *task, struct job *job))
{
    assert_outcome(submit_new(act), WEIR_OUTCOME_DONE);
    settle_all();
}

START_TEST(in_flight_follow_the_limit_and_the_limit_how_they_go)
{
    struct job *one, *two;

    open_adaptive(4);
    one = start_new(act_wait);
    two = submit_new(act_answer);
    await_held(1);
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 1);
    finish_job(one);
    assert_outcome(two, WEIR_OUTCOME_DONE);
    while (weir_adaptive_limit(adaptive) == 1)
        run_alone(act_answer);
    one = start_new(act_wait);
    two = start_new(act_wait);
    finish_job(one);
    finish_job(two);
    while (weir_adaptive_limit(adaptive) > 1)
        run_alone(act_overloaded);
}
END_TEST

START_TEST(a_missed_deadline_is_overload_and_in_flight_until_it_ends)
{
    weir_adaptive_options a = WEIR_ADAPTIVE_OPTIONS_INIT;
    weir_adaptive *ten;
    struct job *job;

    a.kind = WEIR_ADAPTIVE_AIMD;
    a.start = 10;
    ck_assert_int_eq(weir_adaptive_create(&ten, &a), WEIR_OK);
    options.adaptive = ten;
    options.timeout_ns = SECOND;
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(weir_adaptive_in_flight(ten), 1);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(weir_adaptive_in_flight(ten), 0);
    ck_assert_uint_eq(weir_adaptive_limit(ten), 9);
    weir_adaptive_destroy(ten); /* before its pool */
}
END_TEST

static int act_wait_at_first(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        gate_wait(&job->finish);
    return 0;
}

/* One is late, the next in time: one piece of bad news. */
START_TEST(each_attempt_is_judged_by_itself)
{
    weir_adaptive_options a = WEIR_ADAPTIVE_OPTIONS_INIT;
    weir_adaptive *ten;
    struct job *job;

    a.kind = WEIR_ADAPTIVE_AIMD;
    a.start = 10;
    ck_assert_int_eq(weir_adaptive_create(&ten, &a), WEIR_OK);
    policy.base_ns = 1;
    policy.patience_ns = WEIR_SECONDS(100);
    options.retry = &policy;
    options.adaptive = ten;
    options.timeout_ns = SECOND;
    options.grace_ns = 10 * SECOND;
    open_pool();
    job = start_new(act_wait_at_first);
    advance_to(job->deadline.at_ns);
    while (!weir_task_cancelled(job->task))
        sched_yield();
    test_clock_advance(1);
    gate_open(&job->finish);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
    settle_all();
    ck_assert_uint_eq(weir_adaptive_limit(ten), 9);
    weir_adaptive_destroy(ten);
}
END_TEST

START_TEST(what_was_cancelled_says_nothing)
{
    weir_adaptive_options a = WEIR_ADAPTIVE_OPTIONS_INIT;
    struct job *job = new_job(act_wait);
    weir_adaptive *ten;
    weir_future *future;

    a.kind = WEIR_ADAPTIVE_AIMD;
    a.start = 10;
    ck_assert_int_eq(weir_adaptive_create(&ten, &a), WEIR_OK);
    options.adaptive = ten;
    open_pool();
    future = submit_for(job);
    await_start(job);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(weir_adaptive_in_flight(ten), 0);
    ck_assert_uint_eq(weir_adaptive_limit(ten), 10);
    weir_adaptive_destroy(ten);
}
END_TEST

/* ------------------------------------------------------------------ breaker */

static int act_fail(weir_task *task, struct job *job)
{
    (void)task, (void)job;
    return 1;
}

static void open_with_breaker(uint32_t workers)
{
    options.breaker = breaker;
    open_pool_of(workers);
}

static void fail_twice(void)
{
    for (int i = 0; i < 2; i++) {
        assert_outcome(submit_new(act_fail), WEIR_OUTCOME_FAILED);
        settle_all();
    }
    ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_OPEN);
}

START_TEST(while_it_is_open_submits_are_refused)
{
    struct job *job = new_job(act_answer);

    open_with_breaker(1);
    fail_twice();
    ck_assert_int_eq(submit(job), WEIR_FULL);
    assert_error_names("breaker");
    ck_assert_uint_eq(ledger_now().refused, 1);
    test_clock_advance(10 * SECOND);
    must_submit(job); /* the trial */
    assert_outcome(job, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_CLOSED);
}
END_TEST

/* Two fail while others wait. */
static void open_behind(struct job **held, size_t count)
{
    struct job *failing[2];

    open_with_breaker(2);
    for (size_t i = 0; i < 2; i++) {
        failing[i] = new_job(act_wait);
        failing[i]->code = 1;
        must_submit(failing[i]);
        await_start(failing[i]);
    }
    for (size_t i = 0; i < count; i++)
        held[i] = submit_new(act_wait);
    gate_open(&failing[0]->finish);
    await_settled(failing[0]);
    gate_open(&failing[1]->finish);
    await_settled(failing[1]);
}

START_TEST(what_was_accepted_is_held_until_trials_are_let_in)
{
    struct job *held[4];
    size_t trial = 0;

    open_behind(held, 4);
    /* One may have begun between the two failures. */
    trial = (size_t)tally_read(&held[0]->started);
    await_held(4 - trial);
    if (trial)
        finish_job(held[0]);
    advance_to(start_ns + 10 * SECOND);
    await_start(held[trial]);
    await_held(3 - trial);
    ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_HALF_OPEN);
    finish_job(held[trial]); /* closes it */
    for (size_t i = trial + 1; i < 4; i++) {
        await_start(held[i]);
        finish_job(held[i]);
    }
}
END_TEST

START_TEST(what_it_holds_has_nothing_of_the_others)
{
    weir_semaphore *four;
    weir_rate *fast;
    struct job *held[3];
    size_t trial;

    ck_assert_int_eq(weir_semaphore_create(&four, 4), WEIR_OK);
    ck_assert_int_eq(weir_rate_create(&fast, 1000, 100), WEIR_OK);
    options.semaphore = four;
    options.permits = 1;
    options.rate = fast;
    open_behind(held, 3);
    trial = (size_t)tally_read(&held[0]->started);
    await_held(3 - trial);
    while (stats_now().busy > trial)
        sched_yield();
    ck_assert_uint_eq(weir_semaphore_available(four), 4 - trial);
    /* Two failed, one may have begun, one is the pool's, taken in advance. */
    ck_assert_uint_eq(weir_rate_available(fast), 100 - 2 - trial - 1);
    gate_open(&held[0]->finish);
    end_pool();
    ck_assert_uint_eq(weir_semaphore_available(four), 4);
    weir_semaphore_destroy(four);
    weir_rate_destroy(fast);
}
END_TEST

START_TEST(a_trial_that_was_cancelled_leaves_its_place)
{
    struct job *trial = new_job(act_wait), *next;
    weir_future *future;

    open_with_breaker(2);
    fail_twice();
    test_clock_advance(10 * SECOND);
    future = submit_for(trial);
    await_start(trial);
    next = submit_new(act_answer);
    await_held(1);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    finish_job(trial);
}
END_TEST

START_TEST(it_hears_of_a_missed_deadline_at_once)
{
    struct job *jobs[2];

    options.timeout_ns = SECOND;
    open_with_breaker(2);
    for (size_t i = 0; i < 2; i++)
        jobs[i] = start_new(act_wait);
    advance_to(start_ns + SECOND);
    for (size_t i = 0; i < 2; i++)
        assert_outcome(jobs[i], WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_OPEN);
    for (size_t i = 0; i < 2; i++)
        finish_job(jobs[i]);
    settle_all();
    ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_OPEN);
}
END_TEST

START_TEST(news_from_elsewhere_let_them_go_on)
{
    weir_breaker_pass pass;
    struct job *held;

    open_with_breaker(1);
    fail_twice();
    test_clock_advance(10 * SECOND);
    ck_assert_int_eq(weir_breaker_enter(breaker, &pass), WEIR_OK);
    held = submit_new(act_answer); /* half-open: no refusal */
    await_held(1);
    ck_assert_int_eq(weir_breaker_leave(breaker, &pass, WEIR_RESULT_OK),
                     WEIR_OK);
    assert_outcome(held, WEIR_OUTCOME_DONE);
}
END_TEST

/* A pool beside ours, with one task that is held by the breaker. */
struct beside {
    weir_pool *pool;
    weir_future *future;
    struct tally ran;
};

static int run_beside(weir_task *task, void *item)
{
    struct beside *beside = item;

    (void)task;
    tally_add(&beside->ran, 1);
    return 0;
}

static void open_beside(struct beside *beside)
{
    weir_pool_options o = WEIR_POOL_OPTIONS_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    *beside = (struct beside){.ran = TALLY_INIT};
    o.workers = 1;
    o.breaker = breaker;
    ck_assert_int_eq(weir_pool_create(&beside->pool, &o), WEIR_OK);
    spec.handler = run_beside;
    spec.item = beside;
    ck_assert_int_eq(weir_pool_submit_task(beside->pool, &spec, &beside->future,
                                           WEIR_NOW),
                     WEIR_OK);
    while (stats.held == 0) {
        sched_yield();
        weir_pool_read_stats(beside->pool, &stats);
    }
}

static void end_beside(struct beside *beside, weir_outcome_kind kind)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    ck_assert_int_eq(weir_future_wait(beside->future, &outcome, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(outcome.kind, kind);
    ck_assert_uint_eq(tally_read(&beside->ran), kind == WEIR_OUTCOME_DONE);
    weir_future_release(beside->future);
    ck_assert_int_eq(weir_pool_stop(beside->pool, WEIR_STOP_AFTER_DRAIN,
                                    WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(beside->pool);
}

/* All but the one in their midst, which has nothing left to hear it for. */
START_TEST(news_reach_each_pool_that_holds_something)
{
    struct beside beside[3];
    weir_breaker_pass pass;
    struct job *held;

    open_with_breaker(1);
    fail_twice();
    test_clock_advance(10 * SECOND);
    ck_assert_int_eq(weir_breaker_enter(breaker, &pass), WEIR_OK);
    held = submit_new(act_answer);
    await_held(1);
    for (size_t i = 0; i < 3; i++)
        open_beside(&beside[i]);
    ck_assert_int_eq(weir_future_cancel(beside[1].future), WEIR_OK);
    end_beside(&beside[1], WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(weir_breaker_leave(breaker, &pass, WEIR_RESULT_OK),
                     WEIR_OK);
    assert_outcome(held, WEIR_OUTCOME_DONE);
    end_beside(&beside[0], WEIR_OUTCOME_DONE);
    end_beside(&beside[2], WEIR_OUTCOME_DONE);
}
END_TEST

/* Each trial fails, and in the end nothing is held that would hear of it. */
START_TEST(it_outlives_a_pool_whose_last_trial_failed)
{
    weir_breaker_pass pass;
    struct job *held[2];
    size_t trial;

    open_behind(held, 2);
    trial = (size_t)tally_read(&held[0]->started);
    await_held(2 - trial);
    if (trial)
        finish_job(held[0]);
    for (int64_t at_ns = 10 * SECOND; trial < 2; at_ns += 10 * SECOND) {
        advance_to(start_ns + at_ns);
        await_start(held[trial]);
        held[trial]->code = 1;
        finish_job(held[trial++]);
        ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_OPEN);
    }
    end_pool();
    test_clock_advance(10 * SECOND);
    ck_assert_int_eq(weir_breaker_enter(breaker, &pass), WEIR_OK);
    ck_assert_int_eq(weir_breaker_leave(breaker, &pass, WEIR_RESULT_OK),
                     WEIR_OK);
}
END_TEST

START_TEST(a_stop_now_cancels_what_each_of_them_holds)
{
    struct job *running, *held[2];
    struct call call = {.how = WEIR_STOP_NOW, .deadline = WEIR_FOREVER};

    options.rate = rate;
    options.adaptive = adaptive;
    open_with_breaker(3);
    running = start_new(act_wait);
    held[0] = submit_new(act_answer);
    held[1] = submit_new(act_answer);
    await_held(2);
    start_call(&call, act_stop);
    for (size_t i = 0; i < 2; i++)
        assert_outcome(held[i], WEIR_OUTCOME_CANCELLED);
    finish_job(running);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
}
END_TEST

START_TEST(caller_runs_goes_with_none_of_them)
{
    static const char *const words[] = {"rate", "adaptive", "breaker"};
    weir_pool *none = NULL;

    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    options.rate = _i == 0 ? rate : NULL;
    options.adaptive = _i == 1 ? adaptive : NULL;
    options.breaker = _i == 2 ? breaker : NULL;
    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_EINVAL);
    assert_error_names(words[_i]);
}
END_TEST

int main(void)
{
    const TTest *const rates[] = {
        attempts_start_as_tokens_come,
        a_token_of_who_is_cancelled_is_the_next_ones,
        nor_is_it_lost_with_one_that_was_let_go_on,
        a_token_that_nobody_wanted_is_kept,
        who_lacks_permits_passes_its_token_on,
        what_could_not_begin_does_not_begin_all_at_once,
        a_wake_up_that_is_late_puts_off_nobody,
        a_pool_that_ends_keeps_no_token,
        NULL};
    const TTest *const adaptives[] = {
        in_flight_follow_the_limit_and_the_limit_how_they_go,
        a_missed_deadline_is_overload_and_in_flight_until_it_ends,
        each_attempt_is_judged_by_itself, what_was_cancelled_says_nothing,
        NULL};
    const TTest *const breakers[] = {
        while_it_is_open_submits_are_refused,
        what_was_accepted_is_held_until_trials_are_let_in,
        what_it_holds_has_nothing_of_the_others,
        a_trial_that_was_cancelled_leaves_its_place,
        it_hears_of_a_missed_deadline_at_once,
        news_from_elsewhere_let_them_go_on,
        news_reach_each_pool_that_holds_something,
        it_outlives_a_pool_whose_last_trial_failed,
        NULL};
    const TTest *const together[] = {a_stop_now_cancels_what_each_of_them_holds,
                                     NULL};
    const TTest *const refusals[] = {caller_runs_goes_with_none_of_them, NULL};
    const struct chapter chapters[] = {
        {"rate", rates, setup, teardown, 0, 0},
        {"adaptive", adaptives, setup, teardown, 0, 0},
        {"breaker", breakers, setup, teardown, 0, 0},
        {"together", together, setup, teardown, 0, 0},
        {"refusals", refusals, setup, teardown, 3, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("rates of pools", chapters);
}
