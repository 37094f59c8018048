/* SPDX-License-Identifier: MIT */
/*
 * semaphore.c - threads that pass a semaphore.
 *
 * Each acquires a permit, takes a number and releases it.  With -DPOSIX it is
 * the system's sem_t, which does not know who came first.
 */
#ifdef POSIX
# include <semaphore.h>
# include <stdlib.h>
#else
# include <weir/semaphore.h>
# include <weir/version.h>
#endif

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "work.h"

#ifdef POSIX

struct driver_about driver_about(void)
{
    return (struct driver_about){"sem_t", "POSIX", true, false};
}

static void *make(size_t permits)
{
    sem_t *semaphore = malloc(sizeof(*semaphore));

    if (!semaphore || sem_init(semaphore, 0, (unsigned)permits))
        contender_failed("sem_init");
    return semaphore;
}

static void enter(void *semaphore)
{
    if (sem_wait(semaphore))
        contender_failed("sem_wait");
}

static void leave(void *semaphore)
{
    if (sem_post(semaphore))
        contender_failed("sem_post");
}

static void end(void *semaphore)
{
    sem_destroy(semaphore);
    free(semaphore);
}

#else

struct driver_about driver_about(void)
{
    return (struct driver_about){"weir_semaphore", weir_version(), true, false};
}

static void *make(size_t permits)
{
    weir_semaphore *semaphore;

    if (weir_semaphore_create(&semaphore, permits))
        contender_failed(weir_last_error());
    return semaphore;
}

static void enter(void *semaphore)
{
    if (weir_semaphore_acquire(semaphore, 1, WEIR_FOREVER))
        contender_failed("weir_semaphore_acquire");
}

static void leave(void *semaphore)
{
    if (weir_semaphore_release(semaphore, 1))
        contender_failed("weir_semaphore_release");
}

static void end(void *semaphore)
{
    weir_semaphore_destroy(semaphore);
}

#endif

const char *driver_why_not(const struct work *work)
{
    return work->kind == WORK_PERMITS ? NULL : "it is a semaphore";
}

static void pass_all(struct part *part)
{
    for (uint64_t i = 0; i < part->count; i++) {
        uint64_t number = part->first + i;

        enter(part->queue);
        part_take(part, &number, 1);
        leave(part->queue);
    }
}

void driver_run(const struct work *work, struct result *out)
{
    static struct part parts[WORK_MOST_WORKERS];
    uint64_t share = work->items / work->consumers;
    void *semaphore = make(work->capacity);

    for (unsigned i = 0; i < work->consumers; i++)
        parts[i] = (struct part){.run = pass_all,
                                 .work = work,
                                 .queue = semaphore,
                                 .first = 1 + i * share,
                                 .count = share};
    crew_run(parts, work->consumers, out);
    end(semaphore);
}
