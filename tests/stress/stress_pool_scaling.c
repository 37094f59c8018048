/* SPDX-License-Identifier: MIT */
/*
 * stress_pool_scaling.c - workers come and go while tasks do, and nothing is
 * lost or reordered.
 *
 * Time is the test clock's, and a thread lets it pass in leaps: looks come at
 * odd moments, and idle workers' time runs out just when tasks come for them.
 * Since tasks are taken in the order in which they came, each worker sees those
 * of one submitter in order, however many workers there are; each task runs
 * once.  Some runs resize the pool besides; in every second one the pool has
 * callbacks, so that no task is a plain one.  The seed is the run's number.
 */
#include <weir/pool.h>

#include <sched.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"
#include "test_clock.h"

enum { SUBMITTERS = 3, ITEMS = 3000, LEAST = 1, MOST_WORKERS = 6 };

struct item {
    uint32_t submitter, number, random;
    struct weir__counter begun;
};

/* A worker's index: one thread's at a time. */
struct place {
    struct weir__flag taken;
    uint32_t next[SUBMITTERS]; /* the least number that may come */
};

static struct item items[SUBMITTERS][ITEMS];
static struct place places[MOST_WORKERS];
static struct weir__counter begun, released, greeted, parted;
static struct weir__flag over;
static weir_pool *pool;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

static void yield_often(uint32_t times)
{
    for (; times > 0; times--)
        sched_yield();
}

/* ---------------------------------------------------------------- callbacks */

static int greet(void *arg, uint32_t worker)
{
    (void)arg;
    ck_assert(worker < MOST_WORKERS);
    ck_assert(!weir__flag_swap(&places[worker].taken, true));
    weir__counter_add(&greeted, 1);
    return 0;
}

static void part(void *arg, uint32_t worker)
{
    (void)arg;
    ck_assert(weir__flag_swap(&places[worker].taken, false));
    weir__counter_add(&parted, 1);
}

static void count_released(void *arg, void *item)
{
    (void)arg;
    (void)item;
    weir__counter_add(&released, 1);
}

static int handle(weir_task *task, void *arg)
{
    struct item *item = arg;
    struct place *place = &places[weir_task_worker(task)];

    ck_assert(weir__counter_add(&item->begun, 1) == 0);
    ck_assert(place->next[item->submitter] <= item->number);
    place->next[item->submitter] = item->number + 1;
    weir__counter_add(&begun, 1);
    if (item->random % 64 == 0)
        pthread_exit(NULL);
    yield_often(item->random % 8 ? 0 : item->random % 128);
    return 0;
}

/* ------------------------------------------------------------------ threads */

/* In bursts, with pauses in which workers fall idle. */
static void submit_all(void *arg)
{
    uint32_t me = *(uint32_t *)arg, random = 7 * me + 1;

    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item *item = &items[me][i];
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        item->submitter = me;
        item->number = i;
        item->random = draw(&random, UINT32_MAX);
        spec.handler = handle;
        spec.item = item;
        spec.label = draw(&random, 8) == 0 ? "not plain" : NULL;
        ck_assert(weir_pool_submit_task(pool, &spec, NULL, WEIR_FOREVER) ==
                  WEIR_OK);
        if (draw(&random, 100) == 0)
            yield_often(draw(&random, 2000));
    }
}

static void let_time_pass(void *arg)
{
    uint32_t random = *(uint32_t *)arg;

    while (!weir__flag_read(&over)) {
        test_clock_advance(draw(&random, 3) ? WEIR_MS(5) : WEIR_SECONDS(2));
        yield_often(draw(&random, 8));
    }
}

static void resize_often(void *arg)
{
    uint32_t random = *(uint32_t *)arg;

    while (!weir__flag_read(&over)) {
        ck_assert(weir_pool_resize(pool, 1 + draw(&random, MOST_WORKERS)) ==
                  WEIR_OK);
        yield_often(draw(&random, 100));
    }
}

static void watch(void *arg)
{
    (void)arg;
    while (!weir__flag_read(&over)) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        weir_pool_read_stats(pool, &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        ck_assert(stats.workers <= MOST_WORKERS);
        sched_yield();
    }
}

/* --------------------------------------------------------------------- test */

static struct gate may_end = GATE_INIT;
static struct tally asleep = TALLY_INIT;

static int sleep_until_told(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    tally_add(&asleep, 1);
    gate_wait(&may_end);
    return 0;
}

/* As many tasks as there may be workers all run at once. */
static void fill_up(void)
{
    for (int i = 0; i < MOST_WORKERS; i++)
        ck_assert_int_eq(weir_pool_submit(pool, sleep_until_told, NULL,
                                          WEIR_FOREVER),
                         WEIR_OK);
    await_count(&asleep, MOST_WORKERS);
    gate_open(&may_end);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
}

/* Until the idle have gone. */
static void fall_asleep(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    do {
        sched_yield();
        weir_pool_read_stats(pool, &stats);
    } while (stats.workers > LEAST);
}

static void open_pool(bool has_callbacks)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = LEAST;
    options.max_workers = MOST_WORKERS;
    options.queue_capacity = 16;
    options.on_release = has_callbacks ? count_released : NULL;
    options.worker_start = greet;
    options.worker_stop = part;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

START_TEST(workers_come_and_go_and_no_task_is_lost_or_reordered)
{
    struct helper submitters[SUBMITTERS], others[3];
    uint32_t numbers[SUBMITTERS] = {0, 1, 2}, seeds[2];
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    bool resizes = _i >= 4;

    seeds[0] = 11 + (uint32_t)_i;
    seeds[1] = 77 + (uint32_t)_i;
    test_clock_install();
    open_pool(_i % 2);
    helper_start(&others[0], let_time_pass, &seeds[0]);
    helper_start(&others[1], watch, NULL);
    fill_up();
    if (resizes)
        helper_start(&others[2], resize_often, &seeds[1]);
    helpers_start(submitters, SUBMITTERS, submit_all, numbers,
                  sizeof(numbers[0]));
    helpers_join(submitters, SUBMITTERS);
    if (!resizes)
        fall_asleep();
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    weir__flag_write(&over, true);
    helpers_join(others, resizes ? 3 : 2);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_eq(stats.ledger.done + stats.ledger.exited,
                      SUBMITTERS * ITEMS + MOST_WORKERS);
    weir_pool_destroy(pool);
    test_clock_remove();
    ck_assert_uint_eq(weir__counter_read(&begun), SUBMITTERS * ITEMS);
    ck_assert_uint_eq(weir__counter_read(&greeted),
                      weir__counter_read(&parted));
    if (_i % 2)
        ck_assert_uint_eq(weir__counter_read(&released),
                          SUBMITTERS * ITEMS + MOST_WORKERS);
}
END_TEST

int main(void)
{
    const TTest *const come_and_go[] = {
        workers_come_and_go_and_no_task_is_lost_or_reordered, NULL};
    const struct chapter chapters[] = {{"come and go", come_and_go, NULL, NULL,
                                        8, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: scaling under stress", chapters);
}
