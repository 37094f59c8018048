/* SPDX-License-Identifier: MIT */
/* schedule.c - see schedule.h. */
#include "pool/schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "observe/ledger.h"
#include "pool/overload.h"

/* ---------------------------------------------------------------- delayed */

bool weir__schedule_is_early(const weir_pool *pool, int64_t not_before_ns)
{
    return not_before_ns > 0 &&
           (pool->schedule.delayed_count > 0 || not_before_ns > weir__now());
}

void weir__entry_delay(weir_pool *pool, struct weir__entry *entry,
                       int64_t not_before_ns)
{
    entry->state = WEIR__QUEUED;
    entry->is_delayed = true;
    entry->since_ns = entry->submitted_ns;
    entry->due_ns = not_before_ns;
    weir__entry_count(pool, entry, WEIR__COLUMN(queued), 1);
    weir__entry_list_append(&pool->schedule.delayed, entry);
    pool->schedule.delayed_count++;
    entry->moment.order = entry->id;
    weir__timekeeper_set(pool, entry, not_before_ns);
    weir__pressure_look(pool);
}

void weir__entry_undelay(weir_pool *pool, struct weir__entry *entry)
{
    weir__entry_list_remove(&pool->schedule.delayed, entry);
    pool->schedule.delayed_count--;
    entry->is_delayed = false;
    entry->moment.order = 0;
}

/* From here it is as if it had been submitted at its time. */
void weir__entry_ripen(weir_pool *pool, struct weir__entry *entry)
{
    weir__entry_undelay(pool, entry);
    if (entry->due_ns > entry->submitted_ns)
        entry->submitted_ns = entry->due_ns;
    weir__entry_count(pool, entry, WEIR__COLUMN(queued), -1);
    weir__entry_queue(pool, entry);
}

/* ----------------------------------------------------------------- series */

weir_status weir__series_check(const weir_task_spec *spec, bool wants_future)
{
    if (spec->not_before.at_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "not_before is no moment: use weir_deadline_after");
    if (spec->every_ns < 0)
        return weir__refuse(WEIR_EINVAL, "every_ns %lld is below 0: 0 is once",
                            (long long)spec->every_ns);
    if (weir__is_forever(spec->not_before))
        return weir__refuse(WEIR_EINVAL, "not_before is WEIR_FOREVER: the task "
                                         "would never start");
    if (spec->every_ns == 0)
        return WEIR_OK;
    if (wants_future)
        return weir__refuse(WEIR_EINVAL,
                            "a series has no future, as it has no outcome of "
                            "its own: give NULL, and see on_settled or a group "
                            "for what becomes of its tasks");
    return WEIR_OK;
}

/* Without a lock. */
static void free_series(struct weir__series *series)
{
    if (series->offer.semaphore)
        weir__limit_let_go(weir__semaphore_as_limit(series->offer.semaphore));
    weir__release(series);
}

static struct weir__series *
create_series(const weir_pool *pool, const struct weir__offer *offer)
{
    size_t bytes = offer->copy ? pool->settings.options.item_size : 0;
    struct weir__series *series = weir__allocate(sizeof(*series) + bytes);

    if (!series)
        return NULL;
    series->moment.is_series = true;
    series->offer = *offer;
    series->offer.series = series;
    series->offer.not_before_ns = 0;
    if (offer->copy) {
        memcpy(series->item, offer->item, bytes);
        series->offer.item = series->item;
    }
    if (offer->own_retry) {
        series->own_retry = *offer->own_retry;
        series->offer.own_retry = &series->own_retry;
    }
    if (offer->semaphore)
        weir__limit_hold(weir__semaphore_as_limit(offer->semaphore));
    if (offer->label) {
        snprintf(series->label, sizeof(series->label), "%s", offer->label);
        series->offer.label = series->label;
    }
    return series;
}

weir_status weir__series_begin(weir_pool *pool, const struct weir__offer *offer,
                               int64_t every_ns)
{
    struct weir__series *series = create_series(pool, offer);
    bool closing;

    weir__mutex_lock(&pool->lock);
    closing = pool->closing;
    if (!series || closing) {
        weir__count_refused(pool, offer->group, 1,
                            series ? WEIR_CLOSED : WEIR_ENOMEM);
    } else {
        series->every_ns = every_ns;
        series->next_ns =
            offer->not_before_ns > 0 ? offer->not_before_ns : weir__now();
        series->next = pool->schedule.series;
        if (series->next)
            series->next->previous = series;
        pool->schedule.series = series;
        weir__timekeeper_set_moment(pool, &series->moment, series->next_ns);
    }
    weir__mutex_unlock(&pool->lock);
    if (!series)
        return weir__refuse(WEIR_ENOMEM, "no memory for a series");
    if (closing)
        free_series(series);
    return closing ? WEIR_CLOSED : WEIR_OK;
}

static struct weir__series *series_of(struct weir__moment *moment)
{
    return (
        struct weir__series *)(void *)((unsigned char *)moment -
                                       offsetof(struct weir__series, moment));
}

/* However late it is: once, and what lies between then and now is refused. */
void weir__series_fire(weir_pool *pool, struct weir__moment *moment)
{
    struct weir__series *series = series_of(moment);
    int64_t now_ns = weir__now();
    int64_t next_ns = weir__moment_after(series->next_ns, series->every_ns);
    uint64_t refused = 0;

    if (next_ns <= now_ns) {
        int64_t missed = (now_ns - next_ns) / series->every_ns + 1;

        refused = (uint64_t)missed;
        next_ns = weir__moment_after(next_ns, (missed - 1) * series->every_ns);
        next_ns = weir__moment_after(next_ns, series->every_ns);
    }
    series->next_ns = next_ns;
    weir__timekeeper_set_moment(pool, moment, next_ns);
    if (series->busy || !weir__offer_take_up(pool, &series->offer))
        refused++;
    weir__count_refused(pool, series->offer.group, refused, WEIR_OK);
}

void weir__series_enter(struct weir__series *series, struct weir__entry *entry)
{
    entry->series = series;
    if (series)
        series->busy = entry;
}

static void free_drops_lock(weir_pool *pool, struct weir__series *series)
    WEIR_REQUIRES(pool->lock)
{
    weir__mutex_unlock(&pool->lock);
    free_series(series);
    weir__mutex_lock(&pool->lock);
}

void weir__series_leave_drops_lock(weir_pool *pool, struct weir__series *series)
{
    if (!series)
        return;
    series->busy = NULL;
    if (series->ended)
        free_drops_lock(pool, series);
}

void weir__series_end_drops_lock(weir_pool *pool, struct weir__series *series)
{
    if (series->ended)
        return;
    series->ended = true;
    weir__moments_remove(&pool->moments, &series->moment);
    if (series->previous)
        series->previous->next = series->next;
    else
        pool->schedule.series = series->next;
    if (series->next)
        series->next->previous = series->previous;
    if (!series->busy)
        free_drops_lock(pool, series);
}

/* Again from the start, since the lock was free. */
void weir__series_end_all_drops_lock(weir_pool *pool, const weir_group *group)
{
    struct weir__series *series = pool->schedule.series;

    while (series) {
        if (!group || series->offer.group == group) {
            weir__series_end_drops_lock(pool, series);
            series = pool->schedule.series;
        } else {
            series = series->next;
        }
    }
}
