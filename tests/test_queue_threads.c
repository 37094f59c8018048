/* SPDX-License-Identifier: MIT */
/* test_queue_threads.c - many threads at once, and how shutdown goes wrong. */
#include <weir/queue.h>

#include <malloc.h>
#include <sched.h>
#include <stdint.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"
#include "traffic.h"

/* ---------------------------------------------------------------- traffic */

static const size_t capacities[] = {1, 2, 8, 1000};
enum { CAPACITIES = sizeof(capacities) / sizeof(capacities[0]) };

/* _i: the number of putters, less one, times 4, plus that of getters. */
START_TEST(every_item_put_by_many_threads_is_got_once_in_order)
{
    for (int i = 0; i < CAPACITIES; i++) {
        struct traffic traffic = {.putters = (size_t)_i / 4 + 1,
                                  .getters = (size_t)_i % 4 + 1,
                                  .capacity = capacities[i],
                                  .items = traffic_items(1000),
                                  .style = (unsigned)(_i + i) % TRAFFIC_STYLES,
                                  .end = (unsigned)(_i + i / 2) % TRAFFIC_ENDS};

        traffic_run(&traffic);
    }
}
END_TEST

START_TEST(a_dropping_queue_gives_each_item_to_a_getter_or_to_on_discard)
{
    for (int i = 0; i < CAPACITIES; i++) {
        struct traffic traffic = {.putters = (size_t)_i % 4 + 1,
                                  .getters = (size_t)_i / 4 + 1,
                                  .capacity = capacities[i],
                                  .items = traffic_items(1000),
                                  .style = (unsigned)(_i + i) % TRAFFIC_STYLES,
                                  .end = (unsigned)(_i + i / 2) % TRAFFIC_ENDS,
                                  .on_full = WEIR_ON_FULL_DROP_OLDEST};

        traffic_run(&traffic);
    }
}
END_TEST

/* Not atomic: whether one thread tells at a time is for the race detector. */
static bool pressure_told, pressure_inside;
static uint64_t pressure_calls, pressure_wrong;

static void note_pressure(void *arg, bool high)
{
    (void)arg;
    pressure_wrong += pressure_inside;
    pressure_inside = true;
    pressure_wrong += high == pressure_told;
    pressure_told = high;
    pressure_calls++;
    sched_yield();
    pressure_wrong += !pressure_inside;
    pressure_inside = false;
}

START_TEST(pressure_is_told_in_turns_and_ends_low_on_an_empty_queue)
{
    struct traffic traffic = {.putters = 4,
                              .getters = 4,
                              .capacity = 4,
                              .items = traffic_items(2000),
                              .style = (unsigned)_i % TRAFFIC_STYLES,
                              .on_pressure = note_pressure};

    traffic_run(&traffic);
    ck_assert_uint_eq(pressure_wrong, 0);
    ck_assert(!pressure_told);
    ck_assert_uint_eq(pressure_calls % 2, 0);
}
END_TEST

/* Looks at the figures for as long as others change them. */
struct observer {
    struct helper helper;
    weir_queue *queue;
    struct weir__flag over;
    uint64_t wrong;
};

static void observe(void *arg)
{
    struct observer *observer = arg;
    uint64_t put_before = 0;

    while (!weir__flag_read(&observer->over)) {
        weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

        weir_queue_read_stats(observer->queue, &stats);
        observer->wrong += stats.put != stats.got + stats.dropped + stats.count;
        observer->wrong += stats.put < put_before;
        observer->wrong += stats.count > stats.most || stats.most > 2;
        put_before = stats.put;
        sched_yield();
    }
}

struct changer {
    struct helper helper;
    weir_queue *queue;
    size_t rounds;
};

static void change(void *arg)
{
    struct changer *changer = arg;

    for (size_t i = 0; i < changer->rounds; i++) {
        int item = (int)i;

        if (weir_queue_put(changer->queue, &item, WEIR_NOW) ||
            (i % 3 == 0 && weir_queue_get(changer->queue, &item, WEIR_NOW)))
            sched_yield();
    }
}

START_TEST(the_figures_balance_at_every_moment)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    struct observer observer = {.wrong = 0};
    struct changer changers[2];

    options.capacity = 2;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    ck_assert_int_eq(weir_queue_create(&observer.queue, sizeof(int), &options),
                     WEIR_OK);
    helper_start(&observer.helper, observe, &observer);
    for (int i = 0; i < 2; i++) {
        changers[i].queue = observer.queue;
        changers[i].rounds = traffic_items(10000);
        helper_start(&changers[i].helper, change, &changers[i]);
    }
    for (int i = 0; i < 2; i++)
        helper_join(&changers[i].helper);
    weir__flag_write(&observer.over, true);
    helper_join(&observer.helper);
    ck_assert_uint_eq(observer.wrong, 0);
    weir_queue_destroy(observer.queue);
}
END_TEST

/* --------------------------------------------------------- shutdown faults */

enum { ROUNDS = 20000, FEWER_ROUNDS = 4000 };

/* A partner does its part of each round on a queue that is new each time. */
struct partner {
    struct helper helper;
    void (*play)(weir_queue *queue);
    struct weir__pointer queue; /* publishes the round's queue; NULL: over */
    struct weir__counter begun; /* rounds, by the host */
    struct weir__counter ended; /* rounds, once its call has returned */
    uint64_t rounds;
};

static void await_round(const struct weir__counter *counter, uint64_t round)
{
    while (weir__counter_read(counter) < round)
        sched_yield();
}

static void play_rounds(void *arg)
{
    struct partner *partner = arg;

    for (uint64_t round = 1; round <= partner->rounds; round++) {
        await_round(&partner->begun, round);
        partner->play((weir_queue *)weir__pointer_read(&partner->queue));
        weir__counter_write(&partner->ended, round);
    }
}

/* Has `host` and `play` meet on one queue after the other, each destroyed the
 * moment both have returned. */
static void meet(void (*play)(weir_queue *queue),
                 void (*host)(weir_queue *queue), uint64_t rounds)
{
    struct partner partner = {.play = play, .rounds = rounds};
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = 1;
    helper_start(&partner.helper, play_rounds, &partner);
    for (uint64_t round = 1; round <= partner.rounds; round++) {
        weir_queue *queue;

        ck_assert_int_eq(weir_queue_create(&queue, sizeof(int), &options),
                         WEIR_OK);
        weir__pointer_write(&partner.queue, queue);
        weir__counter_write(&partner.begun, round);
        host(queue);
        await_round(&partner.ended, round);
        weir_queue_destroy(queue);
    }
    helper_join(&partner.helper);
}

/* Each aborts the test from whatever thread it runs on, but asks Check only
 * then: it writes a file for each assertion. */
static void must(bool is_true, const char *what)
{
    if (!is_true)
        ck_abort_msg("not so: %s", what);
}

static void get_one(weir_queue *queue)
{
    int item = 0;

    must(weir_queue_get(queue, &item, WEIR_FOREVER) == WEIR_OK && item == 7,
         "the item came");
}

static void put_one(weir_queue *queue)
{
    const int item = 7;

    must(weir_queue_put(queue, &item, WEIR_FOREVER) == WEIR_OK,
         "the item was accepted");
}

static void put_two(weir_queue *queue)
{
    put_one(queue);
    put_one(queue);
}

static void get_two(weir_queue *queue)
{
    get_one(queue);
    get_one(queue);
}

static void get_closed(weir_queue *queue)
{
    int item;

    must(weir_queue_get(queue, &item, WEIR_FOREVER) == WEIR_CLOSED,
         "the getter was told");
}

static void get_poisoned(weir_queue *queue)
{
    int item;

    must(weir_queue_get(queue, &item, WEIR_FOREVER) == WEIR_POISONED,
         "the getter was poisoned");
}

static void poison_one(weir_queue *queue)
{
    must(weir_queue_poison(queue, 1) == WEIR_OK, "the pill was accepted");
}

static void put_until_closed(weir_queue *queue)
{
    const int item = 7;

    while (weir_queue_put(queue, &item, WEIR_FOREVER) == WEIR_OK)
        ;
}

static void join_it(weir_queue *queue)
{
    put_one(queue);
    must(weir_queue_join(queue, WEIR_FOREVER) == WEIR_OK, "it was finished");
}

static void finish_it(weir_queue *queue)
{
    get_one(queue);
    must(weir_queue_task_done(queue, 1) == WEIR_OK, "it was unfinished");
}

START_TEST(a_stop_is_not_missed_by_who_is_about_to_wait)
{
    meet(get_closed, weir_queue_close, FEWER_ROUNDS);
    meet(put_until_closed, weir_queue_close, FEWER_ROUNDS);
    meet(get_closed, weir_queue_abort, FEWER_ROUNDS);
}
END_TEST

START_TEST(a_wake_up_before_the_wait_is_not_lost)
{
    meet(get_two, put_two, FEWER_ROUNDS);
    meet(get_poisoned, poison_one, FEWER_ROUNDS);
    meet(finish_it, join_it, FEWER_ROUNDS);
}
END_TEST

START_TEST(a_queue_may_be_destroyed_once_the_last_call_has_returned)
{
    meet(put_one, get_one, ROUNDS);
    meet(put_two, get_two, FEWER_ROUNDS);
    meet(weir_queue_close, get_closed, FEWER_ROUNDS);
    meet(weir_queue_abort, put_until_closed, FEWER_ROUNDS);
}
END_TEST

/* Only this C library tells what is in use. */
#ifdef __GLIBC__
/* Leaves an item and pills inside, having used up some. */
static void live_a_little(weir_queue *queue)
{
    put_one(queue);
    poison_one(queue);
    poison_one(queue); /* joins the one before */
    get_one(queue);
    get_poisoned(queue);
    get_poisoned(queue);
    put_one(queue);
    poison_one(queue);
}

START_TEST(making_and_ending_queues_leaks_nothing)
{
    struct mallinfo2 before = mallinfo2(), after;

    for (int i = 0; i < ROUNDS; i++) {
        weir_queue *queue;

        must(weir_queue_create(&queue, sizeof(int), NULL) == WEIR_OK, "made");
        live_a_little(queue);
        if (i % 2)
            weir_queue_abort(queue);
        weir_queue_destroy(queue);
    }
    after = mallinfo2();
    ck_assert_uint_le(after.uordblks, before.uordblks + 4096);
}
END_TEST
#endif

int main(void)
{
    const TTest *const matrix[] = {
        every_item_put_by_many_threads_is_got_once_in_order,
        a_dropping_queue_gives_each_item_to_a_getter_or_to_on_discard, NULL};
    const TTest *const pressure[] = {
        pressure_is_told_in_turns_and_ends_low_on_an_empty_queue, NULL};
    const TTest *const faults[] = {
        the_figures_balance_at_every_moment,
        a_stop_is_not_missed_by_who_is_about_to_wait,
        a_wake_up_before_the_wait_is_not_lost,
        a_queue_may_be_destroyed_once_the_last_call_has_returned,
#ifdef __GLIBC__
        making_and_ending_queues_leaks_nothing,
#endif
        NULL};
    const struct chapter chapters[] = {{"traffic", matrix, NULL, NULL, 16, 0},
                                       {"pressure", pressure, NULL, NULL,
                                        TRAFFIC_STYLES, 0},
                                       {"figures and shutdown faults", faults,
                                        NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: threads", chapters);
}
