/* SPDX-License-Identifier: MIT */
/* if_for_while.c - a queue with a bug: who wakes does not look again. */
#include "own_queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    size_t capacity, head, count;
    bool closed;
    uint64_t items[];
};

struct queue *queue_create(size_t capacity)
{
    struct queue *q = calloc(1, sizeof(*q) + capacity * sizeof(q->items[0]));

    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    pthread_cond_init(&q->not_full, NULL);
    q->capacity = capacity;
    return q;
}

int queue_put(struct queue *q, uint64_t item)
{
    bool accepted;

    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity && !q->closed)
        pthread_cond_wait(&q->not_full, &q->lock);
    accepted = !q->closed;
    if (accepted) {
        q->items[(q->head + q->count++) % q->capacity] = item;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);
    return accepted ? 0 : -1;
}

int queue_get(struct queue *q, uint64_t *item)
{
    bool there;

    pthread_mutex_lock(&q->lock);
    if (q->count == 0 && !q->closed)
        pthread_cond_wait(&q->not_empty, &q->lock);
    there = q->count > 0 || !q->closed;
    if (there) {
        *item = q->items[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->count--;
        pthread_cond_signal(&q->not_full);
    }
    pthread_mutex_unlock(&q->lock);
    return there ? 0 : -1;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}

void queue_destroy(struct queue *q)
{
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
