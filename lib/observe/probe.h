/* SPDX-License-Identifier: MIT */
/*
 * probe.h - static probes (USDT) for who traces a running process from outside.
 *
 * With WEIR_USDT defined each event is a probe of the provider `weir`, by the
 * event's name, whether there is a ring of events or not; else all this is
 * nothing.  A probe is one `nop` and a note in the ELF file that says where its
 * arguments are to be found; a tracer puts a trap in the nop's place.
 *
 *   task, worker, attempt, value   as weir/events.h has them for that kind; no
 *                                  worker is -1
 *   name                           of the pool or queue, as a string
 *
 * Arguments are made whether somebody traces or not: so they are what lies at
 * hand, never a look at the clock.
 */
#ifndef WEIR_LIB_OBSERVE_PROBE_H
#define WEIR_LIB_OBSERVE_PROBE_H

#include <stdint.h>

#if defined(WEIR_USDT)
# include <sys/sdt.h>

/* Its macros are variadic in a way that clang calls an extension. */
# if defined(__clang__)
#  define WEIR__PROBE_BEGIN                                                    \
   _Pragma("clang diagnostic push") _Pragma(                                   \
       "clang diagnostic ignored \"-Wgnu-zero-variadic-macro-arguments\"")
#  define WEIR__PROBE_END _Pragma("clang diagnostic pop")
# else
#  define WEIR__PROBE_BEGIN
#  define WEIR__PROBE_END
# endif

# define WEIR__PROBE(event, task, worker, attempt, value, name)                \
  do {                                                                         \
   WEIR__PROBE_BEGIN                                                           \
   STAP_PROBE5(weir, event, (uint64_t)(task), (int32_t)(worker),               \
               (uint32_t)(attempt), (int64_t)(value), (const char *)(name));   \
   WEIR__PROBE_END                                                             \
  } while (0)
#else
# define WEIR__PROBE(event, task, worker, attempt, value, name)                \
  ((void)(task), (void)(worker), (void)(attempt), (void)(value), (void)(name))
#endif

#endif /* WEIR_LIB_OBSERVE_PROBE_H */
