/* SPDX-License-Identifier: MIT */
/* test_process_life.c - how children begin and end. */
#include <weir.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "children.h"
#include "faults.h"
#include "gate.h"
#include "helper.h"
#include "suite.h"

/* ------------------------------------------------------------ the server */

START_TEST(to_start_again_changes_nothing)
{
    open_children();
    assert_serves();
    ck_assert_int_eq(weir_process_start(), WEIR_OK);
    assert_serves();
}
END_TEST

static void start_here(void *arg)
{
    *(weir_status *)arg = weir_process_start();
}

static void never_start(void)
{
}

START_TEST(it_has_to_be_started_before_there_are_threads)
{
    weir_status status = WEIR_OK;
    struct helper helper;

    helper_start(&helper, start_here, &status);
    helper_join(&helper);
    ck_assert_int_eq(status, WEIR_EINVAL);
    status = weir_process_start();
    ck_assert_msg(status == WEIR_OK, "%s", weir_last_error());
}
END_TEST

static int act_start_own(weir_task *task, struct deed *deed)
{
    weir_pool_options own = WEIR_POOL_OPTIONS_INIT;
    weir_pool *inner;

    (void)deed;
    own.workers = 1;
    own.isolation = WEIR_ISOLATE_PROCESS;
    if (weir_pool_create(&inner, &own) != WEIR_EINVAL)
        return weir_task_fail(task, 1, "a child has its parent's server");
    if (weir_process_start() || weir_pool_create(&inner, &own))
        return weir_task_fail(task, 2, "%s", weir_last_error());
    weir_pool_destroy(inner);
    return 0;
}

START_TEST(a_child_may_start_one_of_its_own)
{
    open_children();
    assert_kind((struct deed){act_start_own, 0, ""}, WEIR_OUTCOME_DONE, 0);
}
END_TEST

START_TEST(a_fork_has_none_until_it_starts_one)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        weir_pool *none;
        bool had = weir_pool_create(&none, &options) != WEIR_EINVAL;

        _exit(had || weir_process_start() || weir_pool_create(&none, &options));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    open_children();
    assert_serves();
}
END_TEST

/* Its children and the tasks that run end with it. */
START_TEST(when_it_ends_nothing_hangs_and_all_say_so)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *none = NULL;
    weir_future *running, *queued;
    weir_outcome outcome;

    open_children();
    running = submit_deed((struct deed){act_overstay, 0, ""});
    queued = submit_deed((struct deed){act_nothing, 0, ""});
    await_sem(&board->begun);
    kill(atomic_load(&board->server), SIGKILL);
    outcome = outcome_of(running);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_int_eq(outcome.code, SIGKILL);
    ck_assert_ptr_nonnull(strstr(outcome.message, "fork server has ended"));
    outcome = outcome_of(queued);
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CRASHED);
    ck_assert_ptr_nonnull(strstr(outcome.message, "fork server has ended"));
    ck_assert_int_eq(weir_pool_submit_copy(pool, do_deed,
                                           &(struct deed){act_nothing, 0, ""},
                                           WEIR_FOREVER),
                     WEIR_ESYSTEM);
    assert_says("fork server has ended");
    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_ESYSTEM);
    ck_assert_int_eq(weir_process_start(), WEIR_ESYSTEM);
    weir_pool_read_stats(pool, &stats);
    ck_assert_uint_eq(stats.ledger.refused, 1);
    ck_assert_uint_eq(stats.ledger.crashed, 2);
    await_gone(atomic_load(&board->child));
}
END_TEST

struct refusal {
    weir_status status;
    bool came_back;
};

static void submit_while_cancelled(void *arg)
{
    struct refusal *refusal = arg;
    struct deed deed = {act_nothing, 0, ""};
    int before;

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    pthread_cancel(pthread_self());
    refusal->status = weir_pool_submit_copy(pool, do_deed, &deed, WEIR_FOREVER);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    refusal->came_back = true;
}

START_TEST(to_find_that_it_has_ended_is_no_cancellation_point)
{
    struct refusal refusal = {WEIR_OK, false};
    struct helper helper;

    open_children();
    assert_serves();
    kill(atomic_load(&board->server), SIGKILL);
    await_gone(atomic_load(&board->child));
    ck_assert_int_eq(outcome_of_deed((struct deed){act_nothing, 0, ""}).kind,
                     WEIR_OUTCOME_CRASHED);
    helper_start(&helper, submit_while_cancelled, &refusal);
    helper_join(&helper);
    ck_assert(refusal.came_back);
    ck_assert_int_eq(refusal.status, WEIR_ESYSTEM);
}
END_TEST

/* As what crashes least: it does not answer any more. */
START_TEST(one_that_stands_still_holds_up_no_end)
{
    weir_outcome outcome;

    options.timeout_ns = WEIR_MS(10);
    open_children();
    assert_serves();
    stop_process(atomic_load(&board->server));
    outcome = outcome_of_deed((struct deed){act_overstay, 0, ""});
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW), WEIR_STUCK);
    kill(atomic_load(&board->server), SIGCONT);
}
END_TEST

/* ------------------------------------------------------------ children */

START_TEST(one_that_dies_idle_is_replaced_before_the_next_task)
{
    int child;

    options.workers = 2;
    open_children();
    for (int i = 0; i < 30; i++) {
        assert_serves();
        child = atomic_load(&board->child);
        ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
        kill(child, SIGKILL);
        await_gone(child);
        for (int k = 0; k < 4; k++)
            assert_serves();
    }
}
END_TEST

static void await_running(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    do {
        sched_yield();
        weir_pool_read_stats(pool, &stats);
    } while (stats.ledger.running == 0);
}

START_TEST(a_task_that_its_child_has_not_read_is_run_by_another)
{
    open_children();
    for (int i = 0; i < 20; i++) {
        weir_future *future;
        weir_outcome outcome;
        int child;

        assert_serves();
        ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
        child = atomic_load(&board->child);
        stop_process(child);
        future = submit_deed((struct deed){act_nothing, 0, ""});
        await_running();
        if (i % 2) /* and has had time to be sent */
            for (int k = 0; k < 1000; k++)
                sched_yield();
        kill(child, SIGKILL);
        outcome = outcome_of(future);
        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
        ck_assert_uint_eq(outcome.attempts, 1);
    }
}
END_TEST

/* Its last act may be to take the task. */
START_TEST(one_that_dies_as_a_task_comes_is_replaced)
{
    int crashed = 0;

    open_children();
    for (int i = 0; i < 200; i++) {
        weir_outcome outcome;

        assert_serves();
        ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
        kill(atomic_load(&board->child), SIGKILL);
        outcome = outcome_of_deed((struct deed){act_nothing, 0, ""});
        if (outcome.kind == WEIR_OUTCOME_CRASHED)
            crashed++;
        else
            ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    }
    ck_assert_int_lt(crashed, 200);
}
END_TEST

START_TEST(after_so_many_tasks_a_fresh_child_takes_its_place)
{
    int last = 0, changes = 0;

    children.recycle_after = 3;
    open_children();
    for (int i = 0; i < 12; i++) {
        assert_serves();
        changes += atomic_load(&board->child) != last;
        last = atomic_load(&board->child);
    }
    ck_assert_int_eq(changes, 4);
}
END_TEST

static struct gate enough = GATE_INIT;

static void submit_until_told(void *unused)
{
    (void)unused;
    while (!gate_is_open(&enough))
        if (weir_pool_submit_copy(pool, do_deed,
                                  &(struct deed){act_nothing, 0, ""},
                                  WEIR_FOREVER))
            return;
}

START_TEST(a_resize_does_not_wait_for_children_that_are_renewed)
{
    struct helper helper;

    children.recycle_after = 1;
    open_children();
    helper_start(&helper, submit_until_told, NULL);
    ck_assert_int_eq(weir_pool_resize(pool, 8), WEIR_OK);
    ck_assert_int_eq(weir_pool_resize(pool, 12), WEIR_OK);
    gate_open(&enough);
    helper_join(&helper);
}
END_TEST

static int act_write_later(weir_task *task, struct deed *deed)
{
    FILE *file = fopen(deed->text, "we");

    (void)task;
    return !file || fputs("all of it", file) < 0; /* and does not close it */
}

/* Copies of this process have its ends of all lines. */
START_TEST(a_retired_child_ends_in_good_order_whoever_has_forked)
{
    struct deed deed = {act_write_later, 0, "/tmp/weir-test-XXXXXX"};
    int file = mkstemp(deed.text);
    char text[16] = "";
    pid_t copy;

    ck_assert_int_ge(file, 0);
    open_children();
    copy = fork();
    if (copy == 0)
        for (;;)
            pause();
    assert_kind(deed, WEIR_OUTCOME_DONE, 0);
    end_children();
    ck_assert_int_eq(read(file, text, sizeof(text)), 9);
    close(file);
    unlink(deed.text);
    kill(copy, SIGKILL);
    waitpid(copy, NULL, 0);
}
END_TEST

static void *end_at_start(const void *data, size_t data_size, uint32_t worker)
{
    (void)data;
    (void)data_size;
    (void)worker;
    if (atomic_fetch_add(&board->count, 1) >= atomic_load(&board->marks[0]))
        exit(7);
    return NULL;
}

START_TEST(a_child_start_that_ends_its_process_fails_the_create)
{
    weir_pool *none = NULL;

    children.child_start = end_at_start;
    options.workers = 3;
    atomic_store(&board->marks[0], _i); /* so many start */
    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, ECHILD);
    assert_says("exited with status 7");
    ck_assert_ptr_null(none);
}
END_TEST

static int act_exit(weir_task *task, struct deed *deed)
{
    (void)task;
    exit((int)deed->n);
}

static void *
end_at_second_start(const void *data, size_t data_size, uint32_t worker)
{
    (void)data;
    (void)data_size;
    (void)worker;
    if (atomic_fetch_add(&board->count, 1) == 1)
        exit(7);
    return NULL;
}

START_TEST(one_that_fails_later_is_tried_again)
{
    children.child_start = end_at_second_start;
    open_children();
    assert_kind((struct deed){act_exit, 3, ""}, WEIR_OUTCOME_EXITED, 3);
    assert_serves();
    ck_assert_int_eq(atomic_load(&board->count), 3);
}
END_TEST

static void *stand_still(const void *data, size_t data_size, uint32_t worker)
{
    (void)data;
    (void)data_size;
    (void)worker;
    if (atomic_fetch_add(&board->count, 1) == 1) {
        sem_post(&board->begun);
        for (;;)
            pause();
    }
    return NULL;
}

START_TEST(one_that_never_comes_up_does_not_hold_up_the_end)
{
    children.child_start = stand_still;
    open_children();
    assert_kind((struct deed){act_exit, 3, ""}, WEIR_OUTCOME_EXITED, 3);
    await_sem(&board->begun);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_NOW),
                     WEIR_TIMED_OUT);
    end_children();
}
END_TEST

START_TEST(nor_does_one_that_a_stop_just_misses)
{
    children.child_start = stand_still;
    for (int i = 0; i < 40; i++) {
        atomic_store(&board->count, 0);
        open_children();
        assert_kind((struct deed){act_exit, 3, ""}, WEIR_OUTCOME_EXITED, 3);
        for (int k = 0; k < i * 5; k++)
            sched_yield();
        end_children();
    }
}
END_TEST

static weir_status try_create(void *arg)
{
    (void)arg;
    return weir_pool_create(&pool, &options);
}

START_TEST(whatever_create_lacks_it_leaves_nothing_behind)
{
    options.workers = 3;
    ck_assert_uint_ge(fault_sweep(try_create, NULL, WEIR_OK), 3 * 5);
    assert_serves();
}
END_TEST

/* What this process passes on its way to the server's own first point. */
enum { POINTS_BEFORE = 3 };

/* The server inherits what was armed: its n-th allocation or fork fails, or
 * what a child allocates. */
START_TEST(whichever_fork_fails_nothing_is_lost)
{
    int failed = 0;

    weir__fault_arm((uint64_t)(POINTS_BEFORE + 1 + _i));
    children_setup();
    weir__fault_arm(0);
    options.workers = 2;
    while (weir_pool_create(&pool, &options)) {
        ck_assert_int_eq(errno == EAGAIN || errno == ENOMEM || errno == ECHILD,
                         1);
        assert_says("child process did not start");
        failed++;
    }
    ck_assert_int_le(failed, 2); /* a child counts on from its copy */
    for (int i = 0; i < 6; i++) {
        assert_kind((struct deed){act_exit, 3, ""}, WEIR_OUTCOME_EXITED, 3);
        assert_serves();
    }
    children_teardown();
}
END_TEST

/* With as few descriptors as there may be. */
START_TEST(without_descriptors_create_says_so)
{
    struct rlimit all, few;
    int found = 0;

    options.workers = 4;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    for (rlim_t most = 3; most < 64 && !pool; most++) {
        weir_status status;

        few.rlim_cur = most;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        status = weir_pool_create(&pool, &options);
        found += status == WEIR_ESYSTEM;
        if (status) {
            ck_assert_int_eq(status, WEIR_ESYSTEM);
            ck_assert_int_eq(errno, EMFILE);
            assert_says("escriptors");
        }
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
    ck_assert_int_gt(found, 8);
    assert_serves();
}
END_TEST

/* ------------------------------------------------------------ the end */

START_TEST(a_drain_runs_all_that_was_accepted)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    options.workers = 2;
    open_children();
    for (int i = 0; i < 200; i++)
        weir_future_release(submit_deed((struct deed){act_nothing, 0, ""}));
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert_uint_eq(stats.ledger.done, 200);
}
END_TEST

START_TEST(what_a_stop_kills_is_cancelled_not_crashed)
{
    weir_future *future;

    options.grace_ns = _i == 0 ? 0 : WEIR_MS(5);
    open_children();
    future = submit_deed((struct deed){act_overstay, 0, ""});
    await_sem(&board->begun);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(outcome_of(future).kind, WEIR_OUTCOME_CANCELLED);
    await_gone(atomic_load(&board->child));
}
END_TEST

START_TEST(a_destroy_waits_for_no_grace)
{
    weir_future *future;

    options.grace_ns = WEIR_SECONDS(3600);
    open_children();
    future = submit_deed((struct deed){act_overstay, 0, ""});
    await_sem(&board->begun);
    weir_pool_destroy(pool);
    pool = NULL;
    ck_assert_int_eq(outcome_of(future).kind, WEIR_OUTCOME_CANCELLED);
    await_gone(atomic_load(&board->child));
}
END_TEST

START_TEST(workers_come_and_go_with_their_children)
{
    open_children();
    ck_assert_int_eq(weir_pool_resize(pool, 4), WEIR_OK);
    for (int i = 0; i < 4; i++)
        weir_future_release(submit_deed((struct deed){act_await_go, 0, ""}));
    for (int i = 0; i < 4; i++)
        await_sem(&board->begun);
    for (int i = 0; i < 4; i++)
        sem_post(&board->go);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(weir_pool_resize(pool, 1), WEIR_OK);
    assert_serves();
}
END_TEST

/* ------------------------------------------------------- odd programs */

static int act_talk(weir_task *task, struct deed *deed)
{
    (void)deed;
    sem_post(&board->begun);
    while (sem_wait(&board->go))
        continue;
    return weir_task_cancelled(task);
}

/* Whoever writes to standard output writes to nothing of ours. */
static int talk_without_output(void)
{
    weir_future *future;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    ssize_t written;

    for (int fd = 0; fd < 3; fd++)
        close(fd);
    children_setup();
    open_children();
    future = submit_deed((struct deed){act_talk, 0, ""});
    await_sem(&board->begun);
    for (int fd = 0; fd < 3; fd++)
        written = write(fd, "12345678", 8);
    (void)written;
    sem_post(&board->go);
    if (weir_future_wait(future, &outcome, WEIR_FOREVER))
        return 2;
    weir_future_release(future);
    end_children();
    return outcome.kind != WEIR_OUTCOME_DONE;
}

/* The children have the rights of the program's start. */
static int drop_rights(void)
{
    children_setup();
    options.timeout_ns = WEIR_MS(10);
    open_children();
    if (setresuid(65534, 65534, 65534))
        return 3;
    assert_kind((struct deed){act_overstay, 0, ""}, WEIR_OUTCOME_TIMED_OUT, 0);
    assert_serves();
    end_children();
    return 0;
}

static int (*const odd_programs[])(void) = {talk_without_output, drop_rights};

START_TEST(odd_programs_have_what_they_need)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(odd_programs[_i]());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ------------------------------------------------------------ descriptors */

/* A child has no descriptor of the pool's: it was forked before. */
START_TEST(who_polls_hears_of_what_children_did)
{
    struct pollfd polled = {.events = POLLIN};
    weir_future *future;

    open_children();
    polled.fd = weir_pool_fd(pool);
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
    future = submit_deed((struct deed){act_nothing, 0, ""});
    ck_assert_int_eq(poll(&polled, 1, 10000 * test_slowness()), 1);
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    ck_assert_int_eq(outcome_of(future).kind, WEIR_OUTCOME_DONE);
}
END_TEST

int main(void)
{
    const TTest *const servers[] = {
        to_start_again_changes_nothing,
        a_child_may_start_one_of_its_own,
        a_fork_has_none_until_it_starts_one,
        when_it_ends_nothing_hangs_and_all_say_so,
        one_that_stands_still_holds_up_no_end,
        to_find_that_it_has_ended_is_no_cancellation_point,
        NULL};
    const TTest *const before[] = {
        it_has_to_be_started_before_there_are_threads, NULL};
    const TTest *const idle[] = {
        one_that_dies_idle_is_replaced_before_the_next_task,
        one_that_dies_as_a_task_comes_is_replaced,
        a_task_that_its_child_has_not_read_is_run_by_another, NULL};
    const TTest *const starts[] = {
        a_child_start_that_ends_its_process_fails_the_create, NULL};
    const TTest *const lives[] = {
        after_so_many_tasks_a_fresh_child_takes_its_place,
        one_that_fails_later_is_tried_again,
        one_that_never_comes_up_does_not_hold_up_the_end,
        nor_does_one_that_a_stop_just_misses,
        a_resize_does_not_wait_for_children_that_are_renewed,
        a_retired_child_ends_in_good_order_whoever_has_forked,
        whatever_create_lacks_it_leaves_nothing_behind,
        without_descriptors_create_says_so,
        who_polls_hears_of_what_children_did,
        NULL};
    const TTest *const forks[] = {whichever_fork_fails_nothing_is_lost, NULL};
    const TTest *const ends[] = {a_drain_runs_all_that_was_accepted,
                                 a_destroy_waits_for_no_grace,
                                 workers_come_and_go_with_their_children, NULL};
    const TTest *const odd[] = {odd_programs_have_what_they_need, NULL};
    const TTest *const stops[] = {what_a_stop_kills_is_cancelled_not_crashed,
                                  NULL};
    const struct chapter chapters[] = {
        {"servers", servers, children_setup, children_teardown, 0, 0},
        {"before", before, never_start, never_start, 0, 0},
        {"idle", idle, children_setup, children_teardown, 0, 0},
        {"starts", starts, children_setup, children_teardown, 3, 0},
        {"lives", lives, children_setup, children_teardown, 0, 0},
        {"forks", forks, never_start, never_start, 16, 0},
        {"ends", ends, children_setup, children_teardown, 0, 0},
        {"odd", odd, never_start, never_start, getuid() == 0 ? 2 : 1, 0},
        {"stops", stops, children_setup, children_teardown, 2, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: lives", chapters);
}
