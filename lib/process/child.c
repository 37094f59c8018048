/* SPDX-License-Identifier: MIT */
/* child.c - see child.h. */
#include "process/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"
#include "base/options.h"
#include "process/start.h"

/* How long a child has to leave by itself. */
#define RETIRE_NS WEIR_SECONDS(1)

/* Linux 6.9; glibc does not know it. */
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
# define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)
#endif

/* ---------------------------------------------------------------- settings */

weir_status weir__child_settings_read(struct weir__child_settings *into,
                                      const weir_process_options *options)
{
    weir_process_options *o = &into->options;
    weir_status status =
        weir__options_read(o, sizeof(*o), options, "weir_process_options");

    if (status)
        return status;
    if (o->cpu_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "process.cpu_ns is negative: 0 means no limit");
    if (o->start_data_size > sizeof(into->data))
        return weir__refuse(WEIR_EINVAL,
                            "process.start_data_size %zu is above %zu: have "
                            "child_start read more by itself",
                            o->start_data_size, sizeof(into->data));
    if (o->start_data_size > 0 && !o->start_data)
        return weir__refuse(WEIR_EINVAL,
                            "process.start_data is NULL, but its size is %zu",
                            o->start_data_size);
    if (o->start_data && !o->child_start)
        return weir__refuse(WEIR_EINVAL,
                            "process.start_data without child_start: nobody "
                            "reads it, set child_start too");
    status = weir__server_check();
    if (status)
        return status;
    if (o->child_start)
        status = weir__server_check_code((uintptr_t)o->child_start,
                                         "process.child_start");
    if (status)
        return status;
    if (o->start_data_size > 0)
        memcpy(into->data, o->start_data, o->start_data_size);
    o->start_data = o->start_data_size > 0 ? into->data : NULL;
    return WEIR_OK;
}

/* ------------------------------------------------------------------ waiting */

bool weir__child_await(struct pollfd *what, size_t count, int64_t until_ns)
{
    return weir__event_poll(what, count, (weir_deadline){until_ns});
}

bool weir__child_is_urgent(const struct weir__child *child,
                           const struct weir_task *task)
{
    return weir__flag_read(&child->hurry) ||
           (task && weir__flag_read(&task->cancelled));
}

bool weir__child_hear_report(struct weir__child *child,
                             struct weir__wire_report *said, int *fd)
{
    struct pollfd report = {.fd = child->report, .events = POLLIN};
    struct iovec part = {said, sizeof(*said)};
    size_t count = fd ? 1 : 0;
    ptrdiff_t got;

    if (child->report < 0) {
        errno = EPIPE;
        return false;
    }
    if (!weir__child_await(&report, 1,
                           weir__child_moment_in(WEIR__SERVER_PATIENCE_NS))) {
        errno = ETIMEDOUT;
        return false;
    }
    got = weir__wire_receive(child->report, &part, 1, fd, &count, 0);
    if (got == (ptrdiff_t)sizeof(*said) && (!fd || count == 1) &&
        weir__wire_is(said, sizeof(*said), said->head.kind, sizeof(*said)))
        return true;
    if (got >= 0) {
        weir__server_look();
        errno = got > 0 ? EMFILE : EPIPE;
    }
    return false;
}

static bool send_kill(const struct weir__child *child, unsigned flags)
{
    return syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, flags) ==
           0;
}

static void close_report(struct weir__child *child)
{
    if (child->report < 0)
        return;
    shutdown(child->report, SHUT_RDWR); /* whoever forked has it too */
    close(child->report);
    child->report = -1;
}

/* With its group, where the system can; the server does that, too.  If we may
 * not, since this process has other rights now than when the server was
 * started, the server is to: it does when nobody wants to hear of the child. */
void weir__child_kill(struct weir__child *child)
{
    if (!send_kill(child, PIDFD_SIGNAL_PROCESS_GROUP) && !send_kill(child, 0) &&
        errno == EPERM)
        close_report(child);
}

/* --------------------------------------------------------------- its death */

void weir__child_let_go(struct weir__child *child)
{
    if (child->line >= 0)
        close(child->line);
    close_report(child);
    if (child->pidfd >= 0)
        close(child->pidfd);
    child->line = child->report = child->pidfd = -1;
    child->pid = 0;
}

/* It has ended, or will at once. */
struct weir__death weir__child_bury(struct weir__child *child)
{
    struct weir__wire_report said;
    struct weir__death death = {.known = false};

    while (!death.known && weir__child_hear_report(child, &said, NULL)) {
        death.known = said.head.kind == WEIR__WIRE_ENDED;
        death.how = said.how;
        death.status = said.status;
    }
    if (!death.known && child->pidfd >= 0)
        weir__child_kill(child);
    weir__child_let_go(child);
    return death;
}

void weir__child_word_death(const struct weir__death *death, pid_t pid,
                            char *into, size_t room)
{
    if (!death->known)
        snprintf(into, room,
                 "the fork server has ended or does not answer; its child %d "
                 "has been killed",
                 (int)pid);
    else if (death->how == CLD_EXITED)
        snprintf(into, room, "child %d exited with status %d", (int)pid,
                 death->status);
    else
        snprintf(into, room, "child %d was ended by signal %d (%s)", (int)pid,
                 death->status, strsignal(death->status));
}

/* -------------------------------------------------------------------- life */

bool weir__child_init(struct weir__child *child,
                      const struct weir__child_settings *settings,
                      struct weir__spin *spin, uint32_t worker, int wake_fd)
{
    *child = (struct weir__child){.settings = settings,
                                  .spin = spin,
                                  .worker = worker,
                                  .wake_fd = wake_fd,
                                  .line = -1,
                                  .report = -1,
                                  .pidfd = -1};
    child->buffer = weir__allocate(WEIR__CHILD_BUFFER_BYTES);
    return child->buffer != NULL;
}

void weir__child_dispose(struct weir__child *child)
{
    weir__release(child->buffer);
}

void weir__child_hurry(struct weir__child *child)
{
    weir__flag_write(&child->hurry, true);
    weir__event_set(child->wake_fd);
}

/* Two pairs of sockets, whose far ends go to the server. */
static bool spawn(struct weir__child *child)
{
    int line[2], report[2], error;
    bool asked;

    if (weir__wire_pair(line))
        return false;
    if (weir__wire_pair(report)) {
        error = errno;
        close(line[0]);
        close(line[1]);
        errno = error;
        return false;
    }
    asked = weir__server_spawn(report[1], line[1], child->wake_fd);
    error = errno;
    close(line[1]);
    close(report[1]);
    child->line = line[0];
    child->report = report[0];
    if (!asked)
        weir__child_let_go(child);
    errno = error;
    return asked;
}

/* With the pidfd, that finds no place where descriptors are used up. */
static bool hear_started(struct weir__child *child)
{
    struct weir__wire_report said = {.pid = 0};
    int fd = -1;
    bool heard = weir__child_hear_report(child, &said, &fd);

    if (heard && fd >= 0 && said.head.kind == WEIR__WIRE_STARTED) {
        child->pid = said.pid;
        child->pidfd = fd;
        return true;
    }
    if (fd >= 0)
        close(fd);
    if (said.head.kind == WEIR__WIRE_REFUSED)
        errno = said.error;
    return false;
}

static bool send_start(struct weir__child *child)
{
    const struct weir__child_settings *settings = child->settings;
    const weir_process_options *o = &settings->options;
    struct weir__wire_start start = {.head =
                                         weir__wire_head(WEIR__WIRE_START, 0),
                                     .memory_bytes = o->memory_bytes,
                                     .cpu_ns = o->cpu_ns,
                                     .max_result = settings->max_result,
                                     .data_size = o->start_data_size,
                                     .child_start = o->child_start,
                                     .worker = child->worker,
                                     .core_dumps = o->core_dumps};
    struct iovec parts[] = {{&start, sizeof(start)},
                            {(void *)o->start_data, o->start_data_size}};

    snprintf(start.name, sizeof(start.name), "%s/%u", settings->name,
             (unsigned)child->worker);
    return weir__wire_send(child->line, parts, 2, NULL, 0, 0);
}

static bool hear_ready(struct weir__child *child)
{
    struct weir__wire_head said;
    struct iovec part = {&said, sizeof(said)};
    ptrdiff_t got =
        weir__wire_receive(child->line, &part, 1, NULL, NULL, MSG_DONTWAIT);

    return got > 0 &&
           weir__wire_is(&said, (size_t)got, WEIR__WIRE_READY, sizeof(said));
}

/* Until child_start has returned, which may last. */
static weir_status
await_ready(struct weir__child *child, const struct weir_task *task)
{
    struct pollfd what[] = {{.fd = child->line, .events = POLLIN},
                            {.fd = child->pidfd, .events = POLLIN},
                            {.fd = child->wake_fd, .events = POLLIN}};
    weir_status status = WEIR_ESYSTEM;
    pid_t pid = child->pid;
    struct weir__death death;

    for (;;) {
        weir__event_clear(child->wake_fd);
        if (weir__child_is_urgent(child, task)) {
            status = WEIR_CANCELLED;
            break;
        }
        weir__child_await(what, 3, INT64_MAX);
        if (what[0].revents) {
            if (hear_ready(child))
                return WEIR_OK;
            break;
        }
        if (what[1].revents)
            break;
    }
    /* Its line ends before it does: an end of its own is not to be ours. */
    if (status == WEIR_CANCELLED ||
        !weir__child_await(&what[1], 1,
                           weir__child_moment_in(WEIR__CHILD_DYING_NS)))
        weir__child_kill(child);
    death = weir__child_bury(child);
    weir__child_word_death(&death, pid, child->why, sizeof(child->why));
    child->error = ECHILD;
    return status;
}

/* Words for what kept it from starting. */
static weir_status note_why(struct weir__child *child, int error)
{
    snprintf(child->why, sizeof(child->why), "%s",
             weir__server_look() ? "the fork server has ended"
                                 : strerror(error));
    child->error = error;
    return WEIR_ESYSTEM;
}

weir_status
weir__child_start_for(struct weir__child *child, const struct weir_task *task)
{
    weir_status status;
    int error;

    weir__event_clear(child->wake_fd);
    if (weir__child_is_urgent(child, task))
        return WEIR_CANCELLED;
    if (!spawn(child))
        return weir__child_is_urgent(child, task) ? WEIR_CANCELLED
                                                  : note_why(child, errno);
    if (hear_started(child) && send_start(child)) {
        child->tasks = 0;
        status = await_ready(child, task);
        if (!status)
            child->started = child->pid;
        return status;
    }
    error = errno;
    weir__child_let_go(child); /* the server ends what there is */
    return note_why(child, error);
}

weir_status weir__child_start(struct weir__child *child)
{
    return weir__child_start_for(child, NULL);
}

bool weir__child_has_ended(const struct weir__child *child)
{
    struct pollfd end = {.fd = child->pidfd, .events = POLLIN};

    return weir__child_is_there(child) && poll(&end, 1, 0) > 0;
}

bool weir__child_look(struct weir__child *child)
{
    if (weir__child_has_ended(child))
        weir__child_bury(child);
    return weir__child_is_there(child);
}

void weir__child_retire(struct weir__child *child)
{
    struct pollfd end = {.fd = child->pidfd, .events = POLLIN};

    if (!weir__child_is_there(child))
        return;
    shutdown(child->line, SHUT_RDWR); /* whoever forked has it too */
    close(child->line);
    child->line = -1;
    if (!weir__child_await(&end, 1, weir__child_moment_in(RETIRE_NS)))
        weir__child_kill(child);
    weir__child_bury(child);
}
