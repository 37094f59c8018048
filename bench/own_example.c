/* SPDX-License-Identifier: MIT */
/* own_example.c - a queue of one's own, to start from: a ring, one lock, one
 * condition for everybody.  How much faster can yours be?
 *
 *   ./dev bench queue --queue bench/own_example.c
 */
#include "own_queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an item came or went, or it was closed */
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
    pthread_cond_init(&q->changed, NULL);
    q->capacity = capacity;
    return q;
}

int queue_put(struct queue *q, uint64_t item)
{
    int answer = -1;

    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    if (!q->closed) {
        q->items[(q->head + q->count++) % q->capacity] = item;
        pthread_cond_broadcast(&q->changed);
        answer = 0;
    }
    pthread_mutex_unlock(&q->lock);
    return answer;
}

int queue_get(struct queue *q, uint64_t *item)
{
    int answer = -1;

    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    if (q->count > 0) {
        *item = q->items[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->count--;
        pthread_cond_broadcast(&q->changed);
        answer = 0;
    }
    pthread_mutex_unlock(&q->lock);
    return answer;
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
