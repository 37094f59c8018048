/* SPDX-License-Identifier: MIT */
/*
 * weir/process.h - handlers in processes of their own.
 *
 * With WEIR_ISOLATE_PROCESS each worker of a pool has a child process, and
 * handlers run there: they may crash, run out of memory, exit, loop where no
 * signal helps, and the memory of this process is not touched, but for what is
 * shared (MAP_SHARED).  They are isolated, not confined: they have your rights.
 *
 *     int main(void)
 *     {
 *         if (weir_process_start())     first of all, before any thread
 *             ...
 *         options.isolation = WEIR_ISOLATE_PROCESS;
 *         options.item_size = sizeof(struct job);
 *         options.timeout_ns = WEIR_SECONDS(5);
 *         weir_pool_create(&pool, &options);
 *         weir_pool_submit_copy(pool, parse, &job, WEIR_FOREVER);
 *
 * A child is a copy of this process as it was in weir_process_start: it has the
 * code and the variables of that moment.  So items and results are bytes, and
 * a handler must have been loaded by then.  What a handler writes, to its item
 * too, stays in its child; what it answers, says and gives as result comes
 * back.  A child serves one task after the other, so what one leaves in memory
 * the next one finds; it never outlives a crash, a kill or recycle_after.
 *
 * A child has standard input from /dev/null, this process's standard output and
 * error, and no other descriptor of yours; a process group of its own, and no
 * terminal; the rights, the limits and the signal handlers of the moment of
 * weir_process_start, but for SIGTERM, with which weir asks an attempt to stop,
 * and with cpu_ns SIGXCPU, both of which every attempt finds unblocked.
 * Whatever of its group is left when it ends is killed.  When this process
 * ends, by whatever signal, all children and their groups are killed; when the
 * fork server is, too, from Linux 6.9 on (before, what children have started
 * stays).  A process that a handler starts and that makes a session or group of
 * its own (setsid, a shell with job control) escapes all this.
 */
#ifndef WEIR_PROCESS_H
#define WEIR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

/*
 * Runs first in each child, on the thread that will run its handlers, with
 * memory_bytes in force and no weir lock held; may call anything.  create and
 * resize wait for it without a limit.  `data` are the bytes of start_data, lent
 * for the child's life, NULL if there are none; `worker` is as weir_task_worker
 * has it.  What it returns is what weir_task_context answers there.  A child in
 * which it ends the process (exit, a crash) is not used: create or resize
 * fails; where no call waits for it, another is tried later.
 */
typedef void *
weir_child_start(const void *data, size_t data_size, uint32_t worker);

typedef struct weir_process_options {
    size_t size;            /* set by WEIR_PROCESS_OPTIONS_INIT */
    size_t memory_bytes;    /* of address space, code and libraries included:
                               what is above it fails, as malloc does;
                               0: no limit */
    int64_t cpu_ns;         /* processor time of an attempt: then SIGXCPU, and a
                               second later SIGKILL; 0: no limit */
    uint64_t recycle_after; /* tasks: then a fresh child takes its place;
                               0: never */
    bool core_dumps;        /* a crash may leave one, as the system has it;
                               false: none does */
    weir_child_start *child_start; /* NULL: the context is NULL */
    const void *start_data;        /* copied; needs child_start; NULL: none */
    size_t start_data_size;        /* bytes, up to 4096 */
} weir_process_options;
#define WEIR_PROCESS_OPTIONS_INIT WEIR_SIZED(weir_process_options)

/*
 * Starts the fork server: a small process, a copy of this one, that makes the
 * children of all pools with WEIR_ISOLATE_PROCESS.  To be called first in main:
 * fork() copies one thread only, and whatever the others hold would be held for
 * ever.  Flushes stdio.  It ends with this process; there is no call to end it.
 * It is nobody's child, so wait() does not see it; but a process that takes in
 * orphans (PID 1, PR_SET_CHILD_SUBREAPER) gets it as a child.
 * Again: nothing, if it is there.  A child of fork() may call it anew.
 *
 * Blocks:  until it has started, some milliseconds.
 * Returns: WEIR_OK; WEIR_EINVAL (there are threads already; not noticed without
 *          /proc); WEIR_ENOMEM; WEIR_ESYSTEM (it could not be started, or has
 *          ended since: for good); weir_last_error() says more.
 * Threads: the only one there is; once it has started, any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_process_start(void);

WEIR_END_DECLS

#endif /* WEIR_PROCESS_H */
