/* SPDX-License-Identifier: MIT */
/*
 * shim.c - what somebody's queue calls instead of its threads library.
 *
 * The explorer's locks and conditions lie in the memory of those that they
 * stand for.  All zero is a static initialiser: it begins when it is first
 * used.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "world.h"

/* An object that is over says so. */
static const char over;

struct semaphore {
    struct world_lock lock;
    struct world_cond posted;
    unsigned value;
};

_Static_assert(sizeof(struct world_lock) <= sizeof(pthread_mutex_t), "room");
_Static_assert(sizeof(struct world_cond) <= sizeof(pthread_cond_t), "room");

/* The names are the shim's; shim.h would rename what is used here. */
int own_mutex_init(pthread_mutex_t *mutex, const void *attributes);
int own_mutex_destroy(pthread_mutex_t *mutex);
int own_mutex_lock(pthread_mutex_t *mutex, const char *name);
int own_mutex_trylock(pthread_mutex_t *mutex, const char *name);
int own_mutex_unlock(pthread_mutex_t *mutex, const char *name);
int own_cond_init(pthread_cond_t *cond, const void *attributes);
int own_cond_destroy(pthread_cond_t *cond);
int own_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                  const struct timespec *at, const char *name);
int own_cond_signal(pthread_cond_t *cond, const char *name);
int own_cond_broadcast(pthread_cond_t *cond, const char *name);
int own_sem_init(sem_t *semaphore, unsigned value);
int own_sem_destroy(sem_t *semaphore);
int own_sem_wait(sem_t *semaphore, const struct timespec *at, const char *name);
int own_sem_trywait(sem_t *semaphore, const char *name);
int own_sem_post(sem_t *semaphore, const char *name);
int own_sem_getvalue(sem_t *semaphore, int *value);
int own_yield(void);
int own_clock(struct timespec *into);
int own_sleep(const struct timespec *how_long);
int own_usleep(unsigned long microseconds);
void *own_malloc(size_t bytes);
void *own_calloc(size_t count, size_t bytes);
void *own_realloc(void *memory, size_t bytes);
void *own_aligned_alloc(size_t alignment, size_t bytes);
void own_free(void *memory);

/* -------------------------------------------------------------------- locks */

static struct world_lock *lock_of(pthread_mutex_t *mutex)
{
    struct world_lock *lock = (struct world_lock *)(void *)mutex;

    world_touch(mutex, sizeof(*mutex));
    if (!lock->magic)
        world_lock_init(lock, WORLD_UNRANKED);
    return lock;
}

int own_mutex_init(pthread_mutex_t *mutex, const void *attributes)
{
    (void)attributes;
    world_touch(mutex, sizeof(*mutex));
    world_lock_init((struct world_lock *)(void *)mutex, WORLD_UNRANKED);
    return 0;
}

int own_mutex_destroy(pthread_mutex_t *mutex)
{
    struct world_lock *lock = lock_of(mutex);

    world_lock_dispose(lock);
    lock->magic = &over;
    return 0;
}

int own_mutex_lock(pthread_mutex_t *mutex, const char *name)
{
    world_lock_acquire(lock_of(mutex), name);
    return 0;
}

int own_mutex_trylock(pthread_mutex_t *mutex, const char *name)
{
    return world_lock_try(lock_of(mutex), name) ? 0 : EBUSY;
}

int own_mutex_unlock(pthread_mutex_t *mutex, const char *name)
{
    world_lock_release(lock_of(mutex), name);
    return 0;
}

/* --------------------------------------------------------------- conditions */

static struct world_cond *cond_of(pthread_cond_t *cond)
{
    struct world_cond *it = (struct world_cond *)(void *)cond;

    world_touch(cond, sizeof(*cond));
    if (!it->magic)
        world_cond_init(it);
    return it;
}

static int64_t moment_of(const struct timespec *at)
{
    if (!at)
        return INT64_MAX;
    return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

int own_cond_init(pthread_cond_t *cond, const void *attributes)
{
    (void)attributes;
    world_touch(cond, sizeof(*cond));
    world_cond_init((struct world_cond *)(void *)cond);
    return 0;
}

int own_cond_destroy(pthread_cond_t *cond)
{
    struct world_cond *it = cond_of(cond);

    world_cond_dispose(it);
    it->magic = &over;
    return 0;
}

int own_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                  const struct timespec *at, const char *name)
{
    return world_cond_wait(cond_of(cond), lock_of(mutex), moment_of(at), name)
               ? ETIMEDOUT
               : 0;
}

int own_cond_signal(pthread_cond_t *cond, const char *name)
{
    world_cond_wake(cond_of(cond), name);
    return 0;
}

int own_cond_broadcast(pthread_cond_t *cond, const char *name)
{
    world_cond_wake_all(cond_of(cond), name);
    return 0;
}

/* --------------------------------------------------------------- semaphores */

static struct semaphore *semaphore_of(sem_t *semaphore)
{
    struct semaphore *it;

    world_touch(semaphore, sizeof(*semaphore));
    memcpy(&it, semaphore, sizeof(void *));
    if (!it)
        world_fail("a semaphore is used that is none: not begun, or over");
    return it;
}

int own_sem_init(sem_t *semaphore, unsigned value)
{
    struct semaphore *it = arena_allocate(sizeof(*it));

    if (!it)
        return -1;
    world_lock_init(&it->lock, WORLD_UNRANKED);
    world_cond_init(&it->posted);
    it->value = value;
    memset(semaphore, 0, sizeof(*semaphore));
    memcpy(semaphore, &it, sizeof(void *));
    return 0;
}

int own_sem_destroy(sem_t *semaphore)
{
    struct semaphore *it = semaphore_of(semaphore);

    world_cond_dispose(&it->posted);
    world_lock_dispose(&it->lock);
    arena_release(it);
    memset(semaphore, 0, sizeof(*semaphore));
    return 0;
}

int own_sem_wait(sem_t *semaphore, const struct timespec *at, const char *name)
{
    struct semaphore *it = semaphore_of(semaphore);
    bool late = false;

    world_lock_acquire(&it->lock, name);
    while (it->value == 0 && !late)
        late = world_cond_wait(&it->posted, &it->lock, moment_of(at), name);
    late = it->value == 0;
    if (!late)
        it->value--;
    world_lock_release(&it->lock, name);
    errno = late ? ETIMEDOUT : errno;
    return late ? -1 : 0;
}

int own_sem_trywait(sem_t *semaphore, const char *name)
{
    struct semaphore *it = semaphore_of(semaphore);
    bool there;

    world_lock_acquire(&it->lock, name);
    there = it->value > 0;
    it->value -= there;
    world_lock_release(&it->lock, name);
    errno = there ? errno : EAGAIN;
    return there ? 0 : -1;
}

int own_sem_post(sem_t *semaphore, const char *name)
{
    struct semaphore *it = semaphore_of(semaphore);

    world_lock_acquire(&it->lock, name);
    it->value++;
    world_cond_wake(&it->posted, name);
    world_lock_release(&it->lock, name);
    return 0;
}

int own_sem_getvalue(sem_t *semaphore, int *value)
{
    *value = (int)semaphore_of(semaphore)->value;
    return 0;
}

/* -------------------------------------------------------------------- time */

int own_yield(void)
{
    world_yield("yields");
    return 0;
}

int own_clock(struct timespec *into)
{
    int64_t now_ns = world_now();

    into->tv_sec = (time_t)(now_ns / 1000000000);
    into->tv_nsec = (long)(now_ns % 1000000000);
    return 0;
}

static void sleep_until(int64_t at_ns)
{
    struct world_lock lock;
    struct world_cond never;

    world_lock_init(&lock, WORLD_UNRANKED);
    world_cond_init(&never);
    world_lock_acquire(&lock, "sleep");
    while (world_peek() < at_ns)
        (void)world_cond_wait(&never, &lock, at_ns, "sleep");
    world_lock_release(&lock, "sleep");
    world_cond_dispose(&never);
    world_lock_dispose(&lock);
}

int own_sleep(const struct timespec *how_long)
{
    sleep_until(world_peek() + moment_of(how_long));
    return 0;
}

int own_usleep(unsigned long microseconds)
{
    sleep_until(world_peek() + (int64_t)microseconds * 1000);
    return 0;
}

/* --------------------------------------------------------------------- heap */

enum { FRESH = 0xA5 }; /* what memory from malloc holds */

void *own_calloc(size_t count, size_t bytes)
{
    if (count && bytes > SIZE_MAX / count)
        return NULL;
    return arena_allocate(count * bytes);
}

void *own_malloc(size_t bytes)
{
    void *memory = arena_allocate(bytes);

    if (memory)
        memset(memory, FRESH, bytes);
    return memory;
}

void *own_aligned_alloc(size_t alignment, size_t bytes)
{
    return alignment <= ARENA_ALIGNMENT ? own_malloc(bytes) : NULL;
}

void own_free(void *memory)
{
    if (memory && !arena_release(memory))
        world_fail("memory is freed that was freed, or never allocated");
}

void *own_realloc(void *memory, size_t bytes)
{
    void *grown = own_malloc(bytes);
    size_t had = memory ? arena_bytes(memory) : 0;

    if (grown && memory) {
        memcpy(grown, memory, had < bytes ? had : bytes);
        own_free(memory);
    }
    return grown;
}
