/* SPDX-License-Identifier: MIT */
/*
 * pool_stage.c - see pool_stage.h.
 *
 * WHAT IS CHECKED
 *
 * What becomes of each task: pool_jobs.c.  As calls answer: a time-out comes
 * with its time, nothing is accepted once a stop has returned; join, stop and
 * destroy are back only when all that was accepted before is over, the latter
 * two when all the pool's threads have ended, but for those that are stuck; the
 * figures of a snapshot are possible.
 *
 * At the end, with everything at rest: the figures are what the tasks say; that
 * nothing is left of those who waited or passed (pool_quiet.h); then, the pool
 * being destroyed, that all memory was released.
 */
#include "pool_stage.h"

#include <inttypes.h>
#include <string.h>

#include "arena.h"
#include "choice.h"
#include "history.h"
#include "pool_jobs.h"
#include "pool_quiet.h"
#include "race.h"
#include "threads.h"
#include "trace.h"

weir_pool *pool;

static struct pool_state *const stage = &stage_of_pool;

static void say(const char *what, unsigned number)
{
    if (trace_is_on)
        trace_say(world_self(), "%s %u", what, number);
}

static weir_status answers(weir_status status)
{
    if (trace_is_on)
        trace_say(world_self(), "  = %s", weir_status_name(status));
    return status;
}

static void check_time_out(weir_deadline deadline)
{
    if (deadline.at_ns > 0 && world_peek() < deadline.at_ns)
        world_fail("a call timed out before its time");
}

/* ------------------------------------------------------------------ opening */

weir_pool_options pool_options(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 1;
    options.queue_capacity = 1;
    options.max_result = 8;
    return options;
}

weir_pool_options telling_options(void)
{
    weir_pool_options options = pool_options();

    options.on_settled = job_settled;
    options.on_release = job_released;
    return options;
}

weir_pool_options
marking_options(size_t capacity, size_t high, size_t low, bool tells)
{
    weir_pool_options options = tells ? telling_options() : pool_options();

    options.queue_capacity = capacity;
    options.high_water = high;
    options.low_water = low;
    options.on_pressure = stage_pressure;
    return options;
}

void pressure_opens_the_gate(void)
{
    stage->pressure_opens = true;
}

void end_thread_in_pressure(void)
{
    stage->pressure_exits = true;
}

void pressure_must_be_low(void)
{
    if (stage->tells || stage->told_high)
        world_fail("nothing waits, and the last word was that it is high");
}

bool pressure_was_high(void)
{
    return stage->ever_high;
}

weir_retry pool_retry(unsigned most_attempts)
{
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = most_attempts;
    retry.base_ns = WEIR_MS(1);
    retry.jitter = -1;
    return retry;
}

weir_retry asking_retry(unsigned most_attempts)
{
    weir_retry retry = pool_retry(most_attempts);

    retry.retryable = job_retryable;
    return retry;
}

void open_pool(const weir_pool_options *options)
{
    choice_hush(true);
    stage->options = *options;
    if (options->retry) { /* which may be gone when this is looked at */
        stage->retry = *options->retry;
        stage->options.retry = &stage->retry;
    }
    if (weir_pool_create(&pool, options))
        world_fail("the pool is not created: %s", weir_last_error());
    world_await_all();
    choice_hush(false);
}

/* --------------------------------------------------------------- submitting */

static struct job *
offer(unsigned number, deed *does, const weir_task_spec *spec)
{
    const weir_pool_options *o = &stage->options;
    const weir_retry *retry = spec && spec->retry ? spec->retry : o->retry;
    struct job *job = &jobs[number];

    say("submits task", number);
    if (number == 0 || number > JOBS || job->is_offered)
        world_fail("the scenario submits %u, or twice", number);
    job->is_offered = true;
    job->does = does;
    job->most_attempts = retry ? retry->max_attempts : 1;
    job->offered_ns = world_peek();
    job->timeout_ns =
        spec && spec->timeout_ns ? spec->timeout_ns : o->timeout_ns;
    job->time_to_live_ns = spec && spec->time_to_live_ns ? spec->time_to_live_ns
                                                         : o->time_to_live_ns;
    stage->offered++;
    race_write(job, 1, __builtin_return_address(0));
    return job;
}

static weir_status accept(struct job *job, weir_status status, bool was_over,
                          weir_deadline deadline)
{
    answers(status);
    if (status == WEIR_OK && was_over)
        world_fail("a task is accepted, but the pool has been stopped");
    if (status == WEIR_CLOSED && !stage->is_closing)
        world_fail("a task is refused as if the pool were closing");
    if (status == WEIR_TIMED_OUT)
        check_time_out(deadline);
    job->is_accepted = status == WEIR_OK;
    stage->accepted += status == WEIR_OK;
    stage->refused += status != WEIR_OK;
    if (status != WEIR_OK && job->begun > 0)
        world_fail("a task is refused, but has begun");
    return status;
}

weir_status submit(unsigned number, deed *does, weir_deadline deadline)
{
    struct job *job = offer(number, does, NULL);
    bool was_over = stage->starts_nothing;

    return accept(job, weir_pool_submit(pool, job_run, job, deadline), was_over,
                  deadline);
}

weir_status submit_spec(unsigned number, deed *does, const weir_task_spec *spec,
                        weir_deadline deadline)
{
    struct job *job = offer(number, does, spec);
    bool was_over = stage->starts_nothing;
    weir_task_spec all = *spec;

    all.handler = job_run;
    all.item = job;
    job->not_before_ns = spec->not_before.at_ns;
    job->has_semaphore = spec->semaphore != NULL;
    return accept(job,
                  weir_pool_submit_task(pool, &all, &job->future, deadline),
                  was_over, deadline);
}

static void make_group(void)
{
    if (!stage->group && weir_group_create(&stage->group, pool))
        world_fail("the group is not created: %s", weir_last_error());
}

weir_status submit_to_group(unsigned number, deed *does, weir_deadline deadline)
{
    struct job *job = offer(number, does, NULL);
    bool was_over = stage->starts_nothing;

    make_group();
    job->is_in_group = true;
    return accept(job, weir_group_submit(stage->group, job_run, job, deadline),
                  was_over, deadline);
}

weir_status begin_series(unsigned number, deed *does)
{
    struct job *job = offer(number, does, NULL);
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_status status;

    make_group();
    job->is_in_group = true;
    job->is_series = true;
    spec.handler = job_run;
    spec.item = job;
    spec.not_before = weir_deadline_after(WEIR_MS(1));
    spec.every_ns = INT64_MAX;
    job->not_before_ns = spec.not_before.at_ns;
    status = weir_group_submit_task(stage->group, &spec, NULL, WEIR_FOREVER);
    answers(status);
    return status;
}

weir_status submit_future(unsigned number, deed *does, weir_deadline deadline)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;

    return submit_spec(number, does, &spec, deadline);
}

/* ------------------------------------------------------------------ futures */

weir_status
await(unsigned number, weir_outcome_kind *kind, weir_deadline deadline)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_status status;

    say("waits for task", number);
    status = weir_future_wait(jobs[number].future, &outcome, deadline);
    answers(status);
    if (status == WEIR_TIMED_OUT)
        check_time_out(deadline);
    if (status)
        return status;
    say(weir_outcome_name(outcome.kind), number);
    job_ended(&jobs[number], &outcome);
    *kind = outcome.kind;
    return WEIR_OK;
}

void await_either(unsigned number, unsigned other)
{
    weir_future *futures[] = {jobs[number].future, jobs[other].future};
    weir_outcome_kind kind;
    size_t index = 2;

    say("waits for either of", number);
    must(weir_future_wait_any(futures, 2, &index, WEIR_FOREVER) == WEIR_OK);
    must(index < 2);
    if (await(index == 0 ? number : other, &kind, WEIR_NOW))
        world_fail("a future is said to have settled, and has not");
}

void cancel(unsigned number)
{
    weir_outcome_kind kind;

    say("cancels task", number);
    jobs[number].is_cancelled = true;
    must(weir_future_cancel(jobs[number].future) == WEIR_OK);
    if (await(number, &kind, WEIR_NOW))
        world_fail("task %u was cancelled, and has not settled", number);
}

void let_go(unsigned number)
{
    say("lets go of task", number);
    weir_future_release(jobs[number].future);
    jobs[number].future = NULL;
}

/* ---------------------------------------------------------- the pool's end */

/* Those accepted before a moment. */
struct roll {
    bool has[JOBS + 1];
};

static struct roll call_roll(void)
{
    struct roll roll = {{false}};

    for (unsigned i = 1; i <= JOBS; i++)
        roll.has[i] = jobs[i].is_accepted;
    return roll;
}

static void must_be_over(const struct roll *roll)
{
    for (unsigned i = 1; i <= JOBS; i++)
        if (roll->has[i])
            job_must_be_over(&jobs[i]);
}

weir_status join_pool(weir_deadline deadline)
{
    struct roll roll = call_roll();
    weir_status status;

    say("joins the pool", 0);
    status = answers(weir_pool_join(pool, deadline));
    if (status == WEIR_TIMED_OUT)
        check_time_out(deadline);
    if (status == WEIR_OK)
        must_be_over(&roll);
    return status;
}

/* -------------------------------------------------------------------- group */

weir_status join_group(weir_deadline deadline)
{
    struct roll roll = call_roll();
    weir_status status;

    for (unsigned i = 1; i <= JOBS; i++)
        roll.has[i] = roll.has[i] && jobs[i].is_in_group;
    say("joins the group", 0);
    status = answers(weir_group_join(stage->group, deadline));
    if (status == WEIR_OK)
        must_be_over(&roll);
    return status;
}

static void note_cancel(void)
{
    for (unsigned i = 1; i <= JOBS; i++)
        jobs[i].is_cancelled |= jobs[i].is_in_group;
}

void cancel_group(void)
{
    say("cancels the group", 0);
    note_cancel();
    weir_group_cancel(stage->group);
}

void destroy_group(void)
{
    say("destroys the group", 0);
    note_cancel();
    weir_group_destroy(stage->group);
    stage->group = NULL;
}

/* Of the pool's threads no more than `stuck` are left. */
static void check_threads(unsigned stuck)
{
    unsigned alive = 0;

    for (unsigned i = 0; i < thread_count; i++)
        alive += !cast_has(i) && !world_has_ended(i);
    if (alive > stuck)
        world_fail("the pool has ended, and %u of its threads have not", alive);
}

weir_status stop_pool(weir_stop_how how, weir_deadline deadline)
{
    weir_status status;
    struct roll roll;

    say("stops the pool", (unsigned)how);
    stage->is_closing = true;
    stage->stops_now |= how == WEIR_STOP_NOW;
    status = answers(weir_pool_stop(pool, how, deadline));
    if (status == WEIR_TIMED_OUT ||
        (status == WEIR_STUCK && stage->options.grace_ns == 0))
        check_time_out(deadline);
    if (status == WEIR_OK) {
        roll = call_roll();
        must_be_over(&roll);
        check_threads(0);
    }
    if (status == WEIR_OK)
        pressure_must_be_low();
    stage->has_ended |= status == WEIR_OK;
    stage->starts_nothing |= how == WEIR_STOP_NOW || status == WEIR_OK;
    return status;
}

weir_status resize_pool(uint32_t workers)
{
    say("resizes the pool to", workers);
    stage->is_resized = true;
    return answers(weir_pool_resize(pool, workers));
}

void destroy_pool(void)
{
    unsigned workers = check_pool().workers;
    weir_pool *it = pool;

    say("destroys the pool", 0);
    stage->is_closing = stage->stops_now = true;
    weir_pool_destroy(it);
    pool = NULL;
    pressure_must_be_low();
    stage->is_over = true;
    check_threads(workers);
}

/* ------------------------------------------------------------------ figures */

static uint64_t settled(const weir_ledger *l)
{
    return l->done + l->failed + l->timed_out + l->crashed + l->exited +
           l->cancelled + l->expired + l->dropped;
}

static void say_ledger(const weir_ledger *l)
{
    if (trace_is_on)
        trace_say(world_self(),
                  "  %" PRIu64 " accepted, %" PRIu64 " queued, %" PRIu64
                  " running, %" PRIu64 " retrying, %" PRIu64 " settled",
                  l->accepted, l->queued, l->running, l->retrying, settled(l));
}

static unsigned known(void)
{
    unsigned count = 0;

    for (unsigned i = 1; i <= JOBS; i++)
        count += jobs[i].is_settled;
    return count;
}

weir_pool_stats check_pool(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    const weir_ledger *l = &stats.ledger;
    unsigned accepted = stage->accepted, settled_before = known();
    uint64_t most_running, most_queued;

    say("reads the figures", 0);
    weir_pool_read_stats(pool, &stats);
    say_ledger(l);
    most_running = stats.workers + stage->offered;
    if (stage->options.on_full != WEIR_ON_FULL_CALLER_RUNS)
        most_running = stats.workers;
    if (!weir_ledger_balances(l))
        world_fail("the ledger does not balance");
    if (l->accepted < accepted || l->accepted > stage->offered)
        world_fail("%" PRIu64 " are accepted, but %u were and %u are offered",
                   l->accepted, accepted, stage->offered);
    most_queued = stage->options.queue_capacity;
    if (!stage->options.on_settled) /* a worker may just take a plain task */
        most_queued += stats.workers;
    if (l->queued + l->retrying > most_queued)
        world_fail("%" PRIu64 " are queued and %" PRIu64 " retrying", l->queued,
                   l->retrying);
    if (l->running > most_running)
        world_fail("%" PRIu64 " are running on %u workers", l->running,
                   stats.workers);
    if (settled(l) < settled_before || settled(l) > l->accepted)
        world_fail("%" PRIu64 " have settled, but %u are known to be",
                   settled(l), settled_before);
    if (stats.busy > stats.workers)
        world_fail("%u workers are busy, of %u", stats.busy, stats.workers);
    return stats;
}

void list_pool(void)
{
    weir_pool_entry list[JOBS] = {WEIR_POOL_ENTRY_INIT};
    size_t count = weir_pool_list(pool, list, JOBS);

    say("lists", (unsigned)count);
    if (count > stage->offered)
        world_fail("%zu are listed, but %u were offered", count,
                   stage->offered);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (list[i].task_id == list[k].task_id)
                world_fail("task %" PRIu64 " is listed twice", list[i].task_id);
}

/* At rest: so many at least ended like this, and at most. */
static void check_kind(weir_outcome_kind kind, uint64_t figure)
{
    unsigned least = 0, most = 0;

    for (unsigned i = 1; i <= JOBS; i++) {
        const struct job *job = &jobs[i];

        if (!job->is_accepted)
            continue;
        least += job->is_settled && job->kind == kind;
        most += job->is_settled ? job->kind == kind : job_may_be(job, kind);
    }
    if (figure < least || figure > most)
        world_fail("%" PRIu64 " tasks are %s, not %u to %u", figure,
                   weir_outcome_name(kind), least, most);
}

static void must_be(const char *what, uint64_t is, uint64_t should_be)
{
    if (is != should_be)
        world_fail("at rest %s is %" PRIu64 ", but should be %" PRIu64, what,
                   is, should_be);
}

static void check_figures(void)
{
    weir_pool_stats stats = check_pool();
    const weir_ledger *l = &stats.ledger;
    uint64_t attempts = 0;

    for (unsigned i = 1; i <= JOBS; i++)
        attempts += jobs[i].begun;
    must_be("accepted", l->accepted, stage->accepted);
    must_be("refused", l->refused, stage->refused);
    must_be("attempts", l->attempts, attempts);
    must_be("queued", l->queued, 0);
    must_be("running", l->running, 0);
    must_be("retrying", l->retrying, 0);
    must_be("overdue", l->overdue, 0);
    must_be("busy", stats.busy, 0);
    check_kind(WEIR_OUTCOME_DONE, l->done);
    check_kind(WEIR_OUTCOME_FAILED, l->failed);
    check_kind(WEIR_OUTCOME_TIMED_OUT, l->timed_out);
    check_kind(WEIR_OUTCOME_EXITED, l->exited);
    check_kind(WEIR_OUTCOME_CANCELLED, l->cancelled);
    check_kind(WEIR_OUTCOME_EXPIRED, l->expired);
    check_kind(WEIR_OUTCOME_DROPPED, l->dropped);
}

/* ------------------------------------------------------------------ the end */

/* A thread that was abandoned comes back first: join would not wait for it. */
static void rest(void)
{
    world_await_all();
    if (join_pool(WEIR_FOREVER))
        world_fail("join does not answer WEIR_OK");
    pressure_must_be_low();
    world_await_all();
    check_figures();
    if (pool_quiet_is_broken(pool))
        world_fail("nobody is in the pool any more, but %s",
                   pool_quiet_is_broken(pool));
}

void pool_scenario_play(const struct scenario *scenario)
{
    cast_reset();
    jobs_reset();
    deeds_reset();
    history_reset(1, WEIR_ON_FULL_WAIT, false);
    stage->scenario = scenario;
    scenario->run();
    join_all();
    choice_hush(true);
    if (pool) {
        rest();
        destroy_pool();
    }
    world_await_all();
    weir_group_destroy(stage->group);
    for (unsigned i = 1; i <= JOBS; i++) {
        job_must_be_over(&jobs[i]);
        weir_future_release(jobs[i].future);
    }
    if (arena_live())
        world_fail("%zu blocks of memory were not released", arena_live());
}
