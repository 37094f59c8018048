/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h. */
#include <weir/memory.h>

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/error.h"
#include "base/options.h"

/* Both functions are NULL: malloc's.  Written before anything is allocated. */
static weir_allocator chosen;
/* Something has been allocated, so that it is too late for another one.  Each
 * allocation reads it; only the first writes. */
static struct weir__flag has_allocated;

weir_status weir_set_allocator(const weir_allocator *allocator)
{
    weir_allocator read;
    weir_status status =
        weir__options_read(&read, sizeof(read), allocator, "weir_allocator");

    if (status)
        return status;
    if (allocator && (!read.allocate || !read.release))
        return weir__refuse(WEIR_EINVAL,
                            "weir_allocator.%s is NULL: name both functions, "
                            "or pass NULL for malloc and free",
                            read.allocate ? "release" : "allocate");
    if (weir__flag_read(&has_allocated))
        return weir__refuse(WEIR_EINVAL,
                            "weir_set_allocator comes too late: the library "
                            "has allocated already; call it before anything "
                            "is made");
    chosen = read;
    return WEIR_OK;
}

void weir__memory_settle(void)
{
    if (!weir__flag_read(&has_allocated))
        weir__flag_write(&has_allocated, true);
}

static void *take_of_chosen(size_t count, size_t bytes)
{
    void *memory;

    if (bytes > 0 && count > SIZE_MAX / bytes) {
        errno = ENOMEM;
        return NULL;
    }
    bytes *= count;
    if (bytes == 0)
        bytes = 1;
    memory = chosen.allocate(chosen.arg, bytes);
    if (!memory) {
        errno = ENOMEM;
        return NULL;
    }
    return memset(memory, 0, bytes);
}

void *weir__memory_take(size_t count, size_t bytes)
{
    weir__memory_settle();
    if (chosen.allocate)
        return take_of_chosen(count, bytes);
    return calloc(count, bytes);
}

void weir__memory_give_back(void *memory)
{
    if (!chosen.release)
        free(memory);
    else if (memory)
        chosen.release(chosen.arg, memory);
}
