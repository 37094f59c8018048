/* SPDX-License-Identifier: MIT */
/* textbook_pool.c - threads that get from the textbook's queue (textbook.c)
 * until they get a zero each. */
#include <pthread.h>
#include <stdlib.h>

#include "contender.h"
#include "pool_contender.h"

struct textbook_pool {
    void *queue;
    unsigned workers;
    struct textbook_worker {
        struct textbook_pool *pool;
        pthread_t thread;
    } each[];
};

static void *work(void *arg)
{
    struct textbook_worker *worker = arg;
    unsigned index = (unsigned)(worker - worker->pool->each);
    uint64_t item;

    while (contender.get(worker->pool->queue, &item), item != 0)
        pool_task(index, item);
    return NULL;
}

static void *start(unsigned workers, size_t capacity)
{
    struct textbook_pool *pool =
        malloc(sizeof(*pool) + workers * sizeof(pool->each[0]));

    if (!pool)
        return NULL;
    pool->queue = contender.create(capacity, sizeof(uint64_t));
    pool->workers = workers;
    for (unsigned i = 0; i < workers; i++) {
        pool->each[i].pool = pool;
        if (pthread_create(&pool->each[i].thread, NULL, work, &pool->each[i]))
            return NULL;
    }
    return pool;
}

static void submit(void *pool, uint64_t item)
{
    contender.put(((struct textbook_pool *)pool)->queue, &item);
}

static void finish(void *arg)
{
    struct textbook_pool *pool = arg;

    for (unsigned i = 0; i < pool->workers; i++)
        submit(pool, 0);
    for (unsigned i = 0; i < pool->workers; i++)
        pthread_join(pool->each[i].thread, NULL);
}

static void destroy(void *arg)
{
    struct textbook_pool *pool = arg;

    contender.destroy(pool->queue);
    free(pool);
}

const struct pool_contender pool_contender = {.name = "textbook",
                                              .bounded = true,
                                              .start = start,
                                              .submit = submit,
                                              .finish = finish,
                                              .destroy = destroy};
