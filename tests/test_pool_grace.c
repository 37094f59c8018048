/* SPDX-License-Identifier: MIT */
/* test_pool_grace.c - attempts that do not end, and threads given up on. */
#include <weir/pool.h>

#include <sched.h>

#include "base/fault.h"
#include "pools.h"
#include "suite.h"

static const int64_t timeout_ns = WEIR_SECONDS(5);
static const int64_t grace_ns = WEIR_SECONDS(3);

/* One worker, whose hooks see that no two threads have its index. */
static void setup(void)
{
    hooked_setup();
    options.timeout_ns = timeout_ns;
    options.grace_ns = grace_ns;
    options.max_abandoned = 2;
}

/* Of plain tasks nobody hears but the ledger. */
static void plain_setup(void)
{
    setup();
    options.on_settled = NULL;
    options.on_release = NULL;
}

static void teardown(void)
{
    weir__fault_arm(0);
    hooked_teardown();
}

static void await_abandoned(uint64_t count)
{
    while (ledger_now().abandoned != count)
        sched_yield();
}

static int64_t grace_of(const struct job *job)
{
    return job->deadline.at_ns + grace_ns;
}

/* So many jobs begin together and are deaf until the grace is over. */
static void start_deaf(struct job **jobs, int count)
{
    for (int i = 0; i < count; i++)
        jobs[i] = start_new(act_check_index);
    advance_to(jobs[0]->deadline.at_ns);
    for (int i = 0; i < count; i++)
        while (!weir_task_cancelled(jobs[i]->task))
            sched_yield();
    advance_to(grace_of(jobs[0]));
}

static struct job *start_abandoned(void)
{
    uint64_t before = ledger_now().abandoned;
    struct job *job;

    start_deaf(&job, 1);
    await_abandoned(before + 1);
    return job;
}

/* The same for plain tasks, of which no callback tells the end. */
static void let_end(struct job *job)
{
    gate_open(&job->finish);
    await_count(&job->ended, 1);
}

/* Not before the abandoned have returned: a join would not wait for them. */
static void settle_returned(void)
{
    await_abandoned(0);
    settle_all();
}

/* ------------------------------------------------------------ the replacing */

START_TEST(a_thread_is_abandoned_when_the_grace_is_over_and_not_before)
{
    struct job *deaf, *next;

    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    assert_outcome(deaf, WEIR_OUTCOME_TIMED_OUT);
    next = submit_new(act_check_index);
    advance_to_just_before(grace_of(deaf));
    rouse_timekeeper(grace_of(deaf));
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(tally_read(&next->started), 0);
    test_clock_advance(1);
    await_start(next);
    ck_assert_int_eq(next->started_ns, grace_of(deaf));
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(ledger_now().late, 0);
    ck_assert_uint_eq(stats_now().workers, 1);
    ck_assert_uint_eq(stats_now().busy, 1);
    ck_assert_uint_ne(next->worker, deaf->worker);
    ck_assert_uint_lt(next->worker, 1 + 2);
    ck_assert_uint_eq(tally_read(&deaf->released), 0);
    assert_balanced();
    finish_job(next);
    finish_job(deaf);
}
END_TEST

/* _i: how it ends, 1: with its thread. */
START_TEST(an_abandoned_attempt_is_released_at_its_end_and_its_thread_leaves)
{
    struct job *deaf, *after[4];

    open_pool();
    deaf = start_new(_i ? act_wait_and_exit : act_check_index);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    await_count(&greeted, 2);
    finish_job(deaf);
    ck_assert_int_eq(deaf->outcome.kind, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(ledger_now().overdue, 0);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().exited, 0);
    await_count(&parted, 1);
    for (int i = 0; i < 4; i++) {
        after[i] = start_new(act_check_index);
        finish_job(after[i]);
        ck_assert_uint_ne(after[i]->worker, deaf->worker);
        ck_assert(!pthread_equal(after[i]->ran_on, deaf->ran_on));
    }
    ck_assert_uint_eq(stats_now().workers, 1);
    ck_assert_uint_eq(tally_read(&greeted), 2);
}
END_TEST

/* Work is there for it when it comes back, and nobody else to do it. */
START_TEST(a_thread_that_was_abandoned_takes_no_task_even_if_one_waits)
{
    struct job *deaf, *busy, *waits;

    open_pool();
    deaf = start_abandoned();
    busy = start_new(act_wait);
    waits = submit_new(act_check_index);
    let_end(deaf);
    await_count(&parted, 1);
    ck_assert_uint_eq(tally_read(&waits->started), 0);
    ck_assert_uint_eq(ledger_now().queued, 1);
    let_end(busy);
    let_end(waits);
    settle_returned();
    ck_assert_uint_eq(waits->worker, busy->worker);
}
END_TEST

START_TEST(an_attempt_that_ends_in_its_grace_keeps_its_worker)
{
    struct job *late, *next;

    open_pool();
    late = start_new(act_check_index);
    advance_to(late->deadline.at_ns);
    await_timekeeper(grace_of(late));
    test_clock_advance(grace_ns - 1);
    finish_job(late);
    next = start_new(act_check_index);
    test_clock_advance(1); /* nobody is there to be abandoned */
    await_timekeeper(next->deadline.at_ns);
    finish_job(next);
    ck_assert_uint_eq(next->worker, late->worker);
    ck_assert(pthread_equal(next->ran_on, late->ran_on));
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(tally_read(&greeted), 1);
}
END_TEST

/* The worker comes to its end after the deadline, before the timekeeper. */
START_TEST(an_answer_that_is_late_by_itself_begins_no_grace)
{
    struct job *job, *next;

    open_pool();
    job = start_new(act_check_index);
    await_timekeeper(job->deadline.at_ns);
    test_clock_hold(job->deadline.at_ns);
    test_clock_advance(timeout_ns);
    gate_open(&job->finish);
    while (ledger_now().late == 0)
        sched_yield();
    test_clock_release(job->deadline.at_ns);
    await_released(job);
    next = start_new(act_check_index);
    test_clock_advance(grace_ns);
    await_timekeeper(next->deadline.at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    finish_job(next);
}
END_TEST

START_TEST(after_a_cancel_the_grace_runs_from_the_cancel)
{
    struct job *job = new_job(act_check_index), *next;
    weir_future *future;
    int64_t at_ns;

    open_pool();
    future = submit_for(job);
    await_start(job);
    await_timekeeper(job->deadline.at_ns);
    test_clock_advance(WEIR_SECONDS(1));
    at_ns = test_clock_now() + grace_ns; /* before the deadline */
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    next = submit_new(act_answer);
    advance_to_just_before(at_ns);
    rouse_timekeeper(at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    finish_job(job);
    ck_assert_uint_eq(job->outcome.kind, WEIR_OUTCOME_CANCELLED);
    weir_future_release(future);
}
END_TEST

START_TEST(a_plain_task_is_abandoned_too)
{
    struct job *deaf, *next;

    open_pool();
    deaf = start_abandoned();
    next = start_new(act_check_index);
    ck_assert_uint_ne(next->worker, deaf->worker);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    assert_balanced();
    let_end(deaf);
    await_count(&parted, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
    let_end(next);
    settle_returned();
    for (int i = 0; i < 4; i++)
        let_end(start_new(act_check_index));
    settle_returned();
    ck_assert_uint_eq(tally_read(&greeted), 2);
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* Thread starts fail for a while. */
START_TEST(a_replacement_that_does_not_start_is_tried_again)
{
    struct job *deaf;

    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    await_settled(deaf);
    await_timekeeper(grace_of(deaf));
    weir__fault_arm(1);
    test_clock_advance(grace_ns);
    await_abandoned(1);
    await_timekeeper(grace_of(deaf) + WEIR_MS(100));
    ck_assert_uint_eq(weir__fault_points(), 1);
    ck_assert_uint_eq(stats_now().workers, 0);
    test_clock_advance(WEIR_MS(100));
    await_workers(1);
    finish_job(start_new(act_check_index));
    finish_job(deaf);
}
END_TEST

START_TEST(many_are_replaced_and_all_return)
{
    struct job *deaf[8], *next[4];

    options.max_abandoned = 8;
    open_pool_of(4);
    start_deaf(deaf, 4);
    await_abandoned(4);
    start_deaf(deaf + 4, 4);
    await_abandoned(8);
    await_count(&greeted, 12);
    ck_assert_uint_eq(stats_now().workers, 4);
    ck_assert_uint_eq(tally_read(&parted), 0);
    for (int i = 7; i >= 0; i--)
        finish_job(deaf[i]);
    await_count(&parted, 8);
    for (int i = 0; i < 4; i++)
        next[i] = start_new(act_check_index);
    for (int i = 0; i < 4; i++)
        finish_job(next[i]);
    settle_returned();
    ck_assert_uint_eq(ledger_now().late, 8);
    ck_assert_uint_eq(ledger_now().timed_out, 8);
}
END_TEST

/* Round after round, the places are used again. */
START_TEST(a_pool_of_one_outlives_many_deaf_tasks)
{
    open_pool();
    for (uint64_t i = 1; i <= 20; i++) {
        struct job *deaf = start_abandoned();

        finish_job(deaf);
        await_count(&parted, i);
        ck_assert_uint_lt(deaf->worker, 1 + 2);
    }
    await_workers(1);
}
END_TEST

/* ------------------------------------------------------------------ retries */

/* Attempts are 10 s apart; a patience would be longer than the grace. */
static void retry_setup(void)
{
    setup();
    options.retry = &policy;
    policy.base_ns = WEIR_SECONDS(1);
    policy.patience_ns = WEIR_SECONDS(100);
}

START_TEST(a_retrying_task_settles_when_the_grace_is_over_and_is_abandoned_then)
{
    struct job *deaf, *next;

    policy.base_ns = WEIR_SECONDS(10); /* due later */
    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    next = submit_new(act_answer);
    advance_to_just_before(grace_of(deaf));
    rouse_timekeeper(grace_of(deaf));
    assert_unsettled(deaf);
    ck_assert_uint_eq(ledger_now().retrying, 1);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    assert_outcome(deaf, WEIR_OUTCOME_TIMED_OUT);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(deaf->settled_ns, grace_of(deaf));
    ck_assert_uint_eq(deaf->outcome.attempts, 1);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    finish_job(deaf);
    ck_assert_uint_eq(tally_read(&deaf->started), 1);
}
END_TEST

static int act_wait_at_first(weir_task *task, struct job *job)
{
    assert_index_is_mine(task, WORKER_ROOM);
    if (weir_task_attempt(task) == 1)
        gate_wait(&job->finish);
    return 0;
}

START_TEST(an_attempt_that_ends_in_its_grace_is_followed_by_the_next)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait_at_first);
    advance_to(job->deadline.at_ns);
    await_timekeeper(grace_of(job));
    test_clock_advance(WEIR_SECONDS(2)); /* the next is overdue by 1 s */
    ck_assert_uint_eq(tally_read(&job->started), 1);
    gate_open(&job->finish);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(tally_read(&greeted), 1);
}
END_TEST

static int act_wait_at_second(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        return act_listen(task, job);
    gate_wait(&job->finish);
    return 0;
}

START_TEST(the_grace_of_one_attempt_has_nothing_to_do_with_that_of_the_next)
{
    struct job *job = new_job(act_wait_at_second);
    weir_future *future;
    int64_t at_ns;

    open_pool();
    future = submit_for(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(1));
    await_attempt(job, 2);
    await_timekeeper(job->deadline.at_ns);
    at_ns = test_clock_now() + grace_ns;
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    advance_to_just_before(at_ns);
    rouse_timekeeper(at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    await_abandoned(1);
    finish_job(job);
}
END_TEST

static bool refuse_more(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    return false;
}

START_TEST(a_retry_that_is_not_granted_leaves_the_grace_as_it_was)
{
    struct job *deaf;

    policy.retryable = refuse_more;
    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    assert_outcome(deaf, WEIR_OUTCOME_TIMED_OUT);
    advance_to_just_before(grace_of(deaf));
    rouse_timekeeper(grace_of(deaf));
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    test_clock_advance(1);
    await_abandoned(1);
    finish_job(deaf);
}
END_TEST

/* ----------------------------------------------------------------- degraded */

/* _i: of plain tasks, too. */
static void open_degradable(bool plain)
{
    if (plain) {
        options.on_settled = NULL;
        options.on_release = NULL;
    }
    options.queue_capacity = 1;
    options.max_abandoned = 1;
    open_pool();
}

static void block_submits(struct call *submits, int count)
{
    for (int i = 0; i < count; i++) {
        submits[i] = (struct call){.job = new_job(act_answer)};
        block_call(&submits[i], act_submit);
    }
}

/* What was let in goes on; nothing else comes in, however it waits. */
START_TEST(a_degraded_pool_takes_nothing_and_runs_what_it_has)
{
    struct job *deaf, *waits, *next;
    struct call submits[2];

    open_degradable(_i);
    deaf = start_new(act_check_index);
    waits = submit_new(act_check_index);
    block_submits(submits, 2);
    ck_assert(!stats_now().degraded);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(end_call(&submits[i]), WEIR_DEGRADED);
    await_start(waits);
    ck_assert(stats_now().degraded);
    ck_assert_uint_eq(stats_now().workers, 1);
    ck_assert_int_eq(submit(submits[0].job), WEIR_DEGRADED);
    assert_error_names("max_abandoned");
    ck_assert_uint_eq(ledger_now().refused, 3);
    let_end(deaf);
    while (stats_now().degraded)
        sched_yield();
    next = submit_new(act_check_index);
    let_end(waits);
    let_end(next);
    settle_returned();
    ck_assert_uint_eq(ledger_now().done, 2);
}
END_TEST

/* With nobody to wait for room, and room. */
START_TEST(a_degraded_pool_takes_no_plain_task_either)
{
    struct job *deaf, *refused;

    open_degradable(true);
    deaf = start_abandoned();
    refused = new_job(act_check_index);
    ck_assert_int_eq(submit(refused), WEIR_DEGRADED);
    let_end(deaf);
    await_abandoned(0);
    must_submit(refused);
    let_end(refused);
    settle_returned();
    ck_assert_uint_eq(ledger_now().done, 1);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

/* No room comes that would have woken them: the worker was one too many. */
START_TEST(all_who_wait_to_submit_hear_at_once_that_it_is_degraded)
{
    struct job *deaf, *busy, *waits;
    struct call submits[3];

    options.workers = 2;
    open_degradable(_i);
    deaf = start_new(act_check_index);
    test_clock_advance(1);
    busy = start_new(act_check_index);
    must_resize(1);
    waits = submit_new(act_check_index);
    block_submits(submits, 3);
    advance_to(deaf->deadline.at_ns);
    advance_to(busy->deadline.at_ns);
    advance_to(grace_of(deaf));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&submits[i]), WEIR_DEGRADED);
    ck_assert_uint_eq(tally_read(&waits->started), 0);
    let_end(deaf);
    let_end(busy);
    let_end(waits);
    settle_returned();
}
END_TEST

START_TEST(by_default_as_many_may_be_abandoned_as_there_are_workers)
{
    struct job *deaf[3];

    options.max_abandoned = 0;
    open_pool_of(3);
    start_deaf(deaf, 2);
    await_abandoned(2);
    ck_assert(!stats_now().degraded);
    start_deaf(deaf + 2, 1);
    await_abandoned(3);
    ck_assert(stats_now().degraded);
    for (int i = 0; i < 3; i++)
        finish_job(deaf[i]);
}
END_TEST

START_TEST(nothing_more_is_replaced_until_one_returns)
{
    struct job *first, *second, *third;

    options.max_abandoned = 1;
    open_pool_of(2);
    first = start_new(act_check_index);
    test_clock_advance(1);
    second = start_new(act_check_index);
    advance_to(first->deadline.at_ns);
    assert_outcome(first, WEIR_OUTCOME_TIMED_OUT);
    advance_to(second->deadline.at_ns);
    assert_outcome(second, WEIR_OUTCOME_TIMED_OUT);
    third = submit_new(act_check_index);
    advance_to(grace_of(first));
    await_start(third);
    advance_to(grace_of(second));
    await_timekeeper(third->deadline.at_ns); /* it has looked at the second */
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert_uint_eq(ledger_now().overdue, 2);
    ck_assert_uint_eq(stats_now().workers, 2);
    ck_assert_uint_eq(stats_now().busy, 2);
    finish_job(first);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert(stats_now().degraded);
    await_count(&greeted, 4);
    ck_assert_uint_eq(stats_now().workers, 2);
    finish_job(second);
    ck_assert(!stats_now().degraded);
    finish_job(third);
}
END_TEST

static struct gate unhanded = GATE_INIT;
static struct job *held_back;

static void release_slowly(void *arg, void *item)
{
    if (item == held_back)
        gate_wait(&unhanded);
    note_released(arg, item);
}

/* The first is abandoned, the second past its grace. */
static void start_one_past_grace(struct job **deaf)
{
    uint64_t before = tally_read(&greeted);

    for (int i = 0; i < 2; i++) {
        deaf[i] = start_new(act_check_index);
        test_clock_advance(1);
    }
    for (int i = 0; i < 2; i++) {
        advance_to(deaf[i]->deadline.at_ns);
        await_settled(deaf[i]);
    }
    for (int i = 0; i < 2; i++)
        advance_to(grace_of(deaf[i]));
    await_count(&greeted, before + 1);
}

/* There is a place for another: the pool once had three workers. */
START_TEST(callbacks_of_one_that_returned_hold_up_no_replacement)
{
    struct job *deaf[2];

    options.max_abandoned = 1;
    options.on_release = release_slowly;
    open_pool_of(3);
    must_resize(2);
    await_count(&parted, 1);
    start_one_past_grace(deaf);
    held_back = deaf[0];
    gate_open(&deaf[0]->finish);
    await_count(&greeted, 5);
    gate_open(&unhanded);
    await_released(deaf[0]);
    finish_job(deaf[1]);
}
END_TEST

static struct gate unresized = GATE_INIT;
static struct tally resized = TALLY_INIT;

static void release_with_a_resize(void *arg, void *item)
{
    if (item == held_back) {
        gate_wait(&unresized);
        ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
        tally_add(&resized, 1);
    }
    note_released(arg, item);
}

/* It waits neither for its own place nor for one that is never left. */
START_TEST(a_thread_that_was_abandoned_may_resize_when_all_places_are_taken)
{
    struct job *deaf[2];

    options.max_abandoned = 1;
    options.on_release = release_with_a_resize;
    open_pool_of(2);
    must_resize(1);
    await_count(&parted, 1);
    deaf[0] = start_abandoned();
    held_back = deaf[0];
    let_end(deaf[0]);
    await_abandoned(0);
    deaf[1] = start_abandoned();
    await_count(&greeted, 4);
    gate_open(&unresized);
    await_count(&resized, 1);
    await_workers(2);
    await_released(deaf[0]);
    finish_job(deaf[1]);
}
END_TEST

START_TEST(of_several_past_their_grace_the_oldest_goes_first)
{
    struct job *deaf[4];

    open_pool_of(4);
    for (int i = 0; i < 4; i++) {
        deaf[i] = start_new(act_check_index);
        test_clock_advance(1);
    }
    for (int i = 0; i < 4; i++)
        advance_to(deaf[i]->deadline.at_ns);
    for (int i = 0; i < 4; i++)
        advance_to(grace_of(deaf[i]));
    await_count(&greeted, 6); /* for the first two */
    ck_assert_uint_eq(stats_now().busy, 2);
    finish_job(deaf[0]);
    await_count(&greeted, 7); /* for the third */
    finish_job(deaf[3]);
    ck_assert_uint_eq(ledger_now().abandoned, 2);
    finish_job(deaf[1]);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    finish_job(deaf[2]);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    settle_returned();
    await_count(&parted, 3);
    ck_assert_uint_eq(stats_now().workers, 4);
    ck_assert_uint_eq(tally_read(&greeted), 7);
}
END_TEST

/* Even if it is still in its callbacks when its turn would have come. */
START_TEST(one_that_ends_while_it_is_past_its_grace_keeps_its_worker)
{
    struct job *deaf[2];

    options.max_abandoned = 1;
    options.on_release = release_slowly;
    open_pool_of(2);
    start_one_past_grace(deaf);
    held_back = deaf[1];
    gate_open(&deaf[1]->finish);
    while (ledger_now().late < 1)
        sched_yield();
    finish_job(deaf[0]);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert(!stats_now().degraded);
    gate_open(&unhanded);
    settle_returned();
    await_count(&parted, 1);
    ck_assert_uint_eq(stats_now().workers, 2);
    ck_assert_uint_eq(tally_read(&greeted), 3);
}
END_TEST

/* The store has an entry for each thread that there can be. */
START_TEST(abandoned_attempts_take_no_room_from_tasks_that_wait)
{
    struct job *deaf[2], *busy, *queued[3];

    options.queue_capacity = 3;
    options.max_abandoned = 3;
    open_pool();
    for (int i = 0; i < 2; i++)
        deaf[i] = start_abandoned();
    busy = start_new(act_check_index);
    for (int i = 0; i < 3; i++)
        queued[i] = submit_new(act_answer);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    finish_job(busy);
    for (int i = 0; i < 3; i++)
        await_released(queued[i]);
    for (int i = 0; i < 2; i++)
        finish_job(deaf[i]);
}
END_TEST

START_TEST(a_resize_leaves_the_places_of_the_abandoned_to_them)
{
    struct job *deaf, *jobs[3];

    options.max_abandoned = 2;
    open_pool();
    deaf = start_abandoned();
    must_resize(3);
    await_workers(3);
    for (int i = 0; i < 3; i++) {
        jobs[i] = start_new(act_check_index);
        ck_assert_uint_lt(jobs[i]->worker, 5);
    }
    must_resize(1);
    for (int i = 0; i < 3; i++)
        finish_job(jobs[i]);
    await_workers(1);
    finish_job(deaf);
    await_count(&parted, 3);
    finish_job(start_new(act_check_index));
}
END_TEST

/* A worker too many that is abandoned is not replaced. */
START_TEST(a_shrunk_pool_does_not_replace_what_it_had_too_many)
{
    struct job *deaf[2];

    open_pool_of(2);
    for (int i = 0; i < 2; i++)
        deaf[i] = start_new(act_check_index);
    must_resize(1);
    advance_to(deaf[0]->deadline.at_ns);
    advance_to(grace_of(deaf[0]));
    await_abandoned(2);
    await_count(&greeted, 3);
    ck_assert_uint_eq(stats_now().workers, 1);
    for (int i = 0; i < 2; i++)
        finish_job(deaf[i]);
    await_count(&parted, 2);
    ck_assert_uint_eq(tally_read(&greeted), 3);
}
END_TEST

/* ---------------------------------------------------------- join, stop, end */

START_TEST(a_join_is_stuck_as_soon_as_only_abandoned_attempts_are_left)
{
    struct call join = {.status = WEIR_OK};
    struct job *deaf, *other;

    open_pool();
    deaf = start_abandoned();
    other = start_new(act_check_index);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    block_call(&join, act_join);
    let_end(other);
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_STUCK);
    let_end(deaf);
    settle_returned();
}
END_TEST

/* The second is overdue, in its grace: it may still return. */
START_TEST(a_join_waits_for_attempts_that_are_not_abandoned_yet)
{
    struct call join = {.status = WEIR_OK};
    struct job *deaf[2];

    open_pool_of(2);
    for (int i = 0; i < 2; i++) {
        deaf[i] = start_new(act_check_index);
        test_clock_advance(1);
    }
    for (int i = 0; i < 2; i++) {
        advance_to(deaf[i]->deadline.at_ns);
        await_settled(deaf[i]);
    }
    advance_to(grace_of(deaf[0]));
    await_count(&greeted, 3);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    block_call(&join, act_join);
    advance_to(grace_of(deaf[1]));
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    for (int i = 0; i < 2; i++)
        finish_job(deaf[i]);
}
END_TEST

/* The abandonment itself is what it has waited for. */
START_TEST(a_join_that_waits_ends_with_the_grace)
{
    struct call joins[3];
    struct job *deaf;

    open_pool();
    deaf = start_new(act_check_index);
    for (int i = 0; i < 3; i++)
        block_call(&joins[i], act_join);
    advance_to(deaf->deadline.at_ns);
    await_settled(deaf);
    advance_to_just_before(grace_of(deaf));
    for (int i = 0; i < 3; i++)
        ck_assert(!gate_is_open(&joins[i].helper.ended));
    test_clock_advance(1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&joins[i]), WEIR_STUCK);
    finish_job(deaf);
}
END_TEST

static struct gate told = GATE_INIT;

static void
settle_slowly(void *arg, const void *item, const weir_outcome *outcome)
{
    gate_wait(&told);
    note_settled(arg, item, outcome);
}

START_TEST(a_join_waits_for_the_callbacks_of_abandoned_attempts)
{
    struct call join = {.status = WEIR_OK};
    struct job *deaf;

    options.on_settled = settle_slowly;
    open_pool();
    deaf = start_new(act_check_index);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    await_abandoned(1);
    block_call(&join, act_join);
    disturb_waiter(join.deadline.at_ns);
    ck_assert(!gate_is_open(&join.helper.ended));
    gate_open(&told);
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    ck_assert_uint_eq(tally_read(&deaf->settled), 1);
    finish_job(deaf);
    settle_returned();
    options.on_settled = note_settled;
}
END_TEST

START_TEST(a_stop_is_stuck_as_soon_as_only_abandoned_attempts_are_left)
{
    struct call stop = {.how = (weir_stop_how)_i};
    struct job *deaf, *other;

    open_pool();
    deaf = start_abandoned();
    other = start_new(act_check_index);
    block_call(&stop, act_stop);
    gate_open(&other->finish);
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    ck_assert_uint_eq(tally_read(&other->released), 1);
    ck_assert_uint_eq(tally_read(&parted), 1); /* all but the abandoned */
    ck_assert_uint_eq(ledger_now().unreleased, 1);
    ck_assert_uint_eq(stats_now().workers, 0);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_STUCK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_STUCK);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_CLOSED);
    finish_job(deaf);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_uint_eq(ledger_now().unreleased, 0);
}
END_TEST

static struct gate parting = GATE_INIT, may_part = GATE_INIT;

static void part_slowly(void *arg, uint32_t worker)
{
    gate_open(&parting);
    gate_wait(&may_part);
    part_worker(arg, worker);
}

START_TEST(a_stop_waits_for_all_threads_but_the_abandoned)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *deaf;

    options.worker_stop = part_slowly;
    open_pool();
    deaf = start_abandoned();
    await_count(&greeted, 2);
    await_workers(1);
    block_call(&stop, act_stop);
    gate_wait(&parting);
    disturb_waiter(stop.deadline.at_ns);
    ck_assert(!gate_is_open(&stop.helper.ended));
    gate_open(&may_part);
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    finish_job(deaf);
}
END_TEST

/* A stop that waits for the grace of what it has cancelled. */
/* The thread for them does not start at first. */
START_TEST(a_join_waits_for_callbacks_that_are_owed)
{
    struct job *deaf;

    options.grace_ns = WEIR_MS(50);
    open_pool();
    deaf = start_new(act_check_index);
    await_timekeeper(deaf->deadline.at_ns);
    weir__fault_arm(1);
    advance_to(deaf->deadline.at_ns);
    advance_to(deaf->deadline.at_ns + WEIR_MS(50));
    await_abandoned(1);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_uint_eq(tally_read(&deaf->settled), 0);
    advance_to(deaf->deadline.at_ns + WEIR_MS(100));
    await_settled(deaf);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_STUCK);
    finish_job(deaf);
}
END_TEST

START_TEST(what_a_stop_cancels_has_its_grace_too)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *deaf;
    int64_t at_ns;

    open_pool();
    deaf = start_new(act_check_index);
    test_clock_advance(WEIR_SECONDS(1));
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    at_ns = test_clock_now() + grace_ns;
    assert_outcome(deaf, WEIR_OUTCOME_CANCELLED);
    block_call(&stop, act_stop);
    advance_to_just_before(at_ns);
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert(!gate_is_open(&stop.helper.ended));
    test_clock_advance(1);
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().abandoned, 1);
    ck_assert_uint_eq(tally_read(&greeted), 1); /* no work for another */
    finish_job(deaf);
}
END_TEST

START_TEST(a_drain_goes_on_with_the_replacement)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *deaf, *waits;

    open_pool();
    deaf = start_new(act_check_index);
    waits = submit_new(act_answer);
    block_call(&stop, act_stop);
    advance_to(deaf->deadline.at_ns);
    advance_to(grace_of(deaf));
    ck_assert_int_eq(end_call(&stop), WEIR_STUCK);
    ck_assert_uint_eq(ledger_now().done, 1);
    await_released(waits);
    finish_job(deaf);
}
END_TEST

/* It ends long after the pool is gone, with all the memory it uses. */
START_TEST(destroy_leaves_abandoned_attempts_to_themselves)
{
    struct job *deaf[2];

    options.max_abandoned = 2;
    open_pool_of(2);
    deaf[0] = start_new(act_wait);
    deaf[1] = start_new(act_wait_and_exit);
    advance_to(deaf[0]->deadline.at_ns);
    for (int i = 0; i < 2; i++) {
        deaf[i]->is_stuck = true;
        await_settled(deaf[i]);
    }
    advance_to(grace_of(deaf[0]));
    await_count(&greeted, 4);
    drop_pool();
    for (int i = 0; i < 2; i++)
        let_end(deaf[i]);
    ck_assert_uint_eq(tally_read(&parted), 2);
    ck_assert_uint_eq(tally_read(&deaf[0]->released), 0);
}
END_TEST

int main(void)
{
    const TTest *const replacing[] = {
        a_thread_is_abandoned_when_the_grace_is_over_and_not_before,
        a_thread_that_was_abandoned_takes_no_task_even_if_one_waits,
        an_attempt_that_ends_in_its_grace_keeps_its_worker,
        an_answer_that_is_late_by_itself_begins_no_grace,
        after_a_cancel_the_grace_runs_from_the_cancel,
        a_replacement_that_does_not_start_is_tried_again,
        many_are_replaced_and_all_return,
        a_pool_of_one_outlives_many_deaf_tasks,
        NULL};
    const TTest *const returning[] = {
        an_abandoned_attempt_is_released_at_its_end_and_its_thread_leaves,
        NULL};
    const TTest *const plain[] = {
        a_plain_task_is_abandoned_too,
        a_thread_that_was_abandoned_takes_no_task_even_if_one_waits,
        a_join_is_stuck_as_soon_as_only_abandoned_attempts_are_left,
        a_degraded_pool_takes_no_plain_task_either, NULL};
    const TTest *const retries[] = {
        a_retrying_task_settles_when_the_grace_is_over_and_is_abandoned_then,
        an_attempt_that_ends_in_its_grace_is_followed_by_the_next,
        the_grace_of_one_attempt_has_nothing_to_do_with_that_of_the_next,
        a_retry_that_is_not_granted_leaves_the_grace_as_it_was, NULL};
    const TTest *const both[] = {
        a_degraded_pool_takes_nothing_and_runs_what_it_has,
        all_who_wait_to_submit_hear_at_once_that_it_is_degraded, NULL};
    const TTest *const limits[] = {
        by_default_as_many_may_be_abandoned_as_there_are_workers,
        nothing_more_is_replaced_until_one_returns,
        callbacks_of_one_that_returned_hold_up_no_replacement,
        a_thread_that_was_abandoned_may_resize_when_all_places_are_taken,
        of_several_past_their_grace_the_oldest_goes_first,
        one_that_ends_while_it_is_past_its_grace_keeps_its_worker,
        abandoned_attempts_take_no_room_from_tasks_that_wait,
        a_resize_leaves_the_places_of_the_abandoned_to_them,
        a_shrunk_pool_does_not_replace_what_it_had_too_many,
        NULL};
    const TTest *const ends[] = {
        a_join_is_stuck_as_soon_as_only_abandoned_attempts_are_left,
        a_join_that_waits_ends_with_the_grace,
        a_join_waits_for_attempts_that_are_not_abandoned_yet,
        a_stop_waits_for_all_threads_but_the_abandoned,
        a_join_waits_for_the_callbacks_of_abandoned_attempts,
        a_join_waits_for_callbacks_that_are_owed,
        what_a_stop_cancels_has_its_grace_too,
        a_drain_goes_on_with_the_replacement,
        NULL};
    const TTest *const stops[] = {
        a_stop_is_stuck_as_soon_as_only_abandoned_attempts_are_left, NULL};
    /* No worker_stop comes from the stuck: nothing pairs. */
    const TTest *const destroys[] = {
        destroy_leaves_abandoned_attempts_to_themselves, NULL};
    const struct chapter chapters[] = {
        {"replacing", replacing, setup, teardown, 0, 0},
        {"returning", returning, setup, teardown, 2, 0},
        {"plain tasks", plain, plain_setup, teardown, 0, 0},
        {"retries", retries, retry_setup, teardown, 0, 0},
        {"degraded", both, setup, teardown, 2, 0},
        {"limits", limits, setup, teardown, 0, 0},
        {"ends", ends, setup, teardown, 0, 0},
        {"stops", stops, setup, teardown, 2, 0},
        {"destroys", destroys, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: grace", chapters);
}
