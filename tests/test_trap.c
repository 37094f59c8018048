/* SPDX-License-Identifier: MIT */
/* test_trap.c - our signal handlers among those of others. */
#include <weir/pool.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trap.h"
#include "crashes.h"
#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    options.isolation = WEIR_ISOLATE_TRAP;
}

static struct sigaction action_of(int number)
{
    struct sigaction now;

    ck_assert_int_eq(sigaction(number, NULL, &now), 0);
    return now;
}

static void set_action(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaddset(&action.sa_mask, SIGUSR2);
    ck_assert_int_eq(sigaction(number, &action, NULL), 0);
}

/* What a signal handler of the program's has seen. */
static struct seen {
    int number, times;
    sigset_t mask;
    const void *address;
} seen;
static sigjmp_buf back;

static void note(int number)
{
    seen.number = number;
    seen.times++;
    pthread_sigmask(SIG_BLOCK, NULL, &seen.mask);
    errno = EBADF;
}

static void note_and_go_back(int number)
{
    note(number);
    siglongjmp(back, 1);
}

static void note_info(int number, siginfo_t *info, void *context)
{
    (void)context;
    seen.address = info->si_addr;
    note_and_go_back(number);
}

static int act_crash(weir_task *task, struct job *job)
{
    (void)task;
    tally_add(&job->ended, 1);
    crash();
    return 0;
}

static void crash_in_pool(void)
{
    struct job *job = submit_new(act_crash);

    await_released(job);
    ck_assert_int_eq(job->outcome.kind, WEIR_OUTCOME_CRASHED);
}

/* Crashes here, which the program's own handler brings to an end. */
static void crash_here(void)
{
    if (sigsetjmp(back, 1) == 0)
        crash();
}

/* ------------------------------------------------------------- it was there */

START_TEST(what_is_not_ours_goes_to_who_was_there)
{
    set_action(SIGSEGV, note_and_go_back, 0);
    open_pool();
    crash_here();
    ck_assert_int_eq(seen.times, 1);
    ck_assert_int_eq(seen.number, SIGSEGV);
    ck_assert(sigismember(&seen.mask, SIGSEGV));
    ck_assert(sigismember(&seen.mask, SIGUSR2));
    crash_in_pool();
    crash_here();
    ck_assert_int_eq(seen.times, 2);
}
END_TEST

START_TEST(it_gets_what_the_kernel_says_and_the_mask_it_wants)
{
    struct sigaction action = {.sa_sigaction = note_info,
                               .sa_flags = SA_SIGINFO | SA_NODEFER};

    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    open_pool();
    crash_here();
    ck_assert_ptr_eq(seen.address, bad_address);
#ifndef __SANITIZE_THREAD__ /* it blocks all there are */
    ck_assert(!sigismember(&seen.mask, SIGSEGV));
    ck_assert(!sigismember(&seen.mask, SIGUSR2));
#endif
}
END_TEST

START_TEST(what_is_sent_goes_there_and_comes_back)
{
    sigset_t after;

    set_action(SIGFPE, note, 0);
    open_pool();
    errno = ENOENT;
    ck_assert_int_eq(raise(SIGFPE), 0);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(seen.times, 1);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    ck_assert(!sigismember(&after, SIGFPE));
    ck_assert(!sigismember(&after, SIGUSR2));
}
END_TEST

/* Memory that has gone bad unread, and what looks like an abort(). */
static const struct {
    int number, code;
    pid_t from; /* 0: this process */
} strays[] = {{SIGBUS, BUS_MCEERR_AO, 0},
              {SIGABRT, SI_QUEUE, 0},
              {SIGABRT, SI_TKILL, 1}};
static int stray;

static int act_send_stray(weir_task *task, struct job *job)
{
    siginfo_t info = {.si_signo = strays[stray].number};

    (void)task;
    (void)job;
    info.si_code = strays[stray].code;
    info.si_pid = strays[stray].from ? strays[stray].from : getpid();
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid),
                   info.si_signo, &info) != 0;
}

START_TEST(what_no_task_did_is_not_taken_for_its_fault)
{
    struct job *job;

    stray = _i;
    set_action(strays[_i].number, note, 0);
    open_pool();
    job = submit_new(act_send_stray);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(seen.times, 1);
}
END_TEST

START_TEST(a_handler_for_once_is_for_once)
{
    set_action(SIGSEGV, note_and_go_back, (int)SA_RESETHAND);
    open_pool();
    crash_here();
    ck_assert_int_eq(seen.times, 1);
    crash_here();
}
END_TEST

START_TEST(what_is_ignored_stays_so)
{
    set_action(SIGSEGV, SIG_IGN, 0);
    open_pool();
    ck_assert_int_eq(raise(SIGSEGV), 0);
    crash_in_pool();
}
END_TEST

START_TEST(a_fault_cannot_be_ignored)
{
    set_action(SIGSEGV, SIG_IGN, 0);
    open_pool();
    crash();
}
END_TEST

START_TEST(the_default_ends_the_process)
{
    pid_t child;
    int status;

    open_pool();
    child = fork();
    if (child == 0) {
        crashes[_i].make();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), crashes[_i].signal);
}
END_TEST

START_TEST(what_was_there_is_put_back_when_the_last_pool_goes)
{
    struct sigaction now;
    weir_pool *first;

    set_action(SIGSEGV, note_and_go_back, SA_RESTART);
    for (int i = 0; i < 2; i++) {
        open_pool();
        first = pool;
        pool = NULL;
        open_pool();
        for (int k = 0; k < crash_count; k++)
            ck_assert(action_of(crashes[k].signal).sa_handler !=
                      note_and_go_back);
        weir_pool_destroy(first);
        crash_in_pool();
        end_pool();
        now = action_of(SIGSEGV);
        ck_assert(now.sa_handler == note_and_go_back);
        ck_assert_int_eq(now.sa_flags & (SA_RESTART | SA_ONSTACK), SA_RESTART);
        ck_assert(sigismember(&now.sa_mask, SIGUSR2));
        ck_assert(action_of(SIGABRT).sa_handler == SIG_DFL);
    }
}
END_TEST

/* ------------------------------------------------------------ it came later */

static struct sigaction below;

static void note_and_pass_on(int number, siginfo_t *info, void *context)
{
    note(number);
    below.sa_sigaction(number, info, context);
}

static void put_over_ours(void)
{
    struct sigaction action = {.sa_sigaction = note_and_pass_on,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    ck_assert_int_eq(sigaction(SIGSEGV, &action, &below), 0);
    ck_assert(below.sa_flags & SA_SIGINFO);
}

START_TEST(one_that_passes_faults_on_may_lie_over_ours)
{
    open_pool();
    put_over_ours();
    crash_in_pool();
    ck_assert_int_eq(seen.times, 1);
    end_pool();
    ck_assert(action_of(SIGSEGV).sa_sigaction == note_and_pass_on);
    ck_assert(action_of(SIGFPE).sa_handler == SIG_DFL);
    open_pool(); /* not over theirs: the two would go in circles */
    ck_assert(action_of(SIGSEGV).sa_sigaction == note_and_pass_on);
    crash_in_pool();
    ck_assert_int_eq(seen.times, 2);
}
END_TEST

START_TEST(what_is_not_ours_falls_through_both)
{
    open_pool();
    put_over_ours();
    end_pool();
    crash();
}
END_TEST

START_TEST(once_it_is_gone_ours_comes_back)
{
    open_pool();
    put_over_ours();
    end_pool();
    set_action(SIGSEGV, SIG_DFL, 0);
    open_pool();
    crash_in_pool();
    ck_assert_int_eq(seen.times, 0);
}
END_TEST

static int act_crash_and_go_back(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    crash_here();
    return 0;
}

START_TEST(one_that_keeps_faults_keeps_them)
{
    struct job *job;

    open_pool();
    set_action(SIGSEGV, note_and_go_back, 0);
    job = submit_new(act_crash_and_go_back);
    assert_outcome(job, WEIR_OUTCOME_DONE);
    ck_assert_int_eq(seen.times, 1);
}
END_TEST

int main(void)
{
    const TTest *const among[] = {
        what_is_not_ours_goes_to_who_was_there,
        it_gets_what_the_kernel_says_and_the_mask_it_wants,
        what_is_sent_goes_there_and_comes_back,
        what_is_ignored_stays_so,
        what_was_there_is_put_back_when_the_last_pool_goes,
        one_that_passes_faults_on_may_lie_over_ours,
        once_it_is_gone_ours_comes_back,
        one_that_keeps_faults_keeps_them,
        NULL,
    };
    const TTest *const ends[] = {
        a_handler_for_once_is_for_once,
        a_fault_cannot_be_ignored,
        what_is_not_ours_falls_through_both,
        NULL,
    };
    const TTest *const each[] = {the_default_ends_the_process, NULL};
    const TTest *const sent[] = {what_no_task_did_is_not_taken_for_its_fault,
                                 NULL};
    const struct chapter chapters[] = {
        {"others' handlers", among, setup, pool_teardown, 0, 0},
        {"the end", ends, setup, NULL, 0, SIGSEGV},
        {"the default", each, setup, pool_teardown, crash_count, 0},
        {"strays", sent, setup, pool_teardown,
         sizeof(strays) / sizeof(strays[0]), 0},
        {NULL, NULL, NULL, NULL, 0, 0},
    };

    return report("trap", chapters);
}
