/* SPDX-License-Identifier: MIT */
/* test_queue_close.c - close, abort, destroy; task_done and join; fork. */
#include <weir/queue.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queues.h"
#include "suite.h"

/* ----------------------------------------------------------------- close */

START_TEST(a_closed_queue_hands_out_what_it_holds_then_says_closed)
{
    open_queue(4);
    must_put_row(1, 2);
    weir_queue_close(queue);
    ck_assert(weir_queue_is_closed(queue));
    ck_assert_int_eq(put_now(3), WEIR_CLOSED);
    must_get_row(1, 2);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(nobody_waits_on_a_closed_queue)
{
    struct call call = {.deadline = WEIR_FOREVER};

    open_queue(1);
    must_put(1);
    weir_queue_close(queue);
    ck_assert_int_eq(act_put(&call), WEIR_CLOSED);
    must_get_row(1, 1);
    ck_assert_int_eq(act_get(&call), WEIR_CLOSED);
}
END_TEST

START_TEST(closing_again_changes_nothing)
{
    open_queue(2);
    must_put(1);
    weir_queue_close(queue);
    weir_queue_close(queue);
    must_get_row(1, 1);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(close_wakes_every_blocked_getter)
{
    struct call gets[3] = {{.count = 0}};

    open_queue(1);
    for (int i = 0; i < 3; i++)
        block_get(&gets[i]);
    weir_queue_close(queue);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&gets[i]), WEIR_CLOSED);
}
END_TEST

START_TEST(close_wakes_every_blocked_putter_and_takes_no_item)
{
    struct call puts[3] = {{.count = 0}};

    open_queue(1);
    must_put(1);
    for (int i = 0; i < 3; i++)
        block_put(&puts[i], i + 2);
    weir_queue_close(queue);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&puts[i]), WEIR_CLOSED);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
    ck_assert_uint_eq(stats_now().refused, 3);
    must_get_row(1, 1);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(a_closed_queue_that_drains_takes_no_more_puts)
{
    open_queue(2);
    must_put_row(1, 2);
    weir_queue_close(queue);
    must_get_row(1, 1);
    ck_assert_int_eq(put_now(3), WEIR_CLOSED);
    must_get_row(2, 1);
}
END_TEST

/* ----------------------------------------------------------------- abort */

static void open_noting(size_t capacity)
{
    weir_queue_options options = noting_options(capacity);

    open_queue_as(sizeof(int), &options);
}

START_TEST(abort_discards_each_item_once_in_order)
{
    open_noting(4);
    must_put_row(-1, 3);
    must_get_row(-1, 3);
    must_put_row(1, 4); /* round the end of the ring */
    weir_queue_abort(queue);
    assert_discarded(1, 4, WEIR_DISCARD_ABORT);
    ck_assert_uint_eq(weir_queue_count(queue), 0);
    ck_assert_uint_eq(stats_now().dropped, 4);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
    ck_assert_int_eq(put_now(1), WEIR_CLOSED);
    ck_assert(weir_queue_is_closed(queue));
}
END_TEST

START_TEST(aborting_again_discards_nothing_more)
{
    open_noting(4);
    must_put_row(1, 2);
    weir_queue_abort(queue);
    weir_queue_abort(queue);
    weir_queue_close(queue);
    end_queue();
    assert_discarded(1, 2, WEIR_DISCARD_ABORT);
}
END_TEST

START_TEST(an_abort_may_follow_a_close)
{
    open_noting(4);
    must_put_row(1, 3);
    weir_queue_close(queue);
    must_get_row(1, 1);
    weir_queue_abort(queue);
    assert_discarded(2, 2, WEIR_DISCARD_ABORT);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
}
END_TEST

START_TEST(without_on_discard_aborted_items_are_only_counted)
{
    open_queue(4);
    must_put_row(1, 3);
    weir_queue_abort(queue);
    ck_assert_uint_eq(stats_now().dropped, 3);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 0);
}
END_TEST

START_TEST(abort_wakes_everyone_who_waits)
{
    struct call gets[2] = {{.count = 0}}, puts[2] = {{.count = 0}};

    open_queue(1);
    for (int i = 0; i < 2; i++)
        block_get(&gets[i]);
    weir_queue_abort(queue);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(end_call(&gets[i]), WEIR_CLOSED);
    end_queue();
    open_queue(1);
    must_put(1);
    for (int i = 0; i < 2; i++)
        block_put(&puts[i], 2);
    weir_queue_abort(queue);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(end_call(&puts[i]), WEIR_CLOSED);
    ck_assert_uint_eq(stats_now().put, 1);
}
END_TEST

/* Takes the queue's lock in each way there is. */
static void use_queue(void *arg, void *item, weir_discard_reason reason)
{
    note_discard(arg, item, reason);
    ck_assert_uint_eq(weir_queue_count(queue), 0);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    ck_assert(weir_queue_is_closed(queue));
    ck_assert_int_eq(put_now(9), WEIR_CLOSED);
    ck_assert_int_eq(get_now(), WEIR_CLOSED);
    ck_assert_int_eq(weir_queue_poison(queue, 1), WEIR_CLOSED);
    weir_queue_close(queue);
    weir_queue_abort(queue);
}

START_TEST(on_discard_of_an_abort_may_use_the_queue)
{
    weir_queue_options options = noting_options(2);

    options.on_discard = use_queue;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 2);
    weir_queue_abort(queue);
    assert_discarded(1, 2, WEIR_DISCARD_ABORT);
}
END_TEST

static void check_arg(void *arg, void *item, weir_discard_reason reason)
{
    (void)item;
    (void)reason;
    ++*(int *)arg;
}

START_TEST(on_discard_gets_its_argument)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    int calls = 0;

    options.on_discard = check_arg;
    options.on_discard_arg = &calls;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 2);
    weir_queue_abort(queue);
    ck_assert_int_eq(calls, 2);
}
END_TEST

/* --------------------------------------------------------------- destroy */

START_TEST(destroy_discards_what_is_inside)
{
    open_noting(4);
    must_put_row(-1, 3);
    must_get_row(-1, 3);
    must_put_row(1, 3);
    must_poison(2); /* vanishes */
    end_queue();
    assert_discarded(1, 3, WEIR_DISCARD_DESTROY);
}
END_TEST

static void ask_dying_queue(void *arg, void *item, weir_discard_reason reason)
{
    int got = -1, put = 7;

    (void)item;
    ck_assert_int_eq(reason, WEIR_DISCARD_DESTROY);
    ck_assert_int_eq(weir_queue_get(queue, &got, WEIR_FOREVER), WEIR_CLOSED);
    ck_assert_int_eq(weir_queue_put(queue, &put, WEIR_FOREVER), WEIR_CLOSED);
    ck_assert_uint_eq(weir_queue_count(queue), 0);
    ++*(int *)arg;
}

START_TEST(a_queue_that_is_being_destroyed_is_closed)
{
    weir_queue_options options = noting_options(3);
    int calls = 0;

    options.on_discard = ask_dying_queue;
    options.on_discard_arg = &calls;
    open_queue_as(sizeof(int), &options);
    must_put_row(1, 3);
    end_queue();
    ck_assert_int_eq(calls, 3);
}
END_TEST

START_TEST(destroy_of_a_closed_queue_discards_what_nobody_got)
{
    open_noting(4);
    must_put_row(1, 3);
    weir_queue_close(queue);
    must_get_row(1, 1);
    end_queue();
    assert_discarded(2, 2, WEIR_DISCARD_DESTROY);
}
END_TEST

/* ---------------------------------------------------- task_done and join */

START_TEST(one_task_done_too_many_is_refused_and_changes_nothing)
{
    open_queue(4);
    ck_assert_int_eq(weir_queue_task_done(queue, 1), WEIR_EINVAL);
    assert_error_names("task_done");
    must_put_row(1, 2);
    must_get_row(1, 2);
    ck_assert_int_eq(weir_queue_task_done(queue, 3), WEIR_EINVAL);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    must_finish(0);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    must_finish(2);
    ck_assert_int_eq(weir_queue_task_done(queue, 1), WEIR_EINVAL);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 0);
}
END_TEST

START_TEST(task_done_is_owed_after_close_and_abort_too)
{
    open_queue(4);
    must_put_row(1, 3);
    must_get_row(1, 1);
    weir_queue_close(queue);
    must_get_row(2, 1);
    must_finish(1);
    weir_queue_abort(queue);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
    must_finish(1);
    ck_assert_int_eq(weir_queue_task_done(queue, 1), WEIR_EINVAL);
}
END_TEST

START_TEST(task_done_before_the_get_does_not_make_abort_miscount)
{
    open_queue(4);
    must_put_row(1, 2);
    must_finish(1); /* wrong, but it cannot be told from right */
    weir_queue_abort(queue);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 0);
    ck_assert_int_eq(join_now(), WEIR_OK);
}
END_TEST

START_TEST(join_of_a_queue_that_owes_nothing_returns_at_once)
{
    open_queue(4);
    ck_assert_int_eq(join_now(), WEIR_OK);
    ck_assert_int_eq(weir_queue_join(queue, WEIR_FOREVER), WEIR_OK);
}
END_TEST

START_TEST(join_waits_until_every_item_is_finished)
{
    struct call join = {0};

    open_queue(4);
    must_put_row(1, 2);
    must_get_row(1, 2);
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
    block_join(&join);
    hold_call(&join);
    must_finish(1);
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
    must_finish(1);
    release_call(&join);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

START_TEST(several_threads_may_join)
{
    struct call joins[3] = {{.count = 0}};

    open_queue(4);
    must_put(1);
    must_get_row(1, 1);
    for (int i = 0; i < 3; i++)
        block_join(&joins[i]);
    must_finish(1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end_call(&joins[i]), WEIR_OK);
}
END_TEST

START_TEST(join_waits_for_items_that_came_while_it_waited)
{
    struct call join = {0};

    open_queue(4);
    must_put(1);
    block_join(&join);
    hold_call(&join);
    must_finish(1); /* wakes it */
    must_put(2);
    release_call(&join);
    test_clock_await_waiter(join.deadline.at_ns);
    must_finish(1);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

START_TEST(closing_does_not_end_a_join)
{
    struct call join = {0};

    open_queue(4);
    must_put(1);
    block_join(&join);
    hold_call(&join);
    weir_queue_close(queue);
    test_clock_advance(1); /* would let it go, had close woken it */
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
    must_get_row(1, 1);
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
    must_finish(1);
    release_call(&join);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

START_TEST(an_abort_ends_a_join_if_nothing_is_in_flight)
{
    struct call join = {0};

    open_queue(4);
    must_put_row(1, 3);
    block_join(&join);
    weir_queue_abort(queue);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

START_TEST(after_an_abort_join_still_waits_for_what_is_in_flight)
{
    struct call join = {0};

    open_queue(4);
    must_put_row(1, 3);
    must_get_row(1, 1);
    block_join(&join);
    hold_call(&join);
    weir_queue_abort(queue);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
    must_finish(1);
    release_call(&join);
    ck_assert_int_eq(end_call(&join), WEIR_OK);
}
END_TEST

/* ------------------------------------------------------------------ fork */

/* What a child sees: a bit for each wrong answer. */
static int look_from_child(void)
{
    int item = 0;
    size_t done = 9;
    weir_queue_stats stats = stats_now();
    const weir_status answers[] = {
        weir_queue_put(queue, &item, WEIR_FOREVER),
        weir_queue_get(queue, &item, WEIR_FOREVER),
        weir_queue_put_many(queue, &item, 1, &done, WEIR_FOREVER),
        weir_queue_get_many(queue, &item, 1, &done, WEIR_FOREVER),
        weir_queue_task_done(queue, 1),
        weir_queue_join(queue, WEIR_FOREVER),
        weir_queue_poison(queue, 1),
    };
    int wrong = 0;

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        wrong |= answers[i] != WEIR_FORKED;
    wrong |= (done != 0) << 1;
    wrong |= (strstr(weir_last_error(), "fork") == NULL) << 2;
    weir_queue_close(queue);
    weir_queue_abort(queue);
    weir_queue_destroy(queue);
    wrong |= (discards.count != 0) << 3;
    wrong |= (stats.put + stats.count != 0) << 4;
    wrong |= (weir_queue_count(queue) + weir_queue_unfinished(queue) != 0) << 4;
    wrong |= weir_queue_is_closed(queue) << 5;
    if (weir_queue_create(&queue, sizeof(int), NULL) || put_now(1))
        wrong |= 1 << 6;
    else
        weir_queue_destroy(queue);
    return wrong;
}

START_TEST(a_fork_child_may_not_use_its_parents_queue)
{
    pid_t child;
    int status;

    open_noting(2);
    must_put(1);
    child = fork();
    if (child == 0)
        _exit(look_from_child());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    must_get_row(1, 1);
}
END_TEST

int main(void)
{
    const TTest *const close[] = {
        a_closed_queue_hands_out_what_it_holds_then_says_closed,
        nobody_waits_on_a_closed_queue,
        closing_again_changes_nothing,
        close_wakes_every_blocked_getter,
        close_wakes_every_blocked_putter_and_takes_no_item,
        a_closed_queue_that_drains_takes_no_more_puts,
        NULL};
    const TTest *const abort[] = {
        abort_discards_each_item_once_in_order,
        aborting_again_discards_nothing_more,
        an_abort_may_follow_a_close,
        without_on_discard_aborted_items_are_only_counted,
        abort_wakes_everyone_who_waits,
        on_discard_of_an_abort_may_use_the_queue,
        on_discard_gets_its_argument,
        NULL};
    const TTest *const destroy[] = {
        destroy_discards_what_is_inside,
        a_queue_that_is_being_destroyed_is_closed,
        destroy_of_a_closed_queue_discards_what_nobody_got,
        a_fork_child_may_not_use_its_parents_queue, NULL};
    const TTest *const join[] = {
        one_task_done_too_many_is_refused_and_changes_nothing,
        task_done_is_owed_after_close_and_abort_too,
        task_done_before_the_get_does_not_make_abort_miscount,
        join_of_a_queue_that_owes_nothing_returns_at_once,
        join_waits_until_every_item_is_finished,
        several_threads_may_join,
        join_waits_for_items_that_came_while_it_waited,
        closing_does_not_end_a_join,
        an_abort_ends_a_join_if_nothing_is_in_flight,
        after_an_abort_join_still_waits_for_what_is_in_flight,
        NULL};
    const struct chapter chapters[] = {
        {"close", close, queue_setup, queue_teardown, 0, 0},
        {"abort", abort, queue_setup, queue_teardown, 0, 0},
        {"destroy and fork", destroy, queue_setup, queue_teardown, 0, 0},
        {"task_done and join", join, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: closing", chapters);
}
