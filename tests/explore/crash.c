/* SPDX-License-Identifier: MIT */
/*
 * crash.c - what would end the program ends an execution instead.
 *
 * The handler runs on a stack of its own and never returns: it switches to the
 * driver, as every failure does.
 */
#include "world.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

enum { QUIET_SECONDS = 3 };

static bool was_slow;

bool world_was_slow(void)
{
    return was_slow;
}

/* In an execution a crash is a finding; outside of one it is our own. */
static void on_crash(int number)
{
    if (!world_is_running()) {
        signal(number, SIG_DFL);
        raise(number);
    }
    world_fail("crash: signal %d", number);
}

/* Endless loops without a step in them. */
static void on_tick(int number)
{
    static uint64_t seen;
    static unsigned quiet;

    (void)number;
    quiet = seen == world_steps() ? quiet + 1 : 0;
    seen = world_steps();
    was_slow = quiet >= QUIET_SECONDS;
    if (was_slow && world_is_running())
        world_fail("no step for seconds: an endless loop");
}

void world_catch_crashes(void)
{
    static unsigned char stack[64 * 1024];
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_flags = SA_ONSTACK | SA_NODEFER};
    struct itimerval tick = {{1, 0}, {1, 0}};
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};

    sigaltstack(&other, NULL);
    action.sa_handler = on_crash;
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        sigaction(crashes[i], &action, NULL);
    action.sa_handler = on_tick;
    action.sa_flags |= SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
}

/* An assertion ends the execution, not the program. */
_Noreturn void __assert_fail(const char *claim, const char *file, unsigned line,
                             const char *function)
{
    world_fail("%s:%u: %s: assertion failed: %s", file, line, function, claim);
}
