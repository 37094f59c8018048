/* SPDX-License-Identifier: MIT */
/*
 * race.h - whether two accesses to plain memory are ordered at all.
 *
 * Plain memory is no step: two accesses to it that something orders cannot
 * tell when they happen, and two that nothing orders are a data race, which is
 * a finding however this schedule ended.  Objects that were compiled with
 * -fsanitize=thread call the hooks of tsan.c, and they call this; without any,
 * nothing is watched.
 */
#ifndef WEIR_EXPLORE_RACE_H
#define WEIR_EXPLORE_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instrumented objects are there. */
extern bool race_is_watched;

/* What an access to an atomic orders. */
enum race_order {
    RACE_RELAXED = 0,
    RACE_ACQUIRE = 1,
    RACE_RELEASE = 2,
    RACE_BOTH = 3
};

/* An execution begins. */
void race_reset(void);
/* The current thread starts another, or has seen its end. */
void race_started(unsigned thread);
void race_joined(unsigned thread);

/* The current thread takes a lock that others gave back, or gives it back. */
void race_acquire(const void *lock);
void race_release(const void *lock);

/* It reads, writes or changes an atomic. */
void race_load(const void *atomic, enum race_order order);
void race_store(const void *atomic, enum race_order order);
void race_update(const void *atomic, enum race_order order);
void race_fence(enum race_order order);

/* It touches plain memory; `place` is where in the program. */
void race_read(const void *address, size_t bytes, const void *place);
void race_write(const void *address, size_t bytes, const void *place);

#endif /* WEIR_EXPLORE_RACE_H */
