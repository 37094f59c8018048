/* SPDX-License-Identifier: MIT */
/* apr_hostile.c - APR's apr_thread_pool, and its apr_queue.  The pool's end
 * drops what waits, so that gets a second before it. */
#include <apr_general.h>
#include <apr_queue.h>
#include <apr_thread_pool.h>
#include <apu_version.h>
#include <stdlib.h>
#include <time.h>

#include "hostile.h"

struct call {
    void (*task)(void *arg);
    void *arg;
};

static apr_pool_t *new_memory(void)
{
    apr_pool_t *memory;

    return apr_initialize() || apr_pool_create(&memory, NULL) ? NULL : memory;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *item)
{
    struct call call = *(struct call *)item;

    (void)thread;
    free(item);
    call.task(call.arg);
    return NULL;
}

static void *start(unsigned workers)
{
    apr_pool_t *memory = new_memory();
    apr_thread_pool_t *pool;

    if (!memory || apr_thread_pool_create(&pool, workers, workers, memory))
        return NULL;
    return pool;
}

static bool submit(void *pool, void (*task)(void *arg), void *arg)
{
    struct call *call = malloc(sizeof(*call));

    if (!call)
        return false;
    *call = (struct call){task, arg};
    return apr_thread_pool_push(pool, run, call,
                                APR_THREAD_TASK_PRIORITY_NORMAL,
                                NULL) == APR_SUCCESS;
}

static const char *end(void *pool)
{
    struct timespec nap = {0, 1000000};

    for (int i = 0; i < 1000 && apr_thread_pool_tasks_count(pool) > 0; i++)
        nanosleep(&nap, NULL);
    return apr_thread_pool_destroy(pool) ? "an error" : NULL;
}

static unsigned close_queue(void)
{
    apr_pool_t *memory = new_memory();
    apr_queue_t *queue;
    unsigned got = 0;
    void *item;

    if (!memory || apr_queue_create(&queue, 8, memory))
        return 0;
    for (uintptr_t i = 1; i <= 3; i++)
        if (apr_queue_push(queue, (void *)i))
            return 0;
    apr_queue_term(queue);
    while (apr_queue_pop(queue, &item) == APR_SUCCESS)
        got++;
    return got;
}

const struct hostile_pool hostile_pool = {.name = "APR apr_thread_pool",
                                          .version = apu_version_string,
                                          .start = start,
                                          .submit = submit,
                                          .end = end,
                                          .close_queue = close_queue};
