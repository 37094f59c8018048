/* SPDX-License-Identifier: MIT */
/* queues.c - see queues.h. */
#include "queues.h"

#include <check.h>
#include <string.h>

weir_queue *queue;
struct discards discards;

/* Far enough that no test lets so much time pass by the way. */
static int64_t next_moment_ns;

void queue_setup(void)
{
    test_clock_install();
    next_moment_ns = test_clock_now() + WEIR_SECONDS(100000);
}

void queue_teardown(void)
{
    if (queue)
        assert_balanced();
    end_queue();
    test_clock_remove();
}

void open_queue_as(size_t item_size, const weir_queue_options *options)
{
    ck_assert_ptr_null(queue);
    ck_assert_int_eq(weir_queue_create(&queue, item_size, options), WEIR_OK);
}

void open_queue(size_t capacity)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = capacity;
    open_queue_as(sizeof(int), &options);
}

void end_queue(void)
{
    weir_queue_destroy(queue);
    queue = NULL;
}

void must_put(int item)
{
    ck_assert_int_eq(put_now(item), WEIR_OK);
}

int must_get(void)
{
    int item = -1;

    ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_NOW), WEIR_OK);
    return item;
}

void must_poison(size_t consumers)
{
    ck_assert_int_eq(weir_queue_poison(queue, consumers), WEIR_OK);
}

void must_finish(size_t count)
{
    ck_assert_int_eq(weir_queue_task_done(queue, count), WEIR_OK);
}

void must_put_row(int first, int count)
{
    for (int i = 0; i < count; i++)
        must_put(first + i);
}

void must_get_row(int first, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(must_get(), first + i);
}

weir_status put_now(int item)
{
    return weir_queue_put(queue, &item, WEIR_NOW);
}

weir_status get_now(void)
{
    int item;

    return weir_queue_get(queue, &item, WEIR_NOW);
}

weir_status join_now(void)
{
    return weir_queue_join(queue, WEIR_NOW);
}

weir_queue_stats stats_now(void)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    weir_queue_read_stats(queue, &stats);
    return stats;
}

void assert_balanced(void)
{
    weir_queue_stats stats = stats_now();

    ck_assert_uint_eq(stats.put, stats.got + stats.dropped + stats.count);
    ck_assert_uint_le(stats.count, weir_queue_capacity(queue));
    ck_assert_uint_ge(stats.most, stats.count);
}

void assert_error_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
}

/* ------------------------------------------------------- calls that block */

static void run_call(void *arg)
{
    struct call *call = arg;

    call->status = call->act(call);
}

void start_call(struct call *call, weir_status (*act)(struct call *call))
{
    call->act = act;
    helper_start(&call->helper, run_call, call);
}

static void block(struct call *call, weir_status (*act)(struct call *call))
{
    call->deadline.at_ns = next_moment_ns++;
    start_call(call, act);
    test_clock_await_waiter(call->deadline.at_ns);
}

weir_status act_put(struct call *call)
{
    return weir_queue_put(queue, call->items, call->deadline);
}

weir_status act_get(struct call *call)
{
    return weir_queue_get(queue, call->items, call->deadline);
}

weir_status act_join(struct call *call)
{
    return weir_queue_join(queue, call->deadline);
}

static weir_status act_put_many(struct call *call)
{
    return weir_queue_put_many(queue, call->items, call->count, &call->done,
                               call->deadline);
}

static weir_status act_get_many(struct call *call)
{
    return weir_queue_get_many(queue, call->items, call->count, &call->done,
                               call->deadline);
}

void block_put(struct call *call, int item)
{
    call->items[0] = item;
    block(call, act_put);
}

void block_put_many(struct call *call, int first, size_t count)
{
    call->count = count;
    for (size_t i = 0; i < count; i++)
        call->items[i] = first + (int)i;
    block(call, act_put_many);
}

void block_get(struct call *call)
{
    call->items[0] = -1;
    block(call, act_get);
}

void block_get_many(struct call *call, size_t count)
{
    call->count = count;
    block(call, act_get_many);
}

void block_join(struct call *call)
{
    block(call, act_join);
}

weir_status end_call(struct call *call)
{
    helper_join(&call->helper);
    return call->status;
}

void hold_call(struct call *call)
{
    test_clock_hold(call->deadline.at_ns);
}

void release_call(struct call *call)
{
    test_clock_release(call->deadline.at_ns);
}

/* ------------------------------------------------------------ discarding */

void note_discard(void *arg, void *item, weir_discard_reason reason)
{
    (void)arg;
    ck_assert_uint_lt(discards.count, DISCARD_ROOM);
    memcpy(&discards.items[discards.count], item, sizeof(int));
    discards.reasons[discards.count++] = reason;
}

void assert_discarded(int first, int count, weir_discard_reason reason)
{
    ck_assert_uint_eq(discards.count, (size_t)count);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(discards.items[i], first + i);
        ck_assert_int_eq(discards.reasons[i], reason);
    }
}

weir_queue_options noting_options(size_t capacity)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = capacity;
    options.on_discard = note_discard;
    return options;
}
