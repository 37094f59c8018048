/* SPDX-License-Identifier: MIT */
/*
 * test_pool_hostile.c - what other pools were seen to lose.
 *
 * Each test is a thing that at least one well-known pool or queue answers with
 * a hang, a lost worker or a lost task; ./dev bench hostile --peers shows them
 * side by side.
 */
#include <weir/pool.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "pools.h"
#include "suite.h"

enum { WORKERS = 4, TASKS = 8 };

/* --------------------------------------------------- tasks that end threads */

/* As many tasks that wait for each other as there should be workers. */
static void assert_all_workers_work(uint32_t workers)
{
    struct job *jobs[WORKERS];

    for (uint32_t i = 0; i < workers; i++)
        jobs[i] = start_new(act_wait);
    for (uint32_t i = 0; i < workers; i++)
        finish_job(jobs[i]);
}

START_TEST(workers_outlive_tasks_that_end_their_threads)
{
    open_pool_of(WORKERS);
    for (int i = 0; i < TASKS; i++)
        await_released(submit_new(act_exit));
    assert_all_workers_work(WORKERS);
    settle_all();
    await_workers(WORKERS);
    ck_assert_uint_eq(ledger_now().exited, TASKS);
    ck_assert_uint_eq(ledger_now().done, WORKERS);
}
END_TEST

START_TEST(a_graceful_end_runs_all_though_every_worker_was_lost_before)
{
    struct job *hostile[WORKERS], *jobs[TASKS];
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};

    open_pool_of(WORKERS);
    for (int i = 0; i < WORKERS; i++)
        hostile[i] = start_new(act_wait_and_exit);
    for (int i = 0; i < TASKS; i++)
        jobs[i] = submit_new(act_answer);
    block_call(&stop, act_stop);
    for (int i = 0; i < WORKERS; i++)
        gate_open(&hostile[i]->finish);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    for (int i = 0; i < TASKS; i++)
        assert_outcome(jobs[i], WEIR_OUTCOME_DONE);
}
END_TEST

/* ---------------------------------------------------------- more than one */

START_TEST(a_pool_is_no_worse_for_the_end_of_another)
{
    weir_pool *other;

    open_pool_of(2);
    ck_assert_int_eq(weir_pool_create(&other, &options), WEIR_OK);
    weir_pool_destroy(other);
    for (int i = 0; i < TASKS; i++)
        await_released(submit_new(act_answer));
    ck_assert_uint_eq(ledger_now().done, TASKS);
}
END_TEST

START_TEST(a_second_end_while_the_first_is_on_its_way_is_no_trouble)
{
    struct call first = {.how = WEIR_STOP_AFTER_DRAIN};
    struct call second = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *job;

    open_pool_of(1);
    job = start_new(act_wait);
    block_call(&first, act_stop);
    block_call(&second, act_stop);
    gate_open(&job->finish);
    ck_assert_int_eq(end_call(&first), WEIR_OK);
    ck_assert_int_eq(end_call(&second), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

/* -------------------------------------------------------- nothing is lost */

START_TEST(what_a_closed_queue_holds_is_still_served)
{
    weir_queue *queue;
    int item = 0;

    ck_assert_int_eq(weir_queue_create(&queue, sizeof(item), NULL), WEIR_OK);
    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(weir_queue_put(queue, &i, WEIR_NOW), WEIR_OK);
    weir_queue_close(queue);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_FOREVER), WEIR_OK);
        ck_assert_int_eq(item, i);
    }
    ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_FOREVER), WEIR_CLOSED);
    weir_queue_destroy(queue);
}
END_TEST

/* Some say that they could not, and have. */
START_TEST(a_task_that_was_refused_never_runs)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *job = new_job(act_answer);
    weir_future *future;

    open_pool_of(1);
    spec.handler = run_job;
    spec.item = job;
    weir__fault_arm(1);
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_ENOMEM);
    weir__fault_arm(0);
    await_released(submit_new(act_answer));
    settle_all();
    ck_assert_uint_eq(tally_read(&job->started), 0);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_uint_eq(ledger_now().accepted, 1);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

/* -------------------------------------------------------------- processes */

/* Its exit status, waiting for it; 1000: killed because it hung. */
static int status_of(pid_t child)
{
    struct timespec limit = hang_limit(), now;
    int status = 0;

    while (waitpid(child, &status, WNOHANG) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > limit.tv_sec) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return 1000;
        }
        sched_yield();
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

START_TEST(a_fork_child_is_told_and_loses_nothing)
{
    int offered = 0;
    pid_t child;

    open_pool_of(2);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        while (offered < 3 && weir_pool_submit(pool, run_job, NULL,
                                               WEIR_FOREVER) == WEIR_FORKED)
            offered++;
        _exit(offered == 3 ? 0 : 1);
    }
    ck_assert_int_eq(status_of(child), 0);
    await_released(submit_new(act_answer));
    ck_assert_uint_eq(ledger_now().accepted, 1);
}
END_TEST

static int be_stuck(weir_task *task, void *item)
{
    (void)task;
    tally_add(item, 1);
    while (tally_read(item) > 0)
        pause();
    return 0;
}

static void leave_with_a_stuck_task(void)
{
    weir_pool_options two = WEIR_POOL_OPTIONS_INIT;
    struct tally *stuck = malloc(sizeof(*stuck));
    weir_pool *leaving;

    two.workers = 2;
    *stuck = (struct tally)TALLY_INIT;
    if (weir_pool_create(&leaving, &two) ||
        weir_pool_submit(leaving, be_stuck, stuck, WEIR_NOW))
        _exit(2);
    await_count(stuck, 1);
    if (weir_pool_stop(leaving, WEIR_STOP_NOW, WEIR_NOW) != WEIR_STUCK)
        _exit(3);
    weir_pool_destroy(leaving);
    exit(0); /* with all that runs at an exit */
}

/* Before any thread, or the thread sanitizer does not let the child have any.
 */
START_TEST(a_process_with_a_stuck_task_can_stop_its_pool_and_exit)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        leave_with_a_stuck_task();
    ck_assert_int_eq(status_of(child), 0);
}
END_TEST

int main(void)
{
    const TTest *const pools[] = {
        workers_outlive_tasks_that_end_their_threads,
        a_graceful_end_runs_all_though_every_worker_was_lost_before,
        a_pool_is_no_worse_for_the_end_of_another,
        a_second_end_while_the_first_is_on_its_way_is_no_trouble,
        a_task_that_was_refused_never_runs,
        a_fork_child_is_told_and_loses_nothing,
        NULL};
    const TTest *const others[] = {
        what_a_closed_queue_holds_is_still_served,
        a_process_with_a_stuck_task_can_stop_its_pool_and_exit, NULL};
    const struct chapter chapters[] = {{"pools", pools, pool_setup,
                                        pool_teardown, 0, 0},
                                       {"others", others, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("hostile", chapters);
}
