/* SPDX-License-Identifier: MIT */
/* crashes.c - see crashes.h.  The sanitizers are kept from seeing it first. */
#include "crashes.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define UNWATCHED                                                              \
 __attribute__((noinline, no_sanitize("address", "thread", "undefined")))

enum { BAD = 0x10 };
void *const volatile bad_address = (void *)(uintptr_t)BAD;

UNWATCHED void crash(void)
{
    *(volatile int *)bad_address = 1;
}

/* Memory behind the end of its file. */
UNWATCHED static void touch_no_file(void)
{
    FILE *file = tmpfile();
    volatile char *mapped;

    mapped =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    fclose(file);
    mapped[0] = 1;
}

UNWATCHED static void call_null(void)
{
    void (*volatile nothing)(void) = NULL;

    nothing();
}

UNWATCHED static int go_deep(volatile char *above, int depth)
{
    volatile char room[512];

    room[0] = above[0];
    return depth > 0 ? go_deep(room, depth) + room[0] : 0;
}

UNWATCHED static void overflow(void)
{
    volatile char here = 1;

    go_deep(&here, 1);
}

static void call_abort(void)
{
    abort();
}

#if defined(__x86_64__)
UNWATCHED static void divide(void)
{
    __asm__ volatile("xorl %%edx, %%edx\n\tmovl $1, %%eax\n\tdivl %%edx"
                     :
                     :
                     : "eax", "edx", "cc");
}
# define NO_INSTRUCTION "ud2"
#elif defined(__aarch64__)
# define NO_INSTRUCTION "udf #0"
#endif

#ifdef NO_INSTRUCTION
UNWATCHED static void be_illegal(void)
{
    __asm__ volatile(NO_INSTRUCTION);
}
#endif

/* Without an address, a general protection fault. */
#if defined(__x86_64__)
UNWATCHED static void touch_the_impossible(void)
{
    *(volatile int *)(uintptr_t)0x8000000000000000u = 1;
}
#endif

const struct crash crashes[] = {
    {"SIGSEGV", SIGSEGV, "at address 0x10", crash},
    {"SIGSEGV", SIGSEGV, "at address 0x0", call_null},
    {"SIGSEGV", SIGSEGV, "its stack overflowed", overflow},
    {"SIGBUS", SIGBUS, "at address 0x", touch_no_file},
    {"SIGABRT", SIGABRT, "called abort()", call_abort},
#ifdef NO_INSTRUCTION
    {"SIGILL", SIGILL, "by the instruction at 0x", be_illegal},
#endif
#if defined(__x86_64__)
    {"SIGFPE", SIGFPE, "by the instruction at 0x", divide},
    {"SIGSEGV", SIGSEGV, "an address that cannot be", touch_the_impossible},
#endif
};
const int crash_count = sizeof(crashes) / sizeof(crashes[0]);
