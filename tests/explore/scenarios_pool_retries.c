/* SPDX-License-Identifier: MIT */
/* scenarios_pool_retries.c - retries, threads that end, groups, overload. */
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void open_with_retry(const weir_retry *retry, int64_t timeout_ns)
{
    weir_pool_options options = telling_options();

    options.retry = retry;
    options.timeout_ns = timeout_ns;
    open_pool(&options);
}

static void open_with_attempts(unsigned most, int64_t timeout_ns)
{
    weir_retry retry = pool_retry(most);

    open_with_retry(&retry, timeout_ns);
}

/* ----------------------------------------------------------------- futures */

/* ----------------------------------------------------------------- retries */

static void pool_retry_works(void)
{
    open_with_attempts(2, 0);
    submit_a_future(1, fails_at_first);
    await_it(1);
    must(attempts_of(1) == 2);
}

static void pool_retry_in_vain(void)
{
    open_with_attempts(2, 0);
    submit_a_future(1, fails);
    await_it(1);
    must(attempts_of(1) == 2);
}

static void pool_retry_thrice(void)
{
    open_with_attempts(3, 0);
    submit_a_future(1, fails);
    await_it(1);
    must(attempts_of(1) == 3);
}

static void pool_retry_against_cancel(void)
{
    open_with_attempts(2, 0);
    submit_a_future(1, fails_at_first);
    cancel(1);
}

static void pool_retry_beside_another(void)
{
    open_with_attempts(2, 0);
    must(submit(1, fails_at_first, WEIR_FOREVER) == WEIR_OK);
    submit_one(2);
}

static void pool_retry_after_timeout(void)
{
    open_with_attempts(2, WEIR_MS(1));
    submit_a_future(1, sleeps_at_first);
    await_it(1);
}

static void pool_retry_out_of_patience(void)
{
    weir_outcome_kind kind;

    open_with_attempts(2, WEIR_MS(1));
    submit_a_future(1, waits_at_the_gate);
    must(await(1, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_TIMED_OUT);
    open_the_gate();
}

static void pool_retry_against_patience(void)
{
    open_with_attempts(2, WEIR_MS(1));
    submit_a_future(1, waits_at_the_gate);
    start(open_gate, 0);
    await_it(1);
}

static void pool_retry_beside_action(void)
{
    weir_pool_options options = telling_options();
    weir_retry retry = pool_retry(2);

    retry.base_ns = 1;
    retry.patience_ns = WEIR_MS(1);
    options.retry = &retry;
    options.timeout_ns = WEIR_MS(1);
    options.workers = 2;
    open_pool(&options);
    submit_a_future(1, acts_at_the_gate);
    start(open_gate, 0);
    await_it(1);
}

static void pool_predicate_grants(void)
{
    weir_retry retry = asking_retry(2);

    open_with_retry(&retry, 0);
    submit_a_future(1, fails_at_first);
    start(cancel_it, 1);
    await_it(1);
}

static void pool_predicate_of_a_timeout(void)
{
    weir_retry retry = asking_retry(2);

    open_with_retry(&retry, WEIR_MS(1));
    submit_a_future(1, sleeps_at_first);
    await_it(1);
}

static void pool_predicate_exits(void)
{
    weir_retry retry = asking_retry(2);

    open_with_retry(&retry, 0);
    end_thread_in_predicate();
    submit_a_future(1, fails_at_first);
    await_it(1);
}

static void pool_predicate_exits_the_notifier(void)
{
    weir_retry retry = asking_retry(2);

    open_with_retry(&retry, WEIR_MS(1));
    end_thread_in_predicate();
    submit_a_future(1, sleeps_at_first);
    await_it(1);
}

/* ------------------------------------------------------- threads that end */

static void pool_exit_of_an_entry(void)
{
    weir_outcome_kind kind;

    open_telling();
    submit_a_future(1, ends_its_thread);
    submit_one(2);
    must(await(1, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_EXITED);
}

static void pool_exit_against_cancel(void)
{
    open_telling();
    submit_a_future(1, ends_its_thread);
    cancel(1);
}

static void pool_exit_against_timeout(void)
{
    open_telling_with_timeout();
    must(submit(1, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
}

static void pool_exit_is_retried(void)
{
    weir_retry retry = asking_retry(2);

    open_with_retry(&retry, 0);
    submit_a_future(1, ends_its_thread);
    await_it(1);
}

static void pool_settled_exits(void)
{
    open_telling();
    end_thread_in_settled(1);
    submit_one(1);
    submit_one(2);
}

static void pool_release_exits(void)
{
    open_telling();
    end_thread_in_release(1);
    submit_one(1);
    submit_one(2);
}

static void pool_settled_exits_the_notifier(void)
{
    open_telling();
    submit_a_future(1, sleeps);
    end_thread_in_settled(1);
    cancel(1);
}

static void pool_settled_exits_beside_another(void)
{
    weir_pool_options options = telling_options();

    options.queue_capacity = 2;
    open_pool(&options);
    submit_a_future(1, sleeps);
    submit_a_future(2, sleeps);
    end_thread_in_settled(1);
    cancel(1);
    cancel(2);
}

/* ------------------------------------------------------------------- group */

static void submit_one_to_group(unsigned number)
{
    must(submit_to_group(number, works, WEIR_FOREVER) == WEIR_OK);
}

static void join_the_group(unsigned number)
{
    (void)number;
    must(join_group(WEIR_FOREVER) == WEIR_OK);
}

static void pool_group_join_against_submit(void)
{
    open_telling();
    submit_one_to_group(1);
    start(join_the_group, 0);
    submit_one_to_group(2);
}

static void pool_group_joins_its_own(void)
{
    open_with_two();
    submit_one_to_group(1);
    submit_a_future(2, sleeps);
    join_the_group(0);
    cancel(2);
}

static void pool_group_cancel_against_answer(void)
{
    open_telling();
    submit_one_to_group(1);
    must(submit_to_group(2, sleeps, WEIR_FOREVER) == WEIR_OK);
    cancel_group();
    join_the_group(0);
}

static void pool_group_destroy_against_end(void)
{
    open_telling();
    submit_one_to_group(1);
    destroy_group();
}

static void pool_group_against_stop(void)
{
    open_telling();
    submit_one_to_group(1);
    start(join_the_group, 0);
    must(stop_pool(WEIR_STOP_NOW, WEIR_FOREVER) == WEIR_OK);
}

static void pool_group_outlives(void)
{
    open_telling();
    submit_one_to_group(1);
    destroy_pool();
}

/* ---------------------------------------------------------------- overload */

static void pool_expiry_against_take(void)
{
    weir_pool_options options = telling_options();

    options.time_to_live_ns = WEIR_MS(1);
    open_pool(&options);
    submit_one(1);
    submit_one(2);
}

static void pool_drop_against_take(void)
{
    weir_pool_options options = telling_options();

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_pool(&options);
    submit_one(1);
    submit_one(2);
    submit_one(3);
}

static void pool_two_droppers(void)
{
    weir_pool_options options = telling_options();

    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    open_pool(&options);
    submit_one(1);
    start(submit_one, 2);
    submit_one(3);
}

static void open_with_callers(void)
{
    weir_pool_options options = telling_options();

    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool(&options);
}

static void pool_caller_runs(void)
{
    open_with_callers();
    submit_one(1);
    submit_one(2);
    submit_one(3);
}

static void submit_an_ending_one(unsigned number)
{
    must(submit(number, ends_its_thread, WEIR_FOREVER) == WEIR_OK);
}

static void pool_caller_exits(void)
{
    open_with_callers();
    submit_one(1);
    start(submit_an_ending_one, 2);
    submit_one(3);
}

static void submit_and_end_in_settled(unsigned number)
{
    end_thread_in_settled(number);
    must(submit(number, works, WEIR_FOREVER) == WEIR_OK);
}

static void pool_caller_exits_in_settled(void)
{
    open_with_callers();
    submit_one(1);
    start(submit_and_end_in_settled, 2);
    submit_one(3);
}

const struct scenario scenarios_pool_retries[] = {
    {POOL_SCENARIO(pool_retry_works, 3, "the second attempt counts")},
    {POOL_SCENARIO(pool_retry_in_vain, 3, "the last attempt counts")},
    {POOL_SCENARIO(pool_retry_thrice, 3, "and again")},
    {POOL_SCENARIO(pool_retry_against_cancel, 4,
                   "no attempt begins once it is cancelled")},
    {POOL_SCENARIO(pool_retry_beside_another, 3,
                   "what waits to be tried again takes up room")},
    {POOL_SCENARIO(pool_retry_after_timeout, 3,
                   "the next attempt waits for the old one's end")},
    {POOL_SCENARIO(pool_retry_out_of_patience, 4,
                   "no attempt begins while the old one lives")},
    {POOL_SCENARIO(pool_retry_against_patience, 5,
                   "it begins, or there is none")},
    {POOL_SCENARIO(pool_retry_beside_action, 6,
                   "the old attempt lives, though its action has run"),
     .bound = 1},
    {POOL_SCENARIO(pool_predicate_grants, 5,
                   "a cancel may come while it is asked"),
     .bound = 1},
    {POOL_SCENARIO(pool_predicate_of_a_timeout, 4,
                   "it is asked while the attempt still runs"),
     .bound = 1},
    {POOL_SCENARIO(pool_predicate_exits, 4, "then it has not granted it")},
    {POOL_SCENARIO(pool_predicate_exits_the_notifier, 5,
                   "then it has not granted it"),
     .bound = 1},
    {POOL_SCENARIO(pool_exit_of_an_entry, 4,
                   "the task has EXITED, and the next is run")},
    {POOL_SCENARIO(pool_exit_against_cancel, 5, "one of them settles it")},
    {POOL_SCENARIO(pool_exit_against_timeout, 5, "one of them settles it")},
    {POOL_SCENARIO(pool_exit_is_retried, 5, "if the predicate says so")},
    {POOL_SCENARIO(pool_settled_exits, 4, "the rest of it is done")},
    {POOL_SCENARIO(pool_release_exits, 4, "the worker is made up for")},
    {POOL_SCENARIO(pool_settled_exits_the_notifier, 5,
                   "the notifier is made up for")},
    {POOL_SCENARIO(pool_settled_exits_beside_another, 5,
                   "which the new notifier tells of")},
    {POOL_SCENARIO(pool_group_join_against_submit, 4,
                   "join returns at a moment of quiet"),
     .bound = 1},
    {POOL_SCENARIO(pool_group_joins_its_own, 5, "others do not matter"),
     .bound = 1},
    {POOL_SCENARIO(pool_group_cancel_against_answer, 4,
                   "each is cancelled, or has ended"),
     .bound = 1},
    {POOL_SCENARIO(pool_group_destroy_against_end, 4,
                   "its tasks end without it")},
    {POOL_SCENARIO(pool_group_against_stop, 5, "its join is back, too"),
     .bound = 1},
    {POOL_SCENARIO(pool_group_outlives, 4, "the pool")},
    {POOL_SCENARIO(pool_expiry_against_take, 4,
                   "what has expired does not begin")},
    {POOL_SCENARIO(pool_drop_against_take, 3, "what was dropped never begins")},
    {POOL_SCENARIO(pool_two_droppers, 4, "each drops one, or none")},
    {POOL_SCENARIO(pool_caller_runs, 3, "the submitter runs it")},
    {POOL_SCENARIO(pool_caller_exits, 4, "its thread may end")},
    {POOL_SCENARIO(pool_caller_exits_in_settled, 4,
                   "a callback may end it, and the rest is done")},
    {.name = NULL},
};
