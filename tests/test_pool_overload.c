/* SPDX-License-Identifier: MIT */
/* test_pool_overload.c - stale work, water marks, pressure. */
#include <weir/pool.h>

#include <sched.h>
#include <string.h>

#include "pools.h"
#include "queue/marks.h"
#include "suite.h"

/* ------------------------------------------------------------- stale work */

static struct job *waiting[8];

/* One worker that is busy, and tasks that came now. */
static struct job *open_stale(size_t count)
{
    struct job *busy;

    options.codel_target_ns = WEIR_MS(10);
    open_pool();
    busy = start_new(act_wait);
    for (size_t i = 0; i < count; i++)
        waiting[i] = submit_new(act_wait);
    return busy;
}

/* What runs goes on to its end, so that the next is looked at. */
static void finish_and_start(struct job *runs, struct job *next)
{
    finish_job(runs);
    await_start(next);
}

START_TEST(stale_work_expires_once_the_queue_has_stood_for_an_interval)
{
    struct job *busy = open_stale(6);

    test_clock_advance(WEIR_MS(30));
    finish_and_start(busy, waiting[0]); /* from now on it is above */
    test_clock_advance(WEIR_MS(99));
    finish_and_start(waiting[0], waiting[1]);
    test_clock_advance(WEIR_MS(1));
    finish_and_start(waiting[1], waiting[5]); /* the last is kept */
    for (int i = 2; i < 5; i++) {
        assert_outcome(waiting[i], WEIR_OUTCOME_EXPIRED);
        ck_assert_int_eq(waiting[i]->outcome.waited_ns, WEIR_MS(130));
        ck_assert_uint_eq(waiting[i]->outcome.attempts, 0);
    }
    finish_job(waiting[5]);
    settle_all();
    ck_assert_uint_eq(ledger_now().expired, 3);
    ck_assert_uint_eq(ledger_now().done, 4);
}
END_TEST

START_TEST(a_queue_that_was_emptied_has_not_stood)
{
    struct job *busy = open_stale(1), *later;
    weir_future *cancelled = submit_for(new_job(act_answer));

    test_clock_advance(WEIR_MS(30));
    finish_and_start(busy, waiting[0]); /* it is above, one waits behind */
    ck_assert_int_eq(weir_future_cancel(cancelled), WEIR_OK);
    weir_future_release(cancelled);
    finish_job(waiting[0]);
    settle_all();
    test_clock_advance(WEIR_MS(200));
    busy = start_new(act_wait);
    waiting[0] = submit_new(act_wait);
    later = submit_new(act_answer);
    test_clock_advance(WEIR_MS(30));
    finish_and_start(busy, waiting[0]);
    finish_job(waiting[0]);
    assert_outcome(later, WEIR_OUTCOME_DONE);
    settle_all();
    ck_assert_uint_eq(ledger_now().expired, 0);
}
END_TEST

/* Fails in its first attempt. */
static int act_fail_once(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_attempt(task) == 1;
}

START_TEST(retries_do_not_get_stale)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    int64_t expires_ns = test_clock_now() + WEIR_SECONDS(1000);
    struct job *busy, *retried, *last;

    policy.base_ns = WEIR_MS(1);
    options.retry = &policy;
    options.codel_target_ns = WEIR_MS(10);
    open_pool();
    busy = start_new(act_wait);
    retried = submit_new(act_fail_once);
    for (int i = 0; i < 3; i++)
        waiting[i] = submit_new(act_wait);
    spec.time_to_live_ns = WEIR_SECONDS(1000);
    last = new_job(act_answer);
    weir_future_release(submit_spec(last, spec));
    test_clock_advance(WEIR_MS(30));
    finish_and_start(busy, waiting[0]); /* `retried` has failed */
    test_clock_advance(WEIR_MS(200));
    test_clock_await_waiter(expires_ns); /* and now is due */
    finish_job(waiting[0]);
    settle_all();
    assert_outcome(retried, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(retried->outcome.attempts, 2);
    assert_outcome(waiting[1], WEIR_OUTCOME_EXPIRED);
    assert_outcome(waiting[2], WEIR_OUTCOME_EXPIRED);
    assert_outcome(last, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(by_default_nothing_gets_stale)
{
    struct job *busy;

    open_pool();
    busy = start_new(act_wait);
    for (int i = 0; i < 4; i++)
        waiting[i] = submit_new(act_answer);
    test_clock_advance(WEIR_SECONDS(1000));
    finish_job(busy);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 5);
}
END_TEST

/* Without any other option tasks would be plain. */
START_TEST(tasks_of_which_nobody_hears_get_stale_too)
{
    struct job *busy;

    options.on_settled = NULL;
    options.on_release = NULL;
    options.codel_interval_ns = WEIR_MS(20);
    busy = open_stale(4);
    test_clock_advance(WEIR_MS(30));
    gate_open(&busy->finish);
    await_start(waiting[0]);
    test_clock_advance(WEIR_MS(20));
    gate_open(&waiting[0]->finish);
    await_start(waiting[3]);
    ck_assert_uint_eq(ledger_now().expired, 2);
    gate_open(&waiting[3]->finish);
    settle_all();
}
END_TEST

/* ------------------------------------------------------------ water marks */

/* What on_pressure was told, in order; '+' high, '-' low. */
static char told[64];
static struct tally tellings = TALLY_INIT;
static int told_arg;
static pthread_t told_on;

static void note_pressure(void *arg, bool high)
{
    size_t n = strlen(told);

    ck_assert_ptr_eq(arg, &told_arg);
    ck_assert_uint_lt(n + 1, sizeof(told));
    told[n] = high ? '+' : '-';
    told_on = pthread_self();
    assert_balanced(); /* takes the lock */
    tally_add(&tellings, 1);
}

/* One worker that is busy; `count` tasks may wait. */
static struct job *open_marked(size_t count, size_t high, size_t low)
{
    options.queue_capacity = count;
    options.high_water = high;
    options.low_water = low;
    if (!options.on_pressure)
        options.on_pressure = note_pressure;
    options.on_pressure_arg = &told_arg;
    open_pool();
    return start_new(act_wait);
}

static void must_submit_row(struct job **row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        row[i] = submit_new(act_wait);
}

static void assert_told(const char *what)
{
    await_count(&tellings, strlen(what));
    ck_assert_str_eq(told, what);
}

START_TEST(high_is_told_at_the_high_mark_and_low_at_the_low_mark)
{
    struct job *busy = open_marked(8, 4, 2);

    must_submit_row(waiting, 3);
    ck_assert_str_eq(told, "");
    must_submit_row(waiting + 3, 1);
    assert_told("+");
    must_submit_row(waiting + 4, 2);
    finish_and_start(busy, waiting[0]);
    for (int i = 0; i < 2; i++)
        finish_and_start(waiting[i], waiting[i + 1]);
    ck_assert_str_eq(told, "+"); /* 3 wait */
    finish_and_start(waiting[2], waiting[3]);
    assert_told("+-");
    for (int i = 3; i < 6; i++)
        finish_job(waiting[i]);
    settle_all();
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(by_default_the_marks_are_full_and_a_quarter)
{
    struct job *busy = open_marked(8, 0, 0);

    must_submit_row(waiting, 7);
    ck_assert_str_eq(told, "");
    must_submit_row(waiting + 7, 1);
    assert_told("+");
    finish_and_start(busy, waiting[0]);
    for (int i = 0; i < 4; i++)
        finish_and_start(waiting[i], waiting[i + 1]);
    ck_assert_str_eq(told, "+"); /* 3 wait */
    finish_and_start(waiting[4], waiting[5]);
    assert_told("+-");
    for (int i = 5; i < 8; i++)
        gate_open(&waiting[i]->finish);
}
END_TEST

/* Without marks such tasks would be plain. */
START_TEST(tasks_of_which_nobody_hears_count_too)
{
    struct job *busy;

    options.on_settled = NULL;
    options.on_release = NULL;
    busy = open_marked(2, 2, 1);
    for (int i = 0; i < 2; i++)
        (void)submit_new(act_answer);
    assert_told("+");
    gate_open(&busy->finish);
    settle_all();
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(marks_that_are_not_set_follow_from_the_others)
{
    static const struct {
        size_t capacity, high, low, is_high, is_low;
    } marks[] = {
        {8, 0, 0, 8, 2},   {8, 3, 0, 3, 2}, {8, 2, 0, 2, 1},
        {8, 4, 0, 4, 2},   {1, 0, 0, 1, 0}, {100, 0, 99, 100, 99},
        {100, 1, 0, 1, 0},
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t high = marks[i].high, low = marks[i].low;

        ck_assert_int_eq(weir__marks_read(&high, &low, marks[i].capacity,
                                          "capacity"),
                         WEIR_OK);
        ck_assert_uint_eq(high, marks[i].is_high);
        ck_assert_uint_eq(low, marks[i].is_low);
    }
}
END_TEST

/* Whatever makes them fewer. */
START_TEST(tasks_that_expire_or_are_cancelled_make_pressure_low)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *futures[2];
    int64_t expires_ns = test_clock_now() + WEIR_SECONDS(1);
    struct job *busy = open_marked(3, 2, 1);

    spec.time_to_live_ns = WEIR_SECONDS(1);
    for (int i = 0; i < 2; i++)
        futures[i] = submit_spec(new_job(act_answer), spec);
    assert_told("+");
    ck_assert_int_eq(weir_future_cancel(futures[0]), WEIR_OK);
    assert_told("+-");
    weir_future_release(futures[0]);
    futures[0] = submit_spec(new_job(act_answer), spec);
    assert_told("+-+");
    advance_to(expires_ns);
    assert_told("+-+-");
    for (int i = 0; i < 2; i++)
        weir_future_release(futures[i]);
    finish_job(busy);
}
END_TEST

static int act_wait_and_fail_once(weir_task *task, struct job *job)
{
    gate_wait(&job->finish);
    return weir_task_attempt(task) == 1;
}

START_TEST(retries_count_as_waiting)
{
    int64_t due_ns = test_clock_now() + WEIR_SECONDS(10);

    options.retry = &policy;
    options.workers = 2;
    gate_open(&open_marked(4, 2, 0)->finish);
    settle_all();
    for (int i = 0; i < 2; i++)
        waiting[i] = start_new(act_wait_and_fail_once);
    ck_assert_str_eq(told, "");
    for (int i = 0; i < 2; i++)
        gate_open(&waiting[i]->finish);
    assert_told("+");
    ck_assert_double_eq(weir_pool_pressure(pool), 0.5);
    advance_to(due_ns);
    settle_all();
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(a_stop_tells_low_before_it_is_over)
{
    struct job *busy = open_marked(2, 2, 1);

    for (int i = 0; i < 2; i++)
        (void)submit_new(act_answer);
    assert_told("+");
    gate_open(&busy->finish);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_str_eq(told, "+-");
}
END_TEST

static struct gate teller_is_in = GATE_INIT, teller_may_go = GATE_INIT;

static void note_slowly(void *arg, bool high)
{
    note_pressure(arg, high);
    gate_open(&teller_is_in);
    gate_wait(&teller_may_go);
}

START_TEST(one_thread_tells_at_a_time_and_join_waits_for_the_truth)
{
    struct call join = {.status = WEIR_OK};
    struct job *busy;

    options.on_pressure = note_slowly;
    busy = open_marked(2, 2, 1);
    must_submit_row(waiting, 2);
    gate_wait(&teller_is_in);
    finish_and_start(busy, waiting[0]);
    finish_and_start(waiting[0], waiting[1]);
    finish_job(waiting[1]);
    block_call(&join, act_join);
    ck_assert_str_eq(told, "+");
    gate_open(&teller_may_go);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
    ck_assert_str_eq(told, "+-");
}
END_TEST

START_TEST(destroy_waits_for_a_call_and_has_the_truth_told)
{
    struct call destroy = {.status = WEIR_OK};
    struct job *busy;

    options.on_pressure = note_slowly;
    busy = open_marked(2, 2, 1);
    for (int i = 0; i < 2; i++)
        (void)submit_new(act_answer);
    gate_wait(&teller_is_in);
    gate_open(&busy->finish);
    start_call(&destroy, act_destroy);
    gate_open(&teller_may_go);
    end_call(&destroy);
    ck_assert_str_eq(told, "+-");
    pool = NULL;
}
END_TEST

/* What may be called there, and what may not. */
static void call_in_pressure(void *arg, bool high)
{
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_DEADLOCK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW),
                     WEIR_DEADLOCK);
    if (high) {
        ck_assert_double_eq(weir_pool_pressure(pool), 1);
        ck_assert_int_eq(submit(new_job(act_answer)), WEIR_TIMED_OUT);
        ck_assert_int_eq(weir_pool_submit(pool, run_job, new_job(act_answer),
                                          WEIR_FOREVER),
                         WEIR_DEADLOCK);
    }
    note_pressure(arg, high);
}

START_TEST(on_pressure_is_inside_the_pool)
{
    struct job *busy;

    options.on_pressure = call_in_pressure;
    busy = open_marked(2, 2, 1);
    must_submit_row(waiting, 2);
    assert_told("+");
    ck_assert(!pthread_equal(told_on, pthread_self()));
    ck_assert(!pthread_equal(told_on, busy->ran_on));
    finish_and_start(busy, waiting[0]);
    finish_and_start(waiting[0], waiting[1]);
    finish_job(waiting[1]);
    settle_all();
    ck_assert_str_eq(told, "+-");
}
END_TEST

static void end_thread(void *arg, bool high)
{
    note_pressure(arg, high);
    pthread_exit(NULL);
}

START_TEST(one_that_ends_its_thread_has_been_told)
{
    struct job *busy;

    options.on_pressure = end_thread;
    busy = open_marked(2, 2, 0);
    for (int i = 0; i < 3; i++) {
        must_submit_row(waiting, 2);
        await_count(&tellings, 2 * (uint64_t)i + 1);
        finish_and_start(busy, waiting[0]);
        finish_and_start(waiting[0], waiting[1]);
        busy = waiting[1];
        await_count(&tellings, 2 * (uint64_t)i + 2);
    }
    finish_job(busy);
    settle_all();
    ck_assert_str_eq(told, "+-+-+-");
}
END_TEST

/* -------------------------------------------------------------- pressure */

/* Of plain tasks, too. */
START_TEST(pressure_is_the_share_of_the_capacity_that_waits)
{
    struct job *busy;

    if (_i == 1)
        options.on_settled = NULL;
    if (_i == 1)
        options.on_release = NULL;
    options.queue_capacity = 4;
    open_pool();
    ck_assert_double_eq(weir_pool_pressure(pool), 0);
    busy = start_new(act_wait);
    ck_assert_double_eq(weir_pool_pressure(pool), 0); /* it does not wait */
    for (int i = 1; i <= 4; i++) {
        (void)submit_new(act_answer);
        ck_assert_double_eq(weir_pool_pressure(pool), i / 4.0);
    }
    gate_open(&busy->finish);
    settle_all();
    ck_assert_double_eq(weir_pool_pressure(pool), 0);
}
END_TEST

/* A retry asks for no room. */
START_TEST(it_is_never_above_1)
{
    struct job *fails[2];

    options.retry = &policy;
    options.queue_capacity = 1;
    open_pool_of(2);
    for (int i = 0; i < 2; i++) {
        fails[i] = start_new(act_wait);
        fails[i]->code = 1;
    }
    for (int i = 0; i < 2; i++)
        gate_open(&fails[i]->finish);
    while (ledger_now().retrying < 2)
        sched_yield();
    ck_assert_double_eq(weir_pool_pressure(pool), 1);
}
END_TEST

START_TEST(no_pool_has_no_pressure)
{
    ck_assert_double_eq(weir_pool_pressure(NULL), 0);
    assert_error_names("pool");
}
END_TEST

/* ----------------------------------------------------------------- options */

static void assert_refused_with(const char *word, const char *remedy)
{
    weir_pool *none = NULL;

    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_EINVAL);
    ck_assert_ptr_null(none);
    assert_error_names(word);
    assert_error_names(remedy);
    pool_teardown();
    pool_setup();
}

START_TEST(codel_times_that_make_no_sense_are_refused_by_name)
{
    options.codel_target_ns = -1;
    assert_refused_with("codel_target_ns", "negative");
    options.codel_target_ns = 1;
    options.codel_interval_ns = -1;
    assert_refused_with("codel_interval_ns", "negative");
    options.codel_interval_ns = 1;
    assert_refused_with("codel_interval_ns", "set codel_target_ns");
    options.codel_target_ns = WEIR_MS(100) + 1;
    assert_refused_with("codel_target_ns", "raise the interval");
    options.codel_target_ns = 2;
    options.codel_interval_ns = 1;
    assert_refused_with("codel_target_ns", "raise the interval");
    options.codel_target_ns = WEIR_MS(100);
    open_pool();
}
END_TEST

START_TEST(marks_that_make_no_sense_are_refused_by_name)
{
    options.high_water = 1;
    assert_refused_with("high_water", "set on_pressure");
    options.low_water = 1;
    assert_refused_with("low_water", "set on_pressure");
    options.on_pressure = note_pressure;
    options.queue_capacity = 8;
    options.high_water = 9;
    assert_refused_with("high_water 9", "queue_capacity 8");
    options.on_pressure = note_pressure;
    options.high_water = 4;
    options.low_water = 4;
    assert_refused_with("low_water 4", "lower it");
    options.on_pressure = note_pressure;
    options.high_water = options.queue_capacity = 1;
    open_pool();
}
END_TEST

int main(void)
{
    const TTest *const stale[] = {
        stale_work_expires_once_the_queue_has_stood_for_an_interval,
        a_queue_that_was_emptied_has_not_stood,
        retries_do_not_get_stale,
        by_default_nothing_gets_stale,
        tasks_of_which_nobody_hears_get_stale_too,
        NULL};
    const TTest *const marks[] = {
        high_is_told_at_the_high_mark_and_low_at_the_low_mark,
        by_default_the_marks_are_full_and_a_quarter,
        marks_that_are_not_set_follow_from_the_others,
        tasks_of_which_nobody_hears_count_too,
        tasks_that_expire_or_are_cancelled_make_pressure_low,
        retries_count_as_waiting,
        a_stop_tells_low_before_it_is_over,
        one_thread_tells_at_a_time_and_join_waits_for_the_truth,
        destroy_waits_for_a_call_and_has_the_truth_told,
        on_pressure_is_inside_the_pool,
        one_that_ends_its_thread_has_been_told,
        NULL};
    const TTest *const shares[] = {
        pressure_is_the_share_of_the_capacity_that_waits, NULL};
    const TTest *const limits[] = {it_is_never_above_1, no_pool_has_no_pressure,
                                   NULL};
    const TTest *const refusals[] = {
        codel_times_that_make_no_sense_are_refused_by_name,
        marks_that_make_no_sense_are_refused_by_name, NULL};
    const struct chapter chapters[] = {
        {"stale work", stale, pool_setup, pool_teardown, 0, 0},
        {"water marks", marks, pool_setup, pool_teardown, 0, 0},
        {"pressure", shares, pool_setup, pool_teardown, 2, 0},
        {"its limits", limits, pool_setup, pool_teardown, 0, 0},
        {"refused", refusals, pool_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: overload", chapters);
}
