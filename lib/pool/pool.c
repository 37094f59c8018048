/* SPDX-License-Identifier: MIT */
/* pool.c - a pool's life and size; pool.h has the design. */
#include "pool/pool.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"

/* Handlers and callbacks that this thread is in, innermost first. */
static _Thread_local struct weir__inside *innermost;

/* ------------------------------------------------------------------ inside */

bool weir__pool_is_inside(const weir_pool *pool)
{
    for (const struct weir__inside *i = innermost; i; i = i->outer)
        if (i->pool == pool)
            return true;
    return false;
}

bool weir__pool_is_in_hook(const weir_pool *pool)
{
    for (const struct weir__inside *i = innermost; i; i = i->outer)
        if (i->pool == pool && i->is_hook)
            return true;
    return false;
}

void weir__pool_enter(struct weir__inside *inside, const weir_pool *pool)
{
    inside->pool = pool;
    inside->is_hook = false;
    inside->outer = innermost;
    innermost = inside;
}

void weir__pool_leave(struct weir__inside *inside)
{
    innermost = inside->outer;
}

void weir__pool_forget_inside(void)
{
    innermost = NULL;
}

weir_status weir__pool_check(const weir_pool *pool)
{
    if (!pool)
        return weir__refuse(WEIR_EINVAL, "pool is NULL");
    if (weir__is_forked(pool->generation))
        return weir__refuse_forked("pool");
    return WEIR_OK;
}

/* -------------------------------------------------------------- references */

void weir__pool_hold(weir_pool *pool)
{
    weir__counter_add(&pool->references, 1);
}

void weir__pool_drop(weir_pool *pool)
{
    uint64_t before = weir__counter_add(&pool->references, (uint64_t)-1);

    assert(before > 1 && "this thread has got here by one");
    (void)before;
}

static void free_workers(struct weir__worker **workers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weir__children_dispose(workers[i]);
        weir__task_dispose(&workers[i]->task);
        weir__trap_destroy(workers[i]->thread.trap);
        weir__release(workers[i]->lane.copy);
        weir__release(workers[i]->times);
        weir__release_apart(workers[i]);
    }
}

static bool has_traps(const weir_pool *pool)
{
    return pool->settings.options.isolation == WEIR_ISOLATE_TRAP;
}

static void free_pool(weir_pool *pool)
{
    if (has_traps(pool))
        weir__trap_release();
    weir__blocks_release(pool->store);
    free_workers(pool->workers, pool->worker_slots);
    weir__release(pool->workers);
    weir__lane_release(pool);
    weir__limits_detach(pool);
    weir__seen_release(pool);
    weir__log_release(pool);
    weir__mutex_dispose(&pool->lock);
    weir__release_apart(pool);
}

void weir__pool_unlock_and_let_go(weir_pool *pool)
{
    bool last = weir__counter_add(&pool->references, (uint64_t)-1) == 1;
    bool drop_store =
        pool->destroyed && pool->attached == 0 && !pool->store_gone;
    struct weir__block *store = pool->store;

    if (drop_store) {
        pool->store_gone = true;
        pool->store = NULL;
    }
    weir__mutex_unlock(&pool->lock);
    if (drop_store)
        weir__blocks_release(store);
    if (last)
        free_pool(pool);
}

/* -------------------------------------------------------------------- size */

/* What a pool needs to have more workers. */
struct growth {
    struct weir__worker **workers; /* a longer array */
    uint32_t slots;                /* its length */
    uint32_t fresh;                /* workers made for its end */
    struct weir__block *block;
};

/* What it has beside itself; false: no memory or descriptor, by errno. */
static bool equip_worker(weir_pool *pool, struct weir__worker *worker)
{
    size_t item_size = pool->settings.options.item_size;

    if (pool->has_lane && item_size > 0) {
        worker->lane.copy = weir__allocate(item_size);
        if (!worker->lane.copy)
            return false;
    }
    if (pool->settings.options.histograms) {
        worker->times = weir__allocate(sizeof(*worker->times));
        if (!worker->times)
            return false;
    }
    if (has_traps(pool)) {
        worker->thread.trap = weir__trap_create();
        if (!worker->thread.trap)
            return false;
    }
    return weir__children_equip(pool, worker);
}

static struct weir__worker *create_worker(weir_pool *pool, uint32_t index)
{
    size_t room = pool->settings.options.max_result;
    struct weir__worker *worker = weir__allocate_apart(sizeof(*worker) + room);

    if (!worker)
        return NULL;
    worker->pool = pool;
    worker->index = index;
    worker->repeat.is_repeat = true;
    if (weir__task_init(&worker->task, worker->result, room) != WEIR_OK) {
        weir__release_apart(worker);
        return NULL;
    }
    if (!equip_worker(pool, worker)) {
        free_workers(&worker, 1);
        return NULL;
    }
    worker->task.trap = worker->thread.trap;
    return worker;
}

static void free_growth(struct growth *growth)
{
    free_workers(growth->workers + growth->slots - growth->fresh,
                 growth->fresh);
    weir__release(growth->workers);
    weir__blocks_release(growth->block);
}

/* By errno. */
static weir_status refuse_worker_record(uint32_t slots)
{
    if (errno == EMFILE || errno == ENFILE)
        return weir__refuse(WEIR_ESYSTEM,
                            "no descriptors for the children of %u workers: "
                            "each takes four, raise RLIMIT_NOFILE",
                            (unsigned)slots);
    return weir__refuse(WEIR_ENOMEM, "no memory for %u workers",
                        (unsigned)slots);
}

/* Nobody else changes the slots: it is our turn. */
static weir_status
prepare_growth(weir_pool *pool, uint32_t slots, struct growth *growth)
{
    uint32_t more = slots - pool->worker_slots;

    *growth = (struct growth){.slots = slots};
    errno = 0;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    growth->workers = weir__allocate_many(slots, sizeof(*growth->workers));
    if (!growth->workers)
        return refuse_worker_record(slots);
    growth->block = weir__block_create(
        pool, more + (pool->store ? 0 : pool->settings.options.queue_capacity));
    if (!growth->block) {
        weir__release(growth->workers);
        return refuse_worker_record(slots);
    }
    /* From the end, so that what is there to free is always a tail. */
    for (; growth->fresh < more; growth->fresh++) {
        uint32_t index = slots - 1 - growth->fresh;

        growth->workers[index] = create_worker(pool, index);
        if (!growth->workers[index]) {
            weir_status status = refuse_worker_record(slots);

            free_growth(growth);
            return status;
        }
    }
    return WEIR_OK;
}

static void
install_growth(weir_pool *pool, struct growth *growth) WEIR_REQUIRES(pool->lock)
{
    struct weir__worker **old = pool->workers;

    for (uint32_t i = 0; i < pool->worker_slots; i++)
        growth->workers[i] = old[i];
    pool->workers = growth->workers;
    pool->worker_slots = growth->slots;
    weir__block_add(pool, growth->block);
    growth->workers = old;
    weir__look_add(pool, growth->fresh);
    weir__eventcount_wake_all(&pool->submitters);
}

/* With the turn taken.  Grows or shrinks; unless WEIR_OK all is as it was. */
static weir_status set_workers_drops_lock(weir_pool *pool, uint32_t workers)
    WEIR_REQUIRES(pool->lock)
{
    uint32_t least_before = pool->least, wanted_before;
    uint32_t most_before = pool->settings.options.max_workers;
    uint32_t slots = workers > most_before ? workers : most_before;
    weir_status status = WEIR_OK;
    struct growth growth;

    slots += pool->settings.options.max_abandoned;
    if (slots > pool->worker_slots) {
        weir__mutex_unlock(&pool->lock);
        status = prepare_growth(pool, slots, &growth);
        weir__mutex_lock(&pool->lock);
        if (status)
            return status;
        install_growth(pool, &growth);
        weir__mutex_unlock(&pool->lock);
        weir__release(growth.workers);
        weir__mutex_lock(&pool->lock);
    }
    if (pool->closing) /* meanwhile */
        return WEIR_CLOSED;
    if (pool->settings.options.max_workers < workers)
        pool->settings.options.max_workers = workers;
    wanted_before = pool->wanted;
    pool->wanted = weir__scaling_rebase(wanted_before, least_before, workers);
    pool->least = workers;
    if (pool->alive < workers)
        status = weir__workers_grow_drops_lock(pool);
    if (status) {
        pool->least = least_before;
        pool->wanted = wanted_before;
        pool->settings.options.max_workers = most_before;
    }
    weir__seen_scale(pool);
    weir__watch_review(pool);
    weir__lane_call_workers(pool); /* there may be too many */
    weir__eventcount_wake_all(&pool->idlers);
    return status;
}

weir_status weir_pool_resize(weir_pool *pool, uint32_t workers)
{
    WEIR__UNTRAPPED;
    weir_status status = weir__pool_check(pool);
    struct weir__turn turn = {0};

    if (status)
        return status;
    if (workers == 0 || workers > WEIR__MOST_WORKERS)
        return weir__refuse(WEIR_EINVAL, "workers %u is not 1 to %d",
                            (unsigned)workers, WEIR__MOST_WORKERS);
    if (weir__pool_is_in_hook(pool))
        return weir__refuse(WEIR_DEADLOCK,
                            "worker_start and worker_stop cannot resize their "
                            "own pool: it might wait for them");
    weir__mutex_lock(&pool->lock);
    while (pool->resizing && !pool->closing)
        status = weir__waitlist_wait(&pool->starters, &pool->lock, &turn,
                                     WEIR_FOREVER);
    if (pool->closing) {
        status = WEIR_CLOSED;
    } else {
        pool->resizing = true;
        status = set_workers_drops_lock(pool, workers);
        pool->resizing = false;
        weir__waitlist_wake_all(&pool->starters);
        weir__timekeeper_wake(pool); /* workers may have ended meanwhile */
    }
    weir__mutex_unlock(&pool->lock);
    return status;
}

/* -------------------------------------------------------------------- life */

static void
init_strain(struct weir__strain *strain, const weir_pool_options *options)
{
    strain->codel.target_ns = options->codel_target_ns;
    strain->codel.interval_ns = options->codel_interval_ns;
    strain->marks.high = options->high_water;
    strain->marks.low = options->low_water;
}

weir_status weir_pool_create(weir_pool **out, const weir_pool_options *options)
{
    WEIR__UNTRAPPED;
    weir_status status;
    weir_pool *pool;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__fork_watch();
    if (status)
        return status;
    pool = weir__allocate_apart(sizeof(*pool));
    if (!pool)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pool");
    status = weir__pool_settings_read(&pool->settings, options);
    pool->is_seen = !status && (pool->settings.options.events ||
                                pool->settings.options.histograms);
    if (!status)
        status = weir__lane_create(pool);
    if (!status)
        status = weir__seen_create(pool);
    if (!status)
        status = weir__log_create(pool);
    if (!status)
        status = weir__mutex_init(&pool->lock, WEIR__RANK_POOL);
    if (!status && has_traps(pool)) {
        status = weir__trap_acquire();
        if (status)
            weir__mutex_dispose(&pool->lock);
    }
    if (status) {
        weir__lane_release(pool);
        weir__seen_release(pool);
        weir__log_release(pool);
        weir__release_apart(pool);
        return status;
    }
    pool->generation = weir__fork_generation();
    pool->entry_stride = weir__store_stride(pool->settings.options.item_size);
    init_strain(&pool->strain, &pool->settings.options);
    pool->random = (uint64_t)(uintptr_t)pool ^ (uint64_t)weir__now();
    weir__counter_write(&pool->references, 1);
    weir__limits_attach(pool);
    pool->scaling.look_ns = INT64_MAX;
    pool->room_ns = INT64_MAX;
    pool->idlers.waiters.newest_first = pool->settings.scales;
    weir__notifier_prepare(pool);
    status = weir__timekeeper_start(pool);
    if (!status)
        status = weir_pool_resize(pool, pool->settings.options.workers);
    if (status) {
        weir_pool_destroy(pool);
        return status;
    }
    *out = pool;
    return WEIR_OK;
}
