/* SPDX-License-Identifier: MIT */
/*
 * test_pool_beat.c - deadlines of plain tasks that come fast (pool/beat.c).
 *
 * The timeout is 6.4 s and so the beat 100 ms.  The test's clock stands while
 * tasks run, so as many as begin the beat are always fast.
 */
#include <weir/pool.h>

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

enum { BEGIN_BEAT = 256 }; /* so many tasks do */
#define TIMEOUT_NS WEIR_MS(6400)
#define BEAT_NS    WEIR_MS(100)

static void setup(void)
{
    pool_setup();
    options.on_settled = NULL;
    options.on_release = NULL;
    options.timeout_ns = TIMEOUT_NS;
}

/* Handlers of tasks that nobody asks for their deadline. */
static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static int take_100_us(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    test_clock_advance(WEIR_US(100));
    return 0;
}

#define HOLD_INIT                                                              \
 {                                                                             \
  .started = TALLY_INIT, .asked = TALLY_INIT, .ask = GATE_INIT,                \
  .finish = GATE_INIT                                                          \
 }
struct hold {
    struct tally started;
    struct gate ask, finish;
    struct tally asked;
    weir_deadline deadline;
    int child_status;
};

static int be_held(weir_task *task, void *item)
{
    struct hold *hold = item;

    tally_add(&hold->started, 1);
    gate_wait(&hold->ask);
    hold->deadline = weir_task_deadline(task);
    tally_add(&hold->asked, 1);
    gate_wait(&hold->finish);
    return 0;
}

static void run_many(weir_handler *handler, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(weir_pool_submit(pool, handler, NULL, WEIR_FOREVER),
                         WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
}

/* Returns when the first beat is, once the timekeeper sleeps up to that. */
static int64_t get_on_the_beat(void)
{
    int64_t beat_ns = test_clock_now() + BEAT_NS;

    run_many(do_nothing, BEGIN_BEAT);
    await_timekeeper(beat_ns);
    return beat_ns;
}

static void start(struct hold *hold)
{
    ck_assert_int_eq(weir_pool_submit(pool, be_held, hold, WEIR_NOW), WEIR_OK);
    await_count(&hold->started, 1);
}

static int64_t ask_deadline(struct hold *hold)
{
    gate_open(&hold->ask);
    await_count(&hold->asked, 1);
    return hold->deadline.at_ns;
}

static void finish(struct hold *hold)
{
    gate_open(&hold->ask);
    gate_open(&hold->finish);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
}

static void assert_times_out_at(int64_t at_ns)
{
    advance_to_just_before(at_ns);
    ck_assert_uint_eq(ledger_now().running, 1);
    advance_to(at_ns);
    while (ledger_now().running)
        sched_yield();
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    assert_balanced();
}

/* ------------------------------------------------------------- on the beat */

START_TEST(the_timeout_runs_from_the_first_look)
{
    struct hold hold = HOLD_INIT;
    int64_t beat_ns;

    open_pool();
    beat_ns = get_on_the_beat();
    start(&hold);
    advance_to(beat_ns);
    assert_times_out_at(beat_ns + TIMEOUT_NS);
    finish(&hold);
    ck_assert_uint_eq(ledger_now().late, 1);
    ck_assert_uint_eq(ledger_now().done, BEGIN_BEAT);
}
END_TEST

START_TEST(a_beat_with_many_tasks_is_not_the_last)
{
    struct hold hold = HOLD_INIT;
    int64_t beat_ns;

    open_pool();
    beat_ns = get_on_the_beat();
    test_clock_advance(BEAT_NS - 1);
    run_many(do_nothing, BEGIN_BEAT);
    test_clock_advance(1);
    await_timekeeper(beat_ns + BEAT_NS);
    start(&hold);
    test_clock_advance(BEAT_NS);
    assert_times_out_at(beat_ns + BEAT_NS + TIMEOUT_NS);
    finish(&hold);
}
END_TEST

START_TEST(who_asks_for_the_deadline_fixes_it)
{
    struct hold hold = HOLD_INIT;
    int64_t start_ns;

    open_pool();
    start_ns = get_on_the_beat() - BEAT_NS;
    start(&hold);
    test_clock_advance(WEIR_MS(1));
    ck_assert_int_eq(ask_deadline(&hold), start_ns + WEIR_MS(1) + TIMEOUT_NS);
    assert_times_out_at(start_ns + WEIR_MS(1) + TIMEOUT_NS);
    finish(&hold);
}
END_TEST

START_TEST(who_asks_after_the_look_is_told_what_holds)
{
    struct hold hold = HOLD_INIT;
    int64_t beat_ns;

    open_pool();
    beat_ns = get_on_the_beat();
    start(&hold);
    advance_to(beat_ns);
    await_timekeeper(beat_ns + TIMEOUT_NS);
    test_clock_advance(WEIR_MS(1));
    ck_assert_int_eq(ask_deadline(&hold), beat_ns + TIMEOUT_NS);
    assert_times_out_at(beat_ns + TIMEOUT_NS);
    finish(&hold);
}
END_TEST

START_TEST(an_answer_after_a_deadline_that_was_asked_for_is_late)
{
    struct hold hold = HOLD_INIT;
    int64_t beat_ns;

    open_pool();
    beat_ns = get_on_the_beat();
    start(&hold);
    ask_deadline(&hold);
    test_clock_hold(beat_ns);
    test_clock_advance(TIMEOUT_NS);
    finish(&hold);
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
    test_clock_release(beat_ns);
}
END_TEST

START_TEST(a_stop_fixes_the_deadline_of_what_runs)
{
    struct call stop = {.how = WEIR_STOP_AFTER_DRAIN};
    struct hold hold = HOLD_INIT;
    int64_t stop_ns;

    open_pool();
    get_on_the_beat();
    start(&hold);
    test_clock_advance(WEIR_MS(1));
    stop_ns = test_clock_now();
    block_call(&stop, act_stop);
    assert_times_out_at(stop_ns + TIMEOUT_NS);
    gate_open(&hold.ask);
    gate_open(&hold.finish);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    ck_assert_int_eq(hold.deadline.at_ns, stop_ns + TIMEOUT_NS);
}
END_TEST

static struct tally forks = TALLY_INIT;

/* Its child asks, though it has a lock that nobody will give back. */
static int ask_in_a_fork_child(weir_task *task, void *item)
{
    struct hold *hold = item;
    int64_t at_ns = test_clock_now() + TIMEOUT_NS;
    pid_t child;

    tally_add(&hold->started, 1);
    gate_wait(&hold->ask);
    child = fork();
    if (child == 0) {
        sigset_t none;

        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        signal(SIGALRM, SIG_DFL);
        alarm((unsigned)(2 * test_slowness())); /* should it hang */
        _exit(weir_task_deadline(task).at_ns != at_ns ||
              weir_task_deadline(task).at_ns != at_ns);
    }
    tally_add(&forks, 1);
    waitpid(child, &hold->child_status, 0);
    return 0;
}

START_TEST(a_fork_child_may_ask_for_the_deadline)
{
    struct hold hold = HOLD_INIT;

    open_pool();
    get_on_the_beat();
    ck_assert_int_eq(weir_pool_submit(pool, ask_in_a_fork_child, &hold,
                                      WEIR_NOW),
                     WEIR_OK);
    await_count(&hold.started, 1);
    weir__mutex_lock(&pool->lock);
    gate_open(&hold.ask);
    await_count(&forks, 1);
    weir__mutex_unlock(&pool->lock);
    settle_all();
    ck_assert_int_eq(hold.child_status, 0);
}
END_TEST

/* ------------------------------------------------------------ off the beat */

static void await_off_beat(void)
{
    while (weir__flag_read(&pool->on_beat))
        sched_yield();
}

START_TEST(a_beat_with_few_tasks_is_the_last)
{
    struct hold hold = HOLD_INIT;
    uint64_t waits;

    open_pool();
    advance_to(get_on_the_beat());
    await_off_beat();
    run_many(do_nothing, 1); /* its end may be the start of the next */
    start(&hold);
    waits = test_clock_waits();
    assert_times_out_at(test_clock_now() + TIMEOUT_NS);
    ck_assert_uint_le(test_clock_waits(), waits + 2);
    finish(&hold);
}
END_TEST

/* What counts is the last beat, and not all since the first. */
START_TEST(a_beat_with_few_tasks_after_one_with_many_is_the_last)
{
    int64_t beat_ns;

    open_pool();
    beat_ns = get_on_the_beat();
    run_many(do_nothing, BEGIN_BEAT);
    advance_to(beat_ns);
    await_timekeeper(beat_ns + BEAT_NS);
    ck_assert(weir__flag_read(&pool->on_beat));
    advance_to(beat_ns + BEAT_NS);
    await_off_beat();
}
END_TEST

/* Those that are counted begin anew. */
START_TEST(tasks_that_come_fast_after_slow_ones_begin_the_beat)
{
    open_pool();
    run_many(take_100_us, BEGIN_BEAT);
    ck_assert(!weir__flag_read(&pool->on_beat));
    run_many(do_nothing, BEGIN_BEAT);
    ck_assert(weir__flag_read(&pool->on_beat));
}
END_TEST

START_TEST(a_timeout_does_not_run_while_the_worker_is_idle)
{
    struct hold hold = HOLD_INIT;

    open_pool();
    run_many(take_100_us, 1);
    while (!weir__eventcount_is_armed(&pool->idlers))
        sched_yield();
    test_clock_advance(WEIR_SECONDS(3));
    start(&hold);
    ck_assert_int_eq(ask_deadline(&hold), test_clock_now() + TIMEOUT_NS);
    finish(&hold);
}
END_TEST

static void let_3_s_pass(void *arg)
{
    (void)arg;
    test_clock_advance(WEIR_SECONDS(3));
}

static int exit_slowly(weir_task *task, void *item)
{
    (void)item;
    ck_assert_int_eq(weir_task_defer(task, let_3_s_pass, NULL), WEIR_OK);
    pthread_exit(NULL);
}

/* The next task is there when the new thread comes. */
START_TEST(a_timeout_does_not_run_while_a_thread_is_replaced)
{
    struct hold first = HOLD_INIT, next = HOLD_INIT;

    open_pool();
    start(&first);
    ck_assert_int_eq(weir_pool_submit(pool, exit_slowly, NULL, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_submit(pool, be_held, &next, WEIR_NOW), WEIR_OK);
    gate_open(&first.ask);
    gate_open(&first.finish);
    await_count(&next.started, 1);
    ck_assert_int_eq(ask_deadline(&next), test_clock_now() + TIMEOUT_NS);
    finish(&next);
    ck_assert_uint_eq(ledger_now().exited, 1);
}
END_TEST

/* _i: too slow; too short a timeout for a beat of 1 ms. */
START_TEST(else_the_timeout_runs_from_the_start)
{
    struct hold hold = HOLD_INIT;

    if (_i)
        options.timeout_ns = WEIR_MS(63);
    open_pool();
    run_many(_i ? do_nothing : take_100_us, BEGIN_BEAT);
    start(&hold);
    assert_times_out_at(test_clock_now() + options.timeout_ns);
    finish(&hold);
}
END_TEST

int main(void)
{
    const TTest *const on[] = {
        the_timeout_runs_from_the_first_look,
        a_beat_with_many_tasks_is_not_the_last,
        who_asks_for_the_deadline_fixes_it,
        who_asks_after_the_look_is_told_what_holds,
        an_answer_after_a_deadline_that_was_asked_for_is_late,
        a_stop_fixes_the_deadline_of_what_runs,
        a_fork_child_may_ask_for_the_deadline,
        a_beat_with_few_tasks_is_the_last,
        a_beat_with_few_tasks_after_one_with_many_is_the_last,
        tasks_that_come_fast_after_slow_ones_begin_the_beat,
        a_timeout_does_not_run_while_the_worker_is_idle,
        a_timeout_does_not_run_while_a_thread_is_replaced,
        NULL};
    const TTest *const off[] = {else_the_timeout_runs_from_the_start, NULL};
    const struct chapter chapters[] = {{"on the beat", on, setup, pool_teardown,
                                        0, 0},
                                       {"off the beat", off, setup,
                                        pool_teardown, 2, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("plain tasks: the beat", chapters);
}
