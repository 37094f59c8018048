/* SPDX-License-Identifier: MIT */
/* server.c - see server.h.  All of it runs in the fork server. */
#include "process/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "process/inside.h"
#include "process/wire.h"

/* Where the one descriptor lies that a server, or a child, keeps beside 0, 1
 * and 2; and how many events are heard of at a time. */
enum { KEPT_FD = 3, EVENTS = 16 };

/* A child that has not been reaped. */
struct unreaped {
    struct unreaped *next;
    pid_t pid;
    int report; /* -1: nobody wants to know any more */
};

static struct {
    pid_t self;
    int control, watch, child_ended, parent_ended;
    struct unreaped *children;
    sigset_t mask;       /* of the process that it was forked from */
    struct rlimit files; /* the same */
    struct sigaction on_child;
} forker;

/* What the watch says that has come, beside children. */
static char control_mark, child_mark, parent_mark;

/* ------------------------------------------------------------- descriptors */

/* Whatever there was is closed, but for `kept`, which moves to KEPT_FD. */
static void close_rest(int kept)
{
    DIR *open_ones;

    if (kept != KEPT_FD) {
        dup2(kept, KEPT_FD);
        close(kept);
    }
    fcntl(KEPT_FD, F_SETFD, FD_CLOEXEC);
    if (syscall(SYS_close_range, KEPT_FD + 1, ~0U, 0) == 0)
        return;
    open_ones = opendir("/proc/self/fd"); /* before Linux 5.9 */
    for (struct dirent *one; open_ones && (one = readdir(open_ones));) {
        int fd = atoi(one->d_name);

        if (fd > KEPT_FD && fd != dirfd(open_ones))
            close(fd);
    }
    if (open_ones)
        closedir(open_ones);
}

/* Input is /dev/null, and so is what is missing, or another would take its
 * place. */
static void fill_standard_fds(void)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0)
        return;
    dup2(null, 0);
    for (int fd = 1; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            dup2(null, fd);
    if (null > 2)
        close(null);
}

static bool watch_fd(int fd, void *mark)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = mark}};

    return epoll_ctl(forker.watch, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ------------------------------------------------------------------ reports */

static void tell_pool(int report, enum weir__wire_kind kind,
                      const struct weir__wire_report *say)
{
    struct weir__wire_report message = *say;

    message.head = weir__wire_head(kind, 0);
    (void)weir__wire_say(report, &message, sizeof(message));
}

static void refuse_spawn(int report, int error)
{
    struct weir__wire_report say = {.error = error};

    tell_pool(report, WEIR__WIRE_REFUSED, &say);
}

static bool tell_started(const struct unreaped *child)
{
    int pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    struct weir__wire_report message = {
        .head = weir__wire_head(WEIR__WIRE_STARTED, 0), .pid = child->pid};
    struct iovec part = {&message, sizeof(message)};
    bool told;

    if (pidfd < 0)
        return false;
    told = weir__wire_send(child->report, &part, 1, &pidfd, 1, 0);
    close(pidfd);
    return told;
}

/* ----------------------------------------------------------------- children */

/* The child is not reaped, so the number is its own. */
static void signal_group(const struct unreaped *child, int signal)
{
    kill(-child->pid, signal);
}

/* To close it is not enough for the watch: a child that was forked just now
 * has it too, for a moment. */
static void close_childs_report(struct unreaped *child)
{
    if (child->report < 0)
        return;
    epoll_ctl(forker.watch, EPOLL_CTL_DEL, child->report, NULL);
    close(child->report);
    child->report = -1;
}

static void give_up_child(struct unreaped *child)
{
    signal_group(child, SIGKILL);
    kill(child->pid, SIGKILL); /* should it have left its group */
    close_childs_report(child);
}

WEIR_NO_RETURN static void be_a_child(int line)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != forker.self)
        _exit(1);
    setpgid(0, 0);
    close_rest(line);
    setrlimit(RLIMIT_NOFILE, &forker.files);
    sigaction(SIGCHLD, &forker.on_child, NULL);
    sigprocmask(SIG_SETMASK, &forker.mask, NULL);
    weir__inside_live(KEPT_FD);
}

static void spawn_child(int report, int line)
{
    struct unreaped *child = weir__allocate(sizeof(*child));
    pid_t pid = -1;

    if (child && !weir__fault_strikes())
        pid = fork();
    else
        errno = child ? EAGAIN : ENOMEM;
    if (pid == 0)
        be_a_child(line);
    close(line);
    if (pid < 0) {
        refuse_spawn(report, errno);
        close(report);
        weir__release(child);
        return;
    }
    setpgid(pid, pid);
    *child = (struct unreaped){forker.children, pid, report};
    forker.children = child;
    if (!watch_fd(report, child) || !tell_started(child)) {
        refuse_spawn(report, errno);
        give_up_child(child);
    }
}

static void forget_child(struct unreaped *child)
{
    struct unreaped **link = &forker.children;

    while (*link != child)
        link = &(*link)->next;
    *link = child->next;
    close_childs_report(child);
    weir__release(child);
}

static struct unreaped *find_child(pid_t pid)
{
    struct unreaped *child = forker.children;

    while (child && child->pid != pid)
        child = child->next;
    return child;
}

/* One that has ended, if there is one. */
static bool reap(int options)
{
    siginfo_t info = {.si_pid = 0};
    struct weir__wire_report say = {.pid = 0};
    struct unreaped *child;

    if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | options) ||
        info.si_pid == 0)
        return false;
    child = find_child(info.si_pid);
    if (child)
        signal_group(child, SIGKILL);
    waitid(P_PID, (id_t)info.si_pid, &info, WEXITED);
    if (!child)
        return true; /* a grandchild that was handed to us */
    say.pid = child->pid;
    say.how = info.si_code;
    say.status = info.si_status;
    if (child->report >= 0)
        tell_pool(child->report, WEIR__WIRE_ENDED, &say);
    forget_child(child);
    return true;
}

static void reap_all(void)
{
    struct signalfd_siginfo what;

    while (read(forker.child_ended, &what, sizeof(what)) > 0)
        continue;
    while (reap(WNOHANG))
        continue;
}

/* ----------------------------------------------------------------- messages */

WEIR_NO_RETURN static void end_server(void)
{
    for (struct unreaped *child = forker.children; child; child = child->next) {
        signal_group(child, SIGKILL);
        kill(child->pid, SIGKILL);
    }
    while (forker.children && reap(0))
        continue;
    _exit(0);
}

static void hear_control(void)
{
    struct weir__wire_head head;
    struct iovec part = {&head, sizeof(head)};
    int fds[2];
    size_t count = 2;
    ptrdiff_t got =
        weir__wire_receive(forker.control, &part, 1, fds, &count, MSG_DONTWAIT);

    if (got == 0)
        end_server();
    if (got > 0 && count == 2 &&
        weir__wire_is(&head, (size_t)got, WEIR__WIRE_SPAWN, sizeof(head))) {
        spawn_child(fds[0], fds[1]);
        return;
    }
    if (got < 0 && errno == EAGAIN)
        return;
    if (count > 0)
        refuse_spawn(fds[0], EMFILE);
    while (count > 0)
        close(fds[--count]);
}

/* The pool asks the child to stop, or has given it up.  A stopped one is to
 * hear of it too. */
static void hear_report(struct unreaped *child)
{
    struct weir__wire_report message;
    struct iovec part = {&message, sizeof(message)};
    struct weir__wire_report say = {.pid = child->pid};
    ptrdiff_t got;

    if (child->report < 0)
        return;
    got = weir__wire_receive(child->report, &part, 1, NULL, NULL, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !weir__wire_is(&message, (size_t)got, WEIR__WIRE_ASK,
                                   sizeof(message))) {
        give_up_child(child);
        return;
    }
    signal_group(child, SIGTERM);
    signal_group(child, SIGCONT);
    tell_pool(child->report, WEIR__WIRE_ASKED, &say);
}

/* Children last: what came before their end is heard before they are gone. */
static void hear_all(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(forker.watch, events, EVENTS, -1);
    bool some_ended = false;

    if (count < 0 && errno != EINTR)
        end_server(); /* it would be deaf for ever */
    for (int i = 0; i < count; i++) {
        void *mark = events[i].data.ptr;

        if (mark == &parent_mark)
            end_server();
        if (mark == &control_mark)
            hear_control();
        else if (mark == &child_mark)
            some_ended = true;
        else
            hear_report(mark);
    }
    if (some_ended)
        reap_all();
}

/* -------------------------------------------------------------------- start */

static bool prepare_server(pid_t parent)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct rlimit most;
    sigset_t all, ended;

    forker.self = getpid();
    forker.control = KEPT_FD;
    setsid();
    prctl(PR_SET_NAME, "weir-server");
    prctl(PR_SET_CHILD_SUBREAPER, 1UL);
    getrlimit(RLIMIT_NOFILE, &forker.files);
    most = forker.files;
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &forker.mask);
    sigaction(SIGCHLD, &usual, &forker.on_child);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    forker.child_ended = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
    forker.parent_ended = (int)syscall(SYS_pidfd_open, parent, 0);
    forker.watch = epoll_create1(EPOLL_CLOEXEC);
    return forker.child_ended >= 0 && forker.parent_ended >= 0 &&
           forker.watch >= 0 && watch_fd(forker.control, &control_mark) &&
           watch_fd(forker.child_ended, &child_mark) &&
           watch_fd(forker.parent_ended, &parent_mark);
}

WEIR_NO_RETURN void weir__server_live(int control, pid_t parent)
{
    struct weir__wire_report say = {.pid = getpid()};

    close_rest(control);
    fill_standard_fds();
    if (!prepare_server(parent)) {
        refuse_spawn(KEPT_FD, errno);
        _exit(1);
    }
    tell_pool(KEPT_FD, WEIR__WIRE_STARTED, &say);
    for (;;)
        hear_all();
}
