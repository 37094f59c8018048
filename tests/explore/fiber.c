/* SPDX-License-Identifier: MIT */
/* fiber.c - see fiber.h. */
#include "fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK_BYTES = 64 * 1024, GUARD_BYTES = 4096 };

static struct fiber {
    unsigned char *stack; /* mapped when first needed */
    void *pointer;        /* native: where its registers lie */
    ucontext_t context;   /* otherwise */
} fibers[FIBERS + 1];

static enum fiber_kind used;

#if defined(__x86_64__)
/* What a call has to keep, and no more: 8 instructions each way. */
void weir_explore_swap(void **from, void *to);
__asm__(".text\n"
        ".globl weir_explore_swap\n"
        ".type weir_explore_swap, @function\n"
        "weir_explore_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size weir_explore_swap, .-weir_explore_swap\n");

/* Six registers, the entry as what to return to, and nothing to return to from
 * there: at a function's start the stack is 8 off a multiple of 16. */
static void prepare_native(struct fiber *fiber, void (*entry)(void))
{
    void **top = (void **)(void *)(fiber->stack + STACK_BYTES);

    *--top = NULL;
    *--top = (void *)(uintptr_t)entry;
    for (int i = 0; i < 6; i++)
        *--top = NULL;
    fiber->pointer = top;
}
#endif

static void map_stack(struct fiber *fiber)
{
    void *memory = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE)) {
        perror("explore: no stack");
        exit(2);
    }
    fiber->stack = (unsigned char *)memory + GUARD_BYTES;
}

static void prepare_context(struct fiber *fiber, void (*entry)(void))
{
    if (getcontext(&fiber->context))
        abort();
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, entry, 0);
}

void fiber_use(enum fiber_kind kind)
{
    used = kind;
}

void fiber_prepare(unsigned fiber, void (*entry)(void))
{
    struct fiber *it = &fibers[fiber];

    if (!it->stack)
        map_stack(it);
#if defined(__x86_64__)
    if (used == FIBER_NATIVE) {
        prepare_native(it, entry);
        return;
    }
#endif
    prepare_context(it, entry);
}

void fiber_switch(unsigned from, unsigned to)
{
#if defined(__x86_64__)
    if (used == FIBER_NATIVE) {
        weir_explore_swap(&fibers[from].pointer, fibers[to].pointer);
        return;
    }
#endif
    swapcontext(&fibers[from].context, &fibers[to].context);
}
