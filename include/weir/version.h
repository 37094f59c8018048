/* SPDX-License-Identifier: MIT */
/* weir/version.h - which weir this is, when compiling and when running. */
#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

#include <weir/api.h>

WEIR_BEGIN_DECLS

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
#define WEIR_VERSION_TEXT  "0.1.0"

/* One number that grows with every release: 1.2.3 is 10203. */
#define WEIR_VERSION                                                           \
 (WEIR_VERSION_MAJOR * 10000 + WEIR_VERSION_MINOR * 100 + WEIR_VERSION_PATCH)

/*
 * The version of the library that runs, which may be newer than the header:
 * "0.1.0".
 *
 * Owns:    a constant; never freed.
 * Threads: any.
 */
WEIR_API const char *weir_version(void);

WEIR_END_DECLS

#endif /* WEIR_VERSION_H */
