/* SPDX-License-Identifier: MIT */
/*
 * child.h - a worker's child process, as the worker sees it.
 *
 * THE IDEA
 *
 * A worker that runs an attempt sends it over the line and waits for the first
 * of: an answer, the child's end (a pidfd), and being asked to stop (an event).
 * It kills the child itself; the fork server reaps it and reports how it ended
 * (server.h).  But for `hurry`, nobody else touches any of this.
 *
 * STATES, and what causes each transition
 *
 *   absent   ▶ idle      start: spawned, child_start has returned
 *            ▶ absent    it did not get so far
 *   idle     ▶ running   an attempt is sent
 *            ▶ absent    it has ended by itself, or is retired
 *   running  ▶ idle      it answers
 *            ▶ asked     the attempt is to stop, and there is a grace
 *            ▶ killed    the same without one; or what it says is no answer
 *            ▶ absent    it ends by itself
 *   asked    ▶ idle      it answers, and the signal is known to have arrived
 *            ▶ killed    it answers, and that is not known
 *            ▶ killed    the grace is over, or there is no time for it
 *            ▶ absent    it ends by itself
 *   killed   ▶ absent    it has ended
 *
 * INVARIANTS
 *
 *   1. An attempt that a child has begun to read runs once at most.  One that
 *      it had not read when it ended has not begun, and another child gets it:
 *      the socket says which (ECONNRESET).
 *   2. No attempt is sent while a SIGTERM for another is on its way: the server
 *      has said that it was sent, and what was sent before the child reads the
 *      next attempt has arrived by then.
 *   3. Whatever the child or the server do, or do not, a wait ends: a kill
 *      needs neither, and who has heard nothing for PATIENCE gives them up.
 *
 * WHY NOT
 *
 *   One socket for all workers: a child that is killed while it holds a lock
 *   on it stops all others.  A kill by number from here: it may be another's
 *   by then; so the group is killed by pidfd, where the system can, and by the
 *   server, which reaps.  Waiting in
 *   recv alone: a grandchild that keeps the line open hides the child's end.
 */
#ifndef WEIR_LIB_PROCESS_CHILD_H
#define WEIR_LIB_PROCESS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/process.h>
#include <weir/task.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "base/spin.h"
#include "process/wire.h"
#include "task/task.h"

/* I: what all children of a pool have in common. */
struct weir__child_settings {
    weir_process_options options; /* its start_data points to the below */
    unsigned char data[WEIR__WIRE_DATA_BYTES];
    int64_t grace_ns; /* between asking and killing; 0: none */
    size_t max_result;
    const char *name;
};

/* Copies and checks them.  WEIR_OK, WEIR_EINVAL, WEIR_ESYSTEM. */
weir_status weir__child_settings_read(struct weir__child_settings *into,
                                      const weir_process_options *options);

/* I: set by init.  W: the worker's own thread.  A: atomic. */
struct weir__child {
    const struct weir__child_settings *settings; /* I */
    struct weir__spin *spin; /* I: of all workers of the pool */
    uint32_t worker;         /* I */
    int wake_fd; /* I: an event: the attempt is asked to stop, or `hurry` */
    struct weir__flag hurry; /* A: there is no time for a grace any more */
    pid_t pid;               /* W: 0: absent */
    int line, report, pidfd; /* W: while it is there */
    uint64_t sequence;       /* W: of the latest attempt */
    uint64_t tasks;          /* W: that it has answered */
    unsigned char *buffer;   /* I: room for a message */
    int error;               /* W: it could not be started: errno */
    char why[128];           /* W: and in words */
    pid_t started;           /* W: one that has come up since who tells of it
                                took this; 0: none */
};

/* What is to be run. */
struct weir__child_call {
    weir_handler *handler;
    const void *item; /* NULL: none */
    size_t item_size;
};

/* `spin` and `wake_fd` outlive it.  False: no memory.  And its end; an absent
 * child. */
bool weir__child_init(struct weir__child *child,
                      const struct weir__child_settings *settings,
                      struct weir__spin *spin, uint32_t worker, int wake_fd);
void weir__child_dispose(struct weir__child *child);

static inline bool weir__child_is_there(const struct weir__child *child)
{
    return child->pid != 0;
}

/* By the worker, for an absent one: waits until child_start has returned.
 * WEIR_OK; WEIR_ESYSTEM, with `why` and `error`; WEIR_CANCELLED: hurried. */
weir_status weir__child_start(struct weir__child *child);

/* By the worker: whether an idle one has ended by itself; look also has it be
 * absent then, and returns whether it is there. */
bool weir__child_has_ended(const struct weir__child *child);
bool weir__child_look(struct weir__child *child);

/* By the worker: runs an attempt that has begun in this record, and notes there
 * what comes of it.  One that is absent is started first, as often as it takes
 * until the attempt is asked to stop.  Afterwards it is idle or absent. */
enum weir__ending
weir__child_run(struct weir__child *child, struct weir_task *task,
                const struct weir__child_call *call);

/* By the worker: an idle one ends, in good order if it is quick; nothing if it
 * is absent. */
void weir__child_retire(struct weir__child *child);

/* By anybody: what it runs, or its start, is to end now. */
void weir__child_hurry(struct weir__child *child);

/* ----------------------------------------- what child.c and attempt.c share */

struct pollfd;

/* From the end of a child's line to its own it takes microseconds. */
#define WEIR__CHILD_DYING_NS WEIR_MS(200)

enum {
    WEIR__CHILD_BUFFER_BYTES = sizeof(struct weir__wire_answer) +
                               WEIR__MESSAGE_BYTES + WEIR__WIRE_PART_BYTES
};

/* How it ended, as the server says. */
struct weir__death {
    bool known; /* else the server has ended, or does not answer */
    int how;    /* CLD_EXITED, or by a signal */
    int status;
};

static inline int64_t weir__child_moment_in(int64_t ns)
{
    return weir__moment_after(weir__now(), ns);
}

/* Whether one of them came before the time was over. */
bool weir__child_await(struct pollfd *what, size_t count, int64_t until_ns);

/* There is no time for what the child is at: whoever wants it to end has said
 * so, or the attempt, if there is one, is asked to stop. */
bool weir__child_is_urgent(const struct weir__child *child,
                           const struct weir_task *task);

/* The server's next word, with a descriptor if `fd` is not NULL.  False with
 * errno; EPIPE: the server has ended. */
bool weir__child_hear_report(struct weir__child *child,
                             struct weir__wire_report *said, int *fd);

void weir__child_kill(struct weir__child *child);
/* One that has ended, or will at once, is absent from now on. */
struct weir__death weir__child_bury(struct weir__child *child);
/* The same, without waiting to hear how: the server kills what there is. */
void weir__child_let_go(struct weir__child *child);
void weir__child_word_death(const struct weir__death *death, pid_t pid,
                            char *into, size_t room);

/* As weir__child_start, in an attempt or none. */
weir_status
weir__child_start_for(struct weir__child *child, const struct weir_task *task);

#endif /* WEIR_LIB_PROCESS_CHILD_H */
