/* SPDX-License-Identifier: MIT */
/*
 * sample_trace.c - a run with a bit of everything, as a trace for trace.py.
 *
 *   sample_trace [picture]    to the standard output; or the picture of it
 */
#include <weir.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PRODUCERS = 3, TASKS = 40 };

static weir_pool *pool;
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER; /* shut at first */

/* What becomes of a task, by its number. */
static int handle(weir_task *task, void *item)
{
    size_t number = *(const size_t *)item;
    weir_status status;

    pthread_mutex_lock(&door);
    pthread_mutex_unlock(&door);
    status = weir_task_sleep(task, WEIR_US(200 + number % 7 * 100));
    if (number % 10 == 3)
        return weir_task_attempt(task) < 3 ? 1 : 0;
    if (number % 10 == 5)
        return 2;
    if (number % 10 == 7)
        status = weir_task_sleep(task, WEIR_SECONDS(60));
    if (number % 20 == 9)
        pthread_exit(NULL);
    return status == WEIR_OK ? 0 : 3;
}

static void *produce(void *arg)
{
    for (size_t i = 0; i < TASKS; i++) {
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        spec.handler = handle;
        spec.item = &i;
        spec.copy = true;
        if (i % 10 == 7)
            spec.timeout_ns = WEIR_MS(20);
        if (weir_pool_submit_task(pool, &spec, NULL, WEIR_FOREVER))
            return arg;
    }
    return NULL;
}

/* While nothing runs: so each of them waits once at least. */
static void await_blocked_producers(weir_events *events)
{
    weir_events_cursor cursor = WEIR_EVENTS_CURSOR_INIT;
    weir_event event;
    int blocked = 0;

    while (blocked < PRODUCERS)
        if (weir_events_read(events, &cursor, &event, 1) == 0)
            sched_yield();
        else
            blocked += event.kind == WEIR_EVENT_BLOCKED;
}

static int run(weir_events *events)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;
    pthread_t producers[PRODUCERS];
    int failed = 0;

    retry.max_attempts = 3;
    retry.base_ns = WEIR_MS(1);
    options.name = "mill \"1\"";
    options.workers = 4;
    options.queue_capacity = 5;
    options.item_size = sizeof(size_t);
    options.retry = &retry;
    options.events = events;
    if (weir_pool_create(&pool, &options))
        return 1;
    pthread_mutex_lock(&door);
    for (int i = 0; i < PRODUCERS; i++)
        failed |= pthread_create(&producers[i], NULL, produce, pool);
    await_blocked_producers(events);
    pthread_mutex_unlock(&door);
    for (int i = 0; i < PRODUCERS; i++) {
        void *answer;

        pthread_join(producers[i], &answer);
        failed |= answer != NULL;
    }
    failed |= weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER) != 0;
    weir_pool_destroy(pool);
    return failed;
}

int main(int count, char **arguments)
{
    weir_events *events;
    int failed;

    if (weir_events_create(&events, NULL))
        return 1;
    failed = run(events);
    failed |= (count > 1 && !strcmp(arguments[1], "picture")
                   ? weir_picture_write(events, STDOUT_FILENO)
                   : weir_trace_write(events, STDOUT_FILENO)) != WEIR_OK;
    if (failed)
        fprintf(stderr, "%s\n", weir_last_error());
    weir_events_destroy(events);
    return failed;
}
