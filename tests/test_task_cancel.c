/* SPDX-License-Identifier: MIT */
/* test_task_cancel.c - how an attempt hears that it should stop. */
#include <weir/task.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    open_pool();
}

/* Counts of on_cancel actions, and on which thread the last one ran. */
static struct tally actions = TALLY_INIT;
static pthread_t acted_on;
static struct gate action_began = GATE_INIT, action_may_end = GATE_INIT;

static void note_action(void *arg)
{
    (void)arg;
    acted_on = pthread_self();
    tally_add(&actions, 1);
}

static void slow_action(void *arg)
{
    struct job *job = arg;

    gate_open(&action_began);
    gate_wait(&action_may_end);
    ck_assert_uint_eq(tally_read(&job->ended), 0); /* nor its clean-ups */
    note_action(arg);
}

static void
must_act_on_cancel(weir_task *task, void (*action)(void *arg), void *arg)
{
    ck_assert_int_eq(weir_task_on_cancel(task, action, arg), WEIR_OK);
}

/* Starts a job and returns its future. */
static weir_future *start_for(struct job *job)
{
    weir_future *future = submit_for(job);

    await_start(job);
    return future;
}

static void cancel(weir_future *future)
{
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
}

static void cancel_and_let_go(weir_future *future)
{
    cancel(future);
    weir_future_release(future);
}

static bool is_readable(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    return poll(&look, 1, 0) == 1 && (look.revents & POLLIN);
}

/* -------------------------------------------------------------------- flag */

static int act_spin_until_cancelled(weir_task *task, struct job *job)
{
    (void)job;
    while (!weir_task_cancelled(task))
        sched_yield();
    ck_assert(weir_task_cancelled(task));
    return 0;
}

START_TEST(the_flag_tells_a_running_attempt)
{
    struct job *job = new_job(act_spin_until_cancelled);

    cancel_and_let_go(start_for(job));
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    await_released(job);
}
END_TEST

static void *watch_flag(void *task)
{
    while (!weir_task_cancelled(task))
        sched_yield();
    return NULL;
}

static int act_have_another_watch(weir_task *task, struct job *job)
{
    pthread_t other;

    (void)job;
    ck_assert_int_eq(pthread_create(&other, NULL, watch_flag, task), 0);
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    return 0;
}

START_TEST(a_thread_that_the_handler_waits_for_may_watch_the_flag)
{
    struct job *job = new_job(act_have_another_watch);

    cancel_and_let_go(start_for(job));
    await_released(job);
}
END_TEST

static int act_assert_clean(weir_task *task, struct job *job)
{
    ck_assert(!weir_task_cancelled(task));
    job->code = weir_task_cancel_fd(task);
    ck_assert_int_ge(job->code, 0);
    ck_assert(!is_readable(job->code));
    ck_assert_int_eq(weir_task_sleep(task, 0), WEIR_OK);
    return 0;
}

static int act_poll_until_cancelled(weir_task *task, struct job *job)
{
    struct pollfd look = {.events = POLLIN};

    look.fd = job->code = weir_task_cancel_fd(task);
    ck_assert_int_eq(weir_task_cancel_fd(task), look.fd);
    ck_assert_int_eq(poll(&look, 1, -1), 1);
    ck_assert(weir_task_cancelled(task));
    ck_assert_int_eq(weir_task_fail(task, 3, "unheard"), 3);
    return 0;
}

/* ---------------------------------------------------------------------- fd */

START_TEST(the_descriptor_wakes_a_poll_and_closes_on_exec)
{
    struct job *job = new_job(act_poll_until_cancelled);

    cancel_and_let_go(start_for(job));
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CANCELLED);
    ck_assert(fcntl(job->code, F_GETFD) & FD_CLOEXEC);
}
END_TEST

static int act_ask_late_for_fd(weir_task *task, struct job *job)
{
    act_listen(task, job);
    ck_assert(is_readable(weir_task_cancel_fd(task)));
    return 0;
}

START_TEST(a_descriptor_asked_for_after_the_cancel_is_readable_at_once)
{
    struct job *job = new_job(act_ask_late_for_fd);

    cancel_and_let_go(start_for(job));
    await_released(job);
}
END_TEST

START_TEST(the_next_attempt_of_the_worker_starts_clean)
{
    static int (*const asked[])(weir_task *,
                                struct job *) = {act_poll_until_cancelled,
                                                 act_ask_late_for_fd};
    struct job *first = new_job(asked[_i]), *second;

    cancel_and_let_go(start_for(first));
    second = submit_new(act_assert_clean);
    assert_outcome(second, WEIR_OUTCOME_DONE);
    ck_assert_ptr_eq(second->task, first->task);
    ck_assert_str_eq(second->message, "");
}
END_TEST

START_TEST(the_descriptor_is_closed_with_the_pool)
{
    struct job *job = submit_new(act_assert_clean);

    await_released(job);
    ck_assert_int_ne(fcntl(job->code, F_GETFD), -1);
    end_pool();
    ck_assert_int_eq(fcntl(job->code, F_GETFD), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* ------------------------------------------------------------------- sleep */

static int act_sleep(weir_task *task, struct job *job)
{
    job->code = weir_task_sleep(task, WEIR_SECONDS(5));
    return job->code;
}

START_TEST(sleep_ends_at_its_time)
{
    struct job *job = start_new(act_sleep);
    int64_t until_ns = job->started_ns + WEIR_SECONDS(5);

    test_clock_await_waiter(until_ns);
    test_clock_advance(WEIR_SECONDS(5) - 1);
    assert_unsettled(job);
    disturb_waiter(until_ns);
    assert_unsettled(job);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(sleep_ends_when_cancelled)
{
    struct job *job = new_job(act_sleep);
    weir_future *future = start_for(job);

    test_clock_await_waiter(job->started_ns + WEIR_SECONDS(5));
    cancel_and_let_go(future);
    await_released(job);
    ck_assert_int_eq(job->code, WEIR_CANCELLED);
}
END_TEST

static int act_sleep_again(weir_task *task, struct job *job)
{
    act_listen(task, job);
    ck_assert_int_eq(weir_task_sleep(task, INT64_MAX), WEIR_CANCELLED);
    ck_assert_int_eq(weir_task_sleep(task, 0), WEIR_CANCELLED);
    ck_assert_int_eq(weir_task_sleep(task, -1), WEIR_CANCELLED);
    return 0;
}

START_TEST(a_cancelled_attempt_sleeps_no_more)
{
    struct job *job = new_job(act_sleep_again);

    cancel_and_let_go(start_for(job));
    await_released(job);
}
END_TEST

/* --------------------------------------------------------------- on_cancel */

static int act_register_two(weir_task *task, struct job *job)
{
    must_act_on_cancel(task, note_action, job);
    must_act_on_cancel(task, note_action, job);
    gate_open(job->arg);
    gate_wait(&job->finish);
    return 0;
}

START_TEST(actions_run_once_each_on_the_notifier)
{
    struct job *job = new_job(act_register_two);
    struct gate registered = GATE_INIT;
    weir_future *future;

    job->arg = &registered;
    future = submit_for(job);
    gate_wait(&registered);
    cancel(future);
    cancel(future);
    weir_future_release(future);
    await_count(&actions, 2);
    await_settled(job);
    ck_assert(pthread_equal(acted_on, job->settled_on));
    ck_assert(!pthread_equal(acted_on, job->ran_on));
    finish_job(job);
    ck_assert_uint_eq(tally_read(&actions), 2);
}
END_TEST

START_TEST(actions_of_an_attempt_that_was_not_cancelled_never_run)
{
    struct job *job = new_job(act_register_two);
    struct gate registered = GATE_INIT;

    job->arg = &registered;
    must_submit(job);
    finish_job(job);
    cancel_and_let_go(start_for(new_job(act_listen)));
    settle_all();
    ck_assert_uint_eq(tally_read(&actions), 0);
}
END_TEST

static int act_register_late(weir_task *task, struct job *job)
{
    act_listen(task, job);
    must_act_on_cancel(task, note_action, job);
    ck_assert_uint_eq(tally_read(&actions), 1);
    ck_assert(pthread_equal(acted_on, pthread_self()));
    return 0;
}

START_TEST(an_action_for_a_cancelled_attempt_runs_at_once_and_here)
{
    struct job *job = new_job(act_register_late);

    cancel_and_let_go(start_for(job));
    await_released(job);
    ck_assert_uint_eq(tally_read(&actions), 1);
}
END_TEST

static int act_register_17(weir_task *task, struct job *job)
{
    for (int i = 0; i < 16; i++)
        must_act_on_cancel(task, note_action, job);
    ck_assert_int_eq(weir_task_on_cancel(task, note_action, job), WEIR_FULL);
    assert_error_names("16");
    gate_open(job->arg);
    return act_wait(task, job);
}

START_TEST(sixteen_actions_are_held_and_one_more_is_refused)
{
    struct job *job = new_job(act_register_17);
    struct gate registered = GATE_INIT;
    weir_future *future;

    job->arg = &registered;
    future = submit_for(job);
    gate_wait(&registered);
    cancel_and_let_go(future);
    await_count(&actions, 16);
    finish_job(job);
    ck_assert_uint_eq(tally_read(&actions), 16);
}
END_TEST

static int act_take_back(weir_task *task, struct job *job)
{
    for (int i = 0; i < 16; i++)
        must_act_on_cancel(task, note_action, job);
    ck_assert_int_eq(weir_task_on_cancel(task, NULL, NULL), WEIR_OK);
    must_act_on_cancel(task, note_action, job); /* there is room again */
    ck_assert_int_eq(weir_task_on_cancel(task, NULL, NULL), WEIR_OK);
    gate_open(job->arg);
    return act_listen(task, job);
}

START_TEST(a_null_action_takes_back_those_that_have_not_run)
{
    struct job *job = new_job(act_take_back);
    struct gate registered = GATE_INIT;
    weir_future *future;

    job->arg = &registered;
    future = submit_for(job);
    gate_wait(&registered);
    cancel_and_let_go(future);
    await_released(job);
    settle_all();
    ck_assert_uint_eq(tally_read(&actions), 0);
}
END_TEST

static int act_take_back_what_runs(weir_task *task, struct job *job)
{
    struct gate *gates = job->arg;

    must_act_on_cancel(task, slow_action, job);
    gate_open(&gates[0]);
    gate_wait(&action_began);
    gate_open(&gates[1]);
    ck_assert_int_eq(weir_task_on_cancel(task, NULL, NULL), WEIR_OK);
    ck_assert_uint_eq(tally_read(&actions), 1);
    return 0;
}

START_TEST(a_null_action_waits_for_one_that_runs)
{
    struct job *job = new_job(act_take_back_what_runs);
    struct gate registered_and_waiting[2] = {GATE_INIT, GATE_INIT};
    weir_future *future;

    job->arg = registered_and_waiting;
    future = submit_for(job);
    gate_wait(&registered_and_waiting[0]);
    cancel_and_let_go(future);
    gate_wait(&registered_and_waiting[1]);
    gate_open(&action_may_end);
    await_released(job);
}
END_TEST

static int act_end_under_an_action(weir_task *task, struct job *job)
{
    must_act_on_cancel(task, slow_action, job);
    gate_open(job->arg);
    gate_wait(&action_began);
    return job->code ? act_exit(task, job) : 0;
}

/* The action holds what the handler's end would free. */
START_TEST(an_attempts_end_waits_for_an_action_that_runs)
{
    struct job *job = new_job(act_end_under_an_action);
    struct gate registered = GATE_INIT;
    weir_future *future;

    job->arg = &registered;
    job->code = _i; /* 1: by ending its thread */
    future = submit_for(job);
    gate_wait(&registered);
    cancel_and_let_go(future);
    gate_wait(&action_began);
    for (int i = 0; i < 1000; i++) /* time enough to go wrong */
        sched_yield();
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_uint_eq(ledger_now().overdue, 1);
    gate_open(&action_may_end);
    await_released(job);
    ck_assert_uint_eq(tally_read(&actions), 1);
}
END_TEST

static int act_end_before_actions(weir_task *task, struct job *job)
{
    must_act_on_cancel(task, note_action, job);
    gate_open(job->arg);
    return act_wait(task, job);
}

/* The notifier is busy with another task's action, and comes too late. */
START_TEST(an_action_never_begins_after_the_attempts_end)
{
    struct job *slow = new_job(act_end_under_an_action);
    struct job *late = new_job(act_end_before_actions);
    struct gate registered[2] = {GATE_INIT, GATE_INIT};
    weir_future *futures[2];

    ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
    slow->arg = &registered[0];
    late->arg = &registered[1];
    futures[0] = submit_for(slow);
    futures[1] = submit_for(late);
    gate_wait(&registered[0]);
    gate_wait(&registered[1]);
    cancel_and_let_go(futures[0]);
    gate_wait(&action_began);
    cancel_and_let_go(futures[1]);
    gate_open(&late->finish);
    await_count(&late->ended, 1);
    while (ledger_now().overdue > 1) /* its end waits for no notifier */
        sched_yield();
    gate_open(&action_may_end);
    await_released(slow);
    await_released(late);
    ck_assert_uint_eq(tally_read(&actions), 1);
}
END_TEST

int main(void)
{
    const TTest *const flag[] = {
        the_flag_tells_a_running_attempt,
        a_thread_that_the_handler_waits_for_may_watch_the_flag,
        the_descriptor_wakes_a_poll_and_closes_on_exec,
        a_descriptor_asked_for_after_the_cancel_is_readable_at_once,
        the_descriptor_is_closed_with_the_pool,
        sleep_ends_at_its_time,
        sleep_ends_when_cancelled,
        a_cancelled_attempt_sleeps_no_more,
        NULL};
    const TTest *const twice[] = {the_next_attempt_of_the_worker_starts_clean,
                                  an_attempts_end_waits_for_an_action_that_runs,
                                  NULL};
    const TTest *const on_cancel[] = {
        actions_run_once_each_on_the_notifier,
        actions_of_an_attempt_that_was_not_cancelled_never_run,
        an_action_for_a_cancelled_attempt_runs_at_once_and_here,
        sixteen_actions_are_held_and_one_more_is_refused,
        a_null_action_takes_back_those_that_have_not_run,
        a_null_action_waits_for_one_that_runs,
        an_action_never_begins_after_the_attempts_end,
        NULL};
    const struct chapter chapters[] = {
        {"flag, descriptor, sleep", flag, setup, pool_teardown, 0, 0},
        {"both ways", twice, setup, pool_teardown, 2, 0},
        {"on_cancel", on_cancel, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("task: cancelling", chapters);
}
