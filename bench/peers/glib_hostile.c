/* SPDX-License-Identifier: MIT */
/* glib_hostile.c - GLib's GThreadPool, exclusive. */
#include <glib.h>

#include "hostile.h"

struct call {
    void (*task)(void *arg);
    void *arg;
};

static const char *version(void)
{
    static char text[32];

    g_snprintf(text, sizeof(text), "%u.%u.%u", glib_major_version,
               glib_minor_version, glib_micro_version);
    return text;
}

static void run(void *item, void *unused)
{
    struct call call = *(struct call *)item;

    (void)unused;
    g_free(item);
    call.task(call.arg);
}

static void *start(unsigned workers)
{
    return g_thread_pool_new(run, NULL, (int)workers, TRUE, NULL);
}

static bool submit(void *pool, void (*task)(void *arg), void *arg)
{
    struct call *call = g_new(struct call, 1);

    *call = (struct call){task, arg};
    return g_thread_pool_push(pool, call, NULL);
}

static const char *end(void *pool)
{
    g_thread_pool_free(pool, FALSE, TRUE);
    return NULL;
}

const struct hostile_pool hostile_pool = {.name = "GLib GThreadPool",
                                          .version = version,
                                          .start = start,
                                          .submit = submit,
                                          .end = end};
