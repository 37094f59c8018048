/* SPDX-License-Identifier: MIT */
/* test_pool_faults.c - no memory, no threads; and the child of a fork. */
#include <weir/pool.h>

#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.worker_start = greet_worker;
    options.worker_stop = part_worker;
    options.worker_arg = &greeting;
}

static void teardown(void)
{
    weir__fault_arm(0);
    pool_teardown();
    ck_assert_uint_eq(tally_read(&greeted), tally_read(&parted));
}

/* ------------------------------------------------------------------ faults */

static weir_status try_create(void *arg)
{
    weir_status status;

    (void)arg;
    status = weir_pool_create(&pool, &options);
    if (status)
        ck_assert_ptr_null(pool);
    return status;
}

START_TEST(whatever_create_lacks_it_leaves_nothing_behind)
{
    options.workers = 4;
    ck_assert_uint_ge(fault_sweep(try_create, NULL, WEIR_OK), 4 + 4 + 4);
    ck_assert_uint_eq(stats_now().workers, 4);
}
END_TEST

/* The same for plain tasks (test_pool_plain.c): their ring, and room for the
 * item that each worker is at. */
START_TEST(nor_does_one_whose_tasks_pass_without_a_lock)
{
    options.on_settled = NULL;
    options.on_release = NULL;
    options.item_size = 24;
    options.workers = 4;
    ck_assert_uint_ge(fault_sweep(try_create, NULL, WEIR_OK),
                      4 + 4 + 4 + 1 + 4);
    ck_assert_uint_eq(stats_now().workers, 4);
}
END_TEST

static void hear_nothing(void *arg, const weir_log_record *record)
{
    (void)arg, (void)record;
}

START_TEST(nor_does_one_with_a_log)
{
    uint64_t without = fault_sweep(try_create, NULL, WEIR_OK);

    end_pool();
    options.on_log = hear_nothing;
    ck_assert_uint_eq(fault_sweep(try_create, NULL, WEIR_OK), without + 1);
}
END_TEST

/* All that later workers need is there before they come. */
START_TEST(nor_does_one_that_scales)
{
    options.workers = 2;
    options.max_workers = 5;
    ck_assert_uint_ge(fault_sweep(try_create, NULL, WEIR_OK), 5 + 2);
    ck_assert_uint_eq(stats_now().workers, 2);
}
END_TEST

/* The system has said why; the words of the first refusal stay. */
START_TEST(a_thread_that_does_not_start_is_named)
{
    weir_status status;
    uint64_t nth = 0;

    options.workers = 2;
    do {
        weir__fault_arm(++nth);
        status = weir_pool_create(&pool, &options);
        ck_assert_int_ne(status, WEIR_OK);
    } while (status != WEIR_ESYSTEM);
    assert_error_names("did not start");
    weir__fault_arm(0);
}
END_TEST

static weir_status try_resize(void *arg)
{
    weir_status status = weir_pool_resize(pool, 6);

    (void)arg;
    if (status) {
        await_workers(2); /* those that had started end again */
        ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
    }
    return status;
}

START_TEST(whatever_resize_lacks_the_number_is_as_it_was)
{
    struct job *jobs[2];

    open_pool_of(2);
    for (int i = 0; i < 2; i++)
        jobs[i] = start_new(act_wait); /* these must not be lost */
    ck_assert_uint_ge(fault_sweep(try_resize, NULL, WEIR_OK), 4 + 4);
    ck_assert_uint_eq(stats_now().workers, 6);
    for (int i = 0; i < 2; i++)
        finish_job(jobs[i]);
}
END_TEST

static weir_status try_submit_for(void *arg)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future = NULL;
    uint64_t refused = ledger_now().refused;
    struct job *job = new_job(act_answer);
    weir_status status;

    (void)arg;
    spec.handler = run_job;
    spec.item = job;
    status = weir_pool_submit_task(pool, &spec, &future, WEIR_NOW);
    if (status) {
        ck_assert_ptr_null(future);
        ck_assert_uint_eq(ledger_now().refused, refused + 1);
    } else {
        await_released(job);
    }
    weir_future_release(future);
    return status;
}

START_TEST(without_memory_for_a_future_the_task_is_refused)
{
    open_pool();
    ck_assert_uint_eq(fault_sweep(try_submit_for, NULL, WEIR_ENOMEM), 1);
    settle_all();
    ck_assert_uint_eq(ledger_now().accepted, 1);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

static weir_status try_run_here(void *arg)
{
    struct job *job = new_job(act_answer);
    uint64_t refused = ledger_now().refused;
    weir_status status = submit(job);

    (void)arg;
    ck_assert_uint_eq(ledger_now().refused, refused + (status != WEIR_OK));
    ck_assert_uint_eq(tally_read(&job->released), status == WEIR_OK);
    return status;
}

START_TEST(without_memory_to_run_it_here_the_task_is_refused)
{
    struct job *busy;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    busy = start_new(act_wait);
    submit_new(act_answer);
    /* Its own, and its lock. */
    ck_assert_uint_eq(fault_sweep(try_run_here, NULL, WEIR_ENOMEM), 2);
    ck_assert_uint_eq(fault_sweep(try_submit_for, NULL, WEIR_ENOMEM), 3);
    finish_job(busy);
}
END_TEST

static weir_status use_pool(void *arg)
{
    struct job *job = new_job(act_answer);

    (void)arg;
    job->code = 1;
    must_submit(job);
    await_released(job);
    settle_all();
    return weir__fault_points() > 0 ? WEIR_ENOMEM : WEIR_OK;
}

/* A pool that is made has all it needs. */
START_TEST(a_task_allocates_nothing)
{
    open_pool();
    weir__fault_arm(1);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(use_pool(NULL), WEIR_OK);
    ck_assert_uint_eq(weir__fault_points(), 0);
}
END_TEST

START_TEST(a_notifier_that_does_not_start_is_tried_again_and_nothing_is_lost)
{
    struct job *job;
    int64_t failed_ns;

    options.timeout_ns = WEIR_SECONDS(5);
    open_pool();
    job = start_new(act_wait);
    weir__fault_arm(1);
    advance_to(job->deadline.at_ns);
    failed_ns = test_clock_now();
    test_clock_await_waiter(failed_ns + WEIR_MS(100));
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(tally_read(&job->settled), 0); /* not told yet */
    gate_open(&job->finish);
    while (ledger_now().overdue > 0)
        sched_yield();
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    test_clock_advance(WEIR_MS(100));
    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_TIMED_OUT);
}
END_TEST

static struct tally told_high = TALLY_INIT;

static void note_high(void *arg, bool high)
{
    (void)arg;
    tally_add(&told_high, high);
}

START_TEST(nor_is_the_word_that_pressure_is_high)
{
    int64_t failed_ns = test_clock_now();
    struct job *busy;

    options.queue_capacity = 2;
    options.low_water = 1;
    options.on_pressure = note_high;
    open_pool();
    busy = start_new(act_wait);
    weir__fault_arm(1);
    for (int i = 0; i < 2; i++)
        (void)submit_new(act_answer);
    test_clock_await_waiter(failed_ns + WEIR_MS(100));
    ck_assert_uint_eq(tally_read(&told_high), 0);
    test_clock_advance(WEIR_MS(100));
    await_count(&told_high, 1);
    finish_job(busy);
    settle_all();
}
END_TEST

/* The pool ends only after it has told everybody. */
START_TEST(a_stop_waits_for_the_notifier_to_start)
{
    struct job *busy = NULL, *queued;
    struct call stop = {.how = WEIR_STOP_NOW, .deadline = WEIR_FOREVER};
    int64_t failed_ns = test_clock_now();

    open_pool();
    busy = start_new(act_listen);
    queued = submit_new(act_answer);
    weir__fault_arm(1);
    start_call(&stop, act_stop);
    test_clock_await_waiter(failed_ns + WEIR_MS(100));
    await_released(busy);
    assert_unsettled(queued);
    test_clock_advance(WEIR_MS(100));
    assert_outcome(queued, WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
}
END_TEST

START_TEST(a_destroy_waits_for_the_notifier_to_start_but_for_no_handler)
{
    struct job *stuck;
    struct call destroy = {.status = WEIR_OK};
    int64_t failed_ns = test_clock_now();

    open_pool();
    stuck = start_new(act_wait);
    stuck->is_stuck = true;
    weir__fault_arm(1);
    start_call(&destroy, act_destroy);
    test_clock_await_waiter(failed_ns + WEIR_MS(100));
    assert_unsettled(stuck);
    test_clock_advance(WEIR_MS(100));
    end_call(&destroy);
    pool = NULL;
    ck_assert_uint_eq(tally_read(&stuck->settled), 1);
    ck_assert_int_eq(stuck->outcome.kind, WEIR_OUTCOME_CANCELLED);
    gate_open(&stuck->finish);
    await_count(&stuck->ended, 1);
}
END_TEST

/* -------------------------------------------------------------------- fork */

static weir_future *future;

/* What a child sees: a bit for each wrong answer. */
static int look_from_child(void)
{
    struct job *job = new_job(act_answer);
    void *item = job;
    size_t done = 9;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *none = NULL;
    weir_pool_stats stats = stats_now();
    int wrong = 0;

    spec.handler = run_job;
    spec.item = job;
    {
        const weir_status answers[] = {
            weir_pool_submit(pool, run_job, job, WEIR_FOREVER),
            weir_pool_submit_copy(pool, run_job, job, WEIR_FOREVER),
            weir_pool_submit_task(pool, &spec, &none, WEIR_FOREVER),
            weir_pool_submit_task(pool, &spec, NULL, WEIR_FOREVER),
            weir_pool_submit_many(pool, run_job, &item, 1, &done, WEIR_FOREVER),
            weir_pool_join(pool, WEIR_FOREVER),
            weir_pool_resize(pool, 3),
            weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
            weir_future_wait(future, NULL, WEIR_FOREVER),
            weir_future_cancel(future)};

        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
            wrong |= answers[i] != WEIR_FORKED;
    }
    wrong |= (done != 0 || none != NULL) << 1;
    wrong |= (strstr(weir_last_error(), "fork") == NULL) << 2;
    wrong |= (stats.ledger.accepted + stats.workers != 0) << 3;
    weir_future_release(future);
    weir_pool_destroy(pool);
    return wrong;
}

/* A pool of the child's own works.  The thread sanitizer lets no child start
 * threads. */
static int work_in_child(void)
{
    struct job *job = new_job(act_answer);
    int wrong = 0;

#ifdef __SANITIZE_THREAD__
    return 0;
#endif
    if (weir_pool_create(&pool, &options))
        return 1;
    wrong |= submit(job) != WEIR_OK;
    wrong |= weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER) << 1;
    wrong |= (ledger_now().done != 1) << 2;
    weir_pool_destroy(pool);
    return wrong << 4;
}

START_TEST(a_fork_child_may_not_use_its_parents_pool)
{
    struct job *job = new_job(act_wait);
    pid_t child;
    int status;

    options.item_size = 1;
    open_pool();
    future = submit_for(job);
    await_start(job);
    child = fork();
    if (child == 0)
        _exit(look_from_child() | work_in_child());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    finish_job(job);
    ck_assert_int_eq(weir_future_wait(future, NULL, WEIR_NOW), WEIR_OK);
    weir_future_release(future);
}
END_TEST

int main(void)
{
    const TTest *const faults[] = {
        whatever_create_lacks_it_leaves_nothing_behind,
        nor_does_one_whose_tasks_pass_without_a_lock,
        nor_does_one_that_scales,
        nor_does_one_with_a_log,
        a_thread_that_does_not_start_is_named,
        whatever_resize_lacks_the_number_is_as_it_was,
        without_memory_for_a_future_the_task_is_refused,
        without_memory_to_run_it_here_the_task_is_refused,
        a_task_allocates_nothing,
        a_notifier_that_does_not_start_is_tried_again_and_nothing_is_lost,
        nor_is_the_word_that_pressure_is_high,
        a_stop_waits_for_the_notifier_to_start,
        NULL};
    /* No worker_stop comes from the stuck: nothing pairs. */
    const TTest *const ends[] = {
        a_destroy_waits_for_the_notifier_to_start_but_for_no_handler, NULL};
    const TTest *const fork[] = {a_fork_child_may_not_use_its_parents_pool,
                                 NULL};
    const struct chapter chapters[] = {
        {"faults", faults, setup, teardown, 0, 0},
        {"the end", ends, pool_setup, pool_teardown, 0, 0},
        {"fork", fork, pool_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: faults and fork", chapters);
}
