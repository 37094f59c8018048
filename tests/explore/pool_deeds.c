/* SPDX-License-Identifier: MIT */
/* pool_deeds.c - what handlers do; see pool_stage.h. */
#include "pool_jobs.h"

static struct gate {
    struct world_lock lock;
    struct world_cond opens;
    bool is_open;
} gate;

void deeds_reset(void)
{
    world_lock_init(&gate.lock, WORLD_UNRANKED);
    world_cond_init(&gate.opens);
    gate.is_open = false;
}

int works(weir_task *task, unsigned number)
{
    (void)task;
    (void)number;
    return 0;
}

int looks_at_its_deadline(weir_task *task, unsigned number)
{
    int64_t at_ns = weir_task_deadline(task).at_ns;

    if (at_ns < jobs[number].offered_ns + jobs[number].timeout_ns)
        world_fail("task %u has too early a deadline", number);
    if (weir_task_deadline(task).at_ns != at_ns)
        world_fail("task %u has another deadline now", number);
    return sleeps(task, number);
}

int fails(weir_task *task, unsigned number)
{
    (void)number;
    return weir_task_fail(task, 1, "no");
}

int fails_at_first(weir_task *task, unsigned number)
{
    return weir_task_attempt(task) == 1 ? fails(task, number) : 0;
}

int sleeps(weir_task *task, unsigned number)
{
    (void)number;
    must(weir_task_sleep(task, INT64_MAX) == WEIR_CANCELLED);
    return 0;
}

int sleeps_and_fails(weir_task *task, unsigned number)
{
    (void)sleeps(task, number);
    return fails(task, number);
}

int fails_then_sleeps(weir_task *task, unsigned number)
{
    return weir_task_attempt(task) == 1 ? fails(task, number)
                                        : sleeps(task, number);
}

int sleeps_at_first(weir_task *task, unsigned number)
{
    return weir_task_attempt(task) == 1 ? sleeps(task, number) : 0;
}

int ends_its_thread(weir_task *task, unsigned number)
{
    (void)task;
    end_this_attempt(number);
}

static void clean_up(void *arg)
{
    struct job *job = arg;

    if (job->is_released || job->releasing)
        world_fail("a clean-up runs, but its item was released");
    world_step("cleans up", "a task", job);
}

int has_cleanups(weir_task *task, unsigned number)
{
    must(weir_task_defer(task, clean_up, &jobs[number]) == WEIR_OK);
    return 0;
}

static void act(void *arg)
{
    struct job *job = arg;

    if (job->is_released || job->releasing)
        world_fail("an action runs, but its item was released");
    if (!job_may_be_asked(job))
        world_fail("an action runs for an attempt that nobody has asked");
    job->acts = true;
    world_step("acts on", "a task", job);
    job->acts = false;
}

int has_actions(weir_task *task, unsigned number)
{
    must(weir_task_on_cancel(task, act, &jobs[number]) == WEIR_OK);
    return sleeps(task, number);
}

unsigned attempts_of(unsigned number)
{
    return jobs[number].begun;
}

int takes_actions_back(weir_task *task, unsigned number)
{
    must(weir_task_on_cancel(task, act, &jobs[number]) == WEIR_OK);
    must(weir_task_on_cancel(task, NULL, NULL) == WEIR_OK);
    if (jobs[number].acts)
        world_fail("an action runs that was taken back");
    return 0;
}

int has_a_descriptor(weir_task *task, unsigned number)
{
    must(weir_task_cancel_fd(task) >= 0);
    return sleeps(task, number);
}

int waits_at_the_gate(weir_task *task, unsigned number)
{
    (void)task;
    (void)number;
    world_lock_acquire(&gate.lock, "the gate");
    while (!gate.is_open)
        (void)world_cond_wait(&gate.opens, &gate.lock, INT64_MAX, "the gate");
    world_lock_release(&gate.lock, "the gate");
    return 0;
}

int acts_at_the_gate(weir_task *task, unsigned number)
{
    if (weir_task_attempt(task) > 1)
        return 0;
    must(weir_task_on_cancel(task, act, &jobs[number]) == WEIR_OK);
    return waits_at_the_gate(task, number);
}

void open_the_gate(void)
{
    world_lock_acquire(&gate.lock, "the gate");
    gate.is_open = true;
    world_cond_wake_all(&gate.opens, "the gate");
    world_lock_release(&gate.lock, "the gate");
}

int ends_its_series(weir_task *task, unsigned number)
{
    (void)number;
    weir_task_end_series(task);
    open_the_gate();
    return 0;
}

int opens_the_gate(weir_task *task, unsigned number)
{
    (void)task;
    (void)number;
    open_the_gate();
    return 0;
}

void ask_no_deadline(void)
{
    stage_of_pool.asks_no_deadline = true;
}

void end_thread_in_settled(unsigned number)
{
    jobs[number].settled_exits = true;
}

void end_thread_in_release(unsigned number)
{
    jobs[number].release_exits = true;
}

void end_thread_in_predicate(void)
{
    stage_of_pool.predicate_exits = true;
}
