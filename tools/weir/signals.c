/* SPDX-License-Identifier: MIT */
/*
 * signals.c - the user's wish to stop, as descriptors to poll.
 *
 * THE IDEA
 *
 * Two pipes into which a byte is written and never read, so that each stays
 * readable for everybody who polls it:
 *
 *   first signal  -> stop: weir_run takes no more records
 *   second        -> end:  every handler ends its process group
 *
 * A handler may do nothing but write(2); whatever is to be said or done, the
 * threads that poll say and do.
 */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

enum { READ, WRITE };

/* A signal handler has no argument of ours, hence file scope.  The pipes are
 * made before the handlers are installed and never change; `first` is written
 * by the handler and read by the thread that it interrupts. */
static int stop_pipe[2], end_pipe[2];
static volatile sig_atomic_t first;
static sigset_t handled;

static const int wishes[] = {SIGINT, SIGTERM, SIGHUP};

static void note(int number);
static void poke(int fd);
static bool install(int number);

/* ------------------------------------------------------------------- life */

bool signals_open(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0 ||
        pipe2(end_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;

    /* A write to a closed pipe or past a file size limit is an error to report,
     * not an end. */
    sigemptyset(&handled);
    sigaddset(&handled, SIGPIPE);
    sigaddset(&handled, SIGXFSZ);
    if (sigaction(SIGPIPE, &ignore, NULL) != 0 ||
        sigaction(SIGXFSZ, &ignore, NULL) != 0)
        return false;
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
        if (!install(wishes[i]))
            return false;
    return true;
}

/* What was ignored when weir started stays so, for weir and its commands: that
 * is how nohup and a script's `&` protect a process. */
static bool install(int number)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    struct sigaction before;

    if (sigaction(number, NULL, &before) != 0)
        return false;
    if (before.sa_handler == SIG_IGN)
        return true;
    sigaddset(&handled, number);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
        sigaddset(&action.sa_mask, wishes[i]);
    return sigaction(number, &action, NULL) == 0;
}

/* -------------------------------------------------------------------- use */

int signals_stop_fd(void)
{
    return stop_pipe[READ];
}

int signals_end_fd(void)
{
    return end_pipe[READ];
}

void signals_raise_both(void)
{
    poke(stop_pipe[WRITE]);
    poke(end_pipe[WRITE]);
}

int signals_first(void)
{
    return first;
}

static bool is_readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) > 0;
}

bool signals_stop_asked(void)
{
    return is_readable(stop_pipe[READ]);
}

bool signals_end_asked(void)
{
    return is_readable(end_pipe[READ]);
}

void signals_for_command(sigset_t *out)
{
    *out = handled;
}

/* ------------------------------------------------------------ the handler */

static void note(int number)
{
    int error = errno;

    if (first == 0) {
        first = number;
        poke(stop_pipe[WRITE]);
    } else {
        poke(end_pipe[WRITE]);
    }
    errno = error;
}

/* A pipe that is full is readable already. */
static void poke(int fd)
{
    ssize_t written = write(fd, "", 1);

    (void)written;
}
