/* SPDX-License-Identifier: MIT */
/* apr_pool.c - APR's apr_thread_pool, unbounded.  It cannot wait for its tasks;
 * they begin in turn, so all are done when each worker is in one more. */
#include <apr_general.h>
#include <apr_thread_pool.h>
#include <apu_version.h>
#include <pthread.h>

#include "contender.h"
#include "pool_contender.h"

struct apr_tasks {
    apr_pool_t *memory;
    apr_thread_pool_t *threads;
    pthread_barrier_t end;
};

static void *run(apr_thread_t *thread, void *item)
{
    (void)thread;
    pool_task(pool_worker(), (uintptr_t)item);
    return NULL;
}

static void *run_last(apr_thread_t *thread, void *end)
{
    (void)thread;
    pthread_barrier_wait(end);
    return NULL;
}

static void *start(unsigned workers, size_t capacity)
{
    static struct apr_tasks only, *pool = &only; /* one at a time */

    (void)capacity;
    if (apr_initialize() || apr_pool_create(&pool->memory, NULL) ||
        apr_thread_pool_create(&pool->threads, workers, workers,
                               pool->memory) ||
        pthread_barrier_init(&pool->end, NULL, workers + 1))
        return NULL;
    return pool;
}

static void push(struct apr_tasks *pool, apr_thread_start_t task, void *arg)
{
    if (apr_thread_pool_push(pool->threads, task, arg,
                             APR_THREAD_TASK_PRIORITY_NORMAL, NULL))
        contender_failed("apr_thread_pool_push");
}

static void submit(void *pool, uint64_t item)
{
    push(pool, run, (void *)(uintptr_t)item);
}

static void finish(void *arg)
{
    struct apr_tasks *pool = arg;
    apr_size_t workers = apr_thread_pool_thread_max_get(pool->threads);

    while (workers-- > 0)
        push(pool, run_last, &pool->end);
    pthread_barrier_wait(&pool->end);
}

static void destroy(void *arg)
{
    struct apr_tasks *pool = arg;

    apr_thread_pool_destroy(pool->threads);
    pthread_barrier_destroy(&pool->end);
    apr_pool_destroy(pool->memory);
}

const struct pool_contender pool_contender = {.name = "APR apr_thread_pool",
                                              .version = apu_version_string,
                                              .start = start,
                                              .submit = submit,
                                              .finish = finish,
                                              .destroy = destroy};
