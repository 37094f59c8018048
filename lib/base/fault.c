/* SPDX-License-Identifier: MIT */
/* fault.c - see fault.h. */
#include "base/fault.h"

#include <errno.h>

#include "base/atomic.h"
#include "base/memory.h"

/* Points are counted only once a test has armed something, so that the hot
 * counter costs production nothing but a load. */
static struct weir__flag counting;
static struct weir__counter points;
static struct weir__counter strike_at;

void *weir__allocate(size_t bytes)
{
    return weir__allocate_many(1, bytes);
}

void *weir__allocate_many(size_t count, size_t bytes)
{
    if (weir__fault_strikes()) {
        errno = ENOMEM;
        return NULL;
    }
    return weir__memory_take(count, bytes);
}

void weir__release(void *memory)
{
    weir__memory_give_back(memory);
}

/* What was allocated lies just before what is used.  aligned_alloc would cut
 * a piece off each time, which mallocs do not put back together. */
void *weir__allocate_apart(size_t bytes)
{
    size_t more = WEIR__APART + sizeof(void *);
    void *memory = NULL;
    void **aligned;
    uintptr_t at;

    if (bytes <= SIZE_MAX - more)
        memory = weir__allocate(bytes + more);
    if (!memory)
        return NULL;
    at = (uintptr_t)memory + sizeof(void *);
    at = (at + WEIR__APART - 1) / WEIR__APART * WEIR__APART;
    aligned = (void **)memory + (at - (uintptr_t)memory) / sizeof(void *);
    aligned[-1] = memory;
    return aligned;
}

void weir__release_apart(void *memory)
{
    if (memory)
        weir__release(((void **)memory)[-1]);
}

bool weir__fault_strikes(void)
{
    if (!weir__flag_read(&counting))
        return false;
    return weir__counter_add(&points, 1) + 1 == weir__counter_read(&strike_at);
}

void weir__fault_arm(uint64_t nth)
{
    weir__counter_write(&points, 0);
    weir__counter_write(&strike_at, nth);
    weir__flag_write(&counting, true);
}

uint64_t weir__fault_points(void)
{
    return weir__counter_read(&points);
}
