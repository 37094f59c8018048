/* SPDX-License-Identifier: MIT */
/* inside.c - see inside.h.  All of it runs in a child. */
#include "process/inside.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"
#include "base/processors.h"
#include "base/spin.h"
#include "base/thread.h"
#include "process/wire.h"
#include "queue/settings.h"
#include "task/task.h"

/* A handler that ignores SIGXCPU is killed so much later. */
#define CPU_GRACE_NS WEIR_SECONDS(1)

/* What a child that cannot go on ends with: as a shell that cannot run
 * something. */
enum { CANNOT_GO_ON = 126 };

/* I: set before the first attempt.  M: the main thread's.  A: atomic. */
static struct {
    int line;                       /* I */
    pid_t self, parent;             /* I */
    sigset_t mask;                  /* I: while an attempt begins */
    struct weir__wire_start start;  /* I */
    struct weir_task task;          /* M, and its own lock */
    struct weir__spin spin;         /* M: for the next attempt */
    void *context;                  /* I */
    struct weir__thread listener;   /* M: runs on_cancel actions */
    struct weir__flag listens;      /* A: it is there */
    struct weir__counter listen_fd; /* A: what wakes it; 0: none yet; then it
                                       stays, for the next one too */
    timer_t cpu_timer, cpu_killer;  /* I: with a limit */
    alignas(max_align_t) unsigned char item[WEIR__MOST_ITEM_BYTES];
    unsigned char data[WEIR__WIRE_DATA_BYTES];
} inside;

WEIR_NO_RETURN static void leave_process(int status)
{
    fflush(NULL);
    _exit(status);
}

/* ----------------------------------------------------------- asked to stop */

static void note_asked(int signal)
{
    int error = errno;

    (void)signal;
    weir__flag_write(&inside.task.cancelled, true);
    weir__event_set(inside.task.cancel_fd);
    if (weir__counter_read(&inside.listen_fd) > 0)
        weir__event_set((int)weir__counter_read(&inside.listen_fd));
    errno = error;
}

static void listen_for_cancel(void *arg)
{
    int fd = (int)weir__counter_read(&inside.listen_fd);

    (void)arg;
    for (;;) {
        weir__event_wait(fd, WEIR_FOREVER);
        weir__event_clear(fd);
        weir__task_act_if_cancelled(&inside.task);
    }
}

/* An action has ended the thread. */
static void listener_left(void *arg)
{
    (void)arg;
    weir__flag_write(&inside.listens, false);
    weir__task_forget_actor(&inside.task);
}

/* For the first on_cancel action there is. */
static weir_status start_own_listener(void)
{
    weir_status status;
    int fd;

    if (weir__flag_read(&inside.listens))
        return WEIR_OK;
    if (weir__counter_read(&inside.listen_fd) == 0) {
        fd = weir__event_create();
        if (fd < 0)
            return weir__refuse(WEIR_ESYSTEM, "no descriptor for on_cancel: "
                                              "close some");
        weir__counter_write(&inside.listen_fd, (uint64_t)fd);
    }
    inside.listener =
        (struct weir__thread){.run = listen_for_cancel, .ended = listener_left};
    weir__thread_set_name(&inside.listener, inside.start.name, "ask");
    weir__flag_write(&inside.listens, true);
    status = weir__thread_start(&inside.listener);
    if (status)
        weir__flag_write(&inside.listens, false);
    return status;
}

/* ------------------------------------------------------------------ answers */

static void say(struct iovec *parts, size_t count)
{
    if (!weir__wire_send(inside.line, parts, count, NULL, 0, 0))
        leave_process(CANNOT_GO_ON); /* nobody is there to be told */
}

static void answer_call(uint64_t sequence)
{
    const struct weir_task *task = &inside.task;
    size_t left = task->result_size;
    unsigned char *at = task->result;
    struct weir__wire_head part = weir__wire_head(WEIR__WIRE_PART, sequence);
    struct weir__wire_answer answer = {.head =
                                           weir__wire_head(WEIR__WIRE_ANSWER,
                                                           sequence),
                                       .code = task->code,
                                       .failed = task->failed,
                                       .ends_series = task->ends_series,
                                       .overloaded = task->overloaded,
                                       .message_size = strlen(task->message),
                                       .result_size = task->result_size};
    struct iovec parts[3];

    for (; left > WEIR__WIRE_PART_BYTES; left -= WEIR__WIRE_PART_BYTES) {
        parts[0] = (struct iovec){&part, sizeof(part)};
        parts[1] = (struct iovec){at, WEIR__WIRE_PART_BYTES};
        say(parts, 2);
        at += WEIR__WIRE_PART_BYTES;
    }
    parts[0] = (struct iovec){&answer, sizeof(answer)};
    parts[1] = (struct iovec){inside.task.message, (size_t)answer.message_size};
    parts[2] = (struct iovec){at, left};
    say(parts, 3);
}

/* ------------------------------------------------------------ an attempt */

static void set_timer(timer_t timer, int64_t ns)
{
    struct itimerspec spec = {.it_value = weir__timespec(ns)};

    timer_settime(timer, 0, &spec, NULL);
}

/* 0: no more. */
static void limit_cpu(int64_t ns)
{
    if (inside.start.cpu_ns == 0)
        return;
    set_timer(inside.cpu_timer, ns);
    set_timer(inside.cpu_killer,
              ns > 0 ? weir__moment_after(ns, CPU_GRACE_NS) : 0);
}

/* Whatever the handler before has made of them.  A SIGTERM that it had blocked
 * comes now, when there is no attempt to stop. */
static void reset_signals(void)
{
    struct sigaction ours = {.sa_handler = note_asked};
    struct sigaction usual = {.sa_handler = SIG_DFL};

    sigaction(SIGTERM, &ours, NULL);
    if (inside.start.cpu_ns > 0)
        sigaction(SIGXCPU, &usual, NULL);
    pthread_sigmask(SIG_SETMASK, &inside.mask, NULL);
}

static void run_call(const struct weir__wire_run *what)
{
    struct weir__attempt attempt = {.id = what->id,
                                    .attempt = what->attempt,
                                    .worker = what->worker,
                                    .context = inside.context,
                                    .deadline = {what->deadline_ns}};

    reset_signals();
    weir__task_begin(&inside.task, &attempt);
    limit_cpu(inside.start.cpu_ns);
    weir__task_run(&inside.task, what->handler,
                   what->has_item ? inside.item : NULL, true);
    if (getpid() != inside.self) /* a copy of it has returned, too */
        _exit(0);
    weir__task_end(&inside.task);
    limit_cpu(0);
    answer_call(what->head.sequence);
}

static ptrdiff_t receive_run(struct weir__wire_run *what, int flags)
{
    struct iovec parts[] = {{what, sizeof(*what)},
                            {inside.item, sizeof(inside.item)}};

    return weir__wire_receive(inside.line, parts, 2, NULL, NULL, flags);
}

static bool is_not_there_yet(ptrdiff_t got)
{
    return got < 0 && errno == EAGAIN;
}

/* The next attempt; looks for it for a while before it sleeps. */
static ptrdiff_t await_run(struct weir__wire_run *what)
{
    struct weir__spinner spinner = {0};
    ptrdiff_t got = receive_run(what, MSG_DONTWAIT);
    int64_t parked_ns;

    while (is_not_there_yet(got) && weir__spin_on(&inside.spin, &spinner))
        got = receive_run(what, MSG_DONTWAIT);
    weir__spin_end(&inside.spin, &spinner, !is_not_there_yet(got));
    if (!is_not_there_yet(got))
        return got;
    parked_ns = weir__now();
    got = receive_run(what, 0);
    weir__spin_learn(&inside.spin, weir__now() - parked_ns);
    return got;
}

static void serve(void)
{
    struct weir__wire_run what;

    for (;;) {
        ptrdiff_t got = await_run(&what);

        if (got <= 0)
            leave_process(0);
        if (!weir__wire_is(&what, (size_t)got, WEIR__WIRE_RUN, sizeof(what)) ||
            (size_t)got != sizeof(what) + what.item_size)
            leave_process(CANNOT_GO_ON);
        run_call(&what);
    }
}

/* ---------------------------------------------------------------- its start */

static void set_limit(int resource, uint64_t most)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit))
        return;
    if (limit.rlim_max == RLIM_INFINITY || most < limit.rlim_max)
        limit.rlim_max = most;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
}

static bool make_timer(timer_t *timer, int signal)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = signal};

    return timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, timer) == 0;
}

static bool prepare_task(void)
{
    unsigned char *result = weir__allocate((size_t)inside.start.max_result);

    if (!result || weir__task_init(&inside.task, result,
                                   (size_t)inside.start.max_result) != WEIR_OK)
        return false;
    inside.task.cancel_fd = weir__event_create();
    inside.task.start_listener = start_own_listener;
    return inside.task.cancel_fd >= 0;
}

/* As they are to be when an attempt begins. */
static void note_mask(void)
{
    pthread_sigmask(SIG_SETMASK, NULL, &inside.mask);
    sigdelset(&inside.mask, SIGTERM);
    sigdelset(&inside.mask, SIGXCPU);
}

static bool prepare_child(void)
{
    if (!prepare_task())
        return false;
    weir__thread_let_cancel(false);
    weir__thread_wait_exactly();
    weir__spin_init(&inside.spin, weir__processors());
    if (inside.start.cpu_ns > 0 && (!make_timer(&inside.cpu_timer, SIGXCPU) ||
                                    !make_timer(&inside.cpu_killer, SIGKILL)))
        return false;
    note_mask();
    reset_signals();
    prctl(PR_SET_NAME, inside.start.name);
    if (!inside.start.core_dumps)
        set_limit(RLIMIT_CORE, 1); /* 0 does not keep it from a program */
    if (inside.start.memory_bytes > 0)
        set_limit(RLIMIT_AS, inside.start.memory_bytes);
    return true;
}

static bool read_start(void)
{
    struct iovec parts[] = {{&inside.start, sizeof(inside.start)},
                            {inside.data, sizeof(inside.data)}};
    ptrdiff_t got = weir__wire_receive(inside.line, parts, 2, NULL, NULL, 0);

    return got > 0 &&
           weir__wire_is(&inside.start, (size_t)got, WEIR__WIRE_START,
                         sizeof(inside.start)) &&
           (size_t)got == sizeof(inside.start) + inside.start.data_size;
}

/* Something in it has ended its thread. */
static void thread_left(void *arg)
{
    (void)arg;
    if (weir_task_current() == &inside.task)
        weir__task_end(&inside.task);
    leave_process(0);
}

static void greet_and_serve(void)
{
    struct weir__wire_head ready = weir__wire_head(WEIR__WIRE_READY, 0);

    if (inside.start.child_start)
        inside.context =
            inside.start.child_start(inside.start.data_size > 0 ? inside.data
                                                                : NULL,
                                     (size_t)inside.start.data_size,
                                     inside.start.worker);
    /* A change of rights in child_start clears this, so it is set again. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != inside.parent)
        leave_process(CANNOT_GO_ON);
    if (!weir__wire_say(inside.line, &ready, sizeof(ready)))
        leave_process(CANNOT_GO_ON);
    serve();
}

/* The macros nest deeper than we do. */
/* NOLINTNEXTLINE(readability-function-size) */
WEIR_NO_RETURN void weir__inside_live(int line)
{
    inside.line = line;
    inside.self = getpid();
    inside.parent = getppid();
    if (!read_start() || !prepare_child())
        leave_process(CANNOT_GO_ON);
    pthread_cleanup_push(thread_left, NULL);
    greet_and_serve();
    pthread_cleanup_pop(0);
    leave_process(0);
}
