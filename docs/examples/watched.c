/* SPDX-License-Identifier: MIT */
/*
 * watched.c - what a pool shows of itself: one look, figures, a trace, a
 * picture.
 *
 *   watched [FOLDER]    where to leave metrics.prom, trace.json and
 * picture.svg; without it they are written and thrown away
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir.h>

static weir_pool *watched;

/* In another program: kill -USR1 its pid. */
static void print_pool(int signal)
{
    (void)signal;
    weir_pool_print(watched, STDERR_FILENO);
}

static int grind(weir_task *task, void *item)
{
    const int *bag = item;
    weir_status status = weir_task_sleep(task, WEIR_MS(1 + *bag % 5));

    if (*bag == 30)
        kill(getpid(), SIGUSR1); /* to the main thread */
    return status || *bag % 11 == 10 ? 1 : 0;
}

static int make_file(const char *folder, const char *name)
{
    char path[4096] = "/dev/null";

    if (folder)
        snprintf(path, sizeof(path), "%s/%s", folder, name);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

static weir_status write_files(const weir_events *events, const char *folder)
{
    weir_status status;
    int fd;

    fd = make_file(folder, "metrics.prom");
    status = weir_metrics_write(watched, fd);
    close(fd);
    fd = make_file(folder, "trace.json");
    if (!status)
        status = weir_trace_write(events, fd);
    close(fd);
    fd = make_file(folder, "picture.svg");
    if (!status)
        status = weir_picture_write(events, fd);
    close(fd);
    return status;
}

int main(int count, char **arguments)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    struct sigaction action = {.sa_handler = print_pool};
    weir_events *events;
    weir_status status;
    int bag = 0;

    if (weir_events_create(&events, NULL))
        return 1;
    options.name = "mill";
    options.workers = 3;
    options.queue_capacity = 8;
    options.item_size = sizeof(bag);
    options.events = events;
    options.histograms = true;
    if (weir_pool_create(&watched, &options))
        return 1;
    sigaction(SIGUSR1, &action, NULL);
    for (; bag < 60; bag++)
        if (weir_pool_submit_copy(watched, grind, &bag, WEIR_FOREVER))
            return 1;
    status = weir_pool_join(watched, WEIR_FOREVER);
    if (!status)
        status = write_files(events, count > 1 ? arguments[1] : NULL);
    if (status)
        fprintf(stderr, "%s\n", weir_last_error());
    weir_pool_destroy(watched);
    weir_events_destroy(events);
    return status == WEIR_OK ? 0 : 1;
}
