/* SPDX-License-Identifier: MIT */
/* start.c - see start.h. */
#include "process/start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/fork.h"
#include "base/thread.h"
#include "base/trap.h"
#include "process/ranges.h"
#include "process/server.h"
#include "process/wire.h"

/* The thread sanitizer has threads of its own: one, and one more in a child of
 * fork(). */
#ifdef __SANITIZE_THREAD__
enum { OWN_THREADS = 3 };
#else
enum { OWN_THREADS = 1 };
#endif

/* Of half a millisecond, for a thread to be gone. */
enum { MOST_NAPS = 40 };

/* Written while there is one thread; then read by all. */
static struct {
    bool started;
    uint64_t generation; /* of the process whose it is */
    int control;
    struct weir__ranges ranges;
    struct weir__flag lost; /* A */
} server;

static bool server_is_ours(void)
{
    return server.started && !weir__is_forked(server.generation);
}

/* ------------------------------------------------------------------ knowing */

bool weir__server_is_lost(void)
{
    return server_is_ours() && weir__flag_read(&server.lost);
}

bool weir__server_look(void)
{
    struct pollfd control = {.fd = server.control};
    bool could = weir__thread_let_cancel(false); /* poll is where it acts */

    if (server_is_ours() && poll(&control, 1, 0) > 0)
        weir__flag_write(&server.lost, true);
    weir__thread_let_cancel(could);
    return weir__server_is_lost();
}

weir_status weir__server_check(void)
{
    if (!server_is_ours())
        return weir__refuse(WEIR_EINVAL,
                            "WEIR_ISOLATE_PROCESS without a fork server: call "
                            "weir_process_start() first in main");
    return weir__server_look() ? weir__server_refuse_lost() : WEIR_OK;
}

weir_status weir__server_refuse_lost(void)
{
    errno = ESRCH;
    return weir__refuse(WEIR_ESYSTEM,
                        "the fork server has ended: no child can be started "
                        "any more, begin again in a new process");
}

weir_status weir__server_check_code(uintptr_t function, const char *what)
{
    if (weir__ranges_have(&server.ranges, function))
        return WEIR_OK;
    return weir__refuse(WEIR_EINVAL,
                        "%s was loaded after weir_process_start(): children do "
                        "not have it",
                        what);
}

/* Until there is room for a message again; false with errno. */
static bool await_room(int wake_fd, int64_t until_ns)
{
    struct pollfd what[] = {{.fd = server.control, .events = POLLOUT},
                            {.fd = wake_fd, .events = POLLIN}};

    if (!weir__event_poll(what, 2, (weir_deadline){until_ns})) {
        errno = errno ? errno : ETIMEDOUT;
        return false;
    }
    errno = ECANCELED;
    return !what[1].revents;
}

bool weir__server_spawn(int report, int line, int wake_fd)
{
    struct weir__wire_head head = weir__wire_head(WEIR__WIRE_SPAWN, 0);
    struct iovec part = {&head, sizeof(head)};
    const int fds[] = {report, line};
    int64_t until_ns =
        weir__moment_after(weir__now(), WEIR__SERVER_PATIENCE_NS);

    do
        if (weir__wire_send(server.control, &part, 1, fds, 2, MSG_DONTWAIT))
            return true;
    while (errno == EAGAIN && await_room(wake_fd, until_ns));
    if (errno == EPIPE || errno == ECONNRESET)
        weir__flag_write(&server.lost, true);
    return false;
}

/* ----------------------------------------------------------------- starting */

/* 0: not known. */
static size_t count_tasks(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;

    if (!tasks)
        return 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;)
        count += task->d_name[0] != '.';
    closedir(tasks);
    return count;
}

/* One that has been joined is still listed for a moment. */
static size_t count_threads(void)
{
    size_t count = count_tasks();

    for (int naps = 0; count > OWN_THREADS && naps < MOST_NAPS; naps++) {
        weir__thread_nap(WEIR_US(500));
        count = count_tasks();
    }
    return count;
}

/* The server's parent ends at once, so that it is nobody's child.  False with
 * errno. */
static bool fork_server(int pair[2])
{
    pid_t parent = getpid();
    pid_t pid = weir__fault_strikes() ? -1 : fork();

    if (pid == 0) {
        pid_t server_pid = fork();

        if (server_pid == 0)
            weir__server_live(pair[1], parent);
        _exit(server_pid < 0);
    }
    if (pid < 0)
        return false;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return true;
}

/* Whether it has started; else errno says why not. */
static bool hear_server(int control)
{
    struct weir__wire_report said;
    struct iovec part = {&said, sizeof(said)};
    ptrdiff_t got = weir__wire_receive(control, &part, 1, NULL, NULL, 0);

    if (got > 0 &&
        weir__wire_is(&said, (size_t)got, WEIR__WIRE_STARTED, sizeof(said)))
        return true;
    errno = EAGAIN;
    if (got > 0 &&
        weir__wire_is(&said, (size_t)got, WEIR__WIRE_REFUSED, sizeof(said)))
        errno = said.error;
    return false;
}

static weir_status start_server(void)
{
    int pair[2], error;
    bool started;

    if (weir__wire_pair(pair))
        return weir__refuse(WEIR_ESYSTEM,
                            "no sockets for the fork server: %s; close some "
                            "descriptors",
                            strerror(errno));
    fflush(NULL);
    errno = EAGAIN;
    started = fork_server(pair);
    error = errno;
    close(pair[1]);
    if (started) {
        started = hear_server(pair[0]);
        error = errno;
    }
    if (!started) {
        close(pair[0]);
        errno = error;
        return weir__refuse(WEIR_ESYSTEM,
                            "the fork server did not start: %s; it needs Linux "
                            "5.3, and that processes may be made",
                            strerror(error));
    }
    server.control = pair[0];
    server.generation = weir__fork_generation();
    server.started = true;
    weir__flag_write(&server.lost, false);
    return WEIR_OK;
}

weir_status weir_process_start(void)
{
    WEIR__UNTRAPPED;
    bool could = weir__thread_let_cancel(false);
    weir_status status = WEIR_OK;

    if (server_is_ours()) {
        status = weir__server_check();
    } else if (count_threads() > OWN_THREADS) {
        status =
            weir__refuse(WEIR_EINVAL, "there are threads already: call "
                                      "weir_process_start() first in main");
    } else {
        if (server.started) /* in a child of fork() */
            close(server.control);
        server.started = false;
        weir__memory_settle(); /* the server has a copy of what there is now */
        status = weir__fork_watch();
        if (!status)
            status = weir__ranges_note(&server.ranges);
        if (!status)
            status = start_server();
    }
    weir__thread_let_cancel(could);
    return status;
}
