/* SPDX-License-Identifier: MIT */
/* kept.c - see kept.h. */
#include "pool/kept.h"

#include "pool/limits.h"

#include <assert.h>

#include "base/stamp.h"
#include "task/outcome.h"

int weir__kept_mark(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    assert(false && "a mark is no handler");
    return 0;
}

void weir__kept_tell(const struct weir__kept *kept,
                     const struct weir_task *answered, int64_t started_ns,
                     int64_t ended_ns)
{
    const struct weir__source *source = &kept->keeper->source;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    weir__task_answer(answered, &outcome);
    if (outcome.kind == WEIR_OUTCOME_FAILED && outcome.message[0] == '\0')
        outcome.message = weir__outcome_message(WEIR_OUTCOME_FAILED);
    outcome.task_id = answered->id;
    outcome.attempts = 1;
    outcome.waited_ns = weir__span(kept->submitted_ns, started_ns);
    outcome.ran_ns = weir__span(started_ns, ended_ns);
    source->settle(source->arg, kept->item, &outcome, false);
    if (!source->may_release(source->arg, kept->item))
        return;
    if (source->release)
        source->release(source->arg, kept->item);
    source->let_go(source->arg, kept->item, true);
}

/* ------------------------------------------------------------- giving it up */

void weir__pool_give_up(weir_pool *pool, struct weir__keeper *keeper)
{
    weir__mutex_lock(&pool->lock);
    weir__flag_write(&keeper->gives_up, true);
    weir__eventcount_wake_all(&pool->submitters);
    weir__mutex_unlock(&pool->lock);
}

static void
cancel_keepers(weir_pool *pool, struct weir__entry *entry,
               const struct weir__keeper *keeper) WEIR_REQUIRES(pool->lock)
{
    if (entry && entry->source == &keeper->source)
        weir__entry_cancel_drops_lock(pool, entry, true);
}

/* The notifier tells of such an entry, so that the lock is not given up, and
 * the next one stays where it is. */
static void
cancel_list_of(weir_pool *pool, const struct weir__entry_list *list,
               const struct weir__keeper *keeper) WEIR_REQUIRES(pool->lock)
{
    for (struct weir__entry *e = list->first, *next; e; e = next) {
        next = e->next;
        cancel_keepers(pool, e, keeper);
    }
}

void weir__pool_cancel_kept(weir_pool *pool, const struct weir__keeper *keeper)
{
    weir__mutex_lock(&pool->lock);
    weir__lane_reveal(pool);
    cancel_list_of(pool, &pool->queued, keeper);
    cancel_list_of(pool, &pool->later, keeper);
    cancel_list_of(pool, &pool->due, keeper);
    while (weir__limits_any(pool, &keeper->source))
        weir__entry_cancel_drops_lock(pool,
                                      weir__limits_any(pool, &keeper->source),
                                      true);
    for (uint32_t i = 0; i < pool->worker_slots; i++)
        cancel_keepers(pool, pool->workers[i]->entry, keeper);
    weir__lane_review(pool);
    weir__mutex_unlock(&pool->lock);
}
