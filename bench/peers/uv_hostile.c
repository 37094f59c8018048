/* SPDX-License-Identifier: MIT */
/* uv_hostile.c - libuv's uv_queue_work.  Its threads are those of the process,
 * and its end is the loop's. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "hostile.h"

struct call {
    uv_work_t request;
    void (*task)(void *arg);
    void *arg;
};

static void run(uv_work_t *request)
{
    struct call *call = request->data;

    call->task(call->arg);
}

static void done(uv_work_t *request, int status)
{
    (void)status;
    free(request->data);
}

static void *start(unsigned workers)
{
    static bool started;
    uv_loop_t *loop = malloc(sizeof(*loop));
    char count[16];

    snprintf(count, sizeof(count), "%u", workers);
    if (started || !loop || setenv("UV_THREADPOOL_SIZE", count, 1) ||
        uv_loop_init(loop)) {
        free(loop);
        return NULL;
    }
    started = true;
    return loop;
}

static bool submit(void *loop, void (*task)(void *arg), void *arg)
{
    struct call *call = malloc(sizeof(*call));

    if (!call)
        return false;
    call->task = task;
    call->arg = arg;
    call->request.data = call;
    return uv_queue_work(loop, &call->request, run, done) == 0;
}

static const char *end(void *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop) ? "UV_EBUSY" : NULL;
}

const struct hostile_pool hostile_pool = {.name = "libuv uv_queue_work",
                                          .version = uv_version_string,
                                          .start = start,
                                          .submit = submit,
                                          .end = end};
