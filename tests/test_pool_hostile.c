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
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
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

/* Counted by all processes. */
static struct twice {
    atomic_int runs, settled, released, cleaned;
    atomic_bool all_wait; /* what is to wait behind it does */
} * twice;

static enum { RETURN_TWICE, EXIT_TWICE, SETTLE_TWICE, CLEAN_TWICE } what_twice;

/* Goes on in both; in the parent when the child has ended. */
static void fork_here(void)
{
    pid_t child = fork();

    if (child > 0)
        ck_assert_int_eq(status_of(child), 0);
}

static void clean_twice(void *arg)
{
    atomic_fetch_add(&twice->cleaned, 1);
    if (arg)
        fork_here();
}

static int run_twice(weir_task *task, void *item)
{
    atomic_fetch_add(&twice->runs, 1);
    if (!item)
        return 0;
    while (!twice->all_wait)
        sched_yield();
    if (what_twice == CLEAN_TWICE || what_twice == RETURN_TWICE)
        ck_assert_int_eq(weir_task_defer(task, clean_twice,
                                         what_twice == CLEAN_TWICE ? item
                                                                   : NULL),
                         WEIR_OK);
    if (what_twice == RETURN_TWICE || what_twice == EXIT_TWICE)
        fork_here();
    if (what_twice == EXIT_TWICE)
        pthread_exit(NULL);
    return 0;
}

static void
settle_twice(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    atomic_fetch_add(&twice->settled, 1);
    if (item && what_twice == SETTLE_TWICE)
        fork_here();
}

static void release_twice(void *arg, void *item)
{
    (void)arg;
    (void)item;
    atomic_fetch_add(&twice->released, 1);
}

/* The first of three forks, and the other two wait behind it. */
static void look_twice(bool heard)
{
    weir_pool_options one = WEIR_POOL_OPTIONS_INIT;
    int item = 1;

    one.workers = 1;
    if (heard) {
        one.on_settled = settle_twice;
        one.on_release = release_twice;
    }
    *twice = (struct twice){0};
    ck_assert_int_eq(weir_pool_create(&pool, &one), WEIR_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(weir_pool_submit(pool, run_twice,
                                          i == 0 ? &item : NULL, WEIR_FOREVER),
                         WEIR_OK);
    twice->all_wait = true;
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(twice->runs, 3);
    ck_assert_int_eq(twice->settled, heard ? 3 : 0);
    ck_assert_int_eq(twice->released, heard ? 3 : 0);
    ck_assert_int_eq(twice->cleaned,
                     what_twice == RETURN_TWICE || what_twice == CLEAN_TWICE);
    ck_assert_uint_eq(ledger_now().done + ledger_now().exited, 3);
    weir_pool_destroy(pool);
    pool = NULL;
}

START_TEST(a_fork_child_that_comes_back_from_a_task_ends_and_runs_nothing)
{
    twice = mmap(NULL, sizeof(*twice), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(twice, MAP_FAILED);
    for (int what = RETURN_TWICE; what <= CLEAN_TWICE; what++) {
        what_twice = what;
        look_twice(true);
        if (what != SETTLE_TWICE)
            look_twice(false);
    }
    munmap(twice, sizeof(*twice));
}
END_TEST

static pid_t copy; /* 0: this is it */

static int fork_in_submit(weir_task *task, void *item)
{
    (void)item;
    atomic_fetch_add(&twice->runs, 1);
    if (weir_task_worker(task) == UINT32_MAX)
        copy = fork();
    return 0;
}

static int wait_for_all_wait(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    while (!twice->all_wait)
        sched_yield();
    return 0;
}

START_TEST(one_that_comes_back_from_a_submit_goes_on_and_settles_nothing)
{
    weir_pool_options one = WEIR_POOL_OPTIONS_INIT;

    twice = mmap(NULL, sizeof(*twice), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(twice, MAP_FAILED);
    one.workers = 1;
    one.queue_capacity = 1;
    one.on_full = WEIR_ON_FULL_CALLER_RUNS;
    one.on_settled = settle_twice;
    ck_assert_int_eq(weir_pool_create(&pool, &one), WEIR_OK);
    what_twice = RETURN_TWICE;
    ck_assert_int_eq(weir_pool_submit(pool, wait_for_all_wait, NULL,
                                      WEIR_FOREVER),
                     WEIR_OK);
    for (copy = -1; copy < 0;)
        ck_assert_int_eq(weir_pool_submit(pool, fork_in_submit, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
    if (copy == 0)
        _exit(weir_pool_submit(pool, fork_in_submit, NULL, WEIR_NOW) !=
              WEIR_FORKED);
    ck_assert_int_eq(status_of(copy), 0);
    twice->all_wait = true;
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(ledger_now().done, (uint64_t)twice->settled);
    ck_assert_int_eq(twice->settled, twice->runs + 1);
    munmap(twice, sizeof(*twice));
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
        a_fork_child_that_comes_back_from_a_task_ends_and_runs_nothing,
        one_that_comes_back_from_a_submit_goes_on_and_settles_nothing,
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
