/* SPDX-License-Identifier: MIT */
/* signal_for_broadcast.c - a queue with a bug: the end is told to one only. */
#include "own_queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct node {
    struct node *next;
    uint64_t item;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    size_t room;
    struct node *first;
    struct node **end; /* where the next one goes */
    bool closed;
};

struct queue *queue_create(size_t capacity)
{
    struct queue *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    pthread_cond_init(&q->not_full, NULL);
    q->room = capacity;
    q->end = &q->first;
    return q;
}

static void append(struct queue *q, struct node *node)
{
    *q->end = node;
    q->end = &node->next;
    q->room--;
    pthread_cond_signal(&q->not_empty);
}

int queue_put(struct queue *q, uint64_t item)
{
    struct node *node = malloc(sizeof(*node));
    bool accepted;

    if (!node)
        abort();
    *node = (struct node){NULL, item};
    pthread_mutex_lock(&q->lock);
    while (q->room == 0 && !q->closed)
        pthread_cond_wait(&q->not_full, &q->lock);
    accepted = !q->closed;
    if (accepted)
        append(q, node);
    pthread_mutex_unlock(&q->lock);
    if (!accepted)
        free(node);
    return accepted ? 0 : -1;
}

int queue_get(struct queue *q, uint64_t *item)
{
    struct node *node;

    pthread_mutex_lock(&q->lock);
    while (!q->first && !q->closed)
        pthread_cond_wait(&q->not_empty, &q->lock);
    node = q->first;
    if (node) {
        q->first = node->next;
        if (!q->first)
            q->end = &q->first;
        q->room++;
        pthread_cond_signal(&q->not_full);
    }
    pthread_mutex_unlock(&q->lock);
    if (!node)
        return -1;
    *item = node->item;
    free(node);
    return 0;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_signal(&q->not_empty);
    pthread_cond_signal(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}

void queue_destroy(struct queue *q)
{
    while (q->first) {
        struct node *node = q->first;

        q->first = node->next;
        free(node);
    }
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
