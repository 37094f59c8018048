/* SPDX-License-Identifier: MIT */
/*
 * pool_works.c - what is asked of a pool besides empty tasks.
 *
 * THE IDEA
 *
 * One thread submits; what a task does before it is noted is a function for
 * each kind of work (`begin`), so that an adapter knows nothing of kinds.
 *
 * submit     Every worker is held up by a task that waits; then half as many
 *            tasks as there is room for are submitted, and that is what the
 *            time runs over; then all are let go and waited for.  No worker is
 *            there to be woken, and none wants the queue: what is left is what
 *            the submitter pays.
 *
 * start      The submitter sleeps until the item's moment, reads the clock and
 *            submits; the task reads it again.
 *
 * behind     The same, a burst at a time.  One of each burst sleeps so long
 *            that all of the others are late whom a worker took along with it.
 *            It sleeps, rather than computes: it takes no processor, and what
 *            shows is the pool, not whom the system lets run.
 *
 * sleeps     What the time is more than items / workers * span is the pool's.
 *
 * exits      Each task ends its thread.  Then every worker is held up at once:
 *            were one lost this would not end.
 *
 * deadlines  Waves of as many tasks as there are workers, each of which sleeps
 *            until it is told to end.  What counts is how late its pool finds
 *            that its time is over; to find it early is an error.
 *
 * computes   Each task computes for a while, always the same number of steps.
 *            What the time is more than that of threads without a queue
 *            (bare_pool.c) is the pool's.
 *
 * idle       Tasks run; after a moment to come to rest it counts what all
 *            threads cost but the one that looks on.
 *
 * The first tenth of what is late is not counted: threads are coming up.
 */
#include "pool_works.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "contender.h"
#include "driver.h"
#include "pool_contender.h"

enum { NAP_NS = 50000, REST_NS = 200000000 };

static atomic_ullong ran;     /* tasks that were noted, holding ones too */
static atomic_ullong settled; /* WORK_DEADLINES: whose time was over */
static uint64_t *begun_ns;    /* of each item: when submitted, or due */
static uint64_t *late_ns;     /* of each item; until the end: when settled */
static uint64_t span_ns, steps;
static bool counts_ran; /* else nobody waits for `ran`, and it costs nothing */
static struct result measured; /* what the kind says instead of the crew */
static sem_t held, let_go;     /* a worker is held up; a worker may go on */

/* ------------------------------------------------------------------ waiting */

static void nap(uint64_t ns)
{
    crew_sleep_until(crew_now_ns() + ns);
}

static void await(const atomic_ullong *count, uint64_t wanted)
{
    while (atomic_load(count) < wanted)
        nap(NAP_NS);
}

static void take(sem_t *semaphore)
{
    while (sem_wait(semaphore))
        continue;
}

static void reap(void *pool)
{
    if (pool_contender.reap)
        pool_contender.reap(pool);
}

static void hold_a_worker(void)
{
    sem_post(&held);
    take(&let_go);
}

static void hold_all(struct part *part)
{
    for (unsigned i = 0; i < part->work->consumers; i++)
        pool_contender.submit(part->queue, POOL_HOLDS);
    for (unsigned i = 0; i < part->work->consumers; i++)
        take(&held);
}

static void let_all_go(const struct work *work)
{
    for (unsigned i = 0; i < work->consumers; i++)
        sem_post(&let_go);
}

/* ---------------------------------------------------------------- in a task */

static void begin_submitted(uint64_t item)
{
    if (item == POOL_HOLDS)
        hold_a_worker();
}

static void begin_on_time(uint64_t item)
{
    late_ns[item - 1] = crew_now_ns() - begun_ns[item - 1];
}

static void begin_in_burst(uint64_t item)
{
    begin_on_time(item);
    if (item % WORK_BURST == WORK_LONG)
        nap(span_ns);
}

static void begin_sleeping(uint64_t item)
{
    (void)item;
    nap(span_ns);
}

static void begin_computing(uint64_t item)
{
    uint64_t result = work_compute(item, steps);

    __asm__ volatile("" : : "r"(result));
}

void pool_works_ran(void)
{
    if (counts_ran)
        atomic_fetch_add(&ran, 1);
}

void pool_due(uint64_t item, uint64_t at_ns)
{
    begun_ns[item - 1] = at_ns;
}

/* Its task may not have come so far as pool_due: that is looked at later. */
void pool_settled(uint64_t item)
{
    late_ns[item - 1] = crew_now_ns();
    atomic_fetch_add(&settled, 1);
}

/* ------------------------------------------------------------ the submitter */

static void submit_while_held(struct part *part)
{
    uint64_t room = part->work->capacity / 2, item = 1, submitted = 0;

    while (item <= part->count) {
        uint64_t began;

        hold_all(part);
        submitted += part->work->consumers;
        began = crew_now_ns();
        for (uint64_t i = 0; item <= part->count && i <= room; i++, item++)
            pool_contender.submit(part->queue, item);
        measured.wall_ns += crew_now_ns() - began;
        let_all_go(part->work);
        await(&ran, submitted + item - 1);
        reap(part->queue);
    }
    pool_contender.finish(part->queue);
}

static void submit_on_time(struct part *part)
{
    const struct work *work = part->work;
    uint64_t burst = work->kind == WORK_BEHIND ? WORK_BURST : 1;

    for (uint64_t i = 0; i < part->count; i++) {
        uint64_t due = i / burst * burst * 1000000000 / work->rate;

        if (i % burst == 0)
            crew_sleep_until(part->start_ns + due);
        begun_ns[i] = crew_now_ns();
        pool_contender.submit(part->queue, i + 1);
    }
    pool_contender.finish(part->queue);
}

static void submit_exiting(struct part *part)
{
    for (uint64_t i = 1; i <= part->count; i++)
        pool_contender.submit(part->queue, i);
    hold_all(part);
    let_all_go(part->work);
    pool_contender.finish(part->queue);
}

static void submit_overstaying(struct part *part)
{
    uint64_t wave = part->work->consumers;

    for (uint64_t i = 1; i <= part->count; i++) {
        pool_contender.submit(part->queue, i);
        if (i % wave == 0)
            await(&settled, i);
    }
    pool_contender.finish(part->queue);
}

static void submit_and_rest(struct part *part)
{
    struct crew_usage before, after;
    uint64_t began;

    for (uint64_t i = 1; i <= part->count; i++)
        pool_contender.submit(part->queue, i);
    await(&ran, part->count);
    reap(part->queue);
    if (span_ns > 0)
        nap(REST_NS);
    before = crew_others();
    began = crew_now_ns();
    nap(span_ns);
    after = crew_others();
    measured.wall_ns = crew_now_ns() - began;
    /* The system tells both of them in steps. */
    measured.cpu_ns =
        after.cpu_ns > before.cpu_ns ? after.cpu_ns - before.cpu_ns : 0;
    measured.switches = after.switches - before.switches;
    pool_contender.finish(part->queue);
}

/* ---------------------------------------------------------------- the works */

static const struct pool_work works[WORK_KINDS] = {
    [WORK_SUBMIT] = {submit_while_held, begin_submitted, false},
    [WORK_START] = {submit_on_time, begin_on_time, false},
    [WORK_BEHIND] = {submit_on_time, begin_in_burst, false},
    [WORK_SLEEPS] = {NULL, begin_sleeping, false},
    [WORK_EXITS] = {submit_exiting, begin_submitted, true},
    [WORK_DEADLINES] = {submit_overstaying, NULL, false},
    [WORK_IDLE] = {submit_and_rest, NULL, false},
    [WORK_COMPUTES] = {NULL, begin_computing, false},
};

const char *pool_works_why_not(enum work_kind kind)
{
    if (kind == WORK_EXITS && !pool_contender.outlives_exits)
        return "a worker whose thread a task ends is lost";
    if (kind == WORK_DEADLINES && !pool_contender.start_timed)
        return "its tasks have no deadline";
    return NULL;
}

const struct pool_work *pool_works_open(const struct work *work)
{
    atomic_store(&ran, 0);
    atomic_store(&settled, 0);
    measured = (struct result){0};
    span_ns = work->span_us * 1000;
    steps = work->rate;
    counts_ran = work->kind != WORK_COMPUTES;
    begun_ns = calloc(work->items, sizeof(*begun_ns));
    late_ns = calloc(work->items, sizeof(*late_ns));
    if (!begun_ns || !late_ns || sem_init(&held, 0, 0) ||
        sem_init(&let_go, 0, 0))
        contender_failed("no memory for the figures");
    return &works[work->kind];
}

static void look_at_deadlines(uint64_t items)
{
    for (uint64_t i = 0; i < items; i++) {
        if (late_ns[i] < begun_ns[i])
            contender_failed("a task's time was over before its deadline");
        late_ns[i] -= begun_ns[i];
    }
}

void pool_works_close(const struct work *work, struct result *out)
{
    uint64_t skip = work->items / 10;

    if (work->kind == WORK_SUBMIT || work->kind == WORK_IDLE)
        out->wall_ns = measured.wall_ns;
    if (work->kind == WORK_IDLE) {
        out->cpu_ns = measured.cpu_ns;
        out->switches = measured.switches;
    }
    if (work->kind == WORK_DEADLINES)
        look_at_deadlines(work->items);
    if (work_is_timed(work->kind))
        crew_lateness(late_ns + skip, work->items - skip, out);
    free(begun_ns);
    free(late_ns);
    sem_destroy(&held);
    sem_destroy(&let_go);
}
