/* SPDX-License-Identifier: MIT */
/* textbook.c - one mutex, two conditions, one signal an operation; never
 * tuned: it is what the others are measured by. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"

struct textbook {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    size_t capacity, item_size, head, count;
    char items[];
};

static void *create(size_t capacity, size_t item_size)
{
    struct textbook *q = calloc(1, sizeof(*q) + capacity * item_size);

    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    pthread_cond_init(&q->not_full, NULL);
    q->capacity = capacity;
    q->item_size = item_size;
    return q;
}

static void put(void *queue, const uint64_t *item)
{
    struct textbook *q = queue;

    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity)
        pthread_cond_wait(&q->not_full, &q->lock);
    memcpy(q->items + (q->head + q->count) % q->capacity * q->item_size, item,
           q->item_size);
    q->count++;
    pthread_cond_signal(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}

static void get(void *queue, uint64_t *item)
{
    struct textbook *q = queue;

    pthread_mutex_lock(&q->lock);
    while (q->count == 0)
        pthread_cond_wait(&q->not_empty, &q->lock);
    memcpy(item, q->items + q->head * q->item_size, q->item_size);
    q->head = (q->head + 1) % q->capacity;
    q->count--;
    pthread_cond_signal(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}

static void destroy(void *queue)
{
    struct textbook *q = queue;

    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

const struct contender contender = {.name = "mutex, two conditions",
                                    .bounded = true,
                                    .create = create,
                                    .put = put,
                                    .get = get,
                                    .destroy = destroy};
