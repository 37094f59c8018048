/* SPDX-License-Identifier: MIT */
/* scenarios_pool_lane.c - plain tasks: put, taken, adopted, shut out. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

static void submit_a_failing_one(unsigned number)
{
    must(submit(number, fails, WEIR_FOREVER) == WEIR_OK);
}

static void submit_with_a_future(unsigned number)
{
    must(submit_future(number, works, WEIR_FOREVER) == WEIR_OK);
}

static void open_small(void)
{
    weir_pool_options options = pool_options();

    open_pool(&options);
}

static void open_with_workers(uint32_t workers, size_t capacity)
{
    weir_pool_options options = pool_options();

    options.workers = workers;
    options.queue_capacity = capacity;
    open_pool(&options);
}

static void pool_put_against_sleep(void)
{
    open_small();
    submit_one(1);
    submit_one(2);
    join_it(0);
}

static void pool_two_submitters(void)
{
    open_small();
    start(submit_one, 1);
    submit_one(2);
}

static void pool_three_submitters(void)
{
    open_small();
    start(submit_one, 1);
    start(submit_a_failing_one, 2);
    submit_one(3);
}

static void pool_blocked_submitter(void)
{
    open_small();
    submit_one(1);
    start(submit_one, 2);
    submit_one(3);
    join_it(0);
}

static void pool_timed_submitter(void)
{
    weir_status status;

    open_small();
    submit_one(1);
    start(submit_one, 2);
    status = submit(3, works, soon());
    must(status == WEIR_OK || status == WEIR_TIMED_OUT);
}

static void pool_full_is_refused(void)
{
    weir_pool_options options = pool_options();
    weir_status status;

    options.on_full = WEIR_ON_FULL_REFUSE;
    open_pool(&options);
    submit_one(1);
    status = submit(2, works, WEIR_FOREVER);
    must(status == WEIR_OK || status == WEIR_FULL);
    join_it(0);
    submit_one(3);
}

static void pool_two_workers(void)
{
    open_with_workers(2, 2);
    submit_one(1);
    submit_one(2);
    join_it(0);
}

static void pool_two_workers_must_meet(void)
{
    open_with_workers(2, 2);
    must(submit(1, waits_at_the_gate, WEIR_FOREVER) == WEIR_OK);
    must(submit(2, opens_the_gate, WEIR_FOREVER) == WEIR_OK);
    join_it(0);
}

static void pool_two_workers_for_two(void)
{
    open_with_workers(2, 1);
    start(submit_one, 1);
    submit_one(2);
    join_it(0);
}

static void pool_handler_submits_deed(unsigned number)
{
    must(submit(number + 1, works, WEIR_FOREVER) == WEIR_OK);
}

static int submits_another(weir_task *task, unsigned number)
{
    (void)task;
    pool_handler_submits_deed(number);
    return 0;
}

static void pool_handler_submits(void)
{
    open_with_workers(2, 1);
    must(submit(1, submits_another, WEIR_FOREVER) == WEIR_OK);
    join_it(0);
}

static void pool_shut_against_put(void)
{
    open_with_workers(1, 2);
    start(submit_one, 1);
    submit_with_a_future(2);
    join_it(0);
}

static void pool_shut_against_take(void)
{
    weir_outcome_kind kind;

    open_with_workers(1, 2);
    submit_one(1);
    submit_with_a_future(2);
    must(await(2, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_DONE);
    must(attempts_of(1) == 1);
}

static void pool_shut_against_two(void)
{
    open_with_workers(1, 4);
    submit_one(1);
    submit_one(2);
    submit_one(3);
    submit_with_a_future(4);
}

static void pool_opens_behind_the_list(void)
{
    open_with_workers(1, 3);
    submit_with_a_future(1);
    submit_with_a_future(2);
    submit_one(3);
}

static void pool_opens_again(void)
{
    open_small();
    submit_with_a_future(1);
    start(submit_one, 2);
    submit_one(3);
    join_it(0);
}

static void pool_shut_twice(void)
{
    open_small();
    start(submit_with_a_future, 1);
    submit_with_a_future(2);
    submit_one(3);
}

static void pool_join_against_count(void)
{
    open_small();
    submit_one(1);
    join_it(0);
}

static void pool_two_joiners(void)
{
    open_small();
    start(join_it, 0);
    submit_one(1);
    join_it(0);
}

static void pool_join_against_failing(void)
{
    open_small();
    start(join_it, 0);
    submit_a_failing_one(1);
}

static void pool_join_against_cleanup(void)
{
    open_small();
    must(submit(1, has_cleanups, WEIR_FOREVER) == WEIR_OK);
    join_it(0);
}

static void pool_timed_join(void)
{
    weir_status status;

    open_small();
    submit_one(1);
    status = join_pool(soon());
    must(status == WEIR_OK || status == WEIR_TIMED_OUT);
}

static void pool_figures_of_plain_tasks(void)
{
    open_small();
    start(submit_one, 1);
    check_pool();
    submit_a_failing_one(2);
    check_pool();
}

static void look(unsigned number)
{
    (void)number;
    check_pool();
}

static void pool_figures_beside_two(void)
{
    open_small();
    start(look, 0);
    submit_one(1);
    submit_one(2);
}

static void pool_plain_exit(void)
{
    open_small();
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
    submit_one(2);
    join_it(0);
}

const struct scenario scenarios_pool_lane[] = {
    {POOL_SCENARIO(pool_put_against_sleep, 3,
                   "a worker that goes to sleep misses no task")},
    {POOL_SCENARIO(pool_two_submitters, 4, "both get in, and both are run")},
    {POOL_SCENARIO(pool_three_submitters, 5, "so do three, one at a time"),
     .bound = 1},
    {POOL_SCENARIO(pool_blocked_submitter, 4, "room is told of"), .bound = 1},
    {POOL_SCENARIO(pool_timed_submitter, 4, "a submit has a deadline"),
     .bound = 1},
    {POOL_SCENARIO(pool_full_is_refused, 3,
                   "and none if it does not wait for room")},
    {POOL_SCENARIO(pool_two_workers, 4, "two tasks for two workers")},
    {POOL_SCENARIO(pool_two_workers_must_meet, 4,
                   "what is left of a wake-up is passed on"),
     .bound = 1},
    {POOL_SCENARIO(pool_two_workers_for_two, 5, "with room for one"),
     .bound = 1},
    {POOL_SCENARIO(pool_handler_submits, 4, "a handler may submit")},
    {POOL_SCENARIO(pool_shut_against_put, 4,
                   "nobody puts what is not moved to the list")},
    {POOL_SCENARIO(pool_shut_against_take, 3,
                   "one worker runs tasks in their order")},
    {POOL_SCENARIO(pool_shut_against_two, 3,
                   "nobody overtakes those that move")},
    {POOL_SCENARIO(pool_opens_behind_the_list, 3,
                   "nor those that are in the list")},
    {POOL_SCENARIO(pool_opens_again, 4, "the lane does, and misses nobody"),
     .bound = 1},
    {POOL_SCENARIO(pool_shut_twice, 4, "by two at once"), .bound = 1},
    {POOL_SCENARIO(pool_join_against_count, 3,
                   "join sees the end of a plain task")},
    {POOL_SCENARIO(pool_two_joiners, 4, "every joiner returns")},
    {POOL_SCENARIO(pool_join_against_failing, 4, "failed is ended, too")},
    {POOL_SCENARIO(pool_join_against_cleanup, 3,
                   "clean-ups belong to the attempt")},
    {POOL_SCENARIO(pool_timed_join, 3, "join has a deadline")},
    {POOL_SCENARIO(pool_figures_of_plain_tasks, 4,
                   "the figures are possible at any moment")},
    {POOL_SCENARIO(pool_figures_beside_two, 4,
                   "one worker never runs two tasks")},
    {POOL_SCENARIO(pool_plain_exit, 4,
                   "a worker whose thread has ended is made up for")},
    {.name = NULL},
};
