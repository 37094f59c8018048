/* SPDX-License-Identifier: MIT */
/* attempt.c - an attempt in a child: the worker's part; see child.h. */
#include "process/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/event.h"
#include "process/start.h"

/* Until a start is tried again; and how long one that was killed is awaited
 * when there is no time, before it is left to the server. */
#define AGAIN_NS   WEIR_MS(50)
#define GIVE_UP_NS WEIR_SECONDS(1)

/* What the worker has seen and done while it waits. */
struct progress {
    bool asked;         /* the server, to send SIGTERM */
    bool killed;        /* by us, as the attempt was to stop */
    const char *broken; /* by us, since this is wrong with the child */
    bool line_over;     /* it has closed its end */
    bool unread;        /* and had not read what was sent */
    int64_t until_ns;   /* when the next step is due */
    size_t result_size; /* of the parts that have come */
};

/* ---------------------------------------------------------------- its end */

static void note_end_without_answer(struct weir_task *task, int code)
{
    task->failed = true;
    task->code = code;
    task->result_size = 0;
}

static enum weir__ending note_lost_server(struct weir_task *task)
{
    note_end_without_answer(task, SIGKILL);
    snprintf(task->message, sizeof(task->message),
             "the fork server has ended: there is no child to run it");
    return WEIR__CHILD_CRASHED;
}

static enum weir__ending
note_death(const struct progress *progress, const struct weir__death *death,
           pid_t pid, struct weir_task *task)
{
    bool by_signal = death->known && death->how != CLD_EXITED;
    int code = death->known ? death->status : SIGKILL;

    if (progress->killed || (progress->asked && by_signal && code == SIGTERM))
        return WEIR__CHILD_KILLED;
    note_end_without_answer(task, code);
    weir__child_word_death(death, pid, task->message, sizeof(task->message));
    if (progress->broken)
        snprintf(task->message, sizeof(task->message),
                 "child %d %s, and was killed", (int)pid, progress->broken);
    return death->known && !by_signal ? WEIR__CHILD_EXITED
                                      : WEIR__CHILD_CRASHED;
}

/* ------------------------------------------------------------- what it says */

static bool take_part(struct weir_task *task, struct progress *progress,
                      const unsigned char *bytes, size_t size)
{
    if (size > task->result_room - progress->result_size)
        return false;
    if (size > 0)
        memcpy(task->result + progress->result_size, bytes, size);
    progress->result_size += size;
    return true;
}

static bool take_answer(struct weir_task *task, struct progress *progress,
                        const unsigned char *message, size_t got)
{
    struct weir__wire_answer answer;
    const unsigned char *text = message + sizeof(answer);

    memcpy(&answer, message, sizeof(answer));
    got -= sizeof(answer);
    if (answer.failed > 1 || answer.ends_series > 1 || answer.overloaded > 1 ||
        answer.message_size >= sizeof(task->message) ||
        answer.message_size > got ||
        !take_part(task, progress, text + answer.message_size,
                   got - (size_t)answer.message_size) ||
        answer.result_size != progress->result_size)
        return false;
    memcpy(task->message, text, (size_t)answer.message_size);
    task->message[answer.message_size] = '\0';
    task->failed = answer.failed != 0;
    task->ends_series = answer.ends_series != 0;
    task->overloaded = answer.overloaded != 0;
    task->code = answer.code;
    task->result_size = progress->result_size;
    return true;
}

static ptrdiff_t receive_line(struct weir__child *child)
{
    struct iovec part = {child->buffer, WEIR__CHILD_BUFFER_BYTES};

    return weir__wire_receive(child->line, &part, 1, NULL, NULL, MSG_DONTWAIT);
}

/* The system may say that the line is over just before it notes that something
 * was left unread, and says that the next time. */
static void note_end_of_line(struct weir__child *child,
                             struct progress *progress, ptrdiff_t got)
{
    if (got == 0)
        got = receive_line(child);
    progress->line_over = true;
    progress->unread = got < 0 && errno == ECONNRESET;
    progress->until_ns = weir__child_moment_in(WEIR__CHILD_DYING_NS);
}

/* Whether the answer has come. */
static bool hear_line(struct weir__child *child, struct weir_task *task,
                      struct progress *progress)
{
    struct weir__wire_head head;
    ptrdiff_t got = receive_line(child);

    if (got < 0 && errno == EAGAIN)
        return false;
    if (got == 0 || (got < 0 && errno != EMSGSIZE)) {
        note_end_of_line(child, progress, got);
        return false;
    }
    if (got >= (ptrdiff_t)sizeof(head)) {
        memcpy(&head, child->buffer, sizeof(head));
        if (head.sequence == child->sequence &&
            weir__wire_is(child->buffer, (size_t)got, WEIR__WIRE_PART,
                          sizeof(head)) &&
            (size_t)got == sizeof(head) + WEIR__WIRE_PART_BYTES &&
            take_part(task, progress, child->buffer + sizeof(head),
                      (size_t)got - sizeof(head)))
            return false;
        if (head.sequence == child->sequence &&
            weir__wire_is(child->buffer, (size_t)got, WEIR__WIRE_ANSWER,
                          sizeof(struct weir__wire_answer)) &&
            take_answer(task, progress, child->buffer, (size_t)got))
            return true;
    }
    progress->broken = "sent what is no answer";
    progress->until_ns = INT64_MAX;
    weir__child_kill(child);
    return false;
}

/* ------------------------------------------------------------------ waiting */

static void kill_now(struct weir__child *child, struct progress *progress)
{
    weir__child_kill(child);
    progress->killed = true;
    progress->until_ns = weir__flag_read(&child->hurry)
                             ? weir__child_moment_in(GIVE_UP_NS)
                             : INT64_MAX;
}

/* Its event has woken us: asks the child to stop, or kills it, if the attempt
 * is to stop or the child to hurry. */
static void stop_it(struct weir__child *child, const struct weir_task *task,
                    struct progress *progress)
{
    struct weir__wire_report ask = {.head = weir__wire_head(WEIR__WIRE_ASK, 0)};
    int64_t grace_ns = child->settings->grace_ns;

    weir__event_clear(child->wake_fd);
    if (!weir__child_is_urgent(child, task) ||
        ((progress->broken || progress->killed) &&
         !weir__flag_read(&child->hurry)))
        return;
    if (grace_ns == 0 || weir__flag_read(&child->hurry) ||
        (!progress->asked &&
         !weir__wire_say(child->report, &ask, sizeof(ask)))) {
        kill_now(child, progress);
    } else if (!progress->asked) {
        progress->asked = true;
        progress->until_ns = weir__child_moment_in(grace_ns);
    }
}

/* False: it is not to be waited for any longer. */
static bool pass_time(struct weir__child *child, struct progress *progress)
{
    if (progress->killed || progress->broken)
        return false;
    if (progress->asked) {
        kill_now(child, progress);
        return true;
    }
    progress->broken = "closed its line to the pool";
    progress->until_ns = INT64_MAX;
    weir__child_kill(child);
    return true;
}

/* Whether the answer has come, or something else with the line, after looking
 * for a while; some tasks take less than it takes to wake up. */
static bool spin_for_line(struct weir__child *child, struct weir_task *task,
                          struct progress *progress)
{
    struct weir__spinner spinner = {0};
    bool came = false;

    while (!came && !progress->line_over && !progress->broken &&
           !weir__child_is_urgent(child, task) &&
           weir__spin_on(child->spin, &spinner))
        came = hear_line(child, task, progress);
    weir__spin_end(child->spin, &spinner, came);
    return came;
}

/* The same, having slept since then. */
static bool hear_line_after(struct weir__child *child, struct weir_task *task,
                            struct progress *progress, int64_t parked_ns)
{
    if (!hear_line(child, task, progress))
        return false;
    weir__spin_learn(child->spin, weir__now() - parked_ns);
    return true;
}

/* Until it has answered (true), or has ended or is given up. */
static bool await_answer(struct weir__child *child, struct weir_task *task,
                         struct progress *progress, bool *ended)
{
    struct pollfd what[] = {{.fd = child->line, .events = POLLIN},
                            {.fd = child->pidfd, .events = POLLIN},
                            {.fd = child->wake_fd, .events = POLLIN}};
    int64_t parked_ns;

    progress->until_ns = INT64_MAX;
    if (spin_for_line(child, task, progress))
        return true;
    if (weir__flag_read(&child->hurry))
        stop_it(child, task, progress);
    parked_ns = weir__now();
    for (;;) {
        bool deaf = progress->killed || progress->broken || progress->line_over;

        what[0].fd = deaf ? -1 : child->line;
        if (!weir__child_await(what, 3, progress->until_ns)) {
            if (!pass_time(child, progress))
                return false;
        } else if (!deaf && what[0].revents) {
            if (hear_line_after(child, task, progress, parked_ns))
                return true;
        } else if (what[1].revents) {
            *ended = true;
            return false;
        } else {
            stop_it(child, task, progress);
        }
    }
}

/* The signal that was asked for has been sent: the next attempt will not get
 * it. */
static bool is_settled(struct weir__child *child)
{
    struct weir__wire_report said;

    return weir__child_hear_report(child, &said, NULL) &&
           said.head.kind == WEIR__WIRE_ASKED;
}

/* ------------------------------------------------------------------ running */

static bool send_run(struct weir__child *child, const struct weir_task *task,
                     const struct weir__child_call *call)
{
    struct weir__wire_run run = {.head = weir__wire_head(WEIR__WIRE_RUN,
                                                         ++child->sequence),
                                 .handler = call->handler,
                                 .id = task->id,
                                 .deadline_ns = task->deadline.at_ns,
                                 .attempt = task->attempt,
                                 .worker = task->worker,
                                 .item_size = call->item ? call->item_size : 0,
                                 .has_item = call->item != NULL};
    struct iovec parts[] = {{&run, sizeof(run)},
                            {(void *)call->item, (size_t)run.item_size}};

    return weir__wire_send(child->line, parts, 2, NULL, 0, 0);
}

/* Until there is a child; false: *ending says why there is none. */
static bool get_child(struct weir__child *child, struct weir_task *task,
                      enum weir__ending *ending)
{
    struct pollfd wake = {.fd = child->wake_fd, .events = POLLIN};

    while (!weir__child_is_there(child)) {
        weir_status status = weir__child_start_for(child, task);

        if (status == WEIR_ESYSTEM && weir__server_is_lost()) {
            *ending = note_lost_server(task);
            return false;
        }
        if (status == WEIR_ESYSTEM)
            weir__child_await(&wake, 1, weir__child_moment_in(AGAIN_NS));
        if (status != WEIR_OK && weir__child_is_urgent(child, task)) {
            *ending = WEIR__CHILD_KILLED;
            return false;
        }
    }
    return true;
}

/* False: the child has ended, and had not begun. */
static bool
run_once(struct weir__child *child, struct weir_task *task,
         const struct weir__child_call *call, enum weir__ending *ending)
{
    struct progress progress = {.asked = false};
    struct weir__death death = {.known = false};
    pid_t pid = child->pid;
    bool ended = false;

    *ending = WEIR__ANSWERED;
    if (!send_run(child, task, call)) {
        weir__child_kill(child);
        weir__child_bury(child);
        return false;
    }
    if (await_answer(child, task, &progress, &ended)) {
        child->tasks++;
        if (progress.asked && !is_settled(child)) {
            weir__child_kill(child);
            weir__child_bury(child);
        }
        return true;
    }
    if (ended)
        death = weir__child_bury(child);
    else
        weir__child_let_go(child);
    if (progress.unread && !progress.killed && !progress.broken)
        return false;
    *ending = note_death(&progress, &death, pid, task);
    return true;
}

enum weir__ending
weir__child_run(struct weir__child *child, struct weir_task *task,
                const struct weir__child_call *call)
{
    struct pollfd wake = {.fd = child->wake_fd, .events = POLLIN};
    enum weir__ending ending;
    bool again = false;

    for (;;) {
        if (!get_child(child, task, &ending))
            return ending;
        if (run_once(child, task, call, &ending))
            return ending;
        if (again) /* children that end as soon as they have begun */
            weir__child_await(&wake, 1, weir__child_moment_in(AGAIN_NS));
        again = true;
    }
}
