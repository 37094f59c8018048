/* SPDX-License-Identifier: MIT */
/*
 * test_pool_trap.c - handlers that crash in a pool that traps faults.
 *
 * What is not trapped is in test_pool_untrapped.c.
 */
#include <weir/pool.h>
#include <weir/run.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashes.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.isolation = WEIR_ISOLATE_TRAP;
}

static void setup_no_callbacks(void)
{
    options.on_settled = NULL;
    options.on_release = NULL;
}

static void setup_plain(void)
{
    setup();
    setup_no_callbacks();
}

/* A job whose handler crashes has ended, but its clean-ups do not run. */
static int act_crash(weir_task *task, struct job *job)
{
    (void)task;
    tally_add(&job->ended, 1);
    crashes[job->code].make();
    return 0;
}

static struct job *new_crash(int kind)
{
    struct job *job = new_job(act_crash);

    job->code = kind;
    return job;
}

/* ------------------------------------------------------------- each of them */

START_TEST(each_fault_settles_its_task_with_signal_and_words)
{
    const struct crash *kind = &crashes[_i];
    struct job *job, *next;

    open_pool();
    ck_assert(!stats_now().tainted);
    job = new_crash(_i);
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_CRASHED);
    await_released(job);
    ck_assert_int_eq(job->outcome.code, kind->signal);
    ck_assert_ptr_nonnull(strstr(job->message, kind->name));
    ck_assert_ptr_nonnull(strstr(job->message, kind->words));
    ck_assert_uint_eq(job->outcome.attempts, 1);
    ck_assert_uint_eq(job->outcome.result_size, 0);
    ck_assert(stats_now().tainted);
    ck_assert_uint_eq(ledger_now().crashed, 1);

    next = submit_new(act_answer);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(next->worker, job->worker);
    ck_assert(stats_now().tainted);
}
END_TEST

START_TEST(so_it_does_again_and_again_on_each_worker)
{
    struct job *jobs[32];

    open_pool_of(4);
    for (int i = 0; i < 32; i++) {
        jobs[i] = new_crash(i % crash_count);
        must_submit(jobs[i]);
    }
    for (int i = 0; i < 32; i++) {
        await_released(jobs[i]);
        ck_assert_int_eq(jobs[i]->outcome.code,
                         crashes[i % crash_count].signal);
    }
    settle_all();
    ck_assert_uint_eq(ledger_now().crashed, 32);
    await_workers(4);
}
END_TEST

START_TEST(a_plain_task_may_crash)
{
    const struct crash *kind = &crashes[_i];
    struct job *next;

    open_pool();
    must_submit(new_crash(_i));
    next = submit_new(act_answer);
    settle_all();
    ck_assert_uint_eq(tally_read(&next->ended), 1);
    ck_assert_uint_eq(ledger_now().crashed, 1);
    ck_assert_uint_eq(ledger_now().done, 1);
    ck_assert_uint_eq(ledger_now().attempts, 2);
    ck_assert(stats_now().tainted);
    ck_assert_int_gt(kind->signal, 0);
}
END_TEST

START_TEST(a_future_has_the_words_too)
{
    struct job *job = new_crash(0);
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_future *future;

    open_pool();
    future = submit_for(job);
    ck_assert_int_eq(weir_future_wait(future, &outcome, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_int_eq(outcome.code, SIGSEGV);
    ck_assert_str_eq(outcome.message, "SIGSEGV at address 0x10");
    weir_future_release(future);
    await_released(job);
}
END_TEST

static int crash_at_3(weir_task *task, void *item)
{
    (void)task;
    if (*(uint64_t *)item == 3)
        crash();
    return 0;
}

START_TEST(a_run_goes_on)
{
    weir_run_options run = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    weir_producer range;
    const weir_producer *producers[] = {&range};

    ck_assert_int_eq(weir_producer_range(&range, 0, 10), WEIR_OK);
    options.on_settled = NULL;
    options.on_release = NULL;
    run.producers = producers;
    run.producer_count = 1;
    run.handler = crash_at_3;
    run.pool = &options;
    ck_assert_int_eq(weir_run(&run, &report), WEIR_OK);
    ck_assert_uint_eq(report.ledger.crashed, 1);
    ck_assert_uint_eq(report.ledger.done, 9);
    ck_assert_ptr_nonnull(strstr(report.first_failure, "SIGSEGV"));
}
END_TEST

/* ------------------------------------------------------------- what is left */

static void must_not_run(void *arg)
{
    (void)arg;
    abort();
}

static pthread_key_t key;
static struct gate at_the_end = GATE_INIT, go_on = GATE_INIT;

static void end_slowly(void *value)
{
    (void)value;
    gate_open(&at_the_end);
    gate_wait(&go_on);
}

static int act_crash_with_an_action(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_on_cancel(task, must_not_run, NULL), WEIR_OK);
    ck_assert_int_eq(pthread_setspecific(key, task), 0);
    return act_crash(task, job);
}

/* The thread is still ending: its own destructors may see the item. */
START_TEST(actions_are_withdrawn_at_the_crash)
{
    struct job *job = new_job(act_crash_with_an_action);
    struct job *next;
    weir_future *future;

    ck_assert_int_eq(pthread_key_create(&key, end_slowly), 0);
    open_pool();
    future = submit_for(job);
    gate_wait(&at_the_end);
    assert_unsettled(job);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    gate_open(&go_on);
    await_released(job);
    next = submit_new(act_answer);
    await_released(next);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert(stats_now().tainted);
    weir_future_release(future);
}
END_TEST

static int act_crash_with_a_result(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_result(task, "1234", 4), WEIR_OK);
    weir_task_fail(task, 7, "seven");
    ck_assert_int_eq(weir_task_defer(task, must_not_run, NULL), WEIR_OK);
    return act_crash(task, job);
}

START_TEST(nothing_that_it_said_before_counts)
{
    struct job *job;

    open_pool();
    job = submit_new(act_crash_with_a_result);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_int_eq(job->outcome.code, SIGSEGV);
    ck_assert_str_eq(job->message, "SIGSEGV at address 0x10");
    ck_assert_ptr_null(job->outcome.result);
}
END_TEST

static int act_crash_within_a_clean_up(weir_task *task, struct job *job)
{
    pthread_cleanup_push(must_not_run, NULL);
    act_crash(task, job);
    pthread_cleanup_pop(0);
    return 0;
}

START_TEST(its_clean_up_handlers_do_not_run)
{
    struct job *job;

    open_pool();
    job = submit_new(act_crash_within_a_clean_up);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
}
END_TEST

static sigset_t mask_at_end;
static stack_t stack_at_start, stack_in_handler, stack_at_stop;

static void note_mask(void *value)
{
    (void)value;
    pthread_sigmask(SIG_BLOCK, NULL, &mask_at_end);
}

static int act_crash_and_note_mask(weir_task *task, struct job *job)
{
    ck_assert_int_eq(pthread_setspecific(key, task), 0);
    return act_crash(task, job);
}

/* Every signal handler of the thread's can run again. */
START_TEST(the_thread_has_the_mask_it_started_with)
{
    struct job *job = new_job(act_crash_and_note_mask);

    ck_assert_int_eq(pthread_key_create(&key, note_mask), 0);
    open_pool();
    job->code = _i;
    must_submit(job);
    await_released(job);
    for (int i = 0; i < crash_count; i++)
        ck_assert_int_eq(sigismember(&mask_at_end, crashes[i].signal), 0);
    ck_assert_int_eq(sigismember(&mask_at_end, SIGUSR1), 1);
}
END_TEST

static struct tally starts = TALLY_INIT, stops = TALLY_INIT;

static int count_start(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    tally_add(&starts, 1);
    return 0;
}

static void count_stop(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    tally_add(&stops, 1);
}

static char settled_by[16], asked_by[16];
static struct gate next_has_begun = GATE_INIT;

/* Until then the record has the words, too. */
static void
settle_late(void *arg, const void *item, const weir_outcome *outcome)
{
    pthread_getname_np(pthread_self(), settled_by, sizeof(settled_by));
    gate_wait(&next_has_begun);
    note_settled(arg, item, outcome);
}

static int act_begin(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    gate_open(&next_has_begun);
    return 0;
}

/* It may hold locks. */
START_TEST(the_thread_runs_no_callback)
{
    struct job *job = new_crash(0), *next;

    options.on_settled = settle_late;
    open_pool();
    must_submit(job);
    next = submit_new(act_begin);
    await_released(job);
    await_released(next);
    ck_assert_str_eq(job->message, "SIGSEGV at address 0x10");
    end_pool();
}
END_TEST

START_TEST(the_thread_runs_no_hook)
{
    struct job *job;

    options.worker_start = count_start;
    options.worker_stop = count_stop;
    options.on_settled = settle_late;
    gate_open(&next_has_begun);
    open_pool();
    job = new_crash(0);
    must_submit(job);
    await_released(job);
    ck_assert_str_eq(settled_by, "weir/note");
    await_count(&starts, 2);
    end_pool();
    ck_assert_uint_eq(tally_read(&starts), 2);
    ck_assert_uint_eq(tally_read(&stops), 1);
    options.on_settled = note_settled;
}
END_TEST

static int act_crash_with_a_cancel_pending(weir_task *task, struct job *job)
{
    cancel_this_thread();
    return act_crash(task, job);
}

START_TEST(a_cancel_that_is_pending_does_not_make_it_an_exit)
{
    struct job *job;

    open_pool();
    job = new_job(act_crash_with_a_cancel_pending);
    must_submit(job);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
}
END_TEST

static int note_stack_at_start(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    return sigaltstack(NULL, &stack_at_start);
}

static void note_stack_at_stop(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    sigaltstack(NULL, &stack_at_stop);
}

static int act_note_stack(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return sigaltstack(NULL, &stack_in_handler);
}

START_TEST(a_worker_has_a_signal_stack_until_it_ends)
{
    options.worker_start = note_stack_at_start;
    options.worker_stop = note_stack_at_stop;
    open_pool();
    await_released(submit_new(act_note_stack));
    end_pool();
    ck_assert_int_eq(stack_at_start.ss_flags & SS_DISABLE, 0);
    ck_assert_ptr_eq(stack_at_start.ss_sp, stack_in_handler.ss_sp);
    ck_assert_uint_ge(stack_in_handler.ss_size, 1 << 16);
    ck_assert_ptr_ne(stack_at_stop.ss_sp, stack_in_handler.ss_sp);
}
END_TEST

/* ------------------------------------------------------------ other endings */

static int act_wait_and_crash(weir_task *task, struct job *job)
{
    gate_wait(&job->finish);
    job->code = 0;
    return act_crash(task, job);
}

/* _i: a plain task. */
START_TEST(a_late_crash_is_late)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    if (_i)
        setup_no_callbacks();
    open_pool();
    job = start_new(act_wait_and_crash);
    advance_to(job->deadline.at_ns);
    while (ledger_now().timed_out == 0)
        sched_yield();
    ck_assert(!stats_now().tainted);
    gate_open(&job->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(ledger_now().crashed, 0);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert(stats_now().tainted);
}
END_TEST

START_TEST(an_abandoned_thread_may_crash)
{
    struct job *job, *next;

    options.timeout_ns = WEIR_SECONDS(5);
    options.grace_ns = WEIR_SECONDS(1);
    options.max_abandoned = 2;
    open_pool();
    job = start_new(act_wait_and_crash);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(1));
    while (ledger_now().abandoned == 0)
        sched_yield();
    next = submit_new(act_answer);
    assert_outcome(next, WEIR_OUTCOME_DONE);
    gate_open(&job->finish);
    await_released(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().abandoned, 0);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert(stats_now().tainted);
}
END_TEST

START_TEST(a_crash_is_not_tried_again_by_default)
{
    struct job *job;

    options.retry = &policy;
    open_pool();
    job = new_crash(0);
    must_submit(job);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_uint_eq(job->outcome.attempts, 1);
}
END_TEST

static int act_crash_once(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        return act_crash(task, job);
    return 0;
}

static weir_outcome asked;

static bool if_crashed(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    asked = *outcome;
    return outcome->kind == WEIR_OUTCOME_CRASHED;
}

START_TEST(a_predicate_may_have_it_tried_again)
{
    struct job *job;

    policy.retryable = if_crashed;
    options.retry = &policy;
    open_pool();
    job = submit_new(act_crash_once);
    advance_to(test_clock_now() + WEIR_SECONDS(10));
    assert_outcome(job, WEIR_OUTCOME_DONE);
    await_released(job);
    ck_assert_uint_eq(job->outcome.attempts, 2);
    ck_assert_int_eq(asked.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_int_eq(asked.code, SIGSEGV);
    ck_assert_uint_eq(ledger_now().crashed, 0);
    ck_assert(stats_now().tainted);
}
END_TEST

static bool never(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    asked = *outcome;
    pthread_getname_np(pthread_self(), asked_by, sizeof(asked_by));
    return false;
}

START_TEST(a_predicate_may_say_no)
{
    struct job *job;

    policy.retryable = never;
    options.retry = &policy;
    open_pool();
    job = new_crash(0);
    must_submit(job);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_str_eq(job->message, "SIGSEGV at address 0x10");
    ck_assert_int_eq(job->outcome.code, SIGSEGV);
    ck_assert_int_eq(asked.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_str_eq(asked_by, "weir/note");
    ck_assert_uint_eq(ledger_now().crashed, 1);
}
END_TEST

static int act_raise(weir_task *task, struct job *job)
{
    (void)job;
    weir_task_raise(task, 9, "nine");
}

/* A raise leaves through weir, and what comes after is trapped as ever. */
START_TEST(a_handler_may_still_raise_and_exit)
{
    struct job *raises, *crashes_then, *exits, *crashes_last;

    open_pool();
    raises = submit_new(act_raise);
    crashes_then = new_crash(0);
    must_submit(crashes_then);
    exits = submit_new(act_exit);
    crashes_last = new_crash(0);
    must_submit(crashes_last);
    settle_all();
    assert_outcome(raises, WEIR_OUTCOME_FAILED);
    assert_outcome(crashes_then, WEIR_OUTCOME_CRASHED);
    assert_outcome(exits, WEIR_OUTCOME_EXITED);
    assert_outcome(crashes_last, WEIR_OUTCOME_CRASHED);
}
END_TEST

int main(void)
{
    const TTest *const faults[] = {
        each_fault_settles_its_task_with_signal_and_words,
        the_thread_has_the_mask_it_started_with,
        NULL,
    };
    const TTest *const plain[] = {a_plain_task_may_crash, NULL};
    const TTest *const tasks[] = {
        so_it_does_again_and_again_on_each_worker,
        a_future_has_the_words_too,
        a_run_goes_on,
        actions_are_withdrawn_at_the_crash,
        nothing_that_it_said_before_counts,
        the_thread_runs_no_callback,
        the_thread_runs_no_hook,
        its_clean_up_handlers_do_not_run,
        a_cancel_that_is_pending_does_not_make_it_an_exit,
        a_worker_has_a_signal_stack_until_it_ends,
        an_abandoned_thread_may_crash,
        a_crash_is_not_tried_again_by_default,
        a_predicate_may_have_it_tried_again,
        a_predicate_may_say_no,
        a_handler_may_still_raise_and_exit,
        NULL,
    };
    const TTest *const ways[] = {a_late_crash_is_late, NULL};
    const struct chapter chapters[] = {
        {"each fault", faults, setup, pool_teardown, crash_count, 0},
        {"each fault of a plain task", plain, setup_plain, pool_teardown,
         crash_count, 0},
        {"tasks", tasks, setup, pool_teardown, 0, 0},
        {"tasks with and without entries", ways, setup, pool_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0},
    };

    return report("trapped faults", chapters);
}
