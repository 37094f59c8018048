/* SPDX-License-Identifier: MIT */
/* weir.c - ten things that people do with a pool of threads, in weir; beside it
 * the same in seven others.  docs/coming-from.md shows what stands between
 * the marks, >> and <<. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

static weir_pool *pool;

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s: %s\n", what, weir_last_error());
    exit(1);
}

static void must(weir_status status)
{
    check(!status, weir_status_name(status));
}

static weir_ledger ledger(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    return stats.ledger;
}

/* ------------------------------------------------------- tasks for them all */

static int nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

/* Until it is asked to stop. */
static int linger(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_SECONDS(600)) ? 1 : 0;
}

/* ------------------------------------------------------------------ the ten */

static void make(void)
{
    /* >> 1 */
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 4;
    must(weir_pool_create(&pool, &options));

    must(weir_pool_resize(pool, 8));
    /* << */
    weir_pool_destroy(pool);
}

struct job {
    int number;
};

static atomic_int sum;

/* >> 2 */
static int work(weir_task *task, void *item)
{
    struct job *job = item;

    (void)task;
    sum += job->number;
    return 0;
}

static void free_job(void *arg, void *item)
{
    (void)arg;
    free(item);
}
/* << */

static void submit(void)
{
    struct job *job = malloc(sizeof(*job));
    /* >> 2 */
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.on_release = free_job; /* it ran, or never will */
    must(weir_pool_create(&pool, &options));

    /* << */
    check(job != NULL, "no memory");
    /* >> 2 */
    job->number = 7;
    if (weir_pool_submit(pool, work, job, WEIR_FOREVER))
        free(job); /* refused: it is still ours */
    /* << */
    must(weir_pool_join(pool, WEIR_FOREVER));
    weir_pool_destroy(pool);
    check(sum == 7, "the sum");
}

/* >> 3 */
static int square(weir_task *task, void *item)
{
    int n = *(int *)item;

    n *= n;
    return weir_task_result(task, &n, sizeof(n)) ? 1 : 0;
}
/* << */

static void result(void)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    int number = 7, answer = 0;

    must(weir_pool_create(&pool, NULL));
    /* >> 3 */
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;

    spec.handler = square;
    spec.item = &number;
    must(weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER));
    must(weir_future_wait(future, &outcome, WEIR_FOREVER));
    if (outcome.kind == WEIR_OUTCOME_DONE)
        answer = *(const int *)outcome.result;
    weir_future_release(future);
    /* << */
    check(answer == 49, "the answer");
    weir_pool_destroy(pool);
}

static void limit(void)
{
    weir_status status;
    int taken = 0;
    /* >> 4 */
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 4;
    options.queue_capacity = 100; /* never unbounded; 0: 1024 */
    must(weir_pool_create(&pool, &options));

    /* << */
    for (int i = 0; i < 4; i++)
        must(weir_pool_submit(pool, linger, NULL, WEIR_FOREVER));
    do {
        /* >> 4 */
        /* Waits for room; or says that there was none in time. */
        status = weir_pool_submit(pool, linger, NULL,
                                  weir_deadline_after(WEIR_MS(10)));
        /* << */
        taken += status == WEIR_OK;
    } while (!status);
    check(status == WEIR_TIMED_OUT && taken >= 96 && taken <= 100, "the limit");
    weir_pool_destroy(pool);
}

static void wait_for_all(void)
{
    must(weir_pool_create(&pool, NULL));
    /* >> 5 */
    for (int i = 0; i < 1000; i++)
        must(weir_pool_submit(pool, nothing, NULL, WEIR_FOREVER));
    must(weir_pool_join(pool, WEIR_FOREVER)); /* the pool stays open */
    /* << */
    check(ledger().done == 1000, "all");
    weir_pool_destroy(pool);
}

static void stop(void)
{
    weir_status status;
    weir_ledger end;

    must(weir_pool_create(&pool, NULL));
    for (int i = 0; i < 100; i++)
        must(weir_pool_submit(pool, nothing, NULL, WEIR_FOREVER));
    /* >> 6 */
    /* Runs what is there, */
    status = weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN,
                            weir_deadline_after(WEIR_SECONDS(10)));
    if (status == WEIR_TIMED_OUT) /* or no longer: cancels the rest */
        status = weir_pool_stop(pool, WEIR_STOP_NOW,
                                weir_deadline_after(WEIR_SECONDS(1)));
    if (status == WEIR_STUCK)
        fprintf(stderr, "some do not listen\n");
    end = ledger(); /* done, cancelled, ...: it balances */
    weir_pool_destroy(pool);
    /* << */
    check(!status && weir_ledger_balances(&end) &&
              end.done + end.cancelled == 100,
          "the ledger");
}

/* >> 7 */
static int scan(weir_task *task, void *item)
{
    for (char *at = item; *at; at++)
        if (weir_task_cancelled(task))
            return 1; /* asked to stop */
    return 0;
}
/* << */

static void cancel(void)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;
    char text[] = "text";

    must(weir_pool_create(&pool, NULL));
    spec.handler = scan;
    spec.item = text;
    must(weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER));
    must(weir_future_wait(future, NULL, WEIR_FOREVER));
    weir_future_release(future);
    spec.handler = linger;
    must(weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER));
    /* >> 7 */
    /* One that waits never starts; one that runs is asked. */
    must(weir_future_cancel(future));
    must(weir_future_wait(future, &outcome, WEIR_NOW));
    /* << */
    check(outcome.kind == WEIR_OUTCOME_CANCELLED, "the outcome");
    weir_future_release(future);
    weir_pool_destroy(pool);
}

static void time_limit(void)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;

    must(weir_pool_create(&pool, NULL));
    spec.handler = linger;
    /* >> 8 */
    spec.timeout_ns = WEIR_MS(20);            /* of its run, not of its wait */
    spec.time_to_live_ns = WEIR_SECONDS(600); /* of its wait */
    must(weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER));
    must(weir_future_wait(future, &outcome, WEIR_FOREVER));
    if (outcome.kind == WEIR_OUTCOME_TIMED_OUT)
        printf("after %lld ms\n", (long long)(outcome.ran_ns / WEIR_MS(1)));
    /* << */
    check(outcome.kind == WEIR_OUTCOME_TIMED_OUT, "the outcome");
    weir_future_release(future);
    weir_pool_destroy(pool);
}

static atomic_int failures;

/* >> 9 */
static int load(weir_task *task, void *item)
{
    FILE *file = fopen(item, "r");

    if (!file) /* return a number, or say more */
        return weir_task_fail(task, 2, "cannot open %s", (char *)item);
    fclose(file);
    return 0;
}

static void note(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    if (outcome->kind == WEIR_OUTCOME_DONE)
        return;
    fprintf(stderr, "%s: %s: %s\n", (const char *)item,
            weir_outcome_name(outcome->kind), outcome->message);
    failures++;
}
/* << */

static void failure(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    char path[] = "/no/such/file";
    /* >> 9 */
    options.on_settled = note;
    must(weir_pool_create(&pool, &options));
    /* << */
    must(weir_pool_submit(pool, load, path, WEIR_FOREVER));
    must(weir_pool_join(pool, WEIR_FOREVER));
    check(failures == 1 && ledger().failed == 1, "the failure");
    weir_pool_destroy(pool);
}

static void loop(void)
{
    uint64_t settled = 0;

    must(weir_pool_create(&pool, NULL));
    must(weir_pool_submit(pool, nothing, NULL, WEIR_FOREVER));
    /* >> 10 */
    struct pollfd source = {.fd = weir_pool_fd(pool), .events = POLLIN};

    while (settled < 1) {
        if (poll(&source, 1, -1) < 0) /* epoll, GLib, libuv: alike */
            break;
        settled = weir_pool_settled(pool);
        /* collect: futures with WEIR_NOW, a queue of answers */
    }
    /* << */
    check(settled == 1, "the loop");
    weir_pool_destroy(pool);
}

int main(void)
{
    make();
    submit();
    result();
    limit();
    wait_for_all();
    stop();
    cancel();
    time_limit();
    failure();
    loop();
    puts("ten things");
    return 0;
}
