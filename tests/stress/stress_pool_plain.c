/* SPDX-License-Identifier: MIT */
/*
 * stress_pool_plain.c - plain tasks, and now and then one that is not.
 *
 * The pool has no callbacks, so that tasks take the short way (lib/pool/lane.h)
 * until something happens to them: handlers fail, raise, overstay, end their
 * thread; others submit with futures and cancel them, resize, join, and look
 * whether the ledger balances.  Each item counts its attempts, and each worker
 * begins those of one submitter in their order.  The seed is the run's number.
 */
#include <weir/pool.h>

#include <sched.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"

enum { LISTED = 5 };
enum { SUBMITTERS = 3, ITEMS = 6000, MOST_WORKERS = 5 };

struct item {
    uint32_t random;
    bool accepted; /* its submitter's */
    struct weir__counter started, ended;
};

/* A submitter, and how many it got in. */
struct submitter {
    uint32_t random;
    uint64_t accepted;
    struct item items[ITEMS];
};

static struct submitter submitters[SUBMITTERS];
/* What each worker began last of each submitter's: the worker's own. */
static const struct item *last_begun[MOST_WORKERS][SUBMITTERS];
static struct weir__flag closing;
static weir_pool *pool;
static size_t capacity;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

/* ----------------------------------------------------------------- handlers */

static void note_end(void *arg)
{
    struct item *item = arg;

    weir__counter_add(&item->ended, 1);
}

static void note_begin(const weir_task *task, struct item *item)
{
    ptrdiff_t whose =
        ((char *)item - (char *)submitters) / (ptrdiff_t)sizeof(submitters[0]);
    const struct item **last = &last_begun[weir_task_worker(task)][whose];

    ck_assert(weir__counter_add(&item->started, 1) == 0);
    ck_assert(*last < item);
    *last = item;
}

static int overstay(const weir_task *task)
{
    for (int i = 0; i < 3000 && !weir_task_cancelled(task); i++)
        sched_yield();
    return 0;
}

static int handle(weir_task *task, void *arg)
{
    struct item *item = arg;
    uint32_t random = item->random, what = draw(&random, 400);

    note_begin(task, item);
    if (what < 8)
        ck_assert(weir_task_defer(task, note_end, item) == WEIR_OK);
    else
        note_end(item);
    switch (what) {
    case 0:
    case 10:
        pthread_exit(NULL);
    case 1:
    case 11:
        weir_task_raise(task, 9, "raised");
    case 2:
    case 12:
        pthread_cancel(pthread_self());
        return 0;
    case 3:
    case 13:
    case 14:
        return overstay(task);
    case 4:
        return weir_task_sleep(task, WEIR_US(300)) == WEIR_OK ? 0 : 4;
    default:
        return what % 3 == 0;
    }
}

/* ------------------------------------------------------------------ threads */

static weir_status submit_for(struct item *item, uint32_t *random)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future = NULL;
    weir_status status;

    spec.handler = handle;
    spec.item = item;
    status = weir_pool_submit_task(pool, &spec, &future,
                                   weir_deadline_after(WEIR_MS(20)));
    if (status)
        return status;
    if (draw(random, 2) == 0)
        ck_assert(weir_future_cancel(future) == WEIR_OK);
    if (draw(random, 2) == 0)
        ck_assert(weir_future_wait(future, NULL, WEIR_FOREVER) == WEIR_OK);
    weir_future_release(future);
    return WEIR_OK;
}

static void submit_all(void *arg)
{
    struct submitter *me = arg;
    weir_status status = WEIR_OK;

    for (int i = 0; i < ITEMS && status != WEIR_CLOSED; i++) {
        struct item *item = &me->items[i];

        item->random = draw(&me->random, UINT32_MAX) | 1;
        if (draw(&me->random, 100) == 0)
            status = submit_for(item, &me->random);
        else
            status = weir_pool_submit(pool, handle, item,
                                      weir_deadline_after(WEIR_MS(20)));
        item->accepted = status == WEIR_OK;
        me->accepted += item->accepted;
    }
}

static void resize_often(void *arg)
{
    uint32_t random = 77;

    (void)arg;
    while (!weir__flag_read(&closing)) {
        weir_status status =
            weir_pool_resize(pool, 1 + draw(&random, MOST_WORKERS));

        ck_assert(status == WEIR_OK || status == WEIR_CLOSED);
        for (int i = 0; i < 50; i++)
            sched_yield();
    }
}

static void watch(void *arg)
{
    weir_pool_entry list[LISTED];
    uint64_t last_accepted = 0;

    (void)arg;
    while (!weir__flag_read(&closing)) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;
        weir_status joined =
            weir_pool_join(pool, weir_deadline_after(WEIR_US(100)));

        ck_assert(joined == WEIR_OK || joined == WEIR_TIMED_OUT);
        weir_pool_read_stats(pool, &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        ck_assert(stats.ledger.accepted >= last_accepted);
        /* One that a worker is just taking may still count as queued. */
        ck_assert_uint_le(stats.ledger.queued, capacity + MOST_WORKERS);
        ck_assert_uint_le(stats.ledger.running, 4 * MOST_WORKERS);
        list[0].size = sizeof(list[0]);
        if (stats.ledger.accepted % 4 == 0)
            ck_assert_uint_le(weir_pool_list(pool, list, LISTED),
                              capacity + 4 * MOST_WORKERS);
        last_accepted = stats.ledger.accepted;
    }
}

/* --------------------------------------------------------------------- test */

static void open_pool(int run)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 3;
    capacity = run % 2 ? 64 : 2;
    options.queue_capacity = capacity;
    options.timeout_ns = run % 4 < 2 ? WEIR_US(400) : 0;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

/* How often handlers began; none did twice or for a task that was refused. */
static uint64_t count_starts(uint64_t *accepted)
{
    uint64_t starts = 0;

    for (int s = 0; s < SUBMITTERS; s++) {
        *accepted += submitters[s].accepted;
        for (int i = 0; i < ITEMS; i++) {
            struct item *item = &submitters[s].items[i];
            uint64_t started = weir__counter_read(&item->started);

            ck_assert_uint_le(started, item->accepted);
            ck_assert_uint_eq(weir__counter_read(&item->ended), started);
            starts += started;
        }
    }
    return starts;
}

START_TEST(every_plain_task_runs_once_and_is_counted_once)
{
    struct helper helpers[SUBMITTERS], others[3];
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    const weir_ledger *ledger = &stats.ledger;
    bool stop_early = _i >= 4;
    uint64_t accepted = 0;

    for (uint32_t i = 0; i < SUBMITTERS; i++)
        submitters[i].random = 1 + 1000 * (uint32_t)_i + i;
    open_pool(_i);
    helpers_start(helpers, SUBMITTERS, submit_all, submitters,
                  sizeof(submitters[0]));
    helper_start(&others[0], resize_often, NULL);
    helper_start(&others[1], watch, NULL);
    helper_start(&others[2], watch, NULL);
    while (stop_early && ledger->accepted < ITEMS) {
        weir_pool_read_stats(pool, &stats);
        sched_yield();
    }
    if (stop_early)
        ck_assert_int_ne(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW),
                         WEIR_DEADLOCK);
    helpers_join(helpers, SUBMITTERS);
    if (!stop_early)
        ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir__flag_write(&closing, true);
    helpers_join(others, 3);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(ledger));
    ck_assert_uint_eq(ledger->queued + ledger->running + ledger->overdue, 0);
    ck_assert_uint_eq(ledger->attempts, count_starts(&accepted));
    ck_assert_uint_eq(ledger->accepted, accepted);
    weir_pool_destroy(pool);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_plain_task_runs_once_and_is_counted_once, NULL};
    const struct chapter chapters[] = {{"plain tasks", tests, NULL, NULL, 8, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("plain tasks under stress", chapters);
}
