/* SPDX-License-Identifier: MIT */
/* test_pool.c - submitting, figures, pools beside each other. */
#include <weir/pool.h>

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "pools.h"
#include "suite.h"

/* -------------------------------------------------------------- submitting */

START_TEST(a_submitted_item_comes_as_it_is_and_is_released)
{
    struct job *job;

    open_pool();
    job = submit_new(act_answer);
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert(pthread_equal(job->ran_on, job->settled_on));
    ck_assert(pthread_equal(job->ran_on, job->released_on));
}
END_TEST

START_TEST(tasks_run_in_the_order_of_submission)
{
    struct job *wait, *jobs[5];

    open_pool();
    wait = start_new(act_wait);
    for (int i = 0; i < 5; i++)
        jobs[i] = submit_new(act_wait);
    gate_open(&wait->finish);
    for (int i = 0; i < 5; i++) {
        await_start(jobs[i]);
        for (int later = i + 1; later < 5; later++)
            ck_assert_uint_eq(tally_read(&jobs[later]->started), 0);
        gate_open(&jobs[i]->finish);
    }
}
END_TEST

/* Items of their own for the copying forms: what the handler saw. */
static struct tally copies = TALLY_INIT;
static unsigned char copied[4096];
static const void *copied_at;
static struct gate copy_may_go = GATE_INIT;

static int look_at_copy(weir_task *task, void *item)
{
    (void)task;
    gate_wait(&copy_may_go);
    memcpy(copied, item, options.item_size);
    copied_at = item;
    memset(item, 0xff, options.item_size); /* it is ours */
    tally_add(&copies, 1);
    return 0;
}

static void open_copying_pool(size_t item_size)
{
    options.item_size = item_size;
    options.on_settled = NULL;
    options.on_release = NULL;
    open_pool();
}

START_TEST(a_copy_is_aligned_and_its_own)
{
    static const size_t sizes[] = {1, 7, 16, 100, 4095, 4096};
    unsigned char bytes[4096];
    size_t size = sizes[_i];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
    open_copying_pool(size);
    for (uint64_t n = 1; n <= 2; n++) {
        ck_assert_int_eq(weir_pool_submit_copy(pool, look_at_copy, bytes,
                                               WEIR_NOW),
                         WEIR_OK);
        bytes[0] = 'x'; /* too late to matter */
        gate_open(&copy_may_go);
        await_count(&copies, n);
        ck_assert_uint_eq((uintptr_t)copied_at % alignof(max_align_t), 0);
        bytes[0] = 1;
        ck_assert_int_eq(memcmp(bytes, copied, size), 0);
    }
}
END_TEST

START_TEST(copies_that_wait_do_not_overlap)
{
    unsigned char bytes[33];

    open_copying_pool(sizeof(bytes));
    for (unsigned char n = 0; n < 10; n++) {
        memset(bytes, n, sizeof(bytes));
        ck_assert_int_eq(weir_pool_submit_copy(pool, look_at_copy, bytes,
                                               WEIR_NOW),
                         WEIR_OK);
    }
    gate_open(&copy_may_go);
    settle_all();
    ck_assert_uint_eq(tally_read(&copies), 10);
    memset(bytes, 9, sizeof(bytes));
    ck_assert_int_eq(memcmp(bytes, copied, sizeof(bytes)), 0);
}
END_TEST

START_TEST(a_task_may_be_a_copy_too)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    int item = 77;

    open_copying_pool(sizeof(item));
    gate_open(&copy_may_go);
    spec.handler = look_at_copy;
    spec.item = &item;
    spec.copy = true;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW), 0);
    item = 0;
    settle_all();
    memcpy(&item, copied, sizeof(item));
    ck_assert_int_eq(item, 77);
}
END_TEST

START_TEST(copying_without_an_item_size_or_an_item_is_refused)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    int item = 1;

    spec.handler = look_at_copy;
    spec.item = &item;
    spec.copy = true;
    open_pool();
    ck_assert_int_eq(weir_pool_submit_copy(pool, look_at_copy, &item, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("item_size");
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    end_pool();
    open_copying_pool(4);
    ck_assert_int_eq(weir_pool_submit_copy(pool, look_at_copy, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("item");
    spec.item = NULL;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_uint_eq(ledger_now().accepted, 0);
}
END_TEST

START_TEST(many_are_submitted_in_order)
{
    struct job *jobs[3];
    void *items[3];
    size_t done = 9;

    open_pool();
    for (int i = 0; i < 3; i++)
        items[i] = jobs[i] = new_job(act_answer);
    ck_assert_int_eq(weir_pool_submit_many(pool, run_job, items, 3, &done,
                                           WEIR_NOW),
                     WEIR_OK);
    ck_assert_uint_eq(done, 3);
    for (int i = 0; i < 3; i++) {
        await_released(jobs[i]);
        ck_assert_uint_eq(jobs[i]->id, (unsigned)i + 1);
    }
}
END_TEST

START_TEST(many_stop_at_the_first_that_is_not_accepted)
{
    struct job *wait;
    void *items[4];
    size_t done = 9;

    options.queue_capacity = 2;
    open_pool();
    wait = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        items[i] = new_job(act_answer);
    ck_assert_int_eq(weir_pool_submit_many(pool, run_job, items, 4, &done,
                                           WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert_uint_eq(done, 2);
    ck_assert_uint_eq(ledger_now().accepted, 3);
    ck_assert_uint_eq(ledger_now().refused, 2);
    finish_job(wait);
    settle_all();
    ck_assert_uint_eq(tally_read(&((struct job *)items[1])->released), 1);
    ck_assert_uint_eq(tally_read(&((struct job *)items[2])->started), 0);
}
END_TEST

START_TEST(many_of_none_is_ok_and_done_is_always_written)
{
    size_t done = 9;

    open_pool();
    ck_assert_int_eq(weir_pool_submit_many(pool, run_job, NULL, 0, &done,
                                           WEIR_NOW),
                     WEIR_OK);
    ck_assert_uint_eq(done, 0);
    done = 9;
    ck_assert_int_eq(weir_pool_submit_many(pool, run_job, NULL, 1, &done,
                                           WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_uint_eq(done, 0);
    done = 9;
    ck_assert_int_eq(weir_pool_submit_many(NULL, run_job, NULL, 0, &done,
                                           WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(weir_pool_submit_many(pool, run_job, NULL, 0, NULL,
                                           WEIR_NOW),
                     WEIR_OK);
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused_by_name)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future = NULL;

    open_pool();
    ck_assert_int_eq(weir_pool_submit(NULL, run_job, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("pool");
    ck_assert_int_eq(weir_pool_submit(pool, NULL, NULL, WEIR_NOW), WEIR_EINVAL);
    assert_error_names("handler");
    ck_assert_int_eq(weir_pool_submit_task(pool, NULL, &future, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("spec");
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("handler");
    spec.handler = run_job;
    spec.retry = &policy;
    policy.jitter = 2;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("jitter");
    spec.retry = NULL;
    spec.size = 1;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("WEIR_TASK_SPEC_INIT");
    ck_assert_ptr_null(future);
    ck_assert_int_eq(weir_pool_join(NULL, WEIR_NOW), WEIR_EINVAL);
    ck_assert_int_eq(weir_pool_stop(NULL, WEIR_STOP_NOW, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_pool_stop(pool, (weir_stop_how)2, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("how");
    ck_assert_uint_eq(ledger_now().accepted, 0);
}
END_TEST

/* Its act: submits the job in `arg` to its own pool. */
static int act_submit_another(weir_task *task, struct job *job)
{
    (void)task;
    must_submit(job->arg);
    return 0;
}

START_TEST(a_handler_may_submit_to_its_own_pool)
{
    struct job *first = new_job(act_submit_another);
    struct job *second = new_job(act_submit_another);
    struct job *third = new_job(act_answer);

    first->arg = second;
    second->arg = third;
    open_pool();
    must_submit(first);
    await_released(third);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 3);
}
END_TEST

/* ----------------------------------------------------------------- figures */

START_TEST(the_figures_are_of_one_moment)
{
    struct job *jobs[4];
    weir_pool_stats stats;

    open_pool_of(2);
    for (int i = 0; i < 2; i++)
        jobs[i] = start_new(act_wait);
    for (int i = 2; i < 4; i++)
        jobs[i] = submit_new(act_wait);
    stats = stats_now();
    ck_assert_uint_eq(stats.workers, 2);
    ck_assert_uint_eq(stats.busy, 2);
    ck_assert(!stats.degraded);
    ck_assert(!stats.tainted);
    ck_assert_uint_eq(stats.ledger.accepted, 4);
    ck_assert_uint_eq(stats.ledger.running, 2);
    ck_assert_uint_eq(stats.ledger.queued, 2);
    ck_assert_uint_eq(stats.ledger.attempts, 2);
    assert_balanced();
    for (int i = 0; i < 4; i++)
        gate_open(&jobs[i]->finish);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 4);
    ck_assert_uint_eq(ledger_now().attempts, 4);
}
END_TEST

START_TEST(only_the_callers_bytes_are_written)
{
    union {
        weir_pool_stats stats;
        unsigned char bytes[sizeof(weir_pool_stats)];
    } out;

    open_pool();
    memset(&out, 0x55, sizeof(out));
    out.stats.size = offsetof(weir_pool_stats, ledger) + 2 * sizeof(uint64_t);
    weir_pool_read_stats(pool, &out.stats);
    ck_assert_uint_eq(out.stats.ledger.accepted, 0);
    ck_assert_uint_eq(out.stats.ledger.refused, 0);
    for (size_t i = out.stats.size; i < sizeof(out); i++)
        ck_assert_uint_eq(out.bytes[i], 0x55);
}
END_TEST

/* ------------------------------------------------------ beside each other */

START_TEST(two_pools_share_nothing)
{
    struct job *jobs[3];
    weir_pool *other = NULL;

    open_pool();
    ck_assert_int_eq(weir_pool_create(&other, &options), WEIR_OK);
    ck_assert_int_eq(weir_pool_submit(other, run_job, new_job(act_answer),
                                      WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_stop(other, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(other);
    for (int i = 0; i < 3; i++)
        jobs[i] = submit_new(act_answer);
    for (int i = 0; i < 3; i++)
        assert_outcome(jobs[i], WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(ledger_now().accepted, 3);
}
END_TEST

/* Submits to the pool in `arg` until it has run some itself, and joins it. */
static int act_use_another_pool(weir_task *task, struct job *job)
{
    weir_pool *other = job->arg;
    weir_ledger *ledger;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(weir_pool_submit(other, run_job, new_job(act_answer),
                                          WEIR_NOW),
                         WEIR_OK);
        ck_assert_ptr_eq(weir_task_current(), task);
    }
    ck_assert_int_eq(weir_pool_join(other, WEIR_FOREVER), WEIR_OK);
    weir_pool_read_stats(other, &stats);
    ledger = &stats.ledger;
    ck_assert_uint_eq(ledger->done, 20);
    ck_assert(weir_ledger_balances(ledger));
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_DEADLOCK);
    return 0;
}

START_TEST(a_handler_may_use_and_join_another_pool)
{
    struct job *job = new_job(act_use_another_pool);
    weir_pool *other = NULL;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    ck_assert_int_eq(weir_pool_create(&other, &options), WEIR_OK);
    open_pool();
    job->arg = other;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    weir_pool_destroy(other);
}
END_TEST

int main(void)
{
    const TTest *const submitting[] = {
        a_submitted_item_comes_as_it_is_and_is_released,
        tasks_run_in_the_order_of_submission,
        copies_that_wait_do_not_overlap,
        a_task_may_be_a_copy_too,
        copying_without_an_item_size_or_an_item_is_refused,
        many_are_submitted_in_order,
        many_stop_at_the_first_that_is_not_accepted,
        many_of_none_is_ok_and_done_is_always_written,
        what_cannot_be_meant_is_refused_by_name,
        a_handler_may_submit_to_its_own_pool,
        NULL};
    const TTest *const sizes[] = {a_copy_is_aligned_and_its_own, NULL};
    const TTest *const beside[] = {the_figures_are_of_one_moment,
                                   only_the_callers_bytes_are_written,
                                   two_pools_share_nothing,
                                   a_handler_may_use_and_join_another_pool,
                                   NULL};
    const struct chapter chapters[] = {
        {"submitting", submitting, pool_setup, pool_teardown, 0, 0},
        {"sizes", sizes, pool_setup, pool_teardown, 6, 0},
        {"beside", beside, pool_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool", chapters);
}
