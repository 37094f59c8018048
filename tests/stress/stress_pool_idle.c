/* SPDX-License-Identifier: MIT */
/* stress_pool_idle.c - an idle pool costs nothing: its threads do not run. */
#include <weir/pool.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "suite.h"

/* The pool's own: a sanitizer may have threads too. */
static bool is_of_pool(const char *thread)
{
    char path[300], name[32] = "";
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", thread);
    file = fopen(path, "r");
    if (!file)
        return false; /* . and .. */
    ck_assert_ptr_nonnull(fgets(name, sizeof(name), file));
    fclose(file);
    return strncmp(name, "weir/", 5) == 0;
}

static long switches_of(const char *thread)
{
    char path[300], line[200];
    long voluntary = -1, involuntary = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
            voluntary = strtol(line + 24, NULL, 10);
        if (strncmp(line, "nonvoluntary_ctxt_switches:", 27) == 0)
            involuntary = strtol(line + 27, NULL, 10);
    }
    fclose(file);
    ck_assert_int_ge(voluntary, 0);
    return voluntary + involuntary;
}

/* Of all the pool's threads. */
static long switches_of_pool(int *threads)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    long sum = 0;

    ck_assert_ptr_nonnull(tasks);
    *threads = 0;
    while ((entry = readdir(tasks)) != NULL) {
        if (!is_of_pool(entry->d_name))
            continue;
        sum += switches_of(entry->d_name);
        ++*threads;
    }
    closedir(tasks);
    return sum;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000,
                                   .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static int overstay(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_SECONDS(1)) == WEIR_OK;
}

/* The pauses are of the real clock: nothing is ordered by them. */
START_TEST(the_threads_of_an_idle_pool_do_not_run)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    int threads_before, threads_after;
    weir_pool *pool = NULL;
    long before, after;

    options.workers = 4;
    options.timeout_ns = WEIR_MS(5);
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(weir_pool_submit(pool, do_nothing, NULL, WEIR_FOREVER),
                         WEIR_OK);
    ck_assert_int_eq(weir_pool_submit(pool, overstay, NULL, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
    pause_ms(100); /* they park; one moment that became void passes */
    before = switches_of_pool(&threads_before);
    pause_ms(300);
    after = switches_of_pool(&threads_after);
    ck_assert_int_ge(threads_before, 5);
    ck_assert_int_eq(threads_after, threads_before);
    ck_assert_int_eq(after, before);
    weir_pool_destroy(pool);
}
END_TEST

int main(void)
{
    const TTest *const idle[] = {the_threads_of_an_idle_pool_do_not_run, NULL};
    const struct chapter chapters[] = {{"idle", idle, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: idle", chapters);
}
