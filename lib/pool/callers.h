/* SPDX-License-Identifier: MIT */
/* callers.h - what runs on a submitter's thread. */
#ifndef WEIR_LIB_POOL_CALLERS_H
#define WEIR_LIB_POOL_CALLERS_H

#include "pool/pool.h"

/* Runs the attempt of an entry that this thread has started and put on
 * `callers`, and what its end brings with it.  The future, if any, is let go if
 * the thread ends meanwhile. */
void weir__callers_run(weir_pool *pool, struct weir__entry *entry,
                       weir_future *future);
/* As weir__entry_tell_drops_lock, on a thread that is not ours.  The future, if
 * any, is of another task, and let go if the thread ends meanwhile. */
void weir__callers_tell_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                   weir_future *future)
    WEIR_REQUIRES(pool->lock);

#endif /* WEIR_LIB_POOL_CALLERS_H */
