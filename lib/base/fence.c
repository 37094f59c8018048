/* SPDX-License-Identifier: MIT */
/* fence.c - see fence.h. */
#include "base/fence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic.h"

static pthread_once_t registered = PTHREAD_ONCE_INIT;

bool weir__fence_is_uneven;

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

/* A process that may not ask, and valgrind, say no. */
static void register_process(void)
{
    int before = errno;

    weir__fence_is_uneven =
        membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
    errno = before;
}

void weir__fence_prepare(void)
{
    pthread_once(&registered, register_process);
}

/* A read-modify-write, because race detectors do not understand fences. */
void weir__fence_full(void)
{
    static struct weir__counter word;

    weir__counter_add(&word, 0);
}

/* Who was let ask may go on asking; if not, light fences are none. */
void weir__fence_heavy(void)
{
    weir__fence_full();
    if (!weir__fence_is_uneven) /* unreached: Linux has it since 4.14 */
        return;                 /* unreached: as above */
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) /* unreached: set up */
        abort();
}
