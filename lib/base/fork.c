/* SPDX-License-Identifier: MIT */
/* fork.c - see fork.h. */
#include "base/fork.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/error.h"

struct weir__counter weir__fork_count;

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static int install_error; /* written inside once, read after it */

static void count_child(void)
{
    weir__counter_add(&weir__fork_count, 1);
}

static void install_handler(void)
{
    install_error = pthread_atfork(NULL, NULL, count_child);
}

weir_status weir__fork_watch(void)
{
    pthread_once(&watch_once, install_handler);
    if (!install_error)
        return WEIR_OK;
    errno = install_error;
    return weir__refuse(WEIR_ESYSTEM,
                        "pthread_atfork failed: free some memory");
}

void weir__fork_end_process(void)
{
    _exit(0);
}

weir_status weir__refuse_forked(const char *what)
{
    return weir__refuse(WEIR_FORKED,
                        "this %s was made before fork(): make one in the child",
                        what);
}
