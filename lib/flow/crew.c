/* SPDX-License-Identifier: MIT */
/* crew.c - a crew's beginning, its watch, its end.  The essay is in crew.h. */
#include "flow/crew.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/processors.h"
#include "flow/producers.h"

enum { WATCH_NAPS_IN_VAIN = 8 };
#define WATCH_NAP_NS WEIR_MS(1)

/* --------------------------------------------------------------- references */

static void dispose_crew(struct weir__crew *crew)
{
    if (crew->lock_is_there)
        weir__mutex_dispose(&crew->lock);
    weir__release(crew->memory);
    weir__release(crew->numbers);
    weir__release(crew->bearers);
    weir__release_apart(crew);
}

static void let_go_inside_pool(struct weir__crew *crew)
{
    struct weir__inside inside;

    weir__pool_enter(&inside, crew->pool);
    crew->let_go(crew->pipeline);
    weir__pool_leave(&inside);
}

/* `told`: on a thread of the pool's. */
static void drop_crew(struct weir__crew *crew, bool told)
{
    if (weir__counter_add(&crew->references, (uint64_t)-1) != 1)
        return;
    if (crew->let_go && told)
        let_go_inside_pool(crew);
    else if (crew->let_go)
        crew->let_go(crew->pipeline);
    dispose_crew(crew);
}

static bool may_release_bearer(void *arg, void *item)
{
    (void)arg;
    (void)item;
    return true;
}

/* No attempt of the bearer is left: its thread has ended, or the crew's work
 * has. */
static void let_go_of_bearer(void *arg, void *item, bool released)
{
    static const weir_outcome lost = {.kind = WEIR_OUTCOME_CANCELLED,
                                      .message = "the pool was destroyed"};
    struct weir__crew *crew = arg;
    struct weir__bearer *bearer = item;
    bool again;

    if (!released)
        weir__crew_settle(crew, bearer, &lost, false);
    weir__mutex_lock(&crew->lock);
    again = released && !crew->is_over && !crew->is_ending;
    weir__mutex_unlock(&crew->lock);
    if (again && !weir__pool_submit_kept(crew->pool, &bearer->kept))
        return;
    weir__mutex_lock(&crew->lock);
    crew->gone++;
    weir__waitlist_wake_all(&crew->watch);
    weir__mutex_unlock(&crew->lock);
    drop_crew(crew, true);
}

/* ---------------------------------------------------------------- beginning */

struct weir__crew *weir__crew_create(size_t posts)
{
    struct weir__crew *crew =
        weir__allocate_apart(sizeof(*crew) + posts * sizeof(crew->posts[0]));

    if (!crew)
        return NULL;
    crew->count = posts;
    weir__counter_write(&crew->references, 1);
    return crew;
}

static size_t cargoes_of(const struct weir__crew *crew)
{
    size_t count = 0;

    for (size_t i = 0; i < crew->count; i++)
        count += crew->posts[i].window;
    return count;
}

static size_t largest_cargo(const struct weir__crew *crew)
{
    size_t most = 0;

    for (size_t i = 0; i < crew->count; i++)
        if (crew->posts[i].item_size > most)
            most = crew->posts[i].item_size;
    return most;
}

static void lay_out_crew(struct weir__crew *crew, size_t cargoes)
{
    uint32_t *numbers = crew->numbers;

    for (size_t i = 0; i < cargoes; i++) {
        struct weir__cargo *cargo =
            (struct weir__cargo *)(void *)(crew->memory + i * crew->stride);

        cargo->number = i + 1;
        cargo->next = crew->spare.first;
        crew->spare.first = cargo;
        if (i == 0)
            crew->spare.last = cargo;
    }
    for (size_t i = 0; i < crew->count; i++) {
        struct weir__post *post = &crew->posts[i];

        post->numbers = numbers;
        numbers += post->workers;
        for (uint32_t n = post->workers; n-- > 0;) /* 0 is taken first */
            post->numbers[post->free_count++] = n;
    }
}

static weir_status make_room(struct weir__crew *crew)
{
    size_t cargoes = cargoes_of(crew);
    size_t unit = alignof(max_align_t);

    for (size_t i = 0; i < crew->count; i++)
        crew->bearer_count += crew->posts[i].workers;
    crew->stride =
        (sizeof(struct weir__cargo) + largest_cargo(crew) + unit - 1) / unit *
        unit;
    crew->memory = weir__allocate_many(cargoes, crew->stride);
    crew->numbers =
        weir__allocate_many(crew->bearer_count, sizeof(*crew->numbers));
    crew->bearers =
        weir__allocate_many(crew->bearer_count, sizeof(*crew->bearers));
    if (!crew->memory || !crew->numbers || !crew->bearers)
        return weir__refuse(WEIR_ENOMEM, "no memory for %zu items", cargoes);
    lay_out_crew(crew, cargoes);
    return WEIR_OK;
}

static weir_status send_bearers(struct weir__crew *crew)
{
    weir_status status = WEIR_OK;

    crew->keeper.handler = weir__crew_carry;
    crew->keeper.is_quiet = true;
    crew->keeper.source =
        (struct weir__source){.settle = weir__crew_settle,
                              .may_release = may_release_bearer,
                              .let_go = let_go_of_bearer,
                              .arg = crew};
    for (size_t i = 0; !status && i < crew->bearer_count; i++) {
        struct weir__bearer *bearer = &crew->bearers[i];

        bearer->crew = crew;
        bearer->kept.keeper = &crew->keeper;
        bearer->kept.item = bearer;
        weir__counter_add(&crew->references, 1);
        status = weir__pool_submit_kept(crew->pool, &bearer->kept);
        crew->sent += !status;
        if (status)
            weir__counter_add(&crew->references, (uint64_t)-1);
    }
    return status;
}

weir_status
weir__crew_start(struct weir__crew *crew, const weir_pool_options *options)
{
    weir_pool_options o = *options;
    weir_status status = make_room(crew);

    if (!status)
        status = weir__mutex_init(&crew->lock, WEIR__RANK_RUN);
    if (status)
        return status;
    crew->lock_is_there = true;
    weir__spin_init(&crew->spin, weir__processors());
    weir__flag_write(&crew->hungry, true);
    o.workers = (uint32_t)crew->bearer_count;
    o.queue_capacity = crew->bearer_count;
    status = weir_pool_create(&crew->pool, &o);
    return status ? status : send_bearers(crew);
}

static void feeder_has_ended(void *arg, struct weir__feed *feed)
{
    struct weir__crew *crew = arg;

    crew->fed(crew->fed_arg, feed);
    weir__mutex_lock(&crew->lock);
    crew->has_fed = true;
    weir__crew_look(crew);
    weir__mutex_unlock(&crew->lock);
}

weir_status
weir__crew_feed(struct weir__crew *crew, const weir_producer *source)
{
    weir_status status;

    if (weir__producer_is_at_hand(source)) {
        weir__mutex_lock(&crew->lock);
        crew->drawn = *source;
        weir__crew_look(crew);
        weir__mutex_unlock(&crew->lock);
        return WEIR_OK;
    }
    crew->feed.pool = crew->pool;
    crew->feed.seat = weir__crew_seat;
    crew->feed.submit = weir__crew_take_on;
    crew->feed.ended = feeder_has_ended;
    crew->feed.arg = crew;
    status = weir__feed_init(&crew->feed, source);
    if (!status)
        status = weir__feed_start(&crew->feed, crew->pool->settings.name, 0);
    crew->is_fed = status == WEIR_OK;
    return status;
}

/* ------------------------------------------------------------------- course */

/* Whoever is in the same handler as at the last look may stay there. */
static void distrust(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    for (size_t i = 0; i < crew->bearer_count; i++) {
        struct weir__bearer *bearer = &crew->bearers[i];

        if (bearer->post && !bearer->is_slow && bearer->seen == bearer->runs) {
            bearer->is_slow = true;
            bearer->post->is_quick = false;
            bearer->post->quick_runs = 0;
            crew->slow++;
        }
        bearer->seen = bearer->runs;
    }
    weir__crew_look(crew);
}

void weir__crew_watch(struct weir__crew *crew)
{
    int naps_in_vain = WATCH_NAPS_IN_VAIN; /* it sleeps at first */

    weir__mutex_lock(&crew->lock);
    while (!crew->is_over) {
        struct weir__turn turn = {0};
        weir_deadline until = WEIR_FOREVER;
        weir_status status;

        /* It may come when somebody is at a quick one already. */
        crew->watch_sleeps =
            naps_in_vain == WATCH_NAPS_IN_VAIN && crew->active == crew->slow;
        if (!crew->watch_sleeps)
            until = weir_deadline_after(WATCH_NAP_NS);
        status = weir__waitlist_wait(&crew->watch, &crew->lock, &turn, until);
        if (status == WEIR_OK || crew->active > crew->slow)
            naps_in_vain = 0;
        else if (naps_in_vain < WATCH_NAPS_IN_VAIN)
            naps_in_vain++;
        distrust(crew);
    }
    weir__mutex_unlock(&crew->lock);
}

void weir__crew_report(struct weir__crew *crew, weir_ledger *ledger,
                       char *first_failure, size_t room)
{
    weir__mutex_lock(&crew->lock);
    *ledger = crew->ledger;
    for (size_t i = 0; i < crew->count; i++) {
        ledger->attempts += crew->posts[i].ledger.attempts;
        ledger->late += crew->posts[i].ledger.late;
    }
    memcpy(first_failure, crew->first_failure, room);
    weir__mutex_unlock(&crew->lock);
}

void weir__crew_read(struct weir__crew *crew, size_t at,
                     weir_stage_stats *stats)
{
    const struct weir__post *post = &crew->posts[at];

    weir__mutex_lock(&crew->lock);
    stats->name = post->name;
    stats->held = (size_t)post->held;
    if (at == 0 && crew->is_fed) /* what is in the inbox, too */
        stats->held = (size_t)(weir__hint_read(&crew->given) -
                               weir__counter_read(&crew->onward));
    stats->most = post->window;
    stats->ledger = post->ledger;
    weir__mutex_unlock(&crew->lock);
}

/* ---------------------------------------------------------------------- end */

void weir__crew_stop(struct weir__crew *crew)
{
    weir__mutex_lock(&crew->lock);
    crew->is_ending = true;
    weir__crew_look(crew);
    weir__mutex_unlock(&crew->lock);
    weir__feed_end(&crew->feed);
}

/* Bearers that no handler holds up go by themselves, now that it is over. */
static void await_bearers(struct weir__crew *crew)
{
    struct weir__turn turn = {0};
    size_t stuck;

    weir__mutex_lock(&crew->lock);
    for (;;) {
        weir_status status;

        stuck = 0;
        for (size_t i = 0; i < crew->sent; i++)
            stuck += crew->bearers[i].post != NULL;
        if (crew->gone + stuck >= crew->sent)
            break;
        status =
            weir__waitlist_wait(&crew->watch, &crew->lock, &turn, WEIR_FOREVER);
        (void)status; /* there is no deadline */
    }
    weir__mutex_unlock(&crew->lock);
}

void weir__crew_close(struct weir__crew *crew)
{
    if (!crew)
        return;
    if (crew->is_fed) {
        weir__thread_join(&crew->feed.thread);
    } else if (crew->lock_is_there) { /* it was never used */
        weir__mutex_lock(&crew->lock);
        crew->has_fed = true;
        weir__crew_look(crew);
        weir__mutex_unlock(&crew->lock);
    }
    if (crew->lock_is_there)
        await_bearers(crew);
    weir_pool_destroy(crew->pool);
    drop_crew(crew, false);
}
