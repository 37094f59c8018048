/* SPDX-License-Identifier: MIT */
/* test_process.c - what handlers can do in a child process. */
#include <weir.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "suite.h"

/* ------------------------------------------------------- what comes back */

static int act_answer(weir_task *task, struct deed *deed)
{
    (void)task;
    return (int)deed->n;
}

START_TEST(what_a_handler_returns_comes_back)
{
    open_children();
    assert_kind((struct deed){act_answer, 0, ""}, WEIR_OUTCOME_DONE, 0);
    assert_kind((struct deed){act_answer, 5, ""}, WEIR_OUTCOME_FAILED, 5);
    assert_kind((struct deed){act_answer, -1, ""}, WEIR_OUTCOME_FAILED, -1);
    ck_assert_int_ne(atomic_load(&board->child), getpid());
}
END_TEST

static int act_fail(weir_task *task, struct deed *deed)
{
    return weir_task_fail(task, 0, "%s and %d", deed->text, (int)deed->n);
}

START_TEST(messages_cross)
{
    weir_outcome outcome;

    open_children();
    outcome = outcome_of_deed((struct deed){act_fail, 7, "item"});
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert_str_eq(outcome.message, "item and 7");
}
END_TEST

static int act_fail_at_length(weir_task *task, struct deed *deed)
{
    char text[400];

    (void)deed;
    memset(text, 'x', sizeof(text));
    return weir_task_fail(task, 1, "%.*s", (int)sizeof(text), text);
}

START_TEST(a_long_message_is_cut_as_on_a_thread)
{
    weir_outcome outcome;

    open_children();
    outcome = outcome_of_deed((struct deed){act_fail_at_length, 0, ""});
    ck_assert_uint_eq(strlen(outcome.message), 255);
}
END_TEST

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 7 + i / 251);
}

/* 16 bits: neither too large for one message, nor a multiple of a part. */
static int act_give_result(weir_task *task, struct deed *deed)
{
    size_t size = (size_t)deed->n;
    unsigned char *bytes = malloc(size + 1);
    weir_status status;

    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern(i);
    status = weir_task_result(task, bytes, size);
    free(bytes);
    return status == WEIR_OK ? 0 : 99;
}

START_TEST(results_of_any_size_cross)
{
    static const size_t sizes[] = {0,     1,     64,    32767, 32768,
                                   32769, 65536, 65537, 300001};

    options.max_result = 300001;
    open_children();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        weir_outcome outcome = outcome_of_deed(
            (struct deed){act_give_result, (int64_t)sizes[i], ""});
        const unsigned char *bytes = outcome.result;

        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
        ck_assert_uint_eq(outcome.result_size, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            ck_assert_uint_eq(bytes[k], pattern(k));
    }
    assert_kind((struct deed){act_give_result, 300002, ""}, WEIR_OUTCOME_FAILED,
                99);
}
END_TEST

static void mark(void *arg)
{
    atomic_store((atomic_int *)arg, atomic_fetch_add(&board->count, 1) + 1);
}

static int act_raise(weir_task *task, struct deed *deed)
{
    if (weir_task_defer(task, mark, &board->marks[0]) ||
        weir_task_defer(task, mark, &board->marks[1]))
        return 99;
    if (deed->n == 1)
        pthread_exit(NULL);
    weir_task_raise(task, 8, "from %s", "below");
}

START_TEST(a_raise_runs_clean_ups_there)
{
    weir_outcome outcome;

    open_children();
    outcome = outcome_of_deed((struct deed){act_raise, 0, ""});
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_FAILED);
    ck_assert_int_eq(outcome.code, 8);
    ck_assert_str_eq(outcome.message, "from below");
    ck_assert_int_eq(atomic_load(&board->marks[1]), 1);
    ck_assert_int_eq(atomic_load(&board->marks[0]), 2);
}
END_TEST

START_TEST(a_handler_that_ends_its_thread_ends_its_child_with_clean_ups)
{
    open_children();
    assert_kind((struct deed){act_raise, 1, ""}, WEIR_OUTCOME_EXITED, 0);
    ck_assert_int_eq(atomic_load(&board->marks[1]), 1);
    ck_assert_int_eq(atomic_load(&board->marks[0]), 2);
    assert_serves();
}
END_TEST

static int act_cancel_itself(weir_task *task, struct deed *deed)
{
    (void)task;
    (void)deed;
    pthread_cancel(pthread_self());
    return 0;
}

START_TEST(a_handler_that_cancels_its_thread_has_exited)
{
    open_children();
    assert_kind((struct deed){act_cancel_itself, 0, ""}, WEIR_OUTCOME_EXITED,
                0);
    assert_serves();
}
END_TEST

/* ------------------------------------------------------- what it can see */

struct seen {
    uint64_t id;
    uint32_t attempt, worker;
    weir_deadline deadline;
    bool is_current, has_context;
};

static int act_look(weir_task *task, struct deed *deed)
{
    struct seen seen = {.id = weir_task_id(task),
                        .attempt = weir_task_attempt(task),
                        .worker = weir_task_worker(task),
                        .deadline = weir_task_deadline(task),
                        .is_current = weir_task_current() == task,
                        .has_context = weir_task_context(task) != NULL};

    return weir_task_result(task, &seen, sizeof(seen)) ||
           seen.attempt < (uint32_t)deed->n;
}

START_TEST(a_task_knows_itself_there_too)
{
    weir_retry retry = WEIR_RETRY_INIT;
    weir_outcome outcome;
    struct seen seen;
    int64_t before_ns = weir_deadline_after(1).at_ns;

    retry.max_attempts = 3;
    retry.base_ns = 1;
    options.retry = &retry;
    options.timeout_ns = WEIR_SECONDS(60);
    open_children();
    outcome = outcome_of_deed((struct deed){act_look, 3, ""});
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(outcome.attempts, 3);
    memcpy(&seen, outcome.result, sizeof(seen));
    ck_assert_uint_eq(seen.id, outcome.task_id);
    ck_assert_uint_eq(seen.attempt, 3);
    ck_assert_uint_eq(seen.worker, 0);
    ck_assert_int_gt(seen.deadline.at_ns, before_ns + WEIR_SECONDS(59));
    ck_assert_int_lt(seen.deadline.at_ns,
                     weir_deadline_after(WEIR_SECONDS(61)).at_ns);
    ck_assert(seen.is_current);
    ck_assert(!seen.has_context);
}
END_TEST

struct tool {
    int number;
    uint32_t worker;
};
static struct tool tool = {41, 77}; /* in each child one of its own */

static void *start_with(const void *data, size_t data_size, uint32_t worker)
{
    int more;

    if (data_size != sizeof(more))
        exit(3);
    memcpy(&more, data, sizeof(more));
    tool.number += more;
    tool.worker = worker;
    return &tool;
}

static int act_use_context(weir_task *task, struct deed *deed)
{
    struct tool *own = weir_task_context(task);

    (void)deed;
    if (own->worker != weir_task_worker(task))
        return -1;
    return own->number++;
}

START_TEST(the_context_is_what_child_start_returned_and_lives_on_in_the_child)
{
    int more = 1;

    children.child_start = start_with;
    children.start_data = &more;
    children.start_data_size = sizeof(more);
    open_children();
    more = 1000; /* it was copied */
    assert_kind((struct deed){act_use_context, 0, ""}, WEIR_OUTCOME_FAILED, 42);
    assert_kind((struct deed){act_use_context, 0, ""}, WEIR_OUTCOME_FAILED, 43);
    ck_assert_int_eq(tool.number, 41);
}
END_TEST

static int act_change_item(weir_task *task, struct deed *deed)
{
    (void)task;
    strcpy(deed->text, "changed");
    return 0;
}

static void note_item(void *arg, const void *item, const weir_outcome *outcome)
{
    const struct deed *deed = item;

    (void)outcome;
    snprintf(arg, sizeof(deed->text), "%s", deed->text);
}

START_TEST(what_a_handler_writes_to_its_item_stays_there)
{
    char text[48] = "";

    options.on_settled = note_item;
    options.on_settled_arg = text;
    open_children();
    assert_kind((struct deed){act_change_item, 0, "as it was"},
                WEIR_OUTCOME_DONE, 0);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_str_eq(text, "as it was");
}
END_TEST

static int get_null(weir_task *task, void *item)
{
    return item == NULL ? weir_task_fail(task, 4, "nothing") : 0;
}

START_TEST(a_task_may_have_no_item)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    open_children();
    ck_assert_int_eq(weir_pool_submit(pool, get_null, NULL, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert_uint_eq(stats.ledger.failed, 1);
}
END_TEST

static int act_read_input(weir_task *task, struct deed *deed)
{
    char byte;

    (void)task;
    (void)deed;
    for (int fd = 3; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
            return fd;
    return (int)read(0, &byte, 1);
}

START_TEST(a_child_has_no_input_and_nothing_that_a_program_it_runs_inherits)
{
    int mine = dup(1);

    open_children();
    assert_kind((struct deed){act_read_input, 0, ""}, WEIR_OUTCOME_DONE, 0);
    close(mine);
}
END_TEST

/* ------------------------------------------------------- asked to stop */

static int act_sleep(weir_task *task, struct deed *deed)
{
    weir_status status;

    sem_post(&board->begun);
    status = weir_task_sleep(task, deed->n);
    atomic_store(&board->count, (int)status);
    return weir_task_cancelled(task) ? 3 : 0;
}

static int act_poll(weir_task *task, struct deed *deed)
{
    struct pollfd cancel = {.fd = weir_task_cancel_fd(task), .events = POLLIN};

    (void)deed;
    sem_post(&board->begun);
    while (poll(&cancel, 1, -1) < 0 && errno == EINTR)
        continue;
    return weir_task_cancelled(task) ? 3 : 0;
}

/* The signal is let through by the call alone, so that it cannot come before.
 */
static int act_block(weir_task *task, struct deed *deed)
{
    sigset_t term, before;
    int answer;

    (void)deed;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    sem_post(&board->begun);
    answer = sigsuspend(&before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return answer < 0 && weir_task_cancelled(task) ? 3 : 0;
}

static void let_go(void *arg)
{
    sem_post(arg);
}

static int act_have_action(weir_task *task, struct deed *deed)
{
    (void)deed;
    if (weir_task_on_cancel(task, let_go, &board->go))
        return 99;
    sem_post(&board->begun);
    while (sem_wait(&board->go))
        continue;
    return weir_task_cancelled(task) ? 3 : 0;
}

static int (*const listeners[])(weir_task *,
                                struct deed *) = {act_sleep, act_poll,
                                                  act_block, act_have_action};

START_TEST(an_attempt_hears_that_it_is_to_stop_and_its_child_lives_on)
{
    struct deed deed = {listeners[_i], WEIR_SECONDS(3600), ""};
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    int child;

    options.grace_ns = WEIR_SECONDS(60);
    open_children();
    for (int i = 0; i < 3; i++) {
        weir_future *future = submit_deed(deed);

        await_sem(&board->begun);
        child = atomic_load(&board->child);
        ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
        ck_assert_int_eq(outcome_of(future).kind, WEIR_OUTCOME_CANCELLED);
        ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
        assert_serves(); /* nor does it hear what was said to another */
        assert_kind((struct deed){act_sleep, 1, ""}, WEIR_OUTCOME_DONE, 0);
        await_sem(&board->begun);
        ck_assert_int_eq(atomic_load(&board->child), child);
    }
    weir_pool_read_stats(pool, &stats);
    ck_assert_uint_eq(stats.ledger.late, 3);
    ck_assert_uint_eq(stats.ledger.cancelled, 3);
}
END_TEST

static int act_leave_a_signal(weir_task *task, struct deed *deed)
{
    sigset_t all;

    (void)task;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (deed->n == 1)
        signal(SIGTERM, SIG_IGN);
    else
        raise(SIGTERM);
    return 0;
}

static int act_look_for_it(weir_task *task, struct deed *deed)
{
    struct sigaction action;
    sigset_t mask;

    (void)deed;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGTERM, NULL, &action);
    return weir_task_cancelled(task) || sigismember(&mask, SIGTERM) ||
           sigismember(&mask, SIGUSR1) || action.sa_handler == SIG_IGN;
}

START_TEST(what_a_handler_makes_of_signals_ends_with_it)
{
    open_children();
    for (int i = 0; i < 2; i++) {
        assert_kind((struct deed){act_leave_a_signal, i, ""}, WEIR_OUTCOME_DONE,
                    0);
        assert_kind((struct deed){act_look_for_it, 0, ""}, WEIR_OUTCOME_DONE,
                    0);
    }
}
END_TEST

static bool has_begun_early(void)
{
    for (int i = 0; i < 20000; i++) {
        if (sem_trywait(&board->begun) == 0)
            return true;
        sched_yield();
    }
    return false;
}

/* The first one answers before it hears that it is to stop, since the server is
 * held; what it was to hear is not for the second. */
START_TEST(what_comes_late_for_one_attempt_does_not_reach_the_next)
{
    weir_future *first, *second;

    options.grace_ns = WEIR_SECONDS(60);
    open_children();
    first = submit_deed((struct deed){act_await_go, 0, ""});
    await_sem(&board->begun);
    stop_process(atomic_load(&board->server));
    ck_assert_int_eq(weir_future_cancel(first), WEIR_OK);
    second = submit_deed((struct deed){act_sleep, WEIR_MS(20), ""});
    sem_post(&board->go);
    if (has_begun_early())
        sem_post(&board->begun);
    kill(atomic_load(&board->server), SIGCONT);
    ck_assert_int_eq(outcome_of(first).kind, WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(outcome_of(second).kind, WEIR_OUTCOME_DONE);
    await_sem(&board->begun);
}
END_TEST

START_TEST(a_sleep_that_nobody_disturbs_is_long_enough)
{
    weir_outcome outcome;

    open_children();
    outcome = outcome_of_deed((struct deed){act_sleep, WEIR_MS(3), ""});
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_int_ge(outcome.ran_ns, WEIR_MS(3));
    ck_assert_int_eq(atomic_load(&board->count), WEIR_OK);
}
END_TEST

START_TEST(a_deadline_settles_and_then_kills)
{
    int child;

    options.timeout_ns = WEIR_MS(200);
    open_children();
    assert_kind((struct deed){act_overstay, 0, ""}, WEIR_OUTCOME_TIMED_OUT, 0);
    child = atomic_load(&board->child);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    await_gone(child);
    assert_serves();
}
END_TEST

START_TEST(a_child_that_does_not_listen_is_killed_after_the_grace)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    options.timeout_ns = WEIR_MS(200);
    options.grace_ns = WEIR_MS(5);
    open_children();
    assert_kind((struct deed){act_overstay, 0, ""}, WEIR_OUTCOME_TIMED_OUT, 0);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    await_gone(atomic_load(&board->child));
    assert_serves();
    weir_pool_read_stats(pool, &stats);
    ck_assert_uint_eq(stats.ledger.abandoned, 0);
    ck_assert(!stats.degraded);
}
END_TEST

/* The first attempt overstays. */
static int act_overstay_once(weir_task *task, struct deed *deed)
{
    return weir_task_attempt(task) == 1 ? act_overstay(task, deed) : 0;
}

START_TEST(a_killed_attempt_is_tried_again)
{
    weir_retry retry = WEIR_RETRY_INIT;
    weir_outcome outcome;

    retry.max_attempts = 2;
    retry.base_ns = 1;
    options.retry = &retry;
    options.timeout_ns = WEIR_MS(500);
    options.grace_ns = 1;
    open_children();
    outcome = outcome_of_deed((struct deed){act_overstay_once, 0, ""});
    ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(outcome.attempts, 2);
}
END_TEST

int main(void)
{
    const TTest *const answers[] = {
        what_a_handler_returns_comes_back,
        messages_cross,
        a_long_message_is_cut_as_on_a_thread,
        results_of_any_size_cross,
        a_raise_runs_clean_ups_there,
        a_handler_that_ends_its_thread_ends_its_child_with_clean_ups,
        a_handler_that_cancels_its_thread_has_exited,
        NULL};
    const TTest *const views[] = {
        a_task_knows_itself_there_too,
        the_context_is_what_child_start_returned_and_lives_on_in_the_child,
        what_a_handler_writes_to_its_item_stays_there,
        a_task_may_have_no_item,
        a_child_has_no_input_and_nothing_that_a_program_it_runs_inherits,
        NULL};
    const TTest *const asked[] = {
        an_attempt_hears_that_it_is_to_stop_and_its_child_lives_on, NULL};
    const TTest *const ends[] = {
        what_comes_late_for_one_attempt_does_not_reach_the_next,
        what_a_handler_makes_of_signals_ends_with_it,
        a_sleep_that_nobody_disturbs_is_long_enough,
        a_deadline_settles_and_then_kills,
        a_child_that_does_not_listen_is_killed_after_the_grace,
        a_killed_attempt_is_tried_again,
        NULL};
    const struct chapter chapters[] = {
        {"answers", answers, children_setup, children_teardown, 0, 0},
        {"views", views, children_setup, children_teardown, 0, 0},
        {"asked", asked, children_setup, children_teardown, 4, 0},
        {"ends", ends, children_setup, children_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: handlers", chapters);
}
