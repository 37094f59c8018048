/* SPDX-License-Identifier: MIT */
/* glib_pool.c - GLib's GThreadPool, exclusive: unbounded, its tasks pointers
 * for one function. */
#include <glib.h>

#include "contender.h"
#include "pool_contender.h"

static const char *version(void)
{
    static char text[32];

    g_snprintf(text, sizeof(text), "%u.%u.%u", glib_major_version,
               glib_minor_version, glib_micro_version);
    return text;
}

static void run(void *item, void *unused)
{
    (void)unused;
    pool_task(pool_worker(), (uintptr_t)item);
}

static void *start(unsigned workers, size_t capacity)
{
    (void)capacity;
    return g_thread_pool_new(run, NULL, (int)workers, TRUE, NULL);
}

static void submit(void *pool, uint64_t item)
{
    if (!g_thread_pool_push(pool, (void *)(uintptr_t)item, NULL))
        contender_failed("g_thread_pool_push");
}

/* Waiting and freeing are one. */
static void finish(void *pool)
{
    g_thread_pool_free(pool, FALSE, TRUE);
}

static void destroy(void *pool)
{
    (void)pool;
}

const struct pool_contender pool_contender = {.name = "GLib GThreadPool",
                                              .version = version,
                                              .start = start,
                                              .submit = submit,
                                              .finish = finish,
                                              .destroy = destroy};
