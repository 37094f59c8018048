/* SPDX-License-Identifier: MIT */
/* scenarios_pool_polled.c - the pool's descriptor, against what settles. */
#include "base/event.h"
#include "events.h"
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

static int fd;

/* Until so many have settled, as a level-triggered loop does. */
static void look_by_level(unsigned tasks)
{
    do
        weir__event_wait(fd, WEIR_FOREVER);
    while (weir_pool_settled(pool) < tasks);
}

static void look_by_edges(unsigned tasks)
{
    uint64_t seen = 0;

    do
        events_await_edge(fd, &seen);
    while (weir_pool_settled(pool) < tasks);
}

static void look_and_open_gate(unsigned tasks)
{
    look_by_edges(tasks);
    open_the_gate();
}

static void watch(void)
{
    fd = weir_pool_fd(pool);
    must(fd >= 0 && fd == weir_pool_fd(pool));
}

static void pool_polled_plain(void)
{
    open_plain();
    watch();
    submit_one(1);
    look_by_level(1);
}

static void pool_polled_plain_by_edges(void)
{
    open_plain();
    watch();
    submit_one(1);
    look_by_edges(1);
    submit_one(2);
    look_by_level(2);
}

static void pool_polled_while_tasks_wait(void)
{
    open_plain();
    watch();
    submit_one(1);
    submit_to_the_gate(2);
    look_and_open_gate(1);
}

static void pool_polled_with_two_workers(void)
{
    open_with_two();
    watch();
    submit_one(1);
    submit_one(2);
    look_by_edges(2);
}

static void pool_polled_made_late(void)
{
    open_plain();
    submit_one(1);
    watch();
    look_by_edges(1);
}

static void pool_polled_entries(void)
{
    open_telling();
    watch();
    submit_one(1);
    look_by_edges(1);
}

static void pool_polled_beside_join(void)
{
    open_plain();
    watch();
    start(join_it, 0);
    submit_one(1);
    look_by_edges(1);
}

static void pool_polled_cancel(void)
{
    open_plain();
    watch();
    must(submit_future(1, sleeps, WEIR_FOREVER) == WEIR_OK);
    cancel(1);
    look_by_edges(1);
}

const struct scenario scenarios_pool_polled[] = {
    {POOL_SCENARIO(pool_polled_plain, 3, "a plain task's end is told of")},
    {POOL_SCENARIO(pool_polled_plain_by_edges, 3, "each is an event"),
     .bound = 1},
    {POOL_SCENARIO(pool_polled_while_tasks_wait, 3,
                   "also if the lane is not empty"),
     .bound = 1},
    {POOL_SCENARIO(pool_polled_with_two_workers, 4, "whoever ran it"),
     .bound = 1},
    {POOL_SCENARIO(pool_polled_made_late, 3,
                   "a descriptor begins as the pool is")},
    {POOL_SCENARIO(pool_polled_entries, 3, "an entry's settling is told of")},
    {POOL_SCENARIO(pool_polled_beside_join, 4,
                   "those in join wait for something else"),
     .bound = 1},
    {POOL_SCENARIO(pool_polled_cancel, 4, "however it settled"), .bound = 1},
    {.name = NULL},
};
