/* SPDX-License-Identifier: MIT */
/*
 * pool_jobs.c - see pool_jobs.h.
 *
 * WHAT IS CHECKED
 *
 * As handlers begin: the task was accepted or is just being submitted, no other
 * attempt of it lives, there are attempts left, one worker does not begin a
 * younger one first; it has not settled and the stop
 * that cancels has not returned, or it is asked to stop before it begins.  As
 * they end: they were asked to stop only if somebody or a deadline has.
 *
 * As callbacks run: with no lock held, once each, the release after the telling
 * and after the last attempt; and the outcome is one that can be: DONE and
 * FAILED are what the last attempt answered, TIMED_OUT comes after the
 * deadline, CANCELLED after a cancel or a stop, EXPIRED and DROPPED before the
 * first attempt.  Whoever else hears of the outcome hears the same.
 */
#include "pool_jobs.h"

#include <string.h>

#include "race.h"
#include "trace.h"

struct job jobs[JOBS + 1];
struct pool_state stage_of_pool;

static unsigned number_of(const struct job *job)
{
    return (unsigned)(job - jobs);
}

void jobs_reset(void)
{
    memset(jobs, 0, sizeof(jobs));
    memset(&stage_of_pool, 0, sizeof(stage_of_pool));
}

static void say(const char *what, const struct job *job)
{
    if (trace_is_on)
        trace_say(world_self(), "%s %u", what, number_of(job));
}

/* ---------------------------------------------------------------- attempts */

static void check_beginning(const struct job *job, const weir_task *task)
{
    if (!job->is_offered)
        world_fail("task %u runs, which nobody submitted", number_of(job));
    if (job->begun > job->ended)
        world_fail("task %u has two attempts at once", number_of(job));
    if ((job->is_settled || job->is_told || job->telling) &&
        !weir_task_cancelled(task))
        world_fail("task %u begins, but has settled", number_of(job));
    if (job->begun >= job->most_attempts)
        world_fail("task %u has one attempt too many", number_of(job));
    if (weir_task_attempt(task) != job->begun + 1)
        world_fail("attempt %u of task %u says that it is number %u",
                   job->begun + 1, number_of(job), weir_task_attempt(task));
    if (job->is_its_last)
        world_fail("task %u begins again, but the stop had asked it before",
                   number_of(job));
    if (job->id && weir_task_id(task) != job->id)
        world_fail("task %u is another in its next attempt", number_of(job));
    if (stage_of_pool.starts_nothing && !weir_task_cancelled(task))
        world_fail("task %u begins, but the pool has been stopped",
                   number_of(job));
    for (const struct job *other = jobs; other <= &jobs[JOBS]; other++)
        if (other != job && other->id == weir_task_id(task))
            world_fail("tasks %u and %u have the same id", number_of(job),
                       number_of(other));
}

/* One worker takes the oldest first, and ids are given in the order of
 * acceptance. */
static void check_order(const struct job *job, const weir_task *task)
{
    uint64_t *latest = job->not_before_ns > 0 ? &stage_of_pool.latest_delayed_id
                                              : &stage_of_pool.latest_id;

    if (stage_of_pool.options.workers > 1 || stage_of_pool.is_resized ||
        weir_task_worker(task) == UINT32_MAX || weir_task_attempt(task) > 1 ||
        job->has_semaphore)
        return;
    for (const struct job *other = jobs; other <= &jobs[JOBS]; other++)
        if (other->acts && stage_of_pool.options.grace_ns == 0)
            world_fail("a task begins, and an action of the one before runs");
    if (weir_task_id(task) < *latest)
        world_fail("task with the id %u begins after one that came later",
                   (unsigned)weir_task_id(task));
    *latest = weir_task_id(task);
}

bool job_may_be_asked(const struct job *job)
{
    return job->is_cancelled || stage_of_pool.stops_now ||
           world_peek() >= job->deadline_ns;
}

/* We hear of a series' firing. */
static void job_fires(struct job *job)
{
    if (!job->is_series || job->is_accepted)
        return;
    job->is_accepted = true;
    stage_of_pool.accepted++;
}

static void begin(struct job *job, weir_task *task)
{
    say("begins task", job);
    race_read(job, 1, __builtin_return_address(0));
    race_write(job, 1, __builtin_return_address(0));
    if (world_holds_a_lock())
        world_fail("a handler runs with a lock held");
    job_fires(job);
    if (world_peek() < job->not_before_ns)
        world_fail("task %u begins before its time", number_of(job));
    check_beginning(job, task);
    check_order(job, task);
    job->id = weir_task_id(task);
    job->deadline_ns = stage_of_pool.asks_no_deadline
                           ? job->offered_ns + job->timeout_ns /* or later */
                           : weir_task_deadline(task).at_ns;
    job->begun++;
}

static void end(struct job *job)
{
    job->ended++;
    say("ends task", job);
}

int job_run(weir_task *task, void *item)
{
    struct job *job = item;
    int answer;

    begin(job, task);
    world_step("is at", "a task", job);
    answer = job->does(task, number_of(job));
    if (weir_task_cancelled(task) && !job_may_be_asked(job))
        world_fail("task %u was asked to stop, and nobody did", number_of(job));
    job->is_its_last = weir_task_cancelled(task) &&
                       job->deadline_ns == INT64_MAX && !job->is_cancelled;
    job->is_done = answer == 0;
    end(job);
    return answer;
}

/* A submitter that ends does not hear that its task was accepted. */
static _Noreturn void exit_with(struct job *job)
{
    if (job && cast_has(world_self())) {
        job->is_accepted = true;
        stage_of_pool.accepted++;
    }
    world_exit();
}

_Noreturn void end_this_attempt(unsigned number)
{
    jobs[number].has_exited = true;
    end(&jobs[number]);
    exit_with(&jobs[number]);
}

/* --------------------------------------------------------------- outcomes */

/* Of an attempt that we have seen, or at the earliest. */
static int64_t earliest_deadline(const struct job *job, unsigned attempts)
{
    if (job->timeout_ns == 0)
        return INT64_MAX;
    return attempts == job->begun ? job->deadline_ns
                                  : job->offered_ns + job->timeout_ns;
}

static bool
can_be(const struct job *job, weir_outcome_kind kind, unsigned attempts)
{
    bool has_ended = job->begun > 0 && job->ended == job->begun;

    switch (kind) {
    case WEIR_OUTCOME_DONE:
        return has_ended && job->is_done;
    case WEIR_OUTCOME_FAILED:
        return has_ended && !job->is_done && !job->has_exited;
    case WEIR_OUTCOME_EXITED:
        return has_ended && job->has_exited;
    case WEIR_OUTCOME_TIMED_OUT:
        return world_peek() >= earliest_deadline(job, attempts);
    case WEIR_OUTCOME_CANCELLED:
        return job->is_cancelled || stage_of_pool.stops_now;
    case WEIR_OUTCOME_EXPIRED:
        return job->begun == 0 && job->time_to_live_ns > 0 &&
               world_peek() >= job->offered_ns + job->time_to_live_ns;
    case WEIR_OUTCOME_DROPPED:
        return job->begun == 0 &&
               stage_of_pool.options.on_full == WEIR_ON_FULL_DROP_OLDEST;
    case WEIR_OUTCOME_CRASHED:
    default:
        return false;
    }
}

bool job_may_be(const struct job *job, weir_outcome_kind kind)
{
    return can_be(job, kind, job->begun);
}

void job_ended(struct job *job, const weir_outcome *outcome)
{
    if (job->is_settled && job->kind != outcome->kind)
        world_fail("task %u is %s, but was %s before", number_of(job),
                   weir_outcome_name(outcome->kind),
                   weir_outcome_name(job->kind));
    if (outcome->attempts < job->begun || outcome->attempts > job->begun + 1)
        world_fail("task %u has had %u attempts, not %u", number_of(job),
                   job->begun, outcome->attempts);
    if (!job->is_settled && !can_be(job, outcome->kind, outcome->attempts))
        world_fail("task %u cannot be %s", number_of(job),
                   weir_outcome_name(outcome->kind));
    job->is_settled = true;
    job->kind = outcome->kind;
}

/* --------------------------------------------------------------- callbacks */

static void end_thread_if(bool *wanted, struct job *job)
{
    if (!*wanted)
        return;
    *wanted = false;
    exit_with(job);
}

static void check_callback(const char *name, const struct job *job)
{
    if (trace_is_on)
        trace_say(world_self(), "%s(%u)", name, number_of(job));
    if (world_holds_a_lock())
        world_fail("%s is called with a lock held", name);
    if (stage_of_pool.is_over)
        world_fail("%s is called, but the pool is destroyed", name);
    if (!job->is_offered)
        world_fail("%s is told of task %u, which nobody submitted", name,
                   number_of(job));
}

void job_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    struct job *job = &jobs[(const struct job *)item - jobs];

    (void)arg;
    job_fires(job);
    check_callback("on_settled", job);
    if (job->telling || job->is_told)
        world_fail("task %u is told of twice", number_of(job));
    job_ended(job, outcome);
    job->telling = true;
    world_step("hears of", "a task", job);
    job->telling = false;
    job->is_told = true;
    end_thread_if(&job->settled_exits, job);
}

void stage_pressure(void *arg, bool high)
{
    struct pool_state *stage = &stage_of_pool;

    (void)arg;
    if (trace_is_on)
        trace_say(world_self(), "on_pressure(%s)", high ? "high" : "low");
    if (world_holds_a_lock())
        world_fail("on_pressure is called with a lock held");
    if (stage->is_over)
        world_fail("on_pressure is called, and the pool is destroyed");
    if (stage->tells || stage->told_high == high)
        world_fail("on_pressure says %s %s", high ? "high" : "low",
                   stage->tells ? "beside another" : "twice");
    stage->tells = true;
    stage->told_high = high;
    stage->ever_high |= high;
    world_step("is told of pressure", NULL, NULL);
    stage->tells = false;
    if (high && stage->pressure_opens)
        open_the_gate();
    if (stage->pressure_exits)
        exit_with(NULL);
}

void job_released(void *arg, void *item)
{
    struct job *job = item;

    (void)arg;
    check_callback("on_release", job);
    if (!job->is_told)
        world_fail("task %u is released before it was told of", number_of(job));
    if (job->releasing || job->is_released)
        world_fail("task %u is released twice", number_of(job));
    if (job->begun > job->ended || job->acts)
        world_fail("task %u is released while it runs", number_of(job));
    job->releasing = true;
    race_write(job, 1, __builtin_return_address(0));
    world_step("gives back", "a task", job);
    job->releasing = false;
    job->is_released = true;
    end_thread_if(&job->release_exits, job);
}

bool job_retryable(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    if (world_holds_a_lock())
        world_fail("the predicate is called with a lock held");
    if (stage_of_pool.is_over)
        world_fail("the predicate is called, but the pool is destroyed");
    world_step("is asked of", "a task", NULL);
    end_thread_if(&stage_of_pool.predicate_exits, NULL);
    return outcome->kind != WEIR_OUTCOME_DONE;
}

/* Destroy waits for no handler: items that one had may stay unreleased. */
static bool may_be_kept(const struct job *job)
{
    return stage_of_pool.is_over && !stage_of_pool.has_ended && job->begun > 0;
}

void job_must_be_over(const struct job *job)
{
    if (!job->is_accepted)
        return;
    if (job->begun > job->ended)
        world_fail("task %u still runs", number_of(job));
    if (stage_of_pool.options.on_settled && !job->is_told)
        world_fail("task %u has not been told of", number_of(job));
    if (stage_of_pool.options.on_release && !job->is_released &&
        !may_be_kept(job))
        world_fail("task %u has not been released", number_of(job));
    for (int kind = 0; kind <= WEIR_OUTCOME_DROPPED; kind++)
        if (job_may_be(job, (weir_outcome_kind)kind))
            return;
    world_fail("task %u was accepted, and nothing has become of it",
               number_of(job));
}
