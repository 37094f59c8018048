/* SPDX-License-Identifier: MIT */
/* test_metrics.c - figures for Prometheus; tests/edge/metrics.py reads them. */
#include <weir/metrics.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "pools.h"
#include "suite.h"

static char page[64 * 1024];
static int paper;

static void setup(void)
{
    pool_setup();
    paper = memfd_create("metrics", 0);
    ck_assert_int_ge(paper, 0);
    ck_assert_int_eq(fcntl(paper, F_SETFL, O_APPEND), 0);
}

static void teardown(void)
{
    pool_teardown();
    close(paper);
}

static void read_page(void)
{
    ssize_t size = pread(paper, page, sizeof(page) - 1, 0);

    ck_assert_int_ge(size, 0);
    page[size] = '\0';
    ck_assert_int_eq(ftruncate(paper, 0), 0);
}

static void assert_says(const char *line)
{
    ck_assert_msg(strstr(page, line), "no \"%s\" in:\n%s", line, page);
}

START_TEST(a_pools_figures_are_those_of_its_stats)
{
    struct job *job;

    options.name = "mill";
    options.queue_capacity = 2;
    options.on_full = WEIR_ON_FULL_REFUSE;
    open_pool();
    job = start_new(act_wait);
    submit_new(act_answer);
    submit_new(act_answer);
    ck_assert_int_eq(submit(new_job(act_answer)), WEIR_FULL);
    ck_assert_int_eq(weir_metrics_write(pool, paper), WEIR_OK);
    read_page();
    assert_says("# TYPE weir_pool_tasks_accepted_total counter\n"
                "weir_pool_tasks_accepted_total{pool=\"mill\"} 3\n");
    assert_says("weir_pool_tasks{pool=\"mill\",state=\"queued\"} 2\n");
    assert_says("weir_pool_tasks{pool=\"mill\",state=\"running\"} 1\n");
    assert_says("weir_pool_capacity_tasks{pool=\"mill\"} 2\n");
    assert_says("weir_pool_workers_busy{pool=\"mill\"} 1\n");
    assert_says("weir_pool_degraded{pool=\"mill\"} 0\n");
    finish_job(job);
    settle_all();
    ck_assert_int_eq(weir_metrics_write(pool, paper), WEIR_OK);
    read_page();
    assert_says(
        "weir_pool_tasks_settled_total{pool=\"mill\",outcome=\"done\"} 3\n");
}
END_TEST

START_TEST(a_full_disk_is_said)
{
    int full = open("/dev/full", O_WRONLY);

    open_pool();
    ck_assert_int_eq(weir_metrics_write(pool, full), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, ENOSPC);
    assert_error_names("metrics");
    assert_error_names(strerror(ENOSPC));
    close(full);
    ck_assert_int_eq(weir_metrics_write(pool, -1), WEIR_ESYSTEM);
    assert_error_names("fd -1");
}
END_TEST

START_TEST(what_is_no_pool_or_queue_is_refused)
{
    weir_queue *queue;
    const weir_queue *queues[2];
    const char *names[] = {"a", "a"};
    pid_t child;
    int status;

    ck_assert_int_eq(weir_metrics_write(NULL, paper), WEIR_EINVAL);
    ck_assert_int_eq(weir_metrics_write_pools(NULL, 1, paper), WEIR_EINVAL);
    ck_assert_int_eq(weir_queue_create(&queue, 1, NULL), WEIR_OK);
    queues[0] = queues[1] = queue;
    ck_assert_int_eq(weir_metrics_write_queues(queues, names, 2, paper),
                     WEIR_EINVAL);
    assert_error_names("\"a\"");
    ck_assert_int_eq(weir_metrics_write_queues(queues, names, 0, paper),
                     WEIR_EINVAL);
    names[1] = NULL;
    ck_assert_int_eq(weir_metrics_write_queues(queues, names, 2, paper),
                     WEIR_EINVAL);
    assert_error_names("names[1]");
    weir_queue_destroy(queue);
    open_pool();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(weir_metrics_write(pool, paper) != WEIR_FORKED);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    read_page();
    ck_assert_str_eq(page, "");
}
END_TEST

static weir_status write_all(void *arg)
{
    (void)arg;
    return weir_metrics_write(pool, paper);
}

START_TEST(whatever_fails_is_answered)
{
    options.histograms = true;
    open_pool();
    ck_assert_uint_ge(fault_sweep(write_all, NULL, WEIR_OK), 2);
}
END_TEST

int main(void)
{
    const TTest *const figures[] = {a_pools_figures_are_those_of_its_stats,
                                    a_full_disk_is_said,
                                    what_is_no_pool_or_queue_is_refused,
                                    whatever_fails_is_answered, NULL};
    const struct chapter chapters[] = {{"figures", figures, setup, teardown, 0,
                                        0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("metrics", chapters);
}
