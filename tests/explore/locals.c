/* SPDX-License-Identifier: MIT */
/* locals.c - see locals.h. */
#include "locals.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { ROOM = 1024 };

/* The linker's, for which there must be something there. */
extern char __start_fiber_locals[], __stop_fiber_locals[];
static char something __attribute__((section("fiber_locals"), used));

static char kept[WORLD_THREADS][ROOM];
static int kept_errno[WORLD_THREADS]; /* of the system's, one for all of us */

static size_t bytes(void)
{
    size_t count = (size_t)(__stop_fiber_locals - __start_fiber_locals);

    if (count > ROOM) {
        fprintf(stderr, "explore: threads have %zu bytes of variables\n",
                count);
        exit(2);
    }
    return count;
}

void locals_reset(void)
{
    size_t count = bytes();

    memset(__start_fiber_locals, 0, count);
    for (unsigned i = 0; i < WORLD_THREADS; i++)
        memset(kept[i], 0, count);
    memset(kept_errno, 0, sizeof(kept_errno));
}

void locals_switch(unsigned from, unsigned to)
{
    size_t count = bytes();

    memcpy(kept[from], __start_fiber_locals, count);
    memcpy(__start_fiber_locals, kept[to], count);
    kept_errno[from] = errno;
    errno = kept_errno[to];
}

bool locals_has(const void *address)
{
    uintptr_t at = (uintptr_t)address;

    if (at == (uintptr_t)&errno)
        return true;
    return at >= (uintptr_t)__start_fiber_locals &&
           at < (uintptr_t)__stop_fiber_locals;
}
