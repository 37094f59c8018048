/* SPDX-License-Identifier: MIT */
/*
 * weir/semaphore.h - so many at once, first come first served.
 *
 * What a handler acquires belongs to its attempt.  What is left of it goes back
 * by itself when the attempt has really ended, in whatever way: by return, a
 * raise, the end of its thread, a trapped crash; after its deferred clean-ups.
 * An attempt that overstays its deadline keeps its permits until then, since it
 * still uses what they stand for.  What a thread acquires outside a handler
 * belongs to nobody, and anybody may release it, a handler too.
 */
#ifndef WEIR_SEMAPHORE_H
#define WEIR_SEMAPHORE_H

#include <stddef.h>

#include <weir/api.h>
#include <weir/deadline.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

typedef struct weir_semaphore weir_semaphore;

/*
 * Makes a semaphore of so many permits, 1 or more, all of them free.
 *
 * Owns:    the caller owns *out until weir_semaphore_destroy(*out).
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM.  *out is written
 *          only on WEIR_OK.
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_semaphore_create(weir_semaphore **out,
                                                         size_t permits);

/*
 * Takes `permits` of them, all or none.  Requests are served in the order of
 * asking: one that wants many is not overtaken by one that wants few, not even
 * by one with WEIR_NOW.
 *
 * Blocks:  until they are granted or the deadline passes.
 * Owns:    on WEIR_OK the attempt, or nobody in particular, holds them; else
 *          nothing has been taken.
 * Returns: WEIR_OK, WEIR_TIMED_OUT, WEIR_DEADLOCK (with what its own attempt
 *          holds it is more than there are), WEIR_FULL (the attempt holds
 *          permits of 8 semaphores already), WEIR_FORKED, WEIR_EINVAL (0, or
 *          more than there are).
 * Threads: any; from a handler too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_semaphore_acquire(
    weir_semaphore *semaphore, size_t permits, weir_deadline deadline);

/*
 * Gives `permits` of them back: in a handler first what its attempt holds, then
 * what belongs to nobody.  What belongs to other attempts cannot be released.
 *
 * Blocks:  never.
 * Returns: WEIR_OK, WEIR_EINVAL (more than that is: nothing changes),
 *          WEIR_FORKED.
 * Threads: any; from a handler too.
 */
WEIR_API weir_status weir_semaphore_release(weir_semaphore *semaphore,
                                            size_t permits);

/* How many are free; a glance.  0 in a fork child.  Any thread. */
WEIR_API size_t weir_semaphore_available(const weir_semaphore *semaphore);
/* How many calls wait for some; a glance.  0 in a fork child.  Any thread. */
WEIR_API size_t weir_semaphore_waiting(const weir_semaphore *semaphore);

/*
 * Ends the handle.  Attempts that hold permits may go on to their end; the
 * memory goes with the last of them.  NULL and handles from before a fork are
 * ignored.
 *
 * Threads: any, once every other call has returned.
 */
WEIR_API void weir_semaphore_destroy(weir_semaphore *semaphore);

WEIR_END_DECLS

#endif /* WEIR_SEMAPHORE_H */
