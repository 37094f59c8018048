/* SPDX-License-Identifier: MIT */
/* textbook.c - one mutex, two conditions, one signal an operation; never
 * tuned: it is what the others are measured by. */
#include "peers/textbook.h"

void textbook_queue_init(struct textbook_queue *queue)
{
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
    queue->head = queue->count = 0;
}

void textbook_queue_put(struct textbook_queue *queue, uint64_t item)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == TEXTBOOK_CAPACITY)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    queue->items[(queue->head + queue->count++) % TEXTBOOK_CAPACITY] = item;
    pthread_cond_signal(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
}

uint64_t textbook_queue_get(struct textbook_queue *queue)
{
    uint64_t item;

    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    item = queue->items[queue->head];
    queue->head = (queue->head + 1) % TEXTBOOK_CAPACITY;
    queue->count--;
    pthread_cond_signal(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

static void *textbook_work(void *arg)
{
    struct textbook_pool *pool = arg;
    unsigned worker = __atomic_fetch_add(&pool->count, 1, __ATOMIC_SEQ_CST);
    uint64_t item;

    while ((item = textbook_queue_get(&pool->queue)) != 0)
        pool->run(worker, item);
    return NULL;
}

int textbook_pool_start(struct textbook_pool *pool, unsigned workers,
                        void (*run)(unsigned worker, uint64_t item))
{
    textbook_queue_init(&pool->queue);
    pool->run = run;
    pool->count = 0;
    for (unsigned i = 0; i < workers; i++)
        if (pthread_create(&pool->threads[i], NULL, textbook_work, pool))
            return -1;
    return 0;
}

void textbook_pool_stop(struct textbook_pool *pool)
{
    unsigned workers = __atomic_load_n(&pool->count, __ATOMIC_SEQ_CST);

    for (unsigned i = 0; i < workers; i++)
        textbook_queue_put(&pool->queue, 0);
    for (unsigned i = 0; i < workers; i++)
        pthread_join(pool->threads[i], NULL);
}
