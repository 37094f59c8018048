/* SPDX-License-Identifier: MIT */
/*
 * command.c - one attempt: a process group from its start to its end.
 *
 * THE IDEA
 *
 * The handler's thread starts the command, which leads a process group, and
 * then polls all that can happen:
 *
 *   output, error    what it prints; kept until the task is released
 *   pidfd            it has ended
 *   cancel fd        its deadline has passed, or the pool stops
 *   end fd           a second signal, or our output is broken
 *   stop fd          a first signal: only to be announced, work goes on
 *
 * STATES
 *
 *   runs ----- ended -----------------------------------> over
 *   runs ----- cancelled or told: TERM to the group ----> asked
 *   asked ---- ended and both pipes at their end -------> KILL, over
 *   asked ---- grace has passed ------------------------> KILL, over
 *
 * INVARIANTS
 *
 *   1. The leader is reaped last, after the last signal to the group: until
 *      then its number cannot belong to anybody else.
 *   2. A group that was asked gets KILL before the leader is reaped, however
 *      soon the leader has gone: a grandchild may still be there.
 *
 * LIMITS
 *
 * The task is over when the command is.  What it left in the background lives
 * on, but what that prints later is lost, and it may get a SIGPIPE for it.
 * A process that makes a session of its own leaves the group, and no signal of
 * ours reaches it.  One that reads from the terminal itself is stopped by it,
 * being in the background there, and only a timeout helps.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/deadline.h>

#include "signals.h"
#include "text.h"

extern char **environ;

enum {
    READ_ROOM = 65536,
    /* How often to look at what has no descriptor to poll; and when a closed
     * standard output says that the end is near. */
    TICK_MS = 20,
    SHORT_TICK_MS = 1,
    /* With growing pauses this takes two seconds and a half. */
    TRIES_ALONE = 8,
    PROGRESS_MS = 250
};

/* Exit statuses that sh has for a command that cannot be run, cannot be found;
 * and of one that a signal ended, less its number. */
enum { STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

enum {
    WATCH_OUT,
    WATCH_ERR,
    WATCH_CHILD,
    WATCH_CANCEL,
    WATCH_END,
    WATCH_STOP,
    WATCHES
};

struct child {
    weir_task *task;
    struct outputs *outputs;
    struct output *output;
    int64_t grace_ns;
    char *buffer;          /* READ_ROOM bytes */
    pid_t pid;             /* of the leader and of the group */
    int pidfd;             /* -1: this kernel has none */
    bool may_be_cancelled; /* only a deadline does that here */
    int cancel_fd;         /* -1: not needed, or there was none to be had */
    int pipes[STREAMS];    /* read ends; -1: at the end */
    bool ended;            /* the leader; not reaped yet */
    bool asked;            /* to end, with TERM */
    bool told_stop;        /* the stop was announced */
    int keep_error;        /* why output could not be kept; 0: it could */
    weir_deadline kill_at; /* if asked */
};

static int start(struct child *c, char *const argv[]);
static int start_once(struct child *c, char *const argv[]);
static int spawn(pid_t *pid, char *const argv[], const int ends[STREAMS]);
static int
spawn_with(pid_t *pid, char *const argv[], posix_spawn_file_actions_t *actions,
           const int ends[STREAMS]);
static int set_attributes(posix_spawnattr_t *attributes);
static bool may_pass(int error, int tries_alone);
static void watch(struct child *c);
static void set_watches(const struct child *c, struct pollfd *fds);
static int poll_timeout(const struct child *c);
static bool is_over(const struct child *c);
static void look_at_leader(struct child *c);
static void read_some(struct child *c, int stream, size_t most);
static void keep(struct child *c, int stream, size_t length);
static void ask_to_end(struct child *c);
static int finish(struct child *c);
static void drain(struct child *c, int stream);
static int answer(const struct child *c, int status);
static int refuse(weir_task *task, const char *name, int error);

/* -------------------------------------------------------------------- use */

int command_run(weir_task *task, char *const argv[], int64_t grace_ns,
                struct outputs *outputs, struct output *output)
{
    struct child c = {.task = task,
                      .outputs = outputs,
                      .output = output,
                      .grace_ns = grace_ns,
                      .pidfd = -1,
                      .cancel_fd = -1,
                      .pipes = {-1, -1}};
    int error, status;

    c.buffer = malloc(READ_ROOM);
    if (!c.buffer)
        return refuse(task, argv[0], ENOMEM);
    error = start(&c, argv);
    if (error) {
        free(c.buffer);
        return refuse(task, argv[0], error);
    }
    outputs_command_started(outputs);
    c.may_be_cancelled = weir_task_deadline(task).at_ns != WEIR_FOREVER.at_ns;
    if (c.may_be_cancelled)
        c.cancel_fd = weir_task_cancel_fd(task);
    watch(&c);
    status = finish(&c);
    outputs_command_ended(outputs);
    free(c.buffer);
    return answer(&c, status);
}

/* --------------------------------------------------------------- starting */

/* A system that is short of processes will have some later, when others have
 * ended: the task waits rather than fails. */
static int start(struct child *c, char *const argv[])
{
    int64_t delay_ns = WEIR_MS(10);
    int error, alone = 0;

    while ((error = start_once(c, argv)) != 0 && !signals_end_asked()) {
        alone = outputs_running(c->outputs) > 0 ? 0 : alone + 1;
        if (!may_pass(error, alone))
            break;
        outputs_say_waiting(c->outputs, strerror(error));
        if (weir_task_sleep(c->task, delay_ns) != WEIR_OK)
            break;
        delay_ns =
            delay_ns * 2 < WEIR_SECONDS(1) ? delay_ns * 2 : WEIR_SECONDS(1);
    }
    return error;
}

/* Descriptors and memory are ours to give back, so they come only from another
 * task's end.  Others that are just starting may hold some for a moment without
 * running yet, hence more than one try. */
static bool may_pass(int error, int tries_alone)
{
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
        return tries_alone < TRIES_ALONE;
    return error == EAGAIN;
}

static int start_once(struct child *c, char *const argv[])
{
    int pipes[STREAMS][2] = {{-1, -1}, {-1, -1}};
    int ends[STREAMS], error = 0;

    for (int i = 0; i < STREAMS && !error; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) != 0 ||
            fcntl(pipes[i][0], F_SETFL, O_NONBLOCK) != 0)
            error = errno;
        ends[i] = pipes[i][1];
    }
    if (!error)
        error = spawn(&c->pid, argv, ends);
    for (int i = 0; i < STREAMS; i++) {
        if (pipes[i][1] >= 0)
            close(pipes[i][1]);
        if (error && pipes[i][0] >= 0)
            close(pipes[i][0]);
        c->pipes[i] = error ? -1 : pipes[i][0];
    }
    if (!error)
        c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    return error;
}

static int spawn(pid_t *pid, char *const argv[], const int ends[STREAMS])
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = spawn_with(pid, argv, &actions, ends);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int
spawn_with(pid_t *pid, char *const argv[], posix_spawn_file_actions_t *actions,
           const int ends[STREAMS])
{
    posix_spawnattr_t attributes;
    int error;

    error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
                                             O_RDONLY, 0);
    for (int i = 0; i < STREAMS && !error; i++)
        error = posix_spawn_file_actions_adddup2(actions, ends[i],
                                                 STDOUT_FILENO + i);
    if (!error)
        error = posix_spawnattr_init(&attributes);
    if (error)
        return error;
    error = set_attributes(&attributes);
    if (!error)
        error = posix_spawnp(pid, argv[0], actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* Workers run with all signals blocked; a command must not inherit that. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    int error;

    sigemptyset(&none);
    signals_for_command(&defaults);
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
                                                     POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF);
    if (!error)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (!error)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &defaults);
    return error;
}

/* --------------------------------------------------------------- watching */

static void watch(struct child *c)
{
    struct pollfd fds[WATCHES];

    while (!is_over(c)) {
        set_watches(c, fds);
        if (poll(fds, WATCHES, poll_timeout(c)) < 0)
            continue; /* EINTR, or no memory just now */
        for (int i = 0; i < STREAMS; i++)
            if (fds[WATCH_OUT + i].revents != 0)
                read_some(c, i, READ_ROOM);
        if (c->pidfd < 0 || fds[WATCH_CHILD].revents != 0)
            look_at_leader(c);
        if (fds[WATCH_STOP].revents != 0) {
            c->told_stop = true;
            outputs_announce_stop(c->outputs);
        }
        if (!c->asked && !c->ended &&
            (weir_task_cancelled(c->task) || fds[WATCH_END].revents != 0 ||
             c->keep_error))
            ask_to_end(c);
        outputs_tick(c->outputs);
    }
}

/* What has been seen would be seen for ever, so it is left out. */
static void set_watches(const struct child *c, struct pollfd *fds)
{
    for (int i = 0; i < WATCHES; i++)
        fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    for (int i = 0; i < STREAMS; i++)
        fds[WATCH_OUT + i].fd = c->pipes[i];
    if (!c->ended)
        fds[WATCH_CHILD].fd = c->pidfd;
    if (!c->asked) {
        fds[WATCH_CANCEL].fd = c->cancel_fd;
        fds[WATCH_END].fd = signals_end_fd();
    }
    if (!c->told_stop)
        fds[WATCH_STOP].fd = signals_stop_fd();
}

static int poll_timeout(const struct child *c)
{
    int timeout = -1;

    if (outputs_want_ticks(c->outputs))
        timeout = PROGRESS_MS;
    if ((c->pidfd < 0 && !c->ended) ||
        (c->may_be_cancelled && c->cancel_fd < 0))
        timeout = c->pipes[STREAM_OUT] < 0 ? SHORT_TICK_MS : TICK_MS;
    if (c->asked) {
        int64_t left_ms = weir_deadline_remaining(c->kill_at) / WEIR_MS(1) + 1;

        if (timeout < 0 || left_ms < timeout)
            timeout = left_ms < 60000 ? (int)left_ms : 60000;
    }
    return timeout;
}

static bool is_over(const struct child *c)
{
    if (!c->asked)
        return c->ended;
    if (c->ended && c->pipes[STREAM_OUT] < 0 && c->pipes[STREAM_ERR] < 0)
        return true;
    return weir_deadline_remaining(c->kill_at) == 0;
}

/* Only looks: reaping would give the number away. */
static void look_at_leader(struct child *c)
{
    siginfo_t info = {.si_pid = 0};

    if (!c->ended &&
        waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        c->ended = info.si_pid == c->pid;
}

static void read_some(struct child *c, int stream, size_t most)
{
    ssize_t got;

    if (most > READ_ROOM)
        most = READ_ROOM;
    got = read(c->pipes[stream], c->buffer, most);
    if (got > 0) {
        keep(c, stream, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(c->pipes[stream]);
        c->pipes[stream] = -1;
    }
}

/* After the first failure the rest is dropped: a gap in the middle would be
 * worse than an end that the task's failure explains. */
static void keep(struct child *c, int stream, size_t length)
{
    if (!c->keep_error)
        c->keep_error =
            outputs_append(c->outputs, c->output, stream, c->buffer, length);
}

/* ----------------------------------------------------------------- ending */

/* A stopped process would take the TERM only when continued. */
static void ask_to_end(struct child *c)
{
    kill(-c->pid, SIGTERM);
    kill(-c->pid, SIGCONT);
    c->asked = true;
    c->kill_at = weir_deadline_after(c->grace_ns);
}

/* Returns the leader's wait status. */
static int finish(struct child *c)
{
    siginfo_t info;
    int status = 0;

    if (c->asked)
        kill(-c->pid, SIGKILL);
    while (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR)
        ;
    for (int i = 0; i < STREAMS; i++)
        drain(c, i);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (c->pidfd >= 0)
        close(c->pidfd);
    return status;
}

/* Reads what the pipe holds now, and no more: somebody in the background may
 * fill it for ever. */
static void drain(struct child *c, int stream)
{
    int held = 0;

    if (c->pipes[stream] < 0)
        return;
    if (ioctl(c->pipes[stream], FIONREAD, &held) != 0)
        held = READ_ROOM;
    while (held > 0 && c->pipes[stream] >= 0) {
        read_some(c, stream, (size_t)held);
        held -= READ_ROOM;
    }
    if (c->pipes[stream] >= 0)
        close(c->pipes[stream]);
    c->pipes[stream] = -1;
}

/* ---------------------------------------------------------------- answers */

static int answer(const struct child *c, int status)
{
    int number;

    if (c->keep_error)
        return weir_task_fail(c->task, STATUS_CANNOT_RUN,
                              "output does not fit --max-buffer and the file "
                              "in %s: %s",
                              store_directory(), strerror(c->keep_error));
    if (WIFSIGNALED(status)) {
        number = WTERMSIG(status);
        return weir_task_fail(c->task, STATUS_SIGNAL + number,
                              "killed by signal %d (%s)", number,
                              strsignal(number));
    }
    number = WEXITSTATUS(status);
    if (number != 0)
        return weir_task_fail(c->task, number, "exit status %d", number);
    if (c->asked)
        return weir_task_fail(c->task, STATUS_SIGNAL + SIGTERM,
                              "exit status 0, but only when told to end");
    return 0;
}

static int refuse(weir_task *task, const char *name, int error)
{
    char shown[64];

    switch (error) {
    case E2BIG:
        return weir_task_fail(task, COMMAND_NO_AVAIL,
                              "not started: %s; one argument holds 131071 "
                              "bytes",
                              strerror(error));
    case ENOENT:
        text_escape(shown, sizeof(shown), name, strlen(name));
        return weir_task_fail(task, STATUS_NOT_FOUND,
                              "not started: '%s', or what interprets it, is "
                              "not there",
                              shown);
    case ENOEXEC:
        return weir_task_fail(task, STATUS_CANNOT_RUN,
                              "not started: %s; a script needs a first line "
                              "such as #!/bin/sh",
                              strerror(error));
    default:
        return weir_task_fail(task, STATUS_CANNOT_RUN, "not started: %s",
                              strerror(error));
    }
}
