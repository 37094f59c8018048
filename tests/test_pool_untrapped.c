/* SPDX-License-Identifier: MIT */
/*
 * test_pool_untrapped.c - faults that are none of ours, though a pool traps.
 *
 * Where a signal ends the test, that is what is tested: the fault was neither
 * caught nor did anybody hang.
 */
#include <weir/pool.h>
#include <weir/run.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trap.h"
#include "crashes.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.isolation = WEIR_ISOLATE_TRAP;
}

/* A pool beside the one under test; made before its handlers run. */
static weir_pool *other;
static weir_queue *queue;

static void make_others(weir_on_full on_full, weir_discarded *on_discard)
{
    weir_pool_options others = WEIR_POOL_OPTIONS_INIT;
    weir_queue_options two = WEIR_QUEUE_OPTIONS_INIT;

    others.workers = 1;
    others.queue_capacity = 1;
    others.item_size = 64;
    others.on_full = on_full;
    two.capacity = 2;
    two.on_full = WEIR_ON_FULL_DROP_OLDEST;
    two.on_discard = on_discard;
    ck_assert_int_eq(weir_pool_create(&other, &others), WEIR_OK);
    ck_assert_int_eq(weir_queue_create(&queue, 64, &two), WEIR_OK);
}

/* Runs it in a handler; who comes back has failed to end the process. */
static void end_in_handler(int (*act)(weir_task *task, struct job *job))
{
    open_pool();
    await_released(submit_new(act));
}

/* -------------------------------------------------------------- inside weir */

static int answer(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static int act_put(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_queue_put(queue, bad_address, WEIR_NOW);
}

static int act_put_many(weir_task *task, struct job *job)
{
    size_t done;

    (void)task;
    (void)job;
    return weir_queue_put_many(queue, bad_address, 2, &done, WEIR_NOW);
}

static int act_get(weir_task *task, struct job *job)
{
    char item[64] = "";

    (void)task;
    (void)job;
    ck_assert_int_eq(weir_queue_put(queue, item, WEIR_NOW), WEIR_OK);
    return weir_queue_get(queue, bad_address, WEIR_NOW);
}

static int act_get_many(weir_task *task, struct job *job)
{
    char item[64] = "";
    size_t done;

    (void)task;
    (void)job;
    ck_assert_int_eq(weir_queue_put(queue, item, WEIR_NOW), WEIR_OK);
    return weir_queue_get_many(queue, bad_address, 2, &done, WEIR_NOW);
}

static int act_queue_stats(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    weir_queue_read_stats(queue, bad_address);
    return 0;
}

static int act_submit_copy(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_pool_submit_copy(other, answer, bad_address, WEIR_NOW);
}

static int act_submit_many(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_pool_submit_many(other, answer, bad_address, 2, NULL, WEIR_NOW);
}

static int act_submit_task(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_pool_submit_task(other, bad_address, NULL, WEIR_NOW);
}

static int act_future(weir_task *task, struct job *job)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;

    (void)task;
    (void)job;
    spec.handler = answer;
    ck_assert_int_eq(weir_pool_submit_task(other, &spec, &future, WEIR_FOREVER),
                     WEIR_OK);
    return weir_future_wait(future, bad_address, WEIR_FOREVER);
}

static int act_pool_stats(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    weir_pool_read_stats(other, bad_address);
    return 0;
}

static int act_pool_create(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_pool_create(bad_address, NULL);
}

static int act_queue_create(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_queue_create(bad_address, 8, NULL);
}

static int act_run(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return weir_run(bad_address, NULL);
}

static int (*const calls[])(weir_task *, struct job *) = {
    act_put,         act_put_many,    act_get,         act_get_many,
    act_queue_stats, act_submit_copy, act_submit_many, act_submit_task,
    act_future,      act_pool_stats,  act_pool_create, act_queue_create,
    act_run};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

START_TEST(a_bad_address_in_a_call_ends_the_process)
{
    make_others(WEIR_ON_FULL_WAIT, NULL);
    end_in_handler(calls[_i]);
}
END_TEST

static void crash_on(void *arg)
{
    (void)arg;
    crash();
}

static int act_on_cancel_at_once(weir_task *task, struct job *job)
{
    act_listen(task, job);
    return weir_task_on_cancel(task, crash_on, NULL);
}

START_TEST(so_does_an_action_that_runs_at_once)
{
    struct job *job = new_job(act_on_cancel_at_once);
    weir_future *future;

    open_pool();
    future = submit_for(job);
    await_start(job);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    await_released(job);
}
END_TEST

static int act_raise_with_a_clean_up(weir_task *task, struct job *job)
{
    (void)job;
    ck_assert_int_eq(weir_task_defer(task, crash_on, NULL), WEIR_OK);
    weir_task_raise(task, 1, "one");
}

START_TEST(so_does_a_clean_up_of_a_raise)
{
    end_in_handler(act_raise_with_a_clean_up);
}
END_TEST

static void crash_at_discard(void *arg, void *item, weir_discard_reason reason)
{
    (void)arg;
    (void)item;
    (void)reason;
    crash();
}

static int act_overfill(weir_task *task, struct job *job)
{
    char item[64] = "";

    (void)task;
    (void)job;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(weir_queue_put(queue, item, WEIR_NOW), WEIR_OK);
    return 0;
}

START_TEST(so_does_a_callback_of_a_call)
{
    make_others(WEIR_ON_FULL_WAIT, crash_at_discard);
    end_in_handler(act_overfill);
}
END_TEST

static struct gate is_held = GATE_INIT, hold = GATE_INIT;

static int wait_for_ever(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    gate_open(&is_held);
    gate_wait(&hold);
    return 0;
}

static int crash_in_handler(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    crash();
    return 0;
}

static int act_run_anothers(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    ck_assert_int_eq(weir_pool_submit(other, wait_for_ever, NULL, WEIR_NOW),
                     WEIR_OK);
    gate_wait(&is_held);
    ck_assert_int_eq(weir_pool_submit(other, answer, NULL, WEIR_NOW), WEIR_OK);
    return weir_pool_submit(other, crash_in_handler, NULL, WEIR_NOW);
}

/* It runs on a thread that traps, but in a pool that does not. */
START_TEST(so_does_a_handler_of_another_pool_run_here)
{
    make_others(WEIR_ON_FULL_CALLER_RUNS, NULL);
    end_in_handler(act_run_anothers);
}
END_TEST

/* --------------------------------------------------------- not in a handler */

static struct weir__trap *in_handler, *in_clean_up;

static void note_trap(void *arg)
{
    (void)arg;
    in_clean_up = weir__trap_hold_own();
}

static int act_note_trap(weir_task *task, struct job *job)
{
    (void)job;
    in_handler = weir__trap_hold_own();
    weir__trap_let(in_handler);
    return weir_task_defer(task, note_trap, NULL);
}

START_TEST(the_trap_is_off_when_the_handler_has_returned)
{
    open_pool();
    await_released(submit_new(act_note_trap));
    ck_assert_ptr_nonnull(in_handler);
    ck_assert_ptr_null(in_clean_up);
}
END_TEST

static pthread_key_t key;

static int act_exit_and_note_trap(weir_task *task, struct job *job)
{
    ck_assert_int_eq(pthread_setspecific(key, task), 0);
    in_clean_up = weir__trap_hold_own();
    weir__trap_let(in_clean_up);
    return act_exit(task, job);
}

START_TEST(the_trap_is_off_when_the_handler_has_exited)
{
    ck_assert_int_eq(pthread_key_create(&key, note_trap), 0);
    open_pool();
    await_released(submit_new(act_exit_and_note_trap));
    ck_assert_ptr_null(in_clean_up);
}
END_TEST

static int act_defer(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_defer(task, crash_on, NULL);
}

START_TEST(a_deferred_clean_up_is_not_trapped)
{
    end_in_handler(act_defer);
}
END_TEST

static void
crash_at_settle(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    (void)outcome;
    crash();
}

static void crash_at_release(void *arg, void *item)
{
    (void)arg;
    (void)item;
    crash();
}

static bool crash_at_retry(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    crash();
    return false;
}

static int crash_at_start(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    crash();
    return 0;
}

static void crash_at_stop(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    crash();
}

static int act_crash(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    crash();
    return 0;
}

/* _i: 0: the handler answered; 1: it crashed, and that was trapped. */
static void end_in_callback(int crashes_first)
{
    end_in_handler(crashes_first ? act_crash : act_answer);
    end_pool();
}

START_TEST(on_settled_is_not_trapped)
{
    options.on_settled = crash_at_settle;
    end_in_callback(_i);
}
END_TEST

START_TEST(on_release_is_not_trapped)
{
    options.on_release = crash_at_release;
    end_in_callback(_i);
}
END_TEST

START_TEST(a_predicate_is_not_trapped)
{
    struct job *job = new_job(_i ? act_crash : act_answer);

    job->code = 1;
    policy.retryable = crash_at_retry;
    options.retry = &policy;
    open_pool();
    must_submit(job);
    await_released(job);
}
END_TEST

/* Of the thread that takes the place of one that crashed, too. */
START_TEST(worker_stop_is_not_trapped)
{
    options.worker_stop = crash_at_stop;
    options.on_settled = NULL;
    options.on_release = NULL;
    open_pool();
    submit_new(_i ? act_crash : act_answer);
    submit_new(act_answer);
    settle_all();
    end_pool();
}
END_TEST

START_TEST(worker_start_is_not_trapped)
{
    options.worker_start = crash_at_start;
    open_pool();
}
END_TEST

static int act_leave_a_value(weir_task *task, struct job *job)
{
    (void)task;
    ck_assert_int_eq(pthread_setspecific(key, job), 0);
    if (job->code == 0)
        pthread_exit(NULL);
    crash();
    return 0;
}

/* The frame that a fault would jump to is gone.  _i: exited, crashed. */
START_TEST(a_destructor_of_the_thread_is_not_trapped)
{
    struct job *job = new_job(act_leave_a_value);

    ck_assert_int_eq(pthread_key_create(&key, crash_on), 0);
    job->code = _i;
    open_pool();
    must_submit(job);
    await_released(job);
}
END_TEST

static int act_wait_with_an_action(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_on_cancel(task, crash_on, NULL), WEIR_OK);
    gate_open(&is_held);
    return act_wait(task, job);
}

START_TEST(an_action_on_the_notifier_is_not_trapped)
{
    struct job *job = new_job(act_wait_with_an_action);
    weir_future *future;

    open_pool();
    future = submit_for(job);
    gate_wait(&is_held);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    await_released(job);
}
END_TEST

START_TEST(a_thread_of_the_programs_is_not_trapped)
{
    struct helper helper;

    open_pool();
    helper_start(&helper, crash_on, NULL);
    helper_join(&helper);
}
END_TEST

START_TEST(a_pool_that_does_not_trap_is_not_trapped)
{
    open_pool();
    make_others(WEIR_ON_FULL_WAIT, NULL);
    ck_assert_int_eq(weir_pool_submit(other, crash_in_handler, NULL,
                                      WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_join(other, WEIR_FOREVER), WEIR_OK);
}
END_TEST

/* ----------------------------------------------------------- sent by others */

START_TEST(a_signal_that_is_sent_is_no_fault)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    if (_i)
        ck_assert_int_eq(pthread_kill(job->ran_on, SIGSEGV), 0);
    else
        ck_assert_int_eq(kill(getpid(), SIGSEGV), 0);
    finish_job(job);
}
END_TEST

static int act_fork_and_crash(weir_task *task, struct job *job)
{
    pid_t child = fork();
    int status;

    (void)task;
    if (child == 0) {
        crash();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    job->code = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
    return 0;
}

START_TEST(a_fork_child_dies_and_its_parent_lives)
{
    struct job *job;

    open_pool();
    job = submit_new(act_fork_and_crash);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    await_released(job);
    ck_assert_int_eq(job->code, SIGSEGV);
    ck_assert(!stats_now().tainted);
}
END_TEST

int main(void)
{
    const TTest *const inside[] = {a_bad_address_in_a_call_ends_the_process,
                                   NULL};
    const TTest *const ends[] = {
        so_does_an_action_that_runs_at_once,
        so_does_a_clean_up_of_a_raise,
        so_does_a_callback_of_a_call,
        so_does_a_handler_of_another_pool_run_here,
        a_deferred_clean_up_is_not_trapped,
        worker_start_is_not_trapped,
        an_action_on_the_notifier_is_not_trapped,
        a_thread_of_the_programs_is_not_trapped,
        a_pool_that_does_not_trap_is_not_trapped,
        NULL,
    };
    const TTest *const twice[] = {
        on_settled_is_not_trapped,
        on_release_is_not_trapped,
        a_predicate_is_not_trapped,
        worker_stop_is_not_trapped,
        a_destructor_of_the_thread_is_not_trapped,
        a_signal_that_is_sent_is_no_fault,
        NULL,
    };
    const TTest *const lives[] = {
        the_trap_is_off_when_the_handler_has_returned,
        the_trap_is_off_when_the_handler_has_exited,
        a_fork_child_dies_and_its_parent_lives,
        NULL,
    };
    const struct chapter chapters[] = {
        {"inside weir", inside, setup, NULL, CALLS, SIGSEGV},
        {"elsewhere", ends, setup, NULL, 0, SIGSEGV},
        {"elsewhere, and after a crash", twice, setup, NULL, 2, SIGSEGV},
        {"and nothing ends", lives, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0},
    };

    return report("faults that are not trapped", chapters);
}
