/* SPDX-License-Identifier: MIT */
/* scenarios_pool_tasks.c - how tasks end: answers, deadlines, cancels, retries,
 * ended threads, overload; and who hears of it. */
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void submit_one(unsigned number)
{
    must(submit(number, works, WEIR_FOREVER) == WEIR_OK);
}

static void cancel_it(unsigned number)
{
    cancel(number);
}

static void await_it(unsigned number)
{
    weir_outcome_kind kind;

    must(await(number, &kind, WEIR_FOREVER) == WEIR_OK);
}

static void open_gate(unsigned number)
{
    (void)number;
    open_the_gate();
}

static void join_it(unsigned number)
{
    (void)number;
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
}

static void submit_a_future(unsigned number, deed *does)
{
    must(submit_future(number, does, WEIR_FOREVER) == WEIR_OK);
}

static void open_plain(void)
{
    weir_pool_options options = pool_options();

    open_pool(&options);
}

static void open_telling(void)
{
    weir_pool_options options = telling_options();

    open_pool(&options);
}

static void open_with_timeout(void)
{
    weir_pool_options options = telling_options();

    options.timeout_ns = WEIR_MS(1);
    open_pool(&options);
}

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

/* --------------------------------------------------------- cancel, deadline */

static void pool_cancel_against_take(void)
{
    open_plain();
    submit_a_future(1, works);
    cancel(1);
}

static void pool_cancel_against_answer(void)
{
    open_telling();
    submit_a_future(1, works);
    start(cancel_it, 1);
    await_it(1);
}

static void pool_cancel_wakes_a_sleeper(void)
{
    open_telling();
    submit_a_future(1, sleeps);
    cancel(1);
    join_it(0);
}

static void pool_two_cancels(void)
{
    open_telling();
    submit_a_future(1, sleeps);
    start(cancel_it, 1);
    cancel(1);
}

static void pool_timeout_against_answer(void)
{
    open_with_timeout();
    submit_one(1);
    join_it(0);
}

static void pool_timeout_of_a_sleeper(void)
{
    open_with_timeout();
    must(submit(1, sleeps, WEIR_FOREVER) == WEIR_OK);
    submit_one(2);
}

static void pool_timeout_against_cancel(void)
{
    weir_outcome_kind kind;

    open_with_timeout();
    submit_a_future(1, sleeps);
    start(cancel_it, 1);
    must(await(1, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_TIMED_OUT || kind == WEIR_OUTCOME_CANCELLED);
}

static void pool_timeout_outlasted(void)
{
    weir_outcome_kind kind;

    open_with_timeout();
    submit_a_future(1, waits_at_the_gate);
    must(await(1, &kind, WEIR_FOREVER) == WEIR_OK);
    must(kind == WEIR_OUTCOME_TIMED_OUT);
    check_pool();
    open_the_gate();
}

static void pool_release_against_told(void)
{
    open_with_timeout();
    submit_a_future(1, waits_at_the_gate);
    start(open_gate, 0);
    await_it(1);
}

static void pool_action_against_end(void)
{
    open_telling();
    submit_a_future(1, takes_actions_back);
    cancel(1);
}

static void pool_action_of_a_sleeper(void)
{
    open_telling();
    submit_a_future(1, has_actions);
    cancel(1);
    submit_one(2);
}

static void pool_descriptor(void)
{
    open_telling();
    submit_a_future(1, has_a_descriptor);
    cancel(1);
    submit_one(2);
}

static void pool_cleanups_against_cancel(void)
{
    open_telling();
    submit_a_future(1, has_cleanups);
    cancel(1);
}

/* ----------------------------------------------------------------- futures */

static void pool_two_wait(void)
{
    open_plain();
    submit_a_future(1, works);
    start(await_it, 1);
    await_it(1);
}

static void pool_timed_wait(void)
{
    weir_outcome_kind kind;
    weir_status status;

    open_plain();
    submit_a_future(1, works);
    status = await(1, &kind, soon());
    must(status == WEIR_OK || status == WEIR_TIMED_OUT);
}

static void pool_let_go_against_settle(void)
{
    open_plain();
    submit_a_future(1, works);
    let_go(1);
}

static void pool_let_go_against_told(void)
{
    open_telling();
    submit_a_future(1, works);
    await_it(1);
    let_go(1);
}

static void pool_future_outlives(void)
{
    open_plain();
    submit_a_future(1, works);
    destroy_pool();
    await_it(1);
}

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
    open_with_timeout();
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

static void pool_submitters_of_entries(void)
{
    open_telling();
    submit_one(1);
    start(submit_one, 2);
    submit_one(3);
}

static void pool_figures_of_entries(void)
{
    open_telling();
    submit_one(1);
    check_pool();
    submit_one(2);
    check_pool();
}

const struct scenario scenarios_pool_tasks[] = {
    {POOL_SCENARIO(pool_cancel_against_take, 4, "it never starts, or settles")},
    {POOL_SCENARIO(pool_cancel_against_answer, 5,
                   "exactly one of them says how it ended"),
     .bound = 1},
    {POOL_SCENARIO(pool_cancel_wakes_a_sleeper, 4, "a sleeping attempt too")},
    {POOL_SCENARIO(pool_two_cancels, 5, "one of them settles it"), .bound = 1},
    {POOL_SCENARIO(pool_timeout_against_answer, 4,
                   "the answer counts, or the deadline")},
    {POOL_SCENARIO(pool_timeout_of_a_sleeper, 4,
                   "it is asked to stop, and the worker goes on")},
    {POOL_SCENARIO(pool_timeout_against_cancel, 5,
                   "exactly one of them settles it"),
     .bound = 1},
    {POOL_SCENARIO(pool_timeout_outlasted, 4,
                   "the release waits for the handler")},
    {POOL_SCENARIO(pool_release_against_told, 5,
                   "told, ended, released: in this order")},
    {POOL_SCENARIO(pool_action_against_end, 4,
                   "no action runs once it is taken back")},
    {POOL_SCENARIO(pool_action_of_a_sleeper, 4,
                   "the attempt's end waits for the action")},
    {POOL_SCENARIO(pool_descriptor, 4, "it is set, cleared and closed")},
    {POOL_SCENARIO(pool_cleanups_against_cancel, 4,
                   "clean-ups run before the release")},
    {POOL_SCENARIO(pool_two_wait, 4, "both hear the same")},
    {POOL_SCENARIO(pool_timed_wait, 3, "a wait has a deadline")},
    {POOL_SCENARIO(pool_let_go_against_settle, 3,
                   "a future may be let go at any time")},
    {POOL_SCENARIO(pool_let_go_against_told, 3, "also before the release")},
    {POOL_SCENARIO(pool_future_outlives, 4, "the pool")},
    {POOL_SCENARIO(pool_retry_works, 3, "the second attempt counts")},
    {POOL_SCENARIO(pool_retry_in_vain, 3, "the last attempt counts")},
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
    {POOL_SCENARIO(pool_expiry_against_take, 4,
                   "what has expired does not begin")},
    {POOL_SCENARIO(pool_drop_against_take, 3, "what was dropped never begins")},
    {POOL_SCENARIO(pool_two_droppers, 4, "each drops one, or none")},
    {POOL_SCENARIO(pool_caller_runs, 3, "the submitter runs it")},
    {POOL_SCENARIO(pool_caller_exits, 4, "its thread may end")},
    {POOL_SCENARIO(pool_caller_exits_in_settled, 4,
                   "a callback may end it, and the rest is done")},
    {POOL_SCENARIO(pool_submitters_of_entries, 4, "all get in"), .bound = 1},
    {POOL_SCENARIO(pool_figures_of_entries, 3,
                   "the figures are possible at any moment")},
    {.name = NULL},
};
