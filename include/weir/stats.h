/* SPDX-License-Identifier: MIT */
/*
 * weir/stats.h - what a pool tells of itself: the ledger and other figures,
 * how long tasks wait and run, what it is at just now.
 */
#ifndef WEIR_STATS_H
#define WEIR_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/histogram.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_pool weir_pool; /* weir/pool.h */

/* All figures of one moment; but a task that a worker is just taking may still
 * be `queued`, beyond the capacity. */
typedef struct weir_ledger {
    uint64_t accepted;
    uint64_t refused; /* offered and not accepted, whatever the status but
                         WEIR_EINVAL and WEIR_FORKED */
    uint64_t done, failed, timed_out, crashed, exited, cancelled, expired,
        dropped;
    uint64_t queued, running, retrying; /* now */
    uint64_t overdue;                   /* now: settled, attempt not ended */
    uint64_t abandoned;                 /* now: part of overdue; their threads
                                           are no workers any more */
    uint64_t attempts;                  /* started */
    uint64_t late;       /* attempts that answered after their deadline or
                            after the settle */
    uint64_t unreleased; /* items held by stuck attempts once the pool is
                            stopped */
    uint64_t reserved[8];
} weir_ledger;

/*
 * Whether accepted is the sum of all that became of it.
 *
 * Threads: any.
 */
WEIR_API bool weir_ledger_balances(const weir_ledger *ledger);

typedef struct weir_pool_stats {
    size_t size; /* set by WEIR_POOL_STATS_INIT */
    weir_ledger ledger;
    uint32_t workers; /* live worker threads, abandoned ones not counted */
    uint32_t busy;    /* of these, in a handler or a callback */
    bool degraded;    /* max_abandoned are abandoned: no new tasks */
    bool tainted;     /* a handler has crashed (WEIR_ISOLATE_TRAP): memory may
                         be damaged, locks may be held for ever */
    uint64_t held;    /* of those queued and retrying: limits hold them back */
    /* Parts of ledger.refused: what remains found no memory, would have waited
     * for itself, or was a firing of a series that was skipped. */
    uint64_t refused_full, refused_timed_out, refused_closed, refused_degraded;
    uint64_t expired_stale; /* of ledger.expired: given up by CoDel */
    uint64_t retries;       /* further attempts that were granted, ever */
    uint64_t abandoned;     /* threads, ever */
    uint64_t scaled_up, scaled_down; /* workers that came because tasks waited,
                                        and that left because they were idle */
    uint64_t blocked;           /* submits that have waited for room, ever */
    int64_t blocked_ns;         /* all that time, up to now */
    uint32_t blocked_now;       /* submits that wait for room */
    int64_t oldest_queued_ns;   /* how long the oldest task has waited for its
                                   first attempt; 0: none, or not known */
    int64_t longest_running_ns; /* the same of attempts, overdue ones too */
    int64_t worker_ns;  /* time that workers have been there, all added up */
    int64_t running_ns; /* of that, in attempts that have ended; needs
                           histograms.  running_ns / worker_ns is how well the
                           pool is used */
} weir_pool_stats;
#define WEIR_POOL_STATS_INIT WEIR_SIZED(weir_pool_stats)

/*
 * Writes one consistent snapshot; only the first out->size bytes.
 *
 * Threads: any.  In a fork child all figures are 0.
 */
WEIR_API void weir_pool_read_stats(const weir_pool *pool, weir_pool_stats *out);

typedef enum weir_pool_time {
    WEIR_POOL_WAITING, /* from submit (or not_before) to the first attempt */
    WEIR_POOL_RUNNING  /* of each attempt, to its end: overdue ones too, when
                          they have ended */
} weir_pool_time;

/*
 * How long tasks have waited, or attempts have run: all of them since the pool
 * was created, but for those that are in one just now.
 *
 * Blocks:  never.
 * Returns: WEIR_OK, WEIR_EINVAL (the pool was made without histograms),
 *          WEIR_FORKED.  Unless WEIR_OK *out is untouched.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pool_read_histogram(
    const weir_pool *pool, weir_pool_time of, weir_histogram *out);

/*
 * How full the pool is: what waits, queued and retrying, as a share of
 * queue_capacity, for a producer that wants to look before it leaps.  1: a
 * submit now would wait, or whatever on_full says.  It is what it was a moment
 * ago: to be sure of a place, submit with WEIR_NOW.
 *
 * Blocks:  never.
 * Returns: 0 to 1; 0 if `pool` is NULL, and in a fork child.
 * Threads: any; from a handler or callback too.
 */
WEIR_API double weir_pool_pressure(const weir_pool *pool);

/* What a task is at. */
typedef enum weir_task_state {
    WEIR_TASK_QUEUED,
    WEIR_TASK_RUNNING,
    WEIR_TASK_RETRYING, /* between two attempts; the old one may not have
                           ended */
    WEIR_TASK_OVERDUE,  /* settled, its attempt has not ended */
    WEIR_TASK_ABANDONED /* the same, and another thread took the place of its
                           own */
} weir_task_state;

typedef struct weir_pool_entry {
    size_t size; /* set by WEIR_POOL_ENTRY_INIT */
    uint64_t task_id;
    weir_task_state state;
    uint32_t attempt; /* the latest one that began; 0: none has */
    uint32_t worker;  /* that an attempt keeps; UINT32_MAX: none, or its
                         submitter runs it itself */
    int64_t since_ns; /* how long it has been in this state; see below */
    int64_t left_ns;  /* queued: of its time to live; running: to the attempt's
                         deadline; retrying: until the next is due, below 0: it
                         is; INT64_MAX: there is no such moment */
    char label[32];
    bool held; /* queued or retrying, and a limit holds it back */
} weir_pool_entry;
#define WEIR_POOL_ENTRY_INIT WEIR_SIZED(weir_pool_entry)

/*
 * Lists the tasks that are in the pool, at one moment: first the abandoned ones
 * and the overdue ones, then those that run, those that are retrying, and then
 * the queued ones, the oldest first.  Those behind the `room` first are only
 * counted.  A task that a worker is just taking may be missing.
 *
 * out[0].size says how large the entries are that the caller knows of, and so
 * how far apart they lie; it is written to the others.
 *
 * A pool notes no moment for tasks of which nobody hears but the ledger (no
 * callbacks, future, label or policy of their own): for them since_ns counts
 * from the first list that shows them in this state or, if they run with a
 * deadline, from about their start.
 *
 * Blocks:  never; but while it looks, nothing else happens in the pool.
 * Returns: how many there are, which may be more than `room`; `out` may be
 *          NULL, to count only.  0 also if `pool` is NULL or the size was never
 *          set, and in a fork child; weir_last_error() says so.
 * Threads: any; from a handler too.
 */
WEIR_API size_t weir_pool_list(const weir_pool *pool, weir_pool_entry *out,
                               size_t room);

/*
 * Writes to `fd`, for people: how full the pool is, the ledger; if it has
 * histograms, how long half of the tasks, 90 and 99 of a hundred, and all of
 * them have waited and run at most; and for each worker that is at something
 * what it is: the task's id and label, for how long and how much longer.  The
 * words may change; for programs there are weir_pool_read_stats,
 * weir_pool_read_histogram, weir_pool_list and weir/metrics.h.
 *
 * Async-signal-safe: for a handler of SIGUSR1, or a debugger.  If another
 * thread, or what the signal has interrupted, has the pool's lock just then, it
 * says so: then each figure is of a moment of its own, and less is told of
 * workers; quantiles are read without it anyway.  It needs 4 KiB of stack and
 * leaves errno as it was; what cannot be written is left out.
 *
 * Blocks:  never, but for what write to `fd` does.
 * Threads: any, in a signal handler too; not beside weir_pool_destroy.
 */
WEIR_API void weir_pool_print(const weir_pool *pool, int fd);

WEIR_END_DECLS

#endif /* WEIR_STATS_H */
