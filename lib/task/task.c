/* SPDX-License-Identifier: MIT */
/* task.c - see task.h. */
#include "task/task.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"
#include "base/thread.h"

/* The attempt on this thread; with caller-runs, the innermost. */
static _Thread_local struct weir_task *current_task;

/* ------------------------------------------------------------------ life */

weir_status
weir__task_init(struct weir_task *task, void *result, size_t result_room)
{
    task->cancel_fd = -1;
    task->result = result;
    task->result_room = result_room;
    return weir__mutex_init(&task->lock, WEIR__RANK_TASK);
}

void weir__task_dispose(struct weir_task *task)
{
    if (task->cancel_fd >= 0)
        weir__event_close(task->cancel_fd);
    weir__mutex_dispose(&task->lock);
}

void weir__task_forget_cancel(struct weir_task *task)
{
    weir__mutex_lock(&task->lock);
    if (task->cancel_fd >= 0)
        weir__event_clear(task->cancel_fd);
    weir__flag_write(&task->cancelled, false);
    weir__mutex_unlock(&task->lock);
}

static void
call_handler(struct weir_task *task, weir_handler *handler, void *item)
{
    int code = handler(task, item);

    if (!task->failed)
        task->code = code;
}

static void
call_armed(struct weir_task *task, weir_handler *handler, void *item)
{
    if (_setjmp(task->escape) == 0) {
        weir__trap_arm(task->trap, &task->escape);
        call_handler(task, handler, item);
    }
    weir__trap_disarm(task->trap);
}

static void disarm(void *arg)
{
    weir__trap_disarm(arg);
}

/* The clean-up disarms before the frame is gone, should the handler end its
 * thread; and taking it off takes off what a handler that crashed has left of
 * its own.  Its macros nest deeper than we do. */
/* NOLINTNEXTLINE(readability-function-size) */
static void call_handler_in_a_trap(struct weir_task *task,
                                   weir_handler *handler, void *item)
{
    pthread_cleanup_push(disarm, task->trap);
    call_armed(task, handler, item);
    pthread_cleanup_pop(0);
}

static void run_cleanups(struct weir_task *task)
{
    while (task->cleanup_count > 0) {
        struct weir__cleanup cleanup = task->cleanups[--task->cleanup_count];

        cleanup.run(cleanup.arg);
    }
}

static void await_quiet(struct weir_task *task) WEIR_REQUIRES(task->lock)
{
    struct weir__turn turn = {0};

    while (task->actor && task->actor != weir__thread_self()) {
        weir_status status =
            weir__waitlist_wait(&task->quiet, &task->lock, &turn, WEIR_FOREVER);

        (void)status;
    }
}

static void give_back_holdings(struct weir_task *task)
{
    while (task->holding_count > 0) {
        struct weir__holding holding = task->holdings[--task->holding_count];

        holding.give_back((void *)holding.of, holding.count);
    }
}

/* From here on no action of those there are starts or runs: what clean-ups free
 * no action sees.  Nor does an interrupt come any more. */
static void withdraw_actions(struct weir_task *task)
{
    bool was_sent;

    weir__mutex_lock(&task->lock);
    was_sent = weir__door_close(&task->door);
    task->action_count = 0;
    await_quiet(task);
    weir__mutex_unlock(&task->lock);
    if (was_sent)
        weir__door_settle(&task->door);
}

/* The thread goes on to its end, where the rest follows; but nobody is to touch
 * from now on what the handler was at. */
static bool note_crash(struct weir_task *task)
{
    int number =
        weir__trap_recover(task->trap, task->message, sizeof(task->message));

    if (number == 0)
        return false;
    weir__thread_reset_cancel();
    weir__thread_let_cancel(false);
    task->crashed = true;
    task->failed = true;
    task->code = number;
    task->result_size = 0;
    task->cleanup_count = 0;
    withdraw_actions(task);
    return true;
}

bool weir__task_run(struct weir_task *task, weir_handler *handler, void *item,
                    bool cancellable)
{
    task->outer = current_task;
    current_task = task;
    if (cancellable)
        weir__thread_let_cancel(true);
    if (WEIR_RARELY(task->trap != NULL)) {
        call_handler_in_a_trap(task, handler, item);
        if (note_crash(task))
            return false;
    } else if (_setjmp(task->escape) == 0) {
        call_handler(task, handler, item);
    }
    if (cancellable) {
        weir__thread_reset_cancel();
        weir__thread_test_cancel();
        weir__thread_let_cancel(false);
    }
    return true;
}

void weir__task_run_again(struct weir_task *task, weir_handler *handler,
                          void *item)
{
    current_task = task;
    if (_setjmp(task->escape) == 0)
        call_handler(task, handler, item);
    weir__thread_reset_cancel();
    weir__thread_test_cancel();
    if (!weir__task_is_plain(task))
        weir__task_end(task);
}

void weir__task_end(struct weir_task *task)
{
    withdraw_actions(task);
    run_cleanups(task);
    weir__mutex_lock(&task->lock);
    task->action_count = 0; /* a clean-up's own */
    await_quiet(task);
    task->generation++;
    weir__mutex_unlock(&task->lock);
    if (current_task == task)
        current_task = task->outer;
    give_back_holdings(task);
}

void weir__task_end_plainly(struct weir_task *task)
{
    current_task = task->outer;
}

void weir__task_forget_actor(struct weir_task *task)
{
    weir__mutex_lock(&task->lock);
    if (task->actor == weir__thread_self()) {
        task->actor = NULL;
        weir__waitlist_wake_all(&task->quiet);
    }
    weir__mutex_unlock(&task->lock);
}

void weir__task_answer(const struct weir_task *task, weir_outcome *outcome)
{
    bool done = weir__task_is_done(task);

    outcome->kind = done            ? WEIR_OUTCOME_DONE
                    : task->crashed ? WEIR_OUTCOME_CRASHED
                                    : WEIR_OUTCOME_FAILED;
    outcome->code = task->code;
    outcome->message = task->message;
    outcome->result = task->result_size > 0 ? task->result : NULL;
    outcome->result_size = task->result_size;
}

/* ------------------------------------------------------------ what it holds */

struct weir__holding *weir__task_holding(struct weir_task *task, const void *of)
{
    for (size_t i = 0; i < task->holding_count; i++)
        if (task->holdings[i].of == of)
            return &task->holdings[i];
    return NULL;
}

size_t weir__task_holds(const struct weir_task *task, const void *of)
{
    const struct weir__holding *holding =
        weir__task_holding((struct weir_task *)task, of);

    return holding ? holding->count : 0;
}

weir_status weir__task_hold(struct weir_task *task, const void *of,
                            void (*give_back)(void *of, size_t count),
                            struct weir__holding **holding, bool *is_new)
{
    *holding = weir__task_holding(task, of);
    *is_new = !*holding;
    if (*holding)
        return WEIR_OK;
    if (task->holding_count == WEIR__MOST_HOLDINGS)
        return weir__refuse(WEIR_FULL,
                            "an attempt holds permits of at most %d semaphores",
                            WEIR__MOST_HOLDINGS);
    *holding = &task->holdings[task->holding_count++];
    **holding = (struct weir__holding){.of = of, .give_back = give_back};
    return WEIR_OK;
}

void weir__task_let_go(struct weir_task *task, struct weir__holding *holding)
{
    *holding = task->holdings[--task->holding_count];
}

/* -------------------------------------------------------------- cancelling */

bool weir__task_cancel(struct weir_task *task, uint64_t *generation)
{
    bool has_actions;

    weir__mutex_lock(&task->lock);
    weir__flag_write(&task->cancelled, true);
    weir__waitlist_wake_all(&task->sleepers);
    if (task->cancel_fd >= 0)
        weir__event_set(task->cancel_fd);
    *generation = task->generation;
    has_actions = task->action_count > 0;
    weir__mutex_unlock(&task->lock);
    return has_actions;
}

bool weir__task_interrupt(struct weir_task *task)
{
    bool sent;

    weir__mutex_lock(&task->lock);
    sent = weir__door_send(&task->door);
    weir__mutex_unlock(&task->lock);
    return sent;
}

void weir__task_act(struct weir_task *task, uint64_t generation)
{
    weir__mutex_lock(&task->lock);
    while (task->generation == generation && task->action_count > 0) {
        struct weir__cleanup action = task->actions[--task->action_count];

        task->actor = weir__thread_self();
        weir__mutex_unlock(&task->lock);
        action.run(action.arg);
        weir__mutex_lock(&task->lock);
        task->actor = NULL;
        weir__waitlist_wake_all(&task->quiet);
    }
    weir__mutex_unlock(&task->lock);
}

void weir__task_act_if_cancelled(struct weir_task *task)
{
    uint64_t generation;
    bool cancelled;

    weir__mutex_lock(&task->lock);
    cancelled = weir__flag_read(&task->cancelled);
    generation = task->generation;
    weir__mutex_unlock(&task->lock);
    if (cancelled)
        weir__task_act(task, generation);
}

weir_status
weir_task_on_cancel(weir_task *task, void (*action)(void *arg), void *arg)
{
    WEIR__UNTRAPPED;
    weir_status status = WEIR_OK;
    bool run_now = false;

    if (task->start_listener && action)
        status = task->start_listener();
    if (status)
        return status;
    task->had_actions = true;
    weir__mutex_lock(&task->lock);
    if (!action) {
        task->action_count = 0;
        await_quiet(task);
    } else if (weir__flag_read(&task->cancelled)) {
        run_now = true;
    } else if (task->action_count < WEIR__MOST_CLEANUPS) {
        task->actions[task->action_count++] =
            (struct weir__cleanup){action, arg};
    } else {
        status = WEIR_FULL;
    }
    weir__mutex_unlock(&task->lock);
    if (run_now)
        action(arg);
    if (status)
        return weir__refuse(status, "a task holds at most %d on_cancel actions",
                            WEIR__MOST_CLEANUPS);
    return WEIR_OK;
}

static int create_cancel_fd(void)
{
    if (!weir__fault_strikes())
        return weir__event_create();
    errno = EMFILE;
    return -1;
}

int weir_task_cancel_fd(weir_task *task)
{
    WEIR__UNTRAPPED;
    int fresh = create_cancel_fd();
    int fd;

    if (fresh < 0)
        return -1;
    weir__mutex_lock(&task->lock);
    if (task->cancel_fd < 0) {
        task->cancel_fd = fresh;
        fresh = -1;
        if (weir__flag_read(&task->cancelled))
            weir__event_set(task->cancel_fd);
    }
    fd = task->cancel_fd;
    weir__mutex_unlock(&task->lock);
    if (fresh >= 0)
        weir__event_close(fresh);
    return fd;
}

weir_status weir_task_sleep(weir_task *task, int64_t ns)
{
    WEIR__UNTRAPPED;
    weir_deadline until = weir_deadline_after(ns);
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    if (task->start_listener) { /* a signal wakes nobody from a list */
        weir__event_wait(task->cancel_fd, until);
        return weir__flag_read(&task->cancelled) ? WEIR_CANCELLED : WEIR_OK;
    }
    weir__mutex_lock(&task->lock);
    while (!weir__flag_read(&task->cancelled) && status == WEIR_OK)
        status =
            weir__waitlist_wait(&task->sleepers, &task->lock, &turn, until);
    status = weir__flag_read(&task->cancelled) ? WEIR_CANCELLED : WEIR_OK;
    weir__mutex_unlock(&task->lock);
    return status;
}

/* ------------------------------------------------------------ what it says */

static void note_failure(struct weir_task *task, int code, const char *format,
                         va_list arguments)
{
    task->failed = true;
    task->code = code;
    vsnprintf(task->message, sizeof(task->message), format, arguments);
}

int weir_task_fail(weir_task *task, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note_failure(task, code, format, arguments);
    va_end(arguments);
    return code;
}

void weir_task_raise(weir_task *task, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note_failure(task, code, format, arguments);
    va_end(arguments);
    /* A jump to another thread's stack is certain ruin. */
    if (task != current_task)
        abort();
    (void)weir__trap_hold(); /* until the frame is left */
    withdraw_actions(task);
    run_cleanups(task);
    _longjmp(task->escape, 1);
}

weir_status
weir_task_defer(weir_task *task, void (*cleanup)(void *arg), void *arg)
{
    if (task->cleanup_count == WEIR__MOST_CLEANUPS)
        return weir__refuse(WEIR_FULL, "a task holds at most %d clean-ups",
                            WEIR__MOST_CLEANUPS);
    task->cleanups[task->cleanup_count++] =
        (struct weir__cleanup){cleanup, arg};
    return WEIR_OK;
}

weir_status weir_task_result(weir_task *task, const void *bytes, size_t size)
{
    if (size > task->result_room)
        return weir__refuse(WEIR_EINVAL,
                            "a result of %zu bytes is above max_result %zu: "
                            "raise it in the pool's options",
                            size, task->result_room);
    if (size > 0)
        memcpy(task->result, bytes, size);
    task->result_size = size;
    return WEIR_OK;
}

void weir_task_end_series(weir_task *task)
{
    task->ends_series = true;
}

void weir_task_overloaded(weir_task *task)
{
    task->overloaded = true;
}

/* ---------------------------------------------------------------- a glance */

weir_task *weir_task_current(void)
{
    return current_task;
}

uint64_t weir_task_id(const weir_task *task)
{
    return task->id;
}

uint32_t weir_task_attempt(const weir_task *task)
{
    return task->attempt;
}

uint32_t weir_task_worker(const weir_task *task)
{
    return task->worker;
}

void *weir_task_context(const weir_task *task)
{
    return task->context;
}

weir_deadline weir_task_deadline(const weir_task *task)
{
    if (task->find_deadline)
        return task->find_deadline((weir_task *)task);
    return task->deadline;
}

bool weir_task_cancelled(const weir_task *task)
{
    return weir__flag_read(&task->cancelled);
}
