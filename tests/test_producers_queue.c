/* SPDX-License-Identifier: MIT */
/* test_producers_queue.c - the items of a queue as a producer. */
#include <weir/producer.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "queues.h"
#include "suite.h"

static weir_producer producer;

static void setup(void)
{
    memset(&producer, 0, sizeof(producer));
    queue_setup();
}

static void teardown(void)
{
    if (producer.close)
        producer.close(producer.self);
    queue_teardown();
}

static void open_producer(size_t capacity)
{
    open_queue(capacity);
    ck_assert_int_eq(weir_producer_queue(&producer, queue, sizeof(int)),
                     WEIR_OK);
    ck_assert_uint_eq(producer.size, sizeof(producer));
    ck_assert_uint_eq(producer.item_size, sizeof(int));
    ck_assert(!producer.has_pointers);
}

static weir_status next(int *item)
{
    return producer.next(producer.self, item);
}

static void must_give(int number)
{
    int item = ~number;

    ck_assert_int_eq(next(&item), WEIR_OK);
    ck_assert_int_eq(item, number);
}

static void must_answer(weir_status status)
{
    int item = 5;

    ck_assert_int_eq(next(&item), status);
    ck_assert_int_eq(item, 5);
}

static void release(int item)
{
    producer.release(producer.self, &item);
}

/* ----------------------------------------------------------- how it ends */

START_TEST(items_come_in_the_queues_order_until_it_is_closed_and_empty)
{
    open_producer(4);
    must_put_row(1, 3);
    must_give(1);
    weir_queue_close(queue);
    must_give(2);
    must_give(3);
    must_answer(WEIR_END);
    must_answer(WEIR_END);
}
END_TEST

START_TEST(a_pill_ends_it_and_what_lies_behind_stays)
{
    open_producer(4);
    must_put(1);
    must_poison(1);
    must_put(2);
    must_give(1);
    must_answer(WEIR_END);
    ck_assert_uint_eq(weir_queue_count(queue), 1);
    must_get_row(2, 1);
}
END_TEST

START_TEST(an_aborted_queue_ends_it)
{
    open_producer(4);
    must_put(1);
    weir_queue_abort(queue);
    must_answer(WEIR_END);
}
END_TEST

START_TEST(closing_the_producer_leaves_the_queue_open)
{
    open_producer(4);
    must_put(1);
    producer.close(producer.self);
    producer.close = NULL;
    ck_assert(!weir_queue_is_closed(queue));
    must_put(2);
    must_get_row(1, 2);
}
END_TEST

/* --------------------------------------------------------------- release */

START_TEST(the_queue_is_joined_when_every_item_has_been_released)
{
    open_producer(4);
    must_put_row(1, 2);
    must_give(1);
    must_give(2);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 2);
    release(1);
    ck_assert_int_eq(join_now(), WEIR_TIMED_OUT);
    release(2);
    ck_assert_int_eq(join_now(), WEIR_OK);
}
END_TEST

START_TEST(a_release_too_many_is_no_harm)
{
    open_producer(4);
    must_put(1);
    must_give(1);
    must_finish(1);
    release(1);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 0);
}
END_TEST

/* ------------------------------------------------------------- interrupt */

/* A call of next on a thread of its own. */
struct asking {
    struct helper helper;
    atomic_int thread; /* its number */
    weir_status status;
    int item;
};

static void ask(void *arg)
{
    struct asking *asking = arg;

    atomic_store(&asking->thread, gettid());
    asking->status = next(&asking->item);
}

static int state_of(int thread)
{
    char path[64], line[256] = "", *after;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
    fclose(file);
    after = strrchr(line, ')');
    return after ? after[2] : '?';
}

/* Returns when the thread sleeps, for which only next gives it cause. */
static void block_next(struct asking *asking)
{
    asking->item = 5;
    helper_start(&asking->helper, ask, asking);
    while (atomic_load(&asking->thread) == 0 ||
           state_of(atomic_load(&asking->thread)) != 'S')
        sched_yield();
}

START_TEST(a_blocked_next_gets_the_item_that_is_put)
{
    struct asking asking = {.status = WEIR_OK};

    open_producer(4);
    block_next(&asking);
    must_put(7);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_OK);
    ck_assert_int_eq(asking.item, 7);
}
END_TEST

START_TEST(interrupt_ends_a_blocked_next_and_the_queue_works_on)
{
    struct asking asking = {.status = WEIR_OK};

    open_producer(4);
    block_next(&asking);
    producer.interrupt(producer.self);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_CANCELLED);
    ck_assert_int_eq(asking.item, 5);
    ck_assert(!weir_queue_is_closed(queue));
    must_put_row(1, 2);
    must_answer(WEIR_CANCELLED);
    must_get_row(1, 2);
}
END_TEST

START_TEST(interrupt_lets_other_getters_wait)
{
    struct asking asking = {.status = WEIR_OK};
    struct call get = {0};

    open_producer(4);
    block_get(&get);
    block_next(&asking);
    producer.interrupt(producer.self);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_CANCELLED);
    must_put(7);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert_int_eq(get.items[0], 7);
}
END_TEST

START_TEST(interrupt_ends_one_producer_of_two)
{
    struct asking asking = {.status = WEIR_OK};
    weir_producer other;

    open_producer(4);
    ck_assert_int_eq(weir_producer_queue(&other, queue, sizeof(int)), WEIR_OK);
    block_next(&asking);
    other.interrupt(other.self);
    must_put(7);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_OK);
    ck_assert_int_eq(asking.item, 7);
    other.close(other.self);
}
END_TEST

/* Whichever comes first, it ends. */
START_TEST(an_interrupt_at_any_moment_ends_next)
{
    struct asking asking = {.status = WEIR_OK, .item = 5};

    open_producer(4);
    helper_start(&asking.helper, ask, &asking);
    for (int i = 0; i < 20 * _i; i++)
        sched_yield();
    producer.interrupt(producer.self);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_CANCELLED);
}
END_TEST

/* --------------------------------------------------------------- refusals */

START_TEST(a_queue_producer_names_what_is_wrong_with_it)
{
    open_queue(4);
    ck_assert_int_eq(weir_producer_queue(NULL, queue, 4), WEIR_EINVAL);
    assert_error_names("out");
    ck_assert_int_eq(weir_producer_queue(&producer, NULL, 4), WEIR_EINVAL);
    assert_error_names("queue");
    ck_assert_int_eq(weir_producer_queue(&producer, queue, 0), WEIR_EINVAL);
    assert_error_names("item_size");
    ck_assert_int_eq(weir_producer_queue(&producer, queue, 8), WEIR_EINVAL);
    assert_error_names("item_size 8 is not the queue's, 4");
    ck_assert_int_eq(weir_producer_queue(&producer, queue, 4097), WEIR_EINVAL);
    assert_error_names("item_size");
    ck_assert_ptr_null(producer.self);
}
END_TEST

static weir_status make_and_close(void *arg)
{
    weir_producer made = {0};
    weir_status status = weir_producer_queue(&made, queue, sizeof(int));

    (void)arg;
    ck_assert(status == WEIR_OK || !made.self);
    if (!status)
        made.close(made.self);
    return status;
}

START_TEST(without_memory_it_says_so_and_leaves_nothing)
{
    open_queue(1);
    fault_sweep(make_and_close, NULL, WEIR_ENOMEM);
}
END_TEST

/* A bit for each wrong answer. */
static int look_from_child(void)
{
    weir_producer made = {0};
    int item = 5, wrong = 0;

    wrong |= next(&item) != WEIR_FORKED;
    wrong |= (weir_producer_queue(&made, queue, 4) != WEIR_FORKED) << 1;
    wrong |= (item != 5 || made.self) << 2;
    release(1);
    producer.close(producer.self);
    return wrong;
}

START_TEST(in_a_fork_child_it_answers_forked)
{
    pid_t child;
    int status;

    open_producer(4);
    must_put(1);
    child = fork();
    if (child == 0)
        _exit(look_from_child());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    ck_assert_uint_eq(weir_queue_unfinished(queue), 1);
    must_give(1);
}
END_TEST

int main(void)
{
    const TTest *const ends[] = {
        items_come_in_the_queues_order_until_it_is_closed_and_empty,
        a_pill_ends_it_and_what_lies_behind_stays, an_aborted_queue_ends_it,
        closing_the_producer_leaves_the_queue_open, NULL};
    const TTest *const releases[] = {
        the_queue_is_joined_when_every_item_has_been_released,
        a_release_too_many_is_no_harm, NULL};
    const TTest *const interrupts[] = {
        a_blocked_next_gets_the_item_that_is_put,
        interrupt_ends_a_blocked_next_and_the_queue_works_on,
        interrupt_lets_other_getters_wait, interrupt_ends_one_producer_of_two,
        NULL};
    const TTest *const races[] = {an_interrupt_at_any_moment_ends_next, NULL};
    const TTest *const refusals[] = {
        a_queue_producer_names_what_is_wrong_with_it,
        without_memory_it_says_so_and_leaves_nothing,
        in_a_fork_child_it_answers_forked, NULL};
    const struct chapter chapters[] = {
        {"end", ends, setup, teardown, 0, 0},
        {"release", releases, setup, teardown, 0, 0},
        {"interrupt", interrupts, setup, teardown, 0, 0},
        {"interrupt races", races, setup, teardown, 20, 0},
        {"refusals", refusals, setup, teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("producers: queue", chapters);
}
