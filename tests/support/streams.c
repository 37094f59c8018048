/* SPDX-License-Identifier: MIT */
/* streams.c - see streams.h. */
#include "streams.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "suite.h"

struct numbers numbers;
weir_producer source;
weir_pool *pool;
weir_pool_options options;
weir_stream_options how;
weir_stream *stream;
int (*act)(weir_task *task, int number);
struct tally started, returned;
struct gate may_finish;

/* ------------------------------------------------------------------- source */

static weir_status give(void *self, void *item)
{
    struct numbers *n = self;
    int number = (int)tally_read(&n->got);

    if (gate_is_open(&n->interrupted))
        return WEIR_CANCELLED;
    if (number < n->count) {
        memcpy(item, &number, sizeof(number));
        tally_add(&n->got, 1);
        return WEIR_OK;
    }
    tally_add(&n->at_end, 1);
    if (n->blocks)
        gate_wait(&n->interrupted);
    if (n->exits)
        pthread_exit(NULL);
    errno = n->error;
    return n->blocks ? WEIR_CANCELLED : n->end ? n->end : WEIR_END;
}

static void interrupt(void *self)
{
    gate_open(&((struct numbers *)self)->interrupted);
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    (void)item;
    (void)outcome;
    tally_add(&((struct numbers *)self)->settled, 1);
}

static void release(void *self, void *item)
{
    struct numbers *n = self;
    int number;

    memcpy(&number, item, sizeof(number));
    n->releases[number % NUMBERS_AT_MOST]++;
    tally_add(&n->released, 1);
}

static void close_source(void *self)
{
    struct numbers *n = self;

    ck_assert_uint_eq(tally_read(&n->got), tally_read(&n->settled));
    if (!n->may_lose)
        ck_assert_uint_eq(tally_read(&n->got), tally_read(&n->released));
    tally_add(&n->closed, 1);
}

static void
note_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    (void)outcome;
    tally_add(&numbers.pool_settled, 1);
}

static void note_released(void *arg, void *item)
{
    int number;

    (void)arg;
    memcpy(&number, item, sizeof(number));
    /* before the source's */
    ck_assert_uint_eq(numbers.releases[number % NUMBERS_AT_MOST], 0);
    tally_add(&numbers.pool_released, 1);
}

/* ------------------------------------------------------------------ handler */

static int handle(weir_task *task, void *item)
{
    int number, answer;

    memcpy(&number, item, sizeof(number));
    tally_add(&started, 1);
    answer = act ? act(task, number) : 0;
    tally_add(&returned, 1);
    return answer;
}

int act_result(weir_task *task, int number)
{
    ck_assert_int_eq(weir_task_result(task, &number, sizeof(number)), WEIR_OK);
    return 0;
}

int act_wait(weir_task *task, int number)
{
    (void)task;
    (void)number;
    gate_wait(&may_finish);
    return 0;
}

int act_listen(weir_task *task, int number)
{
    (void)number;
    while (weir_task_sleep(task, WEIR_SECONDS(60)) == WEIR_OK)
        continue;
    return 0;
}

/* ----------------------------------------------------------------- fixtures */

void streams_setup(void)
{
    static const struct numbers none = {.interrupted = GATE_INIT,
                                        .got = TALLY_INIT,
                                        .settled = TALLY_INIT,
                                        .released = TALLY_INIT,
                                        .closed = TALLY_INIT,
                                        .at_end = TALLY_INIT,
                                        .pool_settled = TALLY_INIT,
                                        .pool_released = TALLY_INIT};
    static const struct tally nothing = TALLY_INIT;
    static const struct gate shut = GATE_INIT;

    numbers = none;
    started = returned = nothing;
    may_finish = shut;
    act = NULL;
    stream = NULL;
    pool = NULL;
    source = (weir_producer)WEIR_PRODUCER_INIT;
    source.item_size = sizeof(int);
    source.next = give;
    source.interrupt = interrupt;
    source.settle = settle;
    source.release = release;
    source.close = close_source;
    source.self = &numbers;
    options = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    options.workers = 2;
    options.item_size = sizeof(int);
    options.on_settled = note_settled;
    options.on_release = note_released;
    how = (weir_stream_options)WEIR_STREAM_OPTIONS_INIT;
    how.handler = handle;
    how.window = 4;
}

void open_pool(void)
{
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

void open_stream(int count)
{
    numbers.count = count;
    ck_assert_int_eq(weir_stream_open(&stream, pool, &source, &how), WEIR_OK);
}

void open_both(int count)
{
    open_pool();
    open_stream(count);
}

void close_source_of_numbers(void)
{
    source.close(source.self);
}

void close_stream(void)
{
    weir_stream_close(stream);
    stream = NULL;
}

void close_pool(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN,
                                    weir_deadline_after(
                                        (int64_t)test_slowness() *
                                        WEIR_SECONDS(20))),
                     WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_eq(stats.ledger.queued + stats.ledger.running +
                          stats.ledger.retrying + stats.ledger.overdue,
                      0);
    weir_pool_destroy(pool);
    pool = NULL;
}

void streams_teardown(void)
{
    gate_open(&may_finish);
    if (stream)
        close_stream();
    if (!numbers.may_lose) /* a stop would not wait for abandoned attempts */
        await_count(&numbers.released, tally_read(&numbers.got));
    if (pool)
        close_pool();
    await_count(&numbers.closed, 1);
    ck_assert_uint_eq(tally_read(&numbers.closed), 1);
    for (uint64_t i = 0; i < tally_read(&numbers.got) && i < NUMBERS_AT_MOST &&
                         !numbers.may_lose;
         i++)
        ck_assert_uint_eq(numbers.releases[i], 1);
}

/* ------------------------------------------------------------------ reading */

int take(weir_outcome *outcome)
{
    int number = -1;
    weir_status status =
        weir_stream_next(stream, &number, outcome,
                         weir_deadline_after((int64_t)test_slowness() *
                                             WEIR_SECONDS(20)));

    ck_assert_msg(status == WEIR_OK, "next answered %s",
                  weir_status_name(status));
    return number;
}

void must_take(int number, weir_outcome_kind kind)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    int taken = take(&outcome);

    ck_assert_int_eq(taken, number);
    ck_assert_str_eq(weir_outcome_name(outcome.kind), weir_outcome_name(kind));
}

void must_wait(void)
{
    ck_assert_int_eq(weir_stream_next(stream, NULL, NULL, WEIR_NOW),
                     WEIR_TIMED_OUT);
}

void must_end(weir_status expected)
{
    weir_status status =
        weir_stream_next(stream, NULL, NULL,
                         weir_deadline_after((int64_t)test_slowness() *
                                             WEIR_SECONDS(20)));

    ck_assert_str_eq(weir_status_name(status), weir_status_name(expected));
}
