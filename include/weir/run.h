/* SPDX-License-Identifier: MIT */
/* weir/run.h - producers in, handler, report out: one call. */
#ifndef WEIR_RUN_H
#define WEIR_RUN_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/pool.h>
#include <weir/producer.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

typedef enum weir_run_moment {
    WEIR_RUN_BEGINS, /* before the first item */
    WEIR_RUN_ENDS    /* all has settled; the pool goes when this returns */
} weir_run_moment;
typedef void
weir_run_lends(void *arg, const weir_pool *pool, weir_run_moment moment);

typedef struct weir_run_options {
    size_t size;                           /* set by WEIR_RUN_OPTIONS_INIT */
    const weir_producer *const *producers; /* copied; all of one item_size */
    size_t producer_count;                 /* 1 or more */
    weir_handler *handler;
    const weir_pool_options *pool; /* NULL: defaults; copied; item_size comes
                                      from the producers: leave it 0 */
    int stop_fd; /* readable: producers are interrupted, queued and retrying
                    tasks settle CANCELLED, running attempts finish untouched
                    without a retry; 0: none; stays yours */
    /* Lends the run's pool to who wants to look at it, or have it looked at by
     * another thread, from the one moment to the other.  Runs on the thread in
     * weir_run; no weir lock is held.  It may read figures, print, list and
     * write metrics, and must leave the rest to the run.  May be NULL. */
    weir_run_lends *on_pool;
    void *on_pool_arg;
} weir_run_options;
#define WEIR_RUN_OPTIONS_INIT WEIR_SIZED(weir_run_options)

typedef struct weir_report {
    size_t size;        /* set by WEIR_REPORT_INIT */
    weir_status status; /* WEIR_OK; or why the run ended early */
    int64_t elapsed_ns;
    char first_failure[128]; /* text of the first outcome other than DONE;
                                empty if none */
    weir_ledger ledger;      /* at the end; queued, running, retrying are 0 */
} weir_report;
#define WEIR_REPORT_INIT WEIR_SIZED(weir_report)

/*
 * Runs the handler on every item of every producer and returns when the last
 * one has been released.  A thread per producer puts its items into the pool
 * and waits while it is full; several take turns, first come first served, so
 * that an item waits for one of each other producer at most.  A producer that
 * fails ends the intake of all; what was accepted still runs.  With caller-runs
 * that thread runs handlers too: one that ends it ends the intake likewise.
 *
 * Blocks:  until the end; a handler that never returns keeps it waiting, unless
 *          it is abandoned (the pool's grace_ns).
 * Owns:    closes each producer, whatever it returns, except on WEIR_EINVAL:
 *          then none was touched; and while abandoned attempts hold items
 *          (report->ledger.unreleased is not 0): then closing them is yours,
 *          when those have ended.
 * Returns: WEIR_OK, also when tasks failed: the ledger says so; WEIR_STUCK
 *          (only abandoned attempts are left), WEIR_DEGRADED (so many of them
 *          that the pool took no more);
 *          WEIR_CANCELLED (stop_fd), a failed producer's status (WEIR_ESYSTEM
 *          with errno EINVAL for its WEIR_EINVAL), WEIR_EINVAL (the options),
 *          WEIR_ENOMEM, WEIR_ESYSTEM.  *report is written unless
 *          WEIR_EINVAL; NULL is allowed.
 * Threads: any; from a handler of another pool too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_run(const weir_run_options *options,
                                            weir_report *report);

WEIR_END_DECLS

#endif /* WEIR_RUN_H */
