/* SPDX-License-Identifier: MIT */
/* test_pool_resize.c - more workers, and fewer. */
#include <weir/pool.h>

#include <sched.h>

#include "pool/pool.h"
#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

START_TEST(resizing_to_none_or_too_many_is_refused)
{
    open_pool_of(2);
    ck_assert_int_eq(weir_pool_resize(pool, 0), WEIR_EINVAL);
    assert_error_names("workers");
    ck_assert_int_eq(weir_pool_resize(pool, 65537), WEIR_EINVAL);
    ck_assert_int_eq(weir_pool_resize(NULL, 1), WEIR_EINVAL);
    ck_assert_uint_eq(stats_now().workers, 2);
}
END_TEST

START_TEST(more_workers_start_at_once_and_take_what_waits)
{
    struct job *jobs[4];

    open_pool_of(1);
    for (int i = 0; i < 4; i++)
        jobs[i] = submit_new(act_check_index);
    await_start(jobs[0]);
    must_resize(4);
    ck_assert_uint_eq(tally_read(&greeted), 4);
    for (int i = 0; i < 4; i++)
        await_start(jobs[i]);
    for (int i = 0; i < 4; i++)
        finish_job(jobs[i]);
}
END_TEST

START_TEST(surplus_workers_end_when_idle_and_no_task_is_lost)
{
    struct job *jobs[6];

    open_pool_of(4);
    for (int i = 0; i < 6; i++)
        jobs[i] = submit_new(act_check_index);
    for (int i = 0; i < 4; i++)
        await_start(jobs[i]);
    must_resize(1);
    ck_assert_uint_eq(tally_read(&parted), 0); /* none is idle */
    ck_assert_uint_eq(stats_now().workers, 4);
    for (int i = 0; i < 6; i++)
        finish_job(jobs[i]);
    await_count(&parted, 3);
    await_workers(1);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}
END_TEST

/* That the first `until` of them have begun, and the others have not; if more
 * had, these are the first `started`.  Returns how many there are. */
static int await_as_many(struct job **jobs, int started, int until)
{
    for (; started < until && started < 40; started++)
        await_start(jobs[started]);
    if (started < 40)
        ck_assert_uint_eq(tally_read(&jobs[started]->started), 0);
    return started;
}

/* The second time they are plain tasks.  Each that ends lets one start. */
START_TEST(no_task_is_reordered_by_workers_that_come_and_go)
{
    static const uint32_t sizes[] = {1, 3, 2, 5, 1};
    struct job *jobs[40];
    int started = 0;

    if (_i) {
        options.on_settled = NULL;
        options.on_release = NULL;
    }
    open_pool_of(1);
    for (int i = 0; i < 40; i++)
        jobs[i] = submit_new(act_check_index);
    for (int ended = 0; ended < 40; ended++) {
        must_resize(sizes[ended % 5]);
        started = await_as_many(jobs, started, ended + (int)sizes[ended % 5]);
        gate_open(&jobs[ended]->finish);
        await_count(&jobs[ended]->ended, 1);
        started =
            await_as_many(jobs, started, ended + 1 + (int)sizes[ended % 5]);
    }
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 40);
}
END_TEST

START_TEST(idle_surplus_workers_end_at_once)
{
    open_pool_of(8);
    must_resize(3);
    await_count(&parted, 5);
    ck_assert_uint_eq(stats_now().workers, 3);
    must_resize(3);
    must_resize(8);
    ck_assert_uint_eq(tally_read(&greeted), 13);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(resizing_leaves_room_for_what_runs)
{
    struct job *jobs[5];

    options.queue_capacity = 1;
    open_pool_of(1);
    must_resize(4);
    for (int i = 0; i < 4; i++)
        jobs[i] = start_new(act_check_index);
    jobs[4] = submit_new(act_check_index);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
    for (int i = 0; i < 5; i++)
        finish_job(jobs[i]);
}
END_TEST

static int act_resize_own(weir_task *task, struct job *job)
{
    assert_index_is_mine(task, WORKER_ROOM);
    must_resize((uint32_t)job->code);
    return 0;
}

START_TEST(a_handler_may_resize_its_own_pool)
{
    static const int sizes[] = {4, 1, 6, 2};

    open_pool_of(1);
    for (int i = 0; i < 4; i++) {
        struct job *job = new_job(act_resize_own);

        job->code = sizes[i];
        must_submit(job);
        assert_outcome(job, WEIR_OUTCOME_DONE);
        await_workers((uint32_t)sizes[i]);
    }
}
END_TEST

static void resize_to_and_fro(void *arg)
{
    uint32_t seed = *(uint32_t *)arg;

    for (uint32_t i = 0; i < 30; i++)
        must_resize(1 + (seed * 7 + i * 5) % WORKER_ROOM);
}

START_TEST(several_threads_resize_in_turns)
{
    struct helper helpers[4];
    uint32_t seeds[4] = {1, 2, 3, 4};
    struct job *jobs[40];

    open_pool_of(2);
    helpers_start(helpers, 4, resize_to_and_fro, seeds, sizeof(seeds[0]));
    for (int i = 0; i < 40; i++) {
        jobs[i] = new_job(act_check_index);
        gate_open(&jobs[i]->finish);
        must_submit(jobs[i]);
    }
    helpers_join(helpers, 4);
    must_resize(3);
    settle_all();
    await_workers(3);
    ck_assert_uint_eq(ledger_now().done, 40);
}
END_TEST

static bool stop_has_begun(void)
{
    weir_status status = weir_pool_submit(pool, run_job, NULL, WEIR_NOW);

    ck_assert(status == WEIR_TIMED_OUT || status == WEIR_CLOSED);
    return status == WEIR_CLOSED;
}

static int resize_at_start(void *arg, uint32_t worker)
{
    if (worker > 0) {
        ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_DEADLOCK);
        assert_error_names("worker_start");
    }
    return greet_worker(arg, worker);
}

static struct tally tries = TALLY_INIT;
static struct gate stop_began = GATE_INIT, may_stop = GATE_INIT;

static int refuse_all_but_one(void *arg, uint32_t worker)
{
    if (worker == 0)
        return greet_worker(arg, worker);
    tally_add(&tries, 1);
    return 7;
}

static void stop_slowly(void *arg, uint32_t worker)
{
    gate_open(&stop_began);
    gate_wait(&may_stop);
    part_worker(arg, worker);
}

/* Its worker has ended and still has its place; the timekeeper looks for one.
 */
START_TEST(a_failed_resize_leaves_no_place_to_start_in)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *last = new_job(act_answer);

    options.worker_start = refuse_all_but_one;
    options.worker_stop = stop_slowly;
    open_pool_of(1);
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_ESYSTEM);
    ck_assert_uint_eq(tally_read(&tries), 2);
    test_clock_advance(WEIR_SECONDS(1)); /* no start is put off any more */
    submit_new(act_exit);
    gate_wait(&stop_began);
    spec.time_to_live_ns = WEIR_SECONDS(1);
    weir_future_release(submit_spec(last, spec));
    test_clock_await_waiter(test_clock_now() + WEIR_SECONDS(1));
    ck_assert_uint_eq(tally_read(&tries), 2);
    gate_open(&may_stop);
    assert_outcome(last, WEIR_OUTCOME_DONE);
}
END_TEST

static int refuse_once(void *arg, uint32_t worker)
{
    if (worker != 2 || tally_read(&tries) > 0)
        return greet_worker(arg, worker);
    tally_add(&tries, 1);
    return 7;
}

/* Its place is free again, or somebody else has it. */
static bool refused_one_is_joined(void)
{
    bool joined;

    weir__mutex_lock(&pool->lock);
    joined = pool->workers[2]->phase == WEIR__ABSENT;
    weir__mutex_unlock(&pool->lock);
    return joined || tally_read(&greeted) > 3;
}

/* The last one to come waits for a place, and there is that of the refused one.
 */
START_TEST(a_refusal_is_not_forgotten_while_others_start)
{
    struct call resize = {.workers = 4};

    options.worker_start = refuse_once;
    options.worker_stop = stop_slowly;
    open_pool_of(2);
    submit_new(act_exit);
    gate_wait(&stop_began);
    start_call(&resize, act_resize);
    await_count(&tries, 1);
    await_count(&greeted, 3);
    while (!refused_one_is_joined())
        sched_yield();
    gate_open(&may_stop);
    ck_assert_int_eq(end_call(&resize), WEIR_ESYSTEM);
}
END_TEST

START_TEST(a_worker_start_may_not_resize_its_own_pool)
{
    options.worker_start = resize_at_start;
    open_pool_of(1);
    must_resize(2);
    ck_assert_uint_eq(stats_now().workers, 2);
}
END_TEST

static weir_status resize_status;

/* Its own place is all there is, and nobody gets it before it has returned. */
static void resize_at_end(void *arg, uint32_t worker)
{
    resize_status = weir_pool_resize(pool, 1);
    part_worker(arg, worker);
}

START_TEST(nor_may_a_worker_stop)
{
    options.worker_stop = resize_at_end;
    open_pool_of(1);
    assert_outcome(submit_new(act_exit), WEIR_OUTCOME_EXITED);
    await_count(&parted, 1);
    ck_assert_int_eq(resize_status, WEIR_DEADLOCK);
    assert_outcome(submit_new(act_answer), WEIR_OUTCOME_DONE);
}
END_TEST

/* Whether it comes before or after the resize has grown, the pool ends. */
START_TEST(a_pool_may_be_stopped_while_it_is_resized)
{
    struct call resize = {.workers = 4}, stop = {.how = WEIR_STOP_NOW};

    struct job *busy, *queued;

    options.worker_start = start_slowly;
    options.queue_capacity = 1;
    open_pool_of(1);
    busy = start_new(act_listen);
    queued = submit_new(act_answer); /* the pool is full */
    start_call(&resize, act_resize);
    await_count(&greeted, 2);
    stop.deadline = WEIR_FOREVER;
    start_call(&stop, act_stop);
    while (stop_has_begun() == false)
        sched_yield();
    gate_open(&start_may_end);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    end_call(&resize);
    assert_outcome(busy, WEIR_OUTCOME_DONE);
    assert_outcome(queued, WEIR_OUTCOME_CANCELLED);
    ck_assert_uint_eq(tally_read(&greeted), tally_read(&parted));
}
END_TEST

static bool two_wait_to_resize(void)
{
    bool two;

    weir__mutex_lock(&pool->lock);
    two = pool->starters.first != pool->starters.last;
    weir__mutex_unlock(&pool->lock);
    return two;
}

/* Though no thread ends, nor one for callbacks. */
START_TEST(a_stop_ends_a_resize_that_waits_for_its_turn)
{
    struct call first = {.workers = 4}, second = {.workers = 3};
    struct job *busy;

    options.worker_start = start_slowly;
    options.on_settled = NULL;
    options.on_release = NULL;
    open_pool_of(1);
    busy = start_new(act_wait);
    start_call(&first, act_resize);
    await_count(&greeted, 4);
    start_call(&second, act_resize);
    while (!two_wait_to_resize())
        sched_yield();
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    ck_assert_int_eq(end_call(&second), WEIR_CLOSED);
    gate_open(&start_may_end);
    end_call(&first);
    gate_open(&busy->finish);
    await_count(&busy->ended, 1);
}
END_TEST

START_TEST(a_resize_and_a_stop_at_once_leave_no_thread_behind)
{
    struct call resize = {.workers = 12}, stop = {.how = WEIR_STOP_NOW};

    open_pool_of(1);
    stop.deadline = WEIR_FOREVER;
    start_call(&resize, act_resize);
    start_call(&stop, act_stop);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    end_call(&resize);
    ck_assert(resize.status == WEIR_OK || resize.status == WEIR_CLOSED);
    ck_assert_uint_eq(stats_now().workers, 0);
    ck_assert_uint_eq(tally_read(&greeted), tally_read(&parted));
}
END_TEST

int main(void)
{
    const TTest *const resize[] = {
        resizing_to_none_or_too_many_is_refused,
        more_workers_start_at_once_and_take_what_waits,
        surplus_workers_end_when_idle_and_no_task_is_lost,
        idle_surplus_workers_end_at_once,
        resizing_leaves_room_for_what_runs,
        a_handler_may_resize_its_own_pool,
        several_threads_resize_in_turns,
        a_failed_resize_leaves_no_place_to_start_in,
        a_refusal_is_not_forgotten_while_others_start,
        a_worker_start_may_not_resize_its_own_pool,
        nor_may_a_worker_stop,
        a_pool_may_be_stopped_while_it_is_resized,
        a_stop_ends_a_resize_that_waits_for_its_turn,
        NULL};
    const TTest *const order[] = {
        no_task_is_reordered_by_workers_that_come_and_go, NULL};
    const TTest *const races[] = {
        a_resize_and_a_stop_at_once_leave_no_thread_behind, NULL};
    const struct chapter chapters[] = {
        {"resize", resize, hooked_setup, hooked_teardown, 0, 0},
        {"order", order, hooked_setup, hooked_teardown, 2, 0},
        {"resize and stop", races, hooked_setup, hooked_teardown, 30, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: resizing", chapters);
}
