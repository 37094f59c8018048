/* SPDX-License-Identifier: MIT */
/* test_pool_schedule.c - tasks that wait for their time, or come again. */
#include <weir/group.h>
#include <weir/pool.h>

#include <sched.h>
#include <string.h>

#include "base/fault.h"
#include "faults.h"
#include "pools.h"
#include "suite.h"

#define SECOND WEIR_SECONDS(1)

static int64_t start_ns; /* when the pool was opened */

static void open_now(void)
{
    open_pool();
    start_ns = test_clock_now();
}

/* -------------------------------------------------------------- not before */

static weir_task_spec at(int64_t after_ns)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.not_before = (weir_deadline){start_ns + after_ns};
    return spec;
}

static struct job *delay(int64_t after_ns)
{
    struct job *job = new_job(act_answer);

    weir_future_release(submit_spec(job, at(after_ns)));
    return job;
}

START_TEST(a_task_starts_at_its_time_and_not_before)
{
    struct job *job;

    open_now();
    job = delay(10 * SECOND);
    ck_assert_uint_eq(ledger_now().queued, 1);
    advance_to_just_before(start_ns + 10 * SECOND);
    rouse_timekeeper(start_ns + 10 * SECOND);
    ck_assert_uint_eq(tally_read(&job->started), 0);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(job->started_ns, start_ns + 10 * SECOND);
    ck_assert_int_eq(job->outcome.waited_ns, 0);
}
END_TEST

START_TEST(what_is_not_delayed_does_not_wait_behind_it)
{
    struct job *job, *other;

    open_now();
    job = delay(10 * SECOND);
    other = submit_new(act_answer);
    assert_outcome(other, WEIR_OUTCOME_DONE);
    assert_unsettled(job);
    advance_to(start_ns + 10 * SECOND);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

/* In which order jobs ran. */
static struct job *ran[8];
static size_t ran_count;

static int act_note_order(weir_task *task, struct job *job)
{
    (void)task;
    ran[ran_count++] = job;
    return 0;
}

START_TEST(they_start_in_the_order_of_moments_then_of_submission)
{
    static const int64_t after[] = {5, 3, 5, 4, 5, 3};
    static const size_t order[] = {1, 5, 3, 0, 2, 4};
    struct job *jobs[6], *first;

    ran_count = 0;
    open_now();
    first = start_new(act_wait);
    for (size_t i = 0; i < 6; i++) {
        jobs[i] = new_job(act_note_order);
        weir_future_release(submit_spec(jobs[i], at(after[i] * SECOND)));
    }
    await_timekeeper(start_ns + 3 * SECOND);
    test_clock_advance(5 * SECOND);
    finish_job(first);
    settle_all();
    ck_assert_uint_eq(ran_count, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_ptr_eq(ran[i], jobs[order[i]]);
}
END_TEST

START_TEST(a_moment_that_has_passed_is_at_once)
{
    struct job *job;

    open_now();
    test_clock_advance(2 * SECOND);
    job = delay(SECOND);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(it_takes_up_room_and_no_drop_takes_it)
{
    struct job *delayed, *more = new_job(act_answer);

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_now();
    delayed = delay(SECOND);
    ck_assert_int_eq(submit(more), WEIR_FULL);
    advance_to(start_ns + SECOND);
    assert_outcome(delayed, WEIR_OUTCOME_DONE);
    await_released(delayed);
    must_submit(more);
    assert_outcome(more, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(a_submitter_does_not_run_it_before_its_time)
{
    struct job *delayed;
    weir_task_spec spec;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_now();
    delayed = delay(SECOND);
    spec = at(SECOND);
    spec.handler = run_job;
    spec.item = new_job(act_answer);
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_FULL);
    must_submit(new_job(act_answer)); /* this one it does run */
    advance_to(start_ns + SECOND);
    assert_outcome(delayed, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(its_time_to_live_counts_from_its_time)
{
    struct job *blocker, *job = new_job(act_answer);
    weir_task_spec spec;

    open_now();
    blocker = start_new(act_wait);
    spec = at(10 * SECOND);
    spec.time_to_live_ns = 5 * SECOND;
    weir_future_release(submit_spec(job, spec));
    advance_to(start_ns + 10 * SECOND);
    advance_to_just_before(start_ns + 15 * SECOND);
    assert_unsettled(job);
    test_clock_advance(1);
    assert_outcome(job, WEIR_OUTCOME_EXPIRED);
    ck_assert_int_eq(job->outcome.waited_ns, 5 * SECOND);
    finish_job(blocker);
}
END_TEST

START_TEST(it_is_listed_with_the_time_left)
{
    weir_pool_entry line = WEIR_POOL_ENTRY_INIT;

    open_now();
    delay(10 * SECOND);
    test_clock_advance(4 * SECOND);
    ck_assert_uint_eq(weir_pool_list(pool, &line, 1), 1);
    ck_assert_int_eq(line.state, WEIR_TASK_QUEUED);
    ck_assert_int_eq(line.left_ns, 6 * SECOND);
    ck_assert_int_eq(line.since_ns, 4 * SECOND);
}
END_TEST

START_TEST(it_can_be_cancelled)
{
    struct job *job = new_job(act_answer), *grouped = new_job(act_answer);
    weir_future *future;
    weir_task_spec spec;
    weir_group *group;

    open_now();
    future = submit_spec(job, at(SECOND));
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    weir_future_release(future);
    assert_outcome(job, WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    spec = at(SECOND);
    spec.handler = run_job;
    spec.item = grouped;
    ck_assert_int_eq(weir_group_submit_task(group, &spec, NULL, WEIR_NOW),
                     WEIR_OK);
    weir_group_cancel(group);
    assert_outcome(grouped, WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(weir_group_join(group, WEIR_FOREVER), WEIR_OK);
    weir_group_destroy(group);
    settle_all();
}
END_TEST

START_TEST(stop_now_cancels_it)
{
    struct job *job;

    open_now();
    job = delay(SECOND);
    end_pool();
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CANCELLED);
}
END_TEST

START_TEST(a_drain_and_a_join_wait_for_it)
{
    struct call joining = {0}, stopping = {.how = WEIR_STOP_AFTER_DRAIN};
    struct job *job;

    open_now();
    job = delay(10 * SECOND);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_NOW),
                     WEIR_TIMED_OUT);
    block_call(&joining, act_join);
    block_call(&stopping, act_stop);
    ck_assert_uint_eq(tally_read(&job->started), 0);
    advance_to(start_ns + 10 * SECOND);
    ck_assert_int_eq(end_call(&joining), WEIR_OK);
    ck_assert_int_eq(end_call(&stopping), WEIR_OK);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(plain_tasks_and_delayed_ones_share_the_capacity)
{
    weir_task_spec spec;
    struct job *jobs[3];

    options.on_settled = NULL;
    options.on_release = NULL;
    options.queue_capacity = 2;
    options.on_full = WEIR_ON_FULL_REFUSE;
    open_now();
    spec = at(SECOND);
    spec.handler = run_job;
    for (int i = 0; i < 3; i++) {
        jobs[i] = new_job(act_answer);
        spec.item = jobs[i];
        ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                         i < 2 ? WEIR_OK : WEIR_FULL);
    }
    ck_assert_int_eq(submit(jobs[2]), WEIR_FULL);
    advance_to(start_ns + SECOND);
    settle_all();
    must_submit(jobs[2]);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 3);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    weir_task_spec spec;
    weir_future *future = NULL;

    open_now();
    spec = at(SECOND);
    spec.handler = run_job;
    spec.every_ns = -1;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("every_ns");
    spec.every_ns = SECOND;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("future");
    ck_assert_ptr_null(future);
    spec.every_ns = 0;
    spec.not_before = WEIR_FOREVER;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("not_before");
    spec.not_before.at_ns = -1;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_error_names("not_before");
    ck_assert_uint_eq(ledger_now().accepted, 0);
}
END_TEST

/* ------------------------------------------------------------------ series */

/* The item of a series. */
struct beat {
    int n;
    bool ends, waits;
};
static struct tally beats, freed;
static struct gate go_on;
static void *last_item;
static uint64_t last_id;

static void count_release(void *arg, void *item)
{
    (void)arg;
    (void)item;
    tally_add(&freed, 1);
}

static int run_beat(weir_task *task, void *item)
{
    struct beat *beat = item;

    last_item = item;
    last_id = weir_task_id(task);
    beat->n++;
    tally_add(&beats, 1);
    if (beat->ends)
        weir_task_end_series(task);
    if (beat->waits)
        gate_wait(&go_on);
    return 0;
}

static void setup_beats(void)
{
    pool_setup();
    options.on_settled = NULL;
    options.on_release = count_release;
    options.on_full = WEIR_ON_FULL_REFUSE;
    options.item_size = sizeof(struct beat);
    beats = freed = (struct tally)TALLY_INIT;
    go_on = (struct gate)GATE_INIT;
}

static weir_status
begin_series(weir_group *group, struct beat *beat, weir_task_spec spec)
{
    spec.handler = run_beat;
    spec.item = beat;
    spec.every_ns = 10 * SECOND;
    spec.label = "beat";
    return group ? weir_group_submit_task(group, &spec, NULL, WEIR_NOW)
                 : weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW);
}

static void must_begin(struct beat *beat, int64_t after_ns)
{
    ck_assert_int_eq(begin_series(NULL, beat, at(after_ns)), WEIR_OK);
}

/* The n-th firing of one that began `after_ns` comes, and is done. */
static void await_beat(uint64_t count)
{
    await_count(&beats, count);
    await_count(&freed, count);
    settle_all();
}

START_TEST(a_series_fires_at_its_first_moment_and_keeps_the_phase)
{
    struct beat beat = {0};

    open_now();
    must_begin(&beat, 3 * SECOND);
    ck_assert_uint_eq(ledger_now().accepted, 0);
    settle_all(); /* join does not wait for what is not due */
    for (uint64_t i = 0; i < 4; i++) {
        int64_t due_ns = start_ns + 3 * SECOND + (int64_t)i * 10 * SECOND;

        advance_to_just_before(due_ns);
        rouse_timekeeper(due_ns);
        ck_assert_uint_eq(tally_read(&beats), i);
        test_clock_advance(1);
        await_beat(i + 1);
        ck_assert_uint_eq(last_id, i + 1);
        ck_assert_ptr_eq(last_item, &beat);
    }
    ck_assert_uint_eq(ledger_now().accepted, 4);
    ck_assert_uint_eq(ledger_now().refused, 0);
    ck_assert_int_eq(beat.n, 4);
}
END_TEST

START_TEST(without_not_before_the_first_firing_is_at_once)
{
    struct beat beat = {0};
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    open_now();
    ck_assert_int_eq(begin_series(NULL, &beat, spec), WEIR_OK);
    await_beat(1);
    advance_to(start_ns + 10 * SECOND);
    await_beat(2);
}
END_TEST

START_TEST(each_firing_has_a_copy_of_the_item_as_it_was)
{
    struct beat beat = {.n = 7};
    weir_task_spec spec;

    open_now();
    spec = at(SECOND);
    spec.copy = true;
    ck_assert_int_eq(begin_series(NULL, &beat, spec), WEIR_OK);
    beat.n = 0;
    for (uint64_t i = 0; i < 2; i++) {
        advance_to(start_ns + SECOND + (int64_t)i * 10 * SECOND);
        await_count(&beats, i + 1);
        settle_all();
        ck_assert_ptr_ne(last_item, &beat);
        ck_assert_int_eq(((struct beat *)last_item)->n, 8);
    }
    ck_assert_int_eq(beat.n, 0);
}
END_TEST

START_TEST(a_late_series_skips_and_never_bursts)
{
    struct beat beat = {0};

    open_now();
    must_begin(&beat, SECOND);
    await_timekeeper(start_ns + SECOND);
    test_clock_advance(35 * SECOND); /* past 1, 11, 21 and 31 */
    await_beat(1);
    ck_assert_uint_eq(ledger_now().accepted, 1);
    ck_assert_uint_eq(ledger_now().refused, 3);
    advance_to(start_ns + 41 * SECOND);
    await_beat(2);
    ck_assert_uint_eq(ledger_now().refused, 3);
}
END_TEST

START_TEST(a_firing_is_skipped_while_the_one_before_runs)
{
    struct beat beat = {.waits = true};

    options.workers = 2;
    open_now();
    must_begin(&beat, SECOND);
    advance_to(start_ns + SECOND);
    await_count(&beats, 1);
    advance_to(start_ns + 11 * SECOND);
    await_timekeeper(start_ns + 21 * SECOND);
    ck_assert_uint_eq(ledger_now().refused, 1);
    ck_assert_uint_eq(tally_read(&beats), 1);
    gate_open(&go_on);
    await_beat(1);
    advance_to(start_ns + 21 * SECOND);
    await_beat(2);
}
END_TEST

START_TEST(a_firing_without_room_is_skipped)
{
    struct job *blocker, *queued = new_job(act_answer);
    struct beat beat = {0};

    options.queue_capacity = 1;
    options.on_release = NULL;
    open_now();
    blocker = start_new(act_wait);
    must_begin(&beat, SECOND);
    must_submit(queued);
    advance_to(start_ns + SECOND);
    await_timekeeper(start_ns + 11 * SECOND);
    ck_assert_uint_eq(ledger_now().refused, 1);
    ck_assert_uint_eq(tally_read(&beats), 0);
    gate_open(&blocker->finish);
    settle_all();
    advance_to(start_ns + 11 * SECOND);
    await_count(&beats, 1);
    settle_all();
    ck_assert_uint_eq(ledger_now().accepted, 3);
}
END_TEST

START_TEST(its_handler_ends_it)
{
    struct beat beat = {.ends = true};

    open_now();
    must_begin(&beat, SECOND);
    advance_to(start_ns + SECOND);
    await_beat(1);
    test_clock_advance(50 * SECOND);
    settle_all();
    ck_assert_uint_eq(ledger_now().accepted, 1);
    ck_assert_uint_eq(ledger_now().refused, 0);
}
END_TEST

START_TEST(its_group_ends_it_and_no_other)
{
    struct beat beat = {0}, other = {0};
    weir_group *group;
    weir_ledger ledger;

    open_now();
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    ck_assert_int_eq(begin_series(group, &beat, at(SECOND)), WEIR_OK);
    must_begin(&other, 2 * SECOND);
    ck_assert_int_eq(weir_group_join(group, WEIR_FOREVER), WEIR_OK);
    advance_to(start_ns + SECOND);
    await_beat(1);
    weir_group_read_ledger(group, &ledger);
    ck_assert_uint_eq(ledger.accepted, 1);
    weir_group_cancel(group);
    advance_to(start_ns + 2 * SECOND);
    await_beat(2);
    advance_to(start_ns + 12 * SECOND);
    await_beat(3);
    ck_assert_int_eq(beat.n, 1);
    ck_assert_int_eq(other.n, 2);
    ck_assert_int_eq(begin_series(group, &beat, at(15 * SECOND)), WEIR_OK);
    weir_group_destroy(group); /* this ends it too */
    advance_to(start_ns + 22 * SECOND);
    await_beat(4);
    ck_assert_int_eq(beat.n, 1);
}
END_TEST

START_TEST(a_group_cancel_asks_its_running_firing_too)
{
    struct beat beat = {.waits = true};
    weir_group *group;

    open_now();
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    ck_assert_int_eq(begin_series(group, &beat, at(SECOND)), WEIR_OK);
    advance_to(start_ns + SECOND);
    await_count(&beats, 1);
    weir_group_cancel(group);
    ck_assert_uint_eq(ledger_now().cancelled, 1);
    gate_open(&go_on); /* the series goes with it */
    await_beat(1);
    weir_group_destroy(group);
}
END_TEST

START_TEST(a_drain_ends_it)
{
    struct beat beat = {0}, running = {.waits = true};
    struct call stopping = {.how = WEIR_STOP_AFTER_DRAIN};

    open_now();
    must_begin(&beat, 2 * SECOND);
    must_begin(&running, SECOND);
    advance_to(start_ns + SECOND);
    await_count(&beats, 1);
    block_call(&stopping, act_stop);
    gate_open(&go_on);
    ck_assert_int_eq(end_call(&stopping), WEIR_OK);
    ck_assert_uint_eq(ledger_now().accepted, 1);
    ck_assert_int_eq(begin_series(NULL, &beat, at(SECOND)), WEIR_CLOSED);
    ck_assert_uint_eq(ledger_now().refused, 1);
}
END_TEST

START_TEST(destroy_frees_what_is_not_due)
{
    struct beat beat = {0};

    open_now();
    for (int i = 0; i < 100; i++) /* no capacity bounds them */
        must_begin(&beat, 2 * SECOND);
    drop_pool();
    ck_assert_uint_eq(tally_read(&beats), 0);
}
END_TEST

static weir_status begin_one(void *arg)
{
    return begin_series(NULL, arg, at(SECOND));
}

START_TEST(without_memory_it_does_not_begin)
{
    struct beat beat = {0};

    open_now();
    ck_assert_uint_eq(fault_sweep(begin_one, &beat, WEIR_ENOMEM), 1);
    ck_assert_uint_eq(ledger_now().refused, 1);
    advance_to(start_ns + SECOND);
    await_beat(1);
}
END_TEST

int main(void)
{
    const TTest *const delayed[] = {
        a_task_starts_at_its_time_and_not_before,
        what_is_not_delayed_does_not_wait_behind_it,
        they_start_in_the_order_of_moments_then_of_submission,
        a_moment_that_has_passed_is_at_once,
        it_takes_up_room_and_no_drop_takes_it,
        a_submitter_does_not_run_it_before_its_time,
        its_time_to_live_counts_from_its_time,
        it_is_listed_with_the_time_left,
        it_can_be_cancelled,
        stop_now_cancels_it,
        a_drain_and_a_join_wait_for_it,
        plain_tasks_and_delayed_ones_share_the_capacity,
        what_makes_no_sense_is_refused,
        NULL};
    const TTest *const series[] = {
        a_series_fires_at_its_first_moment_and_keeps_the_phase,
        without_not_before_the_first_firing_is_at_once,
        each_firing_has_a_copy_of_the_item_as_it_was,
        a_late_series_skips_and_never_bursts,
        a_firing_is_skipped_while_the_one_before_runs,
        a_firing_without_room_is_skipped,
        its_handler_ends_it,
        its_group_ends_it_and_no_other,
        a_group_cancel_asks_its_running_firing_too,
        a_drain_ends_it,
        destroy_frees_what_is_not_due,
        without_memory_it_does_not_begin,
        NULL};
    const struct chapter chapters[] = {{"not before", delayed, pool_setup,
                                        pool_teardown, 0, 0},
                                       {"every", series, setup_beats,
                                        pool_teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: scheduling", chapters);
}
