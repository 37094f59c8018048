/* SPDX-License-Identifier: MIT */
/* trap.c - see trap.h. */
#include "base/trap.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weir/deadline.h>

#include "base/fault.h"
#include "base/fork.h"
#include "base/thread.h"

struct weir__hint weir__traps;

/* A signal, and who had it. */
struct seat {
    int number;
    const char *name;
    const char *what; /* what the address is of */
    struct sigaction before;
    bool is_buried; /* somebody else's handler was put over ours */
};

static struct seat seats[] = {
    {.number = SIGSEGV, .name = "SIGSEGV", .what = "at address"},
    {.number = SIGBUS, .name = "SIGBUS", .what = "at address"},
    {.number = SIGFPE, .name = "SIGFPE", .what = "by the instruction at"},
    {.number = SIGILL, .name = "SIGILL", .what = "by the instruction at"},
    {.number = SIGABRT, .name = "SIGABRT", .what = NULL}};

enum { SEATS = sizeof(seats) / sizeof(seats[0]) };

static struct seat *seat_of(int number)
{
    struct seat *seat = seats;

    while (seat->number != number)
        seat++;
    return seat;
}

/* ------------------------------------------------------- the signal handler */

static bool is_handler(const struct sigaction *action)
{
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* Of what the thread itself did, at this instruction: it comes again should we
 * return. */
static bool is_synchronous(int number, const siginfo_t *info)
{
    if (info->si_code <= 0 || number == SIGABRT)
        return false;
#ifdef BUS_MCEERR_AO
    if (number == SIGBUS && info->si_code == BUS_MCEERR_AO)
        return false; /* memory has gone bad that nobody is reading now */
#endif
    return true;
}

static bool is_abort(int number, const siginfo_t *info, pid_t process)
{
    return number == SIGABRT && info->si_code == SI_TKILL &&
           info->si_pid == process;
}

/* As if we had never been here. */
static void die(int number, bool comes_again)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL};

    sigaction(number, &by_default, NULL);
    if (!comes_again)  /* unreached: else it dies, which counts nothing */
        raise(number); /* acts when our signal handler returns */
}

/* With the signals blocked that it wants to have blocked. */
static void call_before(struct seat *seat, siginfo_t *info, void *context)
{
    struct sigaction before = seat->before;
    sigset_t own, mask;

    if ((unsigned)before.sa_flags & SA_RESETHAND)
        seat->before.sa_handler = SIG_DFL;
    sigemptyset(&own);
    sigaddset(&own, seat->number);
    pthread_sigmask(SIG_BLOCK, &before.sa_mask, &mask);
    if (before.sa_flags & SA_NODEFER)
        pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(seat->number, info, context);
    else
        before.sa_handler(seat->number);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void pass_on(struct seat *seat, siginfo_t *info, void *context)
{
    bool comes_again = is_synchronous(seat->number, info);
    int kept = errno;

    if (is_handler(&seat->before))
        call_before(seat, info, context);
    else if (seat->before.sa_handler == SIG_DFL || comes_again)
        die(seat->number, comes_again);
    errno = kept;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    const struct weir__thread *thread = weir__thread_mine();
    struct weir__trap *trap = thread ? thread->trap : NULL;
    jmp_buf *frame = trap ? trap->frame : NULL;

    if (frame && trap->held == 0 && trap->process == getpid() &&
        (is_synchronous(number, info) ||
         is_abort(number, info, trap->process))) {
        trap->signal = number;
        trap->address = info->si_addr;
        trap->is_placeless = info->si_code == SI_KERNEL;
        _longjmp(*frame, 1);
    }
    pass_on(seat_of(number), info, context);
}

/* --------------------------------------------------------------- installing */

/* Who is at the handlers: a fork generation and 1; else 0.  The child of a fork
 * need not wait for a thread that it does not have. */
static struct weir__counter installer;

static void enter_installing(void)
{
    uint64_t mine = weir__fork_generation() + 1;
    uint64_t seen = weir__counter_read(&installer);

    while (seen == mine ||
           !weir__counter_compare_swap(&installer, &seen, mine)) {
        weir__thread_nap(WEIR_US(50));
        seen = weir__counter_read(&installer);
    }
}

static void leave_installing(void)
{
    weir__counter_write(&installer, 0);
}

static bool is_on_fault(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_fault;
}

static void install(struct seat *seat)
{
    struct sigaction ours = {.sa_sigaction = on_fault}, now;

    sigaction(seat->number, NULL, &now);
    if (is_on_fault(&now) || (seat->is_buried && is_handler(&now)))
        return;
    seat->is_buried = false;
    seat->before = now;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (now.sa_flags & SA_RESTART);
    sigaction(seat->number, &ours, NULL);
}

static void uninstall(struct seat *seat)
{
    struct sigaction now;

    sigaction(seat->number, NULL, &now);
    if (is_on_fault(&now))
        sigaction(seat->number, &seat->before, NULL);
    else
        seat->is_buried = true;
}

weir_status weir__trap_acquire(void)
{
    weir_status status = weir__thread_prepare();

    if (status)
        return status;
    enter_installing();
    weir__hint_add(&weir__traps, 1);
    for (size_t i = 0; i < SEATS; i++)
        install(&seats[i]);
    leave_installing();
    return WEIR_OK;
}

void weir__trap_release(void)
{
    enter_installing();
    if (weir__hint_add(&weir__traps, UINT64_MAX) == 1)
        for (size_t i = 0; i < SEATS; i++)
            uninstall(&seats[i]);
    leave_installing();
}

/* --------------------------------------------------------------------- life */

/* Enough for a handler of others too, that we pass faults on to. */
enum { LEAST_STACK = 1 << 16 };

static size_t page_bytes(void)
{
    long bytes = sysconf(_SC_PAGESIZE);

    return bytes > 0 ? (size_t)bytes : 4096; /* unreached: POSIX has one */
}

static size_t signal_stack_bytes(void)
{
    size_t page = page_bytes();
    size_t least = LEAST_STACK;
#ifdef _SC_SIGSTKSZ
    long wanted = sysconf(_SC_SIGSTKSZ);

    /* No processor's registers take half of it yet. */
    if (wanted > LEAST_STACK / 2)   /* unreached: see there */
        least = (size_t)wanted * 2; /* unreached: as above */
#endif
    return page + (least + page - 1) / page * page;
}

static void *map_stack(size_t bytes)
{
    void *stack = MAP_FAILED;

    if (!weir__fault_strikes())
        stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return NULL;
    if (weir__fault_strikes() || mprotect(stack, page_bytes(), PROT_NONE)) {
        munmap(stack, bytes);
        return NULL;
    }
    return stack;
}

struct weir__trap *weir__trap_create(void)
{
    struct weir__trap *trap = weir__allocate(sizeof(*trap));

    if (!trap)
        return NULL;
    trap->stack_bytes = signal_stack_bytes();
    trap->stack = map_stack(trap->stack_bytes);
    if (!trap->stack) {
        weir__release(trap);
        return NULL;
    }
    return trap;
}

void weir__trap_destroy(struct weir__trap *trap)
{
    if (!trap)
        return;
    munmap(trap->stack, trap->stack_bytes);
    weir__release(trap);
}

static stack_t signal_stack(const struct weir__trap *trap)
{
    size_t guard = page_bytes();

    return (stack_t){.ss_sp = trap->stack + guard,
                     .ss_size = trap->stack_bytes - guard};
}

void weir__trap_begin(struct weir__trap *trap)
{
    stack_t ours;

    if (!trap)
        return;
    ours = signal_stack(trap);
    trap->frame = NULL;
    trap->signal = 0;
    trap->process = getpid();
    trap->stack_end = weir__thread_stack_end();
    if (sigaltstack(&ours, &trap->before)) /* unreached: it is large */
        abort();
}

/* What was there before need not be there still if it is not ours now. */
void weir__trap_end(struct weir__trap *trap)
{
    stack_t now;

    if (trap && sigaltstack(NULL, &now) == 0 &&
        now.ss_sp == signal_stack(trap).ss_sp)
        sigaltstack(&trap->before, NULL);
}

/* --------------------------------------------------------------- an attempt */

void weir__trap_arm(struct weir__trap *trap, jmp_buf *frame)
{
    trap->held = 0;
    trap->frame = frame;
}

void weir__trap_disarm(struct weir__trap *trap)
{
    trap->frame = NULL;
}

struct weir__trap *weir__trap_hold_own(void)
{
    const struct weir__thread *thread = weir__thread_mine();
    struct weir__trap *trap = thread ? thread->trap : NULL;

    if (!trap || !trap->frame)
        return NULL;
    trap->held++;
    return trap;
}

/* A stack ends in pages that cannot be touched; how many is the system's
 * affair. */
static bool is_overflow(const struct weir__trap *trap)
{
    uintptr_t end = (uintptr_t)trap->stack_end;
    uintptr_t at = (uintptr_t)trap->address;

    return (trap->signal == SIGSEGV || trap->signal == SIGBUS) && at < end &&
           end - at <= LEAST_STACK;
}

static void
word_fault(const struct weir__trap *trap, char *message, size_t room)
{
    const struct seat *seat = seat_of(trap->signal);

    if (!seat->what)
        snprintf(message, room, "%s: the handler called abort()", seat->name);
    else if (trap->is_placeless)
        snprintf(message, room, "%s at an address that cannot be", seat->name);
    else
        snprintf(message, room, "%s %s 0x%llx%s", seat->name, seat->what,
                 (unsigned long long)(uintptr_t)trap->address,
                 is_overflow(trap) ? ": its stack overflowed" : "");
}

/* The signal handler did not return, so what it had blocked still is. */
int weir__trap_recover(struct weir__trap *trap, char *message, size_t room)
{
    int number = trap->signal;

    if (number == 0)
        return 0;
    weir__thread_forget_frames();
    weir__thread_reset_signals();
    word_fault(trap, message, room);
    trap->signal = 0;
    return number;
}
