/* SPDX-License-Identifier: MIT */
/* weir_processes.c - weir_pool with WEIR_ISOLATE_PROCESS. */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/pool.h>
#include <weir/version.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "work.h"

enum { LARGE_MIB = 512, WAYS = 3 };

/* What an item is: its number, what its task is to do, its number. */
struct item {
    uint64_t number, span_ns, more[WORK_REMOTE_WORDS - 3], last;
};

static struct {
    atomic_ullong items, sum, hash;
    uint64_t span_ns;
    uint64_t *submitted_ns, *waited_ns, *late_ns; /* of each item */
} now_done;

struct driver_about driver_about(void)
{
    return (struct driver_about){"weir, processes", weir_version(), true,
                                 false};
}

const char *driver_why_not(const struct work *work)
{
    return work->item_size == sizeof(struct item) ? NULL
                                                  : "its items have 64 bytes";
}

static void take(const struct item *item)
{
    atomic_fetch_add(&now_done.items, 1);
    atomic_fetch_add(&now_done.sum, item->number);
    atomic_fetch_xor(&now_done.hash, item->last * WORK_HASH);
}

/* ----------------------------------------------------------- in the child */

static int send_back(weir_task *task, void *bytes)
{
    const struct item *item = bytes;
    uint64_t until_ns = crew_now_ns() + item->span_ns;

    while (item->span_ns > 0 && crew_now_ns() < until_ns)
        continue;
    return (int)weir_task_result(task, item, sizeof(*item));
}

static int crash(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    signal(SIGSEGV, SIG_DFL); /* a sanitizer may have its own */
    raise(SIGSEGV);
    return 0;
}

/* It computes, sleeps, or is deaf and so is what it has started. */
WEIR_NO_RETURN static int overstay(weir_task *task, void *bytes)
{
    const struct item *item = bytes;

    (void)task;
    if (item->number % WAYS == 2) {
        signal(SIGTERM, SIG_IGN);
        if (fork() == 0)
            signal(SIGTERM, SIG_IGN);
    }
    while (item->number % WAYS == 0)
        continue;
    for (;;)
        pause();
}

/* ---------------------------------------------------------------- callbacks */

static void
note_result(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    if (outcome->kind == WEIR_OUTCOME_CRASHED)
        return;
    if (outcome->kind != WEIR_OUTCOME_DONE ||
        outcome->result_size != sizeof(struct item))
        contender_failed(outcome->message);
    take(outcome->result);
}

static void
note_start(void *arg, const void *bytes, const weir_outcome *outcome)
{
    const struct item *item = bytes;

    (void)arg;
    if (outcome->kind != WEIR_OUTCOME_TIMED_OUT)
        contender_failed("a task that overstays is not timed out");
    now_done.waited_ns[item->number - 1] = (uint64_t)outcome->waited_ns;
}

/* The attempt has ended: its child is gone. */
static void note_end(void *arg, void *bytes)
{
    const struct item *item = bytes;
    uint64_t i = item->number - 1;

    (void)arg;
    now_done.late_ns[i] = crew_now_ns() - now_done.submitted_ns[i] -
                          now_done.waited_ns[i] - now_done.span_ns;
    take(item);
}

/* ------------------------------------------------------------ the submitter */

static struct item item_of(uint64_t number, uint64_t span_ns)
{
    return (struct item){.number = number, .span_ns = span_ns, .last = number};
}

static void
submit(weir_pool *pool, weir_handler *handler, const struct item *item)
{
    if (weir_pool_submit_copy(pool, handler, item, WEIR_FOREVER))
        contender_failed(weir_last_error());
}

static void finish(weir_pool *pool)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    if (weir_pool_join(pool, WEIR_FOREVER))
        contender_failed("weir_pool_join");
    weir_pool_read_stats(pool, &stats);
    if (!weir_ledger_balances(&stats.ledger))
        contender_failed("the ledger does not balance");
}

static void send_all(struct part *part)
{
    for (uint64_t i = 1; i <= part->count; i++) {
        struct item item = item_of(i, now_done.span_ns);

        submit(part->queue, send_back, &item);
    }
    finish(part->queue);
}

static void do_task(weir_pool *pool, weir_handler *handler, struct item item)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_future *future;

    spec.handler = handler;
    spec.item = &item;
    spec.copy = true;
    if (weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER) ||
        weir_future_wait(future, &outcome, WEIR_FOREVER))
        contender_failed(weir_last_error());
    weir_future_release(future);
}

static void send_after_crashes(struct part *part)
{
    for (uint64_t i = 1; i <= part->count; i++) {
        uint64_t began;

        do_task(part->queue, crash, item_of(i, 0));
        began = crew_now_ns();
        do_task(part->queue, send_back, item_of(i, 0));
        now_done.late_ns[i - 1] = crew_now_ns() - began;
    }
    finish(part->queue);
}

static void send_overstaying(struct part *part)
{
    for (uint64_t i = 1; i <= part->count; i++) {
        struct item item = item_of(i, 0);

        now_done.submitted_ns[i - 1] = crew_now_ns();
        submit(part->queue, overstay, &item);
        finish(part->queue);
    }
}

/* --------------------------------------------------------------------- runs */

static weir_pool *open_pool(const struct work *work)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool *pool;

    options.workers = work->consumers;
    options.queue_capacity = work->capacity;
    options.item_size = sizeof(struct item);
    options.isolation = WEIR_ISOLATE_PROCESS;
    options.on_settled = note_result;
    if (work->kind == WORK_KILLS) {
        options.timeout_ns = (int64_t)now_done.span_ns;
        options.on_settled = note_start;
        options.on_release = note_end;
    }
    if (weir_process_start() || weir_pool_create(&pool, &options))
        contender_failed(weir_last_error());
    return pool;
}

/* Touched, so that it is there. */
static void *grow(const struct work *work)
{
    void *memory;

    if (work->kind != WORK_CRASHES)
        return NULL;
    memory = malloc((size_t)LARGE_MIB << 20);
    if (!memory)
        contender_failed("no memory");
    return memset(memory, 1, (size_t)LARGE_MIB << 20);
}

void driver_run(const struct work *work, struct result *out)
{
    void (*const runs[WORK_KINDS])(struct part *
                                   part) = {[WORK_REMOTE] = send_all,
                                            [WORK_CRASHES] = send_after_crashes,
                                            [WORK_KILLS] = send_overstaying};
    struct part part = {.run = runs[work->kind],
                        .work = work,
                        .count = work->items};
    uint64_t skip = work->items / 10;
    uint64_t *figures = calloc(3 * work->items, sizeof(*figures));
    void *memory;

    if (!figures)
        contender_failed("no memory");
    memset(&now_done, 0, sizeof(now_done));
    now_done.span_ns = work->span_us * 1000;
    now_done.submitted_ns = figures;
    now_done.waited_ns = figures + work->items;
    now_done.late_ns = figures + 2 * work->items;
    part.queue = open_pool(work);
    memory = grow(work);
    crew_run(&part, 1, out);
    out->items = atomic_load(&now_done.items);
    out->sum = atomic_load(&now_done.sum);
    out->hash = atomic_load(&now_done.hash);
    if (work_is_timed(work->kind))
        crew_lateness(now_done.late_ns + skip, work->items - skip, out);
    weir_pool_destroy(part.queue);
    free(memory);
    free(figures);
}
