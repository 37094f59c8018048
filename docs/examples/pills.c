/* SPDX-License-Identifier: MIT */
/* pills.c - three consumers, told to stop one by one and then all at once. */
#include <pthread.h>
#include <stdio.h>
#include <weir.h>

enum { CONSUMERS = 3, ITEMS = 300 };

static void *consume(void *arg)
{
    weir_queue *queue = arg;
    weir_status status;
    long taken = 0;
    int item;

    while ((status = weir_queue_get(queue, &item, WEIR_FOREVER)) == WEIR_OK) {
        taken++;
        if (weir_queue_task_done(queue, 1))
            break;
    }
    printf("a consumer of %ld items stops: %s\n", taken,
           weir_status_text(status));
    return NULL;
}

static int put_items(weir_queue *queue)
{
    for (int i = 0; i < ITEMS; i++)
        if (weir_queue_put(queue, &i, WEIR_FOREVER))
            return 1;
    return 0;
}

int main(void)
{
    pthread_t consumers[CONSUMERS];
    weir_queue *queue;

    if (weir_queue_create(&queue, sizeof(int), NULL))
        return 1;
    for (int i = 0; i < CONSUMERS; i++)
        if (pthread_create(&consumers[i], NULL, consume, queue))
            return 1;

    /* One pill stops one consumer, behind all the items put before it. */
    if (put_items(queue) || weir_queue_poison(queue, 1) || put_items(queue))
        return 1;
    if (weir_queue_join(queue, WEIR_FOREVER)) /* all 600 are done */
        return 1;
    /* The classic pill, which each consumer leaves for the next. */
    if (weir_queue_poison(queue, WEIR_EVERY_CONSUMER))
        return 1;
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consumers[i], NULL);
    printf("unfinished: %zu\n", weir_queue_unfinished(queue));
    weir_queue_destroy(queue);
    return 0;
}
