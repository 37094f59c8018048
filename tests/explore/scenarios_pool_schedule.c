/* SPDX-License-Identifier: MIT */
/* scenarios_pool_schedule.c - tasks that wait for their time, and series. */
#include "pool_jobs.h"
#include "pool_players.h"
#include "pool_stage.h"
#include "scenarios.h"

/* ------------------------------------------------------------------ players */

static void open_for(size_t capacity)
{
    weir_pool_options options = telling_options();

    options.queue_capacity = capacity;
    open_pool(&options);
}

static void delay(unsigned number)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    spec.not_before = weir_deadline_after(WEIR_MS(1));
    must(submit_spec(number, works, &spec, WEIR_FOREVER) == WEIR_OK);
}

static void cancel_the_group(unsigned number)
{
    (void)number;
    cancel_group();
}

/* ----------------------------------------------------------------- delayed */

static void pool_due_alone(void)
{
    open_for(1);
    delay(1);
    await_it(1);
    must(attempts_of(1) == 1);
}

static void pool_due_against_cancel(void)
{
    open_for(1);
    delay(1);
    start(cancel_it, 1);
    await_it(1);
}

static void pool_due_against_stop_now(void)
{
    open_for(1);
    delay(1);
    stop_now(0);
}

static void pool_due_against_drain(void)
{
    open_for(1);
    delay(1);
    stop_after_drain(0);
    must(attempts_of(1) == 1);
}

static void pool_two_are_due(void)
{
    open_for(2);
    delay(1);
    delay(2);
    await_it(2);
    must(attempts_of(1) == 1);
}

static void pool_due_against_submit(void)
{
    open_for(1);
    delay(1);
    submit_one(2); /* waits for the room that it takes up */
}

static void pool_due_beside_plain(void)
{
    weir_pool_options options = pool_options();

    options.queue_capacity = 2;
    open_pool(&options);
    delay(1);
    submit_one(2);
    await_it(1);
    submit_one(3);
}

/* ------------------------------------------------------------------ series */

static void pool_series_ends_itself(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    waits_at_the_gate(NULL, 1); /* which it opens */
    must(attempts_of(1) == 1);
}

static void pool_series_against_stop_now(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    stop_now(0);
}

static void pool_series_against_drain(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    stop_after_drain(0);
}

static void pool_series_against_cancel(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    start(cancel_the_group, 0);
}

static void pool_series_against_destroy(void)
{
    open_for(1);
    must(begin_series(1, ends_its_series) == WEIR_OK);
    destroy_pool();
}

/* ----------------------------------------------------------------- firings */

/* A series of tasks 1, 2, ... each a firing, a millisecond apart; the last ends
 * it and opens the gate. */
static struct firings {
    int64_t first_ns;
    unsigned begun, ended, last;
    int64_t first_lasts_ns;
} firings;

static uint64_t refused_so_far(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    return stats.ledger.refused;
}

static int lasts(weir_task *task, unsigned number)
{
    if (number == 1 && firings.first_lasts_ns > 0)
        must(weir_task_sleep(task, firings.first_lasts_ns) == WEIR_OK);
    if (number < firings.last)
        return 0;
    return ends_its_series(task, number);
}

/* However late, each comes at a moment of its own, and those that are passed
 * over are refused. */
static int fires(weir_task *task, void *item)
{
    unsigned number = ++firings.begun;
    uint64_t moments = number - 1 + refused_so_far();
    struct job *job = &jobs[number];
    int answer;

    (void)item;
    must(number <= firings.last);
    must(firings.ended == number - 1);
    must(world_peek() >= firings.first_ns + (int64_t)moments * WEIR_MS(1));
    job->is_offered = true;
    job->does = lasts;
    job->is_accepted = true;
    job->most_attempts = 1;
    stage_of_pool.offered++;
    stage_of_pool.accepted++;
    answer = job_run(task, job);
    firings.ended++;
    return answer;
}

static void
begin_firings(uint32_t workers, unsigned last, int64_t first_lasts_ns)
{
    weir_pool_options options = pool_options();
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    static char item;

    options.workers = workers;
    open_pool(&options);
    spec.handler = fires;
    spec.item = &item;
    spec.every_ns = WEIR_MS(1);
    spec.not_before = weir_deadline_after(WEIR_MS(1));
    firings = (struct firings){.first_ns = spec.not_before.at_ns,
                               .last = last,
                               .first_lasts_ns = first_lasts_ns};
    must(weir_pool_submit_task(pool, &spec, NULL, WEIR_FOREVER) == WEIR_OK);
    waits_at_the_gate(NULL, 1);
    must(join_pool(WEIR_FOREVER) == WEIR_OK);
    must(firings.begun == last);
    stage_of_pool.refused = (unsigned)refused_so_far();
}

static void pool_series_fires_again(void)
{
    begin_firings(1, 2, 0);
}

/* Two moments and a half: what comes meanwhile is passed over, not made up for;
 * or the last of it fires late, if the clock leaps. */
static void pool_series_skips(void)
{
    begin_firings(2, 2, 5 * WEIR_MS(1) / 2);
    must(stage_of_pool.refused >= 1);
}

const struct scenario scenarios_pool_schedule[] = {
    {POOL_SCENARIO(pool_due_alone, 3, "it starts at its time")},
    {POOL_SCENARIO(pool_due_against_cancel, 4, "started or cancelled, once")},
    {POOL_SCENARIO(pool_due_against_stop_now, 3, "run or cancelled")},
    {POOL_SCENARIO(pool_due_against_drain, 3, "a drain waits for it")},
    {POOL_SCENARIO(pool_two_are_due, 3, "in the order of submission")},
    {POOL_SCENARIO(pool_due_against_submit, 3, "it takes up room until then")},
    {POOL_SCENARIO(pool_due_beside_plain, 3, "the lane opens again"),
     .bound = 1},
    {POOL_SCENARIO(pool_series_ends_itself, 3, "it fires once")},
    {POOL_SCENARIO(pool_series_against_stop_now, 3, "it fires once, or never")},
    {POOL_SCENARIO(pool_series_against_drain, 3, "the same")},
    {POOL_SCENARIO(pool_series_against_cancel, 4, "the same")},
    {POOL_SCENARIO(pool_series_against_destroy, 3,
                   "the same, and it is freed")},
    {POOL_SCENARIO(pool_series_fires_again, 3, "each firing has its moment")},
    {POOL_SCENARIO(pool_series_skips, 4, "what is passed over is refused"),
     .bound = 1},
    {.name = NULL},
};
