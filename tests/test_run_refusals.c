/* SPDX-License-Identifier: MIT */
/* test_run_refusals.c - runs that are refused, and runs for want of something.
 */
#include <weir/run.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "gate.h"
#include "suite.h"

enum { ITEMS = 12, SOURCES = 3 };

/* A producer of ITEMS numbers that counts what becomes of them. */
struct source {
    weir_producer producer;
    struct tally got, settled, released, closed;
};

static struct source sources[SOURCES];
static const weir_producer *producers[SOURCES];
static weir_run_options options;
static weir_pool_options pool;
static weir_report report_of_run;

static weir_status give(void *self, void *item)
{
    struct source *source = self;

    if (tally_read(&source->got) == ITEMS)
        return WEIR_END;
    memset(item, 0, sizeof(int));
    tally_add(&source->got, 1);
    return WEIR_OK;
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    struct source *source = self;

    (void)item;
    (void)outcome;
    tally_add(&source->settled, 1);
}

static void release(void *self, void *item)
{
    struct source *source = self;

    (void)item;
    tally_add(&source->released, 1);
}

static void close_source(void *self)
{
    struct source *source = self;

    tally_add(&source->closed, 1);
    ck_assert_uint_eq(tally_read(&source->got), tally_read(&source->settled));
    ck_assert_uint_eq(tally_read(&source->got), tally_read(&source->released));
}

static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static void open_sources(void)
{
    static const struct tally none = TALLY_INIT;

    for (int i = 0; i < SOURCES; i++) {
        struct source *s = &sources[i];

        s->producer = (weir_producer)WEIR_PRODUCER_INIT;
        s->producer.item_size = sizeof(int);
        s->producer.next = give;
        s->producer.settle = settle;
        s->producer.release = release;
        s->producer.close = close_source;
        s->producer.self = s;
        s->got = s->settled = s->released = s->closed = none;
        producers[i] = &s->producer;
    }
}

static void setup(void)
{
    open_sources();
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    options = (weir_run_options)WEIR_RUN_OPTIONS_INIT;
    pool = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    pool.workers = 2;
    pool.queue_capacity = 2;
    options.producers = producers;
    options.producer_count = SOURCES;
    options.handler = do_nothing;
    options.pool = &pool;
}

static void assert_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
}

/* --------------------------------------------------------------- refusals */

/* No producer is touched, and no report is written. */
static void must_refuse(const weir_run_options *refused, const char *word)
{
    weir_report untouched;

    memset(&report_of_run, 0x5A, sizeof(report_of_run));
    report_of_run.size = sizeof(report_of_run);
    untouched = report_of_run;
    ck_assert_int_eq(weir_run(refused, &report_of_run), WEIR_EINVAL);
    assert_names(word);
    ck_assert_mem_eq(&report_of_run, &untouched, sizeof(untouched));
    for (int i = 0; i < SOURCES; i++) {
        ck_assert_uint_eq(tally_read(&sources[i].closed), 0);
        ck_assert_uint_eq(tally_read(&sources[i].got), 0);
    }
}

START_TEST(options_without_a_handler_or_producers_are_refused)
{
    must_refuse(NULL, "options");
    options.handler = NULL;
    must_refuse(&options, "handler");
    options.handler = do_nothing;
    options.producers = NULL;
    must_refuse(&options, "producers");
    options.producers = producers;
    options.producer_count = 0;
    must_refuse(&options, "producers");
    options.producer_count = SOURCES;
    options.stop_fd = -1;
    must_refuse(&options, "stop_fd -1");
}
END_TEST

START_TEST(a_producer_that_is_not_filled_in_is_refused)
{
    producers[2] = NULL;
    must_refuse(&options, "producers[2]");
    producers[2] = &sources[2].producer;
    sources[2].producer.next = NULL;
    must_refuse(&options, "producers[2]");
    sources[2].producer.next = give;
    sources[2].producer.size = 0;
    must_refuse(&options, "producers[2]");
    sources[2].producer.size = 4;
    must_refuse(&options, "WEIR_PRODUCER_INIT");
}
END_TEST

START_TEST(a_producer_twice_is_refused)
{
    producers[2] = producers[0];
    must_refuse(&options, "producers[0] and producers[2]");
}
END_TEST

START_TEST(a_producer_with_unknown_fields_is_refused)
{
    struct {
        weir_producer known;
        size_t unknown;
    } newer = {sources[1].producer, 0};

    newer.known.size = sizeof(newer);
    producers[1] = &newer.known;
    newer.unknown = 1;
    must_refuse(&options, "weir_producer");
    newer.unknown = 0;
    ck_assert_int_eq(weir_run(&options, NULL), WEIR_OK);
}
END_TEST

START_TEST(a_report_of_no_size_is_refused)
{
    report_of_run.size = 0;
    ck_assert_int_eq(weir_run(&options, &report_of_run), WEIR_EINVAL);
    assert_names("WEIR_REPORT_INIT");
    ck_assert_uint_eq(tally_read(&sources[0].closed), 0);
}
END_TEST

START_TEST(a_stop_fd_that_is_not_open_is_refused)
{
    int ends[2];

    options.stop_fd = -1;
    must_refuse(&options, "stop_fd -1");
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[1]);
    close(ends[0]);
    options.stop_fd = ends[0];
    must_refuse(&options, "stop_fd");
}
END_TEST

START_TEST(item_sizes_that_are_none_or_differ_are_refused)
{
    sources[1].producer.item_size = 8;
    must_refuse(&options, "producers[1].item_size is 8, but that of "
                          "producers[0] is 4");
    sources[1].producer.item_size = 4097;
    must_refuse(&options, "producers[1].item_size 4097");
    sources[1].producer.item_size = 0;
    must_refuse(&options, "producers[1].item_size 0");
    sources[1].producer.item_size = 4;
    sources[0].producer.item_size = 0;
    must_refuse(&options, "producers[0].item_size 0");
}
END_TEST

START_TEST(pool_options_that_no_pool_takes_are_refused)
{
    pool.item_size = 8;
    must_refuse(&options, "pool.item_size 8");
    pool.item_size = 0;
    pool.timeout_ns = -1;
    must_refuse(&options, "timeout_ns");
    pool.timeout_ns = 0;
    pool.max_abandoned = 1; /* without grace_ns */
    must_refuse(&options, "max_abandoned");
}
END_TEST

START_TEST(options_of_no_size_or_with_unknown_fields_are_refused)
{
    struct {
        weir_run_options known;
        unsigned char unknown[16];
    } newer = {.known = options, .unknown = {0}};

    options.size = 0;
    must_refuse(&options, "weir_run_options.size");
    pool.size = 3;
    options.size = sizeof(options);
    must_refuse(&options, "weir_pool_options.size");
    pool.size = sizeof(pool);
    newer.known.size = sizeof(newer);
    newer.unknown[15] = 1;
    must_refuse(&newer.known, "does not know");
    newer.unknown[15] = 0;
    ck_assert_int_eq(weir_run(&newer.known, NULL), WEIR_OK);
}
END_TEST

START_TEST(the_producers_item_size_may_be_given_to_the_pool_too)
{
    pool.item_size = sizeof(int);
    ck_assert_int_eq(weir_run(&options, NULL), WEIR_OK);
    for (int i = 0; i < SOURCES; i++)
        ck_assert_uint_eq(tally_read(&sources[i].released), ITEMS);
}
END_TEST

/* --------------------------------------------------- for want of something */

static int count_open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Whatever was wanting: closed once, and what was got is settled and released
 * (which close looks at). */
static weir_status run_once(void *arg)
{
    weir_status status;

    (void)arg;
    open_sources();
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    status = weir_run(&options, &report_of_run);
    for (int i = 0; i < SOURCES; i++) {
        ck_assert_uint_eq(tally_read(&sources[i].closed), 1);
        ck_assert(status || tally_read(&sources[i].got) == ITEMS);
    }
    ck_assert_int_eq(report_of_run.status, status);
    ck_assert(weir_ledger_balances(&report_of_run.ledger));
    if (status)
        ck_assert_str_ne(weir_last_error(), "");
    if (status == WEIR_ESYSTEM)
        ck_assert_int_eq(errno, EAGAIN);
    return status;
}

START_TEST(a_run_that_wants_memory_or_a_thread_closes_its_producers)
{
    int before = count_open_files();

    options.stop_fd = eventfd(0, EFD_CLOEXEC);
    /* The pool and its threads; the feeds, their items and threads; the
     * watcher. */
    ck_assert_uint_ge(fault_sweep(run_once, NULL, WEIR_OK), 12);
    close(options.stop_fd);
    ck_assert_int_eq(count_open_files(), before);
}
END_TEST

START_TEST(a_submitter_that_lacks_memory_to_run_a_task_fails_its_producer)
{
    pool.on_full = WEIR_ON_FULL_CALLER_RUNS;
    pool.queue_capacity = 1;
    fault_sweep(run_once, NULL, WEIR_OK);
}
END_TEST

START_TEST(without_a_descriptor_to_watch_stop_fd_a_run_fails)
{
    struct rlimit before, none;

    options.stop_fd = eventfd(0, EFD_CLOEXEC);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(weir_run(&options, &report_of_run), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EMFILE);
    assert_names("eventfd");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < SOURCES; i++) {
        ck_assert_uint_eq(tally_read(&sources[i].closed), 1);
        ck_assert_uint_eq(tally_read(&sources[i].got), 0);
    }
    close(options.stop_fd);
}
END_TEST

static int refuse_to_start(void *arg, uint32_t worker)
{
    (void)arg;
    return worker == 1;
}

START_TEST(a_worker_that_does_not_start_fails_the_run)
{
    pool.worker_start = refuse_to_start;
    report_of_run = (weir_report)WEIR_REPORT_INIT;
    ck_assert_int_eq(weir_run(&options, &report_of_run), WEIR_ESYSTEM);
    ck_assert_int_eq(report_of_run.status, WEIR_ESYSTEM);
    ck_assert_uint_eq(report_of_run.ledger.accepted, 0);
    assert_names("worker_start");
    for (int i = 0; i < SOURCES; i++)
        ck_assert_uint_eq(tally_read(&sources[i].closed), 1);
}
END_TEST

/* Several producers of a failing allocator: each item's text is one. */
static int use_line(weir_task *task, void *item)
{
    const weir_line *line = item;

    (void)task;
    return line->text[line->length] != '\0';
}

static weir_status run_lines(void *arg)
{
    const int *fd = arg;
    weir_producer lines;
    const weir_producer *list[] = {&lines};
    weir_status status;

    ck_assert_int_eq(lseek(*fd, 0, SEEK_SET), 0);
    status = weir_producer_lines(&lines, *fd, '\n', 0);
    if (status)
        return status;
    options.producers = list;
    options.producer_count = 1;
    options.handler = use_line;
    status = weir_run(&options, &report_of_run);
    ck_assert_uint_eq(report_of_run.ledger.done, report_of_run.ledger.accepted);
    return status;
}

START_TEST(a_run_of_lines_that_wants_memory_leaves_nothing)
{
    int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    int before = count_open_files();

    ck_assert_int_eq(write(fd, "a\nb\nc\nd\ne\nf\n", 12), 12);
    fault_sweep(run_lines, &fd, WEIR_OK);
    ck_assert_int_eq(count_open_files(), before);
    close(fd);
}
END_TEST

int main(void)
{
    const TTest *const refusals[] = {
        options_without_a_handler_or_producers_are_refused,
        a_producer_that_is_not_filled_in_is_refused,
        a_producer_twice_is_refused,
        a_producer_with_unknown_fields_is_refused,
        a_report_of_no_size_is_refused,
        a_stop_fd_that_is_not_open_is_refused,
        item_sizes_that_are_none_or_differ_are_refused,
        pool_options_that_no_pool_takes_are_refused,
        options_of_no_size_or_with_unknown_fields_are_refused,
        the_producers_item_size_may_be_given_to_the_pool_too,
        NULL};
    const TTest *const wants[] = {
        a_run_that_wants_memory_or_a_thread_closes_its_producers,
        a_submitter_that_lacks_memory_to_run_a_task_fails_its_producer,
        without_a_descriptor_to_watch_stop_fd_a_run_fails,
        a_worker_that_does_not_start_fails_the_run,
        a_run_of_lines_that_wants_memory_leaves_nothing,
        NULL};
    const struct chapter chapters[] = {{"refusals", refusals, setup, NULL, 0,
                                        0},
                                       {"wants", wants, setup, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("run: refusals", chapters);
}
