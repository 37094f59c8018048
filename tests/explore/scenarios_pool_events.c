/* SPDX-License-Identifier: MIT */
/*
 * scenarios_pool_events.c - what a pool tells of its tasks (pool/seen.h).
 *
 * At the end each accepted task was told of as submitted, settled and released
 * once, each attempt as begun and ended once, by their moments in this order;
 * and who was let go on had been held.  A record for which the ring's only lane
 * was busy is lost, and counted: then what is there may be too little, but
 * never too much.
 */
#include <weir/events.h>
#include <weir/semaphore.h>

#include <string.h>

#include "choice.h"
#include "pool_jobs.h"
#include "pool_players.h"
#include "scenarios.h"

enum { MOST_TOLD = 64 };

static weir_events *told_to;
static weir_semaphore *one_permit;

/* What was told of a task. */
struct course {
    int submits, starts, ends, settles, releases, held;
    int64_t at_ns; /* the latest */
};

/* One lane: another thread's place would hang on where its stack lies. */
static void open_seen(weir_pool_options options)
{
    weir_events_options ring = WEIR_EVENTS_OPTIONS_INIT;
    weir_status status;

    ring.records = MOST_TOLD;
    ring.lanes = 1;
    do
        status = weir_events_create(&told_to, &ring);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
    options.events = told_to;
    options.queue_capacity = 2;
    open_pool(&options);
}

static bool ends_attempt(const weir_event *e)
{
    return e->kind == WEIR_EVENT_END || (e->flags & WEIR_EVENT_ENDED);
}

static void follow(struct course *c, const weir_event *e)
{
    c->submits += e->kind == WEIR_EVENT_SUBMIT;
    c->starts += e->kind == WEIR_EVENT_START;
    c->ends += ends_attempt(e);
    c->settles += e->kind == WEIR_EVENT_SETTLE;
    c->releases +=
        e->kind == WEIR_EVENT_RELEASE || (e->flags & WEIR_EVENT_RELEASED);
    if (e->kind == WEIR_EVENT_HELD)
        c->held += e->value == WEIR_HELD_BY_NONE ? -1 : 1;
    must(c->submits <= 1);
    must(c->settles <= 1);
    must(c->releases <= 1);
}

static void check_complete(const struct course *c)
{
    must(c->submits == 1);
    must(c->settles == 1);
    must(c->releases == 1);
    must(c->starts == c->ends);
    must(c->held == 0);
}

/* By its moments a submit is not behind the start; one lane keeps the order of
 * the writes, and the submit of a plain task is written when it is in. */
static void check_moments(const weir_event *told, size_t count, uint64_t task)
{
    int64_t submitted_ns = 0, settled_ns = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        if (told[i].task != task)
            continue;
        if (told[i].kind == WEIR_EVENT_SUBMIT)
            submitted_ns = told[i].at_ns;
        if (told[i].kind == WEIR_EVENT_SETTLE)
            settled_ns = told[i].at_ns;
    }
    for (size_t i = 0; i < count; i++)
        if (told[i].task == task && told[i].kind == WEIR_EVENT_START)
            must(told[i].at_ns >= submitted_ns && told[i].at_ns <= settled_ns);
}

static void check_told(void)
{
    static weir_event told[MOST_TOLD];
    struct course courses[JOBS + 1];
    weir_events_cursor cursor = WEIR_EVENTS_CURSOR_INIT;
    size_t count = weir_events_read(told_to, &cursor, told, MOST_TOLD);
    unsigned tasks = stage_of_pool.accepted;

    must(cursor.lost == cursor.dropped);
    memset(courses, 0, sizeof(courses));
    for (size_t i = 0; i < count; i++) {
        if (told[i].kind == WEIR_EVENT_CLOSE ||
            told[i].kind == WEIR_EVENT_BLOCKED ||
            told[i].kind == WEIR_EVENT_UNBLOCKED)
            continue;
        must(told[i].task >= 1 && told[i].task <= tasks);
        follow(&courses[told[i].task], &told[i]);
    }
    for (unsigned id = 1; id <= tasks; id++) {
        if (cursor.lost == 0)
            check_complete(&courses[id]);
        check_moments(told, count, id);
    }
}

/* The pool's end tells of it too, but nothing of tasks that are over. */
static void close_seen(void)
{
    join_all();
    choice_hush(true);
    if (!stage_of_pool.is_closing)
        must(join_pool(WEIR_FOREVER) == WEIR_OK);
    destroy_pool();
    world_await_all();
    check_told();
    weir_events_destroy(told_to);
}

/* ---------------------------------------------------------------- scenarios */

static void pool_events_of_plain_tasks(void)
{
    open_seen(pool_options());
    start(submit_one, 1);
    submit_one(2);
    close_seen();
}

static void pool_events_against_stop(void)
{
    open_seen(pool_options());
    submit_one(1);
    stop_now(0);
    close_seen();
}

static void pool_events_of_entries(void)
{
    open_seen(telling_options());
    start(submit_one, 1);
    submit_one(2);
    close_seen();
}

static void pool_events_of_a_retry(void)
{
    weir_retry retry = pool_retry(2);
    weir_pool_options options = telling_options();

    options.retry = &retry;
    open_seen(options);
    submit_a_future(1, fails_at_first);
    start(cancel_it, 1);
    close_seen();
}

static void release_the_permit(unsigned unused)
{
    (void)unused;
    must(weir_semaphore_release(one_permit, 1) == WEIR_OK);
}

static void pool_events_of_a_held_task(void)
{
    weir_pool_options options = telling_options();
    weir_status status;

    do
        status = weir_semaphore_create(&one_permit, 1);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
    options.semaphore = one_permit;
    open_seen(options);
    must(weir_semaphore_acquire(one_permit, 1, WEIR_FOREVER) == WEIR_OK);
    submit_a_future(1, works);
    start(release_the_permit, 0);
    close_seen();
    weir_semaphore_destroy(one_permit);
}

const struct scenario scenarios_pool_events[] = {
    {POOL_SCENARIO(pool_events_of_plain_tasks, 3,
                   "two plain tasks are told of three times each, whoever "
                   "comes first")},
    {POOL_SCENARIO(pool_events_against_stop, 2,
                   "a plain task that a stop takes over is told of once")},
    {POOL_SCENARIO(pool_events_of_entries, 3,
                   "tasks with callbacks are released apart")},
    {POOL_SCENARIO(pool_events_of_a_retry, 3,
                   "an attempt that a retry follows has ended, a cancel or "
                   "not")},
    {POOL_SCENARIO(pool_events_of_a_held_task, 3,
                   "who is told of as held is told of as let go on")},
    {.name = NULL},
};
