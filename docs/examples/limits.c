/* SPDX-License-Identifier: MIT */
/* limits.c - eight workers, and a service that bears two calls at once and
 * fails for a while. */
#include <stdio.h>
#include <weir.h>

enum { CALLS = 40, AT_ONCE = 2, BREAK = 10 };

static weir_semaphore *host;  /* two at once */
static weir_rate *rate;       /* no more than a thousand a second */
static weir_breaker *breaker; /* left alone when it fails */
static weir_queue *outcomes;  /* what each call came to */

/* The service: the first calls fail. */
static int call_host(weir_task *task)
{
    if (weir_task_sleep(task, WEIR_MS(1)))
        return 1;
    return weir_task_id(task) <= BREAK;
}

static int fetch(weir_task *task, void *item)
{
    weir_breaker_pass pass;
    int code;

    (void)item;
    if (weir_semaphore_acquire(host, 1, WEIR_FOREVER) ||
        weir_rate_acquire(rate, 1, weir_deadline_after(WEIR_SECONDS(10))))
        return weir_task_fail(task, 3, "no turn");
    if (weir_breaker_enter(breaker, &pass))
        return weir_task_fail(task, 2, "the host is left alone");
    code = call_host(task);
    weir_breaker_leave(breaker, &pass,
                       code ? WEIR_RESULT_FAILED : WEIR_RESULT_OK);
    return code; /* the permit goes back by itself */
}

static void note(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    if (weir_queue_put(outcomes, &outcome->code, WEIR_NOW))
        fprintf(stderr, "lost one\n");
}

int main(void)
{
    weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
    weir_pool_options workers = WEIR_POOL_OPTIONS_INIT;
    int code, came_to[4] = {0};
    weir_pool *pool;

    options.window = BREAK;
    options.cool_down_ns = WEIR_SECONDS(60);
    workers.workers = 8;
    workers.on_settled = note;
    if (weir_semaphore_create(&host, AT_ONCE) ||
        weir_rate_create(&rate, 1000, 5) ||
        weir_breaker_create(&breaker, &options) ||
        weir_queue_create(&outcomes, sizeof(code), NULL) ||
        weir_pool_create(&pool, &workers))
        return 1;
    for (int i = 0; i < CALLS; i++)
        if (weir_pool_submit(pool, fetch, NULL, WEIR_FOREVER))
            return 1;
    if (weir_pool_join(pool, WEIR_FOREVER))
        return 1;
    while (weir_queue_get(outcomes, &code, WEIR_NOW) == WEIR_OK)
        came_to[code]++;
    printf("failed %d, then not called %s\n", came_to[1],
           weir_breaker_read(breaker) == WEIR_BREAKER_OPEN ? "any more" : "?");
    printf("free permits: %zu of %d\n", weir_semaphore_available(host),
           AT_ONCE);
    weir_pool_destroy(pool);
    weir_queue_destroy(outcomes);
    weir_breaker_destroy(breaker);
    weir_rate_destroy(rate);
    weir_semaphore_destroy(host);
    return came_to[3] != 0 || came_to[1] + came_to[2] + came_to[0] != CALLS ||
           came_to[1] < BREAK || came_to[1] > BREAK + AT_ONCE;
}
