/* SPDX-License-Identifier: MIT */
/*
 * submit.c - letting tasks in, or saying why not.
 *
 * Every form of submit makes an offer: the task with the pool's defaults filled
 * in.  Under the lock the offer is let in as soon as there is room; what
 * happens without room is the policy's affair.  An offer that is not let in has
 * moved nothing.
 *
 * CALLER-RUNS is the exception to "nothing is allocated": the attempt's record
 * cannot come from the store, since any number of submitters may run a task at
 * once.  It is allocated before the task is accepted.
 */
#include "pool/pool.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "base/stamp.h"
#include "observe/ledger.h"
#include "pool/callers.h"
#include "pool/children.h"
#include "pool/kept.h"
#include "pool/limits.h"
#include "pool/room.h"
#include "pool/schedule.h"
#include "pool/seen.h"
#include "process/start.h"
#include "task/retry.h"

/* ---------------------------------------------------------------- entering */

static void fill_in(weir_pool *pool, struct weir__entry *entry,
                    const struct weir__offer *offer) WEIR_REQUIRES(pool->lock)
{
    weir__counter_add(&pool->listed, 1);
    entry->id = weir__pool_accepted(pool);
    entry->handler = offer->handler;
    entry->context = offer->context;
    entry->timeout_ns = offer->timeout_ns;
    entry->time_to_live_ns = offer->time_to_live_ns;
    entry->source = offer->source;
    entry->is_kept = offer->kept != NULL;
    entry->submitted_ns =
        offer->time_to_live_ns > 0 ? weir__now() : weir__stamp();
    entry->item = offer->item;
    if (offer->copy) {
        entry->item = weir__store_copy_of(entry);
        memcpy(entry->item, offer->item, pool->settings.options.item_size);
    }
    entry->retry = &pool->settings.retry;
    if (offer->own_retry) {
        entry->own_retry = *offer->own_retry;
        entry->retry = &entry->own_retry;
    }
    if (offer->label)
        snprintf(entry->label, sizeof(entry->label), "%s", offer->label);
    if (offer->future)
        weir__future_attach(offer->future, entry);
    if (pool->held.any || offer->semaphore)
        weir__limits_enter(pool, entry, offer->semaphore, offer->permits);
    weir__series_enter(offer->series, entry);
    weir__group_enter(offer->group, entry);
    weir__entry_count(pool, entry, WEIR__COLUMN(accepted), 1);
    pool->open++;
    weir__seen_submit(pool, entry, offer->not_before_ns);
}

static void
drop_oldest_drops_lock(weir_pool *pool, const struct weir__offer *offer)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__entry *oldest = weir__limits_oldest(pool);

    weir__entry_settle(pool, oldest, WEIR_OUTCOME_DROPPED);
    weir__callers_tell_drops_lock(pool, oldest, offer->future);
}

static bool is_plain(const weir_pool *pool, const struct weir__offer *offer)
{
    const weir_pool_options *o = &pool->settings.options;

    if (offer->kept)
        return pool->has_lane && offer->kept->keeper->is_quiet;
    return pool->has_lane && !offer->future && !offer->group &&
           !offer->source && !offer->own_retry && !offer->label &&
           !offer->series && !offer->semaphore && offer->not_before_ns == 0 &&
           offer->time_to_live_ns == 0 && offer->timeout_ns == o->timeout_ns &&
           offer->context == o->context;
}

static bool
put_plain(weir_pool *pool, const struct weir__offer *offer, uint64_t ignored)
{
    struct weir__plain plain = {.handler = offer->handler, .item = offer->item};

    if (offer->kept) {
        plain.handler = weir__kept_mark;
        plain.item = offer->kept;
    }
    return weir__put_plain(pool, &plain, offer->copy ? offer->item : NULL,
                           ignored);
}

/* Lets it in if there is room. */
static bool try_to_let_in(weir_pool *pool, const struct weir__offer *offer)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__entry *entry;

    if (!pool->lane_shut && is_plain(pool, offer)) {
        if (!put_plain(pool, offer, WEIR__RING_FLAGS))
            return false;
        if (weir__eventcount_is_armed(&pool->idlers))
            weir__workers_wake(pool);
        else
            weir__watch_begin(pool);
        return true;
    }
    if (!weir__pool_has_room(pool))
        return false;
    if (pool->has_lane && !pool->lane_shut) {
        weir__lane_shut(pool);
        if (!weir__pool_has_room(pool)) /* somebody was faster */
            return false;
    }
    entry = weir__store_take(pool);
    fill_in(pool, entry, offer);
    if (weir__schedule_is_early(pool, offer->not_before_ns))
        weir__entry_delay(pool, entry, offer->not_before_ns);
    else
        weir__entry_queue(pool, entry);
    return true;
}

bool weir__offer_take_up(weir_pool *pool, const struct weir__offer *offer)
{
    return !weir__pool_is_degraded(pool) && !weir__children_are_lost(pool) &&
           !weir__limits_refuse(pool) && try_to_let_in(pool, offer);
}

/* The same, but has patience for a moment with a worker that is just leaving a
 * place. */
static bool let_in_now(weir_pool *pool, const struct weir__offer *offer)
    WEIR_REQUIRES(pool->lock)
{
    bool in = try_to_let_in(pool, offer);

    for (int polls = 0;
         !in && polls < WEIR__LANE_POLLS && weir__room_is_coming(pool);
         polls++) {
        weir__cpu_pause();
        in = try_to_let_in(pool, offer);
    }
    return in;
}

static weir_status
wait_for_room_drops_lock(weir_pool *pool, struct weir__turn *turn,
                         weir_deadline deadline) WEIR_REQUIRES(pool->lock)
{
    int64_t nap_until_ns = weir__moment_after(weir__now(), WEIR__LANE_NAP_NS);
    bool naps =
        (weir__room_is_coming(pool) || weir__room_for_entry_is_coming(pool)) &&
        nap_until_ns < deadline.at_ns;
    weir_status status;

    if (naps)
        deadline.at_ns = nap_until_ns;
    if (pool->has_lane && turn->waits >= WEIR__OVERTAKEN_AT_MOST)
        weir__counter_or(&pool->lane.tail, WEIR__RING_STAND_BACK);
    status = weir__waitlist_wait(&pool->submitters.waiters, &pool->lock, turn,
                                 deadline);
    return naps ? WEIR_OK : status;
}

static weir_status refuse_degraded(const weir_pool *pool)
{
    return weir__refuse(
        WEIR_DEGRADED,
        "max_abandoned %u threads are abandoned: no task is taken until one "
        "of their handlers returns",
        (unsigned)pool->settings.options.max_abandoned);
}

static weir_on_full
policy_for(const weir_pool *pool, const struct weir__offer *offer)
{
    return offer->kept ? WEIR_ON_FULL_WAIT : pool->settings.options.on_full;
}

/* A producer's item waits inside, where the breaker holds it back: whoever
 * pulls can be slowed down, but would take a refusal for the end. */
static bool is_refused(weir_pool *pool, const struct weir__offer *offer)
    WEIR_REQUIRES(pool->lock)
{
    return !offer->source && weir__limits_refuse(pool);
}

/* Waits as the policy says until it is let in; *wait is then the number of its
 * wait, if there was one. */
static weir_status
let_in_drops_lock(weir_pool *pool, const struct weir__offer *offer,
                  uint64_t *wait, weir_deadline deadline)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__turn turn = {0};
    weir_on_full policy = policy_for(pool, offer);
    weir_status status = WEIR_OK;

    for (;;) {
        if (pool->closing)
            return WEIR_CLOSED;
        if (offer->kept && weir__flag_read(&offer->kept->keeper->gives_up))
            return WEIR_CANCELLED;
        if (weir__pool_is_degraded(pool))
            return refuse_degraded(pool);
        if (weir__children_are_lost(pool))
            return weir__server_refuse_lost();
        if (is_refused(pool, offer))
            return weir__refuse(WEIR_FULL,
                                "the pool's breaker is open: nothing is taken "
                                "until it has cooled down");
        weir__eventcount_arm(&pool->submitters);
        if (!weir__must_stand_back(&pool->submitters.waiters, &turn) &&
            let_in_now(pool, offer))
            return WEIR_OK;
        if (policy == WEIR_ON_FULL_DROP_OLDEST && weir__limits_oldest(pool)) {
            drop_oldest_drops_lock(pool, offer);
            continue;
        }
        if (policy != WEIR_ON_FULL_WAIT)
            return WEIR_FULL;
        if (weir__is_forever(deadline) && weir__pool_is_inside(pool))
            return weir__refuse(
                WEIR_DEADLOCK,
                "a handler or callback would wait for ever for room in its own "
                "pool: give it a deadline");
        if (status != WEIR_OK)
            return status;
        if (*wait == 0)
            *wait = weir__seen_blocked(pool);
        status = wait_for_room_drops_lock(pool, &turn, deadline);
    }
}

/* Passes on what is left of a wake-up, and lets newcomers in again. */
static void leave_submitters(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    bool others = weir__eventcount_leave(&pool->submitters);

    weir__lane_review(pool);
    if (others && (weir__pool_has_room(pool) || pool->closing))
        weir__eventcount_wake(&pool->submitters, 1);
}

/* ------------------------------------------------------------- caller-runs */

static void refuse_offers(weir_pool *pool, weir_group *group, uint64_t count,
                          weir_status status)
{
    weir__mutex_lock(&pool->lock);
    weir__count_refused(pool, group, count, status);
    weir__mutex_unlock(&pool->lock);
}

static weir_status run_here(weir_pool *pool, const struct weir__offer *offer)
{
    struct weir__entry *entry = weir__store_create_callers(pool);

    if (!entry) {
        refuse_offers(pool, offer->group, 1, WEIR_ENOMEM);
        return weir__refuse(WEIR_ENOMEM, "no memory to run a task here");
    }
    weir__mutex_lock(&pool->lock);
    if (pool->closing) {
        weir__count_refused(pool, offer->group, 1, WEIR_CLOSED);
        weir__mutex_unlock(&pool->lock);
        weir__store_release_callers(entry);
        return WEIR_CLOSED;
    }
    fill_in(pool, entry, offer);
    weir__entry_start(pool, entry, entry->task, UINT32_MAX);
    weir__entry_list_append(&pool->callers, entry);
    weir__mutex_unlock(&pool->lock);

    weir__callers_run(pool, entry, offer->future);
    return WEIR_OK;
}

/* ------------------------------------------------------------------ offers */

static bool spin_for_place(weir_pool *pool, const struct weir__offer *offer,
                           weir_deadline deadline)
{
    struct weir__spinner spinner = {0};
    bool in = false;

    if (policy_for(pool, offer) != WEIR_ON_FULL_WAIT || weir__is_now(deadline))
        return false;
    while (!in && !weir__lane_has_flag(&pool->lane.tail) &&
           weir__spin_on(&pool->submit_spin, &spinner))
        in = weir__ring_has_stretch(&pool->lane) && put_plain(pool, offer, 0);
    weir__spin_end(&pool->submit_spin, &spinner, in);
    return in;
}

static void wake_worker(weir_pool *pool)
{
    weir__mutex_lock(&pool->lock);
    weir__workers_wake(pool);
    weir__mutex_unlock(&pool->lock);
}

static void begin_watch(weir_pool *pool)
{
    weir__mutex_lock(&pool->lock);
    weir__watch_begin(pool);
    weir__mutex_unlock(&pool->lock);
}

/* After a put. */
static inline void tell_workers(weir_pool *pool)
{
    if (WEIR_RARELY(weir__eventcount_is_armed(&pool->idlers)))
        wake_worker(pool);
    else if (WEIR_RARELY(weir__flag_read(&pool->unwatched)))
        begin_watch(pool);
}

static weir_status
let_in(weir_pool *pool, const struct weir__offer *offer, weir_deadline deadline)
{
    bool callers_turn = false;
    uint64_t wait = 0;
    weir_status status;

    if (is_plain(pool, offer) &&
        (put_plain(pool, offer, 0) || spin_for_place(pool, offer, deadline))) {
        tell_workers(pool);
        return WEIR_OK;
    }
    weir__mutex_lock(&pool->lock);
    status = let_in_drops_lock(pool, offer, &wait, deadline);
    leave_submitters(pool);
    weir__seen_unblocked(pool, wait, status);
    if (status == WEIR_FULL &&
        pool->settings.options.on_full == WEIR_ON_FULL_CALLER_RUNS &&
        offer->not_before_ns <= weir__now()) {
        callers_turn = !weir__pool_is_inside(pool);
        if (!callers_turn)
            status = weir__refuse(WEIR_DEADLOCK,
                                  "a handler or callback cannot run a task of "
                                  "its own pool itself");
    }
    if (status && !callers_turn)
        weir__count_refused(pool, offer->group, 1, status);
    weir__mutex_unlock(&pool->lock);
    return callers_turn ? run_here(pool, offer) : status;
}

static struct weir__offer
offer_of(const weir_pool *pool, weir_handler *handler, void *item)
{
    const weir_pool_options *o = &pool->settings.options;

    return (struct weir__offer){.handler = handler,
                                .item = item,
                                .context = o->context,
                                .timeout_ns = o->timeout_ns,
                                .time_to_live_ns = o->time_to_live_ns};
}

/* `item` is one that is not copied. */
static weir_status check_offer(const weir_pool *pool, weir_handler *handler,
                               const void *item, const void *context)
{
    weir_status status = weir__pool_check(pool);

    if (!status && !handler)
        status = weir__refuse(WEIR_EINVAL, "handler is NULL");
    if (!status && WEIR_RARELY(pool->settings.has_children))
        status = weir__children_check(pool, handler, item, context);
    return status;
}

static weir_status check_copy(const weir_pool *pool, const void *item)
{
    if (pool->settings.options.item_size == 0)
        return weir__refuse(WEIR_EINVAL,
                            "the pool's item_size is 0: set it to copy items");
    if (!item)
        return weir__refuse(WEIR_EINVAL, "item is NULL: there is nothing to "
                                         "copy");
    return WEIR_OK;
}

weir_status weir_pool_submit(weir_pool *pool, weir_handler *handler, void *item,
                             weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_offer(pool, handler, item, NULL);
    struct weir__plain plain = {.handler = handler, .item = item};
    struct weir__offer offer;

    if (status)
        return status;
    if (pool->has_lane && weir__put_plain(pool, &plain, NULL, 0)) {
        tell_workers(pool);
        return WEIR_OK;
    }
    offer = offer_of(pool, handler, item);
    return let_in(pool, &offer, deadline);
}

weir_status
weir__submit(weir_pool *pool, weir_group *group, weir_handler *handler,
             void *item, weir_deadline deadline)
{
    weir_status status = check_offer(pool, handler, item, NULL);
    struct weir__offer offer;

    if (status)
        return status;
    offer = offer_of(pool, handler, item);
    offer.group = group;
    return let_in(pool, &offer, deadline);
}

weir_status weir_pool_submit_copy(weir_pool *pool, weir_handler *handler,
                                  const void *item, weir_deadline deadline)
{
    return weir__pool_submit_from(pool, NULL, handler, item, deadline);
}

static weir_status
submit_copy(weir_pool *pool, weir_group *group,
            const struct weir__source *source, weir_handler *handler,
            const void *item, weir_deadline deadline)
{
    weir_status status = check_offer(pool, handler, NULL, NULL);
    struct weir__offer offer;

    if (!status)
        status = check_copy(pool, item);
    if (status)
        return status;
    offer = offer_of(pool, handler, (void *)item);
    offer.copy = true;
    offer.group = group;
    offer.source = source;
    return let_in(pool, &offer, deadline);
}

weir_status
weir__pool_submit_from(weir_pool *pool, const struct weir__source *source,
                       weir_handler *handler, const void *item,
                       weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    return submit_copy(pool, NULL, source, handler, item, deadline);
}

weir_status weir__submit_from(weir_pool *pool, weir_group *group,
                              const struct weir__source *source,
                              weir_handler *handler, const void *item)
{
    return submit_copy(pool, group, source, handler, item, WEIR_FOREVER);
}

weir_status
weir__pool_check_kept(const weir_pool *pool, const struct weir__keeper *keeper)
{
    return check_offer(pool, keeper->handler, NULL, keeper->context);
}

weir_status weir__pool_submit_kept(weir_pool *pool, struct weir__kept *kept)
{
    const struct weir__keeper *keeper = kept->keeper;
    struct weir__offer offer = offer_of(pool, keeper->handler, kept->item);

    if (keeper->context)
        offer.context = keeper->context;
    offer.source = &keeper->source;
    offer.kept = kept;
    kept->submitted_ns = weir__stamp();
    return let_in(pool, &offer, WEIR_FOREVER);
}

weir_status weir_pool_submit_many(weir_pool *pool, weir_handler *handler,
                                  void *const *items, size_t count,
                                  size_t *done, weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_offer(pool, handler, NULL, NULL);
    bool offered = !status && (items || count == 0);
    size_t n = 0;

    if (!status && !items && count > 0) {
        weir__refuse(WEIR_EINVAL, "items is NULL");
        status = WEIR_EINVAL;
    }
    while (!status && n < count) {
        struct weir__offer offer = offer_of(pool, handler, items[n]);

        if (WEIR_RARELY(pool->settings.has_children))
            status = weir__children_check(pool, handler, items[n], NULL);
        if (!status)
            status = let_in(pool, &offer, deadline);
        n += status == WEIR_OK;
    }
    if (n + 1 < count && status && offered) /* those behind it too */
        refuse_offers(pool, NULL, count - n - 1, status);
    if (done)
        *done = n;
    return status;
}

/* 0: the pool's; below 0: none. */
static int64_t spec_or_pool(int64_t spec_ns, int64_t pool_ns)
{
    return spec_ns == 0 ? pool_ns : spec_ns < 0 ? 0 : spec_ns;
}

static weir_status
read_spec(weir_pool *pool, const weir_task_spec *spec, weir_task_spec *s,
          struct weir__offer *offer, weir_retry *retry, bool wants_future)
{
    weir_status status =
        spec ? weir__options_read(s, sizeof(*s), spec, "weir_task_spec")
             : weir__refuse(WEIR_EINVAL, "spec is NULL");

    if (!status)
        status =
            check_offer(pool, s->handler, s->copy ? NULL : s->item, s->context);
    if (!status && s->copy)
        status = check_copy(pool, s->item);
    if (!status && s->retry)
        status = weir__retry_read(retry, s->retry);
    if (status)
        return status;
    *offer = offer_of(pool, s->handler, s->item);
    offer->copy = s->copy;
    if (s->context)
        offer->context = s->context;
    offer->timeout_ns = spec_or_pool(s->timeout_ns, offer->timeout_ns);
    offer->time_to_live_ns =
        spec_or_pool(s->time_to_live_ns, offer->time_to_live_ns);
    offer->own_retry = s->retry ? retry : NULL;
    offer->label = s->label;
    offer->not_before_ns = s->not_before.at_ns;
    offer->semaphore = s->semaphore;
    offer->permits = s->permits;
    status = weir__limits_check_task(pool, s->semaphore, &offer->permits);
    return status ? status : weir__series_check(s, wants_future);
}

weir_status weir_pool_submit_task(weir_pool *pool, const weir_task_spec *spec,
                                  weir_future **out, weir_deadline deadline)
{
    return weir__submit_task(pool, NULL, spec, out, deadline);
}

weir_status weir__submit_task(weir_pool *pool, weir_group *group,
                              const weir_task_spec *spec, weir_future **out,
                              weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_task_spec read = WEIR_TASK_SPEC_INIT;
    weir_retry retry = WEIR_RETRY_INIT;
    struct weir__offer offer;
    weir_status status = weir__pool_check(pool);

    if (!status)
        status = read_spec(pool, spec, &read, &offer, &retry, out != NULL);
    if (status)
        return status;
    offer.group = group;
    if (read.every_ns > 0)
        return weir__series_begin(pool, &offer, read.every_ns);
    if (out)
        status = weir__future_create(&offer.future, pool);
    if (status) {
        refuse_offers(pool, group, 1, status);
        return status;
    }
    status = let_in(pool, &offer, deadline);
    if (status)
        weir_future_release(offer.future);
    else if (out)
        *out = offer.future;
    return status;
}
