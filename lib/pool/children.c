/* SPDX-License-Identifier: MIT */
/* children.c - see children.h. */
#include "pool/children.h"

#include <errno.h>

#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"
#include "pool/limits.h"
#include "pool/log.h"
#include "pool/seen.h"
#include "process/child.h"
#include "process/start.h"

/* -------------------------------------------------------------------- life */

bool weir__children_equip(weir_pool *pool, struct weir__worker *worker)
{
    struct weir__child *child;

    if (!pool->settings.has_children)
        return true;
    worker->task.cancel_fd = weir__event_create();
    if (worker->task.cancel_fd < 0)
        return false;
    child = weir__allocate(sizeof(*child));
    if (!child)
        return false;
    if (!weir__child_init(child, &pool->settings.children, &pool->work_spin,
                          worker->index, worker->task.cancel_fd)) {
        weir__release(child);
        return false;
    }
    worker->child = child;
    return true;
}

void weir__children_dispose(struct weir__worker *worker)
{
    if (!worker->child)
        return;
    weir__child_dispose(worker->child);
    weir__release(worker->child);
}

/* ------------------------------------------------------------ by the worker */

bool weir__children_are_fit(const struct weir__worker *worker)
{
    uint64_t most = worker->pool->settings.children.options.recycle_after;

    return weir__child_is_there(worker->child) &&
           (most == 0 || worker->child->tasks < most);
}

static void tell_of_start(struct weir__worker *worker)
{
    if (worker->child->started == 0)
        return;
    weir__seen_child(worker->pool, worker->index, worker->child->started);
    worker->child->started = 0;
}

/* As a worker_start would have it.  Without a server the worker stays, so that
 * what is queued settles CRASHED. */
static int answer_of(weir_status status)
{
    if (status == WEIR_OK || (status == WEIR_ESYSTEM && weir__server_is_lost()))
        return 0;
    return WEIR__START_CHILDLESS;
}

/* The pool closes, and there is nothing left for a fresh child. */
static bool nothing_will_come(weir_pool *pool) WEIR_REQUIRES(pool->lock)
{
    return pool->closing && !pool->queued.first && !pool->due.first &&
           !pool->later.first && !pool->schedule.delayed.first &&
           !weir__limits_any(pool, NULL);
}

/* Whoever closes the pool from here on finds the worker at it, and hurries it.
 */
int weir__children_start(struct weir__worker *worker)
{
    weir_pool *pool = worker->pool;
    weir_status status;
    bool in_vain;

    weir__mutex_lock(&pool->lock);
    in_vain = nothing_will_come(pool);
    weir__mutex_unlock(&pool->lock);
    if (in_vain)
        return WEIR__START_CHILDLESS;
    status = weir__child_start(worker->child);
    tell_of_start(worker);
    return answer_of(status);
}

bool weir__children_renew(struct weir__worker *worker)
{
    weir_pool *pool = worker->pool;
    int answer;

    if (weir__child_look(worker->child) && weir__children_are_fit(worker))
        return true;
    if (weir__server_is_lost()) {
        weir__mutex_lock(&pool->lock);
        weir__log_server(pool);
        weir__mutex_unlock(&pool->lock);
        return true;
    }
    weir__mutex_lock(&pool->lock);
    worker->phase = WEIR__RENEWING;
    weir__mutex_unlock(&pool->lock);
    weir__child_retire(worker->child);
    answer = weir__children_start(worker);
    weir__mutex_lock(&pool->lock);
    if (answer == 0)
        worker->phase = WEIR__IDLE;
    weir__mutex_unlock(&pool->lock);
    return answer == 0;
}

enum weir__ending
weir__children_run(struct weir__worker *worker, const struct weir__entry *entry)
{
    const struct weir__child_call call = {
        .handler = entry->handler,
        .item = entry->item,
        .item_size = worker->pool->settings.options.item_size};
    enum weir__ending how;

    how = weir__child_run(worker->child, &worker->task, &call);
    tell_of_start(worker); /* it was absent */
    return how;
}

/* --------------------------------------------------------------- by others */

void weir__children_hurry_starts(weir_pool *pool)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->child &&
            (pool->workers[i]->phase == WEIR__STARTING ||
             pool->workers[i]->phase == WEIR__RENEWING))
            weir__child_hurry(pool->workers[i]->child);
}

void weir__children_hurry_all(weir_pool *pool)
{
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        if (pool->workers[i]->child)
            weir__child_hurry(pool->workers[i]->child);
}

weir_status weir__children_check(const weir_pool *pool, weir_handler *handler,
                                 const void *pointer, const void *context)
{
    if (!pool->settings.has_children)
        return WEIR_OK;
    if (pointer)
        return weir__refuse(WEIR_EINVAL,
                            "the handler runs in another process, where a "
                            "pointer leads nowhere: set item_size and submit a "
                            "copy");
    if (context)
        return weir__refuse(WEIR_EINVAL,
                            "a context is a pointer, and the handler runs in "
                            "another process: child_start gives it one");
    return weir__server_check_code((uintptr_t)handler, "the handler");
}

bool weir__children_are_lost(weir_pool *pool)
{
    if (!pool->settings.has_children || !weir__server_is_lost())
        return false;
    weir__log_server(pool);
    return true;
}
