/* SPDX-License-Identifier: MIT */
/* test_run.c - what becomes of each item of a run, and what the run reports. */
#include <weir/run.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"
#include "suite.h"
#include "test_clock.h"

enum { MOST_ITEMS = 1000, MOST_SOURCES = 4 };

/* An item's way.  One that was not accepted skips what is the pool's. */
enum stage {
    UNKNOWN,
    GOT,
    SOURCE_SETTLED,
    POOL_SETTLED,
    POOL_RELEASED,
    SOURCE_RELEASED
};

static struct item {
    enum stage stage;
    int handlers; /* at it now */
    int attempts;
    weir_outcome_kind kind;
} items[MOST_ITEMS];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* of `items` */
static int turned_away;                                   /* with `guard` */

/* A producer of the numbers from `first` on. */
static struct source {
    weir_producer producer;
    int first, count, next;
    int closed;
} sources[MOST_SOURCES];
static size_t source_count;
static struct gate given; /* a source has come to its end */

static weir_run_options options;
static weir_pool_options pool;
static weir_report report_of_run;

/* ---------------------------------------------------------------- sources */

static void
pass(int number, enum stage from, enum stage to, const weir_outcome *outcome)
{
    struct item *item = &items[number];

    pthread_mutex_lock(&guard);
    ck_assert_msg(item->stage == from, "item %d went from %d to %d", number,
                  (int)item->stage, (int)to);
    ck_assert(to < POOL_RELEASED || item->handlers == 0);
    item->stage = to;
    if (outcome) {
        ck_assert(to == SOURCE_SETTLED || item->kind == outcome->kind);
        item->kind = outcome->kind;
    }
    pthread_mutex_unlock(&guard);
}

static weir_status give(void *self, void *item)
{
    struct source *source = self;
    int number = source->first + source->next;

    if (source->next == source->count) {
        gate_open(&given);
        return WEIR_END;
    }
    source->next++;
    memcpy(item, &number, sizeof(number));
    pass(number, UNKNOWN, GOT, NULL);
    return WEIR_OK;
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    struct source *source = self;
    int number = *(const int *)item;

    ck_assert_int_ge(number, source->first);
    ck_assert_int_lt(number, source->first + source->count);
    pass(number, GOT, SOURCE_SETTLED, outcome);
    if (outcome->task_id > 0)
        return;
    ck_assert_int_eq(outcome->kind, WEIR_OUTCOME_CANCELLED);
    ck_assert(strstr(outcome->message, "did not accept") != NULL);
    ck_assert_uint_eq(outcome->attempts, 0);
    pthread_mutex_lock(&guard);
    turned_away++;
    items[number].stage = POOL_RELEASED;
    pthread_mutex_unlock(&guard);
}

static void release(void *self, void *item)
{
    (void)self;
    pass(*(int *)item, POOL_RELEASED, SOURCE_RELEASED, NULL);
    memset(item, 0xFF, sizeof(int)); /* nobody looks at it any more */
}

static void close_source(void *self)
{
    struct source *source = self;

    source->closed++;
    for (int i = 0; i < source->next; i++)
        ck_assert_int_eq(items[source->first + i].stage, SOURCE_RELEASED);
}

static void pool_settled(void *arg, const void *item, const weir_outcome *o)
{
    ck_assert_ptr_eq(arg, &items[0]);
    pass(*(const int *)item, SOURCE_SETTLED, POOL_SETTLED, o);
}

static void pool_released(void *arg, void *item)
{
    ck_assert_ptr_eq(arg, &items[1]);
    pass(*(int *)item, POOL_SETTLED, POOL_RELEASED, NULL);
}

/* ------------------------------------------------------------------- runs */

static void setup(void)
{
    options = (weir_run_options)WEIR_RUN_OPTIONS_INIT;
    pool = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    pool.workers = 2;
    pool.on_settled = pool_settled;
    pool.on_settled_arg = &items[0];
    pool.on_release = pool_released;
    pool.on_release_arg = &items[1];
    options.pool = &pool;
    given = (struct gate)GATE_INIT;
    memset(items, 0, sizeof(items));
    source_count = 0;
    turned_away = 0;
}

static void add_source(int count)
{
    struct source *source = &sources[source_count];
    int first = source_count ? source[-1].first + source[-1].count : 0;

    ck_assert_int_le(first + count, MOST_ITEMS);
    *source = (struct source){.producer = WEIR_PRODUCER_INIT,
                              .first = first,
                              .count = count};
    source->producer.item_size = sizeof(int);
    source->producer.next = give;
    source->producer.settle = settle;
    source->producer.release = release;
    source->producer.close = close_source;
    source->producer.self = source;
    source_count++;
}

static weir_status run(weir_handler *handler)
{
    const weir_producer *producers[MOST_SOURCES];
    weir_status status;

    for (size_t i = 0; i < source_count; i++)
        producers[i] = &sources[i].producer;
    options.producers = producers;
    options.producer_count = source_count;
    options.handler = handler;
    status = weir_run(&options, &report_of_run);
    options.producers = NULL;
    for (size_t i = 0; i < source_count; i++)
        ck_assert_int_eq(sources[i].closed, 1);
    return status;
}

/* What the report says is what happened to the items. */
static void assert_accounted(void)
{
    const weir_ledger *l = &report_of_run.ledger;
    uint64_t got = 0, kinds[WEIR_OUTCOME_DROPPED + 1] = {0};

    for (int i = 0; i < MOST_ITEMS; i++)
        if (items[i].stage != UNKNOWN) {
            got++;
            kinds[items[i].kind]++;
        }
    ck_assert(weir_ledger_balances(l));
    ck_assert_uint_eq(l->queued + l->running + l->retrying, 0);
    ck_assert_uint_eq(l->overdue + l->unreleased, 0);
    ck_assert_uint_eq(l->accepted + l->refused, got);
    ck_assert_uint_eq(l->refused, (uint64_t)turned_away);
    ck_assert_uint_eq(l->done, kinds[WEIR_OUTCOME_DONE]);
    ck_assert_uint_eq(l->failed, kinds[WEIR_OUTCOME_FAILED]);
    ck_assert_uint_eq(l->timed_out, kinds[WEIR_OUTCOME_TIMED_OUT]);
    ck_assert_uint_eq(l->exited, kinds[WEIR_OUTCOME_EXITED]);
    ck_assert_uint_eq(l->dropped, kinds[WEIR_OUTCOME_DROPPED]);
    ck_assert_uint_eq(l->cancelled + l->refused, kinds[WEIR_OUTCOME_CANCELLED]);
}

static void must_run(weir_handler *handler)
{
    ck_assert_int_eq(run(handler), WEIR_OK);
    ck_assert_int_eq(report_of_run.status, WEIR_OK);
    assert_accounted();
}

/* The item's number; it is ours until `leave`. */
static int enter(void *item)
{
    int number = *(int *)item;

    pthread_mutex_lock(&guard);
    ck_assert_int_le(items[number].stage, POOL_SETTLED);
    items[number].handlers++;
    items[number].attempts++;
    pthread_mutex_unlock(&guard);
    return number;
}

static void leave(void *item)
{
    pthread_mutex_lock(&guard);
    items[*(int *)item].handlers--;
    pthread_mutex_unlock(&guard);
}

static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    enter(item);
    leave(item);
    return 0;
}

/* ------------------------------------------------------------------ basics */

START_TEST(every_item_of_every_producer_is_handled_once)
{
    for (int i = 0; i < MOST_SOURCES; i++)
        add_source(20 * i + 40);
    must_run(do_nothing);
    ck_assert_uint_eq(report_of_run.ledger.done, 280);
    ck_assert_uint_eq(report_of_run.ledger.attempts, 280);
    for (int i = 0; i < 280; i++)
        ck_assert_int_eq(items[i].attempts, 1);
}
END_TEST

START_TEST(producers_of_nothing_make_an_empty_run)
{
    add_source(0);
    add_source(0);
    must_run(do_nothing);
    ck_assert_uint_eq(report_of_run.ledger.accepted, 0);
    ck_assert_str_eq(report_of_run.first_failure, "");
}
END_TEST

static int end_in_some_way(weir_task *task, void *item)
{
    int number = enter(item);

    leave(item);
    switch (number % 5) {
    case 1:
        return number;
    case 2:
        weir_task_raise(task, 3, "raised");
    case 3:
        pthread_exit(NULL);
    default:
        return weir_task_attempt(task) == 1 && number % 5 == 4;
    }
}

/* With retries, which 1 and 2 use in vain and 4 uses well. */
START_TEST(each_item_is_settled_then_released_once_however_it_ends)
{
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 3;
    retry.base_ns = 1;
    pool.retry = &retry;
    pool.queue_capacity = 1 + (size_t)_i % 4 * 8;
    add_source(30);
    add_source(20);
    must_run(end_in_some_way);
    ck_assert_uint_eq(report_of_run.ledger.done, 20);
    ck_assert_uint_eq(report_of_run.ledger.failed, 20);
    ck_assert_uint_eq(report_of_run.ledger.exited, 10);
    ck_assert_uint_eq(report_of_run.ledger.attempts, 100);
}
END_TEST

START_TEST(a_producer_may_lack_everything_but_next)
{
    add_source(9);
    sources[0].producer.settle = NULL;
    sources[0].producer.release = NULL;
    sources[0].producer.close = NULL;
    sources[0].closed = 1;
    options.pool = NULL;
    ck_assert_int_eq(run(do_nothing), WEIR_OK);
    ck_assert_uint_eq(report_of_run.ledger.done, 9);
}
END_TEST

/* Frees what the run was given, as soon as it has begun. */
static int overwrite_options(weir_task *task, void *item)
{
    (void)task;
    enter(item);
    leave(item);
    memset((void *)options.producers, 0, sizeof(weir_producer *));
    memset(&pool, 0xFF, sizeof(pool));
    return 0;
}

START_TEST(options_and_the_list_of_producers_are_copied)
{
    pool.workers = 1;
    add_source(9);
    must_run(overwrite_options);
    ck_assert_uint_eq(report_of_run.ledger.done, 9);
}
END_TEST

/* ------------------------------------------------------------------ report */

static int fail_from_second_on(weir_task *task, void *item)
{
    int number = enter(item);

    leave(item);
    test_clock_advance(WEIR_SECONDS(2));
    return number ? weir_task_fail(task, 7 + number, "row %d", number) : 0;
}

START_TEST(the_report_has_the_first_failure_and_the_time)
{
    test_clock_install();
    pool.workers = 1;
    add_source(4);
    must_run(fail_from_second_on);
    ck_assert_uint_eq(report_of_run.ledger.failed, 3);
    ck_assert_str_eq(report_of_run.first_failure,
                     "task 2 failed, code 8: row 1");
    ck_assert_int_eq(report_of_run.elapsed_ns, WEIR_SECONDS(8));
    test_clock_remove();
}
END_TEST

static int fail_at_length(weir_task *task, void *item)
{
    enter(item);
    leave(item);
    return weir_task_fail(task, 1, "%0200d", 0);
}

static uint64_t settled_at[2]; /* at each moment, and one more */

static void look(void *arg, const weir_pool *lent, weir_run_moment moment)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    ck_assert_ptr_eq(arg, settled_at);
    weir_pool_read_stats(lent, &stats);
    ck_assert_uint_eq(settled_at[moment], 0);
    settled_at[moment] = stats.ledger.done + 1;
}

START_TEST(the_pool_is_lent_before_the_first_item_and_after_the_last)
{
    add_source(10);
    options.on_pool = look;
    options.on_pool_arg = settled_at;
    must_run(do_nothing);
    ck_assert_uint_eq(settled_at[WEIR_RUN_BEGINS], 1);
    ck_assert_uint_eq(settled_at[WEIR_RUN_ENDS], 11);
}
END_TEST

START_TEST(a_long_first_failure_is_cut)
{
    add_source(1);
    must_run(fail_at_length);
    ck_assert_uint_eq(strlen(report_of_run.first_failure),
                      sizeof(report_of_run.first_failure) - 1);
}
END_TEST

START_TEST(a_report_may_be_left_out)
{
    const weir_producer *producers[] = {&sources[0].producer};

    add_source(4);
    options.producers = producers;
    options.producer_count = 1;
    options.handler = do_nothing;
    ck_assert_int_eq(weir_run(&options, NULL), WEIR_OK);
    ck_assert_int_eq(sources[0].closed, 1);
}
END_TEST

START_TEST(an_older_programs_report_and_options_do)
{
    pool.size = offsetof(weir_pool_options, name);
    pool.name = (const char *)1; /* not looked at */
    options.size = offsetof(weir_run_options, stop_fd);
    options.stop_fd = 99999;
    report_of_run.size = offsetof(weir_report, first_failure);
    report_of_run.ledger.done = 77;
    add_source(4);
    ck_assert_int_eq(run(do_nothing), WEIR_OK);
    ck_assert_int_ge(report_of_run.elapsed_ns, 0);
    ck_assert_uint_eq(report_of_run.ledger.done, 77);
    ck_assert_uint_eq(report_of_run.size, offsetof(weir_report, first_failure));
}
END_TEST

/* ------------------------------------------------------------ backpressure */

/* Asked for one more only while the pool has a place for each got before. */
static weir_status give_lazily(void *self, void *item)
{
    const struct source *source = self;
    int ahead = 0;

    pthread_mutex_lock(&guard);
    for (int i = 0; i < source->next; i++)
        ahead += items[i].stage != SOURCE_RELEASED;
    pthread_mutex_unlock(&guard);
    ck_assert_int_le(ahead, (int)(pool.queue_capacity + pool.workers));
    return give(self, item);
}

static int yield_a_while(weir_task *task, void *item)
{
    (void)task;
    enter(item);
    for (int i = 0; i < 5; i++)
        sched_yield();
    leave(item);
    return 0;
}

START_TEST(a_producer_is_no_further_ahead_than_the_pool_has_room)
{
    pool.queue_capacity = 1 + (size_t)_i % 4;
    pool.workers = 1 + (uint32_t)_i % 3;
    add_source(300);
    sources[0].producer.next = give_lazily;
    must_run(yield_a_while);
}
END_TEST

/* ---------------------------------------------------------- other processes */

static int run_within(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    must_run(do_nothing);
    return 0;
}

START_TEST(a_handler_of_another_pool_may_run)
{
    weir_pool *outer;
    int item = 0;

    add_source(50);
    ck_assert_int_eq(weir_pool_create(&outer, NULL), WEIR_OK);
    ck_assert_int_eq(weir_pool_submit(outer, run_within, &item, WEIR_NOW),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_stop(outer, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(outer);
    ck_assert_uint_eq(report_of_run.ledger.done, 50);
}
END_TEST

static int run_in_child(weir_task *task, void *item)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        (void)task;
        setup();
        pool.on_release = NULL; /* as different as can be */
        pool.on_settled = NULL;
        add_source(20);
        sources[0].producer.settle = NULL;
        sources[0].producer.release = NULL;
        sources[0].producer.close = NULL;
        sources[0].closed = 1;
        _exit(run(do_nothing) != WEIR_OK || report_of_run.ledger.done != 20);
    }
    enter(item);
    leave(item);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(a_handlers_fork_child_may_run)
{
#ifdef __SANITIZE_THREAD__
    puts("SKIPPED: under the race detector a child cannot start threads");
    return;
#endif
    pool.workers = 1;
    add_source(1);
    must_run(run_in_child);
    ck_assert_uint_eq(report_of_run.ledger.done, 1);
}
END_TEST

int main(void)
{
    const TTest *const basics[] = {every_item_of_every_producer_is_handled_once,
                                   producers_of_nothing_make_an_empty_run,
                                   a_producer_may_lack_everything_but_next,
                                   options_and_the_list_of_producers_are_copied,
                                   NULL};
    const TTest *const reports[] = {
        the_report_has_the_first_failure_and_the_time,
        the_pool_is_lent_before_the_first_item_and_after_the_last,
        a_long_first_failure_is_cut,
        a_report_may_be_left_out,
        an_older_programs_report_and_options_do,
        NULL};
    const TTest *const many[] = {
        each_item_is_settled_then_released_once_however_it_ends,
        a_producer_is_no_further_ahead_than_the_pool_has_room, NULL};
    const TTest *const others[] = {a_handler_of_another_pool_may_run,
                                   a_handlers_fork_child_may_run, NULL};
    const struct chapter chapters[] = {{"basics", basics, setup, NULL, 0, 0},
                                       {"report", reports, setup, NULL, 0, 0},
                                       {"every item", many, setup, NULL, 12, 0},
                                       {"other pools and processes", others,
                                        setup, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("run", chapters);
}
