/* SPDX-License-Identifier: MIT */
/* interrupt.c - see interrupt.h. */
#include "base/interrupt.h"

#include <signal.h>
#include <string.h>

#include "base/error.h"

static void do_nothing(int signal)
{
    (void)signal;
}

static bool is_ours(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == do_nothing;
}

static bool is_free(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

weir_status weir__interrupt_claim(int signal, const char *option)
{
    struct sigaction action, before;

    if (signal < SIGRTMIN || signal > SIGRTMAX)
        return weir__refuse(WEIR_EINVAL,
                            "%s %d is no real-time signal: use one of "
                            "SIGRTMIN (%d) to SIGRTMAX (%d), or 0",
                            option, signal, SIGRTMIN, SIGRTMAX);
    sigaction(signal, NULL, &before);
    if (is_ours(&before))
        return WEIR_OK;
    if (!is_free(&before))
        return weir__refuse(WEIR_EINVAL,
                            "%s %d is already handled or ignored in this "
                            "process: use one that nobody else does",
                            option, signal);
    memset(&action, 0, sizeof(action));
    action.sa_handler = do_nothing;
    action.sa_flags = SA_ONSTACK; /* what other languages' threads ask for */
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    return WEIR_OK;
}

static void let_through(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void weir__door_attach(struct weir__door *door, int signal)
{
    door->native = pthread_self();
    door->signal = signal;
    door->was_sent = false;
    let_through(signal);
}

/* It may find no room in the system's queue: there will be another time. */
bool weir__door_send(struct weir__door *door)
{
    if (!door->is_open || door->signal == 0)
        return false;
    if (pthread_kill(door->native, door->signal) == 0)
        door->was_sent = true;
    return true;
}

bool weir__door_close(struct weir__door *door)
{
    bool was_sent = door->was_sent;

    door->is_open = false;
    door->was_sent = false;
    return was_sent;
}

/* What is pending when it is let through arrives before the call returns: that
 * is what pthread_sigmask promises. */
void weir__door_settle(const struct weir__door *door)
{
    let_through(door->signal);
}
