/* SPDX-License-Identifier: MIT */
/*
 * stress_pool.c - everything at once, on the real clock.
 *
 * Several threads submit items to one small pool whose handlers do all that
 * handlers may do, while others resize it, read its figures, join and stop it.
 * Each item is counted; its bytes are freed by on_release, so that whoever
 * touches it too late is seen by the address sanitizer.  The seed is the run's
 * number.
 */
#include <weir/pool.h>

#include <sched.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"

enum { SUBMITTERS = 4, ITEMS = 1500, MOST_WORKERS = 6, ALL_ITEMS = 20000 };

struct item {
    uint32_t random;
    unsigned char *bytes; /* freed by on_release */
    struct weir__counter accepted, settled, released, running;
};

static struct item items[ALL_ITEMS];
static struct weir__counter next_item, settled_count, released_count;
static struct weir__flag closing;
static weir_pool *pool;

/* xorshift: each thread and item has a state of its own. */
static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

static struct item *new_item(uint32_t random)
{
    struct item *item = &items[weir__counter_add(&next_item, 1)];

    ck_assert(item < items + ALL_ITEMS);
    item->random = random | 1;
    item->bytes = malloc(16);
    ck_assert_ptr_nonnull(item->bytes);
    item->bytes[7] = 7;
    return item;
}

/* ---------------------------------------------------------------- callbacks */

static void
note_settled(void *arg, const void *shown, const weir_outcome *outcome)
{
    struct item *item = (struct item *)shown;

    (void)arg;
    ck_assert(outcome->message != NULL);
    ck_assert(weir__counter_add(&item->settled, 1) == 0);
    ck_assert(weir__counter_read(&item->released) == 0);
    ck_assert(item->bytes[7] == 7);
    weir__counter_add(&settled_count, 1);
}

static void note_released(void *arg, void *shown)
{
    struct item *item = shown;

    (void)arg;
    ck_assert(weir__counter_read(&item->settled) == 1);
    ck_assert(weir__counter_read(&item->running) == 0);
    ck_assert(weir__counter_add(&item->released, 1) == 0);
    free(item->bytes);
    item->bytes = NULL;
    weir__counter_add(&released_count, 1);
}

static bool grant_some(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    return outcome->task_id % 3 > 0;
}

/* ----------------------------------------------------------------- handlers */

static int handle(weir_task *task, void *arg);

static void touch(void *arg)
{
    struct item *item = arg;

    ck_assert(item->bytes[7] == 7);
}

static void note_end(void *arg)
{
    struct item *item = arg;

    ck_assert(item->bytes[7] == 7);
    weir__counter_add(&item->running, (uint64_t)-1);
}

/* WEIR_OK or a refusal: the item is then ours again. */
static weir_status submit(struct item *item, weir_deadline deadline)
{
    weir_status status = weir_pool_submit(pool, handle, item, deadline);

    if (status == WEIR_OK) {
        weir__counter_add(&item->accepted, 1);
    } else {
        free(item->bytes);
        item->bytes = NULL;
    }
    return status;
}

static int overstay(weir_task *task, struct item *item, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds && !weir_task_cancelled(task); i++) {
        touch(item);
        sched_yield();
    }
    return 0;
}

static int act_with_descriptor(weir_task *task)
{
    ck_assert(weir_task_cancel_fd(task) >= 0);
    return weir_task_sleep(task, WEIR_US(300)) == WEIR_OK ? 0 : 4;
}

static int act_with_actions(weir_task *task, struct item *item)
{
    weir_status status = WEIR_OK;

    for (int i = 0; i < 3 && !status; i++)
        status = weir_task_on_cancel(task, touch, item);
    status = weir_task_sleep(task, WEIR_US(200));
    if (item->random & 1)
        ck_assert(weir_task_on_cancel(task, NULL, NULL) == WEIR_OK);
    return status == WEIR_OK ? 0 : weir_task_fail(task, 3, "asked to stop");
}

static int handle(weir_task *task, void *arg)
{
    struct item *item = arg;
    bool own_thread = weir_task_worker(task) != UINT32_MAX;
    uint32_t random = item->random + weir_task_attempt(task);
    uint32_t what = draw(&random, 16);

    ck_assert(weir__counter_add(&item->running, 1) == 0);
    ck_assert(weir_task_defer(task, note_end, item) == WEIR_OK);
    touch(item);
    if (what == 0 && own_thread)
        pthread_exit(NULL);
    if (what == 1)
        weir_task_raise(task, 9, "raised by %u", (unsigned)random);
    if (what == 2)
        return weir_task_fail(task, 2, "failed by %u", (unsigned)random);
    if (what == 3)
        return act_with_descriptor(task);
    if (what == 4)
        return act_with_actions(task, item);
    if (what == 5)
        return overstay(task, item, 2000);
    if (what == 6 && own_thread)
        return (int)submit(new_item(random), WEIR_NOW);
    if (what == 7)
        return (int)weir_task_result(task, item->bytes, 8);
    if (what == 8 && own_thread)
        pthread_cancel(pthread_self());
    return what > 11;
}

/* ------------------------------------------------------------------ threads */

static bool submit_for(struct item *item, uint32_t *random)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_future *future = NULL;
    weir_status status;

    spec.handler = handle;
    spec.item = item;
    spec.timeout_ns = WEIR_US(50 + draw(random, 500));
    spec.time_to_live_ns = WEIR_US(500 + draw(random, 5000));
    status = weir_pool_submit_task(pool, &spec, &future,
                                   weir_deadline_after(WEIR_MS(20)));
    if (status) {
        free(item->bytes);
        item->bytes = NULL;
        return status != WEIR_CLOSED;
    }
    weir__counter_add(&item->accepted, 1);
    if (draw(random, 2) == 0)
        ck_assert(weir_future_cancel(future) == WEIR_OK);
    status = weir_future_wait(future, &outcome,
                              weir_deadline_after(WEIR_US(draw(random, 900))));
    ck_assert(status == WEIR_OK || status == WEIR_TIMED_OUT);
    weir_future_release(future);
    return true;
}

static void submit_many(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    bool open = true;

    for (int i = 0; i < ITEMS && open; i++) {
        struct item *item = new_item(draw(&random, UINT32_MAX));

        if (draw(&random, 4) == 0)
            open = submit_for(item, &random);
        else
            open =
                submit(item, weir_deadline_after(WEIR_MS(20))) != WEIR_CLOSED;
    }
}

static void resize_often(void *arg)
{
    uint32_t random = *(uint32_t *)arg;

    while (!weir__flag_read(&closing)) {
        weir_status status =
            weir_pool_resize(pool, 1 + draw(&random, MOST_WORKERS));

        ck_assert(status == WEIR_OK || status == WEIR_CLOSED);
        sched_yield();
    }
}

static void watch(void *arg)
{
    uint64_t last_accepted = 0;

    (void)arg;
    while (!weir__flag_read(&closing)) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;
        weir_status joined = weir_pool_join(pool, weir_deadline_after(1000));

        ck_assert(joined == WEIR_OK || joined == WEIR_TIMED_OUT);
        weir_pool_read_stats(pool, &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        ck_assert(stats.ledger.accepted >= last_accepted);
        ck_assert(stats.busy <= 4 * MOST_WORKERS);
        last_accepted = stats.ledger.accepted;
    }
}

/* --------------------------------------------------------------------- test */

static void open_pool(int run)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 3;
    retry.base_ns = WEIR_US(100);
    retry.patience_ns = run % 2 ? WEIR_US(400) : 0;
    retry.retryable = run % 3 ? grant_some : NULL;
    options.workers = 3;
    options.queue_capacity = 16;
    options.on_full = (weir_on_full)(run % 4);
    options.timeout_ns = WEIR_US(400);
    options.retry = &retry;
    options.on_settled = note_settled;
    options.on_release = note_released;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

static void assert_each_item_complete(uint64_t accepted)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < weir__counter_read(&next_item); i++) {
        uint64_t once = weir__counter_read(&items[i].accepted);

        ck_assert_uint_le(once, 1);
        ck_assert_uint_eq(weir__counter_read(&items[i].settled), once);
        ck_assert_uint_eq(weir__counter_read(&items[i].released), once);
        seen += once;
    }
    ck_assert_uint_eq(seen, accepted);
}

START_TEST(whatever_happens_every_item_is_settled_and_released_once)
{
    struct helper submitters[SUBMITTERS], others[3];
    uint32_t seeds[SUBMITTERS + 3];
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    bool stop_early = _i >= 6;

    for (uint32_t i = 0; i < SUBMITTERS + 3; i++)
        seeds[i] = 1 + 1000 * (uint32_t)_i + i;
    open_pool(_i);
    helpers_start(submitters, SUBMITTERS, submit_many, seeds, sizeof(seeds[0]));
    helper_start(&others[0], resize_often, &seeds[SUBMITTERS]);
    helper_start(&others[1], watch, NULL);
    helper_start(&others[2], watch, NULL);
    while (stop_early && weir__counter_read(&next_item) < ITEMS)
        sched_yield();
    if (stop_early)
        ck_assert_int_ne(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW),
                         WEIR_DEADLOCK);
    helpers_join(submitters, SUBMITTERS);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir__flag_write(&closing, true);
    helpers_join(others, 3);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_eq(stats.ledger.queued + stats.ledger.running +
                          stats.ledger.retrying + stats.ledger.overdue,
                      0);
    ck_assert_uint_eq(stats.workers, 0);
    weir_pool_destroy(pool);
    ck_assert_uint_eq(weir__counter_read(&settled_count),
                      weir__counter_read(&released_count));
    assert_each_item_complete(stats.ledger.accepted);
}
END_TEST

/* -------------------------------------------- two stops and a slow action */

static struct gate acting = GATE_INIT;

static void act_slowly(void *arg)
{
    gate_open(&acting);
    sched_yield();
    touch(arg);
}

static int act_until_asked(weir_task *task, void *item)
{
    weir_status status = weir_task_on_cancel(task, touch, item);

    if (!status)
        status = weir_task_on_cancel(task, act_slowly, item);
    ck_assert(status == WEIR_OK);
    while (!weir_task_cancelled(task))
        sched_yield();
    gate_wait(&acting);
    return weir_task_fail(task, 1, "asked to stop");
}

static void stop_now(void *arg)
{
    (void)arg;
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
}

/* The notifier is told again of an attempt that it is at, and which ends. */
START_TEST(an_attempt_may_be_asked_again_while_its_actions_run)
{
    for (int i = 0; i < 100; i++) {
        weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
        struct item *item = new_item(1);
        struct helper stops[3];
        int args[3];

        acting = (struct gate)GATE_INIT;
        options.workers = 1;
        options.on_settled = note_settled;
        options.on_release = note_released;
        ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
        ck_assert_int_eq(weir_pool_submit(pool, act_until_asked, item,
                                          WEIR_NOW),
                         WEIR_OK);
        helpers_start(stops, 3, stop_now, args, sizeof(args[0]));
        helpers_join(stops, 3);
        weir_pool_destroy(pool);
        ck_assert_uint_eq(weir__counter_read(&released_count), (unsigned)i + 1);
    }
}
END_TEST

/* ---------------------------------------- stuck handlers that end just then */

static struct gate stuck_may_end = GATE_INIT;
static struct tally stuck = TALLY_INIT, unstuck = TALLY_INIT;

static void note_unstuck(void *arg)
{
    (void)arg;
    tally_add(&unstuck, 1);
}

static int be_stuck(weir_task *task, void *arg)
{
    struct item *item = arg;

    ck_assert(weir_task_defer(task, note_unstuck, NULL) == WEIR_OK);
    tally_add(&stuck, 1);
    gate_wait(&stuck_may_end);
    if (item->random & 2)
        pthread_exit(NULL);
    return weir_task_fail(task, 1, "late");
}

static void let_stuck_end(void *arg)
{
    uint32_t random = *(uint32_t *)arg | 1;

    for (uint32_t i = draw(&random, 200); i > 0; i--)
        sched_yield();
    gate_open(&stuck_may_end);
}

/* Each item is settled, released at most once, and no memory is lost. */
START_TEST(a_pool_may_be_destroyed_just_when_its_stuck_handlers_end)
{
    enum { STUCK = 4 };

    for (uint32_t i = 0; i < 100; i++) {
        weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
        struct item *held[STUCK];
        weir_future *futures[STUCK];
        struct helper helper;

        stuck_may_end = (struct gate)GATE_INIT;
        stuck.count = unstuck.count = 0;
        options.workers = STUCK;
        options.on_settled = note_settled;
        options.on_release = note_released;
        ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
        for (uint32_t k = 0; k < STUCK; k++) {
            weir_task_spec spec = WEIR_TASK_SPEC_INIT;

            spec.handler = be_stuck;
            spec.item = held[k] = new_item(k);
            ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &futures[k],
                                                   WEIR_NOW),
                             WEIR_OK);
        }
        await_count(&stuck, STUCK);
        helper_start(&helper, let_stuck_end, &i);
        weir_pool_destroy(pool);
        helper_join(&helper);
        await_count(&unstuck, STUCK);
        for (uint32_t k = 0; k < STUCK; k++) {
            ck_assert_uint_eq(weir__counter_read(&held[k]->settled), 1);
            ck_assert_int_eq(weir_future_wait(futures[k], NULL, WEIR_NOW), 0);
            weir_future_release(futures[k]);
            free(held[k]->bytes); /* ours again, if not released */
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const everything[] = {
        whatever_happens_every_item_is_settled_and_released_once, NULL};
    const TTest *const asked[] = {
        an_attempt_may_be_asked_again_while_its_actions_run,
        a_pool_may_be_destroyed_just_when_its_stuck_handlers_end, NULL};
    const struct chapter chapters[] = {{"everything at once", everything, NULL,
                                        NULL, 10, 0},
                                       {"stopping", asked, NULL, NULL, 4, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: stress", chapters);
}
