/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - figures of pools and queues, for Prometheus.
 *
 * What there is stands in tables: a family, and where its figures lie in the
 * snapshot.  All snapshots are taken first, and then written family by family,
 * as the format wants it.
 */
#include <weir/metrics.h>

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "edge/family.h"
#include "pool/pool.h"

/* ------------------------------------------------------------------- pools */

struct pool_figures {
    weir_pool_stats stats;
    uint64_t refused_else; /* for a reason that is not told apart */
    uint64_t expired_late; /* not given up by CoDel */
    uint64_t capacity;
    const weir_pool *pool;
    unsigned number; /* of those with this name */
};

#define IN_POOL(field)   offsetof(struct pool_figures, field)
#define IN_STATS(field)  IN_POOL(stats.field)
#define IN_LEDGER(field) IN_POOL(stats.ledger.field)
#define SAMPLES(array)   array, sizeof(array) / sizeof((array)[0])
/* A family of one figure. */
#define ONE(name, help, type, at, kind)                                        \
 {                                                                             \
  name, help, type, &(const struct weir__sample){NULL, at, kind}, 1            \
 }

static const struct weir__sample refused_samples[] = {
    {"reason=\"full\"", IN_STATS(refused_full), WEIR__FIGURE},
    {"reason=\"timed_out\"", IN_STATS(refused_timed_out), WEIR__FIGURE},
    {"reason=\"closed\"", IN_STATS(refused_closed), WEIR__FIGURE},
    {"reason=\"degraded\"", IN_STATS(refused_degraded), WEIR__FIGURE},
    {"reason=\"other\"", IN_POOL(refused_else), WEIR__FIGURE}};

static const struct weir__sample settled_samples[] = {
    {"outcome=\"done\"", IN_LEDGER(done), WEIR__FIGURE},
    {"outcome=\"failed\"", IN_LEDGER(failed), WEIR__FIGURE},
    {"outcome=\"timed_out\"", IN_LEDGER(timed_out), WEIR__FIGURE},
    {"outcome=\"crashed\"", IN_LEDGER(crashed), WEIR__FIGURE},
    {"outcome=\"exited\"", IN_LEDGER(exited), WEIR__FIGURE},
    {"outcome=\"cancelled\"", IN_LEDGER(cancelled), WEIR__FIGURE},
    {"outcome=\"expired\"", IN_LEDGER(expired), WEIR__FIGURE},
    {"outcome=\"dropped\"", IN_LEDGER(dropped), WEIR__FIGURE}};

static const struct weir__sample state_samples[] = {
    {"state=\"queued\"", IN_LEDGER(queued), WEIR__FIGURE},
    {"state=\"running\"", IN_LEDGER(running), WEIR__FIGURE},
    {"state=\"retrying\"", IN_LEDGER(retrying), WEIR__FIGURE}};

static const struct weir__sample expired_samples[] = {
    {"reason=\"time_to_live\"", IN_POOL(expired_late), WEIR__FIGURE},
    {"reason=\"stale\"", IN_STATS(expired_stale), WEIR__FIGURE}};

static const struct weir__sample scaled_samples[] = {
    {"direction=\"up\"", IN_STATS(scaled_up), WEIR__FIGURE},
    {"direction=\"down\"", IN_STATS(scaled_down), WEIR__FIGURE}};

static const struct weir__family pool_families[] = {
    ONE("weir_pool_tasks_accepted_total", "Tasks that the pool has accepted.",
        "counter", IN_LEDGER(accepted), WEIR__FIGURE),
    {"weir_pool_tasks_refused_total",
     "Tasks that were offered and not accepted.", "counter",
     SAMPLES(refused_samples)},
    {"weir_pool_tasks_settled_total", "Tasks whose outcome is known.",
     "counter", SAMPLES(settled_samples)},
    {"weir_pool_tasks_expired_total",
     "Tasks that waited for too long to be run, by what gave them up.",
     "counter", SAMPLES(expired_samples)},
    {"weir_pool_tasks", "Tasks that have not settled.", "gauge",
     SAMPLES(state_samples)},
    ONE("weir_pool_capacity_tasks", "Tasks that may wait at a time.", "gauge",
        IN_POOL(capacity), WEIR__FIGURE),
    ONE("weir_pool_tasks_overdue",
        "Settled tasks whose attempt has not ended, abandoned ones too.",
        "gauge", IN_LEDGER(overdue), WEIR__FIGURE),
    ONE("weir_pool_tasks_abandoned",
        "Settled tasks whose attempt keeps a thread that was given up.",
        "gauge", IN_LEDGER(abandoned), WEIR__FIGURE),
    ONE("weir_pool_attempts_total", "Attempts that have begun.", "counter",
        IN_LEDGER(attempts), WEIR__FIGURE),
    ONE("weir_pool_attempts_late_total",
        "Attempts that answered after their deadline or the settle.", "counter",
        IN_LEDGER(late), WEIR__FIGURE),
    ONE("weir_pool_retries_total", "Further attempts that were granted.",
        "counter", IN_STATS(retries), WEIR__FIGURE),
    ONE("weir_pool_workers", "Worker threads, abandoned ones not counted.",
        "gauge", IN_STATS(workers), WEIR__FIGURE_32),
    ONE("weir_pool_workers_busy", "Workers that run a handler or a callback.",
        "gauge", IN_STATS(busy), WEIR__FIGURE_32),
    {"weir_pool_workers_scaled_total",
     "Workers that came because tasks waited, or left because they were idle.",
     "counter", SAMPLES(scaled_samples)},
    ONE("weir_pool_threads_abandoned_total", "Threads that were given up.",
        "counter", IN_STATS(abandoned), WEIR__FIGURE),
    ONE("weir_pool_submits_blocked_total", "Submits that have waited for room.",
        "counter", IN_STATS(blocked), WEIR__FIGURE),
    ONE("weir_pool_submits_blocked_seconds_total",
        "Time that submits have waited for room.", "counter",
        IN_STATS(blocked_ns), WEIR__NS),
    ONE("weir_pool_submits_waiting", "Submits that wait for room now.", "gauge",
        IN_STATS(blocked_now), WEIR__FIGURE_32),
    ONE("weir_pool_oldest_queued_seconds",
        "How long the oldest task has waited for its first attempt.", "gauge",
        IN_STATS(oldest_queued_ns), WEIR__NS),
    ONE("weir_pool_longest_running_seconds",
        "How long the oldest attempt has run.", "gauge",
        IN_STATS(longest_running_ns), WEIR__NS),
    ONE("weir_pool_worker_seconds_total",
        "Time that workers have been there, added up.", "counter",
        IN_STATS(worker_ns), WEIR__NS),
    ONE("weir_pool_degraded", "1 while too many threads are abandoned.",
        "gauge", IN_STATS(degraded), WEIR__YES),
    ONE("weir_pool_tainted", "1 once a handler has crashed in this process.",
        "gauge", IN_STATS(tainted), WEIR__YES)};

static void read_pool(struct pool_figures *into, const weir_pool *pool)
{
    weir_pool_stats *s = &into->stats;
    uint64_t told;

    *s = (weir_pool_stats)WEIR_POOL_STATS_INIT;
    weir_pool_read_stats(pool, s);
    told = s->refused_full + s->refused_timed_out + s->refused_closed +
           s->refused_degraded;
    into->refused_else = s->ledger.refused - told;
    into->expired_late = s->ledger.expired - s->expired_stale;
    into->capacity = pool->settings.options.queue_capacity;
    into->pool = pool;
}

static void number_pools(struct pool_figures *figures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        figures[i].number = 1;
        for (size_t k = 0; k < i; k++)
            figures[i].number += strcmp(figures[i].pool->settings.name,
                                        figures[k].pool->settings.name) == 0;
    }
}

static struct weir__owner owner_of(const struct pool_figures *figures)
{
    return (struct weir__owner){"pool", figures->pool->settings.name,
                                figures->number};
}

static void write_pools(struct weir__words *words,
                        const struct pool_figures *figures, size_t count)
{
    static const size_t families =
        sizeof(pool_families) / sizeof(pool_families[0]);

    for (size_t f = 0; f < families; f++) {
        const struct weir__family *family = &pool_families[f];

        weir__family_begin(words, family->name, family->help, family->type);
        for (size_t i = 0; i < count; i++) {
            struct weir__owner owner = owner_of(&figures[i]);

            weir__family_write(words, family, &owner, &figures[i]);
        }
    }
}

/* Of those pools that keep them; they are of a moment a bit later. */
static weir_status
write_histograms(struct weir__words *words, const struct pool_figures *figures,
                 size_t count, weir_pool_time which)
{
    static const char *const names[] = {[WEIR_POOL_WAITING] =
                                            "weir_pool_waiting_seconds",
                                        [WEIR_POOL_RUNNING] =
                                            "weir_pool_running_seconds"};
    static const char *const helps[] = {
        [WEIR_POOL_WAITING] = "Time that tasks waited for the first attempt.",
        [WEIR_POOL_RUNNING] = "Time that attempts ran."};
    weir_histogram *histogram = NULL;
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && !status; i++) {
        struct weir__owner owner = owner_of(&figures[i]);

        if (!figures[i].pool->settings.options.histograms)
            continue;
        if (!histogram) {
            histogram = weir__allocate(sizeof(*histogram));
            if (!histogram)
                return weir__refuse(WEIR_ENOMEM, "no memory for a histogram");
            histogram->size = sizeof(*histogram);
            weir__family_begin(words, names[which], helps[which], "histogram");
        }
        status = weir_pool_read_histogram(figures[i].pool, which, histogram);
        if (!status)
            weir__family_write_histogram(words, names[which], &owner,
                                         histogram);
    }
    weir__release(histogram);
    return status;
}

weir_status
weir_metrics_write_pools(const weir_pool *const *pools, size_t count, int fd)
{
    WEIR__UNTRAPPED;
    struct pool_figures *figures;
    struct weir__words words;
    weir_status status;

    if (!pools || count == 0)
        return weir__refuse(WEIR_EINVAL, "no pools: give one at least");
    for (size_t i = 0; i < count; i++) {
        status = weir__pool_check(pools[i]);
        if (status)
            return status;
    }
    figures = weir__allocate_many(count, sizeof(*figures));
    if (!figures)
        return weir__refuse(WEIR_ENOMEM,
                            "no memory for the figures of %zu "
                            "pools",
                            count);
    for (size_t i = 0; i < count; i++)
        read_pool(&figures[i], pools[i]);
    number_pools(figures, count);
    weir__words_open(&words, fd);
    write_pools(&words, figures, count);
    status = write_histograms(&words, figures, count, WEIR_POOL_WAITING);
    if (!status)
        status = write_histograms(&words, figures, count, WEIR_POOL_RUNNING);
    weir__release(figures);
    return status ? status : weir__words_close(&words, "metrics");
}

weir_status weir_metrics_write(const weir_pool *pool, int fd)
{
    WEIR__UNTRAPPED;

    return weir_metrics_write_pools(&pool, 1, fd);
}

/* ------------------------------------------------------------------ queues */

struct queue_figures {
    weir_queue_stats stats;
    uint64_t count, most, capacity, unfinished;
    bool is_closed;
};

#define IN_QUEUE(field) offsetof(struct queue_figures, field)

static const struct weir__family queue_families[] = {
    ONE("weir_queue_puts_total", "Items that were put.", "counter",
        IN_QUEUE(stats.put), WEIR__FIGURE),
    ONE("weir_queue_gets_total", "Items that consumers got.", "counter",
        IN_QUEUE(stats.got), WEIR__FIGURE),
    ONE("weir_queue_refused_total", "Items that were offered and not accepted.",
        "counter", IN_QUEUE(stats.refused), WEIR__FIGURE),
    ONE("weir_queue_dropped_total",
        "Items that were accepted and then discarded.", "counter",
        IN_QUEUE(stats.dropped), WEIR__FIGURE),
    ONE("weir_queue_put_waits_total", "Puts that have waited for room.",
        "counter", IN_QUEUE(stats.put_waits), WEIR__FIGURE),
    ONE("weir_queue_get_waits_total", "Gets that have waited for an item.",
        "counter", IN_QUEUE(stats.get_waits), WEIR__FIGURE),
    ONE("weir_queue_items", "Items in the queue.", "gauge", IN_QUEUE(count),
        WEIR__FIGURE),
    ONE("weir_queue_most_items", "Items in the queue, at most so far.", "gauge",
        IN_QUEUE(most), WEIR__FIGURE),
    ONE("weir_queue_capacity_items", "Items that there is room for.", "gauge",
        IN_QUEUE(capacity), WEIR__FIGURE),
    ONE("weir_queue_unfinished_items", "Items put and not yet done with.",
        "gauge", IN_QUEUE(unfinished), WEIR__FIGURE),
    ONE("weir_queue_closed", "1 once the queue is closed.", "gauge",
        IN_QUEUE(is_closed), WEIR__YES)};

static void read_queue(struct queue_figures *into, const weir_queue *queue)
{
    into->stats = (weir_queue_stats)WEIR_QUEUE_STATS_INIT;
    weir_queue_read_stats(queue, &into->stats);
    into->count = into->stats.count;
    into->most = into->stats.most;
    into->capacity = weir_queue_capacity(queue);
    into->unfinished = weir_queue_unfinished(queue);
    into->is_closed = weir_queue_is_closed(queue);
}

static weir_status check_queues(const weir_queue *const *queues,
                                const char *const *names, size_t count)
{
    if (!queues || !names || count == 0)
        return weir__refuse(WEIR_EINVAL,
                            "no queues, or no names of them: give one at "
                            "least, and a name for each");
    for (size_t i = 0; i < count; i++) {
        if (!queues[i] || !names[i])
            return weir__refuse(WEIR_EINVAL, "%s[%zu] is NULL",
                                queues[i] ? "names" : "queues", i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(names[i], names[k]) == 0)
                return weir__refuse(WEIR_EINVAL,
                                    "two queues are called \"%s\": give each a "
                                    "name of its own",
                                    names[i]);
    }
    return WEIR_OK;
}

weir_status
weir_metrics_write_queues(const weir_queue *const *queues,
                          const char *const *names, size_t count, int fd)
{
    WEIR__UNTRAPPED;
    static const size_t families =
        sizeof(queue_families) / sizeof(queue_families[0]);
    weir_status status = check_queues(queues, names, count);
    struct queue_figures *figures;
    struct weir__words words;

    if (status)
        return status;
    figures = weir__allocate_many(count, sizeof(*figures));
    if (!figures)
        return weir__refuse(WEIR_ENOMEM,
                            "no memory for the figures of %zu "
                            "queues",
                            count);
    for (size_t i = 0; i < count; i++)
        read_queue(&figures[i], queues[i]);
    weir__words_open(&words, fd);
    for (size_t f = 0; f < families; f++) {
        const struct weir__family *family = &queue_families[f];

        weir__family_begin(&words, family->name, family->help, family->type);
        for (size_t i = 0; i < count; i++) {
            struct weir__owner owner = {"queue", names[i], 1};

            weir__family_write(&words, family, &owner, &figures[i]);
        }
    }
    weir__release(figures);
    return weir__words_close(&words, "metrics");
}
