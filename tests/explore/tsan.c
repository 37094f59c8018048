/* SPDX-License-Identifier: MIT */
/*
 * tsan.c - what objects compiled with -fsanitize=thread call.
 *
 * They are linked without that flag, so these hooks take the place of the
 * sanitizer's own run time: an access to plain memory is looked at (race.h),
 * one to an atomic is a step (atomics.h).  The names are the compiler's.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "atomics.h"
#include "place.h"
#include "race.h"
#include "trace.h"
#include "world.h"

/* The compiler numbers memory orders from relaxed (0) to sequentially
 * consistent (5). */
static enum atomics_order order_of(int number)
{
    if (number == 0)
        return ATOMICS_RELAXED;
    return number == 5 ? ATOMICS_ORDERED : ATOMICS_ONE_WAY;
}

#define HERE __builtin_return_address(0)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);

void __tsan_init(void)
{
    race_is_watched = true;
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

/* ------------------------------------------------------------- plain memory */

static void
look_at_range(const char *address, size_t bytes, bool writes, const void *place)
{
    for (size_t i = 0; i < bytes; i += 8) {
        if (writes)
            race_write(address + i, 1, place);
        else
            race_read(address + i, 1, place);
    }
}

#define PLAIN(name, bytes)                                                     \
 void __tsan_##name##read##bytes(void *address);                               \
 void __tsan_##name##write##bytes(void *address);                              \
 void __tsan_##name##read##bytes(void *address)                                \
 {                                                                             \
  race_read(address, bytes, HERE);                                             \
 }                                                                             \
 void __tsan_##name##write##bytes(void *address)                               \
 {                                                                             \
  race_write(address, bytes, HERE);                                            \
 }

PLAIN(, 1)
PLAIN(, 2)
PLAIN(, 4)
PLAIN(, 8)
PLAIN(unaligned_, 2)
PLAIN(unaligned_, 4)
PLAIN(unaligned_, 8)

#define WIDE(name)                                                             \
 void __tsan_##name##read16(void *address);                                    \
 void __tsan_##name##write16(void *address);                                   \
 void __tsan_##name##read16(void *address)                                     \
 {                                                                             \
  look_at_range(address, 16, false, HERE);                                     \
 }                                                                             \
 void __tsan_##name##write16(void *address)                                    \
 {                                                                             \
  look_at_range(address, 16, true, HERE);                                      \
 }

WIDE()
WIDE(unaligned_)

void __tsan_read_range(void *address, size_t bytes);
void __tsan_write_range(void *address, size_t bytes);
void *__tsan_memcpy(void *into, const void *from, size_t bytes);
void *__tsan_memmove(void *into, const void *from, size_t bytes);
void *__tsan_memset(void *into, int value, size_t bytes);

void __tsan_read_range(void *address, size_t bytes)
{
    look_at_range(address, bytes, false, HERE);
}

void __tsan_write_range(void *address, size_t bytes)
{
    look_at_range(address, bytes, true, HERE);
}

void *__tsan_memcpy(void *into, const void *from, size_t bytes)
{
    look_at_range(from, bytes, false, HERE);
    look_at_range(into, bytes, true, HERE);
    return memcpy(into, from, bytes);
}

void *__tsan_memmove(void *into, const void *from, size_t bytes)
{
    look_at_range(from, bytes, false, HERE);
    look_at_range(into, bytes, true, HERE);
    return memmove(into, from, bytes);
}

void *__tsan_memset(void *into, int value, size_t bytes)
{
    look_at_range(into, bytes, true, HERE);
    return memset(into, value, bytes);
}

/* ------------------------------------------------------------------ atomics */

static struct atomics_place
at(const volatile void *address, unsigned bytes, const void *place)
{
    return (struct atomics_place){(void *)(uintptr_t)address, bytes,
                                  trace_is_on ? place_text(place) : NULL};
}

#define CHANGE(bits, name, how)                                                \
 uint##bits##_t __tsan_atomic##bits##_##name(volatile void *address,           \
                                             uint##bits##_t value, int order); \
 uint##bits##_t __tsan_atomic##bits##_##name(volatile void *address,           \
                                             uint##bits##_t value, int order)  \
 {                                                                             \
  return (uint##bits##_t)atomics_change(at(address, (bits) / 8, HERE), how,    \
                                        value, order_of(order));               \
 }

#define COMPARE(bits, name)                                                    \
 int __tsan_atomic##bits##_##name(volatile void *address, void *expected,      \
                                  uint##bits##_t desired, int order,           \
                                  int failing);                                \
 int __tsan_atomic##bits##_##name(volatile void *address, void *expected,      \
                                  uint##bits##_t desired, int order,           \
                                  int failing)                                 \
 {                                                                             \
  uint##bits##_t old;                                                          \
  uint64_t wide;                                                               \
  bool done;                                                                   \
                                                                               \
  (void)failing;                                                               \
  memcpy(&old, expected, sizeof(old));                                         \
  wide = old;                                                                  \
  done = atomics_compare_swap(at(address, (bits) / 8, HERE), &wide, desired,   \
                              order_of(order));                                \
  old = (uint##bits##_t)wide;                                                  \
  memcpy(expected, &old, sizeof(old));                                         \
  return done;                                                                 \
 }

#define ATOMIC(bits)                                                           \
 uint##bits##_t __tsan_atomic##bits##_load(const volatile void *address,       \
                                           int order);                         \
 uint##bits##_t __tsan_atomic##bits##_load(const volatile void *address,       \
                                           int order)                          \
 {                                                                             \
  return (uint##bits##_t)atomics_read(at(address, (bits) / 8, HERE),           \
                                      order_of(order));                        \
 }                                                                             \
 void __tsan_atomic##bits##_store(volatile void *address,                      \
                                  uint##bits##_t value, int order);            \
 void __tsan_atomic##bits##_store(volatile void *address,                      \
                                  uint##bits##_t value, int order)             \
 {                                                                             \
  atomics_write(at(address, (bits) / 8, HERE), value, order_of(order));        \
 }                                                                             \
 CHANGE(bits, exchange, ATOMICS_SWAP)                                          \
 CHANGE(bits, fetch_add, ATOMICS_ADD)                                          \
 CHANGE(bits, fetch_sub, ATOMICS_SUBTRACT)                                     \
 CHANGE(bits, fetch_and, ATOMICS_AND)                                          \
 CHANGE(bits, fetch_or, ATOMICS_OR)                                            \
 CHANGE(bits, fetch_xor, ATOMICS_XOR)                                          \
 CHANGE(bits, fetch_nand, ATOMICS_NAND)                                        \
 COMPARE(bits, compare_exchange_strong)                                        \
 COMPARE(bits, compare_exchange_weak)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

void __tsan_atomic_thread_fence(int order)
{
    atomics_fence(order_of(order));
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
