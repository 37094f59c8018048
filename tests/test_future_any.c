/* SPDX-License-Identifier: MIT */
/* test_future_any.c - waiting for whichever task settles first. */
#include <weir/future.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "pools.h"
#include "suite.h"

enum { MANY = 40 };

static struct job *jobs[MANY];
static weir_future *futures[MANY];
static size_t count;

static void setup_of(uint32_t workers)
{
    pool_setup();
    open_pool_of(workers);
    count = 0;
}

static void setup(void)
{
    setup_of(4);
}

static void teardown(void)
{
    for (size_t i = 0; i < count; i++)
        weir_future_release(futures[i]);
    pool_teardown();
}

/* So many more jobs that wait for their gate. */
static void add(size_t more)
{
    for (; more > 0; more--) {
        jobs[count] = new_job(act_wait);
        futures[count] = submit_for(jobs[count]);
        count++;
    }
}

/* Room on both sides, to see that nothing else is written. */
static size_t answer;

static weir_status any_until(weir_deadline deadline)
{
    answer = 4711;
    return weir_future_wait_any(futures, count, &answer, deadline);
}

static weir_status act_wait_any(struct call *call)
{
    return any_until(call->deadline);
}

/* ----------------------------------------------------------------- answers */

/* _i: the one that settles. */
START_TEST(it_answers_the_one_that_settles_while_it_waits)
{
    struct call call = {0};

    add(4);
    block_call(&call, act_wait_any);
    finish_job(jobs[_i]);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(answer, (size_t)_i);
    for (int i = 0; i < 4; i++)
        gate_open(&jobs[i]->finish);
}
END_TEST

START_TEST(it_answers_the_one_that_has_settled_before)
{
    add(4);
    ck_assert_int_eq(any_until(WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_uint_eq(answer, 4711);
    finish_job(jobs[_i]);
    ck_assert_int_eq(any_until(WEIR_NOW), WEIR_OK);
    ck_assert_uint_eq(answer, (size_t)_i);
    ck_assert_int_eq(any_until(WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(answer, (size_t)_i);
    for (int i = 0; i < 4; i++)
        gate_open(&jobs[i]->finish);
}
END_TEST

/* As many as lie on the stack, and more. */
START_TEST(setting_each_to_null_gives_all_of_them_as_they_complete)
{
    size_t all = _i ? MANY : 16;
    bool seen[MANY] = {false};

    add(all);
    for (size_t i = 0; i < all; i++)
        gate_open(&jobs[i]->finish);
    for (size_t i = 0; i < all; i++) {
        ck_assert_int_eq(any_until(WEIR_FOREVER), WEIR_OK);
        ck_assert_uint_lt(answer, all);
        ck_assert(!seen[answer]);
        seen[answer] = true;
        ck_assert_int_eq(weir_future_wait(futures[answer], NULL, WEIR_NOW),
                         WEIR_OK);
        weir_future_release(futures[answer]);
        futures[answer] = NULL;
    }
    ck_assert_int_eq(any_until(WEIR_FOREVER), WEIR_EINVAL);
}
END_TEST

START_TEST(at_its_deadline_it_times_out_and_leaves_nothing_behind)
{
    struct call call = {0};

    add(3);
    block_call(&call, act_wait_any);
    test_clock_advance(call.deadline.at_ns - test_clock_now());
    ck_assert_int_eq(end_call(&call), WEIR_TIMED_OUT);
    ck_assert_uint_eq(answer, 4711);
    for (int i = 0; i < 3; i++)
        finish_job(jobs[i]); /* which ring at nobody's */
}
END_TEST

/* It is on its way out when the deadline comes. */
START_TEST(one_that_settles_at_the_deadline_is_answered)
{
    struct call call = {0};

    add(2);
    block_call(&call, act_wait_any);
    test_clock_hold(call.deadline.at_ns);
    test_clock_advance(call.deadline.at_ns - test_clock_now());
    finish_job(jobs[1]);
    test_clock_release(call.deadline.at_ns);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(answer, 1);
    finish_job(jobs[0]);
}
END_TEST

START_TEST(a_wait_that_is_disturbed_goes_on)
{
    struct call call = {0};

    add(1);
    block_call(&call, act_wait_any);
    disturb_waiter(call.deadline.at_ns);
    finish_job(jobs[0]);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(answer, 0);
}
END_TEST

START_TEST(the_same_future_may_be_there_twice)
{
    struct call call = {0};

    add(1);
    futures[1] = futures[2] = futures[0];
    count = 3;
    block_call(&call, act_wait_any);
    finish_job(jobs[0]);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(answer, 0);
    count = 1;
}
END_TEST

static weir_status act_wait_second(struct call *call)
{
    size_t index = 0;
    weir_status status =
        weir_future_wait_any(futures + 1, 1, &index, call->deadline);

    ck_assert_uint_eq(index, 0);
    return status;
}

START_TEST(several_threads_may_wait_for_the_same)
{
    struct call all = {0}, second = {0}, single = {0};

    add(2);
    single.future = futures[1];
    block_call(&second, act_wait_second);
    block_call(&all, act_wait_any);
    block_call(&single, act_future_wait);
    finish_job(jobs[1]);
    ck_assert_int_eq(end_call(&all), WEIR_OK);
    ck_assert_uint_eq(answer, 1);
    ck_assert_int_eq(end_call(&second), WEIR_OK);
    ck_assert_int_eq(end_call(&single), WEIR_OK);
    finish_job(jobs[0]);
}
END_TEST

/* From the ends and the middle of a list. */
START_TEST(waiters_leave_in_any_order)
{
    struct call calls[3] = {0}, last = {0};

    add(2);
    for (int i = 0; i < 3; i++)
        block_call(&calls[i], act_wait_second);
    block_call(&last, act_wait_second);
    for (int i = 0; i < 3; i++)
        test_clock_hold(calls[i].deadline.at_ns);
    test_clock_advance(calls[2].deadline.at_ns - test_clock_now());
    for (int i = 0; i < 3; i++) {
        int next = _i < 3 ? (i + _i) % 3 : 2 - i;

        test_clock_release(calls[next].deadline.at_ns);
        ck_assert_int_eq(end_call(&calls[next]), WEIR_TIMED_OUT);
    }
    finish_job(jobs[1]);
    ck_assert_int_eq(end_call(&last), WEIR_OK);
    finish_job(jobs[0]);
}
END_TEST

/* ------------------------------------------------------------- other pools */

static weir_pool *other_pool;

static weir_future *submit_to_other(struct job *job)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;

    spec.handler = run_job;
    spec.item = job;
    ck_assert_int_eq(weir_pool_submit_task(other_pool, &spec, &future,
                                           WEIR_NOW),
                     WEIR_OK);
    return future;
}

static void setup_two(void)
{
    setup();
    ck_assert_int_eq(weir_pool_create(&other_pool, &options), WEIR_OK);
    add(1);
    jobs[1] = new_job(act_wait);
    futures[1] = submit_to_other(jobs[1]);
    count = 2;
}

static void teardown_two(void)
{
    ck_assert_int_eq(weir_pool_stop(other_pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(other_pool);
    teardown();
}

START_TEST(they_may_be_of_different_pools)
{
    struct call call = {0};

    block_call(&call, act_wait_any);
    finish_job(jobs[_i]);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    ck_assert_uint_eq(answer, (size_t)_i);
    finish_job(jobs[!_i]);
}
END_TEST

static int act_wait_for_all(weir_task *task, struct job *job)
{
    struct call *call = job->arg;

    (void)task;
    gate_wait(&job->finish);
    call->status = any_until(call->deadline);
    return 0;
}

/* _i: in a handler of which one it waits. */
START_TEST(inside_one_of_the_pools_it_may_wait_for_ever)
{
    struct call call = {.deadline = WEIR_FOREVER};
    struct job *job = new_job(act_wait_for_all);
    weir_future *future;

    job->arg = &call;
    future = _i ? submit_to_other(job) : submit_for(job);
    gate_open(&job->finish);
    await_start(job);
    finish_job(jobs[!_i]);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(call.status, WEIR_OK);
    ck_assert_uint_eq(answer, !_i);
    finish_job(jobs[_i]);
    weir_future_release(future);
}
END_TEST

/* The stranger's has gone, or has settled: then only its own are left. */
START_TEST(for_its_own_pools_tasks_only_it_would_wait_for_ever)
{
    struct call call = {.deadline = WEIR_FOREVER};
    struct job *job = new_job(act_wait_for_all);
    weir_future *future, *stranger = futures[1];

    futures[1] = NULL;
    job->arg = &call;
    future = submit_for(job);
    finish_job(job);
    ck_assert_int_eq(call.status, WEIR_DEADLOCK);
    ck_assert_uint_eq(answer, 4711);
    weir_future_release(future);

    call.deadline = (weir_deadline){test_clock_now() + WEIR_SECONDS(9)};
    job = new_job(act_wait_for_all);
    job->arg = &call;
    future = submit_for(job);
    gate_open(&job->finish);
    advance_to(call.deadline.at_ns);
    await_released(job);
    ck_assert_int_eq(call.status, WEIR_TIMED_OUT);
    weir_future_release(future);

    finish_job(jobs[0]);
    call.deadline = WEIR_FOREVER;
    job = new_job(act_wait_for_all);
    job->arg = &call;
    future = submit_for(job);
    finish_job(job);
    ck_assert_int_eq(call.status, WEIR_OK); /* settled: no deadlock */
    ck_assert_uint_eq(answer, 0);
    weir_future_release(future);
    finish_job(jobs[1]);
    weir_future_release(stranger);
}
END_TEST

/* ---------------------------------------------------------------- refusals */

START_TEST(nothing_to_wait_for_is_refused)
{
    size_t index = 4711;

    futures[0] = futures[1] = NULL;
    ck_assert_int_eq(weir_future_wait_any(NULL, 1, &index, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_future_wait_any(futures, 0, &index, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("no futures");
    ck_assert_int_eq(weir_future_wait_any(futures, 2, &index, WEIR_FOREVER),
                     WEIR_EINVAL);
    assert_error_names("NULL");
    ck_assert_uint_eq(index, 4711);
    add(1);
    ck_assert_int_eq(weir_future_wait_any(futures, 1, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("index");
    finish_job(jobs[0]);
}
END_TEST

START_TEST(without_memory_many_cannot_be_waited_for)
{
    add(17);
    weir__fault_arm(1);
    ck_assert_int_eq(any_until(WEIR_FOREVER), WEIR_ENOMEM);
    assert_error_names("17");
    ck_assert_uint_eq(answer, 4711);
    ck_assert_int_eq(any_until(WEIR_NOW), WEIR_TIMED_OUT);
    finish_job(jobs[3]);
    weir__fault_arm(1);
    ck_assert_int_eq(any_until(WEIR_FOREVER), WEIR_OK); /* needs none */
    ck_assert_uint_eq(answer, 3);
    weir__fault_arm(0);
    for (int i = 0; i < 17; i++)
        gate_open(&jobs[i]->finish);
}
END_TEST

START_TEST(in_a_fork_child_it_is_refused)
{
    int status = 0;
    pid_t child;

    add(1);
    child = fork();
    if (child == 0) {
        size_t index;

        _exit(weir_future_wait_any(futures, 1, &index, WEIR_FOREVER) !=
              WEIR_FORKED);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    finish_job(jobs[0]);
}
END_TEST

/* ----------------------------------------------------------------- release */

/* The others are let go at once, and settle later. */
START_TEST(what_it_has_answered_nobody_needs_any_more)
{
    struct call call = {0};

    add(4);
    block_call(&call, act_wait_any);
    finish_job(jobs[2]);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    for (int i = 0; i < 4; i++)
        weir_future_release(futures[i]);
    count = 0;
    for (int i = 0; i < 4; i++)
        gate_open(&jobs[i]->finish);
}
END_TEST

static int act_release_own(weir_task *task, struct job *job)
{
    (void)task;
    gate_wait(&job->finish);
    weir_future_release(*(weir_future **)job->arg);
    return 0;
}

START_TEST(a_handler_may_let_its_own_future_go)
{
    struct job *job = new_job(act_release_own);
    weir_future *future;

    job->arg = &future;
    future = submit_for(job);
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

static void
let_go_and_note(void *arg, const void *item, const weir_outcome *outcome)
{
    const struct job *job = item;

    weir_future_release(*(weir_future **)job->arg);
    note_settled(arg, item, outcome);
}

START_TEST(a_callback_may_let_the_tasks_future_go)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    end_pool();
    options.on_settled = let_go_and_note;
    open_pool();
    job->arg = &future;
    future = submit_for(job);
    finish_job(job);
    options.on_settled = note_settled;
}
END_TEST

int main(void)
{
    const TTest *const answers[] = {
        it_answers_the_one_that_settles_while_it_waits,
        it_answers_the_one_that_has_settled_before, NULL};
    const TTest *const all[] = {
        setting_each_to_null_gives_all_of_them_as_they_complete, NULL};
    const TTest *const ends[] = {
        at_its_deadline_it_times_out_and_leaves_nothing_behind,
        one_that_settles_at_the_deadline_is_answered,
        a_wait_that_is_disturbed_goes_on,
        the_same_future_may_be_there_twice,
        several_threads_may_wait_for_the_same,
        NULL};
    const TTest *const orders[] = {waiters_leave_in_any_order, NULL};
    const TTest *const pools[] = {they_may_be_of_different_pools,
                                  inside_one_of_the_pools_it_may_wait_for_ever,
                                  NULL};
    const TTest *const own[] = {
        for_its_own_pools_tasks_only_it_would_wait_for_ever, NULL};
    const TTest *const refusals[] = {nothing_to_wait_for_is_refused,
                                     without_memory_many_cannot_be_waited_for,
                                     in_a_fork_child_it_is_refused, NULL};
    const TTest *const release[] = {what_it_has_answered_nobody_needs_any_more,
                                    a_handler_may_let_its_own_future_go,
                                    a_callback_may_let_the_tasks_future_go,
                                    NULL};
    const struct chapter chapters[] = {
        {"answers", answers, setup, teardown, 4, 0},
        {"all", all, setup, teardown, 2, 0},
        {"ends", ends, setup, teardown, 0, 0},
        {"orders", orders, setup, teardown, 4, 0},
        {"pools", pools, setup_two, teardown_two, 2, 0},
        {"own pools", own, setup_two, teardown_two, 0, 0},
        {"refusals", refusals, setup, teardown, 0, 0},
        {"release", release, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("future: any", chapters);
}
