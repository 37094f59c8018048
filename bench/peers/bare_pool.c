/* SPDX-License-Identifier: MIT */
/* bare_pool.c - threads that each do their share of the tasks, without a queue
 * and without asking anyone: what a pool is measured by when tasks compute. */
#include <pthread.h>
#include <stdlib.h>

#include "contender.h"
#include "pool_contender.h"

struct bare_pool {
    unsigned workers;
    uint64_t tasks; /* 1 to that */
    pthread_barrier_t gate;
    struct bare_worker {
        struct bare_pool *pool;
        pthread_t thread;
    } each[];
};

static void *work(void *arg)
{
    struct bare_worker *worker = arg;
    struct bare_pool *pool = worker->pool;
    unsigned index = (unsigned)(worker - pool->each);

    pthread_barrier_wait(&pool->gate);
    for (uint64_t i = 1 + index; i <= pool->tasks; i += pool->workers)
        pool_task(index, i);
    return NULL;
}

static void *start(unsigned workers, size_t capacity)
{
    struct bare_pool *pool =
        calloc(1, sizeof(*pool) + workers * sizeof(pool->each[0]));

    (void)capacity;
    if (!pool || pthread_barrier_init(&pool->gate, NULL, workers + 1))
        return NULL;
    pool->workers = workers;
    for (unsigned i = 0; i < workers; i++) {
        pool->each[i].pool = pool;
        if (pthread_create(&pool->each[i].thread, NULL, work, &pool->each[i]))
            return NULL;
    }
    return pool;
}

/* They know their tasks once they know how many there are. */
static void submit(void *pool, uint64_t item)
{
    ((struct bare_pool *)pool)->tasks = item;
}

static void finish(void *arg)
{
    struct bare_pool *pool = arg;

    pthread_barrier_wait(&pool->gate);
    for (unsigned i = 0; i < pool->workers; i++)
        pthread_join(pool->each[i].thread, NULL);
}

static void destroy(void *arg)
{
    struct bare_pool *pool = arg;

    pthread_barrier_destroy(&pool->gate);
    free(pool);
}

const struct pool_contender pool_contender = {.name = "bare threads",
                                              .bounded = true,
                                              .start = start,
                                              .submit = submit,
                                              .finish = finish,
                                              .destroy = destroy,
                                              .computes_only = true};
