/* SPDX-License-Identifier: MIT */
/*
 * process.c - in place of lib/process: a world has no processes.
 *
 * What a worker and its child say to each other is between the two of them, and
 * to the pool a worker that waits for its child is one in a handler; so no pool
 * that is explored has children, and whoever comes here has lost its way.
 */
#include "process/child.h"
#include "process/start.h"
#include "world.h"

static void must_not_come(void)
{
    world_fail("a pool that is explored has no children");
}

weir_status weir__server_refuse_lost(void)
{
    must_not_come();
    return WEIR_ESYSTEM;
}

bool weir__server_is_lost(void)
{
    must_not_come();
    return true;
}

weir_status weir__server_check_code(uintptr_t function, const char *what)
{
    (void)function;
    (void)what;
    must_not_come();
    return WEIR_EINVAL;
}

weir_status weir__child_settings_read(struct weir__child_settings *into,
                                      const weir_process_options *options)
{
    (void)into;
    (void)options;
    must_not_come();
    return WEIR_EINVAL;
}

bool weir__child_init(struct weir__child *child,
                      const struct weir__child_settings *settings,
                      struct weir__spin *spin, uint32_t worker, int wake_fd)
{
    (void)child;
    (void)settings;
    (void)spin;
    (void)worker;
    (void)wake_fd;
    must_not_come();
    return false;
}

void weir__child_dispose(struct weir__child *child)
{
    (void)child;
    must_not_come();
}

weir_status weir__child_start(struct weir__child *child)
{
    (void)child;
    must_not_come();
    return WEIR_ESYSTEM;
}

bool weir__child_has_ended(const struct weir__child *child)
{
    (void)child;
    must_not_come();
    return true;
}

bool weir__child_look(struct weir__child *child)
{
    (void)child;
    must_not_come();
    return false;
}

enum weir__ending
weir__child_run(struct weir__child *child, struct weir_task *task,
                const struct weir__child_call *call)
{
    (void)child;
    (void)task;
    (void)call;
    must_not_come();
    return WEIR__CHILD_CRASHED;
}

void weir__child_retire(struct weir__child *child)
{
    (void)child;
    must_not_come();
}

void weir__child_hurry(struct weir__child *child)
{
    (void)child;
    must_not_come();
}
