/* SPDX-License-Identifier: MIT */
/*
 * valgrind.h - what atomics order, said to valgrind's race detectors.
 *
 * Helgrind and DRD see an atomic access as any other: as a race on its word,
 * and as nothing that orders what is around it.  With WEIR_VALGRIND defined
 * each access of base/atomic.h says what it is; else all this is nothing.
 *
 * LIMITS
 *
 * Whoever accesses a word is ordered behind every earlier write to it, not only
 * the one whose value it sees, and a compare-and-swap that fails counts as a
 * write: a few orders more than there are, so a few races go unseen.  Weak
 * memory orders are not told apart: that is for TSan and tests/explore.
 */
#ifndef WEIR_LIB_BASE_VALGRIND_H
#define WEIR_LIB_BASE_VALGRIND_H

#include <stddef.h>

#if defined(WEIR_VALGRIND)
# include <valgrind/helgrind.h>

# include <valgrind/drd.h>

# define WEIR__TELL(request, word, size)                                       \
  VALGRIND_DO_CLIENT_REQUEST_STMT(request, word, size, 0, 0, 0)

/* Before an access to an atomic word: it is no race. */
static inline void weir__is_atomic(const volatile void *word, size_t size)
{
    WEIR__TELL(_VG_USERREQ__HG_ARANGE_MAKE_UNTRACKED, word, size);
    WEIR__TELL(VG_USERREQ__DRD_START_SUPPRESSION, word, size);
}

/* The same before a write: what was until now is before whoever sees it. */
static inline void weir__publishes(const volatile void *word, size_t size)
{
    weir__is_atomic(word, size);
    WEIR__TELL(_VG_USERREQ__HG_USERSO_SEND_PRE, word, 0);
    WEIR__TELL(VG_USERREQ__DRD_ANNOTATE_HAPPENS_BEFORE, word, 0);
}

/* After a read: what comes is behind what was published here. */
static inline void weir__observes(const volatile void *word)
{
    WEIR__TELL(_VG_USERREQ__HG_USERSO_RECV_POST, word, 0);
    WEIR__TELL(VG_USERREQ__DRD_ANNOTATE_HAPPENS_AFTER, word, 0);
}

#else
# define weir__is_atomic(word, size) ((void)0)
# define weir__publishes(word, size) ((void)0)
# define weir__observes(word)        ((void)0)
#endif

#endif /* WEIR_LIB_BASE_VALGRIND_H */
