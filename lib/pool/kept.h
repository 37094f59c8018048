/* SPDX-License-Identifier: MIT */
/*
 * kept.h - tasks whose items somebody beside the pool keeps: a stream.
 *
 * THE IDEA
 *
 * An item that is to be looked at after its task has ended must not lie in the
 * task's entry, which goes back to the store then.  So its keeper has memory
 * for it, the pool runs the handler on it there, and two hold it:
 *
 *     keeper ──submit──▶ pool: attempt ──settle──▶ keeper has the outcome
 *        │                 │
 *        │                 └──may_release?──▶ yes: on_release, release, let_go
 *        └── done with it, the pool is too: it releases it itself
 *
 * may_release takes back the pool's hold.  Whoever lets go last releases.
 *
 * A keeper is told with no lock held, on whichever thread settles; it must not
 * block there, nor call user code but in its source's settle and release.
 *
 * IN THE LANE (lane.h)
 *
 * If it calls no user code at all, its tasks may be plain: nobody hears of them
 * but the keeper, and that can be done between the attempt's end and its count
 * as well as by an entry's steps.  A slot of the lane then has no handler but
 * weir__kept_mark, and in place of the item what follows.  What becomes of it
 * when it is made an entry is as for others.
 */
#ifndef WEIR_LIB_POOL_KEPT_H
#define WEIR_LIB_POOL_KEPT_H

#include "base/atomic.h"
#include "pool/pool.h"

struct weir__keeper {
    struct weir__source source; /* with may_release and let_go */
    weir_handler *handler;
    void *context;              /* NULL: the pool's */
    bool is_quiet;              /* it calls no user code */
    struct weir__flag gives_up; /* A: a submit that waits is to return */
};

/* An item; its keeper's memory. */
struct weir__kept {
    const struct weir__keeper *keeper;
    void *item;
    int64_t submitted_ns; /* set by submit */
};

/* Waits for room, whatever the pool's policy.  The item stays where it is.
 * WEIR_OK, WEIR_CANCELLED (it gives up), WEIR_CLOSED, WEIR_DEGRADED, and what a
 * pool of children may answer. */
weir_status weir__pool_submit_kept(weir_pool *pool, struct weir__kept *kept);
/* Sets gives_up. */
void weir__pool_give_up(weir_pool *pool, struct weir__keeper *keeper);

/* The keeper submits no more: its tasks settle CANCELLED, and what runs is
 * asked to stop. */
void weir__pool_cancel_kept(weir_pool *pool, const struct weir__keeper *keeper);

/* WEIR_OK, or why the pool would not take such tasks. */
weir_status
weir__pool_check_kept(const weir_pool *pool, const struct weir__keeper *keeper);

/* For a fan: as weir__pool_submit_from, for ever if need be, as one of the
 * group's. */
weir_status weir__submit_from(weir_pool *pool, weir_group *group,
                              const struct weir__source *source,
                              weir_handler *handler, const void *item);

/* Never called. */
int weir__kept_mark(weir_task *task, void *item);

/* NULL: a plain task like any other. */
static inline const struct weir__kept *
weir__kept_of(const struct weir__plain *plain)
{
    return plain->handler == weir__kept_mark ? plain->item : NULL;
}

/* Its keeper submits no more, and what has not started is cancelled: a worker
 * that has taken one and not said so yet is seen by nobody who cancels. */
static inline bool weir__kept_is_given_up(const struct weir__plain *plain)
{
    const struct weir__kept *kept = weir__kept_of(plain);

    return kept && weir__flag_read(&kept->keeper->gives_up);
}

/* The attempt of a plain one has ended, by itself; `answered` by its record,
 * when it did. */
void weir__kept_tell(const struct weir__kept *kept,
                     const struct weir_task *answered, int64_t started_ns,
                     int64_t ended_ns);

#endif /* WEIR_LIB_POOL_KEPT_H */
