/* SPDX-License-Identifier: MIT */
/* bench.c - see bench.h. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#define SHAPE(p, c) ((p)*SHAPE_BASE + (c))
#define ALL_SHAPES                                                             \
 {                                                                             \
  {SHAPE(1, 1), SHAPE(2, 2), SHAPE(4, 4), SHAPE(1, 4), SHAPE(4, 1)}, 5         \
 }
#define ONE(value)                                                             \
 {                                                                             \
  {value}, 1                                                                   \
 }
#define BY_SHAPE(batch)                                                        \
 {                                                                             \
  [VARY_SHAPE] = ALL_SHAPES, [VARY_ITEM] = ONE(8),                             \
  [VARY_CAPACITY] = ONE(1024), [VARY_BATCH] = ONE(batch)                       \
 }

enum {
    MILLION = 1 << 20,
    ROUND_TRIPS = 1 << 16,
    PLACE_ITEMS = 1 << 14,
    COMPUTE_US = 300000, /* of a worker, a round */
    BURSTS = 128,
    BURSTS_A_SECOND = 64 /* the long one of each has ended by the next */
};

static const struct bench benches[] = {
    {.name = "queue",
     .question = "What does it cost to pass an item through a bounded queue?",
     .kind = WORK_PASS,
     .vary = BY_SHAPE(1),
     .items = MILLION},
    {.name = "bound",
     .question = "What if each thread is bound to a processor?",
     .kind = WORK_PASS,
     .vary = BY_SHAPE(1),
     .items = MILLION,
     .bound = true},
    {.name = "batches",
     .question = "What does an item cost that travels in a batch of 32?",
     .kind = WORK_PASS,
     .vary = BY_SHAPE(32),
     .items = UINT64_C(8) * MILLION},
    {.name = "sizes",
     .question = "What do large items and small capacities cost?",
     .kind = WORK_PASS,
     .vary = {[VARY_SHAPE] = {{SHAPE(1, 1), SHAPE(2, 2)}, 2},
              [VARY_ITEM] = {{8, 64}, 2},
              [VARY_CAPACITY] = {{1, 64, 1024}, 3},
              [VARY_BATCH] = ONE(1)},
     .items = MILLION},
    {.name = "long",
     .question = "What do ten million items cost, and how much processor time?",
     .kind = WORK_PASS,
     .vary = {[VARY_SHAPE] = ONE(SHAPE(1, 1)),
              [VARY_ITEM] = ONE(8),
              [VARY_CAPACITY] = ONE(1024),
              [VARY_BATCH] = ONE(1)},
     .items = 10000000},
    {.name = "taken",
     .question = "What does an item cost while another process takes a "
                 "processor?",
     .kind = WORK_PASS,
     .vary = BY_SHAPE(1),
     .items = MILLION,
     .taken = true},
    {.name = "pingpong",
     .question = "How long is a round trip through two queues of one place?",
     .kind = WORK_PINGPONG,
     .vary = {[VARY_ITEM] = ONE(8), [VARY_CAPACITY] = ONE(1)},
     .items = ROUND_TRIPS},
    {.name = "latency",
     .question = "How late do items arrive that are sent on time?",
     .kind = WORK_PACED,
     .vary = {[VARY_SHAPE] = ONE(SHAPE(1, 1)),
              [VARY_ITEM] = ONE(8),
              [VARY_CAPACITY] = ONE(1024),
              [VARY_LOAD] = {{10, 50, 80}, 3}},
     .items = MILLION},
    {.name = "pool",
     .question = "What does an empty task cost, and what do timeouts, events "
                 "and histograms add?",
     .kind = WORK_TASKS,
     .vary = {[VARY_WORKERS] = {{2, 4}, 2}, [VARY_CAPACITY] = ONE(1024)},
     .items = 1000000},
    {.name = "submit",
     .question = "What does it cost to submit a task while the workers are "
                 "busy and there is room?",
     .kind = WORK_SUBMIT,
     .vary = {[VARY_WORKERS] = {{2, 4}, 2}},
     .items = MILLION / 4},
    {.name = "start",
     .question = "How long does one task wait that comes to an idle pool every "
                 "10 ms?",
     .kind = WORK_START,
     .vary = {[VARY_WORKERS] = ONE(2)},
     .items = 400,
     .rate = 100},
    {.name = "behind",
     .question = "How long do tiny tasks wait behind one of 10 ms, with a "
                 "worker idle?",
     .kind = WORK_BEHIND,
     .vary = {[VARY_WORKERS] = ONE(2), [VARY_SPAN] = ONE(10)},
     .items = (uint64_t)BURSTS * WORK_BURST,
     .rate = (uint64_t)BURSTS_A_SECOND * WORK_BURST},
    {.name = "sleeps",
     .question = "How much longer than they must do tasks take that sleep 50 "
                 "ms?",
     .kind = WORK_SLEEPS,
     .vary = {[VARY_WORKERS] = ONE(50), [VARY_SPAN] = ONE(50)},
     .items = 1000},
    {.name = "exits",
     .question = "What does a task cost that ends its thread, and do all "
                 "workers live on?",
     .kind = WORK_EXITS,
     .vary = {[VARY_WORKERS] = ONE(4)},
     .items = 10000},
    {.name = "deadlines",
     .question = "How late are 1000 tasks at once settled that overstay "
                 "10 ms?",
     .kind = WORK_DEADLINES,
     .vary = {[VARY_WORKERS] = ONE(1000), [VARY_SPAN] = ONE(10)},
     .items = 10000},
    {.name = "idle",
     .question = "How often does a pool that has nothing to do for 10 s wake?",
     .kind = WORK_IDLE,
     .vary = {[VARY_WORKERS] = ONE(4), [VARY_SPAN] = ONE(10000)},
     .items = 4096},
    {.name = "efficiency",
     .question = "How fast do tasks of 1, 10 and 100 us go, beside threads "
                 "without a queue?",
     .kind = WORK_COMPUTES,
     .vary = {[VARY_WORKERS] = {{1, 2}, 2},
              [VARY_CAPACITY] = ONE(1024),
              [VARY_WORK] = {{1, 10, 100}, 3}},
     .items = MILLION},
    {.name = "stream",
     .question = "What does it cost to have an item back from a pool?",
     .kind = WORK_STREAM,
     .vary = {[VARY_WORKERS] = {{2, 4}, 2}, [VARY_CAPACITY] = ONE(1024)},
     .items = 1000000},
    {.name = "uneven",
     .question = "What does order cost when one item in a hundred takes 1 ms?",
     .kind = WORK_UNEVEN,
     .vary = {[VARY_WORKERS] = {{2, 4}, 2},
              [VARY_CAPACITY] = {{16, 1024}, 2},
              [VARY_SPAN] = ONE(1)},
     .items = 20000},
    {.name = "stages",
     .question = "What does it cost to pass an item through three stages, the "
                 "middle one parallel?",
     .kind = WORK_STAGES,
     .vary = {[VARY_WORKERS] = {{2, 4}, 2}, [VARY_CAPACITY] = {{16, 256}, 2}},
     .items = MILLION / 4},
    {.name = "semaphore",
     .question = "What does it cost to pass a semaphore?",
     .kind = WORK_PERMITS,
     .vary = {[VARY_WORKERS] = {{1, 2, 8}, 3}, [VARY_CAPACITY] = ONE(2)},
     .items = 400000},
    {.name = "remote",
     .question = "What does it cost to send 64 bytes to a process and have 64 "
                 "back?",
     .kind = WORK_REMOTE,
     .vary = {[VARY_WORKERS] = {{1, 2}, 2}, [VARY_ITEM] = ONE(64)},
     .items = 30000},
    {.name = "computing",
     .question = "How long do tasks take that compute for 1 ms in processes of "
                 "their own?",
     .kind = WORK_REMOTE,
     .vary = {[VARY_WORKERS] = {{1, 2}, 2},
              [VARY_ITEM] = ONE(64),
              [VARY_SPAN] = ONE(1)},
     .items = 1000},
    {.name = "crashes",
     .question = "How long is it from a crash to the next task done in a fresh "
                 "child, in a process of 512 MiB?",
     .kind = WORK_CRASHES,
     .vary = {[VARY_WORKERS] = ONE(1), [VARY_ITEM] = ONE(64)},
     .items = 200},
    {.name = "kills",
     .question = "How late have tasks ended that overstay 20 ms and do not "
                 "listen?",
     .kind = WORK_KILLS,
     .vary = {[VARY_WORKERS] = ONE(1),
              [VARY_ITEM] = ONE(64),
              [VARY_SPAN] = ONE(20)},
     .items = 150},
};

const struct bench *bench_at(size_t index)
{
    return index < sizeof(benches) / sizeof(*benches) ? &benches[index] : NULL;
}

const struct bench *bench_find(const char *name)
{
    for (size_t i = 0; bench_at(i); i++)
        if (strcmp(bench_at(i)->name, name) == 0)
            return bench_at(i);
    return NULL;
}

#define US 1e3
#define MS 1e6
#define COSTS(wall)                                                            \
 {                                                                             \
  {                                                                            \
   {FIGURE_WALL_NS, wall, 1, 1}, {FIGURE_CPU_NS, "CPU ns", 1, 1},              \
   {                                                                           \
    FIGURE_SWITCHES, "switches", 1, 4                                          \
   }                                                                           \
  }                                                                            \
 }

static const struct columns columns[WORK_KINDS] = {
    [WORK_PASS] = COSTS("ns/item"),
    [WORK_PINGPONG] = COSTS("ns/trip"),
    [WORK_PACED] = {{{FIGURE_P99_NS, "p99 us", US, 1},
                     {FIGURE_P50_NS, "p50", US, 1},
                     {FIGURE_P999_NS, "p99.9", US, 1}}},
    [WORK_TASKS] = COSTS("ns/task"),
    [WORK_SUBMIT] = COSTS("ns/task"),
    [WORK_START] = {{{FIGURE_P50_NS, "p50 us", US, 1},
                     {FIGURE_P99_NS, "p99", US, 1},
                     {FIGURE_P999_NS, "p99.9", US, 1}}},
    [WORK_BEHIND] = {{{FIGURE_P999_NS, "p99.9 us", US, 1},
                      {FIGURE_P50_NS, "p50", US, 1},
                      {FIGURE_MAX_NS, "max", US, 1}}},
    [WORK_SLEEPS] = {{{FIGURE_OVER_NS, "over ms", MS, 3},
                      {FIGURE_CPU_NS, "CPU ns", 1, 0},
                      {FIGURE_SWITCHES, "switches", 1, 4}}},
    [WORK_EXITS] = COSTS("ns/task"),
    [WORK_DEADLINES] = {{{FIGURE_P99_NS, "p99 us", US, 1},
                         {FIGURE_P50_NS, "p50", US, 1},
                         {FIGURE_MAX_NS, "max", US, 1}}},
    [WORK_IDLE] = {{{FIGURE_SWITCHES, "switches", 1, 1},
                    {FIGURE_CPU_NS, "CPU us", US, 1},
                    {FIGURE_WALL_NS, "ms", MS, 1}}},
    [WORK_COMPUTES] = COSTS("ns/task"),
    [WORK_STREAM] = COSTS("ns/item"),
    [WORK_UNEVEN] = COSTS("ns/item"),
    [WORK_STAGES] = COSTS("ns/item"),
    [WORK_PERMITS] = COSTS("ns/pass"),
    [WORK_REMOTE] = {{{FIGURE_WALL_NS, "us/task", US, 2},
                      {FIGURE_CPU_NS, "CPU us", US, 2},
                      {FIGURE_SWITCHES, "switches", 1, 4}}},
    [WORK_CRASHES] = {{{FIGURE_P50_NS, "p50 us", US, 1},
                       {FIGURE_P99_NS, "p99", US, 1},
                       {FIGURE_MAX_NS, "max", US, 1}}},
    [WORK_KILLS] = {{{FIGURE_MAX_NS, "max us", US, 1},
                     {FIGURE_P50_NS, "p50", US, 1},
                     {FIGURE_P99_NS, "p99", US, 1}}},
};

const struct columns *bench_columns(enum work_kind kind)
{
    return &columns[kind];
}

void bench_share_out(struct work *work, uint64_t items)
{
    uint64_t whole = (uint64_t)work->producers * work->consumers;

    work->items = items < whole ? whole : items / whole * whole;
}

/* What is said of each work is what sets it apart from the usual. */
static void name_work(struct bench_work *work)
{
    const struct work *w = &work->work;
    char *end = work->label + sizeof(work->label), *at = work->label;

    if (w->kind >= WORK_TASKS)
        at += snprintf(at, (size_t)(end - at), "%u workers", w->consumers);
    else
        at += snprintf(at, (size_t)(end - at), "%uP%uC", w->producers,
                       w->consumers);
    if (w->item_size != (work_is_for_processes(w->kind) ? 64 : 8))
        at += snprintf(at, (size_t)(end - at), " %zuB", w->item_size);
    if (w->capacity != (w->kind == WORK_PINGPONG ? 1 : 1024))
        at += snprintf(at, (size_t)(end - at), " cap %zu", w->capacity);
    if (w->batch != 1)
        at += snprintf(at, (size_t)(end - at), " x%zu", w->batch);
    if (work->load)
        at += snprintf(at, (size_t)(end - at), " %u %%", work->load);
    if (w->kind == WORK_COMPUTES)
        snprintf(at, (size_t)(end - at), " %llu us",
                 (unsigned long long)w->span_us);
    else if (w->span_us)
        snprintf(at, (size_t)(end - at), " %llu ms",
                 (unsigned long long)w->span_us / 1000);
}

/* The work in which value number chosen[v] is taken of each list. */
static struct bench_work
combine(const struct bench *bench, const struct values *const *lists,
        const size_t *chosen)
{
    struct bench_work out = {.taken = bench->taken, .work.bound = bench->bound};
    uint64_t value[VARIES];

    for (int v = 0; v < VARIES; v++)
        value[v] = lists[v]->count ? lists[v]->of[chosen[v]] : 0;
    out.work.kind = bench->kind;
    out.work.producers = out.work.consumers = 1;
    if (value[VARY_SHAPE]) {
        out.work.producers = (unsigned)(value[VARY_SHAPE] / SHAPE_BASE);
        out.work.consumers = (unsigned)(value[VARY_SHAPE] % SHAPE_BASE);
    }
    if (value[VARY_WORKERS])
        out.work.consumers = (unsigned)value[VARY_WORKERS];
    out.work.item_size = value[VARY_ITEM] ? value[VARY_ITEM] : 8;
    out.work.capacity = value[VARY_CAPACITY] ? value[VARY_CAPACITY] : 1024;
    out.work.batch = value[VARY_BATCH] ? value[VARY_BATCH] : 1;
    out.load = (unsigned)value[VARY_LOAD];
    out.work.rate = bench->rate;
    out.work.span_us = value[VARY_SPAN] * 1000 + value[VARY_WORK];
    return out;
}

/* The next combination, the last list turning fastest.  False: no more. */
static bool turn(const struct values *const *lists, size_t *chosen)
{
    for (int v = VARIES - 1; v >= 0; v--) {
        if (chosen[v] + 1 < lists[v]->count) {
            chosen[v]++;
            return true;
        }
        chosen[v] = 0;
    }
    return false;
}

size_t
bench_works(const struct bench *bench, const struct values *asked,
            uint64_t items, bool taken, bool bound, struct bench_work *out)
{
    const struct values *lists[VARIES];
    size_t chosen[VARIES] = {0}, count = 0;

    for (int v = 0; v < VARIES; v++)
        lists[v] = bench->vary[v].count && asked[v].count ? &asked[v]
                                                          : &bench->vary[v];
    do {
        struct bench_work *work = &out[count++];
        uint64_t most = bench->items;

        *work = combine(bench, lists, chosen);
        work->taken = work->taken || taken;
        work->work.bound = work->work.bound || bound;
        if (bench->kind == WORK_COMPUTES)
            most = COMPUTE_US / work->work.span_us * work->work.consumers;
        /* Where there are few places each item may cost a wake-up. */
        if ((bench->kind == WORK_PASS || bench->kind == WORK_TASKS) &&
            most > work->work.capacity * PLACE_ITEMS)
            most = work->work.capacity * PLACE_ITEMS;
        bench_share_out(&work->work, items ? items : most);
        name_work(work);
    } while (count < MOST_WORKS && turn(lists, chosen));
    return count;
}
