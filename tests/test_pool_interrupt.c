/* SPDX-License-Identifier: MIT */
/* test_pool_interrupt.c - signals that end the blocking calls of attempts. */
#include <weir/pool.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "pools.h"
#include "suite.h"

static const int64_t timeout_ns = WEIR_SECONDS(5);

static int interrupt; /* the signal */
static struct tally counting = TALLY_INIT, signals = TALLY_INIT;

static void setup(void)
{
    pool_setup();
    interrupt = SIGRTMIN + 5;
    options.timeout_ns = timeout_ns;
    options.interrupt_signal = interrupt;
}

/* ------------------------------------------------------------- the counting */

/* From now on signals to this thread wait to be taken: none is lost. */
static void hold_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, interrupt);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

static bool take_signal(void)
{
    const struct timespec at_once = {0, 0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, interrupt);
    if (sigtimedwait(&set, NULL, &at_once) != interrupt)
        return false;
    tally_add(&signals, 1);
    return true;
}

/* Takes signals until it may end. */
static int act_count(weir_task *task, struct job *job)
{
    (void)task;
    hold_signals();
    tally_add(&counting, 1);
    while (!gate_is_open(&job->finish))
        if (!take_signal())
            sched_yield();
    while (take_signal())
        continue;
    return 0;
}

/* Begins to count before anything is sent. */
static struct job *start_counting(void)
{
    uint64_t before = tally_read(&counting);
    struct job *job = start_new(act_count);

    await_count(&counting, before + 1);
    return job;
}

/* ----------------------------------------------------------- blocking calls */

/* All of these would block for ever. */
static int block_in_read(void)
{
    int fds[2];
    char byte;
    int answer;

    ck_assert_int_eq(pipe(fds), 0);
    answer = (int)read(fds[0], &byte, 1);
    if (answer < 0 && errno == EINTR)
        answer = -2;
    close(fds[0]);
    close(fds[1]);
    return answer;
}

static int block_in_nanosleep(void)
{
    const struct timespec long_time = {100000, 0};

    return nanosleep(&long_time, NULL) < 0 && errno == EINTR ? -2 : 0;
}

static int block_in_sem_wait(void)
{
    sem_t never;

    ck_assert_int_eq(sem_init(&never, 0, 0), 0);
    return sem_wait(&never) < 0 && errno == EINTR ? -2 : 0;
}

static int block_in_poll(void)
{
    return poll(NULL, 0, -1) < 0 && errno == EINTR ? -2 : 0;
}

static int (*const blocks[])(void) = {block_in_read, block_in_nanosleep,
                                      block_in_sem_wait, block_in_poll};
enum { BLOCKS = sizeof(blocks) / sizeof(blocks[0]) };

static struct tally interrupted = TALLY_INIT;

static int act_block(weir_task *task, struct job *job)
{
    (void)task;
    ck_assert_int_eq(blocks[job->code](), -2);
    tally_add(&interrupted, 1);
    return 0;
}

/* The first signal may come before the call: one of the others does not. */
static void let_repeats_come_until(struct tally *tally, uint64_t count)
{
    while (tally_read(tally) < count) {
        test_clock_advance(WEIR_MS(1));
        sched_yield();
    }
}

START_TEST(a_blocking_call_returns_at_the_deadline)
{
    struct job *job = new_job(act_block), *next;

    job->code = _i;
    open_pool();
    must_submit(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    let_repeats_come_until(&interrupted, 1);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    await_released(job);
    next = start_new(act_answer);
    await_released(next);
    ck_assert_int_eq(next->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert(pthread_equal(next->ran_on, job->ran_on));
}
END_TEST

/* Of a plain task nobody hears but the ledger. */
START_TEST(a_blocking_call_of_a_plain_task_returns_too)
{
    struct job *job = new_job(act_block);

    options.on_settled = NULL;
    options.on_release = NULL;
    job->code = _i;
    open_pool();
    must_submit(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    let_repeats_come_until(&interrupted, 1);
    settle_all();
    ck_assert_uint_eq(ledger_now().timed_out, 1);
    ck_assert_uint_eq(ledger_now().late, 1);
}
END_TEST

/* -------------------------------------------------------- when it is sent */

START_TEST(the_signal_comes_at_the_deadline_and_again_after_1_2_4_to_100_ms)
{
    static const int64_t apart_ms[] = {1, 2, 4, 8, 16, 32, 64, 100, 100, 100};
    struct job *job;
    uint64_t count = 1;
    int64_t at_ns;

    open_pool();
    job = start_counting();
    at_ns = job->deadline.at_ns;
    advance_to_just_before(at_ns);
    rouse_timekeeper(at_ns);
    ck_assert_uint_eq(tally_read(&signals), 0);
    test_clock_advance(1);
    await_count(&signals, 1);
    for (size_t i = 0; i < sizeof(apart_ms) / sizeof(apart_ms[0]); i++) {
        at_ns += WEIR_MS(apart_ms[i]);
        advance_to_just_before(at_ns);
        rouse_timekeeper(at_ns);
        ck_assert_uint_eq(tally_read(&signals), count);
        test_clock_advance(1);
        await_count(&signals, ++count);
    }
    finish_job(job);
}
END_TEST

/* Those that find no room in the system's queue are sent again. */
START_TEST(a_signal_that_cannot_be_sent_is_sent_the_next_time)
{
    struct rlimit limit, none;
    struct job *job;

    ck_assert_int_eq(getrlimit(RLIMIT_SIGPENDING, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    open_pool();
    job = start_counting();
    await_timekeeper(job->deadline.at_ns);
    ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &none), 0);
    test_clock_advance(timeout_ns);
    await_timekeeper(job->deadline.at_ns + WEIR_MS(1));
    ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
    ck_assert_uint_eq(tally_read(&signals), 0);
    test_clock_advance(WEIR_MS(1));
    await_count(&signals, 1);
    finish_job(job);
}
END_TEST

START_TEST(a_cancel_sends_the_signal_at_once)
{
    struct job *job = new_job(act_count);
    weir_future *future;

    open_pool();
    future = submit_for(job);
    await_count(&counting, 1);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    await_count(&signals, 1);
    await_timekeeper(test_clock_now() + WEIR_MS(1));
    test_clock_advance(WEIR_MS(1));
    await_count(&signals, 2);
    weir_future_release(future);
    finish_job(job);
}
END_TEST

START_TEST(a_stop_now_sends_the_signal_at_once)
{
    struct call stop = {.how = WEIR_STOP_NOW};
    struct job *job;

    open_pool();
    job = start_counting();
    block_call(&stop, act_stop);
    await_count(&signals, 1);
    assert_unsettled(job);
    gate_open(&job->finish);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

/* Of those that ask, each has its own signal; the repeats are one sequence. */
START_TEST(an_attempt_that_is_asked_again_is_not_hit_twice_as_often)
{
    struct job *job;
    int64_t at_ns;

    open_pool();
    job = start_counting();
    at_ns = job->deadline.at_ns;
    advance_to(at_ns);
    await_count(&signals, 1);
    await_timekeeper(at_ns + WEIR_MS(1));
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    advance_to(at_ns + WEIR_MS(1));
    await_timekeeper(at_ns + WEIR_MS(3));
    finish_job(job);
    ck_assert_uint_eq(tally_read(&signals), 2);
}
END_TEST

START_TEST(an_abandoned_attempt_goes_on_being_interrupted)
{
    struct job *job;

    options.grace_ns = WEIR_SECONDS(3);
    open_pool();
    job = start_counting();
    advance_to(job->deadline.at_ns);
    while (ledger_now().abandoned == 0) {
        test_clock_advance(WEIR_MS(100));
        sched_yield();
    }
    let_repeats_come_until(&signals, tally_read(&signals) + 2);
    finish_job(job);
}
END_TEST

static int act_block_at_first(weir_task *task, struct job *job)
{
    if (weir_task_attempt(task) == 1)
        return act_block(task, job);
    act_count(task, job);
    return 0;
}

START_TEST(a_retried_attempt_is_interrupted_and_the_next_is_not)
{
    struct job *job = new_job(act_block_at_first);

    options.retry = &policy;
    policy.base_ns = 1;
    policy.patience_ns = WEIR_SECONDS(3);
    open_pool();
    must_submit(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    let_repeats_come_until(&interrupted, 1);
    let_repeats_come_until(&counting, 1);
    test_clock_advance(WEIR_SECONDS(1));
    await_timekeeper(job->deadline.at_ns);
    ck_assert_uint_eq(tally_read(&signals), 0);
    finish_job(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.attempts, 2);
}
END_TEST

/* ------------------------------------------------------ who is never hit */

static struct gate holding = GATE_INIT, let_go = GATE_INIT;

/* Counts what is sent to this thread while the test lets time pass. */
static void count_for_a_while(void *arg)
{
    (void)arg;
    hold_signals();
    gate_open(&holding);
    gate_wait(&let_go);
    while (take_signal())
        continue;
}

static int act_end_when_asked(weir_task *task, struct job *job)
{
    if (job->arg)
        ck_assert_int_eq(weir_task_defer(task, count_for_a_while, NULL),
                         WEIR_OK);
    while (!weir_task_cancelled(task))
        sched_yield();
    if (job->code == 1)
        weir_task_raise(task, 1, "asked");
    if (job->code == 2)
        pthread_exit(NULL);
    return 0;
}

/* Another's deadline, a second later, shows that the timekeeper has been
 * through all that lies before. */
static void let_a_second_pass(struct job *other)
{
    gate_wait(&holding);
    advance_to(other->deadline.at_ns);
    while (!weir_task_cancelled(other->task))
        sched_yield();
    gate_open(&let_go);
    finish_job(other);
}

/* _i: how the handler ends. */
START_TEST(no_signal_hits_a_clean_up)
{
    struct job *job = new_job(act_end_when_asked), *other;

    job->code = _i;
    job->arg = job;
    open_pool_of(2);
    must_submit(job);
    await_start(job);
    test_clock_advance(WEIR_SECONDS(1));
    other = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    gate_wait(&holding);
    test_clock_advance(WEIR_MS(1)); /* a repeat, and the last */
    test_clock_await_waiter(other->deadline.at_ns);
    let_a_second_pass(other);
    await_released(job);
    ck_assert_uint_eq(tally_read(&signals), 0);
}
END_TEST

static struct job *settles_slowly;

static void
settle_and_count(void *arg, const void *item, const weir_outcome *outcome)
{
    if (item == settles_slowly) {
        ck_assert(pthread_equal(pthread_self(), settles_slowly->ran_on));
        count_for_a_while(NULL);
    }
    note_settled(arg, item, outcome);
}

START_TEST(no_signal_hits_a_callback)
{
    struct call stop = {.how = WEIR_STOP_NOW};
    struct job *other;

    options.on_settled = settle_and_count;
    open_pool_of(2);
    settles_slowly = start_new(act_end_when_asked);
    test_clock_advance(WEIR_SECONDS(1));
    other = start_new(act_wait);
    block_call(&stop, act_stop);
    let_a_second_pass(other);
    ck_assert_int_eq(end_call(&stop), WEIR_OK);
    ck_assert_int_eq(settles_slowly->outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(tally_read(&signals), 0);
    options.on_settled = note_settled;
}
END_TEST

static int act_leave_signals(weir_task *task, struct job *job)
{
    (void)task;
    hold_signals();
    tally_add(&counting, 1);
    gate_wait(&job->finish);
    return 0;
}

/* Finds the signal let through, and none of those on its way. */
static int act_look_for_signals(weir_task *task, struct job *job)
{
    sigset_t set;

    (void)task;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    job->code = sigismember(&set, interrupt);
    hold_signals();
    while (take_signal())
        continue;
    return 0;
}

START_TEST(signals_that_a_handler_held_back_are_gone_before_the_next)
{
    struct job *held, *next;
    int64_t at_ns;

    open_pool();
    held = start_new(act_leave_signals);
    await_count(&counting, 1);
    at_ns = held->deadline.at_ns;
    advance_to(at_ns);
    advance_to(at_ns + WEIR_MS(1));
    advance_to(at_ns + WEIR_MS(3));
    await_timekeeper(at_ns + WEIR_MS(7));
    finish_job(held);
    next = start_new(act_look_for_signals);
    await_released(next);
    ck_assert_uint_eq(tally_read(&signals), 0);
    ck_assert_int_eq(next->code, 0);
}
END_TEST

/* What the handler has blocked is its own affair as long as nothing comes. */
START_TEST(a_block_stays_unless_the_attempt_was_asked)
{
    struct job *job, *next;

    open_pool();
    for (int round = 0; round < 2; round++) { /* what was, leaves nothing */
        job = start_new(act_leave_signals);
        finish_job(job);
        next = start_new(act_look_for_signals);
        await_released(next);
        ck_assert_int_eq(next->code, 1);
        job = start_new(act_wait);
        advance_to(job->deadline.at_ns);
        await_timekeeper(job->deadline.at_ns + WEIR_MS(1));
        finish_job(job);
        next = start_new(act_look_for_signals);
        await_released(next);
        ck_assert_int_eq(next->code, 0);
    }
}
END_TEST

START_TEST(no_repeat_is_left_for_the_next_attempt)
{
    struct job *job, *next;

    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_timekeeper(job->deadline.at_ns + WEIR_MS(1));
    finish_job(job);
    next = start_counting();
    test_clock_advance(WEIR_SECONDS(1));
    await_timekeeper(next->deadline.at_ns);
    ck_assert_uint_eq(tally_read(&signals), 0);
    finish_job(next);
    ck_assert_int_eq(next->outcome.kind, WEIR_OUTCOME_DONE);
}
END_TEST

/* _i: 1: listed tasks.  Each first one ends just when it is asked to; the
 * second one's calls must not notice. */
static struct tally hits = TALLY_INIT;

static int end_when_asked(weir_task *task, void *item)
{
    (void)item;
    while (!weir_task_cancelled(task))
        continue;
    return 0;
}

static int call_and_look(weir_task *task, void *item)
{
    const struct timespec short_time = {0, 20000};

    (void)item;
    if (nanosleep(&short_time, NULL) && !weir_task_cancelled(task))
        tally_add(&hits, 1);
    return 0;
}

static void
ignore_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    (void)outcome;
}

START_TEST(the_next_task_on_a_worker_never_sees_the_signal)
{
    weir_pool_options real = WEIR_POOL_OPTIONS_INIT;
    weir_pool *racing;

    real.workers = 1;
    real.timeout_ns = WEIR_US(100);
    real.interrupt_signal = SIGRTMIN + 5;
    real.on_settled = _i ? ignore_settled : NULL;
    ck_assert_int_eq(weir_pool_create(&racing, &real), WEIR_OK);
    for (int i = 0; i < 300; i++) {
        ck_assert_int_eq(weir_pool_submit(racing, end_when_asked, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
        ck_assert_int_eq(weir_pool_submit(racing, call_and_look, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
    }
    ck_assert_int_eq(weir_pool_join(racing, WEIR_FOREVER), WEIR_OK);
    ck_assert_uint_eq(tally_read(&hits), 0);
    weir_pool_destroy(racing);
}
END_TEST

static int act_sleep(weir_task *task, struct job *job)
{
    job->code = weir_task_sleep(task, WEIR_SECONDS(2)) == WEIR_OK ? 7 : 8;
    return job->code;
}

/* Only the cancel ends it, not a signal. */
START_TEST(a_signal_does_not_end_a_task_sleep)
{
    struct job *job;

    open_pool();
    job = start_new(act_sleep);
    test_clock_await_waiter(job->started_ns + WEIR_SECONDS(2));
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(pthread_kill(job->ran_on, interrupt), 0);
        sched_yield();
    }
    ck_assert_uint_eq(tally_read(&job->ended), 0);
    advance_to(job->started_ns + WEIR_SECONDS(2));
    await_released(job);
    ck_assert_int_eq(job->outcome.code, 7);
}
END_TEST

/* ------------------------------------------------------------------ masks */

static int blocked_at_settle = -1;

static void
look_and_settle(void *arg, const void *item, const weir_outcome *outcome)
{
    sigset_t set;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    blocked_at_settle = sigismember(&set, interrupt);
    note_settled(arg, item, outcome);
}

START_TEST(workers_alone_let_the_signal_through)
{
    struct job *job, *look;
    sigset_t before, after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    options.on_settled = look_and_settle;
    open_pool_of(2);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&after, interrupt),
                     sigismember(&before, interrupt));
    look = start_new(act_look_for_signals);
    await_released(look);
    ck_assert_int_eq(look->code, 0);
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    ck_assert_int_eq(blocked_at_settle, 1); /* on the notifier */
    finish_job(job);
    options.on_settled = note_settled;
}
END_TEST

/* A worker that ends is replaced by one that can be interrupted too. */
START_TEST(a_replaced_worker_can_be_interrupted)
{
    struct job *job = new_job(act_block);

    open_pool();
    assert_outcome(submit_new(act_exit), WEIR_OUTCOME_EXITED);
    must_submit(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    let_repeats_come_until(&interrupted, 1);
    await_released(job);
}
END_TEST

/* A late signal must stay harmless, and pools share. */
START_TEST(the_signals_handler_stays_and_serves_other_pools)
{
    struct sigaction action;

    open_pool();
    end_pool();
    ck_assert_int_eq(sigaction(interrupt, NULL, &action), 0);
    ck_assert(action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
    ck_assert_int_eq(action.sa_flags & SA_RESTART, 0);
    ck_assert_int_eq(raise(interrupt), 0);
    open_pool();
}
END_TEST

int main(void)
{
    const TTest *const calls[] = {a_blocking_call_returns_at_the_deadline,
                                  a_blocking_call_of_a_plain_task_returns_too,
                                  NULL};
    const TTest *const sending[] = {
        the_signal_comes_at_the_deadline_and_again_after_1_2_4_to_100_ms,
        a_signal_that_cannot_be_sent_is_sent_the_next_time,
        a_cancel_sends_the_signal_at_once,
        a_stop_now_sends_the_signal_at_once,
        an_attempt_that_is_asked_again_is_not_hit_twice_as_often,
        an_abandoned_attempt_goes_on_being_interrupted,
        a_retried_attempt_is_interrupted_and_the_next_is_not,
        NULL};
    const TTest *const ends[] = {no_signal_hits_a_clean_up, NULL};
    const TTest *const spared[] = {
        no_signal_hits_a_callback,
        signals_that_a_handler_held_back_are_gone_before_the_next,
        a_block_stays_unless_the_attempt_was_asked,
        no_repeat_is_left_for_the_next_attempt,
        a_signal_does_not_end_a_task_sleep,
        NULL};
    const TTest *const races[] = {
        the_next_task_on_a_worker_never_sees_the_signal, NULL};
    const TTest *const masks[] = {
        workers_alone_let_the_signal_through,
        a_replaced_worker_can_be_interrupted,
        the_signals_handler_stays_and_serves_other_pools, NULL};
    const struct chapter chapters[] = {
        {"blocking calls", calls, setup, pool_teardown, BLOCKS, 0},
        {"sending", sending, setup, pool_teardown, 0, 0},
        {"ways to end", ends, setup, pool_teardown, 3, 0},
        {"never hit", spared, setup, pool_teardown, 0, 0},
        {"races", races, NULL, NULL, 2, 0},
        {"masks", masks, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: interrupts", chapters);
}
