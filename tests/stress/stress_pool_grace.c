/* SPDX-License-Identifier: MIT */
/*
 * stress_pool_grace.c - attempts that end just when they are given up.
 *
 * Timeout and grace are so short that handlers end before, at and after both:
 * threads are abandoned, interrupted, returned and replaced all the time, while
 * others resize, join and look.  No two threads may have one index, each item
 * is released once, and at the end all is as if nothing had been.
 */
#include <weir/pool.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"

enum { SUBMITTERS = 3, ITEMS = 1200, MOST_WORKERS = 4, ABANDONED = 5 };

struct item {
    uint32_t random;
    struct weir__counter running, settled, released;
};

static struct item items[SUBMITTERS][ITEMS];
static struct weir__counter users[MOST_WORKERS + ABANDONED], ended;
static struct weir__counter degraded, abandoned;
static struct weir__flag closing;
static weir_pool *pool;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

/* ----------------------------------------------------------------- the pool */

static int take_index(void *arg, uint32_t worker)
{
    (void)arg;
    ck_assert(worker < MOST_WORKERS + ABANDONED);
    ck_assert(weir__counter_add(&users[worker], 1) == 0);
    return 0;
}

static void give_index(void *arg, uint32_t worker)
{
    (void)arg;
    ck_assert(weir__counter_add(&users[worker], (uint64_t)-1) == 1);
}

static void
note_settled(void *arg, const void *shown, const weir_outcome *outcome)
{
    struct item *item = (struct item *)shown;

    (void)arg;
    (void)outcome;
    ck_assert(weir__counter_add(&item->settled, 1) == 0);
}

static void note_released(void *arg, void *shown)
{
    struct item *item = shown;

    (void)arg;
    ck_assert(weir__counter_read(&item->settled) == 1);
    ck_assert(weir__counter_read(&item->running) == 0);
    ck_assert(weir__counter_add(&item->released, 1) == 0);
}

static void note_end(void *arg)
{
    struct item *item = arg;

    weir__counter_add(&item->running, (uint64_t)-1);
    weir__counter_add(&ended, 1);
}

/* Deaf for about as long as it is given, computing or in a call. */
static int handle(weir_task *task, void *arg)
{
    struct item *item = arg;
    uint32_t random = item->random + weir_task_attempt(task);
    weir_deadline until = weir_deadline_after(WEIR_US(draw(&random, 400)));
    struct timespec rest = {0, 0};

    ck_assert(weir__counter_read(&users[weir_task_worker(task)]) == 1);
    ck_assert(weir__counter_add(&item->running, 1) == 0);
    ck_assert(weir_task_defer(task, note_end, item) == WEIR_OK);
    while (weir_deadline_remaining(until) > 0) {
        rest.tv_nsec = weir_deadline_remaining(until);
        if (random % 3 == 0)
            sched_yield();
        else if (nanosleep(&rest, NULL) && errno == EINTR && random % 3 == 1)
            break;
    }
    if (random % 8 == 7)
        pthread_exit(NULL);
    if (random % 8 == 6)
        weir_task_raise(task, 1, "raised");
    return random % 8 == 5;
}

/* ------------------------------------------------------------------ threads */

static void submit_all(void *arg)
{
    struct item *mine = *(struct item **)arg;

    for (int i = 0; i < ITEMS; i++) {
        weir_status status;

        do {
            status = weir_pool_submit(pool, handle, &mine[i], WEIR_FOREVER);
            if (status == WEIR_DEGRADED) {
                weir__counter_add(&degraded, 1);
                sched_yield();
            }
        } while (status == WEIR_DEGRADED);
        ck_assert(status == WEIR_OK);
    }
}

static void resize_often(void *arg)
{
    uint32_t random = 77;

    (void)arg;
    while (!weir__flag_read(&closing)) {
        ck_assert(weir_pool_resize(pool, 1 + draw(&random, MOST_WORKERS)) ==
                  WEIR_OK);
        sched_yield();
    }
}

static void watch(void *arg)
{
    (void)arg;
    while (!weir__flag_read(&closing)) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;
        weir_status joined = weir_pool_join(pool, weir_deadline_after(1000));

        ck_assert(joined == WEIR_OK || joined == WEIR_TIMED_OUT ||
                  joined == WEIR_STUCK);
        weir_pool_read_stats(pool, &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        ck_assert(stats.ledger.abandoned <= ABANDONED);
        ck_assert(stats.degraded == (stats.ledger.abandoned == ABANDONED));
        if (stats.ledger.abandoned > 0)
            weir__counter_write(&abandoned, 1);
    }
}

/* -------------------------------------------------------------------- tests */

/* _i: plain tasks, listed ones, the same with retries. */
static void open_pool(int run)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 3;
    retry.base_ns = WEIR_US(50);
    options.workers = options.max_workers = MOST_WORKERS;
    options.queue_capacity = 8;
    options.timeout_ns = WEIR_US(100);
    options.grace_ns = WEIR_US(100);
    options.max_abandoned = ABANDONED;
    options.interrupt_signal = SIGRTMIN + 1;
    options.retry = run > 1 ? &retry : NULL;
    options.on_settled = run > 0 ? note_settled : NULL;
    options.on_release = run > 0 ? note_released : NULL;
    options.worker_start = take_index;
    options.worker_stop = give_index;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

/* All but a few threads that are on their way back have ended then. */
static void stop_to_the_end(void)
{
    weir_status status;

    do {
        status = weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER);
        ck_assert(status == WEIR_OK || status == WEIR_STUCK);
    } while (status == WEIR_STUCK);
}

START_TEST(whoever_ends_when_all_is_as_if_nothing_had_been)
{
    struct item *first[SUBMITTERS];
    struct helper submitters[SUBMITTERS], others[3];
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    uint32_t random = 1 + (uint32_t)_i;

    for (int s = 0; s < SUBMITTERS; s++) {
        first[s] = items[s];
        for (int i = 0; i < ITEMS; i++)
            items[s][i].random = draw(&random, UINT32_MAX / 2) | 1;
    }
    open_pool(_i);
    helpers_start(submitters, SUBMITTERS, submit_all, first, sizeof(first[0]));
    helper_start(&others[0], watch, NULL);
    helper_start(&others[1], watch, NULL);
    helper_start(&others[2], resize_often, NULL);
    helpers_join(submitters, SUBMITTERS);
    weir__flag_write(&closing, true);
    helpers_join(others, 3);
    stop_to_the_end();
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_eq(stats.ledger.accepted, SUBMITTERS * ITEMS);
    ck_assert_uint_eq(stats.ledger.refused, weir__counter_read(&degraded));
    ck_assert_uint_eq(stats.ledger.overdue + stats.ledger.abandoned, 0);
    ck_assert_uint_eq(stats.ledger.attempts, weir__counter_read(&ended));
    ck_assert_uint_gt(stats.ledger.late, 0);
    ck_assert_uint_gt(weir__counter_read(&abandoned), 0);
    ck_assert(!stats.degraded);
    weir_pool_destroy(pool);
    for (int i = 0; i < MOST_WORKERS + ABANDONED; i++)
        ck_assert_uint_eq(weir__counter_read(&users[i]), 0);
    for (int i = 0; _i > 0 && i < SUBMITTERS * ITEMS; i++)
        ck_assert_uint_eq(weir__counter_read(
                              &items[i / ITEMS][i % ITEMS].released),
                          1);
}
END_TEST

int main(void)
{
    const TTest *const ends[] = {
        whoever_ends_when_all_is_as_if_nothing_had_been, NULL};
    const struct chapter chapters[] = {{"ends", ends, NULL, NULL, 3, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stress: grace", chapters);
}
