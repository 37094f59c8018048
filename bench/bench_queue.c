/* SPDX-License-Identifier: MIT */
/* What does it cost to pass an 8-byte item through a queue of 1024? */
#include <pthread.h>
#include <stdlib.h>
#include <weir/queue.h>

#include "measure.h"
#include "peers/textbook.h"

enum { MOST_THREADS = 16 };

/* What the two queues have in common. */
struct passage {
    void (*put)(void *queue, uint64_t item);
    uint64_t (*get)(void *queue);
    void *queue;
};

struct part {
    const struct passage *passage;
    uint64_t first, count; /* of the items to put */
    uint64_t sum;          /* of the items got */
};

static void weir_put(void *queue, uint64_t item)
{
    if (weir_queue_put(queue, &item, WEIR_FOREVER))
        abort();
}

static uint64_t weir_get(void *queue)
{
    uint64_t item;

    if (weir_queue_get(queue, &item, WEIR_FOREVER))
        abort();
    return item;
}

static void text_put(void *queue, uint64_t item)
{
    textbook_queue_put(queue, item);
}

static uint64_t text_get(void *queue)
{
    return textbook_queue_get(queue);
}

static void *produce(void *arg)
{
    struct part *part = arg;

    for (uint64_t i = 0; i < part->count; i++)
        part->passage->put(part->passage->queue, part->first + i);
    return NULL;
}

static void *consume(void *arg)
{
    struct part *part = arg;

    for (uint64_t i = 0; i < part->count; i++)
        part->sum += part->passage->get(part->passage->queue);
    return NULL;
}

static uint64_t pass(const struct passage *passage, const struct work *work)
{
    struct part parts[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    unsigned n = work->producers + work->consumers;
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++) {
        bool puts = i < work->producers;
        uint64_t share =
            work->count / (puts ? work->producers : work->consumers);

        parts[i] = (struct part){passage, 1 + i * share, share, 0};
        if (pthread_create(&threads[i], NULL, puts ? produce : consume,
                           &parts[i]))
            abort();
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        sum += parts[i].sum;
    }
    return sum;
}

static uint64_t run_weir(const struct work *work)
{
    struct passage passage = {weir_put, weir_get, NULL};
    weir_queue *queue;
    uint64_t sum;

    if (weir_queue_create(&queue, sizeof(uint64_t), NULL))
        return UINT64_MAX;
    passage.queue = queue;
    sum = pass(&passage, work);
    weir_queue_destroy(queue);
    return sum;
}

static uint64_t run_textbook(const struct work *work)
{
    static struct textbook_queue queue;
    struct passage passage = {text_put, text_get, &queue};

    textbook_queue_init(&queue);
    return pass(&passage, work);
}

int main(int argc, char **argv)
{
    static const struct contender contenders[] = {{"weir", run_weir},
                                                  {"textbook", run_textbook},
                                                  {NULL, NULL}};
    static const struct work works[] = {
        {"1P1C", 1, 1, 1 << 20}, {"2P2C", 2, 2, 1 << 20},
        {"4P4C", 4, 4, 1 << 20}, {"1P4C", 1, 4, 1 << 20},
        {"4P1C", 4, 1, 1 << 20}, {NULL, 0, 0, 0},
    };

    static const struct bench bench = {
        "What does it cost to pass an 8-byte item through a queue "
        "of 1024?",
        contenders, works};

    return measure(&bench, argc, argv);
}
