/* SPDX-License-Identifier: MIT */
/* settings.c - see settings.h. */
#include "pool/settings.h"

#include <stdio.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/options.h"
#include "base/processors.h"
#include "base/thread.h"
#include "limit/fronts.h"
#include "observe/events.h"
#include "queue/marks.h"
#include "queue/settings.h"
#include "task/retry.h"

enum {
    DEFAULT_TASKS = 1024,
    DEFAULT_RESULT = 256,
    DEFAULT_CODEL_INTERVAL_MS = 100,
    MOST_RESULT = 1 << 20,
    MOST_TASKS = 1 << 30
};

static weir_status check_isolation(const weir_pool_options *o)
{
    if ((unsigned)o->isolation > WEIR_ISOLATE_PROCESS)
        return weir__refuse(
            WEIR_EINVAL,
            "isolation %d is no level: use WEIR_ISOLATE_THREAD, "
            "WEIR_ISOLATE_TRAP or WEIR_ISOLATE_PROCESS",
            (int)o->isolation);
    if (o->process && o->isolation != WEIR_ISOLATE_PROCESS)
        return weir__refuse(WEIR_EINVAL,
                            "process without isolation WEIR_ISOLATE_PROCESS: "
                            "there is no child it would be for");
    return WEIR_OK;
}

static weir_status check_workers(weir_pool_options *o)
{
    if (o->workers == 0)
        o->workers = weir__processors();
    if (o->workers > WEIR__MOST_WORKERS)
        return weir__refuse(WEIR_EINVAL, "workers %u is above %d",
                            (unsigned)o->workers, WEIR__MOST_WORKERS);
    if (o->max_workers == 0)
        o->max_workers = o->workers;
    if (o->max_workers > WEIR__MOST_WORKERS)
        return weir__refuse(WEIR_EINVAL, "max_workers %u is above %d",
                            (unsigned)o->max_workers, WEIR__MOST_WORKERS);
    if (o->max_workers < o->workers)
        return weir__refuse(WEIR_EINVAL,
                            "max_workers %u is below workers %u: raise it, or "
                            "leave it 0 for no more",
                            (unsigned)o->max_workers, (unsigned)o->workers);
    if (o->stack_bytes > 0 && o->stack_bytes < weir__thread_least_stack())
        return weir__refuse(WEIR_EINVAL,
                            "stack_bytes %zu is below the system's least, %zu",
                            o->stack_bytes, weir__thread_least_stack());
    return WEIR_OK;
}

static weir_status check_sizes(weir_pool_options *o)
{
    if (o->queue_capacity == 0)
        o->queue_capacity = DEFAULT_TASKS;
    if (o->queue_capacity > MOST_TASKS)
        return weir__refuse(WEIR_EINVAL, "queue_capacity %zu is above %d",
                            o->queue_capacity, MOST_TASKS);
    if (o->item_size > WEIR__MOST_ITEM_BYTES)
        return weir__refuse(WEIR_EINVAL,
                            "item_size %zu is above %d: submit pointers to "
                            "larger items",
                            o->item_size, WEIR__MOST_ITEM_BYTES);
    if (o->max_result == 0)
        o->max_result = DEFAULT_RESULT;
    if (o->max_result > MOST_RESULT)
        return weir__refuse(WEIR_EINVAL, "max_result %zu is above %d",
                            o->max_result, MOST_RESULT);
    return WEIR_OK;
}

static weir_status check_times(const weir_pool_options *o)
{
    if (o->timeout_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "timeout_ns is negative: 0 means no timeout");
    if (o->time_to_live_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "time_to_live_ns is negative: 0 means no limit");
    return WEIR_OK;
}

static weir_status check_codel(weir_pool_options *o)
{
    if (o->codel_target_ns < 0 || o->codel_interval_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "codel_target_ns or codel_interval_ns is negative: "
                            "0 means off, and the default");
    if (o->codel_target_ns == 0 && o->codel_interval_ns > 0)
        return weir__refuse(WEIR_EINVAL,
                            "codel_interval_ns without codel_target_ns: "
                            "nothing gets stale, set codel_target_ns too");
    if (o->codel_target_ns > 0 && o->codel_interval_ns == 0)
        o->codel_interval_ns = WEIR_MS(DEFAULT_CODEL_INTERVAL_MS);
    if (o->codel_target_ns > o->codel_interval_ns)
        return weir__refuse(WEIR_EINVAL,
                            "codel_target_ns is above codel_interval_ns %lld: "
                            "raise the interval, or use time_to_live_ns",
                            (long long)o->codel_interval_ns);
    return WEIR_OK;
}

/* After the sizes. */
static weir_status check_pressure(weir_pool_options *o)
{
    if (o->on_pressure)
        return weir__marks_read(&o->high_water, &o->low_water,
                                o->queue_capacity, "queue_capacity");
    if (o->high_water > 0 || o->low_water > 0)
        return weir__refuse(WEIR_EINVAL,
                            "%s without on_pressure: nobody would be told, set "
                            "on_pressure too",
                            o->high_water > 0 ? "high_water" : "low_water");
    return WEIR_OK;
}

/* All of them, by name, so that the compiler asks after one that is new. */
static bool is_policy(weir_on_full on_full)
{
    switch (on_full) {
    case WEIR_ON_FULL_WAIT:
    case WEIR_ON_FULL_REFUSE:
    case WEIR_ON_FULL_DROP_OLDEST:
    case WEIR_ON_FULL_CALLER_RUNS:
        return true;
    }
    return false;
}

static weir_status check_on_full(const weir_pool_options *o)
{
    if (!is_policy(o->on_full))
        return weir__refuse(WEIR_EINVAL,
                            "on_full %d is no policy: use a WEIR_ON_FULL_...",
                            (int)o->on_full);
    if (o->isolation == WEIR_ISOLATE_TRAP &&
        o->on_full == WEIR_ON_FULL_CALLER_RUNS)
        return weir__refuse(WEIR_EINVAL,
                            "isolation WEIR_ISOLATE_TRAP cannot go with "
                            "on_full WEIR_ON_FULL_CALLER_RUNS: a fault would "
                            "end the submitter's thread; choose another "
                            "on_full");
    return WEIR_OK;
}

static weir_status refuse_callers(const char *limit)
{
    return weir__refuse(WEIR_EINVAL,
                        "%s with on_full WEIR_ON_FULL_CALLER_RUNS: the "
                        "submitter's own attempts would pass it by, use "
                        "another policy",
                        limit);
}

weir_status weir__limits_read(const weir_semaphore *semaphore, size_t *permits,
                              weir_on_full on_full)
{
    const struct weir__limit *limit = (const struct weir__limit *)semaphore;
    weir_status status = WEIR_OK;

    if (!semaphore && *permits > 0)
        return weir__refuse(WEIR_EINVAL,
                            "permits %zu without a semaphore: "
                            "there is none to take them of",
                            *permits);
    if (!semaphore)
        return WEIR_OK;
    status = weir__limit_check(limit, "semaphore");
    if (status)
        return status;
    if (*permits == 0)
        *permits = 1;
    if (*permits > limit->permits.total)
        return weir__refuse(WEIR_EINVAL,
                            "permits %zu of a semaphore of %zu: no attempt "
                            "could ever begin, ask for 1 to %zu",
                            *permits, limit->permits.total,
                            limit->permits.total);
    if (on_full == WEIR_ON_FULL_CALLER_RUNS)
        return refuse_callers("semaphore");
    return WEIR_OK;
}

static weir_status
check_limit(const void *limit, const char *name, weir_on_full on_full)
{
    if (limit && on_full == WEIR_ON_FULL_CALLER_RUNS)
        return refuse_callers(name);
    return limit ? weir__limit_check(limit, name) : WEIR_OK;
}

/* After on_full. */
static weir_status check_limits(struct weir__pool_settings *into)
{
    weir_pool_options *o = &into->options;
    weir_status status =
        weir__limits_read(o->semaphore, &o->permits, o->on_full);

    if (!status)
        status = check_limit(o->rate, "rate", o->on_full);
    if (!status)
        status = check_limit(o->adaptive, "adaptive", o->on_full);
    if (!status)
        status = check_limit(o->breaker, "breaker", o->on_full);
    into->has_limits = o->semaphore || o->rate || o->adaptive || o->breaker;
    return status;
}

/* What makes no sense where handlers run in another process. */
static weir_status
refuse_with_processes(const char *option, const char *instead)
{
    return weir__refuse(WEIR_EINVAL,
                        "%s cannot go with isolation WEIR_ISOLATE_PROCESS: %s",
                        option, instead);
}

static weir_status check_process(const weir_pool_options *o)
{
    if (o->isolation != WEIR_ISOLATE_PROCESS)
        return WEIR_OK;
    if (o->on_full == WEIR_ON_FULL_CALLER_RUNS)
        return refuse_with_processes("on_full WEIR_ON_FULL_CALLER_RUNS",
                                     "a handler would run in the submitter's "
                                     "process; use another policy");
    if (o->context)
        return refuse_with_processes("context",
                                     "it is a pointer; process.child_start "
                                     "gives each child one of its own");
    if (o->worker_start || o->worker_stop)
        return refuse_with_processes("worker_start or worker_stop",
                                     "no handler runs on those threads; use "
                                     "process.child_start");
    if (o->interrupt_signal != 0)
        return refuse_with_processes("interrupt_signal",
                                     "a child is sent SIGTERM, and SIGKILL "
                                     "after grace_ns");
    if (o->max_abandoned > 0)
        return refuse_with_processes("max_abandoned",
                                     "a child is killed, never abandoned");
    return WEIR_OK;
}

/* The grace is theirs: nothing is abandoned. */
static weir_status read_children(struct weir__pool_settings *into)
{
    weir_pool_options *o = &into->options;

    into->has_children = o->isolation == WEIR_ISOLATE_PROCESS;
    into->abandons_after_ns = o->grace_ns;
    if (!into->has_children)
        return WEIR_OK;
    into->abandons_after_ns = 0;
    into->children.grace_ns = o->grace_ns;
    into->children.max_result = o->max_result;
    into->children.name = into->name;
    return weir__child_settings_read(&into->children, o->process);
}

/* After the workers, the times and on_full. */
static weir_status check_grace(weir_pool_options *o)
{
    if (o->grace_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "grace_ns is negative: 0 means that nothing is "
                            "abandoned");
    if (o->grace_ns == 0 && o->max_abandoned > 0)
        return weir__refuse(WEIR_EINVAL,
                            "max_abandoned %u without grace_ns: nothing is "
                            "abandoned, set grace_ns or leave both 0",
                            (unsigned)o->max_abandoned);
    if (o->grace_ns == 0 || o->isolation == WEIR_ISOLATE_PROCESS)
        return WEIR_OK;
    if (o->timeout_ns == 0)
        return weir__refuse(WEIR_EINVAL,
                            "grace_ns without timeout_ns: it begins where an "
                            "attempt's time ends, set timeout_ns too");
    if (o->on_full == WEIR_ON_FULL_CALLER_RUNS)
        return weir__refuse(WEIR_EINVAL,
                            "grace_ns with on_full WEIR_ON_FULL_CALLER_RUNS: "
                            "no thread can take the submitter's place, use "
                            "another policy or leave grace_ns 0");
    if (o->max_abandoned == 0)
        o->max_abandoned = o->workers;
    if (o->max_abandoned > WEIR__MOST_WORKERS)
        return weir__refuse(WEIR_EINVAL, "max_abandoned %u is above %d",
                            (unsigned)o->max_abandoned, WEIR__MOST_WORKERS);
    return WEIR_OK;
}

/* Last of all: it does something. */
static weir_status claim_interrupt(const weir_pool_options *o)
{
    if (o->interrupt_signal == 0)
        return WEIR_OK;
    if (o->on_full == WEIR_ON_FULL_CALLER_RUNS)
        return weir__refuse(WEIR_EINVAL,
                            "interrupt_signal with on_full "
                            "WEIR_ON_FULL_CALLER_RUNS: submitters are not to "
                            "be hit, use another policy or leave "
                            "interrupt_signal 0");
    return weir__interrupt_claim(o->interrupt_signal, "interrupt_signal");
}

weir_status weir__pool_settings_read(struct weir__pool_settings *into,
                                     const weir_pool_options *options)
{
    weir_pool_options *o = &into->options;
    weir_status status =
        weir__options_read(o, sizeof(*o), options, "weir_pool_options");

    if (!status)
        status = check_isolation(o);
    into->scales = o->max_workers > 0;
    if (!status)
        status = check_workers(o);
    if (!status)
        status = check_sizes(o);
    if (!status)
        status = check_times(o);
    if (!status)
        status = check_codel(o);
    if (!status)
        status = check_pressure(o);
    if (!status)
        status = weir__events_check(o->events, "events");
    if (!status)
        status = check_on_full(o);
    if (!status)
        status = check_limits(into);
    if (!status)
        status = check_process(o);
    if (!status)
        status = check_grace(o);
    if (!status)
        status = weir__retry_read(&into->retry, o->retry);
    if (!status)
        status = read_children(into);
    if (!status)
        status = claim_interrupt(o);
    if (status)
        return status;
    snprintf(into->name, sizeof(into->name), "%s", o->name ? o->name : "weir");
    o->name = into->name;
    o->retry = &into->retry;
    o->process = into->has_children ? &into->children.options : NULL;
    return WEIR_OK;
}
