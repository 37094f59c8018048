/* SPDX-License-Identifier: MIT */
/* textbook_hostile.c - threads that get from the textbook's queue (textbook.c)
 * until they get no task each. */
#include <pthread.h>
#include <stdlib.h>

#include "contender.h"
#include "hostile.h"

enum { CAPACITY = 64, MOST_WORKERS = 16 };

struct textbook_pool {
    void *queue;
    unsigned workers;
    pthread_t threads[MOST_WORKERS];
};

/* An item: two words. */
union call {
    uint64_t words[2];
    struct {
        void (*task)(void *arg);
        void *arg;
    } is;
};

static void put(struct textbook_pool *pool, void (*task)(void *), void *arg)
{
    union call call = {{0}};

    call.is.task = task;
    call.is.arg = arg;
    contender.put(pool->queue, call.words);
}

static void *work(void *arg)
{
    struct textbook_pool *pool = arg;
    union call call;

    while (contender.get(pool->queue, call.words), call.is.task)
        call.is.task(call.is.arg);
    return NULL;
}

static void *start(unsigned workers)
{
    struct textbook_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return NULL;
    pool->queue = contender.create(CAPACITY, sizeof(union call));
    pool->workers = workers;
    for (unsigned i = 0; i < workers; i++)
        if (pthread_create(&pool->threads[i], NULL, work, pool))
            return NULL;
    return pool;
}

static bool submit(void *pool, void (*task)(void *arg), void *arg)
{
    put(pool, task, arg);
    return true;
}

static const char *end(void *arg)
{
    struct textbook_pool *pool = arg;

    for (unsigned i = 0; i < pool->workers; i++)
        put(pool, NULL, NULL);
    for (unsigned i = 0; i < pool->workers; i++)
        pthread_join(pool->threads[i], NULL);
    contender.destroy(pool->queue);
    free(pool);
    return NULL;
}

const struct hostile_pool hostile_pool = {.name = "textbook",
                                          .start = start,
                                          .submit = submit,
                                          .end = end};
