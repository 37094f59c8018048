/* SPDX-License-Identifier: MIT */
/* scenarios_join.c - task_done, join, and what ends a wait in join. */
#include "scenarios.h"
#include "stage.h"

static void put_one(unsigned number)
{
    must(put(number, WEIR_FOREVER) == WEIR_OK);
}

/* Gets and finishes this many. */
static void work(unsigned number)
{
    for (; number > 0; number--) {
        must(get(WEIR_FOREVER) == WEIR_OK);
        must(task_done(1) == WEIR_OK);
    }
}

static void work_to_the_end(unsigned number)
{
    (void)number;
    while (get(WEIR_FOREVER) == WEIR_OK)
        must(task_done(1) == WEIR_OK);
}

static void join_it(unsigned number)
{
    (void)number;
    must(join_queue(WEIR_FOREVER) == WEIR_OK);
}

static void put_or_closed(unsigned number)
{
    (void)put(number, WEIR_FOREVER);
}

static void finish_one(unsigned number)
{
    (void)number;
    (void)task_done(1);
}

static void join_against_task_done(void)
{
    stage_open(2);
    put_one(11);
    start(work, 2);
    put_one(12);
    join_it(0);
    must(weir_queue_unfinished(queue) == 0);
}

static void two_joiners(void)
{
    stage_open(1);
    put_one(11);
    start(join_it, 0);
    start(join_it, 0);
    work(1);
}

static void join_against_a_late_put(void)
{
    stage_open(1);
    put_one(11);
    start(join_it, 0);
    start(work, 2);
    put_one(12);
}

static void timed_join(void)
{
    weir_status status;

    stage_open(1);
    put_one(11);
    start(work, 1);
    status = join_queue(soon());
    must(status == WEIR_OK || status == WEIR_TIMED_OUT);
    join_all();
    must(join_queue(WEIR_NOW) == WEIR_OK);
}

static void abort_against_join(void)
{
    stage_open(2);
    put_one(11);
    put_one(12);
    start(join_it, 0);
    abort_queue();
}

static void abort_against_join_and_work(void)
{
    stage_open(2);
    put_one(11);
    put_one(12);
    start(join_it, 0);
    start(work_to_the_end, 0);
    abort_queue();
}

static void abort_against_join_and_put(void)
{
    stage_open(1);
    put_one(11);
    start(join_it, 0);
    start(work_to_the_end, 0);
    (void)put(21, WEIR_FOREVER);
    abort_queue();
}

static void drop_against_join(void)
{
    weir_queue_options options = stage_options(1);

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    stage_open_as(&options);
    put_one(11);
    start(join_it, 0);
    put_one(12);
    work(1);
}

static void drop_beside_join_and_work(void)
{
    weir_queue_options options = stage_options(1);

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    stage_open_as(&options);
    put_one(11);
    start(put_or_closed, 12);
    start(work, 1);
    (void)join_queue(soon());
    close_queue();
}

static void close_does_not_end_a_join(void)
{
    stage_open(2);
    put_one(11);
    start(join_it, 0);
    close_queue();
    work(1);
}

static void one_task_done_too_many(void)
{
    stage_open(2);
    put_one(11);
    start(finish_one, 0);
    start(finish_one, 0);
    must(get(WEIR_FOREVER) == WEIR_OK);
    join_it(0);
}

static void done_at_once(void)
{
    stage_open(2);
    put_one(11);
    put_one(12);
    start(join_it, 0);
    must(get_many(2, WEIR_FOREVER) == 2);
    must(task_done(3) == WEIR_EINVAL);
    must(task_done(2) == WEIR_OK);
}

const struct scenario scenarios_join[] = {
    {SCENARIO(join_against_task_done, 2,
              "join returns with the last task_done"),
     .noise = 2},
    {SCENARIO(two_joiners, 3, "every joiner returns"), .noise = 1},
    {SCENARIO(join_against_a_late_put, 3, "join returns at a moment of quiet")},
    {SCENARIO(timed_join, 2, "join has a deadline"), .noise = 2},
    {SCENARIO(abort_against_join, 2, "join waits for on_discard to return"),
     .noise = 2},
    {SCENARIO(abort_against_join_and_work, 3,
              "got or discarded, join sees the end")},
    {SCENARIO(abort_against_join_and_put, 3,
              "got or discarded, with a putter on its way")},
    {SCENARIO(drop_against_join, 2,
              "a dropped item is unfinished until it was told of"),
     .noise = 2},
    {SCENARIO(drop_beside_join_and_work, 3,
              "nobody else's task_done stands for an item that was dropped")},
    {SCENARIO(close_does_not_end_a_join, 2, "only finishing does"), .noise = 2},
    {SCENARIO(one_task_done_too_many, 3, "is refused and changes nothing")},
    {SCENARIO(done_at_once, 2, "task_done for several"), .noise = 1},
    {.name = NULL},
};
