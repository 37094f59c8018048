/* SPDX-License-Identifier: MIT */
/* test_process_deaths.c - every way in which a child can end, or not want to.
 */
#include <weir.h>

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "suite.h"

/* Where the line to the pool lies in a child: its only other descriptor. */
enum { LINE = 3 };

/* --------------------------------------------------------------- by signals */

static int act_raise_signal(weir_task *task, struct deed *deed)
{
    (void)task;
    signal((int)deed->n, SIG_DFL);
    raise((int)deed->n);
    return 0;
}

/* What the system does by default with the others is not to end a process; and
 * SIGTERM is how weir asks. */
static bool is_fatal(int number)
{
    return number != SIGSTOP && number != SIGTSTP && number != SIGTTIN &&
           number != SIGTTOU && number != SIGCONT && number != SIGCHLD &&
           number != SIGURG && number != SIGWINCH;
}

START_TEST(whatever_signal_ends_a_child_is_the_tasks_outcome)
{
    char words[64];
    int crashed = 0;

    open_children();
    for (int number = 1; number <= SIGRTMAX; number++) {
        weir_outcome outcome;

        if (!is_fatal(number) || (number > SIGSYS && number < SIGRTMIN))
            continue;
        outcome = outcome_of_deed((struct deed){act_raise_signal, number, ""});
        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CRASHED);
        ck_assert_int_eq(outcome.code, number);
        snprintf(words, sizeof(words), "signal %d", number);
        ck_assert_ptr_nonnull(strstr(outcome.message, words));
        crashed++;
    }
    ck_assert_int_gt(crashed, 50);
    assert_serves();
}
END_TEST

START_TEST(a_signal_that_ends_no_process_ends_no_task)
{
    open_children();
    assert_kind((struct deed){act_raise_signal, SIGWINCH, ""},
                WEIR_OUTCOME_DONE, 0);
    assert_kind((struct deed){act_raise_signal, SIGCHLD, ""}, WEIR_OUTCOME_DONE,
                0);
}
END_TEST

static int act_stop_itself(weir_task *task, struct deed *deed)
{
    (void)task;
    (void)deed;
    raise(SIGSTOP);
    return 0;
}

START_TEST(a_child_that_stops_itself_is_killed_at_its_deadline)
{
    options.timeout_ns = WEIR_MS(10);
    open_children();
    assert_kind((struct deed){act_stop_itself, 0, ""}, WEIR_OUTCOME_TIMED_OUT,
                0);
    assert_serves();
}
END_TEST

START_TEST(or_goes_on_when_it_is_asked_to_stop)
{
    options.timeout_ns = WEIR_MS(10);
    options.grace_ns = WEIR_SECONDS(60);
    open_children();
    assert_kind((struct deed){act_stop_itself, 0, ""}, WEIR_OUTCOME_TIMED_OUT,
                0);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    assert_serves();
}
END_TEST

/* -------------------------------------------------------------- by itself */

static int act_exit_so(weir_task *task, struct deed *deed)
{
    (void)task;
    if (deed->text[0] == '_')
        _exit((int)deed->n);
    exit((int)deed->n);
}

START_TEST(an_exit_is_the_tasks_outcome)
{
    weir_outcome outcome;

    open_children();
    for (int status = 0; status < 256; status += 85) {
        assert_kind((struct deed){act_exit_so, status, "exit"},
                    WEIR_OUTCOME_EXITED, status);
        assert_kind((struct deed){act_exit_so, status, "_exit"},
                    WEIR_OUTCOME_EXITED, status);
    }
    outcome = outcome_of_deed((struct deed){act_exit_so, 3, ""});
    ck_assert_ptr_nonnull(strstr(outcome.message, "status 3"));
    assert_serves();
}
END_TEST

static int act_abort(weir_task *task, struct deed *deed)
{
    (void)task;
    (void)deed;
    abort();
}

static int deeper(volatile char *above, unsigned times)
{
    volatile char frame[4096];

    frame[0] = above[0];
    return times > 0 ? deeper(frame, times - 1) + frame[0] : 0;
}

static int act_overflow(weir_task *task, struct deed *deed)
{
    (void)task;
    signal(SIGSEGV, SIG_DFL); /* the address sanitizer has its own */
    return deeper(deed->text, UINT32_MAX);
}

START_TEST(an_abort_and_an_overflow_of_the_stack_stay_there)
{
    open_children();
    assert_kind((struct deed){act_abort, 0, ""}, WEIR_OUTCOME_CRASHED, SIGABRT);
    assert_kind((struct deed){act_overflow, 0, ""}, WEIR_OUTCOME_CRASHED,
                SIGSEGV);
    assert_serves();
}
END_TEST

/* ------------------------------------------------------------------ limits */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static int act_take_memory(weir_task *task, struct deed *deed)
{
    volatile char *bytes = malloc((size_t)deed->n);

    if (!bytes)
        return weir_task_fail(task, ENOMEM, "no memory");
    bytes[deed->n - 1] = 1; /* or a compiler would do without */
    free((void *)bytes);
    return 0;
}

START_TEST(memory_is_limited)
{
    if (SANITIZED) /* which need all address space there is */
        return;
    children.memory_bytes = (size_t)256 << 20;
    open_children();
    assert_kind((struct deed){act_take_memory, 16 << 20, ""}, WEIR_OUTCOME_DONE,
                0);
    assert_kind((struct deed){act_take_memory, 512 << 20, ""},
                WEIR_OUTCOME_FAILED, ENOMEM);
    assert_serves();
}
END_TEST

static int act_compare_core_limit(weir_task *task, struct deed *deed)
{
    struct rlimit limit;

    (void)task;
    return getrlimit(RLIMIT_CORE, &limit) || limit.rlim_cur != (rlim_t)deed->n;
}

/* 1, since with 0 the system would still run a program that takes them. */
START_TEST(core_dumps_are_off_unless_they_are_asked_for)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    open_children();
    assert_kind((struct deed){act_compare_core_limit, 1, ""}, WEIR_OUTCOME_DONE,
                0);
    end_children();
    children.core_dumps = true;
    open_children();
    assert_kind((struct deed){act_compare_core_limit, (int64_t)limit.rlim_cur,
                              ""},
                WEIR_OUTCOME_DONE, 0);
}
END_TEST

static int act_compute(weir_task *task, struct deed *deed)
{
    (void)task;
    if (deed->n == 1)
        signal(SIGXCPU, SIG_IGN);
    while (!atomic_load(&board->marks[7])) /* which nobody sets */
        continue;
    return 0;
}

START_TEST(processor_time_is_limited_for_each_attempt)
{
    children.cpu_ns = WEIR_MS(20);
    open_children();
    for (int i = 0; i < 3; i++)
        assert_kind((struct deed){act_compute, 0, ""}, WEIR_OUTCOME_CRASHED,
                    SIGXCPU);
    for (int i = 0; i < 200; i++)
        assert_serves();
}
END_TEST

START_TEST(or_hardly)
{
    children.cpu_ns = INT64_MAX;
    open_children();
    assert_serves();
}
END_TEST

START_TEST(also_for_one_that_ignores_the_signal)
{
    children.cpu_ns = WEIR_MS(20);
    open_children();
    assert_kind((struct deed){act_compute, 1, ""}, WEIR_OUTCOME_CRASHED,
                SIGKILL);
    assert_serves();
}
END_TEST

/* ------------------------------------------------------------------- kin */

static void be_kin(const char *how)
{
    if (strstr(how, "deaf"))
        signal(SIGTERM, SIG_IGN);
    if (strstr(how, "session"))
        setsid();
    sem_post(&board->begun);
    for (;;)
        pause();
}

/* Starts a process that keeps the line open, and then does as it says. */
static int act_have_kin(weir_task *task, struct deed *deed)
{
    pid_t kin = fork();

    (void)task;
    if (kin == 0)
        be_kin(deed->text);
    atomic_store(&board->kin, kin);
    while (sem_wait(&board->begun))
        continue;
    if (strstr(deed->text, "crash"))
        raise(SIGKILL);
    return 0;
}

START_TEST(what_a_child_has_started_ends_with_it)
{
    open_children();
    assert_kind((struct deed){act_have_kin, 0, "deaf, crash"},
                WEIR_OUTCOME_CRASHED, SIGKILL);
    await_gone(atomic_load(&board->kin));
    assert_serves();
}
END_TEST

START_TEST(or_when_its_child_is_retired)
{
    open_children();
    assert_kind((struct deed){act_have_kin, 0, "deaf"}, WEIR_OUTCOME_DONE, 0);
    ck_assert(is_there(atomic_load(&board->kin)));
    end_children();
    await_gone(atomic_load(&board->kin));
}
END_TEST

/* As system() does: what asks it to stop is not lost before the program is
 * there. */
static int act_run_program(weir_task *task, struct deed *deed)
{
    char name[] = "sleep", hour[] = "3600";
    char *const arguments[] = {name, hour, NULL};
    int status = 0;
    pid_t kin;

    (void)task;
    (void)deed;
    if (posix_spawnp(&kin, name, NULL, NULL, arguments, environ))
        return errno;
    sem_post(&board->begun);
    while (waitpid(kin, &status, 0) < 0 && errno == EINTR)
        continue;
    atomic_store(&board->count, WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    return 0;
}

START_TEST(a_program_that_a_child_runs_is_asked_to_stop_with_it)
{
    weir_future *future;
    int child;

    options.grace_ns = WEIR_SECONDS(60);
    open_children();
    future = submit_deed((struct deed){act_run_program, 0, ""});
    await_sem(&board->begun);
    child = atomic_load(&board->child);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    ck_assert_int_eq(outcome_of(future).kind, WEIR_OUTCOME_CANCELLED);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(atomic_load(&board->count), SIGTERM);
    assert_serves();
    ck_assert_int_eq(atomic_load(&board->child), child);
}
END_TEST

/* Linux 6.9 can kill a group by its pidfd. */
static bool can_kill_groups(void)
{
    struct utsname system;
    int major = 0, minor = 0;

    return uname(&system) == 0 &&
           sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 9));
}

START_TEST(or_when_the_server_does)
{
    open_children();
    assert_kind((struct deed){act_have_kin, 0, "deaf"}, WEIR_OUTCOME_DONE, 0);
    kill(atomic_load(&board->server), SIGKILL);
    end_children();
    if (can_kill_groups())
        await_gone(atomic_load(&board->kin));
    else
        kill(atomic_load(&board->kin), SIGKILL);
}
END_TEST

static int act_fork_and_return(weir_task *task, struct deed *deed)
{
    (void)task;
    (void)deed;
    return fork() < 0;
}

START_TEST(a_handler_that_returns_twice_answers_once)
{
    open_children();
    for (int i = 0; i < 20; i++) {
        assert_kind((struct deed){act_fork_and_return, 0, ""},
                    WEIR_OUTCOME_DONE, 0);
        assert_serves();
    }
}
END_TEST

START_TEST(one_with_a_session_of_its_own_escapes_and_holds_nobody_up)
{
    open_children();
    assert_kind((struct deed){act_have_kin, 0, "session, crash"},
                WEIR_OUTCOME_CRASHED, SIGKILL);
    assert_serves();
    ck_assert(is_there(atomic_load(&board->kin)));
    kill(atomic_load(&board->kin), SIGKILL);
    await_gone(atomic_load(&board->kin)); /* the server reaps it */
}
END_TEST

/* ---------------------------------------------------------------- its line */

static int act_close_line(weir_task *task, struct deed *deed)
{
    if (deed->n == 1)
        shutdown(LINE, SHUT_RDWR);
    close(LINE);
    return act_overstay(task, deed);
}

START_TEST(a_child_that_closes_its_line_is_killed)
{
    open_children();
    for (int i = 0; i < 2; i++) {
        weir_outcome outcome =
            outcome_of_deed((struct deed){act_close_line, i, ""});

        ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_CRASHED);
        ck_assert_int_eq(outcome.code, SIGKILL);
        ck_assert_ptr_nonnull(strstr(outcome.message, "closed its line"));
    }
    assert_serves();
}
END_TEST

/* As wire.h has it, so that a part of it may be wrong at a time. */
struct forged {
    uint32_t magic, kind;
    uint64_t sequence;
    int32_t code;
    uint8_t failed, ends_series, overloaded;
    uint64_t message_size, result_size;
    char more[64];
};

static const struct forgery {
    const char *what;
    struct forged message;
    size_t size;
} forgeries[] = {
    {"nothing but a byte", {.magic = 'x'}, 1},
    {"another magic", {1, 11, 1, 0, 0, 0, 0, 0, 0, ""}, 40},
    {"another kind", {0x77656972, 8, 1, 0, 0, 0, 0, 0, 0, ""}, 40},
    {"another attempt's", {0x77656972, 11, 7, 0, 0, 0, 0, 0, 0, ""}, 40},
    {"cut off", {0x77656972, 11, 1, 0, 0, 0, 0, 0, 0, ""}, 39},
    {"a message that is not there",
     {0x77656972, 11, 1, 0, 0, 0, 0, 65, 0, ""},
     104},
    {"a message of more than there is room for",
     {0x77656972, 11, 1, 0, 0, 0, 0, UINT64_MAX, 0, ""},
     104},
    {"a result that is not there",
     {0x77656972, 11, 1, 0, 0, 0, 0, 0, 1, ""},
     40},
    {"a result larger than it says",
     {0x77656972, 11, 1, 0, 0, 0, 0, 0, 1, ""},
     42},
    {"neither failed nor not", {0x77656972, 11, 1, 0, 2, 0, 0, 0, 0, ""}, 40},
    {"an end of a series that is neither",
     {0x77656972, 11, 1, 0, 0, 255, 0, 0, 0, ""},
     40},
    {"overloaded as nobody is", {0x77656972, 11, 1, 0, 0, 0, 3, 0, 0, ""}, 40},
    {"a part that is none", {0x77656972, 10, 1, 0, 0, 0, 0, 0, 0, ""}, 104},
    {"a part of nothing", {0x77656972, 10, 1, 0, 0, 0, 0, 0, 0, ""}, 16},
};

static int act_forge(weir_task *task, struct deed *deed)
{
    const struct forgery *forgery = &forgeries[deed->n];

    if (send(LINE, &forgery->message, forgery->size, 0) < 0)
        return errno;
    return act_overstay(task, deed);
}

START_TEST(a_child_that_says_what_is_no_answer_is_killed)
{
    options.max_result = 16;
    for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
        weir_outcome outcome;

        open_children();
        outcome = outcome_of_deed((struct deed){act_forge, (int64_t)i, ""});
        ck_assert_msg(outcome.kind == WEIR_OUTCOME_CRASHED &&
                          outcome.code == SIGKILL &&
                          strstr(outcome.message, "no answer"),
                      "%s: %s, %s", forgeries[i].what,
                      weir_outcome_name(outcome.kind), outcome.message);
        assert_serves();
        end_children();
    }
}
END_TEST

static int act_flood(weir_task *task, struct deed *deed)
{
    char *bytes = calloc(1, 150000);

    (void)task;
    (void)deed;
    if (send(LINE, bytes, 150000, 0) < 0)
        return errno;
    free(bytes);
    return 0;
}

START_TEST(also_if_it_is_longer_than_any)
{
    open_children();
    assert_kind((struct deed){act_flood, 0, ""}, WEIR_OUTCOME_CRASHED, SIGKILL);
    assert_serves();
}
END_TEST

int main(void)
{
    const TTest *const signals[] = {
        whatever_signal_ends_a_child_is_the_tasks_outcome,
        a_signal_that_ends_no_process_ends_no_task,
        a_child_that_stops_itself_is_killed_at_its_deadline,
        or_goes_on_when_it_is_asked_to_stop, NULL};
    const TTest *const itself[] = {
        an_exit_is_the_tasks_outcome,
        an_abort_and_an_overflow_of_the_stack_stay_there,
        memory_is_limited,
        core_dumps_are_off_unless_they_are_asked_for,
        processor_time_is_limited_for_each_attempt,
        or_hardly,
        also_for_one_that_ignores_the_signal,
        NULL};
    const TTest *const kin[] = {
        what_a_child_has_started_ends_with_it,
        or_when_its_child_is_retired,
        or_when_the_server_does,
        a_handler_that_returns_twice_answers_once,
        a_program_that_a_child_runs_is_asked_to_stop_with_it,
        one_with_a_session_of_its_own_escapes_and_holds_nobody_up,
        NULL};
    const TTest *const lines[] = {a_child_that_closes_its_line_is_killed,
                                  a_child_that_says_what_is_no_answer_is_killed,
                                  also_if_it_is_longer_than_any, NULL};
    const struct chapter chapters[] = {
        {"signals", signals, children_setup, children_teardown, 0, 0},
        {"by itself", itself, children_setup, children_teardown, 0, 0},
        {"kin", kin, children_setup, children_teardown, 0, 0},
        {"its line", lines, children_setup, children_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: deaths", chapters);
}
