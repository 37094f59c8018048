/* SPDX-License-Identifier: MIT */
/*
 * fiber.h - stacks of our own, and switching between them.
 *
 * A fiber is named by its number.  The driver is one too: the stack that the
 * program began on.  A fiber that is left in the middle is simply prepared
 * again; nothing has to be unwound.
 */
#ifndef WEIR_EXPLORE_FIBER_H
#define WEIR_EXPLORE_FIBER_H

enum { FIBERS = 12, FIBER_DRIVER = FIBERS };

enum fiber_kind {
    FIBER_NATIVE,  /* assembler where we have it, else as below */
    FIBER_UCONTEXT /* portable; two system calls a switch */
};

/* Before the first fiber is prepared, or between two executions. */
void fiber_use(enum fiber_kind kind);

/* At its next switch the fiber begins with `entry`, which must not return. */
void fiber_prepare(unsigned fiber, void (*entry)(void));

/* Leaves `from` as it stands and goes on with `to`. */
void fiber_switch(unsigned from, unsigned to);

#endif /* WEIR_EXPLORE_FIBER_H */
