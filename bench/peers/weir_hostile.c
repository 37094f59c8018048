/* SPDX-License-Identifier: MIT */
/* weir_hostile.c - weir's pool; its end gives a drain a second. */
#include <stdlib.h>
#include <weir/pool.h>
#include <weir/queue.h>
#include <weir/version.h>

#include "hostile.h"

/* An item, by value. */
struct call {
    void (*task)(void *arg);
    void *arg;
};

static int handle(weir_task *task, void *item)
{
    const struct call *call = item;

    (void)task;
    call->task(call->arg);
    return 0;
}

static void *start(unsigned workers)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool *pool;

    options.workers = workers;
    options.item_size = sizeof(struct call);
    return weir_pool_create(&pool, &options) ? NULL : pool;
}

static bool submit(void *pool, void (*task)(void *arg), void *arg)
{
    struct call call = {task, arg};

    return weir_pool_submit_copy(pool, handle, &call, WEIR_FOREVER) == WEIR_OK;
}

static const char *end(void *pool)
{
    weir_deadline deadline = weir_deadline_after(WEIR_SECONDS(1));
    weir_status status = weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, deadline);

    if (status == WEIR_TIMED_OUT)
        status = weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_NOW);
    weir_pool_destroy(pool);
    return status ? weir_status_name(status) : NULL;
}

static unsigned close_queue(void)
{
    weir_queue *queue;
    unsigned got = 0;
    int item;

    if (weir_queue_create(&queue, sizeof(item), NULL))
        return 0;
    for (item = 1; item <= 3; item++)
        if (weir_queue_put(queue, &item, WEIR_NOW))
            return 0;
    weir_queue_close(queue);
    while (weir_queue_get(queue, &item, WEIR_FOREVER) == WEIR_OK)
        got++;
    weir_queue_destroy(queue);
    return got;
}

const struct hostile_pool hostile_pool = {.name = "weir",
                                          .version = weir_version,
                                          .start = start,
                                          .submit = submit,
                                          .end = end,
                                          .close_queue = close_queue};
