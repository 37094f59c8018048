/* SPDX-License-Identifier: MIT */
/* plain.c - how a worker runs plain tasks.  The essay is in lane.h. */
#include "base/clock.h"
#include "base/fence.h"
#include "base/fork.h"
#include "base/stamp.h"
#include "pool/kept.h"
#include "pool/pool.h"
#include "pool/seen.h"

/* ------------------------------------------------------------------ taking */

static void count_one(struct weir__counter *counter)
{
    weir__counter_write_release(counter, weir__counter_read(counter) + 1);
}

/* A plain task; *coming: one is just being put, and comes without a wake-up. */
static bool get_plain(weir_pool *pool, struct weir__worker *worker,
                      uint64_t ignored, bool *coming)
{
    struct weir__lane_work *lane = &worker->lane;

    if (!weir__lane_get(&pool->lane, &lane->plain, lane->copy, ignored,
                        pool->is_seen)) {
        *coming = !weir__lane_is_empty(&pool->lane);
        return false;
    }
    count_one(&lane->taken);
    return true;
}

bool weir__plain_get_locked(weir_pool *pool, struct weir__worker *worker,
                            bool *coming)
{
    bool got = get_plain(pool, worker, WEIR__RING_FLAGS, coming);

    for (int polls = 0; !got && *coming && polls < WEIR__LANE_POLLS; polls++) {
        weir__cpu_pause();
        got = get_plain(pool, worker, WEIR__RING_FLAGS, coming);
    }
    return got;
}

/* Whoever makes room says so. */
static void tell_submitters(weir_pool *pool)
{
    if (!WEIR_RARELY(weir__eventcount_is_armed(&pool->submitters)))
        return;
    weir__mutex_lock(&pool->lock);
    if (weir__eventcount_is_armed(&pool->submitters))
        weir__eventcount_wake(&pool->submitters, 1);
    weir__mutex_unlock(&pool->lock);
}

static bool spin_for_plain(weir_pool *pool, struct weir__worker *worker)
{
    struct weir__spinner spinner = {0};
    bool coming, got = false;

    while (!got && !weir__lane_has_flag(&pool->lane.head) &&
           !weir__lane_has_flag(&pool->lane.tail) &&
           weir__spin_on(&pool->work_spin, &spinner))
        got = get_plain(pool, worker, 0, &coming);
    weir__spin_end(&pool->work_spin, &spinner, got);
    return got;
}

/* Without the lock, as long as nothing stands in the way. */
bool weir__plain_take(weir_pool *pool, struct weir__worker *worker)
{
    bool coming;

    if (get_plain(pool, worker, 0, &coming))
        return true;
    worker->lane.ended_ns = 0;
    return spin_for_plain(pool, worker);
}

/* Handlers of plain tasks may cancel their thread; letting them and forbidding
 * it again each time took 14 % of the time. */
static void set_cancellable(struct weir__worker *worker, bool let)
{
    if (worker->lane.can_be_cancelled == let)
        return;
    worker->lane.can_be_cancelled = let;
    weir__thread_let_cancel(let);
}

/* The pool closes, or the keeper gives up: false if the task is not to run any
 * more. */
static bool goes_on(weir_pool *pool, struct weir__worker *worker)
{
    bool back;

    set_cancellable(worker, false);
    weir__mutex_lock(&pool->lock);
    back = weir__lane_turn_back_drops_lock(pool, worker);
    weir__mutex_unlock(&pool->lock);
    set_cancellable(worker, !back);
    return !back;
}

/* What a deadline may be reckoned from is the clock's. */
static int64_t stamp_for(const weir_pool *pool)
{
    return pool->settings.options.timeout_ns > 0 ? weir__now() : weir__stamp();
}

/* The end of the attempt before is when it started, unless it came since. */
static void stamp_start(const weir_pool *pool, struct weir__lane_work *lane,
                        int64_t submitted_ns)
{
    if (lane->ended_ns == 0)
        lane->ended_ns = stamp_for(pool);
    if (lane->ended_ns < submitted_ns)
        lane->ended_ns = submitted_ns;
    weir__hint_write(&lane->started_ns, (uint64_t)lane->ended_ns);
}

/* Says what it is at; lane.h has the order.  False: it is not to run. */
static bool begin_plain(weir_pool *pool, struct weir__worker *worker)
{
    struct weir__lane_work *lane = &worker->lane;
    const weir_pool_options *o = &pool->settings.options;
    const struct weir__kept *kept = weir__kept_of(&lane->plain);
    struct weir__attempt attempt = {.id = lane->plain.id,
                                    .attempt = 1,
                                    .worker = worker->index,
                                    .context = o->context,
                                    .deadline = WEIR_FOREVER};

    if (kept && kept->keeper->context)
        attempt.context = kept->keeper->context;
    if (WEIR_RARELY(kept || pool->is_seen))
        stamp_start(pool, lane,
                    kept ? kept->submitted_ns : lane->plain.submitted_ns);
    if (!weir__beat_stamp(pool, lane))
        attempt.find_deadline = weir__beat_find_deadline;
    else if (o->timeout_ns > 0)
        attempt.deadline.at_ns =
            (int64_t)weir__counter_read(&lane->deadline_ns);
    weir__task_begin(&worker->task, &attempt);
    weir__counter_write_release(&lane->at, lane->plain.id);
    weir__fence_light();
    if (o->timeout_ns > 0)
        weir__beat_began(pool, worker);
    if (WEIR_RARELY(weir__flag_read(&pool->lane_closing) ||
                    weir__kept_is_given_up(&lane->plain)) &&
        !goes_on(pool, worker))
        return false;
    if (WEIR_RARELY(pool->is_seen))
        weir__seen_plain_start(pool, worker);
    else
        WEIR__POOL_PROBE(pool, start, lane->plain.id, worker->index, 1, 0);
    return true;
}

/* One attempt's end is the next one's start. */
static bool
is_past_deadline(const weir_pool *pool, struct weir__lane_work *lane)
{
    uint64_t at_ns = weir__counter_read(&lane->deadline_ns);
    bool stamps = at_ns > 0 || pool->is_seen || weir__kept_of(&lane->plain);
    int64_t started_ns = (int64_t)weir__hint_read(&lane->started_ns);

    lane->ended_ns = stamps ? stamp_for(pool) : 0;
    if (stamps && lane->ended_ns < started_ns)
        lane->ended_ns = started_ns;
    return at_ns > 0 && (int64_t)at_ns <= lane->ended_ns;
}

/* Whether somebody who wanted the attempt has got it. */
static bool was_adopted(weir_pool *pool, const struct weir__worker *worker)
{
    bool adopted;

    weir__mutex_lock(&pool->lock);
    adopted = worker->entry != NULL;
    weir__mutex_unlock(&pool->lock);
    return adopted;
}

/* Those in join when all is done, who polls at every end. */
static void tell_idle_joiners(weir_pool *pool)
{
    if (!WEIR_RARELY(weir__eventcount_is_armed(&pool->joiners)) ||
        (!weir__lane_is_empty(&pool->lane) &&
         !weir__eventcount_is_quiet(&pool->joiners)))
        return;
    weir__mutex_lock(&pool->lock);
    weir__eventcount_tell(&pool->joiners);
    weir__pool_changed(pool);
    weir__mutex_unlock(&pool->lock);
}

/* Whether the attempt has ended and is counted, without anybody's help. */
static bool end_plainly(weir_pool *pool, struct weir__worker *worker)
{
    struct weir__lane_work *lane = &worker->lane;
    const struct weir__kept *kept = weir__kept_of(&lane->plain);

    if (is_past_deadline(pool, lane) || !weir__task_is_plain(&worker->task))
        return false;
    weir__counter_write_release(&lane->at, 0);
    weir__fence_light();
    if (WEIR_RARELY(weir__counter_read(&lane->wanted) == lane->plain.id) &&
        was_adopted(pool, worker))
        return false;
    weir__task_end_plainly(&worker->task);
    if (WEIR_RARELY(pool->is_seen))
        weir__seen_plain_end(pool, worker);
    else
        WEIR__POOL_PROBE(pool, settle, lane->plain.id, worker->index, 1,
                         weir__task_is_done(&worker->task)
                             ? WEIR_OUTCOME_DONE
                             : WEIR_OUTCOME_FAILED);
    if (kept)
        weir__kept_tell(kept, &worker->task,
                        (int64_t)weir__hint_read(&lane->started_ns),
                        lane->ended_ns);
    weir__fork_end_copy(pool->generation); /* a callback's */
    count_one(weir__task_is_done(&worker->task) ? &lane->done : &lane->failed);
    weir__fence_light();
    tell_idle_joiners(pool);
    return true;
}

/* False: it crashed. */
static bool run_plain(struct weir__worker *worker)
{
    const struct weir__plain *plain = &worker->lane.plain;
    const struct weir__kept *kept = weir__kept_of(plain);
    bool answered;

    if (kept)
        answered = weir__task_run(&worker->task, kept->keeper->handler,
                                  kept->item, false);
    else
        answered =
            weir__task_run(&worker->task, plain->handler, plain->item, false);
    weir__fork_end_copy(worker->pool->generation);
    return answered;
}

bool weir__plain_run(weir_pool *pool, struct weir__worker *worker)
{
    struct weir__lane_work *lane = &worker->lane;

    set_cancellable(worker, true);
    tell_submitters(pool);
    if (!begin_plain(pool, worker))
        return true;
    weir__pool_enter(&worker->inside, pool);
    if (!run_plain(worker))
        return false;
    weir__thread_reset_cancel();
    weir__thread_test_cancel();
    if (end_plainly(pool, worker)) {
        weir__pool_leave(&worker->inside);
        return true;
    }
    set_cancellable(worker, false);
    lane->ended_ns = 0; /* clean-ups may take long */
    weir__task_end(&worker->task);
    weir__fork_end_copy(pool->generation); /* a clean-up's */
    weir__pool_leave(&worker->inside);
    weir__mutex_lock(&pool->lock);
    weir__lane_adopt_own(pool, worker);
    weir__worker_end_attempt_drops_lock(pool, worker, WEIR__ANSWERED);
    weir__mutex_unlock(&pool->lock);
    return true;
}

void weir__plain_rest(struct weir__worker *worker)
{
    set_cancellable(worker, false);
}
