/* SPDX-License-Identifier: MIT */
/*
 * annotate.h - promises about locks that clang checks (-Wthread-safety).
 *
 * Only functions are annotated.  A C struct field cannot name a sibling field
 * in an attribute (llvm-project#20777), so fields carry a legend letter in a
 * comment instead; docs/locking.md explains both.
 */
#ifndef WEIR_LIB_BASE_ANNOTATE_H
#define WEIR_LIB_BASE_ANNOTATE_H

#if defined(__clang__)
# define WEIR_TSA(x) __attribute__((x))
#else
# define WEIR_TSA(x)
#endif

#define WEIR_LOCKABLE       WEIR_TSA(capability("mutex"))
#define WEIR_REQUIRES(lock) WEIR_TSA(requires_capability(lock))
#define WEIR_ACQUIRES(lock) WEIR_TSA(acquire_capability(lock))
#define WEIR_RELEASES(lock) WEIR_TSA(release_capability(lock))
#define WEIR_TRIES(lock)    WEIR_TSA(try_acquire_capability(true, lock))
#define WEIR_TRUST_ME       WEIR_TSA(no_thread_safety_analysis)

/* For what each item passes: a call with constants is worth its own copy; but
 * not where branches are counted, which each copy would have anew. */
#if defined(__GNUC__) && !defined(WEIR_COUNTS_BRANCHES)
# define WEIR_INLINE static inline __attribute__((always_inline))
#else
# define WEIR_INLINE static inline
#endif
#if defined(__GNUC__)
# define WEIR_RARELY(condition) __builtin_expect(!!(condition), 0)
# define WEIR_APART             __attribute__((noinline, cold))
#else
# define WEIR_RARELY(condition) (condition)
# define WEIR_APART
#endif

#endif /* WEIR_LIB_BASE_ANNOTATE_H */
