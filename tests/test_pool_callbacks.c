/* SPDX-License-Identifier: MIT */
/* test_pool_callbacks.c - callbacks that are slow, busy, or end their thread.
 */
#include <weir/pool.h>

#include <sched.h>

#include "pools.h"
#include "suite.h"

static struct gate began = GATE_INIT, may_end = GATE_INIT;

static void expire_one(struct job **expired)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    int64_t at_ns = test_clock_now() + 1;

    *expired = new_job(act_answer);
    spec.time_to_live_ns = 1;
    weir_future_release(submit_spec(*expired, spec));
    advance_to(at_ns);
}

/* ------------------------------------------------------------------- order */

START_TEST(settled_comes_before_released_and_after_the_ledger)
{
    struct job *job;

    open_pool();
    job = submit_new(act_answer);
    await_settled(job);
    ck_assert_uint_eq(ledger_now().done, 1);
    await_released(job);
}
END_TEST

static void check_args(void *arg, const void *item, const weir_outcome *outcome)
{
    ck_assert_ptr_eq(arg, &began);
    note_settled(arg, item, outcome);
}

static void check_release_arg(void *arg, void *item)
{
    ck_assert_ptr_eq(arg, &may_end);
    note_released(arg, item);
}

START_TEST(callbacks_get_their_arguments)
{
    options.on_settled = check_args;
    options.on_settled_arg = &began;
    options.on_release = check_release_arg;
    options.on_release_arg = &may_end;
    open_pool();
    await_released(submit_new(act_answer));
}
END_TEST

static struct tally releases = TALLY_INIT;

static void count_release(void *arg, void *item)
{
    (void)arg;
    (void)item;
    tally_add(&releases, 1);
}

START_TEST(either_callback_may_be_missing)
{
    struct job *jobs[3];

    if (_i < 2)
        options.on_settled = NULL;
    if (_i % 2)
        options.on_release = NULL;
    else if (_i < 2)
        options.on_release = count_release;
    open_pool();
    jobs[0] = start_new(act_wait);
    expire_one(&jobs[1]);
    jobs[2] = submit_new(act_exit);
    gate_open(&jobs[0]->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().expired, 1);
    ck_assert_uint_eq(ledger_now().done, 1);
    ck_assert_uint_eq(ledger_now().exited, 1);
    ck_assert_uint_eq(tally_read(&releases), _i ? 0 : 3);
    drop_pool();
}
END_TEST

/* -------------------------------------------------------------------- slow */

static void
settle_slowly(void *arg, const void *item, const weir_outcome *outcome)
{
    char before = outcome->message[0];

    note_settled(arg, item, outcome);
    gate_open(&began);
    gate_wait(&may_end);
    ck_assert_int_eq(outcome->message[0], before); /* lent until now */
}

START_TEST(a_slow_callback_on_a_worker_holds_up_no_other)
{
    struct job *slow;

    options.on_settled = settle_slowly;
    open_pool_of(2);
    slow = submit_new(act_answer);
    gate_wait(&began);
    await_settled(submit_new(act_answer));
    ck_assert_uint_eq(tally_read(&slow->released), 0);
    gate_open(&may_end);
    await_released(slow);
}
END_TEST

START_TEST(a_slow_callback_on_the_notifier_holds_up_no_worker)
{
    struct job *busy, *expired;

    options.on_settled = settle_slowly;
    open_pool_of(1);
    busy = start_new(act_wait);
    expire_one(&expired);
    gate_wait(&began);
    ck_assert_uint_eq(ledger_now().expired, 1);
    gate_open(&busy->finish);
    await_settled(busy);
    gate_open(&may_end);
    settle_all();
}
END_TEST

/* The attempt ends while on_settled runs for its timeout: the notifier
 * releases. */
START_TEST(an_attempt_that_ends_during_on_settled_is_released_after_it)
{
    struct job *job;

    options.on_settled = settle_slowly;
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    gate_wait(&began);
    gate_open(&job->finish);
    while (ledger_now().late == 0)
        sched_yield();
    ck_assert_uint_eq(tally_read(&job->released), 0);
    gate_open(&may_end);
    await_released(job);
    ck_assert(pthread_equal(job->released_on, job->settled_on));
}
END_TEST

/* --------------------------------------------------------------------- busy */

static void
submit_one_more(void *arg, const void *item, const weir_outcome *outcome)
{
    struct job *job = (struct job *)item;

    note_settled(arg, item, outcome);
    assert_balanced();
    if (job->arg)
        must_submit(job->arg);
}

START_TEST(a_callback_may_submit)
{
    struct job *first = new_job(act_answer), *second = new_job(act_answer);

    options.on_settled = submit_one_more;
    open_pool();
    first->arg = second;
    must_submit(first);
    await_released(second);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 2);
}
END_TEST

static void resize_and_cancel(void *arg, void *item)
{
    struct job *job = item;

    note_released(arg, item);
    if (job->arg) {
        ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_OK);
        ck_assert_int_eq(weir_future_cancel(job->arg), WEIR_OK);
        weir_future_release(job->arg);
    }
}

START_TEST(a_callback_may_resize_and_cancel)
{
    struct job *waits = new_job(act_listen), *job = new_job(act_answer);

    options.on_release = resize_and_cancel;
    open_pool_of(2);
    job->arg = submit_for(waits);
    await_start(waits);
    must_submit(job);
    await_released(waits);
    ck_assert_int_eq(waits->outcome.kind, WEIR_OUTCOME_CANCELLED);
    settle_all();
    ck_assert_uint_eq(stats_now().workers, 3);
}
END_TEST

/* ---------------------------------------------------------- ending threads */

static void
settle_and_exit(void *arg, const void *item, const weir_outcome *outcome)
{
    note_settled(arg, item, outcome);
    pthread_exit(NULL);
}

static void release_and_exit(void *arg, void *item)
{
    note_released(arg, item);
    pthread_exit(NULL);
}

static bool predicate_exits(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    pthread_exit(NULL);
}

static void set_exiting_callback(int which)
{
    if (which == 0)
        options.on_settled = settle_and_exit;
    else
        options.on_release = release_and_exit;
}

START_TEST(a_callback_that_ends_its_worker_leaves_nothing_undone)
{
    struct job *jobs[8];

    set_exiting_callback(_i);
    open_pool_of(2);
    for (int i = 0; i < 8; i++)
        jobs[i] = submit_new(act_answer);
    for (int i = 0; i < 8; i++)
        await_released(jobs[i]);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 8);
    while (stats_now().workers < 2)
        sched_yield();
}
END_TEST

START_TEST(a_callback_that_ends_the_notifier_leaves_nothing_undone)
{
    struct job *busy, *waits[5];
    int64_t start_ns = test_clock_now();

    set_exiting_callback(_i);
    options.time_to_live_ns = 5;
    open_pool();
    busy = start_new(act_wait);
    for (int i = 0; i < 5; i++)
        waits[i] = submit_new(act_answer);
    advance_to(start_ns + 5);
    for (int i = 0; i < 5; i++)
        await_released(waits[i]);
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(ledger_now().expired, 5);
}
END_TEST

/* What it had begun to notify while its worker still ran. */
START_TEST(an_overdue_task_is_released_though_its_callback_ended_the_notifier)
{
    struct job *job;

    options.on_settled = settle_and_exit;
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

START_TEST(a_predicate_that_ends_its_worker_grants_nothing)
{
    struct job *job = new_job(act_answer);

    policy.retryable = predicate_exits;
    options.retry = &policy;
    open_pool();
    job->code = 3;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(job->outcome.code, 3);
    await_released(job);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_predicate_that_ends_the_notifier_grants_nothing)
{
    struct job *job;

    policy.retryable = predicate_exits;
    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    finish_job(job);
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

static bool ponder_and_exit(void *arg, const weir_outcome *outcome)
{
    gate_open(&began);
    gate_wait(&may_end);
    return predicate_exits(arg, outcome);
}

START_TEST(a_cancel_meanwhile_leaves_the_attempt_overdue)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    policy.retryable = ponder_and_exit;
    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    future = submit_for(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    gate_wait(&began);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    gate_open(&may_end);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    ck_assert_uint_eq(ledger_now().late, 0);
    finish_job(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

int main(void)
{
    const TTest *const order[] = {
        settled_comes_before_released_and_after_the_ledger,
        callbacks_get_their_arguments,
        a_slow_callback_on_a_worker_holds_up_no_other,
        a_slow_callback_on_the_notifier_holds_up_no_worker,
        an_attempt_that_ends_during_on_settled_is_released_after_it,
        a_callback_may_submit,
        a_callback_may_resize_and_cancel,
        NULL};
    const TTest *const missing[] = {either_callback_may_be_missing, NULL};
    const TTest *const twice[] = {
        a_callback_that_ends_its_worker_leaves_nothing_undone,
        a_callback_that_ends_the_notifier_leaves_nothing_undone, NULL};
    const TTest *const ending[] = {
        an_overdue_task_is_released_though_its_callback_ended_the_notifier,
        a_predicate_that_ends_its_worker_grants_nothing,
        a_predicate_that_ends_the_notifier_grants_nothing,
        a_cancel_meanwhile_leaves_the_attempt_overdue, NULL};
    const struct chapter chapters[] = {
        {"order and pace", order, pool_setup, pool_teardown, 0, 0},
        {"missing", missing, pool_setup, pool_teardown, 4, 0},
        {"ending, both", twice, pool_setup, pool_teardown, 2, 0},
        {"ending", ending, pool_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: callbacks", chapters);
}
