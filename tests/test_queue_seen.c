/* SPDX-License-Identifier: MIT */
/* test_queue_seen.c - what a queue tells those who look on. */
#include <weir/queue.h>

#include <string.h>

#include "helper.h"
#include "suite.h"
#include "test_clock.h"

enum { ROOM = 64 };

static weir_events *events;
static weir_queue *queue;
static weir_event told[ROOM];
static size_t told_count;
static weir_events_cursor cursor;

static void setup(void)
{
    test_clock_install();
    ck_assert_int_eq(weir_events_create(&events, NULL), WEIR_OK);
    cursor = (weir_events_cursor)WEIR_EVENTS_CURSOR_INIT;
}

static void teardown(void)
{
    weir_queue_destroy(queue);
    queue = NULL;
    weir_events_destroy(events);
    test_clock_remove();
}

static void open_queue(size_t capacity, weir_on_full on_full)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = capacity;
    options.on_full = on_full;
    options.events = events;
    ck_assert_int_eq(weir_queue_create(&queue, sizeof(int), &options), WEIR_OK);
}

static void must_put(int item)
{
    ck_assert_int_eq(weir_queue_put(queue, &item, WEIR_NOW), WEIR_OK);
}

static int must_get(void)
{
    int item = 0;

    ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_NOW), WEIR_OK);
    return item;
}

static void listen(void)
{
    told_count +=
        weir_events_read(events, &cursor, told + told_count, ROOM - told_count);
    ck_assert_uint_eq(cursor.lost, 0);
}

/* What the n-th event of this kind, from 0, said. */
static const weir_event *find(weir_event_kind kind, int n)
{
    listen();
    for (size_t i = 0; i < told_count; i++)
        if (told[i].kind == kind && n-- == 0)
            return &told[i];
    ck_abort_msg("no such event: kind %d", (int)kind);
}

/* By what was told, which pills do not count into. */
static int64_t depth(void)
{
    int64_t items = 0;

    listen();
    for (size_t i = 0; i < told_count; i++) {
        if (told[i].kind == WEIR_EVENT_PUT)
            items += told[i].value;
        if (told[i].kind == WEIR_EVENT_GET ||
            told[i].kind == WEIR_EVENT_DISCARD)
            items -= told[i].value;
    }
    return items;
}

START_TEST(puts_and_gets_are_told_of_by_their_number)
{
    int items[3] = {1, 2, 3}, got[2];
    size_t done;

    open_queue(8, WEIR_ON_FULL_WAIT);
    must_put(0);
    ck_assert_int_eq(weir_queue_put_many(queue, items, 3, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(must_get(), 0);
    ck_assert_int_eq(weir_queue_get_many(queue, got, 2, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(find(WEIR_EVENT_PUT, 0)->value, 1);
    ck_assert_int_eq(find(WEIR_EVENT_PUT, 1)->value, 3);
    ck_assert_int_eq(find(WEIR_EVENT_GET, 0)->value, 1);
    ck_assert_int_eq(find(WEIR_EVENT_GET, 1)->value, 2);
    ck_assert_int_eq(depth(), 1);
    ck_assert_uint_eq(told_count, 4);
}
END_TEST

START_TEST(pills_are_told_of_and_count_into_no_depth)
{
    int item;

    open_queue(8, WEIR_ON_FULL_WAIT);
    must_put(1);
    ck_assert_int_eq(weir_queue_poison(queue, 2), WEIR_OK);
    must_get();
    ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_NOW), WEIR_POISONED);
    ck_assert_int_eq(find(WEIR_EVENT_PILL, 0)->value, 2);
    ck_assert_int_eq(find(WEIR_EVENT_PILL, 1)->value, -1);
    ck_assert_int_eq(depth(), 0);
}
END_TEST

START_TEST(a_queue_that_is_poisoned_for_all_is_closed_once)
{
    open_queue(8, WEIR_ON_FULL_WAIT);
    ck_assert_int_eq(weir_queue_poison(queue, WEIR_EVERY_CONSUMER), WEIR_OK);
    weir_queue_close(queue);
    weir_queue_abort(queue);
    ck_assert_int_eq(find(WEIR_EVENT_PILL, 0)->value, INT64_MAX);
    find(WEIR_EVENT_CLOSE, 0);
    ck_assert_uint_eq(told_count, 2);
}
END_TEST

START_TEST(what_nobody_gets_is_told_of_with_its_reason)
{
    open_queue(1, WEIR_ON_FULL_DROP_OLDEST);
    must_put(1);
    must_put(2);
    ck_assert_uint_eq(find(WEIR_EVENT_DISCARD, 0)->task, WEIR_DISCARD_OVERLOAD);
    ck_assert_int_eq(depth(), 1);
    weir_queue_abort(queue);
    ck_assert_uint_eq(find(WEIR_EVENT_DISCARD, 1)->task, WEIR_DISCARD_ABORT);
    ck_assert_int_eq(depth(), 0);
}
END_TEST

static void put_and_wait(void *status)
{
    int item = 7;

    *(weir_status *)status =
        weir_queue_put(queue, &item,
                       (weir_deadline){test_clock_now() + WEIR_SECONDS(9)});
}

START_TEST(who_waits_for_room_is_told_of_with_what_came_of_it)
{
    weir_status status = WEIR_CANCELLED;
    struct helper helper;

    open_queue(1, WEIR_ON_FULL_WAIT);
    must_put(1);
    helper_start(&helper, put_and_wait, &status);
    test_clock_await_waiter(test_clock_now() + WEIR_SECONDS(9));
    ck_assert_uint_eq(find(WEIR_EVENT_BLOCKED, 0)->task, 1);
    test_clock_advance(WEIR_SECONDS(9));
    helper_join(&helper);
    ck_assert_int_eq(status, WEIR_TIMED_OUT);
    ck_assert_uint_eq(find(WEIR_EVENT_UNBLOCKED, 0)->task, 1);
    ck_assert_int_eq(find(WEIR_EVENT_UNBLOCKED, 0)->value, WEIR_TIMED_OUT);
    ck_assert_int_eq(find(WEIR_EVENT_UNBLOCKED, 0)->at_ns,
                     find(WEIR_EVENT_BLOCKED, 0)->at_ns + WEIR_SECONDS(9));
}
END_TEST

START_TEST(it_is_a_source_beside_others)
{
    weir_event_source source;
    weir_queue *other;

    open_queue(5, WEIR_ON_FULL_WAIT);
    other = queue;
    open_queue(6, WEIR_ON_FULL_WAIT);
    must_put(1);
    ck_assert_uint_eq(find(WEIR_EVENT_PUT, 0)->source, 2);
    ck_assert(weir_events_read_source(events, 1, &source));
    ck_assert_uint_eq(source.kind, WEIR_SOURCE_QUEUE);
    ck_assert_uint_eq(source.capacity, 5);
    ck_assert_str_eq(source.name, "queue");
    weir_queue_destroy(other);
}
END_TEST

static void assert_is_called(uint32_t source, const char *name)
{
    weir_event_source of;

    ck_assert(weir_events_read_source(events, source, &of));
    ck_assert_str_eq(of.name, name);
}

START_TEST(its_name_is_a_copy_of_as_much_as_there_is_room_for)
{
    char name[] = "orders";
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_queue *other;

    options.events = events;
    options.name = name;
    ck_assert_int_eq(weir_queue_create(&queue, 4, &options), WEIR_OK);
    name[0] = 'x';
    options.name = "a name of more than fifteen bytes";
    ck_assert_int_eq(weir_queue_create(&other, 4, &options), WEIR_OK);
    assert_is_called(1, "orders");
    assert_is_called(2, "a name of more ");
    weir_queue_destroy(other);
}
END_TEST

START_TEST(events_to_be_read_are_refused_by_a_queue)
{
    static _Alignas(128) unsigned char memory[64 << 10];
    weir_events_options ring = WEIR_EVENTS_OPTIONS_INIT;
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_events *writing, *reading;

    ring.memory = memory;
    ring.memory_bytes = sizeof(memory);
    ck_assert_int_eq(weir_events_create(&writing, &ring), WEIR_OK);
    ck_assert_int_eq(weir_events_attach(&reading, memory, sizeof(memory)),
                     WEIR_OK);
    options.events = reading;
    ck_assert_int_eq(weir_queue_create(&queue, 4, &options), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "events"));
    weir_events_destroy(reading);
    weir_events_destroy(writing);
}
END_TEST

int main(void)
{
    const TTest *const seen[] = {
        puts_and_gets_are_told_of_by_their_number,
        pills_are_told_of_and_count_into_no_depth,
        a_queue_that_is_poisoned_for_all_is_closed_once,
        what_nobody_gets_is_told_of_with_its_reason,
        who_waits_for_room_is_told_of_with_what_came_of_it,
        it_is_a_source_beside_others,
        its_name_is_a_copy_of_as_much_as_there_is_room_for,
        events_to_be_read_are_refused_by_a_queue,
        NULL,
    };
    const struct chapter chapters[] = {
        {.name = "seen", .tests = seen, .setup = setup, .teardown = teardown},
        {.name = NULL},
    };

    return report("queue_seen", chapters);
}
