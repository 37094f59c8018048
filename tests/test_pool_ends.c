/* SPDX-License-Identifier: MIT */
/*
 * test_pool_ends.c - threads that end where it hurts: again while they end, and
 * at cancellation points inside the library.
 */
#include <weir/pool.h>

#include <sched.h>

#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

/* The thread sanitizer takes down its own state when a thread ends for the
 * first time. */
#ifdef __SANITIZE_THREAD__
enum { CANNOT_END_TWICE = true };
#else
enum { CANNOT_END_TWICE = false };
#endif

/* -------------------------------------------------------------- end again */

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

static struct tally stopped = TALLY_INIT;

static void stop_and_exit(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    tally_add(&stopped, 1);
    pthread_exit(NULL);
}

static void setup(void)
{
    pool_setup();
    options.on_settled = settle_and_exit;
    options.on_release = release_and_exit;
    options.worker_stop = stop_and_exit;
}

START_TEST(a_worker_stop_may_end_its_thread)
{
    if (CANNOT_END_TWICE)
        return;
    open_pool_of(3);
    ck_assert_int_eq(weir_pool_resize(pool, 1), WEIR_OK);
    await_count(&stopped, 2);
    end_pool();
    ck_assert_uint_eq(tally_read(&stopped), 3);
}
END_TEST

START_TEST(a_thread_that_ends_may_end_again_in_each_callback)
{
    static int (*const acts[])(weir_task *, struct job *) = {act_exit,
                                                             act_answer};
    struct job *jobs[6];

    if (CANNOT_END_TWICE)
        return;
    policy.retryable = predicate_exits;
    options.retry = &policy;
    open_pool_of(2);
    for (int i = 0; i < 6; i++) {
        jobs[i] = new_job(acts[_i]);
        jobs[i]->code = 3;
        must_submit(jobs[i]);
    }
    for (int i = 0; i < 6; i++) {
        await_released(jobs[i]);
        ck_assert_int_eq(jobs[i]->outcome.kind,
                         _i ? WEIR_OUTCOME_FAILED : WEIR_OUTCOME_EXITED);
    }
    settle_all();
    await_count(&stopped, 6);
}
END_TEST

START_TEST(the_notifier_may_end_in_each_callback)
{
    struct job *job;

    if (CANNOT_END_TWICE)
        return;
    policy.retryable = predicate_exits;
    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_listen);
    advance_to(job->deadline.at_ns);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_TIMED_OUT);
    settle_all();
}
END_TEST

/* -------------------------------------------- cancelled inside the library */

/* Asks for its descriptor, tells so, and waits to be cancelled. */
static int act_offer_fd(weir_task *task, struct job *job)
{
    ck_assert_int_ge(weir_task_cancel_fd(task), 0);
    gate_open(job->arg);
    return act_listen(task, job);
}

static int act_cancel_with_a_cancel_pending(weir_task *task, struct job *job)
{
    (void)task;
    cancel_this_thread();
    job->code = weir_future_cancel(job->arg);
    pthread_testcancel();
    return 0;
}

START_TEST(a_thread_is_not_cancelled_while_it_cancels_a_task)
{
    struct job *victim = new_job(act_offer_fd);
    struct job *canceller = new_job(act_cancel_with_a_cancel_pending);
    struct gate ready = GATE_INIT;

    options.on_settled = note_settled;
    options.on_release = note_released;
    options.worker_stop = NULL;
    open_pool_of(2);
    victim->arg = &ready;
    canceller->arg = submit_for(victim);
    gate_wait(&ready);
    must_submit(canceller);
    assert_outcome(canceller, WEIR_OUTCOME_EXITED);
    assert_outcome(victim, WEIR_OUTCOME_CANCELLED);
    await_released(victim);
    weir_future_release(canceller->arg);
}
END_TEST

static int act_ask_fd_with_a_cancel_pending(weir_task *task, struct job *job)
{
    act_listen(task, job);
    cancel_this_thread();
    job->code = weir_task_cancel_fd(task);
    pthread_testcancel();
    return 0;
}

START_TEST(a_thread_is_not_cancelled_while_it_asks_for_its_descriptor)
{
    struct job *job = new_job(act_ask_fd_with_a_cancel_pending);
    weir_future *future;

    options.on_settled = note_settled;
    options.on_release = note_released;
    options.worker_stop = NULL;
    open_pool();
    future = submit_for(job);
    await_start(job);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    await_released(job);
}
END_TEST

static int act_ask_fd_and_be_cancelled(weir_task *task, struct job *job)
{
    (void)job;
    ck_assert_int_ge(weir_task_cancel_fd(task), 0);
    cancel_this_thread();
    return 0;
}

static weir_status job_status = WEIR_CANCELLED;

static void *submit_and_be_cancelled(void *job)
{
    job_status = submit(job);
    pthread_testcancel();
    return NULL;
}

/* It closes the descriptor of the task that it ran itself. */
START_TEST(a_submitter_is_not_cancelled_while_it_ends_its_own_task)
{
    struct job *busy, *job = new_job(act_ask_fd_and_be_cancelled);
    pthread_t thread;

    options.on_settled = NULL; /* assertions would be cancelled */
    options.on_release = NULL;
    options.worker_stop = NULL;
    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    busy = start_new(act_wait);
    submit_new(act_answer);
    ck_assert_int_eq(pthread_create(&thread, NULL, submit_and_be_cancelled,
                                    job),
                     0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(job_status, WEIR_OK);
    gate_open(&busy->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 3);
}
END_TEST

/* ------------------------------------------------- callbacks of submitters */

static void *submit_and_end(void *job)
{
    weir_future_release(submit_for(job));
    ck_abort_msg("a callback has ended the thread");
    return NULL;
}

static void have_it_submitted(struct job *job)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, submit_and_end, job), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* A future holds one. */
static uint64_t references_now(void)
{
    uint64_t count;

    weir__mutex_lock(&pool->lock);
    count = weir__counter_read(&pool->references);
    weir__mutex_unlock(&pool->lock);
    return count;
}

START_TEST(callbacks_for_a_dropped_task_may_end_the_submitter)
{
    struct job *busy, *victim;
    uint64_t references;

    if (CANNOT_END_TWICE)
        return;
    options.worker_stop = NULL;
    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_pool();
    busy = start_new(act_wait);
    victim = submit_new(act_answer);
    references = references_now();
    have_it_submitted(new_job(act_answer)); /* its own is never let in */
    ck_assert_uint_eq(references_now(), references);
    assert_outcome(victim, WEIR_OUTCOME_DROPPED);
    await_released(victim);
    gate_open(&busy->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().accepted, 2);
}
END_TEST

START_TEST(callbacks_for_a_task_of_its_own_may_end_the_submitter)
{
    static int (*const acts[])(weir_task *, struct job *) = {act_answer,
                                                             act_exit};
    struct job *busy, *job = new_job(acts[_i]);

    if (CANNOT_END_TWICE)
        return;
    options.worker_stop = NULL;
    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    busy = start_new(act_wait);
    submit_new(act_answer);
    have_it_submitted(job);
    assert_outcome(job, _i ? WEIR_OUTCOME_EXITED : WEIR_OUTCOME_DONE);
    await_released(job);
    gate_open(&busy->finish);
    settle_all();
}
END_TEST

int main(void)
{
    const TTest *const again[] = {
        a_worker_stop_may_end_its_thread, the_notifier_may_end_in_each_callback,
        callbacks_for_a_dropped_task_may_end_the_submitter, NULL};
    const TTest *const twice[] = {
        a_thread_that_ends_may_end_again_in_each_callback,
        callbacks_for_a_task_of_its_own_may_end_the_submitter, NULL};
    const TTest *const cancelled[] = {
        a_thread_is_not_cancelled_while_it_cancels_a_task,
        a_thread_is_not_cancelled_while_it_asks_for_its_descriptor,
        a_submitter_is_not_cancelled_while_it_ends_its_own_task, NULL};
    const struct chapter chapters[] = {
        {"again", again, setup, pool_teardown, 0, 0},
        {"again, after both", twice, setup, pool_teardown, 2, 0},
        {"cancelled", cancelled, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: ends", chapters);
}
