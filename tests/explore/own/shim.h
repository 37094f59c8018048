/* SPDX-License-Identifier: MIT */
/*
 * shim.h - included before somebody's queue: its locks become the explorer's.
 *
 * What it calls by name of <pthread.h>, <semaphore.h>, <threads.h>, the clock
 * and the heap goes to shim.c; its atomics and its plain memory are seen by the
 * hooks of ../tsan.c.  What we cannot stand in for does not compile.
 */
#ifndef WEIR_EXPLORE_OWN_SHIM_H
#define WEIR_EXPLORE_OWN_SHIM_H

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "seam/copies.h"

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

#define pthread_mutex_init(mutex, attributes) own_mutex_init(mutex, attributes)
#define pthread_mutex_destroy(mutex)          own_mutex_destroy(mutex)
#define pthread_mutex_lock(mutex)             own_mutex_lock(mutex, #mutex)
#define pthread_mutex_trylock(mutex)          own_mutex_trylock(mutex, #mutex)
#define pthread_mutex_unlock(mutex)           own_mutex_unlock(mutex, #mutex)
#define pthread_cond_init(cond, attributes)   own_cond_init(cond, attributes)
#define pthread_cond_destroy(cond)            own_cond_destroy(cond)
#define pthread_cond_wait(cond, mutex)        own_cond_wait(cond, mutex, NULL, #cond)
#define pthread_cond_timedwait(cond, mutex, at)                                \
 own_cond_wait(cond, mutex, at, #cond)
#define pthread_cond_clockwait(cond, mutex, clock, at)                         \
 own_cond_wait(cond, mutex, at, #cond)
#define pthread_cond_signal(cond)    own_cond_signal(cond, #cond)
#define pthread_cond_broadcast(cond) own_cond_broadcast(cond, #cond)

#define mtx_init(mutex, type) own_mutex_init((pthread_mutex_t *)(mutex), NULL)
#define mtx_destroy(mutex)    own_mutex_destroy((pthread_mutex_t *)(mutex))
#define mtx_lock(mutex)       own_mutex_lock((pthread_mutex_t *)(mutex), #mutex)
#define mtx_unlock(mutex)     own_mutex_unlock((pthread_mutex_t *)(mutex), #mutex)
#define cnd_init(cond)        own_cond_init((pthread_cond_t *)(cond), NULL)
#define cnd_destroy(cond)     own_cond_destroy((pthread_cond_t *)(cond))
#define cnd_signal(cond)      own_cond_signal((pthread_cond_t *)(cond), #cond)
#define cnd_broadcast(cond)   own_cond_broadcast((pthread_cond_t *)(cond), #cond)
#define cnd_wait(cond, mutex)                                                  \
 own_cond_wait((pthread_cond_t *)(cond), (pthread_mutex_t *)(mutex), NULL,     \
               #cond)

#define sem_init(semaphore, shared, value) own_sem_init(semaphore, value)
#define sem_destroy(semaphore)             own_sem_destroy(semaphore)
#define sem_wait(semaphore)                own_sem_wait(semaphore, NULL, #semaphore)
#define sem_timedwait(semaphore, at)       own_sem_wait(semaphore, at, #semaphore)
#define sem_clockwait(semaphore, clock, at)                                    \
 own_sem_wait(semaphore, at, #semaphore)
#define sem_trywait(semaphore)         own_sem_trywait(semaphore, #semaphore)
#define sem_post(semaphore)            own_sem_post(semaphore, #semaphore)
#define sem_getvalue(semaphore, value) own_sem_getvalue(semaphore, value)

#define sched_yield()              own_yield()
#define thrd_yield()               ((void)own_yield())
#define clock_gettime(clock, into) own_clock(into)
#define nanosleep(how_long, left)  own_sleep(how_long)
#define usleep(microseconds)       own_usleep(microseconds)

#define malloc(bytes)                   own_malloc(bytes)
#define calloc(count, bytes)            own_calloc(count, bytes)
#define realloc(memory, bytes)          own_realloc(memory, bytes)
#define aligned_alloc(alignment, bytes) own_aligned_alloc(alignment, bytes)
#define free(memory)                    own_free(memory)

/* Not stood in for: the process would wait for itself. */
#pragma GCC poison pthread_rwlock_rdlock pthread_rwlock_wrlock
#pragma GCC poison pthread_spin_lock pthread_barrier_wait pthread_create
#pragma GCC poison pthread_mutex_timedlock posix_memalign strdup sleep
#pragma GCC poison mtx_timedlock cnd_timedwait thrd_create gettimeofday

#endif /* WEIR_EXPLORE_OWN_SHIM_H */
