/* SPDX-License-Identifier: MIT */
/*
 * callers.c - user code that a submitter runs on its own thread.
 *
 * With caller-runs it runs the handler, and what a task's end brings with it;
 * with drop-oldest the callbacks of the task that it drops.  Any of these may
 * end the thread, which is not ours: no thread-specific destructor of ours
 * watches it, so clean-up handlers do here what weir__thread's `ended` does for
 * a worker.
 */
#include "pool/callers.h"

#include <pthread.h>

#include "base/fork.h"

/* ----------------------------------------------------------------- telling */

/* A callback that a submitter runs may end its thread.  What it left is done
 * here. */
struct telling {
    weir_pool *pool;
    struct weir__entry *entry;
    weir_future *future; /* that nobody will get then; may be NULL */
    bool ended;          /* an attempt has */
    enum weir__ending how;
    bool done;
};

static void tell_guarded_drops_lock(struct telling *telling);

/* Runs again should what it calls end the thread once more: some systems do
 * that by themselves, for others it is guarded too. */
static void go_on_telling(void *arg)
{
    struct telling *telling = arg;

    if (telling->done)
        return;
    weir__pool_leave(&telling->entry->inside);
    telling->ended = false;
    weir__mutex_lock(&telling->pool->lock);
    tell_guarded_drops_lock(telling);
    weir__mutex_unlock(&telling->pool->lock);
    weir_future_release(telling->future);
}

/* With the pool's lock, which no annotation can say of what lies in a struct.
 * The clean-up's macros nest deeper than we do. */
/* NOLINTNEXTLINE(readability-function-size) */
WEIR_TRUST_ME static void tell_guarded_drops_lock(struct telling *telling)
{
    weir_pool *pool = telling->pool;
    enum weir__phase phase = WEIR__TELLING;

    pthread_cleanup_push(go_on_telling, telling);
    if (telling->ended)
        weir__entry_end_drops_lock(pool, telling->entry, telling->how, &phase);
    else if (telling->entry->is_handled)
        weir__entry_go_on_drops_lock(pool, telling->entry, &phase);
    else
        weir__entry_tell_drops_lock(pool, telling->entry);
    telling->done = true;
    pthread_cleanup_pop(0);
}

void weir__callers_tell_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                   weir_future *future)
{
    struct telling telling = {.pool = pool, .entry = entry, .future = future};

    tell_guarded_drops_lock(&telling);
}

/* ----------------------------------------------------------------- running */

/* What has to be done even if the handler ends this thread. */
struct callers_attempt {
    weir_pool *pool;
    struct weir__entry *entry;
    weir_future *future; /* the submitter's, unless it exits */
    struct weir__inside inside;
    bool exited;
    bool over; /* the end has begun: it is not to begin again */
};

static void end_callers_attempt(void *arg)
{
    struct callers_attempt *attempt = arg;
    weir_pool *pool = attempt->pool;
    struct telling telling = {.pool = pool,
                              .entry = attempt->entry,
                              .future = attempt->future,
                              .ended = true,
                              .how = attempt->exited ? WEIR__EXITED
                                                     : WEIR__ANSWERED};

    if (attempt->over)
        return;
    weir__task_end(attempt->entry->task);
    attempt->over = true;
    weir__pool_leave(&attempt->inside);
    weir__mutex_lock(&pool->lock);
    weir__entry_list_remove(&pool->callers, attempt->entry);
    tell_guarded_drops_lock(&telling);
    weir__mutex_unlock(&pool->lock);
    if (attempt->exited)
        weir_future_release(attempt->future); /* nobody will get it */
}

/* A clean-up handler is fine here: this is the submitter's own thread.  Its
 * macros nest deeper than we do. */
/* NOLINTNEXTLINE(readability-function-size) */
static void run_callers_attempt(struct callers_attempt *attempt)
{
    struct weir__entry *entry = attempt->entry;

    pthread_cleanup_push(end_callers_attempt, attempt);
    weir__pool_enter(&attempt->inside, attempt->pool);
    (void)weir__task_run(entry->task, entry->handler, entry->item, false);
    attempt->exited = false;
    if (weir__is_forked(attempt->pool->generation)) { /* the parent's */
        weir__task_end_plainly(entry->task);
        weir__pool_leave(&attempt->inside);
        attempt->over = true;
    }
    pthread_cleanup_pop(1);
}

void weir__callers_run(weir_pool *pool, struct weir__entry *entry,
                       weir_future *future)
{
    struct callers_attempt attempt = {.pool = pool,
                                      .entry = entry,
                                      .future = future,
                                      .exited = true};

    run_callers_attempt(&attempt);
}
