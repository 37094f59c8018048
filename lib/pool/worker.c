/* SPDX-License-Identifier: MIT */
/*
 * worker.c - a thread that takes tasks and runs attempts.
 *
 * STATES (enum weir__phase) and their causes
 *
 *   absent     ▶ starting    create, resize, or the timekeeper makes up for one
 *   starting   ▶ idle        worker_start answers 0
 *              ▶ leaving     it answers something else
 *   idle       ▶ in attempt  a task can be taken
 *              ▶ renewing    its child has ended, or is to be renewed
 *              ▶ leaving     too many workers; idle for long, and more than the
 *                            least; or closing, and nothing is left
 *   renewing   ▶ idle        there is a fresh child
 *              ▶ leaving     there is none
 *   in attempt ▶ deciding ▶ telling ▶ idle, or leaving if it was abandoned
 *              ▶ leaving     the handler crashed, and that was trapped
 *   any        ▶ leaving     the thread ends: pthread_exit, a cancel
 *   leaving    ▶ ended ▶ absent   joined by the timekeeper
 *
 * A thread whose handler crashed may hold locks that it will never give back,
 * malloc's above all.  So it runs no callback and no hook, the notifier does;
 * and should it not come to its very end, the timekeeper does not wait.
 *
 * However the thread ends, `left` runs last on it (base/thread.h): it finishes
 * what the thread was at, by its phase, and hands the thread to the timekeeper,
 * which joins it and starts another in its place if one is wanted.
 */
#include "base/fork.h"
#include "pool/pool.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "pool/children.h"
#include "pool/limits.h"
#include "pool/log.h"
#include "pool/look.h"
#include "pool/overload.h"
#include "pool/seen.h"
#include "process/child.h"

/* ------------------------------------------------------------------ taking */

void weir__workers_wake(weir_pool *pool)
{
    if (!pool->idlers.waiters.first)
        weir__watch_begin(pool);
    weir__eventcount_wake(&pool->idlers, 1);
}

static bool has_expired(const struct weir__entry *entry)
{
    return entry->state == WEIR__QUEUED && entry->moment.is_in &&
           entry->moment.at_ns <= weir__now();
}

static bool must_leave(const weir_pool *pool, const struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    if (worker->abandoned || pool->alive > pool->wanted)
        return true;
    return pool->closing && weir__pool_live(pool) == 0;
}

/* What a worker has found to do. */
struct finding {
    bool is_plain;             /* it is in worker->lane */
    bool is_childless;         /* its child has ended while it was idle */
    struct weir__entry *entry; /* else; NULL: the worker must leave */
};

static void
park_drops_lock(weir_pool *pool, struct weir__turn *turn, int64_t until_ns,
                bool coming) WEIR_REQUIRES(pool->lock)
{
    bool learns = pool->has_lane && weir__spin_is_on(&pool->work_spin);
    int64_t since_ns = learns || coming ? weir__now() : 0;
    weir_deadline until = {until_ns};
    weir_status status;

    if (coming)
        until.at_ns = weir__moment_after(since_ns, WEIR__LANE_NAP_NS);
    status =
        weir__waitlist_wait(&pool->idlers.waiters, &pool->lock, turn, until);
    if (learns && status == WEIR_OK)
        weir__spin_learn(&pool->work_spin, weir__now() - since_ns);
}

/* What limits have let go on goes first, then retries that are due, then the
 * oldest. */
static struct finding
find_drops_lock(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__turn turn = {0};
    int64_t idle_since_ns = 0;

    while (!must_leave(pool, worker)) {
        struct weir__entry *entry = weir__limits_ready(pool)
                                        ? weir__limits_ready(pool)
                                    : pool->due.first ? pool->due.first
                                                      : pool->queued.first;
        bool coming = false;
        int64_t until_ns;

        if (entry && has_expired(entry)) {
            weir__entry_moment_drops_lock(pool, entry);
            continue;
        }
        if (entry && worker->child && turn.waits > 0 &&
            weir__child_has_ended(worker->child))
            return (struct finding){.is_childless = true};
        if (entry && entry->is_limited && !weir__limits_admit(pool, entry))
            continue;
        if (entry && weir__entry_is_stale(pool, entry)) {
            pool->tally.stale++;
            weir__entry_moment_drops_lock(pool, entry);
            continue;
        }
        if (entry)
            return (struct finding){.entry = entry};
        weir__eventcount_arm(&pool->idlers);
        if (pool->has_lane && !pool->lane_shut &&
            weir__plain_get_locked(pool, worker, &coming))
            return (struct finding){.is_plain = true};
        weir__joiners_tell(pool); /* lane.h has the reason */
        until_ns = weir__watch_idle_until(pool, &idle_since_ns);
        if (until_ns < INT64_MAX && until_ns <= weir__now() && !coming)
            weir__watch_let_go(pool);
        else
            park_drops_lock(pool, &turn, until_ns, coming);
    }
    return (struct finding){.is_plain = false};
}

/* Passes on what is left of a wake-up, if there is more than what it takes. */
static void leave_idlers(weir_pool *pool, const struct finding *finding)
    WEIR_REQUIRES(pool->lock)
{
    uint64_t taken = finding->entry != NULL; /* it still is in its list */

    if (weir__eventcount_leave(&pool->idlers) &&
        weir__pool_waiting(pool) > taken)
        weir__workers_wake(pool);
}

static struct finding
take_drops_lock(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    struct finding finding = find_drops_lock(pool, worker);

    leave_idlers(pool, &finding);
    return finding;
}

/* ----------------------------------------------------------------- running */

void weir__worker_end_attempt_drops_lock(weir_pool *pool,
                                         struct weir__worker *worker,
                                         enum weir__ending how)
{
    weir__entry_end_drops_lock(pool, worker->entry, how, &worker->phase);
    weir__entry_detach(pool, worker);
    worker->phase = WEIR__IDLE;
    weir__limits_pay_drops_lock(pool);
}

/* False: it crashed. */
static bool run_handler(weir_pool *pool, struct weir__worker *worker,
                        const struct weir__entry *entry)
{
    bool answered;

    weir__pool_enter(&worker->inside, pool);
    answered = weir__task_run(&worker->task, entry->handler, entry->item, true);
    weir__fork_end_copy(pool->generation);
    if (!answered)
        return false;
    weir__task_end(&worker->task);
    weir__fork_end_copy(pool->generation); /* a clean-up's */
    weir__pool_leave(&worker->inside);
    return true;
}

/* False: the handler crashed, see weir__plain_run. */
static bool
run_attempt_drops_lock(weir_pool *pool, struct weir__worker *worker,
                       struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    enum weir__ending how = WEIR__ANSWERED;
    bool answered = true;

    weir__entry_attach(pool, worker, entry);
    worker->phase = WEIR__IN_ATTEMPT;
    pool->begun++;
    weir__entry_start(pool, entry, &worker->task, worker->index);
    weir__look_post(worker, entry);
    weir__mutex_unlock(&pool->lock);

    if (worker->child) {
        how = weir__children_run(worker, entry);
        weir__task_end(&worker->task);
    } else {
        answered = run_handler(pool, worker, entry);
    }

    weir__mutex_lock(&pool->lock);
    if (answered)
        weir__worker_end_attempt_drops_lock(pool, worker, how);
    return answered;
}

/* Whether the worker may be used. */
static bool greet(struct weir__worker *worker)
{
    weir_pool *pool = worker->pool;
    const weir_pool_options *o = &pool->settings.options;
    int answer = 0;

    if (worker->child)
        answer = weir__children_start(worker);
    if (o->worker_start) {
        weir__pool_enter(&worker->inside, pool);
        worker->inside.is_hook = true;
        answer = o->worker_start(o->worker_arg, worker->index);
        weir__fork_end_copy(pool->generation);
        weir__pool_leave(&worker->inside);
    }
    worker->greeted = answer == 0;
    weir__mutex_lock(&pool->lock);
    worker->refused = answer;
    if (answer == 0)
        worker->phase = WEIR__IDLE;
    weir__waitlist_wake_all(&pool->starters);
    weir__mutex_unlock(&pool->lock);
    return answer == 0;
}

/* It is no worker any more; one that was abandoned has not been for long. */
static void leave_pool(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    worker->phase = WEIR__LEAVING;
    if (!worker->abandoned)
        weir__seen_alive(pool, -1);
    weir__lane_call_workers(pool);
}

/* Whether the worker may take another task with the lock still held. */
static bool may_go_on(const weir_pool *pool, const struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    if (worker->child)
        return weir__children_are_fit(worker);
    return !pool->has_lane || pool->lane_shut;
}

/* Whether it stays: it has not left the pool, and no handler has crashed. */
static bool work_with_lock(weir_pool *pool, struct weir__worker *worker)
{
    struct finding finding;
    bool answered = true;

    weir__mutex_lock(&pool->lock);
    do {
        finding = take_drops_lock(pool, worker);
        if (finding.entry)
            answered = run_attempt_drops_lock(pool, worker, finding.entry);
    } while (answered && finding.entry && may_go_on(pool, worker));
    if (!finding.entry && !finding.is_plain && !finding.is_childless)
        leave_pool(pool, worker);
    weir__mutex_unlock(&pool->lock);
    if (finding.is_plain)
        return weir__plain_run(pool, worker);
    return answered && (finding.entry || finding.is_childless);
}

static void work(void *arg)
{
    struct weir__worker *worker = arg;
    weir_pool *pool = worker->pool;

    weir__thread_wait_exactly();
    if (pool->settings.options.interrupt_signal != 0)
        weir__door_attach(&worker->task.door,
                          pool->settings.options.interrupt_signal);
    weir__trap_begin(worker->thread.trap);
    if (!greet(worker))
        return;
    weir__seen_worker(pool, worker);
    do {
        while (pool->has_lane && !worker->abandoned &&
               weir__plain_take(pool, worker))
            if (!weir__plain_run(pool, worker))
                return;
        weir__plain_rest(worker);
        if (worker->child && !weir__children_renew(worker))
            return;
    } while (work_with_lock(pool, worker));
}

/* ---------------------------------------------------------- the last of it */

/* Ends what the thread was at when it ended. */
static void finish_drops_lock(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    enum weir__phase phase;

    weir__lane_adopt_own(pool, worker);
    phase = worker->phase;
    if (phase == WEIR__LEAVING)
        return;
    if (phase == WEIR__STARTING) {
        if (worker->refused == 0)
            worker->refused = WEIR__START_EXITED;
        weir__timekeeper_hold_off(&pool->workers_hold_ns);
        if (!worker->awaited) {
            weir__log_note(pool, WEIR_LOG_NO_WORKER, NULL,
                           worker->refused > WEIR__START_CHILDLESS
                               ? worker->refused
                               : 0);
            weir__watch_give_up(pool);
        }
    }
    if (phase == WEIR__RENEWING) {
        weir__log_note(pool, WEIR_LOG_NO_WORKER, NULL, 0);
        weir__timekeeper_hold_off(&pool->workers_hold_ns);
        weir__watch_give_up(pool);
    }
    if (phase == WEIR__IN_ATTEMPT) {
        weir__mutex_unlock(&pool->lock);
        weir__pool_enter(&worker->inside, pool);
        weir__task_end(&worker->task);
        weir__pool_leave(&worker->inside);
        weir__mutex_lock(&pool->lock);
        pool->tainted |= worker->task.crashed;
        weir__entry_end_drops_lock(pool, worker->entry,
                                   worker->task.crashed ? WEIR__CRASHED
                                                        : WEIR__EXITED,
                                   &worker->phase);
    } else if (phase == WEIR__DECIDING || phase == WEIR__TELLING) {
        weir__entry_go_on_drops_lock(pool, worker->entry, &worker->phase);
    }
    weir__entry_detach(pool, worker);
    leave_pool(pool, worker);
    weir__limits_pay_drops_lock(pool);
}

static void left(void *arg)
{
    struct weir__worker *worker = arg;
    weir_pool *pool = worker->pool;
    const weir_pool_options *o = &pool->settings.options;
    bool destroyed;

    weir__fork_end_copy(pool->generation);
    weir__trap_end(worker->thread.trap);
    weir__pool_forget_inside();
    weir__mutex_lock(&pool->lock);
    finish_drops_lock(pool, worker);
    weir__seen_worker_left(worker);
    destroyed = pool->destroyed;
    weir__mutex_unlock(&pool->lock);

    if (worker->child)
        weir__child_retire(worker->child);
    if (worker->greeted && o->worker_stop && !destroyed &&
        !worker->task.crashed) {
        worker->greeted = false; /* once, even if it ends the thread */
        weir__pool_enter(&worker->inside, pool);
        worker->inside.is_hook = true;
        o->worker_stop(o->worker_arg, worker->index);
        weir__fork_end_copy(pool->generation);
        weir__pool_leave(&worker->inside);
    }

    weir__mutex_lock(&pool->lock);
    worker->phase = WEIR__ENDED;
    if (!pool->destroyed) {
        worker->next_ended = pool->ended;
        pool->ended = worker;
    }
    weir__waitlist_wake_all(&pool->starters);
    weir__timekeeper_wake(pool);
    weir__pool_changed(pool);
    weir__pool_unlock_and_let_go(pool);
}

/* ---------------------------------------------------------------- starting */

static struct weir__worker *
absent_worker(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    const weir_pool_options *o = &pool->settings.options;
    uint32_t most = o->max_workers + o->max_abandoned;

    /* A resize that failed may have left slots that nobody is to have; one that
     * goes on has still to read what its workers have answered. */
    for (uint32_t i = 0; i < pool->worker_slots && i < most; i++)
        if (pool->workers[i]->phase == WEIR__ABSENT &&
            !pool->workers[i]->awaited)
            return pool->workers[i];
    return NULL;
}

weir_status
weir__worker_start_drops_lock(weir_pool *pool, struct weir__worker **out)
{
    struct weir__worker *worker = absent_worker(pool);
    char suffix[12];
    weir_status status;

    *out = worker;
    if (!worker)
        return WEIR_OK; /* an ended thread has its place until it is joined */
    worker->phase = WEIR__STARTING;
    worker->refused = 0;
    worker->greeted = false;
    worker->abandoned = false;
    worker->task.crashed = false;
    worker->lane.can_be_cancelled = false;
    worker->lane.ended_ns = 0;
    worker->thread.run = work;
    worker->thread.ended = left;
    worker->thread.arg = worker;
    worker->thread.stack_bytes = pool->settings.options.stack_bytes;
    snprintf(suffix, sizeof(suffix), "%u", (unsigned)worker->index);
    weir__thread_set_name(&worker->thread, pool->settings.name, suffix);
    weir__seen_alive(pool, 1);
    pool->threads++;
    weir__pool_hold(pool);
    weir__mutex_unlock(&pool->lock);
    status = weir__thread_start(&worker->thread);
    weir__mutex_lock(&pool->lock);
    if (status) {
        worker->phase = WEIR__ABSENT;
        weir__seen_alive(pool, -1);
        pool->threads--;
        weir__pool_drop(pool);
    }
    return status;
}

bool weir__worker_is_missing(const weir_pool *pool)
{
    return pool->alive < pool->wanted && absent_worker(pool);
}

/* Whether some that are awaited have neither started nor left again; and which
 * one does not start.  While it leaves it is counted as alive, and a good one
 * might end in its stead. */
static bool
some_are_starting(const weir_pool *pool, const struct weir__worker **refusing)
    WEIR_REQUIRES(pool->lock)
{
    bool starting = false;

    for (uint32_t i = 0; i < pool->worker_slots; i++) {
        const struct weir__worker *worker = pool->workers[i];

        if (worker->awaited && worker->refused)
            *refusing = worker;
        if (worker->awaited && worker->phase == WEIR__STARTING)
            starting = true;
    }
    return starting;
}

/* Whether a place comes free without anybody's help: its thread is on its way
 * out.  Others may be in callbacks that wait for us. */
static bool a_place_is_coming(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->phase == WEIR__LEAVING ||
            pool->workers[i]->phase == WEIR__ENDED)
            return true;
    return false;
}

/* What finds no place is left to the timekeeper. */
static weir_status
start_missing_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    uint32_t missing = pool->least - pool->alive;
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    while (missing > 0 && !status) {
        struct weir__worker *worker;

        if (pool->closing) /* the timekeeper may be gone: nobody to join it */
            return WEIR_CLOSED;
        status = weir__worker_start_drops_lock(pool, &worker);
        if (worker && !status) {
            worker->awaited = true;
            missing--;
        }
        if (!worker && !a_place_is_coming(pool))
            break;
        if (!worker) /* until the timekeeper has joined it */
            status = weir__waitlist_wait(&pool->starters, &pool->lock, &turn,
                                         WEIR_FOREVER);
    }
    return status;
}

/* Why a worker does not start. */
static weir_status refuse_worker(const struct weir__worker *worker)
{
    errno = ECANCELED;
    if (worker->refused == WEIR__START_EXITED)
        return weir__refuse(WEIR_ESYSTEM, "worker_start ended its thread: it "
                                          "must return 0 for a worker to be "
                                          "used");
    if (worker->refused != WEIR__START_CHILDLESS)
        return weir__refuse(WEIR_ESYSTEM,
                            "worker_start answered %d: it must return 0 for a "
                            "worker to be used",
                            worker->refused);
    errno = worker->child->error;
    return weir__refuse(WEIR_ESYSTEM,
                        "a child process did not start: %s; see that "
                        "child_start returns, and that memory_bytes, "
                        "descriptors and processes suffice",
                        worker->child->why);
}

weir_status weir__workers_grow_drops_lock(weir_pool *pool)
{
    weir_status status = start_missing_drops_lock(pool);
    const struct weir__worker *refusing = NULL;
    struct weir__turn turn = {0};

    while (some_are_starting(pool, &refusing)) {
        weir_status woken = weir__waitlist_wait(&pool->starters, &pool->lock,
                                                &turn, WEIR_FOREVER);

        (void)woken; /* there is no deadline */
    }
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        pool->workers[i]->awaited = false;
    return refusing ? refuse_worker(refusing) : status;
}
