/* SPDX-License-Identifier: MIT */
/*
 * test_pool_plain.c - tasks of which nobody hears but the ledger.
 *
 * The pools have no callbacks, so their tasks take the short way, and must not
 * be told from others by anything but that.
 */
#include <weir/pool.h>

#include <sched.h>
#include <string.h>

#include "base/atomic.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.on_settled = NULL;
    options.on_release = NULL;
    options.queue_capacity = 4;
}

static void assert_queued(uint64_t queued)
{
    weir_ledger ledger = ledger_now();

    ck_assert_uint_eq(ledger.queued, queued);
    assert_balanced();
}

static void await_ended(struct job *job)
{
    await_count(&job->ended, 1);
}

/* ------------------------------------------------------------------- order */

static struct weir__counter order;

static int act_note_order(weir_task *task, struct job *job)
{
    (void)task;
    job->code = (int)weir__counter_add(&order, 1);
    return 0;
}

START_TEST(tasks_run_in_the_order_of_their_numbers)
{
    struct job *jobs[4], *first;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        jobs[i] = submit_new(act_note_order);
    assert_queued(4);
    gate_open(&first->finish);
    settle_all();
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(jobs[i]->code, i);
        ck_assert_uint_eq(jobs[i]->id, (uint64_t)i + 2);
        ck_assert_uint_eq(jobs[i]->attempt, 1);
    }
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* _i: which of four has a future. */
START_TEST(one_with_a_future_keeps_its_place_among_plain_ones)
{
    struct job *jobs[4], *first;
    weir_future *future = NULL;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 4; i++) {
        jobs[i] = new_job(act_note_order);
        if (i == _i)
            future = submit_for(jobs[i]);
        else
            must_submit(jobs[i]);
        assert_queued((uint64_t)i + 1);
    }
    gate_open(&first->finish);
    settle_all();
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(jobs[i]->code, i);
        ck_assert_uint_eq(jobs[i]->id, (uint64_t)i + 2);
    }
    ck_assert_int_eq(weir_future_wait(future, NULL, WEIR_NOW), WEIR_OK);
    weir_future_release(future);
}
END_TEST

START_TEST(after_one_with_a_future_tasks_are_plain_again)
{
    open_pool();
    for (int i = 0; i < 10; i++) {
        struct job *job = new_job(act_note_order);
        weir_future *future = submit_for(job);

        ck_assert_int_eq(weir_future_wait(future, NULL, WEIR_FOREVER), WEIR_OK);
        weir_future_release(future);
        job = submit_new(act_note_order);
        await_ended(job);
        ck_assert_uint_eq(job->id, 2 * (uint64_t)i + 2);
    }
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 20);
}
END_TEST

/* ---------------------------------------------------------------- capacity */

START_TEST(as_many_wait_as_the_capacity_says)
{
    struct job *first;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        must_submit(new_job(act_answer));
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    ck_assert_uint_eq(ledger_now().refused, 1);
    gate_open(&first->finish);
    settle_all();
    must_submit(new_job(act_answer));
}
END_TEST

START_TEST(a_full_pool_refuses_if_that_is_the_policy)
{
    struct job *first;

    options.on_full = WEIR_ON_FULL_REFUSE;
    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        must_submit(new_job(act_answer));
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_FULL);
    gate_open(&first->finish);
    settle_all();
    must_submit(new_job(act_answer));
}
END_TEST

START_TEST(a_submit_waits_for_room)
{
    struct call call = {.job = new_job(act_answer)};
    struct job *first;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        must_submit(new_job(act_answer));
    block_call(&call, act_submit);
    gate_open(&first->finish);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 6);
}
END_TEST

START_TEST(a_cancelled_one_makes_room_at_once)
{
    struct job *first, *cancelled = new_job(act_answer);
    weir_future *future;

    open_pool();
    first = start_new(act_wait);
    for (int i = 0; i < 3; i++)
        must_submit(new_job(act_answer));
    future = submit_for(cancelled);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    must_submit(new_job(act_answer));
    gate_open(&first->finish);
    settle_all();
    weir_future_release(future);
    ck_assert_uint_eq(tally_read(&cancelled->started), 0);
    ck_assert_uint_eq(ledger_now().cancelled, 1);
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* While one waits to be tried again, it takes up room too. */
START_TEST(one_that_is_retrying_takes_up_room)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *retried = new_job(act_answer);
    weir_future *future;

    retried->code = 1;
    spec.retry = &policy;
    options.queue_capacity = 1;
    open_pool_of(2);
    future = submit_spec(retried, spec);
    await_ended(retried);
    while (ledger_now().retrying == 0)
        sched_yield();
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    must_submit(new_job(act_answer));
    settle_all();
}
END_TEST

static struct gate notifier_may_go = GATE_INIT;
static struct gate notifier_is_held = GATE_INIT;

static void hold_notifier(void *arg)
{
    (void)arg;
    gate_open(&notifier_is_held);
    gate_wait(&notifier_may_go);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static int act_until_cancelled(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_on_cancel(task,
                                         job->code ? hold_notifier : do_nothing,
                                         job),
                     WEIR_OK);
    gate_open(&job->finish);
    if (job->code)
        gate_wait(&notifier_is_held); /* or its action would be void */
    while (!weir_task_cancelled(task))
        sched_yield();
    return 0;
}

static weir_future *start_until_cancelled(bool holds)
{
    struct job *job = new_job(act_until_cancelled);
    weir_future *future;

    job->code = holds;
    future = submit_for(job);
    gate_wait(&job->finish);
    return future;
}

/* Settled tasks that the notifier has not come to keep their entries. */
START_TEST(there_are_entries_for_all_while_the_notifier_is_held)
{
    weir_future *held, *pinned;
    struct job *plain, *other;

    options.queue_capacity = 1;
    open_pool_of(3);
    plain = start_new(act_wait);
    held = start_until_cancelled(true);
    pinned = start_until_cancelled(false);
    ck_assert_int_eq(weir_future_cancel(held), WEIR_OK);
    gate_wait(&notifier_is_held);
    ck_assert_int_eq(weir_future_cancel(pinned), WEIR_OK);
    other = start_new(act_wait);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    gate_open(&notifier_may_go);
    gate_open(&plain->finish);
    gate_open(&other->finish);
    settle_all();
    assert_balanced();
    weir_future_release(held);
    weir_future_release(pinned);
    must_submit(new_job(act_answer));
    settle_all();
}
END_TEST

START_TEST(two_that_wait_for_room_both_get_in)
{
    struct call calls[2] = {{.job = new_job(act_answer)},
                            {.job = new_job(act_answer)}};
    struct job *first;

    options.queue_capacity = 2;
    open_pool();
    first = start_new(act_wait);
    must_submit(new_job(act_answer));
    must_submit(new_job(act_answer));
    block_call(&calls[0], act_submit);
    block_call(&calls[1], act_submit);
    gate_open(&first->finish);
    ck_assert_int_eq(end_call(&calls[0]), WEIR_OK);
    ck_assert_int_eq(end_call(&calls[1]), WEIR_OK);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* --------------------------------------------------------------- outcomes */

static int act_fail(weir_task *task, struct job *job)
{
    return weir_task_fail(task, job->code, "no");
}

static int act_raise(weir_task *task, struct job *job)
{
    weir_task_raise(task, job->code, "no");
}

static void add_one(void *arg)
{
    tally_add(arg, 1);
}

static int act_defer(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_defer(task, add_one, job->arg), WEIR_OK);
    return job->code;
}

START_TEST(the_ledger_counts_each_outcome)
{
    struct tally deferred = TALLY_INIT;
    int (*const acts[])(weir_task *, struct job *) = {act_answer, act_fail,
                                                      act_raise, act_defer,
                                                      act_answer};

    open_pool();
    for (int i = 0; i < 5; i++) {
        struct job *job = new_job(acts[i]);

        job->code = i > 0 && i < 4 ? i : 0;
        job->arg = &deferred;
        must_submit(job);
        settle_all();
        assert_balanced();
    }
    ck_assert_uint_eq(ledger_now().done, 2);
    ck_assert_uint_eq(ledger_now().failed, 3);
    ck_assert_uint_eq(ledger_now().attempts, 5);
    ck_assert_uint_eq(tally_read(&deferred), 1);
}
END_TEST

START_TEST(one_that_ends_its_thread_is_exited_and_another_takes_its_place)
{
    open_pool();
    for (int i = 0; i < 5; i++) {
        struct job *job = submit_new(act_exit);

        await_count(&job->started, 1);
        settle_all();
        ck_assert_uint_eq(ledger_now().exited, (uint64_t)i + 1);
        must_submit(new_job(act_answer));
        settle_all();
    }
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

static int act_cancel_itself(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    cancel_this_thread();
    return 0;
}

START_TEST(one_that_cancels_its_thread_is_exited_and_no_other)
{
    open_pool();
    for (int i = 0; i < 3; i++) {
        must_submit(new_job(act_cancel_itself));
        must_submit(new_job(act_answer));
        settle_all();
    }
    ck_assert_uint_eq(ledger_now().exited, 3);
    ck_assert_uint_eq(ledger_now().done, 3);
}
END_TEST

static int act_be_cancelled(weir_task *task, struct job *job)
{
    (void)task;
    cancel_this_thread();
    pthread_testcancel();
    gate_open(&job->finish);
    return 0;
}

/* The first worker, and those that take the place of one. */
START_TEST(a_cancel_ends_the_handler_where_it_is)
{
    open_pool();
    for (int i = 0; i < 3; i++) {
        struct job *job = submit_new(act_be_cancelled);

        settle_all();
        ck_assert_uint_eq(ledger_now().exited, (uint64_t)i + 1);
        ck_assert(!gate_is_open(&job->finish));
    }
}
END_TEST

static int act_forbid_cancel(weir_task *task, struct job *job)
{
    int before;

    (void)task;
    (void)job;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
    return 0;
}

/* _i: 0, or 1: with one between them that has a future. */
START_TEST(what_a_handler_makes_of_cancelling_ends_with_it)
{
    open_pool();
    must_submit(new_job(act_forbid_cancel));
    settle_all();
    if (_i == 1)
        weir_future_release(submit_for(new_job(act_forbid_cancel)));
    settle_all();
    must_submit(new_job(act_cancel_itself));
    settle_all();
    ck_assert_uint_eq(ledger_now().exited, 1);
    must_submit(new_job(act_answer));
    settle_all();
    ck_assert_uint_eq(ledger_now().exited, 1);
}
END_TEST

/* ------------------------------------------------------------------- copies */

static int act_on_copy(weir_task *task, void *item)
{
    unsigned char *bytes = item;

    (void)task;
    ck_assert_uint_eq((uintptr_t)item % _Alignof(max_align_t), 0);
    for (int i = 1; i < 24; i++)
        ck_assert_uint_eq(bytes[i], bytes[0]);
    weir__counter_add(&order, bytes[0]);
    return 0;
}

static int hold(weir_task *task, void *item)
{
    (void)task;
    gate_wait(*(struct gate **)item);
    return 0;
}

/* _i: with another that has a future between them. */
START_TEST(copies_are_what_was_copied)
{
    struct gate gate = GATE_INIT, *at_gate[3] = {&gate};
    unsigned char bytes[24];

    weir__counter_write(&order, 0);
    options.item_size = sizeof(bytes);
    options.queue_capacity = 8;
    open_pool();
    ck_assert_int_eq(weir_pool_submit_copy(pool, hold, at_gate, WEIR_NOW),
                     WEIR_OK);
    for (int i = 1; i <= 3; i++) {
        memset(bytes, i, sizeof(bytes));
        ck_assert_int_eq(weir_pool_submit_copy(pool, act_on_copy, bytes,
                                               WEIR_NOW),
                         WEIR_OK);
        if (i == 2 && _i == 1)
            weir_future_release(submit_for(new_job(act_answer)));
    }
    memset(bytes, 0, sizeof(bytes));
    gate_open(&gate);
    settle_all();
    ck_assert_uint_eq(weir__counter_read(&order), 6);
}
END_TEST

int main(void)
{
    const TTest *const ordered[] = {
        tasks_run_in_the_order_of_their_numbers,
        after_one_with_a_future_tasks_are_plain_again, NULL};
    const TTest *const mixed[] = {
        one_with_a_future_keeps_its_place_among_plain_ones, NULL};
    const TTest *const room[] = {
        as_many_wait_as_the_capacity_says,
        a_full_pool_refuses_if_that_is_the_policy,
        a_submit_waits_for_room,
        a_cancelled_one_makes_room_at_once,
        one_that_is_retrying_takes_up_room,
        there_are_entries_for_all_while_the_notifier_is_held,
        two_that_wait_for_room_both_get_in,
        NULL};
    const TTest *const outcomes[] = {
        the_ledger_counts_each_outcome,
        one_that_ends_its_thread_is_exited_and_another_takes_its_place,
        one_that_cancels_its_thread_is_exited_and_no_other,
        a_cancel_ends_the_handler_where_it_is, NULL};
    const TTest *const copies[] = {
        copies_are_what_was_copied,
        what_a_handler_makes_of_cancelling_ends_with_it, NULL};
    const struct chapter chapters[] = {
        {"order", ordered, setup, pool_teardown, 0, 0},
        {"among others", mixed, setup, pool_teardown, 4, 0},
        {"room", room, setup, pool_teardown, 0, 0},
        {"outcomes", outcomes, setup, pool_teardown, 0, 0},
        {"copies and ends", copies, setup, pool_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("plain tasks", chapters);
}
