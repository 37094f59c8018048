/* SPDX-License-Identifier: MIT */
/* check_outside.c - a queue with a bug: it looks before it has the lock. */
#include "own_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t capacity, head;
    atomic_size_t count; /* so that it can be looked at without the lock */
    bool closed;
    uint64_t items[];
};

struct queue *queue_create(size_t capacity)
{
    struct queue *q = calloc(1, sizeof(*q) + capacity * sizeof(q->items[0]));

    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    q->capacity = capacity;
    return q;
}

int queue_put(struct queue *q, uint64_t item)
{
    bool accepted;

    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    accepted = !q->closed;
    if (accepted) {
        q->items[(q->head + q->count) % q->capacity] = item;
        q->count++;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return accepted ? 0 : -1;
}

static bool wait_for_item(struct queue *q)
{
    while (q->count == 0 && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    return q->count > 0;
}

int queue_get(struct queue *q, uint64_t *item)
{
    bool there = q->count > 0;

    pthread_mutex_lock(&q->lock);
    if (!there)
        there = wait_for_item(q);
    if (there) {
        *item = q->items[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->count--;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return there ? 0 : -1;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void queue_destroy(struct queue *q)
{
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
