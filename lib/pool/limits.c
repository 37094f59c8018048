/* SPDX-License-Identifier: MIT */
/* limits.c - see limits.h. */
#include "pool/limits.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "pool/log.h"

static struct weir__admission *admission_of(struct weir__entry *entry)
{
    return weir__store_admission_of(entry);
}

/* ------------------------------------------------------ held, and let go on */

/* It can be taken, or not. */
static void count_takeable(weir_pool *pool, const struct weir__entry *entry,
                           bool takeable) WEIR_REQUIRES(pool->lock)
{
    if (entry->state == WEIR__RETRYING)
        pool->due_count += takeable ? 1 : (uint64_t)-1;
    else
        pool->held.queued += takeable ? (uint64_t)-1 : 1;
    pool->held.count += takeable ? (uint64_t)-1 : 1;
}

static struct weir__entry_list *
list_of(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    if (entry->held_at != WEIR__HELD_NOWHERE)
        return &pool->held.at[entry->held_at];
    return entry->is_due ? &pool->due : &pool->queued;
}

/* For who looks on. */
static weir_held_by held_by(struct weir__entry *entry)
{
    if (entry->held_at == WEIR__HELD_FOR_TOKEN)
        return WEIR_HELD_BY_RATE;
    if (entry->held_at == WEIR__HELD_BY_BREAKER)
        return WEIR_HELD_BY_BREAKER;
    switch (admission_of(entry)->bid_for) {
    case WEIR__PERMITS_OWN:
        return WEIR_HELD_BY_SEMAPHORE;
    case WEIR__PERMITS_POOL:
        return WEIR_HELD_BY_POOL;
    case WEIR__PERMITS_FLIGHT:
    case WEIR__PERMIT_KINDS:
        break;
    }
    return WEIR_HELD_BY_ADAPTIVE;
}

/* From the queue, or when it is ready. */
static void hold_back(weir_pool *pool, struct weir__entry *entry,
                      enum weir__held_at at) WEIR_REQUIRES(pool->lock)
{
    weir__entry_list_remove(list_of(pool, entry), entry);
    count_takeable(pool, entry, false);
    entry->held_at = at;
    weir__entry_list_insert(&pool->held.at[at], entry);
    weir__seen_held(pool, entry, held_by(entry));
}

static void
let_go_on(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    weir__entry_list_remove(list_of(pool, entry), entry);
    count_takeable(pool, entry, true);
    entry->held_at = WEIR__HELD_READY;
    weir__entry_list_insert(&pool->held.at[WEIR__HELD_READY], entry);
    weir__seen_held(pool, entry, WEIR_HELD_BY_NONE);
    weir__workers_wake(pool);
}

static void
let_all_go_on(weir_pool *pool, enum weir__held_at at) WEIR_REQUIRES(pool->lock)
{
    while (pool->held.at[at].first)
        let_go_on(pool, pool->held.at[at].first);
}

static void look_by(weir_pool *pool, int64_t at_ns) WEIR_REQUIRES(pool->lock)
{
    if (at_ns >= pool->held.look_ns)
        return;
    pool->held.look_ns = at_ns;
    if (at_ns < (int64_t)weir__counter_read(&pool->keeper_until_ns))
        weir__timekeeper_wake(pool);
}

/* ------------------------------------------------------------------ bids */

static struct weir__entry *entry_of_bid(struct weir__bid *bid)
{
    return weir__store_entry_of((struct weir__admission *)bid);
}

static void
collect(weir_pool *pool, struct weir__limit *limit) WEIR_REQUIRES(pool->lock)
{
    struct weir__bid *bid = weir__limit_collect(limit, &pool->held.listener);

    while (bid) {
        struct weir__bid *next = bid->next;

        if (bid == &pool->held.watch) {
            let_all_go_on(pool, WEIR__HELD_BY_BREAKER);
        } else {
            struct weir__entry *entry = entry_of_bid(bid);
            struct weir__admission *admission = admission_of(entry);

            admission->granted[admission->bid_for] = true;
            let_go_on(pool, entry);
        }
        bid = next;
    }
}

/* Something has gone back to the limit, with the pool's lock held. */
static void look_who_is_next(weir_pool *pool, struct weir__limit *limit)
    WEIR_REQUIRES(pool->lock)
{
    collect(pool, limit);
    if (!weir__limit_owes(limit))
        return;
    limit->next_owed = pool->held.owed;
    pool->held.owed = limit;
    weir__timekeeper_wake(pool);
}

void weir__limits_pay_drops_lock(weir_pool *pool)
{
    while (pool->held.owed) {
        struct weir__limit *limit = pool->held.owed;

        pool->held.owed = limit->next_owed;
        weir__mutex_unlock(&pool->lock);
        weir__limit_pay(limit);
        weir__mutex_lock(&pool->lock);
    }
}

static weir_pool *pool_of_listener(struct weir__listener *listener)
{
    return (weir_pool *)(void *)((unsigned char *)listener -
                                 offsetof(weir_pool, held.listener));
}

static void hold_listener(struct weir__listener *listener)
{
    weir__pool_hold(pool_of_listener(listener));
}

static void
come_to_pool(struct weir__listener *listener, struct weir__limit *limit)
{
    weir_pool *pool = pool_of_listener(listener);

    weir__mutex_lock(&pool->lock);
    collect(pool, limit);
    weir__pool_unlock_and_let_go(pool);
}

/* ------------------------------------------------------------------ permits */

static struct weir__limit *
limit_of(const weir_pool *pool, const struct weir__admission *admission,
         enum weir__permit_kind kind)
{
    const weir_pool_options *o = &pool->settings.options;

    switch (kind) {
    case WEIR__PERMITS_OWN:
        return weir__semaphore_as_limit(admission->own);
    case WEIR__PERMITS_POOL:
        return weir__semaphore_as_limit(o->semaphore);
    case WEIR__PERMITS_FLIGHT:
    case WEIR__PERMIT_KINDS:
        break;
    }
    return weir__adaptive_as_limit(o->adaptive);
}

static void
give_permits_back(weir_pool *pool, struct weir__admission *admission)
    WEIR_REQUIRES(pool->lock)
{
    for (unsigned kind = 0; kind < WEIR__PERMIT_KINDS; kind++) {
        struct weir__limit *limit = limit_of(pool, admission, kind);

        if (!admission->granted[kind])
            continue;
        admission->granted[kind] = false;
        weir__limit_give(limit, admission->permits[kind]);
        look_who_is_next(pool, limit);
    }
}

/* Which it cannot have; WEIR__PERMIT_KINDS: it has all. */
static enum weir__permit_kind
find_missing(weir_pool *pool, struct weir__admission *admission)
    WEIR_REQUIRES(pool->lock)
{
    unsigned kind = 0;

    for (; kind < WEIR__PERMIT_KINDS; kind++) {
        if (admission->permits[kind] == 0 || admission->granted[kind])
            continue;
        if (!weir__limit_try(limit_of(pool, admission, kind),
                             admission->permits[kind]))
            break;
        admission->granted[kind] = true;
    }
    return (enum weir__permit_kind)kind;
}

/* ------------------------------------------------------------------- tokens */

/* The first that waits is called when its time comes, one at a time.  What it
 * is called for is still the rate's until it begins: see THE RATE. */
static void call_next(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    struct weir__held *held = &pool->held;
    struct weir__entry *next = held->at[WEIR__HELD_FOR_TOKEN].first;

    if (!next || held->has_called)
        return;
    if (!held->has_token)
        held->token_ns =
            weir__rate_take(pool->settings.options.rate, INT64_MAX);
    held->has_token = true;
    if (held->token_ns > weir__now()) {
        look_by(pool, held->token_ns);
        return;
    }
    admission_of(next)->is_called = held->has_called = true;
    held->called_late = !pool->idlers.waiters.first;
    let_go_on(pool, next);
}

/* It does not take what it was called for. */
static void pass_call_on(weir_pool *pool, struct weir__admission *admission)
    WEIR_REQUIRES(pool->lock)
{
    if (!admission->is_called)
        return;
    admission->is_called = pool->held.has_called = false;
    call_next(pool);
}

/* Kept, in place of one that is to come. */
static void give_token_back(weir_pool *pool, struct weir__admission *admission)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__held *held = &pool->held;
    int64_t now_ns;

    if (!admission->has_token)
        return;
    admission->has_token = false;
    if (held->has_token)
        weir__rate_give(pool->settings.options.rate);
    now_ns = weir__now();
    if (!held->has_token || held->token_ns > now_ns)
        held->token_ns = now_ns;
    held->has_token = true;
    call_next(pool);
}

static bool has_permits(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock)
{
    struct weir__admission *admission = admission_of(entry);

    for (;;) {
        enum weir__permit_kind missing = find_missing(pool, admission);

        if (missing == WEIR__PERMIT_KINDS)
            return true;
        give_permits_back(pool, admission);
        admission->bid_for = missing;
        admission->bid.request.wanted = admission->permits[missing];
        if (!weir__limit_ask(limit_of(pool, admission, missing),
                             &admission->bid))
            break;
        admission->granted[missing] = true; /* it has just come free */
    }
    hold_back(pool, entry, WEIR__HELD_IN_LINE);
    pass_call_on(pool, admission);
    return false;
}

static bool
may_take_token(const weir_pool *pool, const struct weir__admission *admission)
    WEIR_REQUIRES(pool->lock)
{
    const struct weir__held *held = &pool->held;

    if (held->has_called || held->at[WEIR__HELD_FOR_TOKEN].first)
        return admission->is_called;
    return held->token_ns <= weir__now();
}

static bool
has_token(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    struct weir__admission *admission = admission_of(entry);
    struct weir__held *held = &pool->held;
    weir_rate *rate = pool->settings.options.rate;
    bool lay_there =
        held->has_token && (!admission->is_called || held->called_late);

    if (!rate)
        return true;
    if (!held->has_token)
        held->token_ns = weir__rate_take(rate, INT64_MAX);
    held->has_token = true;
    if (!may_take_token(pool, admission)) {
        give_permits_back(pool, admission);
        hold_back(pool, entry, WEIR__HELD_FOR_TOKEN);
        call_next(pool);
        return false;
    }
    if (lay_there)
        weir__rate_use_late(rate);
    held->has_token = false;
    admission->has_token = true;
    pass_call_on(pool, admission);
    return true;
}

/* ------------------------------------------------------------------ breaker */

bool weir__limits_refuse(weir_pool *pool)
{
    weir_breaker *breaker = pool->settings.options.breaker;

    return breaker && weir__breaker_is_open(breaker);
}

static bool
has_pass(weir_pool *pool, struct weir__entry *entry) WEIR_REQUIRES(pool->lock)
{
    struct weir__admission *admission = admission_of(entry);
    struct weir__held *held = &pool->held;
    weir_breaker *breaker = pool->settings.options.breaker;

    if (!breaker || weir__breaker_admit(breaker, &admission->breaker,
                                        &held->watch, &held->breaker_ns))
        return true;
    hold_back(pool, entry, WEIR__HELD_BY_BREAKER);
    give_token_back(pool, admission);
    give_permits_back(pool, admission);
    look_by(pool, held->breaker_ns);
    return false;
}

static void give_pass_back(weir_pool *pool, struct weir__admission *admission,
                           weir_result result) WEIR_REQUIRES(pool->lock)
{
    weir_breaker *breaker = pool->settings.options.breaker;

    if (admission->breaker.epoch == 0)
        return;
    weir__breaker_end(breaker, &admission->breaker, result);
    weir__log_breaker(pool);
    look_who_is_next(pool, weir__breaker_as_limit(breaker));
}

/* ------------------------------------------------------------ a task's way */

weir_status weir__limits_check_task(const weir_pool *pool,
                                    const weir_semaphore *own, size_t *permits)
{
    const weir_pool_options *o = &pool->settings.options;
    weir_status status = weir__limits_read(own, permits, o->on_full);
    size_t total;

    if (status || !own || own != o->semaphore)
        return status;
    total = weir__semaphore_as_limit(o->semaphore)->permits.total;
    if (*permits > total - o->permits)
        return weir__refuse(WEIR_DEADLOCK,
                            "permits %zu and the pool's %zu are more than the "
                            "%zu of the semaphore that both are of: the task "
                            "would wait for itself",
                            *permits, o->permits, total);
    return WEIR_OK;
}

void weir__limits_enter(weir_pool *pool, struct weir__entry *entry,
                        weir_semaphore *own, size_t permits)
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__admission *admission = admission_of(entry);

    entry->is_limited = true;
    memset(admission, 0, sizeof(*admission));
    admission->bid.listener = &pool->held.listener;
    admission->permits[WEIR__PERMITS_POOL] = o->semaphore ? o->permits : 0;
    admission->permits[WEIR__PERMITS_FLIGHT] = o->adaptive != NULL;
    if (own && own == o->semaphore) {
        admission->permits[WEIR__PERMITS_POOL] += permits;
    } else if (own) {
        admission->own = own;
        admission->permits[WEIR__PERMITS_OWN] = permits;
        weir__limit_hold(weir__semaphore_as_limit(own));
    }
}

bool weir__limits_admit(weir_pool *pool, struct weir__entry *entry)
{
    return has_permits(pool, entry) && has_token(pool, entry) &&
           has_pass(pool, entry);
}

void weir__limits_start(weir_pool *pool, struct weir__entry *entry)
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__admission *admission = admission_of(entry);

    if (admission->granted[WEIR__PERMITS_OWN])
        weir__semaphore_hand_to(admission->own, entry->task,
                                admission->permits[WEIR__PERMITS_OWN]);
    if (admission->granted[WEIR__PERMITS_POOL])
        weir__semaphore_hand_to(o->semaphore, entry->task,
                                admission->permits[WEIR__PERMITS_POOL]);
    if (admission->granted[WEIR__PERMITS_FLIGHT])
        weir__adaptive_begin(o->adaptive, &admission->adaptive);
    memset(admission->granted, 0, sizeof(admission->granted));
    admission->has_token = false;
    admission->is_late = false;
}

void weir__limits_deadline(weir_pool *pool, struct weir__entry *entry)
{
    admission_of(entry)->is_late = true;
    give_pass_back(pool, admission_of(entry), WEIR_RESULT_OVERLOADED);
}

/* One that was cancelled overstays too (grace.c), but is not late. */
static weir_result result_of(struct weir__entry *entry)
{
    if (entry->task->overloaded || admission_of(entry)->is_late)
        return WEIR_RESULT_OVERLOADED;
    if (entry->state != WEIR__RUNNING ||
        entry->outcome.kind == WEIR_OUTCOME_CANCELLED)
        return WEIR_RESULT_IGNORED; /* it was cancelled */
    return entry->outcome.kind == WEIR_OUTCOME_DONE ? WEIR_RESULT_OK
                                                    : WEIR_RESULT_FAILED;
}

void weir__limits_end(weir_pool *pool, struct weir__entry *entry)
{
    weir_adaptive *adaptive = pool->settings.options.adaptive;
    struct weir__admission *admission = admission_of(entry);
    weir_result result = result_of(entry);

    give_pass_back(pool, admission, result);
    if (admission->adaptive.epoch == 0)
        return;
    weir__adaptive_end(adaptive, &admission->adaptive, result);
    look_who_is_next(pool, weir__adaptive_as_limit(adaptive));
}

void weir__limits_leave(weir_pool *pool, struct weir__entry *entry)
{
    struct weir__admission *admission = admission_of(entry);
    enum weir__held_at at = entry->held_at;

    weir__entry_list_remove(list_of(pool, entry), entry);
    if (at != WEIR__HELD_READY) /* as far as the counts go */
        count_takeable(pool, entry, true);
    pool->due_count -= entry->state == WEIR__RETRYING;
    entry->held_at = WEIR__HELD_NOWHERE;
    if (at == WEIR__HELD_IN_LINE) {
        weir__limit_withdraw(&admission->bid);
        look_who_is_next(pool, admission->bid.limit);
    }
    pass_call_on(pool, admission);
    if (at == WEIR__HELD_BY_BREAKER && !pool->held.at[at].first)
        weir__limit_withdraw(&pool->held.watch);
}

void weir__limits_settle(weir_pool *pool, struct weir__entry *entry)
{
    struct weir__admission *admission = admission_of(entry);
    struct weir__limit *own = weir__semaphore_as_limit(admission->own);

    give_token_back(pool, admission);
    give_permits_back(pool, admission);
    give_pass_back(pool, admission, WEIR_RESULT_IGNORED);
    admission->own = NULL;
    if (!own || weir__limit_let_go_if_not_last(own))
        return;
    own->next_owed = pool->held.owed; /* it cannot be owed: nobody has it */
    pool->held.owed = own;
    weir__timekeeper_wake(pool);
}

struct weir__entry *
weir__limits_any(const weir_pool *pool, const struct weir__source *source)
{
    const struct weir__held *held = &pool->held;

    for (unsigned at = WEIR__HELD_READY; at < WEIR__HELD_PLACES; at++)
        for (struct weir__entry *e = held->at[at].first; e; e = e->next)
            if (!source || e->source == source)
                return e;
    return NULL;
}

struct weir__entry *weir__limits_oldest(const weir_pool *pool)
{
    struct weir__entry *oldest = pool->queued.first;

    for (unsigned at = WEIR__HELD_READY; at < WEIR__HELD_PLACES; at++) {
        struct weir__entry *e = pool->held.at[at].first;

        while (e && e->state != WEIR__QUEUED)
            e = e->next;
        if (e && (!oldest || e->id < oldest->id))
            oldest = e;
    }
    return oldest;
}

void weir__limits_look(weir_pool *pool, int64_t now_ns)
{
    struct weir__held *held = &pool->held;

    if (now_ns < held->look_ns)
        return;
    held->look_ns = INT64_MAX;
    call_next(pool);
    if (!held->at[WEIR__HELD_BY_BREAKER].first)
        return;
    if (held->breaker_ns <= now_ns) {
        let_all_go_on(pool, WEIR__HELD_BY_BREAKER);
        weir__limit_withdraw(&held->watch); /* nothing is left to hear it */
    } else {
        look_by(pool, held->breaker_ns);
    }
}

/* -------------------------------------------------------------- a pool's */

static void
for_each_limit(const weir_pool *pool, void (*act)(struct weir__limit *limit))
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__limit *limits[] = {weir__semaphore_as_limit(o->semaphore),
                                    weir__rate_as_limit(o->rate),
                                    weir__adaptive_as_limit(o->adaptive),
                                    weir__breaker_as_limit(o->breaker)};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (limits[i])
            act(limits[i]);
}

void weir__limits_attach(weir_pool *pool)
{
    pool->held.listener = (struct weir__listener){hold_listener, come_to_pool};
    pool->held.watch.listener = &pool->held.listener;
    pool->held.look_ns = INT64_MAX;
    pool->held.any = pool->settings.has_limits;
    for_each_limit(pool, weir__limit_hold);
}

void weir__limits_detach(weir_pool *pool)
{
    if (pool->held.has_token)
        weir__rate_give(pool->settings.options.rate);
    for_each_limit(pool, weir__limit_let_go);
}
