/* SPDX-License-Identifier: MIT */
/*
 * trap.h - a fault of a handler ends the handler and its thread, and not the
 * process.
 *
 * THE IDEA
 *
 * A fault comes as a signal: on the thread that made it, at the instruction
 * that made it.  Our signal handler runs on a stack of its own, so that it is
 * there for an overflow of the thread's too, and jumps to the frame that called
 * the handler.
 *
 *     worker ──arm──▶ handler ──fault──▶ on the trap's stack:
 *        ▲                               armed, and not inside weir?
 *        └─────────────── jump ◀── yes ──┴── no ──▶ who was here before
 *
 * The faults are SIGSEGV, SIGBUS, SIGFPE and SIGILL, if the kernel made them of
 * what the thread did, and the SIGABRT of abort().  The same signals sent by
 * others go to whose handler was here before.
 *
 * Whatever the handler was in the middle of stays as it is: locks it held,
 * malloc's too, are never given back.  So a thread whose trap has sprung runs
 * no more code of others than it must, and ends; by returning, because
 * pthread_exit allocates.  Even so it may get stuck in the C library's own
 * clean-up: nobody is to wait for its end without a limit.
 *
 * STATES of a thread's trap
 *
 *   off   ──arm──▶ armed ──disarm──▶ off      the handler returned, raised or
 *                   │ ▲                       ended its thread
 *                hold let
 *                   ▼ │                       in a call of weir's
 *                  held
 *
 *   armed ──fault──▶ sprung ──recover──▶ off; off and held pass a fault on
 *
 * INVARIANTS
 *
 *   1. An armed trap's frame is there: whatever leaves it disarms, a thread's
 *      end by a clean-up handler.
 *   2. No jump leaves a function of weir's: what it has claimed, locked,
 *      counted or not yet woken would stay so for ever.
 *   3. Our signal handlers are there while anybody has acquired them.
 *
 * INSIDE WEIR
 *
 * Each public function that a handler can call and that changes what others
 * see begins with WEIR__UNTRAPPED, which holds the trap for as long as the
 * function runs: whatever it calls, also callbacks, handlers of other pools and
 * the clean-ups that a raise runs.  A fault in there ends the process: a bad
 * address given to weir_queue_put, for instance.  What only reads, or writes
 * to the attempt's own record alone, can be left at any moment and needs no
 * hold: weir_task_fail, weir_task_result, weir_task_defer and whatever only
 * answers a question.  tests/untrapped.cmake knows them by name and checks all
 * others.
 *
 * Where no pool traps faults, all that a hold costs is to look whether one does
 * (one load, one branch).
 *
 * OTHERS' SIGNAL HANDLERS
 *
 * What was there when the first trap came gets what is not for us, with the
 * mask and flags it asked for; if that is the default, the process dies at the
 * faulting instruction.  When the last trap goes, it is put back.  A program
 * that puts its own handler over ours decides itself: if it passes faults on to
 * ours they are caught, else not.  We never put ours over it again, since the
 * two would pass a fault on to each other for ever; and leave ours in place
 * below.
 *
 * MEMORY ORDER
 *
 * A thread and its own signal handler need none but the compiler's: volatile.
 * `weir__traps` has been raised before a thread with a trap starts and is
 * lowered after the last one's end, so whoever holds an armed trap sees it; for
 * all others it makes no difference what they see.
 *
 * WHY NOT
 *
 *   Ask whether the instruction lies in weir: a copy lies in libc.  Walk the
 *   stack: takes locks, and libgcc.  A hold around each lock and claim only: an
 *   overflow of the stack between a put and the wake-up that goes with it would
 *   strand a getter.
 *
 * LIMITS
 *
 * Whoever calls pthread_kill(worker, SIGABRT) looks like abort().  A child of
 * fork(), and what else has another pid, never jumps.
 */
#ifndef WEIR_LIB_BASE_TRAP_H
#define WEIR_LIB_BASE_TRAP_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <weir/status.h>

#include "base/annotate.h"
#include "base/atomic.h"

/* I: from create to destroy.  T: the thread, and its signal handler. */
struct weir__trap {
    unsigned char *stack;    /* I: for the signal handler; a guard page first */
    size_t stack_bytes;      /* I: guard page included */
    stack_t before;          /* T: the alternate stack that it had */
    const void *stack_end;   /* T: of the thread's own stack; may be NULL */
    pid_t process;           /* T */
    jmp_buf *volatile frame; /* T: where to; NULL: off */
    volatile int held;       /* T: calls of weir's that it is in */
    volatile int signal;     /* T: that sprang it; 0: none did */
    void *volatile address;  /* T: what the kernel says of it */
    volatile bool is_placeless; /* T: the kernel does not say where */
};

/* Has our signal handlers in place until released.  WEIR_OK, WEIR_ESYSTEM. */
weir_status weir__trap_acquire(void);
void weir__trap_release(void);

/* NULL: no memory.  And its end; NULL is allowed. */
struct weir__trap *weir__trap_create(void);
void weir__trap_destroy(struct weir__trap *trap);

/* The calling thread, one of ours with this trap, begins and ends; NULL does
 * nothing, and so does a second end. */
void weir__trap_begin(struct weir__trap *trap);
void weir__trap_end(struct weir__trap *trap);

/* From now on a fault jumps to *frame, which lies in the caller or its callers;
 * and no longer. */
void weir__trap_arm(struct weir__trap *trap, jmp_buf *frame);
void weir__trap_disarm(struct weir__trap *trap);

/* After the frame was left or jumped to: 0, or the signal that sprang the trap.
 * Then `message` says what it was, and the thread is as it was when it
 * started. */
int weir__trap_recover(struct weir__trap *trap, char *message, size_t room);

/* How many have acquired our signal handlers. */
extern struct weir__hint weir__traps;

/* Holds the calling thread's trap, if it is armed, and returns it. */
struct weir__trap *weir__trap_hold_own(void);

static inline struct weir__trap *weir__trap_hold(void)
{
    return WEIR_RARELY(weir__hint_read(&weir__traps)) ? weir__trap_hold_own()
                                                      : NULL;
}
/* NULL: nothing was held. */
static inline void weir__trap_let(struct weir__trap *trap)
{
    if (WEIR_RARELY(trap != NULL)) {
        weir__compiler_fence();
        trap->held--;
    }
}

/* The first line of a function in which no fault is caught.  A compiler that
 * cannot undo the hold at each return leaves it to the attempt's end. */
#if defined(__GNUC__)
static inline void weir__trap_let_held(struct weir__trap **held)
{
    weir__trap_let(*held);
}
# define WEIR__UNTRAPPED                                                       \
  __attribute__((cleanup(weir__trap_let_held),                                 \
                 unused)) struct weir__trap *weir__held = weir__trap_hold()
#else
# define WEIR__UNTRAPPED (void)weir__trap_hold()
#endif

#endif /* WEIR_LIB_BASE_TRAP_H */
