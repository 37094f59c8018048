/* SPDX-License-Identifier: MIT */
/* scenarios_polled.c - the queue's descriptors, against whatever sets them. */
#include "base/event.h"
#include "events.h"
#include "scenarios.h"
#include "stage.h"

static int fd;

/* ------------------------------------------------------------------ players */

/* Gets so many items as a level-triggered loop does. */
static void take_by_level(unsigned items)
{
    while (items > 0) {
        weir__event_wait(fd, WEIR_FOREVER);
        if (get(WEIR_NOW) == WEIR_OK)
            items--;
        else
            world_yield("comes again");
    }
}

/* The same, edge-triggered: each time all there is. */
static void take_by_edges(unsigned items)
{
    uint64_t seen = 0;

    while (items > 0) {
        events_await_edge(fd, &seen);
        while (items > 0 && get(WEIR_NOW) == WEIR_OK)
            items--;
        world_yield("comes again");
    }
}

/* Until the queue says something else. */
static void take_to_the_end(unsigned number)
{
    uint64_t seen = 0;
    weir_status status = WEIR_TIMED_OUT;

    (void)number;
    while (status == WEIR_TIMED_OUT) {
        events_await_edge(fd, &seen);
        do
            status = get(WEIR_NOW);
        while (status == WEIR_OK);
        world_yield("comes again");
    }
}

/* Two items, at the first numbers that are not refused. */
static void put_two_by_level(unsigned number)
{
    for (unsigned done = 0; done < 2; number++) {
        weir__event_wait(fd, WEIR_FOREVER);
        if (put(number, WEIR_NOW) == WEIR_OK)
            done++;
        else
            world_yield("comes again");
    }
}

static void put_two_by_edges(unsigned number)
{
    uint64_t seen = 0;
    unsigned done = 0;

    while (done < 2) {
        events_await_edge(fd, &seen);
        while (done < 2 && put(number++, WEIR_NOW) == WEIR_OK)
            done++;
        world_yield("comes again");
    }
}

static void put_until_closed(unsigned number)
{
    uint64_t seen = 0;
    weir_status status = WEIR_OK;

    while (status != WEIR_CLOSED) {
        events_await_edge(fd, &seen);
        do
            status = put(number++, WEIR_NOW);
        while (status == WEIR_OK);
        world_yield("comes again");
    }
}

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

static void put_two(unsigned number)
{
    put_one(number);
    put_one(number + 1);
}

static void get_one(unsigned number)
{
    (void)number;
    must(get(WEIR_FOREVER) == WEIR_OK);
}

static void look_for_an_item(unsigned number)
{
    (void)number;
    (void)get(soon());
}

static void get_now(unsigned number)
{
    (void)number;
    (void)get(WEIR_NOW);
}

static void close_it(unsigned number)
{
    (void)number;
    close_queue();
}

/* ---------------------------------------------------------------- openings */

static int must_have(int made)
{
    while (made < 0) /* it failed on purpose */
        made = weir_queue_item_fd(queue);
    return made;
}

static void open_items(size_t capacity)
{
    stage_open(capacity);
    fd = must_have(weir_queue_item_fd(queue));
}

static void open_room(size_t capacity, weir_on_full on_full)
{
    weir_queue_options options = stage_options(capacity);

    options.on_full = on_full;
    stage_open_as(&options);
    fd = weir_queue_room_fd(queue);
    must(fd >= 0);
}

/* -------------------------------------------------------------------- items */

static void polled_item_by_level(void)
{
    open_items(2);
    start(take_by_level, 2);
    put_two(11);
}

static void polled_item_by_edges(void)
{
    open_items(2);
    start(take_by_edges, 2);
    put_two(11);
}

static void polled_item_of_two_putters(void)
{
    open_items(2);
    start(put_one, 11);
    start(put_one, 21);
    take_by_edges(2);
}

static void polled_item_made_late(void)
{
    stage_open(2);
    start(put_two, 11);
    fd = must_have(weir_queue_item_fd(queue));
    take_by_edges(2);
}

static void polled_item_by_two(void)
{
    open_items(2);
    start(take_by_level, 1);
    start(take_by_edges, 1);
    put_two(11);
}

static void polled_item_beside_a_getter(void)
{
    open_items(2);
    start(take_by_edges, 1);
    start(get_one, 0);
    put_two(11);
}

static void polled_item_beside_one_who_gives_up(void)
{
    open_items(2);
    start(look_for_an_item, 0);
    put_one(11);
    put_one(12);
    take_by_edges(1);
}

static void polled_item_that_another_takes(void)
{
    open_items(2);
    start(get_now, 0);
    start(put_two, 11);
    take_by_edges(1);
}

static void polled_pill(void)
{
    open_items(1);
    start(take_to_the_end, 0);
    must(poison(1) == WEIR_OK);
}

static void polled_pill_behind_an_item(void)
{
    open_items(1);
    start(take_to_the_end, 0);
    put_one(11);
    must(poison(1) == WEIR_OK);
}

/* ----------------------------------------------------------------- the end */

static void polled_close(void)
{
    open_items(1);
    start(take_to_the_end, 0);
    close_queue();
}

static void polled_close_behind_a_put(void)
{
    open_items(1);
    start(take_to_the_end, 0);
    start(close_it, 0);
    (void)put(11, WEIR_NOW);
}

static void polled_abort(void)
{
    open_items(1);
    put_one(11);
    start(take_to_the_end, 0);
    abort_queue();
}

static void polled_close_for_room(void)
{
    open_room(1, WEIR_ON_FULL_WAIT);
    put_one(11);
    start(put_until_closed, 21);
    close_queue();
}

/* --------------------------------------------------------------------- room */

static void polled_room_by_level(void)
{
    open_room(1, WEIR_ON_FULL_WAIT);
    start(put_two_by_level, 11);
    get_one(0);
    get_one(0);
}

static void polled_room_by_edges(void)
{
    open_room(1, WEIR_ON_FULL_WAIT);
    start(put_two_by_edges, 11);
    get_one(0);
    get_one(0);
}

static void polled_room_that_is_refused(void)
{
    open_room(1, WEIR_ON_FULL_REFUSE);
    start(put_two_by_edges, 11);
    get_one(0);
    get_one(0);
}

static void polled_room_beside_a_putter(void)
{
    open_room(1, WEIR_ON_FULL_WAIT);
    start(put_one, 21);
    start(put_two_by_edges, 11);
    get_one(0);
    get_one(0);
    get_one(0);
}

/* Both sides of one queue, each in a loop. */
static void polled_room_always(void)
{
    open_room(1, WEIR_ON_FULL_DROP_OLDEST);
    weir__event_wait(fd, WEIR_FOREVER);
    put_two(11);
    weir__event_wait(fd, WEIR_FOREVER);
    start(get_now, 0);
    put_one(13);
    must(events_is_set(fd));
}

const struct scenario scenarios_polled[] = {
    {SCENARIO(polled_item_by_level, 2, "each item is told of")},
    {SCENARIO(polled_item_by_edges, 2, "each item is an event")},
    {SCENARIO(polled_item_of_two_putters, 3, "also the one that was overtaken"),
     .bound = 1},
    {SCENARIO(polled_item_made_late, 2, "a descriptor begins as the queue is"),
     .failures = 1},
    {SCENARIO(polled_item_by_two, 3, "all who poll are told"), .bound = 1},
    {SCENARIO(polled_item_beside_a_getter, 3,
              "nobody's wake-up stands for another's"),
     .bound = 1},
    {SCENARIO(polled_item_beside_one_who_gives_up, 2,
              "who finds nothing hushes, and looks again")},
    {SCENARIO(polled_item_that_another_takes, 3, "the next one is told of"),
     .bound = 1},
    {SCENARIO(polled_pill, 2, "a pill is told of")},
    {SCENARIO(polled_pill_behind_an_item, 2, "the same behind an item")},
    {SCENARIO(polled_close, 2, "the end is told of")},
    {SCENARIO(polled_close_behind_a_put, 3, "the end, and what is before it"),
     .bound = 1},
    {SCENARIO(polled_abort, 2, "the end, however it comes")},
    {SCENARIO(polled_close_for_room, 2, "the end is told to who wants room")},
    {SCENARIO(polled_room_by_level, 2, "all room is told of")},
    {SCENARIO(polled_room_by_edges, 2, "all room is an event")},
    {SCENARIO(polled_room_that_is_refused, 2, "who is refused hears of room")},
    {SCENARIO(polled_room_beside_a_putter, 3, "one that waits, one that polls"),
     .bound = 1},
    {SCENARIO(polled_room_always, 2, "who drops never has to wait")},
    {.name = NULL},
};
