/* SPDX-License-Identifier: MIT */
/*
 * weir/pool.h - N workers on a bounded queue of tasks.
 *
 * Whatever a task does (fails, overstays, ends its thread), the workers live
 * on and every accepted task ends in exactly one outcome, is settled once and
 * released once, in that order.  The ledger shows it at every moment:
 *
 *   accepted = done + failed + timed_out + crashed + exited + cancelled
 *            + expired + dropped + (queued + running + retrying)
 */
#ifndef WEIR_POOL_H
#define WEIR_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/adaptive.h>
#include <weir/api.h>
#include <weir/breaker.h>
#include <weir/deadline.h>
#include <weir/events.h>
#include <weir/future.h>
#include <weir/log.h>
#include <weir/process.h>
#include <weir/queue.h>
#include <weir/rate.h>
#include <weir/retry.h>
#include <weir/semaphore.h>
#include <weir/stats.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

/*
 * What a fault of a handler ends.
 *
 * WEIR_ISOLATE_TRAP catches SIGSEGV (an overflow of the stack too), SIGBUS,
 * SIGFPE and SIGILL that a handler causes, and its abort().  The task settles
 * CRASHED, with the signal and in words where; deferred clean-ups do not run,
 * on_cancel actions are taken back; the thread ends, without worker_stop, and
 * another takes its place; callbacks for the task run on the pool's notifier
 * thread; and the pool is tainted for ever.
 *
 * It catches less than you may think, and heals nothing:
 *   - What the handler had locked stays locked.  A crash within malloc or free,
 *     which is where damaged memory shows, leaves that part of the allocator
 *     locked: the pool goes on, but whoever needs that part waits for ever.
 *   - What the handler wrote before it crashed, anywhere in the process, stays.
 *   - Within a call of weir's (a bad address given to weir_queue_put, a
 *     callback or clean-up that runs inside one), and outside of handlers
 *     (clean-ups, callbacks, hooks), a fault ends the process, as ever.  So do
 *     these signals if others send them.
 *   - Faults that are not for weir go to the signal handlers that were there
 *     when the first such pool was made, which are put back with the last one.
 *     A signal handler that you install later comes first, and weir catches
 *     what it passes on.  Handlers of tasks need not be told, but should leave
 *     their thread's sigaltstack and these signals' mask alone.
 * So: to tell what crashed, finish what else is running, and begin again in a
 * new process.  Not for code that you do not trust.  Not with
 * WEIR_ON_FULL_CALLER_RUNS.
 *
 * WEIR_ISOLATE_PROCESS is for code that you do not trust: see weir/process.h.
 * Each worker has a child process, which weir_process_start(), called first in
 * main, makes possible; handlers run there.  The child may crash, exit, use up
 * its memory or be killed: the task settles CRASHED (the signal), EXITED (the
 * status) or TIMED_OUT, and another child takes its place.  Items are copied
 * (submit_copy), results are bytes; all callbacks run in this process.  An
 * attempt that is asked to stop is sent SIGTERM, with its process group; after
 * grace_ns, or at once without one, SIGKILL.  context, worker_start,
 * worker_stop, interrupt_signal and max_abandoned must be unset, and on_full is
 * not WEIR_ON_FULL_CALLER_RUNS.
 */
typedef enum weir_isolation {
    WEIR_ISOLATE_THREAD, /* the process, as it should */
    WEIR_ISOLATE_TRAP,   /* the attempt and its thread */
    WEIR_ISOLATE_PROCESS /* the attempt and the child process that runs it */
} weir_isolation;

typedef enum weir_stop_how {
    WEIR_STOP_AFTER_DRAIN, /* run what was accepted, retries included */
    WEIR_STOP_NOW          /* cancel what waits, ask what runs */
} weir_stop_how;

/*
 * The outcome of a task is known.  Runs once for each accepted task: on the
 * thread that ended it (worker, dropping submitter) or, for deadlines, expiry,
 * cancelling, stopping and crashes, on the pool's notifier thread.  `item` is
 * what the handler gets; its handler may still run if kind is TIMED_OUT or
 * CANCELLED.  No weir lock is held; see docs/callbacks.md for what it may call.
 */
typedef void
weir_settled(void *arg, const void *item, const weir_outcome *outcome);

/*
 * Nobody touches the item any more: free what it points to.  Runs once for
 * each accepted task, after on_settled has returned and the attempt has ended,
 * on the thread where the later of the two happened.
 */
typedef void weir_released(void *arg, void *item);

/*
 * interrupt_signal is a real-time signal (SIGRTMIN to SIGRTMAX) that nothing
 * else in the process handles or ignores.  An attempt that is asked to stop (by
 * its deadline, a cancel, WEIR_STOP_NOW) is sent it at once and again after 1,
 * 2, 4 and up to 100 ms, until its handler has returned or the pool is
 * destroyed: so a call in which it is blocked fails with EINTR.  Pure
 * computation, waiting for a mutex or condition, and weir's own calls do not
 * notice.  Clean-ups, callbacks, hooks and the attempts that follow never get
 * it.
 *
 * The first pool with it installs a handler that does nothing, for the rest of
 * the process, without SA_RESTART; pools may share it.  Workers let it through
 * all their life.  A handler that blocks it should let it through again: else
 * it stays blocked on that worker until an attempt on it has been sent one.
 *
 * codel_target_ns gives up stale work (controlled delay).  If all tasks that
 * workers took in a codel_interval_ns had waited longer than it, with others
 * behind them, the queue is standing: then a queued task that has waited for
 * more than twice the target settles EXPIRED instead of being run, until one
 * has waited less than the target.  A burst that is gone within the interval
 * loses nothing, and what comes within it may be late.  Where there is a
 * deadline, time_to_live_ns (that less the time of service) is exact.  Retries,
 * and the last task that waits, are run.
 *
 * semaphore, rate, adaptive and breaker hold an attempt back while its task is
 * queued or retrying: it holds no worker, and stands in nobody's way.  Each
 * attempt, retries too, asks them anew when a worker is free for it; what it
 * gets goes back when it has really ended, in whatever way.  While it waits for
 * one of them it has nothing of the others.  A held task counts against
 * queue_capacity; it may expire, be cancelled, or be dropped as the oldest; and
 * a stop after the drain waits for it, until stop's deadline.  Handlers do not
 * wait for the same limit themselves without a deadline: what it has granted is
 * kept until a worker is free, and that may be the one that waits.
 *
 * The adaptive limit and the breaker hear how each attempt went: DONE,
 * otherwise a failure; overloaded if the handler says weir_task_overloaded or
 * overstays its timeout; nothing if it was cancelled.  While the breaker is
 * open submits are refused with WEIR_FULL, whatever on_full, and firings of a
 * series too; what was accepted is held until trials are let in.  The items of
 * a run, stream or pipeline are held instead of refused.
 */
typedef struct weir_pool_options {
    size_t size;              /* set by WEIR_POOL_OPTIONS_INIT */
    uint32_t workers;         /* up to 65536; 0: one per usable processor */
    uint32_t max_workers;     /* up to 65536: while tasks wait for workers,
                                 more of them come, up to this many, and leave
                                 when idle for 5 s; 0: workers, and no more */
    size_t queue_capacity;    /* tasks that wait, retries included; 0: 1024 */
    size_t item_size;         /* bytes that submit_copy copies, up to 4096;
                                 0: none */
    weir_on_full on_full;     /* 0: wait */
    int64_t timeout_ns;       /* per attempt; 0: none.  Counts from its start,
                                 on a busy worker from the end of the one
                                 before; while thousands of tasks a second
                                 begin, from up to a 64th of it later */
    int64_t grace_ns;         /* for an attempt to end once its task has timed
                                 out or was cancelled; then its thread is
                                 abandoned and another takes its place; needs
                                 timeout_ns; 0: nothing is abandoned.  With
                                 WEIR_ISOLATE_PROCESS: then its child is killed;
                                 needs no timeout_ns; 0: at once */
    uint32_t max_abandoned;   /* at a time, up to 65536; then the pool is
                                 degraded; 0: workers */
    int64_t time_to_live_ns;  /* waiting longer than this for the first start:
                                 EXPIRED; 0: no limit */
    int interrupt_signal;     /* sent to attempts that are asked to stop: see
                                 above; 0: none */
    weir_isolation isolation; /* see above; 0: WEIR_ISOLATE_THREAD */
    size_t max_result;        /* bytes, up to 1 MiB; 0: 256 */
    const weir_retry *retry;  /* NULL: one attempt; copied */
    void *context;            /* lent to handlers; outlives stuck threads */
    weir_settled *on_settled; /* may be NULL */
    void *on_settled_arg;
    weir_released *on_release; /* may be NULL */
    void *on_release_arg;
    const char *name;   /* threads are NAME/0, NAME/1, ...; copied;
                           NULL: "weir" */
    size_t stack_bytes; /* of a worker's stack; 0: the system's */
    /* Runs first on each worker's thread; non-zero: the thread is not used, and
     * create or resize fails; where no call waits for it, another is tried
     * later.  May be NULL. */
    int (*worker_start)(void *arg, uint32_t worker);
    /* Runs last on each thread whose worker_start answered 0, unless a handler
     * crashed there.  May be NULL. */
    void (*worker_stop)(void *arg, uint32_t worker);
    void *worker_arg;
    const weir_process_options *process; /* of WEIR_ISOLATE_PROCESS; NULL:
                                            defaults; copied */
    int64_t codel_target_ns;      /* see above, up to the interval; 0: off */
    int64_t codel_interval_ns;    /* needs a target; 0: 100 ms */
    size_t high_water, low_water; /* tasks that wait, retries included, as
                                     queue_capacity counts them; 0: that, and a
                                     quarter of it; need on_pressure */
    /* What waits has reached high_water (`high`), or fallen to low_water.  Runs
     * on the pool's notifier thread; calls alternate, the last one tells the
     * truth, a brief crossing may be missed; join waits for it.  No weir lock
     * is held.  NULL: nobody is told. */
    weir_pressure *on_pressure;
    void *on_pressure_arg;
    /* Limits: see above.  Each may be given to several pools, and used beside
     * them; it lives as long as they need it, its handle may go before.  None
     * with WEIR_ON_FULL_CALLER_RUNS.  NULL: none. */
    weir_semaphore *semaphore; /* each attempt holds permits of it */
    size_t permits;            /* so many; 0: 1 */
    weir_rate *rate;           /* each attempt uses up one token of it */
    weir_adaptive *adaptive;   /* each attempt is a call of it */
    weir_breaker *breaker;     /* the same */
    weir_events *events; /* gets what happens here; may be shared; NULL: none */
    bool histograms;     /* keeps those of weir_pool_read_histogram */
    weir_logged *on_log; /* gets what an operator must know; NULL: nobody */
    void *on_log_arg;
} weir_pool_options;
#define WEIR_POOL_OPTIONS_INIT WEIR_SIZED(weir_pool_options)

typedef struct weir_task_spec {
    size_t size; /* set by WEIR_TASK_SPEC_INIT */
    weir_handler *handler;
    void *item;
    bool copy;     /* copy item_size bytes at `item`; else the pointer itself */
    void *context; /* NULL: the pool's */
    int64_t timeout_ns;        /* 0: the pool's; below 0: none */
    int64_t time_to_live_ns;   /* 0: the pool's; below 0: none */
    const weir_retry *retry;   /* NULL: the pool's; copied */
    const char *label;         /* shown by weir_pool_list; up to 31 bytes are
                                  copied */
    weir_deadline not_before;  /* the first attempt does not start before; all
                                  zero (WEIR_NOW): at once; see below */
    int64_t every_ns;          /* above 0: a series; 0: once; see below */
    weir_semaphore *semaphore; /* beside the pool's: of its host, its account;
                                  NULL: none */
    size_t permits;            /* that each of its attempts holds; 0: 1 */
} weir_task_spec;
#define WEIR_TASK_SPEC_INIT WEIR_SIZED(weir_task_spec)

/*
 * Makes a pool and starts its workers.
 *
 * Blocks:  until every worker_start, or child_start, has returned.
 * Owns:    the caller owns *out until weir_pool_destroy(*out).
 * Returns: WEIR_OK, WEIR_EINVAL (weir_last_error() names the option),
 *          WEIR_ENOMEM, WEIR_ESYSTEM (a thread or a child did not start, a
 *          worker_start refused, the fork server has ended).  *out is written
 *          only on WEIR_OK.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_pool_create(weir_pool **out, const weir_pool_options *options);

/*
 * Submits a task whose handler gets `item` itself.
 *
 * Blocks:  while the pool is full, until the deadline (WEIR_ON_FULL_WAIT); for
 *          as long as the handler if the submitter runs it (caller-runs).
 * Owns:    on WEIR_OK the pool holds `item` until on_release; otherwise
 *          nothing has moved.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_CLOSED,
 *          WEIR_FULL (policy, or the breaker is open),
 *          WEIR_DEGRADED (max_abandoned threads are abandoned; at once, also if
 *          it was waiting for room),
 *          WEIR_DEADLOCK (in a handler or callback of this pool: it would have
 *          to wait for ever, or to run itself), WEIR_ENOMEM (caller-runs),
 *          WEIR_FORKED, WEIR_EINVAL; with WEIR_ISOLATE_PROCESS WEIR_ESYSTEM
 *          (the fork server has ended), and WEIR_EINVAL for an item that is not
 *          copied, a context, or a handler loaded after weir_process_start().
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pool_submit(weir_pool *pool,
                                                    weir_handler *handler,
                                                    void *item,
                                                    weir_deadline deadline);

/*
 * As weir_pool_submit, but copies item_size bytes at `item`: the handler gets
 * the address of the copy, aligned for any type.
 *
 * Blocks:  as weir_pool_submit.
 * Owns:    `item` stays yours.
 * Returns: as weir_pool_submit; WEIR_EINVAL also if item_size is 0.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_pool_submit_copy(weir_pool *pool, weir_handler *handler, const void *item,
                      weir_deadline deadline);

/*
 * As weir_pool_submit, with options for this task and, if `out` is not NULL,
 * a future.
 *
 * With not_before the task is accepted now and waits for that moment: it counts
 * as queued and against queue_capacity, but holds no worker and nobody up. Then
 * it joins the queue behind what is there; such tasks join in the order of
 * their moments, and of submission.  Its time to live and outcome's waited_ns
 * count from not_before (waited_ns of one that settles sooner: from submit).
 * Drop-oldest does not take it while it waits, and caller-runs does not run it
 * before its time: submit then says WEIR_FULL.  A stop after the drain waits
 * for it, until stop's deadline; a join does too.
 *
 * With every_ns the submit begins a series, which is no task.  It fires at
 * not_before (or now) + n * every_ns: each firing is a task with an id of its
 * own, accepted when due.  A firing is skipped, and counted as refused, if then
 * the pool has no room, is degraded or its breaker is open, the one before is
 * not released yet, or that moment has gone by: firings never run side by side
 * and never catch up. join and weir_group_join do not wait for firings to come.
 * It ends by weir_task_end_series, by weir_group_cancel and weir_group_destroy
 * of its group, and by any stop.  Each firing gets a copy of its own (`copy`)
 * or the same pointer; callbacks run for each.  A series takes nothing of the
 * capacity.
 *
 * Blocks:  as weir_pool_submit; never for a series.
 * Owns:    on WEIR_OK the caller owns *out until weir_future_release; the item
 *          as weir_pool_submit or weir_pool_submit_copy has it.
 * Returns: as weir_pool_submit; WEIR_ENOMEM for the future too; WEIR_EINVAL if
 *          not_before is WEIR_FOREVER, every_ns below 0, or its semaphore has
 *          not so many permits (WEIR_DEADLOCK: with the pool's); for a series
 *          WEIR_OK, WEIR_CLOSED, WEIR_ENOMEM, WEIR_FORKED and WEIR_EINVAL
 *          only, the last also if `out` is not NULL.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_pool_submit_task(weir_pool *pool, const weir_task_spec *spec,
                      weir_future **out, weir_deadline deadline);

/*
 * Submits items[0], items[1], ... in order, each as weir_pool_submit does.
 *
 * Blocks:  as weir_pool_submit, for each item.
 * Owns:    the pool holds the first *done items; the rest stay yours.
 * Returns: WEIR_OK if all were accepted (0 of 0 too), else what stopped it.
 *          *done is always written; NULL is allowed.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pool_submit_many(
    weir_pool *pool, weir_handler *handler, void *const *items, size_t count,
    size_t *done, weir_deadline deadline);

/*
 * Waits until the pool is idle: nothing queued, running, retrying or overdue,
 * and all callbacks have returned.  The pool stays open.
 *
 * Blocks:  until then or the deadline.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_STUCK (at once, when nothing is left
 *          but abandoned attempts), WEIR_DEADLOCK (in a handler or callback of
 *          this pool), WEIR_FORKED, WEIR_EINVAL.
 * Threads: any other; several at once.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pool_join(weir_pool *pool,
                                                  weir_deadline deadline);

/*
 * A descriptor for poll(), epoll and event loops: readable once a task has
 * settled, however, since weir_pool_settled was last called.
 *
 * It is the pool's: never read, write or close it; weir_pool_settled makes it
 * unreadable, nothing else.  When it is readable, first call that, then collect
 * what has settled (futures with WEIR_NOW, a queue that handlers put answers
 * into): what settles after the call makes it readable again, with level- and
 * edge-triggered polling alike.  It may be readable though nothing has settled.
 * Settled is not told: on_settled may still be to run, and join to wait.
 *
 * Blocks:  never.
 * Owns:    lends the descriptor until weir_pool_destroy, which closes it: take
 *          it out of the event loop before.  It is made at the first call; a
 *          pool without one pays nothing for it.  It is CLOEXEC.
 * Returns: the descriptor, the same each time, or -1 with errno: EMFILE,
 *          ENFILE, ENOMEM; EINVAL (NULL), EPERM (in a fork child, where an
 *          inherited one still shows the parent's pool).
 * Threads: any; from a handler too.
 */
WEIR_API int weir_pool_fd(weir_pool *pool);

/*
 * How many tasks have settled so far.  From now on weir_pool_fd is unreadable,
 * until one more has.  Whoever collects first and then calls this must compare
 * the number with what it has collected.
 *
 * Blocks:  never.
 * Returns: the number; 0 for NULL and in a fork child.
 * Threads: any; from a handler too.  Those who share the descriptor share this
 *          too: one of them looks for all.
 */
WEIR_API uint64_t weir_pool_settled(weir_pool *pool);

/*
 * Changes the number of workers, 1 to 65536, and raises max_workers if that is
 * less.  More start at once; surplus ones end when they next are idle.  No task
 * is lost or reordered.  Where max_workers was given it is the least number:
 * workers that came because tasks waited count towards more, and stay as long
 * as they are not idle.
 *
 * Blocks:  until the new workers' worker_start, or child_start, has returned;
 *          one that has to wait for the place of an abandoned thread starts
 *          when that has gone.
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_CLOSED, WEIR_ENOMEM, WEIR_ESYSTEM,
 *          WEIR_DEADLOCK (in a worker_start or worker_stop of this pool),
 *          WEIR_FORKED; unless WEIR_OK the number is what it was.
 * Threads: any; from a handler too; several at once take turns.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pool_resize(weir_pool *pool,
                                                    uint32_t workers);

/*
 * Refuses further tasks and brings the pool to its end.  Always back by its
 * deadline; may be called again, also to turn AFTER_DRAIN into NOW.
 *
 * WEIR_STOP_NOW settles what waits CANCELLED and asks what runs; each running
 * task settles with what it answers by the deadline, else CANCELLED then.
 *
 * Blocks:  until all threads have ended but abandoned ones, or the deadline.
 * Returns: WEIR_OK: all threads have ended;
 *          WEIR_STUCK: everything has settled, but attempts have not ended
 *          (ledger.unreleased items are still theirs); before the deadline if
 *          all of them are abandoned;
 *          WEIR_TIMED_OUT: the drain goes on, call again;
 *          WEIR_DEADLOCK (in a handler or callback of this pool), WEIR_FORKED,
 *          WEIR_EINVAL.
 * Threads: any other; several at once.
 */
WEIR_API WEIR_MUST_USE weir_status weir_pool_stop(weir_pool *pool,
                                                  weir_stop_how how,
                                                  weir_deadline deadline);

/*
 * Ends the pool, as stop(WEIR_STOP_NOW, WEIR_NOW) does if it has not stopped.
 * Waits for callbacks, never for handlers; afterwards none of your callbacks
 * starts, and items held by stuck attempts are never released.  Handler code
 * and context must outlive stuck threads.  NULL is allowed; in a fork child it
 * does nothing.
 *
 * Blocks:  while callbacks run; with WEIR_ISOLATE_PROCESS until the children
 *          have been killed.
 * Threads: one, with no other call on this pool in progress, nor a submit to a
 *          group of it; not in a handler or callback of it.
 */
WEIR_API void weir_pool_destroy(weir_pool *pool);

WEIR_END_DECLS

#endif /* WEIR_POOL_H */
