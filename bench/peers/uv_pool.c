/* SPDX-License-Identifier: MIT */
/* uv_pool.c - libuv's uv_queue_work.  What is done comes back through the loop,
 * which the submitter runs: when all requests are out, until one returns. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "contender.h"
#include "pool_contender.h"

struct uv_pool {
    uv_loop_t loop;
    uv_work_t *free, all[]; /* its data: the next free one, or the item */
};

static void run(uv_work_t *request)
{
    pool_task(pool_worker(), (uintptr_t)request->data);
}

static void done(uv_work_t *request, int status)
{
    struct uv_pool *pool = request->loop->data;

    if (status)
        contender_failed("a request was cancelled");
    request->data = pool->free;
    pool->free = request;
}

/* Its threads are those of the process, started once. */
static void *start(unsigned workers, size_t capacity)
{
    struct uv_pool *pool =
        calloc(1, sizeof(*pool) + capacity * sizeof(pool->all[0]));
    char count[16];

    snprintf(count, sizeof(count), "%u", workers);
    if (!pool || setenv("UV_THREADPOOL_SIZE", count, 1) ||
        uv_loop_init(&pool->loop))
        return NULL;
    pool->loop.data = pool;
    pool->free = pool->all;
    for (size_t i = 1; i < capacity; i++)
        pool->all[i - 1].data = &pool->all[i];
    return pool;
}

static void submit(void *arg, uint64_t item)
{
    struct uv_pool *pool = arg;
    uv_work_t *request;

    while (!(request = pool->free))
        uv_run(&pool->loop, UV_RUN_ONCE);
    pool->free = request->data;
    request->data = (void *)(uintptr_t)item;
    if (uv_queue_work(&pool->loop, request, run, done))
        contender_failed("uv_queue_work");
}

/* Runs until nothing is out. */
static void finish(void *pool)
{
    uv_run(&((struct uv_pool *)pool)->loop, UV_RUN_DEFAULT);
}

static void destroy(void *pool)
{
    uv_loop_close(&((struct uv_pool *)pool)->loop);
    free(pool);
}

const struct pool_contender pool_contender = {.name = "libuv uv_queue_work",
                                              .version = uv_version_string,
                                              .bounded = true,
                                              .start = start,
                                              .submit = submit,
                                              .finish = finish,
                                              .destroy = destroy,
                                              .reap = finish};
