/* SPDX-License-Identifier: MIT */
/*
 * stress_process.c - no process is left when the one that had the pool ends.
 *
 * This process takes in orphans (PR_SET_CHILD_SUBREAPER).  So when a victim, a
 * program with a pool of child processes, has been ended at any moment, all
 * that is left of it comes here in the end; and when there is nothing to wait
 * for any more, nothing is left.
 */
#include <weir.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gate.h"
#include "suite.h"

enum { ROUNDS = 200, LONGEST_US = 6000 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ------------------------------------------------------------- the victim */

static int misbehave(weir_task *task, void *item)
{
    switch (*(int *)item % 8) {
    case 0:
        raise(SIGKILL);
        break;
    case 1:
        _exit(1);
    case 2: /* kin that listens to nobody and has the line */
        if (fork() == 0) {
            signal(SIGTERM, SIG_IGN);
            for (;;)
                pause();
        }
        break;
    case 3:
        return weir_task_sleep(task, WEIR_MS(1)) != WEIR_OK;
    case 4:
        for (;;)
            pause();
    default:
        break;
    }
    return 0;
}

WEIR_NO_RETURN static void be_a_victim(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool *pool;

    options.workers = 3;
    options.isolation = WEIR_ISOLATE_PROCESS;
    options.item_size = sizeof(int);
    options.timeout_ns = WEIR_MS(2);
    if (weir_process_start() || weir_pool_create(&pool, &options))
        _exit(9);
    for (int i = 0;; i++)
        if (weir_pool_submit_copy(pool, misbehave, &i, WEIR_FOREVER))
            _exit(8);
}

/* ----------------------------------------------------------------- the end */

/* Until there is no child of ours, and no orphan. */
static void await_nobody(void)
{
    struct timespec limit = hang_limit(), now;
    sigset_t ended;

    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    for (;;) {
        struct timespec moment = {0, 50000000};
        pid_t pid = waitpid(-1, NULL, WNOHANG);

        if (pid < 0 && errno == ECHILD)
            return;
        if (pid != 0)
            continue;
        sigtimedwait(&ended, NULL, &moment);
        clock_gettime(CLOCK_MONOTONIC, &now);
        ck_assert_msg(now.tv_sec < limit.tv_sec, "somebody is left behind");
    }
}

static void end_a_victim(uint64_t *random)
{
    static const int how[] = {SIGKILL, SIGKILL, SIGTERM, SIGSEGV};
    struct timespec life = {0, (long)(next_random(random) % LONGEST_US) * 1000};
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        sigset_t none;

        signal(SIGTERM, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        be_a_victim();
    }
    nanosleep(&life, NULL); /* any moment will do */
    kill(pid, how[next_random(random) % 4]);
    await_nobody();
}

START_TEST(whenever_a_process_is_killed_nothing_of_its_pool_is_left)
{
    uint64_t random = 88172645463325252u;
    sigset_t ended;

    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1UL), 0);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigaddset(&ended, SIGTERM); /* Check's handler is the victim's at first */
    sigprocmask(SIG_BLOCK, &ended, NULL);
    for (int i = 0; i < ROUNDS; i++)
        end_a_victim(&random);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        whenever_a_process_is_killed_nothing_of_its_pool_is_left, NULL};
    const struct chapter chapters[] = {{"ends", tests, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: nobody is left", chapters);
}
