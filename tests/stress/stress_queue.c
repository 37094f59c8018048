/* SPDX-License-Identifier: MIT */
/* stress_queue.c - the queue under more threads and items than a unit test. */
#include <weir/queue.h>

#include "suite.h"
#include "traffic.h"

static const size_t capacities[] = {1, 2, 8, 1000};
enum { CAPACITIES = sizeof(capacities) / sizeof(capacities[0]) };

/* _i: a capacity and a style; all numbers of threads and all ends. */
START_TEST(every_item_is_got_once_in_order_whoever_puts_and_gets)
{
    for (size_t threads = 0; threads < 16; threads++) {
        struct traffic traffic = {.putters = threads / 4 + 1,
                                  .getters = threads % 4 + 1,
                                  .capacity = capacities[_i % CAPACITIES],
                                  .items = traffic_items(2000),
                                  .style = (unsigned)_i / CAPACITIES,
                                  .end = threads % TRAFFIC_ENDS};

        traffic_run(&traffic);
    }
}
END_TEST

START_TEST(more_threads_than_processors_lose_nothing)
{
    struct traffic traffic = {.putters = TRAFFIC_MOST,
                              .getters = TRAFFIC_MOST,
                              .capacity = capacities[_i % CAPACITIES],
                              .items = traffic_items(4000),
                              .style = (unsigned)_i / CAPACITIES};

    traffic_run(&traffic);
    traffic.on_full = WEIR_ON_FULL_DROP_OLDEST;
    traffic_run(&traffic);
}
END_TEST

START_TEST(an_abort_at_any_time_accounts_for_every_item)
{
    size_t times = traffic_items(100);

    for (size_t i = 0; i < times; i++) {
        struct traffic traffic = {.putters = i % 4 + 1,
                                  .getters = i / 4 % 4 + 1,
                                  .capacity = capacities[_i % CAPACITIES],
                                  .items = 1 + i,
                                  .style = (unsigned)_i / CAPACITIES,
                                  .end = TRAFFIC_ABORT};

        traffic_run(&traffic);
    }
}
END_TEST

int main(void)
{
    const TTest *const traffic[] = {
        every_item_is_got_once_in_order_whoever_puts_and_gets,
        more_threads_than_processors_lose_nothing,
        an_abort_at_any_time_accounts_for_every_item, NULL};
    const struct chapter chapters[] = {{"traffic", traffic, NULL, NULL,
                                        CAPACITIES * TRAFFIC_STYLES, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stress: queue", chapters);
}
