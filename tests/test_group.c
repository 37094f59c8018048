/* SPDX-License-Identifier: MIT */
/* test_group.c - my tasks in a shared pool. */
#include <weir/group.h>

#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "pools.h"
#include "suite.h"

static weir_group *group;

static void open_group(void)
{
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
}

static void setup(void)
{
    pool_setup();
    options.queue_capacity = 4;
}

static void setup_open(void)
{
    setup();
    open_pool_of(2);
    open_group();
}

static weir_ledger group_ledger(void)
{
    weir_ledger ledger;

    weir_group_read_ledger(group, &ledger);
    ck_assert(weir_ledger_balances(&ledger));
    return ledger;
}

static void join_group(void)
{
    ck_assert_int_eq(weir_group_join(group, WEIR_FOREVER), WEIR_OK);
}

static void drop_group(void)
{
    weir_group_destroy(group);
    group = NULL;
}

static void teardown(void)
{
    drop_group(); /* which is nothing if there is none */
    pool_teardown();
}

static struct job *put(struct job *job)
{
    ck_assert_int_eq(weir_group_submit(group, run_job, job, WEIR_NOW), WEIR_OK);
    return job;
}

static struct job *put_new(int (*act)(weir_task *task, struct job *job))
{
    return put(new_job(act));
}

static struct job *begin_new(int (*act)(weir_task *task, struct job *job))
{
    struct job *job = put_new(act);

    await_start(job);
    return job;
}

static weir_status act_join_group(struct call *call)
{
    return weir_group_join(group, call->deadline);
}

/* ------------------------------------------------------------------ ledger */

/* When all tasks are the group's, both ledgers say the same. */
static void assert_same_ledgers(void)
{
    weir_ledger mine = group_ledger(), pools = ledger_now();

    ck_assert_mem_eq(&mine, &pools, sizeof(mine));
}

static void await_late(uint64_t count)
{
    while (ledger_now().late < count)
        sched_yield();
}

START_TEST(whatever_becomes_of_its_tasks_it_counts_as_the_pool_does)
{
    struct job *job, *waiting[5];
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;

    options.timeout_ns = WEIR_SECONDS(50);
    options.time_to_live_ns = WEIR_SECONDS(20);
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    options.retry = &policy;
    open_pool();
    open_group();
    assert_same_ledgers();

    assert_outcome(put_new(act_answer), WEIR_OUTCOME_DONE);
    assert_outcome(put_new(act_exit), WEIR_OUTCOME_EXITED);
    join_group();
    assert_same_ledgers();

    job = new_job(act_answer);
    job->code = 3; /* fails, retries, is cancelled */
    put(job);
    while (ledger_now().retrying < 1)
        sched_yield();
    assert_same_ledgers();
    weir_group_cancel(group);
    join_group();
    assert_same_ledgers();
    ck_assert_uint_eq(group_ledger().cancelled, 1);

    job = begin_new(act_wait);
    for (int i = 0; i < 5; i++)
        waiting[i] = put_new(act_answer);
    assert_outcome(waiting[0], WEIR_OUTCOME_DROPPED);
    assert_same_ledgers();
    advance_to(test_clock_now() + WEIR_SECONDS(20));
    assert_outcome(waiting[4], WEIR_OUTCOME_EXPIRED);
    finish_job(job);
    join_group();
    assert_same_ledgers();

    job = new_job(act_wait);
    spec.handler = run_job;
    spec.item = job;
    ck_assert_int_eq(weir_group_submit_task(group, &spec, &future, WEIR_NOW),
                     WEIR_OK);
    await_start(job);
    assert_same_ledgers();
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    ck_assert_uint_eq(group_ledger().overdue, 1);
    assert_same_ledgers();
    gate_open(&job->finish);
    await_late(1);
    join_group();
    assert_same_ledgers();
    ck_assert_uint_eq(group_ledger().late, 1);
}
END_TEST

START_TEST(an_abandoned_one_is_abandoned_in_both)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    options.grace_ns = WEIR_SECONDS(1);
    options.max_abandoned = 2;
    open_pool();
    open_group();
    job = begin_new(act_wait);
    advance_to(job->deadline.at_ns);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    assert_same_ledgers();
    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_TIMED_OUT);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(1));
    ck_assert_int_eq(weir_group_join(group, WEIR_FOREVER), WEIR_STUCK);
    ck_assert_uint_eq(group_ledger().abandoned, 1);
    assert_same_ledgers();
    gate_open(&job->finish);
    await_released(job);
    join_group();
    assert_same_ledgers();
    ck_assert_uint_eq(group_ledger().abandoned, 0);
}
END_TEST

START_TEST(others_tasks_are_not_in_it)
{
    weir_ledger ledger;
    weir_group *other;

    ck_assert_int_eq(weir_group_create(&other, pool), WEIR_OK);
    submit_new(act_answer);
    put_new(act_answer);
    settle_all();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(weir_group_submit(other, run_job, new_job(act_answer),
                                           WEIR_NOW),
                         WEIR_OK);
    settle_all();
    ck_assert_uint_eq(group_ledger().accepted, 1);
    ck_assert_uint_eq(group_ledger().done, 1);
    weir_group_read_ledger(other, &ledger);
    ck_assert_uint_eq(ledger.done, 3);
    ck_assert_uint_eq(ledger_now().done, 5);
    weir_group_destroy(other);
}
END_TEST

START_TEST(what_is_refused_is_refused_in_both)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;
    struct job *busy[2];

    busy[0] = begin_new(act_wait);
    busy[1] = begin_new(act_wait);
    for (int i = 0; i < 4; i++)
        put_new(act_answer);
    ck_assert_int_eq(weir_group_submit(group, run_job, new_job(act_answer),
                                       WEIR_NOW),
                     WEIR_TIMED_OUT);
    assert_same_ledgers();
    ck_assert_uint_eq(group_ledger().refused, 1);
    spec.handler = run_job;
    spec.item = new_job(act_answer);
    weir__fault_arm(1);
    ck_assert_int_eq(weir_group_submit_task(group, &spec, &future, WEIR_NOW),
                     WEIR_ENOMEM);
    weir__fault_arm(0);
    ck_assert_uint_eq(group_ledger().refused, 2);
    assert_same_ledgers();
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    ck_assert_uint_eq(group_ledger().refused, 2); /* not its own */
    finish_job(busy[0]);
    finish_job(busy[1]);
}
END_TEST

START_TEST(what_a_submitter_runs_is_in_it)
{
    struct job *busy, *job;

    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    options.queue_capacity = 1;
    open_pool();
    open_group();
    busy = begin_new(act_wait);
    put_new(act_answer);
    job = put_new(act_answer); /* here */
    ck_assert_uint_eq(job->worker, UINT32_MAX);
    ck_assert_uint_eq(group_ledger().done, 1);
    assert_same_ledgers();
    weir__fault_arm(1);
    ck_assert_int_eq(weir_group_submit(group, run_job, new_job(act_answer),
                                       WEIR_NOW),
                     WEIR_ENOMEM);
    weir__fault_arm(0);
    assert_same_ledgers();
    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_TIMED_OUT);
    finish_job(busy);
    join_group();
    assert_same_ledgers();
}
END_TEST

static int act_note_id(weir_task *task, struct job *job)
{
    job->code = (int)weir_task_id(task);
    return 0;
}

/* Without callbacks others' tasks take the short way; a group's never do, and
 * keep their place among them. */
START_TEST(among_plain_tasks_its_own_keep_their_place)
{
    struct job *busy, *jobs[4];

    options.on_settled = NULL;
    options.on_release = NULL;
    open_pool();
    open_group();
    busy = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        jobs[i] = i % 2 ? put_new(act_note_id) : submit_new(act_note_id);
    ck_assert_uint_eq(group_ledger().queued, 2);
    gate_open(&busy->finish);
    join_group();
    settle_all();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(jobs[i]->code, i + 2);
    ck_assert_uint_eq(group_ledger().done, 2);
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* -------------------------------------------------------------------- join */

START_TEST(a_group_without_tasks_is_joined_at_once)
{
    struct job *other = start_new(act_wait);

    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_OK);
    finish_job(other);
}
END_TEST

START_TEST(join_waits_for_what_is_queued_and_running_and_for_nobody_else)
{
    struct job *other = start_new(act_wait), *first = begin_new(act_wait);
    struct job *second = put_new(act_wait);
    struct call join = {0}, again = {0};

    block_call(&join, act_join_group);
    block_call(&again, act_join_group);
    finish_job(first);
    await_start(second);
    ck_assert(!gate_is_open(&join.helper.ended));
    finish_job(second);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
    ck_assert_int_eq(end_call(&again), WEIR_OK);
    ck_assert_uint_eq(tally_read(&second->released), 1);
    finish_job(other);
}
END_TEST

START_TEST(join_times_out_at_its_deadline)
{
    struct job *job = begin_new(act_wait);
    struct call join = {0};

    block_call(&join, act_join_group);
    test_clock_advance(join.deadline.at_ns - test_clock_now());
    ck_assert_int_eq(end_call(&join), WEIR_TIMED_OUT);
    finish_job(job);
}
END_TEST

START_TEST(join_waits_for_retries_and_overdue_attempts)
{
    struct job *job = new_job(act_answer), *stuck;
    struct call join = {0};

    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(60);
    policy.max_attempts = 2;
    open_pool();
    open_group();
    job->code = 1;
    put(job);
    await_timekeeper(test_clock_now() + WEIR_SECONDS(10));
    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_TIMED_OUT);
    test_clock_advance(WEIR_SECONDS(10));
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    join_group();

    stuck = begin_new(act_wait);
    weir_group_cancel(group);
    assert_outcome(stuck, WEIR_OUTCOME_CANCELLED);
    block_call(&join, act_join_group);
    finish_job(stuck);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

static struct gate callback_entered = GATE_INIT, callback_left = GATE_INIT;

static void
settle_slowly(void *arg, const void *item, const weir_outcome *outcome)
{
    gate_open(&callback_entered);
    gate_wait(&callback_left);
    note_settled(arg, item, outcome);
}

START_TEST(join_waits_for_callbacks)
{
    struct job *job;

    options.on_settled = settle_slowly;
    open_pool();
    open_group();
    job = put_new(act_answer);
    gate_wait(&callback_entered);
    ck_assert_uint_eq(group_ledger().done, 1);
    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_TIMED_OUT);
    gate_open(&callback_left);
    join_group();
    ck_assert_uint_eq(tally_read(&job->released), 1);
    options.on_settled = note_settled;
}
END_TEST

static int act_put_another(weir_task *task, struct job *job)
{
    (void)task;
    if (job->arg)
        put(job->arg);
    return 0;
}

START_TEST(a_task_may_put_others_into_its_group)
{
    struct job *first = new_job(act_put_another);
    struct job *second = new_job(act_put_another);

    second->arg = new_job(act_answer);
    first->arg = second;
    put(first);
    join_group();
    ck_assert_uint_eq(group_ledger().done, 3);
}
END_TEST

static int act_join_inside(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_DEADLOCK);
    assert_error_names("own pool");
    return 0;
}

static void
settle_and_join(void *arg, const void *item, const weir_outcome *outcome)
{
    ck_assert_int_eq(weir_group_join(group, WEIR_FOREVER), WEIR_DEADLOCK);
    note_settled(arg, item, outcome);
}

START_TEST(joining_inside_its_pool_is_a_deadlock)
{
    options.on_settled = settle_and_join;
    open_pool();
    open_group();
    assert_outcome(put_new(act_join_inside), WEIR_OUTCOME_DONE);
    assert_outcome(submit_new(act_join_inside), WEIR_OUTCOME_DONE);
    join_group();
    options.on_settled = note_settled;
}
END_TEST

/* The callback of the one that is abandoned is still running. */
START_TEST(join_is_stuck_only_when_all_has_been_told)
{
    struct call join = {0};
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    options.grace_ns = WEIR_SECONDS(1);
    options.on_settled = settle_slowly;
    open_pool();
    open_group();
    job = begin_new(act_wait);
    advance_to(job->deadline.at_ns);
    gate_wait(&callback_entered);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(1));
    while (ledger_now().abandoned < 1)
        sched_yield();
    block_call(&join, act_join_group);
    gate_open(&callback_left);
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    finish_job(job);
    join_group();
    options.on_settled = note_settled;
}
END_TEST

/* The notifier is still in the callback of a task that is not its own. */
START_TEST(join_is_not_stuck_while_a_callback_of_its_own_is_owed)
{
    struct call join = {0};
    struct job *other, *job;

    options.timeout_ns = WEIR_SECONDS(5);
    options.grace_ns = WEIR_SECONDS(1);
    options.on_settled = settle_slowly;
    open_pool_of(2);
    open_group();
    other = start_new(act_wait);
    job = begin_new(act_wait);
    advance_to(job->deadline.at_ns);
    gate_wait(&callback_entered);
    advance_to(job->deadline.at_ns + WEIR_SECONDS(1));
    while (ledger_now().abandoned < 2)
        sched_yield();
    block_call(&join, act_join_group);
    gate_open(&callback_left);
    ck_assert_int_eq(end_call(&join), WEIR_STUCK);
    finish_job(other);
    finish_job(job);
    join_group();
    options.on_settled = note_settled;
}
END_TEST

/* ------------------------------------------------------------------ cancel */

START_TEST(cancel_is_for_its_own_tasks_only)
{
    struct job *mine = begin_new(act_listen), *other = start_new(act_wait);
    struct job *waiting[2] = {put_new(act_answer), new_job(act_answer)};

    must_submit(waiting[1]);
    weir_group_cancel(group);
    join_group();
    assert_outcome(mine, WEIR_OUTCOME_CANCELLED);
    assert_outcome(waiting[0], WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(tally_read(&waiting[0]->started), 0);
    ck_assert_uint_eq(tally_read(&waiting[0]->released), 1);
    ck_assert(!weir_task_cancelled(other->task));
    finish_job(other);
    assert_outcome(other, WEIR_OUTCOME_DONE);
    assert_outcome(waiting[1], WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(after_a_cancel_it_lets_tasks_in_again)
{
    put_new(act_listen);
    weir_group_cancel(group);
    weir_group_cancel(group);
    join_group();
    assert_outcome(put_new(act_answer), WEIR_OUTCOME_DONE);
    join_group();
    ck_assert_uint_eq(group_ledger().cancelled, 1);
    ck_assert_uint_eq(group_ledger().done, 1);
}
END_TEST

START_TEST(a_cancel_leaves_what_has_settled_as_it_is)
{
    struct job *done = put_new(act_answer), *running;

    join_group();
    running = begin_new(act_wait);
    weir_group_cancel(group);
    weir_group_cancel(group);
    ck_assert_uint_eq(group_ledger().overdue, 1);
    finish_job(running);
    assert_outcome(done, WEIR_OUTCOME_DONE);
    join_group();
    ck_assert_uint_eq(group_ledger().cancelled, 1);
}
END_TEST

/* From the middle, the beginning and the end of its list. */
START_TEST(tasks_settle_in_any_order)
{
    static const int orders[4][3] = {{0, 1, 2},
                                     {2, 1, 0},
                                     {1, 0, 2},
                                     {1, 2, 0}};
    struct job *jobs[3];

    open_pool_of(3);
    open_group();
    for (int i = 0; i < 3; i++)
        jobs[i] = begin_new(act_wait);
    for (int i = 0; i < 2; i++)
        finish_job(jobs[orders[_i][i]]);
    weir_group_cancel(group);
    assert_outcome(jobs[orders[_i][2]], WEIR_OUTCOME_CANCELLED);
    gate_open(&jobs[orders[_i][2]]->finish);
    join_group();
    ck_assert_uint_eq(group_ledger().done, 2);
}
END_TEST

/* ----------------------------------------------------------------- destroy */

START_TEST(destroy_cancels_and_does_not_wait)
{
    struct job *running = begin_new(act_wait), *waiting, *other;

    other = start_new(act_wait);
    waiting = put_new(act_answer);
    drop_group();
    assert_outcome(running, WEIR_OUTCOME_CANCELLED);
    assert_outcome(waiting, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(tally_read(&running->released), 0);
    finish_job(running);
    finish_job(other);
    assert_outcome(other, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_drop_group(weir_task *task, struct job *job)
{
    (void)job;
    drop_group();
    ck_assert(weir_task_cancelled(task));
    return 0;
}

START_TEST(a_task_may_destroy_its_group)
{
    struct job *job = put_new(act_drop_group);

    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    await_released(job);
}
END_TEST

START_TEST(it_outlives_its_pool_and_lets_nothing_in)
{
    struct job *job = put_new(act_answer);

    join_group();
    end_pool();
    ck_assert_int_eq(weir_group_submit(group, run_job, job, WEIR_FOREVER),
                     WEIR_CLOSED);
    join_group();
    weir_group_cancel(group);
    ck_assert_uint_eq(group_ledger().done, 1);
    ck_assert_uint_eq(group_ledger().refused, 1);
}
END_TEST

/* _i: whether it is let go before the stuck thread ends. */
START_TEST(with_a_stuck_task_it_outlives_its_pool)
{
    struct job *job = begin_new(act_wait);
    struct call join = {0};

    job->is_stuck = true;
    drop_pool();
    ck_assert_uint_eq(group_ledger().cancelled, 1);
    ck_assert_uint_eq(group_ledger().unreleased, 1);
    ck_assert_int_eq(weir_group_join(group, WEIR_NOW), WEIR_TIMED_OUT);
    if (_i) {
        drop_group();
    } else {
        block_call(&join, act_join_group);
    }
    gate_open(&job->finish);
    await_count(&job->ended, 1);
    if (!_i)
        ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

START_TEST(after_a_stop_it_says_what_is_unreleased)
{
    struct job *job = begin_new(act_wait);

    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    ck_assert_uint_eq(group_ledger().unreleased, 1);
    finish_job(job);
    join_group();
    ck_assert_uint_eq(group_ledger().unreleased, 0);
}
END_TEST

/* ---------------------------------------------------------------- refusals */

START_TEST(wrong_arguments_are_refused)
{
    weir_group *none = NULL;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    ck_assert_int_eq(weir_group_create(NULL, pool), WEIR_EINVAL);
    assert_error_names("out");
    ck_assert_int_eq(weir_group_create(&none, NULL), WEIR_EINVAL);
    assert_error_names("pool");
    ck_assert_int_eq(weir_group_submit(NULL, run_job, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("group");
    ck_assert_int_eq(weir_group_submit(group, NULL, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("handler");
    ck_assert_int_eq(weir_group_submit_task(NULL, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_group_submit_task(group, NULL, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("spec");
    ck_assert_int_eq(weir_group_join(NULL, WEIR_NOW), WEIR_EINVAL);
    weir_group_cancel(NULL);
    weir_group_destroy(NULL);
    ck_assert_uint_eq(group_ledger().refused, 0);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(without_memory_there_is_no_group)
{
    weir_group *none = NULL;

    weir__fault_arm(1);
    ck_assert_int_eq(weir_group_create(&none, pool), WEIR_ENOMEM);
    weir__fault_arm(0);
    assert_error_names("group");
    ck_assert_ptr_null(none);
}
END_TEST

static bool refuses_in_child(struct job *job)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_ledger ledger = {.accepted = 7};

    spec.handler = run_job;
    weir_group_read_ledger(group, &ledger);
    weir_group_cancel(group);
    if (weir_group_submit(group, run_job, job, WEIR_FOREVER) != WEIR_FORKED ||
        weir_group_submit_task(group, &spec, NULL, WEIR_NOW) != WEIR_FORKED ||
        weir_group_join(group, WEIR_FOREVER) != WEIR_FORKED ||
        weir_group_create(&group, pool) != WEIR_FORKED)
        return false;
    weir_group_destroy(group);
    return ledger.accepted == 0 && strstr(weir_last_error(), "group");
}

START_TEST(in_a_fork_child_it_is_refused)
{
    struct job *job = begin_new(act_wait);
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(!refuses_in_child(job));
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    finish_job(job);
}
END_TEST

int main(void)
{
    const TTest *const ledgers[] = {
        whatever_becomes_of_its_tasks_it_counts_as_the_pool_does,
        an_abandoned_one_is_abandoned_in_both,
        what_a_submitter_runs_is_in_it,
        among_plain_tasks_its_own_keep_their_place,
        join_waits_for_retries_and_overdue_attempts,
        join_waits_for_callbacks,
        join_is_stuck_only_when_all_has_been_told,
        join_is_not_stuck_while_a_callback_of_its_own_is_owed,
        joining_inside_its_pool_is_a_deadlock,
        NULL};
    const TTest *const joins[] = {
        others_tasks_are_not_in_it,
        what_is_refused_is_refused_in_both,
        a_group_without_tasks_is_joined_at_once,
        join_waits_for_what_is_queued_and_running_and_for_nobody_else,
        join_times_out_at_its_deadline,
        a_task_may_put_others_into_its_group,
        NULL};
    const TTest *const cancels[] = {cancel_is_for_its_own_tasks_only,
                                    after_a_cancel_it_lets_tasks_in_again,
                                    a_cancel_leaves_what_has_settled_as_it_is,
                                    NULL};
    const TTest *const orders[] = {tasks_settle_in_any_order, NULL};
    const TTest *const ends[] = {destroy_cancels_and_does_not_wait,
                                 a_task_may_destroy_its_group,
                                 it_outlives_its_pool_and_lets_nothing_in,
                                 after_a_stop_it_says_what_is_unreleased, NULL};
    const TTest *const stuck[] = {with_a_stuck_task_it_outlives_its_pool, NULL};
    const TTest *const refusals[] = {wrong_arguments_are_refused,
                                     without_memory_there_is_no_group,
                                     in_a_fork_child_it_is_refused, NULL};
    const struct chapter chapters[] = {
        {"ledger and join", ledgers, setup, teardown, 0, 0},
        {"join", joins, setup_open, teardown, 0, 0},
        {"cancel", cancels, setup_open, teardown, 0, 0},
        {"orders", orders, setup, teardown, 4, 0},
        {"destroy", ends, setup_open, teardown, 0, 0},
        {"stuck", stuck, setup_open, teardown, 2, 0},
        {"refusals", refusals, setup_open, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("group", chapters);
}
