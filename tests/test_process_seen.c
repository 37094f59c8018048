/* SPDX-License-Identifier: MIT */
/* test_process_seen.c - what a pool tells of its child processes: events. */
#include <weir.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "children.h"
#include "suite.h"

enum { ROOM = 512 };

static weir_events *events;
static weir_event told[ROOM];
static size_t told_count;

static void setup(void)
{
    children_setup();
    ck_assert_int_eq(weir_events_create(&events, NULL), WEIR_OK);
    options.events = events;
}

static void teardown(void)
{
    children_teardown();
    weir_events_destroy(events);
}

/* All that has happened to tasks that are over, and to children. */
static void listen_to_all(void)
{
    weir_events_cursor cursor = WEIR_EVENTS_CURSOR_INIT;

    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    told_count = weir_events_read(events, &cursor, told, ROOM);
    ck_assert_uint_eq(cursor.lost, 0);
}

/* What was said of a task, in that order, is this. */
static void assert_course(uint64_t task, const weir_event_kind *kinds, size_t n)
{
    size_t at = 0;

    listen_to_all();
    for (size_t i = 0; i < told_count; i++) {
        if (told[i].task != task)
            continue;
        ck_assert_uint_lt(at, n);
        ck_assert_int_eq(told[i].kind, kinds[at++]);
    }
    ck_assert_uint_eq(at, n);
}

static const weir_event *find(weir_event_kind kind, uint64_t task)
{
    for (size_t i = 0; i < told_count; i++)
        if (told[i].kind == kind && told[i].task == task)
            return &told[i];
    ck_abort_msg("no such event: kind %d", (int)kind);
}

/* How many children were told of; the latest is who did the latest deed. */
static size_t children_told(void)
{
    const weir_event *last = NULL;
    size_t count = 0;

    listen_to_all();
    for (size_t i = 0; i < told_count; i++) {
        if (told[i].kind != WEIR_EVENT_CHILD)
            continue;
        ck_assert_uint_eq(told[i].worker, 0);
        if (last)
            ck_assert_int_ne(told[i].value, last->value);
        last = &told[i];
        count++;
    }
    ck_assert_ptr_nonnull(last);
    ck_assert_int_eq(last->value, atomic_load(&board->child));
    return count;
}

static int act_raise(weir_task *task, struct deed *deed)
{
    (void)task;
    raise((int)deed->n);
    return 0;
}

static int act_exit(weir_task *task, struct deed *deed)
{
    (void)task;
    _exit((int)deed->n);
}

START_TEST(a_crash_is_told_of_with_its_signal_and_then_a_fresh_child)
{
    const weir_event_kind course[] = {WEIR_EVENT_SUBMIT, WEIR_EVENT_START,
                                      WEIR_EVENT_CRASH, WEIR_EVENT_SETTLE,
                                      WEIR_EVENT_RELEASE};

    open_children();
    assert_kind((struct deed){act_raise, SIGUSR1, ""}, WEIR_OUTCOME_CRASHED,
                SIGUSR1);
    assert_course(1, course, 5);
    ck_assert_int_eq(find(WEIR_EVENT_CRASH, 1)->value, SIGUSR1);
    ck_assert_uint_eq(find(WEIR_EVENT_CRASH, 1)->worker, 0);
    ck_assert_uint_eq(find(WEIR_EVENT_CRASH, 1)->attempt, 1);
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 1)->value, WEIR_OUTCOME_CRASHED);
    ck_assert_uint_eq(find(WEIR_EVENT_SETTLE, 1)->flags, WEIR_EVENT_ENDED);
    assert_serves();
    ck_assert_uint_eq(children_told(), 2);
}
END_TEST

START_TEST(so_is_an_exit)
{
    const weir_event_kind course[] = {WEIR_EVENT_SUBMIT, WEIR_EVENT_START,
                                      WEIR_EVENT_EXIT, WEIR_EVENT_SETTLE,
                                      WEIR_EVENT_RELEASE};

    open_children();
    assert_kind((struct deed){act_exit, 3, ""}, WEIR_OUTCOME_EXITED, 3);
    assert_course(1, course, 5);
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 1)->value, WEIR_OUTCOME_EXITED);
    assert_serves();
    ck_assert_uint_eq(children_told(), 2);
}
END_TEST

START_TEST(one_that_is_killed_has_ended_after_its_task_has_settled)
{
    const weir_event_kind course[] = {WEIR_EVENT_SUBMIT, WEIR_EVENT_START,
                                      WEIR_EVENT_SETTLE, WEIR_EVENT_END,
                                      WEIR_EVENT_RELEASE};

    options.timeout_ns = WEIR_MS(30);
    open_children();
    assert_kind((struct deed){act_overstay, 0, ""}, WEIR_OUTCOME_TIMED_OUT, 0);
    assert_course(1, course, 5);
    ck_assert_int_eq(find(WEIR_EVENT_SETTLE, 1)->value, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_uint_eq(find(WEIR_EVENT_SETTLE, 1)->flags, 0);
    ck_assert_uint_eq(find(WEIR_EVENT_END, 1)->worker, 0);
}
END_TEST

START_TEST(each_renewal_is_told_of)
{
    children.recycle_after = 2;
    open_children();
    for (int i = 0; i < 6; i++)
        assert_serves();
    ck_assert_uint_eq(children_told(), 3);
}
END_TEST

START_TEST(so_is_the_child_that_comes_for_one_that_died_idle)
{
    int child;

    open_children();
    for (size_t i = 1; i <= 5; i++) {
        assert_serves();
        ck_assert_uint_eq(children_told(), i);
        child = atomic_load(&board->child);
        kill(child, SIGKILL);
        await_gone(child);
    }
}
END_TEST

int main(void)
{
    const TTest *const seen[] = {
        a_crash_is_told_of_with_its_signal_and_then_a_fresh_child,
        so_is_an_exit,
        one_that_is_killed_has_ended_after_its_task_has_settled,
        each_renewal_is_told_of,
        so_is_the_child_that_comes_for_one_that_died_idle,
        NULL,
    };
    const struct chapter chapters[] = {
        {.name = "seen", .tests = seen, .setup = setup, .teardown = teardown},
        {.name = NULL},
    };

    return report("process_seen", chapters);
}
