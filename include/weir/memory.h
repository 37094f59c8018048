/* SPDX-License-Identifier: MIT */
/*
 * weir/memory.h - memory from an allocator of one's own.
 *
 * All that the library allocates, frees and keeps comes from one place: malloc
 * and free, unless the program names two functions of its own.  What the C
 * library takes for itself is not asked of them: the stacks of threads, and the
 * buffers of a file or directory while it is read.  Neither is what the
 * headers of C++ make with new, nor the shared memory of a file of events.
 */
#ifndef WEIR_MEMORY_H
#define WEIR_MEMORY_H

#include <stddef.h>

#include <weir/api.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

/*
 * `bytes` (1 or more) of memory, aligned for any type as malloc's is, or NULL
 * if there is none: the call that needed it then answers WEIR_ENOMEM.  It need
 * not be zeroed.
 *
 * Both functions are called on any thread, on several at once, those of the
 * pools too; with no weir lock held and never in a signal handler.  They must
 * return (no jump, no exception, no end of the thread) and must not call the
 * library.  A child made by fork() calls them as well, on its one thread: what
 * they lock must be free there, as that of malloc is (see pthread_atfork).  So
 * do the processes of a pool with WEIR_ISOLATE_PROCESS, each on a copy of what
 * was there when weir_process_start() was called.
 */
typedef void *weir_memory_allocate(void *arg, size_t bytes);
/* Takes back what the other one gave; never NULL. */
typedef void weir_memory_release(void *arg, void *memory);

typedef struct weir_allocator {
    size_t size; /* set by WEIR_ALLOCATOR_INIT */
    weir_memory_allocate *allocate;
    weir_memory_release *release;
    void *arg; /* for both; must last as long as the process */
} weir_allocator;
#define WEIR_ALLOCATOR_INIT WEIR_SIZED(weir_allocator)

/*
 * From now on the library's memory comes from `allocator`, for the whole
 * process; NULL: from malloc and free again.  Comes before anything is made:
 * what one allocator gave another one cannot take back.  A program decides
 * this, not a library that uses weir.
 *
 * Owns:    *allocator is copied.
 * Returns: WEIR_OK, WEIR_EINVAL (a function is missing, or the library has
 *          allocated already); then nothing has changed.
 * Threads: one, while no other is in the library.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_set_allocator(const weir_allocator *allocator);

WEIR_END_DECLS

#endif /* WEIR_MEMORY_H */
