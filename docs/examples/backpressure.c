/* SPDX-License-Identifier: MIT */
/* backpressure.c - a fast producer and a slow consumer on a bounded queue. */
#include <pthread.h>
#include <stdio.h>
#include <weir.h>

enum { ITEMS = 1000, CAPACITY = 8 };

static void *consume(void *arg)
{
    weir_queue *queue = arg;
    static long sum;
    int item;

    while (weir_queue_get(queue, &item, WEIR_FOREVER) == WEIR_OK)
        sum += item;
    return &sum;
}

int main(void)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;
    weir_queue *queue;
    pthread_t consumer;
    void *sum;

    options.capacity = CAPACITY;
    if (weir_queue_create(&queue, sizeof(int), &options))
        return 1;
    if (pthread_create(&consumer, NULL, consume, queue))
        return 1;
    for (int i = 1; i <= ITEMS; i++) /* waits whenever 8 are inside */
        if (weir_queue_put(queue, &i, WEIR_FOREVER))
            return 1;
    weir_queue_close(queue); /* the consumer drains it, then hears CLOSED */
    pthread_join(consumer, &sum);

    weir_queue_read_stats(queue, &stats);
    printf("put %llu, never more than %zu inside, sum %ld\n",
           (unsigned long long)stats.put, stats.most, *(long *)sum);
    weir_queue_destroy(queue);
    return !(stats.most <= CAPACITY && *(long *)sum == ITEMS * (ITEMS + 1) / 2);
}
