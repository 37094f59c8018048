/* SPDX-License-Identifier: MIT */
/* child.c - see child.h. */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

static void note_signal(int number)
{
    stop_signal = number;
}

void child_catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

int child_stop_signal(void)
{
    return stop_signal;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Runs in the child, between fork and exec. */
static void become(char *const *argv, const int *ends, pid_t parent)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(ends[1], STDOUT_FILENO) >= 0) {
        close(ends[0]);
        close(ends[1]);
        execv(argv[0], argv);
    }
    _exit(127);
}

/* Reads until the end of file.  False: the time is over, or a signal came. */
static bool read_line(int from, char *line, size_t room, int64_t until_ms)
{
    size_t length = 0;
    char rest[256];

    for (;;) {
        struct pollfd ready = {.fd = from, .events = POLLIN};
        int64_t left_ms = until_ms - now_ms();
        bool full = length + 1 >= room;
        ssize_t n;

        line[length] = '\0';
        if (left_ms <= 0 || stop_signal)
            return false;
        if (poll(&ready, 1, left_ms < 1000 ? (int)left_ms : 1000) <= 0)
            continue;
        n = full ? read(from, rest, sizeof(rest))
                 : read(from, line + length, room - 1 - length);
        if (n == 0)
            return true;
        if (n > 0 && !full)
            length += (size_t)n;
    }
}

static uint64_t of_timeval(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

struct child_end child_run(char *const *argv, unsigned limit_s)
{
    struct child_end end = {.status = -1};
    pid_t parent = getpid(), pid;
    struct rusage usage = {0};
    int ends[2], status;
    bool whole;

    if (stop_signal || pipe(ends))
        return end;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become(argv, ends, parent);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return end;
    }
    whole = read_line(ends[0], end.line, sizeof(end.line),
                      now_ms() + (int64_t)limit_s * 1000);
    close(ends[0]);
    if (!whole)
        kill(pid, SIGKILL);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    end.started = true;
    end.timed_out = !whole && !stop_signal;
    end.status =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    end.cpu_ns = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
    return end;
}

/* ---------------------------------------------------------------- reading */

static const char *behind(const char *line, const char *key)
{
    char quoted[64];
    const char *at;

    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    at = strstr(line, quoted);
    return at ? at + strlen(quoted) : NULL;
}

bool child_number(const char *line, const char *key, uint64_t *out)
{
    const char *at = behind(line, key);
    char *end;

    if (!at || *at < '0' || *at > '9')
        return false;
    *out = strtoull(at, &end, 10);
    return true;
}

bool child_text(const char *line, const char *key, char *out, unsigned room)
{
    const char *at = behind(line, key);
    const char *end = at && *at == '"' ? strchr(at + 1, '"') : NULL;

    if (!end)
        return false;
    snprintf(out, room, "%.*s", (int)(end - at - 1), at + 1);
    return true;
}

bool child_true(const char *line, const char *key)
{
    const char *at = behind(line, key);

    return at && strncmp(at, "true", 4) == 0;
}
