/* SPDX-License-Identifier: MIT */
/* test_print.c - a pool at one look, also from a signal handler. */
#include <weir/pool.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "pool/board.h"
#include "pool/pool.h"
#include "pools.h"
#include "suite.h"

enum { PAGE = 64 * 1024 };

static char page[PAGE];
static int paper; /* a file in memory */

static void setup(void)
{
    pool_setup();
    options.queue_capacity = 8;
    paper = memfd_create("print", 0);
    ck_assert_int_ge(paper, 0);
    ck_assert_int_eq(fcntl(paper, F_SETFL, O_APPEND), 0);
}

static void setup_plain(void)
{
    setup();
    options.on_settled = NULL;
    options.on_release = NULL;
}

static void teardown(void)
{
    pool_teardown();
    close(paper);
}

/* What has been printed since the last time. */
static const char *read_page(void)
{
    ssize_t size = pread(paper, page, sizeof(page) - 1, 0);

    ck_assert_int_ge(size, 0);
    page[size] = '\0';
    ck_assert_int_eq(ftruncate(paper, 0), 0);
    return page;
}

static const char *print_now(void)
{
    weir_pool_print(pool, paper);
    return read_page();
}

static void assert_says(const char *words)
{
    ck_assert_msg(strstr(page, words), "no \"%s\" in:\n%s", words, page);
}

static void assert_is_silent_on(const char *words)
{
    ck_assert_msg(!strstr(page, words), "\"%s\" in:\n%s", words, page);
}

static weir_future *submit_labelled(struct job *job, const char *label)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.label = label;
    return submit_spec(job, spec);
}

/* ------------------------------------------------------------ what it says */

START_TEST(an_idle_pool_is_two_lines_and_a_bit)
{
    options.name = "mill";
    open_pool();
    submit_new(act_answer);
    settle_all();
    await_workers(1);
    ck_assert_str_eq(print_now(),
                     "pool \"mill\": 0 of 8 places taken, 1 workers\n"
                     "  accepted 1 = done 1\n"
                     "  refused 0, attempts 1, late 0, overdue 0, "
                     "abandoned 0\n");
}
END_TEST

START_TEST(what_runs_is_told_with_label_and_times)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    options.timeout_ns = WEIR_SECONDS(60);
    open_pool_of(2);
    future = submit_labelled(job, "invoice 4711");
    await_start(job);
    test_clock_advance(WEIR_MS(1500));
    print_now();
    assert_says(" runs task 1 \"invoice 4711\", for 1.500 s, 58.500 s left\n");
    assert_says("accepted 1 = done 0 + running 1\n");
    assert_is_silent_on("taken:");
    finish_job(job);
    weir_future_release(future);
}
END_TEST

static int act_print(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    weir_pool_print(pool, paper);
    return 0;
}

START_TEST(what_its_submitter_runs_is_counted)
{
    struct job *busy;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    open_pool();
    busy = start_new(act_wait);
    submit_new(act_answer);
    print_now();
    assert_is_silent_on("submitters");
    submit_new(act_print);
    read_page();
    assert_says(": 1 of 1 places taken, 1 workers, 1 tasks run by their "
                "submitters\n");
    finish_job(busy);
}
END_TEST

START_TEST(what_is_not_due_is_told_and_so_is_a_stop)
{
    struct job *busy, *later = new_job(act_answer);
    struct call call = {.how = WEIR_STOP_NOW, .deadline = WEIR_FOREVER};
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    open_pool();
    busy = start_new(act_wait);
    spec.not_before = weir_deadline_after(WEIR_SECONDS(5));
    weir_future_release(submit_spec(later, spec));
    print_now();
    assert_says(": 1 of 8 places taken (1 not before their "
                "time), 1 workers\n");
    start_call(&call, act_stop);
    while (!strstr(print_now(), ", 1 workers, closing\n"))
        sched_yield();
    assert_outcome(later, WEIR_OUTCOME_CANCELLED);
    finish_job(busy);
    ck_assert_int_eq(end_call(&call), WEIR_OK);
}
END_TEST

START_TEST(control_characters_of_a_label_are_not_said)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    open_pool();
    future = submit_labelled(job, "a\033[2Jb\n");
    await_start(job);
    print_now();
    assert_says("\"a?[2Jb?\"");
    finish_job(job);
    weir_future_release(future);
}
END_TEST

START_TEST(what_overstays_is_told_apart)
{
    struct job *job = new_job(act_wait);

    options.timeout_ns = WEIR_MS(10);
    open_pool();
    must_submit(job);
    await_start(job);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    test_clock_advance(WEIR_MS(20));
    print_now();
    assert_says(" overstays in task 1, for 20 ms\n");
    assert_says("+ timed out 1\n");
    assert_says("overdue 1");
    finish_job(job);
}
END_TEST

START_TEST(a_plain_task_runs_for_as_long_as_it_has_been_seen)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    print_now();
    assert_says(" runs task 1, for at least 0 us\n");
    test_clock_advance(WEIR_SECONDS(2));
    print_now();
    assert_says(" runs task 1, for at least 2.000 s\n");
    gate_open(&job->finish);
    settle_all();
}
END_TEST

START_TEST(a_plain_task_with_a_deadline_says_how_long_it_has)
{
    struct job *job;

    options.timeout_ns = WEIR_SECONDS(9);
    open_pool();
    job = start_new(act_wait);
    test_clock_advance(WEIR_SECONDS(2));
    print_now();
    assert_says(" runs task 1, for 2.000 s, 7.000 s left\n");
    gate_open(&job->finish);
    settle_all();
}
END_TEST

START_TEST(every_worker_is_told_however_many)
{
    struct job *jobs[20];
    char words[32];

    options.queue_capacity = 32;
    open_pool_of(20);
    for (int i = 0; i < 20; i++)
        jobs[i] = start_new(act_wait);
    print_now();
    for (int i = 0; i < 20; i++) {
        snprintf(words, sizeof(words), "  worker %d runs task ", i);
        assert_says(words);
    }
    for (int i = 0; i < 20; i++)
        finish_job(jobs[i]);
}
END_TEST

START_TEST(workers_that_a_resize_adds_are_told)
{
    struct job *jobs[3];

    open_pool_of(1);
    ck_assert_int_eq(weir_pool_resize(pool, 2), WEIR_OK);
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_OK);
    for (int i = 0; i < 3; i++)
        jobs[i] = start_new(act_wait);
    print_now();
    assert_says("  worker 0 runs");
    assert_says("  worker 1 runs");
    assert_says("  worker 2 runs");
    for (int i = 0; i < 3; i++)
        finish_job(jobs[i]);
}
END_TEST

START_TEST(a_pool_that_is_none_is_said)
{
    pid_t child;
    int status;

    weir_pool_print(NULL, paper);
    ck_assert_str_eq(read_page(), "no pool: it is NULL\n");
    open_pool();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        weir_pool_print(pool, paper);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    read_page();
    assert_says("a pool of the parent process");
}
END_TEST

/* ---------------------------------------------------- without the lock */

START_TEST(with_the_lock_taken_it_says_so_and_what_it_can_see)
{
    struct job *job = new_job(act_wait);
    weir_future *future;

    open_pool_of(2);
    future = submit_labelled(job, "invoice 4711");
    await_start(job);
    weir__mutex_lock(&pool->lock); /* as what a signal has interrupted may */
    print_now();
    weir__mutex_unlock(&pool->lock);
    assert_says("its lock was taken");
    assert_says(" runs task 1 \"invoice 4711\", for ");
    assert_says("accepted 1 = done 0 + running 1\n");
    finish_job(job);
    settle_all(); /* its worker is rid of it */
    weir__mutex_lock(&pool->lock);
    print_now();
    weir__mutex_unlock(&pool->lock);
    assert_is_silent_on("runs task");
    weir_future_release(future);
}
END_TEST

START_TEST(with_the_lock_taken_plain_tasks_are_counted_too)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    for (int i = 0; i < 3; i++)
        submit_new(act_answer);
    weir__mutex_lock(&pool->lock);
    print_now();
    weir__mutex_unlock(&pool->lock);
    assert_says("3 of 8 places taken");
    assert_says("accepted 4 = done 0 + queued 3 + running 1\n");
    assert_says(" runs task 1\n");
    gate_open(&job->finish);
    settle_all();
}
END_TEST

/* A word of a board and all others say the same. */
static struct {
    _Alignas(64) char half_a_line[32]; /* what lies in one is seen at once */
    struct weir__board board;
} astride;
static struct weir__flag enough;

static void write_boards(void *arg)
{
    struct weir__posted posted;

    (void)arg;
    for (uint64_t i = 1; !weir__flag_read(&enough); i++) {
        posted.task_id = posted.attempt = i;
        posted.since_ns = (int64_t)i;
        memset(posted.label, (int)(i % 256), sizeof(posted.label));
        weir__board_write(&astride.board, i % 8 == 0 ? NULL : &posted);
        for (int pauses = 0; pauses < 300; pauses++)
            weir__cpu_pause(); /* a reader may get through */
    }
}

START_TEST(a_board_that_is_being_written_is_not_read)
{
    struct weir__posted posted = {.task_id = 7};
    struct weir__posted read;

    weir__board_write(&astride.board, &posted);
    ck_assert(weir__board_read(&astride.board, &read));
    ck_assert_uint_eq(read.task_id, 7);
    weir__hint_write(&astride.board.version,
                     weir__hint_read(&astride.board.version) + 1);
    ck_assert(!weir__board_read(&astride.board, &read));
}
END_TEST

START_TEST(a_board_is_never_read_half_written)
{
    struct helper writer;
    uint64_t read = 0, last = 0, looks = 0;

    weir__flag_write(&enough, false);
    helper_start(&writer, write_boards, NULL);
    while (read < 2000 && looks++ < 1000000) {
        struct weir__posted p;

        if (!weir__board_read(&astride.board, &p) || p.task_id == 0 ||
            p.task_id == last)
            continue;
        read++;
        last = p.task_id;
        ck_assert(p.attempt == p.task_id);
        ck_assert(p.since_ns == (int64_t)p.task_id);
        for (size_t i = 0; i < sizeof(p.label); i++)
            ck_assert(p.label[i] == (char)(p.task_id % 256));
    }
    weir__flag_write(&enough, true);
    helper_join(&writer);
    ck_assert_uint_gt(read, 0);
}
END_TEST

/* ----------------------------------------------------- in signal handlers */

/* Ten thousand looks. */
enum { SUBMITTERS = 2, SIGNALS = 1250, PRINTS = 8 };

static weir_pool *volatile busy;
static struct weir__counter handled, errno_lost;
static uint64_t exact, glanced;

static void print_busy(int signal)
{
    int before = errno;

    (void)signal;
    for (int i = 0; i < PRINTS; i++)
        weir_pool_print(busy, paper);
    if (errno != before)
        weir__counter_add(&errno_lost, 1);
    weir__counter_add(&handled, 1);
}

static int pass_time(weir_task *task, void *item)
{
    (void)item;
    for (uint64_t i = weir_task_id(task) % 512; i > 0; i--)
        weir__cpu_pause();
    return 0;
}

/* Labels are one letter, so that a torn one shows. */
static void submit_hard(void *arg)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    char label[32] = "";

    (void)arg;
    spec.handler = pass_time;
    spec.label = label;
    for (unsigned i = 0; !weir__flag_read(&enough); i++) {
        bool plain = i % 64 < 16;

        memset(label, 'a' + (int)(i % 26), sizeof(label) - 1);
        ck_assert_int_eq(plain ? weir_pool_submit(busy, pass_time, NULL,
                                                  WEIR_FOREVER)
                               : weir_pool_submit_task(busy, &spec, NULL,
                                                       WEIR_FOREVER),
                         WEIR_OK);
    }
}

static void check_label(const char *line)
{
    const char *label = strchr(line, '"');

    if (!label)
        return;
    ck_assert_msg(label[1] >= 'a' && label[1] <= 'z', "%s", line);
    for (int i = 1; i <= 31; i++)
        ck_assert_msg(label[i] == label[1], "%s", line);
    ck_assert_msg(label[32] == '"', "%s", line);
}

static void check_ledger(const char *line)
{
    uint64_t accepted, part, sum = 0;
    const char *at;
    int used;

    ck_assert_int_eq(sscanf(line, "  accepted %" SCNu64 " = done %" SCNu64 "%n",
                            &accepted, &part, &used),
                     2);
    at = line + used;
    sum = part;
    while (sscanf(at, " + %*[a-z ]%" SCNu64 "%n", &part, &used) == 1) {
        sum += part;
        at += used;
    }
    ck_assert_msg(*at == '\0', "%s", line);
    ck_assert_msg(sum == accepted, "%s", line);
}

static bool begins(const char *line, const char *words)
{
    return strncmp(line, words, strlen(words)) == 0;
}

static void check_times(const char *line)
{
    ck_assert_msg(strstr(line, ", p90 ") && strstr(line, ", p99 ") &&
                      strstr(line, ", max "),
                  "%s", line);
}

/* Each line is one that there is, and whole. */
static void check_look(char *text)
{
    bool is_exact = !strstr(text, "its lock was taken");
    char *line, *rest = text;

    for (int i = 0; (line = strsep(&rest, "\n")) && *line; i++) {
        if (i == 0 && is_exact)
            check_ledger(line);
        else if (i == 0)
            ck_assert_msg(!strncmp(line, "  accepted ", 11), "%s", line);
        else if (i == 1)
            ck_assert_msg(!strncmp(line, "  refused 0, ", 13), "%s", line);
        else if (begins(line, "  worker "))
            check_label(line);
        else if (begins(line, "  waiting p50 ") ||
                 begins(line, "  running p50 "))
            check_times(line);
        else
            ck_assert_msg(strstr(line, "its lock was taken"), "%s", line);
    }
    ck_assert(line && !rest); /* all lines are ended */
    exact += is_exact;
    glanced += !is_exact;
}

static void check_page(char *text)
{
    static const char first[] = "pool \"hard\": ";
    char *next;

    ck_assert(strncmp(text, first, sizeof(first) - 1) == 0);
    do {
        next = strstr(text + 1, first);
        if (next)
            *next = '\0';
        text = strchr(text, '\n');
        ck_assert(text);
        check_look(text + 1);
        if (next)
            *next = first[0];
        text = next;
    } while (next);
}

static void set_handler(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

static void setup_storm(void)
{
    weir_pool_options hard = WEIR_POOL_OPTIONS_INIT;
    weir_pool *made;

    hard.name = "hard";
    hard.workers = 3;
    hard.queue_capacity = 16;
    hard.histograms = true;
    ck_assert_int_eq(weir_pool_create(&made, &hard), WEIR_OK);
    busy = made;
    paper = memfd_create("print", 0);
    ck_assert_int_ge(paper, 0);
    ck_assert_int_eq(fcntl(paper, F_SETFL, O_APPEND), 0);
    weir__flag_write(&enough, false);
    set_handler(print_busy);
}

static void teardown_storm(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    set_handler(SIG_DFL);
    ck_assert_int_eq(weir_pool_stop(busy, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_read_stats(busy, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    weir_pool_destroy(busy);
    close(paper);
}

START_TEST(signals_may_come_at_any_moment_of_a_busy_pool)
{
    struct helper submitters[SUBMITTERS];

    for (int i = 0; i < SUBMITTERS; i++)
        helper_start(&submitters[i], submit_hard, NULL);
    for (uint64_t i = 0; i < SIGNALS; i++) {
        ck_assert_int_eq(pthread_kill(submitters[i % SUBMITTERS].native,
                                      SIGUSR1),
                         0);
        while (weir__counter_read(&handled) <= i)
            sched_yield();
        read_page();
        check_page(page);
    }
    weir__flag_write(&enough, true);
    for (int i = 0; i < SUBMITTERS; i++)
        helper_join(&submitters[i]);
    ck_assert_uint_eq(exact + glanced, SIGNALS * PRINTS);
    ck_assert_uint_gt(exact, 0);
    ck_assert_uint_eq(weir__counter_read(&errno_lost), 0);
}
END_TEST

int main(void)
{
    const TTest *const said[] = {
        an_idle_pool_is_two_lines_and_a_bit,
        what_runs_is_told_with_label_and_times,
        what_its_submitter_runs_is_counted,
        what_is_not_due_is_told_and_so_is_a_stop,
        control_characters_of_a_label_are_not_said,
        what_overstays_is_told_apart,
        every_worker_is_told_however_many,
        workers_that_a_resize_adds_are_told,
        a_pool_that_is_none_is_said,
        with_the_lock_taken_it_says_so_and_what_it_can_see,
        NULL};
    const TTest *const plain[] = {
        a_plain_task_runs_for_as_long_as_it_has_been_seen,
        a_plain_task_with_a_deadline_says_how_long_it_has,
        with_the_lock_taken_plain_tasks_are_counted_too, NULL};
    const TTest *const boards[] = {a_board_that_is_being_written_is_not_read,
                                   a_board_is_never_read_half_written, NULL};
    const TTest *const signals[] = {
        signals_may_come_at_any_moment_of_a_busy_pool, NULL};
    const struct chapter chapters[] = {{"said", said, setup, teardown, 0, 0},
                                       {"plain", plain, setup_plain, teardown,
                                        0, 0},
                                       {"boards", boards, NULL, NULL, 0, 0},
                                       {"signals", signals, setup_storm,
                                        teardown_storm, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: print", chapters);
}
