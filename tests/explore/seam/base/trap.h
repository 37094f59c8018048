/* SPDX-License-Identifier: MIT */
/* trap.h - in place of lib/base/trap.h: no pool of a scenario traps faults. */
#ifndef WEIR_EXPLORE_SEAM_TRAP_H
#define WEIR_EXPLORE_SEAM_TRAP_H

#include <setjmp.h>
#include <stddef.h>

#include <weir/status.h>

struct weir__trap;

static inline weir_status weir__trap_acquire(void)
{
    return WEIR_OK;
}
static inline void weir__trap_release(void)
{
}
static inline struct weir__trap *weir__trap_create(void)
{
    return NULL;
}
static inline void weir__trap_destroy(struct weir__trap *trap)
{
    (void)trap;
}
static inline void weir__trap_begin(struct weir__trap *trap)
{
    (void)trap;
}
static inline void weir__trap_end(struct weir__trap *trap)
{
    (void)trap;
}
static inline void weir__trap_arm(struct weir__trap *trap, jmp_buf *frame)
{
    (void)trap;
    (void)frame;
}
static inline void weir__trap_disarm(struct weir__trap *trap)
{
    (void)trap;
}
static inline int
weir__trap_recover(struct weir__trap *trap, char *message, size_t room)
{
    (void)trap;
    (void)message;
    (void)room;
    return 0;
}
static inline struct weir__trap *weir__trap_hold(void)
{
    return NULL;
}

#define WEIR__UNTRAPPED ((void)0)

#endif /* WEIR_EXPLORE_SEAM_TRAP_H */
