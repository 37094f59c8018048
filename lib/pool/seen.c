/* SPDX-License-Identifier: MIT */
/* seen.c - see seen.h. */
#include "pool/seen.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/stamp.h"
#include "pool/limits.h"

/* -------------------------------------------------------------------- life */

static uint16_t enter_events(const weir_pool_options *o)
{
    weir_event_source source = {.kind = WEIR_SOURCE_POOL,
                                .workers = o->workers,
                                .capacity = o->queue_capacity};

    snprintf(source.name, sizeof(source.name), "%s", o->name);
    return weir__events_enter(o->events, &source);
}

weir_status weir__seen_create(weir_pool *pool)
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__tally *tally = &pool->tally;

    weir__stamp_prepare();
    tally->scaled_to = o->workers;
    if (o->histograms) {
        tally->times = weir__allocate(sizeof(*tally->times));
        if (!tally->times)
            return weir__refuse(WEIR_ENOMEM, "no memory for a pool");
    }
    if (o->events) {
        weir__events_hold(o->events);
        tally->events = o->events;
        tally->source = enter_events(o);
    }
    return WEIR_OK;
}

void weir__seen_release(weir_pool *pool)
{
    weir__events_let_go(pool->tally.events);
    weir__release(pool->tally.times);
}

/* ----------------------------------------------------------------- writing */

static void write_event(const weir_pool *pool, weir_event *event)
{
    event->source = pool->tally.source;
    weir__events_write(pool->tally.events, event);
}

void weir__seen_note(weir_pool *pool, weir_event_kind kind, int64_t value)
{
    weir_event event = {.kind = (uint16_t)kind,
                        .worker = UINT32_MAX,
                        .value = value};

    if (kind == WEIR_EVENT_SCALE)
        WEIR__POOL_PROBE(pool, scale, 0, -1, 0, value);
    if (kind == WEIR_EVENT_CLOSE)
        WEIR__POOL_PROBE(pool, close, 0, -1, 0, value);
    if (!pool->tally.events)
        return;
    event.at_ns = weir__stamp();
    write_event(pool, &event);
}

/* What all events of an entry have. */
static weir_event
event_of(const struct weir__entry *entry, weir_event_kind kind, int64_t at_ns)
{
    return (weir_event){.at_ns = at_ns,
                        .task = entry->id,
                        .worker = UINT32_MAX,
                        .kind = (uint16_t)kind};
}

/* For a probe. */
static int32_t worker_of(const struct weir__entry *entry)
{
    return entry->worker ? (int32_t)entry->worker->index : -1;
}

/* The same of one about its attempt. */
static weir_event event_of_attempt(const struct weir__entry *entry,
                                   weir_event_kind kind, int64_t at_ns)
{
    weir_event event = event_of(entry, kind, at_ns);

    event.attempt = entry->outcome.attempts;
    if (entry->worker)
        event.worker = entry->worker->index;
    return event;
}

/* -------------------------------------------------------------- plain tasks */

bool weir__seen_put(weir_pool *pool, struct weir__plain *plain,
                    const void *copied, uint64_t ignored)
{
    weir_event event = {.kind = WEIR_EVENT_SUBMIT, .worker = UINT32_MAX};

    plain->submitted_ns = weir__stamp();
    event.task = weir__lane_put(&pool->lane, &pool->listed, plain, copied,
                                ignored, true);
    if (event.task > 0)
        WEIR__POOL_PROBE(pool, submit, event.task, -1, 0, 0);
    if (event.task > 0 && pool->tally.events) {
        event.at_ns = plain->submitted_ns;
        write_event(pool, &event);
    }
    return event.task > 0;
}

void weir__seen_worker(const weir_pool *pool, struct weir__worker *worker)
{
    if (pool->has_lane && pool->tally.events)
        worker->events_lane =
            weir__events_bind(pool->tally.events, worker->index);
}

void weir__seen_worker_left(struct weir__worker *worker)
{
    weir__events_unbind(worker->events_lane);
    worker->events_lane = NULL;
}

/* On its own thread. */
static void
write_of_worker(const weir_pool *pool, const struct weir__worker *worker,
                weir_event *event)
{
    event->source = pool->tally.source;
    weir__events_write_bound(pool->tally.events, worker->events_lane, event);
}

void weir__seen_plain_start(weir_pool *pool, struct weir__worker *worker)
{
    const struct weir__lane_work *lane = &worker->lane;
    int64_t started_ns = (int64_t)weir__hint_read(&lane->started_ns);
    weir_event event = {.at_ns = started_ns,
                        .task = lane->plain.id,
                        .value = started_ns - lane->plain.submitted_ns,
                        .worker = worker->index,
                        .attempt = 1,
                        .kind = WEIR_EVENT_START};

    WEIR__POOL_PROBE(pool, start, event.task, event.worker, 1, event.value);
    if (worker->times)
        weir__histogram_note(&worker->times->waiting, event.value);
    if (pool->tally.events)
        write_of_worker(pool, worker, &event);
}

void weir__seen_plain_end(weir_pool *pool, struct weir__worker *worker)
{
    const struct weir__lane_work *lane = &worker->lane;
    weir_event event = {.at_ns = lane->ended_ns,
                        .task = lane->plain.id,
                        .worker = worker->index,
                        .attempt = 1,
                        .kind = WEIR_EVENT_SETTLE,
                        .flags = WEIR_EVENT_ENDED | WEIR_EVENT_RELEASED};

    if (worker->times)
        weir__histogram_note(&worker->times->running,
                             lane->ended_ns -
                                 (int64_t)weir__hint_read(&lane->started_ns));
    event.value = weir__task_is_done(&worker->task) ? WEIR_OUTCOME_DONE
                                                    : WEIR_OUTCOME_FAILED;
    WEIR__POOL_PROBE(pool, settle, event.task, event.worker, 1, event.value);
    if (pool->tally.events)
        write_of_worker(pool, worker, &event);
}

/* ------------------------------------------------------------------ entries */

void weir__seen_submit(weir_pool *pool, const struct weir__entry *entry,
                       int64_t not_before_ns)
{
    weir_event event;

    WEIR__POOL_PROBE(pool, submit, entry->id, -1, 0, not_before_ns);
    if (!pool->tally.events)
        return;
    event = event_of(entry, WEIR_EVENT_SUBMIT, entry->submitted_ns);
    event.value = not_before_ns;
    write_event(pool, &event);
}

void weir__seen_start(weir_pool *pool, const struct weir__entry *entry)
{
    bool first = entry->outcome.attempts == 1;
    int64_t since_ns = first ? entry->submitted_ns : entry->due_ns;
    int64_t waited_ns = weir__span(since_ns, entry->started_ns);
    weir_event event;

    pool->tally.retries += !first;
    WEIR__POOL_PROBE(pool, start, entry->id, worker_of(entry),
                     entry->outcome.attempts, entry->started_ns - since_ns);
    if (!pool->is_seen)
        return;
    if (pool->tally.times && first)
        weir__histogram_note(&pool->tally.times->waiting, waited_ns);
    if (!pool->tally.events)
        return;
    event = event_of_attempt(entry, WEIR_EVENT_START, entry->started_ns);
    event.value = waited_ns;
    write_event(pool, &event);
}

/* How it ended, unless by an answer or by us. */
static weir_event_kind end_kind(enum weir__ending how)
{
    switch (how) {
    case WEIR__EXITED:
    case WEIR__CHILD_EXITED:
        return WEIR_EVENT_EXIT;
    case WEIR__CRASHED:
    case WEIR__CHILD_CRASHED:
        return WEIR_EVENT_CRASH;
    case WEIR__ANSWERED:
    case WEIR__CHILD_KILLED:
        break;
    }
    return WEIR_EVENT_END;
}

/* END only if nothing follows that says so, as in the ring. */
static void probe_end(const weir_pool *pool, const struct weir__entry *entry,
                      weir_event_kind kind) WEIR_REQUIRES(pool->lock)
{
    bool settled = entry->state != WEIR__RUNNING;
    int32_t worker = worker_of(entry);
    uint32_t attempt = entry->outcome.attempts;

    if (kind == WEIR_EVENT_EXIT)
        WEIR__POOL_PROBE(pool, exit, entry->id, worker, attempt, 0);
    else if (kind == WEIR_EVENT_CRASH)
        WEIR__POOL_PROBE(pool, crash, entry->id, worker, attempt,
                         settled ? 0 : entry->outcome.code);
    if (settled)
        WEIR__POOL_PROBE(pool, end, entry->id, worker, attempt, 0);
}

void weir__seen_end(weir_pool *pool, const struct weir__entry *entry,
                    enum weir__ending how)
{
    weir_event event;

    probe_end(pool, entry, end_kind(how));
    if (!pool->is_seen)
        return;
    event = event_of_attempt(entry, end_kind(how),
                             entry->state == WEIR__RUNNING ? entry->noted_ns
                                                           : weir__stamp());
    if (pool->tally.times)
        weir__histogram_note(&pool->tally.times->running,
                             event.at_ns - entry->started_ns);
    if (!pool->tally.events)
        return;
    if (event.kind == WEIR_EVENT_CRASH && entry->state == WEIR__RUNNING)
        event.value = entry->outcome.code;
    if (event.kind != WEIR_EVENT_END)
        write_event(pool, &event);
    event.kind = WEIR_EVENT_END;
    event.value = 0;
    if (entry->state != WEIR__RUNNING) /* else what follows says so */
        write_event(pool, &event);
}

void weir__seen_settle(weir_pool *pool, const struct weir__entry *entry,
                       enum weir__entry_state was)
{
    weir_event event;

    WEIR__POOL_PROBE(pool, settle, entry->id,
                     was == WEIR__RUNNING || entry->attempt_alive
                         ? worker_of(entry)
                         : -1,
                     entry->outcome.attempts, entry->outcome.kind);
    if (!pool->tally.events)
        return;
    /* User code has been asked since then, if there is any to ask. */
    event = event_of_attempt(entry, WEIR_EVENT_SETTLE,
                             entry->retry->retryable ? weir__stamp()
                                                     : entry->noted_ns);
    event.value = entry->outcome.kind;
    if (was == WEIR__RUNNING && !entry->attempt_alive)
        event.flags = WEIR_EVENT_ENDED;
    if (was != WEIR__RUNNING && !entry->attempt_alive)
        event.worker = UINT32_MAX;
    write_event(pool, &event);
}

void weir__seen_held(weir_pool *pool, const struct weir__entry *entry,
                     weir_held_by by)
{
    weir_event event;

    WEIR__POOL_PROBE(pool, held, entry->id, -1, entry->outcome.attempts + 1,
                     by);
    if (!pool->tally.events)
        return;
    event = event_of(entry, WEIR_EVENT_HELD, weir__stamp());
    event.attempt = entry->outcome.attempts + 1;
    event.value = by;
    write_event(pool, &event);
}

void weir__seen_retry(weir_pool *pool, const struct weir__entry *entry,
                      int64_t delay_ns)
{
    weir_event event;

    WEIR__POOL_PROBE(pool, retry, entry->id, worker_of(entry),
                     entry->outcome.attempts, delay_ns);
    if (!pool->tally.events)
        return;
    event = event_of_attempt(entry, WEIR_EVENT_RETRY, weir__stamp());
    event.value = delay_ns;
    if (!entry->attempt_alive)
        event.flags = WEIR_EVENT_ENDED;
    write_event(pool, &event);
}

void weir__seen_release_of(weir_pool *pool, const struct weir__entry *entry)
{
    weir_event event;

    WEIR__POOL_PROBE(pool, release, entry->id, -1, 0, 0);
    if (!pool->tally.events)
        return;
    event = event_of(entry, WEIR_EVENT_RELEASE, weir__stamp());
    write_event(pool, &event);
}

void weir__seen_abandon(weir_pool *pool, const struct weir__entry *entry)
{
    weir_event event;

    WEIR__POOL_PROBE(pool, abandon, entry->id, worker_of(entry),
                     entry->outcome.attempts, 0);
    pool->tally.abandoned++;
    if (!pool->tally.events)
        return;
    event = event_of_attempt(entry, WEIR_EVENT_ABANDON, weir__stamp());
    write_event(pool, &event);
}

/* ----------------------------------------------------------------- the pool */

void weir__seen_refused(weir_pool *pool, weir_status status, uint64_t count)
{
    struct weir__tally *tally = &pool->tally;

    if (status == WEIR_FULL)
        tally->refused_full += count;
    else if (status == WEIR_TIMED_OUT)
        tally->refused_timed_out += count;
    else if (status == WEIR_CLOSED)
        tally->refused_closed += count;
    else if (status == WEIR_DEGRADED)
        tally->refused_degraded += count;
}

/* A handler's submit is its worker's. */
static void write_blocked(weir_pool *pool, weir_event *event, int64_t now_ns)
{
    if (!pool->tally.events)
        return;
    event->at_ns = now_ns;
    event->worker = UINT32_MAX;
    write_event(pool, event);
}

uint64_t weir__seen_blocked(weir_pool *pool)
{
    struct weir__tally *tally = &pool->tally;
    weir_event event = {.kind = WEIR_EVENT_BLOCKED};
    int64_t now_ns = weir__now();

    tally->blocked_now++;
    tally->blocked_ns -= now_ns;
    event.task = ++tally->blocked;
    WEIR__POOL_PROBE(pool, blocked, event.task, -1, 0, 0);
    write_blocked(pool, &event, now_ns);
    return event.task;
}

void weir__seen_unblocked(weir_pool *pool, uint64_t wait, weir_status status)
{
    weir_event event = {.kind = WEIR_EVENT_UNBLOCKED,
                        .task = wait,
                        .value = status};
    int64_t now_ns = weir__now();

    if (wait == 0)
        return;
    WEIR__POOL_PROBE(pool, unblocked, wait, -1, 0, status);
    pool->tally.blocked_now--;
    pool->tally.blocked_ns += now_ns;
    write_blocked(pool, &event, now_ns);
}

void weir__seen_child(weir_pool *pool, uint32_t worker, pid_t pid)
{
    weir_event event = {.kind = WEIR_EVENT_CHILD,
                        .worker = worker,
                        .value = pid};

    WEIR__POOL_PROBE(pool, child, 0, worker, 0, pid);
    if (!pool->tally.events)
        return;
    event.at_ns = weir__now();
    write_event(pool, &event);
}

void weir__seen_scale(weir_pool *pool)
{
    if (pool->wanted == pool->tally.scaled_to)
        return;
    pool->tally.scaled_to = pool->wanted;
    weir__seen_note(pool, WEIR_EVENT_SCALE, pool->wanted);
}

void weir__seen_alive(weir_pool *pool, int more)
{
    pool->alive += (uint32_t)more;
    pool->tally.workers_ns -= more * weir__now();
}

/* ------------------------------------------------------------------ figures */

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Of the list, where the oldest is the first but for those that waited for
 * their time, and of the lane. */
static int64_t
oldest_queued(const weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    const struct weir__entry *first = weir__limits_oldest(pool);
    int64_t since_ns = 0;

    if (first)
        since_ns = first->submitted_ns;
    else if (pool->has_lane && pool->is_seen)
        since_ns = weir__lane_oldest(&pool->lane);
    return since_ns > 0 ? later_of(now_ns - since_ns, 0) : 0;
}

static int64_t
longest_running(const weir_pool *pool, int64_t now_ns) WEIR_REQUIRES(pool->lock)
{
    int64_t longest_ns = 0;

    for (uint32_t i = 0; i < pool->worker_slots; i++) {
        const struct weir__worker *worker = pool->workers[i];
        const struct weir__entry *entry = worker->entry;
        int64_t since_ns = 0;

        if (entry && entry->attempt_alive)
            since_ns = entry->started_ns;
        else if (!entry && pool->is_seen &&
                 weir__counter_read(&worker->lane.at) != 0)
            since_ns = (int64_t)weir__hint_read(&worker->lane.started_ns);
        if (since_ns > 0)
            longest_ns = later_of(longest_ns, now_ns - since_ns);
    }
    for (const struct weir__entry *e = pool->callers.first; e; e = e->next)
        longest_ns = later_of(longest_ns, now_ns - e->started_ns);
    return longest_ns;
}

static uint64_t running_sum(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    uint64_t sum_ns;

    if (!pool->tally.times)
        return 0;
    sum_ns = weir__hint_read(&pool->tally.times->running.sum_ns);
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->times)
            sum_ns += weir__hint_read(&pool->workers[i]->times->running.sum_ns);
    return sum_ns;
}

void weir__seen_figures(weir_pool *pool, weir_pool_stats *stats)
{
    const struct weir__tally *tally = &pool->tally;
    int64_t now_ns = weir__now();

    stats->refused_full = tally->refused_full;
    stats->refused_timed_out = tally->refused_timed_out;
    stats->refused_closed = tally->refused_closed;
    stats->refused_degraded = tally->refused_degraded;
    stats->expired_stale = tally->stale;
    stats->retries = tally->retries;
    stats->abandoned = tally->abandoned;
    stats->scaled_up = tally->scaled_up;
    stats->scaled_down = tally->scaled_down;
    stats->blocked = tally->blocked;
    stats->blocked_now = tally->blocked_now;
    stats->blocked_ns = tally->blocked_ns + tally->blocked_now * now_ns;
    stats->worker_ns = tally->workers_ns + pool->alive * now_ns;
    stats->oldest_queued_ns = oldest_queued(pool, now_ns);
    stats->longest_running_ns = longest_running(pool, now_ns);
    stats->running_ns = (int64_t)running_sum(pool);
}

static weir_status
check_histogram(const weir_pool *pool, weir_pool_time of, weir_histogram *out)
{
    weir_status status = weir__pool_check(pool);

    if (status)
        return status;
    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    if ((unsigned)of > WEIR_POOL_RUNNING)
        status = weir__refuse(WEIR_EINVAL,
                              "%d is no time: use WEIR_POOL_WAITING or "
                              "WEIR_POOL_RUNNING",
                              (int)of);
    if (!status && !pool->tally.times)
        status = weir__refuse(WEIR_EINVAL,
                              "the pool was made without histograms: set the "
                              "option");
    if (!status && out->size < sizeof(*out))
        status = weir__refuse(WEIR_EINVAL,
                              "weir_histogram.size is %zu: start from "
                              "WEIR_HISTOGRAM_INIT",
                              out->size);
    return status;
}

static void add_times(const struct weir__times *times, weir_pool_time of,
                      weir_histogram *out)
{
    if (times)
        weir__histogram_collect(out, of == WEIR_POOL_WAITING ? &times->waiting
                                                             : &times->running);
}

weir_status weir_pool_read_histogram(const weir_pool *handle, weir_pool_time of,
                                     weir_histogram *out)
{
    WEIR__UNTRAPPED;
    weir_pool *pool = (weir_pool *)handle; /* reading takes the lock too */
    weir_status status = check_histogram(pool, of, out);

    if (status)
        return status;
    *out = (weir_histogram)WEIR_HISTOGRAM_INIT;
    weir__mutex_lock(&pool->lock);
    add_times(pool->tally.times, of, out);
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        add_times(pool->workers[i]->times, of, out);
    weir__mutex_unlock(&pool->lock);
    return WEIR_OK;
}
