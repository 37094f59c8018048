/* SPDX-License-Identifier: MIT */
/* look.c - see look.h. */
#include "pool/look.h"

#include <string.h>

#include "base/clock.h"
#include "base/stamp.h"
#include "observe/ledger.h"

/* Of buckets at a time: what lies on the stack. */
enum { LOCK_TRIES = 200, BUCKETS_AT_ONCE = 32 };
_Static_assert(WEIR_HISTOGRAM_BUCKETS % BUCKETS_AT_ONCE == 0,
               "the last part would be shorter");

static bool get_lock(weir_pool *pool) WEIR_TRIES(pool->lock);
WEIR_TRUST_ME static bool get_lock(weir_pool *pool)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (weir__mutex_try_aside(&pool->lock))
            return true;
        weir__cpu_pause();
    }
    return false;
}

/* ----------------------------------------------------------------- figures */

static uint64_t less(uint64_t from, uint64_t by)
{
    return from > by ? from - by : 0;
}

static struct weir__worker *first_worker(const weir_pool *pool)
{
    return (struct weir__worker *)(uintptr_t)weir__hint_observe(
        &pool->first_worker);
}

static struct weir__worker *next_worker(const struct weir__worker *worker)
{
    return (struct weir__worker *)(uintptr_t)weir__hint_observe(&worker->next);
}

/* As weir__lane_count, which is with the lock for its caller's sake only. */
static uint64_t glance_lane(const weir_pool *pool)
{
    uint64_t got;

    if (!pool->has_lane)
        return 0;
    got = weir__ring_got_ever(&pool->lane);
    return less(weir__ring_put_ever(&pool->lane), got);
}

/* What weir__pool_ledger says, as far as it can be had without the lock: what
 * has moved on meanwhile is not counted below 0. */
static void glance_ledger(const weir_pool *pool, weir_ledger *out)
{
    uint64_t done = 0, failed = 0, taken = 0;
    uint64_t adopted = weir__figure_glance(&pool->adopted);

    weir__ledger_glance(out, &pool->ledger);
    for (const struct weir__worker *w = first_worker(pool); w;
         w = next_worker(w)) {
        done += weir__counter_read(&w->lane.done);
        failed += weir__counter_read(&w->lane.failed);
        taken += weir__counter_read(&w->lane.taken);
    }
    out->accepted = weir__pool_accepted(pool);
    out->queued += glance_lane(pool);
    out->running += less(taken, done + failed + adopted);
    out->attempts += less(taken, adopted);
    out->done += done;
    out->failed += failed;
}

static uint32_t count_callers(const weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    uint32_t count = 0;

    for (const struct weir__entry *e = pool->callers.first; e; e = e->next)
        count++;
    return count;
}

void weir__look_at_pool(const weir_pool *handle, struct weir__look *out)
{
    weir_pool *pool = (weir_pool *)handle; /* looking takes the lock too */

    *out =
        (struct weir__look){.name = pool->settings.name,
                            .capacity = pool->settings.options.queue_capacity};
    if (!get_lock(pool)) {
        glance_ledger(pool, &out->ledger);
        return;
    }
    out->exact = true;
    weir__pool_ledger(pool, &out->ledger);
    out->workers = pool->alive;
    out->closing = pool->closing;
    out->degraded = weir__pool_is_degraded(pool);
    out->tainted = pool->tainted;
    out->delayed = pool->schedule.delayed_count;
    out->callers = count_callers(pool);
    weir__mutex_unlock_aside(&pool->lock);
}

/* ----------------------------------------------------------------- workers */

static enum weir__doing doing_by_phase(enum weir__phase phase)
{
    switch (phase) {
    case WEIR__STARTING:
    case WEIR__RENEWING:
        return WEIR__DOES_START;
    case WEIR__DECIDING:
        return WEIR__DOES_DECIDE;
    case WEIR__TELLING:
        return WEIR__DOES_TELL;
    case WEIR__LEAVING:
        return WEIR__DOES_LEAVE;
    case WEIR__IN_ATTEMPT:
        return WEIR__DOES_SOMETHING;
    case WEIR__ABSENT:
    case WEIR__IDLE:
    case WEIR__ENDED:
        break;
    }
    return WEIR__DOES_NOTHING;
}

static void look_at_entry(const struct weir__worker *worker, int64_t now_ns,
                          struct weir__look_at *out)
{
    const struct weir__entry *entry = worker->entry;

    out->task_id = entry->id;
    out->attempt = entry->outcome.attempts;
    memcpy(out->label, entry->label, sizeof(out->label));
    if (worker->phase != WEIR__IN_ATTEMPT && !worker->abandoned)
        return;
    out->for_ns = weir__span(entry->since_ns, now_ns);
    out->doing = WEIR__DOES_OVERSTAY;
    if (worker->abandoned) {
        out->doing = WEIR__DOES_LINGER;
    } else if (entry->state == WEIR__RUNNING) {
        out->doing = WEIR__DOES_RUN;
        if (entry->moment.is_in)
            out->left_ns = entry->moment.at_ns - now_ns;
    }
}

/* A plain task: its start is known if its deadline is, else it began before it
 * was first seen (lane.h). */
static void look_at_plain(const weir_pool *pool, struct weir__worker *worker,
                          uint64_t id, int64_t now_ns,
                          struct weir__look_at *out) WEIR_REQUIRES(pool->lock)
{
    int64_t at_ns = (int64_t)weir__counter_read(&worker->lane.deadline_ns);
    int64_t timeout_ns = pool->settings.options.timeout_ns;

    out->doing = WEIR__DOES_RUN;
    out->task_id = id;
    out->attempt = 1;
    if (timeout_ns > 0 && at_ns > 0) {
        out->left_ns = at_ns - now_ns;
        out->for_ns = timeout_ns - out->left_ns;
        return;
    }
    if (worker->lane.seen != id) {
        worker->lane.seen = id;
        worker->lane.seen_ns = now_ns;
    }
    out->for_ns = now_ns - worker->lane.seen_ns;
    out->at_least = true;
}

static void look_at_worker(const weir_pool *pool, struct weir__worker *worker,
                           int64_t now_ns, struct weir__look_at *out)
    WEIR_REQUIRES(pool->lock)
{
    uint64_t id = weir__counter_read(&worker->lane.at);

    out->exact = true;
    out->index = worker->index;
    out->doing = doing_by_phase(worker->phase);
    if (worker->entry)
        look_at_entry(worker, now_ns, out);
    else if (id)
        look_at_plain(pool, worker, id, now_ns, out);
}

static void glance_at_worker(const struct weir__worker *worker, int64_t now_ns,
                             struct weir__look_at *out)
{
    uint64_t id = weir__counter_read(&worker->lane.at);
    struct weir__posted posted;

    out->index = worker->index;
    if (!weir__board_read(&worker->board, &posted)) {
        out->doing = WEIR__DOES_SOMETHING;
    } else if (posted.task_id) {
        out->doing = WEIR__DOES_RUN;
        out->task_id = posted.task_id;
        out->attempt = posted.attempt;
        out->for_ns = weir__span(posted.since_ns, now_ns);
        memcpy(out->label, posted.label, sizeof(out->label));
    } else if (id) {
        out->doing = WEIR__DOES_RUN;
        out->task_id = id;
        out->attempt = 1;
    }
}

static size_t glance_at_workers(struct weir__worker **next,
                                struct weir__look_at *out, size_t room)
{
    int64_t now_ns = weir__now();
    size_t count = 0;

    for (; *next && count < room; *next = next_worker(*next))
        glance_at_worker(*next, now_ns, &out[count++]);
    return count;
}

size_t
weir__look_at_workers(const weir_pool *handle, struct weir__worker **next,
                      struct weir__look_at *out, size_t room)
{
    weir_pool *pool = (weir_pool *)handle; /* looking takes the lock too */
    size_t count = 0;
    int64_t now_ns;

    if (!*next)
        *next = first_worker(pool);
    for (size_t i = 0; i < room; i++)
        out[i] = (struct weir__look_at){.for_ns = -1, .left_ns = INT64_MAX};
    if (!get_lock(pool))
        return glance_at_workers(next, out, room);
    now_ns = weir__now();
    for (; *next && count < room; *next = next_worker(*next))
        look_at_worker(pool, *next, now_ns, &out[count++]);
    weir__mutex_unlock_aside(&pool->lock);
    return count;
}

/* ------------------------------------------------------------------- times */

static const struct weir__histogram *
pick(const struct weir__times *times, weir_pool_time of)
{
    return of == WEIR_POOL_WAITING ? &times->waiting : &times->running;
}

/* BUCKETS_AT_ONCE from `first` on, of the pool and of all its workers. */
static void add_up_buckets(const weir_pool *pool, weir_pool_time of,
                           size_t first, uint64_t *sums)
{
    const struct weir__histogram *some = pick(pool->tally.times, of);
    const struct weir__worker *w = first_worker(pool);

    for (size_t i = 0; i < BUCKETS_AT_ONCE; i++)
        sums[i] = weir__hint_read(&some->buckets[first + i]);
    for (; w; w = next_worker(w)) {
        some = pick(w->times, of);
        for (size_t i = 0; i < BUCKETS_AT_ONCE; i++)
            sums[i] += weir__hint_read(&some->buckets[first + i]);
    }
}

static uint64_t count_times(const weir_pool *pool, weir_pool_time of)
{
    uint64_t sums[BUCKETS_AT_ONCE], count = 0;

    for (size_t at = 0; at < WEIR_HISTOGRAM_BUCKETS; at += BUCKETS_AT_ONCE) {
        add_up_buckets(pool, of, at, sums);
        for (size_t i = 0; i < BUCKETS_AT_ONCE; i++)
            count += sums[i];
    }
    return count;
}

/* So many of a hundred, rounded up. */
static uint64_t share_of(uint64_t count, unsigned percent)
{
    return count / 100 * percent + (count % 100 * percent + 99) / 100;
}

static void find_shares(const weir_pool *pool, weir_pool_time of,
                        struct weir__look_times *out)
{
    const uint64_t wanted[] = {share_of(out->count, 50),
                               share_of(out->count, 90),
                               share_of(out->count, 99)};
    int64_t *const found[] = {&out->p50_ns, &out->p90_ns, &out->p99_ns};
    uint64_t sums[BUCKETS_AT_ONCE], passed = 0;
    size_t next = 0;

    for (size_t at = 0; at < WEIR_HISTOGRAM_BUCKETS && next < 3;
         at += BUCKETS_AT_ONCE) {
        add_up_buckets(pool, of, at, sums);
        for (size_t i = 0; i < BUCKETS_AT_ONCE; i++) {
            passed += sums[i];
            while (next < 3 && passed >= wanted[next])
                *found[next++] = weir__bucket_middle(at + i);
        }
    }
}

static void be_at_most(int64_t *ns, int64_t most_ns)
{
    if (*ns > most_ns)
        *ns = most_ns;
}

static int64_t longest_time(const weir_pool *pool, weir_pool_time of)
{
    uint64_t max_ns = weir__hint_read(&pick(pool->tally.times, of)->max_ns);

    for (const struct weir__worker *w = first_worker(pool); w;
         w = next_worker(w)) {
        uint64_t here_ns = weir__hint_read(&pick(w->times, of)->max_ns);

        if (here_ns > max_ns)
            max_ns = here_ns;
    }
    return (int64_t)max_ns;
}

bool weir__look_at_times(const weir_pool *pool, weir_pool_time of,
                         struct weir__look_times *out)
{
    *out = (struct weir__look_times){0};
    if (!pool->tally.times)
        return false;
    out->count = count_times(pool, of);
    if (out->count == 0)
        return true;
    find_shares(pool, of, out);
    out->max_ns = longest_time(pool, of);
    /* The middle of a bucket may lie beyond the longest that is in there. */
    be_at_most(&out->p50_ns, out->max_ns);
    be_at_most(&out->p90_ns, out->max_ns);
    be_at_most(&out->p99_ns, out->max_ns);
    return true;
}

/* ------------------------------------------------------------ by the pool */

void weir__look_add(weir_pool *pool, uint32_t fresh)
{
    for (uint32_t i = pool->worker_slots - fresh; i < pool->worker_slots; i++) {
        struct weir__hint *link =
            i > 0 ? &pool->workers[i - 1]->next : &pool->first_worker;

        weir__hint_publish(link, (uintptr_t)pool->workers[i]);
    }
}

void weir__look_post(struct weir__worker *worker,
                     const struct weir__entry *entry)
{
    struct weir__posted posted = {.task_id = entry->id,
                                  .attempt = entry->outcome.attempts,
                                  .since_ns = entry->started_ns};

    memcpy(posted.label, entry->label, sizeof(posted.label));
    weir__board_write(&worker->board, &posted);
}
