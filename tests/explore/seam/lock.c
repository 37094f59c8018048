/* SPDX-License-Identifier: MIT */
/* lock.c - the library's locks and conditions, on a world's. */
#include "base/lock.h"

#include <stdint.h>

weir_status weir__mutex_init(struct weir__mutex *mutex, enum weir__rank rank)
{
    world_lock_init(&mutex->seam, rank);
    return WEIR_OK;
}

void weir__mutex_dispose(struct weir__mutex *mutex)
{
    world_lock_dispose(&mutex->seam);
}

WEIR_TRUST_ME void seam_mutex_lock(struct weir__mutex *mutex, const char *name)
{
    world_lock_acquire(&mutex->seam, name);
}

WEIR_TRUST_ME void
seam_mutex_unlock(struct weir__mutex *mutex, const char *name)
{
    world_lock_release(&mutex->seam, name);
}

WEIR_TRUST_ME bool weir__mutex_try_aside(struct weir__mutex *mutex)
{
    return world_lock_try(&mutex->seam, "aside");
}

WEIR_TRUST_ME void weir__mutex_unlock_aside(struct weir__mutex *mutex)
{
    world_lock_release(&mutex->seam, "aside");
}

void weir__cond_init(struct weir__cond *cond)
{
    world_cond_init(&cond->seam);
}

void weir__cond_dispose(struct weir__cond *cond)
{
    world_cond_dispose(&cond->seam);
}

void seam_cond_wake(struct weir__cond *cond, const char *name)
{
    world_cond_wake(&cond->seam, name);
}

weir_status seam_cond_wait(struct weir__cond *cond, struct weir__mutex *mutex,
                           weir_deadline deadline, const char *name)
{
    if (deadline.at_ns <= 0)
        return WEIR_TIMED_OUT;
    return world_cond_wait(&cond->seam, &mutex->seam, deadline.at_ns, name)
               ? WEIR_TIMED_OUT
               : WEIR_OK;
}
