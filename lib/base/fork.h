/* SPDX-License-Identifier: MIT */
/*
 * fork.h - which process a handle belongs to.
 *
 * A child of fork() has only the forking thread: the locks of a queue or pool
 * may be held by threads that are gone.  So every handle remembers the
 * generation it was made in, and every call on it compares.  The generation is
 * counted in an atfork handler: getpid() would cost a system call, and pids
 * come again.
 */
#ifndef WEIR_LIB_BASE_FORK_H
#define WEIR_LIB_BASE_FORK_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/status.h>

#include "base/annotate.h"
#include "base/atomic.h"

/* Installs the handler, once per process; to be called by every create. */
weir_status weir__fork_watch(void);

/* 0, and one more in each fork child; read it by what is below. */
extern struct weir__counter weir__fork_count;

static inline uint64_t weir__fork_generation(void)
{
    return weir__counter_read(&weir__fork_count);
}

static inline bool weir__is_forked(uint64_t generation)
{
    return generation != weir__fork_generation();
}

WEIR_NO_RETURN void weir__fork_end_process(void);

/* For a thread of ours that comes back from user code: in a fork child that did
 * not end there it ends the process, with status 0 and nothing flushed.  What
 * would follow, and all that is queued, is the parent's, and happens there. */
static inline void weir__fork_end_copy(uint64_t generation)
{
    if (WEIR_RARELY(weir__is_forked(generation)))
        weir__fork_end_process();
}

/* Notes why, and returns WEIR_FORKED. */
weir_status weir__refuse_forked(const char *what);

#endif /* WEIR_LIB_BASE_FORK_H */
