/* SPDX-License-Identifier: MIT */
/* textbook.h - the queue and the pool that one would write by hand. */
#ifndef BENCH_TEXTBOOK_H
#define BENCH_TEXTBOOK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXTBOOK_CAPACITY = 1024, TEXTBOOK_WORKERS = 64 };

struct textbook_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    uint64_t items[TEXTBOOK_CAPACITY];
    size_t head, count;
};

void textbook_queue_init(struct textbook_queue *queue);
void textbook_queue_put(struct textbook_queue *queue, uint64_t item);
uint64_t textbook_queue_get(struct textbook_queue *queue);

/* Workers that call run(worker, item); item 0 ends one of them. */
struct textbook_pool {
    struct textbook_queue queue;
    void (*run)(unsigned worker, uint64_t item);
    unsigned count;
    pthread_t threads[TEXTBOOK_WORKERS];
};

int textbook_pool_start(struct textbook_pool *pool, unsigned workers,
                        void (*run)(unsigned worker, uint64_t item));
void textbook_pool_stop(struct textbook_pool *pool);

#endif /* BENCH_TEXTBOOK_H */
