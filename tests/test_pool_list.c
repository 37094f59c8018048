/* SPDX-License-Identifier: MIT */
/* test_pool_list.c - which tasks a pool has, and what they are at. */
#include <weir/pool.h>

#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

enum { ROOM = 16 };

/* A place more than the list is told of, to see that it is left alone. */
static weir_pool_entry list[ROOM + 1];

static void setup(void)
{
    pool_setup();
    options.queue_capacity = 8;
}

static void setup_plain(void)
{
    setup();
    options.on_settled = NULL;
    options.on_release = NULL;
}

static size_t list_tasks(void)
{
    memset(list, 0x55, sizeof(list));
    list[0].size = sizeof(list[0]);
    return weir_pool_list(pool, list, ROOM);
}

static void assert_line(size_t i, const struct job *job, weir_task_state state,
                        uint32_t attempt, int64_t since_ns)
{
    ck_assert_uint_eq(list[i].size, sizeof(list[i]));
    if (job->id)
        ck_assert_uint_eq(list[i].task_id, job->id);
    ck_assert_int_eq(list[i].state, state);
    ck_assert_uint_eq(list[i].attempt, attempt);
    ck_assert_int_eq(list[i].since_ns, since_ns);
    if (state == WEIR_TASK_RUNNING)
        ck_assert_uint_eq(list[i].worker, job->worker);
}

static weir_future *submit_labelled(struct job *job, const char *label)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.label = label;
    return submit_spec(job, spec);
}

static void pass(int64_t ns)
{
    test_clock_advance(ns);
}

/* ------------------------------------------------------------------ states */

START_TEST(an_idle_pool_has_nothing_to_list)
{
    open_pool();
    ck_assert_uint_eq(list_tasks(), 0);
    submit_new(act_answer);
    settle_all();
    ck_assert_uint_eq(list_tasks(), 0);
}
END_TEST

START_TEST(what_runs_and_what_is_queued_is_listed_oldest_first)
{
    struct job *running, *queued[3];

    open_pool();
    running = start_new(act_wait);
    pass(7);
    for (int i = 0; i < 3; i++) {
        queued[i] = submit_new(act_answer);
        pass(10);
    }
    ck_assert_uint_eq(list_tasks(), 4);
    assert_line(0, running, WEIR_TASK_RUNNING, 1, 37);
    ck_assert_int_eq(list[0].left_ns, INT64_MAX);
    ck_assert_str_eq(list[0].label, "");
    for (int i = 0; i < 3; i++) {
        assert_line((size_t)i + 1, queued[i], WEIR_TASK_QUEUED, 0, 30 - 10 * i);
        ck_assert_uint_eq(list[i + 1].task_id, (uint64_t)i + 2);
        ck_assert_uint_eq(list[i + 1].worker, UINT32_MAX);
        ck_assert_int_eq(list[i + 1].left_ns, INT64_MAX);
    }
    finish_job(running);
}
END_TEST

START_TEST(labels_are_listed_and_cut_to_31_bytes)
{
    struct job *job = new_job(act_wait);
    weir_future *futures[2];

    open_pool();
    futures[0] = submit_labelled(job, "invoice 4711");
    await_start(job);
    futures[1] = submit_labelled(new_job(act_answer),
                                 "0123456789012345678901234567890123456789");
    ck_assert_uint_eq(list_tasks(), 2);
    ck_assert_str_eq(list[0].label, "invoice 4711");
    ck_assert_str_eq(list[1].label, "0123456789012345678901234567890");
    finish_job(job);
    for (int i = 0; i < 2; i++)
        weir_future_release(futures[i]);
}
END_TEST

START_TEST(time_left_is_until_the_deadline_or_the_end_of_its_life)
{
    struct job *running;

    options.timeout_ns = WEIR_SECONDS(5);
    options.time_to_live_ns = WEIR_SECONDS(9);
    open_pool();
    running = start_new(act_wait);
    submit_new(act_answer);
    pass(WEIR_SECONDS(1));
    ck_assert_uint_eq(list_tasks(), 2);
    ck_assert_int_eq(list[0].left_ns, WEIR_SECONDS(4));
    ck_assert_int_eq(list[1].left_ns, WEIR_SECONDS(8));
    finish_job(running);
}
END_TEST

static int act_fail_then_wait(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        return 3;
    return act_wait(task, job);
}

START_TEST(a_retrying_one_says_when_it_is_due)
{
    struct job *job;
    int64_t due_ns = test_clock_now() + WEIR_SECONDS(10);

    options.retry = &policy;
    open_pool();
    job = submit_new(act_fail_then_wait);
    await_timekeeper(due_ns);
    pass(WEIR_SECONDS(2));
    ck_assert_uint_eq(list_tasks(), 1);
    assert_line(0, job, WEIR_TASK_RETRYING, 1, WEIR_SECONDS(2));
    ck_assert_int_eq(list[0].left_ns, WEIR_SECONDS(8));
    ck_assert_uint_eq(list[0].worker, UINT32_MAX);
    advance_to(due_ns);
    await_attempt(job, 2);
    pass(5);
    ck_assert_uint_eq(list_tasks(), 1);
    assert_line(0, job, WEIR_TASK_RUNNING, 2, 5);
    finish_job(job);
}
END_TEST

/* Its old attempt has not ended: a worker is still at it. */
START_TEST(a_retrying_one_names_the_worker_it_still_keeps)
{
    struct job *job;

    options.retry = &policy;
    options.timeout_ns = WEIR_SECONDS(5);
    policy.max_attempts = 2;
    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    while (ledger_now().retrying < 1)
        sched_yield();
    ck_assert_uint_eq(list_tasks(), 1);
    assert_line(0, job, WEIR_TASK_RETRYING, 1, 0);
    ck_assert_uint_eq(list[0].worker, job->worker);
    gate_open(&job->finish);
    while (ledger_now().late < 1)
        sched_yield();
    ck_assert_uint_eq(list_tasks(), 1);
    ck_assert_uint_eq(list[0].worker, UINT32_MAX);
    advance_to(test_clock_now() + WEIR_SECONDS(10));
    await_released(job);
}
END_TEST

START_TEST(abandoned_and_overdue_ones_come_first)
{
    struct job *jobs[3], *queued;
    weir_future *cancelled;
    int64_t start_ns = test_clock_now();

    options.timeout_ns = WEIR_SECONDS(5);
    options.grace_ns = WEIR_SECONDS(1);
    open_pool_of(2);
    jobs[0] = start_new(act_wait);
    advance_to(jobs[0]->deadline.at_ns);
    advance_to(jobs[0]->deadline.at_ns + WEIR_SECONDS(1));
    while (ledger_now().abandoned < 1)
        sched_yield();
    jobs[1] = start_new(act_wait);
    jobs[2] = new_job(act_wait);
    cancelled = submit_for(jobs[2]);
    await_start(jobs[2]);
    queued = submit_new(act_answer);
    pass(WEIR_MS(100));
    ck_assert_int_eq(weir_future_cancel(cancelled), WEIR_OK);
    weir_future_release(cancelled);
    pass(WEIR_MS(200));
    ck_assert_uint_eq(list_tasks(), 4);
    assert_line(0, jobs[0], WEIR_TASK_ABANDONED, 1, WEIR_MS(300));
    ck_assert_uint_eq(list[0].worker, jobs[0]->worker);
    assert_line(1, jobs[2], WEIR_TASK_OVERDUE, 1, WEIR_MS(200));
    ck_assert_uint_eq(list[1].worker, jobs[2]->worker);
    ck_assert_int_eq(list[1].left_ns, INT64_MAX);
    assert_line(2, jobs[1], WEIR_TASK_RUNNING, 1, WEIR_MS(300));
    assert_line(3, queued, WEIR_TASK_QUEUED, 0, WEIR_MS(300));
    ck_assert_int_gt(test_clock_now(), start_ns);
    for (int i = 0; i < 3; i++)
        finish_job(jobs[i]); /* or a stop finds them stuck */
}
END_TEST

static int act_list_inside(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    ck_assert_uint_eq(list_tasks(), 3);
    return 0;
}

START_TEST(what_a_submitter_runs_has_no_worker)
{
    struct job *busy, *job;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    busy = start_new(act_wait);
    submit_new(act_answer);
    job = submit_new(act_list_inside);
    assert_line(0, busy, WEIR_TASK_RUNNING, 1, 0);
    assert_line(1, job, WEIR_TASK_RUNNING, 1, 0);
    ck_assert_uint_eq(list[1].worker, UINT32_MAX);
    ck_assert_int_eq(list[2].state, WEIR_TASK_QUEUED);
    finish_job(busy);
}
END_TEST

static int act_cancel_and_list(weir_task *task, struct job *job)
{
    (void)task;
    weir_group_cancel(job->arg);
    ck_assert_uint_eq(list_tasks(), 3);
    return 0;
}

START_TEST(what_a_submitter_runs_may_be_overdue_too)
{
    struct job *busy, *job = new_job(act_cancel_and_list);
    weir_group *group;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    busy = start_new(act_wait);
    submit_new(act_answer);
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    job->arg = group;
    ck_assert_int_eq(weir_group_submit(group, run_job, job, WEIR_NOW), WEIR_OK);
    assert_line(0, job, WEIR_TASK_OVERDUE, 1, 0);
    ck_assert_uint_eq(list[0].worker, UINT32_MAX);
    assert_line(1, busy, WEIR_TASK_RUNNING, 1, 0);
    weir_group_destroy(group);
    finish_job(busy);
}
END_TEST

/* ------------------------------------------------------------- plain tasks */

START_TEST(plain_tasks_are_listed_too)
{
    struct job *running[2], *queued[3];

    open_pool_of(2);
    running[0] = start_new(act_wait);
    running[1] = start_new(act_wait);
    for (int i = 0; i < 3; i++)
        queued[i] = submit_new(act_answer);
    pass(50); /* of which nobody knows */
    ck_assert_uint_eq(list_tasks(), 5);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(list[i].state, WEIR_TASK_RUNNING);
        ck_assert_uint_eq(list[i].attempt, 1);
        ck_assert_int_eq(list[i].since_ns, 0);
        ck_assert_uint_eq(list[i].worker, running[list[i].task_id - 1]->worker);
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(list[i + 2].state, WEIR_TASK_QUEUED);
        ck_assert_uint_eq(list[i + 2].task_id, i + 3);
        ck_assert_int_eq(list[i + 2].since_ns, 0);
    }
    pass(20);
    ck_assert_uint_eq(list_tasks(), 5);
    ck_assert_int_eq(list[0].since_ns, 20);
    ck_assert_int_eq(list[4].since_ns, 20);
    assert_balanced();
    for (int i = 0; i < 2; i++)
        gate_open(&running[i]->finish);
    settle_all();
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(tally_read(&queued[i]->ended), 1);
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

START_TEST(a_plain_one_with_a_deadline_says_since_when_it_runs)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    pass(WEIR_SECONDS(2));
    ck_assert_uint_eq(list_tasks(), 1);
    assert_line(0, job, WEIR_TASK_RUNNING, 1, WEIR_SECONDS(2));
    ck_assert_int_eq(list[0].left_ns, WEIR_SECONDS(3));
    gate_open(&job->finish);
    settle_all();
}
END_TEST

START_TEST(with_nothing_queued_the_short_way_is_open_again)
{
    struct job *running;

    open_pool();
    ck_assert_uint_eq(list_tasks(), 0);
    ck_assert(!pool->lane_shut);
    running = start_new(act_wait);
    ck_assert_uint_eq(list_tasks(), 1);
    ck_assert(!pool->lane_shut);
    gate_open(&running->finish);
    settle_all();
}
END_TEST

/* Tasks after a list are numbered and run as before; with room for all. */
START_TEST(after_a_list_all_goes_on_as_before)
{
    struct job *busy;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    for (uint64_t round = 0; round < 5; round++) {
        busy = start_new(act_wait);
        ck_assert_uint_eq(busy->id, round * 9 + 1);
        for (int i = 0; i < 8; i++)
            submit_new(act_answer);
        ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
        ck_assert_uint_eq(list_tasks(), 9);
        ck_assert_uint_eq(list[8].task_id, round * 9 + 9);
        ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
        gate_open(&busy->finish);
        settle_all();
        ck_assert_uint_eq(list_tasks(), 0);
    }
}
END_TEST

/* -------------------------------------------------------------------- room */

START_TEST(no_more_is_written_than_there_is_room)
{
    struct job *running;

    open_pool();
    running = start_new(act_wait);
    for (int i = 0; i < 5; i++)
        submit_new(act_answer);
    for (size_t room = 0; room <= 6; room++) {
        memset(list, 0x55, sizeof(list));
        list[0].size = sizeof(list[0]);
        ck_assert_uint_eq(weir_pool_list(pool, list, room), 6);
        for (size_t i = 0; i < room; i++)
            ck_assert_uint_eq(list[i].task_id, i + 1);
        ck_assert_uint_eq(list[room].task_id, 0x5555555555555555u);
    }
    ck_assert_uint_eq(weir_pool_list(pool, NULL, 0), 6);
    ck_assert_uint_eq(weir_pool_list(pool, NULL, 9), 6);
    finish_job(running);
}
END_TEST

/* Of a program that was compiled when there were fewer fields, or more. */
START_TEST(the_first_ones_size_is_the_distance_to_the_next)
{
    size_t size =
        _i ? sizeof(weir_pool_entry) + 16 : offsetof(weir_pool_entry, worker);
    unsigned char memory[4 * (sizeof(weir_pool_entry) + 16)];
    struct job *running;

    open_pool();
    running = start_new(act_wait);
    submit_new(act_answer);
    submit_new(act_answer);
    memset(memory, 0x55, sizeof(memory));
    memcpy(memory, &size, sizeof(size));
    ck_assert_uint_eq(weir_pool_list(pool, (weir_pool_entry *)(void *)memory,
                                     3),
                      3);
    for (size_t i = 0; i < 3; i++) {
        weir_pool_entry line;

        memcpy(&line, memory + i * size, offsetof(weir_pool_entry, worker));
        ck_assert_uint_eq(line.size, size);
        ck_assert_uint_eq(line.task_id, i + 1);
        ck_assert_int_eq(line.state, i ? WEIR_TASK_QUEUED : WEIR_TASK_RUNNING);
        if (_i)
            ck_assert_uint_eq(memory[(i + 1) * size - 1], 0);
    }
    ck_assert_uint_eq(memory[3 * size], 0x55);
    finish_job(running);
}
END_TEST

START_TEST(a_list_that_cannot_be_is_empty_and_says_why)
{
    struct job *running;
    int status = 0;
    pid_t child;

    open_pool();
    running = start_new(act_wait);
    ck_assert_uint_eq(weir_pool_list(NULL, list, ROOM), 0);
    assert_error_names("pool");
    list[0].size = 0;
    ck_assert_uint_eq(weir_pool_list(pool, list, ROOM), 0);
    assert_error_names("WEIR_POOL_ENTRY_INIT");
    child = fork();
    if (child == 0)
        _exit(list_tasks() != 0 || strstr(weir_last_error(), "fork") == NULL);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    finish_job(running);
}
END_TEST

int main(void)
{
    const TTest *const states[] = {
        an_idle_pool_has_nothing_to_list,
        what_runs_and_what_is_queued_is_listed_oldest_first,
        labels_are_listed_and_cut_to_31_bytes,
        time_left_is_until_the_deadline_or_the_end_of_its_life,
        a_retrying_one_says_when_it_is_due,
        a_retrying_one_names_the_worker_it_still_keeps,
        abandoned_and_overdue_ones_come_first,
        what_a_submitter_runs_has_no_worker,
        what_a_submitter_runs_may_be_overdue_too,
        no_more_is_written_than_there_is_room,
        a_list_that_cannot_be_is_empty_and_says_why,
        NULL};
    const TTest *const plain[] = {
        plain_tasks_are_listed_too,
        a_plain_one_with_a_deadline_says_since_when_it_runs,
        with_nothing_queued_the_short_way_is_open_again,
        after_a_list_all_goes_on_as_before, NULL};
    const TTest *const sizes[] = {
        the_first_ones_size_is_the_distance_to_the_next, NULL};
    const struct chapter chapters[] = {
        {"states", states, setup, pool_teardown, 0, 0},
        {"plain", plain, setup_plain, pool_teardown, 0, 0},
        {"sizes", sizes, setup, pool_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: list", chapters);
}
