/* SPDX-License-Identifier: MIT */
/* logged.c - what an operator must know: on standard error, and counted. */
#include <pthread.h>
#include <stdio.h>
#include <weir.h>

static int errors, warnings; /* by on_log, read when the pool has ended */

/* Counts what matters here, and has the rest written. */
static void log_and_count(void *arg, const weir_log_record *record)
{
    errors += record->level == WEIR_LOG_ERROR;
    warnings += record->level == WEIR_LOG_WARNING;
    weir_log_stderr(arg, record);
}

static int fail(weir_task *task, void *item)
{
    return weir_task_fail(task, 503, "host %s is busy", (char *)item);
}

static int leave(weir_task *task, void *item)
{
    (void)task;
    pthread_exit(item);
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;
    weir_pool *pool;
    int refused = 0;

    retry.max_attempts = 3;
    retry.base_ns = WEIR_MS(1);
    options.name = "fetch";
    options.retry = &retry;
    options.on_log = log_and_count;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    refused += weir_pool_submit(pool, fail, "alpha", WEIR_FOREVER) != WEIR_OK;
    refused += weir_pool_submit(pool, leave, "beta", WEIR_FOREVER) != WEIR_OK;
    refused += weir_pool_join(pool, WEIR_FOREVER) != WEIR_OK;
    weir_pool_destroy(pool);
    printf("%d errors, %d warnings\n", errors, warnings);
    return refused || errors != 0 || warnings != 2;
}
