/* SPDX-License-Identifier: MIT */
/* deaf.c - see deaf.h. */
#include "deaf.h"

#include <sched.h>

#include "base/fault.h"

const int64_t deaf_timeout_ns = WEIR_SECONDS(5);
const int64_t deaf_grace_ns = WEIR_SECONDS(3);

/* One worker, whose hooks see that no two threads have its index. */
void deaf_setup(void)
{
    hooked_setup();
    options.timeout_ns = deaf_timeout_ns;
    options.grace_ns = deaf_grace_ns;
    options.max_abandoned = 2;
}

/* Of plain tasks nobody hears but the ledger. */
void deaf_plain_setup(void)
{
    deaf_setup();
    options.on_settled = NULL;
    options.on_release = NULL;
}

void deaf_teardown(void)
{
    weir__fault_arm(0);
    hooked_teardown();
}

void await_abandoned(uint64_t count)
{
    while (ledger_now().abandoned != count)
        sched_yield();
}

int64_t grace_of(const struct job *job)
{
    return job->deadline.at_ns + deaf_grace_ns;
}

/* So many jobs begin together and are deaf until the grace is over. */
void start_deaf(struct job **jobs, int count)
{
    for (int i = 0; i < count; i++)
        jobs[i] = start_new(act_check_index);
    advance_to(jobs[0]->deadline.at_ns);
    for (int i = 0; i < count; i++)
        while (!weir_task_cancelled(jobs[i]->task))
            sched_yield();
    advance_to(grace_of(jobs[0]));
}

struct job *start_abandoned(void)
{
    uint64_t before = ledger_now().abandoned;
    struct job *job;

    start_deaf(&job, 1);
    await_abandoned(before + 1);
    return job;
}

/* The same for plain tasks, of which no callback tells the end. */
void let_end(struct job *job)
{
    gate_open(&job->finish);
    await_count(&job->ended, 1);
}

/* Not before the abandoned have returned: a join would not wait for them. */
void settle_returned(void)
{
    await_abandoned(0);
    settle_all();
}
