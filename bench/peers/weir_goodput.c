/* SPDX-License-Identifier: MIT */
/*
 * weir_goodput.c - weir's pool at twice its capacity, with one policy.
 *
 *   weir_goodput POLICY SECONDS
 *
 * Four workers, 20 ms a task: 200 a second can be done, 400 come, each at its
 * own moment whatever the pool says.  What is done more than 100 ms after it
 * came is of no use to anybody.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/pool.h>

enum {
    WORKERS = 4,
    SERVICE_MS = 20,
    DEADLINE_MS = 100,
    SPARE_MS = 6,  /* for sleeps and wake-ups that take longer */
    RATE = 400,    /* tasks that come in a second */
    LONG = 100000, /* places: nothing is ever refused */
    SHORT = 12     /* what can be done in time, and a little less */
};

static const struct policy {
    const char *name;
    size_t capacity;
    weir_on_full on_full;
    int64_t time_to_live_ns, codel_target_ns;
} policies[] = {
    {.name = "fifo", .capacity = LONG, .on_full = WEIR_ON_FULL_REFUSE},
    {.name = "refuse", .capacity = SHORT, .on_full = WEIR_ON_FULL_REFUSE},
    {.name = "drop-oldest",
     .capacity = SHORT,
     .on_full = WEIR_ON_FULL_DROP_OLDEST},
    {.name = "time-to-live",
     .capacity = LONG,
     .on_full = WEIR_ON_FULL_REFUSE,
     .time_to_live_ns = WEIR_MS(DEADLINE_MS - SERVICE_MS - SPARE_MS)},
    {.name = "codel",
     .capacity = LONG,
     .on_full = WEIR_ON_FULL_REFUSE,
     .codel_target_ns = WEIR_MS((DEADLINE_MS - SERVICE_MS - SPARE_MS) / 2)},
};

static atomic_uint good, done;
static atomic_bool over;

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    struct timespec at = {at_ns / 1000000000, at_ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
        continue;
}

/* The item is the moment when it came. */
static int serve(weir_task *task, void *item)
{
    int64_t came_ns;

    memcpy(&came_ns, item, sizeof(came_ns));
    if (weir_task_sleep(task, WEIR_MS(SERVICE_MS)))
        return 1;
    if (atomic_load(&over))
        return 0;
    atomic_fetch_add(&done, 1);
    if (now_ns() - came_ns <= WEIR_MS(DEADLINE_MS))
        atomic_fetch_add(&good, 1);
    return 0;
}

/* Each is offered when it is due; one that is let in is the pool's affair. */
static bool offer_all(weir_pool *pool, unsigned count)
{
    int64_t start_ns = now_ns();

    for (unsigned i = 0; i < count; i++) {
        int64_t due_ns = start_ns + WEIR_SECONDS(i) / RATE;
        weir_status status;

        sleep_until(due_ns);
        status = weir_pool_submit_copy(pool, serve, &due_ns, WEIR_NOW);
        if (status && status != WEIR_FULL)
            return false;
    }
    sleep_until(start_ns + WEIR_SECONDS(count) / RATE);
    atomic_store(&over, true);
    return true;
}

static int measure(const struct policy *policy, unsigned seconds)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    weir_pool *pool;
    bool ran;

    options.workers = WORKERS;
    options.item_size = sizeof(int64_t);
    options.queue_capacity = policy->capacity;
    options.on_full = policy->on_full;
    options.time_to_live_ns = policy->time_to_live_ns;
    options.codel_target_ns = policy->codel_target_ns;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    ran = offer_all(pool, RATE * seconds);
    if (weir_pool_stop(pool, WEIR_STOP_NOW,
                       weir_deadline_after(WEIR_SECONDS(5))))
        ran = false;
    weir_pool_read_stats(pool, &stats);
    ran = ran && weir_ledger_balances(&stats.ledger);
    weir_pool_destroy(pool);
    if (!ran)
        return 1;
    printf("{\"capacity\":%u,\"offered\":%u,\"done\":%u,\"good\":%u,"
           "\"refused\":%" PRIu64 ",\"dropped\":%" PRIu64
           ",\"expired\":%" PRIu64 "}\n",
           WORKERS * 1000 / SERVICE_MS * seconds, RATE * seconds,
           atomic_load(&done), atomic_load(&good), stats.ledger.refused,
           stats.ledger.dropped, stats.ledger.expired);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long seconds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

    if (seconds >= 1 && seconds <= 3600)
        for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
            if (strcmp(argv[1], policies[i].name) == 0)
                return measure(&policies[i], (unsigned)seconds);
    fprintf(stderr, "usage: weir_goodput POLICY SECONDS\n");
    return 2;
}
