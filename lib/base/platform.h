/* SPDX-License-Identifier: MIT */
/*
 * platform.h - what weir needs of the compiler and the system.
 *
 * Where something is missing the build ends here, and says what.  The child
 * processes, the interrupts by signal and the descriptors to wait on are made
 * of what only Linux has (eventfd, signalfd, pidfd, prctl), and the queue and
 * the pool stand on some of it too: so there is no part that builds elsewhere.
 */
#ifndef WEIR_LIB_BASE_PLATFORM_H
#define WEIR_LIB_BASE_PLATFORM_H

#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L
# error "weir needs C11: compile with -std=c11 or later"
#endif
#if defined(__STDC_NO_ATOMICS__)
# error "weir needs C11 atomics: this compiler has none"
#endif
#if !defined(__GNUC__)
# error "weir needs the GNU dialect's builtins: compile with gcc or clang"
#endif
#if !defined(__linux__)
# error "weir needs Linux: eventfd, signalfd, pidfd, prctl are not elsewhere"
#endif

#include <limits.h>
#include <stdint.h>
#include <unistd.h>

#if CHAR_BIT != 8
# error "weir needs bytes of 8 bits"
#endif
#if !defined(_POSIX_THREADS) || _POSIX_THREADS < 200809L
# error "weir needs POSIX threads as of 2008: this C library lacks them"
#endif
#if !defined(_POSIX_MONOTONIC_CLOCK) || _POSIX_MONOTONIC_CLOCK < 0 ||          \
    !defined(_POSIX_CLOCK_SELECTION) || _POSIX_CLOCK_SELECTION < 0
# error "weir needs conditions on the monotonic clock: there are none here"
#endif
/* Counters are read in signal handlers, and shared with children.  This is what
 * <stdatomic.h> makes ATOMIC_LLONG_LOCK_FREE of. */
#if !defined(__GCC_ATOMIC_LLONG_LOCK_FREE) || __GCC_ATOMIC_LLONG_LOCK_FREE != 2
# error "weir needs 64-bit atomics without a lock: on x86, -march=i586 or later"
#endif
#if UINTPTR_MAX != UINT64_MAX && UINTPTR_MAX != UINT32_MAX
# error "weir needs pointers of 32 or 64 bits"
#endif

#endif /* WEIR_LIB_BASE_PLATFORM_H */
